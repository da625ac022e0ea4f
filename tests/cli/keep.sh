#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate keep`: networks stay as `tapgate up` made them. What changes on the host is followed, what is lost comes back,
# all within moments and said in a line each; lines of the policy that were edited and not applied count for nothing; and
# while nothing happens it does nothing.
#
#	far 192.0.2.254 ---- up0 192.0.2.1 | the host | web (nat, DHCP) ---- guest a
#	                     two (later)   |          | lab (host-only)
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

web='network web nat 10.77.0.1/24 fd00:77::1/64 dhcp=10.77.0.10-10.77.0.20'
lab='network lab host-only 172.16.2.1/24'
policy 'allow all user=alice' "$web" "$lab"
: >"$TMPDIR/kept"

begin_keeping() {
	"$TAPGATE" keep >>"$TMPDIR/kept" 2>&1 &
	keeper=$!
	wait_for 10 waits
}

sleeps() { # and has no child
	grep -q '^State:.S' "/proc/$keeper/status" && [ -z "$(cat "/proc/$keeper/task/$keeper/children")" ]
}

waits() { # and has looked at what it waits for: a dnsmasq
	sleeps && find "/proc/$keeper/fd" -lname '*pidfd*' | grep -q .
}

end_keeping() {
	kill "$keeper"
	wait "$keeper"
}

# soon COMMAND...: before long, and then it waits again
soon() {
	wait_for 10 "$@" || {
		"$@"
		cat "$TMPDIR/kept"
		return 1
	}
	wait_for 10 waits
}

said() { # said LINE: since the last time that this was asked, or in a moment
	wait_for 10 grep -Fx "$1" "$TMPDIR/kept" || {
		echo "not said: $1"
		cat "$TMPDIR/kept"
		return 1
	}
	: >"$TMPDIR/kept"
}

up_again() {
	"$TAPGATE" status >/dev/null
}

reaches() { # reaches ADDRESS: the guest does
	in_netns a "$busybox" ping -q -c 1 -W 1 "$1"
}

# --- ways out ---------------------------------------------------------------------------------------------------------

"$TAPGATE" up >/dev/null 2>&1
check 'a guest' guest a web 10.77.0.10/24
ip -n a route add default via 10.77.0.1
check 'it waits' begin_keeping
check 'nothing was to do' test ! -s "$TMPDIR/kept"

far() { # far INTERFACE NUMBER: a LAN behind an interface of that name, 198.51.NUMBER.0/24, with a host .254
	ip netns add "far$2"
	ip link add "$1" type veth peer name eth0 netns "far$2"
	ip -n "far$2" addr add "198.51.$2.254/24" dev eth0
	ip -n "far$2" link set eth0 up
	ip link set "$1" up
	ip addr add "198.51.$2.1/24" dev "$1"
}

# openai/tart#384: a link that comes up after the network
far up0 100
check 'an interface that comes later: the guest reaches who is behind it' soon reaches 198.51.100.254
check '... which is said' said 'web: switched on net.ipv4.conf.up0.forwarding (a way out)'
ip route add default via 198.51.100.254
far two 101
ip route replace default via 198.51.101.254
ip -n far101 addr add 203.0.113.1/32 dev eth0
check 'the default route moves to another one: the guest follows' soon reaches 203.0.113.1
ip netns del far101
wait_for 5 refuses test -e /sys/class/net/two
far two 101
check 'a line that was dialled again' soon reaches 198.51.101.254
: >"$TMPDIR/kept"
set_sysctl ipv4/ip_forward 1
set_sysctl ipv4/ip_forward 0
check 'somebody switches forwarding off: it is on again' soon reaches 198.51.100.254
ip link add later type veth peer name later1
check 'interfaces that come later take router advertisements' sysctl_is ipv6/conf/later/accept_ra "$(
	cat /proc/sys/net/ipv6/conf/default/accept_ra)"
set_sysctl ipv6/conf/later/accept_ra 1
ip link set later up
ra_is_taken() { sysctl_is ipv6/conf/later/accept_ra 2; }
check 'one that is told to, as by its own manager, does while the host forwards' soon ra_is_taken

# --- what is lost -----------------------------------------------------------------------------------------------------

mended() { # what was lost, by the line that lose waits for: what is killed may end a moment later
	grep -Fxq "$lose_line" "$TMPDIR/kept" && up_again
}

lose() { # lose TEXT LINE COMMAND...
	lose_text=$1 lose_line=$2
	shift 2
	: >"$TMPDIR/kept"
	"$@"
	check "$lose_text: it is as before" soon mended
	check '... which is said' said "$lose_line"
	check '... and up has nothing to do' says_nothing_changed
}

