#!/bin/sh
# SPDX-License-Identifier: MIT
# `tapgate list`, `tapgate ip` and `tapgate networks`: what bridges, leases, neighbours and processes tell of taps and
# guests, for root and for others, and what none of them may do to who looks.
# shellcheck disable=SC2016,SC2154 # words for another shell; top is of cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"
# shellcheck source-path=SCRIPTDIR source=shown.sh
. "$top/tests/cli/shown.sh"

# --- what is shown, without what is another each time --------------------------------------------------------------------

# names_of: a sed script that puts NAME-MAC, NAME-TAP and NAME-PID for what guests have
names_of() {
	for names_file in "$TMPDIR"/tap.*; do
		[ -s "$names_file" ] || continue
		names_guest=${names_file##*/tap.}
		read -r names_tap <"$names_file"
		read -r names_pid <"$TMPDIR/plug.$names_guest"
		echo "s/$(guest_mac "$names_guest")/$names_guest-mac/g; s/\\<$names_tap\\>/$names_guest-tap/g"
		echo "s/\\<$names_pid plug\\>/$names_guest-pid plug/g"
	done
}

guest_mac() { # guest_mac NAME
	in_netns "$1" cat /proc/net/if_inet6 >/dev/null 2>&1 || return
	ip -n "$1" -o link show dev eth0 | sed -n 's/.*link\/ether \([0-9a-f:]*\) .*/\1/p'
}

# shows STATUS COMMAND WORD...: its output is standard input, by names; runs of blanks are one, ages and traffic gone
shows() {
	shows_status=$1
	shift
	cat >"$TMPDIR/expected"
	"$@" >"$TMPDIR/raw" 2>&1 </dev/null
	shows_came=$?
	names_of >"$TMPDIR/names.sed"
	sed -E -f "$TMPDIR/names.sed" "$TMPDIR/raw" | sed -E 's/  +/ /g
		s/ [0-9]+[smhd] [0-9.]+[KMG]? [0-9.]+[KMG]?( |$)/ AGE TRAFFIC\1/; s/^ //' >"$TMPDIR/shown"
	[ "$shows_came" = "$shows_status" ] || echo "status $shows_came"
	diff "$TMPDIR/expected" "$TMPDIR/shown" && [ "$shows_came" = "$shows_status" ]
}

HEAD='TAP NETWORK USER VMM GUEST NAME ADDRESS AGE SENT RECEIVED'

# silent NAME: a namespace for a guest that says nothing by itself
silent() {
	ip netns add "$1"
	in_netns "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
		echo 0 >/proc/sys/net/ipv6/conf/default/accept_ra'
}

# lease NAME [HOST-NAME]: from the network's dnsmasq, and used
lease() {
	cat >"$TMPDIR/udhcpc" <<-EOT
		#!/bin/sh
		[ "\$1" != bound ] || ip addr replace "\$ip/24" dev "\$interface"
	EOT
	chmod 755 "$TMPDIR/udhcpc"
	in_netns "$1" "$busybox" udhcpc -i eth0 -n -q -f ${2:+-x "hostname:$2"} -s "$TMPDIR/udhcpc" >"$TMPDIR/udhcpc.log" 2>&1
	ip -n "$1" -4 -o addr show dev eth0 | sed -n 's|.* inet \([0-9.]*\)/.*|\1|p' >"$TMPDIR/ip.$1"
	[ -s "$TMPDIR/ip.$1" ]
}

pings() { # pings NAME ADDRESS: so that the host knows the guest
	wait_for 10 in_netns "$1" "$busybox" ping -c 1 -W 1 "$2"
}

policy - <<'EOT'
allow all user=alice,#1003
allow all user=bob
network lab   host-only  172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100
network dev   host-only  172.16.4.1/24 dhcp=172.16.4.2-172.16.4.100
network quiet internal
network tap1  standalone 172.16.3.1/24
network br0   bridged
EOT

# --- nothing there ----------------------------------------------------------------------------------------------------

check 'the names of the networks' says 0 networks <<'EOT'
lab
dev
quiet
tap1
br0
EOT
check 'and no word' says 2 networks lab <<'EOT'
tapgate: 'networks' has too many words; see: tapgate help networks
EOT
unread() { # unread STATUS COMMAND...: it has that status when its reader is gone, and says nothing
	unread_status=$1
	shift
	{
		(trap '' PIPE && while echo; do sleep 0.02; done) 2>/dev/null
		"$@" 2>"$TMPDIR/unread"
		echo $? >"$TMPDIR/unread.status"
	} | :
	cat "$TMPDIR/unread" "$TMPDIR/unread.status"
	[ ! -s "$TMPDIR/unread" ] && [ "$(cat "$TMPDIR/unread.status")" = "$unread_status" ]
}
check 'who does not read on ends it, without a word' unread 141 "$TAPGATE" networks
check 'no taps' shows 0 "$TAPGATE" list <<EOT
$HEAD
EOT
check 'no taps, of a network that there is' shows 0 "$TAPGATE" list lab quiet <<EOT
$HEAD
EOT
check 'of one that there is not' says 2 list lab nowhere <<'EOT'
tapgate: no network 'nowhere' has taps, or stands in /etc/tapgate.conf; see: tapgate networks
EOT
check 'a word that it does not have' says 2 list --strict <<'EOT'
tapgate: 'list' has no option '--strict'; see: tapgate help list
EOT
check 'looking changes nothing' refuses test -e /run/tapgate

"$TAPGATE" up >/dev/null
ip link add br0 type bridge forward_delay 0
ip addr add 192.0.2.1/24 dev br0
ip link set br0 up

# --- guests -----------------------------------------------------------------------------------------------------------

for name in h1 h2 i1 s1 b1; do
	silent "$name"
done
before=$(date +%s)
check 'a guest with a lease' guest h1 lab
check '... has one' lease h1 alpha
check '... and one that says nothing of itself' guest h2 lab
check 'on an internal network' guest i1 quiet 10.9.9.9/24
check 'on a standalone one' guest s1 tap1 172.16.3.2/24
check 'with an address of its own, on a bridge of others' guest b1 br0 192.0.2.7/24
after=$(date +%s)
check 'the host has heard of that' pings b1 192.0.2.1
check '... and of the standalone one' pings s1 172.16.3.1
in_netns i1 "$busybox" ping -c 1 -W 1 10.9.9.1 >/dev/null 2>&1
read -r h1 <"$TMPDIR/ip.h1"
read -r h1tap <"$TMPDIR/tap.h1"
read -r b1tap <"$TMPDIR/tap.b1"

cat >"$TMPDIR/all" <<EOT
$HEAD
b1-tap br0 alice b1-pid plug b1-mac - 192.0.2.7 AGE TRAFFIC
h1-tap lab alice h1-pid plug h1-mac alpha $h1 AGE TRAFFIC
h2-tap lab alice h2-pid plug - - - AGE TRAFFIC
i1-tap quiet alice i1-pid plug i1-mac - - AGE TRAFFIC
s1-tap s1-tap alice s1-pid plug s1-mac - 172.16.3.2 AGE TRAFFIC
EOT
check 'each with what is known' shows 0 "$TAPGATE" list <"$TMPDIR/all"
check 'alice sees the same' shows 0 as alice "$TAPGATE" list <"$TMPDIR/all"
check 'bob, too: the kernel shows it to everybody' shows 0 as bob "$TAPGATE" list <"$TMPDIR/all"
mv /etc/tapgate.conf "$TMPDIR/policy"
check 'without a policy' shows 0 "$TAPGATE" list <"$TMPDIR/all"
mv "$TMPDIR/policy" /etc/tapgate.conf
check 'of some networks' shows 0 "$TAPGATE" list quiet tap1 dev <<EOT
$HEAD
i1-tap quiet alice i1-pid plug i1-mac - - AGE TRAFFIC
s1-tap s1-tap alice s1-pid plug s1-mac - 172.16.3.2 AGE TRAFFIC
EOT
aligned() { # every tap's row has its network in the head's column, and no line ends in a blank
	"$TAPGATE" list >"$TMPDIR/raw"
	! grep -q ' $' "$TMPDIR/raw" && awk 'NR == 1 { at = index($0, "NETWORK") }
		NR > 1 && substr($0, at) !~ /^(lab|quiet|tap1|br0) / || substr($0, at - 2, 2) != "  " { bad = 1; print }
		END { exit bad || NR != 6 }' "$TMPDIR/raw"
}
check 'in columns, without blanks at the end' aligned

# Traffic as the guest sees it: the tap receives what the guest sends.
counted() { # counted KEY COUNTER: of b1, between two looks at the kernel's own
	counted_low=$(cat "/sys/class/net/$b1tap/statistics/$2")
	counted_is=$("$TAPGATE" list --json br0 | sed -n "/\"$1\": {/,/}/s/.*\"bytes\": \([0-9]*\),/\1/p")
	[ "$counted_low" -gt 0 ] && [ "$counted_low" -le "$counted_is" ] &&
		[ "$counted_is" -le "$(cat "/sys/class/net/$b1tap/statistics/$2")" ]
}
in_netns b1 "$busybox" ping -c 3 -s 1000 192.0.2.1 >/dev/null
check 'what it sent' counted sent rx_bytes
check 'what it received' counted received tx_bytes
# One way, to an address that nobody has, on a network without anybody else.
ip -n i1 neigh replace 10.9.9.99 lladdr 02:00:00:00:00:99 dev eth0
in_netns i1 "$busybox" ping -c 1 -W 1 -s 20000 10.9.9.99 >/dev/null
read -r i1tap <"$TMPDIR/tap.i1"
sent=$(cat "/sys/class/net/$i1tap/statistics/rx_bytes") received=$(cat "/sys/class/net/$i1tap/statistics/tx_bytes")
check 'both in the table' [ "$("$TAPGATE" list quiet | awk 'END { print $(NF - 1), $NF }')" = "$((sent / 1024))K $received" ]
check '... which differ' [ "$sent" -gt $((received + 19000)) ]
aged() { # aged NETWORK: between the time since all were there and the time since none was
	aged_is=$(value age "$TAPGATE" list --json "$1")
	aged_now=$(date +%s)
	[ "$aged_is" -ge $((aged_now - after - 1)) ] && [ "$aged_is" -le $((aged_now - before + 1)) ]
}
check 'its age, on a bridge' aged br0
check '... and of a standalone tap' aged tap1
check 'they go on' wait_for 10 eval '[ "$(value age "$TAPGATE" list --json tap1)" -ge 3 ]'
check '... on the bridge, too, whatever is sent' [ "$(value age "$TAPGATE" list --json br0)" -ge 3 ]

json() {
	cat <<-EOT
		{
		"time": "TIME",
		"taps": [
		{
		"interface": "h1-tap",
		"network": "lab",
		"half_made": false,
		"uid": 1000,
		"user": "alice",
		"vmm": PID,
		"process": {
		"pid": PID,
		"name": "plug",
		"holds": $1
		},
		"age": N,
		"held": true,
		"persistent": false,
		"apart": true,
		"sent": {
		"bytes": N,
		"packets": N
		},
		"received": {
		"bytes": N,
		"packets": N
		},
		"guests": [
		{
		"mac": "h1-mac",
		"name": "alpha",
		"refused_name": null,
		"addresses": [
		{
		"address": "$h1",
		"sources": [
		"lease",
		"neighbour"
		]
		}
		]
		}
		],
		"more_guests": 0
		}
		]
		}
	EOT
}
for_programs() { # for_programs COMMAND...
	"$@" list --json lab | sed -E 's/"time": ".*Z"/"time": "TIME"/; s/"(vmm|pid)": [0-9]+/"\1": PID/
		s/"(age|bytes|packets)": [0-9]+/"\1": N/' | awk -v tap="\"$(cat "$TMPDIR/tap.h2")\"" '
		# Without the other guest of that network.
		/^    {$/ { held = $0; next }
		held { skip = index($0, tap); if (!skip) print held; held = "" }
		!skip { print }
		/^    }/ { skip = 0 }' | sed 's/^    },$/    }/'
}
check 'the host has heard of the guest with a lease' pings h1 172.16.2.1
json true >"$TMPDIR/json"
check 'for programs' shows 0 for_programs "$TAPGATE" <"$TMPDIR/json"
json null >"$TMPDIR/json"
check 'for bob, who may not look into processes' shows 0 for_programs setpriv --reuid bob --regid bob --init-groups "$TAPGATE" <"$TMPDIR/json"
members() {
	"$TAPGATE" list --json
	"$TAPGATE" ip --json alpha
	timeout 1 "$TAPGATE" list --watch --json
}
members >"$TMPDIR/printed"
check 'the manual has each member of it' in_the_manual 'list|ip' <"$TMPDIR/printed"
check '... and one that is not there would be seen' refuses in_the_manual ip <"$TMPDIR/printed"

