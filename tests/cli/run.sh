#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate run`: what the command gets, what stands in its words, what it ends with, and what becomes of the taps.
# shellcheck disable=SC2016,SC2119,SC2120,SC2154 # words for another shell; functions run by check; top is of cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"

ip link add br0 type bridge forward_delay 0
ip link set br0 up
ip link add br1 type bridge
ip link set br1 up
policy 'network tap1 standalone 172.16.3.1/24' 'network tap2 standalone 172.16.4.2/24 fd00:4::2/64' \
	'network six standalone fd00:6::1/64' 'network pair standalone 172.16.5.1/31' 'network one standalone 172.16.6.1/32' \
	'network cell standalone 172.16.128.0/17 per-vm=/30' 'network lab host-only 172.16.2.1/24' \
	'allow all user=alice' 'allow br0 user=bob max=1'
"$TAPGATE" up >/dev/null

# --- what the command gets ------------------------------------------------------------------------------------------------

check 'the command has the tap of its descriptor, with a header for offloads (TUNGETIFF)' \
	grep -qE '^[0-9]+ tg[0-9]+-0 5002$' <<EOT
$(as alice "$TAPGATE" run --net br0 -- "$hold" '{fd}')
EOT

in_alias() { # the command's process, network and user stand on the tap
	as alice "$TAPGATE" run --net br0 -- sh -c 'echo $$; cat /sys/class/net/{ifname}/ifalias; cat /proc/$$/fdinfo/{fd}
		readlink /sys/class/net/{ifname}/master' >"$TMPDIR/alias" || return 1
	cat "$TMPDIR/alias"
	read -r pid <"$TMPDIR/alias"
	[ "$(sed -n 2p "$TMPDIR/alias")" = "tapgate uid=1000 net=br0 vmm=$pid" ] &&
		grep -qx "iff:	tg$pid-0" "$TMPDIR/alias" && grep -q '/br0$' "$TMPDIR/alias"
}
check 'the alias names its process, which is the one that was started' in_alias
check 'the tap is gone with it' no_taps

inherits_only() { # descriptors above 2: the tap, the reserved address, and what was there
	as alice "$TAPGATE" run --net br0 -- sh -c 'cd /proc/$$/fd; for fd in [3-9] [1-9][0-9]*; do [ ! -e /proc/$$/fd/$fd ] ||
		echo "$(readlink $fd)"; done' 4</dev/zero | sed 's/:.*//' | grep -v -e /pipe -e '^pipe' | sort | xargs >"$TMPDIR/fds"
	cat "$TMPDIR/fds"
	[ "$(sed 's| */dev/null||' "$TMPDIR/fds")" = '/dev/net/tun /dev/zero socket' ]
}
check 'it inherits the tap, the socket of the address, and what was open, and nothing more' inherits_only

signals() { # signals COMMAND...: those that are blocked and ignored
	as alice "$@" grep -E '^Sig(Blk|Ign):' /proc/self/status
}
check 'its signals are as they were' eval '[ "$(signals "$TAPGATE" run --net br0 --)" = "$(signals env)" ]'

check 'several networks, in their order; {fd} is the first' runs alice 0 --net br0 --net=lab --net br1 -- sh -c \
	'for n in {ifname1} {ifname2} {ifname3}; do cat /sys/class/net/$n/ifalias; done | sed "s/ vmm.*//"
	[ {fd} = {fd1} ] && [ {ifname} = {ifname1} ] && [ {mac} = {mac1} ] && echo same
	for fd in {fd1} {fd2} {fd3}; do grep -c iff: /proc/$$/fdinfo/$fd; done' <<'EOT'
tapgate uid=1000 net=br0
tapgate uid=1000 net=lab
tapgate uid=1000 net=br1
same
1
1
1
EOT
check 'twice the same network: two taps' runs alice 0 --net br0 --net br0 -- sh -c \
	'[ {ifname1} != {ifname2} ] && [ {mac1} != {mac2} ] && ls /sys/class/net/br0/brif | wc -l' <<'EOT'
2
EOT
check 'all of them are gone again' no_taps
check 'other words in braces are left alone, and what is inside of them is not' runs alice 0 --net br0 -- sh -c \
	'echo "$0" "$@" | sed "s/\"fd\":\"[0-9]*\"/FD/; s/{[0-9]*}}/{FD}}/"' \
	'{"type":"tap","fd":"{fd}"}' '{}' '{x}' '{fd' 'fd}' '{fd }' '{FD}' '{fds,}' '{mac,}' '{' '}' '{{fd}}}' <<'EOT'
{"type":"tap",FD} {} {x} {fd fd} {fd } {FD} {fds,} {mac,} { } {FD}}
EOT
check 'without --, and --net=NAME' runs alice 0 --net=br0 echo x --net <<'EOT'
x --net
EOT

