#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # words for eval
# Firewalls of others, as people have them: what `up` opens and what it must not, and that `check --live` names whatever
# drops a network's packets, with a line that helps. Packets of its own find that out (networks/probe.c).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=firewall_lib.sh
. "$top/tests/cli/firewall_lib.sh"

check 'without a firewall' clean

# canonical/lxd#9020: chains beyond forward, and DHCP in.
stops 'input, ICMPv6 from the uplink only' 'table inet mine {
	chain input {
		type filter hook input priority 0; policy drop;
		iifname lo accept
		ct state established,related accept
		udp dport { 67, 547, 53 } accept
		tcp dport 53 accept
		iifname uplink meta l4proto icmpv6 accept
	}
}' 'ip -n g1 neigh flush dev eth0; reaches g1 fd00:2::1' <<'EOT'
tapgate: lab: warning: the policy of 'inet mine input' drops its guests' search for the host (neighbour discovery); run, and write it where that table is made: nft 'insert rule inet mine input iifname "lab" meta l4proto icmpv6 accept'
tapgate: web: warning: the policy of 'inet mine input' drops its guests' search for the host (neighbour discovery); run, and write it where that table is made: nft 'insert rule inet mine input iifname "web" meta l4proto icmpv6 accept'
EOT
stops 'output' 'table inet mine {
	chain output {
		type filter hook output priority 0; policy drop;
		oifname lo accept
		ct state established,related accept
		meta l4proto icmpv6 accept
	}
}' served <<'EOT'
tapgate: lab: warning: the policy of 'inet mine output' drops the host's answers to requests for addresses (DHCP), the host's answers to requests for addresses (DHCPv6); run, and write it where that table is made: nft 'insert rule inet mine output oifname "lab" udp sport 67 accept; insert rule inet mine output oifname "lab" udp sport 547 accept'
EOT
# Not every kernel has rules for a bridge by its name, so that what is to be run may not help here.
cat >"$TMPDIR/lines" <<'EOT'
tapgate: lab: warning: the policy of 'bridge mine forward' drops what its guests send each other; run, and write it where that table is made: nft 'insert rule bridge mine forward meta ibrname "lab" meta obrname "lab" accept'
EOT
nft 'add table bridge mine; add chain bridge mine forward { type filter hook forward priority 0; policy drop; }'
check 'bridges: check --live names it' live
check 'bridges: it is so' refuses reaches g1 172.16.2.3
if cure >/dev/null 2>&1; then
	check 'bridges: what it says to run helps' clean
	check 'bridges: and it is so' reaches g1 172.16.2.3
fi
nft delete table bridge mine

# evilsocket/shieldwall#8: the last rule jumps; and a reject in the middle.
stops 'a goto at the end' 'table inet mine {
	chain logdrop {
		counter drop
	}
	chain forward {
		type filter hook forward priority 0; policy accept;
		ct state established,related accept
		goto logdrop
	}
}' 'reaches n1 193.0.14.129' <<'EOT'
tapgate: web: warning: rule 3 of 'inet mine logdrop' drops what its guests send to the Internet; run, and write it where that table is made: nft 'insert rule inet mine forward iifname "web" oifname "uplink" accept'
EOT
stops 'a reject in the middle' 'table inet mine {
	chain input {
		type filter hook input priority 0; policy accept;
		iifname lo accept
		ct state established,related accept
		ip protocol udp udp dport != 9 reject
		accept
	}
}' served <<'EOT'
tapgate: lab: warning: rule 4 of 'inet mine input' drops its guests' requests for addresses (DHCP), its guests' questions for names (DNS) by IPv4; run, and write it where that table is made: nft 'insert rule inet mine input iifname "lab" udp dport 67 accept; insert rule inet mine input iifname "lab" udp dport 53 accept'
EOT

