#!/bin/sh
# SPDX-License-Identifier: MIT
# Guests with lines of their own get their addresses and names from DHCP, and nobody else does, IPv4 and IPv6; others keep
# theirs when the host begins anew. What changes in a line, `up` hands on.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

box=52:54:00:12:34:56

whole() { # whole ADDRESS: of the guest box
	cat <<-EOT
		allow web user=alice
		network web shared 10.77.0.1/24 fd00:77::1/64 dhcp=10.77.0.100-10.77.0.200
		guest box on web mac=$box ip=$1 ip6=fd00:77::20
		guest 1h on web mac=52:54:00:12:34:57 ip=10.77.0.30
		forward 8022/tcp to box:22
	EOT
}

# asks GUEST NAME: what it is given
asks() {
	in_netns "$1" timeout 15 "$busybox" udhcpc -i eth0 -n -q -f -t 5 -T 2 -x "hostname:$2" -s /bin/true 2>&1 |
		sed -n 's/.*lease of \([0-9.]*\) obtained.*/\1/p'
}

gets() { # gets GUEST NAME ADDRESS
	gets_address=$(asks "$1" "$2")
	echo "$gets_address"
	[ "$gets_address" = "$3" ]
}

gets_another() { # gets_another GUEST NAME ADDRESS: of the range
	gets_address=$(asks "$1" "$2")
	echo "$gets_address"
	case $gets_address in
	"$3" | '') return 1 ;;
	10.77.0.*) [ "${gets_address##*.}" -ge 100 ] ;;
	*) return 1 ;;
	esac
}

resolves() { # resolves NAME ADDRESS
	"$busybox" nslookup -type=a "$1" 10.77.0.1 2>&1 | tee "$TMPDIR/resolved"
	[ "$(sed -n '/^Name:/,$s/^Address: //p' "$TMPDIR/resolved")" = "$2" ]
}

whole 10.77.0.20 | policy -
check 'check takes it' "$TAPGATE" check
check 'up' "$TAPGATE" up
check 'nothing more to do' says_nothing_changed
check 'a guest that is box' guest g1 web
check 'and one that is not' guest g2 web
ip -n g1 link set eth0 down
ip -n g1 link set eth0 address "$box"
ip -n g1 link set eth0 up

check 'who calls itself box, and is not, gets another address' gets_another g2 box 10.77.0.20
check 'and not the name' refuses resolves box.web.internal "$(asks g2 box)"
check 'box gets its address' gets g1 whatever 10.77.0.20
check 'and its name, whatever it calls itself' resolves box.web.internal 10.77.0.20
check 'which no other guest gets while it is there' gets_another g2 box 10.77.0.20
check 'and it keeps' resolves box.web.internal 10.77.0.20

explains() {
	"$TAPGATE" explain --user alice web | tee "$TMPDIR/explained"
	grep -qx "  guest    box is the one with mac=$box, 10.77.0.20, fd00:77::20" "$TMPDIR/explained" &&
		grep -q '^  network  shared, up$' "$TMPDIR/explained"
}
check 'explain tells of it' explains

before=$(asks g2 other)
check 'a guest without a line has an address' [ -n "$before" ]
whole 10.77.0.21 | policy -
check 'with another address on the line up has something to do' refuses says_nothing_changed up --dry-run
check 'up hands it on' "$TAPGATE" up
check 'box gets the other one' gets g1 box 10.77.0.21
check 'the guest without a line keeps its address' gets g2 other "$before"

# A range that has no place for it, or a line that gives its address to another, would take it from a guest that runs.
held() { # held: up leaves the network for the address that a guest has
	refuses "$TAPGATE" up >"$TMPDIR/said" 2>&1 && cat "$TMPDIR/said" &&
		grep -F "tapgate: web: left as it is: to hand out others than $before, which $(ip -n g2 -br link show eth0 | awk '{ print $3 }') has, would cut off 2 members" "$TMPDIR/said" &&
		grep -F "tapgate: web: on it: $(cat "$TMPDIR/tap.g2"), user alice, vmm " "$TMPDIR/said"
}
whole 10.77.0.21 | sed 's/dhcp=.*/dhcp=10.77.0.210-10.77.0.220/' | policy -
check 'a range without the address of a guest: left as it is' held
whole 10.77.0.21 | sed "s/ip=10.77.0.30/ip=$before/" | policy -
check 'a line that gives it to another one: likewise' held
whole 10.77.0.21 | sed 's/dhcp=.*/dhcp=10.77.0.90-10.77.0.210/' | policy -
check 'a range that has it: up' "$TAPGATE" up
check '... and it keeps it' gets g2 other "$before"
whole 10.77.0.21 | sed 's/dhcp=.*/dhcp=10.77.0.210-10.77.0.220/' | policy -
check 'with --force it is done' "$TAPGATE" up --force
whole 10.77.0.21 | policy -
check 'as before' "$TAPGATE" up
check 'the guest without a line has an address of the range again' [ -n "$(asks g2 other)" ]
unplug g2
whole 10.77.0.21 | sed 's/dhcp=.*/dhcp=10.77.0.210-10.77.0.220/' | policy -
check 'a lease of a guest that has gone keeps nothing as it is' "$TAPGATE" up
whole 10.77.0.21 | policy -

# As when the host boots: networks, leases and all are gone.
unplug g1
check 'down' "$TAPGATE" down
rm -rf /run/tapgate
check 'up again' "$TAPGATE" up
check 'the same guest' guest g1 web
ip -n g1 link set eth0 down
ip -n g1 link set eth0 address "$box"
ip -n g1 link set eth0 up
check 'has the same address' gets g1 box 10.77.0.21
finish
