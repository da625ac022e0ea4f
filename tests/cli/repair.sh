#!/bin/sh
# SPDX-License-Identifier: MIT
# What drifted is found by `tapgate status`, and put right by `tapgate up`: that, and nothing else. What happens to guards
# and to rules in others' chains is repair_guards.sh's concern.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=drift.sh
. "$top/tests/cli/drift.sh"

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

orphan_dnsmasq() { # its keeper killed, it goes on, and nobody would start it again
	kill -KILL "$(keeper_of lab)"
	wait_for 5 is_orphan
}
is_orphan() {
	[ "$(keeper_of lab)" = 1 ]
}
all_killed() {
	all_killed=$(pid_of lab)
	kill -KILL "$(keeper_of lab)" "$all_killed" && wait_for 5 serves_nothing lab
}

dry=changes_nothing
networks_up

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
drift 'multicast snooping on' \
	'lab different multicast snooping' 'ip link set lab type bridge mcast_snooping 1' <<-EOT
	lab: repaired its bridge's multicast snooping
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
drift 'dnsmasq and its keeper killed' 'lab different DHCP' 'all_killed' <<-EOT
	lab: started dnsmasq
EOT
drift 'its keeper killed' 'lab different DHCP' 'orphan_dnsmasq' <<-EOT
	lab: started dnsmasq
EOT
check '... and there is only one dnsmasq' [ "$(dnsmasqs | wc -l)" = 1 ]
drift 'its pid file lost' 'lab different DHCP' 'rm /run/tapgate/lab.pid' <<-EOT
	lab: restarted dnsmasq
EOT
drift 'the pid file of somebody else' 'lab different DHCP' 'echo 1 >/run/tapgate/lab.pid' <<-EOT
	lab: restarted dnsmasq
EOT
drift 'all its files lost' 'lab different DHCP' 'rm -r /run/tapgate/lab.*' <<-EOT
	lab: started dnsmasq
EOT
check '... and there is only one dnsmasq' [ "$(dnsmasqs | wc -l)" = 1 ]
drift 'IPv4 forwarding off on the bridge' \
	'web different IPv4 forwarding' 'set_sysctl ipv4/conf/web/forwarding 0' <<-EOT
	web: switched on net.ipv4.conf.web.forwarding (the way in)
EOT
drift 'IPv4 forwarding off on the way out' \
	'web different IPv4 forwarding on uplink, a way out' 'set_sysctl ipv4/conf/uplink/forwarding 0' <<-EOT
	web: switched on net.ipv4.conf.uplink.forwarding (a way out)
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
	lab: put up its guard
	lab: stopped dnsmasq
	--
	lab: put up its guard
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
finish
