#!/bin/sh
# SPDX-License-Identifier: MIT
# Guests that know nothing of their network but its DHCP server and router advertisements, on networks of ours with
# dhcp=; and what goes through a network of mode nat, TCP and names included, and what does not. tests/guest/lan.sh
# draws the world around the host; in its Internet there is a web server and a DNS server. The host has a firewall that
# lets nothing in that it does not know and forwards nothing, and the kernel forwards nothing before `tapgate up`.
#
#	             web 10.77.0.1, fd00:77::1         lab 172.16.5.1, fd00:5::1
#	           +---------------------------+     +---------------------------+
#	  uplink --| nat       dhcp=.100-.110  |     | host-only dhcp=.100-.110  |
#	           +-----+---------------+-----+     +-----+---------------+-----+
#	                 |               |                 |               |
#	                 n1              n2                h1              h2
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"
# shellcheck source-path=SCRIPTDIR source=lan.sh
. "$top/tests/guest/lan.sh"
busybox=$("$top/tests/guest/busybox")
www=$TMPDIR/www

# --- what is checked: addresses and names ----------------------------------------------------------------------------

forwards() { # forwards INTERFACE: IPv4?
	[ "$(cat "/proc/sys/net/ipv4/conf/$1/forwarding")" = 1 ]
}

forwards_some() {
	forwards web && forwards br0 && ! forwards lab && ! forwards lo && ! forwards all
}

