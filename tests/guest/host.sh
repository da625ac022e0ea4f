# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# A guest that is a host itself, with bridges, taps and the installed helper, for test scripts that need a kernel other
# than the machine's own. To be sourced behind tests/guest/suite.sh, after suite_begin. Users' taps are named there as
# tests/guest/hold has it; tests/guest/ports.c sends frames through them.

make -s -C "$top" build/tests/guest/ports build/tests/guest/meanwhile build/tests/guest/vhost || exit 1
host=$vm_files

host_start() { # host_start [QEMU-ARGUMENT...]: the machine `host`
	mkdir -p "$host/etc" "$host/run/ports" "$host/modules" "$host/tmp"
	cp "$kernel/linux/host-modules"/* "$host/modules"
	cp /etc/passwd /etc/group "$host/etc"
	vm_program 4755 "$HELPER" /usr/libexec
	for program in "$TAPGATE" "$(command -v ip)" "$(command -v bridge)" "$(command -v setpriv)" "$CALL" \
		"$top/build/tests/guest/ports" "$top/build/tests/guest/meanwhile" "$top/build/tests/guest/vhost"; do
		vm_program 755 "$program" /usr/sbin
	done
	install -m 755 "$top/tests/guest/hold" "$host/usr/sbin"
	vm_add_files
	vm_start host 0 '' "$@"
	vm_says host ready 60
}

in_host() { # in_host COMMAND: prints what it printed, and is as successful. Busybox prefers an `ip` of its own
	vm_run host "ip() { /usr/sbin/ip \"\$@\"; }; $1"
}

not_prepared() {
	cat "$TMPDIR/prepared"
	return 1
}

prepare() { # prepare COMMAND: no test, unless it fails
	in_host "$1" >"$TMPDIR/prepared" || check "prepare: $1" not_prepared
}

says() { # says LINE COMMAND: is this line what it prints?
	in_host "$2" >"$TMPDIR/said"
	cat "$TMPDIR/said"
	grep -qxF -e "$1" "$TMPDIR/said" || {
		echo "expected: $1"
		return 1
	}
}

policy() { # policy LINE...
	policy_text=
	for line; do
		policy_text="$policy_text$line\\n"
	done
	prepare "printf '$policy_text' >/etc/tapgate.conf"
}

holds() { # holds NAME UID [WORD...]
	check "$1: uid $2 gets a tap${3:+ ($3)}" in_host "hold $1 $2 ${3---br=br0}"
}

# shellcheck disable=SC2016 # expanded there
remember='{ ip -o link; bridge vlan show; bridge fdb show; ls /run/ports; }'

refused() { # refused NETWORK CODE TEXT: alice is, with that, and nothing stays
	in_host "$remember >/tmp/before" && ! in_host "hold refused 1000 --br=$1" >"$TMPDIR/said" || return 1
	cat "$TMPDIR/said"
	grep -qF "$3" "$TMPDIR/said" && grep -qx "exit=$2 fds=0" "$TMPDIR/said" &&
		in_host "$remember | diff /tmp/before -"
}

port_has() { # port_has NAME SETTING VALUE: within five seconds
	in_host "try_for 5 grep -qx $3 /sys/class/net/\$(hold -i $1)/brport/$2 ||
		! cat /sys/class/net/\$(hold -i $1)/brport/$2"
}
