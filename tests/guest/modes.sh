# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The modes with guests on each, and who reaches whom, to be sourced behind vm.sh and lan.sh:
#
#	modes_policy	prints a policy with a network of each mode, for alice
#	modes_start	starts its guests; modes_ready waits for them
#	modes_measure	asks everybody to ping everybody; the answers are the file $modes_answers
#	modes_cells	prints what came of it: a line for each mode, and IPv4 and IPv6
#	modes_expected	prints what is right
#	modes_draw	draws one or the other, from standard input
#
#	 netns internet     netns lan       the host: br0           web         lab        quiet      tap1   cell-1  cell-2
#	+--------------+   +------------+   +----------------+  +---------+  +---------+  +---------+   |      |       |
#	| 203.0.113.1  |---| 192.0.2.50 |---| bridged        |  | nat     |  | host-   |  |internal |   |      |       |
#	|              |   |            |   | 192.0.2.1      |  |10.77.0.1|  | only    |  |         |   |      |       |
#	+--------------+   +------------+   +--+-----+-------+  +-+-----+-+  +-+-----+-+  +-+-----+-+   |      |       |
#	                                       |     |            |     |      |     |      |     |     |      |       |
#	                                      b1     b2          n1     n2    h1     h2    i1     i2   s1     c1      c2
#
# Every guest has a default route by way of the host, whether its mode leads anywhere or not: guests of the internal
# network ask for the host's address on br0.

modes_answers=$TMPDIR/answers

modes_policy() {
	cat <<-'EOT'
		network br0   bridged
		network web   nat        10.77.0.1/24 fd00:77::1/64
		network home  shared     10.77.8.1/24 fd00:78::1/64
		network dmz   routed     10.77.9.1/24 fd00:79::1/64
		network lab   host-only  172.16.5.1/24 fd00:5::1/64
		network quiet internal
		network tap1  standalone 172.16.2.1/24 fd00:2::1/64
		network cell  standalone 172.16.128.0/17 fd00:c::/112 per-vm=/30,/126
		allow all user=alice
	EOT
}

# One line for each: name, network, IPv4 address, IPv6 address, and default route by way of.
modes_guests() {
	cat <<-'EOT'
		b1 br0   192.0.2.11/24   2001:db8:1::11/64 192.0.2.50   2001:db8:1::50
		b2 br0   192.0.2.12/24   2001:db8:1::12/64 192.0.2.50   2001:db8:1::50
		n1 web   10.77.0.11/24   fd00:77::11/64    10.77.0.1    fd00:77::1
		n2 web   10.77.0.12/24   fd00:77::12/64    10.77.0.1    fd00:77::1
		w1 home  10.77.8.11/24   fd00:78::11/64    10.77.8.1    fd00:78::1
		w2 home  10.77.8.12/24   fd00:78::12/64    10.77.8.1    fd00:78::1
		r1 dmz   10.77.9.11/24   fd00:79::11/64    10.77.9.1    fd00:79::1
		r2 dmz   10.77.9.12/24   fd00:79::12/64    10.77.9.1    fd00:79::1
		h1 lab   172.16.5.11/24  fd00:5::11/64     172.16.5.1   fd00:5::1
		h2 lab   172.16.5.12/24  fd00:5::12/64     172.16.5.1   fd00:5::1
		i1 quiet 172.16.9.11/24  fd00:9::11/64     192.0.2.1    2001:db8:1::1
		i2 quiet 172.16.9.12/24  fd00:9::12/64     192.0.2.1    2001:db8:1::1
		s1 tap1  172.16.2.2/24   fd00:2::2/64      172.16.2.1   fd00:2::1
		c1 cell  172.16.128.2/30 fd00:c::2/126     172.16.128.1 fd00:c::1
		c2 cell  172.16.128.6/30 fd00:c::6/126     172.16.128.5 fd00:c::5
	EOT
}

# In the order of the answers: VM->LAN, LAN->VM, VM<->VM, VM->Internet, host->VM.
modes_expected() {
	cat <<-'EOT'
		bridged IPv4 y y y y y
		bridged IPv6 y y y y y
		nat IPv4 y n n y n
		nat IPv6 y n n y n
		shared IPv4 y n y y y
		shared IPv6 y n y y y
		routed IPv4 y y y y y
		routed IPv6 y y y y y
		host-only IPv4 n n y n y
		host-only IPv6 n n y n y
		internal IPv4 n n y n n
		internal IPv6 n n y n n
		standalone IPv4 n n - n y
		standalone IPv6 n n - n y
		standalone,pool IPv4 n n n n y
		standalone,pool IPv6 n n n n y
	EOT
}

modes_draw() {
	awk '
		BEGIN {
			printf "%-24s%-10s%-10s%-10s%-14s%s\n", "", "VM->LAN", "LAN->VM", "VM<->VM", "VM->Internet", "host->VM"
		}
		{
			sub(",", ", ", $1)
			printf "%-18s%-6s   %-10s%-10s%-12s%-12s%s\n", $1 == last ? "" : $1, $2, $3, $4, $5, $6, $7
			last = $1
		}'
}

