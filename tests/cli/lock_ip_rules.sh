#!/bin/sh
# SPDX-License-Identifier: MIT
# lock-ip on a rule, of IPv6, and where guests reach each other: whom the rule is for sends from the addresses that DHCP
# gave it, or that a guest line has, and from no others, to the host and to its neighbours. Each attack is made without
# lock-ip first, where it works.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

host=fd00:77::1
network="network web shared 10.77.0.1/24 $host/64 dhcp=10.77.0.10-10.77.0.30"
ask=$top/build/tests/attacks/ask

fresh() { # fresh NAME: a guest with the hardware address that its port is locked to, from its first frame on
	guest "$1" web || return
	ip -n "$1" link set eth0 down
	ip -n "$1" link set eth0 address "$(bridge fdb show brport "$(cat "$TMPDIR/tap.$1")" |
		sed -n 's/ .*sticky.*static.*//p' | head -n 1)"
	ip -n "$1" link set eth0 up
}

mac_in() { # mac_in GUEST
	ip -n "$1" link show dev eth0 | sed -n 's|.*link/ether \([^ ]*\) .*|\1|p'
}

local_of() { # local_of GUEST: its link-local address
	ip -n "$1" -o addr show dev eth0 scope link | sed -n 's|.* inet6 \([0-9a-f:]*\)/.*|\1|p'
}

leased() { # leased GUEST [WORD...]: an address by DHCPv6; prints it
	leased_guest=$1
	shift
	for leased_try in 1 2 3 4 5; do
		leased_answer=$(in_netns "$leased_guest" "$ask" eth0 lease6 wait=1000 "$@")
		[ "$leased_answer" = nothing ] || break
	done
	echo "$leased_answer, try $leased_try" >>"$TMPDIR/leased"
	echo "$leased_answer" | cut -d ' ' -f 2
}

uses() { # uses GUEST ADDRESS: it has that one now, of IPv4 or IPv6
	case $2 in
	*:*) ip -n "$1" -6 addr flush dev eth0 scope global && ip -n "$1" addr add "$2/64" dev eth0 nodad ;;
	*) ip -n "$1" -4 addr flush dev eth0 && ip -n "$1" addr add "$2/24" dev eth0 ;;
	esac
	ip neigh flush dev web
}

reaches() { # reaches GUEST ADDRESS: soon
	for reaches_try in 1 2 3 4 5; do
		! in_netns "$1" "$busybox" ping -q -c 1 -W 1 "$2" || return 0
	done
	echo "$reaches_try times in vain"
	return 1
}

reaches_not() { # reaches_not GUEST ADDRESS: several tries, as the first may only be late
	refuses in_netns "$1" "$busybox" ping -q -c 2 -W 1 "$2"
}

believes() { # believes GUEST ADDRESS: it, or the host, takes mallory for who has the address
	ip ${1:+-n "$1"} neigh show "$2" | tee "$TMPDIR/believed"
	grep -q "lladdr $(mac_in mallory) " "$TMPDIR/believed"
}

# claims WHO ADDRESS: mallory says to all that it has the address, and who is told believes it
claims() {
	case $1 in
	host) claims_who='' claims_on=web ;;
	*) claims_who=$1 claims_on=eth0 ;;
	esac
	case $2 in
	*:*) ;;
	*) uses mallory "$2" ;;
	esac
	ip ${claims_who:+-n "$claims_who"} neigh replace "$2" lladdr 52:54:00:00:00:01 dev "$claims_on" nud stale
	for claims_try in 1 2 3; do
		case $2 in
		*:*) in_netns mallory "$ask" eth0 claim6 "address=$2" ;;
		*) in_netns mallory timeout 0.3 "$busybox" arping -U -q -c 1 -I eth0 "$2" ;;
		esac
		sleep "0.$claims_try"
		believes "$claims_who" "$2" && return 0
	done
	return 1
}

# disturbs ADDRESS: while the victim asks whether it is free, mallory asks the same; the victim gives it up then
disturbs() {
	in_netns victim sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_dad
		echo 1 >/proc/sys/net/ipv6/conf/all/accept_dad; echo 3 >/proc/sys/net/ipv6/conf/eth0/dad_transmits'
	ip -n victim -6 addr flush dev eth0 scope global
	ip -n victim addr add "$1/64" dev eth0
	while ip -n victim addr show dev eth0 tentative | tee "$TMPDIR/disturbed" | grep -v dadfailed | grep -q "$1/"; do
		in_netns mallory "$ask" eth0 probe6 "address=$1"
		sleep 0.1
	done
	grep "$1/" "$TMPDIR/disturbed"
}

# --- without ----------------------------------------------------------------------------------------------------------

