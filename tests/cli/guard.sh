#!/bin/sh
# SPDX-License-Identifier: MIT
# Who reaches whom, IPv4 and IPv6, on a host that forwards everything, sends frames between bridge ports through its
# firewall, and has a firewall that drops whatever nobody accepts.
#
#	tests/cli/guard.sh first|later iptables|nft
#
# first: the firewall is there when `tapgate up` runs. later: it comes afterwards, and `tapgate up` runs again.
# iptables: chains as Docker makes them, by iptables-nft and ip6tables-nft, which must be able to read them still.
# nft: the same in tables of nft, and an administrator's own, that ends in a reject, with the lines that `check` tells.
#
#	 netns lan                    the host                  lab            quiet          web         tap1   cell-1 cell-2
#	+--------------+    +------------------------+       +---------+    +----------+    +-----+         |       |      |
#	| 192.0.2.50   |----| uplink 192.0.2.1       |       |host-only|    | internal |    | nat |         |       |      |
#	| 198.51.100.1 |    |                        |       +--+---+--+    +--+----+--+    +-+--++         |       |      |
#	+--------------+    +------------------------+          |   |          |    |         |  |          |       |      |
#	                                                       h1   h2        i1    i2       n1  n2         s1      c1     c2
#
# Beside these home (shared) with w1 and w2, and dmz (routed) with r1 and r2, as web. Guests are namespaces, with taps that alice has by the helper's leave. All have a default route by way of the host,
# and the LAN a route to every network of ours: it is the guards that keep them apart.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

order=$1 kind=$2
case $kind in
iptables) command -v iptables-nft ip6tables-nft >/dev/null || {
	skip "guard.sh $*" 'no iptables-nft here'
	finish
	exit
} ;;
esac

# --- the world --------------------------------------------------------------------------------------------------------

guests() { # name, network, addresses, next hops
	cat <<-'EOT'
		h1 lab   172.16.2.11/24 fd00:2::11/64 172.16.2.1   fd00:2::1
		h2 lab   172.16.2.12/24 fd00:2::12/64 172.16.2.1   fd00:2::1
		i1 quiet 172.16.9.11/24 fd00:9::11/64 172.16.9.1   fd00:9::1
		i2 quiet 172.16.9.12/24 fd00:9::12/64 172.16.9.1   fd00:9::1
		n1 web   10.77.0.11/24  fd00:77::11/64 10.77.0.1   fd00:77::1
		n2 web   10.77.0.12/24  fd00:77::12/64 10.77.0.1   fd00:77::1
		w1 home  10.78.0.11/24  fd00:78::11/64 10.78.0.1   fd00:78::1
		w2 home  10.78.0.12/24  fd00:78::12/64 10.78.0.1   fd00:78::1
		r1 dmz   10.79.0.11/24  fd00:79::11/64 10.79.0.1   fd00:79::1
		r2 dmz   10.79.0.12/24  fd00:79::12/64 10.79.0.1   fd00:79::1
		s1 tap1  172.16.3.2/24  fd00:3::2/64  172.16.3.1   fd00:3::1
		c1 cell  172.16.128.2/30 fd00:c::2/126 172.16.128.1 fd00:c::1
		c2 cell  172.16.128.6/30 fd00:c::6/126 172.16.128.5 fd00:c::5
	EOT
}

hostile() {
	set_sysctl ipv4/ip_forward 1
	set_sysctl ipv6/conf/all/forwarding 1
	set_sysctl ipv4/conf/all/rp_filter 0
	set_sysctl ipv4/conf/default/rp_filter 0
	for family in iptables ip6tables arptables; do
		set_sysctl "bridge/bridge-nf-call-$family" 1
	done
}

lan() {
	ip netns add lan
	ip link add uplink type veth peer name to-host netns lan
	ip addr add 192.0.2.1/24 dev uplink
	ip addr add 2001:db8:1::1/64 dev uplink nodad
	ip link set uplink up
	ip -n lan addr add 192.0.2.50/24 dev to-host
	ip -n lan addr add 2001:db8:1::50/64 dev to-host nodad
	ip -n lan addr add 198.51.100.1/32 dev lo
	ip -n lan addr add 2001:db8:ff::1/128 dev lo
	ip -n lan link set lo up
	ip -n lan link set to-host up
	ip route add default via 192.0.2.50
	ip -6 route add default via 2001:db8:1::50
	ip -n lan route add 172.16.0.0/12 via 192.0.2.1
	ip -n lan route add 10.76.0.0/14 via 192.0.2.1
	ip -n lan -6 route add fd00::/8 via 2001:db8:1::1
}

