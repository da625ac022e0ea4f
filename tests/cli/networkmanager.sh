#!/bin/sh
# SPDX-License-Identifier: MIT
# The host's names of guests where NetworkManager has a dnsmasq of its own (dns=dnsmasq): what `up` says to run there is
# run, with a real NetworkManager, and then the host resolves a guest's name.
# shellcheck disable=SC2016,SC2154 # words for eval; busybox and top are lib.sh's and cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

for program in NetworkManager nmcli dbus-daemon; do
	command -v "$program" >/dev/null || {
		skip "NetworkManager's dnsmasq" "no $program"
		finish
		exit
	}
done

# A card that it manages, without udev (it looks for that where /sys can be written), so that it has a name server.
start() {
	mkdir -p /run/dbus /etc/NetworkManager/system-connections /etc/NetworkManager/dnsmasq.d /run/NetworkManager
	mount -t tmpfs tapgate-world /var/lib/NetworkManager
	mount --bind /sys /sys
	mount -o remount,bind,ro /sys
	echo 'nobody:x:65534:65534::/:/bin/false' >>/etc/passwd # whom dnsmasq runs as
	ip link set lo up
	ip link add up0 type veth peer name up1
	ip link set up1 up
	cat >/etc/NetworkManager/NetworkManager.conf <<-'EOT'
		[main]
		dns=dnsmasq
		plugins=keyfile
		no-auto-default=*
		[keyfile]
		unmanaged-devices=except:interface-name:up0
		[device-up]
		match-device=interface-name:up0
		managed=1
	EOT
	printf '%s\n' '[connection]' id=up type=ethernet interface-name=up0 '[ipv4]' method=manual address1=192.0.2.9/24 \
		'dns=192.0.2.53;' '[ipv6]' method=disabled >/etc/NetworkManager/system-connections/up.nmconnection
	chmod 600 /etc/NetworkManager/system-connections/up.nmconnection
	cat >"$TMPDIR/bus.conf" <<-'EOT'
		<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
		<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
		<allow send_type="signal"/><allow send_type="method_return"/><allow send_type="error"/>
		<allow receive_type="method_call"/><allow receive_type="signal"/><allow receive_type="method_return"/>
		<allow receive_type="error"/></policy></busconfig>
	EOT
	dbus-daemon --config-file="$TMPDIR/bus.conf" --fork --print-pid >"$TMPDIR/bus.pid"
	NetworkManager --debug --no-daemon >"$TMPDIR/nm.log" 2>&1 &
	nm=$!
	wait_for 20 test -s /run/NetworkManager/dnsmasq.pid || {
		cat "$TMPDIR/nm.log"
		return 1
	}
}

resolves() { # as programs do, by /etc/resolv.conf
	getent ahostsv4 box.web.internal | grep -q '^10\.77\.0\.5 '
}

check 'NetworkManager runs with a dnsmasq of its own' start
policy 'allow web user=alice' 'network web shared 10.77.0.1/24 dhcp=auto' \
	'guest box on web mac=52:54:00:12:34:56 ip=10.77.0.5'
"$TAPGATE" up >"$TMPDIR/up"
hint=$(sed -n 's/^web: for the host to know its guests by name, run: //p' "$TMPDIR/up")
check 'up says what to run' test -n "$hint"
check '... and so does check --live' eval '"$TAPGATE" check --live 2>&1 | grep -F "$hint"'
guest g1 web
ip -n g1 link set eth0 address 52:54:00:12:34:56
in_netns g1 "$busybox" udhcpc -i eth0 -n -q -f -t 5 -T 2 -s /bin/true 2>/dev/null
check 'control: before that the host does not know the guest' refuses resolves
check 'it runs' sh -c "$hint"
check '... and the host resolves the name' wait_for 30 resolves
check '... and nothing more is said' eval '! "$TAPGATE" status | grep "  names"'
kill -KILL "$nm" "$(cat "$TMPDIR/bus.pid")" # its dnsmasq ends with the world
finish
