#!/bin/sh
# `tapgate log` with the real helper, the real journald and the real journalctl: what it shows, to whom; what others
# write in the helper's name; following; and no journal.
#
#	root --- journald --- /dev/log --- the helper, for alice and bob; and what they write themselves
# shellcheck disable=SC2016,SC2119,SC2120,SC2154 # words for another shell; functions run by check; top is of cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
tell=$top/build/tests/cli/tell

journald=
for file in /usr/lib/systemd/systemd-journald /lib/systemd/systemd-journald; do
	[ ! -x "$file" ] || journald=$file
done
if [ -z "$journald" ] || ! command -v journalctl >/dev/null; then
	skip 'tapgate log' 'there is no journald'
	finish
	exit
fi

as() { # as USER COMMAND...
	as_user=$1
	shift
	setpriv --reuid "$as_user" --regid "$as_user" --init-groups "$@"
}

ask() { # ask USER NETWORK: a tap, for a moment; prints its name if there is one
	as "$1" "$CALL" "$HELPER" --br="$2" --fd='{fd}' 2>/dev/null | sed -n 's/.* if=\([^ ]*\).*/\1/p'
}

# The journal is split by users once it is in /var/log, which other parts have, too.
mount -t tmpfs -o mode=755 tapgate-world /var/log

check 'no journal' says 1 log <<'EOT'
tapgate: there is no journal here; where syslog keeps files of its own, try: grep tapgate-helper /var/log/auth.log or /var/log/secure
EOT

# --- a journald of our own --------------------------------------------------------------------------------------------

mount -t cgroup2 tapgate-world /sys/fs/cgroup
mkdir -p /var/log/journal /run/log /etc/systemd
cat >/etc/systemd/journald.conf <<-'EOT'
	[Journal]
	Storage=persistent
	SplitMode=uid
	ReadKMsg=no
	Audit=no
EOT
printf 'systemd-journal:x:990:carol\n' >>/etc/group
"$journald" >"$TMPDIR/journald" 2>&1 &
check 'journald runs' wait_for 10 [ -S /run/systemd/journal/dev-log ]
ln -sf /run/systemd/journal/dev-log /dev/log
check 'its journal is in /var/log' journalctl --flush

shows() { # shows WORD...: says, with status 0, what stands on standard input, times and process numbers apart
	journalctl --sync || return 1
	cat >"$TMPDIR/shows.expected"
	"$TAPGATE" log "$@" >"$TMPDIR/shows.all" 2>&1 </dev/null || echo "status $?"
	plain <"$TMPDIR/shows.all" >"$TMPDIR/shows"
	diff "$TMPDIR/shows.expected" "$TMPDIR/shows"
}

# Times, process numbers, and the blanks of columns.
plain() {
	sed -E 's/^20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} /TIME/; s/tg[0-9]+-0/tgN-0/
		s/(tgN-0|vm0|-) +[0-9]+  /\1 PID /
		s/"time":"20[0-9-]{8}T[0-9:]{8}\.[0-9]{6}Z"/"time":"TIME"/; s/"vmm":[0-9]+/"vmm":PID/; s/  +/ /g; s/ +$//'
}

check 'nothing yet' shows <<'EOT'
no lines
EOT
ip link add br0 type bridge
ip link set br0 up
policy 'allow br0 user=alice' 'deny all user=bob' 'network tap1 standalone 172.16.3.1/24'

# --- what the helper wrote --------------------------------------------------------------------------------------------

tap=$(ask alice br0)
check 'a tap' [ -n "$tap" ]
ask bob br0
ask alice br1
ask alice 'br0" tap="x'
cat >"$TMPDIR/true" <<'EOT'
TIME RESULT USER NETWORK TAP VMM RULE OR REASON
TIME granted alice br0 tgN-0 PID /etc/tapgate.conf:1 (allow br0 user=alice)
TIME refused bob br0 - PID uid 1001 may not use 'br0': denied by /etc/tapgate.conf:2 (deny all user=bob)
TIME refused alice br1 - PID uid 1000 may not use 'br1': no rule allows it; an administrator can add 'allow br1 user=#1000' to /etc/tapgate.conf
TIME refused alice - - - --br='br0\x22 tap=\x22x' has characters other than letters, digits and ._-+@, expected the name of a network of at most 15 bytes
EOT
check 'grants and refusals' shows <"$TMPDIR/true"
check "... with the tap's own name and a time of now" grep -q "^$(date +%Y-%m-%d).* $tap " "$TMPDIR/shows.all"
check 'of a network' shows br1 <<'EOT'
TIME RESULT USER NETWORK TAP VMM RULE OR REASON
TIME refused alice br1 - PID uid 1000 may not use 'br1': no rule allows it; an administrator can add 'allow br1 user=#1000' to /etc/tapgate.conf
EOT
sed -n '1p;3p' "$TMPDIR/true" >"$TMPDIR/bob"
check 'of a user' shows --user bob <"$TMPDIR/bob"
check '... by number' shows '--user=#1001' <"$TMPDIR/bob"
check '... and a network' shows --user bob br1 <<'EOT'
no lines
EOT
cat >"$TMPDIR/json" <<'EOT'
{"time":"TIME","result":"granted","uid":1000,"user":"alice","network":"br0","tap":"tgN-0","vmm":PID,"rule":"/etc/tapgate.conf:1 (allow br0 user=alice)","code":null,"reason":null}
{"time":"TIME","result":"refused","uid":1001,"user":"bob","network":"br0","tap":null,"vmm":PID,"rule":"/etc/tapgate.conf:2 (deny all user=bob)","code":3,"reason":"uid 1001 may not use 'br0': denied by /etc/tapgate.conf:2 (deny all user=bob)"}
EOT
check '--json: an object for each' shows --json br0 <"$TMPDIR/json"

