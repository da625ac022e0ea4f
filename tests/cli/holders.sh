#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate list`: which process is behind a tap, and that another is not taken for it; which taps nobody holds.
# shellcheck disable=SC2016,SC2154 # words for another shell; top is of cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"
# shellcheck source-path=SCRIPTDIR source=shown.sh
. "$top/tests/cli/shown.sh"

policy 'allow br0 user=alice,#1003'
ip link add br0 type bridge forward_delay 0
ip link set br0 up

# --- processes --------------------------------------------------------------------------------------------------------

# held USER WORD...: a tap on br0, held until `release`; its name in $tap, the process in $holder
held() {
	held_user=$1
	shift
	rm -f "$TMPDIR/never" "$TMPDIR/holds"
	mkfifo "$TMPDIR/never"
	setpriv --reuid "$held_user" --regid "$held_user" --clear-groups "$TAPGATE" run --net br0 -- "$@" wait \
		<>"$TMPDIR/never" >"$TMPDIR/holds" &
	holder=$!
	wait_for 10 test -s "$TMPDIR/holds" && tap=$(awk '{ print $2; exit }' "$TMPDIR/holds")
}
release() {
	kill "$holder"
	wait "$holder" 2>/dev/null
}

hostile=$TMPDIR/$(printf 'q\033[31m\nx\t"\303\244')
cp "$hold" "$hostile"
check 'a program whose name is not for terminals' held alice "$hostile" '{fd}'
check '... does nothing to the table' no_control_bytes "$TAPGATE" list
check '... and is told' grep -qF "$holder q\\x1b[31m\\x0ax\\x09\\x22\\xc3\\xa4 " "$TMPDIR/raw"
check '... nor to JSON' no_control_bytes "$TAPGATE" list --json
check '... where it is the same' grep -qF '"name": "q\\x1b[31m\\x0ax\\x09\\x22\\xc3\\xa4"' "$TMPDIR/raw"
release
check 'and goes' wait_for 5 no_taps

# Numbers of processes are used again: another one has that in the alias, and is younger than the tap.
held alice "$hold" '{fd}'
sleep 1000 &
stranger=$!
wait_for 10 eval '[ "$(value age "$TAPGATE" list --json)" -ge 1 ]'
sleep 1000 &
young=$!
ip link set "$tap" alias "tapgate uid=1000 net=br0 vmm=$young"
check 'the number of a younger process: root sees who holds the tap' \
	[ "$("$TAPGATE" list | awk 'END { print $4, $5 }')" = "$holder hold" ]
check '... its own user, too' [ "$(as alice "$TAPGATE" list | awk 'END { print $4, $5 }')" = "$holder hold" ]
check '... others see none' [ "$(as bob "$TAPGATE" list | awk 'END { print $4, $5 }')" = '- -' ]
check '... for programs' [ "$(value process as bob "$TAPGATE" list --json)" = null ]
check '... the number stays what the alias says' [ "$(value vmm as bob "$TAPGATE" list --json)" = "$young" ]
ip link set "$tap" alias 'tapgate uid=1000 net=br0 vmm=999999'
check 'the number of no process' [ "$(as bob "$TAPGATE" list | awk 'END { print $4 }')" = - ]
kill "$young" "$stranger"
release

check 'a user without a name' held 1003 "$hold" '{fd}'
check '... is a number' [ "$("$TAPGATE" list | awk 'END { print $3 }')" = 1003 ]
cp /etc/passwd "$TMPDIR/passwd"
printf 'j\303\274rgen\033:x:1003:1003::/:/bin/sh\n' >>/etc/passwd
check '... with a name' [ "$("$TAPGATE" list | awk 'END { print $3 }')" = "$(printf 'j\303\274rgen\\x1b')" ]
cat "$TMPDIR/passwd" >/etc/passwd
release

# --- orphans ----------------------------------------------------------------------------------------------------------

note() { # note [USER]: behind the last tap's traffic
	if [ $# -gt 0 ]; then
		as "$1" "$TAPGATE" list
	else
		"$TAPGATE" list
	fi | sed -n '$s/.* [0-9]*[smhd]  *[0-9.]*[KMG]\{0,1\}  *[0-9.]*[KMG]\{0,1\}\( *\)/\1/p' | sed 's/^ *//'
}
check 'held, persistent' held alice "$hold" '{fd}' persist
check '... is no orphan' [ -z "$(note)$(note alice)$(note bob)" ]
release
check 'let go: an orphan' [ "$(note)" = 'orphan: nobody holds it; try: tapgate reap' ]
check '... its user cannot be sure' [ "$(note alice)" = 'orphan, it seems: no carrier; try: tapgate reap' ]
check '... nor others' [ "$(note bob)" = 'orphan, it seems: no carrier; try: sudo tapgate reap' ]
check '... for programs' [ "$(value held "$TAPGATE" list --json) $(value held as bob "$TAPGATE" list --json)" = 'false null' ]
check '... persistent' [ "$(value persistent as bob "$TAPGATE" list --json)" = true ]
check 'looking at it changed nothing' [ -e "/sys/class/net/$tap" ]
check 'what it says helps' "$TAPGATE" reap
check '... as it is gone' no_taps
held alice "$hold" '{fd}' persist carrier=0
check 'held, without a carrier: no orphan' [ -z "$(note)$(note alice)" ]
check '... others cannot be sure' [ "$(note bob)" = 'orphan, it seems: no carrier; try: sudo tapgate reap' ]
release
"$TAPGATE" reap >/dev/null
ip tuntap add dev mq0 mode tap multi_queue vnet_hdr user alice
ip link set mq0 master br0 alias 'tapgate uid=1000 net=br0 vmm=1'
ip link set mq0 up
check 'one of several queues: the kernel tells everybody' \
	[ "$(note bob)" = 'orphan: nobody holds it; try: sudo tapgate reap' ]
ip link del mq0

# One who asked for a tap and gave it away, as libvirt's daemon does, is there still when the tap is an orphan.
sleep 1000 &
asker=$!
ip tuntap add dev left mode tap user alice
ip link set left master br0 alias "tapgate uid=1000 net=br0 vmm=$asker"
ip link set left up
check 'whose asker is there and has it not: root sees that nobody holds it' \
	[ "$(note)" = 'orphan: nobody holds it; try: tapgate reap' ]
check '... for programs' [ "$(value holds "$TAPGATE" list --json) $(value pid "$TAPGATE" list --json)" = "false $asker" ]
check '... others cannot be sure' [ "$(note bob)" = 'orphan, it seems: no carrier; try: sudo tapgate reap' ]
kill "$asker"
unshare --net sh -c 'ip tuntap add dev left mode tap && exec "$0" join=left wait' "$hold" <>"$TMPDIR/never" \
	>"$TMPDIR/elsewhere" &
elsewhere=$!
check 'one of that name, in another network namespace' wait_for 10 test -s "$TMPDIR/elsewhere"
check '... is another: root cannot be sure any more' [ "$(note)" = 'orphan, it seems: no carrier; try: tapgate reap' ]
kill "$elsewhere"
ip link del left

# --- what is not ours -------------------------------------------------------------------------------------------------

ip tuntap add dev mine mode tap user alice
ip tuntap add dev hers mode tap user alice
ip link set hers alias 'tapgate uid=01000 net=br0 vmm=1'
check 'taps of others are not shown' [ "$("$TAPGATE" list | wc -l)" = 1 ]
ip link del mine
ip link del hers
finish
