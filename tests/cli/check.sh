#!/bin/sh
# `tapgate check`: every mistake of a policy with its line and a caret, and what in a policy may not be meant. (--live:
# check_live.sh.)
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
/etc/tapgate.conf:2:23: an empty name, expected names or '#number', apart by ',' alone
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
/etc/tapgate.conf:8:16: file ends inside a line, expected a newline (the file may be cut short; if it is whole: echo >>'/etc/tapgate.conf')
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
/etc/tapgate.conf:1:427: an empty name, expected names or '#number', apart by ',' alone
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
	'chmod 646'*) why="it can be written by others than root (uid 0, mode 0646); an administrator can run: chmod go-w '/etc/more/x'" ;;
	'chown alice /etc/more/x') why="it does not belong to root (uid 1000, mode 0644); an administrator can look at it and run: chown root '/etc/more/x'" ;;
	'chmod 757'*) why="a directory on the way to it can be written by others than root (uid 0, mode 0757); an administrator can run: chmod go-w '/etc/more'" ;;
	*) why="a directory on the way to it does not belong to root (uid 1000, mode 0755); an administrator can look at it and run: chown root '/etc/more'" ;;
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
chown alice /etc/more/x "$TMPDIR/draft"
check 'a draft' says 4 check "$TMPDIR/draft" <<-EOT
	$TMPDIR/draft:1:11: unknown word 'usr' on an allow rule, expected 'user=', 'group=', 'max=', 'queues=', 'mac=', 'vlan=', 'mtu=', 'isolated', 'lock-mac' or 'guard'
	    allow br0 usr=alice
	              ^
	$TMPDIR/draft:2:9: cannot include '/etc/more/x': it does not belong to root (uid 1000, mode 0644); an administrator can look at it and run: chown root '/etc/more/x'
	    include /etc/more/x
	            ^
	tapgate: note: '$TMPDIR/draft' would be refused where it lies: a directory on the way to it can be written by others than root, and what it leads to there is not root's (uid 0, mode 1777); an administrator can move the file out of '$TMPDIR'
EOT
rm "$TMPDIR/draft"
echo 'deny all' >"$TMPDIR/draft"
chmod 600 "$TMPDIR/draft"
chown alice "$TMPDIR/draft"
check '... that nobody else may read' says 0 check "$TMPDIR/draft" <<-EOT
	tapgate: note: '$TMPDIR/draft' would be refused where it lies: a directory on the way to it can be written by others than root, and what it leads to there is not root's (uid 0, mode 1777); an administrator can move the file out of '$TMPDIR'
	tapgate: note: '$TMPDIR/draft' allows nobody anything yet; add a rule, as in 'allow br0 user=alice' (see tapgate.conf(5))
	$TMPDIR/draft: no mistake found
EOT
chown root "$TMPDIR/draft"
check "... of root's, in a directory that is sticky" says 0 check "$TMPDIR/draft" <<-EOT
	tapgate: note: '$TMPDIR/draft' allows nobody anything yet; add a rule, as in 'allow br0 user=alice' (see tapgate.conf(5))
	$TMPDIR/draft: no mistake found
EOT
mkfifo "$TMPDIR/fifo"
check '... that is no file' says 4 check "$TMPDIR/fifo" <<-EOT
	$TMPDIR/fifo: it is not a regular file
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
finish
