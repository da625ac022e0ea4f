#!/bin/sh
# SPDX-License-Identifier: MIT
# Who is on a network, and should not be; whose tap is where it does not belong; and what on the host takes a network's
# packets away: `tapgate status` finds it, and `tapgate up` puts right what is tapgate's, and says of the rest what to do.
# shellcheck disable=SC2016 # words for eval
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=drift.sh
. "$top/tests/cli/drift.sh"

dry=says
networks_up

drift 'another hardware address of ours' 'quiet different hardware address' \
	'ip link set quiet address 02:74:67:00:00:01' <<-EOT
	quiet: repaired its bridge's hardware address
EOT
drift 'a bridge that forwards what is for bridges' \
	'lab different group_fwd_mask' 'ip link set lab type bridge group_fwd_mask 16384' <<-EOT
	lab: repaired its bridge's group_fwd_mask
EOT
drift 'a bridge that forgets at once, and so tells all to all' \
	'web different ageing of addresses' 'ip link set web type bridge ageing_time 0' <<-EOT
	web: repaired its bridge's ageing of addresses
EOT
drift 'multicast snooping' \
	'lab different multicast snooping' 'ip link set lab type bridge mcast_snooping 1' <<-EOT
	lab: repaired its bridge's multicast snooping
EOT

# --- ways -------------------------------------------------------------------------------------------------------------

drift 'the route to an IPv4 subnet deleted' 'lab different routes' 'ip route del 172.16.2.0/24 dev lab' <<-EOT
	lab: removed the address 172.16.2.1/24
	lab: added the address 172.16.2.1/24
EOT
drift 'the route to an IPv6 subnet deleted' 'web different routes' 'ip route del fd00:77::/64 dev web' <<-EOT
	web: removed the address fd00:77::1/64
	web: added the address fd00:77::1/64
EOT
drift 'the route to the host itself deleted' 'lab different routes' 'ip route del local 172.16.2.1 table local' <<-EOT
	lab: removed the address 172.16.2.1/24
	lab: added the address 172.16.2.1/24
EOT
drift 'a host that answers no ARP' 'lab different arp_ignore' 'set_sysctl ipv4/conf/lab/arp_ignore 8' <<-EOT
	lab: set net.ipv4.conf.lab.arp_ignore=0 (or nobody would reach the host)
EOT
beyond 'a host that answers nobody' 'lab different arp_ignore
web different arp_ignore' 'set_sysctl ipv4/conf/all/arp_ignore 8' 'set_sysctl ipv4/conf/all/arp_ignore 0' <<-EOT
	tapgate: lab: net.ipv4.conf.all.arp_ignore keeps the host from answering its guests; run: sysctl net.ipv4.conf.all.arp_ignore=0
	tapgate: web: net.ipv4.conf.all.arp_ignore keeps the host from answering its guests; run: sysctl net.ipv4.conf.all.arp_ignore=0
EOT
# Who decides is asked of the kernel, and so is what puts it right: tailscale/tailscale#8279 (a table of its own before all),
# and a VPN that pushes a part of a subnet.
ip route add default dev uplink table 52
# shellcheck disable=SC2086 # words
decided() { # decided NETWORK WHAT CURE RULE [FAMILY]: with this rule
	beyond "ip ${5-} rule $4" "$1 different $2" "ip ${5-} rule add $4" "ip ${5-} rule del pref 99" <<-EOT
		tapgate: $1: not as wanted: $2; run: $3
	EOT
	ip ${5-} rule add $4
	check '... and the command that it names puts it right' eval "$3 && $TAPGATE status"
	ip ${5-} rule del pref 99
	ip ${5-} rule del pref 98
}
way="the host's way to its guests"
to_lab='ip rule add pref 98 to 172.16.2.0/24 lookup main'
decided lab "$way (refused by rule 99)" "$to_lab" 'to 172.16.2.0/24 pref 99 blackhole'
decided lab "$way (refused by rule 99)" "$to_lab" 'to 172.16.0.0/12 pref 99 prohibit'
decided lab "$way (uplink, by rule 99 and table 52)" "$to_lab" 'to 172.16.2.0/26 pref 99 lookup 52'
decided web "$way (refused by rule 99)" 'ip -6 rule add pref 98 to fd00:77::/64 lookup main' \
	'to fd00:77::/64 pref 99 unreachable' -6
