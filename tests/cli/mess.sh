#!/bin/sh
# SPDX-License-Identifier: MIT
# What befalls a server in a term: `up` killed at any point while the policy changes, stopped, two at once with two
# policies, /run full or read-only, its files deleted. Afterwards the next `up` makes all as wanted; until then there is
# one clear line; and never is the guest cut off, nor its network without its guard.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

web='network web host-only 10.77.0.1/24 dhcp=10.77.0.10-10.77.0.20'
before() {
	policy 'allow all user=alice' "$web" 'network lab nat 172.16.2.1/24 dhcp=172.16.2.2-172.16.2.100' \
		'network quiet internal'
}
after() {
	policy 'allow all user=alice' "$web" 'network lab host-only 172.16.9.1/24 dhcp=172.16.9.2-172.16.9.100' \
		'network more shared 172.16.4.1/24 dhcp=172.16.4.2-172.16.4.100' 'network last internal'
}

mkdir /run/tapgate
mount -t tmpfs -o mode=755,nr_inodes=128 small /run/tapgate
before
"$TAPGATE" up >/dev/null
check 'a guest' guest a web 10.77.0.10/24
port() { ls -i "/sys/class/net/web/brif" && cat /sys/class/net/web/ifindex; }
stood=$(port)
reaches_host() {
	in_netns a "$busybox" ping -q -c 1 -W 2 10.77.0.1
}
same_guest() { # on the same port, behind the guard, and it reaches the host
	[ "$(port)" = "$stood" ] && nft list table inet tapgate-web | grep -q 'hook forward' && reaches_host
}
check 'it reaches the host' same_guest

one_line() { # one_line TEXT: all that was said, and nothing else
	printf '%s\n' "$1" | diff - "$TMPDIR/said"
}

# --- killed -----------------------------------------------------------------------------------------------------------

start=$(date +%s%N)
after && "$TAPGATE" up >/dev/null
whole=$((($(date +%s%N) - start) / 1000000))
for round in $(seq 12); do
	if [ $((round % 2)) = 1 ]; then before; else after; fi
	ms=$(awk -v seed="$round" -v whole="$whole" 'BEGIN { srand(seed); print int(rand() * (whole > 900 ? 900 : whole)) }')
	timeout -s KILL "$(printf '0.%03d' "$((ms + 1))")" "$TAPGATE" up >/dev/null 2>&1
	check "killed after $ms ms: the guest is where it was" same_guest
	check '... up' "$TAPGATE" up
	check '... and all is as wanted' says_nothing_changed
done
check 'the guest is where it was' same_guest

# --- stopped ----------------------------------------------------------------------------------------------------------

stopped() { # an `up` that holds the lock, and does not go on: another one says for whom it waits
	flock /run/tapgate/lock sleep 1000 &
	locker=$!
	wait_for 5 refuses flock -n /run/tapgate/lock true
	holder=$(awk '$2 == "FLOCK" { print $5 }' /proc/locks | head -n 1)
	kill -STOP "$locker"
	"$TAPGATE" up >"$TMPDIR/said" 2>&1 &
	waiting=$!
	wait_for 20 test -s "$TMPDIR/said"
	one_line "tapgate: warning: waiting for process $holder, which is changing networks; if it does not go on: ps $holder"
	stopped_status=$?
	pkill -KILL -P "$locker"
	kill -KILL "$locker"
	wait "$locker" 2>/dev/null
	wait "$waiting" && return "$stopped_status"
}
check 'one that is stopped has the lock: who waits says for whom, and goes on when it has ended' stopped
check '... up has nothing to do' says_nothing_changed

# --- two at once, and a policy that is edited meanwhile ---------------------------------------------------------------