# As Docker leaves it; and for what comes in, a chain that ends in a drop, where ours must be before it.
iptables_firewall() {
	for family in '' 6; do
		"ip${family}tables-nft" -P FORWARD DROP
		"ip${family}tables-nft" -N DOCKER-USER
		"ip${family}tables-nft" -A FORWARD -j DOCKER-USER
		"ip${family}tables-nft" -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		"ip${family}tables-nft" -A DOCKER-USER -j RETURN
		"ip${family}tables-nft" -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		"ip${family}tables-nft" -A INPUT -j DROP
	done
	iptables-nft -I INPUT 2 -p icmp -j ACCEPT
	ip6tables-nft -I INPUT 2 -p icmpv6 -j ACCEPT
}

nft_firewall() {
	for family in ip ip6; do
		nft -f - <<-EOT
			table $family filter {
				chain DOCKER-USER { }
				chain FORWARD {
					type filter hook forward priority filter; policy drop;
					counter jump DOCKER-USER
				}
			}
		EOT
	done
	nft -f - <<-'EOT'
		table inet mine {
			chain filter_INPUT {
				type filter hook input priority filter + 10; policy accept;
				ct state { established, related } accept
				iifname "lo" accept
				meta l4proto { icmp, icmpv6 } accept
				ct state invalid drop
				reject with icmpx admin-prohibited
			}
			chain filter_FORWARD {
				type filter hook forward priority filter + 10; policy accept;
				ct state { established, related } accept
				ct state invalid drop
				reject with icmpx admin-prohibited
			}
		}
	EOT
}

readable() { # each chain is as iptables can show it, ours too, and can be changed by it
	[ "$kind" = iptables ] || return 0
	for family in '' 6; do
		"ip${family}tables-nft" -L -n -v 2>&1 | tee "$TMPDIR/listed"
		"ip${family}tables-nft" -S 2>&1 | tee "$TMPDIR/saved"
		! grep -i incompatible "$TMPDIR/listed" "$TMPDIR/saved" || return 1
		grep -q 'tapgate: lab, guest to guest' "$TMPDIR/listed" &&
			grep -q -e '-A FORWARD -i lab -o lab .*-j ACCEPT' "$TMPDIR/saved" &&
			"ip${family}tables-nft" -A DOCKER-USER -i nowhere -j DROP &&
			"ip${family}tables-nft-save" >"$TMPDIR/whole" &&
			"ip${family}tables-nft-restore" --test <"$TMPDIR/whole" || return 1
	done
}

# --- who reaches whom -------------------------------------------------------------------------------------------------

pings() { # pings FROM ADDRESS: FROM is a namespace, or host
	case $1 in
	host) "$busybox" ping -q -c 1 -W 1 "$2" ;;
	*) in_netns "$1" "$busybox" ping -q -c 1 -W 1 "$2" ;;
	esac
}

# Ask all at once: what is to fail takes a second. The answers are files, FROM-ADDRESS, that hold y or n.
ask() {
	rm -rf "$TMPDIR/answers"
	mkdir "$TMPDIR/answers"
	while read -r from _ ipv4 ipv6 _; do
		case $from in
		'#'*) continue ;;
		esac
		for address in "$ipv4" "$ipv6"; do
			(pings "$from" "$address" >/dev/null 2>&1 && echo y || echo n) >"$TMPDIR/answers/$from-$address" &
			asked="${asked-} $!"
		done
	done <"$TMPDIR/table"
	# shellcheck disable=SC2086 # numbers
	wait $asked
	asked=
}

