# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the scripts need that make packages and look into them, to be sourced first, with $top set to the top of the tree,
# which becomes the working directory: the functions of tests/guest/suite.sh, but for suite_begin; a place of its own
# for files, $TMPDIR; nothing of the `make` that may have called; the version.

TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
# shellcheck source-path=SCRIPTDIR/../guest source=suite.sh
. "$top/tests/guest/suite.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL SANITIZE STATIC BUILD SOURCE_DATE_EPOCH
# shellcheck disable=SC2034 # check counts
passed=0 failed=0
cd "$top" || exit 1
# shellcheck disable=SC2034 # not all scripts name it
version=$(cat VERSION)

needs() { # needs PROGRAM...: or the script is skipped
	for program; do
		command -v "$program" >/dev/null || suite_skip "no $program here"
	done
}
