#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate list --watch`, on a terminal, in a file and as JSON, until a signal or a reader that is gone ends it; and when
# there is colour.
# shellcheck disable=SC2016,SC2154 # words for another shell; top is of cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"

export TERM=xterm
unset NO_COLOR

silent() { # silent NAME: a namespace for a guest that says nothing by itself
	ip netns add "$1"
	in_netns "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
}

# watch WORD...: as bob, into $TMPDIR/watched; its process in $watching
watch() {
	: >"$TMPDIR/watched"
	setpriv --reuid bob --regid bob --clear-groups "$TAPGATE" list --watch "$@" >"$TMPDIR/watched" 2>&1 &
	watching=$!
}

ends_with() { # ends_with STATUS SIGNAL
	kill "-$2" "$watching"
	wait "$watching"
	ends_came=$?
	[ "$ends_came" = "$1" ] || echo "status $ends_came"
	[ "$ends_came" = "$1" ]
}

lines() { # what it told, without times and numbers
	sed -E 's/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z /TIME /; s/vmm=[0-9]+:/vmm=N:/; s/([0-9a-f]{2}:){5}[0-9a-f]{2}/MAC/
		s/\<tg[0-9]+-[0-9]+\>/TAP/' "$TMPDIR/watched"
}

told() { # told: within some seconds it is what stands on standard input
	cat >"$TMPDIR/expected"
	wait_for 10 eval 'lines | cmp -s - "$TMPDIR/expected"' || {
		lines | diff "$TMPDIR/expected" -
		return 1
	}
}

policy 'allow all user=alice' 'network tap1 standalone 172.16.3.1/24' 'network br0 bridged' 'network br1 bridged'
"$TAPGATE" up >/dev/null
for name in br0 br1; do
	ip link add "$name" type bridge forward_delay 0
	ip link set "$name" up
done
ip addr add 192.0.2.1/24 dev br0
for name in b1 b2 b3; do
	silent "$name"
done

# --- lines ------------------------------------------------------------------------------------------------------------

guest b1 br0 192.0.2.7/24
watch
check 'what is there when it begins' told <<'EOT'
TIME here TAP network=br0 user=alice vmm=N:plug
EOT
guest b2 br1
check 'what comes' told <<'EOT'
TIME here TAP network=br0 user=alice vmm=N:plug
TIME came TAP network=br1 user=alice vmm=N:plug
EOT
wait_for 10 in_netns b1 "$busybox" ping -c 1 -W 1 192.0.2.1
wait_for 10 eval 'lines | grep -q "TIME changed .*,192.0.2.7$"'
# The bridge knows the guest a moment before the host does: one change, or two.
check 'what changes' eval 'lines | tail -n +3 | grep "^TIME changed TAP network=br0 user=alice vmm=N:plug guest=MAC,192.0.2.7$"'
check '... and nothing of the other' refuses eval 'lines | grep "changed.*br1"'
unplug b2
check 'what goes' wait_for 10 eval 'lines | tail -n 1 | grep "^TIME gone TAP network=br1 user=alice vmm=N:plug$"'
count=$(wc -l <"$TMPDIR/watched")
in_netns b1 "$busybox" ping -c 3 192.0.2.1 >/dev/null
check 'traffic is no change' [ "$(wc -l <"$TMPDIR/watched")" = "$count" ]
check 'SIGTERM ends it well' ends_with 0 TERM
watch
wait_for 10 test -s "$TMPDIR/watched"
check 'SIGINT, too' ends_with 0 INT
watch br1
silent b2
guest b2 br1
check 'of one network' wait_for 10 grep -qE ' (here|came) .* network=br1 ' "$TMPDIR/watched"
check '... no other' refuses grep -q br0 "$TMPDIR/watched"
ends_with 0 TERM

# Whoever calls a program so says nothing of a tap.
unplug b2
cp "$top/build/tests/cli/plug" "$TMPDIR/p name=x orphan"
silent b2
guest_program="$TMPDIR/p name=x orphan"
guest b2 br1
unset guest_program
watch br1
check 'a name with blanks is one word' told <<'EOT'
TIME here TAP network=br1 user=alice vmm=N:p\x20name=x\x20orphan
EOT
ends_with 0 TERM

