#!/bin/sh
# `tapgate run` and words: how the helper is called and what it may send, which words are refused, and vhost.
# shellcheck disable=SC2016,SC2119,SC2120,SC2154 # words for another shell; functions run by check; top is of cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"

stub=$top/build/tests/cli/stub

# Root runs it with a stub in the helper's place: stubbed SETTING... -- STATUS WORD...
stubbed() {
	stubbed_settings=
	while [ "$1" != -- ]; do
		stubbed_settings="$stubbed_settings $1"
		shift
	done
	shift
	stubbed_status=$1
	shift
	cat >"$TMPDIR/runs.expected"
	rm -f "$TMPDIR/words"
	# shellcheck disable=SC2086 # words
	env "TAPGATE_HELPER=$stub" "STUB_WORDS=$TMPDIR/words" $stubbed_settings "$TAPGATE" run "$@" \
		>"$TMPDIR/runs" 2>&1 </dev/null
	runs_came=$?
	[ "$runs_came" = "$stubbed_status" ] || echo "tapgate run $*: status $runs_came, expected $stubbed_status"
	diff "$TMPDIR/runs.expected" "$TMPDIR/runs" && [ "$runs_came" = "$stubbed_status" ] && no_taps
}

# The helper's words of the last call, a line each, with the socket's number as N.
called() {
	sed -E 's/--fd=[0-9]+/--fd=N/' "$TMPDIR/words" >"$TMPDIR/called"
	diff - "$TMPDIR/called"
}

usage() { # usage STATUS TEXT [WORD...]: refused with that text, before any helper is called
	usage_status=$1 usage_text=$2
	shift 2
	rm -f "$TMPDIR/words"
	echo "tapgate: $usage_text" | stubbed -- "$usage_status" "$@" && [ ! -e "$TMPDIR/words" ]
}

ip link add br0 type bridge forward_delay 0
ip link set br0 up
policy 'allow all user=alice'

# --- the helper's command line, and what it may do ----------------------------------------------------------------------------

words_of() { # the rest of `called`, for one --net
	cat >"$TMPDIR/words.expected"
	stubbed -- 0 "$@" -- true </dev/null && called <"$TMPDIR/words.expected"
}
check 'the helper is called with header and network' words_of --net n1 <<'EOT'
--use-vnet --net=n1 --fd=N
EOT
check '... with queues, when they are given' words_of --net n1 --queues 1 <<'EOT'
--use-vnet --net=n1 --fd=N --queues=1
EOT
check '... with the address that is given' words_of --net n1 --mac 52:54:00:AB:cd:01 <<'EOT'
--use-vnet --net=n1 --fd=N --mac=52:54:00:ab:cd:01
EOT
check '... for each --net with its own' words_of --net n1 --mac=52:54:00:00:00:01 --net n2 --queues=3 <<'EOT'
--use-vnet --net=n1 --fd=N --mac=52:54:00:00:00:01
--use-vnet --net=n2 --fd=N --queues=3
EOT
check 'several queues: {fds} has all of them, {fd} the first, {fdlist} with commas' stubbed -- 0 --net n1 --queues 4 -- sh -c \
	'echo {fds} >$TMPDIR/fds; echo {fdlist1} | tr , : | diff - $TMPDIR/fds && [ {fd} = $(cut -d : -f 1 $TMPDIR/fds) ] &&
	'"$hold"' {fds} | sed "s/^[0-9]* //"' <<'EOT'
n1 5102
n1 5102
n1 5102
n1 5102
EOT
check 'sixteen queues' stubbed -- 0 --net n1 --queues 16 -- sh -c "$hold {fds} | wc -l" <<'EOT'
16
EOT
check 'one queue is one of a tap that no other may join' stubbed -- 0 --net n1 --queues 1 -- sh -c \
	"$hold {fds} | sed 's/^[0-9]* //'" <<'EOT'
