#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate reap`: persistent taps of the helper's that nobody holds go; what somebody holds, or is not ours, stays.
# shellcheck disable=SC2016,SC2119,SC2120,SC2154 # words for another shell; functions run by check; top is of cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"

# --- taps that are left behind, and taps that are held ----------------------------------------------------------------------

# leave USER NETWORK [WORD...]: one that is persistent and that nobody holds; hold's WORDs first; its name in $tap
leave() {
	leave_user=$1 leave_network=$2
	shift 2
	as "$leave_user" "$TAPGATE" run --net "$leave_network" -- "$hold" '{fd}' persist "$@" >"$TMPDIR/left"
	tap=$(awk '{ print $2; exit }' "$TMPDIR/left")
	stands "$tap"
}

# make_multi USER: the same, made by hand, with several queues
make_multi() {
	tap=mq0
	ip tuntap add dev "$tap" mode tap multi_queue vnet_hdr user "$1" && ip link set "$tap" master br0 up &&
		ip link set "$tap" alias "tapgate uid=$(id -u "$1") net=br0 vmm=1"
}

stands() { # stands TAP
	[ -n "$1" ] && [ -e "/sys/class/net/$1" ]
}

# held USER WORD...: hold, in the background, until `release`; its process in $holder
held() {
	held_user=$1
	shift
	rm -f "$TMPDIR/never" "$TMPDIR/holds"
	mkfifo "$TMPDIR/never"
	setpriv --reuid "$held_user" --regid "$held_user" --init-groups "$@" wait <>"$TMPDIR/never" >"$TMPDIR/holds" &
	holder=$!
	wait_for 10 test -s "$TMPDIR/holds"
}

release() {
	kill "$holder"
	wait "$holder" 2>/dev/null
	[ $? = 143 ]
}

reaps() { # reaps [WORD...]: exactly $tap, of alice's on br0
	echo "br0: removed the tap '$tap' of uid 1000, which nobody holds" | says 0 reap "$@" && ! stands "$tap"
}

reaps_nothing() { # reaps_nothing [WORD...]
	says_nothing_changed reap --dry-run "$@" && says_nothing_changed reap "$@"
}

user_says() { # user_says USER STATUS WORD...: tapgate says, as that user, what stands on standard input
	user=$1 user_status=$2
	shift 2
	cat >"$TMPDIR/says.expected"
	as "$user" "$TAPGATE" "$@" >"$TMPDIR/says" 2>&1 </dev/null
	user_came=$?
	[ "$user_came" = "$user_status" ] || echo "status $user_came"
	diff "$TMPDIR/says.expected" "$TMPDIR/says" && [ "$user_came" = "$user_status" ]
}

ip link add br0 type bridge forward_delay 0
ip link set br0 up
ip link add br1 type bridge
ip link set br1 up
policy 'allow all user=alice' 'allow br0 user=bob max=1' 'network tap1 standalone 172.16.3.1/24' 'network br2 bridged'
"$TAPGATE" up >/dev/null

check 'nothing to do' reaps_nothing

# --- nobody holds it ----------------------------------------------------------------------------------------------------------

tap_files() { # what of $tap does not come and go late
	(cd "/sys/class/net/$tap" && grep . tun_flags owner ifalias address mtu ifindex flags brport/port_no)
}
leave alice br0
before=$(tap_files)
check '--dry-run says what would go' says 6 reap --dry-run <<EOT
br0: would remove the tap '$tap' of uid 1000, which nobody holds
EOT
check '... and leaves it as it was' [ "$(tap_files)" = "$before" ]
check '... without a carrier' wait_for 5 grep -qx 0 "/sys/class/net/$tap/carrier"
check 'it goes' reaps
check 'once' reaps_nothing
leave alice br0 carrier=0
check 'one whose holder had switched its carrier off' reaps
leave alice br0
ip link set "$tap" down
check 'one that is down' reaps
leave alice br0
as alice "$hold" "join=$tap" >/dev/null
check 'one that was held again, and let go' reaps
leave alice br0 owner=1002
check "one that was given to another user" reaps
leave alice br0
ip link set "$tap" name renamed
tap=renamed
check 'one that root renamed' reaps
make_multi alice
check 'one of several queues' reaps
make_multi alice
as alice "$hold" "join-multi=$tap" disable >/dev/null
check 'one whose queue was switched off before it was closed' reaps

