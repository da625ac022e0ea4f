#!/bin/sh
# SPDX-License-Identifier: MIT
# lock-ip: a guest sends from the address that the network's DHCP server gave it, and from no other. Each attack is made
# without lock-ip first, where it works. IPv6, rules and guests that reach each other: lock_ip_rules.sh.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

host=10.77.0.1
cat >"$TMPDIR/got" <<'EOT'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr flush dev "$interface"
ip addr add "$ip/24" dev "$interface"
ip route replace default via "$router"
EOT
chmod 755 "$TMPDIR/got"

network() { # network [WORD]: the network, with lock-ip or without
	policy 'allow all user=alice' "network web nat $host/24 dhcp=10.77.0.10-10.77.0.30 lock-mac $*"
	"$TAPGATE" up
}

lease() { # lease GUEST [ADDRESS]: ask for one, or for that one; prints what it got
	in_netns "$1" "$busybox" udhcpc -i eth0 -n -q -t 5 -T 1 -s "$TMPDIR/got" ${2:+-r "$2"} >/dev/null 2>&1
	address_of "$1"
}

address_of() {
	ip -n "$1" -o -4 addr show dev eth0 | sed 's|.* inet \([0-9.]*\)/.*|\1|'
}

releases() { # releases GUEST ADDRESS: a lease, by a message (tests/attacks/ask.c)
	in_netns "$1" "$top/build/tests/attacks/ask" eth0 release4 "address=$2" "server=$host"
}

uses() { # uses GUEST ADDRESS: it has that address now
	ip -n "$1" addr flush dev eth0
	ip -n "$1" addr add "$2/24" dev eth0
	ip -n "$1" neigh flush all
	ip neigh flush dev web
}

reaches() { # reaches GUEST: the host, soon
	for reaches_try in 1 2 3 4 5; do
		! in_netns "$1" "$busybox" ping -q -c 1 -W 1 "$host" || return 0
	done
	echo "$reaches_try times in vain"
	return 1
}

reaches_not() { # reaches_not GUEST: several tries, as the first may only be late
	refuses in_netns "$1" "$busybox" ping -q -c 3 -W 1 "$host"
}

locked_guest() { # locked_guest NAME: with the hardware address that its port is locked to
	guest "$1" web || return
	in_netns "$1" ip link set eth0 address "$(bridge fdb show brport "$(cat "$TMPDIR/tap.$1")" |
		sed -n 's/ .*sticky.*static.*//p' | head -n 1)"
}

claims() { # claims GUEST ADDRESS: by ARP, unasked; whether the host believes it
	uses "$1" "$2"
	ip neigh replace "$2" lladdr 52:54:00:00:00:01 dev web nud stale
	in_netns "$1" "$busybox" arping -U -q -c 2 -w 2 -I eth0 "$2"
	ip neigh show "$2" dev web | grep "lladdr $(ip -n "$1" link show dev eth0 | sed -n 's|.*link/ether \([^ ]*\) .*|\1|p') "
}

# --- without ----------------------------------------------------------------------------------------------------------

check 'a network' network
check 'an attacker' locked_guest mallory
check 'a victim' locked_guest victim
own=$(lease mallory)
theirs=$(lease victim)
check 'both have addresses' [ "$own" != "$theirs" ]
check 'with its own address the attacker reaches the host' reaches mallory
uses mallory "$theirs"
check "without lock-ip: with the victim's, too" reaches mallory
uses mallory 10.77.0.200
check 'without lock-ip: with one that nobody was given' reaches mallory
check "without lock-ip: by ARP it takes the victim's" claims mallory "$theirs"

uses mallory "$own"
releases mallory "$own"
check 'without lock-ip: it gives its lease up' wait_for 5 refuses grep -q " $own " /run/tapgate/web.leases
check '... and gets it again' [ "$(lease mallory)" = "$own" ]

# --- with -------------------------------------------------------------------------------------------------------------

check 'lock-ip' network lock-ip
check 'all is well' "$TAPGATE" status
uses mallory "$own"
check 'who has a lease goes on with it' reaches mallory
uses mallory "$theirs"
check "not with the victim's address" reaches_not mallory
uses mallory 10.77.0.200
check 'not with one that nobody was given' reaches_not mallory
check "nor does the host believe that the victim's is its own" refuses claims mallory "$theirs"
check '... or the free one' refuses claims mallory 10.77.0.200
uses mallory "$own"
check 'the victim is served' reaches victim
check 'and the attacker with its own address' reaches mallory

# Of an address that it had, and gave up for another one, a guest can make no use when another one has it.
# (Its server forgets all here, as when the attacker had asked for another one.)
kill "$(keeper_of web)"
wait_for 5 serves_nothing web
: >/run/tapgate/web.leases
check 'a server that forgot' wait_for 5 "$TAPGATE" up # what it left may have its sockets for a moment
uses mallory "$own"
check 'the attacker has its address for as long as the lease' reaches mallory
check 'the victim asks for the one that it had' [ "$(lease victim "$own")" = "$own" ]
check '... and has it' reaches victim
uses mallory "$own"
check 'the attacker has it no more' reaches_not mallory
check '... also not by ARP' refuses claims mallory "$own"
second=$(lease mallory)
check '... but gets another' [ "$second" != "$own" ]
check '... which it has' reaches mallory
# A release would give an address away that its guest can go on with.
releases mallory "$second"
uses mallory "$second"
check 'what is sent behind a release is answered behind it' [ "$(lease victim)" = "$own" ]
check '... and the lease stands still' grep -q " $second " /run/tapgate/web.leases
check '... which its guest has' reaches mallory

# --- and when it is put up again --------------------------------------------------------------------------------------

ip link set "$(cat "$TMPDIR/tap.mallory")" group default
uses mallory "$own"
check 'a tap in another group: its guest has any address' reaches mallory
check '... status sees it' finds 'web different ports (one is not in the group of lock-ip)'
check '... up puts it right' says 0 up <<EOT
web: put the tap '$(cat "$TMPDIR/tap.mallory")' into the group of lock-ip
EOT
check '... and it has not' reaches_not mallory

nft delete table netdev tapgate-web
check 'its rules deleted: status says so' finds 'web different guard'
check '... nobody joins' refuses guest late web
ip netns del late
check '... up puts them up again' "$TAPGATE" up
check '... with the leases that there are' reaches victim
uses mallory "$own"
check '... and no others' reaches_not mallory
uses mallory "$second"
check '... each its own' reaches mallory

# A tap of before, whose port is not locked, is one whose guest can send from any address.
policy 'allow all user=alice' "network web nat $host/24 dhcp=10.77.0.10-10.77.0.30"
"$TAPGATE" up >/dev/null
check 'a guest without a lock' guest before web
policy 'allow all user=alice' "network web nat $host/24 dhcp=10.77.0.10-10.77.0.30 lock-ip"
check 'up says that it is not kept' says 1 up <<EOT
web: put up its guard
tapgate: web: the tap '$(cat "$TMPDIR/tap.before")' was made without lock-ip, and its guest can send from any address of the network; end its virtual machine, and start it again
EOT
check '... and so does status' finds 'web different ports (one is not locked to an address)'
unplug before
check '... until it has ended' "$TAPGATE" status
finish
