#!/bin/sh
# SPDX-License-Identifier: MIT
# DHCP: a guest that asks in another's name, gives another's address back, or wants all of them. In each mode with a
# DHCP server, for IPv4 and IPv6; each attack first on a network without what guards the server (etc/guard/dhcp.nft),
# where it has to succeed.
#
#	alice (the victim), mallory --- lab (host-only, nat, shared or routed) --- host, dnsmasq
# shellcheck disable=SC2016 # what eval is given
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$top/tests/attacks/services.sh"

# --- IPv4: for another -------------------------------------------------------------------------------------------------

# The ways to ask for somebody else's address, or for more than one: words of `ask`.
ways() {
	cat <<-EOT
		owner=$victim the chaddr of another
		owner=52:54:00:00:00:99 a chaddr of nobody
		owner=$victim to=$(mac_of lab) the same, to the host alone
		owner=$victim tags=1 the same, behind a tag
		owner=$victim tags=2 the same, behind two tags
		owner=$victim tags=3 the same, behind three tags
		owner=$victim parts=2 the same, in fragments
		owner=$victim parts=8 the same, in many fragments
		hlen=7 an address that is longer than Ethernet's
	EOT
}

# each_way RESULT TEXT: gets or gets_nothing, for each
each_way() {
	ways | while read -r line; do
		words=$(echo "$line" | grep -o '[a-z]*=[^ ]*' | xargs)
		# shellcheck disable=SC2086 # words
		check "$2: $(echo "$line" | sed 's/[a-z]*=[^ ]* *//g')" "$1" mallory lease4 $words wait=600
		echo "$passed $failed" >"$TMPDIR/counted"
	done
	read -r passed failed <"$TMPDIR/counted"
}

# A release in another's name, as seen in the server's memory: the lease is gone, or stays.
release() { # release WORD...
	asks mallory release4 owner="$victim" address="$address" server=172.16.2.1 "$@"
}
is_released() {
	release "$@"
	wait_for 3 refuses has_lease " $victim "
}
# What is sent behind it is answered behind it, so that a lease that stands then has outlived it.
is_kept() {
	release "$@"
	soon_gets mallory lease4 && has_lease " $victim "
}

# --- IPv4: all of them -------------------------------------------------------------------------------------------------

# take_many COUNT: ask in so many names, each the frame's own source, until the server answers or has had its time
take_many() {
	for number in $(seq "$1"); do
		taking="52:54:00:aa:00:$(printf %02x "$number")"
		for _ in 1 2 3; do
			! gets mallory lease4 source="$taking" wait=500 || break
		done
	done
	leases ' 52:54:00:aa:00:'
}

# flood: as many messages as a guest can send in a moment, none waited for
flood() {
	for number in $(seq 60); do
		asks mallory lease4 wait=1 >/dev/null
	done
}

# --- IPv6 --------------------------------------------------------------------------------------------------------------

many6() { # many6 COUNT WORD...: mallory gets so many addresses with one message, or nothing
	many=$1
	shift
	asks mallory lease6 id=many count="$many" wait=600 "$@" >"$TMPDIR/got"
	cat "$TMPDIR/got"
	grep -q "^$many fd00:2::" "$TMPDIR/got"
}

flood6() { # how many leases one guest has after so many messages, each another client's
	for number in $(seq 40); do
		asks mallory lease6 id="flood$number" rapid wait=100 >/dev/null
	done
	leases ' fd00:2::[0-9a-f:]* [^ ]* 66:6c:6f:6f:64:'
}

release6() { # release6 WORD...: of the victim's, as if it were the victim's own
	asks mallory release6 owner="$victim" address="$address6" duid="$duid" "$@"
}
is_released6() {
	release6 "$@"
	wait_for 3 refuses has_lease " $address6 "
}
is_kept6() {
	release6 "$@"
	asks mallory lease6 id=behind wait=600 | grep -q '^1 ' && has_lease " $address6 "
}
relayed_lease4() { # relayed_lease4 soon_gets|gets_nothing: as if mallory were a relay, at an address where answers reach it
	ip -n mallory address add 172.16.2.240/24 dev eth0
	"$1" mallory lease4 relay=172.16.2.240
	relayed_status=$?
	ip -n mallory address del 172.16.2.240/24 dev eth0
	return "$relayed_status"
}
relayed_lease() { # a relay's message, in which everything can stand
	asks mallory lease6 id=relayed rapid relayed wait=300
	has_lease ' 72:65:6c:61:79:65:64$'
}

# --- the story ---------------------------------------------------------------------------------------------------------

# meet: the victim has its addresses, of both kinds
meet() {
	victim=$(card_of alice)
	soon_gets alice lease4 name=alpha && address=$(cat "$TMPDIR/got")
	asks alice lease6 wait=2000 | tee "$TMPDIR/got6"
	read -r _ address6 duid <"$TMPDIR/got6" && [ -n "$duid" ]
}