leave alice br0
first=$tap
leave alice br1
"$TAPGATE" reap >"$TMPDIR/several" 2>&1 # in the order of their indexes, which say nothing
check 'several, in one run' [ "$(sort "$TMPDIR/several")" = "br0: removed the tap '$first' of uid 1000, which nobody holds
br1: removed the tap '$tap' of uid 1000, which nobody holds" ]
check 'all of them are gone' no_taps

# --- somebody holds it ----------------------------------------------------------------------------------------------------------

held alice "$TAPGATE" run --net br0 -- "$hold" '{fd}'
check 'held, not persistent: stays' reaps_nothing
release
check '... and goes by itself' wait_for 5 no_taps

stays_until_let_go() { # stays_until_let_go TEXT WORD...: with a holder that did these words, and then goes when it is let go
	stays_text=$1
	shift
	held alice "$TAPGATE" run --net br0 -- "$hold" '{fd}' persist "$@"
	tap=$(awk '{ print $2; exit }' "$TMPDIR/holds")
	check "$stays_text: stays" reaps_nothing
	check '... and is whole' sh -c "grep -l 'iff:.*$tap\$' /proc/$holder/fdinfo/* && stat /sys/class/net/br0/brif/$tap"
	release
	check '... and goes when it is let go' reaps
}
stays_until_let_go 'held, persistent'
stays_until_let_go 'held, with its carrier switched off' carrier=0
stays_until_let_go 'held, with another owner' owner=1002
stays_until_let_go 'held, with another owner and no carrier' owner=1002 carrier=0
leave alice br0
held alice "$hold" "join=$tap" carrier=0
check 'joined by another process: stays' reaps_nothing
release
check '... and goes when it is let go' reaps
make_multi alice
held alice "$hold" "join-multi=$tap" carrier=0
check 'one of several queues, held by one, without a carrier: stays' reaps_nothing
release
held alice "$hold" "join-multi=$tap" disable
check '... by one that is switched off: stays' reaps_nothing
check '... and has no queue but that' [ "$(ip -d link show "$tap" | grep -o 'numqueues [0-9]* numdisabled [0-9]*')" = \
	'numqueues 0 numdisabled 1' ]
release
check '... and goes when it is let go' reaps

# One user joins and leaves again and again, while root reaps: what is held never vanishes.
race() { # race NAME-WORD LEAVE...: the word for hold; how a tap is left
	name_word=$1
	shift
	: >"$TMPDIR/race"
	: >"$TMPDIR/tries"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		"$@" || return 1
		setpriv --reuid alice --regid alice --init-groups "$hold" "$name_word=$tap" try=1000000 >>"$TMPDIR/tries" 2>&1 &
		trying=$!
		for _ in $(seq 30); do
			"$TAPGATE" reap >>"$TMPDIR/race"
			stands "$tap" || break
		done
		kill "$trying"
		wait "$trying" 2>/dev/null
		! grep . "$TMPDIR/tries" || return 1
		! stands "$tap" || reaps || return 1
	done
	sort "$TMPDIR/race" | sed 's/tg[0-9]*-/tgN-/' | uniq -c
	no_taps
}
check 'who joins it at that very moment keeps it' race name leave alice br0
check '... with several queues, too' race name-multi make_multi alice

# --- which ones -----------------------------------------------------------------------------------------------------------------

leave alice br1
other=$tap
leave alice br0
check 'of one network' reaps br0
check '... those of others stay' stands "$other"
ip link del br1
check 'of a network that is not in the policy and has no bridge any more' says 0 reap br1 br2 <<EOT
br1: removed the tap '$other' of uid 1000, which nobody holds
EOT
check 'of networks that have none' reaps_nothing br2 tap1
check 'of a network that there is not' says 2 reap br2 br1 <<'EOT'
tapgate: no network 'br1' has taps, or stands in /etc/tapgate.conf; see: tapgate networks
EOT
check 'a word that it does not have' says 2 reap --json <<'EOT'
tapgate: 'reap' has no option '--json'; see: tapgate help reap
EOT
leave alice br0
mv /etc/tapgate.conf "$TMPDIR/policy"
check 'without a policy, of a network that there is not' says 4 reap br1 <<'EOT'
tapgate: /etc/tapgate.conf: No such file or directory; an administrator can create it, of root's and mode 0644
EOT
check 'without a policy' reaps
mv "$TMPDIR/policy" /etc/tapgate.conf

ip tuntap add dev mine mode tap user alice
ip tuntap add dev yours mode tap user alice
ip link set yours alias 'tapgate uid=1000 net=br0'
ip tuntap add dev theirs mode tap user alice
ip link set theirs alias 'xtapgate uid=1000 net=br0 vmm=1'
ip tuntap add dev hers mode tap user alice
ip link set hers alias 'tapgate uid=01000 net=br0 vmm=1'
ip link add veth type veth peer name veth2
ip link set veth alias 'tapgate uid=1000 net=br0 vmm=1'
check 'persistent taps that are not ours, and what is no tap, stay' reaps_nothing
check '... all of them' [ "$(taps | sort | xargs)" = 'hers mine theirs yours' ]
for name in mine yours theirs hers veth; do
	ip link del "$name"
done

# --- what it is good for: limits, and one tap to a network --------------------------------------------------------------------------

leave bob br0
bobs=$tap
leave alice br0
check 'one that was left counts against its user' user_says bob 5 run --net br0 -- true <<'EOT'
tapgate-helper: uid 1001 has reached max=1 on 'br0', by /etc/tapgate.conf:2 (allow br0 user=bob max=1); end a virtual machine first, or have the limit raised
EOT
check 'a user removes the own ones, without root' user_says bob 0 reap <<EOT
br0: removed the tap '$bobs' of uid 1001, which nobody holds
EOT
check '... and can start one again' user_says bob 0 run --net br0 -- true </dev/null
check '... and no other' user_says bob 0 reap --dry-run <<'EOT'
nothing changed
EOT
check "another user's stays" stands "$tap"
check '... and goes by root' reaps
leave alice br0 owner=1002
check 'a user who gave it away is told' user_says alice 1 reap <<EOT
tapgate: br0: cannot remove the tap '$tap': it has got another owner; try: sudo tapgate reap
EOT
check '... and root removes it' reaps

leave alice tap1
check 'one that was left takes the place of a standalone network' user_says alice 5 run --net tap1 -- true <<'EOT'
tapgate-helper: network 'tap1' has its one virtual machine already: interface 'tap1'; end that one first, or an administrator can run: ip link delete tap1
EOT
check '... and goes' says 0 reap <<'EOT'
tap1: removed the tap 'tap1' of uid 1000, which nobody holds
EOT
check '... and leaves room' user_says alice 0 run --net tap1 -- true </dev/null

leave alice br0
# Not with the module's own device, which other parts use as well.
mount --bind /dev/null /dev/net/tun
check 'without /dev/net/tun: said' says 1 reap <<EOT
tapgate: br0: cannot remove the tap '$tap': Inappropriate ioctl for device
EOT
umount /dev/net/tun
check 'and with it: gone' reaps
check 'nothing is left' no_taps
finish
