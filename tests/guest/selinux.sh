#!/bin/sh
# SPDX-License-Identifier: MIT
# The story of helper and tool, tests/guest/story, under SELinux that enforces: a whole Debian with systemd and the
# reference policy, labelled, with the module of etc/selinux. alice has logged in, in a confined user's domain (user_t);
# bob and root as Debian's policy has users, in unconfined_t.
#
#	tests/guest/selinux.sh
#
# Takes minutes, most of them to make the system, which is kept in build/package. Needs root. What the machine lacks
# makes the script skip, or fail if CI=true.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/tests/guest
# shellcheck source-path=SCRIPTDIR/../package source=lib.sh
. "$top/tests/package/lib.sh"
needs checkmodule semodule_package debootstrap mke2fs cpio qemu-system-x86_64
packages='selinux-policy-default policycoreutils semodule-utils selinux-utils systemd-sysv rsyslog iproute2 libjansson4
	libnftables1 libnl-3-200 libcap-ng0 udev kmod'
root=$TMPDIR/root

fail() {
	suite_skip "$*"
}

# --- the system ------------------------------------------------------------------------------------------------------

in_root() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}

installed() {
	# shellcheck disable=SC2086 # words
	archive=$("$top/tests/package/debian" --installed $packages) && mkdir "$root" && tar -C "$root" -xpf "$archive" &&
		mount -t proc proc "$root/proc" && mount --bind /dev/null "$root/dev/null"
}

module() {
	checkmodule -M -m -o "$TMPDIR/tapgate.mod" etc/selinux/tapgate.te &&
		semodule_package -o "$root/tapgate.pp" -m "$TMPDIR/tapgate.mod" -f etc/selinux/tapgate.fc
}

# Debian's own unit for such lines waits for udev, which has nothing to do here.
login_on() { # login_on LINE USER: without a password
	printf '%s\n' '[Unit]' 'After=rsyslog.service systemd-user-sessions.service systemd-modules-load.service' '[Service]' \
		'Type=idle' "ExecStart=-/sbin/agetty --autologin $2 $1 vt100" "StandardInput=tty" "StandardOutput=tty" \
		"TTYPath=/dev/$1" "UtmpIdentifier=$1" \
		>"$root/etc/systemd/system/login-$1.service"
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -s "../login-$1.service" "$root/etc/systemd/system/multi-user.target.wants/"
}

programs() { # ours, the story's, and of busybox what Debian's minimum lacks
	make -s install DESTDIR="$root" PREFIX=/usr && make -s build/tests/common/call &&
		install -m 755 build/tests/common/call "$root/usr/bin/call" &&
		install -m 755 "$("$here/busybox")" "$root/usr/bin/busybox" || return
	for name in usleep killall; do
		ln -s ../../bin/busybox "$root/usr/local/bin/$name"
	done
	sed '1s|.*|#!/bin/sh|' "$here/story" >"$root/usr/local/bin/story"
	install -D -m 644 "$here/selinux/more" "$root/usr/local/lib/story-more"
	install -m 755 "$here/selinux/su" "$here/selinux/agent" "$root/usr/local/bin"
	cp policy/kernel.h "$root/kernel.h"
}

users() {
	for name in alice bob; do
		in_root useradd -m -s /bin/sh "$name"
		echo 'exec agent' >"$root/home/$name/.profile"
	done
	echo 'exec /bin/sh /usr/local/bin/story' >"$root/root/.profile"
	login_on ttyS0 root
	login_on ttyS1 alice
	login_on ttyS2 bob
	echo 'alice:user_u:s0-s0' >>"$root/var/lib/selinux/default/active/seusers.local"
}

settings() {
	printf 'SELINUX=enforcing\nSELINUXTYPE=default\n' >"$root/etc/selinux/config"
	echo '*.* /var/log/messages' >"$root/etc/rsyslog.d/all.conf"
	printf '%s\n' bridge tun >"$root/etc/modules-load.d/story.conf"
	echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
	echo host >"$root/etc/hostname"
	: >"$root/etc/machine-id"
	for unit in getty.target systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket \
		systemd-udevd-control.socket; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
}

