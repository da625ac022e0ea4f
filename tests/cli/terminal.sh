#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate` on terminals of 80 and 200 columns: help that fits, colour where it is wanted and nowhere else, and output
# that stays short however many networks and members there are.
# shellcheck disable=SC2016 # words for other shells
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

export TERM=xterm
unset NO_COLOR
escape=$(printf '\033')

# on_terminal COLUMNS COMMAND: what the command writes to such a terminal is in $TMPDIR/terminal, as it is; and in
# $TMPDIR/seen, without what moves and colours
on_terminal() {
	script -qefc "stty rows 24 cols $1; $2" "$TMPDIR/terminal" </dev/null >/dev/null 2>&1
	terminal_status=$?
	sed '1d;$d' "$TMPDIR/terminal" | tr -d '\r' | sed '$ { /^$/d }' >"$TMPDIR/terminal.lines"
	mv "$TMPDIR/terminal.lines" "$TMPDIR/terminal"
	sed "s/$escape\\[[0-9;]*[A-Za-z]//g" "$TMPDIR/terminal" >"$TMPDIR/seen"
	return "$terminal_status"
}

fits() { # fits COLUMNS WORD...: what tapgate says is there, and no wider
	fits_columns=$1
	shift
	on_terminal "$fits_columns" "'$TAPGATE' $*"
	[ -s "$TMPDIR/seen" ] && ! grep -E ".{$((fits_columns + 1))}" "$TMPDIR/seen"
}

coloured() { # coloured ENVIRONMENT WORD...: of tapgate, on a terminal
	coloured_environment=$1
	shift
	on_terminal 80 "env $coloured_environment '$TAPGATE' $*"
	grep -q "$escape" "$TMPDIR/terminal"
}
plain() { # the same without colour, and with something said
	! coloured "$@" && [ -s "$TMPDIR/seen" ]
}

# --- help -------------------------------------------------------------------------------------------------------------

for columns in 80 200; do
	check "help within $columns columns" fits "$columns" help
done
for command in $("$TAPGATE" help | awk '/^  / && $1 != "help" { print $1 }'); do
	check "help on $command within 80 columns" fits 80 help "$command"
	"$TAPGATE" help "$command" >"$TMPDIR/help"
	for word in --help -h; do
		check "$command $word is the same" sh -c "'$TAPGATE' $command $word | diff '$TMPDIR/help' -"
	done
done
check 'also behind other words' sh -c "'$TAPGATE' list --json lab --help | grep -q '^usage: tapgate list '"
for word in --version -V; do
	check "$word behind a command" sh -c "'$TAPGATE' status $word | grep -qx 'tapgate $(cat "$top/VERSION")'"
done
for word in --help -h --version -V; do
	check "tapgate-helper $word says what it is, which one, and what is for people" sh -c "'$HELPER' $word 2>&1 |
		grep -q '^tapgate-helper: version $(cat "$top/VERSION"), which hands over taps, .*there is: tapgate help\$'"
	check "tapgate-dhcp $word, too" sh -c "'${HELPER%-helper}-dhcp' $word | grep -q \
		'^tapgate-dhcp $(cat "$top/VERSION"), .* for people there is: tapgate help\$'"
done
check '... but not of the command behind run' sh -c "'$TAPGATE' run --net lab true --help 2>&1 | grep -qv '^usage'"
for word in --version -V version; do
	check "$word" sh -c "'$TAPGATE' $word | grep -qx 'tapgate $(cat "$top/VERSION")'"
done
for word in --help -h help; do
	check "$word" sh -c "'$TAPGATE' $word | grep -q '^usage: tapgate COMMAND'"
done

# --- what was meant ---------------------------------------------------------------------------------------------------

policy 'network lab internal' 'network lab-12 internal' 'network web internal' 'allow br0 user=alice'
meant() { # meant STATUS LINE WORD...
	meant_status=$1 meant_line=$2
	shift 2
	echo "tapgate: $meant_line" | says "$meant_status" "$@"
}
check 'a command' meant 2 "no command 'statsu' (did you mean 'status'?); see: tapgate help" statsu
check '... by its beginning' meant 2 "no command 'expl' (did you mean 'explain'?); see: tapgate help" expl
check '... nothing that is not near' meant 2 "no command 'frobnicate'; see: tapgate help" frobnicate
check '... in the words of other programs' meant 2 "no command 'restart' (did you mean 'up'?); see: tapgate help" restart
check '... as an option' meant 2 "no command '-version' (did you mean 'version'?); see: tapgate help" -version
check 'of help, too' meant 2 "no command 'lsit' (did you mean 'list'?); see: tapgate help" help lsit
check 'an option' meant 2 "'list' has no option '--josn' (did you mean '--json'?); see: tapgate help list" list --josn
for command in status up down; do
	check "a network of $command" meant 2 \
		"no network 'laab' in /etc/tapgate.conf (did you mean 'lab'?); see: tapgate networks" "$command" laab
done
check 'a network of list' meant 2 \
	"no network 'wep' has taps, or stands in /etc/tapgate.conf (did you mean 'web'?); see: tapgate networks" list wep
