#!/bin/sh
# SPDX-License-Identifier: MIT
# The attacks of tests/attacks, sent by guests that have booted: a virtual machine has the tap, and the attack comes out
# of its network card (BY_GUEST=1 tests/common/world; tests/attacks/machine.h).
#
#	tests/guest/attacks.sh [SUITE...]   test_to_the_host, these ("errors tables"), or "all"
#
# Without QEMU or a kernel for the guests it is skipped, or fails if CI=true.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"

kernel=$("$top/tests/guest/kernel" 2>&1) || suite_skip "$kernel"
qemu=$(command -v qemu-system-x86_64 || command -v /usr/libexec/qemu-kvm) || suite_skip 'no qemu-system-x86_64 here'
"$qemu" -netdev help 2>/dev/null | grep -qx dgram || suite_skip 'this QEMU has no -netdev dgram (7.2 has)'

cd "$top" || exit 1
suites=${*:-to_the_host}
if [ "$suites" = all ]; then
	suites=$(basename -s .c tests/attacks/test_*.c | sed 's/^test_//')
fi
status=0
for suite in $suites; do
	make -s "build/tests/attacks/test_$suite" || exit 1
	BY_GUEST=1 tests/common/world "build/tests/attacks/test_$suite" || status=1
done
exit $status
