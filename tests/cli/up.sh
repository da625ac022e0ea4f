#!/bin/sh
# `tapgate up` where there is nothing yet: each line that it says, each object in the kernel; and again, where all is there.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# --- what is checked --------------------------------------------------------------------------------------------------

link_has() { # link_has INTERFACE WORDS...: all of them, in what the kernel says of it
	ip -o -d link show dev "$1" | sed 's/$/ /' | tee "$TMPDIR/link"
	shift
	for words in "$@"; do
		grep -qF -- " $words " "$TMPDIR/link" || {
			echo "no '$words'"
			return 1
		}
	done
}

# addresses INTERFACE ADDRESS...: it has these, usable at once, and no other but a link-local one
addresses() {
	interface=$1
	shift
	ip -o addr show dev "$interface" scope global | tee "$TMPDIR/addresses"
	! grep -q -e tentative -e dadfailed "$TMPDIR/addresses" &&
		[ "$(awk '{ print $4 }' "$TMPDIR/addresses" | xargs)" = "$*" ]
}

link_local() { # link_local INTERFACE: has it a link-local address?
	ip -o -6 addr show dev "$1" | grep ' fe80::'
}

# With a port that is there, the kernel gives the bridge an address if it may.
joined() { # joined BRIDGE: by a port with the lowest hardware address there is
	ip link add "to-$1" type veth peer name "$1-far"
	ip link set "to-$1" address 00:00:00:00:00:01 master "$1" up
	ip link set "$1-far" up
	wait_for 5 grep -qx up "/sys/class/net/$1/operstate"
}

keeps_mac() { # keeps_mac BRIDGE: also when a lower one joins it, and leaves
	before=$(mac_of "$1")
	joined "$1" || return 1
	with=$(mac_of "$1")
	echo "$before $with"
	[ "$before" = "$with" ] && case $before in 02:74:67:*) ;; *) false ;; esac
}

leaves() { # leaves BRIDGE
	before=$(mac_of "$1")
	ip link del "to-$1"
	[ "$before" = "$(mac_of "$1")" ]
}

seal() { # seal FAMILY NETWORK MODE: one, as the last chain
	nft list table "$1" "tapgate-$2" | tee "$TMPDIR/table"
	grep -q "comment \"tapgate: network '$2', $3\"" "$TMPDIR/table" &&
		[ "$(grep -c 'chain seal/' "$TMPDIR/table")" = 1 ] &&
		grep chain "$TMPDIR/table" | tail -n 1 | grep -qE "chain seal/$3/[0-9a-f]{16}/[0-9a-f]{16} "
}

every_rule_says_why() { # but for those of one address, under a heading
	nft list ruleset | grep -E '(drop|accept|reject|masquerade|return)( |$)' | grep -vE 'comment|policy|^[[:space:]]*ip6? saddr [0-9a-f.:/]+ return$' &&
		return 1
	return 0
}

serves_only() { # serves_only BRIDGE ADDRESS...: its dnsmasq listens there, and for DHCP on the bridge alone
	pid=$(pid_of "$1")
	ss -Hlnup "sport = 53 or sport = 67 or sport = 547" | grep "pid=$pid," | tee "$TMPDIR/sockets"
	bridge=$1
	shift
	grep -q "%$bridge:67 \|0.0.0.0:67 " "$TMPDIR/sockets" || return 1
	for address in "$@"; do
		grep -qF " $address:53 " "$TMPDIR/sockets" || return 1
	done
	! awk '{ print $4 }' "$TMPDIR/sockets" | grep -vE "^(0.0.0.0%?[a-z]*:67|\[::\]:547|.*%$bridge:.*|$(echo "$@" | sed 's/[][]/\\&/g; s/ /:53|/g'):53)\$"
}

runs_as() { # runs_as NETWORK UID: its dnsmasq, not root in any way
	pid=$(pid_of "$1")
	grep -E '^(Uid|Gid|Groups|CapEff):' "/proc/$pid/status"
	[ "$(sed -n 's/^Uid:[[:space:]]*//p' "/proc/$pid/status" | xargs)" = "$2 $2 $2 $2" ]
}

# --- from nothing -----------------------------------------------------------------------------------------------------

policy - <<'EOT'
allow all user=alice
network lab   host-only  172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100 mtu=1400
network quiet internal
network web   nat        10.77.0.1/24 fd00:77::1/64
network tap1  standalone 172.16.3.1/24
network cell  standalone 172.16.128.0/17 per-vm=/30
network br0   bridged
EOT

check '--dry-run says all of it, and changes nothing' changes_nothing 0 up --dry-run <<'EOT'
lab: would make the bridge
lab: would put up its guard
lab: would add the address 172.16.2.1/24
lab: would add the address fd00:2::1/64
lab: would add the address fe80::1/64
lab: would bring the bridge up
lab: would start dnsmasq
quiet: would make the bridge
quiet: would put up its guard
quiet: would bring the bridge up
web: would make the bridge
web: would put up its guard
web: would add the address 10.77.0.1/24
web: would add the address fd00:77::1/64
web: would add the address fe80::1/64
web: would bring the bridge up
web: would switch on net.ipv4.conf.web.forwarding (the way in)
web: would switch on net.ipv6.conf.all.forwarding (the way in and out)
tap1: would put up its guard
cell: would put up its guard
EOT
check 'up says each thing that it does' says 0 up <<'EOT'
lab: made the bridge
lab: put up its guard
lab: added the address 172.16.2.1/24
lab: added the address fd00:2::1/64
lab: added the address fe80::1/64
lab: brought the bridge up
lab: started dnsmasq
quiet: made the bridge
quiet: put up its guard
quiet: brought the bridge up
web: made the bridge
web: put up its guard
web: added the address 10.77.0.1/24
web: added the address fd00:77::1/64
web: added the address fe80::1/64
web: brought the bridge up
web: switched on net.ipv4.conf.web.forwarding (the way in)
web: switched on net.ipv6.conf.all.forwarding (the way in and out)
tap1: put up its guard
cell: put up its guard
EOT

