#!/bin/sh
# SPDX-License-Identifier: MIT
# VLANs, and what else a bridge does for the ports that the helper makes, with a kernel that has all of it: the guest
# is the host here. Inside, the installed helper makes the taps, ordinary users hold them, and root looks on.
#
#	 alice     bob    carol       root
#	 a   a2    b      plain       trunk           taps, made by the helper
#	 |    |    |        |           |
#	 10  10    20       1       1, 10, 20 tagged  their VLANs: vlan= of the policy, the bridge's own, root's choice
#	+------------------------------------+
#	| br0, vlan_filtering 1              |        br1: the spanning tree protocol; br2: neither
#	+------------------------------------+
#
# Needs root; all in a world of its own (tests/common/world). Without QEMU or a kernel for the guests it is skipped, or
# fails if CI=true.
# shellcheck disable=SC2016 # what is quoted is expanded in the guest
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"
# shellcheck source-path=SCRIPTDIR source=host.sh
. "$top/tests/guest/host.sh"

alice='/usr/sbin/setpriv --reuid 1000 --regid 1000 --clear-groups'

# --- what is checked -------------------------------------------------------------------------------------------------

reaches() { # reaches NAME TAGS WHO [FROM]: a frame with these tags from that port reaches those, with those
	check "$1 sends [$2]${4:+ from $4}: reaches $3" says "$3" "ports send $1 $2 ${4-}"
}

vlans() { # vlans LINE NAME: that VLAN, in `bridge vlan`'s words, and no other
	says "$1" "bridge vlan show dev \$(hold -i $2) | tail -n +2 | tr -s '\\t ' ' ' | cut -d ' ' -f 2- |
		paste -s -d ';'"
}

entries() { # how many addresses br0 knows
	in_host 'bridge fdb show br br0 | wc -l' | grep -x '[0-9]*'
}

more_entries() { # more_entries LEAST MOST COMMAND: so many more after it
	entries_before=$(entries)
	in_host "$3"
	entries_after=$(entries)
	echo "$entries_before before, $entries_after after"
	[ $((entries_after - entries_before)) -ge "$1" ] && [ $((entries_after - entries_before)) -le "$2" ]
}

# --- the host --------------------------------------------------------------------------------------------------------

check 'a guest is up that is a host' host_start
prepare 'chmod 666 /dev/net/tun /dev/vhost-net
	&& echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	&& ip link add br0 address 02:00:5e:00:00:01 up type bridge forward_delay 0 mcast_snooping 0
	&& ip link add br1 address 02:00:5e:00:00:02 up type bridge forward_delay 200 mcast_snooping 0 stp_state 1
	&& ip link add br2 up type bridge'
in_host 'ip link set br0 type bridge vlan_filtering 1' >"$TMPDIR/said" ||
	suite_skip 'this kernel has no bridges that filter VLANs (CONFIG_BRIDGE_VLAN_FILTERING)'

# --- vlan= -----------------------------------------------------------------------------------------------------------

policy 'allow br0 user=root' 'allow br0 user=alice vlan=10' 'allow br0 user=bob vlan=20' 'allow br0 user=carol'
holds trunk 0
prepare 'for vlan in 1 10 20; do bridge vlan add dev $(hold -i trunk) vid $vlan; done'
holds a 1000
holds a2 1000
holds b 1001
holds plain 1002
check 'a is in VLAN 10 alone, untagged' vlans '10 PVID Egress Untagged' a
check 'b is in VLAN 20 alone, untagged' vlans '20 PVID Egress Untagged' b
check 'a control: without vlan= it is the bridge default' vlans '1 PVID Egress Untagged' plain
reaches a - 'a2:- trunk:10'
reaches b - 'trunk:20'
reaches plain - 'trunk:1'
reaches trunk 10 'a:- a2:-'
reaches trunk 20 'b:-'

# --- tags of the guest's own: its VLAN's, another's, both, a priority, 802.1ad ---------------------------------------

