#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate up` killed (SIGKILL) at any moment while it starts dnsmasq: the next one makes all as wanted, without
# "Address already in use", each network has one dnsmasq with one keeper, and `down` leaves none and no file of theirs.
#
#	tests/cli/kills.sh [ROUNDS]
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

policy 'network lab host-only 172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100' \
	'network web nat 172.16.3.1/24 dhcp=172.16.3.2-172.16.3.100'

# kill_at MILLISECONDS COMMAND...
kill_at() {
	kill_ms=$1
	shift
	"$@" >/dev/null 2>&1 &
	kill_pid=$!
	sleep "$(printf '0.%03d' "$kill_ms")"
	kill -KILL "$kill_pid" 2>/dev/null
	wait "$kill_pid"
}

one_each() {
	[ "$(pgrep -cx tapgate-dhcp) $(dnsmasqs | wc -l)" = '2 2' ] || {
		pgrep -ax tapgate-dhcp
		dnsmasqs
		return 1
	}
}

# Leases and names stay; of a killed one its lock on all of tapgate, too.
nothing_left() {
	{
		pgrep -ax tapgate-dhcp # by one name each: a pattern of more than 15 characters matches none
		pgrep -ax dnsmasq
		find /run/tapgate -mindepth 1 ! -name '*.leases' ! -path '*.names*' ! -name lock
	} >"$TMPDIR/left"
	cat "$TMPDIR/left"
	[ ! -s "$TMPDIR/left" ]
}

"$TAPGATE" up >/dev/null
"$TAPGATE" down >/dev/null
start=$(date +%s%N)
"$TAPGATE" up >/dev/null
whole=$((($(date +%s%N) - start) / 1000000))
"$TAPGATE" down >/dev/null
for round in $(seq "${1-20}"); do
	ms=$(awk -v seed="$round" -v whole="$whole" 'BEGIN { srand(seed); print int(rand() * (whole > 900 ? 900 : whole)) }')
	kill_at "$ms" "$TAPGATE" up
	[ $((round % 4)) != 0 ] || rm -rf /run/tapgate
	if [ $((round % 2)) = 0 ]; then
		check "killed after $ms ms: up" "$TAPGATE" up
		check '... one dnsmasq for each network' one_each
		check '... is as wanted' says_nothing_changed
	fi
	check "killed after $ms ms: down" "$TAPGATE" down
	check '... nothing is left' nothing_left
done
finish
