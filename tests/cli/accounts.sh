#!/bin/sh
# SPDX-License-Identifier: MIT
# Accounts that only a directory service has, networks that there are not, and a policy that its users cannot read: what
# the helper refuses with, and what `tapgate explain` and `tapgate check` make of it.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# A source of names behind the files, as a directory service is: the user "remote", 10007, and the group "remotes", 10009.
mkdir "$TMPDIR/nss"
"${CC:-cc}" -shared -fPIC -o "$TMPDIR/nss/libnss_directory.so.2" "$top/tests/cli/directory/nss.c" || exit 1
printf '%s\n' 'passwd: files directory' 'group: files directory' >/etc/nsswitch.conf
export LD_LIBRARY_PATH="$TMPDIR/nss"

remote() { # remote COMMAND...: as that user, in that group
	setpriv --reuid 10007 --regid 10009 --clear-groups "$@"
}
refusal() { # refusal NETWORK: what the helper says to remote
	remote "$CALL" "$HELPER" "--br=$1" '--fd={fd}' 2>&1 >/dev/null | sed 's/^tapgate-helper: //'
}
# shellcheck disable=SC2120 # its arguments come by check
same() { # same TEXT COMMAND...: what the command prints is that line
	same_text=$1
	shift
	"$@" >"$TMPDIR/same" 2>&1
	echo "$same_text" | diff - "$TMPDIR/same"
}

# --- a name that is in no account file --------------------------------------------------------------------------------

ip link add br0 type bridge
policy 'allow br0 group=remotes'
no="uid 10007 may not use 'br0': no rule allows it, and the"
group="$no group 'remotes' of /etc/tapgate.conf:1 is not in /etc/group; an administrator can write its number there, group=#NUMBER (getent group)"
check 'a group: the helper' same "$group" refusal br0
check 'explain knows the number' same "br0: denied: $group
  number   the group 'remotes' is this user's: write group=#10009" remote "$TAPGATE" explain br0
check '... and, for root, that the name services do not have the user in it' same "br0: denied: $group
  number   the group 'remotes' is not this user's" "$TAPGATE" explain --user remote br0
policy 'allow br0 group=#10009'
allowed() { # allowed COMMAND...: it says so of br0
	"$@" | grep -q '^br0: allowed by '
}
check '... which is right' allowed remote "$TAPGATE" explain br0
policy 'allow br0 user=remote'
check 'a user' same "$no user 'remote' of /etc/tapgate.conf:1 is not in /etc/passwd; an administrator can write its number there, user=#NUMBER (getent passwd)" refusal br0
check '... and its number' sh -c "'$TAPGATE' explain --user remote br0 | grep -qx \"  number   the name 'remote' is this user's: write user=#10007\""
policy 'allow br0 group=others'
check 'a group that there is not' sh -c "'$TAPGATE' explain --user remote br0 | grep -qx \"  number   the group 'others' is not this user's\""
check 'nothing of that for a caller whose ids have names' same \
	"uid 1000 may not use 'br0': no rule allows it; an administrator can add 'allow br0 user=#1000' to /etc/tapgate.conf" \
	sh -c "setpriv --reuid alice --regid alice --init-groups '$CALL' '$HELPER' --br=br0 '--fd={fd}' 2>&1 >/dev/null |
		sed 's/^tapgate-helper: //'"

policy 'allow br0' 'deny br0 user=remote'
check 'a deny of such a name is an error, and what it does is told' says 4 check <<'EOT'
/etc/tapgate.conf:2:15: user 'remote' is not in /etc/passwd, and tapgate-helper asks no directory service: this denies every caller with a user that is not there; write user=#10007
    deny br0 user=remote
                  ^
EOT
check '... which is so' sh -c "setpriv --reuid 10008 --regid alice --clear-groups '$TAPGATE' explain br0 | grep -q '^br0: denied'"
policy 'allow br0' 'deny br0 user=#10007'
check 'by number it denies that user alone' sh -c \
	"setpriv --reuid 10008 --regid alice --clear-groups '$TAPGATE' explain br0 | grep -q '^br0: allowed'"

# --- a network that there is not --------------------------------------------------------------------------------------

policy 'network lab internal' 'allow lab user=alice'
check 'the helper says so' same \
	"uid 10007 may not use 'laab': no rule allows it, and the policy has no network of that name; see: tapgate networks (of a bridge, an administrator can add 'allow laab user=#10007' to /etc/tapgate.conf)" \
	refusal laab
check '... and run knows better' sh -c "setpriv --reuid 10007 --regid 10009 --clear-groups '$TAPGATE' run --net laab true 2>&1 |
	grep -qx \"tapgate: there is no network 'laab' (did you mean 'lab'?); see: tapgate networks\""
check '... and explain' sh -c "'$TAPGATE' explain laab |
	grep -qx \"  network  there is no network or bridge of that name (did you mean 'lab'?); see: tapgate networks\""
check '... not of a bridge' sh -c "! setpriv --reuid 10007 --regid 10009 --clear-groups '$TAPGATE' run --net br0 true 2>&1 |
	grep 'there is no network'"
check '... nor of one that is denied' sh -c "! setpriv --reuid 10007 --regid 10009 --clear-groups '$TAPGATE' run --net lab true 2>&1 |
	grep 'there is no network'"
check 'root is offered its name' same \
	"lab: denied: uid 0 may not use 'lab': no rule allows it; an administrator can add 'allow lab user=root' to /etc/tapgate.conf" \
	"$TAPGATE" explain lab

# --- a policy that is closed to its users -----------------------------------------------------------------------------

chmod 600 /etc/tapgate.conf
closed="no rule that this user may read allows it ('/etc/tapgate.conf' is not readable); an administrator can run: chmod 644 /etc/tapgate.conf"
check 'the cure is its mode' same "uid 10007 may not use 'lab': $closed" refusal lab
check '... for explain, too' same "/etc/tapgate.conf says nothing to uid 10007, who may not read it; an administrator can run: chmod 644 /etc/tapgate.conf" \
	remote "$TAPGATE" explain
finish
