#!/bin/sh
# SPDX-License-Identifier: MIT
# Networks of each mode but bridged, with guests that mean harm, on a host that forwards everything: what reaches the
# host and what does not, what changes on it, and what its helper does when the guards are gone. tests/guest/lan.sh
# draws the world around the host.
#
#	   tap1          cell-1   cell-2             lab           open         quiet            web
#	172.16.2.1/24    .1/30    .5/30        +-----------+   +--------+   +----------+    +---------+
#	      |            |        |          | host-only |   | no     |   | internal |    | nat     |
#	      |            |        |          +-----+-----+   | guard  |   +-+-----+--+    +----+----+
#	      |            |        |                |         +---+----+     |     |            |
#	      s1           c1       c2               h1 -----------+          i1    i2           n1
#
# "open" is a bridge that has nothing to do with tapgate: what h1 does there shows that it would work.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"
# shellcheck source-path=SCRIPTDIR source=lan.sh
. "$top/tests/guest/lan.sh"
busybox=$("$top/tests/guest/busybox")

# --- what is checked: standalone -------------------------------------------------------------------------------------

host_pings() { # host_pings ADDRESS...: all of them?
	for address in "$@"; do
		wait_for 5 "$busybox" ping -q -c 1 -W 1 "$address" || return 1
	done
}

carries() { # carries INTERFACE ADDRESS/LENGTH...: has it these addresses and, of IPv6, no other?
	interface=$1
	shift
	ip -o addr show dev "$interface"
	for address in "$@"; do
		ip -o addr show dev "$interface" | grep -qF " $address " || return 1
	done
	[ "$(ip -o -6 addr show dev "$interface" | grep -c .)" = 1 ]
}

holds() { # holds NAME TAP: is it this one that the machine has?
	echo "$1 has '$(vm_taps "$1")'"
	[ "$(vm_taps "$1")" = "$2" ]
}

# refused NETWORK STATUS TEXT: alice asks the helper for a tap there; it says this, in the first place, and
# ends so; there is no new tap
refused() {
	taps=$(all_taps)
	(as_user 1000 "$CALL" "$HELPER" "--br=$1" '--fd={fd}') 2>&1 | tee "$TMPDIR/refused"
	grep -qF "tapgate-helper: $3" "$TMPDIR/refused" && grep -q "^exit=$2 fds=0" "$TMPDIR/refused" &&
		[ "$(all_taps)" = "$taps" ]
}

given_again() { # given_again OLD NEW NETWORK ADDRESS: the old machine ends; the new one gets its tap, and its subnet
	tap=$(vm_taps "$1")
	read -r pid <"$vms/$1/pid"
	kill -KILL "$pid" && wait_for 5 tap_gone "$tap" &&
		vm_join "$2" "$3" "tapgate.ip=$4" && vm_says "$2" ready 60 && holds "$2" "$tap" && host_pings "${4%/*}"
}

# --- internal --------------------------------------------------------------------------------------------------------

# Counts what comes into the host from the network "quiet": not what passes between its ports, which the kernel sends
# through the forward hook, too. And at i1's tap, what i1 sends to the host's side, and the host to i1.
watch_quiet() {
	mac=$(cat /sys/class/net/quiet/address)
	nft -f - <<-EOT
		table inet watch {
			chain input {
				type filter hook input priority -500;
				iifname "quiet" counter
			}
			chain forward {
				type filter hook forward priority -500;
				iifname "quiet" oifname != "quiet" counter
			}
		}
		table arp watch {
			chain input {
				type filter hook input priority -500;
				iifname "quiet" counter
			}
		}
		table netdev watch-sent {
			chain ingress {
				type filter hook ingress device "$(vm_taps i1)" priority -500;
				ether daddr { $mac, ff:ff:ff:ff:ff:ff, 33:33:00:00:00:01 } counter
			}
		}
		table netdev watch-host {
			chain egress {
				type filter hook egress device "$(vm_taps i1)" priority 500;
				ether saddr $mac counter
			}
		}
	EOT
}

unwatch_quiet() {
	nft delete table inet watch
	nft delete table arp watch
	nft delete table netdev watch-sent
	nft delete table netdev watch-host
}

counted() { # counted FAMILY TABLE: packets, in all of its chains
	nft list table "$1" "$2" | awk '/ packets / { for (i = 1; i < NF; i++) if ($i == "packets") sum += $(i + 1) }
		END { print sum + 0 }'
}