# The third line's own time, as --json has it.
third=$("$TAPGATE" log --json | sed -n '3s/.*"time":"\([^T]*\)T\([^"]*\)Z".*/\1 \2 UTC/p')
sed '2,3d' "$TMPDIR/true" >"$TMPDIR/later"
check '--since: the lines from a time on' shows --since "$third" <"$TMPDIR/later"
check '... and of a network' shows "--since=$third" br0 <<'EOT'
no lines
EOT
check '... as relative times' shows --since -1d <"$TMPDIR/true"
check '... in words' shows --since tomorrow <<'EOT'
no lines
EOT
# Without the zone that the table is in, this would be nine hours from now.
zone=$(TZ=XYZ-9 "$TAPGATE" log | sed -n '2s/^\([-0-9]* [0-9:]*\) .*/\1/p')
check '... as the table shows them, in whatever zone' eval "TZ=XYZ-9 shows --since '$zone' <'$TMPDIR/true'"

# --- who sees what ----------------------------------------------------------------------------------------------------

as_user_shows() { # as_user_shows USER: what stands on standard input
	as "$1" "$TAPGATE" log 2>&1 </dev/null | plain >"$TMPDIR/shows"
	diff - "$TMPDIR/shows"
}
{
	echo 'tapgate: only your own lines can be shown; root and the group systemd-journal see all'
	cat "$TMPDIR/bob"
} >"$TMPDIR/bob.own"
check 'an ordinary user sees the own lines' as_user_shows bob <"$TMPDIR/bob.own"
chmod 700 /var/log/journal
nothing_for() { # nothing_for USER COMMAND...: that may not read any of it
	! as "$@" >"$TMPDIR/shows" 2>&1 </dev/null && diff "$TMPDIR/shows" "$TMPDIR/shows.expected"
}
cat >"$TMPDIR/shows.expected" <<'EOT'
tapgate: the journal has nothing that uid 1000 may read: root and the group systemd-journal see all of it; an administrator can run: usermod -aG systemd-journal alice (it counts from the next login)
EOT
check 'a user who may read none of it is told that, and nothing else' nothing_for alice "$TAPGATE" log
check '... following' nothing_for alice "$TAPGATE" log --follow
check '... or as JSON' nothing_for alice "$TAPGATE" log --json
chmod 755 /var/log/journal
chgrp -R systemd-journal /var/log/journal # as the packages have it
chmod -R g+rX /var/log/journal
check 'a member of systemd-journal sees all' as_user_shows carol <"$TMPDIR/true"

# --- what others write in the helper's name ---------------------------------------------------------------------------

last() { # last USER TEXT SHOWN [UID]: this user writes that text, with that user ID, and the last line is shown so
	printf '%b' "$2" | as "$1" "$tell" /dev/log ${4:+"$4"} || return 1
	journalctl --sync || return 1
	"$TAPGATE" log 2>&1 </dev/null | tail -n 1 | plain >"$TMPDIR/shows"
	echo "TIME $3" | diff - "$TMPDIR/shows"
}
head='<86>tapgate-helper[4711]:'
not_so='not a line as the helper writes it:'
about='net=br0 vmm=1 tap=vm0 rule=x'

check "another user's grant" last bob "$head granted uid=1000 $about" \
	"forged bob - - - it says uid 1000, and uid 1001 sent it: 'granted uid=1000 net=br0 vmm=1 tap=vm0 rule=x'"
check "root's" last bob "$head granted uid=0 $about" \
	"forged bob - - - it says uid 0, and uid 1001 sent it: 'granted uid=0 net=br0 vmm=1 tap=vm0 rule=x'"
