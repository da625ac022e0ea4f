#!/bin/sh
# `tapgate explain`: the verdict, its rule and grants, how much is used and how the network stands, for people and for
# programs; who may ask about whom; and words that QEMU takes as they are. That the verdict is the helper's on whatever
# policy is tested in tests/differential/explain.
# shellcheck disable=SC2016 # words for eval
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"

# prints STATUS COMMAND WORD...: it exits so, and its output, both streams, is exactly standard input
prints() {
	prints_status=$1
	shift
	cat >"$TMPDIR/expected"
	"$@" >"$TMPDIR/printed" 2>&1 </dev/null
	prints_came=$?
	[ "$prints_came" = "$prints_status" ] || echo "status $prints_came"
	diff "$TMPDIR/expected" "$TMPDIR/printed" && [ "$prints_came" = "$prints_status" ]
}

policy - <<'EOT'
network lab   host-only  172.16.2.1/24 dhcp=172.16.2.2-172.16.2.100
network quiet internal
network web   nat        10.77.0.1/24 mtu=1400
network tap1  standalone 172.16.3.1/24
network cell  standalone 172.16.128.0/17 per-vm=/30 queues=2
network br0   bridged    isolated queues=2
allow lab user=alice max=2
allow br0 user=alice lock-mac
allow br1 user=alice mac=52:54:00:12:34:56
allow web user=alice queues=4
allow tap1 user=alice
allow cell user=alice
deny quiet user=alice
include /etc/qemu/bob.conf
allow br0 group=guests mtu=1400 guard vlan=7
allow lab group=students max=3
EOT
echo 'allow br9' >/etc/qemu/bob.conf
chown root:bob /etc/qemu/bob.conf
chmod 640 /etc/qemu/bob.conf
for bridge in br0 br1 br2; do
	ip link add "$bridge" type bridge forward_delay 0
done
ip link set br0 up
ip link set br1 up
"$TAPGATE" up >/dev/null

# --- for people -------------------------------------------------------------------------------------------------------

qemu() { # qemu NETWORK [MAC]: what is said of it without lock-mac
	echo "-netdev bridge,id=n0,br=$1,helper=$HELPER -device virtio-net-pci,netdev=n0${2+,mac=$2}"
}

check 'a user about all networks' prints 0 as alice "$TAPGATE" explain <<EOT
lab: allowed by /etc/tapgate.conf:7 (allow lab user=alice max=2)
  grants   max=2 by /etc/tapgate.conf:7
  taps     0 of 2 in use
  network  host-only, up (only root can see whether its guard stands)
  guest    172.16.2.2-172.16.2.100 by DHCP
  qemu     $(qemu lab 22:fd:d4:18:77:01)
quiet: denied: uid 1000 may not use 'quiet': denied by /etc/tapgate.conf:13 (deny quiet user=alice)
web: allowed by /etc/tapgate.conf:10 (allow web user=alice queues=4)
  grants   queues=4 by /etc/tapgate.conf:10; mtu=1400 by /etc/tapgate.conf:3; isolated by its mode
  taps     0 in use, no limit
  network  nat, up (only root can see whether its guard stands)
  guest    by hand, of the host's subnet: 10.77.0.1/24 is the host's
  qemu     $(qemu web 0a:71:0b:9e:77:01)
  queues   tapgate run --net web --queues 4 -- qemu-system-x86_64 -netdev tap,id=n0,fds={fds} -device virtio-net-pci,netdev=n0,mac={mac},mq=on,vectors=10
tap1: allowed by /etc/tapgate.conf:11 (allow tap1 user=alice)
  taps     0 in use, no limit
  network  standalone, up (only root can see whether its guard stands)
  guest    172.16.3.2/24 by hand
  qemu     $(qemu tap1)
cell: allowed by /etc/tapgate.conf:12 (allow cell user=alice)
  grants   queues=2 by /etc/tapgate.conf:5
  taps     0 in use, no limit
  network  standalone, up (only root can see whether its guard stands)
  guest    172.16.128.2/30 by hand
  qemu     $(qemu cell)
  queues   tapgate run --net cell --queues 2 -- qemu-system-x86_64 -netdev tap,id=n0,fds={fds} -device virtio-net-pci,netdev=n0,mac={mac},mq=on,vectors=6
