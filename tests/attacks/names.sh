#!/bin/sh
# SPDX-License-Identifier: MIT
# Names: a guest that calls itself what another one is called, and what guests hear of names that are none of theirs.
# `ssh root@$(tapgate ip alpha)` must not lead to mallory.
#
#	alice (alpha), mallory --- lab, host-only --- host, dnsmasq
# shellcheck disable=SC2016 # what eval is given
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$top/tests/attacks/services.sh"

domain=lab.internal

# resolves GUEST NAME [SERVER]: the addresses that a guest finds for a name, a line each
resolves() {
	in_netns "$1" "$busybox" nslookup "$2" "${3-172.16.2.1}" 2>/dev/null | sed '1,/^$/d' |
		sed -n 's/^Address\( [0-9]*\)*: *//p' | sort -u
}

# leads_to GUEST NAME: the host's `tapgate ip`, and what guests find, is the address that this guest has; and no other
leads_to() {
	leads_address=$(cat "$TMPDIR/address.$1")
	leads_came=$("$TAPGATE" ip "$2" 2>/dev/null | head -n 1)
	leads_found=$(resolves mallory "$2.$domain")
	echo "tapgate ip: $leads_came, in the domain: $leads_found, expected $leads_address"
	[ "$leads_came" = "$leads_address" ] && [ "$leads_found" = "$leads_address" ]
}

# named GUEST NAME [WORD...]: it has a lease, and asked for the name
named() {
	named_guest=$1 named_name=$2
	shift 2
	soon_gets "$named_guest" lease4 name="$named_name" "$@" && cp "$TMPDIR/got" "$TMPDIR/address.$named_guest"
}

warned() { # warned COMMAND...: it warns that mallory asks for alpha
	"$@" 2>&1 | grep "warning: the guest $(card_of mallory) .*asks .*for the name 'alpha', which another guest had first"
}

# --- stolen ------------------------------------------------------------------------------------------------------------

check 'up' make_network host-only
check 'two guests' eval 'guest alice lab && guest mallory lab 172.16.2.250/24'

check 'open: a dnsmasq that nobody keeps an eye on' serve_without lab dhcp-script
check 'open: alpha' eval 'named alice alpha && leads_to alice alpha'
check 'open: mallory is alpha from now on' eval 'named mallory alpha && leads_to mallory alpha'
check 'open: names of DHCPv6, too' eval 'serve_without lab dhcp-ignore-names=tag:dhcpv6 && named alice alpha &&
	asks mallory lease6 name=alpha && resolves mallory alpha.lab.internal | grep "^fd00:2::1"'

check 'ours: with an empty memory' serve_again lab
check 'ours: alpha' eval 'named alice alpha && leads_to alice alpha'
check 'ours: mallory asks for the name' named mallory alpha
check 'ours: alpha stays, within moments' wait_for 3 leads_to alice alpha
check 'ours: mallory has none' eval '"$TAPGATE" list | grep "$(card_of mallory) *- "'
check 'ours: list warns' warned "$TAPGATE" list
check 'ours: ip warns' warned "$TAPGATE" ip alpha
check 'ours: check --live warns' warned "$TAPGATE" check --live
check 'ours: it can ask again' eval 'named mallory alpha && wait_for 3 leads_to alice alpha'
for name in ALPHA alpha.lab.internal alpha.evil.example Alpha.; do
	check "ours: or as $name" eval "named mallory $name && wait_for 3 leads_to alice alpha"
done
check 'ours: not by DHCPv6 either' eval 'asks mallory lease6 name=alpha | grep "^1 " && leads_to alice alpha'
check 'ours: a name of its own it gets' eval 'named mallory beta && wait_for 3 leads_to mallory beta && leads_to alice alpha'
check 'ours: ... and nobody warns any more' refuses warned "$TAPGATE" list
check 'ours: a release in the name of the guest that has it' eval 'asks mallory release4 owner="$(card_of alice)" \
	address="$(cat "$TMPDIR/address.alice")" server=172.16.2.1; named mallory alpha && wait_for 3 leads_to alice alpha'
check 'ours: a restart forgets nothing' eval 'kill "$(keeper_of lab)" && wait_for 5 is_silent lab && "$TAPGATE" up &&
	named mallory alpha && wait_for 3 leads_to alice alpha'