# i1 asks for the host's addresses, and sends to them unasked; and the host, with a route there and knowing its hardware
# address, to i1. When i1 has pinged i2, all of that is through.
shouts() {
	ip route replace 172.16.9.0/24 dev quiet
	ip neigh replace 172.16.9.11 lladdr "$(vm_mac i1)" nud permanent dev quiet
	"$busybox" ping -q -c 1 -W 1 172.16.9.11
	mac=$(cat /sys/class/net/quiet/address)
	vm_run i1 "for address in 192.0.2.1 172.16.5.1 10.77.0.1 172.16.2.1; do
		arping -q -c 1 -w 1 -I eth0 \$address && echo \"ARP for \$address answered\"; done;
		rogue eth0 udp 192.0.2.1 $mac; rogue eth0 udp 2001:db8:1::1 $mac; rogue eth0 udp 203.0.113.1 $mac;
		rogue eth0 udp 255.255.255.255 ff:ff:ff:ff:ff:ff;
		rogue eth0 udp ff02::1 33:33:00:00:00:01" | tee "$TMPDIR/shouts"
	vm_pings i1 172.16.9.12
}

count() {
	sent=$(counted netdev watch-sent) arrived=$(counted inet watch) arp=$(counted arp watch)
	host=$(counted netdev watch-host)
	echo "sent $sent, arrived $arrived, ARP $arp; from the host $host"
}

unheard() { # of what i1 shouted nothing reached the host
	shouts && count && [ "$sent" -ge 9 ] && [ "$arrived" = 0 ] && [ "$arp" = 0 ] && [ "$host" = 0 ] &&
		! grep answered "$TMPDIR/shouts"
}

heard() { # all of it did
	shouts && count && [ "$arrived" -ge 5 ] && [ "$arp" -ge 4 ] && [ "$host" -ge 1 ] &&
		grep 'ARP for 192.0.2.1 answered' "$TMPDIR/shouts"
}

# --- misleading the host ---------------------------------------------------------------------------------------------

# Its addresses, its routes, what it believes of the LAN's router, and what a router may tell of MTU and hop limit.
look_at_host() {
	host_pings 192.0.2.50 2001:db8:1::50 >/dev/null
	ip -o addr | sed 's/ *valid_lft.*//'
	ip route show table all
	ip -6 route show table all | sed 's/ expires [0-9]*sec//'
	# The LAN's machine may ask for the host by its own link-local address meanwhile.
	lan_mac=$(in_netns lan ip -o link show to-host | sed 's/.*link.ether \([^ ]*\).*/\1/')
	ip neigh show dev br0 | grep -v "^fe80.* $lan_mac " |
		awk '{ print $1, $2, $3 }' | sort
	for setting in /proc/sys/net/ipv6/conf/*/mtu /proc/sys/net/ipv6/conf/*/hop_limit; do
		echo "$setting $(cat "$setting")"
	done
}

# misleads NAME ADDRESS: the guest does what it can; the host is as before. With an answer from ADDRESS it is through.
misleads() {
	look_at_host >"$TMPDIR/before"
	# shellcheck disable=SC2016 # expanded there
	vm_run "$1" 'rogue eth0 ra && rogue eth0 dhcp &&
		for address in 192.0.2.50 192.0.2.1 172.16.5.1 172.16.2.1 10.77.0.1; do
			rogue eth0 arp $address || exit; done;
		for address in 2001:db8:1::50 2001:db8:1::1 fd00:5::1 fd00:2::1 fd00:77::1; do
			rogue eth0 na $address || exit; done' && vm_pings "$1" "$2" || return 1
	look_at_host >"$TMPDIR/after"
	diff "$TMPDIR/before" "$TMPDIR/after"
}

believed() { # the host has a default route by way of the bridge without guard
	ip -6 route show default dev open | grep .
}

mislead_open() { # the same from h1's second card, where nobody guards
	vm_run h1 'ip link set eth1 up; rogue eth1 ra' && wait_for 5 believed
}

# --- guards flushed --------------------------------------------------------------------------------------------------

status_is() { # status_is STATUS NETWORK
	"$TAPGATE" status "$2"
	[ $? = "$1" ]
}

no_guard() { # no_guard NETWORK: the helper refuses, and says so
	refused "$1" 1 "network '$1' is not up: its guard is missing; an administrator can run 'tapgate up'"
}

qemu_refused() { # qemu_refused NAME NETWORK
	vm_join "$1" "$2"
	wait_for 10 vm_ended "$1" && ! vm_status "$1" && cat "$vms/$1/errors" &&
		grep -q "network '$2' is not up: its guard is missing" "$vms/$1/errors"
}

joins_again() { # joins_again NAME NETWORK ADDRESS/LENGTH PEER
	vm_join "$1" "$2" "tapgate.ip=$3 tapgate.ping=$4" && vm_says "$1" "ping $4 ok" 60
}

# --- the networks and the policy -------------------------------------------------------------------------------------

lan_up
cat >/etc/tapgate.conf <<'EOT'
network tap1  standalone 172.16.2.1/24 fd00:2::1/64
network cell  standalone 172.16.128.0/29 fd00:c::/125 per-vm=/30,/126
network lab   host-only  172.16.5.1/24 fd00:5::1/64
network quiet internal
network web   nat        10.77.0.1/24 fd00:77::1/64
allow all user=alice
EOT
check 'tapgate up makes the networks' "$TAPGATE" up
ip link add open type bridge forward_delay 0
ip link set open up

