#!/bin/sh
# `tapgate check`: every mistake of a policy with its line and a caret, what in a policy may not be meant, and what of
# the running host is in its way. Each finding is made so that it is real: rules of nftables, mounts, modes, bridges.
# shellcheck disable=SC2016 # words for another shell
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# --- mistakes ---------------------------------------------------------------------------------------------------------

printf 'alow br0\n\tallow\tbr0 user=alice,,bob\n# caf\303\251\nallow br\303\251\001 max=1\ninclude /etc/none.conf\n' |
	policy -
printf 'network lab host-only 172.16.2.1/33\nnetwork lab internal\nallow br0 max=0' >>/etc/tapgate.conf
check 'every mistake, each with its line, where tabs stay and what is no ASCII is escaped' says 4 check <<'EOT'
/etc/tapgate.conf:1:1: unknown word 'alow', expected 'allow', 'deny', 'include', 'network' or '#'
    alow br0
    ^
/etc/tapgate.conf:2:23: an empty name, expected names or '#number', apart by ','
    	allow	br0 user=alice,,bob
    	     	               ^
/etc/tapgate.conf:4:9: byte 0xc3, expected printable ASCII
    allow br\xc3\xa9\x01 max=1
            ^
/etc/tapgate.conf:5:9: cannot include '/etc/none.conf': No such file or directory
    include /etc/none.conf
            ^
/etc/tapgate.conf:6:34: prefix '33', expected a number from 1 to 32
    network lab host-only 172.16.2.1/33
                                     ^
/etc/tapgate.conf:8:15: max='0', expected a number from 1 to 65535
    allow br0 max=0
                  ^
/etc/tapgate.conf:8:16: file ends inside a line, expected a newline (the file may be cut short)
    allow br0 max=0
                   ^
EOT
check 'the helper refuses at the first, as ever' eval "'$CALL' '$HELPER' --br=br0 '--fd={fd}' 2>&1 |
	grep -qF \"/etc/tapgate.conf:1:1: unknown word 'alow', expected 'allow', 'deny', 'include', 'network' or '#'\""

# The kernel is asked, so the other answer counts where it has VLANs.
policy 'allow br0 vlan=7 user=alice'
ip link add br0 type bridge
knows_no_vlans() {
	says 4 check <<-'EOT'
		/etc/tapgate.conf:1:11: this kernel does not give 'vlan=7', which takes a kernel with CONFIG_BRIDGE_VLAN_FILTERING; remove it, or run such a kernel
		    allow br0 vlan=7 user=alice
		              ^
	EOT
}
knows_vlans() {
	echo '/etc/tapgate.conf: no mistake found' | says 0 check
}
if ip -d link show dev br0 | grep -q vlan_protocol; then
	check 'vlan=, which this kernel has' knows_vlans
else
	check 'vlan=, which this kernel does not have' knows_no_vlans
fi
check 'asking leaves nothing' [ "$(ip -o link | grep -c -v -e ' lo:' -e ' br0:')" = 0 ]
ip link del br0

users=$(seq -s , -f user%g 1 60)
policy "allow br0 user=$users,,x"
check 'of a long line the part around the column' says 4 check <<'EOT'
/etc/tapgate.conf:1:427: an empty name, expected names or '#number', apart by ','
    ...r52,user53,user54,user55,user56,user57,user58,user59,user60,,x
                                                                   ^
EOT
policy "alow br0 user=$users"
check 'and where it goes on' says 4 check <<'EOT'
/etc/tapgate.conf:1:1: unknown word 'alow', expected 'allow', 'deny', 'include', 'network' or '#'
    alow br0 user=user1,user2,user3,user4,user5,user6,user7,user8,user9,user10,user11,user12,user13,...
    ^
EOT

yes x | head -n 150 | policy -
says_enough() {
	"$TAPGATE" check >/dev/null 2>"$TMPDIR/many"
	[ $? = 4 ] && [ "$(grep -c ': unknown word' "$TMPDIR/many")" = 100 ] &&
		[ "$(tail -n 1 "$TMPDIR/many")" = 'tapgate: and more: these are the first 100 errors' ]
}
check 'there is an end' says_enough

mkdir /etc/more
for way in 'chmod 646 /etc/more/x' 'chown alice /etc/more/x' 'chmod 757 /etc/more' 'chown alice /etc/more'; do
	echo 'allow br0 user=alice' >/etc/more/x
	chmod 644 /etc/more/x
	chmod 755 /etc/more
	chown -R root /etc/more
	$way
	policy 'include /etc/more/x' 'allow'
	case $way in
	'chmod 646'*) why='it can be written by others than root; an administrator can change that' ;;
	'chown alice /etc/more/x') why='it does not belong to root; an administrator can change that' ;;
	'chmod 757'*) why='a directory on the way to it can be written by others than root' ;;
	*) why='a directory on the way to it does not belong to root' ;;
	esac
	check "an include after $way" says 4 check <<-EOT
		/etc/tapgate.conf:1:9: cannot include '/etc/more/x': $why
		    include /etc/more/x
		            ^
		/etc/tapgate.conf:2:6: no network, expected a name or 'all'
		    allow
		         ^
	EOT
