#!/bin/sh
# SPDX-License-Identifier: MIT
# A network's dnsmasq that runs, and does not do what it is for: it was stopped, or its files were removed. `status` sees
# it, `up` puts it right, and guests keep what they have.
# shellcheck disable=SC2016 # what eval is given
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../attacks/services.sh
. "$top/tests/attacks/services.sh"

check 'up' make_network host-only
check 'a guest, alpha' eval 'guest alice lab && gets alice lease4 name=alpha wait=2000'
cp "$TMPDIR/got" "$TMPDIR/address"

is_served() { # the guest has the address that it had, under its name, and is given it again
	[ "$("$TAPGATE" ip alpha | head -n 1)" = "$(cat "$TMPDIR/address")" ] || return 1
	soon_gets alice lease4 name=alpha && cmp "$TMPDIR/got" "$TMPDIR/address"
}

# mends WHAT COMMAND: what the command did is found, and put right by a restart
mends() {
	mends_what=$1
	check "$mends_what" eval "$2"
	check "$mends_what: status sees it" finds 'lab different DHCP'
	check "$mends_what: up --dry-run says so" says 6 up --dry-run <<-'EOT'
		lab: would restart dnsmasq
	EOT
	check "$mends_what: up starts another one" says 0 up <<-'EOT'
		lab: restarted dnsmasq
	EOT
	check "$mends_what: which serves the guest as before" is_served
	check "$mends_what: nothing more to do" says_nothing_changed
	check "$mends_what: status" "$TAPGATE" status
}

stop_it() {
	kill -STOP "$(pid_of lab)"
	"$TAPGATE" status | grep -F "dnsmasq is deaf ($(pid_of lab)), 1 of 99 leases in use" &&
		"$TAPGATE" status --json | grep '"state": "deaf"' && "$TAPGATE" check --live 2>&1 | grep 'not as wanted: DHCP'
}
mends 'stopped' stop_it
mends 'without its leases' 'rm /run/tapgate/lab.leases'
mends 'without its pid file' 'rm /run/tapgate/lab.pid'
mends 'without a place for names' 'rm -r /run/tapgate/lab.names'
mends 'without what keeps names' 'rm /run/tapgate/lab.lease'
mends 'without any of its files' 'rm -r /run/tapgate/lab.[lnp]*'

# What cannot be reached from here need not be deaf.
check 'a firewall that lets the host ask nobody' nft -f - <<'EOT'
table inet filter {
	chain input {
		type filter hook input priority filter; policy accept;
		iifname "lo" udp dport 53 drop
	}
}
EOT
check 'a firewall: nothing to do' says_nothing_changed
check 'a firewall: status' "$TAPGATE" status
# Nor is one that a guest keeps busy, whether the host gets through or not: else guests could have it restarted. It is made
# slow here, so that something always waits.
slow() {
	while kill -STOP "$1" && sleep 0.2 && kill -CONT "$1" && sleep 0.01; do :; done
}
slow "$(pid_of lab)" &
slow=$!
ip -n alice address add 172.16.2.200/24 dev eth0
in_netns alice bash -c 'while sleep 0.02; do printf "%1000s" >/dev/udp/172.16.2.1/53; done' 2>/dev/null &
flood=$!
is_busy() { # something waits to be read
	awk '$2 == "010210AC:0035" { split($5, queue, ":"); if (queue[2] != "00000000") found = 1 } END { exit !found }' \
		/proc/net/udp
}
check 'a flood: something waits to be read' wait_for 10 is_busy
for try in 1 2 3; do
	check "a flood, while the host gets no answer: nothing to do ($try)" says_nothing_changed
done
kill "$flood" "$slow"
wait "$flood" "$slow" 2>/dev/null
check 'without it, what is stopped is found' eval 'nft delete table inet filter
	kill -STOP "$(pid_of lab)"; finds "lab different DHCP"'
check 'down ends it in any case' eval '"$TAPGATE" down && serves_nothing lab'
finish