vm_join s1 tap1 'tapgate.ip=172.16.2.2/24 tapgate.ip=fd00:2::2/64 tapgate.ping=172.16.2.1 tapgate.ping=fd00:2::1'
vm_join i1 quiet 'tapgate.ip=172.16.9.11/24 tapgate.ip=fd00:9::11/64'
vm_join i2 quiet 'tapgate.ip=172.16.9.12/24 tapgate.ip=fd00:9::12/64'
vm_join h1 lab 'tapgate.ip=172.16.5.11/24 tapgate.ip=fd00:5::11/64' \
	-netdev "bridge,id=n1,br=open,helper=$HELPER" -device virtio-net-pci,netdev=n1,mac=52:54:00:00:00:01
vm_join n1 web 'tapgate.ip=10.77.0.11/24 tapgate.ip=fd00:77::11/64 tapgate.route=10.77.0.1'
vm_join c1 cell 'tapgate.ip=172.16.128.2/30 tapgate.ip=fd00:c::2/126 tapgate.ping=172.16.128.1 tapgate.ping=fd00:c::1'
wait_for 10 vm_has_tap c1
vm_join c2 cell 'tapgate.ip=172.16.128.6/30 tapgate.ip=fd00:c::6/126 tapgate.ping=172.16.128.5 tapgate.ping=fd00:c::5'

check 'standalone: the guest pings the host' vm_says s1 'ping 172.16.2.1 ok' 60
check 'standalone: ... over IPv6' vm_says s1 'ping fd00:2::1 ok'
check 'standalone: the host pings the guest, IPv4 and IPv6' host_pings 172.16.2.2 fd00:2::2
check 'standalone: its tap is named for the network' holds s1 tap1
check 'standalone: ... and has the addresses of the policy, and no other' carries tap1 172.16.2.1/24 fd00:2::1/64
check 'standalone: a second machine is refused' \
	refused tap1 5 "network 'tap1' has its one virtual machine already: interface 'tap1'"
check 'pool: the first machine pings the host, IPv4' vm_says c1 'ping 172.16.128.1 ok' 60
check 'pool: ... and IPv6' vm_says c1 'ping fd00:c::1 ok'
check 'pool: the second pings the host, IPv4' vm_says c2 'ping 172.16.128.5 ok' 60
check 'pool: ... and IPv6' vm_says c2 'ping fd00:c::5 ok'
check 'pool: the first has the tap cell-1' holds c1 cell-1
check 'pool: ... with the first subnets' carries cell-1 172.16.128.1/30 fd00:c::1/126
check 'pool: the second has the tap cell-2' holds c2 cell-2
check 'pool: ... with the second subnets' carries cell-2 172.16.128.5/30 fd00:c::5/126
check 'pool: the host pings both, IPv4 and IPv6' host_pings 172.16.128.2 fd00:c::2 172.16.128.6 fd00:c::6
check 'pool: a third machine is refused' refused cell 5 "network 'cell' has none of its 2 subnets free"
check 'pool: the first ends, another machine gets its number and its subnet' given_again c1 c3 cell 172.16.128.2/30
check 'standalone: the machine ends, another gets the tap' given_again s1 s2 tap1 172.16.2.2/24

check 'internal: the guests started' vm_says i1 ready 60
check 'internal: ...' vm_says i2 ready 60
check 'internal: two guests ping each other' vm_pings i1 172.16.9.12
check 'internal: ... over IPv6' vm_pings i2 fd00:9::11
watch_quiet
check "internal: ARP and packets sent unasked do not reach the host, nor its packets the guest" unheard

vm_says h1 ready 60
vm_says n1 ready 60
check 'a bridge without guard: the host believes a router advertisement, a control' mislead_open
ip link delete open
check 'host-only: router advertisement, DHCP, ARP and ND from a guest change nothing on the host' misleads h1 172.16.5.1
check 'nat: ...' misleads n1 192.0.2.50
check 'internal: ...' misleads i1 172.16.9.12
check 'standalone: ...' misleads s2 172.16.2.1

check 'status: all is up' "$TAPGATE" status
nft flush ruleset
watch_quiet
check 'guards flushed: all of that does, a control' heard
for network in cell lab quiet web; do
	check "guards flushed: status says that '$network' is not up" status_is 1 "$network"
	check "guards flushed: the helper gives nobody a tap on '$network'" no_guard "$network"
done
check 'guards flushed: QEMU is refused, too' qemu_refused i3 quiet
check 'guards flushed: who was there before goes on' vm_pings i1 172.16.9.12
check 'tapgate up puts the guards back' "$TAPGATE" up
check '... status: all is up' "$TAPGATE" status
check '... a new guest gets on, and pings the one that was there' joins_again i4 quiet 172.16.9.14/24 172.16.9.11
unwatch_quiet
watch_quiet
check '... and again nothing reaches the host, nor the guest' unheard
suite_end
