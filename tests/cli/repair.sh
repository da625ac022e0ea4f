#!/bin/sh
# What drifted is found by `tapgate status`, and put right by `tapgate up`: that, and nothing else. With the word
# "guards" what happened to guards and to rules in others' chains, without it everything else.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# states: what status says of networks that are not up, a line each: name, state, what differs
states() {
	"$TAPGATE" status | awk '
		/^[^ ]/ { if (line) print line; line = ""; if ($3 != "up") line = $1 " " $3 }
		/^  not as wanted: / { sub(/^  not as wanted: /, ""); sub(/; run .*/, ""); line = line " " $0 }
		END { if (line) print line }'
}

# finds STATES: status exits with 1, and says that of these networks and of no other
finds() {
	states | tee "$TMPDIR/states"
	[ "$(cat "$TMPDIR/states")" = "$1" ] && refuses "$TAPGATE" status >/dev/null
}

# as_before: all is as it was made; numbers that the kernel gives aside
as_before() {
	soon_alike "$TMPDIR/made"
}

# drift TEXT STATES COMMAND: after the command, status finds these states; up says what is in standard input; then all
# is as it was, and a second up finds nothing to do
drift() {
	cat >"$TMPDIR/lines"
	check "$1" eval "$3"
	check "$1: status says so" finds "$2"
	would <"$TMPDIR/lines" >"$TMPDIR/would"
	check "$1: up --dry-run says what it would do" "$dry" 0 up --dry-run <"$TMPDIR/would"
	check "$1: up puts it right" says 0 up <"$TMPDIR/lines"
	check "$1: all is as it was" as_before
	check "$1: nothing more to do" says_nothing_changed
}

# line NETWORK NEW: another line for it in the policy
line() {
	sed -i "s|^network $1 .*|$2|" /etc/tapgate.conf
}

# change NETWORK NEW-LINE: the policy says so now; up says what is in standard input, up to a line "--", and when the
# policy is the old one again, what follows it; then all is as it was
change() {
	cat >"$TMPDIR/lines"
	sed '/^--$/,$d' "$TMPDIR/lines" >"$TMPDIR/forth"
	sed '1,/^--$/d' "$TMPDIR/lines" >"$TMPDIR/back"
	cp /etc/tapgate.conf "$TMPDIR/policy"
	line "$1" "$2"
	check "'$2': status says so" refuses "$TAPGATE" status "$1"
	check "'$2': up puts it right" says 0 up <"$TMPDIR/forth"
	check "'$2': nothing more to do" says_nothing_changed
	case $2 in
	*bridged) ;; # not ours to make
	*) check "'$2': status finds it up" "$TAPGATE" status "$1" ;;
	esac
	cp "$TMPDIR/policy" /etc/tapgate.conf
	check "'$2', and back: up puts it right" says 0 up <"$TMPDIR/back"
	check "'$2', and back: all is as it was" as_before
}

drop_chains() { # firewalls of others: Docker's, one for what comes in, firewalld's
	nft -f - <<-'EOT'
		table ip filter {
			chain DOCKER { }
			chain FORWARD {
				type filter hook forward priority filter; policy drop;
				counter jump DOCKER
			}
		}
		table inet firewall {
			chain incoming {
				type filter hook input priority filter; policy accept;
				ct state established,related accept
				reject with icmpx admin-prohibited
			}
			chain through {
				type filter hook forward priority 10; policy accept;
				ct state established,related accept
				counter drop
			}
		}
	EOT
}

policy - <<'EOT'
allow all user=alice
network lab   host-only  172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100 mtu=1400
network quiet internal
network web   nat        10.77.0.1/24 fd00:77::1/64
network tap1  standalone 172.16.3.1/24
EOT
ip link add uplink type veth peer name far
ip link set uplink addrgenmode none
ip link set far addrgenmode none
ip addr add 192.0.2.1/24 dev uplink
ip link set uplink up
ip link set far up
ip route add default via 192.0.2.254
[ "${1-}" != guards ] || drop_chains
check 'up makes the networks' "$TAPGATE" up
wait_for 5 grep -q . /proc/net/if_inet6
alike_now "$TMPDIR/made"

