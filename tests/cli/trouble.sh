#!/bin/sh
# SPDX-License-Identifier: MIT
# When `tapgate` does not find what it needs, or is not alone: a message, a status that says the same, and no
# network without its guard. What system calls alone can say is in faults.sh.
# shellcheck disable=SC2016 # words for another shell
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

made() { # what `up` says when it makes all of it
	cat <<-'EOT'
		lab: made the bridge
		lab: put up its guard
		lab: added the address 172.16.2.1/24
		lab: brought the bridge up
		lab: started dnsmasq
		quiet: made the bridge
		quiet: put up its guard
		quiet: brought the bridge up
		web: made the bridge
		web: put up its guard
		web: added the address 10.77.0.1/24
		web: brought the bridge up
		web: switched on net.ipv4.conf.web.forwarding (the way in)
	EOT
}

networks() {
	policy - <<-'EOT'
		allow all user=alice
		network lab   host-only  172.16.2.1/24 dhcp=172.16.2.2-172.16.2.100
		network quiet internal
		network web   nat        10.77.0.1/24
	EOT
}

all_up() {
	"$TAPGATE" status
}

nothing_left() {
	[ -z "$(nft list ruleset)" ] && [ "$(ip -o link | grep -vcE " (lo|wan|isp)[:@]")" = 0 ] && [ -z "$(dnsmasqs)" ]
}

guarded() { # guarded NETWORK: by a guard that is sealed
	nft list table inet "tapgate-$1" | grep 'chain seal/'
}

lab_lacks_dhcp() { # as status says it
	refuses "$TAPGATE" status lab >"$TMPDIR/status" && grep -F "not as wanted: DHCP; run 'tapgate up'" "$TMPDIR/status"
}

# fails_with STATUS COMMAND: its output, both streams, is standard input; words of the shell, for redirections
fails_with() {
	cat >"$TMPDIR/expected"
	fails_status=$1
	eval "$2" >"$TMPDIR/came" 2>&1
	fails_came=$?
	[ "$fails_came" = "$fails_status" ] || echo "status $fails_came"
	diff "$TMPDIR/expected" "$TMPDIR/came" && [ "$fails_came" = "$fails_status" ]
}

# sorted WORD...: what tapgate says, sorted; its status
sorted() {
	"$TAPGATE" "$@" >"$TMPDIR/unsorted" 2>&1
	sorted_status=$?
	sort "$TMPDIR/unsorted"
	return "$sorted_status"
}

# --- several at once --------------------------------------------------------------------------------------------------

several_ups() { # each change is made once, and said once
	for number in 1 2 3 4 5 6; do
		"$TAPGATE" up >"$TMPDIR/up.$number" 2>&1 &
		ups="${ups-} $!"
	done
	status=0
	for up in $ups; do
		wait "$up" || status=$?
	done
	made | sort >"$TMPDIR/expected"
	for number in 1 2 3 4 5; do
		echo 'nothing changed'
	done | sort - "$TMPDIR/expected" >"$TMPDIR/all"
	cat "$TMPDIR/up."* | sort | diff "$TMPDIR/all" - && [ "$status" = 0 ]
}

never_bare() { # no bridge of ours is up without its guard: looked at again and again, while it may
	while [ -e "$TMPDIR/running" ]; do
		# First what is up, then the guards, then whether it is still the same that is up: a bridge that went
		# between the two looks may have lost its guard rightly.
		before=$(ip -o link show up type bridge | sed 's/: <.*//')
		tables=$(nft list tables)
		after=$(ip -o link show up type bridge | sed 's/: <.*//')
		[ "$before" = "$after" ] || continue
		for bridge in lab quiet web; do
			case $before in
			*": $bridge"*) echo "$tables" | grep -qw "tapgate-$bridge" || echo "$bridge is up without guard" ;;
			esac
		done
	done
}

ups_and_downs() {
	: >"$TMPDIR/running"
	never_bare >"$TMPDIR/bare" 2>&1 &
	watcher=$!
	ups=
	for number in 1 2 3 4 5 6; do
		"$TAPGATE" up >/dev/null 2>"$TMPDIR/up.$number" &
		ups="$ups $!"
		"$TAPGATE" down >/dev/null 2>"$TMPDIR/down.$number" &
		ups="$ups $!"
	done
	status=0
	for up in $ups; do
		wait "$up" || status=$?
	done
	rm "$TMPDIR/running"
	wait "$watcher"
	cat "$TMPDIR/bare" "$TMPDIR"/up.* "$TMPDIR"/down.*
	[ "$status" = 0 ] && [ ! -s "$TMPDIR/bare" ]
}