br0: allowed by /etc/tapgate.conf:8 (allow br0 user=alice lock-mac)
  grants   lock-mac by /etc/tapgate.conf:8; queues=2 isolated by /etc/tapgate.conf:6
  taps     0 in use, no limit
  network  bridged, up
  qemu     -netdev bridge,id=n0,br=br0,helper="$HELPER --mac=2a:27:1c:5f:77:01" -device virtio-net-pci,netdev=n0,mac=2a:27:1c:5f:77:01
  queues   tapgate run --net br0 --queues 2 -- qemu-system-x86_64 -netdev tap,id=n0,fds={fds} -device virtio-net-pci,netdev=n0,mac={mac},mq=on,vectors=6
br1: allowed by /etc/tapgate.conf:9 (allow br1 user=alice mac=52:54:00:12:34:56)
  grants   mac=52:54:00:12:34:56 lock-mac by /etc/tapgate.conf:9
  taps     0 in use, no limit
  network  bridged, up
  qemu     $(qemu br1 52:54:00:12:34:56)
/etc/qemu/bob.conf says nothing to uid 1000, who may not read it
EOT
readme() { # readme NETWORK: what README, under Networks, has for it is what is said
	sed -n "/^## Networks/,/^## QEMU/s|^    \(-netdev bridge,id=n0,br=$1,\)|\1|p" "$top/README.md" >"$TMPDIR/readme"
	[ -s "$TMPDIR/readme" ] && as alice "$TAPGATE" explain "$1" | sed -n 's/^  qemu *\(-netdev [^ ]*\) .*/\1/p' |
		sed "s|$HELPER|/usr/libexec/tapgate-helper|" | diff "$TMPDIR/readme" -
}
for network in lab tap1; do
	check "README's words for $network are these" readme $network
done
check 'root about another user, who may read more' prints 0 "$TAPGATE" explain --user bob lab br9 <<EOT
lab: allowed by /etc/tapgate.conf:16 (allow lab group=students max=3)
  grants   max=3 by /etc/tapgate.conf:16
  taps     0 of 3 in use
  network  host-only, up
  guest    172.16.2.2-172.16.2.100 by DHCP
  qemu     $(qemu lab 66:16:7e:ad:b8:01)
br9: allowed by /etc/qemu/bob.conf:1 (allow br9)
  taps     0 in use, no limit
  network  bridged, missing; an administrator can run: ip link add br9 type bridge && ip link set br9 up
  qemu     $(qemu br9 36:c9:d0:a2:b8:01)
EOT
check 'a group by NSS, and what its rule grants' prints 0 "$TAPGATE" explain --user=carol br0 <<EOT
br0: allowed by /etc/tapgate.conf:15 (allow br0 group=guests mtu=1400 guard vlan=7)
  grants   guard vlan=7 mtu=1400 by /etc/tapgate.conf:15; queues=2 isolated by /etc/tapgate.conf:6
  taps     0 in use, no limit
  network  bridged, up
  qemu     $(qemu br0 "$("$TAPGATE" explain --json --user carol br0 | sed -n 's/.*"mac": "\(.*\)".*/\1/p')")
  queues   tapgate run --net br0 --queues 2 -- qemu-system-x86_64 -netdev tap,id=n0,fds={fds} -device virtio-net-pci,netdev=n0,mac={mac},mq=on,vectors=6
EOT

# refused STATUS SENTENCE WORD...: explain exits so, with that line alone
refused() {
	refused_status=$1 refused_line=$2
	shift 2
	echo "$refused_line" | prints "$refused_status" "$@"
}

# What the helper says to USER who asks for a network.
helper_says() { # helper_says USER NETWORK
	as "$1" "$CALL" "$HELPER" "--br=$2" '--fd={fd}' 2>&1 >/dev/null | sed 's/^tapgate-helper: //'
}

check 'a denial in the words of the helper' \
	refused 3 "quiet: denied: $(helper_says alice quiet)" as alice "$TAPGATE" explain quiet
check '... where no rule is' refused 3 "web: denied: $(helper_says carol web)" "$TAPGATE" explain --user carol web
check '... with the file that hides something' sh -c "'$TAPGATE' explain --user carol web | grep -q bob.conf"
check 'a number without a name has no groups' refused 3 \
	"lab: denied: uid 1500 may not use 'lab': no rule that this user may read allows it ('/etc/qemu/bob.conf' is not readable); an administrator can add 'allow lab user=#1500' to /etc/tapgate.conf" \
	"$TAPGATE" explain --user '#1500' lab
