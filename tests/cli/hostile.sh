#!/bin/sh
# SPDX-License-Identifier: MIT
# What guests do to mislead the host, or to reach it where they may not: addresses that are not theirs, router
# advertisements and redirects, answers of a DHCP server that nobody asked, packets that need no answer. Each time once
# more without the guard, to see that it is the guard that keeps it off.
#
#	 netns lan                     the host                 lab          quiet          web       tap1   cell-1 cell-2
#	+------------+    +------------------------+        +---------+   +----------+    +-----+       |       |      |
#	| 192.0.2.50 |----| uplink 192.0.2.1       |        |host-only|   | internal |    | nat |       |       |      |
#	+------------+    +------------------------+        +----+----+   +--+----+--+    +--+--+       |       |      |
#	                                                         |           |    |          |          |       |      |
#	                                                         h1         i1    i2         n1         s1      c1     c2
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# --- what comes in ----------------------------------------------------------------------------------------------------

# Counts, behind every guard: what the host takes for itself, what it forwards, and ARP.
watch() {
	nft -f - <<-'EOT'
		table inet watch {
			chain input {
				type filter hook input priority 300;
				iifname { "lab", "web", "quiet", "tap1", "cell-1" } udp dport 9 counter comment "datagrams"
				iifname { "lab", "web", "quiet", "tap1", "cell-1" } udp dport 68 counter comment "offers"
				iifname { "lab", "web", "quiet", "tap1", "cell-1" } icmpv6 type nd-router-advert counter comment "adverts"
				iifname { "lab", "web", "quiet", "tap1", "cell-1" } icmpv6 type nd-redirect counter comment "redirects"
				iifname "quiet" counter comment "quiet"
			}
			chain forward {
				type filter hook forward priority 300;
				oifname "uplink" udp dport 9 counter comment "forwarded"
			}
		}
		table arp watch {
			chain input {
				type filter hook input priority 300;
				iifname "quiet" counter comment "ARP"
			}
		}
	EOT
}

counted() { # counted COMMENT
	nft list ruleset | sed -n "s/.* packets \([0-9]*\) .* comment \"$1\"\$/\1/p"
}

no_watch() {
	nft delete table inet watch
	nft delete table arp watch
}

# arrived COUNTER COMMAND...: how many more there are when the command has been run, and all that was sent before has
# come through, which one knows when a guest of the same network has an answer
arrived() {
	arrived_before=$(counted "$1")
	arrived_counter=$1
	shift
	"$@" || echo "failed: $*" >&2
	# What the plugs carry takes no longer than this; what does not come cannot be waited for.
	arrived_tries=6
	while [ "$arrived_tries" -gt 0 ] && [ "$(counted "$arrived_counter")" = "$arrived_before" ]; do
		arrived_tries=$((arrived_tries - 1))
		sleep 0.02
	done
	echo $(($(counted "$arrived_counter") - arrived_before))
}

# kept_off TEXT COUNTER NETWORK COMMAND...: nothing arrives while the guard of NETWORK stands, and something without it
kept_off() {
	kept_text=$1 kept_counter=$2 kept_network=$3
	shift 3
	check "$kept_text: kept off" [ "$(arrived "$kept_counter" "$@")" = 0 ]
	for kept_family in inet netdev; do
		nft delete table "$kept_family" "tapgate-$kept_network" 2>/dev/null
	done
	check "$kept_text: without guard it arrives" [ "$(arrived "$kept_counter" "$@")" -gt 0 ]
	# Put back without `up`, which would find nothing amiss once it is; by `up` is what the next one asks.
	check "$kept_text: up puts the guard back" [ "$("$TAPGATE" up)" = "$kept_network: put up its guard" ]
	check "$kept_text: kept off again" [ "$(arrived "$kept_counter" "$@")" = 0 ]
}

speaks() { # speaks GUEST WORD...: what tests/guest/rogue.c sends
	speaks_guest=$1
	shift
	in_netns "$speaks_guest" "$rogue" eth0 "$@"
}

datagram() { # datagram GUEST SOURCE DESTINATION
	in_netns "$1" "$speak" datagram "$2" "$3"
}

