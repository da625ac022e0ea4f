#!/bin/sh
# SPDX-License-Identifier: MIT
# DNS: what guests can learn, and what can be made to mislead them, by the names that their network's dnsmasq answers
# for. Each word that keeps something from them is taken away once, to show what it keeps.
#
#	alice --- lab, host-only 172.16.3.1 --- host (a name server on 127.0.0.53) --- web, nat 172.16.2.1 --- mallory
# shellcheck disable=SC2016,SC2034 # what eval is given
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=services.sh
. "$top/tests/attacks/services.sh"
network=web

policy 'network lab host-only 172.16.3.1/24 dhcp=172.16.3.2-172.16.3.100' \
	'network web nat 172.16.2.1/24 dhcp=172.16.2.2-172.16.2.100' 'allow all user=alice'

name_server() { # the host's own
	echo 'nameserver 127.0.0.53' >/etc/resolv.conf
	echo '192.0.2.50 secret.example secret' >/etc/hosts
	dnsmasq --conf-file=/dev/null --no-hosts --no-resolv --listen-address=127.0.0.53 --bind-interfaces \
		--pid-file="$TMPDIR/resolver.pid" --user=root \
		--host-record=outside.example,192.0.2.9 --host-record=rebind.example,172.16.3.9 \
		--host-record=loop.example,127.0.0.1 --host-record=intranet,192.0.2.7 \
		--host-record=stranger.web.internal,192.0.2.8 --ptr-record=7.7.168.192.in-addr.arpa,printer.example
}

# resolves GUEST NAME [SERVER]: what a guest finds for a name, or for an address, a line each
resolves() {
	in_netns "$1" timeout 5 "$busybox" nslookup "$2" "${3-172.16.2.1}" 2>/dev/null | sed '1,/^$/d' |
		sed -n 's/^Address\( [0-9]*\)*: *//p; s/.*name = //p' | sort -u
}

finds() { # finds GUEST NAME EXPECTED [SERVER]
	finds_expected=$3
	if [ $# -gt 3 ]; then
		finds_came=$(resolves "$1" "$2" "$4")
	else
		finds_came=$(resolves "$1" "$2")
	fi
	[ "$finds_came" = "$finds_expected" ] || {
		echo "$2 is '$finds_came', expected '$finds_expected'"
		return 1
	}
}

check 'a name server of the host' name_server
check 'up' "$TAPGATE" up
check 'two guests' eval 'guest alice lab 172.16.3.200/24 && guest mallory web 172.16.2.200/24 &&
	ip -n mallory route add default via 172.16.2.1 && asks alice lease4 name=alpha | grep "^172\.16\.3\."'

# --- what is passed on -------------------------------------------------------------------------------------------------

check 'nat: a name outside' finds mallory outside.example 192.0.2.9
# An address of the host's or of another network in an answer is passed on, as the host itself would get it: that it is
# of no use is the guards' business, not that of names.
check 'nat: a name outside that is an address of another network' finds mallory rebind.example 172.16.3.9
check 'nat: ... which the guard keeps from mallory' refuses in_netns mallory "$busybox" ping -q -c 1 -W 1 172.16.3.200
check 'nat: ... and would answer' "$busybox" ping -q -c 1 -W 3 172.16.3.200
check 'nat: a name outside that is the one who asks' finds mallory loop.example 127.0.0.1
check 'nat: a bare name of the site' finds mallory intranet 192.0.2.7
check 'nat: the name of a private address' finds mallory 192.168.7.7 printer.example
check 'host-only: neither' eval 'finds alice intranet "" 172.16.3.1 && finds alice 192.168.7.7 "" 172.16.3.1'

# --- names of another network ------------------------------------------------------------------------------------------

check 'host-only: alpha is known there' finds alice alpha.lab.internal "$(resolves alice alpha 172.16.3.1)" 172.16.3.1
check 'host-only: ... by an address' [ -n "$(resolves alice alpha 172.16.3.1)" ]
check 'nat: not from its own server' finds mallory alpha.lab.internal ''
check 'nat: ... nor bare' finds mallory alpha ''
check 'nat: nor from that of the other network, by the address that the host has there' \
	finds mallory alpha.lab.internal '' 172.16.3.1
check 'nat: ... which hears nobody but its own' finds mallory outside.example '' 172.16.3.1
check 'host-only: no name from outside' finds alice outside.example '' 172.16.3.1

# --- what is kept from guests ------------------------------------------------------------------------------------------

# keeps WORD NAME ANSWER: with the word there is no answer, and without it this one
keeps() {
	keeps_word=$1 keeps_name=$2 keeps_answer=$3
	check "nat: $keeps_word: no $keeps_name" finds mallory "$keeps_name" ''
	check "nat: ... which there is without" eval 'serve_without web "^$keeps_word\$" && wait_for 3 \
		finds mallory "$keeps_name" "$keeps_answer"'
	check "nat: ... and not again with it" eval 'serve_again web && wait_for 3 finds mallory outside.example 192.0.2.9 &&
		finds mallory "$keeps_name" ""'
}
keeps --no-hosts secret.example 192.0.2.50
keeps --local=/web.internal/ stranger.web.internal 192.0.2.8

# --- names that programs trust -----------------------------------------------------------------------------------------

has_name() { # has_name NAME: mallory asks for it, and is known by it
	soon_gets mallory lease4 name="$1" &&
		wait_for 1 eval "[ \"\$(resolves mallory ${1%%.*}.web.internal)\" = '$(cat "$TMPDIR/got")' ]"
}
for name in wpad isatap localhost; do
	check "nat: nobody is $name" refuses has_name "$name"
	check "nat: ... nor $name.evil.example" refuses has_name "$name.evil.example"
	check "nat: ... but for the word" eval "serve_without web 'set:refused,$name\$' && has_name $name"
	check "nat: again" serve_again web
	check "nat: ... and the one for domains" eval \
		"serve_without web 'set:refused,$name\\.\\*\$' && has_name $name.evil.example"
	check "nat: again" serve_again web
done

# --- how many ----------------------------------------------------------------------------------------------------------

# More leases than dnsmasq takes by itself, which is 1000, and fewer than it is told to.
many_leases() {
	expiry=$(($(date +%s) + 3600))
	forget web
	for number in $(seq 1500); do
		echo "$expiry 52:54:00:cc:$(printf '%02x:%02x' $((number / 256)) $((number % 256))) 10.9.$((number / 250)).$((number % 250 + 1)) * *"
	done >/run/tapgate/web.leases
}
check 'many: 1500 leases in the file' many_leases
check 'many: up' "$TAPGATE" up
check 'many: they are served' soon_gets mallory lease4
many_without() {
	words_of web | grep -v -e dhcp-lease-max -e --keep-in-foreground >"$TMPDIR/words"
	many_leases
	xargs -d '\n' -a "$TMPDIR/words" sh -c '"$@"' dnsmasq
}
check 'many: without --dhcp-lease-max it does not even start' refuses many_without
rm -f /run/tapgate/web.leases

unplug alice
unplug mallory
"$TAPGATE" down
finish