# --- ip ---------------------------------------------------------------------------------------------------------------

answers() { # answers WORD ADDRESS...: exactly these
	answers_word=$1
	shift
	printf '%s\n' "$@" | says 0 ip "$answers_word"
}
h1mac=$(guest_mac h1)
for word in alpha ALPHA alpha.lab.internal alpha.lab.internal. "$h1mac" "$(echo "$h1mac" | tr a-f A-F)" "$h1tap" lab; do
	check "by $(echo "$word" | tr -dc 'a-zA-Z.')" answers "$word" "$h1"
done
check 'by a standalone tap, which is its network' answers tap1 172.16.3.2
check 'with an address that nobody leased' answers br0 192.0.2.7
check 'bob asks' [ "$(as bob "$TAPGATE" ip alpha)" = "$h1" ]
in_netns h1 sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
ip -n h1 addr add fd00:2::7/64 dev eth0 nodad
check 'IPv6, once it has spoken with the host' pings h1 fd00:2::1
link_local=fe80::$(ip -n h1 -6 -o addr show dev eth0 scope link | sed -n 's|.*inet6 fe80::\([^/]*\)/.*|\1|p')
check 'its link-local address, too' wait_for 10 eval 'in_netns h1 "$busybox" ping -c 1 -W 1 "fe80::1%eth0" && "$TAPGATE" ip alpha | grep -q "^fe80"'
check 'all of them, link-local ones with their interface' answers alpha "$h1" fd00:2::7 "$link_local%lab"
check 'the list has a line for each but those' shows 0 "$TAPGATE" list lab <<EOT
$HEAD
h1-tap lab alice h1-pid plug h1-mac alpha $h1 AGE TRAFFIC
fd00:2::7
h2-tap lab alice h2-pid plug - - - AGE TRAFFIC
EOT
check 'for programs' shows 0 "$TAPGATE" ip --json alpha <<EOT
{
"interface": "h1-tap",
"network": "lab",
"mac": "h1-mac",
"name": "alpha",
"refused_name": null,
"addresses": [
{
"address": "$h1",
"sources": [
"lease",
"neighbour"
]
},
{
"address": "fd00:2::7",
"sources": [
"neighbour"
]
},
{
"address": "$link_local%lab",
"sources": [
"neighbour"
]
}
]
}
EOT