# --- what the host believes -------------------------------------------------------------------------------------------

believes() { # addresses, routes, and what a router may tell of MTU and hop limit
	ip -o addr | sed 's/ *valid_lft.*//'
	ip route show table all
	ip -6 route show table all | sed 's/ expires [0-9]*sec//'
	ip route show cache
	ip -6 route show cache | sed 's/ expires [0-9]*sec//'
	for setting in /proc/sys/net/ipv6/conf/*/mtu /proc/sys/net/ipv6/conf/*/hop_limit; do
		echo "$setting $(cat "$setting")"
	done
}

misleads() { # misleads GUEST NETWORK: with all it can say
	speaks "$1" ra && speaks "$1" dhcp && speaks "$1" na 2001:db8:1::50 && speaks "$1" arp 192.0.2.50
}

unmoved() { # unmoved GUEST INTERFACE: whatever the guest says, the host believes what it did before
	believes >"$TMPDIR/before"
	misleads "$1" && sleep 0.05
	believes >"$TMPDIR/after"
	diff "$TMPDIR/before" "$TMPDIR/after"
}

advertised() { # advertised INTERFACE: the host has a route by way of a guest
	ip -6 route show default dev "$1" | grep .
}

# A route by way of the guest's link-local address, which is what makes its redirects count.
way() { # way INTERFACE: to 2001:db8:99::1
	ip -6 route get 2001:db8:99::1 | grep -o 'via [^ ]* dev [^ ]*'
}

redirects() { # redirects GUEST INTERFACE: it says there is a better way
	in_netns "$1" "$speak" redirect eth0 "$(ip -6 -o addr show dev "$2" scope link | sed 's/.*inet6 \([^/]*\).*/\1/')" \
		2001:db8:99::1 fe80::bad
}

link_local_of() { # link_local_of GUEST: of its card, when it has one
	in_netns "$1" ip -6 -o addr show dev eth0 scope link | sed -n 's/.*inet6 \([^/]*\).*/\1/p'
}

has_link_local() {
	[ -n "$(link_local_of "$1")" ]
}

is_redirected() {
	[ "$(way "$1")" = "via fe80::bad dev $1" ]
}

# --- the world --------------------------------------------------------------------------------------------------------

ip netns add lan
ip link add uplink type veth peer name to-host netns lan
ip addr add 192.0.2.1/24 dev uplink
ip addr add 2001:db8:1::1/64 dev uplink nodad
ip link set uplink up
ip -n lan addr add 192.0.2.50/24 dev to-host
ip -n lan addr add 2001:db8:1::50/64 dev to-host nodad
ip -n lan link set to-host up
ip route add default via 192.0.2.50
ip -6 route add default via 2001:db8:1::50
for of in all default; do
	set_sysctl "ipv4/conf/$of/rp_filter" 0
	set_sysctl "ipv6/conf/$of/accept_ra" 2
	set_sysctl "ipv6/conf/$of/accept_redirects" 1
	set_sysctl "ipv6/conf/$of/accept_dad" 0
done
set_sysctl ipv4/ip_forward 1
for of in iptables ip6tables arptables; do
	set_sysctl "bridge/bridge-nf-call-$of" 1
done

policy - <<'EOT'
allow all user=alice
network lab   host-only  172.16.2.1/24 fd00:2::1/64
network quiet internal
network web   nat        10.77.0.1/24
network tap1  standalone 172.16.3.1/24 fd00:3::1/64
network cell  standalone 172.16.128.0/29 fd00:c::/125 per-vm=/30,/126
EOT
check 'up' "$TAPGATE" up
for of in lab web; do
	set_sysctl "ipv6/conf/$of/accept_ra" 2 # they take none; what the guard drops is seen where they do