[ $# -gt 0 ] || set -- host-only nat shared routed # the modes, or those that are named
for mode; do
	check "$mode: up" make_network "$mode"
	check "$mode: two guests" eval 'guest alice lab && guest mallory lab'

	check "$mode, open: nothing guards the server" open_services lab
	check "$mode, open: whoever comes now is let in by nobody" refuses guest carol lab
	check "$mode, open: the victim has its addresses" meet
	each_way gets "$mode, open"
	check "$mode, open: a release of the victim's lease" is_released
	# On nat the host begins nothing with its guests: the answer to a relay is stopped there in any case.
	[ "$mode" = nat ] || check "$mode, open: a lease by a relay" relayed_lease4 soon_gets
	check "$mode, open: mallory takes 12 addresses" eval '[ "$(take_many 12 | tail -n 1)" = 12 ]'
	check "$mode, open: a flood keeps nobody from being served" eval 'flood; soon_gets mallory lease4'
	check "$mode, open: 30 addresses of IPv6 with two messages" many6 30
	check "$mode, open: 40 leases of IPv6 at once" eval '[ "$(flood6)" = 40 ]'
	check "$mode, open: a release of the victim's lease of IPv6" is_released6
	check "$mode, open: a lease of IPv6 by a relay" relayed_lease

	check "$mode: guarded, and the server's memory is empty" eval 'serve_again lab && shut_services lab'
	check "$mode: the victim has its addresses" meet
	check "$mode: so has mallory, its own" gets mallory lease4
	each_way gets_nothing "$mode"
	check "$mode: ... but behind one tag, in its own name" gets mallory lease4 tags=1
	check "$mode: by a relay" relayed_lease4 gets_nothing
	check "$mode: a release of the victim's lease does nothing" is_kept
	check "$mode: ... nor in fragments" is_kept parts=4
	check "$mode: a release of its own does" eval 'asks mallory release4 address="$(cat "$TMPDIR/got")" server=172.16.2.1
		wait_for 3 refuses has_lease " $(card_of mallory) "'
	check "$mode: mallory takes 3 addresses besides its own, and no more" eval '[ "$(take_many 12 | tail -n 1)" = 3 ]'
	check "$mode: ... nor one by a guest that is no faster than newcomers may be" eval 'sleep 1.1
		gets_nothing mallory lease4 source=52:54:00:aa:01:01 pause=1100'
	check "$mode: ... and is served still, in a name that it has" soon_gets mallory lease4
	check "$mode: ... as others are" soon_gets alice lease4
	check "$mode: the same addresses of all a port's guests, so a flood is the port's own" eval 'flood
		gets_nothing mallory lease4 && soon_gets alice lease4'
	check "$mode: no 30 addresses of IPv6 with one message" refuses many6 30
	check "$mode: a release of the victim's lease of IPv6 does nothing" is_kept6
	check "$mode: ... nor behind tags" is_kept6 tags=2
	check "$mode: no lease of IPv6 by a relay" refuses relayed_lease
	check "$mode: some leases of IPv6 an hour" eval '[ "$(flood6)" -le 16 ]'
	check "$mode: all of it left the guard as it was" "$TAPGATE" status
	unplug alice
	unplug mallory
	"$TAPGATE" down
	rm -rf /run/tapgate/lab.*
done

# --- leases=, lock-mac -------------------------------------------------------------------------------------------------

check 'leases=1: up' make_network host-only leases=1
check 'leases=1: two guests' eval 'guest alice lab && guest mallory lab'
check 'leases=1: the first address that asks' soon_gets mallory lease4 source=52:54:00:00:00:01
check 'leases=1: and no other' refuses soon_gets mallory lease4
check 'leases=1: whoever has one keeps it' soon_gets mallory lease4 source=52:54:00:00:00:01
check 'leases=1: another port has its own' soon_gets alice lease4
unplug mallory
check 'leases=1: a new port has, too' eval 'guest mallory lab && soon_gets mallory lease4'
unplug alice
unplug mallory

# Under lock-mac the kernel lets nothing else through than what is sent from the one address.
locked() { # locked: mallory's card has the address that its port is locked to
	guest mallory lab && read -r tap <"$TMPDIR/tap.mallory" &&
		card=$(bridge fdb show dev "$tap" | sed -n 's/ .*sticky.*//p') &&
		ip -n mallory link set eth0 address "$card"
}
check 'lock-mac: up' make_network nat lock-mac
check 'lock-mac: a guest with its address' locked
check 'lock-mac: its one lease' soon_gets mallory lease4
check 'lock-mac: and no other' eval '[ "$(take_many 3 | tail -n 1)" = 0 ]'
check 'lock-mac: none in the name of another, from the right source' gets_nothing mallory lease4 owner=52:54:00:00:00:01
unplug mallory

# --- who is who --------------------------------------------------------------------------------------------------------

# Guests of one image send one client identifier: canonical/lxd#15117.
are_two() {
	gets alice lease4 id=clone wait=2000 && cp "$TMPDIR/got" "$TMPDIR/first" &&
		gets mallory lease4 id=clone wait=2000 && ! cmp "$TMPDIR/first" "$TMPDIR/got"
}
check 'clones: up' make_network host-only
check 'clones: two guests' eval 'guest alice lab && guest mallory lab'
check 'clones: a server that goes by identifiers' serve_without lab dhcp-ignore-clid
check 'clones: ... gives both one address' refuses are_two
check 'clones: ours' serve_again lab
check 'clones: ... has one for each' are_two

# --- a rogue server ----------------------------------------------------------------------------------------------------

# What goes to a rogue server never passes by ours: between guests of a nat network it does not go at all.
rogue_server() {
	in_netns mallory dnsmasq --conf-file=/dev/null --port=0 --interface=eth0 --bind-interfaces \
		--dhcp-range=172.16.2.200,172.16.2.250 --dhcp-leasefile="$TMPDIR/rogue.leases" \
		--pid-file="$TMPDIR/rogue.pid" --user=root --dhcp-authoritative
}
asks_rogue() {
	soon_gets alice lease4 to="$(card_of mallory)" && grep -q '^172\.16\.2\.2[0-9][0-9]$' "$TMPDIR/got"
}
for mode in host-only nat; do
	unplug alice
	unplug mallory
	"$TAPGATE" down
	check "rogue, $mode: up" make_network "$mode"
	check "rogue, $mode: two guests" eval 'guest alice lab && guest mallory lab 172.16.2.66/24'
	check "rogue, $mode: a server of mallory's" rogue_server
	case $mode in
	host-only) check 'rogue, host-only: guests see each other, and so its server' asks_rogue ;;
	nat) check 'rogue, nat: nobody sees it, asked alone or with all' eval '! asks_rogue && soon_gets alice lease4 &&
		! grep -q "^172\.16\.2\.2[0-9][0-9]$" "$TMPDIR/got"' ;;
	esac
	kill "$(cat "$TMPDIR/rogue.pid")"