# Who, what, addresses, and whether they are to be reached.
table() {
	cat <<-'EOT'
		h1   guest-of-the-same-host-only-network 172.16.2.12   fd00:2::12       y
		h1   host-by-host-only                172.16.2.1     fd00:2::1        y
		h1   LAN-from-host-only               192.0.2.50     2001:db8:1::50   n
		h1   guest-of-an-internal-network     172.16.9.11    fd00:9::11       n
		h1   guest-of-nat                     10.77.0.11     fd00:77::11      n
		h1   standalone-guest                 172.16.3.2     fd00:3::2        n
		lan  guest-of-host-only               172.16.2.11    fd00:2::11       n
		host guest-of-host-only               172.16.2.11    fd00:2::11       y
		i1   guest-of-the-same-internal-network 172.16.9.12  fd00:9::12       y
		i1   host-by-internal                 192.0.2.1      2001:db8:1::1    n
		i1   LAN-from-internal                192.0.2.50     2001:db8:1::50   n
		lan  guest-of-internal                172.16.9.11    fd00:9::11       n
		host guest-of-internal                172.16.9.11    fd00:9::11       n
		n1   guest-of-the-same-nat-network    10.77.0.12     fd00:77::12      n
		n1   router-of-nat                    10.77.0.1      fd00:77::1       y
		n1   LAN-from-nat                     192.0.2.50     2001:db8:1::50   y
		n1   Internet-from-nat                198.51.100.1   2001:db8:ff::1   y
		n1   guest-of-host-only               172.16.2.11    fd00:2::11       n
		lan  guest-of-nat                     10.77.0.11     fd00:77::11      n
		host guest-of-nat                     10.77.0.11     fd00:77::11      n
		w1   guest-of-the-same-shared-network 10.78.0.12     fd00:78::12      y
		w1   LAN-from-shared                  192.0.2.50     2001:db8:1::50   y
		w1   Internet-from-shared             198.51.100.1   2001:db8:ff::1   y
		w1   guest-of-nat                     10.77.0.11     fd00:77::11      n
		lan  guest-of-shared                  10.78.0.11     fd00:78::11      n
		host guest-of-shared                  10.78.0.11     fd00:78::11      y
		r1   guest-of-the-same-routed-network 10.79.0.12     fd00:79::12      y
		r1   Internet-from-routed             198.51.100.1   2001:db8:ff::1   y
		r1   guest-of-shared                  10.78.0.11     fd00:78::11      n
		w1   guest-of-routed                  10.79.0.11     fd00:79::11      y
		lan  guest-of-routed                  10.79.0.11     fd00:79::11      y
		host guest-of-routed                  10.79.0.11     fd00:79::11      y
		s1   host-by-standalone               172.16.3.1     fd00:3::1        y
		s1   LAN-from-standalone              192.0.2.50     2001:db8:1::50   n
		s1   guest-of-host-only               172.16.2.11    fd00:2::11       n
		lan  standalone-guest                 172.16.3.2     fd00:3::2        n
		host standalone-guest                 172.16.3.2     fd00:3::2        y
		c1   host-by-pool                     172.16.128.1   fd00:c::1        y
		c1   other-guest-of-the-pool          172.16.128.6   fd00:c::6        n
		c1   LAN-from-pool                    192.0.2.50     2001:db8:1::50   n
		lan  guest-of-pool                    172.16.128.2   fd00:c::2        n
		host guest-of-pool                    172.16.128.2   fd00:c::2        y
		lan  host-itself                      192.0.2.1      2001:db8:1::1    y
	EOT
}

answer() { # answer FROM ADDRESS
	cat "$TMPDIR/answers/$1-$2"
}

as_the_table_says() { # as_the_table_says WHEN: a check for each row and family
	table >"$TMPDIR/table"
	ask
	while read -r from what ipv4 ipv6 expected; do
		for address in "$ipv4" "$ipv6"; do
			check "$1: $from, $(echo "$what" | tr - ' '), $address: $expected" [ "$(answer "$from" "$address")" = "$expected" ]
		done
	done <"$TMPDIR/table"
}

cut_off() { # without our rules in it, the firewall cuts guests off: so the table shows that they do something
	table | grep -e 'same-host-only' -e 'same-internal' -e Internet-from >"$TMPDIR/table"
	ask
	grep -r . "$TMPDIR/answers"
	! grep -qr y "$TMPDIR/answers"
}

