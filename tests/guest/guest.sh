#!/bin/sh
# SPDX-License-Identifier: MIT
# Real virtual machines, started by users without any privilege, on the networks that the policy allows them.
#
#	  a      c   d            b
#	  |      |   |            |      taps, made by the helper for QEMU, which runs as alice; br2 is allowed to nobody
#	+-------------------+  +------------------+  +-----+
#	| br0  192.0.2.1/24 |  | br1 198.51.100.1 |  | br2 |
#	+-------------------+  +------------------+  +-----+
#
# a uses -netdev bridge, b and d -netdev tap with the helper's --net, c -net bridge. Needs root; all in a world of its
# own (tests/common/world). Without QEMU or a kernel for the guests it is skipped, or fails if CI=true.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"

# --- what is checked -----------------------------------------------------------------------------------------------

has_port() { # has_port NAME BRIDGE: has the machine a tap, on that bridge, with its user and network written on it?
	for port in $(vm_taps "$1"); do
		[ -e "/sys/class/net/$2/brif/$port" ] || continue
		alias=$(cat "/sys/class/net/$port/ifalias")
		case "$alias " in
		"tapgate uid=1000 net=$2 "*) return 0 ;;
		esac
		echo "$port has the alias '$alias'"
	done
	echo "machine $1 has the taps '$(vm_taps "$1")', $2 the ports '$(ls "/sys/class/net/$2/brif")'"
	cat "$vms/$1/errors"
	return 1
}

has_vnet_header() { # has_vnet_header NAME: offsets and checksums may be left to the other side
	tap=$(vm_taps "$1")
	[ $(($(cat "/sys/class/net/$tap/tun_flags") & 0x4000)) != 0 ]
}

fetches() { # fetches NAME: does much data come through whole, from the host and to it?
	seq 1 300000 >"$www/numbers"
	sum=$(md5sum <"$www/numbers")
	vm_do "$1" run "[ \"\$(wget -q -O - http://192.0.2.1/numbers | md5sum)\" = '$sum' ]" && vm_says "$1" 'run 0' 20 &&
		vm_do "$1" run 'mkdir -p /www && seq 1 300000 >/www/numbers && httpd -h /www' && vm_says "$1" 'run 0' &&
		[ "$(timeout 20 "$busybox" wget -q -O - http://192.0.2.11/numbers | md5sum)" = "$sum" ]
}

plug() { # plug NAME: a network card on br1 into the running machine
	vm_qmp "$1" netdev_add "{\"type\": \"bridge\", \"id\": \"n1\", \"br\": \"br1\", \"helper\": \"$HELPER\"}" &&
		vm_qmp "$1" device_add '{"driver": "virtio-net-pci", "id": "card1", "netdev": "n1", "mac": "52:54:00:00:00:1a"}' &&
		has_port "$1" br1
}

uses_plugged() { # uses_plugged NAME
	vm_do "$1" ip eth1 198.51.100.21/24 && vm_says "$1" 'up 198.51.100.21' && vm_pings "$1" 198.51.100.1
}

unplug() { # unplug NAME: the card again, and the tap goes with its backend
	plugged=$(vm_taps "$1" | grep -xF "$(ls /sys/class/net/br1/brif)") || return 1
	vm_qmp "$1" device_del '{"id": "card1"}' && vm_event "$1" DEVICE_DELETED && vm_qmp "$1" netdev_del '{"id": "n1"}' &&
		wait_for 5 tap_gone "$plugged" && vm_do "$1" nics && vm_says "$1" 'nics eth0'
}

plug_refused() { # plug_refused NAME: br2 is not for alice; the machine goes on as it was
	! vm_qmp "$1" netdev_add "{\"type\": \"bridge\", \"id\": \"n2\", \"br\": \"br2\", \"helper\": \"$HELPER\"}" &&
		grep "^tapgate-helper: uid 1000 may not use 'br2': " "$vms/$1/errors" &&
		no_port br2 && vm_pings "$1" 192.0.2.1
}

start_refused() { # start_refused NAME BRIDGE: QEMU has ended, without a tap, and said why
	wait_for 10 vm_ended "$1" && ! vm_status "$1" && cat "$vms/$1/errors" &&
		grep -q "^tapgate-helper: uid 1001 may not use '$2': " "$vms/$1/errors"
}

killed() { # killed NAME: nothing is left of it
	tap=$(vm_taps "$1")
	read -r pid <"$vms/$1/pid"
	kill -KILL "$pid" && [ -n "$tap" ] && wait_for 5 tap_gone "$tap" && wait_for 5 vm_ended "$1"
}