for rule in 'from 10.77.0.0/24 pref 99 blackhole' 'iif web pref 99 prohibit'; do
	decided web "its guests' way out (refused by rule 99)" 'ip rule add pref 98 iif web lookup main' "$rule"
done
# A table that refuses what it has no way for, as some VPNs have one; a route in the main table that does.
ip route add unreachable default table 54
decided web "its guests' way out (refused by rule 99 and table 54)" 'ip rule add pref 98 iif web lookup main' \
	'iif web pref 99 lookup 54'
decided lab "$way (refused by rule 99 and table 54)" "$to_lab" 'to 172.16.0.0/12 pref 99 lookup 54'
ip route del unreachable default table 54
beyond 'a route that refuses a part of the subnet' "web different $way (refused by rule 32766 and table main)" \
	'ip route add prohibit 10.77.0.0/25' 'ip route del prohibit 10.77.0.0/25' <<-EOT
	tapgate: web: not as wanted: $way (refused by rule 32766 and table main); run: ip route del prohibit 10.77.0.0/25 table main
EOT
beyond "a table of a VPN's before all others" "lab different $way (uplink, by rule 99 and table 52)
web different $way (uplink, by rule 99 and table 52)
tap1 different $way (uplink, by rule 99 and table 52)" 'guest alone tap1 && ip rule add pref 99 lookup 52' \
	'ip rule del pref 99; unplug alone' <<-EOT
	tapgate: lab: not as wanted: $way (uplink, by rule 99 and table 52); run: ip rule add pref 98 to 172.16.2.0/24 lookup main
	tapgate: web: not as wanted: $way (uplink, by rule 99 and table 52); run: ip rule add pref 98 to 10.77.0.0/24 lookup main
	tapgate: tap1: not as wanted: $way (uplink, by rule 99 and table 52); run: ip rule add pref 98 to 172.16.3.0/24 lookup main
EOT
beyond 'a VPN that has a part of the subnet' "web different $way (uplink, by rule 32766 and table main)" \
	'ip route add 10.77.0.128/25 dev uplink' 'ip route del 10.77.0.128/25' <<-EOT
	tapgate: /etc/tapgate.conf:4: warning: the subnet 10.77.0.1/24 of network 'web' overlaps the host's route to 10.77.0.128/25 by uplink; choose another subnet
	tapgate: web: not as wanted: $way (uplink, by rule 32766 and table main); run: ip route del 10.77.0.128/25 dev uplink table main
EOT
# A VPN that takes what the host sends and nothing else: guests leave in the clear, past its kill switch.
ip link add wg0 type veth peer name wg1
ip link set wg0 up
ip link set wg1 up
ip route add default dev wg0 table 53
"$TAPGATE" up >/dev/null
ip rule add pref 97 iif lo lookup 53
ip rule add pref 96 to 10.0.0.0/8 lookup main
ip rule add pref 96 to 172.16.0.0/12 lookup main
parts() {
	"$TAPGATE" check --live 2>&1 | grep -Fx "tapgate: web: warning: its guests leave by 'uplink', and the host itself by 'wg0'; if they are to leave as the host does, run: ip rule add pref 96 iif web lookup 53"
}
check 'guests that leave past a VPN of the host: check --live says so' parts
ip rule add pref 96 iif web lookup 53
check '... and the command that it names puts it right' refuses parts
ip rule del pref 97
for _ in 1 2 3; do
	ip rule del pref 96
