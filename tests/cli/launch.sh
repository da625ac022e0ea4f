# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What the tests of `tapgate run` and `tapgate reap` share, to be sourced behind lib.sh.

hold=$top/build/tests/cli/hold
PATH=/usr/sbin:/usr/bin:/sbin:/bin

as() { # as USER COMMAND...
	as_user=$1
	shift
	setpriv --reuid "$as_user" --regid "$as_user" --init-groups "$@"
}

taps() { # their names
	for tap_flags in /sys/class/net/*/tun_flags; do
		[ ! -e "$tap_flags" ] || basename "${tap_flags%/tun_flags}"
	done
}

no_taps() {
	[ -z "$(taps)" ]
}

# runs USER STATUS WORD...: tapgate run as that user exits so, and both streams are exactly standard input
runs() {
	runs_user=$1 runs_status=$2
	shift 2
	cat >"$TMPDIR/runs.expected"
	as "$runs_user" "$TAPGATE" run "$@" >"$TMPDIR/runs" 2>&1 </dev/null
	runs_came=$?
	[ "$runs_came" = "$runs_status" ] || echo "tapgate run $*: status $runs_came, expected $runs_status"
	diff "$TMPDIR/runs.expected" "$TMPDIR/runs" && [ "$runs_came" = "$runs_status" ]
}
