#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # words for eval
# What packets of its own tell `check --live`: answers to guests, connections that nobody tracks, the way back, networks
# that stand alone, bridges of others; and that `up` opens a way out to what is behind the host, not to what is on it.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=firewall_lib.sh
. "$top/tests/cli/firewall_lib.sh"

# --- answers ----------------------------------------------------------------------------------------------------------

stops 'what goes out passes, answers do not' 'table inet mine {
	chain forward {
		type filter hook forward priority 0; policy drop;
		iifname "lab" accept
		iifname "web" accept
	}
}' 'reaches n1 193.0.14.129' <<'EOT'
tapgate: web: warning: the policy of 'inet mine forward' drops the answers to its guests; run, and write it where that table is made: nft 'insert rule inet mine forward oifname "web" accept'
EOT
nft -f - <<'EOT'
table inet mine {
	chain before {
		type filter hook prerouting priority raw; policy accept;
		iifname "uplink" ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 } drop comment "nobody's, on the Internet"
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established,related accept
		iifname { "lab", "web" } accept
	}
}
EOT
check 'a firewall that knows answers, and no private addresses from outside: nothing is in the way' clean
check '... which is so' reaches n1 193.0.14.129
nft delete table inet mine

notrack() { # notrack MATCH
	nft "table ip mine { chain raw { type filter hook prerouting priority raw; $1 notrack; }; }"
}
notrack ''
echo "tapgate: web: warning: rule 2 of 'ip mine raw' has the host not track (notrack) what its guests send to the Internet by IPv4, the answers to its guests by IPv4, so that its guard knows no answer; except the network from that rule; see: nft --handle list chain ip mine raw" >"$TMPDIR/lines"
check 'nothing is tracked: check --live names it' live
check '... it is so' refuses reaches n1 193.0.14.129
nft delete table ip mine
notrack 'iifname uplink udp sport 53'
echo "tapgate: web: warning: rule 2 of 'ip mine raw' has the host not track (notrack) the answers to its guests by IPv4, so that its guard knows no answer; except the network from that rule; see: nft --handle list chain ip mine raw" >"$TMPDIR/lines"
check 'answers of DNS are not tracked: check --live names it' live
nft delete table ip mine
notrack 'iifname lo'
check 'what concerns nobody is not: nothing is in the way' clean
nft delete table ip mine

# A mark, as a VPN's rules set it, and a table for it that has no way: what is asked of the kernel has no mark.
nft 'table ip mine { chain before { type filter hook prerouting priority mangle; iifname "web" meta mark set 7; }; }'
ip route add unreachable default table 78
ip rule add fwmark 7 lookup 78 pref 60
echo "tapgate: web: warning: no rule of a firewall, but the host's routing, by a mark that such a rule sets, drops what its guests send to the Internet by IPv4; see: ip rule list, and nft list ruleset for 'mark set'" >"$TMPDIR/lines"
check 'a mark by which guests have no way: check --live tells' live
check '... it is so' refuses reaches n1 193.0.14.129
nft delete table ip mine
ip rule del pref 60
ip route del unreachable default table 78

# A guest's answers come in by its own way out, where that is not the host's.
ip link add vpn type veth peer name vpn-far netns lan
ip addr add 198.51.100.1/24 dev vpn
ip link set vpn up
ip -n lan addr add 198.51.100.254/24 dev vpn-far
ip -n lan link set vpn-far up
ip route add default via 198.51.100.254 table 100
ip rule add iif web lookup 100 pref 100
"$TAPGATE" up >/dev/null 2>&1
nft 'table inet mine { chain forward { type filter hook forward priority 0; policy accept; iifname "vpn" drop; }; }'
"$TAPGATE" check --live 2>&1 | grep drops >"$TMPDIR/live"
check "a way out of guests alone, by which nothing comes in: check --live names it" grep -x \
	"tapgate: web: warning: rule 2 of 'inet mine forward' drops the answers to its guests by IPv4; run, and write it where that table is made: nft 'insert rule inet mine forward oifname \"web\" accept'" "$TMPDIR/live"
check '... it is so' refuses reaches n1 193.0.14.129
check '... what it says to run helps' eval 'cure && reaches n1 193.0.14.129'
nft delete table inet mine
ip rule del pref 100
ip link del vpn

# --- ARP, and rules on one interface -----------------------------------------------------------------------------------