done
check 'a guest: h1' guest h1 lab 172.16.2.11/24 fd00:2::11/64
check 'a guest: i1' guest i1 quiet 172.16.9.11/24 fd00:9::11/64
check 'a guest: i2' guest i2 quiet 172.16.9.12/24 fd00:9::12/64
check 'a guest: n1' guest n1 web 10.77.0.11/24 fd00:77::11/64
check 'a guest: s1' guest s1 tap1 172.16.3.2/24 fd00:3::2/64
check 'a guest: c1' guest c1 cell 172.16.128.2/30 fd00:c::2/126
check 'a guest: c2' guest c2 cell 172.16.128.6/30 fd00:c::6/126
for of in 'h1 172.16.2.1 fd00:2::1' 'n1 10.77.0.1 fe80::1' 's1 172.16.3.1 fd00:3::1' \
	'c1 172.16.128.1 fd00:c::1' 'i1 172.16.9.1 fd00:9::1'; do
	# shellcheck disable=SC2086 # words
	set -- $of
	ip -n "$1" route add default via "$2" dev eth0
	ip -n "$1" -6 route add default via "$3" dev eth0
done
watch

# --- sources that are not the guest's ---------------------------------------------------------------------------------

check 'a datagram with its own source arrives: host-only' \
	[ "$(arrived datagrams datagram h1 172.16.2.11 172.16.2.1)" -gt 0 ]
check 'and over IPv6' [ "$(arrived datagrams datagram h1 fd00:2::11 fd00:2::1)" -gt 0 ]
check 'standalone' [ "$(arrived datagrams datagram s1 172.16.3.2 172.16.3.1)" -gt 0 ]
check 'and over IPv6' [ "$(arrived datagrams datagram s1 fd00:3::2 fd00:3::1)" -gt 0 ]
check 'in a pool' [ "$(arrived datagrams datagram c1 172.16.128.2 172.16.128.1)" -gt 0 ]
check 'nat, forwarded' [ "$(arrived forwarded datagram n1 10.77.0.11 192.0.2.50)" -gt 0 ]

kept_off 'host-only: the LAN'"'"'s address as source' datagrams lab datagram h1 192.0.2.50 172.16.2.1
kept_off 'host-only: the same over IPv6' datagrams lab datagram h1 2001:db8:1::50 fd00:2::1
kept_off 'nat: the LAN'"'"'s address as source, to the router' datagrams web datagram n1 192.0.2.50 10.77.0.1
kept_off 'nat: another network'"'"'s address as source, to the LAN' forwarded web datagram n1 172.16.2.99 192.0.2.50
kept_off 'standalone: the LAN'"'"'s address as source' datagrams tap1 datagram s1 192.0.2.50 172.16.3.1
kept_off 'standalone: the same over IPv6' datagrams tap1 datagram s1 2001:db8:1::50 fd00:3::1
kept_off 'pool: the other guest'"'"'s address as source' datagrams cell datagram c1 172.16.128.6 172.16.128.1
kept_off 'pool: the same over IPv6' datagrams cell datagram c1 fd00:c::6 fd00:c::1

# --- what the host is told --------------------------------------------------------------------------------------------

for of in 'h1 lab lab' 'n1 web web' 's1 tap1 tap1' 'c1 cell cell-1'; do
	# shellcheck disable=SC2086 # words
	set -- $of
	check "$2: adverts, offers and the like change nothing" unmoved "$1" "$3"
	kept_off "$2: offers of DHCP" offers "$2" speaks "$1" dhcp
	check "$2: adverts do not arrive" [ "$(arrived adverts speaks "$1" ra)" = 0 ]
done
check 'internal: adverts, offers and the like change nothing' unmoved i1 quiet
nft delete table inet tapgate-lab
speaks h1 ra
check 'without guard the host would have believed it' wait_for 10 advertised lab
ip -6 route flush dev lab proto ra
ip addr flush dev lab mngtmpaddr
check 'up puts it back' "$TAPGATE" up

wait_for 5 has_link_local h1
ip -6 route add 2001:db8:99::/64 via "$(link_local_of h1)" dev lab
check 'redirects change nothing' [ "$(arrived redirects redirects h1 lab)" = 0 ]
check 'the way is as it was' [ "$(way lab)" = "via $(link_local_of h1) dev lab" ]
nft delete table inet tapgate-lab
redirects h1 lab
check 'without guard the host would have believed it' wait_for 10 is_redirected lab
ip -6 route del 2001:db8:99::/64
check 'up puts the guard back' "$TAPGATE" up