check 'root is no exception' last root "$head granted uid=1001 $about" \
	"forged root - - - it says uid 1001, and uid 0 sent it: 'granted uid=1001 net=br0 vmm=1 tap=vm0 rule=x'"
check 'the own uid, and another one behind it' last bob "$head granted uid=1001 $about uid=1000" \
	"forged bob - - - $not_so 'granted uid=1001 net=br0 vmm=1 tap=vm0 rule=x uid=1000'"
check 'the own uid within another value' last bob "$head granted why=\" uid=1001\" uid=1000 $about" \
	"forged bob - - - it says uid 1000, and uid 1001 sent it: \
'granted why=\\x22 uid=1001\\x22 uid=1000 net=br0 vmm=1 tap=vm0 rule=x'"
check 'a line behind a line' last bob "$head granted uid=1001 $about\n$head granted uid=1000 $about" \
	"forged bob - - - $not_so 'granted uid=1001 net=br0 vmm=1 tap=vm0 rule=x\\x0a<86>tapgate-helper[4711]:...'"
check 'bytes for a terminal' last bob "$head granted \\033[2J\\0233\\0377" \
	"forged bob - - - $not_so 'granted \\x1b[2J\\x9b\\xff'"
check 'no fields' last bob "$head hello" "forged bob - - - $not_so 'hello'"
check 'too few fields' last bob "$head granted uid=1001" "forged bob - - - $not_so 'granted uid=1001'"
check 'a number that is none' last bob "$head granted uid=+1001 $about" \
	"forged bob - - - $not_so 'granted uid=+1001 net=br0 vmm=1 tap=vm0 rule=x'"
check 'a name that is none' last bob "$head refused uid=1001 net=\"a b\" code=1 why=x" \
	"forged bob - - - $not_so 'refused uid=1001 net=\\x22a b\\x22 code=1 why=x'"
check 'a field of a later version is no forgery' last bob "$head refused uid=1001 later=\"a b\" code=3 why=\"so it is\"" \
	'refused bob - - - so it is'
check 'terminal bytes within a value' last bob "$head refused uid=1001 code=3 why=\"\\\\x1b[2J \\\\xff\"" \
	'refused bob - - - \x1b[2J \xff'
check 'blanks that would fill a line of a terminal' last bob "$head refused uid=1001 code=3 why=\"so it is   granted\"" \
	'refused bob - - - so it is \x20\x20granted'
check 'users can lie about themselves' last bob "$head granted uid=1001 $about" 'granted bob br0 vm0 PID x'
long=$(printf '%05000d' 0)
check 'a line too long for any of ours' last bob "$head refused uid=1001 code=3 why=$long" \
	"forged bob - - - $not_so ''"
# Who a sender is, is not for the sender to say: the kernel lets only root name another.
as_another() {
	! printf '%s granted uid=1000 %s' "$head" "$about" | as bob "$tell" /dev/log 1000 2>"$TMPDIR/told" &&
		grep -qx '/dev/log: Operation not permitted' "$TMPDIR/told"
}
check 'credentials of another user are refused' as_another
check '... the own ones taken' last bob "$head granted uid=1001 $about later=1" 'granted bob br0 vm0 PID x' 1001
namespace_root() { # bob, who is user 0 in a user namespace of his
	printf '%s granted uid=0 %s' "$head" "$about" | as bob unshare --user --map-root-user "$tell" /dev/log 0 &&
		journalctl --sync && "$TAPGATE" log 2>/dev/null | tail -n 1 | plain |
		diff - "$TMPDIR/shows.expected"
}
if as bob unshare --user --map-root-user true 2>/dev/null; then
	echo "TIME forged bob - - - it says uid 0, and uid 1001 sent it: 'granted uid=0 $about'" >"$TMPDIR/shows.expected"
	check '... those of a user namespace are what they are outside' namespace_root
else
	skip 'root of a user namespace' 'user namespaces are not for users here'
fi
lines=$("$TAPGATE" log 2>/dev/null | wc -l)
another() { # another PRIORITY-AND-IDENT: what is not of our ident or not of authpriv is not looked at
	printf '%s granted uid=1001 %s' "$1" "$about" | as bob "$tell" /dev/log && journalctl --sync &&
		[ "$("$TAPGATE" log 2>/dev/null | wc -l)" = "$lines" ]
}
check 'another facility' another '<14>tapgate-helper[1]:'
check 'another ident' another '<86>tapgate[1]:'
native() { # by journald's own protocol, where senders name the fields
	printf '%s\n' "MESSAGE=granted uid=1001 $about" 'SYSLOG_IDENTIFIER=tapgate-helper' 'SYSLOG_FACILITY=10' \
		'_UID=1000' '_TRANSPORT=syslog' | as bob "$tell" /run/systemd/journal/socket && journalctl --sync &&
		journalctl -q -o cat SYSLOG_IDENTIFIER=tapgate-helper _TRANSPORT=journal | grep -q granted &&
		[ "$("$TAPGATE" log 2>/dev/null | wc -l)" = "$lines" ]
}
check "journald's own protocol" native
each_is_an_object() { # also with what others wrote
	"$TAPGATE" log --json >"$TMPDIR/all.json" && [ "$(wc -l <"$TMPDIR/all.json")" = $((lines - 1)) ] &&
		! grep -vE '^\{"time":"[^"]*","result":"(granted|refused|forged)","uid":[0-9]+,.*"reason":.*\}$' \
			"$TMPDIR/all.json" && ! grep -q '[^ -~]' "$TMPDIR/all.json"
}
check '--json has the same lines' each_is_an_object

