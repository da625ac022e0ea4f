# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154 # top and others are those of the script that reads this one
# What tests of others' firewalls share, to be sourced first: two networks with guests and a way out, and whether
# `check --live` names what is in the way, and a line that helps.
#
#	guest g1, g2 -- lab (host-only, dhcp)      the host      uplink -- 192.0.2.254, the way out
#	guest n1     -- web (nat)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

ip netns add lan
ip link add uplink type veth peer name to-host netns lan
ip addr add 192.0.2.1/24 dev uplink
ip addr add 2001:db8:1::1/64 dev uplink nodad
ip link set uplink up
ip -n lan addr add 192.0.2.254/24 dev to-host
ip -n lan addr add 193.0.14.129/32 dev to-host
ip -n lan addr add 2001:db8:1::fe/64 dev to-host nodad
ip -n lan link set to-host up
ip route add default via 192.0.2.254
ip -6 route add default via 2001:db8:1::fe
mknod -m 666 /dev/vhost-net c 10 238
for of in iptables ip6tables; do
	[ ! -e "/proc/sys/net/bridge/bridge-nf-call-$of" ] || set_sysctl "bridge/bridge-nf-call-$of" 0
done
policy 'network lab host-only 172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.10-172.16.2.20' \
	'network web nat 10.77.0.1/24 fd00:77::1/64' 'allow lab user=alice' 'allow web user=alice'
"$TAPGATE" up >/dev/null
check 'guests' eval 'guest g1 lab 172.16.2.2/24 fd00:2::2/64 && guest g2 lab 172.16.2.3/24 fd00:2::3/64 &&
	guest n1 web 10.77.0.2/24 fd00:77::2/64'
ip -n n1 route add default via 10.77.0.1

reaches() { # reaches NAMESPACE ADDRESS
	in_netns "$1" "$busybox" ping -c 1 -W 1 "$2"
}
served() {
	in_netns g1 timeout 5 "$busybox" udhcpc -i eth0 -n -q -f -t 3 -T 1 -s /bin/true
}

# check --live says of the networks what is in $TMPDIR/lines, and no more; and what it says to run
live() {
	"$TAPGATE" check --live 2>&1 | grep '^tapgate: .*warning: ' >"$TMPDIR/live"
	diff "$TMPDIR/lines" "$TMPDIR/live"
}
cure() {
	sed -n 's/.*; .*run[^:]*: //p' "$TMPDIR/live" >"$TMPDIR/cures"
	[ -s "$TMPDIR/cures" ] && sh -ex "$TMPDIR/cures"
}
clean() { # nothing is in the way, and nothing of the probe's is left
	"$TAPGATE" check --live --strict && ! nft list tables | grep probe && ! ip link | grep -w 'tg[0-9]\{12\}'
}

# stops TEXT RULES WORKS: with these rules check says what is in standard input, the words of WORKS fail, and what check
# tells to run helps
stops() {
	cat >"$TMPDIR/lines"
	nft -f - <<-EOT || check "$1: the rules" false
		$2
	EOT
	check "$1: check --live names it" live
	check "$1: it is so" refuses eval "$3"
	check "$1: what it says to run" cure
	check "$1: helps" clean
	check "$1: and it is so" eval "$3"
	nft -f - <<-'EOT'
		delete table inet mine
	EOT
}