check 'another number is another network' meant 2 \
	"no network 'lab-21' in /etc/tapgate.conf; see: tapgate networks" status lab-21
check 'a long word' meant 2 "no command '$(printf '%0100d' 0 | cut -c 1-74)...'; see: tapgate help" "$(printf '%0100d' 0)"

# --- networks of rules alone ------------------------------------------------------------------------------------------

check 'a network that only a rule names' sh -c "'$TAPGATE' networks | grep -qx br0"
check '... as it stands, which is nothing wrong' says 0 status br0 <<'EOT'
br0              bridged     missing
  no such bridge; make it, as with: ip link add br0 type bridge && ip link set br0 up
EOT
check '... is a network to list' sh -c "'$TAPGATE' list br0 | grep -q '^TAP'"
check '... and not one to make' meant 2 \
	"network 'br0' has no line in /etc/tapgate.conf, so its bridge is not tapgate's to make" up br0

# --- many -------------------------------------------------------------------------------------------------------------

i=0
for name in a b c d e f g h i j k l m n o p q r s t; do
	i=$((i + 1))
	echo "network net$name internal"
	[ $((i % 2)) = 0 ] || echo "allow net$name user=alice"
	[ $((i % 2)) = 1 ] || echo "deny net$name user=alice"
done | policy
"$TAPGATE" up >/dev/null
on_terminal 200 "setpriv --reuid alice --regid alice --init-groups '$TAPGATE' explain"
check 'explain: twenty networks in a line each' [ "$(grep -c '^net[a-t]: ' "$TMPDIR/seen")/$(wc -l <"$TMPDIR/seen")" = 20/21 ]
check '... the allowed ones first' sh -c "head -n 10 '$TMPDIR/seen' | grep -c ': allowed, ' | grep -qx 10"
check '... and where there is more' grep -qx 'what is granted on one, and words for QEMU: tapgate explain neta' "$TMPDIR/seen"
check '... which is about one' sh -c "'$TAPGATE' explain --user alice neta | grep -q '^  qemu '"

for i in $(seq 30); do
	ip tuntap add dev "tg$i-0" mode tap
	ip link set "tg$i-0" alias "tapgate uid=$((1000 + i % 3)) net=neta vmm=1" master neta
done
ip tuntap add dev stranger mode tap
ip link set stranger master neta
on_terminal 80 "'$TAPGATE' status neta"
check 'status: thirty members in a line' grep -qx '  members 30 taps of 3 users; see: tapgate status --members neta' \
	"$TMPDIR/seen"
check '... a stranger is named' grep -qx "  member  stranger, not tapgate's" "$TMPDIR/seen"
check '... and nobody else' [ "$(grep -c '^  member ' "$TMPDIR/seen")" = 1 ]
check 'status --members names all' sh -c "'$TAPGATE' status --members neta | grep -c '^  member ' | grep -qx 31"
check '... others first, and taps by user and by name' [ "$("$TAPGATE" status --members neta |
	sed -n 's/^  member  \([^,]*\),.*/\1/p' | sed -n '1,3p;11,12p' | xargs)" = 'stranger tg3-0 tg6-0 tg30-0 tg1-0' ]
check 'JSON has all' sh -c "'$TAPGATE' status --json neta | grep -c '\"interface\": \"tg' | grep -qx 30"
on_terminal 80 "setpriv --reuid alice --regid alice --init-groups '$TAPGATE' status"
check 'what only root can see is told once' [ "$(grep -c 'only root can see' "$TMPDIR/seen")" = 1 ]
check '... and by root not at all' sh -c "! '$TAPGATE' status | grep 'only root'"

user_taps() { # user_taps WORD...: of list, the names of taps
	"$TAPGATE" list "$@" | awk 'NR > 1 { print $1 }'
}
check 'list --user: only those' [ "$(user_taps --user bob | wc -l)" = 10 ]
check '... as JSON' sh -c "'$TAPGATE' list --json --user '#1001' | grep -c '\"uid\": 1001' | grep -qx 10"
check '... of one that there is not' meant 2 "no user 'nobody-here'; one that is gone has a number: --user '#1000'" \
	list --user nobody-here
sorted() { # by user, and there by name as people count
	"$TAPGATE" list | awk 'NR > 1 { print $3, $1 }' >"$TMPDIR/came"
	sort -s -k 1,1 -k 2,2V "$TMPDIR/came" | diff "$TMPDIR/came" -
}
check 'list is in the order of users' sorted

# --- colour -----------------------------------------------------------------------------------------------------------

ip link set netb down
echo 'allow lab user' >"$TMPDIR/mistake"
mistake=$TMPDIR/mistake
for words in 'list' 'status' 'explain --user alice' "check $mistake" 'up --dry-run' 'statsu'; do
	check "$words: colour on a terminal" coloured A=b "$words"
	check '... not with NO_COLOR' plain NO_COLOR=1 "$words"
	check '... nor with TERM=dumb' plain TERM=dumb "$words"
	check '... nor in a pipe' plain A=b "$words 2>&1 | cat"
done
for words in 'list --json' 'status --json' 'explain --json --user alice' "check --json $mistake" networks help; do
	check "$words: no colour" plain A=b "$words"
done
finish
