#!/bin/sh
# SPDX-License-Identifier: MIT
# Ways in: ports of the host that lead to guests, by `forward` lines and by an administrator's own rules; from the LAN,
# from the host itself, from guests of other networks and of the same one; IPv4 and IPv6. What is not forwarded is as
# closed as before, and who is forwarded to nobody is refused, and does not wait.
#
#	 netns lan                    the host                  web          home         dmz          lab
#	+--------------+    +------------------------+        +-----+      +--------+    +--------+   +-----------+
#	| 192.0.2.50   |----| uplink 192.0.2.1       |        | nat |      | shared |    | routed |   | host-only |
#	| 2001:..:1::50|    |        2001:db8:1::1   |        +-+-+-+      +-+----+-+    +---+----+   +-----+-----+
#	+--------------+    +------------------------+          n1 n2        w1   w2       r1  r2         h1  h2
#
# Guests are namespaces, with taps that alice has by the helper's leave; each serves its name.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=ways_lib.sh
. "$top/tests/cli/ways_lib.sh"

guests() { # name, network, addresses, next hops
	cat <<-'EOT'
		n1 web  10.77.0.11/24  fd00:77::11/64 10.77.0.1  fd00:77::1
		n2 web  10.77.0.12/24  fd00:77::12/64 10.77.0.1  fd00:77::1
		w1 home 10.78.0.11/24  fd00:78::11/64 10.78.0.1  fd00:78::1
		w2 home 10.78.0.12/24  fd00:78::12/64 10.78.0.1  fd00:78::1
		r1 dmz  10.79.0.11/24  fd00:79::11/64 10.79.0.1  fd00:79::1
		r2 dmz  10.79.0.12/24  fd00:79::12/64 10.79.0.1  fd00:79::1
		h1 lab  172.16.2.11/24 fd00:2::11/64  -          -
		h2 lab  172.16.2.12/24 fd00:2::12/64  -          -
	EOT
}

without() { # without WORD...: the policy less the lines that begin with one of them
	pattern=$(echo "$*" | tr ' ' '|')
	whole | grep -vE "^($pattern) " | policy -
}

whole() {
	cat <<-'EOT'
		allow web user=alice
		allow home user=alice
		allow dmz user=alice
		allow lab user=alice
		network web  nat       10.77.0.1/24 fd00:77::1/64
		network home shared    10.78.0.1/24 fd00:78::1/64 isolated
		network dmz  routed    10.79.0.1/24 fd00:79::1/64
		network lab  host-only 172.16.2.1/24 fd00:2::1/64
		guest n1   on web  ip=10.77.0.11 ip6=fd00:77::11
		guest gone on web  ip=10.77.0.99 ip6=fd00:77::99
		guest w1   on home ip=10.78.0.11 ip6=fd00:78::11
		guest w2   on home ip=10.78.0.12
		guest r1   on dmz  ip=10.79.0.11 ip6=fd00:79::11
		guest h1   on lab  ip=172.16.2.11 ip6=fd00:2::11
		forward 8001/tcp      to n1:80
		forward 8002/tcp      to w1:80
		forward 8003/tcp      to r1:80
		forward 8004/tcp      to h1:80
		forward 8005/tcp      to gone:80
		forward 8006/tcp      to w1:81
		forward 8079-8081/tcp to w2
		forward 8010/tcp      to n1:80 on 192.0.2.2 for web
		forward 8020-8021/udp to n1
		forward 8022/udp      to w1:8021
		forward 8023/udp      to gone:8021
		forward 8024/udp      to h1:8021
	EOT
}