done
chown -R root /etc/more
chmod 755 /etc/more

# A file that is to become the policy may lie anywhere, what it includes may not.
printf 'allow br0 usr=alice\ninclude /etc/more/x\n' >/etc/more/x
cp /etc/more/x "$TMPDIR/draft"
chown alice /etc/more/x
check 'a draft' says 4 check "$TMPDIR/draft" <<-EOT
	$TMPDIR/draft:1:11: unknown word 'usr' on an allow rule, expected 'user=', 'group=', 'max=', 'queues=', 'mac=', 'vlan=', 'mtu=', 'isolated', 'lock-mac' or 'guard'
	    allow br0 usr=alice
	              ^
	$TMPDIR/draft:2:9: cannot include '/etc/more/x': it does not belong to root; an administrator can change that
	    include /etc/more/x
	            ^
	tapgate: note: '$TMPDIR/draft' would be refused where it lies: a directory on the way to it can be written by others than root
EOT
echo 'deny all' >"$TMPDIR/draft"
chmod 600 "$TMPDIR/draft"
check '... that nobody else may read' says 0 check "$TMPDIR/draft" <<-EOT
	tapgate: note: '$TMPDIR/draft' would be refused where it lies: a directory on the way to it can be written by others than root
	tapgate: note: '$TMPDIR/draft' allows nobody anything yet; add a rule, as in 'allow br0 user=alice' (see tapgate.conf(5))
	$TMPDIR/draft: no mistake found
EOT
mkfifo "$TMPDIR/fifo"
check '... that is no file' says 4 check "$TMPDIR/fifo" <<-EOT
	$TMPDIR/fifo: a directory on the way to it can be written by others than root
EOT
chown root /etc/more/x

# --- what may not be meant --------------------------------------------------------------------------------------------

ip link add br0 address 02:00:00:00:00:01 type bridge
ip link set br0 up

warned() { # warned TEXT LINE...: a policy, and the findings on it, less their source
	warned_text=$1
	shift
	policy "$@"
	check "$warned_text" shown
}

# Standard input is what is said, without the lines of the policy.
shown() {
	"$TAPGATE" check 2>"$TMPDIR/shown" </dev/null >/dev/null || return 1
	grep -v '^    ' "$TMPDIR/shown" | diff - "$TMPDIR/expected"
}

expect() {
	cat >"$TMPDIR/expected"
}

expect <<'EOT'
/etc/tapgate.conf:2:1: warning: this rule never decides: /etc/tapgate.conf:1 (allow br0 user=alice) allows the same before it; remove one
/etc/tapgate.conf:4:16: warning: this rule never decides for 'carol': /etc/tapgate.conf:3 (deny br0 user=carol) denies the same, and a deny wins; remove one
/etc/tapgate.conf:4:26: warning: 'bob' for the second time in this rule
EOT
warned 'rules that never decide' 'allow br0 user=alice' 'allow br0 user=#1000 max=2' 'deny br0 user=carol' \
	'allow br0 user=carol,bob,bob'

expect <<'EOT'
/etc/tapgate.conf:1:22: warning: this rule never decides for 'carol': /etc/tapgate.conf:2 (deny all group=guests) denies a group that this user is in, and a deny wins; remove one
EOT
warned 'a user whose group is denied' 'allow br0 user=alice,carol' 'deny all group=guests'

expect <<'EOT'
/etc/tapgate.conf:1:1: warning: every user may join every bridge of this host, also those that are made later; name the networks, or whom it is for with user= or group=
EOT
warned 'allow all' 'allow all'

expect <<'EOT'
/etc/tapgate.conf:2:1: warning: 'all' is every bridge of this host, not only the networks of this policy; write a rule for each network that is meant
EOT
warned 'allow all with networks of our own' 'network lab host-only 172.16.2.1/24' 'allow all group=students'

expect </dev/null
warned 'allow all for some, without' 'allow all group=students'
warned 'a higher limit for some' 'allow br0 max=1' 'allow br0 user=alice max=3'

expect <<'EOT'
/etc/tapgate.conf:2:1: warning: everybody is allowed here, so /etc/tapgate.conf:1 (allow br0 user=alice) restricts nobody; remove one
EOT
warned 'a rule for everybody beside one for some' 'allow br0 user=alice' 'allow br0'

