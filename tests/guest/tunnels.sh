#!/bin/sh
# SPDX-License-Identifier: MIT
# WireGuard and VRFs, with a kernel that has both: the guest is the host here, with networks of ours and a guest of its
# own, a network namespace behind a tap.
#
#	far 192.0.2.254 ---- uplink 192.0.2.1 | the host | web (nat) ---- namespace g
#	                     home, a WireGuard tunnel    |
# shellcheck disable=SC2016 # what is quoted is expanded in the guest
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"
# shellcheck source-path=SCRIPTDIR source=host.sh
. "$top/tests/guest/host.sh"
make -s -C "$top" build/tests/cli/plug || exit 1

mkdir -p "$host/modules"
cp "$kernel/linux/net-modules"/* "$host/modules"
vm_program 755 "$(command -v nft)" /usr/sbin
vm_program 755 "$top/build/tests/cli/plug" /usr/sbin
check 'a guest is up that is a host' host_start
prepare 'chmod 666 /dev/net/tun
	&& ip link set lo up && ip netns add far && ip netns add g
	&& ip link add uplink type veth peer name eth0 netns far
	&& ip addr add 192.0.2.1/24 dev uplink && ip link set uplink up
	&& ip -n far addr add 192.0.2.254/24 dev eth0 && ip -n far addr add 198.51.100.1/32 dev lo
	&& ip -n far link set lo up && ip -n far link set eth0 up
	&& ip route add default via 192.0.2.254'
policy 'network web nat 10.77.0.1/24' 'allow web user=alice'
check 'the network is up' in_host 'tapgate up && tapgate status'
prepare 'plug alice g eth0 /usr/libexec/tapgate-helper --br=web "--fd={fd}" >/run/tap 2>&1 &
	try_for 10 test -s /run/tap
	&& ip -n g addr add 10.77.0.2/24 dev eth0 && ip -n g link set eth0 up && ip -n g route add default via 10.77.0.1'
reaches() { # reaches ADDRESS: the guest does
	in_host "ip netns exec g ping -c 1 -W 2 $1"
}
finds() { # finds TEXT: check --live says so of the network, and nothing else
	in_host 'NO_COLOR=1 tapgate check --live' >"$TMPDIR/said"
	cat "$TMPDIR/said"
	[ "$(grep -c '^tapgate: web: ' "$TMPDIR/said")" = "$([ -z "$1" ] && echo 0 || echo 1)" ] && grep -qF "$1" "$TMPDIR/said"
}
drops() { # drops TEXT: it finds a chain that drops, with that
	prepare 'nft "table inet mine { chain forward { type filter hook forward priority 0; policy drop; }; }"'
	finds "$1"
	drops_result=$?
	prepare 'nft delete table inet mine'
	return $drops_result
}
check 'its guest reaches what the host reaches' reaches 198.51.100.1

# --- WireGuard --------------------------------------------------------------------------------------------------------

# With the rules of wg-quick(8), and a name that does not tell what it is. Nobody is at the other end: the tunnel counts
# what it cannot send.
prepare 'ip link add home type wireguard && ip addr add 10.8.0.2/24 dev home && ip link set home mtu 1420 up
	&& ip route add default dev home table 51820 && ip rule add not fwmark 51820 table 51820
	&& ip rule add table main suppress_prefixlength 0'
check 'a VPN with a rule of its own: up has the guests follow' \
	in_host 'NO_COLOR=1 tapgate up | grep -x "web: switched on net.ipv4.conf.home.forwarding (a way out)" && tapgate status'
check '... a probe goes by the tunnel, and finds what stops it' drops \
	"drops what its guests send to the Internet; run, and write it where that table is made: nft 'insert rule inet mine forward iifname \"web\" oifname \"home\" accept'"
check '... without having sent anything' in_host 'grep -x 0 /sys/class/net/home/statistics/tx_errors'
check '... the guest does not go past it' in_host '! ip netns exec g ping -c 1 -W 1 198.51.100.1'
check '... it goes by it' in_host 'grep -xv 0 /sys/class/net/home/statistics/tx_errors'
# mullvad/mullvadvpn-app PR 2658, where a tunnel is known by its kind.
prepare 'nft "table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop;
	oifname home accept; iifname home ct state established accept; }; }"'
check "a kill switch in iptables' own chain is not opened" in_host 'tapgate up; ! nft list ruleset | grep "tapgate: web"'
prepare 'nft "flush chain ip filter FORWARD"'
check '... a control: without its rules the chain is' in_host 'tapgate up; nft list ruleset | grep "tapgate: web, out by home"'
prepare 'nft "delete table ip filter"
	&& ip rule del not fwmark 51820 table 51820 && ip rule del table main suppress_prefixlength 0 && ip link del home'
check 'the VPN is gone: the guest goes as before' reaches 198.51.100.1

# --- VRF --------------------------------------------------------------------------------------------------------------

# The host has its way out in a VRF (ip-vrf(8)), and so by itself none: a route in a table that nothing looks at is no way.
prepare 'ip link add blue type vrf table 10 && ip link set blue up && ip link set uplink master blue
	&& ip route add default via 192.0.2.254 vrf blue'
check 'a way out in a VRF: the guest has none' in_host '! ip netns exec g ping -c 1 -W 1 198.51.100.1'
check '... status says so' in_host 'tapgate status | grep -x "  out     nowhere: the host itself has no route to anywhere"'
check '... and check --live' finds 'its guests have no way out: the host has no route to anywhere'
prepare 'ip link set web master blue'
check 'the network in that VRF: status is content' in_host 'tapgate up && tapgate status'
check '... and check --live' finds ''
check '... the guest reaches what the VRF reaches' reaches 198.51.100.1
check '... and the host' reaches 10.77.0.1
check '... a probe finds what stops it' drops 'drops what its guests send to the Internet'
suite_end