lose 'all rules flushed' 'web: put up its guard' nft flush ruleset
lose 'a rule of a guard deleted' 'lab: put up its guard' nft flush chain inet tapgate-lab forward
lose 'what keeps dnsmasq killed' 'web: started dnsmasq' kill -KILL "$(keeper_of web)"
lose 'a bridge that is down' 'lab: brought the bridge up' ip link set lab down
tap=$(cat "$TMPDIR/tap.a")
wait_for 10 waits # the guest that came is seen to
lose 'what keeps a tap and the host apart, taken away' "web: set the tap '$tap' apart from the host again" \
	sh -c "tc filter del dev $tap ingress"
lose 'an address taken' 'web: added the address 10.77.0.1/24' ip addr del 10.77.0.1/24 dev web
check 'the guest reaches the world as before' soon reaches 198.51.100.254
nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
check "another firewall's chain that drops: it is opened" soon reaches 198.51.100.254
check '... which is said' said "web: opened 'ip filter FORWARD' to what its guard lets through (that chain drops the rest)"
nft delete table ip filter

# --- the policy as it was applied -------------------------------------------------------------------------------------

policy 'allow all user=alice' "$web lock-mac" 'network lab host-only 172.16.9.1/24' 'network new internal'
serves() { # serves NETWORK: its dnsmasq runs
	[ -n "$(pid_of "$1")" ]
}
lose_and_keep() { # as applied, not as edited
	nft flush ruleset
	kill -KILL "$(keeper_of web)"
	wait_for 10 nft list table inet tapgate-lab && wait_for 10 serves web && wait_for 10 waits &&
		nft list table inet tapgate-lab | grep -q 172.16.2.0/24 && ip addr show dev lab | grep -q 172.16.2.1/24 &&
		refuses test -e /sys/class/net/new && refuses "$TAPGATE" status >/dev/null
}
check 'a policy that was edited and not applied counts for nothing' lose_and_keep
policy 'allow all user=alice' "$web" 'network lab' # a mistake
check 'nor does a mistake in it' lose_and_keep
policy 'allow all user=alice' "$web" 'network lab host-only 172.16.9.1/24'
check 'applied, it does' "$TAPGATE" up
wait_for 10 waits
lose '... all rules flushed' 'lab: put up its guard' nft flush ruleset
check '... and it has the new address' eval 'nft list table inet tapgate-lab | grep -q 172.16.9.0/24'
check 'a network is taken down' "$TAPGATE" down lab
nft flush ruleset
web_stands() { nft list table inet tapgate-web; }
check '... the other one is kept' soon web_stands
check '... and that one stays down' refuses test -e /sys/class/net/lab
"$TAPGATE" up >/dev/null 2>&1

# Begun when the policy had been edited already: what stands decides.
wait_for 10 waits
check 'it ends when it is told to' end_keeping
policy 'allow all user=alice' "$web" 'network lab host-only 172.16.2.1/24'
: >"$TMPDIR/kept"
check 'begun anew with an edited policy' begin_keeping
check '... it says what it does not keep' said \
	"tapgate: warning: lab: it is not what its line says (guard), and is not kept until 'tapgate up' has run"
nft flush ruleset
guarded() { nft list table inet tapgate-lab; }
check '... of which it only puts back a guard' soon guarded
check '... and no address' eval 'ip addr show dev lab | grep 172.16.9.1'
check '... the guard of what stands, not of the line' eval 'nft list table inet tapgate-lab | grep "ip saddr 172.16.9.0/24 return"'
check 'applied' "$TAPGATE" up
wait_for 10 waits
lose '... it is kept' 'lab: put up its guard' nft flush ruleset

# --- what up leaves as it is ------------------------------------------------------------------------------------------

# Lines that are commented out, and one that is changed, with a guest on each: firewalls that are reloaded take nothing.
check 'a guest on the other one' guest b lab 172.16.2.9/24
policy 'allow all user=alice' "$web" 'network lab host-only 172.16.2.1/24' 'network solo standalone 10.78.0.1/24' \
	'network pool standalone 10.79.0.0/16 per-vm=/30' 'guest box on lab ip=172.16.2.10 mac=52:54:00:00:00:09' \
	'forward 8022/tcp to box:22'
