#!/bin/sh
# SPDX-License-Identifier: MIT
# Ways in to the guest of a standalone network, whose tap comes and goes with each machine: as tests/cli/forward.sh, and
# what happens while there is none. IPv4 and IPv6, on a host that forwards nothing before `up`.
#
#	 netns lan                    the host                    tap1    tap2    web        lab
#	+--------------+    +------------------------+                          +-----+   +-----------+
#	| 192.0.2.50   |----| uplink 192.0.2.1       |              |       |   | nat |   | host-only |
#	| 2001:..:1::50|    |        2001:db8:1::1   |              s1      s2  +--+--+   +-----+-----+
#	+--------------+    +------------------------+                             n1            h1
#
# Guests are namespaces, with taps that alice has by the helper's leave; each serves its name.
# shellcheck disable=SC2016 # words for eval
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=ways_lib.sh
. "$top/tests/cli/ways_lib.sh"

whole() {
	cat <<-'EOT'
		allow all user=alice
		network tap1 standalone 172.16.3.1/24 fd00:3::1/64
		network tap2 standalone 172.16.4.1/24 fd00:4::1/64
		network web  nat        10.77.0.1/24 fd00:77::1/64
		network lab  host-only  172.16.2.1/24 fd00:2::1/64
		guest s1     on tap1 ip=172.16.3.5 ip6=fd00:3::5
		guest silent on tap1 ip=172.16.3.9 ip6=fd00:3::9
		guest s2     on tap2 ip=172.16.4.5 ip6=fd00:4::5
		guest h1     on lab  ip=172.16.2.5 ip6=fd00:2::5
		forward 8001/tcp to s1:80
		forward 8002/tcp to s2:80
		forward 8003/tcp to h1:80
		forward 8004/tcp to s1:81
		forward 8005/tcp to silent:80
		forward 8010/tcp to s1:80 on 192.0.2.2
		forward 8020/udp to s1
		forward 8023/udp to silent:8021
		forward 8080/tcp to s1
	EOT
}

table() { # from, addresses, port, who answers
	cat <<-'EOT'
		lan  192.0.2.1  2001:db8:1::1 8001 s1
		lan  192.0.2.1  2001:db8:1::1 8002 s2
		lan  192.0.2.1  2001:db8:1::1 8004 refused
		lan  192.0.2.1  2001:db8:1::1 8005 refused
		lan  192.0.2.1  2001:db8:1::1 8010 refused
		lan  192.0.2.2  -             8010 s1
		lan  192.0.2.1  2001:db8:1::1 8020 s1
		lan  192.0.2.1  2001:db8:1::1 8023 refused
		lan  192.0.2.1  2001:db8:1::1 8080 s1
		lan  192.0.2.1  2001:db8:1::1 8081 refused
		lan  172.16.3.5 fd00:3::5     80   closed
		lan  172.16.3.1 fd00:3::1     8001 s1
		host 192.0.2.1  2001:db8:1::1 8001 s1
		host 172.16.3.1 fd00:3::1     8001 s1
		host 192.0.2.1  2001:db8:1::1 8005 refused
		host 192.0.2.1  2001:db8:1::1 8020 s1
		host 127.0.0.1  ::1           8001 refused
		host 172.16.3.5 fd00:3::5     80   s1
		n1   10.77.0.1  fd00:77::1    8001 s1
		n1   172.16.3.5 fd00:3::5     80   closed
		h1   172.16.2.1 fd00:2::1     8001 closed
		s1   172.16.3.1 fd00:3::1     8001 closed
		s1   172.16.3.1 fd00:3::1     8002 closed
		s1   172.16.3.1 fd00:3::1     8003 closed
		s1   192.0.2.50 2001:db8:1::50 80  closed
		s2   172.16.4.1 fd00:4::1     8001 closed
	EOT
}