expect <<'EOT'
/etc/tapgate.conf:1:16: warning: there is no user 'ghost', so nobody is allowed by it; correct the name, or make the user
/etc/tapgate.conf:1:22: warning: no user has the number 4711; correct it if it is a mistake
/etc/tapgate.conf:2:16: warning: there is no group 'ghosts', so everybody is denied whose group's number is not in /etc/group; correct the name, or write a number
/etc/tapgate.conf:3:9: warning: no bridge is called 'br7' now, and tapgate makes none for a bridged network; correct the name, or make it
/etc/tapgate.conf:4:1: warning: no line describes a network 'br9', and no bridge is called so now; correct the name, or make it
EOT
warned 'names that nobody has' 'allow br0 user=ghost,#4711' 'deny br0 group=ghosts' 'network br7 bridged' \
	'allow br9 user=alice' 'allow br9 user=bob'

# A source of names behind the files, as a directory service is.
mkdir "$TMPDIR/nss"
"${CC:-cc}" -shared -fPIC -o "$TMPDIR/nss/libnss_directory.so.2" "$top/tests/cli/directory/nss.c" || exit 1
echo 'passwd: files directory
group: files directory' >/etc/nsswitch.conf
policy 'allow br0 user=remote,#10007' 'deny br0 group=remotes,#10009' 'allow br0 user=#10008'
expect <<'EOT'
/etc/tapgate.conf:1:16: warning: user 'remote' is not in /etc/passwd, and tapgate-helper asks no directory service; write user=#10007
/etc/tapgate.conf:2:16: warning: group 'remotes' is not in /etc/group, and tapgate-helper asks no directory service; write group=#10009
/etc/tapgate.conf:3:16: warning: no user has the number 10008; correct it if it is a mistake
EOT
LD_LIBRARY_PATH=$TMPDIR/nss check 'names that only a directory service has, and the numbers to write' shown
echo 'passwd: files
group: files' >/etc/nsswitch.conf

