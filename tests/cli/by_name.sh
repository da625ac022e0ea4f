#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate run --by-name`: the command opens its tap by name, as Firecracker does; it goes with the command, however that
# ends (firecracker-microvm/firecracker#3465, #754). The stand-in is tests/cli/hold.c: its "join=" asks for
# IFF_TAP|IFF_NO_PI|IFF_VNET_HDR, as Firecracker's Tap::open_named.
# shellcheck disable=SC2016,SC2119,SC2120,SC2154 # words for another shell; functions run by check; top is of cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"

ip link add br0 type bridge forward_delay 0
ip link set br0 up
policy 'network lab host-only 172.16.2.1/24' 'network locked host-only 172.16.3.1/24 lock-mac' \
	'network cell standalone 172.16.128.0/17 per-vm=/30' 'allow all user=alice max=1' 'allow br0 user=alice max=1'
"$TAPGATE" up >/dev/null

# start WORD...: hold, by name on br0, in the background, until it is killed; $parent, and $command within
start() {
	rm -f "$TMPDIR/never" "$TMPDIR/holds"
	mkfifo "$TMPDIR/never"
	setpriv --reuid alice --regid alice --init-groups "$TAPGATE" run --by-name --net br0 -- "$hold" join='{ifname}' "$@" wait \
		<>"$TMPDIR/never" >"$TMPDIR/holds" 2>&1 &
	parent=$!
	wait_for 10 test -s "$TMPDIR/holds" && command=$(pgrep -P "$parent") && tap=$(taps) || return 1
}

opened() { # opened NETWORK: persistent, with a header; alice's, and on its bridge
	as alice "$TAPGATE" run --by-name --net "$1" -- "$hold" 'join={ifname}' >"$TMPDIR/opened" 2>&1
	opened_status=$?
	cat "$TMPDIR/opened"
	[ "$opened_status" = 0 ] && grep -qE '^[0-9]+ tg[0-9]+-0 5802$' "$TMPDIR/opened" && no_taps
}
check 'the command opens the tap by its name; then it is gone' opened br0
check '... on a managed network' opened lab
check '... with lock-mac' opened locked
in_place() { # up, on its bridge, alice's, and named for the command's own process
	as alice "$TAPGATE" run --by-name --net br0 -- sh -c 'echo $$; cat /sys/class/net/{ifname}/ifalias
		readlink /sys/class/net/{ifname}/master; cat /sys/class/net/{ifname}/owner; ls /proc/$$/fd' >"$TMPDIR/place"
	cat "$TMPDIR/place"
	read -r pid <"$TMPDIR/place"
	[ "$(sed -n 2p "$TMPDIR/place")" = "tapgate uid=1000 net=br0 vmm=$pid" ] && grep -q '/br0$' "$TMPDIR/place" &&
		[ "$(sed -n 4p "$TMPDIR/place")" = 1000 ] && no_taps
}
check "the alias names the command's process; a command that never opens it: gone all the same" in_place
check '{ip} and {ifname}, of a standalone one' eval \
	'as alice "$TAPGATE" run --by-name --net cell -- echo {ip} {ifname} | grep -qx "172.16.128.[0-9]*/30 cell-1" && no_taps'
check "the command's exit status" runs alice 42 --by-name --net br0 -- sh -c 'exit 42' </dev/null
check '... 128 and the signal that ended it' runs alice 137 --by-name --net br0 -- sh -c 'kill -KILL $$' </dev/null
check '... 127: there is none' runs alice 127 --by-name --net br0 -- no-such-command <<'EOT'
tapgate: cannot run 'no-such-command': No such file or directory
EOT
check 'denied: the helper says so' eval 'as bob "$TAPGATE" run --by-name --net br0 -- true 2>&1 | grep "uid 1001 may not use"'
check '... and no tap is left of any' no_taps
check 'there is no {fd}' runs alice 125 --by-name --net br0 -- echo '{fd}' <<'EOT'
tapgate: {fd}: with --by-name there is no descriptor, expected {ifname}
EOT
check '... the tap is gone' no_taps
for option in '--queues 2' --vhost; do
	# shellcheck disable=SC2086 # an option and its value
	check "not with ${option% *}" runs alice 125 --by-name --net br0 $option -- true <<EOT
tapgate: --by-name together with ${option% *}, expected one of the two; see: tapgate help run
EOT
done

others() { # no other user can open it, nor can its own while the command has it; max= counts it
	start || return 1
	as bob "$hold" "join=$tap" 2>&1 | grep 'not permitted' && as alice "$hold" "join=$tap" 2>&1 | grep 'busy' &&
		as alice "$TAPGATE" run --net br0 -- true 2>&1 | grep 'has reached max=1'
}
check 'nobody else opens it, and max= counts it' others
ends() { # ends SIGNAL STATUS: given to the parent, it is the command's, and the tap goes
	kill "-$1" "$parent"
	wait "$parent"
	[ $? = "$2" ] && no_taps && ! kill -0 "$command" 2>/dev/null
}
check 'SIGTERM to the parent is one to the command' ends TERM 143
command_killed() {
	start && kill -KILL "$command" && { wait "$parent" || [ $? = 137 ]; } && no_taps
}
check 'the command is killed: its tap goes' command_killed
parent_killed() { # the command goes on; when it has ended the tap is an orphan
	start && kill -KILL "$parent" && ! wait "$parent" && "$TAPGATE" list | grep "^$tap .* alice  *$command " &&
		[ "$(as alice "$TAPGATE" reap)" = 'nothing changed' ] && kill "$command" && wait_for 5 eval \
		'"$TAPGATE" list | grep "^$tap .* orphan: nobody holds it"' &&
		as alice "$TAPGATE" reap | grep "removed the tap '$tap'" && no_taps
}
check 'the parent is killed: the command goes on, list and reap know the tap' parent_killed
parent_stopped() { # the command ends meanwhile; its tap is known as nobody's, and goes when the parent goes on
	start && kill -STOP "$parent" && kill "$command" && wait_for 5 eval \
		'"$TAPGATE" list | grep "^$tap .* orphan: nobody holds it"' && kill -CONT "$parent" && {
		wait "$parent" || [ $? = 143 ]
	} && no_taps
}
check 'the parent is stopped: list knows the tap, which goes when it goes on' parent_stopped
stopped_and_reaped() { # what is no more is no mistake
	start && kill -STOP "$parent" && kill "$command" && wait_for 5 eval \
		'as alice "$TAPGATE" reap | grep "removed the tap '"'"'$tap'"'"'"' && no_taps && kill -CONT "$parent" && {
		wait "$parent" || [ $? = 143 ]
	} && ! grep removed "$TMPDIR/holds" && ! grep 'cannot remove' "$TMPDIR/holds"
}
check '... and was reaped meanwhile: nothing is said of it' stopped_and_reaped
finish
