#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate up` and `down`, with each of their system calls failed in turn, and killed, or told to end, before each that
# changes anything.
#
#	tests/cli/faults.sh new|drifted|moded|dhcp|redhcp|swapdhcp|down
#
# new: where nothing stands. drifted: where guards, addresses and the like are not what they were. moded: where the
# policy has other modes and addresses now. dhcp: where nothing stands, of a network with dnsmasq. redhcp: of one whose
# dnsmasq, addresses and bridge's settings are others than the policy has now. swapdhcp: of two, each with dnsmasq, that
# have exchanged their subnets in the policy. down: away with all.
#
# Of each network three things are looked at, by what the kernel says: its bridge (link, addresses, settings), its
# guard, its rules in a firewall of others (pass). After each run:
#
# - exit 0 only if all is as wanted; else a message, or the signal that it was told to end by; and what is not as wanted
#   is no secret: `status` fails
# - each guard is the one before or the one wanted, or has the rules of one of them without the seal
# - no bridge is up without rules, unless it was so before
# - the next run, undisturbed, makes all as wanted
#
# Of calls that only read, one in a few, and not all of the runs; with CLI_FAULTS=all each of them, with each error.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

scenario=$1
verb=up
[ "$scenario" != down ] || verb=down
command -v strace >/dev/null || {
	skip "faults.sh $*" 'no strace here'
	finish
	exit
}

# --- the scenarios: start brings the host to where the run begins -----------------------------------------------------

policy_of_all() {
	policy - <<-'EOT'
		network lab   host-only  172.16.2.1/24 fd00:2::1/64
		network quiet internal
		network web   nat        10.77.0.1/24 mtu=1400
		network tap1  standalone 172.16.3.1/24
	EOT
}

policy_of_modes() {
	policy - <<-'EOT'
		network lab   internal
		network quiet host-only  172.16.9.1/24
		network web   nat        10.78.0.1/24 mtu=1300
		network tap1  standalone 172.16.4.1/24
	EOT
}

start_new() {
	policy - <<-'EOT'
		network lab   host-only  172.16.2.1/24 fd00:2::1/64
		network quiet internal
		network tap1  standalone 172.16.3.1/24
	EOT
	"$TAPGATE" down
}

start_dhcp() {
	policy 'network lab host-only 172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.10-172.16.2.20'
	"$TAPGATE" down
}

start_redhcp() {
	policy 'network web host-only 172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.10-172.16.2.20'
	"$TAPGATE" up
	ip link set web addrgenmode eui64
	ip link set web type bridge forward_delay 700
	ip link set web type bridge stp_state 1
	set_sysctl ipv4/conf/web/forwarding 0
	set_sysctl ipv4/conf/uplink/forwarding 0
	policy 'network web nat 172.16.5.1/24 dhcp=172.16.5.10-172.16.5.20 mtu=1400'
}

start_swapdhcp() {
	policy 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.10-172.16.2.20' \
		'network web host-only 172.16.3.1/24 dhcp=172.16.3.10-172.16.3.20'
	"$TAPGATE" up
	policy 'network lab host-only 172.16.3.1/24 dhcp=172.16.3.10-172.16.3.20' \
		'network web host-only 172.16.2.1/24 dhcp=172.16.2.10-172.16.2.20'
}

start_drifted() {
	policy_of_all
	"$TAPGATE" up
	nft -f - <<-EOT
		flush table inet tapgate-lab
		delete table netdev tapgate-quiet
		insert rule inet tapgate-web forward accept
		flush chain ip filter FORWARD
	EOT
	ip addr del 172.16.2.1/24 dev lab
	ip link set quiet address 52:54:00:00:00:01
	ip link set web mtu 1450
	set_sysctl ipv4/conf/web/forwarding 0
}

start_moded() {
	policy_of_all
	"$TAPGATE" up
	policy_of_modes
}

start_down() {
	policy_of_all
	"$TAPGATE" up
}

start() {
	"start_$scenario" >"$TMPDIR/start" 2>&1
}