# --- how it ends ----------------------------------------------------------------------------------------------------------

check "the command's exit status" runs alice 42 --net br0 -- sh -c 'exit 42' </dev/null
dies_of() { # dies_of SIGNAL STATUS: of the command's own
	as alice "$TAPGATE" run --net br0 -- sh -c "kill -$1 \$\$" >/dev/null 2>&1
	[ $? = "$2" ] && no_taps
}
check "the command's end by a signal" dies_of TERM 143
check '... and by one that cannot be caught' dies_of KILL 137
killed() { # from outside, by the process that was started
	setpriv --reuid alice --regid alice --init-groups "$TAPGATE" run --net br0 -- sleep 60 &
	pid=$!
	wait_for 10 grep -q sleep "/proc/$pid/comm" || return 1
	[ "$(taps | wc -l)" = 1 ] && kill "$pid" && { wait "$pid" || [ $? = 143 ]; } && wait_for 5 no_taps
}
check 'a signal to the process that was started is one to the command' killed
ignored() {
	env --ignore-signal=CHLD setpriv --reuid alice --regid alice --init-groups "$TAPGATE" run --net br0 -- \
		grep SigIgn /proc/self/status >"$TMPDIR/ignored"
	cat "$TMPDIR/ignored"
	mask=$(sed 's/.*:[[:space:]]*//' "$TMPDIR/ignored")
	[ $((0x${mask:-0} >> 16 & 1)) = 1 ]
}
check 'ended children ignored by whoever started it: it runs, and the command has it so' ignored
closed() {
	(as alice "$TAPGATE" run --net br0 --net br1 -- "$hold" '{fd1}:{fd2}' <&- 2>&-) >"$TMPDIR/closed"
	cat "$TMPDIR/closed"
	[ "$(grep -cE '^([3-9]|1[0-9]) tg' "$TMPDIR/closed")" = 2 ]
}
check 'without standard input and error: the taps do not get their numbers' closed

check 'no such command: 127' runs alice 127 --net br0 -- no-such-command <<'EOT'
tapgate: cannot run 'no-such-command': No such file or directory
EOT
check 'one that cannot be run: 126' runs alice 126 --net br0 -- /etc/passwd <<'EOT'
tapgate: cannot run '/etc/passwd': Permission denied
EOT
check '... and the taps are gone' no_taps

# --- what the helper refuses ------------------------------------------------------------------------------------------------

check "denied: the helper's line, and its code" runs carol 3 --net br0 -- echo no <<'EOT'
tapgate-helper: uid 1002 may not use 'br0': no rule allows it; an administrator can add 'allow br0 user=#1002' to /etc/tapgate.conf
EOT
check 'denied the second: the command is not run, the first is gone' runs bob 3 --net br0 --net br1 -- echo no <<'EOT'
tapgate-helper: uid 1001 may not use 'br1': no rule allows it, and the policy has no network of that name; see: tapgate networks (of a bridge, an administrator can add 'allow br1 user=#1001' to /etc/tapgate.conf)
EOT
check 'over the limit' runs bob 5 --net br0 --net br0 -- echo no <<'EOT'
tapgate-helper: uid 1001 has reached max=1 on 'br0', by /etc/tapgate.conf:9 (allow br0 user=bob max=1); end a virtual machine first, or have the limit raised
EOT
check 'no such bridge' runs alice 1 --net nothing -- echo no <<'EOT'
tapgate-helper: there is no bridge 'nothing' (alternative names do not count); an administrator can run: ip link add nothing type bridge && ip link set nothing up
EOT
cp /etc/tapgate.conf "$TMPDIR/policy"
policy 'nonsense'
check 'a policy with a mistake' runs alice 4 --net br0 -- echo no <<'EOT'
tapgate-helper: /etc/tapgate.conf:1:1: unknown word 'nonsense', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#'
EOT
policy <"$TMPDIR/policy"
check 'nothing is left of them' no_taps

# --- hardware addresses -------------------------------------------------------------------------------------------------------

mac() { # mac USER NETWORK [WORD...]: the address of the next guest
	mac_user=$1 mac_network=$2
	shift 2
	as "$mac_user" "$TAPGATE" run --net "$mac_network" "$@" -- echo '{mac}'
}