reaches a 10 'a2:- trunk:10'
reaches a 20 nobody
reaches a 1 nobody
reaches a 4095 nobody
reaches a 57364 nobody # VLAN 20, of the highest priority
reaches a 10,20 'a2:20 trunk:10,20'
reaches a 20,10 nobody
reaches a 0 'a2:- trunk:10'
reaches a 0,20 'a2:20 trunk:10,20'
reaches a 57344,20 'a2:20 trunk:10,20'
reaches a ad:20 'a2:ad:20 trunk:10,ad:20'
reaches a ad:10,20 'a2:ad:10,20 trunk:10,ad:10,20'
reaches a 10,10,20 'a2:10,20 trunk:10,10,20'
reaches b 10 nobody
reaches b 20,10 'trunk:20,10'
reaches plain 20 nobody
# Controls: who is in the VLAN gets it; a trunk that has the VLAN untagged passes the inner tag on; no filter, no VLAN.
reaches trunk 10,20 'a:20 a2:20'
prepare 'bridge vlan add dev $(hold -i trunk) vid 10 untagged'
reaches a 10,20 'a2:20 trunk:20'
prepare 'bridge vlan add dev $(hold -i trunk) vid 10 && bridge vlan add dev $(hold -i a) vid 20'
reaches a 20 'b:- trunk:20'
prepare 'bridge vlan del dev $(hold -i a) vid 20'
reaches a 20 nobody
prepare 'ip link set br0 type bridge vlan_filtering 0'
reaches a 20 'a2:20 b:20 plain:20 trunk:20'
prepare 'ip link set br0 type bridge vlan_filtering 1'
reaches a 20 nobody

# --- the host's own interface in VLAN 20, which a tag within VLAN 10 does not reach but where that is untagged -------

# One that `ports send` lets follow is in VLAN 20, and always comes.
heard_20() { # heard_20 FRAMES TAGS: so many more at br0.20 after a frame with these tags from a
	in_host "count() { cat /sys/class/net/br0.20/statistics/rx_packets; }; before=\$(count); ports send a $2;
		echo \$(count) \$before; [ \$((\$(count) - before)) = $1 ]"
}

prepare 'ip link add link br0 name br0.20 type vlan id 20 && ip link set br0.20 up
	&& bridge vlan add dev br0 vid 20 self && bridge vlan add dev br0 vid 10 self'
for tags in 20 10,20 0,20 ad:20 20,20; do
	check "a sends [$tags]: the host hears nothing in VLAN 20" heard_20 1 "$tags"
done
prepare 'bridge vlan add dev br0 vid 10 untagged self'
check 'a control: with VLAN 10 untagged there, it does' heard_20 2 10,20
prepare 'ip link del br0.20 && bridge vlan del dev br0 vid 10 self && bridge vlan del dev br0 vid 20 self'

# --- the holder ------------------------------------------------------------------------------------------------------

as_alice() { # as_alice COMMAND: it may not, and the VLANs are as they were
	in_host "bridge vlan show >/tmp/vlans; $alice $1" >"$TMPDIR/said"
	cat "$TMPDIR/said"
	grep -q 'Operation not permitted' "$TMPDIR/said" && in_host 'bridge vlan show | diff /tmp/vlans -'
}

check 'the holder tries all that can be done with a tap' in_host 'ports ioctls a'
check '... which did change what is the holder'\''s to change' \
	in_host 'grep -q 52:54:00:00:00:77 /sys/class/net/$(hold -i a)/address'
check '... and not the VLAN' vlans '10 PVID Egress Untagged' a
reaches a - 'a2:- trunk:10'
reaches a 10,20 'a2:20 trunk:10,20'
reaches a 20 nobody
check 'nor can the user add a VLAN' as_alice 'bridge vlan add dev $(hold -i a) vid 20'
check '... or take one away' as_alice 'bridge vlan del dev $(hold -i a) vid 10'
check 'as root of a user namespace' in_host "$alice unshare -Ur sh -c '[ \$(id -u) = 0 ]'"
check '... neither' as_alice 'unshare -Ur /usr/sbin/bridge vlan add dev $(hold -i a) vid 20'
check '... a control: root can' \
	in_host 'bridge vlan add dev $(hold -i a) vid 30 && bridge vlan del dev $(hold -i a) vid 30'
check 'when the holders end, the taps are gone' \
	in_host 'hold -d a a2 b && [ $(ls /sys/class/net/br0/brif | wc -l) = 2 ]'