check 'lab: a bridge with its mark, without spanning tree and delay, of the MTU that is written' link_has lab \
	'alias tapgate network=lab mode=host-only' 'mtu 1400' 'forward_delay 0' 'stp_state 0' 'addrgenmode none'
check 'web: the same, with the usual MTU' link_has web \
	'alias tapgate network=web mode=nat' 'mtu 1500' 'forward_delay 0' 'stp_state 0' 'addrgenmode none'
check 'quiet: the same, without an address of its own' link_has quiet \
	'alias tapgate network=quiet mode=internal' 'forward_delay 0' 'stp_state 0' 'addrgenmode none'
for network in lab quiet web; do
	check "$network: is up" is_up "$network"
	check "$network: keeps its own hardware address when a lower one joins" keeps_mac "$network"
done
check 'lab: its addresses, both usable at once' addresses lab 172.16.2.1/24 fd00:2::1/64
check 'web: its addresses, both usable at once' addresses web 10.77.0.1/24 fd00:77::1/64
check 'quiet: none' addresses quiet
check 'lab: a link-local address with its first port' wait_for 5 link_local lab
check 'quiet: no link-local address, with a port either' refuses link_local quiet
for network in lab quiet web; do
	check "$network: keeps its hardware address when that port leaves" leaves "$network"
done
check 'no interface for the standalone, the pool and the bridged one' \
	refuses ls /sys/class/net/tap1 /sys/class/net/cell /sys/class/net/br0
check 'lab: its guard, sealed' seal inet lab host-only
check 'quiet: its guard, sealed, where packets leave and enter the bridge' seal netdev quiet internal
check 'web: its guard, sealed' seal inet web nat
check 'tap1: its guard, sealed' seal inet tap1 standalone
check 'cell: its guard, sealed' seal inet cell standalone
check 'every rule says what it is for' every_rule_says_why
check 'lab: what guards its DHCP server' eval 'nft list table bridge tapgate-lab && nft list table netdev tapgate-lab'
check 'no other table' [ "$(nft list tables | wc -l)" = 7 ]
check 'lab: one dnsmasq, and no other' [ "$(dnsmasqs | wc -l) $(pid_of lab | wc -l)" = '1 1' ]
check 'lab: its dnsmasq serves that bridge alone' serves_only lab 172.16.2.1 '[fd00:2::1]'
check 'lab: its dnsmasq is user dnsmasq' runs_as lab 999
check 'a lock that only root can open, in a directory that only root can write' \
	[ "$(stat -c '%a %U %F' /run/tapgate /run/tapgate/lock | xargs)" = '755 root directory 600 root regular empty file' ]

# --- where all is there -----------------------------------------------------------------------------------------------

check 'a second up changes nothing' changes_nothing 0 up <<'EOT'
nothing changed
EOT
check 'nor does up --dry-run' changes_nothing 0 up --dry-run <<'EOT'
nothing changed
EOT
check 'nor up of one network' changes_nothing 0 up web <<'EOT'
nothing changed
EOT
check 'names and --dry-run in any order' changes_nothing 0 up cell --dry-run quiet <<'EOT'
nothing changed
EOT

# --- one of several ---------------------------------------------------------------------------------------------------

"$TAPGATE" down >/dev/null
check 'up of one network makes that one' says 0 up quiet <<'EOT'
quiet: made the bridge
quiet: put up its guard
quiet: brought the bridge up
EOT
check 'and no other' [ "$(nft list tables | wc -l)$(ls -d /sys/class/net/lab /sys/class/net/web 2>/dev/null)" = 1 ]

# --- hardware addresses -----------------------------------------------------------------------------------------------

made_again() { # made_again NETWORK: its bridge; prints the hardware address
	"$TAPGATE" down "$1" >/dev/null && "$TAPGATE" up "$1" >/dev/null && mac_of "$1"
}

is_our_mac() {
	case $1 in
	02:74:67:??:??:??) ;;
	*) echo "$1" && return 1 ;;
	esac
}

policy 'network quiet internal' 'network other internal'
first=$(mac_of quiet)
check 'the hardware address is the same when the bridge is made again' [ "$(made_again quiet)" = "$first" ]
check 'another network has another one' [ "$(made_again other)" != "$first" ]
echo 1123456789abcdef0123456789abcdef >/etc/machine-id
check 'another machine has another one' [ "$(made_again quiet)" != "$first" ]
check 'the network of another identity gets the address of this one' says 0 up <<'EOT'
other: repaired its bridge's hardware address
EOT
for identity in '' uninitialized; do
	echo "$identity" >/etc/machine-id
	check "a machine with the identity '$identity' has a random one" \
		[ "$(made_again quiet)" != "$(made_again quiet)" ]
	check '... that is known for ours' is_our_mac "$(mac_of quiet)"
done
rm /etc/machine-id
check 'a machine without identity has a random one' [ "$(made_again quiet)" != "$(made_again quiet)" ]
check '... that is known for ours' is_our_mac "$(mac_of quiet)"
check 'and up does not change it' says_nothing_changed

finish
