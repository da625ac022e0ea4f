#!/bin/sh
# A network's mode is changed while a virtual machine is on it: the machine's port becomes what the new mode promises.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

tap() {
	basename "$(echo /sys/class/net/web/brif/*)"
}

joined() {
	[ -e "/sys/class/net/web/brif/$(tap)" ]
}

isolated() { # isolated: is the port?
	[ "$(cat "/sys/class/net/$(tap)/brport/isolated")" = 1 ]
}

says() { # says TEXT COMMAND...: exactly that
	text=$1
	shift
	"$@" 2>&1 | diff - "$TMPDIR/$text"
}

policy - <<'EOT'
allow web user=alice
network web host-only 10.77.0.1/24
EOT
"$TAPGATE" up >/dev/null
mkfifo "$TMPDIR/hold"
setpriv --reuid alice --regid alice --clear-groups "$CALL" -h "$HELPER" --br=web '--fd={fd}' <"$TMPDIR/hold" >/dev/null &
exec 3>"$TMPDIR/hold"
check 'a tap on a host-only network' wait_for 5 joined
check 'is not isolated' refuses isolated

policy - <<'EOT'
allow web user=alice
network web nat 10.77.0.1/24
EOT
cat >"$TMPDIR/up" <<EOT
web: repaired its bridge's mark (its mode)
web: put up its guard
web: isolated the port '$(tap)'
web: switched on net.ipv4.conf.web.forwarding (the way in)
EOT
would <"$TMPDIR/up" >"$TMPDIR/would"
echo 'nothing changed' >"$TMPDIR/nothing"
check 'the network becomes nat: up --dry-run says what of its port' says would "$TAPGATE" up --dry-run
check '... and leaves it' refuses isolated
check 'up isolates it' says up "$TAPGATE" up
check '... in the kernel' isolated
check 'a second up changes nothing' says nothing "$TAPGATE" up
check 'status is content' "$TAPGATE" status web
bridge link set dev "$(tap)" isolated off
# shellcheck disable=SC2016 # expanded there
check 'isolated no more: status says so' sh -c '"$TAPGATE" status web | grep -qx "  not as wanted: ports (not isolated); run .tapgate up."'
check '... and fails' refuses "$TAPGATE" status web
echo "web: isolated the port '$(tap)'" >"$TMPDIR/up"
check 'up puts it right' says up "$TAPGATE" up
check '... in the kernel' isolated
exec 3>&-
finish