check 'a port that leads to a guest, and networks that stand alone' "$TAPGATE" up
check 'a guest on one' guest s solo 10.78.0.2/24
check '... and on the other' guest p pool 10.79.0.2/30
policy 'allow all user=alice' 'network lab internal' 'network new internal' 'network solo internal'
wait_for 10 waits
: >"$TMPDIR/kept"
check 'lines that cut guests off: up leaves these networks' refuses "$TAPGATE" up
wait_for 30 grep -q '^tapgate: warning: lab: it is not what its line says' "$TMPDIR/kept"
wait_for 30 sleeps
guards() { # their rules as they stand, without the seals, which are for one time
	for guard in web lab solo pool; do
		nft -t list table inet "tapgate-$guard" | sed '/chain seal/,/}/d' || return 1
	done
}
guards >"$TMPDIR/guards"
left_guarded() {
	guards >"$TMPDIR/guards.now"
	diff "$TMPDIR/guards" "$TMPDIR/guards.now" && nft list table netdev tapgate-new &&
		nft list chain ip filter FORWARD | grep 'tapgate: web'
}
reload_firewall() { # which flushes all, and drops what it does not know
	nft 'flush ruleset; add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
}
for time in first second; do
	reload_firewall
	check "a firewall is reloaded for the $time time: guards, ways in and passes are as they were" wait_for 30 left_guarded
	wait_for 30 sleeps
done
check '... the guest reaches the world as before' wait_for 30 reaches 198.51.101.254
check '... and the other one the host' wait_for 30 in_netns b "$busybox" ping -q -c 1 -W 1 172.16.2.1
alone_reach() {
	in_netns s "$busybox" ping -q -c 1 -W 1 10.78.0.1 && in_netns p "$busybox" ping -q -c 1 -W 1 10.79.0.1
}
check '... and those that stand alone' wait_for 30 alone_reach
end_keeping
nft flush ruleset
stand_alone() { nft list chain inet tapgate-solo forward && nft list chain inet tapgate-pool forward; }
check 'without keep: up' refuses "$TAPGATE" up
check '... puts up guards of networks that stand alone and whose line is gone' stand_alone
reload_firewall
"$TAPGATE" keep >>"$TMPDIR/kept" 2>&1 &
keeper=$!
check 'so does keep when it begins' wait_for 30 stand_alone
unplug s
unplug p
unplug b
nft delete table ip filter
policy 'allow all user=alice' "$web" 'network lab host-only 172.16.2.1/24'
check 'applied as before' "$TAPGATE" up
wait_for 10 waits

# --- what cannot be put right -----------------------------------------------------------------------------------------

# A table that belongs to a process (nft(8), flags owner), in the place of web's: nobody else can take it away.
own_table() {
	mkfifo "$TMPDIR/nft"
	nft -i <"$TMPDIR/nft" >/dev/null 2>&1 &
	exec 7>"$TMPDIR/nft"
	echo 'delete table inet tapgate-web; add table inet tapgate-web { flags owner; }' >&7
	wait_for 10 complains 1
}
complains() { # complains COUNT: so often by now
	[ "$(grep -c "^tapgate: web: .*Operation not permitted" "$TMPDIR/kept")" = "$1" ]
}
looks_again() {
	nft delete table inet tapgate-lab
	soon up_lab && ip link set lab down && soon up_lab
}
up_lab() {
	"$TAPGATE" status lab >/dev/null
}
: >"$TMPDIR/kept"
check 'what cannot be put right is said' own_table
check '... and seen to again, with what can' looks_again
check '... and not said again' complains 1
exec 7>&-
check '... until it can' soon up_again
end_keeping
begin_keeping

# --- somebody who undoes each repair ----------------------------------------------------------------------------------

fight() { # not without end: nft's rules are put back at most that often at first, then once in ten seconds
	: >"$TMPDIR/kept"
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
		nft delete table inet tapgate-lab 2>/dev/null
		sleep 0.3
	done
	fight_count=$(grep -c '^lab: put up its guard' "$TMPDIR/kept")
	echo "$fight_count times"
	[ "$fight_count" -ge 3 ] && [ "$fight_count" -le 12 ]
}
check 'somebody undoes each repair: it does not fight without end' fight

# --- what it costs ----------------------------------------------------------------------------------------------------

ticks() { # of processor time, its own and its children's
	awk '{ print $14 + $15 + $16 + $17 }' "/proc/$keeper/stat"
}
idle() {
	end_keeping
	"$TAPGATE" up
	begin_keeping || return 1
	idle_before=$(ticks) idle_switches=$(grep ctxt "/proc/$keeper/status")
	sleep 3
	echo "$idle_before $(ticks) $idle_switches" "$(grep ctxt "/proc/$keeper/status")"
	cat "$TMPDIR/kept"
	[ "$idle_before" = "$(ticks)" ] && [ "$idle_switches" = "$(grep ctxt "/proc/$keeper/status")" ]
}
check 'while nothing happens it is not woken' idle
small() {
	awk '/^(Rss|Pss):/ { print; bad = bad || $2 >= 5000 } END { exit bad }' "/proc/$keeper/smaps_rollup"
}
check 'it has less than 5 MB' small
finish
