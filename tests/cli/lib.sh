# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What every part of the tests of `tapgate` needs, to be sourced first, in a world of the part's own (tests/cli/cli).

passed=0
failed=0
export LC_ALL=C

# An identity, so that bridges have the same hardware addresses each time.
echo 0123456789abcdef0123456789abcdef >/etc/machine-id

# check TEXT COMMAND [ARGUMENT...]: a test that passes if the command succeeds; else its output is shown
check() {
	check_text=$1
	shift
	if "$@" >"$TMPDIR/check" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $check_text"
	else
		failed=$((failed + 1))
		echo "not ok - $check_text"
		sed 's/^/# /' "$TMPDIR/check"
	fi
}

# skip TEXT WHY: what cannot be tested here; a failure where CI=true
skip() {
	if [ "${CI-}" = true ]; then
		failed=$((failed + 1))
		echo "not ok - $1: $2"
	else
		echo "ok - $1 # skip $2"
	fi
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}

# refuses COMMAND...: it fails
refuses() {
	! "$@"
}

# shellcheck source-path=SCRIPTDIR source=../common/wait.sh
. "$top/tests/common/wait.sh"

# policy -|LINE...: the whole of it; - is standard input
policy() {
	if [ "${1--}" = - ]; then
		cat
	else
		printf '%s\n' "$@"
	fi >/etc/tapgate.conf.new
	mv /etc/tapgate.conf.new /etc/tapgate.conf
}

# --- what tapgate says ------------------------------------------------------------------------------------------------

# says STATUS WORD...: tapgate with these words exits so, and its output, both streams, is exactly standard input
says() {
	says_status=$1
	shift
	cat >"$TMPDIR/says.expected"
	"$TAPGATE" "$@" >"$TMPDIR/says" 2>&1 </dev/null
	says_came=$?
	[ "$says_came" = "$says_status" ] || echo "tapgate $*: status $says_came, expected $says_status"
	diff "$TMPDIR/says.expected" "$TMPDIR/says" && [ "$says_came" = "$says_status" ]
}

