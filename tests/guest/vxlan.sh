#!/bin/sh
# SPDX-License-Identifier: MIT
# Two hosts whose bridges are one network, by VXLAN: guests of ours on either side see each other. The bridge and what
# joins it to the other are the fabric's; the port is ours.
#
#	        netns west                                        netns east
#	+---------------------------+                     +---------------------------+
#	|  w1       w2              |                     |              e1           |
#	|   |        |              |                     |               |           |
#	| +-+--------+-+            |                     |            +--+---------+ |
#	| |    br0     +-- vxlan42  |                     |  vxlan42 --+    br0     | |
#	| +------------+     :      |                     |     :      +------------+ |
#	|               198.51.100.1 fabric ------- fabric 198.51.100.2               |
#	+---------------------------+                     +---------------------------+
#
# The cables of the fabric carry 1500 bytes, so VXLAN's frames and all that is joined to br0 have an MTU of 1450.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"
# shellcheck source-path=SCRIPTDIR source=lan.sh
. "$top/tests/guest/lan.sh"

# --- what is checked -------------------------------------------------------------------------------------------------

port_of() { # port_of HOST NAME: the tap of a guest is a port of its host's br0, with the MTU of the bridge
	tap=$(vm_taps "$2")
	ip -n "$1" -d link show dev "$tap"
	ip -n "$1" link show dev "$tap" | grep -q ' mtu 1450 .* master br0 '
}

pings_large() { # pings_large NAME ADDRESS SIZE
	vm_run "$1" "ping -q -c 2 -A -W 5 -s $3 $2"
}

fetches() { # fetches NAME HOST: megabytes of another guest's
	vm_run "$1" "[ \"\$(wget -q -O - http://$2/numbers | md5sum)\" = \"\$(seq 1 300000 | md5sum)\" ]"
}

serves() { # serves NAME
	vm_run "$1" 'mkdir -p /www && seq 1 300000 >/www/numbers && httpd -h /www'
}

crossed() { # something of theirs came over the cable, and as VXLAN
	in_netns west cat /proc/net/dev |
		awk '$1 == "vxlan42:" { print; seen = $2 + $10 > 4000000 } END { exit !seen }'
}

unseen() { # the guest that ended is no port any more
	! ip -n west link show dev "$1" 2>/dev/null
}

ends() { # ends NAME
	tap=$(vm_taps "$1")
	read -r pid <"$vms/$1/pid"
	kill -KILL "$pid" && [ -n "$tap" ] && wait_for 5 unseen "$tap"
}

# --- two hosts -------------------------------------------------------------------------------------------------------

host_up() { # host_up NAME OWN-ADDRESS OTHER-ADDRESS
	ip -n "$1" link set lo up
	ip -n "$1" addr add "$2/24" dev fabric
	ip -n "$1" link set fabric up
	ip -n "$1" link add vxlan42 type vxlan id 42 local "$2" remote "$3" dstport 4789 dev fabric
	ip -n "$1" link add br0 type bridge forward_delay 0
	ip -n "$1" link set vxlan42 master br0 up
	ip -n "$1" link set br0 up
}

guest() { # guest HOST NAME ADDRESS/LENGTH...: a guest of alice's on br0, told of the MTU by its card
	vm_netns=$1
	name=$2
	shift 2
	words=
	for address in "$@"; do
		words="$words tapgate.ip=$address"
	done
	vm_start "$name" 1000 "$words" -netdev "bridge,id=n0,br=br0,helper=$HELPER" \
		-device "virtio-net-pci,netdev=n0,host_mtu=1450,mac=$(vm_mac "$name")"
}

ip netns add west
ip netns add east
ip -n west link add fabric type veth peer name fabric netns east
host_up west 198.51.100.1 198.51.100.2
host_up east 198.51.100.2 198.51.100.1
cat >/etc/tapgate.conf <<'EOT'
network br0 bridged
allow br0 user=alice
EOT
guest west w1 172.16.42.1/24 fd00:42::1/64
guest west w2 172.16.42.2/24
guest east e1 172.16.42.3/24 fd00:42::3/64

for name in w1 w2 e1; do
	check "guest $name started" vm_says "$name" ready 60
done
check 'west: its tap is a port of br0, with the MTU of the bridge' port_of west w1
check 'east: the same' port_of east e1
check 'west pings east' vm_pings w1 172.16.42.3
check '... over IPv6' vm_pings w1 fd00:42::3
check 'east pings west' vm_pings e1 172.16.42.1
check '... over IPv6' vm_pings e1 fd00:42::1
check 'the second guest in the west, too' vm_pings w2 172.16.42.3
check 'two guests in the west ping each other' vm_pings w1 172.16.42.2
check 'packets as large as the MTU' pings_large w1 172.16.42.3 1422
check '... over IPv6' pings_large w1 fd00:42::3 1402
check 'larger ones, in fragments' pings_large e1 172.16.42.1 8000
check '... over IPv6' pings_large e1 fd00:42::1 8000
check 'a guest in the east has a server' serves e1
check 'megabytes, over TCP' fetches w1 172.16.42.3
check '... over IPv6' fetches w1 '[fd00:42::3]'
check 'all of it went over the fabric' crossed
check 'a guest ends, and with it its port' ends w1
check '... the other goes on' vm_pings w2 172.16.42.3
suite_end