# names TEXT RULES LINE: check --live says that line, and a guest that has to ask for the host's address gets no further
names() {
	nft "$2"
	echo "$3" >"$TMPDIR/lines"
	check "$1: check --live names it" live
	ip -n n1 neigh flush dev eth0
	check '... it is so' refuses reaches n1 193.0.14.129
}
gone() { # gone FAMILY
	nft delete table "$1" mine
}
helps() {
	cure && wait_for 5 reaches n1 193.0.14.129
}
names 'questions for the host by ARP' \
	'table arp mine { chain in { type filter hook input priority 0; policy drop; iifname { "lab", "uplink" } accept; }; }' \
	"tapgate: web: warning: the policy of 'arp mine in' drops its guests' search for the host (ARP); run, and write it where that table is made: nft 'insert rule arp mine in iifname \"web\" accept'"
check '... what it says to run helps' helps
gone arp
names 'its answers by ARP' \
	'table arp mine { chain out { type filter hook output priority 0; oifname "web" drop; }; }' \
	"tapgate: web: warning: rule 2 of 'arp mine out' drops the host's answers to its guests' search for it (ARP); run, and write it where that table is made: nft 'insert rule arp mine out oifname \"web\" accept'"
check '... what it says to run helps' helps
gone arp
names 'ARP on a bridge' 'table bridge mine { chain in { type filter hook input priority 0; ether type arp drop; }; }' "\
tapgate: lab: warning: rule 2 of 'bridge mine in' drops its guests' search for the host (ARP); run, and write it where that table is made: nft 'insert rule bridge mine in meta ibrname \"lab\" accept'
tapgate: web: warning: rule 2 of 'bridge mine in' drops its guests' search for the host (ARP); run, and write it where that table is made: nft 'insert rule bridge mine in meta ibrname \"web\" accept'"
gone bridge
nft 'table arp mine { chain in { type filter hook input priority 0; }; chain out { type filter hook output priority 0; }; }'
ip monitor neigh >"$TMPDIR/changes" &
monitor=$!
check 'ARP that passes: nothing is in the way' clean
kill "$monitor"
check '... and the host remembers nobody of it' refuses grep -E 'dev (lab|web) lladdr 06:' "$TMPDIR/changes"
gone arp
names 'what leaves by an interface' \
	'table netdev mine { chain out { type filter hook egress device uplink priority 0; ip saddr 192.0.2.1 ip daddr 193.0.14.129 drop; }; }' \
	"tapgate: web: warning: rule 2 of 'netdev mine out' drops what its guests send to the Internet by IPv4; see: nft --handle list chain netdev mine out"
gone netdev
names 'what comes in by one' \
	'table netdev mine { chain in { type filter hook ingress device uplink priority 0; ip saddr 193.0.14.129 drop; }; }' \
	"tapgate: web: warning: rule 2 of 'netdev mine in' drops the answers to its guests by IPv4; see: nft --handle list chain netdev mine in"
gone netdev
nft 'table netdev mine { chain out { type filter hook egress device uplink priority 0; }; }'
before=$(cat /sys/class/net/uplink/statistics/tx_packets)
check 'rules on an interface that let all pass: nothing is in the way' clean
check '... and nothing has left by it' [ "$before" = "$(cat /sys/class/net/uplink/statistics/tx_packets)" ]
gone netdev

# --- how long it takes ------------------------------------------------------------------------------------------------

# Of a processor's time, as a busy machine has it wait: tests/bench/scale has the other, on an idle one.
takes() { # hundredths of a second of check --live, five times
	sh -c 'for _ in 1 2 3 4 5; do "$TAPGATE" check --live >/dev/null; done; cat /proc/$$/stat' |
		awk '{ sub(/.*\) /, ""); print $14 + $15 }'
}
quick() {
	quick_without=$(takes)
	nft 'table inet mine { chain forward { type filter hook forward priority 0; }; }'
	quick_with=$(takes)
	nft delete table inet mine
	echo "5 times: $((quick_without * 10)) ms without, $((quick_with * 10)) ms with a probe of two networks"
	[ $(((quick_with - quick_without) * 10)) -lt $((5 * 2 * 50)) ]
}
check 'a network is probed in less than 50 ms' quick

# --- what a unit or a container does not allow -------------------------------------------------------------------------

nft 'table inet mine { chain forward { type filter hook forward priority 0; }; }'
notes() { # notes TEXT SETPRIV-WORD...: what is left out is said in one line, and no more
	notes_text=$1
	shift
	setpriv "$@" "$TAPGATE" check --live >"$TMPDIR/said" 2>&1
	cat "$TMPDIR/said"
	[ "$(wc -l <"$TMPDIR/said")" = 2 ] && grep -qxF "tapgate: note: firewalls were not probed with $notes_text: Operation not permitted; run it as root in a shell, outside of units and containers" "$TMPDIR/said"
}
check 'without CAP_BPF check --live says what it left out' \
	notes 'answers to guests and taps that stand alone (bpf(2) takes CAP_BPF)' --bounding-set -bpf,-sys_admin