n1 5002
EOT
check 'too few descriptors' stubbed STUB_COUNT=2 -- 125 --net n1 --queues 3 -- echo no <<'EOT'
tapgate: tapgate-helper sent 2 descriptors for 'n1', expected 3
EOT
check 'too many' stubbed STUB_COUNT=5 -- 125 --net n1 --queues 3 -- echo no <<'EOT'
tapgate: tapgate-helper sent 5 descriptors for 'n1', expected 3
EOT
check 'far too many' stubbed STUB_COUNT=60 STUB_SEND=null -- 125 --net n1 --queues 3 -- echo no <<'EOT'
tapgate: tapgate-helper sent 16 descriptors for 'n1', expected 3
EOT
check 'none, and no word why' stubbed STUB_SEND=none -- 125 --net n1 -- echo no <<'EOT'
tapgate: tapgate-helper sent 0 descriptors for 'n1', expected 1
EOT
check 'a byte without a descriptor' stubbed STUB_COUNT=0 -- 125 --net n1 -- echo no <<'EOT'
tapgate: tapgate-helper sent 0 descriptors for 'n1', expected 1
EOT
check 'something else than a tap' stubbed STUB_SEND=null -- 125 --net n1 -- echo no <<'EOT'
tapgate: tapgate-helper sent a descriptor for 'n1' that is not of a tap
EOT
check 'a tap, but an exit code that is not 0' stubbed STUB_END=5 -- 5 --net n1 -- echo no </dev/null
check 'ended by a signal' stubbed STUB_END=kill -- 125 --net n1 -- echo no <<'EOT'
tapgate: tapgate-helper was ended by signal 9 (Killed)
EOT
check 'a helper that is not there' stubbed TAPGATE_HELPER=/nothing -- 125 --net n1 -- echo no <<'EOT'
tapgate: cannot run '/nothing': No such file or directory; is tapgate installed whole? TAPGATE_HELPER can name another place
EOT
# As README has it for dpkg-statoverride: for members of a group.
chgrp students "$HELPER"
chmod 4750 "$HELPER"
may_not_run() {
	setpriv --reuid carol --regid carol --init-groups "$TAPGATE" run --net n1 -- echo no >"$TMPDIR/out" 2>&1
	[ $? = 125 ] && [ "$(cat "$TMPDIR/out")" = \
		"tapgate: only root and members of 'students' may run $HELPER; an administrator decides who is one of them" ]
}
check 'a helper for others' may_not_run
chgrp root "$HELPER"
chmod 4755 "$HELPER"
ln -s "$TAPGATE" "$TMPDIR/link"
installed() { # the helper is the one beside the program, however that is called
	mv "$HELPER" "$HELPER.away"
	for program in "$TAPGATE" "$TMPDIR/link"; do
		env -u TAPGATE_HELPER "$program" run --net n1 -- echo no 2>&1 | tee "$TMPDIR/installed"
		grep -qF "cannot run '$HELPER'" "$TMPDIR/installed" || break
	done
	found=$?
	mv "$HELPER.away" "$HELPER"
	return "$found"
}
check 'without TAPGATE_HELPER it is the one that was installed' installed

# --- the command line ---------------------------------------------------------------------------------------------------------

see='; see: tapgate help run'
check 'no --net' usage 125 "no network is named, expected --net NAME before the command$see" true
check 'nothing at all' usage 125 "no network is named, expected --net NAME before the command$see"
check 'no command' usage 125 "no command is named, expected one behind the options$see" --net n1
check 'no command behind --' usage 125 "no command is named, expected one behind the options$see" --net n1 --
check 'an unknown option' usage 125 "'run' has no option '--nett'$see" --nett n1 true
check 'an option of the helper' usage 125 "'run' has no option '--use-vnet'$see" --net n1 --use-vnet true
check 'a value for what has none' usage 125 "'run' has no option '--vhost=on'$see" --net n1 --vhost=on true
check 'an option at its end' usage 125 "--net without a value$see" --net
check 'an option before any network' usage 125 "--queues before a --net, expected it behind the one that it is for$see" \
	--queues 2 --net n1 true
