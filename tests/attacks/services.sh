# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# What the attacks on a network's services share: tests/cli/lib.sh; a network, guests that ask for addresses, and the
# network with a protection taken away. `network` is the one that is asked about.
# shellcheck source-path=SCRIPTDIR source=../cli/lib.sh
. "$top/tests/cli/lib.sh"
network=lab

# make_network MODE [OPTION...]: lab, with a DHCP server
make_network() {
	policy "network lab $1 172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100 ${2-}" 'allow lab user=alice'
	"$TAPGATE" up
}

# asks GUEST WORD...: what it is told (tests/attacks/ask.c)
asks() {
	asks_guest=$1
	shift
	in_netns "$asks_guest" "$top/build/tests/attacks/ask" eth0 "$@"
}

# gets GUEST WORD...: an address of the network's range; it is in $TMPDIR/got
gets() {
	asks "$@" >"$TMPDIR/got"
	cat "$TMPDIR/got"
	grep -q '^172\.16\.2\.' "$TMPDIR/got"
}

# soon_gets GUEST WORD...: the same, as a client that asks again: one new guest in a second is served behind a port
soon_gets() {
	for soon_try in 1 2 3 4 5 6; do
		! gets "$@" wait=500 || return 0
	done
	echo "$soon_try times in vain"
	return 1
}

# gets_nothing GUEST WORD...: no answer at all
gets_nothing() {
	[ "$(asks "$@" wait="${patience-600}" | tee "$TMPDIR/got")" = nothing ] || {
		cat "$TMPDIR/got"
		return 1
	}
}

card_of() { # card_of GUEST: its hardware address
	ip -n "$1" -o link show dev eth0 | sed 's|.*link/ether ||; s| .*||'
}

leases() { # leases PATTERN: lines of the network's lease file, as many as match
	grep -c -e "$1" "/run/tapgate/$network.leases"
}

has_lease() { # has_lease PATTERN
	grep -q -e "$1" "/run/tapgate/$network.leases"
}

words_of() { # words_of NETWORK: of its dnsmasq, a line each
	tr '\0' '\n' <"/proc/$(pid_of "$1")/cmdline"
}

# serve_without NETWORK PATTERN...: its dnsmasq anew, without the words that match, and without a memory of guests
serve_without() {
	serve_network=$1
	words_of "$1" | grep -v -x -e --keep-in-foreground >"$TMPDIR/words"
	shift
	for serve_pattern; do
		grep -q -e "$serve_pattern" "$TMPDIR/words" || return 1
		sed -i "\\|$serve_pattern|d" "$TMPDIR/words"
	done
	forget "$serve_network"
	xargs -d '\n' -a "$TMPDIR/words" sh -c '"$@"' dnsmasq
}

is_silent() { # is_silent NETWORK: it has no dnsmasq, and nobody listens in its place
	serves_nothing "$1" && ! ss -Hlntu | grep -q '172\.16\.2\.1:53 '
}

# forget NETWORK: end its dnsmasq, and what it knows
forget() {
	forget_pid=$(keeper_of "$1")
	[ "$(cat "/proc/$forget_pid/comm")" = tapgate-dhcp ] || forget_pid=$(pid_of "$1") # serve_without's has none
	kill "$forget_pid"
	wait_for 5 is_silent "$1"
	rm -f "/run/tapgate/$1.leases" "/run/tapgate/$1.names/names"
}

# serve_again NETWORK: as `tapgate up` has it, without a memory of guests
serve_again() {
	forget "$1"
	"$TAPGATE" up
}

# open_services NETWORK: without what guards its DHCP server
open_services() {
	nft delete table bridge "tapgate-$1" && nft delete table netdev "tapgate-$1"
}

# shut_services NETWORK: as `tapgate up` has it, with sets that are empty
shut_services() {
	nft delete table inet "tapgate-$1" && "$TAPGATE" up "$1"
}
