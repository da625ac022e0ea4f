#!/bin/sh
# `tapgate check --live`: what of the running host is in the way of a policy. Each finding is made so that it is real:
# rules of nftables, mounts, modes, bridges.
# shellcheck disable=SC2016 # words for another shell
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# --- what keeps everybody out -----------------------------------------------------------------------------------------

ip link add br0 address 02:00:00:00:00:01 type bridge
ip link set br0 up
mknod -m 666 /dev/vhost-net c 10 238
policy 'allow br0 user=alice'

# live TEXT STATUS COMMAND UNDO: as the host is after the command, what is said is standard input, and --json says it, too
live() {
	cat >"$TMPDIR/expected"
	eval "$3"
	check "$1" lives "$2"
	check "$1, as JSON" lives_as_json
	eval "$4"
	check "$1: and no more" says 0 check --live --strict <<-EOT
		/etc/tapgate.conf: no mistake found
	EOT
}

lives() {
	"$TAPGATE" check --live >"$TMPDIR/out" 2>"$TMPDIR/live" </dev/null
	lives_came=$?
	diff "$TMPDIR/expected" "$TMPDIR/live" || return 1
	[ "$lives_came" = "$1" ] || {
		echo "status $lives_came, expected $1"
		return 1
	}
	# What is no error is one for the strict.
	"$TAPGATE" check --live --strict >/dev/null 2>&1
	[ $? = 1 ]
}

lives_as_json() {
	"$TAPGATE" check --live --json >"$TMPDIR/json"
	# What jansson writes has a member in each line.
	sed 's/\\"/"/g' "$TMPDIR/json" | awk '
		function value() { sub(/^ *"[a-z]*": "?/, ""); sub(/"?,?$/, ""); return $0 }
		/^  "live": \[/ { live = 1 }
		/^  \]/ { live = 0 }
		!live { next }
		/^      "network": / { network = value() }
		/^      "check": / { check = value() }
		/^      "severity": / { severity = value() }
		/^      "text": / {
			if (check !~ /^[a-z0-9-]+$/ || severity !~ /^(error|warning)$/)
				exit 1
			print "tapgate: " (network == "null" ? "" : network ": ") (severity == "warning" ? "warning: " : "") value()
		}' >"$TMPDIR/from-json"
	diff "$TMPDIR/expected" "$TMPDIR/from-json"
}

check 'a host as it should be' says 0 check --live --strict <<'EOT'
/etc/tapgate.conf: no mistake found
EOT

live 'no setuid bit' 1 'chmod 755 "$HELPER"' 'chmod 4755 "$HELPER"' <<EOT
tapgate: $HELPER has neither the setuid bit nor the capability cap_net_admin, so it may not make taps; run: chmod 4755 $HELPER (or: setcap cap_net_admin=ep $HELPER)
EOT
if command -v setcap >/dev/null; then
	chmod 755 "$HELPER"
	setcap cap_net_admin=ep "$HELPER"
	check 'the capability instead' says 0 check --live --strict <<-EOT
		/etc/tapgate.conf: no mistake found
	EOT
	live 'the capability of another kind' 1 'setcap cap_net_raw=ep "$HELPER"' 'setcap -r "$HELPER"; chmod 4755 "$HELPER"' <<-EOT
		tapgate: $HELPER has neither the setuid bit nor the capability cap_net_admin, so it may not make taps; run: chmod 4755 $HELPER (or: setcap cap_net_admin=ep $HELPER)
	EOT
else
	skip 'file capabilities' 'setcap is not installed'