read_by() { # read_by MODE GROUP [COMMAND]: an include that is readable so
	echo 'allow br0 user=alice' >/etc/more/x
	chown "root:$2" /etc/more/x
	chmod "$1" /etc/more/x
	chmod 755 /etc/more
	[ $# = 2 ] || eval "$3"
	policy '# first' 'include /etc/more/x'
	if [ "$4" = closed ]; then
		echo "/etc/tapgate.conf:2:9: warning: nobody but root may read '/etc/more/x', so that it says nothing for others; chgrp it to whom it is for and chmod 640, or chmod 644" >"$TMPDIR/expected"
	else
		: >"$TMPDIR/expected"
	fi
	check "an include of mode $1 and group $2${3:+, $3}: $4" shown
}
read_by 600 students '' closed
read_by 640 root '' closed
read_by 640 students '' open
read_by 604 root '' open
read_by 644 root 'chmod 700 /etc/more' closed
read_by 600 root 'setfacl -m u:alice:r /etc/more/x' open
chmod 755 /etc/more

policy 'allow br0 user=alice'
chmod 600 /etc/tapgate.conf
expect <<'EOT'
/etc/tapgate.conf: warning: nobody but root may read it, so that nobody else is allowed anything; chmod 644 it
EOT
check 'a policy that only root may read' shown
chmod 640 /etc/more/x
chown root:students /etc/more/x
policy 'include /etc/more/x'
check 'who may not read an include is told so' \
	[ "$(setpriv --reuid carol --regid carol --clear-groups "$TAPGATE" check 2>&1)" = "tapgate: note: this user may not read '/etc/more/x', so what it says was not checked
/etc/tapgate.conf: no mistake found" ]

# --- the examples of README -------------------------------------------------------------------------------------------

example() { # example NUMBER: an indented block of README on check
	sed -n '/^## tapgate check/,/^## [^t]/p' "$top/README.md" | awk -v want="$1" '
		/^    / { if (!inside) n++; inside = 1; if (n == want) print substr($0, 5) }
		!/^    / { inside = 0 }'
}
example 1 | policy -
example 2 | sed 1d >"$TMPDIR/expected"
check "README's mistakes are found as it says" says 4 check <"$TMPDIR/expected"
example 3 | policy -
example 4 | sed 1d >"$TMPDIR/expected"
check "README's warnings, too" says 0 check <"$TMPDIR/expected"
check 'and these were they' [ "$(example 2 | head -n 1; example 4 | head -n 1)" = '$ sudo tapgate check
$ sudo tapgate check' ]

# --- a policy that allows nothing -------------------------------------------------------------------------------------

cp /run/stage/etc/tapgate.conf /etc/tapgate.conf
check 'the installed sample: what to do next, and no warning' says 0 check --strict <<'EOT'
tapgate: note: '/etc/tapgate.conf' allows nobody anything yet; add a rule, as in 'allow br0 user=alice' (see tapgate.conf(5))
/etc/tapgate.conf: no mistake found
EOT
policy 'network lab internal' 'deny all user=alice'
check 'networks that nobody may use' says 0 check <<'EOT'
tapgate: note: '/etc/tapgate.conf' allows nobody anything yet; add a rule, as in 'allow lab user=alice' (see tapgate.conf(5))
/etc/tapgate.conf: no mistake found
EOT

# --- exit codes, and JSON ---------------------------------------------------------------------------------------------

policy 'allow br0 user=ghost'
strictly() {
	"$TAPGATE" check >"$TMPDIR/out" 2>/dev/null || return 1
	grep -qx '/etc/tapgate.conf: no mistake found, 1 warning' "$TMPDIR/out" || return 1
	"$TAPGATE" check --strict >/dev/null 2>&1
	[ $? = 1 ]
}
check 'a warning counts with --strict only' strictly
policy 'allow br0 user=alice'
check 'without any all is well' says 0 check --strict <<'EOT'
/etc/tapgate.conf: no mistake found
EOT

policy 'allow br0 user=ghost'
check 'warnings as JSON' says 0 check --json <<'EOT'
{
  "errors": [],
  "warnings": [
    {
      "file": "/etc/tapgate.conf",
      "line": 1,
      "column": 16,
      "text": "there is no user 'ghost', so nobody is allowed by it; correct the name, or make the user",
      "source": "allow br0 user=ghost"
    }
  ],
  "live": [],
  "notes": []
}
EOT
printf 'allow\tbr\351\n' | policy -
check 'errors as JSON' says 4 check --json <<'EOT'
{
  "errors": [
    {
      "file": "/etc/tapgate.conf",
      "line": 1,
      "column": 9,
      "text": "byte 0xe9, expected printable ASCII",
      "source": "allow\tbr\\xe9"
    }
  ],
  "warnings": [],
  "live": [],
  "notes": []
}
EOT
rm /etc/tapgate.conf
check 'an error of a file as a whole' says 4 check --json <<'EOT'
{
  "errors": [
    {
      "file": "/etc/tapgate.conf",
      "line": null,
      "column": null,
      "text": "No such file or directory; an administrator can create it, of root's and mode 0644",
      "source": null
    }
  ],
  "warnings": [],
  "live": [],
  "notes": []
}
EOT

# --- the running host: what keeps everybody out -----------------------------------------------------------------------

mknod -m 666 /dev/vhost-net c 10 238
policy 'allow br0 user=alice'

# live TEXT STATUS COMMAND UNDO: as the host is after the command, what is said is standard input, and --json says it, too
live() {
	cat >"$TMPDIR/expected"
	eval "$3"
	check "$1" lives "$2"
	check "$1, as JSON" lives_as_json
	eval "$4"
	check "$1: and no more" says 0 check --live --strict <<-EOT
		/etc/tapgate.conf: no mistake found
	EOT
}

lives() {
	"$TAPGATE" check --live >"$TMPDIR/out" 2>"$TMPDIR/live" </dev/null
	lives_came=$?
	diff "$TMPDIR/expected" "$TMPDIR/live" || return 1
	[ "$lives_came" = "$1" ] || {
		echo "status $lives_came, expected $1"
		return 1
	}
	# What is no error is one for the strict.
	"$TAPGATE" check --live --strict >/dev/null 2>&1
	[ $? = 1 ]
}

lives_as_json() {
	"$TAPGATE" check --live --json >"$TMPDIR/json"
	# What jansson writes has a member in each line.
	sed 's/\\"/"/g' "$TMPDIR/json" | awk '
		function value() { sub(/^ *"[a-z]*": "?/, ""); sub(/"?,?$/, ""); return $0 }
		/^  "live": \[/ { live = 1 }
		/^  \]/ { live = 0 }
		!live { next }
		/^      "network": / { network = value() }
		/^      "check": / { check = value() }
		/^      "severity": / { severity = value() }
		/^      "text": / {
			if (check !~ /^[a-z0-9-]+$/ || severity !~ /^(error|warning)$/)
				exit 1
			print "tapgate: " (network == "null" ? "" : network ": ") (severity == "warning" ? "warning: " : "") value()
		}' >"$TMPDIR/from-json"
	diff "$TMPDIR/expected" "$TMPDIR/from-json"
}

check 'a host as it should be' says 0 check --live --strict <<'EOT'
/etc/tapgate.conf: no mistake found
EOT

live 'no setuid bit' 1 'chmod 755 "$HELPER"' 'chmod 4755 "$HELPER"' <<EOT
tapgate: $HELPER has neither the setuid bit nor the capability cap_net_admin, so it may not make taps; run: chmod 4755 $HELPER (or: setcap cap_net_admin=ep $HELPER)
EOT
if command -v setcap >/dev/null; then
	chmod 755 "$HELPER"
	setcap cap_net_admin=ep "$HELPER"
	check 'the capability instead' says 0 check --live --strict <<-EOT
		/etc/tapgate.conf: no mistake found
	EOT
	live 'the capability of another kind' 1 'setcap cap_net_raw=ep "$HELPER"' 'setcap -r "$HELPER"; chmod 4755 "$HELPER"' <<-EOT
		tapgate: $HELPER has neither the setuid bit nor the capability cap_net_admin, so it may not make taps; run: chmod 4755 $HELPER (or: setcap cap_net_admin=ep $HELPER)
	EOT
else
	skip 'file capabilities' 'setcap is not installed'
fi
live 'setuid to somebody else' 1 'chown alice "$HELPER"; chmod 4755 "$HELPER"' 'chown root "$HELPER"; chmod 4755 "$HELPER"' <<EOT
tapgate: $HELPER is setuid to uid 1000, not to root, so it may not make taps; run: chown root:root $HELPER && chmod 4755 $HELPER
EOT
live 'a helper that others can write' 0 'chmod 4757 "$HELPER"' 'chmod 4755 "$HELPER"' <<EOT
tapgate: warning: $HELPER can be written by others than its owner (mode 4757); run: chmod go-w $HELPER
EOT
libexec=${HELPER%/*}
live 'a directory on the way that others can write' 0 'chmod 775 "${libexec%/*}"' 'chmod 755 "${libexec%/*}"' <<EOT
tapgate: warning: ${libexec%/*}, where the helper is, can be written by others than root (uid 0, mode 0775), who can put another program there; run: chown root ${libexec%/*} && chmod go-w ${libexec%/*}
EOT
live 'one that is not of root' 0 'chown alice "$libexec"' 'chown root "$libexec"' <<EOT
tapgate: warning: $libexec, where the helper is, can be written by others than root (uid 1000, mode 0755), who can put another program there; run: chown root $libexec && chmod go-w $libexec
EOT
chgrp students "$HELPER"
chmod 4750 "$HELPER"
check 'a helper for a group is no mistake' says 0 check --live --strict <<EOT
tapgate: note: only root and group 2000 may run $HELPER (mode 4750)
/etc/tapgate.conf: no mistake found
EOT
chgrp root "$HELPER"
chmod 4755 "$HELPER"
live 'no helper' 1 'mv "$HELPER" "$HELPER.away"' 'mv "$HELPER.away" "$HELPER"' <<EOT
tapgate: $HELPER: No such file or directory; install tapgate whole, or name the helper in TAPGATE_HELPER
EOT
live 'a mount without setuid' 1 \
	'mount --bind "${HELPER%/*}" "${HELPER%/*}"; mount -o remount,bind,nosuid "${HELPER%/*}"' 'umount "${HELPER%/*}"' <<EOT
tapgate: $HELPER is on a file system that is mounted nosuid, where the setuid bit and capabilities have no effect; mount it without nosuid, or install tapgate elsewhere
EOT
check 'no_new_privs' eval 'setpriv --no-new-privs "$TAPGATE" check --live 2>"$TMPDIR/live"; [ $? = 1 ] &&
	[ "$(cat "$TMPDIR/live")" = "tapgate: what is started from here gets no privileges (no_new_privs is set, as by Flatpak, containers and some units), so $HELPER does nothing; start virtual machines outside of it" ]'

live 'no /dev/net/tun' 1 'rm /dev/net/tun' 'mknod -m 666 /dev/net/tun c 10 200' <<'EOT'
tapgate: /dev/net/tun: No such file or directory, so no tap can be made; run: modprobe tun (in a container: add the device)
EOT
no_driver() { # as if none were in the kernel
	strace -o /dev/null -P /dev/net/tun -e inject=openat:error=ENODEV "$TAPGATE" check --live 2>&1
	[ $? = 1 ]
}
check 'a device without a driver' eval 'no_driver | grep -qxF \
	"tapgate: /dev/net/tun: No such device, so no tap can be made; run: modprobe tun (in a container: add the device)"'
live 'something else there' 1 'rm /dev/net/tun; mknod -m 666 /dev/net/tun c 1 3' \
	'rm /dev/net/tun; mknod -m 666 /dev/net/tun c 10 200' <<'EOT'
tapgate: /dev/net/tun is something else than the device 10:200, so no tap can be made; run: rm /dev/net/tun && mknod -m 666 /dev/net/tun c 10 200
EOT
live 'a directory that users may not enter' 1 'chmod 700 /dev/net' 'chmod 755 /dev/net' <<'EOT'
tapgate: /dev/net is not open to everybody (mode 0700), and the helper opens /dev/net/tun as the user who asks; run: chmod 755 /dev/net
EOT
live '/dev/net/tun for root only' 1 'chmod 600 /dev/net/tun' 'chmod 666 /dev/net/tun' <<'EOT'
tapgate: /dev/net/tun is for root only (mode 0600), and the helper opens it as the user who asks; run: chmod 666 /dev/net/tun
EOT
live '/dev/net/tun for a group' 0 'chmod 660 /dev/net/tun; chgrp students /dev/net/tun' \
	'chmod 666 /dev/net/tun; chgrp root /dev/net/tun' <<'EOT'
tapgate: warning: /dev/net/tun is for root and group 'students' only (mode 0660), and the helper opens it as the user who asks; others are kept out until: chmod 666 /dev/net/tun
EOT
rm /dev/vhost-net
check 'no /dev/vhost-net is no mistake' says 0 check --live --strict <<'EOT'
tapgate: note: /dev/vhost-net: No such file or directory; for vhost=on run: modprobe vhost_net
/etc/tapgate.conf: no mistake found
EOT
mknod -m 600 /dev/vhost-net c 10 238
check 'nor is one for root only' says 0 check --live --strict <<'EOT'
tapgate: note: /dev/vhost-net is for root only; others go without vhost=on
/etc/tapgate.conf: no mistake found
EOT
chmod 666 /dev/vhost-net

chmod 646 /etc/tapgate.conf
chmod 755 "$HELPER"
check 'a policy that is not trusted, and the rest of it' says 4 check --live <<EOT
/etc/tapgate.conf: it can be written by others than root; an administrator can change that
tapgate: $HELPER has neither the setuid bit nor the capability cap_net_admin, so it may not make taps; run: chmod 4755 $HELPER (or: setcap cap_net_admin=ep $HELPER)
EOT
chmod 4755 "$HELPER"
chmod 644 /etc/tapgate.conf

# --- bridges of others ------------------------------------------------------------------------------------------------

ip link del br0
ip link add br0 type bridge
ip link set br0 up
live 'a bridge whose address nobody set' 0 : 'ip link set br0 address 02:00:00:00:00:01' <<EOT
tapgate: br0: warning: nobody set the hardware address of its bridge, which so takes the lowest of its ports' and changes as they come and go; keep it: ip link set br0 address $(mac_of br0)
EOT
live 'a bridge of a rule that is down' 0 'ip link set br0 down' 'ip link set br0 up' <<'EOT'
tapgate: br0: warning: its bridge is down; run: ip link set br0 up
EOT
no_address() { # a bridge has none once its last port has gone; what is said to give it one does
	ip link del br0
	ip link add br0 type bridge
	ip link set br0 up
	ip link add port type veth peer name port-far
	ip link set port master br0
	ip link del port
	[ "$(mac_of br0)" = 00:00:00:00:00:00 ] || return 1
	eval "$("$TAPGATE" check --live 2>&1 | sed -n 's/.*; keep it: //p')"
	"$TAPGATE" check --live --strict && mac_of br0 | grep '^02:'
}
check 'a bridge that has no address is told one' no_address
policy 'network br0 bridged' 'allow br0 user=alice'
live 'a bridged network whose bridge is down' 0 'ip link set br0 down' 'ip link set br0 up' <<'EOT'
tapgate: br0: warning: its bridge is down; run: ip link set br0 up
EOT
ip link add card type veth peer name card-far
policy 'allow br0 user=alice' 'allow card user=alice'
live 'a rule for an interface that is no bridge' 0 : "policy 'allow br0 user=alice'" <<'EOT'
tapgate: card: warning: the interface is not a Linux bridge, and nobody can join it; name a bridge that has it as a port, or use a network of the mode nat
EOT
policy 'network card bridged' 'allow card user=alice'
live 'a bridged network on one' 0 : "policy 'allow br0 user=alice'" <<'EOT'
tapgate: card: warning: the interface is not a Linux bridge, and nobody can join it; name a bridge that has it as a port, or use a network of the mode nat
EOT

# There is no Wi-Fi card here; what the kernel shows of one beside every other card is a link called phy80211.
wireless() {
	mkdir -p "$TMPDIR/wireless/phy80211"
	cp /sys/class/net/card/addr_assign_type "$TMPDIR/wireless/"
	mount --bind "$TMPDIR/wireless" /sys/devices/virtual/net/card
}
policy 'network card bridged' 'allow card user=alice'
live 'a bridged network on a Wi-Fi card' 0 wireless \
	"umount /sys/devices/virtual/net/card; policy 'allow br0 user=alice'" <<'EOT'
tapgate: card: warning: it is a Wi-Fi card, which cannot be bridged: an access point takes frames from the station that logged in only; use a network of the mode nat instead
EOT
live 'a Wi-Fi card as uplink' 0 'ip link set card master br0; wireless' \
	'umount /sys/devices/virtual/net/card; ip link set card nomaster' <<'EOT'
tapgate: br0: warning: its port 'card' is a Wi-Fi card: unless that is an access point itself, or speaks 4addr, the one that it logged in to takes no frames of guests; use a network of the mode nat instead
EOT
ip link del card

# --- networks of ours -------------------------------------------------------------------------------------------------

policy 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.10-172.16.2.20' 'network quiet internal' \
	'network tap1 standalone 172.16.3.1/24' 'allow lab user=alice' 'allow quiet user=alice' 'allow tap1 user=alice'
live 'networks that were not made' 0 : '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: lab: warning: it is not up; run: tapgate up
tapgate: quiet: warning: it is not up; run: tapgate up
tapgate: tap1: warning: it is not up; run: tapgate up
EOT
live 'a guard that was removed' 0 'nft delete table inet tapgate-lab' '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: lab: warning: its guard is missing, so that nobody can join it, and who is on it is not kept to it; run: tapgate up
EOT
live 'a guard that was changed' 0 'nft add rule inet tapgate-lab forward accept' '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: lab: warning: its guard is changed, so that nobody can join it, and who is on it is not kept to it; run: tapgate up
EOT
live 'an address that was removed' 0 'ip addr del 172.16.2.1/24 dev lab' '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: lab: warning: not as wanted: addresses; run: tapgate up
EOT
live 'a bridge of ours that is down' 0 'ip link set quiet down' '"$TAPGATE" up >/dev/null' <<'EOT'
tapgate: quiet: warning: its bridge is down; run: tapgate up
EOT
live 'a network that the policy has no more' 0 \
	'cp /etc/tapgate.conf /etc/whole; sed -i /quiet/d /etc/tapgate.conf' 'cp /etc/whole /etc/tapgate.conf' <<'EOT'
tapgate: quiet: warning: it stands, and the policy has it no more; run: tapgate up
EOT
live 'a port that is no tap of ours' 0 'ip link add stranger type veth peer name far; ip link set stranger master quiet' \
	'ip link del stranger' <<'EOT'
tapgate: quiet: warning: its port 'stranger' is not a tap of tapgate-helper's, and whoever is behind it is on the network; take it out: ip link set 'stranger' nomaster
EOT

check 'a guest' guest one lab 172.16.2.11/24
read -r tap <"$TMPDIR/tap.one"
check 'is no mistake' says 0 check --live --strict <<'EOT'
/etc/tapgate.conf: no mistake found
EOT
live "an IPv6 address of the host's on its tap" 0 'ip -6 addr add fe80::5/64 dev "$tap" nodad' \
	'ip -6 addr flush dev "$tap"' <<EOT
tapgate: lab: warning: the host has the address fe80::5 on the tap '$tap', and its guest can reach the host by it; remove it: ip -6 addr flush dev $tap
EOT
known() { # known MAC: the bridge has heard it
	bridge fdb show br lab | grep -q "^$1 dev $tap "
}
speaks() {
	ip -n one link set eth0 address 52:54:00:12:34:56
	in_netns one "$busybox" ping -c 1 -W 1 172.16.2.1 >/dev/null
	wait_for 5 known 52:54:00:12:34:56
}
live "a guest with QEMU's default address" 0 speaks 'ip -n one link set eth0 address 52:54:00:aa:aa:aa
	bridge fdb del 52:54:00:12:34:56 dev "$tap" master' <<EOT
tapgate: lab: warning: the guest behind '$tap' has QEMU's default hardware address 52:54:00:12:34:56, and two that have it take each other's packets; give each its own with -device ...,mac=...
EOT
unplug one
left_behind() {
	setpriv --reuid alice --regid alice --init-groups "$TAPGATE" run --net lab -- "$top/build/tests/cli/hold" '{fd}' \
		persist >"$TMPDIR/left"
	tap=$(awk '{ print $2; exit }' "$TMPDIR/left")
	echo "tapgate: lab: warning: the tap '$tap' of uid 1000 is persistent and nobody seems to hold it; it counts against max=, and keeps its place: tapgate reap" >"$TMPDIR/expected"
}
live 'a tap that was left behind' 0 left_behind '"$TAPGATE" reap >/dev/null' </dev/null

# --- other people's firewalls -----------------------------------------------------------------------------------------

policy 'network lab host-only 172.16.2.1/24 dhcp=172.16.2.10-172.16.2.20' 'allow lab user=alice' 'allow br0 user=alice'
"$TAPGATE" up >/dev/null
bridge_filter() { # bridge_filter 0|1
	for of in iptables ip6tables; do
		set_sysctl "bridge/bridge-nf-call-$of" "$1"
	done
}
forward_drops() {
	nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
	"$TAPGATE" up >/dev/null # which opens it for lab
}
if [ -e /proc/sys/net/bridge ]; then
	bridge_filter 0
	forward_drops
	check 'a chain that drops, without br_netfilter' says 0 check --live --strict <<-'EOT'
		/etc/tapgate.conf: no mistake found
	EOT
	live 'with it' 0 'bridge_filter 1' 'bridge_filter 0' <<-'EOT'
		tapgate: br0: warning: 'ip filter FORWARD' drops what crosses the bridge, as br_netfilter sends it there; run: nft insert rule ip filter FORWARD iifname br0 oifname br0 accept
	EOT
	live 'on that bridge alone' 0 'echo 1 >/sys/class/net/br0/bridge/nf_call_iptables' \
		'echo 0 >/sys/class/net/br0/bridge/nf_call_iptables' <<-'EOT'
		tapgate: br0: warning: 'ip filter FORWARD' drops what crosses the bridge, as br_netfilter sends it there; run: nft insert rule ip filter FORWARD iifname br0 oifname br0 accept
	EOT
	bridge_filter 1
	live 'what it says helps' 0 : 'nft insert rule ip filter FORWARD iifname br0 oifname br0 accept' <<-'EOT'
		tapgate: br0: warning: 'ip filter FORWARD' drops what crosses the bridge, as br_netfilter sends it there; run: nft insert rule ip filter FORWARD iifname br0 oifname br0 accept
	EOT
	nft 'delete table ip filter'
	forward_drops
	nft 'add chain ip filter DOCKER-USER; insert rule ip filter FORWARD jump DOCKER-USER'
	live "Docker's chains" 0 : 'nft insert rule ip filter DOCKER-USER iifname br0 oifname br0 counter accept' <<-'EOT'
		tapgate: br0: warning: 'ip filter FORWARD' drops what crosses the bridge, as br_netfilter sends it there; run: iptables -I DOCKER-USER -i br0 -o br0 -j ACCEPT
	EOT
	bridge_filter 0
	nft 'delete table ip filter'
else
	skip 'bridged traffic that a firewall drops' 'br_netfilter is not loaded'
fi

ufw() {
	nft 'add table ip filter; add chain ip filter INPUT { type filter hook input priority 0; policy drop; }
		add chain ip filter ufw-user-input; add rule ip filter INPUT jump ufw-user-input'
	"$TAPGATE" up >/dev/null
}
live 'ufw' 0 ufw 'nft add rule ip filter ufw-user-input iifname lab udp dport 67 counter accept' <<'EOT'
tapgate: lab: warning: ufw drops its guests' requests for addresses; run: ufw allow in on lab to any port 67 proto udp
EOT
nft 'delete table ip filter'

# firewalld's table belongs to the process that made it, and goes with it.
firewalld() {
	rm -f "$TMPDIR/commands"
	mkfifo "$TMPDIR/commands"
	nft -i <"$TMPDIR/commands" >/dev/null 2>&1 &
	exec 9>"$TMPDIR/commands"
	echo 'add table inet firewalld { flags owner; }
add chain inet firewalld filter_INPUT { type filter hook input priority 10; policy accept; }
add chain inet firewalld zones
add rule inet firewalld filter_INPUT jump zones
add rule inet firewalld filter_INPUT reject' >&9
	wait_for 5 eval 'nft list chain inet firewalld filter_INPUT | grep -q reject'
}
live 'firewalld' 0 firewalld 'echo "add rule inet firewalld zones iifname lab accept" >&9
	wait_for 5 eval "nft list chain inet firewalld zones | grep -q lab"' <<'EOT'
tapgate: lab: warning: 'inet firewalld filter_INPUT' may drop its guests' requests for addresses, and only its owner can change that; with firewalld: firewall-cmd --permanent --zone=trusted --add-interface=lab
EOT
exec 9>&-
wait_for 5 refuses nft list table inet firewalld

live 'NetworkManager without our file' 0 'mkdir /run/NetworkManager' \
	'mkdir -p /etc/NetworkManager/conf.d; : >/etc/NetworkManager/conf.d/tapgate.conf' <<'EOT'
tapgate: warning: NetworkManager runs, and nothing tells it to leave taps alone, which it may take off their bridge; install tapgate.conf into /etc/NetworkManager/conf.d, and run: nmcli general reload
EOT

# --- as an ordinary user ----------------------------------------------------------------------------------------------

check 'what alice cannot see is said once' \
	[ "$(setpriv --reuid alice --regid alice --clear-groups "$TAPGATE" check --live --strict 2>&1)" = \
	"tapgate: note: guards, DHCP and firewalls are shown to root only; try: sudo tapgate check --live
/etc/tapgate.conf: no mistake found" ]
remember
"$TAPGATE" check --live >/dev/null 2>&1
check 'check has changed nothing' same
finish
