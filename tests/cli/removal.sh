#!/bin/sh
# SPDX-License-Identifier: MIT
# What tapgate made goes when the policy no longer names it, and with `tapgate down`; what others made stays as it is.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# --- what others have -------------------------------------------------------------------------------------------------

# Bridges and interfaces with names and marks like ours, a firewall with chains that drop, with tables and comments like
# ours, a dnsmasq on its own bridge, files in our directory.
others() {
	ip link add br0 type bridge
	ip link add lab2 type bridge
	ip link set lab2 alias 'tapgate uid=1000 net=lab vmm=1' # a bridge is no tap
	ip link add dummy0 type veth peer name dummy1
	ip link set dummy0 alias 'tapgate network=dummy0 mode=nat' # and this no bridge
	ip link add odd type bridge
	ip link set odd alias 'made with tapgate network=odd'
	ip tuntap add tap9 mode tap
	ip link set tap9 alias 'tapgate uid=1000 net=other vmm=1'
	ip addr add 192.0.2.1/24 dev br0
	ip link set br0 addrgenmode none
	ip link set br0 up
	nft -f - <<-'EOT'
		table ip filter {
			chain FORWARD {
				type filter hook forward priority filter; policy drop;
				iifname "eth9" counter accept comment "tapgate is not here"
				iifname "lab" drop comment "mine: tapgate: lab, out"
			}
			chain INPUT {
				type filter hook input priority filter; policy accept;
				ct state established accept
				udp dport 9 drop comment "by hand"
				drop
			}
		}
		table inet tapgate {
			chain seal/nat/0123456789abcdef/0123456789abcdef { }
		}
		table inet my-tapgate-lab { }
		table ip nat {
			chain post {
				type nat hook postrouting priority srcnat; policy accept;
				ip saddr 172.16.2.0/24 masquerade
			}
		}
	EOT
	mkdir -p /run/tapgate
	echo 99999999 >/run/tapgate/nobody.pid
	echo hello >/run/tapgate/notes
	dnsmasq --conf-file=/dev/null --user=dnsmasq --port=0 --interface=br0 --bind-interfaces --pid-file=/run/other.pid \
		--dhcp-range=192.0.2.10,192.0.2.20 --dhcp-leasefile=/run/other.leases
}

# All that is there, but for forwarding, which stays on and is said to, and what dnsmasq and the lock leave in files.
look_but() {
	look | grep -v -e '^/run/tapgate' -e '^[^ ]*/tapgate.conf ' -e '^/etc d ' -e '^/run d ' -e '^/run/etc d ' \
		-e '/proc/sys/net/ipv4/conf/[^:]*/forwarding:' -e /proc/sys/net/ipv4/ip_forward: |
		sed -E 's/^[0-9]+ ([0-9]+) .*other.pid/other \1/'
}

untouched() { # nothing of what others have is other than before our networks came
	look_but >"$TMPDIR/now"
	diff "$TMPDIR/before" "$TMPDIR/now"
}

nothing_of_ours() {
	ip -o link | grep -E ' (lab|quiet|web|tap1|cell[-0-9]*): ' && return 1
	nft list ruleset | grep -E 'table (inet|netdev) tapgate-|comment "tapgate: [a-z0-9]*, ' && return 1
	dnsmasqs | grep /run/tapgate && return 1
	for one in lab quiet web tap1 cell; do
		[ ! -e "/run/tapgate/$one.pid" ] && [ ! -e "/run/tapgate/$one.keeper" ] || return 1
	done
}

ours() {
	cat <<-'EOT'
		allow all user=alice
		network lab   host-only  172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100
		network quiet internal
		network web   nat        10.77.0.1/24 dhcp=10.77.0.10-10.77.0.20
		network tap1  standalone 172.16.3.1/24
		network cell  standalone 172.16.128.0/17 per-vm=/30
		network br0   bridged
	EOT
}

others
look_but >"$TMPDIR/before"
ours | policy -
check 'up makes the networks' "$TAPGATE" up

# --- one after the other is taken out of the policy -------------------------------------------------------------------

gone() { # gone NETWORK: from the policy
	sed -i "/^network $1 /d" /etc/tapgate.conf
}

