# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The world around the host, to be sourced: a LAN and the Internet, as network namespaces. The host is the world's own
# namespace (tests/common/world), and everything on it is made as unfavourable to tapgate as hosts are.
#
#	  netns internet             netns lan                            the host
#	+-------------------+     +----------------------+     +------------------------------------------+
#	| 203.0.113.1       |     |          192.0.2.50  |     |    br0 192.0.2.1, 2001:db8:1::1          |
#	| 2001:db8:ffff::1  |     |      2001:db8:1::50  |     |   +--------------------------+           |
#	|               to-lan---to-internet          to-host--- uplink          guests' taps |  networks |
#	|                   |     |                      |     |   +--------------------------+  of ours  |
#	+-------------------+     +----------------------+     +------------------------------------------+
#
# The LAN's machine is its router, too: default route of the host and of bridged guests. It routes 172.16.0.0/12,
# 10.77.0.0/16 and fd00::/8, where networks of ours have their subnets, by way of the host, as nobody would who wants
# them left alone. So where the LAN does not see guests, it is the host that keeps it from it. The Internet answers to
# any address, by way of the LAN.

lan_ipv4=192.0.2.50 lan_ipv6=2001:db8:1::50
internet_ipv4=203.0.113.1 internet_ipv6=2001:db8:ffff::1

# set_sysctl NAME VALUE: of this network namespace, if this kernel has it
set_sysctl() {
	[ ! -e "/proc/sys/$1" ] || echo "$2" >"/proc/sys/$1"
}

in_netns() { # in_netns NAMESPACE COMMAND [ARGUMENT...]
	in_name=$1
	shift
	nsenter "--net=/run/netns/$in_name" "$@"
}

add_addresses() { # add_addresses INTERFACE ADDRESS/LENGTH...: at once, without asking whether others have them
	add_interface=$1
	shift
	for add_address in "$@"; do
		case $add_address in
		*:*) ip addr add "$add_address" dev "$add_interface" nodad ;;
		*) ip addr add "$add_address" dev "$add_interface" ;;
		esac
	done
	ip link set "$add_interface" up
}

# --- the namespaces; each function is run in the one it is named for -------------------------------------------------

as_internet() {
	ip link set lo up
	add_addresses to-lan "$internet_ipv4/24" "$internet_ipv6/64"
	ip route add default via 203.0.113.2
	ip -6 route add default via 2001:db8:ffff::2
}

as_lan() {
	ip link set lo up
	add_addresses to-host "$lan_ipv4/24" "$lan_ipv6/64"
	add_addresses to-internet 203.0.113.2/24 2001:db8:ffff::2/64
	set_sysctl net/ipv4/ip_forward 1
	set_sysctl net/ipv6/conf/all/forwarding 1
	ip route add 172.16.0.0/12 via 192.0.2.1
	ip route add 10.77.0.0/16 via 192.0.2.1
	ip -6 route add fd00::/8 via 2001:db8:1::1
}

as_host() {
	ip link add br0 type bridge forward_delay 0
	ip link set uplink master br0 up
	add_addresses br0 192.0.2.1/24 2001:db8:1::1/64
	ip route add default via "$lan_ipv4"
	ip -6 route add default via "$lan_ipv6"
}

# The host of a container engine or a router: it forwards everything, believes router advertisements on whatever comes
# into being, takes packets from anywhere, and has frames between bridge ports pass its firewall.
hostile_settings() {
	set_sysctl net/ipv4/ip_forward 1
	set_sysctl net/ipv6/conf/all/forwarding 1
	for settings_of in all default; do
		set_sysctl "net/ipv6/conf/$settings_of/accept_ra" 2
		set_sysctl "net/ipv4/conf/$settings_of/rp_filter" 0
		set_sysctl "net/ipv4/conf/$settings_of/accept_redirects" 1
	done
	for settings_of in iptables ip6tables arptables; do
		set_sysctl "net/bridge/bridge-nf-call-$settings_of" 1
	done
}

lan_up() { # all of the drawing, but for guests and networks of ours
	ip netns add lan
	ip netns add internet
	hostile_settings
	ip link add uplink type veth peer name to-host netns lan
	ip -n internet link add to-lan type veth peer name to-internet netns lan
	as_host
	# shellcheck source-path=SCRIPTDIR source=lan.sh
	for lan_name in lan internet; do
		# shellcheck disable=SC2016 # expanded there
		in_netns "$lan_name" sh -euc '. "$1"; "as_$2"' sh "$top/tests/guest/lan.sh" "$lan_name"
	done
}

# What Docker leaves behind: whatever nobody accepts is not forwarded, not even between two ports of a bridge, where the
# kernel sends frames through this. That cuts bridged guests off, which are left to the administrator: this one accepts
# what stays on br0.
docker_rules() {
	for docker_family in ip ip6; do
		nft -f - <<-EOT
			table $docker_family filter {
				chain DOCKER-USER { }
				chain FORWARD {
					type filter hook forward priority filter; policy drop;
					jump DOCKER-USER
					iifname "br0" oifname "br0" accept
				}
			}
		EOT
	done
}

# A firewall of the host's own that lets in what was asked for, pings, and nothing else.
input_rules() {
	for input_family in ip ip6; do
		nft -f - <<-EOT
			table $input_family filter {
				chain INPUT {
					type filter hook input priority filter; policy drop;
					ct state established,related accept
					iifname "lo" accept
					meta l4proto { icmp, icmpv6 } accept
				}
			}
		EOT
	done
}
