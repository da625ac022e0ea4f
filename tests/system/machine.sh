# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # top is the other script's
# A machine whose process 1 is a systemd that runs: namespaces of its own, on an overlay of this machine's files that is
# gone with it. To be sourced, with $top set, by a script that defines
#
#	machine_files	what is there before systemd starts; in $new, which will be its root
#
#	machine_start		start it, as root; false, with a word, if it does not boot. $machine is its process 1
#	inside COMMAND...	run a command there
#
# The script is started once more for it, with the words --boot DIRECTORY, which this file takes.

machine_boot() { # as root, in namespaces of its own; becomes systemd
	set -e
	base=$1 new=$1/new
	mount -t tmpfs -o mode=755 tapgate-systemd "$base"
	mkdir "$base/up" "$base/work" "$new"
	mount -t overlay -o "lowerdir=/,upperdir=$base/up,workdir=$base/work" overlay "$new"
	for kind in proc sysfs:sys tmpfs:run tmpfs:tmp tmpfs:dev cgroup2:sys/fs/cgroup; do
		mount -t "${kind%:*}" "${kind%:*}" "$new/${kind#*:}"
	done
	mkdir "$new/dev/net" "$new/dev/shm" "$new/dev/pts"
	for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 net/tun:10:200; do
		IFS=: read -r name major minor <<<"$node"
		mknod -m 666 "$new/dev/$name" c "$major" "$minor"
	done
	ln -s pts/ptmx "$new/dev/ptmx"
	make -s -C "$top" install DESTDIR="$new" PREFIX=/usr >/dev/null
	install -m 755 "$top/build/tests/common/call" "$new/usr/bin/"
	echo 0123456789abcdef0123456789abcdef >"$new/etc/machine-id"
	# Nothing of this machine's own starts there: what systemd needs itself, and ours.
	rm -rf "$new"/etc/systemd/system/*
	mkdir -p "$new/etc/systemd/system/multi-user.target.wants" "$new/etc/systemd/journald.conf.d"
	for unit in systemd-udev-trigger systemd-udevd systemd-networkd systemd-resolved systemd-logind systemd-tmpfiles-setup \
		systemd-update-utmp systemd-update-utmp-runlevel systemd-binfmt systemd-modules-load e2scrub_reap; do
		ln -s /dev/null "$new/etc/systemd/system/$unit.service"
	done
	for unit in getty.target remote-fs.target timers.target systemd-udevd-kernel.socket systemd-udevd-control.socket; do
		ln -s /dev/null "$new/etc/systemd/system/$unit"
	done
	printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' >"$new/etc/systemd/journald.conf.d/test.conf"
	: >"$new/etc/fstab"
	machine_files
	cd "$new"
	mkdir old
	pivot_root . old
	exec env -i container=tapgate SYSTEMD_LOG_TARGET=journal \
		sh -c 'umount -l /old; exec /lib/systemd/systemd --system --unit=multi-user.target' >/dev/null 2>&1
}

if [ "${1-}" = --boot ]; then
	machine_boot "$2"
	exit 1
fi

# shellcheck source-path=SCRIPTDIR source=../common/wait.sh
. "$top/tests/common/wait.sh"

inside() { # inside COMMAND...: on that machine
	nsenter --target "$machine" --all --wdns=/ -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

is() { # is STATE UNIT
	[ "$(inside systemctl is-active "$2")" = "$1" ] || {
		inside systemctl status --no-pager "$2"
		return 1
	}
}

machine_is_systemd() { # the child of the holder, process 1 in there
	machine=$(pgrep -P "$holder") && [ "$(readlink "/proc/$machine/exe")" = "$(readlink -f /lib/systemd/systemd)" ]
}

machine_start() {
	make -s -C "$top" all build/tests/common/call
	base=$(mktemp -d)
	trap 'exec 2>/dev/null; kill -KILL "$holder"; wait; rm -f "$base.said"; rmdir "$base"' EXIT
	unshare --mount --propagation private --net --pid --uts --ipc --cgroup --fork --kill-child -- "$0" --boot "$base" &
	holder=$!
	wait_for 30 machine_is_systemd && wait_for 60 is active multi-user.target
}
