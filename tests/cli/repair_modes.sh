#!/bin/sh
# SPDX-License-Identifier: MIT
# What of repair.sh, repair_guards.sh and repair_members.sh is about any network, on the modes that those leave out:
# shared, shared with isolated guests, and routed.
# shellcheck disable=SC2016 # words for eval
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=drift.sh
. "$top/tests/cli/drift.sh"

ip link add uplink type veth peer name far
ip addr add 192.0.2.1/24 dev uplink
ip link set uplink up
ip link set far up
ip route add default via 192.0.2.254

all_of() { # all_of MODE [OPTION]: each row, on a network of the mode
	policy "network net $1 10.78.0.1/24 fd00:78::1/64 dhcp=10.78.0.10-10.78.0.90 ${2-}" 'allow net user=alice'
	check "$*: up" "$TAPGATE" up
	check "$*: a guest" guest g1 net 10.78.0.11/24
	tap=$(tap_of g1)
	check "$*: all is well" "$TAPGATE" status

	settled "$*: another hardware address of ours" 'net different hardware address' \
		'ip link set net address 02:74:67:00:00:01' <<-EOT
			net: repaired its bridge's hardware address
		EOT
	settled "$*: a bridge that forwards what is for bridges" 'net different group_fwd_mask' \
		'ip link set net type bridge group_fwd_mask 16384' <<-EOT
			net: repaired its bridge's group_fwd_mask
		EOT
	settled "$*: one that forgets at once" 'net different ageing of addresses' \
		'ip link set net type bridge ageing_time 0' <<-EOT
			net: repaired its bridge's ageing of addresses
		EOT
	settled "$*: multicast snooping" 'net different multicast snooping' \
		'ip link set net type bridge mcast_snooping 1' <<-EOT
			net: repaired its bridge's multicast snooping
		EOT
	settled "$*: its route deleted" 'net different routes' 'ip route del 10.78.0.0/24 dev net' <<-EOT
		net: removed the address 10.78.0.1/24
		net: added the address 10.78.0.1/24
	EOT
	settled "$*: a host that answers no ARP" 'net different arp_ignore' 'set_sysctl ipv4/conf/net/arp_ignore 8' <<-EOT
		net: set net.ipv4.conf.net.arp_ignore=0 (or nobody would reach the host)
	EOT
	beyond "$*: a rule of routing" "net different the host's way to its guests (refused by rule 99)" \
		'ip rule add to 10.78.0.0/24 pref 99 blackhole' 'ip rule del pref 99' <<-EOT
			tapgate: net: not as wanted: the host's way to its guests (refused by rule 99); run: ip rule add pref 98 to 10.78.0.0/24 lookup main
		EOT
	beyond "$*: a foreign port" 'net different ports (one is not a tap of the network)' \
		'ip link add port type veth peer name cable; ip link set port master net' 'ip link del port' <<-EOT
			tapgate: net: its port 'port' is not a tap of the network, and whoever is behind it is on it; take it out: ip link set 'port' nomaster
		EOT
	check "$*: a foreign port, and somebody who asks" eval 'ip link add port type veth peer name cable
		ip link set port master net'
	check '... nobody joins' refuses guest g2 net
	ip link del port
	ip netns del g2
	beyond "$*: a macvlan" 'net different interfaces on it (one is past its guard)' \
		'ip link add upper link net type macvlan' 'ip link del upper' <<-EOT
			tapgate: net: the interface 'upper' stands on it, past its guard; remove it: ip link delete 'upper'
		EOT
	settled "$*: an address on a port" 'net different addresses of its ports' "ip addr add 10.9.9.1/24 dev $tap" <<-EOT
		net: removed the address 10.9.9.1/24 from its port '$tap'
	EOT
	settled "$*: an entry that somebody made" 'net different forwarding entries' \
		"bridge fdb add 52:54:00:00:00:07 dev $tap master static" <<-EOT
			net: removed the entry for 52:54:00:00:00:07 behind its port '$tap'
		EOT
	settled "$*: a tap that is down" 'net different taps (one is down)' "ip link set $tap down" <<-EOT
		net: brought the tap '$tap' up
	EOT
	settled "$*: a tap off its bridge" 'net different taps (one is not where it belongs)' "ip link set $tap nomaster" <<-EOT
		net: put the tap '$tap' back on its bridge, isolated
	EOT
	settled "$*: sources that nobody looks at" 'net different guard' \
		'nft flush chain netdev tapgate-net sources' <<-EOT
			net: put up its guard
		EOT
	settled "$*: a dnsmasq that stands still" 'net different DHCP' 'kill -STOP "$(pid_of net)"; sleep 1' <<-EOT
		net: restarted dnsmasq
	EOT
	for files in leases names '[lnp]*'; do
		settled "$*: files of its dnsmasq, $files" 'net different DHCP' "rm -r /run/tapgate/net.$files" <<-EOT
			net: restarted dnsmasq
		EOT
	done
	settled "$*: a tap open to the host" 'net different taps (one is not kept apart from the host)' \
		"tc filter del dev $tap ingress" <<-EOT
			net: set the tap '$tap' apart from the host again
		EOT
	unplug g1
	check "$*: down" "$TAPGATE" down
}

all_of shared
all_of shared isolated
all_of routed
finish
