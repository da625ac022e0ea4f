#!/bin/sh
# SPDX-License-Identifier: MIT
# What `tapgate check --live` and `tapgate explain` say of the service, which stands in for the setuid bit.
# shellcheck disable=SC2016,SC2154 # words for another shell; top is of cli's
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=launch.sh
. "$top/tests/cli/launch.sh"

sock=/run/tapgate/helper.sock
ip link add br0 type bridge forward_delay 0
ip link set br0 up
policy 'allow br0'
way_out='an administrator can run: systemctl enable --now tapgate-helper.socket'

no_way() { # no_way COMMAND...
	"$@" >"$TMPDIR/told" && grep -qx "  helper   it has no setuid bit, and there is no service; $way_out" "$TMPDIR/told"
}
has_way() {
	! no_way "$@" && grep -q allowed "$TMPDIR/told"
}
answers() { # answers COMMAND...: check --live has no error, and says that the service is there
	"$@" "$TAPGATE" check --live >"$TMPDIR/live" 2>&1 && cat "$TMPDIR/live" &&
		grep -qx "tapgate: note: the service behind $sock answers" "$TMPDIR/live"
}
stale() {
	"$TAPGATE" check --live 2>&1 |
		grep "warning: the service behind $sock cannot be reached (Connection refused); run: systemctl restart"
}
check 'the setuid bit: explain has nothing to say of it' has_way as alice "$TAPGATE" explain br0
cp "$HELPER" "$TMPDIR/serves"
chmod 755 "$HELPER"
check 'neither bit nor service: what to run' no_way as alice "$TAPGATE" explain br0
check '... to root, too' no_way "$TAPGATE" explain --user alice br0
check '... which check --live takes for an error' refuses answers env
check '... and tapgate run has the same way out' eval \
	'as alice "$TAPGATE" run --net br0 -- true 2>&1 | grep "or for the service: systemctl enable --now tapgate-helper.socket"'
mkdir -p /run/tapgate
systemd-socket-activate --accept --inetd -l "$sock" "$TMPDIR/serves" --serve >/dev/null 2>&1 &
service=$!
wait_for 5 test -S "$sock"
chmod 666 "$sock"
check 'a service: explain has nothing to say' has_way as alice "$TAPGATE" explain br0
check '... check --live finds no error' answers env
check '... nor as alice under no_new_privs' answers setpriv --no-new-privs --reuid alice --regid alice --init-groups
run_by() { # run_by WORD...: tapgate run has a tap, by the service
	as alice "$TAPGATE" run "$@" -- sh -c 'cat /sys/class/net/{ifname}/ifalias' >"$TMPDIR/alias"
	cat "$TMPDIR/alias"
	grep -q '^tapgate uid=1000 net=br0 ' "$TMPDIR/alias"
}
check '... tapgate run has a tap by it' run_by --net br0
check '... run --by-name, too' run_by --by-name --net br0
check '... which is gone' no_taps
kill "$service"
wait "$service"
check 'a socket where nothing listens' stale
finish
