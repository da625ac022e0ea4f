#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # words for eval
# What befalls a host, with `tapgate keep` running: a guest reaches what the host reaches, the host reaches its guests, a
# lease is to be had, and status and check --live are content; where they are not they say why. Real managers of networks
# are tests/system/hosts' subject, WireGuard and VRFs that of tests/guest/tunnels.sh.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=firewall_lib.sh
. "$top/tests/cli/firewall_lib.sh"
ip -n n1 -6 route add default via fd00:77::1
"$TAPGATE" keep >"$TMPDIR/kept" 2>&1 &

goes() { # goes FAMILY...: all that is promised, by these
	for goes_family; do
		case $goes_family in
		4) reaches n1 193.0.14.129 || return ;;
		6) reaches n1 2001:db8:1::fe || return ;;
		esac
	done
	"$busybox" ping -c 1 -W 1 172.16.2.2 && served && "$TAPGATE" status && "$TAPGATE" check --live --strict
}
well() { # well TEXT [FAMILY...]: before long, and up has nothing to do
	well_text=$1
	shift
	[ $# -gt 0 ] || set -- 4 6
	check "$well_text: all goes" wait_for 15 goes "$@"
	check '... up has nothing to do' wait_for 5 says_nothing_changed
}
router() { # the host's addresses on an interface, and its router behind it
	ip addr replace 192.0.2.1/24 dev "$1"
	ip addr replace 2001:db8:1::1/64 dev "$1" nodad
	ip route replace default via 192.0.2.254
	ip -6 route replace default via 2001:db8:1::fe
}
far() { # far INTERFACE ADDRESS: another way out, with the same Internet behind it; the router there is .254
	ip netns add "far-$1"
	ip link add "$1" type veth peer name eth0 netns "far-$1"
	ip -n "far-$1" link set lo up
	ip -n "far-$1" addr add 193.0.14.129/32 dev lo
	ip -n "far-$1" addr add "${2%.*}.254/24" dev eth0
	ip -n "far-$1" link set eth0 up
	ip addr add "$2/24" dev "$1"
	ip link set "$1" up
}
gone() { # gone INTERFACE
	ip link del "$1"
	ip netns del "far-$1"
}

well 'at first'
for of in all default uplink web lab; do
	set_sysctl "ipv4/conf/$of/rp_filter" 1
done
well 'strict rp_filter'

# --- links ------------------------------------------------------------------------------------------------------------

far two 198.51.100.1
ip route replace default via 192.0.2.254 metric 100
ip route del default via 192.0.2.254 metric 0
ip route add default via 198.51.100.254 metric 600
well 'two default routes'
ip link set uplink down
well 'the better one is down' 4
ip link set uplink up
router uplink
well '... and up again'
for link in uplink two web lab; do
	ip link set "$link" down
done
for link in uplink two; do
	ip link set "$link" up
done
router uplink
well 'resume: all links were down'
gone two
ip link set uplink down
ip link set uplink name enp5s0
ip link set enp5s0 up
router enp5s0
well 'the card has another name'
ip link add br0 address 02:00:00:00:00:b0 up type bridge
ip addr flush dev enp5s0
ip link set enp5s0 master br0
router br0
well 'a bridge has the way out'

# --- VPNs -------------------------------------------------------------------------------------------------------------

# wg-quick(8)'s rules of routing and its table, with anything for a tunnel.
set_sysctl ipv4/conf/all/src_valid_mark 1
vpn() { # vpn INTERFACE TABLE MARK
	far "$1" 10.8.0.1
	ip link set "$1" mtu 1420
	ip route add default via 10.8.0.254 table "$2"
	ip rule add not fwmark "$3" table "$2"
	ip rule add table main suppress_prefixlength 0
}
hangs_up() { # hangs_up INTERFACE TABLE MARK
	ip rule del not fwmark "$3" table "$2"
	ip rule del table main suppress_prefixlength 0
	gone "$1"
}
by() { # by INTERFACE: the guest's packets go by that one alone
	by_before=$(cat "/sys/class/net/$1/statistics/tx_packets")
	ip link set br0 down
	wait_for 5 reaches n1 193.0.14.129 && [ "$(cat "/sys/class/net/$1/statistics/tx_packets")" -gt "$by_before" ]
	by_result=$?
	ip link set br0 up
	router br0
	return $by_result
}
vpn wg0 51820 51820
nft -f - <<'EOT'
table ip wg-quick-wg0 {
	chain preraw {
		type filter hook prerouting priority raw;
		iifname != "wg0" ip daddr 10.8.0.1 fib saddr type != local drop
	}
	chain premangle {
		type filter hook prerouting priority mangle;
		meta l4proto udp meta mark set ct mark
	}
}
EOT
well 'wg-quick'
check '... the guest goes by the tunnel' by wg0
nft delete table ip wg-quick-wg0
hangs_up wg0 51820 51820
well 'the VPN is gone'

# mullvad/mullvadvpn-app: rules of routing and a kill switch; local networks are let through, DHCP of guests is not.
vpn wg0-mullvad 1836018789 0x6d6f6c65
nft -f - <<'EOT'
table inet mullvad {
	chain output {
		type filter hook output priority filter; policy drop;
		oif "lo" accept
		oifname "wg0-mullvad" accept
		ip daddr { 10.0.0.0/8, 172.16.0.0/12 } accept
		ip6 daddr { fe80::/10, fc00::/7, ff02::/16 } accept
		reject
	}
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		iifname "wg0-mullvad" accept
		ip saddr { 10.0.0.0/8, 172.16.0.0/12 } accept
		ip6 saddr { fe80::/10, fc00::/7 } accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		oifname "wg0-mullvad" accept
		iifname "wg0-mullvad" ct state established accept
		reject
	}
}
EOT
cat >"$TMPDIR/lines" <<'EOT'
tapgate: lab: warning: the policy of 'inet mullvad input' drops its guests' requests for addresses (DHCP); run, and write it where that table is made: nft 'insert rule inet mullvad input iifname "lab" udp dport 67 accept'
tapgate: web: warning: rule N of 'inet mullvad forward' drops what its guests send to the Internet by IPv6, the answers to its guests by IPv6; the tunnel 'wg0-mullvad' is its only way out, and it stays so; to have guests go past it, run, and write it where that table is made: nft 'insert rule inet mullvad forward iifname "web" oifname "br0" accept; insert rule inet mullvad forward oifname "web" accept'
EOT
mullvad() {
	"$TAPGATE" check --live 2>&1 | grep ' warning: ' | sed 's/rule [0-9]* of/rule N of/' | diff "$TMPDIR/lines" -
}
check 'a kill switch: check --live names what it keeps from guests' wait_for 10 mullvad
check '... the guest goes by the tunnel' by wg0-mullvad
check '... status is content' "$TAPGATE" status
hangs_up wg0-mullvad 1836018789 0x6d6f6c65
check '... and reaches nobody when the tunnel is gone' refuses reaches n1 193.0.14.129
nft delete table inet mullvad
well 'without it'

# A host with IPv6 alone, whose provider has NAT64 (RFC 6052): names of IPv4 lead to 64:ff9b::/96.
ip -n lan addr add 64:ff9b::c100:e81/128 dev lo
ip -n lan link set lo up
ip route del default
ip addr del 192.0.2.1/24 dev br0
ip addr flush dev wan
well 'IPv6 alone' 6
check '... and IPv4 by NAT64' reaches n1 64:ff9b::c100:e81
finish