gone lab
check 'status knows no network of that name' says 2 status lab <<'EOT'
tapgate: no network 'lab' in /etc/tapgate.conf; see: tapgate networks
EOT
check 'up of another one leaves it alone' says_nothing_changed up quiet
cat >"$TMPDIR/lines" <<'EOT'
lab: removed the bridge
lab: stopped dnsmasq
lab: took down its guard
firewall: removed the rules for 'lab' from 'ip filter FORWARD'
firewall: removed the rules for 'lab' from 'ip filter INPUT'
EOT
would <"$TMPDIR/lines" >"$TMPDIR/would"
check 'host-only: up --dry-run' changes_nothing 6 up --dry-run <"$TMPDIR/would"
check 'host-only: up removes bridge, guard, dnsmasq and rules in chains of others' says 0 up <"$TMPDIR/lines"
check 'status: all that is left is up' "$TAPGATE" status quiet web tap1 cell
gone quiet
check 'internal' says 0 up <<'EOT'
quiet: removed the bridge
quiet: took down its guard
firewall: removed the rules for 'quiet' from 'ip filter FORWARD'
EOT
gone cell
check 'a pool' says 0 up <<'EOT'
cell: took down its guard
EOT
gone tap1
check 'standalone' says 0 up <<'EOT'
tap1: took down its guard
EOT
sed -i 's/^network web .*/network web bridged/' /etc/tapgate.conf
check 'nat, to bridged' says 0 up <<'EOT'
web: removed the bridge
web: stopped dnsmasq
web: took down its guard
firewall: removed the rules for 'web' from 'ip filter FORWARD'
firewall: removed the rules for 'web' from 'ip filter INPUT'
EOT
check 'nothing of ours is left' nothing_of_ours
check 'and nothing of others has changed, byte for byte' untouched

# --- down -------------------------------------------------------------------------------------------------------------

all_down() {
	cat <<-'EOT'
		lab: stopped dnsmasq
		web: stopped dnsmasq
		lab: removed the bridge
		quiet: removed the bridge
		web: removed the bridge
		lab: took down its guard
		quiet: took down its guard
		web: took down its guard
		tap1: took down its guard
		cell: took down its guard
		firewall: removed the rules for 'lab' from 'ip filter FORWARD'
		firewall: removed the rules for 'quiet' from 'ip filter FORWARD'
		firewall: removed the rules for 'web' from 'ip filter FORWARD'
		firewall: removed the rules for 'lab' from 'ip filter INPUT'
		firewall: removed the rules for 'web' from 'ip filter INPUT'
		forwarding stays as it is, also where nat networks switched it on: others may rely on it by now
	EOT
}

# up_again: all of our networks, and whoever has a tap there
up_again() {
	ours | policy -
	"$TAPGATE" up
}

check 'up again' up_again
all_down | grep -v '^forwarding' | would >"$TMPDIR/would"
check 'down --dry-run says all of it, and changes nothing' changes_nothing 6 down --dry-run <"$TMPDIR/would"
all_down >"$TMPDIR/lines"
check 'down removes all' says 0 down <"$TMPDIR/lines"
check 'nothing of ours is left' nothing_of_ours
check 'and nothing of others has changed' untouched
check 'a second down finds nothing' changes_nothing 0 down <<'EOT'
nothing changed
EOT

check 'up again' up_again
check 'down of one' says 0 down web <<'EOT'
web: stopped dnsmasq
web: removed the bridge
web: took down its guard
firewall: removed the rules for 'web' from 'ip filter FORWARD'
firewall: removed the rules for 'web' from 'ip filter INPUT'
forwarding stays as it is, also where nat networks switched it on: others may rely on it by now
EOT
check 'the others are up' "$TAPGATE" status lab quiet tap1 cell
check 'down of two' says 0 down cell quiet <<'EOT'
quiet: removed the bridge
quiet: took down its guard
cell: took down its guard
firewall: removed the rules for 'quiet' from 'ip filter FORWARD'
EOT
check 'down of what is down already' says_nothing_changed down web
check 'down of what is not ours' says 2 down br0 <<'EOT'
tapgate: network 'br0' is bridged (/etc/tapgate.conf:7): its bridge is not tapgate's to make
EOT
check 'down of what there is not' says 2 down nothing <<'EOT'
tapgate: no network 'nothing' in /etc/tapgate.conf; see: tapgate networks
EOT
check 'bridges of others stand' [ -e /sys/class/net/br0 ]