table() { # from, addresses, port, who answers
	cat <<-'EOT'
		lan  192.0.2.1  2001:db8:1::1 8001 n1
		lan  192.0.2.1  2001:db8:1::1 8002 w1
		lan  192.0.2.1  2001:db8:1::1 8003 r1
		lan  192.0.2.1  2001:db8:1::1 8004 h1
		lan  192.0.2.1  2001:db8:1::1 8005 refused
		lan  192.0.2.1  2001:db8:1::1 8006 refused
		lan  192.0.2.1  -             8080 w2
		lan  -          2001:db8:1::1 8080 refused
		lan  192.0.2.1  -             8079 refused
		lan  192.0.2.1  2001:db8:1::1 8082 refused
		lan  192.0.2.1  2001:db8:1::1 8010 refused
		lan  192.0.2.2  -             8010 n1
		lan  192.0.2.1  2001:db8:1::1 8020 n1
		lan  192.0.2.1  2001:db8:1::1 8021 n1
		lan  192.0.2.1  2001:db8:1::1 8022 w1
		lan  192.0.2.1  2001:db8:1::1 8023 refused
		lan  192.0.2.1  2001:db8:1::1 8024 h1
		lan  192.0.2.1  2001:db8:1::1 8025 refused
		host 192.0.2.1  2001:db8:1::1 8020 n1
		host 192.0.2.1  2001:db8:1::1 8023 refused
		n2   10.77.0.1  fd00:77::1    8022 w1
		h2   172.16.2.1 fd00:2::1     8024 h1
		h1   172.16.2.1 fd00:2::1     8020 closed
		lan  10.78.0.1  fd00:78::1    8001 n1
		lan  10.77.0.11 fd00:77::11   80   closed
		lan  10.78.0.11 fd00:78::11   80   closed
		lan  10.79.0.11 fd00:79::11   80   r1
		lan  172.16.2.11 fd00:2::11   80   closed
		host 192.0.2.1  2001:db8:1::1 8001 n1
		host 10.77.0.1  fd00:77::1    8001 n1
		host 192.0.2.1  2001:db8:1::1 8002 w1
		host 192.0.2.1  2001:db8:1::1 8004 h1
		host 192.0.2.1  2001:db8:1::1 8005 refused
		host 127.0.0.1  ::1           8001 refused
		host 10.77.0.11 fd00:77::11   80   closed
		n1   10.77.0.1  fd00:77::1    8001 refused
		n2   10.77.0.1  fd00:77::1    8001 refused
		n2   10.77.0.1  fd00:77::1    8002 w1
		n2   10.77.0.11 fd00:77::11   80   closed
		w1   10.78.0.1  fd00:78::1    8001 n1
		w2   10.78.0.1  fd00:78::1    8002 refused
		r2   10.79.0.1  fd00:79::1    8003 r1
		r1   10.79.0.1  fd00:79::1    8003 refused
		w2   10.78.0.11 fd00:78::11   80   closed
		r1   10.79.0.1  fd00:79::1    8002 w1
		h1   172.16.2.1 fd00:2::1     8004 refused
		h2   172.16.2.1 fd00:2::1     8004 h1
		h1   172.16.2.1 fd00:2::1     8001 closed
	EOT
}

# The LAN's way to a nat guest by a rule that is somebody else's (saschpe/libvirt-hook-qemu PR 11).
own_rule() {
	nft -f - <<-'EOT'
		table ip mine {
			chain prerouting {
				type nat hook prerouting priority dstnat - 5; policy accept;
				iifname "uplink" tcp dport { 8100, 8101 } dnat to tcp dport map { 8100 : 10.77.0.12 . 80, 8101 : 172.16.2.11 . 80 }
			}
		}
	EOT
}

lan
without forward guest
check 'up without forwards' "$TAPGATE" up
guests >"$TMPDIR/guests"
while read -r name network ipv4 ipv6 route4 route6; do
	check "a guest on $network: $name" guest "$name" "$network" "$ipv4" "$ipv6"
	[ "$route4" = - ] || ip -n "$name" route add default via "$route4" dev eth0
	[ "$route6" = - ] || ip -n "$name" -6 route add default via "$route6" dev eth0
done <"$TMPDIR/guests"
serve
check 'IPv4 is not forwarded from the host-only network' sysctl_is ipv4/conf/lab/forwarding 0

table | awk '$4 >= 8001 && $1 == "lan" { $5 = "refused"; print }' >"$TMPDIR/table"
as_the_table_says 'without forwards'

without forward
check 'guest lines alone change no guard' says_nothing_changed

whole | policy -
check 'check takes the policy' "$TAPGATE" check
check 'status sees that guards are not as wanted' refuses "$TAPGATE" status
says 0 up <<'EOT' >"$TMPDIR/check" 2>&1
web: put up its guard
home: put up its guard
dmz: put up its guard
lab: put up its guard
lab: switched on net.ipv4.conf.lab.forwarding (the way in)
EOT
check 'up makes forwards' diff "$TMPDIR/says.expected" "$TMPDIR/says"
check 'nothing more to do' says_nothing_changed
check 'status: all is up' "$TAPGATE" status
table >"$TMPDIR/table"
as_the_table_says 'with forwards'

# The host's own connections come from the network's address: they reach a guest whose way out is by another router.
read -r _ _ _ _ route4 route6 <<EOT
$(guests | grep '^n1 ')
EOT
ip -n n1 route del default
ip -n n1 -6 route del default
# shellcheck disable=SC2016 # what eval is given
check 'the host reaches a guest that has no way to its other addresses' eval \
	'[ "$(get host 192.0.2.1 8001) $(get host 2001:db8:1::1 8001)" = "n1 n1" ]'