policy 'allow web user=alice lock-mac' "$network"
check 'a network' "$TAPGATE" up
check 'a guest that no rule locks to an address' fresh peer
uses peer 10.77.0.200
uses peer fd00:77::200
for name in mallory victim; do
	check "a guest, $name" fresh "$name"
done
theirs=$(leased victim)
check 'the victim has an address by DHCPv6' [ "${theirs#fd00:77::1}" != "$theirs" ]
uses victim "$theirs"
own=$(leased mallory)
uses mallory "$own"
check 'the attacker has another one' [ "$own" != "$theirs" ]
check '... and uses it' reaches mallory "$host"
uses mallory "$theirs"
check "without lock-ip: the victim's as well" reaches mallory "$host"
uses mallory fd00:77::99
check 'without lock-ip: one that nobody was given' reaches mallory fd00:77::200
for who in host peer; do
	check "without lock-ip: to the $who it is the victim" claims "$who" "$theirs"
	check '... by a link-local address, too' claims "$who" "$(local_of victim)"
	check '... and by IPv4' claims "$who" 10.77.0.77
done
check 'without lock-ip: nobody takes an address against its will' disturbs "$theirs"

# --- with -------------------------------------------------------------------------------------------------------------

for name in mallory victim; do
	unplug "$name"
done
policy 'allow web user=alice lock-ip' "$network"
check 'before up has run the helper refuses' refuses fresh early
check '... and says why' grep -q "its guard is without 'lock-ip' of /etc/tapgate.conf:1" "$TMPDIR/refused.early"
ip netns del early
check 'lock-ip on the rule' "$TAPGATE" up
check 'all is well' "$TAPGATE" status
for name in mallory victim; do
	check "a guest, $name" fresh "$name"
done
theirs=$(leased victim)
uses victim "$theirs"
own=$(leased mallory id=0123456789abcd)
uses mallory "$own"
check 'the victim has an address' reaches victim "$host"
check '... which leads to its neighbours' reaches victim fd00:77::200
check 'so has the attacker, which calls itself by another kind of identifier' reaches mallory "$host"
check 'and by a link-local address' reaches mallory 'fe80::1%eth0'
uses mallory "$(leased mallory id=0123456789abcdef01 rapid)"
check 'another one, in one message' reaches mallory "$host"
uses mallory "$theirs"
check "not with the victim's" reaches_not mallory "$host"
uses mallory fd00:77::99
check 'not with one that nobody was given, to a neighbour' reaches_not mallory fd00:77::200
uses mallory "$own"
check '... but with its own' reaches mallory fd00:77::200
for who in host peer; do
	check "to the $who it is not the victim" refuses claims "$who" "$theirs"
	check '... nor by a link-local address' refuses claims "$who" "$(local_of victim)"
	check '... nor by IPv4' refuses claims "$who" 10.77.0.77
done
check 'it cannot have a link-local address that another one is to have' refuses claims peer fe80::5054:ff:fe12:3456
in_netns mallory "$ask" eth0 probe6 address=fe80::99
check '... while one that is made of nothing is its own, if it is the first' claims peer fe80::99
check 'the victim takes addresses whether the attacker wants it or not' refuses disturbs "$theirs"
ip -n victim -6 addr flush dev eth0
in_netns victim "$ask" eth0 probe6 address=fe80::77
check '... and those that it asked for first' refuses claims peer fe80::77
uses peer fd00:77::222
check 'whom no rule locks has what it likes' reaches peer "$host"

# A rule for all asks for it on networks that cannot give it, too.
plain_refused() {
	"$TAPGATE" explain --user alice plain | tee "$TMPDIR/explained" |
		grep -q "asks for 'lock-ip' on 'plain', which has no 'dhcp=', or has 'ra'"
}
policy 'allow all user=alice lock-ip' "$network" 'network plain nat 10.78.0.1/24'
check 'a network that gives nobody an address: denied' plain_refused

# --- guest lines ------------------------------------------------------------------------------------------------------

uses mallory fd00:77::40
uses mallory 10.77.0.40
check 'by hand: nothing' reaches_not mallory "$host"
policy 'allow web user=alice lock-ip' "$network" "guest box on web mac=$(mac_in mallory) ip=10.77.0.40 ip6=fd00:77::40"
check 'a guest line' "$TAPGATE" up
check '... gives its guest an IPv6 address, by hand' reaches mallory "$host"
check '... and an IPv4 address' reaches mallory 10.77.0.1
check '... which is told to neighbours' claims peer fd00:77::40

# A guard of before has nothing of it when the rule has not.
policy 'allow web user=alice lock-mac' "$network"
check 'without the word' "$TAPGATE" up
uses mallory fd00:77::99
check '... any address' reaches mallory "$host"
finish