scrub() { # away with all that a failed test has left
	for scrubbed in lab quiet web; do
		ip link del "$scrubbed"
	done
	# shellcheck disable=SC2046 # words
	kill -KILL $(pgrep -x tapgate-dhcp) $(dnsmasqs | cut -d ' ' -f 1)
	nft 'flush ruleset; add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
}

# --- what stands, a line each: NETWORK:PART what ----------------------------------------------------------------------

snap() {
	{
		ip -d -o link
		ip -o addr show scope global
		grep -s . /proc/sys/net/ipv4/conf/*/forwarding
		nft -t list ruleset
		case $scenario in *dhcp) dnsmasqs ;; esac
	} | sed -E 's/ [a-z_]*_timer +[0-9.]+//g; s/NO-CARRIER,//; s/,LOWER_UP//; s/ state [A-Z]+//; s/ tso_max_size [0-9]+//
		s/(bridge_id|designated_root) [^ ]*//g; s/02:74:67(:..){3}/02:74:67:MAC/g' | awk '
		function say(network, part, what) { print network ":" part " " what }
		/^[0-9]+: [^ ]+: </ {
			name = substr($2, 1, length($2) - 1)
			sub(/^[0-9]+: /, "")
			if (/alias tapgate/ || name ~ /^(lab|quiet|web|tap1)$/) say(name, "bridge", $0)
		}
		/^[0-9]+: [^ ]+ +inet/ { sub(/^[0-9]+: /, ""); say($1, "bridge", $2 " " $3 " " $4 " " $5) }
		/^\/proc.*forwarding:/ {
			split($0, field, "/")
			if (field[7] ~ /^(lab|quiet|web|uplink)$/) say(field[7] == "uplink" ? "web" : field[7], "bridge", $0)
		}
		/^table / { table = $3; network = ""; if (sub(/^tapgate-/, "", table)) network = table }
		/chain seal\// { sub(/\/[0-9a-f]+ \{/, "/K {") }
		/comment "tapgate: [a-z0-9]+, / { match($0, /tapgate: [a-z0-9]+,/); say(substr($0, RSTART + 9, RLENGTH - 10), "pass", $0) }
		network != "" && !/^[0-9]+: / { say(network, "guard", $0); if (/^}/) network = "" }
		/--pid-file=/ { sub(/^[0-9]+ [0-9]+/, ""); gsub(/bridge-[0-9]+/, ""); match($0, /tapgate\/[a-z0-9]+\.pid/)
			say(substr($0, RSTART + 8, RLENGTH - 12), "dnsmasq", $0) }' | sort -s -k 1,1
}

# judge HOW STATUS WHAT: standard output is what is wrong
judge() {
	snap >"$TMPDIR/after"
	case $3 in
	"sendto($library,"* | "recvmsg($library,"*) ends=yes ;;
	*) ends=no ;;
	esac
	if [ "$1" = signal=KILL ] && [ "$2" = 137 ]; then
		judge_networks
	elif [ "$2" = 0 ]; then
		diff "$TMPDIR/wanted" "$TMPDIR/after"
	elif [ "$ends" = yes ] && { [ "$2" -gt 128 ] || grep -q -e 'kernel ABI is broken' -e '^mnl.c:' "$TMPDIR/error"; }; then
		judge_networks # libnftables itself ended the program on the spot, as it does when it has no memory
	elif grep -q '^mnl.c:.*initialize Netlink socket' "$TMPDIR/error"; then
		judge_networks # the same, before anything was done
	else
		[ "$2" -le 4 ] || [ "$1/$2" = signal=TERM/143 ] || echo "status $2"
		[ "$2" = 143 ] || [ -s "$TMPDIR/error" ] || echo "status $2 without a message"
		grep -v -e '^tapgate: ' -e '^Terminated$' "$TMPDIR/error" | sed 's/^/strange message: /'
		judge_networks
	fi
}

