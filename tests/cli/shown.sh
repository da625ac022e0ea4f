# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# What the tests of `tapgate list` share, to be sourced behind lib.sh.

value() { # value KEY WORD...: the first of that name in JSON
	value_key=$1
	shift
	"$@" | sed -n "s/^ *\"$value_key\": //p" | sed -n '1{s/,$//;p;}'
}

no_control_bytes() { # of any command's output: none but newlines
	"$@" >"$TMPDIR/raw" 2>&1
	[ -s "$TMPDIR/raw" ] && [ "$(LC_ALL=C tr -d '\n\040-\176' <"$TMPDIR/raw" | wc -c)" = 0 ]
}