check 'a number with a name has its groups' sh -c "'$TAPGATE' explain --user '#1001' lab | grep -q '^lab: allowed by'"
check 'root about itself' sh -c "'$TAPGATE' explain lab br9 | grep -q '^br9: allowed by /etc/qemu/bob.conf:1'"
check 'one of several is denied: 3' sh -c "'$TAPGATE' explain --user alice lab quiet >/dev/null; [ \$? = 3 ]"
check 'all are allowed: 0' "$TAPGATE" explain --user alice lab web
check 'nothing is named, and some denied: 0' "$TAPGATE" explain --user carol

# --- as it stands -----------------------------------------------------------------------------------------------------

line() { # line WORD NETWORK [USER]: the line of an explanation that begins so, as root
	"$TAPGATE" explain --user "${3-alice}" "$2" | sed -n "s/^  $1 *//p"
}

line_is() { # line_is EXPECTED WORD NETWORK [USER]
	line_expected=$1
	shift
	line_came=$(line "$@")
	[ "$line_came" = "$line_expected" ] || {
		echo "$line_came"
		return 1
	}
}

for network in tap1 cell; do
	# shellcheck disable=SC1083 # braces of `tapgate run`
	check "the guest's address on $network is what {ip} becomes" \
		line_is "$(as alice "$TAPGATE" run --net $network -- echo {ip}) by hand" guest $network
done
wait_for 10 no_taps
check 'a guest' guest g1 lab
check '... is counted' line_is '1 of 2 in use' taps lab
check '... for its user alone' line_is '0 of 3 in use' taps lab bob
check '... on its network alone' line_is '0 in use, no limit' taps web
check 'one more' guest g2 lab
check '... and none is left' \
	line_is '2 of 2 in use; end a virtual machine first, or have the limit raised' taps lab
check 'where the helper says so' sh -c "'$CALL' true >/dev/null
	setpriv --reuid alice --regid alice --init-groups '$CALL' '$HELPER' --br=lab --fd='{fd}' 2>&1 |
		grep -q 'has reached max=2'"
unplug g1
check '... until one ends' line_is '1 of 2 in use' taps lab

# leave NETWORK: a persistent tap of alice's that nobody holds
leave() {
	as alice "$TAPGATE" run --net "$1" -- "$top/build/tests/cli/hold" '{fd}' persist >/dev/null
}
own_line_is() { # own_line_is EXPECTED WORD NETWORK [USER]: as line_is, asked by the user
	own_came=$(as "${4-alice}" "$TAPGATE" explain "$3" | sed -n "s/^  $2 *//p")
	[ "$own_came" = "$1" ] || {
		echo "$own_came"
		return 1
	}
}
check 'a tap that is left behind' leave lab
check '... is told of, with what removes it' line_is '2 of 2 in use; nobody holds 1 of them, try: tapgate reap' taps lab
check '... to its user as far as she can know' \
	own_line_is '2 of 2 in use; nobody seems to hold 1 of them, try: tapgate reap' taps lab
check '... for its user alone' line_is '0 of 3 in use' taps lab bob
orphans() {
	"$TAPGATE" explain --json --user alice lab | grep -qx ' *"orphans": 1,'
}
check '... for programs' orphans
unplug g2
check '... beside none that are held' line_is '1 of 2 in use; nobody holds 1 of them, try: tapgate reap' taps lab
check '... its user removes it' as alice "$TAPGATE" reap
check '... and that helps' line_is '0 of 2 in use' taps lab
check 'one that is left behind on a standalone network' leave tap1
check '... is told of' line_is 'standalone, up: nobody holds its one tap; try: tapgate reap' network tap1
check '... to its user' own_line_is \
	'standalone, up: nobody seems to hold its one tap; try: tapgate reap (only root can see whether its guard stands)' \
	network tap1
"$TAPGATE" reap >/dev/null
cp /etc/tapgate.conf /etc/whole
policy 'network pond standalone 10.9.0.0/29 per-vm=/30' 'allow pond'
"$TAPGATE" up >/dev/null
check 'a pool, whose one tap is left behind' leave pond
check '... and whose other, too' leave pond
check '... is told of' line_is \
	'standalone, up: none of its subnets is free, and nobody holds some of its taps; try: tapgate reap' network pond