# --- names that look like something else to dnsmasq --------------------------------------------------------------------

for name in 1h 3600 ignore infinite 1 0x1; do
	check "odd: $name, which alice has first" named alice "$name"
	if wait_for 1 leads_to alice "$name"; then
		check "odd: $name stays, when mallory asks for it" eval "named mallory $name && wait_for 3 leads_to alice $name"
	else
		# A name that is pinned stays until its guest has gone.
		unplug alice
		check "odd: $name, of a guest made anew" eval "guest alice lab && named alice $name && leads_to alice $name"
		check "odd: $name stays, when mallory asks for it" eval "named mallory $name && wait_for 3 leads_to alice $name"
	fi
done

# --- for as long as the guest is there ---------------------------------------------------------------------------------

check 'anew: alice goes, without a word' unplug alice
check 'anew: a machine made anew is alpha at once' eval 'guest alice lab && named alice alpha && wait_for 3 leads_to alice alpha'
check 'anew: with an empty memory' serve_again lab
check 'anew: alpha' named alice alpha
check 'anew: a machine may be renamed' eval 'named alice gamma && wait_for 3 leads_to alice gamma'
check 'anew: ... and another has its old name' eval 'named mallory alpha && wait_for 3 leads_to mallory alpha'
check 'anew: ... and keeps it' eval 'named alice alpha && wait_for 3 leads_to mallory alpha'
check 'anew: alpha goes' unplug mallory
check 'anew: who waited for the name gets it' eval 'named alice alpha && guest mallory lab 172.16.2.250/24 && wait_for 3 leads_to alice alpha'

# --- a hardware address that two use -----------------------------------------------------------------------------------

# Without lock-mac the bridge goes by the last frame. Whoever has the lease is behind another tap then, and `ip` says so.
check 'two: mallory sends from the address of alice' eval \
	'asks mallory lease4 source="$(card_of alice)" wait=300 >/dev/null; wait_for 3 "$TAPGATE" list 2>&1 | grep "two guests"
	"$TAPGATE" list 2>&1 | grep "warning: the hardware address $(card_of alice) is behind"'
check 'two: ip does not say where that leads' eval '! "$TAPGATE" ip alpha >"$TMPDIR/said" 2>&1; cat "$TMPDIR/said"
	grep -q "is two guests, as it seems; name one by its tap" "$TMPDIR/said" && ! grep -q "^172" "$TMPDIR/said"'

# --- in a domain of the policy's ----------------------------------------------------------------------------------------

domain=lab.example
check 'domain: another one' eval 'make_network host-only domain=$domain && forget lab && serve_again lab'
check 'domain: alpha' eval 'named alice alpha && wait_for 3 leads_to alice alpha'
check 'domain: tapgate ip takes it' eval '"$TAPGATE" ip alpha.lab.example && ! "$TAPGATE" ip alpha.lab.internal'
check 'domain: alpha stays, when mallory asks for it' eval 'named mallory alpha && wait_for 3 leads_to alice alpha'
check 'domain: ... and is pinned in it' grep -q ',alpha\.lab\.example$' /run/tapgate/lab.names/names

# --- the address of a guest that is away --------------------------------------------------------------------------------

# Its lease, and its name, are its hardware address's: who sends from the IP address meanwhile does not have them.
check 'away: alpha goes, and the host forgets it' eval 'unplug alice && ip neigh flush dev lab'
check 'away: ... its lease stays' has_lease " $(cat "$TMPDIR/address.alice") alpha "
check 'away: mallory sends from its address' eval 'ip -n mallory addr add "$(cat "$TMPDIR/address.alice")/24" dev eth0 &&
	in_netns mallory "$busybox" ping -q -c 1 -W 3 -I "$(cat "$TMPDIR/address.alice")" 172.16.2.1'
check 'away: ... and has it' eval '"$TAPGATE" ip "$(card_of mallory)" | grep -Fx "$(cat "$TMPDIR/address.alice")"'
check 'away: ... without the name' eval '"$TAPGATE" list | grep "$(card_of mallory) *- "'

unplug mallory
check 'down' "$TAPGATE" down
rm -rf /run/tapgate/lab.*
finish
