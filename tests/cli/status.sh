#!/bin/sh
# `tapgate status`, for people and for programs, for root and for others: every network of the policy, and what is left
# over of others.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# shows STATUS COMMAND WORD...: its output is standard input; numbers of processes are N
shows() {
	shows_status=$1
	shift
	cat >"$TMPDIR/expected"
	"$@" >"$TMPDIR/shown" 2>&1
	shows_came=$?
	[ "$shows_came" = "$shows_status" ] || echo "status $shows_came"
	sed -E 's/\(([0-9]+)\)/(N)/; s/vmm [0-9]+/vmm N/; s/"(vmm|pid)": [0-9]+/"\1": N/
		s/\<tg[0-9a-z]+-[0-9]+\>/TAP/' "$TMPDIR/shown" | diff "$TMPDIR/expected" - &&
		[ "$shows_came" = "$shows_status" ]
}

policy - <<'EOT'
allow all user=alice,bob
network lab   host-only  172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100
network quiet internal
network web   nat        10.77.0.1/24
network tap1  standalone 172.16.3.1/24 fd00:3::1/64
network cell  standalone 172.16.128.0/17 per-vm=/30
network br0   bridged
EOT

check 'where nothing stands' shows 1 "$TAPGATE" status <<'EOT'
lab              host-only   missing
  not made yet, is to have 172.16.2.1/24 fd00:2::1/64; run 'tapgate up'
  guard   missing
  dhcp    172.16.2.2-172.16.2.100, dnsmasq is stopped, 0 of 99 leases in use
quiet            internal    missing
  not made yet; run 'tapgate up'
  guard   missing
web              nat         missing
  not made yet, is to have 10.77.0.1/24; run 'tapgate up'
  guard   missing
tap1             standalone  missing  172.16.3.1/24 fd00:3::1/64
  not made yet; run 'tapgate up'
  guard   missing
cell             standalone  missing  172.16.128.0/17
  not made yet; run 'tapgate up'
  guard   missing
br0              bridged     missing
  no such bridge; make it, as with: ip link add br0 type bridge && ip link set br0 up
EOT
check 'status changes nothing' refuses test -e /run/tapgate
"$TAPGATE" up >/dev/null
check 'one that is not there counts' refuses "$TAPGATE" status
check 'if it is asked for' "$TAPGATE" status lab quiet web tap1 cell
ip link add br0 type bridge
check 'a bridge of others that is down' shows 1 "$TAPGATE" status br0 <<'EOT'
br0              bridged     down
  the bridge is down; run: ip link set br0 up
EOT
ip link set quiet down
check '... and one of ours' shows 1 "$TAPGATE" status quiet <<'EOT'
quiet            internal    down
  the bridge is down; run 'tapgate up'
  guard   stands
EOT
ip link set quiet up
ip addr add 192.0.2.1/24 dev br0
ip link set br0 addrgenmode none
ip link set br0 up
ip link add other type veth peer name far
ip link set other addrgenmode none
ip link set other master lab

check 'a guest on each' guest h1 lab
check '... internal' guest i1 quiet
check '... standalone' guest s1 tap1
check '... in the pool' guest c1 cell
check '... bridged' guest b1 br0
# A tap whose alias only looks like ours is not.
ip tuntap add fake mode tap
ip link set fake alias 'tapgate uid=0 net=lab vmm=x' master lab

check 'with guests: for people' shows 1 "$TAPGATE" status <<'EOT'
lab              host-only   different  172.16.2.1/24 fd00:2::1/64 fe80::1/64
  not as wanted: ports (one is not a tap of the network); run 'tapgate up'
  guard   stands
  dhcp    172.16.2.2-172.16.2.100, dnsmasq is running (N), 0 of 99 leases in use
  member  other, not tapgate's
  member  fake, not tapgate's
  member  TAP, user alice, vmm N
quiet            internal    up
  guard   stands
  member  TAP, user alice, vmm N
web              nat         up  10.77.0.1/24
  guard   stands
tap1             standalone  up  172.16.3.1/24 fd00:3::1/64
  guard   stands
  member  tap1, user alice, vmm N, 172.16.3.1/24 fd00:3::1/64
cell             standalone  up  172.16.128.0/17
  guard   stands
  member  cell-1, user alice, vmm N, 172.16.128.1/30
br0              bridged     up  192.0.2.1/24
  member  TAP, user alice, vmm N
EOT

