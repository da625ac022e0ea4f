#!/bin/sh
# Who is on a network, and should not be; whose tap is where it does not belong; and what on the host takes a network's
# packets away: `tapgate status` finds it, and `tapgate up` puts right what is tapgate's, and says of the rest what to do.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=drift.sh
. "$top/tests/cli/drift.sh"

tap_of() { # tap_of GUEST
	cat "$TMPDIR/tap.$1"
}

# beyond TEXT STATES COMMAND UNDO: status finds these states; up, which cannot put it right, says what is in standard
# input, and fails; after UNDO all is well
beyond() {
	cat >"$TMPDIR/lines"
	check "$1" eval "$3"
	check "$1: status says so" finds "$2"
	check "$1: up says what to do" says 1 up <"$TMPDIR/lines"
	check "$1: and taken away" eval "$4"
	check "$1: all is well" says_nothing_changed
	check "$1: status is content" "$TAPGATE" status
}

# settled TEXT STATES COMMAND: status finds these states; up says what is in standard input, and all is well
settled() {
	cat >"$TMPDIR/lines"
	check "$1" eval "$3"
	check "$1: status says so" finds "$2"
	would <"$TMPDIR/lines" >"$TMPDIR/would"
	check "$1: up --dry-run says what it would do" says 0 up --dry-run <"$TMPDIR/would"
	check "$1: up puts it right" says 0 up <"$TMPDIR/lines"
	check "$1: nothing more to do" says_nothing_changed
	check "$1: status is content" "$TAPGATE" status
}

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
to_guests="the host's way to its guests (another rule or route takes it)"
to_the_outside="its guests' way out (another rule or route takes it)"
see='see: ip rule, ip route show table all'
ip route add default dev uplink table 52
for rule in 'to 172.16.2.0/24 pref 99 blackhole' 'to 172.16.0.0/12 pref 99 prohibit' 'to 172.16.2.0/26 pref 99 lookup 52'; do
	beyond "ip rule $rule" "lab different $to_guests" "ip rule add $rule" 'ip rule del pref 99' <<-EOT
		tapgate: lab: not as wanted: $to_guests; $see
	EOT
done
beyond 'the same for IPv6' "web different $to_guests" \
	'ip -6 rule add to fd00:77::/64 pref 99 unreachable' 'ip -6 rule del pref 99' <<-EOT
	tapgate: web: not as wanted: $to_guests; $see
EOT
for rule in 'from 10.77.0.0/24 pref 99 blackhole' 'iif web pref 99 prohibit'; do
	beyond "ip rule $rule" "web different $to_the_outside" "ip rule add $rule" 'ip rule del pref 99' <<-EOT
		tapgate: web: not as wanted: $to_the_outside; $see
	EOT
done
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
"$TAPGATE" up >/dev/null
check 'a locked guest' guest l1 lab 172.16.2.13/24
locked_to() { # locked_to TAP: the address
	bridge fdb show brport "$1" | sed -n 's/ master lab static.*//p; s/ master lab sticky static.*//p' | head -n 1
}
mac=$(locked_to "$(tap_of l1)")
check 'is locked to an address' test -n "$mac"
in_netns l1 ip link set eth0 address "$mac"
check '... and reaches the host' wait_for 5 talk l1 172.16.2.1
for how in "ip link set $(tap_of l1) nomaster" 'ip link del lab'; do
	check "$how" eval "$how"
	check '... up puts it right' "$TAPGATE" up
	check '... it is locked to the same address' [ "$(locked_to "$(tap_of l1)")" = "$mac" ]
	check '... it reaches the host' wait_for 5 talk l1 172.16.2.1
	in_netns l1 ip link set eth0 address 52:54:00:00:00:99
	check '... and from no other address' refuses talk l1 172.16.2.1
	in_netns l1 ip link set eth0 address "$mac"
	check '... nothing more to do' says_nothing_changed
done
finish
