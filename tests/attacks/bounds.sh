#!/bin/sh
# SPDX-License-Identifier: MIT
# Bounds: what a guest can make grow on the host, and how far; and that the host's own tools go on meanwhile.
#
#	alice (alpha), mallory --- lab, host-only --- host
# shellcheck disable=SC2016 # what eval is given
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$top/tests/attacks/services.sh"

check 'up' make_network host-only
check 'two guests' eval 'guest alice lab 172.16.2.200/24 && guest mallory lab 172.16.2.201/24 fd00:2::201/64'
check 'alpha has a lease' gets alice lease4 name=alpha wait=2000
cp "$TMPDIR/got" "$TMPDIR/alpha"

at_most() { # at_most COUNT COMMAND...: so many lines
	at_most_count=$1
	shift
	lines=$("$@" | wc -l)
	echo "$lines lines, expected at most $at_most_count"
	[ "$lines" -gt 0 ] && [ "$lines" -le "$at_most_count" ]
}

works() { # what is asked of the host is answered, and soon
	timeout 5 "$TAPGATE" list >"$TMPDIR/list" && grep -q ' alpha ' "$TMPDIR/list" &&
		[ "$(timeout 5 "$TAPGATE" ip alpha 2>/dev/null | head -n 1)" = "$(cat "$TMPDIR/alpha")" ] &&
		timeout 5 "$TAPGATE" status >/dev/null
}

# --- neighbours --------------------------------------------------------------------------------------------------------

# From each address of the subnet, and from a thousand and a half of IPv6: the host would like to answer each.
speak_from_all() {
	for number in $(seq 2 254); do
		in_netns mallory "$speak" datagram "172.16.2.$number" 172.16.2.1
	done
	for number in $(seq 1500); do
		in_netns mallory "$speak" datagram "fd00:2::bad:$(printf %x "$number")" fd00:2::1
	done
}
# The kernel keeps as many as it is told to, of all networks together (gc_thresh3, 1024 by default of each family). So a
# network has 512 in a minute.
nft 'table inet seen {
	set from { typeof ip6 saddr; flags dynamic; size 65536; }
	chain in { type filter hook input priority 400; iifname "lab" add @from { ip6 saddr }; }
}'
seen() { # how many addresses the host has heard of
	nft list set inet seen from | grep -o 'fd00:2::bad:' | wc -l
}
check 'neighbours: mallory speaks from all addresses' speak_from_all
check 'neighbours: of IPv4 as many as the subnet has' at_most 254 ip -4 neigh show dev lab
check 'neighbours: of IPv6 half of what there is room for' at_most 520 ip -6 neigh show dev lab
check 'neighbours: the guard let so many in' eval '[ "$(seen)" -gt 400 ] && [ "$(seen)" -le 512 ]'
check 'neighbours: the host answers' works
check 'neighbours: others are answered' in_netns alice "$busybox" ping -q -c 1 -W 2 172.16.2.1
ip neigh flush dev lab
nft delete table netdev tapgate-lab
check 'neighbours: without the guard mallory speaks from all' speak_from_all
check '... and all come' [ "$(seen)" -gt 1400 ]
check '... up counts them again' "$TAPGATE" up
ip neigh flush dev lab
nft delete table inet seen

# --- addresses behind a port -------------------------------------------------------------------------------------------

many_cards() {
	for number in $(seq 300); do
		asks mallory lease4 source="52:54:00:bb:$(printf '%02x:%02x' $((number / 256)) $((number % 256)))" wait=1 >/dev/null
	done
}
check 'hardware addresses: mallory sends from 300' many_cards
check 'hardware addresses: list shows 64 of a tap, and how many more' eval '"$TAPGATE" list --json | grep "more_guests"
	[ "$("$TAPGATE" list | grep -c 52:54:00:bb:)" -le 64 ]'
check 'hardware addresses: the host answers' works

# --- names -------------------------------------------------------------------------------------------------------------

rename_often() {
	for number in $(seq 40); do
		asks mallory lease4 source=52:54:00:bb:00:01 name="name$number" wait=300 >/dev/null
	done
}
check 'names: mallory has many, one behind the other' rename_often
check 'names: one is kept of each guest' at_most 6 cat /run/tapgate/lab.names/names
check 'names: the longest that there is' eval 'soon_gets alice lease4 name=alpha && soon_gets mallory lease4 \
	source=52:54:00:bb:00:01 name="$(head -c 63 /dev/zero | tr "\0" x)"'
check 'names: the host answers' works
check 'names: one that is longer than a name, and one with control bytes' eval 'asks mallory lease4 wait=500 \
	source=52:54:00:bb:00:01 name="$(head -c 200 /dev/zero | tr "\0" x)"; asks mallory lease4 wait=500 \
	source=52:54:00:bb:00:01 name="$(printf "a\nb 1 \033[2J")"; at_most 6 cat /run/tapgate/lab.names/names && works'

# What dnsmasq or anybody who speaks for it writes there is not believed beyond what can be there.
check 'names: a file that is none' eval 'head -c 100000 /dev/urandom >/run/tapgate/lab.names/names; works'
check 'names: one that is too large' eval 'head -c 5000000 /dev/zero >/run/tapgate/lab.names/names; works'
check 'names: one that is a pipe' eval 'rm /run/tapgate/lab.names/names; mkfifo /run/tapgate/lab.names/names; works'
check 'names: one of somebody else' eval 'rm /run/tapgate/lab.names/names
	ln -s /etc/passwd /run/tapgate/lab.names/names; works'

unplug alice
unplug mallory
check 'down' "$TAPGATE" down
finish
