#!/bin/sh
# SPDX-License-Identifier: MIT
# A way out with a smaller MTU, and somebody further on who drops the ICMP messages that tell of it, as behind many a
# VPN: linuxserver/docker-wireguard#166, QubesOS/qubes-issues#5264. The host knows the MTU of its route, its guests do
# not.
#
#	server --- 1500 --- router (drops "too big" to the server) --- 1420 --- up0 | the host | web --- 1500 --- guest g
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

size=300000
mkfifo "$TMPDIR/silence"
exec 9<>"$TMPDIR/silence" # a client with nothing to say, and no end of it
head -c $size /dev/zero >"$TMPDIR/file"

for name in server router; do
	ip netns add $name
	ip -n $name link set lo up
	# shellcheck disable=SC2016 # for the shell that it starts
	in_netns $name sh -c 'for of in all default; do echo 0 >/proc/sys/net/ipv6/conf/$of/accept_dad; done
		echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
done
for of in all default; do
	set_sysctl ipv6/conf/$of/accept_dad 0
done
ip -n server link add eth0 type veth peer name eth0 netns router
ip link add up0 type veth peer name eth1 netns router
for place in 'server eth0 192.0.2.1/24 2001:db8:1::1/64' 'router eth0 192.0.2.254/24 2001:db8:1::fe/64' \
	'router eth1 198.51.100.254/24 2001:db8:2::fe/64'; do
	# shellcheck disable=SC2086 # words
	set -- $place
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$1" addr add "$4" dev "$2" nodad
	ip -n "$1" link set "$2" up
done
ip -n router link set eth1 mtu 1420
ip link set up0 mtu 1420 up
ip addr add 198.51.100.1/24 dev up0
ip addr add 2001:db8:2::1/64 dev up0 nodad
ip route add default via 198.51.100.254
ip -6 route add default via 2001:db8:2::fe
ip -n server route add default via 192.0.2.254
ip -n server -6 route add default via 2001:db8:1::fe
in_netns router nft 'add table inet hole; add chain inet hole out { type filter hook output priority 0; }
	add rule inet hole out icmp type destination-unreachable drop; add rule inet hole out icmpv6 type packet-too-big drop'

# fetch FROM-NAMESPACE|- ADDRESS: the file, from the server; how much of it comes in 3 s
fetch() {
	rm -f "$TMPDIR/got"
	in_netns server "$busybox" nc -l -p 8080 <"$TMPDIR/file" >/dev/null 2>&1 &
	fetch_server=$!
	# shellcheck disable=SC2016 # for the shell that it starts
	wait_for 5 in_netns server sh -c 'grep -q ":1F90 .* 0A " /proc/net/tcp /proc/net/tcp6'
	if [ "$1" = - ]; then
		timeout 3 "$busybox" nc "$2" 8080 <"$TMPDIR/silence" >"$TMPDIR/got"
	else
		in_netns "$1" timeout 3 "$busybox" nc "$2" 8080 <"$TMPDIR/silence" >"$TMPDIR/got"
	fi
	kill -KILL $fetch_server 2>/dev/null
	wait $fetch_server 2>/dev/null
	wc -c <"$TMPDIR/got"
}
gets() { # gets HOW-MUCH NAMESPACE ADDRESS
	gets_size=$(fetch "$2" "$3")
	echo "$gets_size bytes"
	[ "$gets_size" = "$1" ]
}

gets_little() { # gets_little ADDRESS
	gets_size=$(fetch g "$1")
	echo "$gets_size bytes"
	[ "$gets_size" -lt 20000 ]
}

for address in 192.0.2.1 2001:db8:1::1; do
	check "the host gets all from $address" gets $size - $address
done
for mode in nat shared; do
	policy 'allow web user=alice' "network web $mode 10.77.0.1/24 fd00:77::1/64"
	check "$mode: up" "$TAPGATE" up
	check "$mode: a guest" guest g web 10.77.0.2/24 fd00:77::2/64
	ip -n g route add default via 10.77.0.1
	ip -n g -6 route add default via fd00:77::1
	for address in 192.0.2.1 2001:db8:1::1; do
		check "$mode: the guest gets all from $address, too" gets $size g $address
	done

	# The control: without the guard's two rules no full packet comes through.
	nft -a list chain inet tapgate-web forward | sed -n 's/.*maxseg.* # handle \([0-9]*\)$/\1/p' >"$TMPDIR/handles"
	while read -r handle; do
		nft delete rule inet tapgate-web forward handle "$handle"
	done <"$TMPDIR/handles"
	check "$mode: there were two rules" test "$(wc -l <"$TMPDIR/handles")" = 2
	for address in 192.0.2.1 2001:db8:1::1; do
		check "$mode: without them only the first small packets come from $address" gets_little $address
	done
	check "$mode: up puts them back" "$TAPGATE" up
	check "$mode: ... and the guest gets all" gets $size g 192.0.2.1
	unplug g
	check "$mode: down" "$TAPGATE" down
done
finish