check '... to another user with the way out' own_line_is "standalone, up: none of its subnets is free, and nobody \
seems to hold some of its taps; an administrator can run: tapgate reap (only root can see whether its guard stands)" network pond bob
"$TAPGATE" reap >/dev/null
mv /etc/whole /etc/tapgate.conf
"$TAPGATE" up >/dev/null
check 'in a pool' guest c1 cell
check '... the next subnet' line_is '172.16.128.6/30 by hand' guest cell
check 'the one of a standalone network' guest s1 tap1
check '... is in the way' line_is 'standalone, up: it has its one virtual machine already' network tap1
check '... and there is no address' line_is '' guest tap1
unplug s1
unplug c1

nft delete table inet tapgate-lab
check 'a guard that is missing, for root' \
	line_is "host-only, different: guard; an administrator can run 'tapgate up'" network lab
"$TAPGATE" up >/dev/null
ip link set lab down
check 'a network that is down' line_is "host-only, down; an administrator can run 'tapgate up'" network lab
"$TAPGATE" up >/dev/null
"$TAPGATE" down web >/dev/null
check 'one that is missing' line_is "nat, missing; an administrator can run 'tapgate up'" network web
check '... whose guard is no question' own_line_is "nat, missing; an administrator can run 'tapgate up'" network web
"$TAPGATE" up >/dev/null
ip link set br1 down
check 'a bridge of others that is down' \
	line_is 'bridged, down; an administrator can run: ip link set br1 up' network br1
ip link set br1 up
ip link del br1
ip link add br1 type veth peer name far
check 'something else of that name' line_is 'bridged, missing: what has that name is not a bridge' network br1
ip link del br1
ip link add br1 type bridge forward_delay 0
ip link set br1 up

# --- words for QEMU ---------------------------------------------------------------------------------------------------

as_alice='setpriv --reuid alice --regid alice --init-groups'
machine='qemu-system-x86_64 -M pc -S -display none -nodefaults -monitor none -serial none'

# granted: a tap more than there was, and up, which is the last that the helper does to it
granted() {
	[ "$(taps)" != "$start_before" ] && ip -o link show up | grep -q "^[0-9]*: $(taps)[:@]"
}

# start NETWORK: QEMU as alice with the words for it; it is in $vm, and what it says in $TMPDIR/vm
start() {
	start_words=$(as alice "$TAPGATE" explain "$1" | sed -n 's/^  qemu *//p')
	start_before=$(taps)
	eval "exec $as_alice $machine $start_words" >"$TMPDIR/vm" 2>&1 </dev/null &
	vm=$!
	wait_for 30 eval "granted || ! kill -0 $vm"
	cat "$TMPDIR/vm"
	kill -0 "$vm"
}

stop() {
	kill -KILL "$vm" 2>/dev/null
	wait "$vm" 2>/dev/null
	wait_for 10 no_taps
}

static() { # static BRIDGE MAC: a port is locked to that address
	bridge fdb show br "$1" | grep "^$2" | grep -q static
}

for network in br0 br1 lab web tap1 cell; do
	check "QEMU takes the words for $network" start "$network"
	case $network in
	lab) used='1 of 2 in use' ;;
	*) used='1 in use, no limit' ;;
	esac
	check '... and its tap is counted' line_is "$used" taps $network
	case $network in
	br0)
		mac=$(printf '%s\n' "$start_words" | sed 's/.*,mac=//')
		check '... locked to the address of the card' static br0 "$mac"
		check 'the same words again are refused, and not cut off' sh -c "
			$as_alice $machine $start_words 2>&1 |
				grep -q 'address $mac is taken on bridge'"
		check 'explained again, they have another address' \
			sh -c "! '$TAPGATE' explain --user alice br0 | grep -q '$mac'"
		;;
	br1)
		check '... locked to the address of the rule' static br1 52:54:00:12:34:56
		check 'explained again, nobody else can have it' line_is \
			"bridged, up: the rule's address is taken; end the virtual machine that has it" network br1
		;;
	esac
	check '... until it ends' stop
done

has_queues() { # has_queues N: the one tap that there is; QEMU puts all but one aside until its guest wants them
	ip -d link show dev "$(taps)" |
		sed -n 's/.* numqueues \([0-9]*\) numdisabled \([0-9]*\) .*/\1 \2/p' | {
		read -r queues_on queues_off && [ $((queues_on + queues_off)) = "$1" ]
	}
}

