#!/bin/sh
# SPDX-License-Identifier: MIT
# Names that are legal and odd: with characters that nftables, sysctl(8) and host names do not take, words of nft's
# language, numbers, and as long as can be. In each mode: made, used, found again, and removed.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

names() {
	cat <<-'EOT'
		a+b
		x.y
		n@1
		abcdefghijklmno
		+1
		@
		..a
		_
		0
		1234567890
		Drop
		table
		lo0
		tcp
		allx
		a-b
		++++++++++++++1
		@@@@@@@@@@@@@@@
	EOT
}

table_of() { # table_of NAME: what its table is called
	printf 'tapgate-%s\n' "$1" | sed 's|+|/2b|g; s|@|/40|g'
}

has_table() { # has_table FAMILY NAME
	nft list tables | grep -qxF "table $1 $(table_of "$2")"
}

nothing_left() {
	nft list ruleset
	ip -o link
	dnsmasqs
	[ -z "$(nft list tables)" ] && [ "$(ip -o link | grep -vcE " (lo|wan|isp)[:@]")" = 0 ] && [ -z "$(dnsmasqs)" ]
}

has_domain() { # has_domain NAME: of its own; the rest would share one with another name here
	case $1 in
	a-b | _ | ++++++++++++++1 | @@@@@@@@@@@@@@@) return 1 ;;
	esac
}

# line NAME MODE NUMBER: a network line with a subnet of its own
line() {
	range=
	! has_domain "$1" || range=dhcp=10.$3
	case $2 in
	internal) echo "network $1 internal" ;;
	host-only) echo "network $1 host-only 10.$3.1.1/24 fd00:$3:1::1/64 ${range:+$range.1.2-10.$3.1.9}" ;;
	nat) echo "network $1 nat 10.$3.2.1/24 fd00:$3:2::1/64 ${range:+$range.2.2-10.$3.2.9}" ;;
	standalone) echo "network $1 standalone 10.$3.3.1/24" ;;
	esac
}

all_in_mode() { # all_in_mode MODE: a policy
	number=0
	echo 'allow all user=alice'
	names | while read -r name; do
		number=$((number + 1))
		line "$name" "$1" "$number"
	done
}

tables_of() { # tables_of FAMILY...: each has one, and there is no other
	names | while read -r name; do
		for family; do
			[ "$family" != bridge ] || has_domain "$name" || continue # only DHCP takes one
			has_table "$family" "$name" || echo "no table for $name"
		done
	done
	case $* in
	*bridge*) without=4 ;;
	*) without=0 ;;
	esac
	[ "$(nft list tables | wc -l)" = "$(($(names | wc -l) * $# - without))" ] || nft list tables
}

grants() { # each gives alice a tap, and takes it back
	names | while read -r name; do
		setpriv --reuid alice --regid alice --clear-groups "$CALL" "$HELPER" "--br=$name" '--fd={fd}' >"$TMPDIR/called" 2>&1
		grep -q '^exit=0 fds=1' "$TMPDIR/called" || {
			echo "$name:"
			cat "$TMPDIR/called"
		}
	done
}

silent() { # silent COMMAND...: it has nothing to say
	"$@" >"$TMPDIR/silent" 2>&1
	cat "$TMPDIR/silent"
	[ ! -s "$TMPDIR/silent" ]
}

serve() { # each that is to has its dnsmasq
	names | while read -r name; do
		has_domain "$name" || continue
		[ "$(dnsmasqs | grep -cF -- "--pid-file=/run/tapgate/$name.pid ")" = 1 ] || echo "no dnsmasq for $name"
	done
}

forward() { # forwarding is on for each
	names | while read -r name; do
		read -r value <"/proc/sys/net/ipv4/conf/$name/forwarding"
		[ "$value" = 1 ] || echo "no forwarding for $name"
	done
}

drift() { # of each something, and of no other
	names | while read -r name; do
		nft flush table inet "$(table_of "$name")"
		ip addr flush dev "$name"
	done
}

for mode in internal host-only nat standalone; do
	all_in_mode "$mode" | policy -
	check "$mode: up" "$TAPGATE" up
	check "$mode: nothing more to do" says_nothing_changed
	check "$mode: status" "$TAPGATE" status
	case $mode in
	internal) families='inet netdev' ;;
	standalone) families='inet arp' ;;
	*) families='inet bridge netdev' ;;
	esac
	# shellcheck disable=SC2086 # words
	check "$mode: a guard for each, named for it" silent tables_of $families
	check "$mode: the helper gives taps" silent grants
	case $mode in
	host-only | nat) check "$mode: a dnsmasq for each" silent serve ;;
	esac
	if [ "$mode" = nat ]; then
		check "$mode: forwarding for each" silent forward
		drift
		check "$mode: what drifted is found" refuses "$TAPGATE" status
		check "$mode: and put right" "$TAPGATE" up
		check "$mode: nothing more to do" says_nothing_changed
		# shellcheck disable=SC2046 # words
		check "$mode: each by its name" "$TAPGATE" down -- $(names)
		check "$mode: nothing is left" nothing_left
		# shellcheck disable=SC2046 # words
		check "$mode: and up, each by its name" "$TAPGATE" up -- $(names)
	fi
	policy '# nothing'
	check "$mode: gone from the policy, all are removed" "$TAPGATE" up
	check "$mode: nothing is left" nothing_left
done

# --- among rules of others --------------------------------------------------------------------------------------------

firewall() { # as one with iptables would have it
	nft -f - <<-'EOT'
		table ip filter {
			chain FORWARD {
				type filter hook forward priority filter; policy drop;
			}
		}
	EOT
}

ours_in_it() { # how many rules
	nft list chain ip filter FORWARD | grep -c 'comment "tapgate: '
}

readable() {
	! command -v iptables-nft >/dev/null || iptables-nft -S FORWARD
}

firewall
all_in_mode host-only | policy -
check 'up, beside a firewall that drops' "$TAPGATE" up
check 'a rule for each' [ "$(ours_in_it)" = "$(names | wc -l)" ]
check 'nothing more to do' says_nothing_changed
check 'iptables can read them' readable
sed -i '/a+b/d' /etc/tapgate.conf
check 'one gone from the policy' says 0 up <<'EOT'
a+b: removed the bridge
a+b: stopped dnsmasq
a+b: took down its guard
firewall: removed the rules for 'a+b' from 'ip filter FORWARD'
EOT
check 'down' "$TAPGATE" down
check 'no rule is left' [ "$(nft list chain ip filter FORWARD | grep -c tapgate)" = 0 ]
nft flush ruleset

# --- pools ------------------------------------------------------------------------------------------------------------

# The first free one, whatever else there is in its name.
policy 'allow all user=alice' 'network p+@. standalone 10.1.0.0/29 per-vm=/30' 'network p standalone 10.2.0.1/24'
check 'a pool with an odd name' "$TAPGATE" up
check 'its first guest' guest one p+@. 10.1.0.2/30
check 'its second guest' guest two p+@. 10.1.0.6/30
check 'their taps' [ "$(cat "$TMPDIR/tap.one" "$TMPDIR/tap.two" | xargs)" = 'p+@.-1 p+@.-2' ]
check 'the host reaches them' "$busybox" ping -q -c 1 -W 3 10.1.0.2
check 'nothing more to do' says_nothing_changed
check 'down takes them along' says 0 down <<'EOT'
p+@.: removed the tap 'p+@.-1' of a virtual machine
p+@.: removed the tap 'p+@.-2' of a virtual machine
p+@.: took down its guard
p: took down its guard
EOT
check 'nothing is left' nothing_left
finish