check '... and without CAP_NET_RAW' \
	notes 'what the host sends to guests (raw sockets take CAP_NET_RAW)' --bounding-set -net_raw
check '... and without either' notes \
	'answers to guests, taps that stand alone (bpf(2) takes CAP_BPF), and what the host sends to guests (raw sockets take CAP_NET_RAW)' \
	--bounding-set -bpf,-sys_admin,-net_raw
if command -v strace >/dev/null; then
	filtered() { # as by SystemCallFilter= of a unit
		strace -f -o /dev/null -e inject=bpf:error=EPERM "$TAPGATE" check --live 2>&1 | grep -F 'bpf(2) takes CAP_BPF'
	}
	check '... and where a filter of system calls forbids it' filtered
	# While a packet is on its way, its tap is a port of the network, and no member of it.
	slow() {
		strace -o /dev/null -P /dev/net/tun -e inject=write:delay_enter=2000000:when=1 "$TAPGATE" check --live
	}
	probes() { # a probe has joined lab
		ip link show master lab | grep -q 'tg[0-9]\{12\}'
	}
	slow >/dev/null 2>&1 &
	slow=$!
	check 'a probe that takes its time' wait_for 5 probes
	check '... is none of what status and up look at' eval '"$TAPGATE" status && says_nothing_changed'
	check '... the host has no address by it' eval '! ip -6 addr show | grep -A3 "tg[0-9]\{12\}" | grep inet6'
	check '... and it still runs' probes
	wait "$slow"
else
	skip 'a filter of system calls' 'no strace here'
fi
nft delete table inet mine

# --- a way out leads out of the host ----------------------------------------------------------------------------------

# Nothing but the chain's policy keeps others from containers. These are the rules of dockerd 26.1.5 (Debian 13), as it
# made them; before version 28 it has no other.
ip netns add container
ip link add docker0 type bridge
ip addr add 172.17.0.1/16 dev docker0
ip link set docker0 up
ip link add box type veth peer name eth0 netns container
ip link set box master docker0 up
ip -n container addr add 172.17.0.2/16 dev eth0
ip -n container link set eth0 up
ip -n container route add default via 172.17.0.1
nft -f - <<'EOT'
table ip filter {
	chain DOCKER {
	}
	chain DOCKER-USER {
		counter return
	}
	chain DOCKER-ISOLATION-STAGE-2 {
		oifname "docker0" counter drop
		counter return
	}
	chain DOCKER-ISOLATION-STAGE-1 {
		iifname "docker0" oifname != "docker0" counter jump DOCKER-ISOLATION-STAGE-2
		counter return
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		counter jump DOCKER-USER
		counter jump DOCKER-ISOLATION-STAGE-1
		oifname "docker0" ct state related,established counter accept
		oifname "docker0" counter jump DOCKER
		iifname "docker0" oifname != "docker0" counter accept
		iifname "docker0" oifname "docker0" counter accept
	}
}
EOT
check "Docker's chain is opened" eval '"$TAPGATE" up | grep "web: opened .ip filter FORWARD. "'
check '... guests get out' reaches n1 193.0.14.129
check '... and not into containers' refuses reaches n1 172.17.0.2
check '... as they would' eval 'nft insert rule ip filter FORWARD iifname web accept && reaches n1 172.17.0.2'
check '... status and check are content' eval '"$TAPGATE" status && clean'
ip link add later type veth peer name later-far netns lan
ip addr add 198.51.100.1/24 dev later
ip link set later up
check 'another way out: status says what is missing' eval '"$TAPGATE" status | grep -q "not as wanted"'
check '... up opens it' eval '"$TAPGATE" up | grep "web: opened .ip filter FORWARD. "'
check '... and nothing more' says_nothing_changed
ip link del later
check '... gone: up takes its rule away' eval '"$TAPGATE" up && ! nft list table ip filter | grep later'
nft delete table ip filter
ip link del docker0