# mullvad/mullvadvpn-app PR 2658: a VPN's kill switch, as a table of its own and in iptables' chain.
kill_switch() { # kill_switch FAMILY TABLE CHAIN
	nft -f - <<-EOT
		table $1 $2 {
			chain $3 {
				type filter hook forward priority 0; policy drop;
				oifname "wg0" accept
				iifname "wg0" ct state established accept
				reject
			}
		}
	EOT
}
for place in 'inet vpnapp forward' 'ip filter FORWARD'; do
	# shellcheck disable=SC2086 # words
	kill_switch $place
	nft list table "${place%% *}" "$(echo "$place" | cut -d ' ' -f 2)" >"$TMPDIR/before"
	nft delete table inet tapgate-web # so that there is something to do
	"$TAPGATE" up --dry-run >"$TMPDIR/dry" 2>&1
	check "a kill switch, '$place': --dry-run says that it stays" \
		grep -qx "tapgate: warning: web: '$place' leaves the tunnel 'wg0' as the only way out, and would not be opened" "$TMPDIR/dry"
	check '... up does not open it, and says so' eval '"$TAPGATE" up 2>&1 | tee "$TMPDIR/up" |
		grep "of .$place. drops what its guests send to the Internet.*the tunnel .wg0. is its only way out"'
	check '... which it does not' eval '! grep opened "$TMPDIR/up" &&
		nft list table "${place%% *}" "$(echo "$place" | cut -d " " -f 2)" | diff "$TMPDIR/before" -'
	check '... guests do not go past it' refuses reaches n1 193.0.14.129
	check '... status is content' "$TAPGATE" status
	nft delete table "${place%% *}" "$(echo "$place" | cut -d ' ' -f 2)"
done
# Docker's chain is none, whatever VPN is there as well.
nft -f - <<'EOT'
table ip filter {
	chain FORWARD {
		type filter hook forward priority 0; policy drop;
		oifname "wg0" accept
		iifname "docker0" oifname != "docker0" accept
	}
}
EOT
check "Docker's chain beside a VPN is opened" eval '"$TAPGATE" up | grep "web: opened .ip filter FORWARD. "'
check '... guests get out' reaches n1 193.0.14.129
check '... and nothing is in the way' clean
nft delete table ip filter

# canonical/multipass#2318
if iptables-legacy -L >/dev/null 2>&1; then
	iptables-legacy -P FORWARD DROP
	echo "tapgate: web: warning: iptables-legacy has rules here, and by them the host drops what its guests send to the Internet by IPv4, the answers to its guests by IPv4; run: iptables-legacy -I FORWARD -i web -o uplink -j ACCEPT && iptables-legacy -I FORWARD -o web -j ACCEPT" >"$TMPDIR/lines"
	check 'iptables-legacy: check --live names it' live
	check '... it is so' refuses reaches n1 193.0.14.129
	check '... what it says to run' cure
	check '... helps' clean
	check '... and it is so' reaches n1 193.0.14.129
	iptables-legacy -P FORWARD ACCEPT
else
	skip 'iptables-legacy' 'it does not work here'
fi

# Real ufw, with the rules that its package has.
if command -v ufw >/dev/null && [ -d /usr/share/ufw/iptables ]; then
	mkdir -p /etc/ufw/applications.d /etc/default
	cp /usr/share/ufw/iptables/*.rules /etc/ufw/
	: >/etc/ufw/sysctl.conf
	printf 'ENABLED=no\nLOGLEVEL=low\n' >/etc/ufw/ufw.conf
	printf '%s\n' IPV6=yes 'DEFAULT_INPUT_POLICY="DROP"' 'DEFAULT_OUTPUT_POLICY="ACCEPT"' 'DEFAULT_FORWARD_POLICY="DROP"' \
		'DEFAULT_APPLICATION_POLICY="SKIP"' MANAGE_BUILTINS=no IPT_SYSCTL=/etc/ufw/sysctl.conf 'IPT_MODULES=""' >/etc/default/ufw
	check 'ufw' ufw --force enable
	"$TAPGATE" up >/dev/null 2>&1
	check 'ufw: no lease' refuses served
	"$TAPGATE" check --live 2>&1 | grep '^tapgate: .*warning: ' >"$TMPDIR/live"
	check 'ufw: check --live tells of DHCP' grep -q '; run: ufw allow in on lab to any port 67 proto udp$' "$TMPDIR/live"
	check 'ufw: and of DHCPv6' grep -q '; run: ufw allow in on lab to any port 547 proto udp$' "$TMPDIR/live"
	check 'ufw: what it says to run' cure
	check 'ufw: helps' clean
	check 'ufw: a lease' served
	check 'ufw: guests get out' reaches n1 193.0.14.129
	ufw --force disable >/dev/null
else
	skip 'ufw' 'it is not installed'
fi
finish
