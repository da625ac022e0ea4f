#!/bin/sh
# What cannot be: policies that are none, networks that do not go together, or not with this host. `tapgate check` and
# `tapgate up` say the same of each, name the file and the line, exit with 4 and change nothing.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# shows STATUS WORD...: as `says`, of `check`: it names the place first, and shows the line of the policy beneath
shows() {
	shows_status=$1
	shift
	sed 's/^tapgate: //' >"$TMPDIR/shows.expected"
	"$TAPGATE" "$@" >"$TMPDIR/shows" 2>&1 </dev/null
	shows_came=$?
	[ "$shows_came" = "$shows_status" ] || echo "tapgate $*: status $shows_came, expected $shows_status"
	sed -i '/^    /d' "$TMPDIR/shows"
	diff "$TMPDIR/shows.expected" "$TMPDIR/shows" && [ "$shows_came" = "$shows_status" ]
}

# refused TEXT DO UNDO POLICY: with the host as DO leaves it, both commands say what is in standard input
refused() {
	cat >"$TMPDIR/message"
	printf '%s\n' "$4" | policy -
	eval "$2"
	remember
	check "$1: check says so" shows 4 check <"$TMPDIR/message"
	# A policy that is none is refused before the host is looked at.
	grep -qE '^tapgate: [^ ]*:[0-9]+:[0-9]+: ' "$TMPDIR/message" || echo 'tapgate: nothing was changed' >>"$TMPDIR/message"
	check "$1: up says so" says 4 up <"$TMPDIR/message"
	check "$1: up --dry-run says so" says 4 up --dry-run <"$TMPDIR/message"
	check "$1: nothing has changed" same
	eval "$3"
}

policy '# nothing'
check 'a policy without networks' says_nothing_changed # and from now on there is a lock
lab='network lab host-only 172.16.2.1/24 fd00:2::1/64'

# --- lines that are wrong by themselves -------------------------------------------------------------------------------

refused 'a range outside the subnet' : : "# a comment
$lab dhcp=172.16.3.2-172.16.3.100" <<'EOT'
tapgate: /etc/tapgate.conf:2:55: the range is not in the network's subnet, expected one that is
EOT
refused 'half of a range outside' : : 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.200-172.16.3.10' <<'EOT'
tapgate: /etc/tapgate.conf:1:42: the range is not in the network's subnet, expected one that is
EOT
refused 'a range that holds the host' : : 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.1-172.16.2.10' <<'EOT'
tapgate: /etc/tapgate.conf:1:42: the range holds the host's own address, expected it outside
EOT
refused 'an address that is the subnet itself' : : 'network lab host-only 172.16.2.0/24' <<'EOT'
tapgate: /etc/tapgate.conf:1:23: the address is the subnet's own or its broadcast, expected the host's
EOT
refused 'an address that is the broadcast' : : 'network lab host-only 172.16.2.255/24' <<'EOT'
tapgate: /etc/tapgate.conf:1:23: the address is the subnet's own or its broadcast, expected the host's
EOT
refused 'an IPv6 address that is the subnet itself' : : 'network lab host-only fd00:2::/64' <<'EOT'
tapgate: /etc/tapgate.conf:1:23: the address is the subnet's own, expected the host's
EOT
refused 'an address on an internal network' : : 'network quiet internal 172.16.2.1/24' <<'EOT'
tapgate: /etc/tapgate.conf:1:24: address on an internal network, expected none
EOT
refused 'a network for the second time' : : "$lab
network lab internal" <<'EOT'
tapgate: /etc/tapgate.conf:2:9: network 'lab' for the second time, expected it once (first at /etc/tapgate.conf:1)
EOT
mkdir /etc/more
refused 'a mistake in an included file' \
	'echo "network x nowhere" >/etc/more/x.conf' 'rm /etc/more/x.conf' 'include /etc/more/x.conf' <<'EOT'
tapgate: /etc/more/x.conf:1:11: unknown mode 'nowhere', expected 'bridged', 'nat', 'host-only', 'internal' or 'standalone'
EOT

