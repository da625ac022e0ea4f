#!/bin/sh
# SPDX-License-Identifier: MIT
# The story of helper and tool, tests/guest/story, on a kernel and an architecture other than the machine's: built by
# Debian's cross compiler against Debian's libraries, booted in QEMU's emulation.
#
#	tests/guest/platform.sh ARCHITECTURE [KERNEL]
#
# An architecture is one of Debian's words: amd64 (what is built in build/ for this machine), arm64, armhf, i386,
# ppc64el, riscv64, s390x; loong64, whose compiler and QEMU are Debian's of trixie or newer. A kernel is a version's beginning, of Debian's releases from bullseye on; without one it is
# that of the release that the libraries are from. HELPER=FILE: that one in the place of the built one. What the machine
# lacks makes the script skip, or fail if CI=true.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/tests/guest
arch=${1-amd64} kernel=${2-}
unset MAKEFLAGS MFLAGS MAKELEVEL BUILD SANITIZE STATIC

# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$here/suite.sh"
# shellcheck source-path=SCRIPTDIR source=modules.sh
. "$here/modules.sh"

fail() {
	suite_skip "$*"
}

release=bookworm words=
case $arch in
amd64) machine=x86_64-linux-gnu qemu='x86_64 -machine pc' console=ttyS0 ;;
i386) machine=i686-linux-gnu qemu='i386 -machine pc' console=ttyS0 ;;
arm64) machine=aarch64-linux-gnu qemu='aarch64 -machine virt -cpu cortex-a57' console=ttyAMA0 ;;
armhf) machine=arm-linux-gnueabihf qemu='arm -machine virt -cpu cortex-a15' console=ttyAMA0 ;;
riscv64) machine=riscv64-linux-gnu qemu='riscv64 -machine virt' console=ttyS0 release=trixie ;;
loong64) # without firmware nothing tells the kernel that there is no such keyboard
	machine=loongarch64-linux-gnu qemu='loongarch64 -machine virt' console=ttyS0 release=sid
	words=initcall_blacklist=i8042_init
	;;
ppc64el) machine=powerpc64le-linux-gnu qemu='ppc64 -machine pseries -cpu power9' console=hvc0 ;;
s390x) machine=s390x-linux-gnu qemu='s390x -machine s390-ccw-virtio' console=ttysclp0 ;;
*) echo "platform.sh: unknown architecture '$arch'" >&2 && exit 2 ;;
esac
case $kernel in
'') ;;
5.10*) release=bullseye ;;
6.1 | 6.1.*) release=bookworm ;;
6.12*) release=trixie ;;
*) release=sid ;;
esac

needs() { # needs COMMAND PACKAGE
	command -v "$1" >/dev/null || suite_skip "no $1 here (on Debian: package $2)"
}

needs "qemu-system-${qemu%% *}" qemu-system
needs cpio cpio
[ "$arch" = amd64 ] || needs "$machine-gcc" "gcc-$machine"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# --- built, for it -------------------------------------------------------------------------------------------------

libraries='libc6 libnl-3-200 libnl-3-dev libcap-ng0 libcap-ng-dev libnftables1 libnftables-dev libjansson4 libjansson-dev
	libgmp10 libmnl0 libnftnl11 libxtables12'
if [ "$arch" = amd64 ]; then
	root='' build=$top/build
	files=$("$here/debian" "$release" "$arch" "kernel=$kernel" 2>&1) || suite_skip "$files"
	busybox=$("$here/busybox" 2>&1) || suite_skip "$busybox"
	make -s -C "$top" all build/tests/common/call || exit 1