done
unplug alice
unplug mallory

# --- near the end ------------------------------------------------------------------------------------------------------

small_network() {
	policy 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.2-172.16.2.11 leases=10' 'allow lab user=alice'
	"$TAPGATE" up
}
in_use() { # in_use COUNT: as status says
	"$TAPGATE" status | tee "$TMPDIR/status" | grep -q ", $1 of 10 leases in use$" || cat "$TMPDIR/status"
	grep -q ", $1 of 10 leases in use$" "$TMPDIR/status" &&
		[ "$("$TAPGATE" status --json | grep -o '"leases_used": [0-9]*')" = "\"leases_used\": $1" ]
}
warns() { # warns: check --live says that the end is near
	"$TAPGATE" check --live 2>&1 | grep "lab: warning: $1 of the 10 addresses of dhcp= are in use"
}
"$TAPGATE" down
rm -rf /run/tapgate/lab.leases
check 'the end: a small range' small_network
check 'the end: a guest' guest mallory lab
check 'the end: none in use' in_use 0
check 'the end: 8 guests' eval '[ "$(take_many 8 | tail -n 1)" = 8 ]'
check 'the end: 8 in use' in_use 8
check 'the end: no warning' refuses warns 8
check 'the end: a ninth' soon_gets mallory lease4
check 'the end: 9 in use' in_use 9
check 'the end: a warning' warns 9
unplug mallory

# --- the seal ----------------------------------------------------------------------------------------------------------

# What guards the server is sealed with the rest: the helper joins nobody to a network where it was changed.
sealed() { # sealed COMMAND: it is found, and refused, and `up` puts it right
	check "seal: $1" eval "$1"
	check "seal: ... is seen" eval '"$TAPGATE" status | grep "guard   changed"'
	check "seal: ... and nobody is let in" eval '! guest carol lab >"$TMPDIR/said" 2>&1; cat "$TMPDIR/said"
		grep -q "network .lab. is not up: its guard was changed" "$TMPDIR/said"'
	check "seal: ... until it is repaired" eval '"$TAPGATE" up && guest carol lab && unplug carol'
}
check 'seal: up' make_network host-only
for change in 'delete table bridge tapgate-lab' 'delete table netdev tapgate-lab' 'flush chain bridge tapgate-lab ports' \
	'flush chain netdev tapgate-lab places' 'flush chain netdev tapgate-lab services' \
	'add rule netdev tapgate-lab dhcp4 accept' 'insert rule bridge tapgate-lab ports accept' \
	'add chain netdev tapgate-lab more' 'add table bridge tapgate-lab { flags dormant; }'; do
	sealed "nft '$change'"
done
policy 'network lab host-only 172.16.2.1/24' 'allow lab user=alice'
check 'seal: a network without a server has no such tables' eval '"$TAPGATE" up && ! nft list table bridge tapgate-lab && ! nft list chain netdev tapgate-lab services'
sealed "nft 'add table bridge tapgate-lab'"
"$TAPGATE" down
finish