# holding NAME COMMAND...: a command of alice's in the background that has said what its address is, until `let_go NAME`
holding() {
	holding_name=$1
	shift
	mkfifo "$TMPDIR/hold.$holding_name"
	setpriv --reuid alice --regid alice --init-groups "$TAPGATE" run "$@" -- sh -c 'echo {mac}; read -r _' \
		<"$TMPDIR/hold.$holding_name" >"$TMPDIR/held.$holding_name" 2>&1 &
	echo $! >"$TMPDIR/pid.$holding_name"
	# Kept open, or the reader would be at its end at once; by a process, as shells differ in their descriptors.
	sleep 600 >"$TMPDIR/hold.$holding_name" &
	echo $! >"$TMPDIR/sleep.$holding_name"
	wait_for 10 test -s "$TMPDIR/held.$holding_name"
}

held() {
	cat "$TMPDIR/held.$1"
}

let_go() {
	kill "$(cat "$TMPDIR/sleep.$1")"
	wait "$(cat "$TMPDIR/pid.$1")"
	rm "$TMPDIR/hold.$1"
}

one=$(mac alice br0)
block=${one%:*}
check 'locally administered, unicast, the first of its block' \
	sh -c 'echo "$1" | grep -qE "^[0-7][26ae]:([0-9a-f]{2}:){4}01$"' sh "$one"
check 'the same each time' [ "$(mac alice br0)" = "$one" ]
another_block() { # another_block ADDRESS
	echo "$1 $one"
	[ -n "$1" ] && [ "${1%:*}" != "$block" ]
}
check 'another network, another block' another_block "$(mac alice br1)"
check 'another user, another block' another_block "$(mac bob br0)"
check 'one of the block, as it is given' [ "$(mac alice br0 --mac "$block:42")" = "$block:42" ]
check 'another one is refused' runs alice 3 --net br0 --mac 52:54:00:12:34:56 -- echo no <<EOT
tapgate-helper: uid 1000 may not have address 52:54:00:12:34:56 on 'br0': expected one of its own there, $block:00 to \
$block:ff, or mac= on the rule for it, /etc/tapgate.conf:8 (allow all user=alice)
EOT

holding a --net br0
holding b --net br0
check 'guests that run: each its own' [ "$(held a) $(held b) $(mac alice br0)" = "$one $block:02 $block:03" ]
check '... of which none has sent anything' [ -z "$(bridge fdb show br br0 | grep -i "^$block")" ]
let_go a
check 'the first has ended: its address is the next one' [ "$(mac alice br0)" = "$one" ]
holding c --net br0 --mac "$one"
check 'one that was given counts as well' [ "$(mac alice br0)" = "$block:03" ]
check 'who asks for one that another has, gets it' [ "$(mac alice br0 --mac "$one")" = "$one" ]
let_go b
let_go c

at_once() { # as many as there are, started together: all different
	for n in $(seq 24); do
		as alice "$TAPGATE" run --net br1 -- sh -c 'echo {mac} >>$TMPDIR/at-once
			until [ "$(wc -l <$TMPDIR/at-once)" -ge 24 ]; do sleep 0.05; done' &
		eval "at_once_$n=\$!"
	done
	for n in $(seq 24); do
		eval "wait \$at_once_$n" || return 1
	done
	sort "$TMPDIR/at-once" | uniq -d | grep . && return 1
	[ "$(sort -u "$TMPDIR/at-once" | wc -l)" = 24 ]
}
install -m 666 /dev/null "$TMPDIR/at-once"
check 'twenty-four at once: no address twice' at_once

ip link add p0 type veth peer name p1
ip link set p0 master br0 up
ip link set p1 up
wait_for 5 grep -qx 3 /sys/class/net/p0/brport/state # it forwards
bridge fdb add "$one" dev p0 master static
bridge fdb add "$block:03" dev p0 master dynamic
check 'an address that the bridge knows is left out' [ "$(mac alice br0)" = "$block:02" ]
holding d --net br0
check '... and one that a guest has, too' [ "$(mac alice br0)" = "$block:04" ]
let_go d
mkfifo "$TMPDIR/never"
"$hold" "squat=$block" wait <>"$TMPDIR/never" &
squatter=$!
wait_for 10 grep -q "@tapgate/$block:ff" /proc/net/unix
check 'who takes all the names keeps nobody from starting' [ "$(mac alice br0)" = "$block:02" ]
kill "$squatter"
printf "fdb replace $block:%02x dev p0 master static\n" $(seq 255) | bridge -batch -
check 'all of them known: refused, with a way out' runs alice 125 --net br0 -- echo no <<EOT
tapgate: no hardware address of this user's on 'br0' is free ($block:..); end a virtual machine, or choose one with --mac
EOT
ip link del p0