everything_else() {
	drift 'an IPv4 address removed' 'lab different addresses' 'ip addr del 172.16.2.1/24 dev lab' <<-EOT
		lab: added the address 172.16.2.1/24
	EOT
	drift 'an IPv6 address removed' 'web different addresses' 'ip addr del fd00:77::1/64 dev web' <<-EOT
		web: added the address fd00:77::1/64
	EOT
	drift 'addresses of others' 'lab different addresses
quiet different addresses' 'ip addr add 198.51.100.1/24 dev lab; ip addr add 2001:db8::1/64 dev quiet nodad' <<-EOT
		lab: removed the address 198.51.100.1/24
		quiet: removed the address 2001:db8::1/64
	EOT
	drift 'the same address with another prefix' 'lab different addresses' \
		'ip addr del 172.16.2.1/24 dev lab; ip addr add 172.16.2.1/16 dev lab' <<-EOT
		lab: removed the address 172.16.2.1/16
		lab: added the address 172.16.2.1/24
	EOT
	drift 'a link-local address on an internal network' \
		'quiet different addresses' 'ip addr add fe80::1/64 dev quiet nodad' <<-EOT
		quiet: removed the address fe80::1/64
	EOT
	drift 'a bridge down' 'quiet down' 'ip link set quiet down' <<-EOT
		quiet: brought the bridge up
	EOT
	drift 'a bridge with IPv6 down, which then has lost its address' 'web down' 'ip link set web down' <<-EOT
		web: added the address fd00:77::1/64
		web: added the address fe80::1/64
		web: brought the bridge up
	EOT
	mac=$(mac_of quiet)
	drift 'another hardware address' \
		'quiet different hardware address' 'ip link set quiet address 52:54:00:00:00:01' <<-EOT
		quiet: repaired its bridge's hardware address
	EOT
	check 'the hardware address is the old one' [ "$(mac_of quiet)" = "$mac" ]
	drift 'spanning tree on' \
		'lab different spanning tree and forward delay' 'ip link set lab type bridge stp_state 1' <<-EOT
		lab: repaired its bridge's spanning tree and forward delay
	EOT
	drift 'a forward delay' \
		'lab different spanning tree and forward delay' 'ip link set lab type bridge forward_delay 1500' <<-EOT
		lab: repaired its bridge's spanning tree and forward delay
	EOT
	drift 'another MTU' 'lab different MTU' 'ip link set lab mtu 1450' <<-EOT
		lab: repaired its bridge's MTU
	EOT
	drift 'a mark of another mode' \
		"web different mark (its mode)" 'ip link set web alias "tapgate network=web mode=internal"' <<-EOT
		web: repaired its bridge's mark (its mode)
	EOT
	drift 'IPv6 addresses by themselves on an internal network' 'quiet different choice of an IPv6 address' \
		'ip link set quiet addrgenmode eui64; ip addr flush dev quiet' <<-EOT
		quiet: repaired its bridge's choice of an IPv6 address
	EOT
	drift 'and on another' 'lab different choice of an IPv6 address' 'ip link set lab addrgenmode eui64' <<-EOT
		lab: repaired its bridge's choice of an IPv6 address
	EOT
	drift 'the link-local address of a router removed' \
		'lab different addresses' 'ip addr del fe80::1/64 dev lab' <<-EOT
		lab: added the address fe80::1/64
	EOT
	{
		echo 'quiet: made the bridge'
		"$keeps_hooks" || echo 'quiet: put up its guard'
		echo 'quiet: brought the bridge up'
	} >"$TMPDIR/remade"
	drift 'no bridge' 'quiet missing' 'ip link del quiet' <"$TMPDIR/remade"
	drift 'no bridge of a network with everything' 'lab missing' 'ip link del lab' <<-EOT
		lab: made the bridge
		lab: added the address 172.16.2.1/24
		lab: added the address fd00:2::1/64
		lab: added the address fe80::1/64
		lab: brought the bridge up
		lab: restarted dnsmasq
	EOT
	# shellcheck disable=SC2016 # expanded there
	drift 'dnsmasq killed' 'lab different DHCP' 'kill -KILL $(pid_of lab); wait_for 5 serves_nothing lab' <<-EOT
		lab: started dnsmasq
	EOT
	# shellcheck disable=SC2016
	drift 'a dnsmasq with other words in its place' 'lab different DHCP' 'other_dnsmasq' <<-EOT
		lab: restarted dnsmasq
	EOT
	check '... and that one is gone' [ "$(dnsmasqs | wc -l)" = 1 ]
	drift 'its pid file lost' 'lab different DHCP' 'rm /run/tapgate/lab.pid' <<-EOT
		lab: started dnsmasq
	EOT
	check '... and there is only one dnsmasq' [ "$(dnsmasqs | wc -l)" = 1 ]
	drift 'the pid file of somebody else' 'lab different DHCP' 'echo 1 >/run/tapgate/lab.pid' <<-EOT
		lab: started dnsmasq
	EOT
	drift 'IPv4 forwarding off on the bridge' \
		'web different IPv4 forwarding' 'set_sysctl ipv4/conf/web/forwarding 0' <<-EOT
		web: switched on net.ipv4.conf.web.forwarding (the way in)
	EOT
	drift 'IPv4 forwarding off on the way out' \
		'web different IPv4 forwarding on the way out' 'set_sysctl ipv4/conf/uplink/forwarding 0' <<-EOT
		web: switched on net.ipv4.conf.uplink.forwarding (the way out)
	EOT
	drift 'IPv6 forwarding off' \
		'web different IPv6 forwarding' 'set_sysctl ipv6/conf/all/forwarding 0; set_sysctl ipv6/conf/default/forwarding 0' <<-EOT
		web: switched on net.ipv6.conf.all.forwarding (the way in and out)
	EOT
	drift 'much at once' 'lab down
quiet different guard
web different mark (its mode)
tap1 missing' 'ip link set lab down; nft flush chain netdev tapgate-quiet ingress
		nft add rule netdev tapgate-quiet ingress accept; ip link set web alias "tapgate network=web mode=host-only"
		nft delete table inet tapgate-tap1' <<-EOT
		lab: added the address fd00:2::1/64
		lab: added the address fe80::1/64
		lab: brought the bridge up
		quiet: put up its guard
		web: repaired its bridge's mark (its mode)
		tap1: put up its guard
	EOT

	change lab 'network lab host-only 172.16.2.7/24 fd00:2::1/64 dhcp=172.16.2.10-172.16.2.100 mtu=1400' <<-EOT
		lab: put up its guard
		lab: removed the address 172.16.2.1/24
		lab: added the address 172.16.2.7/24
		lab: restarted dnsmasq
		--
		lab: put up its guard
		lab: removed the address 172.16.2.7/24
		lab: added the address 172.16.2.1/24
		lab: restarted dnsmasq
	EOT
	change lab 'network lab host-only 172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.99 mtu=1400' <<-EOT
		lab: restarted dnsmasq
		--
		lab: restarted dnsmasq
	EOT
	change lab 'network lab host-only 172.16.2.1/24 fd00:2::1/64 mtu=1400' <<-EOT
		lab: stopped dnsmasq
		--
		lab: started dnsmasq
	EOT
	change lab 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.2-172.16.2.100 mtu=1400' <<-EOT
		lab: put up its guard
		lab: removed the address fd00:2::1/64
		lab: removed the address fe80::1/64
		lab: restarted dnsmasq
		--
		lab: put up its guard
		lab: added the address fd00:2::1/64
		lab: added the address fe80::1/64
		lab: restarted dnsmasq
	EOT
	change lab 'network lab host-only 172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100 mtu=1300' <<-EOT
		lab: repaired its bridge's MTU
		lab: restarted dnsmasq
		--
		lab: repaired its bridge's MTU
		lab: restarted dnsmasq
	EOT
	change lab 'network lab host-only 172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100' <<-EOT
		lab: repaired its bridge's MTU
		lab: restarted dnsmasq
		--
		lab: repaired its bridge's MTU
		lab: restarted dnsmasq
	EOT
	change lab 'network lab internal mtu=1400' <<-EOT
		lab: repaired its bridge's mark (its mode)
		lab: put up its guard
		lab: removed the address 172.16.2.1/24
		lab: removed the address fd00:2::1/64
		lab: removed the address fe80::1/64
		lab: stopped dnsmasq
		--
		lab: repaired its bridge's mark (its mode)
		lab: put up its guard
		lab: added the address 172.16.2.1/24
		lab: added the address fd00:2::1/64
		lab: added the address fe80::1/64
		lab: started dnsmasq
	EOT
	change quiet 'network quiet standalone 172.16.9.1/24' <<-EOT
		quiet: removed the bridge
		quiet: put up its guard
		--
		quiet: made the bridge
		quiet: put up its guard
		quiet: brought the bridge up
	EOT
	change web 'network web host-only 10.77.0.1/24 fd00:77::1/64' <<-EOT
		web: repaired its bridge's mark (its mode)
		web: put up its guard
		--
		web: repaired its bridge's mark (its mode)
		web: put up its guard
	EOT
	change web 'network web bridged' <<-EOT
		web: removed the bridge
		web: took down its guard
		--
		web: made the bridge
		web: put up its guard
		web: added the address 10.77.0.1/24
		web: added the address fd00:77::1/64
		web: added the address fe80::1/64
		web: brought the bridge up
		web: switched on net.ipv4.conf.web.forwarding (the way in)
	EOT
	change tap1 'network tap1 standalone 172.16.3.0/24 per-vm=/30' <<-EOT
		tap1: put up its guard
		--
		tap1: put up its guard
	EOT
}