# --- vlan= of the network --------------------------------------------------------------------------------------------

policy 'network br0 bridged vlan=10' 'allow br0 user=alice' 'allow br0 user=bob vlan=20' 'allow br0 user=root'
holds a 1000
check 'vlan= on the line of the network' vlans '10 PVID Egress Untagged' a
holds b 1001
check '... and on the rule, which counts' vlans '20 PVID Egress Untagged' b
holds a2 0
reaches a - 'a2:- trunk:10'
prepare 'hold -d a a2 b'

# --- a bridge that filters by the tags of 802.1ad --------------------------------------------------------------------

policy 'allow br0 user=alice vlan=10' 'allow br0 user=bob vlan=20'
prepare 'ip link set br0 type bridge vlan_protocol 802.1ad'
holds a 1000
holds b 1001
check 'with vlan_protocol 802.1ad the VLAN is one of these' vlans '10 PVID Egress Untagged' a
reaches a - 'trunk:ad:10'
reaches a 20 'trunk:ad:10,20'
reaches a ad:20 nobody
reaches a ad:10,ad:20 'trunk:ad:10,ad:20'
reaches trunk ad:20 'b:-'
prepare 'hold -d a b && ip link set br0 type bridge vlan_protocol 802.1Q'

# --- refusals --------------------------------------------------------------------------------------------------------

policy 'allow br2 user=alice vlan=10' 'allow br1 user=alice vlan=10'
check 'a bridge that does not look at VLANs: refused' refused br2 1 "bridge 'br2' does not look at VLANs, so vlan=10 of"
check '... and one with the spanning tree protocol' refused br1 1 "bridge 'br1' does not look at VLANs, so vlan=10 of"
for vlan in 0 4095 65546; do
	policy "allow br0 user=alice vlan=$vlan"
	check "vlan=$vlan: refused" \
		refused br0 4 "/etc/tapgate.conf:1:27: vlan='$vlan', expected a number from 1 to 4094"
done
policy 'allow br0 user=alice guard'
check 'guard where the bridge passes BPDUs on: refused' refused br0 1 "bridge 'br0' passes BPDUs on"

# --- what root changes while a tap is made, when it is up and its helper has not read it back ------------------------

meanwhile() { # meanwhile TEXT COMMAND [AFTERWARDS]: this it says when root runs that, with $tap
	in_host "meanwhile='$2' hold r 1000 --br=br0 >/tmp/said; cat /tmp/said; ${3-true}"'; grep -qF "'"$1"'" /tmp/said'
}

policy 'allow br0 user=alice vlan=10'
out='was taken out of VLAN 10 meanwhile; try again'
check 'taken out of its VLAN: refused' meanwhile "$out" 'bridge vlan del dev $tap vid 10'
check 'put into another one, too: refused' meanwhile "$out" 'bridge vlan add dev $tap vid 20'
check 'tagged: refused' meanwhile "$out" 'bridge vlan add dev $tap vid 10 pvid'
check 'the filter off: refused' meanwhile 'does not look at VLANs' 'echo 0 >/sys/class/net/br0/bridge/vlan_filtering' \
	'ip link set br0 type bridge vlan_filtering 1'
check 'nothing of these stays' in_host '[ "$(ls /sys/class/net/br0/brif | wc -l)" = 2 ]'
check 'a control: nothing changed' meanwhile 'exit=0 fds=1' true 'hold -d r'

# --- isolated --------------------------------------------------------------------------------------------------------

policy 'allow br0 user=alice vlan=10 isolated' 'allow br0 user=bob vlan=10'
holds a 1000
holds a2 1000
holds b 1001
check 'isolated, and in VLAN 10' vlans '10 PVID Egress Untagged' a
reaches a - 'b:- trunk:10'
reaches a 10,20 'b:20 trunk:10,20'
reaches a2 - 'b:- trunk:10'
reaches b - 'a:- a2:- trunk:10'
prepare 'hold -d a a2 b'

# --- lock-mac --------------------------------------------------------------------------------------------------------

