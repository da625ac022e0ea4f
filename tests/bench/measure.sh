# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # set by who sources it
# What tests/bench/packets and tests/bench/vhost share, to be sourced behind tests/guest/suite.sh, after suite_begin, with
# $rounds and $seconds set: who sends packets in a guest, what came of it, and the report.

traffic=$top/build/tests/bench/traffic
port=5201
make -s -C "$top" build/tests/bench/traffic || exit 1
results=$TMPDIR/results

die() {
	echo "$(basename "$0"): $*" >&2
	exit 1
}

nothing_came() { # nothing_came WHERE
	echo "$(basename "$0"): nothing came through: $*" | tee -a "$TMPDIR/nothing" >&2
}

measure() { # measure TABLE ROW GUEST ADDRESS
	for kind in ping ask send fetch small; do
		value=$(vm_run "$3" "traffic $kind $4 $seconds $port") || {
			nothing_came "$2, $1, $kind: $value"
			continue
		}
		printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$kind" "$(echo "$value" | sed -n 's/^\([0-9.]*\)$/\1/p')"
	done >>"$results"
}

measure_begin() {
	{
		printf 'kernel\t%s\n' "$(uname -srm)"
		printf 'processors\t%s x %s\n' "$(nproc)" "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
		printf 'qemu\t%s\n' "$("$(vm_qemu)" --version | head -n 1)"
		printf 'load before\t%s\n' "$(cut -d ' ' -f 1-3 /proc/loadavg)"
		printf 'rounds\t%s of %s s each\n' "$rounds" "$seconds"
	} >"$TMPDIR/facts"
	renice -n -10 -p $$ >/dev/null # and what it starts: others on the machine are to wait
}

measure_end() { # the last command: the report, and the exit status
	awk -f "$top/tests/bench/packets.awk" -v json="$top/build/bench-$(basename "$0").json" "$TMPDIR/facts" "$results" &&
		[ ! -e "$TMPDIR/nothing" ]
}