check 'unknown' says 1 ip nobody <<'EOT'
tapgate: 'nobody' is no tap or network with a guest, and no lease has that host name; see: tapgate list
EOT
check 'a name of another domain' says 1 ip alpha.dev.internal <<'EOT'
tapgate: 'alpha.dev.internal' is no tap or network with a guest, and no lease has that host name; see: tapgate list
EOT
check 'a guest that has not spoken' says 1 ip quiet <<'EOT'
tapgate: no address of the guest on 'quiet' is known by leases or the host's neighbours; one with an address of its own is known once it has spoken with the host
EOT
check 'a hardware address that nobody has' says 1 ip 52:54:00:99:99:99 <<'EOT'
tapgate: no address of a guest '52:54:00:99:99:99' is known by leases or the host's neighbours; one with an address of its own is known once it has spoken with the host
EOT
check 'no word' says 2 ip <<'EOT'
tapgate: 'ip' lacks the guest's name, hardware address, tap or network; see: tapgate help ip
EOT
check 'two words' says 2 ip alpha beta <<'EOT'
tapgate: 'ip' has too many words; see: tapgate help ip
EOT
silent d1
check 'one of the same name on another network' guest d1 dev
check '... has a lease' lease d1 alpha
read -r d1 <"$TMPDIR/ip.d1"
check 'a name that two guests have' shows 1 "$TAPGATE" ip alpha <<EOT
tapgate: 'alpha' is 2 guests: alpha d1-mac (d1-tap, $d1), alpha h1-mac (h1-tap, $h1); name one by its tap or its hardware address
EOT
check '... with its domain' answers alpha.dev.internal "$d1"
check 'a second one on the network' lease h2 beta
check 'a network with two guests' shows 1 "$TAPGATE" ip lab <<EOT
tapgate: 'lab' is 2 guests: alpha h1-mac (h1-tap, $h1), beta h2-mac (h2-tap, $(cat "$TMPDIR/ip.h2")); name one by its tap or its hardware address
EOT
unplug d1
check 'one that has ended is known by its lease still' answers dev "$d1"
check '... also by its name, but one that runs comes first' answers alpha "$h1" fd00:2::7 "$link_local%lab"