# The rules of netavark 1.14.0 (Debian 13), as it made them for one container with a port; less those of NAT.
nft -f - <<'EOT'
table inet netavark {
	chain INPUT {
		type filter hook input priority filter; policy accept;
		ip saddr 10.88.0.0/16 meta l4proto { 6, 17 } th dport 53 accept
	}
	chain NETAVARK-ISOLATION-2 {
	}
	chain NETAVARK-ISOLATION-3 {
		oifname "podman0" drop
		jump NETAVARK-ISOLATION-2
	}
	chain NETAVARK-ISOLATION-1 {
	}
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
		ct state invalid drop
		jump NETAVARK-ISOLATION-1
		ip daddr 10.88.0.0/16 ct state established,related accept
		ip saddr 10.88.0.0/16 accept
	}
}
EOT
check "netavark's rules: nothing is in the way" clean
check '... guests get out' reaches n1 193.0.14.129
nft delete table inet netavark

# --- the LAN's way in to a routed network -----------------------------------------------------------------------------

cp /etc/tapgate.conf "$TMPDIR/policy"
sed -i 's/web nat/web routed/' /etc/tapgate.conf
"$TAPGATE" up --force >/dev/null 2>&1
ip -n lan route add 10.77.0.0/24 via 192.0.2.1
check 'a routed network: nothing is in the way' clean
stops 'the LAN is kept out' 'table inet mine {
	chain forward {
		type filter hook forward priority 0; policy accept;
		ct state established,related accept
		iifname "uplink" ct state new counter drop
	}
}' 'in_netns lan "$busybox" ping -c 1 -W 1 10.77.0.2' <<'EOT'
tapgate: web: warning: rule 3 of 'inet mine forward' drops what the LAN sends to its guests; run, and write it where that table is made: nft 'insert rule inet mine forward oifname "web" accept'
EOT
cp "$TMPDIR/policy" /etc/tapgate.conf
"$TAPGATE" up --force >/dev/null 2>&1

# --- bridges of others ------------------------------------------------------------------------------------------------

ip link add br0 type bridge
ip link add port type veth peer name port-far
ip link set port mtu 9000 master br0 up
ip link set port-far mtu 9000 up
ip link set br0 up
echo 'allow br0 user=alice' >>/etc/tapgate.conf
wait_for 5 eval '[ "$(cat /sys/class/net/br0/mtu)" = 9000 ]'
: >"$TMPDIR/changes"
ip monitor link dev br0 >"$TMPDIR/changes" &
monitor=$!
nft 'table bridge mine { chain forward { type filter hook forward priority 0; policy drop; }; }'
"$TAPGATE" check --live 2>&1 | grep br0 >"$TMPDIR/live"
check "a bridge of others: what crosses it is dropped, check --live names it" grep -q \
	"tapgate: br0: warning: the policy of 'bridge mine forward' drops what crosses the bridge; run, and write it where that table is made: nft 'insert rule bridge mine forward meta ibrname \"br0\" meta obrname \"br0\" accept'" "$TMPDIR/live"
nft delete table bridge mine
kill "$monitor"
check '... and has its MTU and its hardware address all the while' eval \
	'! grep -v "^Deleted" "$TMPDIR/changes" | grep "br0:" | grep -v "mtu 9000" &&
	[ "$(grep -o "link/ether [^ ]*" "$TMPDIR/changes" | sort -u | wc -l)" -le 1 ]'
check '... nothing else is said of it' eval '! "$TAPGATE" check --live 2>&1 | grep "br0: warning: .*drops"'
ip link del br0
ip link del port 2>/dev/null

# --- networks that stand alone ----------------------------------------------------------------------------------------

policy 'network alone standalone 172.16.9.1/24 fd00:9::1/64' 'allow alone user=alice'
"$TAPGATE" up --force >/dev/null 2>&1
check 'a guest that stands alone' guest s1 alone 172.16.9.2/24 fd00:9::2/64
check 'nothing is in its way' clean
stops 'input, without ICMPv6' 'table inet mine {
	chain input {
		type filter hook input priority 0; policy drop;
		iifname lo accept
		ct state established,related accept
	}
}' 'ip -n s1 neigh flush dev eth0; reaches s1 fd00:9::1' <<'EOT'
tapgate: alone: warning: the policy of 'inet mine input' drops its guests' search for the host (neighbour discovery); run, and write it where that table is made: nft 'insert rule inet mine input iifname "alone" meta l4proto icmpv6 accept'
EOT
stops 'output, without ICMPv6' 'table inet mine {
	chain output {
		type filter hook output priority 0; policy drop;
		oifname lo accept
	}
}' 'ip -n s1 neigh flush dev eth0; reaches s1 fd00:9::1' <<'EOT'
tapgate: alone: warning: the policy of 'inet mine output' drops the host's answers to its guests' search for it (neighbour discovery); run, and write it where that table is made: nft 'insert rule inet mine output oifname "alone" meta l4proto icmpv6 accept'
EOT
finish