plug() { # plug NAME NETWORK ADDRESS...: a guest that has a default route by way of the host, and serves its name
	check "a guest on $2: $1" guest "$@"
	case $2 in
	tap1) ip -n "$1" route add default via 172.16.3.1 && ip -n "$1" -6 route add default via fd00:3::1 ;;
	tap2) ip -n "$1" route add default via 172.16.4.1 && ip -n "$1" -6 route add default via fd00:4::1 ;;
	web) ip -n "$1" route add default via 10.77.0.1 && ip -n "$1" -6 route add default via fd00:77::1 ;;
	esac
	serve_name "$1"
}
plug_s1() {
	plug s1 tap1 172.16.3.5/24 fd00:3::5/64
}

lan
set_sysctl ipv4/ip_forward 0
serve_name lan
whole | grep -v '^forward ' | policy -
check 'up without forwards' "$TAPGATE" up
check 'the host forwards nothing for standalone networks' sysctl_is ipv4/conf/default/forwarding 0
plug s1 tap1 172.16.3.5/24 fd00:3::5/64
plug s2 tap2 172.16.4.5/24 fd00:4::5/64
plug n1 web 10.77.0.11/24 fd00:77::11/64
plug h1 lab 172.16.2.5/24 fd00:2::5/64
table | awk '$4 >= 8001 && $1 == "lan" { $5 = "refused"; print }' >"$TMPDIR/table"
as_the_table_says 'without forwards'

whole | policy -
check 'check takes the policy' "$TAPGATE" check
check 'status sees that guards are not as wanted' refuses "$TAPGATE" status
says 0 up <<'EOT' >"$TMPDIR/check" 2>&1
tap1: put up its guard
tap1: switched on net.ipv4.conf.default.forwarding (interfaces that come later, as its tap does)
tap1: switched on net.ipv4.conf.tap1.forwarding (the way in)
tap2: put up its guard
tap2: switched on net.ipv4.conf.tap2.forwarding (the way in)
lab: put up its guard
lab: switched on net.ipv4.conf.lab.forwarding (the way in)
EOT
check 'up makes forwards' diff "$TMPDIR/says.expected" "$TMPDIR/says"
check 'nothing more to do' says_nothing_changed
check 'status: all is up' "$TAPGATE" status
check 'check --live has nothing to say of them' eval '! "$TAPGATE" check --live 2>&1 | grep -e tap1 -e tap2'
table >"$TMPDIR/table"
as_the_table_says 'with forwards'
check 'status shows them' eval '"$TAPGATE" status | grep -x "  forward 8001/tcp to s1 172.16.3.5 fd00:3::5 port 80"'

# A guest without any route but to its own subnet, as DHCP leaves it.
ip -n s1 route del default
ip -n s1 -6 route del default
cat >"$TMPDIR/table" <<'EOT'
lan  192.0.2.1  2001:db8:1::1 8001 s1
host 192.0.2.1  2001:db8:1::1 8001 s1
n1   10.77.0.1  fd00:77::1    8001 s1
EOT
as_the_table_says 'a guest that has no route to others'

# Nobody there: refused, and sent to nobody else. The LAN has a machine of the guest's addresses, behind the default route.
absent() {
	cat <<-'EOT'
		lan  192.0.2.1  2001:db8:1::1 8001 refused
		lan  192.0.2.1  2001:db8:1::1 8020 refused
		host 192.0.2.1  2001:db8:1::1 8001 refused
		host 192.0.2.1  2001:db8:1::1 8020 refused
		n1   10.77.0.1  fd00:77::1    8001 refused
	EOT
}
unplug s1
ip -n lan addr add 172.16.3.5/32 dev lo
ip -n lan addr add fd00:3::5/128 dev lo nodad
absent >"$TMPDIR/table"
as_the_table_says 'without its machine'
check 'it is up all the same' "$TAPGATE" status
# Two routes more, of a tunnel: without a next hop.
ip route add 172.16.3.0/24 dev uplink
ip -6 route add fd00:3::/64 dev uplink
ip -n lan addr add 172.16.3.5/32 dev to-host
absent | sed 's/^host \(.*\) refused$/host \1 closed/' >"$TMPDIR/table"
as_the_table_says 'without its machine, and a route without a next hop'
ip -n lan addr del 172.16.3.5/32 dev to-host
ip route del 172.16.3.0/24 dev uplink
ip -6 route del fd00:3::/64 dev uplink
for chain in absent absent-to-the-host absent-at-the-end; do
	nft flush chain inet tapgate-tap1 "$chain"
