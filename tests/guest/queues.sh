#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest with a card of several queues: `tapgate run` gets the tap's descriptors from the helper and gives them to
# QEMU, whose virtio card has as many pairs of queues.
#
#	alice --- tapgate run --- guest, 2 queues --- tap --- br0 (10.9.0.1)
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"

ip link add br0 address 02:00:5e:00:00:01 type bridge forward_delay 0
ip link set br0 up
ip addr add 10.9.0.1/24 dev br0
echo 'allow br0 user=alice queues=2 lock-mac' >/etc/tapgate.conf

real=$(vm_qemu)
vm_qemu() { # what vm_start runs: QEMU, started by tapgate
	echo "$TMPDIR/qemu"
}
printf '#!/bin/sh\nexec "%s" run --net br0 --queues 2 -- "%s" "$@"\n' "$TAPGATE" "$real" >"$TMPDIR/qemu"
chmod 755 "$TMPDIR/qemu"

exec 3>&1
vm_program 755 "$(command -v ethtool)" /usr/sbin
vm_add_files
vm_start g 1000 'tapgate.ip=10.9.0.2/24' -smp 2 -netdev 'tap,id=n0,fds={fds}' \
	-device 'virtio-net-pci,netdev=n0,mac={mac},mq=on,vectors=6'

# shellcheck disable=SC2016 # expanded there
both_queues() { # the guest sends and receives by both
	vm_run g 'cd /sys/class/net/eth0/queues && echo rx-* tx-* && [ "$(echo rx-* tx-*)" = "rx-0 rx-1 tx-0 tx-1" ]'
}

channels() { # two of two
	vm_run g 'ethtool -l eth0' >"$TMPDIR/channels"
	sed '/^TAPGATE/d; s/^/# /' "$TMPDIR/channels" >&3
	[ "$(grep -c '^Combined:[[:space:]]*2$' "$TMPDIR/channels")" = 2 ]
}

one_tap() {
	tap=$(all_taps)
	[ "$(echo "$tap" | wc -l)" = 1 ] && [ "$(find "/sys/class/net/$tap/queues" -name 'rx-*' | wc -l)" = 2 ]
}

# shellcheck disable=SC2016 # expanded there
spoof() { # from another address nothing comes, and from its own it does again
	vm_run g 'ip link set eth0 down; cat /sys/class/net/eth0/address >/mac; ip link set eth0 address 52:54:00:00:00:99;
		ip link set eth0 up; sleep 1; ! ping -q -c 2 -W 1 10.9.0.1 >/dev/null && ip link set eth0 down &&
		ip link set eth0 address $(cat /mac) && ip link set eth0 up' && vm_pings g 10.9.0.1
}

check 'the guest is up' vm_says g ready 60
check 'one tap, of two queues' one_tap
check 'the guest has two pairs of queues' both_queues
check '... both in use, as ethtool -l says' channels
check 'it reaches the host' vm_pings g 10.9.0.1
check 'locked to its address, it does not reach it from another' spoof
vm_do g poweroff
check 'when it ends' wait_for 15 vm_ended g
check '... the tap is gone' wait_for 5 only_tap ''
suite_end
