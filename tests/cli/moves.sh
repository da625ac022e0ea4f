#!/bin/sh
# Networks that become others while virtual machines run on them: a standalone one a pool, or with a bridge, and back.
# No tap is left that no guard knows.
set -u

top=${top-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"

# as LINE...: the policy, with these networks
as() {
	policy 'allow all user=alice' "$@"
}

# gone NAME: the tap of this guest is no more
gone() {
	read -r gone_tap <"$TMPDIR/tap.$1"
	refuses test -e "/sys/class/net/$gone_tap" && ip netns del "$1"
}

# --- taps that stand alone --------------------------------------------------------------------------------------------

as 'network lab standalone 10.1.0.1/24'
check 'a standalone network' "$TAPGATE" up
check '... and its guest' guest one lab 10.1.0.2/24
nft flush ruleset
as 'network lab standalone 10.1.0.1/24' 'network lo internal'
check 'a conflict elsewhere: the guard of a tap that stands alone is put back all the same' says 4 up <<'EOT'
tapgate: /etc/tapgate.conf:3: network 'lo' needs the interface name 'lo', which one has that tapgate did not make; give the network another name, or remove the interface
lab: put up its guard
tapgate: nothing else was changed
EOT

as 'network lab standalone 10.1.0.0/24 per-vm=/30'
check 'now a pool, whose guard knows only taps of other names: --dry-run' changes_nothing 0 up --dry-run <<'EOT'
lab: would remove the tap 'lab' of a virtual machine
lab: would put up its guard
EOT
check 'now a pool: up' says 0 up <<'EOT'
lab: removed the tap 'lab' of a virtual machine
lab: put up its guard
EOT
check '... the tap is gone' gone one
check '... nothing more to do' says_nothing_changed
check '... two guests' guest one lab 10.1.0.2/30
check '... of the pool' guest two lab 10.1.0.6/30

as 'network lab standalone 10.1.0.0/25 per-vm=/30'
check 'a smaller pool: its taps stay' says_nothing_changed
as 'network lab standalone 10.1.0.1/24'
check 'no pool any more' says 0 up <<'EOT'
lab: removed the tap 'lab-1' of a virtual machine
lab: removed the tap 'lab-2' of a virtual machine
lab: put up its guard
EOT
check '... one tap is gone' gone one
check '... and the other' gone two
check '... a guest' guest one lab 10.1.0.2/24

as 'network lab host-only 10.1.0.1/24'
check 'now with a bridge, which needs the name of the tap' says 0 up <<'EOT'
lab: removed the tap 'lab' of a virtual machine
lab: made the bridge
lab: put up its guard
lab: added the address 10.1.0.1/24
lab: brought the bridge up
EOT
check '... the tap is gone' eval '! ip -o link show type tun | grep -q .; ip netns del one'
check '... up' "$TAPGATE" status
check '... a guest' guest one lab 10.1.0.2/24

as 'network lab standalone 10.1.0.0/24 per-vm=/30'
check 'a pool instead of the bridge' eval "$TAPGATE up && gone one"
check '... a guest' guest one lab 10.1.0.2/30
as 'network lab nat 10.1.0.1/24'
check 'a bridge instead of the pool' eval "$TAPGATE up && gone one"
check '... up' "$TAPGATE" status
check 'down' "$TAPGATE" down

finish