# --- leases that somebody had a hand in -------------------------------------------------------------------------------

# In place: dnsmasq goes on with its own.
cp /run/tapgate/lab.leases "$TMPDIR/leases"
expiry=$(($(date +%s) + 1000))
h2mac=$(guest_mac h2)
leases() {
	printf '%b\n' "$@" >/run/tapgate/lab.leases
}
leases "$expiry $h2mac 172.16.2.50 a\\0033[2Jb\\0042c\\0047d\\0233e *" 'duid 00:01' \
	"$expiry 52:54:00:00:00:01 172.16.2.51 $h1tap *" "$expiry 52:54:00:00:00:02 172.16.2.52 lab *" \
	"$expiry 52:54:00:00:00:03 172.16.2.53 $h1mac *" "$(($(date +%s) - 1)) 52:54:00:00:00:04 172.16.2.54 late *" \
	"$expiry 1 fd00:2::1050 * 00:03:00:01:$h2mac" "$expiry 1 fd00:2::1051 gamma 00:04:00:01" "$(head -c 3000 /dev/zero | tr '\0' x)"
check 'a name with control bytes does nothing to the table' no_control_bytes "$TAPGATE" list
check '... and is told from others' grep -q ' a\\x1b\[2Jb\\x22c\\x27d\\x9be ' "$TMPDIR/raw"
check '... nor to JSON' no_control_bytes "$TAPGATE" list --json
check '... where it is the same' grep -qF '"name": "a\\x1b[2Jb\\x22c\\x27d\\x9be"' "$TMPDIR/raw"
check '... nor to what ip says' no_control_bytes "$TAPGATE" ip lab
check 'a name that is a tap does not take its place' answers "$h1tap" "$h1" fd00:2::7 "$link_local%lab"
check 'nor one that is a hardware address' answers "$h1mac" "$h1" fd00:2::7 "$link_local%lab"
check 'what has expired is not there' says 1 ip late <<'EOT'
tapgate: 'late' is no tap or network with a guest, and no lease has that host name; see: tapgate list
EOT
check 'IPv6, by an identifier that is a hardware address: the claim of a client' eval \
	'"$TAPGATE" ip --json "$h2mac" | grep -A 3 "\"fd00:2::1050\"" | grep "\"lease\""'