not_root() { # there are two, and they belong to their own user
	for pid in /run/tapgate/*.pid; do
		stat -c %U "/proc/$(cat "$pid")"
	done >"$TMPDIR/users"
	cat "$TMPDIR/users"
	[ "$(grep -cx dnsmasq "$TMPDIR/users")" = 2 ]
}

asks() { # asks NAME HOST: a plain DHCP client, which gives this as its host's name, has an answer
	vm_do "$1" dhcp eth0 "$2" && vm_says "$1" 'dhcp 0' 30 || return 1
	read -r vm_seen <"$vms/$1/seen"
	tail -n +$((vm_seen + 1)) "$vms/$1/serial" | sed -n 's/^TAPGATE-GUEST dhcp //p' >"$TMPDIR/dhcp.$1"
}

told() { # told NAME WHAT: the values of that, as DHCP told them
	sed -n "s/^$2 //p" "$TMPDIR/dhcp.$1"
}

in_range() { # in_range NAME SUBNET LENGTH: is its address between .100 and .110 of the subnet, 10.77.0 for instance?
	cat "$TMPDIR/dhcp.$1"
	address=$(told "$1" address)
	last=${address#"$2".} last=${last%/"$3"}
	[ "$address" = "$2.$last/$3" ] && [ "$last" -ge 100 ] && [ "$last" -le 110 ]
}

address_of() { # address_of NAME
	told "$1" address | sed 's,/.*,,'
}

has_default() { # has_default NAME FAMILY: does it have a default route?
	vm_run "$1" "ip -$2 route show default | grep ." # for a family that has none there is no output
}

no_default() {
	! has_default "$1" "$2"
}

slaac() { # slaac NAME PREFIX: has it made itself an address out of a router advertisement?
	vm_run "$1" "for try in \$(seq 100); do
		ip -6 addr show dev eth0 scope global | grep -F ' $2' && break; usleep 200000; done" |
		tee "$TMPDIR/slaac.$1" | grep -F "$2"
}

ipv6_of() { # ipv6_of NAME
	sed -n 's,.* \([0-9a-f:]*\)/64 scope global.*,\1,p' "$TMPDIR/slaac.$1" | head -n 1
}

resolves() { # resolves NAME HOST ADDRESS: does it get this address for the host, from its DNS server?
	vm_run "$1" "nslookup $2 2>&1" | tee "$TMPDIR/names"
	grep -q "^Address.*[ :]$3$" "$TMPDIR/names"
}

no_such_name() { # no_such_name NAME HOST
	! vm_run "$1" "nslookup $2 2>&1"
}

# --- what goes through -----------------------------------------------------------------------------------------------

serves() { # serves NAME: the guest's own web server, which it can reach itself
	vm_run "$1" 'mkdir -p /www && echo here >/www/page && httpd -h /www && wget -q -O - http://127.0.0.1/page' |
		grep -qx here
}

fetches() { # fetches NAME HOST: much data, whole
	vm_run "$1" "[ \"\$(wget -q -O - http://$2/numbers | md5sum)\" = '$(md5sum <"$www/numbers")' ]"
}

# Counts, where the LAN gets them, packets with the addresses of our networks.
watch_outside() {
	in_netns lan nft -f - <<-EOT
		table inet watch {
			chain prerouting {
				type filter hook prerouting priority -500;
				iifname "to-host" ip saddr { 10.77.0.0/24, 172.16.5.0/24 } counter
				iifname "to-host" ip6 saddr fd00::/8 counter
				iifname "to-host" ip daddr $internet_ipv4 counter comment "all the others"
			}
		}
	EOT
}

none_outside() {
	in_netns lan nft list table inet watch | tee "$TMPDIR/watch"
	[ "$(grep -c ' packets 0 ' "$TMPDIR/watch")" = 2 ] && grep -q ' packets [1-9].*"all the others"' "$TMPDIR/watch"
}

get() { # get HOST [COMMAND...]: fetch the page of a guest's web server, from where the command runs
	get_url=http://$1/page
	shift
	"$@" "$busybox" timeout 5 "$busybox" wget -q -O - "$get_url"
}

refuses_host() { # refuses_host HOST: a connection from the host is refused, at once
	start=$(now)
	! get "$1" && [ $(($(now) - start)) -lt 400 ]
}

unreachable_from_lan() { # unreachable_from_lan HOST
	! get "$1" in_netns lan
}

# By way of the gateway: the guests have no other way to each other, and so no need of a port that lets them.
hairpin() { # hairpin NAME ADDRESS GATEWAY LENGTH
	vm_run "$1" "ip route replace $2/$4 via $3 dev eth0 && ping -q -c 3 -A -W 1 -w 3 $2"
}

no_hairpin() {
	! hairpin "$@"
}

set_hairpins() { # both of them answer by way of the gateway, too
	vm_run n2 "ip route add $(address_of n1)/32 via 10.77.0.1 dev eth0 &&
		ip route add $(ipv6_of n1)/128 via fd00:77::1 dev eth0"
}

# --- the networks and the policy -------------------------------------------------------------------------------------

lan_up
set_sysctl net/ipv4/ip_forward 0
set_sysctl net/ipv6/conf/all/forwarding 0
docker_rules
input_rules
mkdir "$www"
seq 1 100000 >"$www/numbers"
in_netns internet "$busybox" httpd -h "$www"
in_netns internet dnsmasq --conf-file=/dev/null --user=root --no-resolv --no-hosts --pid-file= --bind-interfaces \
	--interface=to-lan --address="/www.example/$internet_ipv4"
echo "nameserver $internet_ipv4" >/etc/resolv.conf
watch_outside
cat >/etc/tapgate.conf <<'EOT'
network web nat       10.77.0.1/24 fd00:77::1/64 dhcp=10.77.0.100-10.77.0.110
network lab host-only 172.16.5.1/24 fd00:5::1/64 dhcp=172.16.5.100-172.16.5.110
allow all user=alice
EOT
check 'tapgate up makes the networks, and starts their DHCP' "$TAPGATE" up
check 'it has switched forwarding on for its nat network, and not everywhere' forwards_some
check 'its DHCP servers are not root' not_root
for name in n1 n2; do
	vm_join "$name" web
done
for name in h1 h2; do
	vm_join "$name" lab
done

for name in n1 n2 h1 h2; do
	check "$name started" vm_says "$name" ready 60
	check "$name has an answer from the DHCP server" asks "$name" "host-$name"
done
for name in n1 n2; do
	check "nat: an address from the range ($name)" in_range "$name" 10.77.0 24
done
for name in h1 h2; do
	check "host-only: an address from the range ($name)" in_range "$name" 172.16.5 24
done
check 'two guests have two addresses' [ "$(address_of n1) $(address_of h1)" != "$(address_of n2) $(address_of h2)" ]
check 'nat: a route by way of the host' [ "$(told n1 router)" = 10.77.0.1 ]
check 'nat: an IPv6 address, by router advertisement' slaac n1 fd00:77:
check 'nat: ... the other guest, too' slaac n2 fd00:77:
check 'nat: an IPv6 route' has_default n1 6
check 'host-only: no router is told of' [ -z "$(told h1 router)" ]
check 'host-only: no route' no_default h1 4
check 'host-only: an IPv6 address, by router advertisement' slaac h1 fd00:5:
check 'host-only: no IPv6 route' no_default h1 6
check "nat: another guest's name" resolves n1 host-n2 "$(address_of n2)"
check 'nat: ... with its domain' resolves n2 host-n1.web.internal "$(address_of n1)"
check "host-only: another guest's name" resolves h1 host-h2 "$(address_of h2)"
check 'host-only: ... with its domain' resolves h2 host-h1.lab.internal "$(address_of h1)"
check 'nat: a name of the Internet' resolves n1 www.example "$internet_ipv4"
check 'host-only: no name of the Internet' no_such_name h1 www.example
check "host-only: no name of another network's guest" no_such_name h1 host-n1.web.internal

check 'nat: the guest fetches from the Internet' fetches n1 "$internet_ipv4"
check 'nat: ... over IPv6' fetches n1 "[$internet_ipv6]"
check "nat: no packet outside has a guest's address" none_outside
check 'nat: a guest has a server' serves n1
check 'host-only: a guest has a server' serves h1
check 'host-only: the host connects to it' get "$(address_of h1)"
check 'host-only: ... over IPv6' get "[$(ipv6_of h1)]"
check 'nat: a connection from the host is refused' refuses_host "$(address_of n1)"
check 'nat: ... over IPv6' refuses_host "[$(ipv6_of n1)]"
check 'nat: none from the LAN' unreachable_from_lan "$(address_of n1)"
check 'nat: ... over IPv6' unreachable_from_lan "[$(ipv6_of n1)]"
check 'host-only: none from the LAN' unreachable_from_lan "$(address_of h1)"

check 'nat: guests are set to reach each other by way of the gateway' set_hairpins
check 'nat: ... they do not' no_hairpin n1 "$(address_of n2)" 10.77.0.1 32
check 'nat: ... nor over IPv6' no_hairpin n1 "$(ipv6_of n2)" fd00:77::1 128
nft flush ruleset
check 'without a guard they do, a control' hairpin n1 "$(address_of n2)" 10.77.0.1 32
check '... over IPv6' hairpin n1 "$(ipv6_of n2)" fd00:77::1 128
check 'tapgate up puts the guard back' "$TAPGATE" up
check 'nat: again they do not' no_hairpin n1 "$(address_of n2)" 10.77.0.1 32
check 'tapgate down takes all of it down' "$TAPGATE" down
check '... DHCP servers, too' [ -z "$(ls /run/tapgate/*.pid 2>/dev/null)" ]
suite_end