waits_for_lock() {
	flock /run/tapgate/lock sh -c "touch '$TMPDIR/locked'; while [ -e '$TMPDIR/locked' ]; do sleep 0.02; done" &
	locker=$!
	wait_for 5 test -e "$TMPDIR/locked"
	timeout 0.5 "$TAPGATE" down
	waited=$?
	timeout 5 "$TAPGATE" down --dry-run
	[ $? = 6 ] && timeout 5 "$TAPGATE" status
	looked=$?
	rm "$TMPDIR/locked"
	wait "$locker"
	[ "$waited" = 124 ] && [ "$looked" = 0 ]
}

networks
check 'six at once: each change is made once, and said once' several_ups
check 'all is up' all_up
check 'who changes waits for others that do; who looks does not' waits_for_lock
check 'ups and downs at once: no failure, and no bridge up without its guard' ups_and_downs
check 'and up again' "$TAPGATE" up
check 'all is up' all_up
check 'and down' "$TAPGATE" down
check 'nothing is left' nothing_left

# --- who may ----------------------------------------------------------------------------------------------------------

for verb in up down 'up --dry-run' 'down --dry-run'; do
	case $verb in
	*dry*)
		why="only root can see all that 'tapgate ${verb%% *}' would change"
		way="sudo tapgate $verb, or, without root: tapgate status"
		;;
	*) why='only root can change networks' way="sudo tapgate $verb" ;;
	esac
	remember
	# shellcheck disable=SC2086 # words
	check "alice: $verb" fails_with 1 "as_alice $TAPGATE $verb" <<-EOT
		tapgate: $why; try: $way
	EOT
	check "alice: $verb: nothing has changed" same
done
remember
check 'root without its capabilities' \
	fails_with 1 "setpriv --bounding-set -all --inh-caps -all $TAPGATE up quiet" <<'EOT'
tapgate: quiet: cannot make the bridge: Operation not permitted
tapgate: firewall: cannot read the rules of others: Operation not permitted
EOT
check 'nothing has changed' same

# A root that may not read it, as in some containers and on some file systems: its networks are not gone for all that.
limited() {
	setpriv --bounding-set -dac_override,-dac_read_search --inh-caps -dac_override,-dac_read_search "$TAPGATE" "$@"
}

check 'up again' "$TAPGATE" up
for file in /etc/tapgate.conf /etc/more.conf; do
	networks
	mv /etc/tapgate.conf /etc/more.conf
	echo 'include /etc/more.conf' >/etc/tapgate.conf
	chmod 0 "$file"
	remember
	for verb in up status check; do
		check "root may not read $file: $verb" fails_with 4 "limited $verb" <<-EOT
			$([ $verb = check ] || echo 'tapgate: ')$file: root may not read it, and so cannot know all of the policy
		EOT
	done
	check "root may not read $file: nothing has changed" same
	rm /etc/more.conf
	networks
done
check 'down again' "$TAPGATE" down

# --- what may be missing ----------------------------------------------------------------------------------------------

no_nftables() { # no_nftables WORD: the kernel has no nftables
	strace -q -o /dev/null -e trace=socket -e inject=socket:error=EPROTONOSUPPORT:when=2+ "$TAPGATE" "$1"
}

if command -v strace >/dev/null; then
	for verb in up down; do
		remember
		check "no nftables: $verb" fails_with 1 "no_nftables $verb" <<-'EOT'
			tapgate: cannot talk to the kernel's nftables: Protocol not supported (try: modprobe nf_tables)
		EOT
		check "no nftables: $verb: nothing has changed" same
	done
else
	skip 'no nftables' 'no strace here'
fi

but_lab() { # the other networks
	made | grep -v '^lab: '
}

# What `up` says where lab cannot have its dnsmasq: the others go on.
without_dnsmasq() { # without_dnsmasq WHY
	made | sed '/started dnsmasq/,$d'
	echo "tapgate: lab: cannot start dnsmasq: $1"
	echo "tapgate: lab: not finished: DHCP; 'tapgate up' goes on from here"
	but_lab
}

tries() { # tries TEXT WHY: `up` fails for lab, and makes the others; and then nothing hinders it, and it makes lab
	without_dnsmasq "$2" | sort >"$TMPDIR/lines"
	check "$1: up says so" fails_with 1 'sorted up' <"$TMPDIR/lines"
	check "$1: status says so" lab_lacks_dhcp
	check "$1: lab has its guard" guarded lab
	check "$1: the others are up" "$TAPGATE" status quiet web
}