done
ip link del wg0
check 'a rule that takes nothing of it' ip rule add to 198.18.0.0/15 pref 99 blackhole
check '... is none of it' "$TAPGATE" status
ip rule del pref 99

# --- ports ------------------------------------------------------------------------------------------------------------

for network in lab quiet web; do
	beyond "a foreign port in $network" "$network different ports (one is not a tap of the network)" \
		"ip link add port type veth peer name cable; ip link set port master $network" 'ip link del port' <<-EOT
		tapgate: $network: its port 'port' is not a tap of the network, and whoever is behind it is on it; take it out: ip link set 'port' nomaster
	EOT
	beyond "an uplink in $network" "$network different ports (one is not a tap of the network)" \
		"ip link add eth9 type dummy 2>/dev/null || ip link add eth9 type veth; ip link set eth9 master $network" \
		'ip link del eth9' <<-EOT
		tapgate: $network: its port 'eth9' is not a tap of the network, and whoever is behind it is on it; take it out: ip link set 'eth9' nomaster
	EOT
	beyond "a macvlan on $network" "$network different interfaces on it (one is past its guard)" \
		"ip link add upper link $network type macvlan" 'ip link del upper' <<-EOT
		tapgate: $network: the interface 'upper' stands on it, past its guard; remove it: ip link delete 'upper'
	EOT
done

check 'a guest of lab' guest g1 lab 172.16.2.11/24
check 'another' guest g2 lab 172.16.2.12/24
check 'one of web' guest w1 web 10.77.0.11/24
check 'one of quiet' guest q1 quiet 192.0.2.11/24
check 'one that stands alone' guest t1 tap1 172.16.3.2/24
check 'all is well with guests' "$TAPGATE" status
talk() { # talk FROM ADDRESS
	in_netns "$1" "$busybox" ping -q -c 1 -W 1 "$2"
}
check 'guests talk' wait_for 5 talk g1 172.16.2.12

settled 'an address on a port of an internal network' \
	'quiet different addresses of its ports' "ip addr add 10.9.9.1/24 dev $(tap_of q1)" <<-EOT
	quiet: removed the address 10.9.9.1/24 from its port '$(tap_of q1)'
EOT
for kind in 'static' 'static sticky' 'dynamic sticky'; do
	settled "an entry that somebody made, $kind" 'lab different forwarding entries' \
		"bridge fdb add 52:54:00:00:00:07 dev $(tap_of g1) master $kind" <<-EOT
		lab: removed the entry for 52:54:00:00:00:07 behind its port '$(tap_of g1)'
	EOT
done
settled 'a tap that is down' 'lab different taps (one is down)' "ip link set $(tap_of g1) down" <<-EOT
	lab: brought the tap '$(tap_of g1)' up
EOT
check '... guests talk again' wait_for 5 talk g1 172.16.2.12
settled 'a tap off its bridge' 'lab different taps (one is not where it belongs)' "ip link set $(tap_of g1) nomaster" <<-EOT
	lab: put the tap '$(tap_of g1)' back on its bridge, isolated
EOT
check '... guests talk again' wait_for 5 talk g1 172.16.2.12
settled "a tap on another network's bridge" "lab different taps (one is not where it belongs)
quiet different ports (one is not a tap of the network)" "ip link set $(tap_of g1) master quiet" <<-EOT
	lab: put the tap '$(tap_of g1)' back on its bridge, isolated
EOT
ip link add br9 type bridge
settled 'a tap on a foreign bridge' 'web different taps (one is not where it belongs)' \
	"ip link set $(tap_of w1) master br9" <<-EOT
	web: put the tap '$(tap_of w1)' back on its bridge, isolated
EOT
settled 'a tap that stood alone, on a bridge' 'tap1 different taps (one is not where it belongs)' \
	"ip link set $(tap_of t1) master br9" <<-EOT
	tap1: took the tap '$(tap_of t1)' off the bridge that it was on