# --- internal: not even what needs no answer --------------------------------------------------------------------------

# Asked for any of the host's addresses; and sent to them unasked.
answers_arp() {
	in_netns i1 "$busybox" arping -q -c 1 -w 1 -I eth0 192.0.2.1
}

shouts() {
	mac=$(mac_of quiet)
	speaks i1 udp 192.0.2.1 "$mac" && speaks i1 udp 2001:db8:1::1 "$mac" &&
		speaks i1 udp 255.255.255.255 ff:ff:ff:ff:ff:ff &&
		speaks i1 udp ff02::1 33:33:00:00:00:01
}

hears_nothing() { # i2 hears all of it, the host none
	in_netns i2 nft 'add table inet seen; add chain inet seen in { type filter hook input priority 0; }
		add rule inet seen in counter comment "seen"'
	before="$(counted quiet) $(counted ARP)"
	shouts
	! answers_arp && in_netns i1 "$busybox" ping -q -c 1 -W 2 172.16.9.12 &&
		[ "$(in_netns i2 nft list ruleset | sed -n 's/.* packets \([0-9]*\) .*seen"$/\1/p')" -gt 1 ] &&
		[ "$(counted quiet) $(counted ARP)" = "$before" ]
}

# Packets that came to i1 and not from i2, which speaks of itself now and then.
from_the_host() {
	in_netns i1 nft list table netdev host | sed -n 's/.* packets \([0-9]*\) .*/\1/p'
}

says_nothing() { # the host itself cannot send there, not even what it shouts
	ip route add 172.16.9.0/24 dev quiet
	ip -6 route add fd00:9::/64 dev quiet
	in_netns i1 nft "add table netdev host; delete table netdev host; add table netdev host
		add chain netdev host in { type filter hook ingress device eth0 priority 0; }
		add rule netdev host in ether saddr != $(in_netns i2 ip -o link show dev eth0 | sed 's/.*ether \([^ ]*\).*/\1/') counter"
	"$busybox" ping -q -c 1 -W 1 172.16.9.11 || "$busybox" ping -q -c 1 -W 1 fd00:9::11 ||
		"$busybox" ping -q -c 1 -W 1 -I quiet ff02::1
	came=$(from_the_host)
	ip route del 172.16.9.0/24 dev quiet
	ip -6 route del fd00:9::/64 dev quiet
	echo "$came packets"
	[ "$came" = 0 ]
}

check 'internal: the host hears nothing' hears_nothing
check 'internal: the host says nothing' says_nothing
kept_off 'internal: packets without answer' quiet quiet shouts
nft delete table netdev tapgate-quiet
check 'without guard the host answers for its addresses' wait_for 2 answers_arp
check '... and it speaks there' refuses says_nothing
check 'up puts it back' "$TAPGATE" up

# The guard is for a device of that name, which comes and goes.
made_anew() {
	unplug i1
	unplug i2
	ip link del quiet
	"$TAPGATE" up && guest i1 quiet 172.16.9.11/24 fd00:9::11/64 && guest i2 quiet 172.16.9.12/24 fd00:9::12/64
}
check 'internal: the bridge lost, and up again' made_anew
check 'internal: the host hears nothing' hears_nothing
check 'internal: the host says nothing' says_nothing

by_hand() { # the bridge made anew by somebody, who knows what to write on it; whatever the helper thinks of that
	unplug i1
	unplug i2
	ip link del quiet
	ip link add quiet address 02:74:67:00:00:01 type bridge forward_delay 0
	ip link set quiet alias 'tapgate network=quiet mode=internal' addrgenmode none
	ip link set quiet up
	if guest i1 quiet 172.16.9.11/24 fd00:9::11/64; then
		guest i2 quiet 172.16.9.12/24 fd00:9::12/64 && hears_nothing && says_nothing
	else
		grep "its guard was changed\|its guard is missing" "$TMPDIR/refused.i1"
	fi
}
check 'internal: a bridge made by hand has a guard that counts, or the helper refuses' by_hand
no_watch
finish
