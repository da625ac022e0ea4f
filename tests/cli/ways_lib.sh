# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What tests of ways in share, to be sourced behind lib.sh: a LAN, guests that serve their names, and a table of who
# reaches whom, which is asked all at once.
# shellcheck disable=SC2154 # busybox and speak are lib.sh's

answering=

lan() {
	ip netns add lan
	ip link add uplink type veth peer name to-host netns lan
	ip addr add 192.0.2.1/24 dev uplink
	ip addr add 192.0.2.2/24 dev uplink
	ip addr add 2001:db8:1::1/64 dev uplink nodad
	ip link set uplink up
	ip -n lan addr add 192.0.2.50/24 dev to-host
	ip -n lan addr add 2001:db8:1::50/64 dev to-host nodad
	ip -n lan link set lo up
	ip -n lan link set to-host up
	ip route add default via 192.0.2.50
	ip -6 route add default via 2001:db8:1::50
	# The LAN could reach all guests if it were let.
	for subnet in 172.16.0.0/12 10.64.0.0/10; do
		ip -n lan route add "$subnet" via 192.0.2.1
	done
	ip -n lan -6 route add fd00::/8 via 2001:db8:1::1
}

serve_name() { # serve_name NAMESPACE: its name, at ports 80 and 8080, and 8020 and 8021 of UDP
	mkdir -p "$TMPDIR/www/$1"
	echo "$1" >"$TMPDIR/www/$1/index.html"
	for port in 80 8080; do
		in_netns "$1" "$busybox" httpd -p "[::]:$port" -h "$TMPDIR/www/$1"
	done
	in_netns "$1" "$speak" answer "$1" 8020 8021 &
	answering="$answering $!"
}

serve() { # each guest its name
	while read -r name _; do
		serve_name "$name"
	done <"$TMPDIR/guests"
}

get_udp() { # get_udp FROM ADDRESS PORT: the same
	if [ "$1" = host ]; then
		"$speak" ask "$2" "$3"
	else
		in_netns "$1" "$speak" ask "$2" "$3"
	fi
}

get() { # get FROM ADDRESS PORT: the name of who answered; "refused" or "waited" if nobody did
	address=$2
	case $3 in
	802?)
		get_udp "$@"
		return
		;;
	esac
	case $2 in
	*:*) address="[$2]" ;;
	esac
	case $1 in
	host) set -- "$address:$3" ;;
	*) set -- "$address:$3" nsenter "--net=/run/netns/$1" ;;
	esac
	url=http://$1/
	shift
	timeout 12 "$@" "$busybox" wget -q -O - "$url" 2>/dev/null
	case $? in
	0) ;;
	124 | 143) echo waited ;;
	*) echo refused ;;
	esac
}

ask() { # ask all of the table at once; the answers are files
	rm -rf "$TMPDIR/answers"
	mkdir "$TMPDIR/answers"
	asked=
	while read -r from ipv4 ipv6 port _; do
		for address in "$ipv4" "$ipv6"; do
			[ "$address" = - ] && continue
			get "$from" "$address" "$port" >"$TMPDIR/answers/$from-$address-$port" &
			asked="$asked $!"
		done
	done <"$TMPDIR/table"
	# shellcheck disable=SC2086 # numbers
	wait $asked
}

answers() { # answers FROM ADDRESS PORT WHO: closed is a refusal, or nothing at all
	read -r came <"$TMPDIR/answers/$1-$2-$3"
	echo "$came"
	case $4 in
	closed) [ "$came" = refused ] || [ "$came" = waited ] ;;
	*) [ "$came" = "$4" ] ;;
	esac
}

as_the_table_says() {
	ask
	while read -r from ipv4 ipv6 port who; do
		for address in "$ipv4" "$ipv6"; do
			[ "$address" = - ] ||
				check "$1: $from, $address port $port: $who" answers "$from" "$address" "$port" "$who"
		done
	done <"$TMPDIR/table"
}
