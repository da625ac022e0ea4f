#!/bin/sh
# SPDX-License-Identifier: MIT
# Forwarding for nat networks, switched on where it is needed, and nowhere else; hosts without IPv6, networks with one
# of the two; hosts with no way out, and with several.
#
#	   far1                        the host
#	+---------+    +-----------------------------------+
#	|   .254  |----| one 192.0.2.1/24 2001:db8:1::1/64 |      web (nat), v4 (nat), v6 (nat), lab (host-only)
#	+---------+    |                                   |
#	   far2        |                                   |
#	+---------+    |                                   |
#	|   .254  |----| two 198.51.100.1/24 2001:db8:2::1 |
#	+---------+    +-----------------------------------+
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

web='network web nat 10.77.0.1/24 fd00:77::1/64'
v4='network v4 nat 10.78.0.1/24'
v6='network v6 nat fd00:78::1/64'

begin() { # begin [WORD]: a host that does not forward, with two links and their addresses; with a word, without any IPv4
	"$TAPGATE" down >/dev/null 2>&1
	ip link del wan 2>/dev/null
	ip link del one 2>/dev/null
	ip link del two 2>/dev/null
	set_sysctl ipv4/ip_forward 0
	set_sysctl ipv6/conf/all/forwarding 0
	set_sysctl ipv6/conf/default/accept_ra 1
	number=0
	for link in one two; do
		number=$((number + 1))
		ip link add "$link" type veth peer name "far$number"
		ip link set "$link" addrgenmode none
		ip link set "far$number" addrgenmode none
		ip link set "$link" up
		ip link set "far$number" up
		set_sysctl "ipv6/conf/$link/accept_ra" 1
		set_sysctl "ipv6/conf/far$number/accept_ra" 0
	done
	[ $# -gt 0 ] || ip addr add 192.0.2.1/24 dev one
	[ $# -gt 0 ] || ip addr add 198.51.100.1/24 dev two
	ip addr add 2001:db8:1::1/64 dev one nodad
	ip addr add 2001:db8:2::1/64 dev two nodad
	wait_for 5 usable 2001:db8:1::1
	wait_for 5 usable 2001:db8:2::1
}

usable() { # usable ADDRESS: the kernel comes to that when the link is up
	ip -6 route show table local | grep -q "^local $1 "
}

# forwards INTERFACE...: IPv4, and of all the others none
forwards() {
	for path in /proc/sys/net/ipv4/conf/*/forwarding; do
		of=${path#/proc/sys/net/ipv4/conf/}
		of=${of%/forwarding}
		read -r value <"$path"
		case " $* " in
		*" $of "*) expected=1 ;;
		*) expected=0 ;;
		esac
		[ "$value" = "$expected" ] || echo "$of: $value, expected $expected"
	done >"$TMPDIR/forwards"
	cat "$TMPDIR/forwards"
	[ ! -s "$TMPDIR/forwards" ]
}

made() { # made NAME ADDRESS...: what `up` says of its bridge, guard and addresses
	made_name=$1
	shift
	echo "$made_name: made the bridge"
	echo "$made_name: put up its guard"
	for address; do
		echo "$made_name: added the address $address"
	done
	echo "$made_name: brought the bridge up"
}

# ups: up says what is in standard input; --dry-run had said the same, and a second one has nothing to do
ups() {
	cat >"$TMPDIR/lines"
	would <"$TMPDIR/lines" >"$TMPDIR/would"
	changes_nothing 6 up --dry-run <"$TMPDIR/would" && says 0 up <"$TMPDIR/lines" && says_nothing_changed &&
		"$TAPGATE" status
}

on4() { # on4 NETWORK INTERFACE in|out
	case $3 in
	in) echo "$1: switched on net.ipv4.conf.$2.forwarding (the way in)" ;;
	out) echo "$1: switched on net.ipv4.conf.$2.forwarding (a way out)" ;;
	esac
}

on6() {
	echo "$1: switched on net.ipv6.conf.all.forwarding (the way in and out)"
}

ra() { # ra NETWORK INTERFACE
	echo "$1: set net.ipv6.conf.$2.accept_ra=2 (its router still counts when the host forwards)"
}

ra_later() { # ra_later NETWORK
	echo "$1: set net.ipv6.conf.default.accept_ra=2 (interfaces that come later, likewise)"
}

nowhere() { # nowhere NETWORK
	echo "tapgate: warning: $1: no way out yet: the host has no route to anywhere; run 'tapgate up' again when it has"
}

tunnel() {
	ip link add tun0 type veth peer name tun1
	ip link set tun0 addrgenmode none
	ip link set tun1 addrgenmode none
	set_sysctl ipv6/conf/tun1/accept_ra 0
	ip link set tun0 up
	ip link set tun1 up
}

# expect TEXT: the lines of standard input, for `ups`; behind a pipe, whose shell keeps no count
expect() {
	cat >"$TMPDIR/wanted"
	check "$1" ups <"$TMPDIR/wanted"
	[ "$failed" = 0 ] || echo "$1" >>"$TMPDIR/unexpected"
}

# --- no way out -------------------------------------------------------------------------------------------------------

begin bare
policy "$v4"
{
	made v4 10.78.0.1/24
	on4 v4 v4 in
	nowhere v4
} | expect 'no route: the bridge alone, and a warning'
check 'no other interface' forwards v4
check 'nor IPv6' sysctl_is ipv6/conf/all/forwarding 0
check 'accept_ra is as it was' sysctl_is ipv6/conf/one/accept_ra 1
says_where_out() { "$TAPGATE" status | grep -x '  out     nowhere: the host itself has no route to anywhere'; }
check 'status says so' says_where_out
warns_of() { "$TAPGATE" check --live 2>&1 | grep -F "$1"; }
check 'check --live, too' warns_of 'v4: warning: its guests have no way out: the host has no route to anywhere'

# --- ways that come later: ViRb3/wgcf#42, openai/tart#384 --------------------------------------------------------------

ip addr add 192.0.2.1/24 dev one
check 'a second LAN, by its connected route: status says so' finds 'v4 different IPv4 forwarding on one, a way out'
on4 v4 one out | expect 'a second LAN: its interface, too'
check 'no other interface' forwards v4 one
ip addr add 198.51.100.1/24 dev two
ip route add default via 198.51.100.254 metric 100
on4 v4 two out | expect 'a default route: its interface, too'
check 'no other interface' forwards v4 one two

# A VPN takes all by the halves of 0/0, or by its quarters, never by 0/0.
tunnel
ip route add 0.0.0.0/1 dev tun0
ip route add 128.0.0.0/1 dev tun0
check 'two halves of 0/0: status says so' finds 'v4 different IPv4 forwarding on tun0, a way out'
on4 v4 tun0 out | expect 'two halves of 0/0: their interface'
ip link del tun0
begin bare
tunnel
for quarter in 0 64 128 192; do
	ip route add "$quarter.0.0.0/2" dev tun0 metric 50
done
"$TAPGATE" up >/dev/null 2>&1 # where that is a conflict, another test says so
ip route del 0.0.0.0/2 dev tun0 metric 50
"$TAPGATE" up >/dev/null 2>&1
check 'four quarters of 0/0: their interface' forwards v4 tun0

# ppp0 that goes, and comes back as another interface.
ip link del tun0
tunnel
ip addr add 192.0.2.9/32 dev tun0
ip route add default dev tun0
check 'a line that was dialled again: status says so' finds 'v4 different IPv4 forwarding on tun0, a way out'
on4 v4 tun0 out | expect 'a line that was dialled again: its interface'
ip link del tun0

begin bare
ip addr add 192.0.2.1/32 dev one
ip addr add 198.51.100.1/32 dev two
ip route add 192.0.2.254 dev one
ip route add 198.51.100.254 dev two
ip route add default nexthop via 192.0.2.254 nexthop via 198.51.100.254
policy "$v4"
{
	made v4 10.78.0.1/24
	on4 v4 one out
	on4 v4 two out
	on4 v4 v4 in
} | expect 'one default route of two ways'
check 'no other interface' forwards v4 one two

begin bare
if ip nexthop add id 7 dev one 2>/dev/null; then
	ip route add default nhid 7
	{
		made v4 10.78.0.1/24
		on4 v4 one out
		on4 v4 v4 in
	} | expect 'a default route by a nexthop object'
	check 'no other interface' forwards v4 one
	begin bare
	ip nexthop add id 7 dev one
	ip nexthop add id 8 dev two
	ip nexthop add id 9 group 7/8
	ip route add default nhid 9
	{
		made v4 10.78.0.1/24
		on4 v4 one out
		on4 v4 two out
		on4 v4 v4 in
	} | expect 'a default route by a group of them'
	ip nexthop flush >/dev/null
fi

begin bare
ip route add unreachable default metric 9999
{
	made v4 10.78.0.1/24
	on4 v4 v4 in
	nowhere v4
} | expect 'a default route that leads nowhere'
check 'no other interface' forwards v4
ip route del unreachable default

begin bare
ip route add default dev two
{
	made v4 10.78.0.1/24
	on4 v4 two out
	on4 v4 v4 in
} | expect 'a default route without a router, as of a VPN'

begin
set_sysctl ipv4/ip_forward 1
ip route add default via 192.0.2.254
made v4 10.78.0.1/24 | expect 'a host that forwards already'

# --- networks without need --------------------------------------------------------------------------------------------

begin
ip route add default via 192.0.2.254
ip -6 route add default via 2001:db8:1::fe
policy 'network lab host-only 172.16.2.1/24 fd00:2::1/64' 'network quiet internal' 'network tap1 standalone 172.16.3.1/24'
check 'other modes' "$TAPGATE" up
check 'forward nothing' forwards
check 'nor IPv6' sysctl_is ipv6/conf/all/forwarding 0

# --- IPv6 -------------------------------------------------------------------------------------------------------------

# moby/moby#43466: forwarding is on before the router has said anything, and the host has no IPv6 any more.
begin
ip route add default via 192.0.2.254
policy "$v6"
{
	made v6 fd00:78::1/64 fe80::1/64
	ra v6 one
	ra v6 two
	ra_later v6
	on6 v6
} | expect 'IPv6 alone, and routers that have not spoken yet'
check 'no IPv4 forwarding' forwards
for link in one two default; do
	check "the host goes on to take router advertisements: $link" sysctl_is "ipv6/conf/$link/accept_ra" 2
done
check 'its bridge takes none' sysctl_is ipv6/conf/v6/accept_ra 0
check 'IPv6 forwarding is on' sysctl_is ipv6/conf/all/forwarding 1
tunnel
check 'one that is plugged in later takes them' sysctl_is ipv6/conf/tun0/accept_ra 2
set_sysctl ipv6/conf/tun0/accept_ra 1
check 'one that takes none while the host forwards: status says so' \
	finds 'v6 different tun0 takes no router advertisements while the host forwards (accept_ra)'
check '... check --live, too' warns_of 'v6: warning: not as wanted: tun0 takes no router advertisements while the host forwards'
ra v6 tun0 | expect '... and up has it take them, though forwarding was on already'
ip link del tun0

begin
set_sysctl ipv6/conf/all/forwarding 1
set_sysctl ipv6/conf/two/accept_ra 0
{
	made v6 fd00:78::1/64 fe80::1/64
	ra v6 one
	ra_later v6
} | expect 'a host that forwards already'

begin
ip -6 route add default via 2001:db8:1::fe
set_sysctl ipv6/conf/one/accept_ra 0
{
	made v6 fd00:78::1/64 fe80::1/64
	ra v6 two
	ra_later v6
	on6 v6
} | expect 'one that does not take router advertisements'
check 'does not take them now' sysctl_is ipv6/conf/one/accept_ra 0

begin
ip -6 route add default via 2001:db8:1::fe
set_sysctl ipv6/conf/one/accept_ra 2
{
	made v6 fd00:78::1/64 fe80::1/64
	ra v6 two
	ra_later v6
	on6 v6
} | expect 'one that takes them anyway'

begin
ip -6 route add default nexthop via 2001:db8:1::fe nexthop via 2001:db8:2::fe
ip route add default via 192.0.2.254
policy "$web"
{
	made web 10.77.0.1/24 fd00:77::1/64 fe80::1/64
	on4 web one out
	on4 web two out
	on4 web web in
	ra web one
	ra web two
	ra_later web
	on6 web
} | expect 'both, and IPv6 by two ways'

policy "$web" "$v4" "$v6"
{
	made v4 10.78.0.1/24
	on4 v4 v4 in
	made v6 fd00:78::1/64 fe80::1/64
} | expect 'a second and a third nat network'

all_down() {
	"$TAPGATE" down | tee "$TMPDIR/down"
	grep -qx 'forwarding stays as it is, also where nat networks switched it on: others may rely on it by now' "$TMPDIR/down"
}

check 'down says that forwarding stays on' all_down
check 'which it does' forwards one two
check 'IPv6, too' sysctl_is ipv6/conf/all/forwarding 1
check 'and routes by advertisements' sysctl_is ipv6/conf/one/accept_ra 2

# --- hosts without IPv6 -----------------------------------------------------------------------------------------------

begin
set_sysctl ipv6/conf/all/disable_ipv6 1
set_sysctl ipv6/conf/default/disable_ipv6 1
policy "$v4" 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.2-172.16.2.9' 'network quiet internal'
check 'IPv6 switched off: networks of IPv4' "$TAPGATE" up
check '... are up' "$TAPGATE" status
check '... and stay so' says_nothing_changed
"$TAPGATE" down >/dev/null
policy "$v4" "$web"
check 'IPv6 switched off: a network with an IPv6 subnet' says 1 up <<'EOT'
tapgate: web: cannot add the address fd00:77::1/64: IPv6 is switched off (see sysctl net.ipv6.conf.default.disable_ipv6); switch it on, or leave out the network's IPv6 address
v4: made the bridge
v4: put up its guard
v4: added the address 10.78.0.1/24
v4: brought the bridge up
v4: switched on net.ipv4.conf.v4.forwarding (the way in)
web: made the bridge
web: put up its guard
web: added the address 10.77.0.1/24
tapgate: web: not finished: down; 'tapgate up' goes on from here
EOT
check 'the other one is up' "$TAPGATE" status v4
check 'status says of it what up did' finds 'web down'
check 'all that was expected came' test ! -e "$TMPDIR/unexpected"
finish
