#!/bin/sh
# SPDX-License-Identifier: MIT
# Real virtual machines, started by `tapgate run`: alice's QEMU gets descriptors, and knows of no helper.
#
#	  one     both  queues        both            both       locked
#	   |        |     |            |               |           |
#	+-------------------+   +----------------+   (cell-1)   +-----+   cell is a pool of standalone networks; br0 is
#	| lab 172.16.2.1/24 |   | br1 192.0.2.1  |              | br0 |   bridged, with lock-mac
#	+-------------------+   +----------------+              +-----+
#
# Needs root; all in a world of its own (tests/common/world). Without QEMU or a kernel for the guests it is skipped, or
# fails if CI=true.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"

# --- machines ---------------------------------------------------------------------------------------------------------

qemu=$(vm_qemu)
launcher=$TMPDIR/launcher

# In QEMU's place: tapgate run, and behind it QEMU.
vm_qemu() {
	echo "$launcher"
}

# launch NAME NETS KERNEL-WORDS [QEMU-ARGUMENT...]: with the words of `tapgate run` for the networks
launch() {
	launcher=$TMPDIR/launch-$1
	printf '#!/bin/sh\nexec %s run %s -- %s "$@"\n' "$TAPGATE" "$2" "$qemu" >"$launcher"
	chmod 755 "$launcher"
	launch_name=$1 launch_words=$3
	shift 3
	vm_start "$launch_name" 1000 "$launch_words" "$@"
}

# --- what is checked --------------------------------------------------------------------------------------------------

has_taps() { # has_taps NAME NETWORK...: one on each, with alice and QEMU's own process in the alias
	read -r pid <"$vms/$1/pid"
	for tap in $(vm_taps "$1" | sort -u); do
		sed "s/^/$tap: /" "/sys/class/net/$tap/ifalias"
	done | tee "$TMPDIR/aliases"
	grep -qx 'Name:	qemu.*' "/proc/$pid/status" || return 1
	shift
	[ "$(grep -c . "$TMPDIR/aliases")" = $# ] || return 1
	for network in "$@"; do
		grep -q ": tapgate uid=1000 net=$network vmm=$pid\$" "$TMPDIR/aliases" || return 1
	done
}

knows_mac() { # knows_mac NAME NETWORK: the bridge knows the guest's address, which is alice's first, behind its tap
	vm_run "$1" 'cat /sys/class/net/eth0/address' >"$TMPDIR/address"
	mac=$(grep -m 1 : "$TMPDIR/address" | tr -d '\r')
	tap=$(vm_taps "$1")
	echo "$mac $tap"
	bridge fdb show br "$2" | tee "$TMPDIR/fdb"
	grep -q "^$mac dev $tap " "$TMPDIR/fdb" && case $mac in *:01) ;; *) false ;; esac
}

has_queues() { # has_queues NAME COUNT: of the guest's card, and of the tap, all of them QEMU's
	vm_run "$1" "ls /sys/class/net/eth0/queues; [ \$(ls /sys/class/net/eth0/queues | grep -c rx) = $2 ]" &&
		ip -d link show "$(vm_taps "$1" | sort -u)" | grep -o 'numqueues.*' &&
		[ "$(vm_taps "$1" | wc -l)" = "$2" ] &&
		ip -d link show "$(vm_taps "$1" | sort -u)" | grep -q "numqueues $2 numdisabled 0"
}

