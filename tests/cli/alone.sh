#!/bin/sh
# SPDX-License-Identifier: MIT
# DHCP on standalone networks: the guest of each tap gets that tap's address, and what the network's line says beside it,
# from tapgate-dhcp; whoever had the tap before, whatever the guest asks for. A tap of a pool that comes when the server
# runs is served; another interface is not, nor is what a relay would send. `tapgate ip` knows guests by their lines.
# shellcheck disable=SC2016,SC2154 # words for eval; busybox and top are lib.sh's and cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

cat >"$TMPDIR/told" <<'EOT'
#!/bin/sh
[ "$1" != bound ] || env | grep -E '^(ip|mask|router|dns|ntpsrv|search|lease|domain|hostname|mtu|serverid)=' | sort
[ "$1" != bound ] || ip addr replace "$ip/$mask" dev "$interface"
EOT
chmod 755 "$TMPDIR/told"

asks() { # asks GUEST [WORD...]: by DHCP, as the words of udhcpc have it; prints what it is told
	asks_guest=$1
	shift
	in_netns "$asks_guest" timeout 15 "$busybox" udhcpc -i eth0 -n -q -f -t 5 -T 2 -O search -O ntpsrv -O mtu \
		-O hostname "$@" -s "$TMPDIR/told" 2>/dev/null
}

told() { # told GUEST LINE...: these lines, and no other but for the server and the lease's time
	told_guest=$1
	shift
	asks "$told_guest" | grep -v -e '^serverid=' -e '^lease=' >"$TMPDIR/came"
	printf '%s\n' "$@" | sort | diff - "$TMPDIR/came"
}

nothing_for() { # nothing_for GUEST [WORD...]: it is told nothing
	in_netns "$1" timeout 5 "$busybox" udhcpc -i eth0 -n -q -f -t 2 -T 1 -s "$TMPDIR/told" >"$TMPDIR/came" 2>/dev/null
	[ ! -s "$TMPDIR/came" ]
}

server_of() { # server_of NETWORK: its process, by the kernel
	ss -Hlnup sport = 67 | grep -o 'pid=[0-9]*' | cut -d = -f 2 | while read -r pid; do
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q " serve $1 " && echo "$pid"
	done
}

networks() { # networks WORD...: a policy with these words on the pool's line
	policy 'allow all user=alice' 'network tap1 standalone 172.16.3.1/24 fd00:3::1/64 dhcp=auto' \
		'guest box on tap1 mac=52:54:00:12:00:05 ip=172.16.3.5' \
		'network tap2 standalone 172.16.4.1/24 fd00:4::1/64' 'guest hand on tap2 ip=172.16.4.9 ip6=fd00:4::9' \
		'guest vat on cell mac=52:54:00:12:00:07' \
		"network cell standalone 172.16.128.0/29 per-vm=/30 $*"
	"$TAPGATE" up
}
mac() { # mac GUEST ADDRESS
	ip -n "$1" link set eth0 address "$2"
}

networks dhcp=auto >"$TMPDIR/up"
check 'up starts a server for each' eval "grep -c 'started tapgate-dhcp' $TMPDIR/up | grep -x 2"
check '... and then there is nothing to do' says_nothing_changed
check 'status says so' eval "\$TAPGATE status | grep -c \"dhcp *each tap's own address, tapgate-dhcp is running\" | grep -x 2"
check 'check --live has nothing to say of them' eval '! "$TAPGATE" check --live 2>&1 | grep -e tap1 -e cell'
check 'the server has no privilege, and one descriptor' eval 'pid=$(server_of cell)
	grep -q "^CapEff:.0*\$" /proc/$pid/status && grep -q "^NoNewPrivs:.1" /proc/$pid/status &&
		! grep -q "^Uid:.0" /proc/$pid/status && [ "$(ls /proc/$pid/fd | tr "\n" " ")" = "0 1 3 " ]'

# Taps that come when it runs, each with its own address.
guest c1 cell
guest c2 cell
guest t1 tap1
check 'the first subnet' told c1 ip=172.16.128.2 mask=30
check 'the second' told c2 ip=172.16.128.6 mask=30
check 'a network that is no pool' told t1 ip=172.16.3.2 mask=24
check 'the host reaches its guest' "$busybox" ping -c 1 -W 5 172.16.128.6
check 'tapgate ip knows it' eval '"$TAPGATE" ip cell-2 | grep -x 172.16.128.6'
check 'explain says that addresses come by DHCP' eval '"$TAPGATE" explain --user alice cell | grep "none of its subnets"
	unplug c2 && "$TAPGATE" explain --user alice cell | grep "guest *172.16.128.6/30 by DHCP"'

