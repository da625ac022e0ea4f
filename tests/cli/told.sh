#!/bin/sh
# SPDX-License-Identifier: MIT
# What guests are told by DHCP, as the network's line says: router, servers of names and time, domains, the time of a
# lease, a file to boot from, which the host serves by TFTP, out of its directory alone.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

network() { # network WORD...: a policy with these on the line
	policy 'allow web user=alice' "network web shared 10.77.0.1/24 fd00:77::1/64 dhcp=10.77.0.100-10.77.0.200 $*"
	"$TAPGATE" up
}

cat >"$TMPDIR/told" <<'EOT'
#!/bin/sh
[ "$1" != bound ] || env | grep -E '^(router|dns|ntpsrv|search|lease|boot_file|siaddr|domain)=' | sort
EOT
chmod 755 "$TMPDIR/told"

told() { # what a guest is told
	in_netns g1 timeout 15 "$busybox" udhcpc -i eth0 -n -q -f -t 5 -T 2 -O search -O ntpsrv \
		-s "$TMPDIR/told" 2>/dev/null
}

tells() { # tells LINE...: among it are these
	told >"$TMPDIR/came"
	cat "$TMPDIR/came"
	for tells_line; do
		grep -qxF "$tells_line" "$TMPDIR/came" || {
			echo "expected: $tells_line"
			return 1
		}
	done
}

tells_nothing_of() { # tells_nothing_of WORD...
	told >"$TMPDIR/came"
	cat "$TMPDIR/came"
	for tells_word; do
		! grep -q "^$tells_word=" "$TMPDIR/came" || return 1
	done
	grep -q '^lease=' "$TMPDIR/came"
}

check 'up' network
check 'a guest' guest g1 web
check 'as it is without any word' tells 'router=10.77.0.1' 'dns=10.77.0.1' 'lease=3600' 'domain=web.internal'
check '... with nothing of the rest' tells_nothing_of ntpsrv search boot_file
check 'router=none' network router=none
check '... tells of none' tells_nothing_of router
check 'a router that is a guest, and more' network router=10.77.0.9 ntp=192.0.2.123,fd00::123 \
	search=corp.example,lab.example lease=2h
check '... is told' tells 'router=10.77.0.9' 'ntpsrv=192.0.2.123' 'search=corp.example lab.example' 'lease=7200'
check 'the guard keeps places for as long' eval 'nft list table netdev tapgate-web | grep -q "timeout 2h"'
check 'nothing more to do' says_nothing_changed
check 'status: all is up' "$TAPGATE" status

# Names: of another server than the host's.
mkdir "$TMPDIR/names"
ip addr add 192.0.2.53/32 dev lo
dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --listen-address=192.0.2.53 --bind-interfaces --port=53 \
	--address=/www.corp.example/wiki/build.lab.internal/192.0.2.80 --ptr-record=80.7.168.192.in-addr.arpa,wiki \
	--pid-file="$TMPDIR/names/pid" --user=root
finds() { # finds NAME
	in_netns g1 timeout 5 "$busybox" nslookup -type=a "$1" 10.77.0.1 2>&1 | grep -q '192\.0\.2\.80'
}
in_netns g1 ip addr add 10.77.0.50/24 dev eth0
check 'without dns= a name of another server is not found' refuses finds www.corp.example
check 'dns=' network dns=192.0.2.53
check '... and it is found' finds www.corp.example
check 'guests still ask the host' tells 'dns=10.77.0.1'
# What the host's servers know without a domain, and of private addresses, guests of a nat network find, too
# (balena-os/meta-balena#1083, VirtusLab/sandcat#113).
check 'a bare name' finds wiki
check 'a name of a private domain' finds build.lab.internal
named() { # named ADDRESS: by that server
	in_netns g1 timeout 5 "$busybox" nslookup "$1" 10.77.0.1 2>&1 | grep -q 'name = wiki'
}
check 'the name of a private address' named 192.168.7.80

# A file to boot from (lxc/incus#2408, vagrant-libvirt PR 1412).
mkdir -p "$TMPDIR/tftp"
chmod 755 "$TMPDIR" "$TMPDIR/tftp"
echo 'a loader' >"$TMPDIR/tftp/undionly.kpxe"
echo 'a secret' >"$TMPDIR/secret"
chmod 644 "$TMPDIR/tftp/undionly.kpxe" "$TMPDIR/secret"
fetches() { # fetches FILE
	rm -f "$TMPDIR/fetched"
	in_netns g1 timeout 5 "$busybox" tftp -g -r "$1" -l "$TMPDIR/fetched" 10.77.0.1 && cat "$TMPDIR/fetched"
}
check 'without boot= nothing is served' refuses fetches undionly.kpxe
check 'boot= of the host' network "boot=$TMPDIR/tftp/undionly.kpxe"
check '... is told' tells 'boot_file=undionly.kpxe' 'siaddr=10.77.0.1'
is_served() {
	[ "$(fetches undionly.kpxe)" = 'a loader' ]
}
check '... and served' is_served
check '... and nothing else' refuses fetches ../secret
check '... also not by its whole path' refuses fetches "$TMPDIR/secret"
check 'boot= of another server' network boot=pxelinux.0@10.77.0.9
check '... is told' tells 'boot_file=pxelinux.0' 'siaddr=10.77.0.9'
check '... and nothing is served' refuses fetches undionly.kpxe
# A boot server elsewhere: its answers come from another port than it was asked at (RFC 1350, 4), which masquerading
# cannot tell from anybody's, unless the kernel reads TFTP.
ip netns add lan
ip link add uplink type veth peer name to-host netns lan
ip addr add 192.0.2.1/24 dev uplink
ip link set uplink up
ip -n lan addr add 192.0.2.50/24 dev to-host
ip -n lan addr add 192.0.2.51/24 dev to-host
ip -n lan link set to-host up
ip -n lan link set lo up
ip route add default via 192.0.2.50
in_netns lan dnsmasq --conf-file=/dev/null --user=root --port=0 --pid-file="$TMPDIR/tftpd" --enable-tftp \
	--tftp-root="$TMPDIR/tftp" --listen-address=192.0.2.50,192.0.2.51 --bind-interfaces
far() { # far [ADDRESS]: the file, from a server of the LAN
	rm -f "$TMPDIR/fetched"
	in_netns g1 timeout 10 "$busybox" tftp -g -r undionly.kpxe -l "$TMPDIR/fetched" "${1-192.0.2.50}" &&
		[ "$(cat "$TMPDIR/fetched")" = 'a loader' ]
}
in_netns g1 ip route add default via 10.77.0.1
check 'boot= of another server, masqueraded' network boot=undionly.kpxe@192.0.2.50
check '... the file comes from there' far
check '... and from no other server' refuses far 192.0.2.51
check '... nothing more to do' says_nothing_changed
check 'control: not without what the guard has for it' eval 'nft flush chain inet tapgate-web boot; ! far'
read -r pid <"$TMPDIR/tftpd"
kill "$pid"
read -r pid <"$TMPDIR/names/pid"
kill "$pid"
finish
