# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What every script of tests with guests needs, to be sourced first, with $top set to the top of the tree:
#
#	suite_begin "$@"	go into a world of its own (tests/common/world), or skip the script: without QEMU or a
#				kernel for the guests it is skipped, or fails if CI=true
#	check TEXT COMMAND...	one test
#	suite_end		the last command: the totals, and the exit status

suite_skip() { # suite_skip WHY
	if [ "${CI-}" = true ]; then
		echo "not ok 1 - $(basename "$0" .sh): $*"
		echo '0 passed, 1 failed'
		exit 1
	fi
	echo "ok 1 - $(basename "$0" .sh) # skip $*"
	echo '0 passed, 0 failed, 1 skipped'
	exit 0
}

suite_begin() { # suite_begin [ARGUMENT...]: the script's own; sets kernel, and all that tests/guest/vm.sh defines
	kernel=$("$top/tests/guest/kernel" 2>&1) || suite_skip "$kernel"
	if ! grep -q '^tapgate-world /run ' /proc/mounts; then
		make -s -C "$top" all build/tests/common/call || exit 1
		exec "$top/tests/common/world" "$0" "$@"
	fi
	# shellcheck source-path=SCRIPTDIR source=vm.sh
	. "$top/tests/guest/vm.sh"
	vm_qemu >/dev/null || suite_skip 'no qemu-system-x86_64 here'
	vm_setup "$kernel"
	passed=0
	failed=0
}

suite_end() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}

check() { # check TEXT COMMAND [ARGUMENT...]: a test that passes if the command succeeds; else its output is shown
	check_text=$1
	shift
	if "$@" >"$TMPDIR/check" 2>&1; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $check_text"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $check_text"
		sed 's/^/# /' "$TMPDIR/check"
	fi
}