check 'no name' usage 125 "--net '' is empty, expected the name of a network of at most 15 bytes$see" --net '' true
check 'a name that is too long' usage 125 \
	"--net '0123456789abcdef' is longer than 15 bytes, expected the name of a network of at most 15 bytes$see" \
	--net 0123456789abcdef true
check 'a path' usage 125 "--net '../x' has characters other than letters, digits and ._-+@, expected the name of a network \
of at most 15 bytes$see" --net ../x true
for queues in 0 17 -1 1x '' 4294967297; do
	check "--queues '$queues'" usage 125 "--queues '$queues', expected a number from 1 to 16$see" --net n1 --queues "$queues" true
done
for mac in '' 52:54:00:12:34 52:54:00:12:34:5g 525400123456 01:00:5e:00:00:01 00:00:00:00:00:00 52-54-00-12-34-56; do
	check "--mac '$mac'" usage 125 "--mac '$mac', expected a unicast hardware address as in 52:54:00:12:34:56$see" \
		--net n1 --mac "$mac" true
done
check 'an option twice' usage 125 "--queues for the second time behind --net 'n1', expected it once$see" \
	--net n1 --queues 2 --queues 2 true
check 'another one twice' usage 125 "--mac for the second time behind --net 'n1', expected it once$see" \
	--net n1 --mac 52:54:00:12:34:56 --mac=52:54:00:12:34:56 true
check 'a flag twice' usage 125 "--vhost for the second time behind --net 'n1', expected it once$see" \
	--net n1 --vhost --vhost true
many=$(seq -f '--net n%g' 33 | xargs)
# shellcheck disable=SC2086
check 'too many networks' usage 125 "more than 32 --net, expected at most that many$see" $many true
unknown_mark() { # unknown_mark TEXT MARK
	echo "tapgate: $2: $1" | stubbed -- 125 --net n1 --net n2 -- echo "$2"
}
for mark in '{fd3}' '{fd0}' '{mac01}' '{fdlist99999999999}'; do
	check "$mark of two networks" unknown_mark 'there is no --net of that number, expected one from 1 to 2' "$mark"
done
check '{vhostfd} without --vhost' unknown_mark "network 'n2' has none; give --vhost behind its --net" '{vhostfd2}'

# --- vhost ----------------------------------------------------------------------------------------------------------------------

# A /dev of this part's own.
mkdir "$TMPDIR/dev"
mount -t tmpfs -o mode=755 tapgate-world "$TMPDIR/dev"
cp -a /dev/null /dev/zero /dev/net "$TMPDIR/dev/"
mount --rbind "$TMPDIR/dev" /dev
check '--vhost without /dev/vhost-net: refused before the helper is called' usage 125 \
	'--vhost: there is no /dev/vhost-net; an administrator can run: modprobe vhost_net' --net n1 --vhost true
mknod -m 600 /dev/vhost-net c 1 3
check '--vhost that this user may not open' runs alice 125 --net br0 --vhost -- echo no <<'EOT'
tapgate: --vhost: this user may not open /dev/vhost-net (its mode is an administrator's choice; on many hosts group kvm may)
EOT
chmod 666 /dev/vhost-net
check '--vhost: opened once' runs alice 0 --net br0 --vhost -- readlink '/proc/self/fd/{vhostfd}' <<'EOT'
/dev/vhost-net
EOT
check '--vhost: opened for each queue, of the networks that are to have it' stubbed -- 0 \
	--net n1 --vhost --queues 3 --net n2 --net n3 --vhost -- sh -c \
	'for fd in $(echo {vhostfds} {vhostfds3} | tr : " "); do readlink /proc/$$/fd/$fd; done
	echo {vhostfds} {vhostfds1} | tr " " "\n" | uniq | wc -l
	ls -l /proc/$$/fd | grep -c vhost-net' <<'EOT'
/dev/vhost-net
/dev/vhost-net
/dev/vhost-net
/dev/vhost-net
1
4
EOT

finish
