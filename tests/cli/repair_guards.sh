#!/bin/sh
# SPDX-License-Identifier: MIT
# Guards that drifted, and rules of ours that went from others' chains: found by `tapgate status`, and put right by
# `tapgate up`: that, and nothing else.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$top/tests/cli/lib.sh"
# shellcheck source-path=SCRIPTDIR source=drift.sh
. "$top/tests/cli/drift.sh"

drop_chains() { # firewalls of others: Docker's, one for what comes in, one that ends in a drop
	nft -f - <<-'EOT'
		table ip filter {
			chain DOCKER { }
			chain FORWARD {
				type filter hook forward priority filter; policy drop;
				counter jump DOCKER
			}
			chain INPUT {
				type filter hook input priority filter; policy accept;
				ct state established,related accept
				reject with icmp admin-prohibited
			}
		}
		table ip6 filter {
			chain FORWARD {
				type filter hook forward priority filter; policy accept;
				ct state established,related accept
				counter drop
			}
		}
	EOT
}

rule() { # rule FAMILY TABLE CHAIN NUMBER: the handle of that rule of the chain
	nft -a list chain "$1" "$2" "$3" | sed -n 's/.*# handle \([0-9]*\)$/\1/p' | sed -n "$(($4 + 1))p"
}

# The name of the guard's seal, as one who wanted to would have to forge it.
seal_of() { # seal_of FAMILY NETWORK
	nft list table "$1" "tapgate-$2" | sed -n 's/.*chain \(seal[^ ]*\).*/\1/p'
}

dry=says
drop_chains
networks_up

for of in 'inet lab' 'netdev quiet' 'inet web' 'inet tap1'; do
	family=${of% *} network=${of#* }
	changed="$network different guard"
	gone="$changed"
	[ "$network" != tap1 ] || gone='tap1 missing'
	drift "$network: the guard's table deleted" "$gone" "nft delete table $family tapgate-$network" <<-EOT
		$network: put up its guard
	EOT
	drift "$network: an empty chain added" "$changed" "nft add chain $family tapgate-$network new" <<-EOT
		$network: put up its guard
	EOT
	drift "$network: the guard dormant" \
		"$changed" "nft add table $family tapgate-$network '{ flags dormant; }'" <<-EOT
		$network: put up its guard
	EOT
	drift "$network: the seal deleted" \
		"$changed" "nft delete chain $family tapgate-$network $(seal_of "$family" "$network")" <<-EOT
		$network: put up its guard
	EOT
	drift "$network: a second seal" "$changed" \
		"nft add chain $family tapgate-$network seal/nat/0123456789abcdef/0123456789abcdef" <<-EOT
		$network: put up its guard
	EOT
	[ "$family" = inet ] || continue
	drift "$network: the guard flushed" "$changed" "nft flush table $family tapgate-$network" <<-EOT
		$network: put up its guard
	EOT
	drift "$network: one of its rules deleted" "$changed" \
		"nft delete rule $family tapgate-$network forward handle $(rule "$family" "tapgate-$network" forward 1)" <<-EOT
		$network: put up its guard
	EOT
	drift "$network: a rule inserted" \
		"$changed" "nft insert rule $family tapgate-$network forward accept" <<-EOT
		$network: put up its guard
	EOT
	drift "$network: a rule replaced by one as long" "$changed" \
		"nft replace rule $family tapgate-$network forward \
			handle $(rule "$family" "tapgate-$network" forward 1) 'iifname \"$network\" counter accept'" <<-EOT
		$network: put up its guard
	EOT
	drift "$network: a chain with a rule added" "$changed" \
		"nft 'add chain $family tapgate-$network first { type filter hook forward priority -300; }
		add rule $family tapgate-$network first accept'" <<-EOT
		$network: put up its guard
	EOT
done
drift 'quiet: a policy of accept' 'quiet different guard' \
	'nft add chain netdev tapgate-quiet ingress "{ policy accept; }"' <<-EOT
	quiet: put up its guard
EOT
# Where the guard has no hold on a bridge that was made anew, it is found changed; hostile.sh looks where it has
# one.
"$keeps_hooks" || drift 'quiet: the bridge made anew by somebody, as ours, without guard' 'quiet different guard' \
	'ip link del quiet; ip link add quiet address 02:74:67:df:c0:08 type bridge forward_delay 0
	ip link set quiet alias "tapgate network=quiet mode=internal" addrgenmode none; ip link set quiet up' <<-EOT
	quiet: put up its guard
EOT
drift 'the guard of another family in its place' 'lab different guard' \
	'nft delete table inet tapgate-lab; nft add table netdev tapgate-lab' <<-EOT
	lab: put up its guard
EOT

drift 'one rule of ours removed from Docker'"'"'s chain' "lab different rules in others' chains" \
	"nft delete rule ip filter FORWARD handle $(rule ip filter FORWARD 2)" <<-EOT
	lab: opened 'ip filter FORWARD' to what its guard lets through (that chain drops the rest)
EOT
# shellcheck disable=SC2016 # expanded there
drift 'all rules of ours removed from a chain of incoming packets' "lab different rules in others' chains" \
	'for number in 1 2 3; do nft delete rule ip filter INPUT handle $(rule ip filter INPUT 2); done' <<-EOT
	lab: opened 'ip filter INPUT' to what its guard lets through (that chain drops the rest)
EOT
drift 'a chain reloaded by its owner' "lab different rules in others' chains
quiet different rules in others' chains
web different rules in others' chains" "nft 'flush chain ip6 filter FORWARD
	add rule ip6 filter FORWARD ct state established,related accept; add rule ip6 filter FORWARD counter drop'" <<-EOT
	lab: opened 'ip6 filter FORWARD' to what its guard lets through (that chain drops the rest)
	quiet: opened 'ip6 filter FORWARD' to what its guard lets through (that chain drops the rest)
	web: opened 'ip6 filter FORWARD' to what its guard lets through (that chain drops the rest)
EOT
drift 'all rules flushed, and those of others back, as by a reload of nftables' "lab different guard
quiet different guard
web different guard
tap1 missing" 'nft flush ruleset; drop_chains' <<-EOT
	lab: put up its guard
	quiet: put up its guard
	web: put up its guard
	tap1: put up its guard
	lab: opened 'ip filter FORWARD' to what its guard lets through (that chain drops the rest)
	quiet: opened 'ip filter FORWARD' to what its guard lets through (that chain drops the rest)
	web: opened 'ip filter FORWARD' to what its guard lets through (that chain drops the rest)
	lab: opened 'ip filter INPUT' to what its guard lets through (that chain drops the rest)
	lab: opened 'ip6 filter FORWARD' to what its guard lets through (that chain drops the rest)
	quiet: opened 'ip6 filter FORWARD' to what its guard lets through (that chain drops the rest)
	web: opened 'ip6 filter FORWARD' to what its guard lets through (that chain drops the rest)
EOT
finish
