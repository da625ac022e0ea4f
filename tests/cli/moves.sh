#!/bin/sh
# SPDX-License-Identifier: MIT
# Networks that become others while virtual machines run on them: a standalone one a pool, or with a bridge, and back:
# no tap is left that no guard knows. Networks that exchange their subnets: each at once, or all as they were.
set -u

top=${top-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# as LINE...: the policy, with these networks
as() {
	policy 'allow all user=alice' "$@"
}

# gone NAME: the tap of this guest is no more
gone() {
	read -r gone_tap <"$TMPDIR/tap.$1"
	refuses test -e "/sys/class/net/$gone_tap" && ip netns del "$1"
}

# --- taps that stand alone --------------------------------------------------------------------------------------------

as 'network lab standalone 10.1.0.1/24 fd00:1::1/64' 'network cell standalone 10.2.0.0/24 per-vm=/30'
"$TAPGATE" up >/dev/null
check 'a machine on a standalone network' guest one lab 10.1.0.2/24
check '... two on a pool' guest two cell 10.2.0.2/30
check '... of which this is the other' guest three cell 10.2.0.6/30
check '... all is up' "$TAPGATE" status
for tap in lab cell-2; do
	ip addr flush dev $tap
done
check 'their addresses taken away: status says so' finds 'lab different addresses
cell different addresses'
check '... --dry-run' changes_nothing 6 up --dry-run <<'EOT'
lab: would add the address 10.1.0.1/24
lab: would add the address fd00:1::1/64
cell: would add the address 10.2.0.5/30
EOT
check '... up' says 0 up <<'EOT'
lab: added the address 10.1.0.1/24
lab: added the address fd00:1::1/64
cell: added the address 10.2.0.5/30
EOT
check '... nothing more to do' says_nothing_changed
check '... they reach the host' wait_for 10 in_netns one "$busybox" ping -c 1 -W 1 10.1.0.1
check '... and the other' wait_for 10 in_netns three "$busybox" ping -c 1 -W 1 10.2.0.5
ip addr flush dev cell-1
ip link set cell-1 down
check 'a tap that is down is the helper'"'"'s to give addresses, or nobody'"'"'s' says_nothing_changed
ip link set cell-1 up
check '... up again' says 0 up <<'EOT'
cell: added the address 10.2.0.1/30
EOT
ip addr add 10.3.0.1/24 dev lab
ip addr del 10.1.0.1/24 dev lab
check 'one with another address keeps it' says_nothing_changed
for name in one two three; do
	unplug $name
	ip netns del $name
done
as 'network lab standalone 10.1.0.1/24'
"$TAPGATE" up >/dev/null
"$TAPGATE" down >/dev/null

as 'network lab standalone 10.1.0.1/24'
check 'a standalone network' "$TAPGATE" up
check '... and its guest' guest one lab 10.1.0.2/24
nft flush ruleset
as 'network lab standalone 10.1.0.1/24' 'network lo internal'
check 'a conflict elsewhere: the guard of a tap that stands alone is put back all the same' says 4 up <<'EOT'
tapgate: /etc/tapgate.conf:3: network 'lo' needs the interface name 'lo', which one has that tapgate did not make; give the network another name, or remove the interface
lab: put up its guard
EOT

as 'network lab standalone 10.1.0.0/24 per-vm=/30'
check 'now a pool, whose guard knows only taps of other names: --dry-run' changes_nothing 6 up --force --dry-run <<'EOT'
lab: would remove the tap 'lab' of a virtual machine
lab: would put up its guard
EOT
check 'now a pool: up' says 0 up --force <<'EOT'
lab: removed the tap 'lab' of a virtual machine
lab: put up its guard
EOT
check '... the tap is gone' gone one
check '... nothing more to do' says_nothing_changed
check '... two guests' guest one lab 10.1.0.2/30
check '... of the pool' guest two lab 10.1.0.6/30

as 'network lab standalone 10.1.0.0/25 per-vm=/30'
check 'a smaller pool: its taps stay' says 0 up <<'EOT'
lab: put up its guard
EOT
as 'network lab standalone 10.1.0.1/24'
check 'no pool any more' says 0 up --force <<'EOT'
lab: removed the tap 'lab-1' of a virtual machine
lab: removed the tap 'lab-2' of a virtual machine
lab: put up its guard
EOT
check '... one tap is gone' gone one
check '... and the other' gone two
check '... a guest' guest one lab 10.1.0.2/24

as 'network lab host-only 10.1.0.1/24'
check 'now with a bridge, which needs the name of the tap' says 0 up --force <<'EOT'
lab: removed the tap 'lab' of a virtual machine
lab: made the bridge
lab: put up its guard
lab: added the address 10.1.0.1/24
lab: brought the bridge up
EOT
check '... the tap is gone' eval '! ip -o link show type tun | grep -q .; ip netns del one'
check '... up' "$TAPGATE" status
check '... a guest' guest one lab 10.1.0.2/24

as 'network lab standalone 10.1.0.0/24 per-vm=/30'
check 'a pool instead of the bridge' eval "$TAPGATE up --force && gone one"
check '... a guest' guest one lab 10.1.0.2/30
as 'network lab nat 10.1.0.1/24'
check 'a bridge instead of the pool' eval "$TAPGATE up --force && gone one"
check '... up' "$TAPGATE" status
check 'down' "$TAPGATE" down

# --- subnets that change hands ----------------------------------------------------------------------------------------

one='10.1.0.1/24 fd00:1::1/64 dhcp=10.1.0.2-10.1.0.100'
two='10.2.0.1/24 fd00:2::1/64 dhcp=10.2.0.2-10.2.0.100'
three='10.3.0.1/24 fd00:3::1/64 dhcp=10.3.0.2-10.3.0.100'

as "network red host-only $one" "network blue host-only $two" 'network green internal'
check 'two networks, each with its DHCP, and another' "$TAPGATE" up
alike_now "$TMPDIR/before"

as "network red host-only $two" "network blue host-only $one" 'network green internal'
check 'they exchange their subnets' says 0 up <<'EOT'
red: stopped dnsmasq
red: removed the address 10.1.0.1/24
red: removed the address fd00:1::1/64
blue: stopped dnsmasq
blue: removed the address 10.2.0.1/24
blue: removed the address fd00:2::1/64
red: put up its guard
red: added the address 10.2.0.1/24
red: added the address fd00:2::1/64
red: started dnsmasq
blue: put up its guard
blue: added the address 10.1.0.1/24
blue: added the address fd00:1::1/64
blue: started dnsmasq
EOT
check '... up' "$TAPGATE" status
check '... nothing more to do' says_nothing_changed

as "network red host-only $one" "network blue host-only $two" 'network green internal'
check '... and back' "$TAPGATE" up
check '... all is as it was' soon_alike "$TMPDIR/before"

# The second one fails when the first one is whole.
set_sysctl ipv6/conf/blue/disable_ipv6 1
as "network red host-only 10.2.0.1/24 dhcp=10.2.0.2-10.2.0.100" "network blue host-only $one" 'network green internal'
ip -6 addr flush dev red
check 'one of them cannot: it stops there' says 1 up <<'EOT'
red: stopped dnsmasq
red: removed the address 10.1.0.1/24
blue: stopped dnsmasq
blue: removed the address 10.2.0.1/24
red: put up its guard
red: added the address 10.2.0.1/24
red: started dnsmasq
blue: put up its guard
blue: added the address 10.1.0.1/24
tapgate: blue: cannot add the address fd00:1::1/64: IPv6 is switched off (see sysctl net.ipv6.conf.default.disable_ipv6); switch it on, or leave out the network's IPv6 address
tapgate: blue: not finished: addresses; 'tapgate up' goes on from here
EOT
check '... status says the same' finds 'blue different addresses'
check '... the other one is up' "$TAPGATE" status green
set_sysctl ipv6/conf/blue/disable_ipv6 0
check '... and when it can, it does' "$TAPGATE" up
check '... up' "$TAPGATE" status

as "network red nat $one" "network blue nat $three" "network green nat $two"
check 'a row of them, in which the last takes what the first had' "$TAPGATE" up
check '... up' "$TAPGATE" status
check '... nothing more to do' says_nothing_changed
as "network red nat $three" 'network blue standalone 10.9.0.1/24' "network green nat $one"
check 'one that stands alone now leaves its subnet to another' "$TAPGATE" up
check '... up' "$TAPGATE" status
check '... nothing more to do' says_nothing_changed
check 'down' "$TAPGATE" down

# held SUBNET NETWORK SUBNET WHOSE WAY-OUT: in line 3 of the policy
held() {
	echo "tapgate: /etc/tapgate.conf:3: the subnet $1 of network '$2' overlaps $3, which $4 has; $5"
}

as "network red host-only $one"
check 'one network' "$TAPGATE" up
as 'network green internal' "network blue host-only $one"
check 'its subnet for another, which alone is named: refused, as the first one is not to be touched' \
	changes_nothing 4 up blue <<EOT
$(held 10.1.0.1/24 blue 10.1.0.1/24 "network 'red'" "run 'tapgate up' without names")
$(held fd00:1::1/64 blue fd00:1::1/64 "network 'red'" "run 'tapgate up' without names")
tapgate: nothing was changed
EOT
check '... one with another subnet can be made' "$TAPGATE" up green
check '... and all of them' "$TAPGATE" up
check '... up' "$TAPGATE" status

as 'network lab standalone 10.1.0.1/24'
check 'a standalone network' "$TAPGATE" up
check '... and its guest' guest one lab 10.1.0.2/24
as 'network lab standalone 10.9.0.1/24' 'network red host-only 10.1.0.9/16'
check 'its subnet for another, while the guest has the old one: refused' says 4 up <<EOT
$(held 10.1.0.9/16 red 10.1.0.1/24 "a virtual machine on network 'lab'" 'end it first, or choose another subnet')
lab: put up its guard
EOT
check '... check says so' refuses "$TAPGATE" check
unplug one
check '... and when it has ended, made' "$TAPGATE" up
check '... up' "$TAPGATE" status
check 'down' "$TAPGATE" down

finish