json() { # what status --json prints
	cat <<-'EOT'
		{
		  "networks": [
		    {
		      "name": "lab",
		      "mode": "host-only",
		      "file": "/etc/tapgate.conf",
		      "line": 2,
		      "state": "different",
		      "difference": "ports (one is not a tap of the network)",
		      "interface": "lab",
		      "addresses": [
		        "172.16.2.1/24",
		        "fd00:2::1/64",
		        "fe80::1/64"
		      ],
		      "guard": "stands",
		      "dhcp": {
		        "state": "running",
		        "first": "172.16.2.2",
		        "last": "172.16.2.100",
		        "pid": N,
		        "leases_room": 99,
		        "leases_used": 0
		      },
		      "members": [
		        {
		          "interface": "other",
		          "uid": null,
		          "user": null,
		          "vmm": null,
		          "addresses": []
		        },
		        {
		          "interface": "fake",
		          "uid": null,
		          "user": null,
		          "vmm": null,
		          "addresses": []
		        },
		        {
		          "interface": "TAP",
		          "uid": 1000,
		          "user": "alice",
		          "vmm": N,
		          "addresses": []
		        }
		      ]
		    },
		    {
		      "name": "quiet",
		      "mode": "internal",
		      "file": "/etc/tapgate.conf",
		      "line": 3,
		      "state": "up",
		      "difference": null,
		      "interface": "quiet",
		      "addresses": [],
		      "guard": "stands",
		      "dhcp": null,
		      "members": [
		        {
		          "interface": "TAP",
		          "uid": 1000,
		          "user": "alice",
		          "vmm": N,
		          "addresses": []
		        }
		      ]
		    },
		    {
		      "name": "tap1",
		      "mode": "standalone",
		      "file": "/etc/tapgate.conf",
		      "line": 5,
		      "state": "up",
		      "difference": null,
		      "interface": null,
		      "addresses": [],
		      "guard": "stands",
		      "dhcp": null,
		      "members": [
		        {
		          "interface": "tap1",
		          "uid": 1000,
		          "user": "alice",
		          "vmm": N,
		          "addresses": [
		            "172.16.3.1/24",
		            "fd00:3::1/64"
		          ]
		        }
		      ]
		    },
		    {
		      "name": "br0",
		      "mode": "bridged",
		      "file": "/etc/tapgate.conf",
		      "line": 7,
		      "state": "up",
		      "difference": null,
		      "interface": "br0",
		      "addresses": [
		        "192.0.2.1/24"
		      ],
		      "guard": "none",
		      "dhcp": null,
		      "members": [
		        {
		          "interface": "TAP",
		          "uid": 1000,
		          "user": "alice",
		          "vmm": N,
		          "addresses": []
		        }
		      ]
		    }
		  ]
		}
	EOT
}
json >"$TMPDIR/json"
check 'with guests: for programs' shows 1 "$TAPGATE" status --json lab quiet tap1 br0 <"$TMPDIR/json"
sed 's/"stands"/"unknown"/; s/"state": "running"/"state": "unknown"/; s/"pid": N,/"pid": null,/' "$TMPDIR/json" >"$TMPDIR/json.alice"
check 'alice sees all but guards' shows 1 as_alice "$TAPGATE" status --json lab quiet tap1 br0 <"$TMPDIR/json.alice"
check 'alice, for people' shows 1 as_alice "$TAPGATE" status quiet tap1 lab <<'EOT'
lab              host-only   different  172.16.2.1/24 fd00:2::1/64 fe80::1/64
  not as wanted: ports (one is not a tap of the network); run 'tapgate up'
  guard   unknown (only root can see it)
  dhcp    172.16.2.2-172.16.2.100, dnsmasq unknown (only root can see it), 0 of 99 leases in use
  member  other, not tapgate's
  member  fake, not tapgate's
  member  TAP, user alice, vmm N
quiet            internal    up
  guard   unknown (only root can see it)
  member  TAP, user alice, vmm N
tap1             standalone  up  172.16.3.1/24 fd00:3::1/64
  guard   unknown (only root can see it)
  member  tap1, user alice, vmm N, 172.16.3.1/24 fd00:3::1/64
EOT

nothing_else() { # the words of the manual, and no other
	for key in name mode file line state difference interface addresses guard dhcp members user; do
		grep -qw "$key" "$top/man/tapgate.8" || {
			echo "tapgate(8) does not know '$key'"
			return 1
		}
	done
}
check 'the manual has each member of it' nothing_else

ip tuntap add tg9-9 mode tap
ip link set tg9-9 alias 'tapgate uid=1500 net=quiet vmm=9' master quiet
check 'a user without a name is a number' shows 0 sh -c "'$TAPGATE' status quiet | grep 1500" <<'EOT'
  member  TAP, user 1500, vmm N
EOT
ip link del tg9-9

# --- what differs -----------------------------------------------------------------------------------------------------

ip link del fake
ip link del other
nft add chain netdev tapgate-quiet new
nft delete table inet tapgate-tap1
ip addr add 10.0.0.1/8 dev web
kill "$(pid_of lab)"
wait_for 5 serves_nothing lab
check 'what differs, for people' shows 1 "$TAPGATE" status lab quiet web tap1 cell <<'EOT'
lab              host-only   different  172.16.2.1/24 fd00:2::1/64 fe80::1/64
  not as wanted: DHCP; run 'tapgate up'
  guard   stands
  dhcp    172.16.2.2-172.16.2.100, dnsmasq is stopped, 0 of 99 leases in use
  member  TAP, user alice, vmm N