start_queues() {
	start_words=$(line queues web | sed "s|^tapgate|$TAPGATE|; s|qemu-system-x86_64|$machine|")
	eval "exec $as_alice $start_words" >"$TMPDIR/vm" 2>&1 </dev/null &
	vm=$!
	wait_for 30 eval "has_queues 4 || ! kill -0 $vm"
	cat "$TMPDIR/vm"
	has_queues 4
}

check 'QEMU takes the words with several queues' start_queues
check '... until it ends' stop

mkdir -p "$TMPDIR/a,b"
cp "$HELPER" "$TMPDIR/a,b/tapgate-helper"
# shellcheck disable=SC2016
check 'a path that QEMU would take apart is not in words' sh -c '
	export TAPGATE_HELPER="$TMPDIR/a,b/tapgate-helper"
	words=$("$TAPGATE" explain --user alice lab | sed -n "s/^  qemu *//p")
	expected="tapgate run --net lab -- qemu-system-x86_64 -netdev tap,id=n0,fd={fd}"
	[ "$words" = "$expected -device virtio-net-pci,netdev=n0,mac={mac}" ]'

# --- for programs -----------------------------------------------------------------------------------------------------

check 'as JSON' prints 3 as alice "$TAPGATE" explain --json lab quiet <<EOT
{
  "uid": 1000,
  "user": "alice",
  "groups": [
    1000,
    2000
  ],
  "hidden": "/etc/qemu/bob.conf",
  "networks": [
    {
      "name": "lab",
      "allowed": true,
      "code": 0,
      "reason": null,
      "rule": {
        "file": "/etc/tapgate.conf",
        "line": 7,
        "text": "allow lab user=alice max=2"
      },
      "mode": "host-only",
      "line": {
        "file": "/etc/tapgate.conf",
        "line": 1
      },
      "grants": [
        {
          "option": "max",
          "value": "2",
          "by": "rule"
        }
      ],
      "max": 2,
      "used": 0,
      "orphans": 0,
      "state": "up",
      "difference": null,
      "guard": "unknown",
      "guest": "172.16.2.2-172.16.2.100",
      "mac": "22:fd:d4:18:77:01",
      "qemu": "$(qemu lab 22:fd:d4:18:77:01)",
      "run": null,
      "helper": null
    },
    {
      "name": "quiet",
      "allowed": false,
      "code": 3,
      "reason": "uid 1000 may not use 'quiet': denied by /etc/tapgate.conf:13 (deny quiet user=alice)",
      "rule": {
        "file": "/etc/tapgate.conf",
        "line": 13,
        "text": "deny quiet user=alice"
      },
      "mode": "internal",
      "line": {
        "file": "/etc/tapgate.conf",
        "line": 2
      }
    }
  ]
}
EOT

# --- a helper for a group ------------------------------------------------------------------------------------------------

chgrp students "$HELPER"
chmod 4750 "$HELPER"
policy 'allow br0'
told() { # told COMMAND...: that carol may not run it
	"$@" >"$TMPDIR/told" && grep -qx "  helper   only root and members of 'students' may run $HELPER" "$TMPDIR/told"
}
check 'who may not run the helper is told so' told as carol "$TAPGATE" explain br0
check '... and root, about that user' told "$TAPGATE" explain --user carol br0
check '... and programs' sh -c "'$TAPGATE' explain --json --user carol br0 |
	grep -qF '\"helper\": \"only root and members of '\''students'\'' may run $HELPER\"'"
check 'and who may is not' refuses told as alice "$TAPGATE" explain br0
check '... nor root about itself' refuses told "$TAPGATE" explain br0
chgrp root "$HELPER"
chmod 4755 "$HELPER"
chmod 750 "${HELPER%/*}"
check 'a directory that keeps her out' sh -c "'$TAPGATE' explain --user carol br0 | grep -qx '  helper   this user may not run $HELPER'"
chmod 755 "${HELPER%/*}"
check 'all may again' refuses told "$TAPGATE" explain --user carol br0

# --- all that a rule for 'all' may mean -------------------------------------------------------------------------------