# --- networks that do not go together ---------------------------------------------------------------------------------

refused 'two networks that overlap' : : "$lab
network web nat 172.16.0.1/16" <<'EOT'
tapgate: /etc/tapgate.conf:2: 172.16.0.1/16 of network 'web' overlaps 172.16.2.1/24 of network 'lab' (/etc/tapgate.conf:1), expected subnets apart
EOT
refused 'two that overlap by IPv6, in two files' \
	'echo "network web nat fd00:2::5/48" >/etc/more/web.conf' 'rm /etc/more/web.conf' "$lab
include /etc/more/web.conf" <<'EOT'
tapgate: /etc/more/web.conf:1: fd00:2::5/48 of network 'web' overlaps fd00:2::1/64 of network 'lab' (/etc/tapgate.conf:1), expected subnets apart
EOT
refused 'a network with a name as of a tap of a pool' : : "network cell standalone 172.16.128.0/17 per-vm=/30
network cell-5 internal" <<'EOT'
tapgate: /etc/tapgate.conf:2: network 'cell-5' has a name as taps of pool 'cell' (/etc/tapgate.conf:1) have, expected one that does not begin with 'cell-'
EOT
refused 'three mistakes at once' : : "$lab
network a nat 172.16.2.9/28
network b standalone fd00:2::9/128
network c standalone 10.0.0.1/8
network d nat 10.1.0.1/16" <<'EOT'
tapgate: /etc/tapgate.conf:2: 172.16.2.9/28 of network 'a' overlaps 172.16.2.1/24 of network 'lab' (/etc/tapgate.conf:1), expected subnets apart
tapgate: /etc/tapgate.conf:3: fd00:2::9/128 of network 'b' overlaps fd00:2::1/64 of network 'lab' (/etc/tapgate.conf:1), expected subnets apart
tapgate: /etc/tapgate.conf:5: 10.1.0.1/16 of network 'd' overlaps 10.0.0.1/8 of network 'c' (/etc/tapgate.conf:4), expected subnets apart
EOT

# --- names that others have -------------------------------------------------------------------------------------------

takes() { # takes LINE NETWORK INTERFACE
	echo "tapgate: /etc/tapgate.conf:$1: network '$2' needs the interface name '$3', which one has that tapgate did not make; give the network another name, or remove the interface"
}

takes 1 lab lab >"$TMPDIR/takes"
refused 'a bridge of somebody else with the name' \
	'ip link add lab type bridge' 'ip link del lab' "$lab" <"$TMPDIR/takes"
refused 'one that is up, with a hardware address as ours' \
	'ip link add lab address 02:74:67:01:02:03 type bridge; ip link set lab up' 'ip link del lab' "$lab" <"$TMPDIR/takes"
refused 'one that is down, with a mark of its own' \
	'ip link add lab address 02:74:67:01:02:03 type bridge; ip link set lab alias mine' 'ip link del lab' "$lab" <"$TMPDIR/takes"
refused 'another kind of interface, with our mark' \
	'ip link add lab type veth peer name other
	ip link set lab alias "tapgate network=lab mode=host-only"' 'ip link del lab' "$lab" <"$TMPDIR/takes"
takes 2 tap1 tap1 >"$TMPDIR/takes"
refused 'a tap of somebody else, for a standalone network' 'ip tuntap add tap1 mode tap' 'ip link del tap1' "# first
network tap1 standalone 172.16.3.1/24" <"$TMPDIR/takes"
takes 1 cell cell-17 >"$TMPDIR/takes"
refused 'a tap of somebody else, for a pool' 'ip tuntap add cell-17 mode tap' 'ip link del cell-17' \
	'network cell standalone 172.16.128.0/17 per-vm=/30' <"$TMPDIR/takes"
takes 1 cell cell-x >"$TMPDIR/takes"
refused 'an interface that the guard would take for one of the pool' \
	'ip link add cell-x type bridge' 'ip link del cell-x' \
	'network cell standalone 172.16.128.0/17 per-vm=/30' <"$TMPDIR/takes"

# --- routes that the host has -----------------------------------------------------------------------------------------