else
	# shellcheck disable=SC2086 # words
	files=$("$here/debian" "$release" "$arch" "kernel=$kernel" busybox-static $libraries 2>&1) || suite_skip "$files"
	root=$files build=$top/build/platform/$arch busybox=$files/bin/busybox
	[ -e "$busybox" ] || busybox=$files/usr/bin/busybox
	lib=$root/usr/lib/$(basename "$(dirname "$(echo "$root"/usr/lib/*/pkgconfig)")")
	# Archives of another release than the compiler's C library may ask for more than that has. The guest has its own.
	[ "$release" = bookworm ] && shared='' || shared=1
	make -s -C "$top" -j2 all "$build/tests/common/call" CC="$machine-gcc" BUILD="$build" \
		PKG_CONFIG="env PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$lib/pkgconfig pkg-config" \
		CPPFLAGS="-isystem $root/usr/include" \
		SHARED_LIBS="$shared" LDFLAGS="-Wl,--allow-shlib-undefined -L$lib -L$root/lib/$(basename "$lib") -Wl,-rpath-link,$lib:$root/lib/$(basename "$lib")" || exit 1
fi

# --- packed --------------------------------------------------------------------------------------------------------

find_library() { # find_library NAME: its file
	for directory in "$root"/lib/*-linux-* "$root"/usr/lib/*-linux-* "$root/lib" "$root/usr/lib"; do
		[ ! -e "$directory/$1" ] || { echo "$directory/$1" && return; }
	done
	fail "no $1 for $arch"
}

add_libraries() { # add_libraries PROGRAM: all that it needs, and their loader where it looks for it
	LC_ALL=C readelf -d "$1" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r name; do
		[ ! -e "$initramfs/lib/$name" ] || continue
		library=$(find_library "$name")
		install -D -m 755 "$library" "$initramfs/lib/$name"
		add_libraries "$library"
	done
	loader=$(LC_ALL=C readelf -l "$1" 2>/dev/null | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')
	[ -z "$loader" ] || [ -e "$initramfs$loader" ] ||
		install -D -m 755 "$(find_library "$(basename "$loader")")" "$initramfs$loader"
}

add_program() { # add_program MODE PROGRAM PATH
	install -D -m "$1" "$2" "$initramfs$3"
	add_libraries "$2"
}

initramfs=$work/initramfs
mkdir -p "$initramfs" "$work/seen"
add_program 4755 "${HELPER-$build/tapgate-helper}" /usr/libexec/tapgate-helper
add_program 755 "$build/tapgate" /usr/bin/tapgate
add_program 755 "$build/tests/common/call" /usr/bin/call
install -D -m 755 "$busybox" "$initramfs/bin/busybox"
install -m 755 "$here/story" "$initramfs/init"
install -m 644 "$top/policy/kernel.h" "$initramfs/kernel.h"

ln -s "$(find "$files/lib/modules" "$files/usr/lib/modules" -mindepth 1 -maxdepth 1 2>/dev/null | head -n 1)" "$work/tree"
version=$(basename "$(readlink "$work/tree")")
image=$(find "$files/boot" "$work/tree/" -maxdepth 1 -name 'vmlinu*' 2>/dev/null | head -n 1)
[ -n "$image" ] || fail "no kernel in $files"
mkdir "$initramfs/modules" "$initramfs/nftables"
count=100
add_modules() { # add_modules DIRECTORY NAME...: those that this kernel has; what is missing, the story will tell
	place=initramfs/$1
	shift
	for module; do
		[ -z "$(find_module "$module")" ] || add_module "$module"
	done
}
add_modules modules crc32c_generic bridge tun sch_ingress cls_bpf nfnetlink
add_modules nftables nf_tables nft_ct nft_limit nft_connlimit nft_hash nft_nat nft_chain_nat nft_masq nft_reject_inet \
	nft_fib_inet nft_meta_bridge
(cd "$initramfs" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1 >"$work/initrd"

# --- and booted ----------------------------------------------------------------------------------------------------

echo "Linux $version, $arch"
# shellcheck disable=SC2086 # words
timeout -s KILL 800 qemu-system-$qemu -accel tcg -m 512 -nodefaults -no-user-config -no-reboot -display none \
	-kernel "$image" -initrd "$work/initrd" -append "console=$console quiet panic=-1 rdinit=/init $words" \
	-serial stdio </dev/null >"$work/said" 2>"$work/errors"
tr -d '\r' <"$work/said" >"$work/lines"
sed -n '/^Linux /p; /^ok /p; /^not ok /p; /^# /p; /^[0-9]* passed, /p' "$work/lines"
if ! grep -q '^[0-9]* passed, [0-9]* failed$' "$work/lines"; then
	echo 'not ok - the story came to its end; QEMU, and its last lines:'
	cat "$work/errors"
	tail -n 20 "$work/lines"
	exit 1
fi
grep -q '^[1-9][0-9]* passed, 0 failed$' "$work/lines"