own=02:00:00:00:0a:0a
policy "allow br0 user=alice vlan=10 lock-mac mac=$own" 'allow br0 user=bob vlan=10'
holds a 1000
holds b 1001
check 'locked, and in VLAN 10' vlans '10 PVID Egress Untagged' a
check 'its address is known there' \
	in_host "bridge fdb show br br0 | grep '^$own dev '\$(hold -i a)' vlan 10 .*sticky.* static'"
reaches a - 'b:- trunk:10' "$own"
reaches a 10,20 'b:20 trunk:10,20' "$own"
reaches a 20 nobody "$own"
reaches a - nobody 02:00:00:00:0a:0b
reaches a 10 nobody 02:00:00:00:0a:0b
reaches a 10,20 nobody 02:00:00:00:0a:0b
reaches a 0,20 nobody 02:00:00:00:0a:0b
reaches a - nobody 02:00:5e:00:00:01
reaches b - 'a:- trunk:10' 02:00:00:00:0a:0b
check 'a thousand other addresses: none is learned' more_entries 0 0 'ports flood a 1000'
check '... a control: without the lock they are' more_entries 990 1010 'ports flood b 1000'
reaches b - 'a:- trunk:10' "$own"
check 'a neighbour that sends from it does not take it over' \
	in_host "bridge fdb show br br0 | grep '^$own dev '\$(hold -i a)' vlan 10 .*sticky.* static'"
prepare 'hold -d a b'
check 'nothing of it stays' in_host "! bridge fdb show br br0 | grep ^$own"

# --- guard -----------------------------------------------------------------------------------------------------------

root_id=/sys/class/net/br1/bridge/root_id
claimed=0000.000000000001

root_stays() {
	in_host "! grep $claimed $root_id && cmp $root_id /sys/class/net/br1/bridge/bridge_id"
}

policy 'allow br1 user=alice guard isolated vlan=10' 'allow br1 user=bob'
prepare 'ip link set br1 type bridge vlan_filtering 1'
holds c 1000 --br=br1
holds c2 1000 --br=br1
holds d 1001 --br=br1
check 'guarded, and in VLAN 10' vlans '10 PVID Egress Untagged' c
prepare 'ports bpdu c 10 && ports bpdu d 10 && ports bpdu c 10,0'
check 'a tagged BPDU is none for the bridge: the port stays' port_has c state '[123]'
check '... as does the root' root_stays
prepare 'ports bpdu c -'
check 'a BPDU: the port is shut' port_has c state 0
check '... the root stays' root_stays
check 'the holder tries all that can be done' in_host 'ports ioctls c'
check '... which opens the port again, with its carrier' port_has c state '[123]'
for setting in bpdu_guard root_block isolated; do
	check "... but does not switch off $setting" port_has c "$setting" 1
done
check '... nor change the VLAN' vlans '10 PVID Egress Untagged' c
prepare 'ports bpdu c 0'
check 'the next BPDU, of VLAN 0, shuts it again' port_has c state 0
check '... the root stays' root_stays
prepare 'bridge link set dev $(hold -i c2) guard off'
check 'the other one, that guard against BPDUs switched off by root, forwards' port_has c2 state 3
prepare 'ports bpdu c2 -'
check '... it claims to be the root: the port is blocked' port_has c2 state 1
check '... the root stays' root_stays
prepare 'ports bpdu d -'
check 'a control: without guard it becomes the root' in_host "try_for 5 grep -qx $claimed $root_id"
prepare 'hold -d c c2 d'

# --- /dev/vhost-net --------------------------------------------------------------------------------------------------

policy 'allow br0 user=alice vlan=10 queues=2'
check 'run --vhost: the descriptor is one of /dev/vhost-net' \
	in_host "$alice tapgate run --net br0 --vhost -- vhost {vhostfds}"
check '... and so is that of each queue' \
	in_host "$alice tapgate run --net br0 --queues 2 --vhost -- \
		sh -c 'vhost \${1%:*} && vhost \${1#*:}' sh {vhostfds}"
check '... a control: that of the tap is none' \
	in_host "! $alice tapgate run --net br0 --vhost -- vhost {fd}"
prepare 'chmod 600 /dev/vhost-net'
check '... which who may not open it does not get' \
	in_host "! $alice tapgate run --net br0 --vhost -- vhost {vhostfds}"
suite_end