then_all_up() { # then_all_up TEXT
	check "$1: and with it all is up" "$TAPGATE" up
	check "$1: as status says" all_up
	"$TAPGATE" down >/dev/null
}

dnsmasq=$(command -v dnsmasq)
mount --bind /dev/null "$dnsmasq"
tries 'no dnsmasq' "there is no dnsmasq in /usr/sbin, /usr/bin or /usr/local/sbin; install the package 'dnsmasq-base' (Debian, Ubuntu) or 'dnsmasq'"
umount "$dnsmasq"
then_all_up 'no dnsmasq'

install -m 755 /dev/null "$TMPDIR/other"
mount --bind "$TMPDIR/other" "$dnsmasq"
tries 'a dnsmasq that is no program' "cannot execute $dnsmasq: Exec format error"
umount "$dnsmasq"
then_all_up 'a dnsmasq that is no program'

printf '#!/bin/sh\necho "dnsmasq: I do not want to" >&2\nexit 3\n' >"$TMPDIR/other"
mount --bind "$TMPDIR/other" "$dnsmasq"
tries 'a dnsmasq that does not start' 'I do not want to'
printf '#!/bin/sh\nexit 0\n' >"$TMPDIR/other"
umount "$dnsmasq"
then_all_up 'a dnsmasq that does not start'

dnsmasq --conf-file=/dev/null --user=dnsmasq --port=0 --interface=lo --dhcp-range=127.0.0.2,127.0.0.3 --pid-file="$TMPDIR/taker" \
	--dhcp-leasefile="$TMPDIR/taken"
check 'somebody else listens: up says so, and how to find out' \
	fails_with 1 "sorted up lab | grep \"Address already in use; 'ss -lnptu' shows what listens there\" | wc -l; sorted up lab >/dev/null" <<'EOT'
1
EOT
check 'somebody else listens: status says so' lab_lacks_dhcp
read -r taker <"$TMPDIR/taker"
kill "$taker"
wait_for 5 refuses test -e "/proc/$taker"
then_all_up 'somebody else listens'

mkdir -p /run/tapgate
mount -t tmpfs -o size=4k,nr_inodes=2 full /run/tapgate
dd if=/dev/zero of=/run/tapgate/full bs=4k count=1 2>/dev/null
check 'no room for the lock: up refuses' fails_with 1 "$TAPGATE up" <<'EOT'
tapgate: cannot lock /run/tapgate/lock: No space left on device
EOT
check 'no room for the lock: nothing is left' nothing_left
umount /run/tapgate

mount -t tmpfs -o size=4k full /run/tapgate
dd if=/dev/zero of=/run/tapgate/full bs=4k count=1 2>/dev/null
check 'no room for leases and the like: up fails' fails_with 1 "$TAPGATE up >/dev/null 2>&1" </dev/null
check 'no room for leases: status says so' lab_lacks_dhcp
check '... and check --live why' eval '"$TAPGATE" check --live 2>&1 |
	grep "^tapgate: warning: there is no room left in /run/tapgate, so that leases"'
check 'no room for leases: the others are up' "$TAPGATE" status quiet web
umount /run/tapgate
then_all_up 'no room for leases'

mount -t tmpfs -o mode=755,nr_inodes=4 full /run/tapgate
check 'no room for its file: up says which' \
	fails_with 0 "$TAPGATE up lab 2>&1 | grep -v '^lab: [mpab]'" <<'EOT'
tapgate: lab: cannot start dnsmasq: cannot make /run/tapgate/lab.keeper: No space left on device
tapgate: lab: not finished: DHCP; 'tapgate up' goes on from here
EOT
"$TAPGATE" down >/dev/null
umount /run/tapgate

"$TAPGATE" up lab >/dev/null
mount --bind /run/tapgate /run/tapgate
mount -o remount,bind,ro /run/tapgate
check 'what runs is seen where /run cannot be written' "$TAPGATE" status lab
check '... and check --live says that' eval '"$TAPGATE" check --live 2>&1 |
	grep "^tapgate: warning: /run/tapgate cannot be written, so that networks cannot be changed"'
umount /run/tapgate
check '... and nothing of either where there is room' eval '! "$TAPGATE" check --live 2>&1 | grep "^tapgate: warning: .*/run/tapgate"'
"$TAPGATE" down >/dev/null

mount --bind /run/tapgate /run/tapgate
mount -o remount,bind,ro /run/tapgate
rm -f /run/tapgate/lock 2>/dev/null
check 'a /run that cannot be written' fails_with 1 "$TAPGATE up" <<'EOT'
tapgate: cannot lock /run/tapgate/lock: Read-only file system
EOT
umount /run/tapgate
check 'a /run that cannot be written: nothing is left' nothing_left

