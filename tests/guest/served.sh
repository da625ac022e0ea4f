#!/bin/sh
# SPDX-License-Identifier: MIT
# What networks tell their guests, by the words of their lines: firmware that boots by the network (iPXE, as QEMU's cards
# have it) from the host and from a server of the LAN's; guests of networks of IPv6 alone (canonical/lxd#2481,
# pi-hole/pi-hole#2702), by router advertisements and by DHCPv6; a range that nobody wrote down; a pool of standalone
# taps. tests/guest/lan.sh draws the world around the host.
#
#	pxe   shared     10.77.0.1     dhcp=auto boot=FILE         --- p1 (virtio), p2 (e1000)
#	far   nat        10.77.1.1     dhcp=auto boot=FILE@SERVER  --- f1
#	six   routed     fd00:6::1     ra                          --- s1, s2
#	seven host-only  fd00:7::1     dhcp=fd00:7::100-...        --- d1
#	cell  standalone 172.16.128.0  dhcp=auto per-vm=/30        --- o1, o2
# shellcheck disable=SC2016 # words for eval
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=suite.sh
. "$top/tests/guest/suite.sh"
suite_begin "$@"
# shellcheck source-path=SCRIPTDIR source=lan.sh
. "$top/tests/guest/lan.sh"
busybox=$("$top/tests/guest/busybox")

# --- what is checked --------------------------------------------------------------------------------------------------

boots() { # boots NAME NETWORK CARD: its firmware gets what the network's boot= says, and starts it
	vm_start "$1" 1000 firmware -netdev "bridge,id=n0,br=$2,helper=$HELPER" -m 256 \
		-device "$3,netdev=n0,mac=$(vm_mac "$1"),bootindex=1"
	vm_says "$1" ready 120 || {
		cat "$vms/$1/serial"
		return 1
	}
}

