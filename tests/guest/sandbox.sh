#!/bin/sh
# SPDX-License-Identifier: MIT
# Real virtual machines where no setuid bit has an effect: they get their taps by the service (helper/service.c).
#
#	  boxed             sandboxed          boxed: QEMU in a container as rootless podman and Flatpak make them, with
#	    |                   |              user, mount, network and process namespaces of its own, no_new_privs, no
#	+--------------------------+           /dev/net/tun, root inside. Only the helper and its socket were bound in.
#	| lab 172.16.2.1/24        |           sandboxed: QEMU with -sandbox on, which an ordinary user starts.
#	+--------------------------+
#
# Needs root; all in a world of its own (tests/common/world). Without QEMU, a kernel for the guests or bubblewrap it is
# skipped, or fails if CI=true.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
command -v bwrap >/dev/null || suite_skip 'no bubblewrap here'
command -v systemd-socket-activate >/dev/null || suite_skip 'no systemd-socket-activate here'
suite_begin "$@"

qemu=$(vm_qemu)
launcher=
sock=/run/tapgate/helper.sock

# In QEMU's place, where one is named: bubblewrap, and in it QEMU.
vm_qemu() {
	echo "${launcher:-$qemu}"
}

# box NAME [OPTION...]: a script that runs what is behind it in a container; and one that runs QEMU there
box() {
	box_file=$TMPDIR/box-$1
	shift
	{
		printf '#!/bin/sh\nexec bwrap --unshare-all --die-with-parent --uid 0 --gid 0 --proc /proc --dev /dev \\\n'
		echo "	--ro-bind /usr /usr \\"
		for directory in bin sbin lib lib64; do
			[ ! -L "/$directory" ] || echo "	--symlink usr/$directory /$directory \\"
		done
		echo "	--ro-bind $HELPER /opt/tapgate-helper --bind $TMPDIR $TMPDIR $* -- \"\$@\""
	} >"$box_file"
	printf '#!/bin/sh\nexec %s %s "$@"\n' "$box_file" "$qemu" >"$box_file-qemu"
	chmod 755 "$box_file" "$box_file-qemu"
}

in_box() { # in_box NAME COMMAND...: as alice
	box_name=$TMPDIR/box-$1
	shift
	(as_user 1000 "$box_name" "$@")
}

show() { # show COMMAND...: for the transcript
	echo "# \$ $*"
	"$@" 2>&1 | sed 's/^/#   /'
}

confined() { # confined NAME: nothing of it could make a tap
	# shellcheck disable=SC2016 # expanded there
	in_box "$1" sh -c 'grep -x "NoNewPrivs:	1" /proc/self/status && ! test -e /dev/net/tun && test "$(id -u)" = 0 &&
		test -z "$(ls /sys/class/net 2>/dev/null)" && grep -c : /proc/net/dev | grep -x 1'
}

ended_with() { # ended_with NAME WORDS: without a tap
	wait_for 10 vm_ended "$1" && ! vm_status "$1" && cat "$vms/$1/errors" && grep -qF "$2" "$vms/$1/errors"
}

is_listed() { # is_listed COUNT: so many taps on lab, all of them alice's
	"$TAPGATE" list | tee "$TMPDIR/list"
	[ "$(grep -c ' lab  *alice ' "$TMPDIR/list")" = "$1" ]
}

host_pings() {
	"$busybox" ping -c 3 -W 2 "$1"
}

cat >/etc/tapgate.conf <<'EOT'
network lab host-only 172.16.2.1/24
allow lab user=alice
EOT
check 'the network is up' "$TAPGATE" up
busybox=$("$top/tests/guest/busybox")
chmod 755 "$HELPER" # no setuid bit anywhere
mkdir -p "${sock%/*}"
check_none() {
	sh -c "exec setpriv --reuid 1000 --regid 1000 --clear-groups '$CALL' '$HELPER' --br=lab '--fd={fd}'" 2>&1 | tee "$TMPDIR/none"
	grep 'fds=0' "$TMPDIR/none" && grep 'systemctl enable --now tapgate-helper.socket' "$TMPDIR/none"
}
check 'without the service: no tap, and told what to turn on' check_none
systemd-socket-activate --accept --inetd -l "$sock" "$HELPER" --serve >/dev/null 2>&1 &
service=$!
wait_for 5 test -S "$sock"
chmod 666 "$sock"

box bound --ro-bind /run/tapgate /run/tapgate
box unbound
card=virtio-net-pci,netdev=n0
launcher=$TMPDIR/box-bound-qemu
vm_start boxed 1000 'tapgate.ip=172.16.2.11/24 tapgate.ping=172.16.2.1' \
	-netdev 'bridge,id=n0,br=lab,helper=/opt/tapgate-helper' -device "$card,mac=52:54:00:00:00:0b"
vm_start bob 1001 '' -netdev 'bridge,id=n0,br=lab,helper=/opt/tapgate-helper' -device "$card"
launcher=$TMPDIR/box-unbound-qemu
vm_start unbound 1000 '' -netdev 'bridge,id=n0,br=lab,helper=/opt/tapgate-helper' -device "$card"
launcher=
vm_start sandboxed 1000 'tapgate.ip=172.16.2.12/24 tapgate.ping=172.16.2.1' -sandbox on,elevateprivileges=deny \
	-netdev "bridge,id=n0,br=lab,helper=$HELPER" -device "$card,mac=52:54:00:00:00:0c"

check 'the container has no_new_privs, no device and no network' confined bound
show cat "$TMPDIR/box-bound"
show in_box bound sh -c 'id; grep NoNewPrivs /proc/self/status; ls /dev/net/tun; cat /proc/net/dev; ls -l /run/tapgate'
check 'bob in such a container: not allowed, as outside' ended_with bob "uid 1001 may not use 'lab'"
check 'a container without the socket: told so' ended_with unbound 'started under no_new_privs'
show cat "$vms/bob/errors" "$vms/unbound/errors"
check 'the guest of the container pings its host' vm_says boxed 'ping 172.16.2.1 ok' 90
check 'the guest of QEMU with -sandbox on pings its host' vm_says sandboxed 'ping 172.16.2.1 ok' 90
for name in boxed sandboxed; do
	check "$name is ready" vm_says "$name" ready 30
done
check 'the guest of the container is reached from its host' host_pings 172.16.2.11
show host_pings 172.16.2.11
check 'guests reach each other' vm_pings boxed 172.16.2.12
check 'both are listed, as of alice' is_listed 2
show "$TAPGATE" list
show ip -br link show master lab
read -r pid <"$vms/boxed/pid"
kill -KILL "$pid"
check 'the container is killed: its tap is gone' wait_for 5 is_listed 1
read -r pid <"$vms/sandboxed/pid"
kill -KILL "$pid"
check '... and the other: no tap is left' wait_for 5 only_tap ''
kill "$service"
suite_end