judge_networks() {
	if [ "$verb" = up ] && ! cmp -s "$TMPDIR/wanted" "$TMPDIR/after" && "$TAPGATE" status >"$TMPDIR/status" 2>&1; then
		echo 'status says that all is up'
	fi
	awk '
		function is(when, part) { return text["after", part] == text[when, part] }
		function up(when, name) { return text[when, name ":bridge"] ~ /[<,]UP[,>]/ }
		function ruled(when, name) { return text[when, name ":guard"] ~ /drop/ }
		# Without its seal the helper takes it for none.
		function unsealed(guard) { sub(/\n\n\tchain seal[^\n]*\n\t}/, "", guard); return guard }
		function fair(name) {
			return is("before", name ":guard") || is("wanted", name ":guard") ||
				unsealed(text["after", name ":guard"]) == unsealed(text["wanted", name ":guard"])
		}
		function look(name) {
			if (up("after", name) && !ruled("after", name) && !(up("before", name) && !ruled("before", name)))
				print name " is up without guard"
			if (!fair(name))
				print name ":guard is neither as before nor as wanted"
		}
		{
			when = FILENAME
			sub(/.*\//, "", when)
			split($1, name, ":")
			names[name[1]] = 1
			text[when, $1] = text[when, $1] substr($0, length($1) + 2) "\n"
		}
		END {
			for (one in names)
				look(one)
		}' "$TMPDIR/before" "$TMPDIR/wanted" "$TMPDIR/after"
}

# The next run makes all as it is wanted.
mended() {
	"$TAPGATE" "$verb" >"$TMPDIR/mended" 2>&1 || {
		echo "the next '$verb' fails:"
		cat "$TMPDIR/mended"
	}
	snap >"$TMPDIR/after"
	diff "$TMPDIR/wanted" "$TMPDIR/after" | sed 's/^/after the next run: /'
}

# tamper CALL HOW WHEN WHAT: one run
tamper() {
	start
	: >"$TMPDIR/trace"
	strace -q -o "$TMPDIR/trace" -e "trace=$1" -e "inject=$1:$2:when=$3" "$TAPGATE" "$verb" \
		>"$TMPDIR/said" 2>"$TMPDIR/error" </dev/null
	tamper_status=$?
	{
		# A call that was made again gives others other numbers.
		grep -q -e '(INJECTED)' -e 'killed by SIG' "$TMPDIR/trace" || echo "$1 $3" >>"$TMPDIR/unreached"
		judge "$2" "$tamper_status" "$4"
		mended
	} >"$TMPDIR/wrong"
	if [ -s "$TMPDIR/wrong" ]; then
		failed=$((failed + 1))
		printf 'not ok - %s: %s, %s, call %s: status %s\n' "$scenario" "$1" "$2" "$3" "$tamper_status"
		{
			echo "$4" | cut -c 1-200
			cat "$TMPDIR/wrong"
			cat "$TMPDIR/said" "$TMPDIR/error"
		} | head -n 40 | sed 's/^/#    /'
		scrub >/dev/null 2>&1
	else
		passed=$((passed + 1))
	fi
}

# --- from a record to a list of runs ----------------------------------------------------------------------------------