# An address is the tap's: a subnet that another guest asks for is refused, and the next machine has it at once.
check 'a guest that wants the address of another subnet has its own' eval 'asks c1 -r 172.16.128.6 | grep -x ip=172.16.128.2'
check 'hardware addresses that a guest makes up use nothing up' eval 'for i in 1 2 3; do
		mac c1 02:00:00:00:01:0$i && told c1 ip=172.16.128.2 mask=30 || exit 1; done'
unplug c1
guest c1 cell
check 'the next machine on the tap has the address at once' told c1 ip=172.16.128.2 mask=30
guest c2 cell

# Messages that are no client's of this tap: by hand, as udhcpc sends none.
send() { # send GUEST GIADDR WANTED: a DHCPREQUEST; prints the type of the answer and its yiaddr, if one comes
	in_netns "$1" python3 - "$2" "$3" <<-'EOT'
		import socket, sys
		giaddr, wanted = (socket.inet_aton(word) for word in sys.argv[1:])
		client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
		client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
		client.bind(("", 68))
		client.settimeout(1)
		client.sendto(b"\1\1\6\0tapg" + bytes(16) + giaddr + b"\2\0\0\0\0\1" + bytes(202) + b"\x63\x82\x53\x63" +
		              b"\x35\1\3\x32\4" + wanted + b"\xff", ("255.255.255.255", 67))
		answer = client.recv(1500)
		print(answer[242], socket.inet_ntoa(answer[16:20]))
	EOT
}
check 'a request for the own address is granted' eval '[ "$(send c1 0.0.0.0 172.16.128.2)" = "5 172.16.128.2" ]'
check '... for that of another subnet is denied' eval '[ "$(send c1 0.0.0.0 172.16.128.6)" = "6 0.0.0.0" ]'
check '... and by a relay is not answered' eval '! send c1 172.16.128.5 172.16.128.6 2>/dev/null'
flood() { # flood GUEST: a hundred at once; how many are answered
	in_netns "$1" python3 - <<-'EOT'
		import socket
		client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
		client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
		client.bind(("", 68))
		client.settimeout(1)
		for i in range(100):
		    client.sendto(b"\1\1\6\0tapg" + bytes(20) + b"\2\0\0\0\0\1" + bytes(202) + b"\x63\x82\x53\x63\x35\1\1\xff",
		                  ("255.255.255.255", 67))
		count = 0
		try:
		    while True:
		        client.recv(1500)
		        count += 1
		except socket.timeout:
		    print(count)
	EOT
}
check 'of a hundred at once the guard lets some twenty through' eval 'n=$(flood c1); echo "$n"; [ "$n" -ge 10 ] && [ "$n" -le 60 ]'
check '... and the neighbour is served meanwhile' told c2 ip=172.16.128.6 mask=30
check 'control: without the guard all are answered' eval 'sleep 1; nft flush chain inet tapgate-cell dhcp
	n=$(flood c1); echo "$n"; [ "$n" -ge 90 ]'
"$TAPGATE" up >/dev/null
ip netns add c2x
ip link add cell-9 type veth peer name eth0 netns c2x
ip addr add 172.16.128.9/30 dev cell-9
ip link set cell-9 up
ip -n c2x link set eth0 up
check 'an interface that only has such a name is not served' nothing_for c2x
ip link del cell-9

# A firewall that drops what nobody lets in, as Docker and others leave it: up lets DHCP in by the taps.
nft add table ip filter
nft 'add chain ip filter INPUT { type filter hook input priority filter; policy drop; }'
check 'behind a firewall that drops, nobody is served' nothing_for c1
check '... until up lets it in' eval '"$TAPGATE" up && told c1 ip=172.16.128.2 mask=30'
nft delete table ip filter

# The guest of a line.
mac t1 52:54:00:12:00:05
check 'a guest with a line has the address and the name of its line' told t1 ip=172.16.3.5 mask=24 hostname=box
mac t1 52:54:00:12:00:06
check '... and another one has neither' told t1 ip=172.16.3.2 mask=24

# Names of lines: of a machine that is not there, of one that is, of one whose subnet of a pool is another each time.
knows() { # knows NAME ADDRESS...: by that name, these addresses
	knows_name=$1
	shift
	printf '%s\n' "$@" >"$TMPDIR/expected"
	"$TAPGATE" ip "$knows_name" 2>&1 | diff "$TMPDIR/expected" -
}
sources() { # sources NAME LIST: of its first address
	"$TAPGATE" ip --json "$1" | jq -e ".name == \"$1\" and .addresses[0].sources == $2"
}
check 'a guest that is not there, but another one: the address of its line' eval '"$busybox" ping -c 1 -W 5 172.16.3.2 &&
	knows box 172.16.3.5'
