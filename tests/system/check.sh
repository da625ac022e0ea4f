# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Counting what holds, for the scripts of this folder; to be sourced.

passed=0 failed=0

check() { # check TEXT COMMAND...: the command succeeds
	what=$1
	shift
	if output=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "ok - $what"
	else
		failed=$((failed + 1))
		printf 'not ok - %s\n%s\n' "$what" "$output"
	fi
}