EOT
check '... its guest has the host again' wait_for 5 talk t1 172.16.3.1
# As the helper has it for a moment, before it gives it its address.
check 'a tap that stands alone, down and without an address' \
	eval 'ip link set $(tap_of t1) down && ip addr flush dev $(tap_of t1)'
check '... is left as it is' says_nothing_changed
settled '... and up, has none' 'tap1 different addresses' "ip link set $(tap_of t1) up" <<-EOT
	tap1: added the address 172.16.3.1/24
EOT
settled 'a tap that stood alone, down' 'tap1 different taps (one is down)' "ip link set $(tap_of t1) down" <<-EOT
	tap1: brought the tap '$(tap_of t1)' up
EOT
check '... its guest has the host again' wait_for 5 talk t1 172.16.3.1
ip link set "$(tap_of g2)" alias 'somebody else'
check 'a tap with another alias: status says so' finds 'lab different ports (one is not a tap of the network)'
check '... up says what to do' says 1 up <<-EOT
	tapgate: lab: its port '$(tap_of g2)' is not a tap of the network, and whoever is behind it is on it; take it out: ip link set '$(tap_of g2)' nomaster
EOT
ip link set "$(tap_of g2)" nomaster
check '... and taken out, it is nobody'"'"'s' "$TAPGATE" status

# What listens on the host's loopback is not for guests, whatever somebody set (as for Kubernetes): the guard keeps them.
loops() { # loops GUEST GATEWAY
	ip -n "$1" addr flush dev lo
	# shellcheck disable=SC2016 # for that shell
	in_netns "$1" sh -c 'for what in all eth0; do echo 1 >/proc/sys/net/ipv4/conf/$what/route_localnet; done'
	ip -n "$1" route replace 127.0.0.0/8 via "$2" dev eth0
	in_netns "$1" "$busybox" ping -q -c 2 -W 1 127.0.0.1
}
set_sysctl ipv4/conf/all/route_localnet 1
for where in "g1 172.16.2.1 lab" "w1 10.77.0.1 web" "t1 172.16.3.1 tap1"; do
	# shellcheck disable=SC2086 # words
	set -- $where
	check "$3: its guest reaches the host" talk "$1" "$2"
	check "$3: and what is on the host's loopback not" refuses loops "$1" "$2"
	nft delete rule inet "tapgate-$3" input handle "$(nft -a list chain inet "tapgate-$3" input |
		sed -n 's/.* 127.0.0.0.*handle //p')"
	check "$3: without the guard's rule it does" loops "$1" "$2"
done
set_sysctl ipv4/conf/all/route_localnet 0
check 'the guards put up again' "$TAPGATE" up

# A locked tap is locked again, also where its bridge is another one.
policy - <<-'EOT'
	allow all user=alice
	network lab host-only 172.16.2.1/24 lock-mac
EOT
"$TAPGATE" up --force >/dev/null
check 'a locked guest' guest l1 lab 172.16.2.13/24
locked_to() { # locked_to TAP: the address
	bridge fdb show brport "$1" | sed -n 's/ master lab static.*//p; s/ master lab sticky static.*//p' | head -n 1
}
mac=$(locked_to "$(tap_of l1)")
check 'is locked to an address' test -n "$mac"
is_locked() { # is_locked TAP: its port takes frames from that address alone
	bridge -d link show dev "$1" | grep ' locked on '
}
check '... with its port' is_locked "$(tap_of l1)"
in_netns l1 ip link set eth0 address "$mac"
check '... and reaches the host' wait_for 5 talk l1 172.16.2.1
for how in "ip link set $(tap_of l1) nomaster" 'ip link del lab'; do
	check "$how" eval "$how"
	check '... up puts it right' "$TAPGATE" up
	check '... it is locked to the same address' [ "$(locked_to "$(tap_of l1)")" = "$mac" ]
	check '... with its port' is_locked "$(tap_of l1)"
	check '... it reaches the host' wait_for 5 talk l1 172.16.2.1
	in_netns l1 ip link set eth0 address 52:54:00:00:00:99
	check '... and from no other address' refuses talk l1 172.16.2.1
	in_netns l1 ip link set eth0 address "$mac"
	check '... nothing more to do' says_nothing_changed