says_nothing_changed() { # says_nothing_changed [WORD...]: what `up`, or the words, finds to do
	[ $# -gt 0 ] || set -- up
	echo 'nothing changed' | says 0 "$@"
}

# would: what `up` or `down` says that it did, in standard input, as --dry-run says it
would() {
	sed -E 's/^([^:]*): (made|put|brought|took|set|switched|stopped|(add|open|start|restart|repair|remov|isolat)ed) /\1: would \2 /
		s/: would made /: would make /; s/: would brought /: would bring /; s/: would took /: would take /
		s/: would switched /: would switch /; s/: would stopped /: would stop /
		s/: would (add|open|start|restart|repair)ed /: would \1 /; s/: would (remov|isolat)ed /: would \1e /'
}

as_alice() { # as_alice COMMAND...: without groups of hers but the first
	setpriv --reuid alice --regid alice --clear-groups "$@"
}

# states: what status says of networks that are not up, a line each: name, state, what differs
states() {
	"$TAPGATE" status | awk '
		/^[^ ]/ { if (line) print line; line = ""; if ($3 != "up") line = $1 " " $3 }
		/^  not as wanted: / { sub(/^  not as wanted: /, ""); sub(/; run .*/, ""); line = line " " $0 }
		END { if (line) print line }'
}

# finds STATES: status exits with 1, and says that of these networks and of no other
finds() {
	states | tee "$TMPDIR/states"
	[ "$(cat "$TMPDIR/states")" = "$1" ] && refuses "$TAPGATE" status >/dev/null
}

# --- the kernel's side ------------------------------------------------------------------------------------------------

# Everything that tapgate could change, less what changes by itself.
look() {
	echo '== links'
	# The carrier, and what depends on it, comes and goes late.
	carrier='s/NO-CARRIER,//; s/,LOWER_UP//; s/ state [A-Z]+//; s/ linkdown//; s/ tentative//; s/ expires [0-9]+sec//'
	ip -d link | sed -E "$carrier; s/ (hello|tcn|topology_change|gc)_timer +[0-9.]+//g"
	echo '== addresses'
	ip addr | sed -E "$carrier"
	ip route show table all | sed -E "$carrier"
	ip -6 route show table all | sed -E "$carrier"
	ip rule
	ip -6 rule
	echo '== rules'
	nft -a -t list ruleset | sed -E 's/packets [0-9]+ bytes [0-9]+/packets N bytes N/'
	echo '== settings'
	grep -rs . /proc/sys/net/ipv4 /proc/sys/net/ipv6 /proc/sys/net/bridge |
		grep -v -e /stable_secret: -e /flush: -e /tcp_fastopen_key: | sort
	echo '== processes'
	dnsmasqs
	echo '== files'
	# The lock's time is that of the last `up`.
	find /run /etc /var/lib/misc /var/lib/dnsmasq -xdev ! -path "$TMPDIR*" ! -path '/run/netns*' ! -path /run/tapgate/lock \
		-printf '%p %y %m %U:%G %s %T@ %l\n' 2>/dev/null | sort
}

# The same, without what is another number, or in another place, whenever something was made again.
look_alike() {
	look | sed -E 's/^[0-9]+: //; s/ # handle [0-9]+//; s|(chain seal/[^/]*/[0-9a-f]{16})/[0-9a-f]{16}|\1/K|
		s/ [0-9]+\.[0-9]{10} //; s/^[0-9]+ [0-9]+ (\/.*dnsmasq)/\1/; s/bridge-[0-9]+/bridge-N/
		s/(bridge_id|designated_root) [0-9a-f.:]+//g
		s/^(\/run\/tapgate\/[^ ]*\.(pid|keeper) .*) [0-9]+$/\1/' |
		grep -v -e '/run/tapgate.* d ' -e '^/run/tapgate/[^ ]*.leases' -e '^multicast ff00::/8' -e '^anycast ' | awk '
		/^== / { part = $2 }
		part == "rules" && /^table/ { place = $0; chain = ""; number = 0 }
		part == "rules" && /^\tchain/ { chain = $0; number = 0 }
		part == "links" && /^[^ ]/ { place = $1 }
		part != "rules" && part != "links" { place = "" }
		{
			# Which of our rules in somebody else'"'"'s chain is the first does not matter.
			if (part == "rules" && !/comment "tapgate: [^ ]*,/)
				number++
			print part, place, part == "rules" ? chain " " number : "", $0
		}' | sort
}

# The kernel adds the local routes of IPv6 addresses when it has time: so these two wait until nothing comes any more.

# alike_now FILE: what look_alike says, once it says the same twice
alike_now() {
	look_alike >"$1"
	wait_for 10 still_alike "$1"
}
still_alike() { # still_alike FILE: it says what stands there; else that is there afterwards
	mv "$1" "$1.before"
	look_alike >"$1"
	cmp "$1.before" "$1"
}

# soon_alike FILE: look_alike says what stands there, within some seconds
soon_alike() {
	wait_for 5 looks_like "$1" || diff "$1" "$TMPDIR/now"
}
looks_like() { # looks_like FILE: it says what stands there
	look_alike >"$TMPDIR/now"
	cmp "$1" "$TMPDIR/now"
}

# Every dnsmasq: its number, when it began, its words. Not the child of each that calls tapgate-dhcp.
dnsmasqs() {
	find /proc/[0-9]*/exe -prune -lname '*/dnsmasq*' 2>/dev/null | while read -r process; do
		process=${process%/exe}
		case $(readlink "/proc/$(sed 's/.*) //' "$process/stat" | cut -d ' ' -f 2)/exe") in
		*/dnsmasq*) continue ;;
		esac
		echo "${process#/proc/} $(sed 's/.*) //' "$process/stat" | cut -d ' ' -f 20) $(tr '\0' ' ' <"$process/cmdline")"
	done
}

pid_of() { # pid_of NETWORK: of its dnsmasq, by the kernel, not by its file
	dnsmasqs | sed -n "s|^\([0-9]*\) .*--pid-file=/run/tapgate/$1\.pid .*|\1|p"
}

keeper_of() { # keeper_of NETWORK: what keeps its dnsmasq running
	sed 's/.*) //' "/proc/$(pid_of "$1")/stat" | cut -d ' ' -f 2
}

serves_nothing() { # serves_nothing NETWORK: it has no dnsmasq
	[ -z "$(pid_of "$1")" ]
}

remember() { # how things stand now
	look >"$TMPDIR/remembered"
}

same() { # nothing is other than remembered
	look >"$TMPDIR/now"
	diff "$TMPDIR/remembered" "$TMPDIR/now"
}

# changes_nothing STATUS WORD...: says, and nothing is other than before
changes_nothing() {
	remember
	says "$@" && same
}

is_up() { # is_up INTERFACE: as the administrator set it, with a carrier or not
	ip -o link show dev "$1" | grep -q '[<,]UP[,>]'
}

mac_of() {
	cat "/sys/class/net/$1/address"
}

set_sysctl() { # set_sysctl PATH VALUE, below /proc/sys/net
	echo "$2" >"/proc/sys/net/$1"
}

sysctl_is() { # sysctl_is PATH VALUE
	read -r sysctl_value <"/proc/sys/net/$1"
	[ "$sysctl_value" = "$2" ] || {
		echo "$1 is $sysctl_value, expected $2"
		return 1
	}
}

# --- guests -----------------------------------------------------------------------------------------------------------

busybox=$("$top/tests/guest/busybox" 2>/dev/null || echo busybox)
rogue=$top/build/tests/guest/rogue
speak=$top/build/tests/cli/speak

in_netns() { # in_netns NAMESPACE COMMAND...
	in_name=$1
	shift
	nsenter "--net=/run/netns/$in_name" "$@"
}

# guest NAME NETWORK [ADDRESS/LENGTH...]: a namespace with one card, which alice has by the helper's leave; the name of
# the tap is in $TMPDIR/tap.NAME, and the process's number in $TMPDIR/plug.NAME
guest() {
	guest_name=$1 guest_network=$2
	shift 2
	[ -e "/run/netns/$guest_name" ] || ip netns add "$guest_name"
	in_netns "$guest_name" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
		echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad'
	rm -f "$TMPDIR/tap.$guest_name" "$TMPDIR/refused.$guest_name"
	"${guest_program-$top/build/tests/cli/plug}" alice "$guest_name" eth0 "$HELPER" "--br=$guest_network" '--fd={fd}' \
		>"$TMPDIR/tap.$guest_name" 2>"$TMPDIR/refused.$guest_name" &
	echo $! >"$TMPDIR/plug.$guest_name"
	wait_for 10 eval "[ -s $TMPDIR/tap.$guest_name ] || [ -s $TMPDIR/refused.$guest_name ]"
	[ -s "$TMPDIR/tap.$guest_name" ] || {
		cat "$TMPDIR/refused.$guest_name"
		return 1
	}
	for guest_address in "$@"; do
		case $guest_address in
		*:*) ip -n "$guest_name" addr add "$guest_address" dev eth0 nodad ;;
		*) ip -n "$guest_name" addr add "$guest_address" dev eth0 ;;
		esac
	done
	ip -n "$guest_name" link set lo up
	ip -n "$guest_name" link set eth0 up
}

unplug() { # unplug NAME: its end
	read -r unplug_pid <"$TMPDIR/plug.$1"
	read -r unplug_tap <"$TMPDIR/tap.$1"
	kill -KILL "$unplug_pid"
	wait_for 5 refuses test -e "/sys/class/net/$unplug_tap"
	ip netns del "$1"
}

in_the_manual() { # in_the_manual COMMANDS <JSON: tapgate-json(7) has each member, under one of these, as in 'list|ip'
	awk -v of="^[.]Ss ($1) --json\$" '/^[.]S[sh]/ { on = $0 ~ of } on' "$top/man/tapgate-json.7" >"$TMPDIR/manual"
	grep -oE '"[a-z_]+":' | tr -d '":' | sort -u >"$TMPDIR/members"
	[ "$(wc -l <"$TMPDIR/members")" -gt 4 ] || return 1
	while read -r member; do
		grep -qE "^\.(It )?Li (.* , )?$member( |\$)" "$TMPDIR/manual" || {
			echo "tapgate-json(7) does not know '$member' of $1"
			return 1
		}
	done <"$TMPDIR/members"
}