# --- virtual machines on what goes ------------------------------------------------------------------------------------

check 'up again' up_again
check 'a guest on each' guest h1 lab 172.16.2.50/24
check '... standalone' guest s1 tap1 172.16.3.2/24
check '... in the pool' guest c1 cell 172.16.128.2/30
check 'they are there' [ -e /sys/class/net/tap1 ]
check 'down of standalone networks takes their taps along, which without guard would lead anywhere' \
	says 0 down tap1 cell <<'EOT'
tap1: removed the tap 'tap1' of a virtual machine
cell: removed the tap 'cell-1' of a virtual machine
tap1: took down its guard
cell: took down its guard
EOT
"$TAPGATE" down lab | head -n 3 >"$TMPDIR/said"
check 'down of a bridge takes the taps on it along, which without guard the host would hear' \
	diff - "$TMPDIR/said" <<EOT
lab: stopped dnsmasq
lab: removed the tap '$(cat "$TMPDIR/tap.h1")' of a virtual machine
lab: removed the bridge
EOT
check '... the tap is gone' refuses test -e "/sys/class/net/$(cat "$TMPDIR/tap.h1")"
ip netns del h1
"$TAPGATE" up lab >/dev/null
check 'another guest' guest h2 lab 172.16.2.51/24
ip link del lab
tells_of_it() { # what `list` says behind the tap
	"$TAPGATE" list lab | grep -q "^$(cat "$TMPDIR/tap.h2") .* cut off: its bridge is gone; start the machine again\$"
}
check 'a bridge that somebody else removes leaves its ports, which list tells' tells_of_it
"$TAPGATE" up lab >/dev/null
check '... until up puts them on the new one' refuses tells_of_it
ip link del lab
"$TAPGATE" down lab >/dev/null
check 'down takes such a tap along' refuses test -e "/sys/class/net/$(cat "$TMPDIR/tap.h2")"
ip netns del h2
"$TAPGATE" down >/dev/null
ip netns del s1
ip netns del c1
check 'nothing of ours is left' nothing_of_ours
check 'and nothing of others has changed' untouched

# --- without a policy that could say so -------------------------------------------------------------------------------

broken() { # broken TEXT COMMAND: a policy that is no policy
	check 'up again' up_again
	eval "$2"
	check "$1: up refuses, and changes nothing" unchanged_with 4 up
	check "$1: down removes all" says 0 down <"$TMPDIR/lines"
	check "$1: nothing of ours is left" nothing_of_ours
	check "$1: and nothing of others has changed" untouched
	[ ! -d /etc/tapgate.conf ] || rmdir /etc/tapgate.conf
	check 'up again' up_again
	eval "$2"
	check "$1: down of one" removes quiet
	check "$1: and of the rest" "$TAPGATE" down
	[ ! -d /etc/tapgate.conf ] || rmdir /etc/tapgate.conf
}

unchanged_with() { # unchanged_with STATUS WORD...
	remember
	unchanged_status=$1
	shift
	"$TAPGATE" "$@"
	[ $? = "$unchanged_status" ] && same
}

removes() { # removes NETWORK: its bridge, its guard, its rules; of no other
	"$TAPGATE" down "$1"
	removes_status=$?
	echo "status $removes_status"
	[ "$removes_status" = 0 ] && [ ! -e "/sys/class/net/$1" ] && [ -e /sys/class/net/lab ] &&
		nft list ruleset | grep 'comment "tapgate: lab, ' && ! nft list ruleset | grep "comment \"tapgate: $1, "
}

broken 'no policy' 'rm /etc/tapgate.conf'
broken 'a broken policy' 'echo nonsense >>/etc/tapgate.conf'
broken 'a policy that others can write' 'chmod 666 /etc/tapgate.conf'
broken 'a directory in its place' 'rm /etc/tapgate.conf; mkdir /etc/tapgate.conf'
finish