check '... which nobody has heard' sources box '[]'
check '... and one without DHCP' knows hand 172.16.4.9 fd00:4::9
check '... by its whole name, too' knows hand.tap2.internal 172.16.4.9 fd00:4::9
check 'one without an address of its own' knows vat "tapgate: no address of the guest 'vat' is known by leases or the host's neighbours; one with an address of its own is known once it has spoken with the host"
check 'control: a name that no line has' eval '"$TAPGATE" ip cask 2>&1 | grep "no lease has that host name"'
check 'control: a line of a network that has a dnsmasq names nobody' eval 'cp /etc/tapgate.conf "$TMPDIR/before"
	printf "%s\n" "network lab host-only 172.16.2.1/24 dhcp=auto" "guest cask on lab mac=52:54:00:12:00:09 ip=172.16.2.9" \
		>>/etc/tapgate.conf; "$TAPGATE" ip cask; status=$?; cp "$TMPDIR/before" /etc/tapgate.conf; [ "$status" = 1 ]'
mac t1 52:54:00:12:00:05
check 'it is there' eval 'told t1 ip=172.16.3.5 mask=24 hostname=box && "$busybox" ping -c 1 -W 5 172.16.3.5 &&
	knows box 172.16.3.5'
check '... by its tap' sources box '["neighbour"]'
guest hand tap2 172.16.4.9/24
check 'one by hand, by its address' eval '"$busybox" ping -c 1 -W 5 172.16.4.9 && sources hand "[\"neighbour\"]" &&
	"$TAPGATE" ip --json hand | jq -e ".interface == \"tap2\""'
mac c2 52:54:00:12:00:07
check 'a guest of a pool with a line has its name' eval 'told c2 ip=172.16.128.6 mask=30 hostname=vat &&
	"$busybox" ping -c 1 -W 5 172.16.128.6 && knows vat 172.16.128.6'
unplug c1
unplug c2
guest c1 cell
mac c1 52:54:00:12:00:07
check '... also in the next subnet that is free' eval 'told c1 ip=172.16.128.2 mask=30 hostname=vat &&
	"$busybox" ping -c 1 -W 5 172.16.128.2 && knows vat 172.16.128.2'
mac c1 52:54:00:12:00:08
guest c2 cell
check '... and another one has not' told c2 ip=172.16.128.6 mask=30

# What else the line says.
check 'up: words' networks dhcp=auto router=host dns=host ntp=172.16.128.1 domain=lab.example search=a.example,b.example \
	lease=2h mtu=1400
check 'they are told' told c1 ip=172.16.128.2 mask=30 router=172.16.128.1 dns=172.16.128.1 ntpsrv=172.16.128.1 \
	domain=lab.example 'search=a.example b.example' mtu=1400
check '... with the host of each tap' eval 'asks c2 | tee "$TMPDIR/came"; grep -x router=172.16.128.5 "$TMPDIR/came" &&
	grep -x serverid=172.16.128.5 "$TMPDIR/came" && grep -x lease=7200 "$TMPDIR/came"'

# It is kept.
pid=$(server_of cell)
kill -9 "$pid"
check 'killed, it is started again' wait_for 10 eval '[ -n "$(server_of cell)" ] && [ "$(server_of cell)" != "$pid" ]'
check '... and serves' told c1 ip=172.16.128.2 mask=30 router=172.16.128.1 dns=172.16.128.1 ntpsrv=172.16.128.1 \
	domain=lab.example 'search=a.example b.example' mtu=1400
kill -STOP "$(server_of cell)"
stands_still() {
	"$TAPGATE" status cell | grep 'tapgate-dhcp is deaf'
}
check 'stopped, it is not called up' eval 'wait_for 5 stands_still && refuses "$TAPGATE" status cell'
check '... and up starts it anew' "$TAPGATE" up
check '... which serves' told c1 ip=172.16.128.2 mask=30 router=172.16.128.1 dns=172.16.128.1 ntpsrv=172.16.128.1 \
	domain=lab.example 'search=a.example b.example' mtu=1400
pid=$(server_of cell)
kill -9 "$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 2)"
check 'it ends with its keeper' wait_for 5 eval '[ -z "$(server_of cell)" ]'
check '... which up mends' eval 'finds "cell different DHCP" && "$TAPGATE" up | grep "cell: started tapgate-dhcp" && says_nothing_changed'
check 'without dhcp= the server ends' eval 'networks >"$TMPDIR/up" && grep -x "cell: stopped tapgate-dhcp" "$TMPDIR/up" &&
	[ -z "$(server_of cell)" ] && nothing_for c1'
check 'down leaves none' eval '"$TAPGATE" down | grep -x "tap1: stopped tapgate-dhcp" && [ -z "$(server_of tap1)" ] && ! ss -Hlnu sport = 67 | grep .'
finish