# One after the other they get their taps, so that the subnets of the pool are known; that takes no time.
modes_start() {
	modes_guests | while read -r name network ipv4 ipv6 route4 route6; do
		vm_join "$name" "$network" \
			"tapgate.ip=$ipv4 tapgate.ip=$ipv6 tapgate.route=$route4 tapgate.route=$route6"
		wait_for 10 vm_has_tap "$name" || cat "$vms/$name/errors"
	done
}

modes_ready() { # fails when one of them has not started, and says why
	modes_guests | while read -r name _; do
		vm_says "$name" ready 300 || exit 1
	done
}

# --- the answers: "FROM ADDRESS y", with FROM a guest, "lan" or "host" -----------------------------------------------

modes_addresses() { # of the guests
	modes_guests | while read -r _ _ ipv4 ipv6 _; do
		echo "${ipv4%/*} ${ipv6%/*}"
	done
}

modes_peers() { # modes_peers NAME NETWORK: addresses of the others on its network
	modes_guests | while read -r name network ipv4 ipv6 _; do
		[ "$network" != "$2" ] || [ "$name" = "$1" ] || echo "${ipv4%/*} ${ipv6%/*}"
	done
}

# Whoever answered once answers. Guests that agree on nothing yet are asked again: on a busy host a ping can be late.
modes_measure() {
	: >"$modes_answers"
	for modes_round in 1 2 3; do
		[ "$modes_round" = 1 ] || modes_cells | grep -qF '?' || return 0
		modes_ask
	done
}

modes_ask() {
	BUSYBOX=$("$top/tests/guest/busybox")
	export BUSYBOX
	modes_guests | while read -r name network _; do
		# shellcheck disable=SC2046 # words
		vm_do "$name" probe "$lan_ipv4" "$lan_ipv6" "$internet_ipv4" "$internet_ipv6" \
			$(modes_peers "$name" "$network")
	done
	# shellcheck disable=SC2046 # words
	in_netns lan "$BUSYBOX" sh "$top/tests/guest/probe" $(modes_addresses) >"$modes_answers.lan" &
	modes_lan=$!
	# shellcheck disable=SC2046 # words
	"$BUSYBOX" sh "$top/tests/guest/probe" $(modes_addresses) >"$modes_answers.host"
	wait "$modes_lan"
	{
		cat "$modes_answers"
		sed 's/^/host /' "$modes_answers.host"
		sed 's/^/lan /' "$modes_answers.lan"
		modes_guests | while read -r name _; do
			vm_says "$name" probed 30 || echo "$name did not answer" >&2
			read -r vm_seen <"$vms/$name/seen"
			tail -n "+$((vm_seen + 1))" "$vms/$name/serial" | sed -n "s/^TAPGATE-GUEST probe /$name /p"
		done
	} | LC_ALL=C sort -r | awk '!seen[$1, $2]++' >"$modes_answers.all" # "y" before "n"
	mv "$modes_answers.all" "$modes_answers"
}

# The answers again, with the mode and the column of the table before each: "nat 3 IPv4 n1 10.77.0.12 n".
modes_sorted() {
	{
		modes_guests | sed 's/^/guest /'
		cat "$modes_answers"
	} | awk -v lan=" $lan_ipv4 $lan_ipv6 " -v internet=" $internet_ipv4 $internet_ipv6 " '
		function say(mode, column) { print mode, column, $2 ~ /:/ ? "IPv6" : "IPv4", $0 }
		BEGIN {
			split("bridged nat shared routed host-only internal standalone standalone,pool", modes)
			split("br0 web home dmz lab quiet tap1 cell", networks)
			for (i in modes)
				mode[networks[i]] = modes[i]
		}
		$1 == "guest" {
			of[$2] = mode[$3]
			for (i = 4; i <= 5; i++) {
				sub("/.*", "", $i)
				at[$i] = mode[$3]
			}
			next
		}
		$1 == "lan" { say(at[$2], 2); next }
		$1 == "host" { say(at[$2], 5); next }
		index(lan, " " $2 " ") { say(of[$1], 1); next }
		index(internet, " " $2 " ") { say(of[$1], 4); next }
		{ say(of[$1], 3) }'
}

# A cell is y or n if all who asked agree on it, ? if not, and - if there was nobody to ask.
modes_cells() {
	modes_sorted | awk '
		{
			key = $1 " " $3 " " $2
			if (!(key in cell))
				cell[key] = $6
			else if (cell[key] != $6)
				cell[key] = "?"
		}
		END {
			count = split("bridged nat shared routed host-only internal standalone standalone,pool", modes)
			for (i = 1; i <= count; i++) {
				for (v = 4; v <= 6; v += 2) {
					line = modes[i] " IPv" v
					for (column = 1; column <= 5; column++) {
						key = modes[i] " IPv" v " " column
						line = line " " (key in cell ? cell[key] : "-")
					}
					print line
				}
			}
		}'
}