policy 'allow all user=alice' 'deny br0 user=alice' 'allow br9 user=alice'
"$TAPGATE" up >/dev/null
check "with 'allow all', the host's bridges as well, each once" prints 0 sh -c \
	"'$TAPGATE' explain --user alice | grep -o '^[a-z0-9]*: [a-z]*'" <<'EOT'
br0: denied
br9: allowed
br2: allowed
br1: allowed
EOT
policy 'deny all user=alice' 'allow br0'
check "with 'deny all' only those that have a name" prints 0 sh -c \
	"'$TAPGATE' explain --user alice | grep -o '^[a-z0-9]*: [a-z]*'" <<'EOT'
br0: denied
EOT

# --- mistakes ---------------------------------------------------------------------------------------------------------

check 'another user: root alone may ask' refused 1 \
	'tapgate: --user: only root can ask about another user; without it the answer is about you' \
	as alice "$TAPGATE" explain --user bob br0
check '... one that is not there' refused 1 \
	'tapgate: --user: only root can ask about another user; without it the answer is about you' \
	as alice "$TAPGATE" explain --user '#1500' br0
check 'oneself by name' refused 3 "br0: denied: $(helper_says alice br0)" as alice "$TAPGATE" explain --user alice br0
check '... and by number' refused 3 "br0: denied: $(helper_says alice br0)" as alice "$TAPGATE" explain --user=#1000 br0
for user in mallory 1000 '' '#' '#-1' '#4294967295' '#1000x'; do
	check "no user '$user'" refused 2 \
		"tapgate: --user '$user': there is no such user, expected a name, or '#' and a number; see: tapgate help explain" \
		"$TAPGATE" explain --user "$user"
done
check 'a name that nothing has' refused 3 "br8: denied: $(helper_says alice br8)
  network  there is no network or bridge of that name; see: tapgate networks" as alice "$TAPGATE" explain br8
check 'a name that is none' refused 2 \
	"tapgate: network 'a/b' has characters other than letters, digits and ._-+@, expected the name of a network of at most 15 bytes" \
	"$TAPGATE" explain a/b
check 'no value' refused 2 "tapgate: 'explain': option '--user' lacks its value; see: tapgate help explain" \
	"$TAPGATE" explain --user

policy '#allow br0'
check 'a policy that names none' refused 0 'no network to tell of: /etc/tapgate.conf names none' \
	as alice "$TAPGATE" explain
policy 'allow br0 lock-mac' 'alow br0'
check 'a policy that is not valid' refused 4 \
	"tapgate: /etc/tapgate.conf:2:1: unknown word 'alow', expected 'allow', 'deny', 'include', 'network' or '#'" \
	as alice "$TAPGATE" explain
policy 'network tap1 standalone 172.16.3.1/24' 'allow all lock-mac'
check '... or cannot be kept' refused 4 "tap1: refused: $(helper_says alice tap1)" as alice "$TAPGATE" explain tap1

# The process that reads the policy is alice's while it does.
seq 500 | sed 's/.*/allow lab& user=alice/' | policy -
setpriv --reuid alice --regid alice --clear-groups sh -c 'while :; do kill -STOP -1; done' 2>/dev/null &
stopping=$!
stopped() {
	refuses timeout -s KILL 30 "$TAPGATE" explain --user alice >"$TMPDIR/stopped" 2>&1 &&
		[ "$(tail -n 1 "$TMPDIR/stopped")" = 'tapgate: the process that reads the policy as uid 1000 was ended or stopped too early' ]
}
check 'a user who stops it does not hold root up' wait_for 2 stopped
kill -KILL "$stopping"
check '... and it is gone' refuses pgrep -x -u alice tapgate
check '... root has its answer then' eval '"$TAPGATE" explain --user alice lab1 | grep -q "^lab1: allowed by "'
rm /etc/tapgate.conf
check '... or is not there' refused 4 "tapgate: $(helper_says alice br0)" as alice "$TAPGATE" explain br0
policy 'allow br0'
chmod 640 /etc/tapgate.conf
check 'one that the user may not read at all' refused 3 "br0: denied: $(helper_says alice br0)" \
	as alice "$TAPGATE" explain br0
check '... nor knows what it names' refused 0 '/etc/tapgate.conf says nothing to uid 1000, who may not read it' \
	as alice "$TAPGATE" explain
check '... nor does root for that user' refused 0 '/etc/tapgate.conf says nothing to uid 1000, who may not read it' \
	"$TAPGATE" explain --user alice

finish