fetches() { # fetches NAME ADDRESS: does much data come through whole, in several streams at once?
	seq 1 100000 >"$www/numbers"
	sum=$(md5sum <"$www/numbers")
	vm_run "$1" "for n in 1 2 3 4; do wget -q -O - http://$2/numbers | md5sum >/sum.\$n & done; wait;
		[ \"\$(cat /sum.* | uniq)\" = '$sum' ]"
}

locked() { # locked NAME: the port lets this address in, and no other
	ip -d link show "$(vm_taps "$1")" | grep -q 'locked on' && knows_mac "$1" br0 && vm_pings "$1" 198.51.100.1 &&
		! vm_run "$1" 'ip link set eth0 address 02:00:00:00:00:99; ping -c 3 -W 1 198.51.100.1'
}

killed() { # killed NAME: by the process that was started; nothing is left of it
	taps=$(vm_taps "$1" | sort -u)
	read -r pid <"$vms/$1/pid"
	kill -KILL "$pid" && wait_for 5 vm_ended "$1" || return 1
	for tap in $taps; do
		wait_for 5 tap_gone "$tap" || return 1
	done
}

powered_off() { # powered_off NAME: with QEMU's exit status
	vm_do "$1" poweroff && wait_for 10 vm_ended "$1" && vm_status "$1"
}

refused() { # refused NAME CODE TEXT: QEMU is not run, and its place exits so
	wait_for 10 vm_ended "$1"
	vm_status "$1"
	[ $? = "$2" ] && cat "$vms/$1/errors" && [ "$(cat "$vms/$1/errors")" = "$3" ]
}

# --- the networks, and the machines, all started at once ------------------------------------------------------------------

for bridge in br0:198.51.100.1/24 br1:192.0.2.1/24; do
	ip link add "${bridge%:*}" type bridge forward_delay 0
	ip addr add "${bridge#*:}" dev "${bridge%:*}"
	ip link set "${bridge%:*}" up
done
cat >/etc/tapgate.conf <<'EOT'
network lab host-only 172.16.2.1/24
network br0 bridged lock-mac
network cell standalone 172.16.128.0/17 per-vm=/30
allow lab user=alice queues=2
allow br0 user=alice
allow br1 user=alice
allow cell user=alice
EOT
check 'the networks are up' "$TAPGATE" up
busybox=$("$top/tests/guest/busybox")
www=$TMPDIR/www
mkdir "$www"
"$busybox" httpd -p 172.16.2.1:80 -h "$www"

card='virtio-net-pci,netdev'
launch one '--net lab' 'tapgate.ip=172.16.2.11/24 tapgate.ping=172.16.2.1' \
	-netdev 'tap,id=n0,fd={fd}' -device "$card=n0,mac={mac}"
launch both '--net=cell --net=lab --net=br1' 'tapgate.ip={ip} tapgate.ping=172.16.128.1' \
	-netdev 'tap,id=n0,fd={fd1}' -device "$card=n0,mac={mac1}" -netdev 'tap,id=n1,fd={fd2}' -device "$card=n1,mac={mac2}" \
	-netdev '{"type":"tap","id":"n2","fd":"{fd3}"}' -device "$card=n2,mac={mac3}"
launch queues '--net lab --queues 2' 'tapgate.ip=172.16.2.12/24 tapgate.ping=172.16.2.1' \
	-smp 2 -netdev 'tap,id=n0,fds={fds}' -device "$card=n0,mac={mac},mq=on,vectors=6"
launch locked '--net br0' 'tapgate.ip=198.51.100.14/24 tapgate.ping=198.51.100.1' \
	-netdev 'tap,id=n0,fd={fd}' -device "$card=n0,mac={mac}"
launch many '--net lab --queues 3' '' -netdev 'tap,id=n0,fds={fds}' -device "$card=n0,mac={mac},mq=on"

check 'more queues than the policy allows: QEMU is not run' refused many 5 \
	"tapgate-helper: uid 1000 may have 2 queues on 'lab', not 3, by /etc/tapgate.conf:4 (allow lab user=alice queues=2); ask for fewer, or have queues= raised"
check 'the guest pings its host' vm_says one 'ping 172.16.2.1 ok' 60
check "its tap names alice and QEMU's own process" has_taps one lab
check 'three networks: the guest pings its host, by the address that {ip} gave it' vm_says both 'ping 172.16.128.1 ok' 60
check 'three networks: a tap on each' has_taps both cell lab br1
check 'two queues: the guest pings its host' vm_says queues 'ping 172.16.2.1 ok' 60
check 'lock-mac: the guest pings its host with {mac}' vm_says locked 'ping 198.51.100.1 ok' 60
for name in one both queues locked; do
	check "$name is ready" vm_says "$name" ready 30
done
check 'three networks: the second' vm_do both ip eth1 172.16.2.13/24
check '... is up' vm_says both 'up 172.16.2.13'
check '... and reaches a guest of another' vm_pings both 172.16.2.11
check '... the third' vm_do both ip eth2 192.0.2.13/24
check '... is up' vm_says both 'up 192.0.2.13'
check '... and reaches its host' vm_pings both 192.0.2.1
check 'two queues: in the guest, and of the tap' has_queues queues 2
check 'two queues: four streams at once come through whole' fetches queues 172.16.2.1
check 'guests on one network, none of which had to name an address: they reach each other' vm_pings queues 172.16.2.11
check 'lock-mac: with another address it does not' locked locked
check 'poweroff: QEMU ends with 0' powered_off one
check 'killed' killed both
check 'killed, with two queues' killed queues
check 'killed, with a locked port' killed locked
check 'no tap is left' wait_for 5 only_tap ''
suite_end
