# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Virtual machines for test scripts, to be sourced: start one, talk to it, end it. Only for a world of its own
# (tests/common/world): it starts QEMU as an ordinary user, under software emulation.
#
# A machine is named by a word. Its files are in $vms/NAME: pid; serial, what it said on the serial line; errors,
# what QEMU said; qmp, what QEMU's monitor said; and two pairs of pipes to talk to it and to the monitor.

vms=$TMPDIR/vms
vm_kernel= # where kernel and initramfs are, readable for every user
vm_netns=  # the network namespace that machines are started in, if not the script's own: one of `ip netns`

vm_qemu() { # the path of QEMU
	command -v qemu-system-x86_64 || command -v /usr/libexec/qemu-kvm
}

vm_setup() { # vm_setup DIRECTORY: with the files that tests/guest/kernel made there
	mkdir -p "$vms"
	vm_kernel=$TMPDIR/kernel
	mkdir "$vm_kernel"
	cp "$1/linux/vmlinuz" "$1/initrd" "$vm_kernel"
}

# shellcheck source-path=SCRIPTDIR source=../common/wait.sh
. "$top/tests/common/wait.sh"

as_user() { # as_user UID COMMAND [ARGUMENT...]: in place of this shell, in $vm_netns
	as_uid=$1
	shift
	exec ${vm_netns:+nsenter "--net=/run/netns/$vm_netns"} \
		setpriv --reuid "$as_uid" --regid "$as_uid" --clear-groups "$@"
}

vm_files=$TMPDIR/vm-files # more files for the machines, before vm_add_files

vm_program() { # vm_program MODE PATH DIRECTORY: with the libraries that it needs
	install -D -m "$1" -t "$vm_files$3" "$2"
	ldd "$2" | grep -o '/[^ ]*' | while read -r library; do
		[ -e "$vm_files$library" ] || install -D "$library" "$vm_files$library"
	done
}