done
absent | grep -v -e '^lan' -e ' 8020 ' | sed 's/refused$/lan/' >"$TMPDIR/table"
as_the_table_says 'control: without that part of the guard, somebody else has it'
check 'status sees that it is missing' finds 'tap1 different guard'
check 'up puts it up again' "$TAPGATE" up
absent >"$TMPDIR/table"
as_the_table_says 'then'
ip -n lan addr del 172.16.3.5/32 dev lo
ip -n lan addr del fd00:3::5/128 dev lo

# The next machine: the way in is there at once.
plug_s1
table | grep -e '^lan .* 80[01]1 ' -e '^lan .* 8020 ' -e '^host .* 8001 ' >"$TMPDIR/table"
as_the_table_says 'the next machine'
check 'up has nothing to do for it' says_nothing_changed
unplug s1
set_sysctl ipv4/conf/default/forwarding 0
check 'without the default for new interfaces: status says so' finds 'tap1 different IPv4 forwarding
tap2 different IPv4 forwarding'
plug_s1
echo 'lan 192.0.2.1 - 8001 closed' >"$TMPDIR/table"
as_the_table_says 'control: a tap that does not forward'
check 'up mends both' eval "printf '%s\n' 'tap1: switched on net.ipv4.conf.default.forwarding (interfaces that come later, as its tap does)' 'tap1: switched on net.ipv4.conf.tap1.forwarding (the way in)' | says 0 up"
echo 'lan 192.0.2.1 2001:db8:1::1 8001 s1' >"$TMPDIR/table"
as_the_table_says 'then'

# Another table's own way in, and a firewall that drops what nobody accepts.
nft -f - <<'EOT'
table ip mine {
	chain prerouting {
		type nat hook prerouting priority dstnat - 5; policy accept;
		iifname "uplink" tcp dport 8100 dnat to 172.16.4.5:80
	}
	chain postrouting {
		type nat hook postrouting priority srcnat - 5; policy accept;
		oifname "tap2" ct status dnat masquerade
	}
}
EOT
echo 'lan 192.0.2.1 - 8100 s2' >"$TMPDIR/table"
as_the_table_says "an administrator's own rule"
for family in ip ip6; do
	nft "table $family filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }"
done
echo 'lan 192.0.2.1 2001:db8:1::1 8001 closed' >"$TMPDIR/table"
as_the_table_says 'behind a firewall that drops'
check 'up opens it' "$TAPGATE" up
echo 'lan 192.0.2.1 2001:db8:1::1 8001 s1' >"$TMPDIR/table"
as_the_table_says 'behind a firewall that up has opened'
check 'nothing more to do there' says_nothing_changed
nft delete table ip filter
nft delete table ip6 filter

# Without the forward all is as before.
whole | grep -v '^forward 8001' | policy -
check 'a forward is taken away' "$TAPGATE" up
echo 'lan 192.0.2.1 2001:db8:1::1 8001 refused' >"$TMPDIR/table"
as_the_table_says 'then'
whole | grep -v '^forward ' | policy -
check 'the last ones, too' "$TAPGATE" up
check 'nothing of them is left in the guard' eval '! nft list table inet tapgate-tap1 | grep -e ways -e absent'
table | awk '$4 >= 8001 && $1 == "lan" { $5 = "refused"; print }' >"$TMPDIR/table"
as_the_table_says 'without forwards again'
# shellcheck disable=SC2086 # numbers
kill $answering
finish