ip -n n1 route add default via "$route4" dev eth0
ip -n n1 -6 route add default via "$route6" dev eth0

check "explain as root, of alice: nothing in the way" sh -c "'$TAPGATE' explain --user alice web | grep -q -e '-netdev'"
check 'a guard without a forward does not count' sh -c "
	nft flush chain inet tapgate-web ways && ! '$TAPGATE' status >/dev/null"
check 'the helper joins nobody to it' refuses guest n3 web
check 'up puts it up again' "$TAPGATE" up
check 'and now a guest joins' guest n3 web

own_rule
printf '%s\n' 'lan 192.0.2.1 - 8100 n2' 'lan 192.0.2.1 - 8101 h1' >"$TMPDIR/table"
as_the_table_says "an administrator's own rule"
check 'status shows it, and forwards' sh -c "'$TAPGATE' status >'$TMPDIR/status'; cat '$TMPDIR/status'
	grep -qx '  forward 8001/tcp to n1 10.77.0.11 fd00:77::11 port 80' '$TMPDIR/status' &&
	grep -qx '  forward 8079-8081/tcp to w2 10.78.0.12' '$TMPDIR/status' &&
	grep -qx '  forward 8010/tcp on 192.0.2.2 to n1 10.77.0.11 port 80' '$TMPDIR/status' &&
	[ \$(grep -c \"^  forward by rule [0-9]* of 'ip mine prerouting'\" '$TMPDIR/status') = 2 ]"
check 'and so it does in JSON, as the manual says' sh -c "'$TAPGATE' status --json >'$TMPDIR/json'; cat '$TMPDIR/json'
	jq -e '.networks[] | select(.name == \"web\") | .forwards[2].on == \"192.0.2.2\" and .forwards[0].to == 80 and
		(.foreign_forwards | length) == 1 and .foreign_forwards[0].chain == \"ip mine prerouting\"' '$TMPDIR/json'"
in_manual() {
	"$TAPGATE" status --json | in_the_manual status
}
check 'tapgate-json(7) has the members' in_manual

# A firewall that drops what nobody accepts, as Docker's: `up` opens it for what is forwarded, too.
for family in ip ip6; do
	nft "table $family filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }"
done
printf '%s\n' 'lan 192.0.2.1 2001:db8:1::1 8001 closed' 'lan 192.0.2.1 2001:db8:1::1 8004 closed' >"$TMPDIR/table"
as_the_table_says 'behind a firewall that drops'
check 'up opens it' "$TAPGATE" up
table | grep -v ' closed$' >"$TMPDIR/table"
as_the_table_says 'behind a firewall that up has opened'

# What was begun by a forward goes on when that is taken away, as the kernel has it; nothing new begins by it.
mkfifo "$TMPDIR/go"
# shellcheck disable=SC2016 # for that shell
in_netns lan bash -c 'exec 3<>/dev/udp/192.0.2.1/8020
	printf 1 >&3 && timeout 10 head -c 2 <&3 && read -r _ <"$1" && printf 2 >&3 && timeout 10 head -c 2 <&3' exchange \
	"$TMPDIR/go" >"$TMPDIR/exchange" &
exchange=$!
check 'an exchange by a forward' wait_for 10 grep -q n1 "$TMPDIR/exchange"
without 'forward 8020-8021/udp'
check '... which is taken away' "$TAPGATE" up
echo >"$TMPDIR/go"
wait "$exchange"
check '... goes on' [ "$(cat "$TMPDIR/exchange")" = n1n1 ]
check '... while nobody begins another one' [ "$(get lan 192.0.2.1 8020)" = refused ]
whole | policy -
check '... and up gives it back' "$TAPGATE" up

# A port that something on the host has, at an address that is forwarded; on a loopback address it keeps it.
"$busybox" httpd -p 127.0.0.1:8002 -h "$TMPDIR/www"
remember
check 'a listener on a loopback address is nobody'"'"'s loss' says 0 check <<-'EOT'
	/etc/tapgate.conf: no mistake found
EOT
"$busybox" httpd -p 0.0.0.0:8001 -h "$TMPDIR/www"
listens() {
	"$TAPGATE" check 2>&1 | tee "$TMPDIR/listens"
	grep -q "^/etc/tapgate.conf:15: warning: port 8001/tcp is forwarded to guest 'n1', and something on the host listens there, which nobody reaches by it any more ('ss -lnptu' shows what); choose another port" "$TMPDIR/listens"
}
check 'one on another is, and check says so' listens
# shellcheck disable=SC2086 # numbers
kill $answering
finish