rm -rf /run/tapgate
ln -s "$TMPDIR" /run/tapgate
check 'a symbolic link for a directory' refuses "$TAPGATE" up lab
check 'a symbolic link: status says so' lab_lacks_dhcp
rm /run/tapgate
install -d -o alice /run/tapgate
check 'a directory of somebody else' refuses "$TAPGATE" up lab
check 'a directory of somebody else: status says so' lab_lacks_dhcp
rm -rf /run/tapgate
"$TAPGATE" down >/dev/null

# --- settings that cannot be made -------------------------------------------------------------------------------------

mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
{
	made | sed '/switched on/d'
	echo 'tapgate: web: cannot switch on forwarding for web: Read-only file system'
	echo "tapgate: web: not finished: IPv4 forwarding; 'tapgate up' goes on from here"
} | sort >"$TMPDIR/lines"
check 'a /proc/sys that cannot be written: nat fails' fails_with 1 'sorted up' <"$TMPDIR/lines"
check 'a /proc/sys that cannot be written: status says so' finds 'web different IPv4 forwarding'
check 'a /proc/sys that cannot be written: the others are up' "$TAPGATE" status lab quiet
umount /proc/sys
then_all_up 'a /proc/sys that cannot be written'

mount -t tmpfs none /proc/sys
check 'no /proc/sys: nat fails' fails_with 1 "sorted up web | grep 'forwarding for'; sorted up web >/dev/null" <<'EOT'
tapgate: web: cannot switch on forwarding for wan: No such file or directory
EOT
check 'no /proc/sys: web has its guard' guarded web
umount /proc/sys
then_all_up 'no /proc/sys'

# An alternative name is none that the kernel lists as an interface's, and in the way all the same.
ip link add other type bridge
ip link property add dev other altname quiet
taken="/etc/tapgate.conf:3: network 'quiet' needs the interface name 'quiet', which 'other' has as an alternative one; \
give the network another name, or take it from that interface: ip link property del"
check "somebody's alternative name: up refuses" fails_with 4 "$TAPGATE up quiet" <<EOT
tapgate: $taken
tapgate: nothing was changed
EOT
check "somebody's alternative name: check says so" eval "$TAPGATE check 2>&1 | grep -qF \"\$taken\""
check 'the other interface stays' [ -e /sys/class/net/other ]
ip link del other
then_all_up "somebody's alternative name"

# --- where the lines go -----------------------------------------------------------------------------------------------

check 'standard output is full: said, and done all the same' fails_with 1 "$TAPGATE up >/dev/full" <<'EOT'
tapgate: cannot write to standard output
EOT
check 'all is up' all_up
"$TAPGATE" down >/dev/null
check 'standard output is closed: said, and done all the same' fails_with 1 "$TAPGATE up >&-" <<'EOT'
tapgate: cannot write to standard output
EOT
check 'all is up' all_up
"$TAPGATE" down >/dev/null
check 'nobody reads: done all the same' eval "{ $TAPGATE up; echo \$? >$TMPDIR/status; } | :"
check 'nobody reads: a status that says so' wait_for 5 grep -qx 1 "$TMPDIR/status"
check 'all is up' all_up
"$TAPGATE" down >/dev/null
check 'no standard error' fails_with 0 "$TAPGATE up quiet 2>&-" <<'EOT'
quiet: made the bridge
quiet: put up its guard
quiet: brought the bridge up
EOT
check 'no standard error, and something to say' refuses eval "$TAPGATE up nothing 2>&-"
check 'no standard input' fails_with 0 "$TAPGATE up web <&-" <<'EOT'
web: made the bridge
web: put up its guard
web: added the address 10.77.0.1/24
web: brought the bridge up
web: switched on net.ipv4.conf.web.forwarding (the way in)
EOT
check 'no stream at all' eval "$TAPGATE up <&- >&- 2>&-; [ \$? = 1 ]"
check 'all is up' all_up
check 'no environment, another directory, a strange umask' \
	fails_with 0 "$TAPGATE down lab >/dev/null; cd /; umask 777; env -i $TAPGATE up" <<'EOT'
lab: made the bridge
lab: put up its guard
lab: added the address 172.16.2.1/24
lab: brought the bridge up
lab: started dnsmasq
EOT
check 'all is up' all_up
check 'its dnsmasq holds nothing of ours' eval "! ls -l /proc/$(pid_of lab)/fd | grep -e lock -e $TMPDIR"
"$TAPGATE" down >/dev/null
check 'nothing is left' nothing_left
finish