overlaps() { # overlaps LINE SUBNET NETWORK WHAT
	echo "tapgate: /etc/tapgate.conf:$1: the subnet $2 of network '$3' overlaps the host's $4; choose another subnet"
}

ip link add uplink type veth peer name far
ip link set uplink addrgenmode none
ip link set far addrgenmode none
ip addr add 192.0.2.1/24 dev uplink
ip addr add 2001:db8:1::1/64 dev uplink nodad
ip link set uplink up
ip link set far up
ip route add default via 192.0.2.254
ip -6 route add default via 2001:db8:1::fe

overlaps 1 172.16.2.1/24 lab 'route to 172.16.0.0/12 by uplink' >"$TMPDIR/overlaps"
refused 'a route' 'ip route add 172.16.0.0/12 via 192.0.2.9' 'ip route del 172.16.0.0/12' "$lab" <"$TMPDIR/overlaps"
overlaps 1 172.16.2.1/24 lab 'route to 172.16.2.128/25 by uplink' >"$TMPDIR/overlaps"
refused 'a route to a part of it' \
	'ip route add 172.16.2.128/25 via 192.0.2.9' 'ip route del 172.16.2.128/25' "$lab" <"$TMPDIR/overlaps"
refused 'a route in another table, as VPNs have them' 'ip route add 172.16.2.128/25 via 192.0.2.9 table 51820' \
	'ip route del 172.16.2.128/25 table 51820' "$lab" <"$TMPDIR/overlaps"
refused 'a route with two ways' 'ip route add 172.16.2.128/25 nexthop via 192.0.2.9 nexthop via 192.0.2.10' \
	'ip route del 172.16.2.128/25' "$lab" <"$TMPDIR/overlaps"
overlaps 1 fd00:2::1/64 lab 'route to fd00::/8 by uplink' >"$TMPDIR/overlaps"
refused 'a route of IPv6' \
	'ip -6 route add fd00::/8 via 2001:db8:1::9' 'ip -6 route del fd00::/8' "$lab" <"$TMPDIR/overlaps"
overlaps 1 192.0.2.99/25 web 'route to 192.0.2.0/24 by uplink' >"$TMPDIR/overlaps"
refused 'the subnet of the LAN itself' : : 'network web nat 192.0.2.99/25' <"$TMPDIR/overlaps"
overlaps 1 172.16.2.1/24 lab 'address 172.16.2.77/32 by lo' >"$TMPDIR/overlaps"
refused 'an address of the host' \
	'ip addr add 172.16.2.77/32 dev lo' 'ip addr del 172.16.2.77/32 dev lo' "$lab" <"$TMPDIR/overlaps"
overlaps 2 172.16.128.0/17 cell 'route to 172.16.200.0/24 by uplink' >"$TMPDIR/overlaps"
refused 'a route into a pool' 'ip route add 172.16.200.0/24 via 192.0.2.9' 'ip route del 172.16.200.0/24' "# first
network cell standalone 172.16.128.0/17 per-vm=/30" <"$TMPDIR/overlaps"

no_conflict() { # no_conflict TEXT DO UNDO
	eval "$2"
	check "$1: check finds no mistake" says 0 check <<-'EOT'
		/etc/tapgate.conf: no mistake found
	EOT
	check "$1: up goes on" "$TAPGATE" up
	"$TAPGATE" down >/dev/null
	eval "$3"
}

policy "$lab" 'allow lab user=alice'
no_conflict 'a default route' : :
no_conflict 'a default route in two halves' \
	'ip route add 0.0.0.0/1 via 192.0.2.9; ip route add 128.0.0.0/1 via 192.0.2.9' \
	'ip route del 0.0.0.0/1; ip route del 128.0.0.0/1'
no_conflict 'a route that leads nowhere' 'ip route add blackhole 172.16.0.0/12' 'ip route del blackhole 172.16.0.0/12'
no_conflict 'a route beside it' 'ip route add 172.16.3.0/24 via 192.0.2.9' 'ip route del 172.16.3.0/24'

# --- what comes when the network stands -------------------------------------------------------------------------------

