#!/bin/sh
# SPDX-License-Identifier: MIT
# What libvirt's `default` network gives, by three lines of a policy: a machine that asks by DHCP has its address, its
# name, the host, the LAN by a port that leads in, and the Internet. And one with two cards is one guest. A port that
# leads in is there on a standalone network, too.
# tests/guest/lan.sh draws the world around the host.
#
#	  uplink ---- web, shared ---- eth0  box  eth1 ---- lab, host-only
#	                            eth0  alone ---- tap1, standalone
# shellcheck disable=SC2086,SC2016 # $lan is words; words for eval
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"
# shellcheck source-path=SCRIPTDIR source=lan.sh
. "$top/tests/guest/lan.sh"
busybox=$("$top/tests/guest/busybox")
mac=52:54:00:12:34:56
lan='nsenter --net=/run/netns/lan'

answers() { # answers WHO ADDRESS PORT [COMMAND...]: who connects to it, in the command's place, is told that name
	answers_name=$1 answers_address=$2 answers_port=$3
	shift 3
	# A silence as its input, lest the other end hear the end of what is said before it answers.
	[ "$(sleep 2 | timeout 5 "$@" "$busybox" nc -w 5 "$answers_address" "$answers_port" | head -n 1)" = "$answers_name" ]
}

is_refused() { # is_refused ADDRESS PORT COMMAND...: at once
	refused_address=$1 refused_port=$2
	shift 2
	refused_start=$(now)
	! timeout 10 "$@" "$busybox" nc "$refused_address" "$refused_port" </dev/null &&
		[ $(($(now) - refused_start)) -lt 500 ]
}

resolves() { # resolves NAME ADDRESS: of the network's server, as the host asks it
	"$busybox" nslookup -type=a "$1" 10.77.0.1 2>&1 | tee "$TMPDIR/resolved"
	[ "$(sed -n '/^Name:/,$s/^Address: //p' "$TMPDIR/resolved")" = "$2" ]
}

fetches() { # fetches ADDRESS: the Internet's page
	vm_run box "wget -q -O - http://$1/page" | grep -qx internet
}

ip_of_box() { # the addresses of both cards, of either family
	"$TAPGATE" ip box | tee "$TMPDIR/ip"
	grep -qx 10.77.0.5 "$TMPDIR/ip" && grep -q '^172\.16\.5\.1[0-9][0-9]$' "$TMPDIR/ip"
}

listed_twice() {
	"$TAPGATE" list | tee "$TMPDIR/list"
	[ "$(grep -cE ' (web|lab) +alice .* box ' "$TMPDIR/list")" = 2 ]
}

two_in_json() {
	! "$TAPGATE" ip --json box 2>"$TMPDIR/json" && grep -F "'box' is 2 guests" "$TMPDIR/json"
}


lan_up
set_sysctl net/ipv4/ip_forward 0
set_sysctl net/ipv6/conf/all/forwarding 0
mkdir "$TMPDIR/www"
echo internet >"$TMPDIR/www/page"
in_netns internet "$busybox" httpd -h "$TMPDIR/www"
cat >/etc/tapgate.conf <<EOT
network web shared 10.77.0.1/24 fd00:77::1/64 dhcp=10.77.0.10-10.77.0.200
guest box on web mac=$mac ip=10.77.0.5 ip6=fd00:77::5
forward 8022/tcp to box:22
network lab host-only 172.16.5.1/24 dhcp=172.16.5.100-172.16.5.199
network tap1 standalone 172.16.3.1/24 fd00:3::1/64 dhcp=auto
guest alone on tap1 mac=52:54:00:12:34:58 ip=172.16.3.5 ip6=fd00:3::5
forward 8024/tcp to alone:22
allow all user=alice
EOT
check 'tapgate up' "$TAPGATE" up
vm_start box 1000 'tapgate.dhcp=box tapgate.serve=22' \
	-netdev "bridge,id=n0,br=web,helper=$HELPER" -device "virtio-net-pci,netdev=n0,mac=$mac" \
	-netdev "bridge,id=n1,br=lab,helper=$HELPER" -device "virtio-net-pci,netdev=n1,mac=52:54:00:12:34:57"
check 'the machine is up, and has an address by DHCP' vm_says box ready 60
check '... and one for its second card' vm_run box 'ip link set eth1 up
	&& udhcpc -f -q -n -t 10 -T 1 -i eth1 -x hostname:box -s /bin/dhcp-told && ip addr add fd00:77::5/64 dev eth0'

check 'the host connects to it' answers box 10.77.0.5 22
check '... over IPv6' answers box fd00:77::5 22
check 'the host has its name' resolves box.web.internal 10.77.0.5
check 'the LAN connects to it by the port of the host that leads there' answers box 192.0.2.1 8022 $lan
check '... over IPv6' answers box 2001:db8:1::1 8022 $lan
check '... and by no other' is_refused 192.0.2.1 8023 $lan
check 'and so does the host' answers box 192.0.2.1 8022
check 'it fetches from the Internet' fetches "$internet_ipv4"
check '... over IPv6' fetches "[$internet_ipv6]"

check 'one guest of two cards: ip has the addresses of both' ip_of_box
check 'list has its name for both' listed_twice
check '--json is for one card' two_in_json
vm_do box poweroff
check 'when the first has ended' wait_for 15 vm_ended box
check '... a connection to the port is refused' is_refused 192.0.2.1 8022 $lan

# One on a standalone network, whose tap comes when it starts.
check 'before it starts: a connection to its port is refused' is_refused 192.0.2.1 8024 $lan
vm_start alone 1000 'tapgate.dhcp=alone tapgate.serve=22' \
	-netdev "bridge,id=n0,br=tap1,helper=$HELPER" -device virtio-net-pci,netdev=n0,mac=52:54:00:12:34:58
check 'it is up, and has the address of its line' eval \
	'vm_says alone ready 60 && grep "^TAPGATE-GUEST dhcp address 172.16.3.5" "$vms/alone/serial"'
check '... and one of IPv6 by hand' vm_run alone 'ip addr add fd00:3::5/64 dev eth0'
check 'the LAN connects to it' answers alone 192.0.2.1 8024 $lan
check '... over IPv6' answers alone 2001:db8:1::1 8024 $lan
check '... and by no other port' is_refused 192.0.2.1 8023 $lan
check 'the host connects to it' answers alone 192.0.2.1 8024
check 'ip has it by name' eval '"$TAPGATE" ip alone | grep -x 172.16.3.5'
check 'it has a route by the host' vm_run alone 'ip route add default via 172.16.3.1'
check '... and fetches nothing from the Internet' eval '! vm_run alone "timeout 5 wget -q -O - http://$internet_ipv4/page" |
	grep -qx internet'
vm_do alone poweroff
check 'when it has ended' wait_for 15 vm_ended alone
check '... a connection to its port is refused' is_refused 192.0.2.1 8024 $lan
suite_end