# --- what the helper decides: locked addresses, and queues ---------------------------------------------------------------------

cp /etc/tapgate.conf "$TMPDIR/policy"
policy 'network br1 bridged lock-mac' 'allow br1 user=alice queues=4' 'allow br1 user=bob mac=52:54:00:00:00:99'
one=$(mac alice br1)
block=${one%:*}
locked() { # locked USER EXPECTED [WORD...]: {mac} is what the port is locked to, and it is this
	locked_user=$1 locked_mac=$2
	shift 2
	as "$locked_user" "$TAPGATE" run --net br1 "$@" -- sh -c \
		'echo {mac}; bridge fdb show br br1 | grep "dev {ifname} .*static"' >"$TMPDIR/locked"
	cat "$TMPDIR/locked"
	[ "$(sed -n 1p "$TMPDIR/locked")" = "$locked_mac" ] && grep -q "^$locked_mac dev .* sticky .* static" "$TMPDIR/locked"
}
check 'a locked port: {mac} is its address' locked alice "$block:01"
check '... with one that was asked for' locked alice "$block:99" --mac "$block:99"
check '... with that of the rule' locked bob 52:54:00:00:00:99
check '... with that of the rule, and asked for' locked bob 52:54:00:00:00:99 --mac 52:54:00:00:00:99
holding e --net br1
check '... the next one, while the first is there' locked alice "$block:02"
check 'one that is taken is refused' runs alice 1 --net br1 --mac "$block:01" -- echo no <<EOT
tapgate-helper: address $block:01 is taken on bridge 'br1'; end the virtual machine that has it, or choose another one
EOT
let_go e
queues() { # queues COUNT WORD...: so many are attached, by the kernel's word where it counts, and all are the tap's
	queues_count=$1
	shift
	as alice "$TAPGATE" run --net br1 "$@" -- sh -c 'ip -d link show {ifname} | grep -o "numqueues [0-9]*"
		'"$hold"' {fds} | sed "s/^[0-9]* //" | sort | uniq -c' >"$TMPDIR/queues"
	cat "$TMPDIR/queues"
	if [ "$queues_count" = 1 ]; then
		! grep -q numqueues "$TMPDIR/queues" && grep -qE '^ *1 tg[0-9]+-0 5002$' "$TMPDIR/queues"
	else
		grep -qx "numqueues $queues_count" "$TMPDIR/queues" && grep -qE "^ *$queues_count tg[0-9]+ 5102$" "$TMPDIR/queues"
	fi
}
check 'four queues: the kernel counts as many' queues 4 --queues 4
check 'one, of a tap that can have no more' queues 1 --queues 1
check 'more than the policy lets alice have' runs alice 5 --net br1 --queues 5 -- echo no <<EOT
tapgate-helper: uid 1000 may have 4 queues on 'br1', not 5, by /etc/tapgate.conf:2 (allow br1 user=alice queues=4); ask for \
fewer, or have queues= raised
EOT
policy <"$TMPDIR/policy"

# --- addresses ----------------------------------------------------------------------------------------------------------------

ip_of() { # ip_of EXPECTED NETWORK: {ip} there
	echo "$1" | runs alice 0 --net "$2" -- echo '{ip}'
}
no_ip() { # no_ip TEXT NETWORK
	echo "tapgate: {ip}: $1" | runs alice 125 --net "$2" -- echo '{ip}'
}
check '{ip}: the first of the subnet' ip_of 172.16.3.2/24 tap1
check '{ip}: ... that is not the host; IPv4, where there is both' ip_of 172.16.4.1/24 tap2
check '{ip}: IPv6, where there is nothing else' ip_of fd00:6::2/64 six
check '{ip}: of two addresses the other' ip_of 172.16.5.0/31 pair
check '{ip}: pools, the guest of each subnet' runs alice 0 --net cell --net cell -- echo '{ip1} {ip2}' <<'EOT'
172.16.128.2/30 172.16.128.6/30
EOT
check '{ip}: a subnet of one address' no_ip "the subnet of network 'one' has no address beside the host's" one
check '{ip}: a bridge' no_ip \
	"network 'lab' fixes no address of its guests, only a standalone one does; guests get theirs by DHCP, or by hand" lab
check 'nothing is left of them' no_taps

finish