vm_add_files() { # for machines that start later: the kernel unpacks one archive after the other
	(cd "$vm_files" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1 >>"$vm_kernel/initrd"
}

# vm_start NAME UID KERNEL-WORDS [QEMU-ARGUMENT...]: returns at once. The machine has no device but those asked for. With
# "firmware" for words it has no kernel either, and what its firmware shows goes to the serial line.
vm_start() {
	vm=$vms/$1
	vm_uid=$2
	vm_words=$3
	shift 3
	mkdir "$vm"
	mkfifo "$vm/serial.in" "$vm/serial.out" "$vm/qmp.in" "$vm/qmp.out"
	chown "$vm_uid" "$vm"/*.in "$vm"/*.out
	cat "$vm/serial.out" >"$vm/serial" &
	cat "$vm/qmp.out" >"$vm/qmp" &
	echo 0 >"$vm/seen"
	echo 0 >"$vm/qmp.id"
	if [ "$vm_words" = firmware ]; then
		set -- -machine graphics=off -boot n "$@"
	else
		set -- -kernel "$vm_kernel/vmlinuz" -initrd "$vm_kernel/initrd" \
			-append "console=ttyS0 quiet panic=-1 no_timer_check $vm_words" "$@"
	fi
	as_user "$vm_uid" "$(vm_qemu)" -accel tcg -machine pc -m 128 -nodefaults -no-user-config -no-reboot -display none \
		-chardev pipe,id=serial,path="$vm/serial" -serial chardev:serial \
		-chardev pipe,id=qmp,path="$vm/qmp" -mon chardev=qmp,mode=control \
		"$@" </dev/null >"$vm/errors" 2>&1 &
	echo $! >"$vm/pid"
}

vm_mac() { # vm_mac NAME: a hardware address, always the same for one name
	printf '%s' "$1" | cksum |
		awk '{ printf "52:54:00:%02x:%02x:%02x\n", $1 / 65536 % 256, $1 / 256 % 256, $1 % 256 }'
}

# vm_join NAME NETWORK [KERNEL-WORDS [QEMU-ARGUMENT...]]: start a machine of alice's with a card on that network
vm_join() {
	vm_name=$1
	vm_network=$2
	vm_words=${3-}
	shift "$(($# < 3 ? 2 : 3))"
	vm_start "$vm_name" 1000 "$vm_words" -netdev "bridge,id=n0,br=$vm_network,helper=$HELPER" \
		-device "virtio-net-pci,netdev=n0,mac=$(vm_mac "$vm_name")" "$@"
}

vm_ended() { # vm_ended NAME: is its process gone, or but a zombie?
	read -r vm_pid <"$vms/$1/pid"
	! read -r _ _ vm_state _ 2>/dev/null <"/proc/$vm_pid/stat" || [ "$vm_state" = Z ]
}

# vm_status NAME: the exit status of its process, which has ended.
vm_status() {
	read -r vm_pid <"$vms/$1/pid"
	wait "$vm_pid"
}

# --- the serial line -----------------------------------------------------------------------------------------------

vm_heard() { # vm_heard NAME TEXT: has it said this line since the last command?
	read -r vm_seen <"$vms/$1/seen"
	tail -n +$((vm_seen + 1)) "$vms/$1/serial" | grep -qx "TAPGATE-GUEST $2"
}

vm_heard_or_ended() {
	vm_heard "$@" || vm_ended "$1"
}

# vm_says NAME TEXT [SECONDS]: wait until it says that line (a basic regular expression); fails, and prints what it said
# last, if it does not.
vm_says() {
	wait_for "${3-15}" vm_heard_or_ended "$1" "$2"
	vm_heard "$1" "$2" || {
		echo "machine $1 did not say '$2'; QEMU, and its last words:"
		cat "$vms/$1/errors"
		tail -n 5 "$vms/$1/serial"
		return 1
	}
}

# A pipe that nobody reads, its machine having ended, would hold up a writer for ever.
vm_write() { # vm_write PIPE TEXT
	# shellcheck disable=SC2016 # expanded there
	timeout 5 sh -c 'printf "%s\n" "$2" >"$1"' sh "$@"
}

vm_do() { # vm_do NAME COMMAND [WORD...]: see tests/guest/init for the commands
	vm=$vms/$1
	shift
	grep -c '' "$vm/serial" >"$vm/seen" || true
	vm_write "$vm/serial.in" "$*"
}

vm_run() { # vm_run NAME COMMAND: a shell command; prints what it printed, and is as successful
	vm_do "$1" run "$(printf '%s' "$2" | tr '\n' ' ')"
	vm_says "$1" 'run [0-9]*' 60
	read -r vm_seen <"$vms/$1/seen"
	tail -n +$((vm_seen + 1)) "$vms/$1/serial"
	vm_heard "$1" 'run 0'
}

vm_pings() { # vm_pings NAME ADDRESS: does it?
	vm_do "$1" ping "$2" && vm_says "$1" "ping $2 ok"
}

# --- QEMU's monitor ------------------------------------------------------------------------------------------------

# vm_qmp NAME COMMAND [ARGUMENTS, as JSON]: succeeds when the command does; prints the answer.
vm_qmp() {
	vm_arguments=${3:-'{}'}
	read -r vm_id <"$vms/$1/qmp.id"
	if [ "$vm_id" = 0 ]; then
		vm_id=1
		vm_write "$vms/$1/qmp.in" '{"execute": "qmp_capabilities"}'
	fi
	echo $((vm_id + 1)) >"$vms/$1/qmp.id"
	vm_write "$vms/$1/qmp.in" "{\"execute\": \"$2\", \"arguments\": $vm_arguments, \"id\": \"answer $vm_id\"}"
	wait_for 15 grep "\"answer $vm_id\"" "$vms/$1/qmp" &&
		! grep "\"answer $vm_id\"" "$vms/$1/qmp" | grep -q '"error"'
}

vm_event() { # vm_event NAME EVENT [SECONDS]: wait until the monitor has told of it
	wait_for "${3-15}" grep -q "\"event\": \"$2\"" "$vms/$1/qmp"
}

# --- taps: what the machines' network cards are on the host -----------------------------------------------------------

vm_taps() { # vm_taps NAME: those that its process holds
	read -r vm_pid <"$vms/$1/pid"
	sed -n 's/^iff:[[:space:]]*//p' "/proc/$vm_pid/fdinfo"/* 2>/dev/null
}

vm_has_tap() {
	[ -n "$(vm_taps "$1")" ]
}

all_taps() {
	[ -e /sys/class/net/lo ] || return 1
	for tap_flags in /sys/class/net/*/tun_flags; do
		[ ! -e "$tap_flags" ] || basename "${tap_flags%/tun_flags}"
	done
}

only_tap() { # only_tap TAP: is it the only one? or, if empty, is there none?
	found_taps=$(all_taps) && [ "$found_taps" = "$1" ]
}

no_port() { # no_port BRIDGE: is nothing attached to it?
	found_ports=$(ls "/sys/class/net/$1/brif") && [ -z "$found_ports" ]
}

tap_gone() { # tap_gone TAP
	[ -e /sys/class/net/lo ] && [ ! -e "/sys/class/net/$1" ]
}