warns() { # warns: check warns only
	{
		overlaps 1 172.16.2.1/24 lab 'route to 172.16.0.0/12 by uplink' | sed 's/: the subnet/: warning: the subnet/'
		echo '/etc/tapgate.conf: no mistake found, 1 warning'
	} | shows 0 check
}

restores() {
	{
		overlaps 1 172.16.2.1/24 lab 'route to 172.16.0.0/12 by uplink' | sed 's/: the subnet/: warning: the subnet/'
		echo 'lab: put up its guard'
	} | says 0 up
}

refuses_and_restores() {
	{
		overlaps 3 10.77.0.1/24 web 'route to 10.77.0.0/16 by uplink'
		echo 'lab: put up its guard'
		echo 'tapgate: nothing else was changed'
	} | says 4 up
}

check 'the network stands' "$TAPGATE" up
ip route add 172.16.0.0/12 via 192.0.2.9
check 'a route that came later: check warns' warns
nft flush ruleset
check 'and up warns, and puts the guard back' restores
check 'and all is up' "$TAPGATE" status
ip route del 172.16.0.0/12
echo 'network web nat 10.77.0.1/24' >>/etc/tapgate.conf
ip route add 10.77.0.0/16 via 192.0.2.9
nft flush ruleset
check 'a new network that cannot be does not keep up from putting back guards of those that stand' refuses_and_restores
check 'the one that stands is up' "$TAPGATE" status lab
check 'the other one is not' refuses test -e /sys/class/net/web
"$TAPGATE" down >/dev/null

# --- the file itself --------------------------------------------------------------------------------------------------

bad_file() { # bad_file TEXT COMMAND STATUS-LINE
	policy "$lab"
	eval "$2"
	echo "tapgate: $3" >"$TMPDIR/message"
	check "$1: check" shows 4 check <"$TMPDIR/message"
	for command in up status; do
		check "$1: $command" changes_nothing 4 "$command" <"$TMPDIR/message"
	done
	rm -rf /etc/tapgate.conf
}

bad_file 'a policy that others can write' 'chmod 646 /etc/tapgate.conf' \
	"/etc/tapgate.conf: it can be written by others than root (uid 0, mode 0646); an administrator can run: chmod go-w '/etc/tapgate.conf'"
bad_file 'a policy of somebody else' 'chown alice /etc/tapgate.conf' \
	"/etc/tapgate.conf: it does not belong to root (uid 1000, mode 0644); an administrator can look at it and run: chown root '/etc/tapgate.conf'"
bad_file 'no policy' 'rm /etc/tapgate.conf' \
	"/etc/tapgate.conf: No such file or directory; an administrator can create it, of root's and mode 0644"
bad_file 'a directory' 'rm /etc/tapgate.conf; mkdir /etc/tapgate.conf' '/etc/tapgate.conf: it is a directory'

# --- check of another file --------------------------------------------------------------------------------------------

policy "$lab" 'allow lab user=alice'
cd "$TMPDIR" || exit 1
echo 'network x internal 1.2.3.4/24' >/run/other.conf
check 'check reads the file that it is given' shows 4 check /run/other.conf <<'EOT'
tapgate: /run/other.conf:1:20: address on an internal network, expected none
EOT
printf '%s\n' 'network x internal' 'allow x user=alice' >/run/other.conf
check 'check of a good one' says 0 check /run/other.conf <<'EOT'
/run/other.conf: no mistake found
EOT
cd /run || exit 1
check 'by a relative path' says 0 check other.conf <<'EOT'
other.conf: no mistake found
EOT
check 'check of a file that is not there' shows 4 check nowhere.conf <<'EOT'
tapgate: nowhere.conf: No such file or directory; expected the file of a policy
EOT
check 'check of two' says 2 check other.conf other.conf <<'EOT'
tapgate: 'check' has too many words; see: tapgate help check
EOT
check 'check as alice' \
	[ "$(setpriv --reuid alice --regid alice --clear-groups "$TAPGATE" check)" = '/etc/tapgate.conf: no mistake found' ]
finish
