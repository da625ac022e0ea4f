#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # words for eval
# `up` that fails half way says where it stopped, status says the same, and the next one goes on from there; `up` that is
# told to end finishes the network at hand.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

before='network lab host-only 172.16.2.1/24 dhcp=172.16.2.2-172.16.2.100'
after='network lab nat 172.16.5.1/24 dhcp=172.16.5.2-172.16.5.100'
record=/run/tapgate/lab.keeper

# nat asks the host's resolver, which is nowhere; host-only does not.
rm -f /etc/resolv.conf
ln -s /run/nowhere/resolv.conf /etc/resolv.conf

policy "$before"
check 'up' "$TAPGATE" up
check 'the file by which its keeper is found is root'"'"'s alone' [ "$(stat -c '%U %a' "$record")" = 'root 600' ]
check 'and says what serves' [ "$(cat "$record")" = "$(pid_of lab)" ]
policy "$after"
check 'the new dnsmasq does not start: up says so, and where it stopped' says 1 up <<'EOT'
lab: repaired its bridge's mark (its mode)
lab: put up its guard
lab: removed the address 172.16.2.1/24
lab: added the address 172.16.5.1/24
lab: switched on net.ipv4.conf.lab.forwarding (the way in)
tapgate: lab: cannot start dnsmasq: /etc/resolv.conf leads to where nothing is: first start what makes it, as systemd-resolved or NetworkManager
tapgate: lab: not finished: DHCP; 'tapgate up' goes on from here
EOT
check 'status says the same' finds 'lab different DHCP'
check 'none runs' serves_nothing lab
check 'it has the guard of the new mode' eval 'nft list table inet tapgate-lab | grep -q seal/nat/'
rm /etc/resolv.conf
echo 'nameserver 192.0.2.53' >/etc/resolv.conf
check 'and when nothing hinders it, the next up goes on from there' says 0 up <<'EOT'
lab: started dnsmasq
EOT
check 'up' "$TAPGATE" status
check 'down removes that file' eval '"$TAPGATE" down && [ ! -e $record ]'

# --- told to end ------------------------------------------------------------------------------------------------------

policy "$before" 'network quiet internal' 'network more internal'
dnsmasq=$(command -v dnsmasq)
cat >"$TMPDIR/slow" <<EOT
#!/bin/bash
: >$TMPDIR/begun
while [ ! -e $TMPDIR/go ]; do sleep 0.02; done
exec -a $dnsmasq $TMPDIR/dnsmasq "\$@"
EOT
chmod 755 "$TMPDIR/slow"
cp "$dnsmasq" "$TMPDIR/dnsmasq"

# told SIGNAL WORD...: tapgate, with the signal while it starts dnsmasq; its status
told() {
	told_signal=$1
	shift
	rm -f "$TMPDIR/begun" "$TMPDIR/go"
	mount --bind "$TMPDIR/slow" "$dnsmasq"
	"$TAPGATE" "$@" >"$TMPDIR/told" 2>&1 &
	told_pid=$!
	wait_for 10 test -e "$TMPDIR/begun" && kill -s "$told_signal" "$told_pid"
	: >"$TMPDIR/go"
	wait "$told_pid"
	told_status=$?
	umount "$dnsmasq"
	return $told_status
}

for signal in TERM:143 HUP:129; do
	told "${signal%:*}" up
	check "SIG${signal%:*}: it ends by it" [ $? = "${signal#*:}" ]
	check '... when it is done with the network at hand, and says so' diff - "$TMPDIR/told" <<-'EOT'
		lab: made the bridge
		lab: put up its guard
		lab: added the address 172.16.2.1/24
		lab: brought the bridge up
		lab: started dnsmasq
		tapgate: stopped by a signal: it had not come to all networks; 'tapgate up' goes on from here
		quiet: made the bridge
		more: made the bridge
		quiet: put up its guard
		more: put up its guard
	EOT
	check '... which is up, whole' "$TAPGATE" status lab
	check '... and no other is up' refuses is_up quiet
	check '... until the next run' "$TAPGATE" up quiet more
	check '... down' "$TAPGATE" down
done
finish
