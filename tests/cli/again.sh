#!/bin/sh
# shellcheck disable=SC2016 # words for eval
# What ran before runs again: when the dnsmasq that the policy wants now does not start, the one that was there does, for
# the addresses that it had, with the words that root had given it and no others. And `up` that is told to end.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

before='network lab host-only 172.16.2.1/24 dhcp=172.16.2.2-172.16.2.100'
after='network lab nat 172.16.5.1/24 dhcp=172.16.5.2-172.16.5.100'
record=/run/tapgate/lab.words

words_of() { # words_of NETWORK: those of its dnsmasq
	tr '\0' '\n' <"/proc/$(pid_of "$1")/cmdline"
}

# nat asks the host's resolver, which is nowhere; host-only does not.
rm -f /etc/resolv.conf
ln -s /run/nowhere/resolv.conf /etc/resolv.conf

tries() { # `up`, with its messages
	cat <<-'EOT'
		lab: repaired its bridge's mark (its mode)
		lab: put up its guard
		lab: removed the address 172.16.2.1/24
		lab: added the address 172.16.5.1/24
		lab: switched on net.ipv4.conf.lab.forwarding (the way in)
		tapgate: lab: cannot start dnsmasq: directory /etc/resolv.conf for resolv-file is missing, cannot poll; /etc/resolv.conf leads to where nothing is: first start what makes it, as systemd-resolved or NetworkManager
	EOT
}

policy "$before"
check 'up' "$TAPGATE" up
check 'the record of its words is root'"'"'s alone' [ "$(stat -c '%U %a' "$record")" = 'root 600' ]
check 'and says what runs' cmp "$record" "/proc/$(pid_of lab)/cmdline"
alike_now "$TMPDIR/before"
first=$(pid_of lab)
policy "$after"
{
	tries
	echo 'tapgate: lab: is as it was before'
} >"$TMPDIR/lines"
check 'the new one does not start' says 1 up <"$TMPDIR/lines"
policy "$before"
check 'all is as before, dnsmasq and its words too' soon_alike "$TMPDIR/before"
check 'it is another process, started again' [ "$(pid_of lab)" != "$first" ]
check 'and the record is of what runs' cmp "$record" "/proc/$(pid_of lab)/cmdline"
check 'by the old policy there is nothing to do' says_nothing_changed

# --- words that are not root's ----------------------------------------------------------------------------------------

# The process can write what /proc/PID/cmdline shows: here, that it was to run as another user.
forge() {
	forge_pid=$(pid_of lab)
	forge_start=$(sed 's/.*) //' "/proc/$forge_pid/stat" | cut -d ' ' -f 46)
	forge_at=$(grep -abo -e '--user=' "/proc/$forge_pid/cmdline" | head -n 1 | cut -d : -f 1)
	printf '%s' '--user=root' | dd of="/proc/$forge_pid/mem" bs=1 seek=$((forge_start + forge_at)) conv=notrunc
	words_of lab | grep -x -e '--user=root.*'
}
check 'it says other words than it was given' forge
policy "$after"
{
	tries
	echo "tapgate: lab: cannot start dnsmasq again: it did not run with what it was started with"
	echo "tapgate: lab: could not be put back as it was; run 'tapgate up' again"
} >"$TMPDIR/lines"
check 'nobody starts it with these' says 1 up <"$TMPDIR/lines"
check 'none runs' serves_nothing lab
policy "$before"
check 'up by the old policy' says 0 up <<'EOT'
lab: started dnsmasq
EOT

for spoilt in 'rm -f' 'chmod 666' 'truncate -s 10' 'ln -sf /proc/self/cmdline'; do
	eval "$spoilt $record"
	policy "$after"
	check "the record spoilt ($spoilt): it is not believed" says 1 up <"$TMPDIR/lines"
	check '... none runs' serves_nothing lab
	policy "$before"
	check '... up by the old policy' "$TAPGATE" up
	check '... all is as before' soon_alike "$TMPDIR/before"
done
check 'down removes the record' eval '"$TAPGATE" down && [ ! -e $record ]'

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
		tapgate: stopped by a signal: networks that it had not come to are as they were
	EOT
	check '... which is up, whole' "$TAPGATE" status lab
	check '... and the others were not begun' [ ! -e /sys/class/net/quiet ]
	check '... until the next run' "$TAPGATE" up quiet more
	check '... down' "$TAPGATE" down
done
finish
