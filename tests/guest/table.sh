#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of modes, every cell, IPv4 and IPv6, with real guests on a host that forwards everything: who reaches whom.
# tests/guest/lan.sh draws the world around the host, tests/guest/modes.sh the networks and their guests.
#
# The cells are looked at three times: on a host that forwards everything; beside a firewall that drops what nobody
# accepts, as Docker's; and, to see that all this can fail, with every guard and every rule flushed.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"
# shellcheck source-path=SCRIPTDIR source=lan.sh
. "$top/tests/guest/lan.sh"
# shellcheck source-path=SCRIPTDIR source=modes.sh
. "$top/tests/guest/modes.sh"

row() { # row FILE MODE FAMILY: its five cells
	sed -n "s/^$2 $3 //p" "$1"
}

is_row() { # is_row MODE FAMILY CELLS
	[ "$(row "$TMPDIR/cells" "$1" "$2")" = "$3" ] && return
	echo "VM->LAN, LAN->VM, VM<->VM, VM->Internet, host->VM are $(row "$TMPDIR/cells" "$1" "$2"), should be $3"
	modes_sorted | grep "^$1 . $2 "
	return 1
}

measure() { # measure TITLE
	modes_measure
	modes_cells >"$TMPDIR/cells"
	echo
	echo "# $1:"
	modes_draw <"$TMPDIR/cells" | sed 's/^/# /'
	echo
}

check_table() { # check_table TITLE
	measure "$1"
	modes_expected >"$TMPDIR/expected"
	while read -r mode family cells; do
		check "$1: $mode, $family: $cells" is_row "$mode" "$family" "$cells"
	done <"$TMPDIR/expected"
}

# The host could reach what is on the internal network, had it a way there. It shall not, even if it has one.
routes_to_internal() {
	ip route replace 172.16.9.0/24 dev quiet
	ip -6 route replace fd00:9::/64 dev quiet
}

turned() { # turned MODE FAMILY: are its cells with n all y now?
	case $(row "$TMPDIR/cells" "$1" "$2") in
	*n* | *\?* | '') row "$TMPDIR/cells" "$1" "$2" && return 1 ;;
	esac
}

lan_up
modes_policy >/etc/tapgate.conf
check 'tapgate up makes the networks' "$TAPGATE" up
routes_to_internal
modes_start
check 'a guest of alice started on each network, and a second where there can be one' modes_ready

check_table 'forwarding on'

docker_rules
check 'tapgate up, once there is a firewall that drops' "$TAPGATE" up
check_table 'policy drop'

# --- the control -----------------------------------------------------------------------------------------------------

nft flush ruleset
measure 'control, everything flushed'
for family in IPv4 IPv6; do
	check "without its guard a host-only network is open, $family" turned host-only "$family"
done

suite_end