other_dnsmasq() {
	kill "$(pid_of lab)"
	wait_for 5 serves_nothing lab
	dnsmasq --user=dnsmasq --conf-file=/dev/null --pid-file=/run/tapgate/lab.pid --port=0 --interface=lab --bind-interfaces
}

rule() { # rule FAMILY TABLE CHAIN NUMBER: the handle of that rule of the chain
	nft -a list chain "$1" "$2" "$3" | sed -n 's/.*# handle \([0-9]*\)$/\1/p' | sed -n "$(($4 + 1))p"
}

# The name of the guard's seal, as one who wanted to would have to forge it.
seal_of() { # seal_of FAMILY NETWORK
	nft list table "$1" "tapgate-$2" | sed -n 's/.*chain \(seal[^ ]*\).*/\1/p'
}

guards() {
	for of in 'inet lab' 'netdev quiet' 'inet web' 'inet tap1'; do
		family=${of% *} network=${of#* }
		changed="$network different guard"
		gone="$changed"
		[ "$network" != tap1 ] || gone='tap1 missing'
		drift "$network: the guard's table deleted" "$gone" "nft delete table $family tapgate-$network" <<-EOT
			$network: put up its guard
		EOT
		drift "$network: an empty chain added" "$changed" "nft add chain $family tapgate-$network new" <<-EOT
			$network: put up its guard
		EOT
		drift "$network: the guard dormant" \
			"$changed" "nft add table $family tapgate-$network '{ flags dormant; }'" <<-EOT
			$network: put up its guard
		EOT
		drift "$network: the seal deleted" \
			"$changed" "nft delete chain $family tapgate-$network $(seal_of "$family" "$network")" <<-EOT
			$network: put up its guard
		EOT
		drift "$network: a second seal" "$changed" \
			"nft add chain $family tapgate-$network seal/nat/0123456789abcdef/0123456789abcdef" <<-EOT
			$network: put up its guard
		EOT
		[ "$family" = inet ] || continue
		drift "$network: the guard flushed" "$changed" "nft flush table $family tapgate-$network" <<-EOT
			$network: put up its guard
		EOT
		drift "$network: one of its rules deleted" "$changed" \
			"nft delete rule $family tapgate-$network forward handle $(rule "$family" "tapgate-$network" forward 1)" <<-EOT
			$network: put up its guard
		EOT
		drift "$network: a rule inserted" \
			"$changed" "nft insert rule $family tapgate-$network forward accept" <<-EOT
			$network: put up its guard
		EOT
		drift "$network: a rule replaced by one as long" "$changed" \
			"nft replace rule $family tapgate-$network forward \
				handle $(rule "$family" "tapgate-$network" forward 1) 'iifname \"$network\" counter accept'" <<-EOT
			$network: put up its guard
		EOT
		drift "$network: a chain with a rule added" "$changed" \
			"nft 'add chain $family tapgate-$network first { type filter hook forward priority -300; }
			add rule $family tapgate-$network first accept'" <<-EOT
			$network: put up its guard
		EOT
	done
	drift 'quiet: a policy of accept' 'quiet different guard' \
		'nft add chain netdev tapgate-quiet ingress "{ policy accept; }"' <<-EOT
		quiet: put up its guard
	EOT
	# Where the guard has no hold on a bridge that was made anew, it is found changed; hostile.sh looks where it has
	# one.
	"$keeps_hooks" || drift 'quiet: the bridge made anew by somebody, as ours, without guard' 'quiet different guard' \
		'ip link del quiet; ip link add quiet address 02:74:67:df:c0:08 type bridge forward_delay 0
		ip link set quiet alias "tapgate network=quiet mode=internal" addrgenmode none; ip link set quiet up' <<-EOT
		quiet: put up its guard
	EOT
	drift 'the guard of another family in its place' 'lab different guard' \
		'nft delete table inet tapgate-lab; nft add table netdev tapgate-lab' <<-EOT
		lab: put up its guard
	EOT

	drift 'one rule of ours removed from Docker'"'"'s chain' "lab different rules in others' chains" \
		"nft delete rule ip filter FORWARD handle $(rule ip filter FORWARD 2)" <<-EOT
		lab: opened 'ip filter FORWARD' to what its guard lets through (that chain drops the rest)
	EOT
	# shellcheck disable=SC2016 # expanded there
	drift 'all rules of ours removed from a chain of incoming packets' "lab different rules in others' chains" \
		'for number in 1 2 3 4; do nft delete rule inet firewall incoming handle $(rule inet firewall incoming 2); done' <<-EOT
		lab: opened 'inet firewall incoming' to what its guard lets through (that chain drops the rest)
	EOT
	drift 'a chain reloaded by its owner' "lab different rules in others' chains
quiet different rules in others' chains
web different rules in others' chains" "nft 'flush chain inet firewall through
		add rule inet firewall through ct state established,related accept; add rule inet firewall through counter drop'" <<-EOT
		lab: opened 'inet firewall through' to what its guard lets through (that chain drops the rest)
		quiet: opened 'inet firewall through' to what its guard lets through (that chain drops the rest)
		web: opened 'inet firewall through' to what its guard lets through (that chain drops the rest)
	EOT
	drift 'all rules flushed, and those of others back, as by a reload of nftables' "lab different guard
quiet different guard
web different guard
tap1 missing" 'nft flush ruleset; drop_chains' <<-EOT
		lab: put up its guard
		quiet: put up its guard
		web: put up its guard
		tap1: put up its guard
		lab: opened 'ip filter FORWARD' to what its guard lets through (that chain drops the rest)
		quiet: opened 'ip filter FORWARD' to what its guard lets through (that chain drops the rest)
		web: opened 'ip filter FORWARD' to what its guard lets through (that chain drops the rest)
		lab: opened 'inet firewall incoming' to what its guard lets through (that chain drops the rest)
		lab: opened 'inet firewall through' to what its guard lets through (that chain drops the rest)
		quiet: opened 'inet firewall through' to what its guard lets through (that chain drops the rest)
		web: opened 'inet firewall through' to what its guard lets through (that chain drops the rest)
	EOT
}

# Since Linux 6.16 a chain for a device stays when that goes, and counts again when one of its name comes.
keeps_hooks=false
ip link add gone type bridge
nft 'add table netdev gone; add chain netdev gone in { type filter hook ingress device "gone" priority 0; }'
ip link del gone
! nft list table netdev gone | grep -q hook || keeps_hooks=true
nft delete table netdev gone

if [ "${1-}" = guards ]; then
	dry=says
	guards
else
	dry=changes_nothing
	everything_else
fi
finish
