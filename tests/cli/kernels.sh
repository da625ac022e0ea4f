#!/bin/sh
# SPDX-License-Identifier: MIT
# What a kernel, a unit or a host lacks, and `tapgate` says so: programs on interfaces, netlink, dnsmasq.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

"${CC:-cc}" -shared -fPIC -o "$TMPDIR/lack.so" "$top/tests/cli/preload/lack.c" || exit 1
# lacking WHAT COMMAND...: what it writes to standard error is in $TMPDIR/error
lacking() {
	lacking_what=$1
	shift
	LACK=$lacking_what LD_PRELOAD=$TMPDIR/lack.so "$@" >"$TMPDIR/output" 2>"$TMPDIR/error"
}
tells() { # tells WHAT STATUS LINE COMMAND...: it exits so, and that line is all there is on standard error
	tells_status=$2 tells_line=$3 tells_what=$1
	shift 3
	lacking "$tells_what" "$@"
	tells_came=$?
	echo "$tells_line" | diff - "$TMPDIR/error" && [ "$tells_came" = "$tells_status" ]
}

mknod -m 666 /dev/vhost-net c 10 238
ip link add br0 address 02:00:00:00:00:01 type bridge
ip link set br0 up
policy 'allow br0 user=alice'
check 'nothing is lacking' lacking nothing "$TAPGATE" check --live --strict
check '... and nothing said' [ ! -s "$TMPDIR/error" ]
for kind in clsact bpf; do
	check "a kernel without $kind" tells "$kind" 1 'tapgate: this kernel cannot keep taps and the host apart, so nobody gets a tap on a bridge; take one that has CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF, or run: modprobe -a sch_ingress cls_bpf' \
		"$TAPGATE" check --live
done
check '... is no matter of the policy' lacking clsact "$TAPGATE" check --strict

no_netlink="cannot open a netlink socket (a unit's RestrictAddressFamilies= has to have AF_NETLINK): Address family not supported by protocol"
for words in 'status' 'list' 'ip br0' 'explain' 'check'; do
	# shellcheck disable=SC2086 # words
	check "$words without netlink" tells netlink 1 "tapgate: $no_netlink" "$TAPGATE" $words
done

# --- dnsmasq ----------------------------------------------------------------------------------------------------------

policy 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.2-172.16.2.100' 'allow lab user=alice'
hide() { # what is bound over it cannot be run
	for hide_program in /usr/sbin/dnsmasq /usr/bin/dnsmasq /usr/local/sbin/dnsmasq; do
		[ ! -e "$hide_program" ] || mount --bind /dev/null "$hide_program"
	done
}
missing="tapgate: lab: warning: it has dhcp= or ra, and there is no dnsmasq in /usr/sbin, /usr/bin or /usr/local/sbin, so that guests get no addresses; install the package 'dnsmasq-base' (Debian, Ubuntu) or 'dnsmasq', and run: tapgate up"
says_missing() {
	"$TAPGATE" check --live 2>&1 | grep -qxF "$missing"
}
check 'dnsmasq is there' refuses says_missing
hide
check 'no dnsmasq, and dhcp=' says_missing
check '... JSON names the check' sh -c "'$TAPGATE' check --live --json | grep -q '\"check\": \"dnsmasq\"'"
policy 'network lab host-only 172.16.2.1/24' 'allow lab user=alice'
check '... without dhcp= it is no matter' refuses says_missing
finish