watch --json
wait_for 10 test -s "$TMPDIR/watched"
unplug b2
check 'as JSON: one that goes' wait_for 10 grep -q '"event": *"gone"' "$TMPDIR/watched"
check '... an object a line' [ "$(grep -cE '^\{"time":"[0-9T:-]*Z","event":"(here|gone)","tap":\{"interface":"tg[0-9]*-0",.*\}\}$' "$TMPDIR/watched")" = 3 ]
check '... and no more' [ "$(wc -l <"$TMPDIR/watched")" = 3 ]
ends_with 0 TERM

# Who reads no more ends it, also when there is nothing to write.
check 'a reader that goes' timeout 20 sh -c '"$TAPGATE" list --watch 2>"$TMPDIR/error" | head -n 1 >"$TMPDIR/first"'
check '... had a line' grep -q ' here ' "$TMPDIR/first"
check '... without a word' [ ! -s "$TMPDIR/error" ]
full() {
	timeout 20 "$TAPGATE" list --watch >/dev/full
}
check 'a place that is full ends it, and is told' eval 'full 2>"$TMPDIR/error"; [ $? = 1 ] && grep -qx "tapgate: cannot write to standard output" "$TMPDIR/error"'
check 'a network that there is not' says 2 list --watch nowhere <<'EOT'
tapgate: no network 'nowhere' has taps, or stands in /etc/tapgate.conf; see: tapgate networks
EOT

# --- a terminal -------------------------------------------------------------------------------------------------------

escape=$(printf '\033')
# on_terminal COMMAND: what it writes to one of 60 columns and 5 lines, in $TMPDIR/terminal; and its status
on_terminal() {
	script -qefc "stty rows 5 cols 60; $1" "$TMPDIR/terminal" </dev/null >/dev/null 2>&1
}

rm -f "$TMPDIR/number"
on_terminal 'sh -c '\''echo $$ >"$TMPDIR/number"; exec "$TAPGATE" list --watch'\''; echo "ended $?"' &
terminal=$!
check 'a table' wait_for 10 grep -q " br0 .* alice " "$TMPDIR/terminal"
guest b3 br1
check 'kept up to date' wait_for 10 grep -q " br1 .* alice " "$TMPDIR/terminal"
for name in b4 b5 b6 b7; do
	silent "$name"
	guest "$name" br1
done
check 'that says what has no place' wait_for 10 grep -q '^\.\.\. 4 more' "$TMPDIR/terminal"
wide=$(sed "s/$escape\\[[0-9;]*[A-Za-z]//g" "$TMPDIR/terminal" | tr -d '\r' | grep '^tg' | awk 'length > 60' | wc -l)
check '... and cuts lines' [ "$wide" = 0 ]
check '... in place' grep -q "^$escape\\[H" "$TMPDIR/terminal"
kill -INT "$(cat "$TMPDIR/number")"
wait "$terminal"
check 'SIGINT ends it well' grep -q 'ended 0' "$TMPDIR/terminal"
rm -f "$TMPDIR/number"
TERM=dumb on_terminal 'sh -c '\''echo $$ >"$TMPDIR/number"; exec "$TAPGATE" list --watch'\''' &
terminal=$!
check 'on one that can do nothing: lines' wait_for 10 grep -q ' here .* network=br0 ' "$TMPDIR/terminal"
check '... and nothing else' refuses grep -q "$escape" "$TMPDIR/terminal"
kill -TERM "$(cat "$TMPDIR/number")"
wait "$terminal"

coloured() { # coloured ENVIRONMENT COMMAND: whether there is colour on a terminal
	on_terminal "env $1 $2"
	grep -q "$escape" "$TMPDIR/terminal"
}
plain() { # the same without it, and the words all the same
	! coloured "$@" && [ -s "$TMPDIR/terminal" ]
}
for command in list 'status br0'; do
	check "$command: colour on a terminal" coloured A=b "'$TAPGATE' $command"
	check '... also with NO_COLOR empty' coloured NO_COLOR= "'$TAPGATE' $command"
	check '... not with NO_COLOR' plain NO_COLOR=1 "'$TAPGATE' $command"
	check '... nor with TERM=dumb' plain TERM=dumb "'$TAPGATE' $command"
	check '... nor without TERM' plain '-u TERM' "'$TAPGATE' $command"
	check '... nor in a pipe' plain A=b "sh -c '\"$TAPGATE\" $command | cat'"
done
check 'nor in JSON' plain A=b "'$TAPGATE' list --json"
finish
