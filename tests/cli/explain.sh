#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate explain`: its words for QEMU, as QEMU takes them; and the process that reads the policy as its user, who may
# stop it. What it says: explain.md.
# shellcheck disable=SC2016 # words for eval
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"

policy - <<'EOT'
network lab   host-only  172.16.2.1/24 dhcp=172.16.2.2-172.16.2.100
network quiet internal
network web   nat        10.77.0.1/24 mtu=1400
network tap1  standalone 172.16.3.1/24
network cell  standalone 172.16.128.0/17 per-vm=/30 queues=2
network br0   bridged    isolated queues=2
allow lab user=alice max=2
allow br0 user=alice lock-mac
allow br1 user=alice mac=52:54:00:12:34:56
allow web user=alice queues=4
allow tap1 user=alice
allow cell user=alice
deny quiet user=alice
include /etc/qemu/bob.conf
allow br0 group=guests mtu=1400 guard vlan=7
allow lab group=students max=3
EOT
echo 'allow br9' >/etc/qemu/bob.conf
chown root:bob /etc/qemu/bob.conf
chmod 640 /etc/qemu/bob.conf
for bridge in br0 br1 br2; do
	ip link add "$bridge" type bridge forward_delay 0
done
ip link set br0 up
ip link set br1 up
"$TAPGATE" up >/dev/null

line() { # line WORD NETWORK [USER]: the line of an explanation that begins so, as root
	"$TAPGATE" explain --user "${3-alice}" "$2" | sed -n "s/^  $1 *//p"
}

line_is() { # line_is EXPECTED WORD NETWORK [USER]
	line_expected=$1
	shift
	line_came=$(line "$@")
	[ "$line_came" = "$line_expected" ] || {
		echo "$line_came"
		return 1
	}
}

# --- words for QEMU ---------------------------------------------------------------------------------------------------

as_alice='setpriv --reuid alice --regid alice --init-groups'
machine='qemu-system-x86_64 -M pc -S -display none -nodefaults -monitor none -serial none'

# granted: a tap more than there was, and up, which is the last that the helper does to it
granted() {
	[ "$(taps)" != "$start_before" ] && ip -o link show up | grep -q "^[0-9]*: $(taps)[:@]"
}

# start NETWORK: QEMU as alice with the words for it; it is in $vm, and what it says in $TMPDIR/vm
start() {
	start_words=$(as alice "$TAPGATE" explain "$1" | sed -n 's/^  qemu *//p')
	start_before=$(taps)
	eval "exec $as_alice $machine $start_words" >"$TMPDIR/vm" 2>&1 </dev/null &
	vm=$!
	wait_for 30 eval "granted || ! kill -0 $vm"
	cat "$TMPDIR/vm"
	kill -0 "$vm"
}

stop() {
	kill -KILL "$vm" 2>/dev/null
	wait "$vm" 2>/dev/null
	wait_for 10 no_taps
}

static() { # static BRIDGE MAC: a port is locked to that address
	bridge fdb show br "$1" | grep "^$2" | grep -q static
}

for network in br0 br1 lab web tap1 cell; do
	check "QEMU takes the words for $network" start "$network"
	case $network in
	lab) used='1 of 2 in use' ;;
	*) used='1 in use, no limit' ;;
	esac
	check '... and its tap is counted' line_is "$used" taps $network
	case $network in
	br0)
		mac=$(printf '%s\n' "$start_words" | sed 's/.*,mac=//')
		check '... locked to the address of the card' static br0 "$mac"
		check 'the same words again are refused, and not cut off' sh -c "
			$as_alice $machine $start_words 2>&1 |
				grep -q 'address $mac is taken on bridge'"
		check 'explained again, they have another address' \
			sh -c "! '$TAPGATE' explain --user alice br0 | grep -q '$mac'"
		;;
	br1)
		check '... locked to the address of the rule' static br1 52:54:00:12:34:56
		check 'explained again, nobody else can have it' line_is \
			"bridged, up: the rule's address is taken; end the virtual machine that has it" network br1
		;;
	esac
	check '... until it ends' stop
done

has_queues() { # has_queues N: the one tap that there is; QEMU puts all but one aside until its guest wants them
	ip -d link show dev "$(taps)" |
		sed -n 's/.* numqueues \([0-9]*\) numdisabled \([0-9]*\) .*/\1 \2/p' | {
		read -r queues_on queues_off && [ $((queues_on + queues_off)) = "$1" ]
	}
}

start_queues() {
	start_words=$(line queues web | sed "s|^tapgate|$TAPGATE|; s|qemu-system-x86_64|$machine|")
	eval "exec $as_alice $start_words" >"$TMPDIR/vm" 2>&1 </dev/null &
	vm=$!
	wait_for 30 eval "has_queues 4 || ! kill -0 $vm"
	cat "$TMPDIR/vm"
	has_queues 4
}

check 'QEMU takes the words with several queues' start_queues
check '... until it ends' stop

mkdir -p "$TMPDIR/a,b"
cp "$HELPER" "$TMPDIR/a,b/tapgate-helper"
# shellcheck disable=SC2016
check 'a path that QEMU would take apart is not in words' sh -c '
	export TAPGATE_HELPER="$TMPDIR/a,b/tapgate-helper"
	words=$("$TAPGATE" explain --user alice lab | sed -n "s/^  qemu *//p")
	expected="tapgate run --net lab -- qemu-system-x86_64 -netdev tap,id=n0,fd={fd}"
	[ "$words" = "$expected -device virtio-net-pci,netdev=n0,mac={mac}" ]'

# --- the process that reads the policy ---------------------------------------------------------------------------------

# The process that reads the policy is alice's while it does.
seq 3000 | sed 's/.*/allow lab& user=alice/' | policy -
setpriv --reuid alice --regid alice --clear-groups sh -c 'while :; do kill -STOP -1; done' 2>/dev/null &
stopping=$!
stopped() {
	refuses timeout -s KILL 30 "$TAPGATE" explain --user alice >"$TMPDIR/stopped" 2>&1 &&
		[ "$(tail -n 1 "$TMPDIR/stopped")" = 'tapgate: the process that reads the policy as uid 1000 was ended or stopped too early' ]
}
check 'a user who stops it does not hold root up' wait_for 20 stopped
kill -KILL "$stopping"
check '... and it is gone' refuses pgrep -x -u alice tapgate
check '... root has its answer then' eval '"$TAPGATE" explain --user alice lab1 | grep -q "^lab1: allowed by "'
finish