# --- following --------------------------------------------------------------------------------------------------------

"$TAPGATE" log --follow --user alice br0 >"$TMPDIR/follow" 2>&1 &
follower=$!
follows() { # follows COUNT: there are so many lines by now
	[ "$(wc -l <"$TMPDIR/follow")" = "$1" ]
}
check '--follow: first what is there' wait_for 10 follows 2
ask alice br0 >/dev/null
check '... then what comes' wait_for 10 follows 3
ask bob br0
ask alice br0 >/dev/null
check '... and nothing else' wait_for 10 follows 4
check '... as without' [ "$(tail -n 2 "$TMPDIR/follow" | plain | sort -u)" = "$(sed -n 2p "$TMPDIR/true")" ]
read -r child <"/proc/$follower/task/$follower/children"
check '... by journalctl' grep -qx journalctl "/proc/$child/comm"
kill "$follower"
wait "$follower" 2>/dev/null
gone() {
	! kill -0 "$child" 2>/dev/null
}
check '... which ends with it' wait_for 10 gone
(while :; do
	ask alice br0 >/dev/null
done) &
asking=$!
check '... and ends when nobody reads' timeout 20 sh -c "'$TAPGATE' log --follow 2>/dev/null | head -n 1 >/dev/null"
kill "$asking"
wait "$asking" 2>/dev/null

# --- words ------------------------------------------------------------------------------------------------------------

check 'a user who is not there' says 2 log --user nobody-here <<'EOT'
tapgate: no user 'nobody-here'; one that is gone has a number: --user '#1000'
EOT
check 'a number that is none' says 2 log --user '#x' <<'EOT'
tapgate: --user '#x', expected a name or '#number'
EOT
check 'a time that is none' says 2 log --since 'half past nine' <<'EOT'
tapgate: --since 'half past nine', expected a time as journalctl takes it: '2026-11-22 18:00', 'yesterday', '-2h'; see: tapgate help log
EOT
check '... or lacks' says 2 log --since <<'EOT'
tapgate: 'log': option '--since' lacks its value; see: tapgate help log
EOT
check 'a name that no network can have' says 2 log 'a b' <<'EOT'
tapgate: 'a b' has characters other than letters, digits and ._-+@, expected the name of a network
EOT
check 'an option that it does not have' says 2 log --strict <<'EOT'
tapgate: 'log' has no option '--strict'; see: tapgate help log
EOT

# --- no journal -------------------------------------------------------------------------------------------------------

no_journalctl() { # in a mount namespace of its own
	unshare --mount sh -c 'for file in /usr/bin/journalctl /bin/journalctl; do
			[ ! -e "$file" ] || mount --bind /dev/null "$file"
		done
		"$0" log' "$TAPGATE" >"$TMPDIR/shows" 2>&1
	[ $? = 1 ] && diff - "$TMPDIR/shows"
}
check 'no journalctl' no_journalctl <<'EOT'
tapgate: there is no journal here, as /usr/bin/journalctl cannot be run; where syslog keeps files of its own, try: grep tapgate-helper /var/log/auth.log or /var/log/secure
EOT
broken_journalctl() {
	printf '#!/bin/sh\nprintf "so it is\\033\\nand more\\n" >&2\nexit 1\n' >"$TMPDIR/broken"
	chmod 755 "$TMPDIR/broken"
	unshare --mount sh -c 'mount --bind "$TMPDIR/broken" /usr/bin/journalctl && "$0" log' "$TAPGATE" >"$TMPDIR/shows" 2>&1
	[ $? = 1 ] && diff - "$TMPDIR/shows"
}
check 'a journalctl that fails: its first line' broken_journalctl <<'EOT'
tapgate: journalctl failed: so it is\x1b; try: journalctl SYSLOG_IDENTIFIER=tapgate-helper
EOT
: >/var/log/secure
check '... and a file' no_journalctl <<'EOT'
tapgate: there is no journal here, as /usr/bin/journalctl cannot be run; where syslog keeps files of its own, try: grep tapgate-helper /var/log/secure
EOT
finish