# udhcpc says what it was offered, which is all that is asked.
served() { # a guest that asks for an address gets one, and can resolve the host's name for it
	in_netns h1 timeout 5 "$busybox" udhcpc -i eth0 -n -q -f -t 4 -T 1 -s /bin/true 2>&1 | tee "$TMPDIR/dhcp"
	grep -q 'lease of 172\.16\.2\.' "$TMPDIR/dhcp" || return 1
	for server in 172.16.2.1 fd00:2::1; do
		in_netns h1 timeout 5 "$busybox" nslookup -type=a nothing.lab.internal "$server" 2>&1 | tee "$TMPDIR/dns"
		grep -q NXDOMAIN "$TMPDIR/dns" || return 1
	done
}

not_served_without() {
	! served
}

plug_all() {
	guests >"$TMPDIR/guests"
	while read -r name network ipv4 ipv6 route4 route6; do
		check "a guest on $network: $name" guest "$name" "$network" "$ipv4" "$ipv6"
		ip -n "$name" route add default via "$route4" dev eth0
		ip -n "$name" -6 route add default via "$route6" dev eth0
	done <"$TMPDIR/guests"
}

ends_with_theirs() { # the last rule of each chain that ends in a drop or reject is theirs still
	[ "$kind" = nft ] || return 0
	for chain in filter_INPUT filter_FORWARD; do
		nft list chain inet mine "$chain" | grep -B 1 -x '	}' | grep -q 'reject with icmpx admin-prohibited' || return 1
	done
}

opened() { # what `up` says of the firewall, a line for each chain, sorted
	case $kind in
	iptables) set -- 'ip filter FORWARD' 'ip6 filter FORWARD' 'inet none none' 'ip filter INPUT' 'ip6 filter INPUT' ;;
	nft) set -- 'ip filter FORWARD' 'ip6 filter FORWARD' ;;
	esac
	for chain; do
		for network in lab quiet web home dmz tap1 cell; do
			case $chain:$network in
			'ip filter INPUT':[!l]* | *INPUT:quiet | *FORWARD:tap1 | *FORWARD:cell | *none*) ;;
			*) echo "$network: opened '$chain' to what its guard lets through (that chain drops the rest)" ;;
			esac
		done
	done | sort
}

opens() { # up says so, and nothing else
	opened >"$TMPDIR/expected"
	"$TAPGATE" up 2>"$TMPDIR/warned" | sort >"$TMPDIR/opened"
	diff "$TMPDIR/expected" "$TMPDIR/opened" && ! grep -v "of 'inet mine filter_" "$TMPDIR/warned"
}

cure() { # what `check --live` says of the administrator's own table
	"$TAPGATE" check --live 2>&1 | sed -n 's/.*where that table is made: //p' >"$TMPDIR/cures"
	[ -s "$TMPDIR/cures" ] && sh -ex "$TMPDIR/cures"
}

hostile
lan
policy - <<'EOT'
allow all user=alice
network lab   host-only  172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.100-172.16.2.200
network quiet internal
network web   nat        10.77.0.1/24 fd00:77::1/64
network home  shared     10.78.0.1/24 fd00:78::1/64
network dmz   routed     10.79.0.1/24 fd00:79::1/64
network tap1  standalone 172.16.3.1/24 fd00:3::1/64
network cell  standalone 172.16.128.0/29 fd00:c::/125 per-vm=/30,/126
EOT
[ "$order" = later ] || "${kind}_firewall"
check 'up' "$TAPGATE" up
# The host could reach what is on the internal network, had it a way there. It shall not, even if it has one.
ip route add 172.16.9.0/24 dev quiet
ip -6 route add fd00:9::/64 dev quiet
plug_all

if [ "$order" = later ]; then
	as_the_table_says 'without firewall'
	"${kind}_firewall"
	check 'the firewall cuts guests off' cut_off
	check 'and does not let them ask for an address' not_served_without
	check 'status says that rules are missing' refuses "$TAPGATE" status
	check 'up opens it to what guards let through' opens
fi
[ "$kind" != nft ] || check 'the lines that cure the rest' cure
as_the_table_says "firewall $order"
check 'a guest gets an address, and names' served
check 'nothing more to do' says_nothing_changed
check 'iptables can read and change its chains' readable
check 'what ended in a reject does so still' ends_with_theirs
check 'status: all is up' "$TAPGATE" status
finish