powered_off() { # powered_off NAME
	tap=$(vm_taps "$1")
	vm_do "$1" poweroff && wait_for 10 vm_ended "$1" && vm_status "$1" && wait_for 5 tap_gone "$tap"
}

processes_of_users() {
	for status in /proc/[0-9]*/status; do
		grep -q '^Uid:[[:space:]]*100[0-9]' "$status" 2>/dev/null && grep -H '^Name:' "$status"
	done
}

nothing_left() {
	only_tap '' && no_port br0 && no_port br1 && no_port br2 && ! processes_of_users | grep .
}

# --- the networks and the policy -----------------------------------------------------------------------------------

bridge_up() { # bridge_up NAME [ADDRESS...]
	bridge=$1
	shift
	ip link add "$bridge" type bridge forward_delay 0
	for address in "$@"; do
		ip addr add "$address" dev "$bridge"
	done
	ip link set "$bridge" up
}

bridge_up br0 192.0.2.1/24 fd00:2::1/64
bridge_up br1 198.51.100.1/24
bridge_up br2
cat >/etc/tapgate.conf <<'EOT'
allow br0 user=alice
allow br1 user=alice
EOT
chmod 644 /etc/tapgate.conf

busybox=$("$top/tests/guest/busybox")
www=$TMPDIR/www
mkdir "$www"
"$busybox" httpd -p 192.0.2.1:80 -h "$www"

# --- machines, all started at once -----------------------------------------------------------------------------------

vm_start a 1000 'tapgate.ip=192.0.2.11/24 tapgate.ping=192.0.2.1' \
	-netdev "bridge,id=n0,br=br0,helper=$HELPER" -device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:0a
# QEMU adds --br=br0 to the helper's words, its default; and here --br=br1, as it is told to.
vm_start b 1000 'tapgate.ip=198.51.100.12/24 tapgate.ping=198.51.100.1' \
	-netdev "tap,id=n0,helper=$HELPER --net=br1" -device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:0b
vm_start d 1000 'tapgate.ip=fd00:2::14/64 tapgate.ping=fd00:2::1' \
	-netdev "tap,id=n0,br=br1,helper=$HELPER --net=br0" -device virtio-net-pci,netdev=n0,mac=52:54:00:00:00:0d
vm_start c 1000 'tapgate.ip=192.0.2.13/24 tapgate.ping=192.0.2.1' \
	-net "bridge,br=br0,helper=$HELPER" -net nic,model=virtio,macaddr=52:54:00:00:00:0c
vm_start bob 1001 '' -netdev "bridge,id=n0,br=br0,helper=$HELPER" -device virtio-net-pci,netdev=n0
vm_start bob-net 1001 '' -netdev "tap,id=n0,helper=$HELPER --net=br1" -device virtio-net-pci,netdev=n0

check 'bob is refused: QEMU exits, and says why' start_refused bob br0
check 'bob is refused with --net' start_refused bob-net br1
check '-netdev bridge: the guest pings its bridge' vm_says a 'ping 192.0.2.1 ok' 60
check '-netdev bridge: a port of br0, with user and network in its alias' has_port a br0
check '-netdev tap with --net=br1: the guest pings its bridge' vm_says b 'ping 198.51.100.1 ok' 60
check '-netdev tap with --net=br1: a port of br1, whatever QEMU adds' has_port b br1
check '-netdev tap,br=br1 with --net=br0: the guest pings its bridge, over IPv6' vm_says d 'ping fd00:2::1 ok' 60
check '-netdev tap,br=br1 with --net=br0: a port of br0' has_port d br0
check '-net bridge: the guest pings its bridge' vm_says c 'ping 192.0.2.1 ok' 60
check '-net bridge: a port of br0' has_port c br0
check 'no tap for bob: four guests, four taps' [ "$(all_taps | wc -l)" = 4 ]
check 'two guests on a bridge ping each other' vm_pings a 192.0.2.13
check '... and back' vm_pings c 192.0.2.11
check 'the tap has a vnet header' has_vnet_header a
check 'megabytes come through whole, both ways' fetches a
check 'hot-plug: a second card, on br1' plug a
check 'hot-plug: the guest pings br1 over it' uses_plugged a
check 'hot-plug: card and backend removed, the tap is gone' unplug a
check 'hot-plug: a bridge that is not allowed is refused, the guest goes on' plug_refused a
check 'QEMU killed: its tap is gone' killed b
check 'QEMU killed with a tap by --net: gone too' killed d
check 'guest powered off: its tap is gone' powered_off c
check 'first guest killed' killed a
check 'no tap, port or process is left of any' wait_for 5 nothing_left

suite_end
