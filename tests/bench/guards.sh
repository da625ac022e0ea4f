# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # set by who sources it
# A host for each mode, to be sourced by tests/bench/packets: a network namespace where `tapgate up` made that mode's
# network, and one for each guest and for the Internet. Guests are at the end of a veth pair: QEMU is not in the way.
#
#	 MODE.a     MODE.b              MODE.far
#	+------+   +------+   MODE.host +-------+
#	| .11  |   | .12  |  +--------+ |       |
#	+--+---+   +--+---+  |  .1    | +---+---+
#	   +----------+------+ net0   +-----+   203.0.113.0/24
#	                     +--------+
#
# "none" has the same bridge, made by hand, and no nftables at all; so has "none-tap", which is no bridge, as standalone
# networks are none. What the helper puts on a tap itself is not in it: these are no taps. "lock-ip" is shared with that.

in_mode() { # in_mode MODE PLACE COMMAND...
	in_mode=$1 in_place=$2
	shift 2
	ip netns exec "$in_mode.$in_place" "$@"
}

guards_host() { # guards_host MODE: its namespaces, all that is not the network
	for place in host a b far; do
		ip netns add "$1.$place"
		ip -n "$1.$place" link set lo up
	done
	in_mode "$1" host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	ip -n "$1.host" link add far0 type veth peer name eth0 netns "$1.far"
	ip -n "$1.host" addr add 203.0.113.2/24 dev far0
	ip -n "$1.host" link set far0 up
	ip -n "$1.far" addr add 203.0.113.1/24 dev eth0
	ip -n "$1.far" link set eth0 up
	ip -n "$1.far" route add default via 203.0.113.2
}

guards_guest() { # guards_guest MODE PLACE PORT ADDRESS: PORT is the host's end of the pair
	ip -n "$1.host" link add "$3" type veth peer name eth0 netns "$1.$2"
	ip -n "$1.$2" addr add "$4/24" dev eth0
	ip -n "$1.$2" link set eth0 up
	ip -n "$1.$2" route add default via 10.66.0.1 2>/dev/null || : # an internal network has no host, and no way on
	ip -n "$1.host" link set "$3" up
}

guards_network() { # guards_network MODE
	case $1 in
	none)
		ip -n none.host link add net0 type bridge forward_delay 0
		ip -n none.host addr add 10.66.0.1/24 dev net0
		ip -n none.host link set net0 up
		return
		;;
	none-tap) return ;;
	internal) echo 'network net0 internal' ;;
	lock-ip) echo 'network net0 shared 10.66.0.1/24 dhcp=10.66.0.11-10.66.0.12 lock-ip' ;;
	*) echo "network net0 $1 10.66.0.1/24" ;;
	esac >/etc/tapgate.conf
	in_mode "$1" host "$TAPGATE" up >"$TMPDIR/up" 2>&1 || die "$(cat "$TMPDIR/up")"
}

# In the group that the rules of lock-ip are for, as the helper puts taps there, and with the address as a lease.
guards_lock() { # guards_lock PLACE PORT ADDRESS
	in_mode lock-ip host sh -c 'nft list ruleset | sed -n "s/.*iifgroup \([0-9]*\) .*/\1/p" | head -n 1 \
		>/sys/class/net/"$1"/netdev_group' sh "$2" &&
		in_mode lock-ip "$1" "$("$top/tests/guest/busybox")" udhcpc -i eth0 -n -q -t 10 -T 1 -r "$3" -s /bin/true \
			>"$TMPDIR/leased" 2>&1 && grep -q "$3" "$TMPDIR/leased" || die "no lease of $3: $(cat "$TMPDIR/leased")"
}

guards_up() {
	for mode in none none-tap nat shared routed host-only internal standalone lock-ip; do
		guards_host "$mode"
		guards_network "$mode"
		case $mode in
		none-tap | standalone)
			guards_guest "$mode" a net0 10.66.0.11
			ip -n "$mode.host" addr replace 10.66.0.1/24 dev net0
			;;
		*)
			guards_guest "$mode" a port-a 10.66.0.11
			guards_guest "$mode" b port-b 10.66.0.12
			ip -n "$mode.host" link set port-a master net0
			ip -n "$mode.host" link set port-b master net0
			[ "$mode" != lock-ip ] || { guards_lock a port-a 10.66.0.11 && guards_lock b port-b 10.66.0.12; }
			;;
		esac
		for place in host b far; do
			in_mode "$mode" "$place" "$traffic" serve "$port" &
		done
	done
}

# Table, row, mode, address. A row that begins with "none" is what the rows after it are compared with.
guards_lines() {
	cat <<-'EOT'
		guard-host none none 10.66.0.1
		guard-host nat nat 10.66.0.1
		guard-host shared shared 10.66.0.1
		guard-host lock-ip lock-ip 10.66.0.1
		guard-host routed routed 10.66.0.1
		guard-host host-only host-only 10.66.0.1
		guard-tap none none-tap 10.66.0.1
		guard-tap standalone standalone 10.66.0.1
		guard-far none none 203.0.113.1
		guard-far nat nat 203.0.113.1
		guard-far shared shared 203.0.113.1
		guard-far routed routed 203.0.113.1
		guard-guest none none 10.66.0.12
		guard-guest shared shared 10.66.0.12
		guard-guest lock-ip lock-ip 10.66.0.12
		guard-guest routed routed 10.66.0.12
		guard-guest host-only host-only 10.66.0.12
		guard-guest internal internal 10.66.0.12
	EOT
}

guards_round() {
	guards_lines | while read -r table row mode address; do
		for kind in ping ask send fetch small; do
			value=$(in_mode "$mode" a "$traffic" "$kind" "$address" "$seconds" "$port") ||
				{ nothing_came "$row, $table, $kind" && continue; }
			printf '%s\t%s\t%s\t%s\n' "$table" "$row" "$kind" "$value"
		done
	done >>"$results"
}