# A line each: CALL HOW WHEN WHAT
list() {
	awk -v all="${CLI_FAULTS-}" '
	BEGIN {
		errors["openat"] = "EMFILE ENOENT EACCES"; errors["read"] = "EIO"; errors["socket"] = "EMFILE EPROTONOSUPPORT"
		errors["bind"] = "ENOMEM"; errors["getsockname"] = "ENOBUFS"; errors["setsockopt"] = "ENOMEM"
		errors["sendmsg"] = "ENOBUFS EPERM"; errors["sendto"] = "ENOBUFS"; errors["recvmsg"] = "ENOMEM ENOBUFS"
		errors["mkdir"] = "EACCES"; errors["flock"] = "ENOLCK"; errors["write"] = "ENOSPC"; errors["fcntl"] = "EINVAL"
		errors["pselect6"] = "ENOMEM"; errors["poll"] = "ENOMEM"; errors["getrandom"] = "ENOSYS"
		errors["fork"] = errors["vfork"] = errors["clone"] = errors["clone3"] = "EAGAIN"; errors["pipe2"] = "EMFILE"
		errors["wait4"] = "ECHILD"; errors["pidfd_open"] = "EMFILE"; errors["pidfd_send_signal"] = "EPERM"
		errors["unlinkat"] = "EACCES"; errors["getdents64"] = "EIO"; errors["newfstatat"] = "EIO"; errors["access"] = "EACCES"
		errors["readlink"] = errors["renameat"] = "EACCES"; errors["rt_sigprocmask"] = "EINVAL"; errors["rt_sigpending"] = "EFAULT"
	}
	# While somebody else holds its lock, the kernel has calls made again; a run that is not disturbed has each once.
	!/^[a-z0-9_]+\(/ || /ERESTART/ { next }
	{
		name = $0
		sub(/\(.*/, "", name)
		count[name]++
		if (name == "umask" || /tapgate.conf/)
			begun = 1
		# What is said changes nothing; that it cannot be said, once.
		if (!begun || (/^write\(1,/ && said++))
			next
		reads = /^(recvmsg|sendto|read|newfstatat|openat|readlink|getdents64)\(/ || /^(sendmsg).*(RTM_GET|NFT_MSG_GET)/
		if (!reads && /^(sendmsg|write|mkdir|v?fork|clone3?|unlinkat|renameat|pidfd_send_signal|wait4|exit_group)\(/)
			print name, "signal=KILL", count[name], $0
		if (!reads && /^(sendmsg|write|clone3?|renameat|pidfd_send_signal)\(/ && changes++ % 4 == 0)
			print name, "signal=TERM", count[name], $0
		if (!(name in errors))
			next
		n = split(errors[name], error, " ")
		if (all == "all")
			for (i = 1; i <= n; i++)
				print name, "error=" error[i], count[name], $0
		else if (!reads || seen[name]++ % 10 == 0)
			print name, "error=" error[taken[name]++ % n + 1], count[name], $0
	}' "$1"
}

ip link add uplink type veth peer name far
ip link set uplink addrgenmode none
ip link set far addrgenmode none
ip addr add 192.0.2.1/24 dev uplink
ip link set uplink up
ip link set far up
ip route add default via 192.0.2.254
scrub >/dev/null 2>&1
: >"$TMPDIR/unreached"
start
snap >"$TMPDIR/before"
strace -q -o "$TMPDIR/record" "$TAPGATE" "$verb" >"$TMPDIR/said" 2>&1 || {
	cat "$TMPDIR/said"
	exit 1
}
snap >"$TMPDIR/wanted"
# One run in a few, fewer of scenarios that share most with others.
case $scenario/${CLI_FAULTS-} in
*/all) one_in=1 ;;
new/ | down/) one_in=2 ;;
moded/ | redhcp/) one_in=3 ;;
*) one_in=4 ;;
esac
list "$TMPDIR/record" | awk -v "one_in=$one_in" 'NR % one_in == 0' >"$TMPDIR/runs"
check "$scenario: dozens of ways to fail" [ "$(wc -l <"$TMPDIR/runs")" -gt 50 ]
check "$scenario: before and after differ" refuses cmp "$TMPDIR/before" "$TMPDIR/wanted"
# What libnftables talks to the kernel by: nobody else uses sendto.
library=$(sed -n 's/^sendto(\([0-9]*\),.*/\1/p' "$TMPDIR/record" | head -n 1)
start
snap >"$TMPDIR/after"
check "$scenario: starts the same each time" diff "$TMPDIR/before" "$TMPDIR/after"
while read -r call how when what; do
	tamper "$call" "$how" "$when" "$what"
done <"$TMPDIR/runs"
# The order of some calls depends on time: what a probe waits for, who ends first.
check "$scenario: hardly a call that was not reached" \
	[ "$(($(wc -l <"$TMPDIR/unreached") * 10))" -le "$(wc -l <"$TMPDIR/runs")" ]
finish
