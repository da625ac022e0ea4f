# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For repair.sh, repair_guards.sh, repair_members.sh and repair_modes.sh, to be sourced after lib.sh: networks that are up, and what must hold when something
# of them drifted. They are made by networks_up, before which a script may do to the host what it likes.

# as_before: all is as it was made; numbers that the kernel gives aside
as_before() {
	soon_alike "$TMPDIR/made"
}

# drift TEXT STATES COMMAND: after the command, status finds these states; up says what is in standard input; then all
# is as it was, and a second up finds nothing to do. $dry is the script's: changes_nothing, or says, which does not look
# whether --dry-run left all as it was
drift() {
	cat >"$TMPDIR/lines"
	check "$1" eval "$3"
	check "$1: status says so" finds "$2"
	would <"$TMPDIR/lines" >"$TMPDIR/would"
	check "$1: up --dry-run says what it would do" "$dry" 6 up --dry-run <"$TMPDIR/would"
	check "$1: up puts it right" says 0 up <"$TMPDIR/lines"
	check "$1: all is as it was" as_before
	check "$1: nothing more to do" says_nothing_changed
}

tap_of() { # tap_of GUEST
	cat "$TMPDIR/tap.$1"
}

# beyond TEXT STATES COMMAND UNDO: status finds these states; up, which cannot put it right, says what is in standard
# input, and fails; after UNDO all is well
beyond() {
	cat >"$TMPDIR/lines"
	check "$1" eval "$3"
	check "$1: status says so" finds "$2"
	check "$1: up says what to do" says 1 up <"$TMPDIR/lines"
	check "$1: and taken away" eval "$4"
	check "$1: all is well" says_nothing_changed
	check "$1: status is content" "$TAPGATE" status
}

# settled TEXT STATES COMMAND: status finds these states; up says what is in standard input, and all is well
settled() {
	cat >"$TMPDIR/lines"
	check "$1" eval "$3"
	check "$1: status says so" finds "$2"
	would <"$TMPDIR/lines" >"$TMPDIR/would"
	check "$1: up --dry-run says what it would do" says 6 up --dry-run <"$TMPDIR/would"
	check "$1: up puts it right" says 0 up <"$TMPDIR/lines"
	check "$1: nothing more to do" says_nothing_changed
	check "$1: status is content" "$TAPGATE" status
}

# Since Linux 6.16 a chain for a device stays when that goes, and counts again when one of its name comes.
keeps_hooks=false
ip link add gone type bridge
nft 'add table netdev gone; add chain netdev gone in { type filter hook ingress device "gone" priority 0; }'
ip link del gone
! nft list table netdev gone | grep -q hook || keeps_hooks=true
nft delete table netdev gone

networks_up() { # the networks, beside a way out that the host has; how all then is, for as_before
	policy - <<-'EOT'
		allow all user=alice
		network lab   host-only  172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100 mtu=1400
		network quiet internal
		network web   nat        10.77.0.1/24 fd00:77::1/64
		network tap1  standalone 172.16.3.1/24
	EOT
	ip link add uplink type veth peer name far
	ip link set uplink addrgenmode none
	ip link set far addrgenmode none
	ip addr add 192.0.2.1/24 dev uplink
	ip link set uplink up
	ip link set far up
	ip route add default via 192.0.2.254
	check 'up makes the networks' "$TAPGATE" up
	wait_for 5 grep -q . /proc/net/if_inet6
	alike_now "$TMPDIR/made"
}
