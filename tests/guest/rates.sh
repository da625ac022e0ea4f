#!/bin/sh
# SPDX-License-Identifier: MIT
# rate= and rate-in=, with a kernel that has both: the guest is the host here, as in vlan.sh. Ten megabytes are sent from
# one user's tap to another's, and those that come are counted.
#
#	 free     slow      mq          to      slow-in     mq-in       taps, made by the helper
#	   |       |      4 queues       |         |       4 queues
#	+--------------------------------------------------------------+
#	| br0                                                          |
#	+--------------------------------------------------------------+
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

comes() { # comes WHAT FROM TO: of ten megabytes, with 800 kbit/s as the measure
	check "$2 sends $3 ten megabytes: $1" says "$1" "ports burst $2 $3 800"
}

vm_program 755 "$(command -v tc)" /usr/sbin
check 'a guest is up that is a host' host_start
prepare 'chmod 666 /dev/net/tun
	&& echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	&& ip link add br0 address 02:00:5e:00:00:01 up type bridge forward_delay 0 mcast_snooping 0
	&& for module in /modules/*; do insmod $module; done; true'
policy 'network br0 bridged rate-in=1gbit' 'allow br0 user=root queues=4' 'allow br0 user=alice rate=800kbit queues=4' \
	'allow br0 user=bob rate-in=800kbit queues=4' 'allow br0 user=carol rate=800kbit'

holds free 0
holds to 0
comes all free to
holds slow 1000
comes within slow to
holds carol 1002
comes within carol to
holds mq 1000 '--br=br0 --queues=4'
comes within mq to
prepare 'hold -d to'
holds slow-in 1001
comes within free slow-in
prepare 'hold -d slow-in'
holds mq-in 1001 '--br=br0 --queues=4'
comes within free mq-in

# --- as the kernel has it, and how it ends ---------------------------------------------------------------------------

has() { # has TEXT WHAT NAME [WORD...]: busybox prefers a `tc` of its own
	has_text=$1
	has_command="/usr/sbin/tc $2 show dev \$(hold -i $3) ${4-}"
	in_host "$has_command; $has_command | grep -q '$has_text'"
}

check 'a tap has the rate of its rule' has 'police.*rate 800Kbit' filter carol ingress
check '... and beside it the other one of the line' has 'tbf.* rate 1Gbit' qdisc carol
has_none() {
	in_host '! /usr/sbin/tc filter show dev $(hold -i free) ingress | grep police'
}
check 'what nobody bounds one way is not policed' has_none
prepare 'hold -d slow carol mq'
meanwhile() { # meanwhile TEXT COMMAND [AFTERWARDS]: what bob is told when root runs that before the tap is read back
	in_host "meanwhile='$2' hold r $3 --br=br0 >/tmp/said; cat /tmp/said; ${4-true}"'; grep -qF "'"$1"'" /tmp/said'
}
check 'shaped no more meanwhile: refused' meanwhile "was switched off meanwhile; try again" \
	'/usr/sbin/tc qdisc del dev $tap root' 1001
check 'at another rate: refused' meanwhile "was switched off meanwhile; try again" \
	'/usr/sbin/tc qdisc replace dev $tap root tbf rate 1mbit burst 128k latency 100ms' 1001
check 'policed no more: refused' meanwhile "was switched off meanwhile; try again" \
	'/usr/sbin/tc filter del dev $tap ingress prio 2' 1000
check 'a control: nothing changed' meanwhile 'exit=0 fds=1' true 1001 'hold -d r'
check 'the polices are gone with the taps' in_host '! /usr/sbin/tc actions list action police | grep rate'
suite_end