check '... is no address to go to' refuses eval '"$TAPGATE" ip "$h2mac" | grep fd00:2::1050'
check '... nor is one by another identifier' says 1 ip gamma <<'EOT'
tapgate: no address of the guest 'gamma' is known by leases or the host's neighbours; one with an address of its own is known once it has spoken with the host
EOT
chmod 600 /run/tapgate/lab.leases
unreadable() {
	as bob "$TAPGATE" ip gamma 2>&1
}
check 'leases that are not for all' shows 1 unreadable <<'EOT'
tapgate: 'gamma' is no tap or network with a guest, and no lease has that host name (not all leases could be read: Permission denied); see: tapgate list
EOT
check '... the list goes on' as bob "$TAPGATE" list
rm /run/tapgate/lab.leases
seq 100000 | awk "{ printf \"$expiry 1 fd00:2::%x:%x * 00:04:00:01\\n\", \$1 / 65536, \$1 % 65536 }" >/run/tapgate/lab.leases
check 'more leases than dnsmasq keeps hold nobody up' timeout 10 "$TAPGATE" list
check '... and are told of' shows 1 "$TAPGATE" ip gamma <<'EOT'
tapgate: 'gamma' is no tap or network with a guest, and no lease has that host name (not all leases could be read: File too large); see: tapgate list
EOT
rm /run/tapgate/lab.leases
mkfifo /run/tapgate/lab.leases
check 'what is no file is not waited for' timeout 10 "$TAPGATE" list
rm /run/tapgate/lab.leases
ln -s /etc/passwd /run/tapgate/lab.leases
check 'nor followed' shows 1 "$TAPGATE" ip gamma <<'EOT'
tapgate: 'gamma' is no tap or network with a guest, and no lease has that host name (not all leases could be read: Too many levels of symbolic links); see: tapgate list
EOT
rm /run/tapgate/lab.leases
cp "$TMPDIR/leases" /run/tapgate/lab.leases

# Who holds a tap can have any number of addresses behind it.
for octet in $(seq 10 89); do
	echo "fdb add 02:00:00:00:00:$octet dev $b1tap master static"
done | bridge -batch -
check 'many guests behind one tap' eval '"$TAPGATE" list br0 | grep " 17 guests more$" && [ "$("$TAPGATE" list br0 | wc -l)" = 65 ]'
check '... for programs' [ "$(value more_guests "$TAPGATE" list --json br0)" = 17 ]
for octet in $(seq 10 89); do
	echo "fdb del 02:00:00:00:00:$octet dev $b1tap master"
done | bridge -batch -
finish