kernel_files() { # and what a kernel needs to find its modules
	files=$("$here/debian" bookworm amd64 kernel=) || return
	version=$(basename "$files"/lib/modules/*)
	mkdir -p "$root/lib/modules" && cp -r "$files/lib/modules/$version" "$root/lib/modules/" && in_root depmod "$version"
}

labelled() { # -m: as if no file system were one that cannot be labelled, which all are where the kernel has no SELinux
	in_root semodule -n -i /tapgate.pp && umount "$root/dev/null" &&
		in_root setfiles -F -m -e /proc /etc/selinux/default/contexts/files/file_contexts / && umount "$root/proc"
}

disk() {
	truncate -s 1500M "$TMPDIR/disk" && mke2fs -q -t ext4 -d "$root" "$TMPDIR/disk"
}

# The first steps, until the disk is there.
initrd() {
	# shellcheck source-path=SCRIPTDIR source=modules.sh
	. "$here/modules.sh"
	work=$TMPDIR place=initramfs/modules count=100
	mkdir -p "$work/initramfs/modules" "$work/initramfs/bin" "$work/initramfs/proc" "$work/initramfs/dev" \
		"$work/initramfs/new" "$work/seen"
	ln -s "$files/lib/modules/$version" "$work/tree"
	for name in virtio_pci virtio_blk crc32c_generic ext4; do
		add_module "$name"
	done
	cp "$("$here/busybox")" "$work/initramfs/bin/busybox"
	cat >"$work/initramfs/init" <<-'EOF'
		#!/bin/busybox sh
		/bin/busybox mount -t devtmpfs none /dev
		for module in /modules/*; do /bin/busybox insmod "$module"; done
		/bin/busybox mount -t ext4 /dev/vda /new
		exec /bin/busybox switch_root /new /lib/systemd/systemd
	EOF
	chmod 755 "$work/initramfs/init"
	(cd "$work/initramfs" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1 >"$work/initrd"
}

# --- and booted ------------------------------------------------------------------------------------------------------

boot() {
	timeout -s KILL 1500 qemu-system-x86_64 -accel tcg -machine pc -m 1024 -nodefaults -no-user-config -no-reboot \
		-display none -kernel "$files/boot/vmlinuz-$version" -initrd "$TMPDIR/initrd" \
		-append 'console=ttyS3 security=selinux 8250.nr_uarts=4 panic=-1 no_timer_check quiet printk.time=0' \
		-drive "file=$TMPDIR/disk,format=raw,if=virtio,cache=unsafe" -serial "file:$TMPDIR/said" \
		-serial null -serial null -serial "file:$TMPDIR/console" </dev/null >"$TMPDIR/errors" 2>&1
	tr -d '\r' <"$TMPDIR/said" >"$TMPDIR/lines"
}

if [ "${1-}" != --inside ]; then
	exec unshare --mount --propagation private -- "$0" --inside
fi
for step in installed kernel_files programs users settings module labelled disk initrd; do
	$step >"$TMPDIR/step" 2>&1 || {
		echo "selinux: cannot make the system: $step"
		tail -n 20 "$TMPDIR/step"
		exit 1
	}
done
boot
sed -n '/^Linux /p; /^ok /p; /^not ok /p; /^# /p' "$TMPDIR/lines"
grep -q '^[1-9][0-9]* passed, 0 failed$' "$TMPDIR/lines" || {
	cat "$TMPDIR/errors"
	tail -n 20 "$TMPDIR/lines" "$TMPDIR/console"
}
grep '^[0-9]* passed, [0-9]* failed$' "$TMPDIR/lines" || echo '0 passed, 1 failed'
grep -q '^[1-9][0-9]* passed, 0 failed$' "$TMPDIR/lines"