quiet            internal    different
  not as wanted: guard; run 'tapgate up'
  guard   changed
  member  TAP, user alice, vmm N
web              nat         different  10.77.0.1/24 10.0.0.1/8
  not as wanted: addresses; run 'tapgate up'
  guard   stands
tap1             standalone  missing  172.16.3.1/24 fd00:3::1/64
  not made yet; run 'tapgate up'
  guard   missing
  member  tap1, user alice, vmm N, 172.16.3.1/24 fd00:3::1/64
cell             standalone  up  172.16.128.0/17
  guard   stands
  member  cell-1, user alice, vmm N, 172.16.128.1/30
EOT
differs() { # differs NETWORK: what of it, by --json
	"$TAPGATE" status --json "$1" | sed -n 's/^ *"difference": //p'
}
check 'what differs, for programs' \
	[ "$(differs lab) $(differs quiet) $(differs web)" = '"DHCP", "guard", "addresses",' ]
check 'up puts it right' "$TAPGATE" up
check 'and all are up' "$TAPGATE" status

# --- left over --------------------------------------------------------------------------------------------------------

unplug h1
unplug i1
unplug s1
unplug c1
sed -i '/^network \(lab\|quiet\|tap1\) /d; s/^network cell .*/network cell bridged/' /etc/tapgate.conf
check 'networks that the policy no longer has, for people' shows 1 "$TAPGATE" status <<'EOT'
web              nat         up  10.77.0.1/24
  guard   stands
cell             bridged     missing
  no such bridge; make it, as with: ip link add cell type bridge && ip link set cell up
br0              bridged     up  192.0.2.1/24
  member  TAP, user alice, vmm N
lab              (unknown)   left over  172.16.2.1/24 fd00:2::1/64 fe80::1/64
  not as wanted: in the policy no more; run 'tapgate up'
quiet            (unknown)   left over
  not as wanted: in the policy no more; run 'tapgate up'
cell             (unknown)   left over
  not as wanted: in the policy no more; run 'tapgate up'
tap1             (unknown)   left over
  not as wanted: in the policy no more; run 'tapgate up'
EOT
left_over() {
	"$TAPGATE" status --json | grep -A 5 '"name": "lab"'
}
check 'networks that the policy no longer has, for programs' shows 0 left_over <<'EOT'
      "name": "lab",
      "mode": null,
      "file": null,
      "line": null,
      "state": "left over",
      "difference": "in the policy no more",
EOT
check 'alice sees what she can of them' refuses as_alice "$TAPGATE" status
cp /etc/tapgate.conf "$TMPDIR/policy"
echo 'network lab host-only 172.16.2.1/24 fd00:2::1/64' >/etc/bob.conf
chmod 640 /etc/bob.conf
echo 'include /etc/bob.conf' >>/etc/tapgate.conf
says_left_over() {
	"$@" "$TAPGATE" status | grep 'left over'
}
check 'what alice may not read may be the line of a network' refuses says_left_over as_alice
check 'root reads it' says_left_over
check 'alice is told that there may be more' shows 0 as_alice sh -c "'$TAPGATE' status web lab; '$TAPGATE' networks" <<'EOT'
tapgate: no network 'lab' in /etc/tapgate.conf; see: tapgate networks
web
cell
br0
tapgate: uid 1000 may not read '/etc/bob.conf', so networks that it names are not shown; an administrator can open it to its readers (chgrp and chmod 640, or chmod 644)
EOT
chmod 600 /etc/tapgate.conf
check '... also if it is the whole policy' shows 0 as_alice "$TAPGATE" status <<'EOT'
tapgate: uid 1000 may not read '/etc/tapgate.conf', so networks that it names are not shown; an administrator can open it to its readers (chgrp and chmod 640, or chmod 644)
EOT
mv "$TMPDIR/policy" /etc/tapgate.conf
"$TAPGATE" up >/dev/null
check 'up removes them' shows 1 "$TAPGATE" status <<'EOT'
web              nat         up  10.77.0.1/24
  guard   stands
cell             bridged     missing
  no such bridge; make it, as with: ip link add cell type bridge && ip link set cell up
br0              bridged     up  192.0.2.1/24
  member  TAP, user alice, vmm N
EOT
policy '# nothing'
"$TAPGATE" up >/dev/null
check 'without networks, for people' shows 0 "$TAPGATE" status <<'EOT'
no network in /etc/tapgate.conf
EOT
check 'without networks, for programs' shows 0 "$TAPGATE" status --json <<'EOT'
{
  "networks": []
}
EOT
finish
