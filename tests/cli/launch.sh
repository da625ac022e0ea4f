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