opened() { # opened PID: it has come to the lock
	find "/proc/$1/fd" -lname /run/tapgate/lock | grep -q .
}
older_waits() { # `up` began with the older policy, and its turn comes when a newer one has been written
	before
	flock /run/tapgate/lock sh -c "touch '$TMPDIR/locked'; while [ -e '$TMPDIR/locked' ]; do sleep 0.02; done" &
	locker=$!
	wait_for 5 test -e "$TMPDIR/locked"
	"$TAPGATE" up >/dev/null 2>&1 &
	waiting=$!
	wait_for 5 opened "$waiting"
	after
	rm "$TMPDIR/locked"
	wait "$locker" "$waiting"
	says_nothing_changed
}
check 'the policy is edited while up waits for its turn: the newer one counts' older_waits
edited() { # while it is at work
	before
	"$TAPGATE" up >/dev/null 2>&1 &
	waiting=$!
	sleep 0.1
	after
	wait "$waiting" && "$TAPGATE" up >/dev/null && says_nothing_changed
}
check 'the policy is edited while up is at work: the next run makes what it says' edited
two() {
	"$TAPGATE" up >"$TMPDIR/one" 2>&1 &
	first=$!
	before
	"$TAPGATE" up >"$TMPDIR/two" 2>&1
	second=$?
	wait "$first" && [ "$second" = 0 ] && says_nothing_changed
}
check 'two at once, with two policies: both succeed, and what stands is the file' two
check 'the guest is where it was' same_guest

# --- /run -------------------------------------------------------------------------------------------------------------

on_run() { # on_run OPTIONS WORD...: tapgate where /run/tapgate is a file system with these options, and what it said
	on_run_options=$1
	shift
	mount -t tmpfs -o "$on_run_options" full /run/tapgate
	"$TAPGATE" "$@" >"$TMPDIR/said" 2>&1
	on_run_status=$?
	umount /run/tapgate
	return $on_run_status
}
check '/run is read-only: up fails' refuses on_run ro up
check '... with a line' one_line 'tapgate: cannot lock /run/tapgate/lock: Read-only file system'
check '... and the guest is where it was' same_guest
check '/run has no room for a file: up fails' refuses on_run nr_inodes=1 up
check '... with a line' one_line 'tapgate: cannot lock /run/tapgate/lock: No space left on device'
check '... and the guest is where it was' same_guest
check '... with room, up has nothing to do' says_nothing_changed

full() { # a new network with DHCP, and no room for its files: all else is made, and a line says what is not
	policy 'allow all user=alice' "$web" 'network late host-only 172.16.5.1/24 dhcp=172.16.5.2-172.16.5.100' \
		'network quiet internal'
	mkdir /run/tapgate/rest
	full_files=0
	while touch "/run/tapgate/rest/$full_files" 2>/dev/null; do
		full_files=$((full_files + 1))
	done
	"$TAPGATE" up >"$TMPDIR/said" 2>&1
	full_status=$?
	rm -r /run/tapgate/rest
	cat "$TMPDIR/said"
	[ "$full_status" = 1 ] && [ -e /sys/class/net/late ] && grep '^tapgate: late: cannot start dnsmasq: ' "$TMPDIR/said"
}
check '/run is full: what cannot be is said, and the rest is made' full
check '... the guest is where it was' same_guest
check '... with room again, up makes it' "$TAPGATE" up
check '... all of it' says_nothing_changed

# --- deleted ----------------------------------------------------------------------------------------------------------

rm -rf /run/tapgate/*
check 'all files deleted: the guest is where it was' same_guest
check '... up' "$TAPGATE" up
check '... and all is as wanted' says_nothing_changed
one_each() {
	dnsmasqs
	pgrep -ax tapgate-dhcp
	[ "$(pgrep -cx tapgate-dhcp) $(dnsmasqs | wc -l)" = '2 2' ]
}
check '... with one dnsmasq for each network' one_each
nft flush ruleset
check 'and its rules, too: up' "$TAPGATE" up
check '... the guest is where it was' same_guest
"$TAPGATE" down >/dev/null
nothing() {
	[ -z "$(dnsmasqs)" ] && refuses ip link show dev web && [ -z "$(nft list tables)" ]
}
check 'down leaves nothing' nothing
finish