done

# --- walls ------------------------------------------------------------------------------------------------------------

# What keeps a tap and the host apart, taken away while the tap is held: on every kind of network. That the host is open
# to the guest then is what tests/attacks/test_reserved.c and test_messenger.c show.
policy - <<-'EOT'
	network lab host-only 172.16.2.1/24
	network quiet internal
	network pub shared 10.78.0.1/24
	network tap1 standalone 172.16.3.1/24
	network br0 bridged
	allow all user=alice
EOT
unplug l1
"$TAPGATE" up >/dev/null
ip link add br0 type bridge && ip link set br0 address 02:00:00:00:00:b0 up
programs_of() { # programs_of TAP: all of them, as the kernel has them
	tc filter show dev "$1" ingress && tc filter show dev "$1" egress
}
says_open() { # says_open TAP: list does, as a note and in JSON
	"$TAPGATE" list | grep "^$1 .* open to the host; run: tapgate up$" &&
		[ "$("$TAPGATE" list --json | grep -c '"apart": false')" = 1 ]
}
for network in lab quiet pub tap1 br0; do
	check "$network: a guest" guest w1 "$network"
	tap=$(tap_of w1)
	programs_of "$tap" >"$TMPDIR/programs"
	check "$network: is apart from the host" grep -q bytecode "$TMPDIR/programs"
	check "$network: list has nothing to say" refuses says_open "$tap"
	for how in "{ tc qdisc del dev $tap clsact || tc qdisc del dev $tap ingress; } 2>/dev/null" "tc filter del dev $tap ingress" \
		"tc filter replace dev $tap ingress prio 1 handle 1 protocol all bpf bytecode '1,6 0 0 4294967295,' da"; do
		settled "$network: $how" "$network different taps (one is not kept apart from the host)" \
			"$how && says_open $tap" <<-EOT
				$network: set the tap '$tap' apart from the host again
			EOT
		check '... as it was' eval "programs_of $tap | diff $TMPDIR/programs -"
		check '... list has nothing to say' refuses says_open "$tap"
	done
	[ "$network" = br0 ] || check '... check --live has nothing to say' refuses eval \
		'"$TAPGATE" check --live 2>&1 | grep "apart"'
	check "$network: taken away" eval "$how"
	check '... check --live tells' eval '"$TAPGATE" check --live 2>&1 | grep "apart.*run: tapgate up$"'
	check '... up of another network leaves it' says_nothing_changed up "$([ "$network" = lab ] && echo pub || echo lab)"
	check '... as does one that is new' eval 'guest w2 lab && unplug w2'
	check '... up puts it right' "$TAPGATE" up
	unplug w1
done

# Of what an administrator has there besides, nothing goes.
check 'a guest' guest w1 lab
tap=$(tap_of w1)
check 'a filter of somebody else' tc filter add dev "$tap" ingress prio 7 protocol all bpf bytecode '1,6 0 0 4294967295,'
check '... and none of ours' tc filter del dev "$tap" ingress prio 1
check '... up puts it back' "$TAPGATE" up
check '... beside the other' eval 'tc filter show dev $tap ingress >"$TMPDIR/both"; grep -q "pref 1 " "$TMPDIR/both" &&
	grep -q "pref 7 " "$TMPDIR/both"'
unplug w1

# Its holder gives a tap another hardware address: what goes out is known by that.
check 'a guest' guest w1 quiet
settled 'a tap with another hardware address' 'quiet different taps (one is not kept apart from the host)' \
	"ip link set $(tap_of w1) address fe:00:00:00:00:01" <<-EOT
	quiet: set the tap '$(tap_of w1)' apart from the host again
EOT
unplug w1
finish