fi
live 'setuid to somebody else' 1 'chown alice "$HELPER"; chmod 4755 "$HELPER"' 'chown root "$HELPER"; chmod 4755 "$HELPER"' <<EOT
tapgate: $HELPER is setuid to uid 1000, not to root, so it may not make taps; run: chown root:root $HELPER && chmod 4755 $HELPER (or: setcap cap_net_admin=ep $HELPER)
EOT
live 'a helper that others can write' 0 'chmod 4757 "$HELPER"' 'chmod 4755 "$HELPER"' <<EOT
tapgate: warning: $HELPER can be written by others than its owner (mode 4757); run: chmod go-w $HELPER
EOT
libexec=${HELPER%/*}
live 'a directory on the way that others can write' 0 'chmod 775 "${libexec%/*}"' 'chmod 755 "${libexec%/*}"' <<EOT
tapgate: warning: ${libexec%/*}, where the helper is, can be written by others than root (uid 0, mode 0775), who can put another program there; run: chown root ${libexec%/*} && chmod go-w ${libexec%/*}
EOT
live 'one that is not of root' 0 'chown alice "$libexec"' 'chown root "$libexec"' <<EOT
tapgate: warning: $libexec, where the helper is, can be written by others than root (uid 1000, mode 0755), who can put another program there; run: chown root $libexec && chmod go-w $libexec
EOT
chmod 1777 "${libexec%/*}"
check "one that others can write, and that is sticky, where what is in it is root's" says 0 check --live --strict <<-EOT
	/etc/tapgate.conf: no mistake found
EOT
chmod 755 "${libexec%/*}"
chgrp students "$HELPER"
chmod 4750 "$HELPER"
check 'a helper for a group is no mistake' says 0 check --live --strict <<EOT
tapgate: note: only root and members of 'students' may run $HELPER (mode 4750)
/etc/tapgate.conf: no mistake found
EOT
chgrp root "$HELPER"
chmod 4755 "$HELPER"
live 'no helper' 1 'mv "$HELPER" "$HELPER.away"' 'mv "$HELPER.away" "$HELPER"' <<EOT
tapgate: $HELPER: No such file or directory; install tapgate whole, or name the helper in TAPGATE_HELPER
EOT
live 'a mount without setuid' 1 \
	'mount --bind "${HELPER%/*}" "${HELPER%/*}"; mount -o remount,bind,nosuid "${HELPER%/*}"' 'umount "${HELPER%/*}"' <<EOT
tapgate: $HELPER is on a file system that is mounted nosuid, where the setuid bit and capabilities have no effect; mount it without nosuid, or install tapgate elsewhere
EOT
check 'no_new_privs' eval 'setpriv --no-new-privs "$TAPGATE" check --live 2>"$TMPDIR/live"; [ $? = 1 ] &&
	[ "$(cat "$TMPDIR/live")" = "tapgate: what is started from here gets no privileges (no_new_privs is set, as by Flatpak, containers and some units), so $HELPER does nothing; start virtual machines outside of it" ]'

# What no bit of the file makes up for. EvilFreelancer/docker-routeros#5 and dockur/windows#327: a container without the
# capability; the same in a unit with CapabilityBoundingSet= or SecureBits=.
rights() { # rights SENTENCE SETPRIV-WORD...: for root and for alice; nothing of the libraries' own
	rights_sentence=$1
	shift
	echo "tapgate: $rights_sentence
tapgate: note: guards and firewalls are shown to nobody here, as CAP_NET_ADMIN is missing" >"$TMPDIR/expected"
	setpriv "$@" "$TAPGATE" check --live 2>"$TMPDIR/live"
	[ $? = 1 ] && diff "$TMPDIR/expected" "$TMPDIR/live" || return 1
	setpriv "$@" --reuid alice --regid alice --init-groups "$TAPGATE" check --live 2>"$TMPDIR/live"
	[ $? = 1 ] && grep -qxF "tapgate: $rights_sentence" "$TMPDIR/live" || return 1
	# It is so: nobody gets a tap. The helper says where to look.
	setpriv "$@" --reuid alice --regid alice --init-groups "$CALL" "$HELPER" --br=br0 '--fd={fd}' 2>&1 | grep -F \
		"tapgate-helper: no CAP_NET_ADMIN: root's programs lack it here; an administrator can run, in the same container or unit: tapgate check --live"
}
check 'a bounding set without the capability' rights "what is started from here cannot have CAP_NET_ADMIN, not even as root, so $HELPER does nothing; in a unit: add CAP_NET_ADMIN to CapabilityBoundingSet=; in a container: add the capability (--cap-add NET_ADMIN)" \
	--bounding-set -net_admin
check 'securebits' rights "root's programs have no capabilities here (securebits noroot), so $HELPER does nothing; in a unit: take noroot out of SecureBits=; or, instead of the setuid bit: setcap cap_net_admin=ep $HELPER" \
	--securebits +noroot
if command -v setcap >/dev/null; then
	with_capability() { # the file's own works there
		setcap cap_net_admin=ep "$HELPER" && setpriv --securebits +noroot --reuid alice --regid alice --init-groups \
			sh -c '"$CALL" "$HELPER" --br=br0 "--fd={fd}" | grep fds=1 && "$TAPGATE" check --live'
		with_came=$?
		setcap -r "$HELPER"
		return $with_came
	}
	check '... and the capability of the file instead' with_capability
fi
without_root() {
	setpriv --reuid alice --regid alice --clear-groups unshare --user --map-user=1000 "$TAPGATE" check --live 2>"$TMPDIR/live"
	[ $? = 4 ] && grep -qxF "tapgate: this is a user namespace without root, where root's setuid bit has no effect, so $HELPER does nothing; start virtual machines outside of it" \
		"$TMPDIR/live" && [ "$(grep -c '^tapgate: ' "$TMPDIR/live")" = 1 ] # no owner that seems another
}
check 'a user namespace without root' without_root
# NixOS has programs on a file system that nobody writes, and wrappers elsewhere (microvm-nix/microvm.nix#46).
live 'a helper that cannot be given a bit' 1 'chmod 755 "$HELPER"; mount --bind "$libexec" "$libexec"; mount -o remount,bind,ro "$libexec"' \
	'umount "$libexec"; chmod 4755 "$HELPER"' <<EOT
tapgate: $HELPER has neither the setuid bit nor the capability cap_net_admin, so it may not make taps; have a wrapper made for it that is root's and setuid (NixOS: security.wrappers), and name that in TAPGATE_HELPER, or as WRAPPER= when tapgate is built
EOT

live 'no /dev/net/tun' 1 'rm /dev/net/tun' 'mknod -m 666 /dev/net/tun c 10 200' <<'EOT'
tapgate: /dev/net/tun: No such file or directory, so no tap can be made; run: modprobe tun (in a container: add the device)
EOT
no_driver() { # as if none were in the kernel
	strace -o /dev/null -P /dev/net/tun -e inject=openat:error=ENODEV "$TAPGATE" check --live 2>&1
	[ $? = 1 ]
}
check 'a device without a driver' eval 'no_driver | grep -qxF \
	"tapgate: /dev/net/tun: No such device, so no tap can be made; run: modprobe tun (in a container: add the device)"'
live 'something else there' 1 'rm /dev/net/tun; mknod -m 666 /dev/net/tun c 1 3' \
	'rm /dev/net/tun; mknod -m 666 /dev/net/tun c 10 200' <<'EOT'
tapgate: /dev/net/tun is something else than the device 10:200, so no tap can be made; run: rm /dev/net/tun && mknod -m 666 /dev/net/tun c 10 200
EOT
live 'a directory that users may not enter' 1 'chmod 700 /dev/net' 'chmod 755 /dev/net' <<'EOT'
tapgate: /dev/net is not open to everybody (mode 0700), and the helper opens /dev/net/tun as the user who asks; run: chmod 755 /dev/net
EOT
live '/dev/net/tun for root only' 1 'chmod 600 /dev/net/tun' 'chmod 666 /dev/net/tun' <<'EOT'
tapgate: /dev/net/tun is for root only (mode 0600), and the helper opens it as the user who asks; run: chmod 666 /dev/net/tun
EOT
live '/dev/net/tun for a group' 0 'chmod 660 /dev/net/tun; chgrp students /dev/net/tun' \
	'chmod 666 /dev/net/tun; chgrp root /dev/net/tun' <<'EOT'
tapgate: warning: /dev/net/tun is for root and group 'students' only (mode 0660), and the helper opens it as the user who asks; others are kept out until: chmod 666 /dev/net/tun
EOT
rm /dev/vhost-net
check 'no /dev/vhost-net is no mistake' says 0 check --live --strict <<'EOT'
tapgate: note: /dev/vhost-net: No such file or directory; for vhost=on run: modprobe vhost_net
/etc/tapgate.conf: no mistake found
EOT
mknod -m 600 /dev/vhost-net c 10 238
check 'nor is one for root only' says 0 check --live --strict <<'EOT'
tapgate: note: /dev/vhost-net is for root only; others go without vhost=on
/etc/tapgate.conf: no mistake found
EOT
chmod 666 /dev/vhost-net

chmod 646 /etc/tapgate.conf
chmod 755 "$HELPER"
check 'a policy that is not trusted, and the rest of it' says 4 check --live <<EOT
/etc/tapgate.conf: it can be written by others than root (uid 0, mode 0646); an administrator can run: chmod go-w '/etc/tapgate.conf'
tapgate: $HELPER has neither the setuid bit nor the capability cap_net_admin, so it may not make taps; run: chmod 4755 $HELPER (or: setcap cap_net_admin=ep $HELPER)
EOT
chmod 4755 "$HELPER"
chmod 644 /etc/tapgate.conf

# --- bridges of others ------------------------------------------------------------------------------------------------

ip link del br0
ip link add br0 type bridge
ip link set br0 up
live 'a bridge whose address nobody set' 0 : 'ip link set br0 address 02:00:00:00:00:01' <<EOT
tapgate: br0: warning: nobody set the hardware address of its bridge, which so takes the lowest of its ports' and changes as they come and go; keep it: ip link set br0 address $(mac_of br0)
EOT
live 'a bridge of a rule that is down' 0 'ip link set br0 down' 'ip link set br0 up' <<'EOT'
tapgate: br0: warning: its bridge is down; run: ip link set br0 up
EOT
no_address() { # a bridge has none once its last port has gone; what is said to give it one does
	ip link del br0
	ip link add br0 type bridge
	ip link set br0 up
	ip link add port type veth peer name port-far
	ip link set port master br0
	ip link del port
	[ "$(mac_of br0)" = 00:00:00:00:00:00 ] || return 1
	eval "$("$TAPGATE" check --live 2>&1 | sed -n 's/.*; keep it: //p')"
	"$TAPGATE" check --live --strict && mac_of br0 | grep '^02:'
}
check 'a bridge that has no address is told one' no_address
policy 'allow br0 user=alice'
check 'a guest on a bridge of others' guest foreign br0
live "an IPv6 address of the host's on its tap there" 0 'ip -6 addr add fe80::5/64 dev "$(cat "$TMPDIR/tap.foreign")" nodad' \
	'ip -6 addr flush dev "$(cat "$TMPDIR/tap.foreign")"' <<EOT
tapgate: br0: warning: the host has the address fe80::5 on the tap '$(cat "$TMPDIR/tap.foreign")', and its guest can reach the host by it; remove it: ip -6 addr flush dev $(cat "$TMPDIR/tap.foreign")
EOT
unplug foreign
policy 'network br0 bridged' 'allow br0 user=alice'
live 'a bridged network whose bridge is down' 0 'ip link set br0 down' 'ip link set br0 up' <<'EOT'
tapgate: br0: warning: its bridge is down; run: ip link set br0 up
EOT
ip link add card type veth peer name card-far
policy 'allow br0 user=alice' 'allow card user=alice'
live 'a rule for an interface that is no bridge' 0 : "policy 'allow br0 user=alice'" <<'EOT'
tapgate: card: warning: the interface is not a Linux bridge, and nobody can join it; name a bridge that has it as a port, or use a network of the mode nat
EOT
policy 'network card bridged' 'allow card user=alice'
live 'a bridged network on one' 0 : "policy 'allow br0 user=alice'" <<'EOT'
tapgate: card: warning: the interface is not a Linux bridge, and nobody can join it; name a bridge that has it as a port, or use a network of the mode nat
EOT

# There is no Wi-Fi card here; what the kernel shows of one beside every other card is a link called phy80211.
wireless() {
	mkdir -p "$TMPDIR/wireless/phy80211"
	cp /sys/class/net/card/addr_assign_type "$TMPDIR/wireless/"
	mount --bind "$TMPDIR/wireless" /sys/devices/virtual/net/card
}
policy 'network card bridged' 'allow card user=alice'
live 'a bridged network on a Wi-Fi card' 0 wireless \
	"umount /sys/devices/virtual/net/card; policy 'allow br0 user=alice'" <<'EOT'
tapgate: card: warning: it is a Wi-Fi card, which cannot be bridged: an access point takes frames from the station that logged in only; use a network of the mode nat instead
EOT
live 'a Wi-Fi card as uplink' 0 'ip link set card master br0; wireless' \
	'umount /sys/devices/virtual/net/card; ip link set card nomaster' <<'EOT'
tapgate: br0: warning: its port 'card' is a Wi-Fi card: unless that is an access point itself, or speaks 4addr, the one that it logged in to takes no frames of guests; use a network of the mode nat instead
EOT
ip link del card

# --- networks of ours -------------------------------------------------------------------------------------------------

policy 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.10-172.16.2.20' 'network quiet internal' \
	'network tap1 standalone 172.16.3.1/24' 'allow lab user=alice' 'allow quiet user=alice' 'allow tap1 user=alice'
live 'networks that were not made' 0 : '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: lab: warning: it is not up; run: tapgate up
tapgate: quiet: warning: it is not up; run: tapgate up
tapgate: tap1: warning: it is not up; run: tapgate up
EOT
live 'a guard that was removed' 0 'nft delete table inet tapgate-lab' '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: lab: warning: its guard is missing, so that nobody can join it, and who is on it is not kept to it; run: tapgate up
EOT
live 'a guard that was changed' 0 'nft add rule inet tapgate-lab forward accept' '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: lab: warning: its guard is changed, so that nobody can join it, and who is on it is not kept to it; run: tapgate up
EOT
live 'an address that was removed' 0 'ip addr del 172.16.2.1/24 dev lab' '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: lab: warning: not as wanted: addresses; run: tapgate up
EOT
live 'a bridge of ours that is down' 0 'ip link set quiet down' '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: quiet: warning: its bridge is down; run: tapgate up
EOT
live 'a network that the policy has no more' 0 \
	'cp /etc/tapgate.conf /etc/whole; sed -i /quiet/d /etc/tapgate.conf' 'cp /etc/whole /etc/tapgate.conf' <<'EOT'
tapgate: quiet: warning: it stands, and the policy has it no more; run: tapgate up
EOT
live 'a port that is no tap of ours' 0 'ip link add stranger type veth peer name far; ip link set stranger master quiet' \
	'ip link del stranger' <<'EOT'
tapgate: quiet: warning: its port 'stranger' is not a tap of tapgate-helper's for it, and whoever is behind it is on the network; take it out: ip link set 'stranger' nomaster
EOT

live 'an interface that stands on a network' 0 'ip link add upper link quiet type macvlan' 'ip link del upper' <<'EOT'
tapgate: quiet: warning: the interface 'upper' stands on it, past its guard; remove it: ip link delete 'upper'
EOT
cp /etc/tapgate.conf "$TMPDIR/whole"
echo 'network web nat 10.77.0.1/24' >>/etc/tapgate.conf
"$TAPGATE" up >/dev/null
live 'packets that nobody tracks' 0 \
	'nft "add table ip raw; add chain ip raw pre { type filter hook prerouting priority raw; }; add rule ip raw pre notrack"' \
	'nft delete table ip raw' <<'EOT'
tapgate: warning: the table 'ip raw' has packets that are not tracked (notrack), and where these are answers to guests of a nat network its guard drops them; except the bridges of such networks in that rule
EOT
cp "$TMPDIR/whole" /etc/tapgate.conf
"$TAPGATE" up >/dev/null
live 'a network that the host does not lead to' 0 'ip rule add to 172.16.2.0/24 pref 9 blackhole' 'ip rule del pref 9' <<'EOT'
tapgate: lab: warning: not as wanted: the host's way to its guests (another rule or route takes it); run: tapgate up
EOT

check 'a guest' guest one lab 172.16.2.11/24
read -r tap <"$TMPDIR/tap.one"
check 'is no mistake' says 0 check --live --strict <<'EOT'
/etc/tapgate.conf: no mistake found
EOT
live "an IPv6 address of the host's on its tap" 0 'ip -6 addr add fe80::5/64 dev "$tap" nodad' \
	'ip -6 addr flush dev "$tap"' <<EOT
tapgate: lab: warning: not as wanted: addresses of its ports; run: tapgate up
EOT
known() { # known MAC: the bridge has heard it
	bridge fdb show br lab | grep -q "^$1 dev $tap "
}
speaks() {
	ip -n one link set eth0 address 52:54:00:12:34:56
	in_netns one "$busybox" ping -c 1 -W 1 172.16.2.1 >/dev/null
	wait_for 5 known 52:54:00:12:34:56
}
live "a guest with QEMU's default address" 0 speaks 'ip -n one link set eth0 address 52:54:00:aa:aa:aa
	bridge fdb del 52:54:00:12:34:56 dev "$tap" master' <<EOT
tapgate: lab: warning: the guest behind '$tap' has QEMU's default hardware address 52:54:00:12:34:56, and two that have it take each other's packets; give each its own with -device ...,mac=...
EOT
unplug one
left_behind() {
	setpriv --reuid alice --regid alice --init-groups "$TAPGATE" run --net lab -- "$top/build/tests/cli/hold" '{fd}' \
		persist >"$TMPDIR/left"
	tap=$(awk '{ print $2; exit }' "$TMPDIR/left")
	echo "tapgate: lab: warning: the tap '$tap' of uid 1000 is persistent and nobody seems to hold it; it counts against max=, and keeps its place: tapgate reap" >"$TMPDIR/expected"
}
live 'a tap that was left behind' 0 left_behind '"$TAPGATE" reap >/dev/null' </dev/null

# --- other people's firewalls -----------------------------------------------------------------------------------------

policy 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.10-172.16.2.20' 'allow lab user=alice' 'allow br0 user=alice'
"$TAPGATE" up >/dev/null
bridge_filter() { # bridge_filter 0|1
	for of in iptables ip6tables; do
		set_sysctl "bridge/bridge-nf-call-$of" "$1"
	done
}
forward_drops() {
	nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
	"$TAPGATE" up >/dev/null # which opens it for lab
}
if [ -e /proc/sys/net/bridge ]; then
	bridge_filter 0
	forward_drops
	check 'a chain that drops, without br_netfilter' says 0 check --live --strict <<-'EOT'
		/etc/tapgate.conf: no mistake found
	EOT
	live 'with it' 0 'bridge_filter 1' 'bridge_filter 0' <<-'EOT'
		tapgate: br0: warning: 'ip filter FORWARD' drops what crosses the bridge, as br_netfilter sends it there; run: nft insert rule ip filter FORWARD iifname br0 oifname br0 accept
	EOT
	live 'on that bridge alone' 0 'echo 1 >/sys/class/net/br0/bridge/nf_call_iptables' \
		'echo 0 >/sys/class/net/br0/bridge/nf_call_iptables' <<-'EOT'
		tapgate: br0: warning: 'ip filter FORWARD' drops what crosses the bridge, as br_netfilter sends it there; run: nft insert rule ip filter FORWARD iifname br0 oifname br0 accept
	EOT
	bridge_filter 1
	live 'what it says helps' 0 : 'nft insert rule ip filter FORWARD iifname br0 oifname br0 accept' <<-'EOT'
		tapgate: br0: warning: 'ip filter FORWARD' drops what crosses the bridge, as br_netfilter sends it there; run: nft insert rule ip filter FORWARD iifname br0 oifname br0 accept
	EOT
	nft 'delete table ip filter'
	forward_drops
	nft 'add chain ip filter DOCKER-USER; insert rule ip filter FORWARD jump DOCKER-USER'
	live "Docker's chains" 0 : 'nft insert rule ip filter DOCKER-USER iifname br0 oifname br0 counter accept' <<-'EOT'
		tapgate: br0: warning: 'ip filter FORWARD' drops what crosses the bridge, as br_netfilter sends it there; run: iptables -I DOCKER-USER -i br0 -o br0 -j ACCEPT
	EOT
	bridge_filter 0
	nft 'delete table ip filter'
else
	skip 'bridged traffic that a firewall drops' 'br_netfilter is not loaded'
fi

ufw() {
	nft 'add table ip filter; add chain ip filter INPUT { type filter hook input priority 0; policy drop; }
		add chain ip filter ufw-user-input; add rule ip filter INPUT jump ufw-user-input'
	"$TAPGATE" up >/dev/null
}
live 'ufw' 0 ufw 'nft add rule ip filter ufw-user-input iifname lab udp dport 67 counter accept' <<'EOT'
tapgate: lab: warning: ufw drops its guests' requests for addresses; run: ufw allow in on lab to any port 67 proto udp
EOT
nft 'delete table ip filter'

# firewalld's table belongs to the process that made it, and goes with it.
firewalld() {
	rm -f "$TMPDIR/commands"
	mkfifo "$TMPDIR/commands"
	nft -i <"$TMPDIR/commands" >/dev/null 2>&1 &
	exec 9>"$TMPDIR/commands"
	echo 'add table inet firewalld { flags owner; }
add chain inet firewalld filter_INPUT { type filter hook input priority 10; policy accept; }
add chain inet firewalld zones
add rule inet firewalld filter_INPUT jump zones
add rule inet firewalld filter_INPUT reject' >&9
	wait_for 5 eval 'nft list chain inet firewalld filter_INPUT | grep -q reject'
}
live 'firewalld' 0 firewalld 'echo "add rule inet firewalld zones iifname lab accept" >&9
	wait_for 5 eval "nft list chain inet firewalld zones | grep -q lab"' <<'EOT'
tapgate: lab: warning: 'inet firewalld filter_INPUT' may drop its guests' requests for addresses, and only its owner can change that; with firewalld: firewall-cmd --permanent --zone=trusted --add-interface=lab
EOT
exec 9>&-
wait_for 5 refuses nft list table inet firewalld

live 'NetworkManager without our file' 0 'mkdir /run/NetworkManager' \
	'mkdir -p /etc/NetworkManager/conf.d; : >/etc/NetworkManager/conf.d/tapgate.conf' <<'EOT'
tapgate: warning: NetworkManager runs, and nothing tells it to leave taps alone, which it may take off their bridge; install tapgate.conf into /etc/NetworkManager/conf.d, and run: nmcli general reload
EOT

# --- as an ordinary user ----------------------------------------------------------------------------------------------

check 'what alice cannot see is said once' \
	[ "$(setpriv --reuid alice --regid alice --clear-groups "$TAPGATE" check --live --strict 2>&1)" = \
	"tapgate: note: guards, DHCP and firewalls are shown to root only; try: sudo tapgate check --live
/etc/tapgate.conf: no mistake found" ]
remember
"$TAPGATE" check --live >/dev/null 2>&1
check 'check has changed nothing' same
finish