boot_files() { # boot_files DIRECTORY WORDS: an iPXE script, and what it starts
	mkdir -p "$1"
	chmod 755 "$1"
	cp "$vm_kernel/vmlinuz" "$vm_kernel/initrd" "$1"
	printf '%s\n' '#!ipxe' 'echo iPXE runs the script' \
		"kernel vmlinuz initrd=initrd console=ttyS0 quiet panic=-1 no_timer_check $2" 'initrd initrd' boot >"$1/boot.ipxe"
	chmod 644 "$1"/*
}

tells() { # tells NAME WORD: what dhcpcd in a guest is told, as its hook has it, until that is among it
	vm_run "$1" "dhcpcd -q -b -f /etc/dhcpcd.conf -c /bin/hook eth0 >/dev/null 2>&1; for try in \$(seq 150); do
		grep -q '^$2=' /told && break; usleep 200000; done; cat /told" >"$TMPDIR/told.$1"
	cat "$TMPDIR/told.$1"
	grep -q "^$2=" "$TMPDIR/told.$1"
}

told() { # told NAME PATTERN
	grep -x "$2" "$TMPDIR/told.$1" || {
		cat "$TMPDIR/told.$1"
		return 1
	}
}

refuses() {
	! "$@"
}

address_in() { # address_in NAME PATTERN: has it an address, as `ip` shows it? prints it
	vm_run "$1" 'ip -6 addr show dev eth0 scope global' >"$TMPDIR/address.$1"
	cat "$TMPDIR/address.$1"
	grep -Eq "inet6 $2" "$TMPDIR/address.$1"
}

address_of() { # address_of NAME: the first
	sed -n 's,.*inet6 \([0-9a-f:]*\)/.*,\1,p' "$TMPDIR/address.$1" | head -n 1
}

resolves() { # resolves NAME HOST ADDRESS SERVER
	vm_run "$1" "nslookup $2 $4 2>&1" | grep -q "^Address.*[ :]$3$"
}

# --- the networks and the policy --------------------------------------------------------------------------------------

lan_up
docker_rules
input_rules
tftp=$TMPDIR/tftp
boot_files "$tftp/host" tapgate.dhcp=booted
boot_files "$tftp/lan" tapgate.dhcp=far
in_netns lan dnsmasq --conf-file=/dev/null --user=root --port=0 --pid-file="$TMPDIR/tftpd.pid" --enable-tftp \
	--tftp-root="$tftp/lan" --listen-address=192.0.2.50 --bind-interfaces
in_netns internet dnsmasq --conf-file=/dev/null --user=root --no-resolv --no-hosts --pid-file= --bind-interfaces \
	--interface=to-lan --address="/www.example/$internet_ipv6"
echo "nameserver $internet_ipv4" >/etc/resolv.conf
dhcpcd=$(command -v dhcpcd || command -v /usr/sbin/dhcpcd) || suite_skip 'no dhcpcd here'
vm_program 755 "$dhcpcd" /sbin
mkdir -p "$vm_files/etc" "$vm_files/bin" "$vm_files/var/lib/dhcpcd" "$vm_files/var/run/dhcpcd" "$vm_files/run/dhcpcd"
printf '%s\n' nodelay noarp noipv4 'duid ll' 'slaac hwaddr' 'waitip 6' 'ia_na 1' \
	'option dhcp6_name_servers, dhcp6_domain_search, rdnss, dnssl' >"$vm_files/etc/dhcpcd.conf"
printf '%s\n' '#!/bin/sh' 'env >>/told' >"$vm_files/bin/hook"
chmod 755 "$vm_files/bin/hook"
vm_add_files
cat >/etc/tapgate.conf <<EOT
network pxe   shared    10.77.0.1/24 dhcp=auto boot=$tftp/host/boot.ipxe
network far   nat       10.77.1.1/24 dhcp=auto boot=boot.ipxe@192.0.2.50
network six   routed    fd00:6::1/64 ra domain=six.example
network seven host-only fd00:7::1/64 dhcp=fd00:7::100-fd00:7::1ff domain=seven.example
guest box on seven mac=$(vm_mac d1) ip6=fd00:7::42
network cell  standalone 172.16.128.0/29 per-vm=/30 dhcp=auto
allow all user=alice
EOT
check 'tapgate up' "$TAPGATE" up
check 'tapgate status' "$TAPGATE" status

for name in s1 s2; do
	vm_join "$name" six
done
vm_join d1 seven
for name in s1 s2 d1; do
	check "$name started" vm_says "$name" ready 90
done

# IPv6 alone, by router advertisements.
check 'ra: a guest is told' tells s1 nd1_dnssl1_search
check 'ra: ... its name server, which is the host' told s1 'nd1_rdnss1_servers=.*fe80.*\|nd1_rdnss1_servers=.*fd00:6::1.*'
check 'ra: ... and its domain' told s1 'nd1_dnssl1_search=six.example'
check 'ra: ... and takes an address by itself' address_in s1 'fd00:6:'
check 'ra: so does another one' eval 'tells s2 nd1_dnssl1_search && address_in s2 fd00:6:'
check 'ra: they reach each other' vm_pings s1 "$(address_of s2)"
check 'ra: they reach the Internet' vm_pings s1 "$internet_ipv6"
check 'ra: names of the Internet' resolves s1 www.example "$internet_ipv6" fd00:6::1
check 'ra: the host reaches them' "$busybox" ping -6 -c 1 -W 5 "$(address_of s1)"
check 'ra: DHCPv6 gives nothing' refuses told s1 "new_dhcp6_ia_na1_ia_addr1=.*"

# IPv6 alone, by DHCPv6.
check 'dhcp= of IPv6: a guest is told' tells d1 new_dhcp6_ia_na1_ia_addr1
check 'dhcp= of IPv6: ... the address of its line' address_in d1 'fd00:7::42/128'
check 'dhcp= of IPv6: ... its name server and domain' eval \
	"told d1 'new_dhcp6_name_servers=fd00:7::1' && told d1 'new_dhcp6_domain_search=seven.example'"
check 'dhcp= of IPv6: no route out of a host-only network' eval \
	'! vm_run d1 "ip -6 route show default | grep ."'
check 'dhcp= of IPv6: the host knows it by name' eval \
	'"$busybox" nslookup box.seven.example fd00:7::1 | grep "^Address.*[ :]fd00:7::42\$"'
check 'dhcp= of IPv6: ... and reaches it' "$busybox" ping -6 -c 1 -W 5 fd00:7::42
check 'dhcp= of IPv6: tapgate ip knows it by name' eval '"$TAPGATE" ip box | grep -x fd00:7::42'
check 'dhcp= of IPv6: ... in its domain' eval '"$TAPGATE" ip box.seven.example | grep -x fd00:7::42'
for name in s1 s2 d1; do
	vm_write "$vms/$name/serial.in" poweroff
done

# The network boots.
check 'boot=: a virtio card gets the file from the host, and starts it' boots p1 pxe virtio-net-pci
check 'boot=: ... the system has an address of the range' grep -q '^TAPGATE-GUEST dhcp address 10.77.0.' "$vms/p1/serial"
check 'boot=: an e1000 card' boots p2 pxe e1000
check 'boot=: from a server of the LAN, in the name of the host' boots f1 far virtio-net-pci

# Taps that stand alone: each guest has its tap's address.
for name in o1 o2; do
	vm_start "$name" 1000 "tapgate.dhcp=$name" -netdev "bridge,id=n0,br=cell,helper=$HELPER" \
		-device "virtio-net-pci,netdev=n0,mac=$(vm_mac "$name")"
	check "standalone: $name has an address" vm_says "$name" ready 90
done
check 'standalone: ... that of the first tap' grep -q '^TAPGATE-GUEST dhcp address 172.16.128.2' "$vms/o1/serial"
check 'standalone: ... that of the second' grep -q '^TAPGATE-GUEST dhcp address 172.16.128.6' "$vms/o2/serial"
check 'standalone: the host reaches it' "$busybox" ping -c 1 -W 5 172.16.128.6
check 'tapgate down' "$TAPGATE" down
kill "$(cat "$TMPDIR/tftpd.pid")"
suite_end
