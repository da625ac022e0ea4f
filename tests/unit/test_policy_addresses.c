// SPDX-License-Identifier: MIT
/* Tests of the addresses on `network` lines: subnets, dhcp=, per-vm=. (Modes, options: test_policy_networks.c.) */
#include "tests/unit/test_policy.h"

#define IS_NO_ADDRESS " is no address, expected one as in 172.16.2.1/24 or fd00:2::1/64"
#define IPV4_OWN      "the address is the subnet's own or its broadcast, expected the host's"
#define IPV6_OWN      "the address is the subnet's own, expected the host's"

static void test_addresses(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("network a nat 10.0.0.1/24\n"), ""},
		{TEXT("network a nat fd00::1/64\n"), ""},
		{TEXT("network a nat fd00::1/64 10.0.0.1/24\n"), ""},
		{TEXT("network a standalone 10.0.0.1/32\n"), ""},
		{TEXT("network a standalone 10.0.0.0/31\n"), ""},
		{TEXT("network a standalone 10.0.0.1/31 fd00::/127\n"), ""},
		{TEXT("network a standalone fd00::/128\n"), ""},
		{TEXT("network a nat 64.0.0.1/1\n"), ""},
		{TEXT("network a nat\n"), "/p:1:14: no address on a nat network, expected one as in 172.16.2.1/24"},
		{TEXT("network a host-only isolated\n"),
			"/p:1:29: no address on a host-only network, expected one as in 172.16.2.1/24"},
		{TEXT("network a standalone\n"),
			"/p:1:21: no address on a standalone network, expected one as in 172.16.2.1/24"},
		{TEXT("network a standalone per-vm=/30\n"),
			"/p:1:32: no address on a standalone network, expected one as in 172.16.2.1/24"},
		{TEXT("network a bridged 10.0.0.1/24\n"), "/p:1:19: address on a bridged network, expected none"},
		{TEXT("network a internal fd00::1/64\n"), "/p:1:20: address on an internal network, expected none"},
		{TEXT("network a nat 10.0.0/24\n"), "/p:1:15: '10.0.0'" IS_NO_ADDRESS},
		{TEXT("network a nat 10.0.0.256/24\n"), "/p:1:15: '10.0.0.256'" IS_NO_ADDRESS},
		{TEXT("network a nat 10.0.0.01/24\n"), "/p:1:15: '10.0.0.01'" IS_NO_ADDRESS},
		{TEXT("network a nat 10.0.0.1.1/24\n"), "/p:1:15: '10.0.0.1.1'" IS_NO_ADDRESS},
		{TEXT("network a nat 0x0a000001/24\n"), "/p:1:15: '0x0a000001'" IS_NO_ADDRESS},
		{TEXT("network a nat localhost/24\n"), "/p:1:15: 'localhost'" IS_NO_ADDRESS},
		{TEXT("network a nat /24\n"), "/p:1:15: ''" IS_NO_ADDRESS},
		{TEXT("network a nat fd00::1::2/64\n"), "/p:1:15: 'fd00::1::2'" IS_NO_ADDRESS},
		{TEXT("network a nat fd00::1%eth0/64\n"), "/p:1:15: 'fd00::1%eth0'" IS_NO_ADDRESS},
		{TEXT("network a nat [fd00::1]/64\n"), "/p:1:15: '[fd00::1]'" IS_NO_ADDRESS},
		{TEXT("network a nat 1111:2222:3333:4444:5555:6666:7777:8888:9999:0/64\n"),
			"/p:1:15: '1111:2222:3333:4444:5555:6666:7777:8888:9999:0'" IS_NO_ADDRESS},
		{TEXT("network a nat 10.0.0.1\n"),
			"/p:1:23: address '10.0.0.1' without a prefix, expected one as in 172.16.2.1/24"},
		{TEXT("network a nat fd00::1\n"),
			"/p:1:22: address 'fd00::1' without a prefix, expected one as in fd00:2::1/64"},
		{TEXT("network a internal 10.0.0.1\n"), "/p:1:20: address on an internal network, expected none"},
		{TEXT("network a nat 10.0.0.1/\n"), "/p:1:24: prefix '', expected a number from 1 to 32"},
		{TEXT("network a nat 10.0.0.1/0\n"), "/p:1:24: prefix '0', expected a number from 1 to 32"},
		{TEXT("network a nat 10.0.0.1/33\n"), "/p:1:24: prefix '33', expected a number from 1 to 32"},
		{TEXT("network a nat 10.0.0.1/024\n"), "/p:1:24: prefix '024', expected a number from 1 to 32"},
		{TEXT("network a nat 10.0.0.1/-1\n"), "/p:1:24: prefix '-1', expected a number from 1 to 32"},
		{TEXT("network a nat 10.0.0.1/24/8\n"), "/p:1:24: prefix '24/8', expected a number from 1 to 32"},
		{TEXT("network a nat 10.0.0.1/255.255.255.0\n"),
			"/p:1:24: prefix '255.255.255.0', expected a number from 1 to 32"},
		{TEXT("network a nat fd00::1/0\n"), "/p:1:23: prefix '0', expected a number from 1 to 128"},
		{TEXT("network a nat fd00::1/129\n"), "/p:1:23: prefix '129', expected a number from 1 to 128"},
		{TEXT("network a nat 10.0.0.0/24\n"), "/p:1:15: " IPV4_OWN},
		{TEXT("network a nat 10.0.0.255/24\n"), "/p:1:15: " IPV4_OWN},
		{TEXT("network a nat 10.0.0.3/30\n"), "/p:1:15: " IPV4_OWN},
		{TEXT("network a nat 10.0.0.0/24 fd00::1/64\n"), "/p:1:15: " IPV4_OWN},
		{TEXT("network a nat fd00::/64\n"), "/p:1:15: " IPV6_OWN},
		{TEXT("network a nat fd00::4/126\n"), "/p:1:15: " IPV6_OWN},
		{TEXT("network a nat fd00::/64 10.0.0.1/24\n"), "/p:1:15: " IPV6_OWN},
		{TEXT("network a nat 10.0.0.1/24 fd00::/64 mtu=1500\n"), "/p:1:27: " IPV6_OWN},
		{TEXT("network a nat fd00::1/64 mtu=1280\nnetwork b nat 10.0.0.1/24 mtu=68\n"), ""},
		{TEXT("network a nat fd00::1/64 mtu=1279\n"),
			"/p:1:15: an IPv6 address with mtu=1279, expected an MTU of at least 1280"},
		{TEXT("network a nat 10.0.0.1/24 10.0.1.1/24\n"), "/p:1:27: a second IPv4 address, expected one"},
		{TEXT("network a nat fd00::1/64 10.0.0.1/24 fd00::2/64\n"),
			"/p:1:38: a second IPv6 address, expected one"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

#define NOBODYS " address, expected one that a host can have"
#define POOL_OF "a pool with "
#define POOL_OK " addresses, expected ones that a host can have"

/* Addresses at and beside both ends of what no host can have. */
static void test_reserved_addresses(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("network a nat 1.0.0.0/7\nnetwork b nat 126.255.255.255/7\n"
		      "network c nat 128.0.0.1/8\nnetwork d nat 223.255.255.254/8\n"),
			""},
		{TEXT("network a nat 0.0.0.1/8\n"), "/p:1:15: reserved" NOBODYS},
		{TEXT("network a nat 0.255.255.255/7\n"), "/p:1:15: reserved" NOBODYS},
		{TEXT("network a nat 127.0.0.1/8\n"), "/p:1:15: loopback" NOBODYS},
		{TEXT("network a host-only 127.255.255.255/7\n"), "/p:1:21: loopback" NOBODYS},
		{TEXT("network a standalone 224.0.0.0/31\n"), "/p:1:22: multicast" NOBODYS},
		{TEXT("network a nat 239.255.255.255/3\n"), "/p:1:15: multicast" NOBODYS},
		{TEXT("network a nat 240.0.0.1/24\n"), "/p:1:15: reserved" NOBODYS},
		{TEXT("network a standalone 255.255.255.255/32\n"), "/p:1:22: reserved" NOBODYS},
		{TEXT("network a nat ::2/64\nnetwork b nat fec0::1/64\nnetwork c nat fe7f:ffff::1/64\n"
		      "network d nat feff:ffff::1/64\nnetwork e nat ::fffe:ffff:ffff/64\n"
		      "network f nat ::1:0:0:0/64\n"),
			""},
		{TEXT("network a standalone ::/128\n"), "/p:1:22: unspecified" NOBODYS},
		{TEXT("network a nat 10.0.0.1/24 ::1/64\n"), "/p:1:27: loopback" NOBODYS},
		{TEXT("network a nat ::ffff:10.0.0.1/120\n"), "/p:1:15: IPv4-mapped" NOBODYS},
		{TEXT("network a nat fe80::1/64\n"), "/p:1:15: link-local" NOBODYS},
		{TEXT("network a nat febf:ffff::1/64\n"), "/p:1:15: link-local" NOBODYS},
		{TEXT("network a nat ff00::1/64\n"), "/p:1:15: multicast" NOBODYS},
		{TEXT("network a nat ffff:ffff::1/64\n"), "/p:1:15: multicast" NOBODYS},
		/* All of a pool goes to hosts. */
		{TEXT("network a standalone 124.0.0.0/7 per-vm=/24\nnetwork b standalone fe00::/9 per-vm=/64\n"), ""},
		{TEXT("network a standalone 126.0.0.0/7 per-vm=/24\n"), "/p:1:22: " POOL_OF "loopback" POOL_OK},
		{TEXT("network a standalone 127.9.0.0/16 per-vm=/24\n"), "/p:1:22: " POOL_OF "loopback" POOL_OK},
		{TEXT("network a standalone 192.0.0.0/2 per-vm=/24\n"), "/p:1:22: " POOL_OF "multicast" POOL_OK},
		{TEXT("network a standalone 10.0.0.0/8 fe00::/8 per-vm=/24,/64\n"),
			"/p:1:33: " POOL_OF "link-local" POOL_OK},
		{TEXT("network a standalone ::/120 per-vm=/126\n"), "/p:1:22: " POOL_OF "unspecified" POOL_OK},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

#define OUTSIDE	 "the range is not in the network's subnet, expected one that is"
#define NO_ROOM	 " has no address for a guest, expected a prefix of at most "
#define NO_RANGE " is no range, expected 'auto' or one as in 172.16.2.2-172.16.2.100 or fd00:2::20-fd00:2::9f"

static void test_dhcp(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.254\n"), ""},
		{TEXT("network a nat dhcp=10.0.0.2-10.0.0.2 10.0.0.1/24\n"), ""},
		{TEXT("network a host-only 10.0.0.254/24 fd00::1/64 dhcp=10.0.0.1-10.0.0.253\n"), ""},
		{TEXT("network a nat 10.0.0.1/30 dhcp=10.0.0.2-10.0.0.2\n"), ""},
		{TEXT("network a nat 10.0.0.1/8 dhcp=10.0.0.2-10.255.255.254\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 fd00::1/112 dhcp=10.0.0.2-10.0.0.9\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 fd00::1/113 dhcp=10.0.0.2-10.0.0.9\n"),
			"/p:1:27: dhcp= with IPv6 needs a prefix of at most /112"},
		{TEXT("network a host-only dhcp=10.0.0.2-10.0.0.9 fd00::1/128 10.0.0.1/24\n"),
			"/p:1:44: dhcp= with IPv6 needs a prefix of at most /112"},
		{TEXT("network a nat 10.0.0.1/24 list=own\n"), ""},
		{TEXT("network a bridged list=own\nnetwork b internal list=own\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 list=all\n"), "/p:1:32: list='all', expected 'own'"},
		{TEXT("network a nat 10.0.0.1/24 leases=1 dhcp=10.0.0.2-10.0.0.9\n"), ""},
		{TEXT("network a host-only 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9 leases=64\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9 leases=0\n"),
			"/p:1:57: leases='0', expected a number from 1 to 64"},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9 leases=65\n"),
			"/p:1:57: leases='65', expected a number from 1 to 64"},
		{TEXT("network a nat 10.0.0.1/24 leases=2\n"), "/p:1:35: 'leases' without 'dhcp', expected both"},
		{TEXT("network a nat 10.0.0.1/24 lock-ip dhcp=10.0.0.2-10.0.0.9\n"), ""},
		{TEXT("network a host-only 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9 lock-ip isolated\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 lock-ip\n"),
			"/p:1:27: 'lock-ip' without 'dhcp=', expected both: else nobody gives a guest an address"},
		{TEXT("network a routed 10.0.0.1/24 fd00::1/64 lock-ip dhcp=10.0.0.2-10.0.0.9\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 fd00::1/64 dhcp=10.0.0.2-10.0.0.9 lock-ip ra\n"),
			"/p:1:61: 'lock-ip' beside 'ra', expected one of the two: with 'ra' guests choose their IPv6 addresses"},
		{TEXT("network a nat 10.0.0.1/24 lock-ip=1 dhcp=10.0.0.2-10.0.0.9\n"),
			"/p:1:34: 'lock-ip' with a value, expected the word alone"},
		{TEXT("network a nat 10.0.0.1/31 dhcp=10.0.0.0-10.0.0.0\n"),
			"/p:1:15: dhcp= in a subnet of /31, expected a prefix of at most /30"},
		{TEXT("network a nat 10.0.0.1/32 dhcp=10.0.0.1-10.0.0.1\n"),
			"/p:1:15: dhcp= in a subnet of /32, expected a prefix of at most /30"},
		{TEXT("network a host-only 10.0.0.1/32\n"), "/p:1:21: a subnet of /32" NO_ROOM "/31"},
		{TEXT("network a nat 10.0.0.1/24 fd00::1/128\n"), "/p:1:27: a subnet of /128" NO_ROOM "/127"},
		{TEXT("network a host-only 10.0.0.1/31 fd00::1/127\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 dhcp\n"), "/p:1:31: 'dhcp' without a value, expected 'dhcp=...'"},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2\n"), "/p:1:32: '10.0.0.2'" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-\n"), "/p:1:32: '10.0.0.2-'" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=-10.0.0.2\n"), "/p:1:32: '-10.0.0.2'" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-100\n"), "/p:1:32: '10.0.0.2-100'" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.3-10.0.0.4\n"),
			"/p:1:32: '10.0.0.2-10.0.0.3-10.0.0.4'" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.9-10.0.0.2\n"),
			"/p:1:32: the range ends before it begins, expected the lower address first"},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.1.2-10.0.1.9\n"), "/p:1:32: " OUTSIDE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.1.9\n"), "/p:1:32: " OUTSIDE},
		{TEXT("network a nat 10.0.1.1/24 dhcp=10.0.0.2-10.0.1.9\n"), "/p:1:32: " OUTSIDE},
		{TEXT("network a nat fd00::1/64 dhcp=10.0.0.2-10.0.0.9\n"), "/p:1:31: " OUTSIDE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.1-10.0.0.9\n"),
			"/p:1:32: the range holds the host's own address, expected it outside"},
		{TEXT("network a nat 10.0.0.5/24 dhcp=10.0.0.2-10.0.0.9\n"),
			"/p:1:32: the range holds the host's own address, expected it outside"},
		{TEXT("network a nat 10.0.0.9/24 dhcp=10.0.0.2-10.0.0.9\n"),
			"/p:1:32: the range holds the host's own address, expected it outside"},
		{TEXT("network a nat 10.0.0.9/24 dhcp=10.0.0.0-10.0.0.8\n"),
			"/p:1:32: the range holds the subnet's own address or its broadcast, expected neither"},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.255\n"),
			"/p:1:32: the range holds the subnet's own address or its broadcast, expected neither"},
		{TEXT("network a nat 10.0.0.1/30 dhcp=10.0.0.2-10.0.0.3\n"),
			"/p:1:32: the range holds the subnet's own address or its broadcast, expected neither"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

static void test_dhcp6(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("network a nat 10.0.0.1/24 fd00::1/64 dhcp=fd00::10-fd00::20\n"), ""},
		{TEXT("network a nat fd00::1/64 dhcp=fd00::2-fd00::9\n"), ""},
		{TEXT("network a nat fd00::1/48 dhcp=fd00::2-fd00::ffff\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 fd00::1/64 dhcp=fd00::10-fd00::20,10.0.0.2-10.0.0.9\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 dhcp=auto\n"), ""},
		{TEXT("network a nat fd00::1/64 dhcp=auto\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 fd00::1/64 dhcp=auto ra\n"), ""},
		{TEXT("network a nat 10.0.0.1/24 fd00::1/64 ra domain=lab search=lab dns=10.0.0.9 router=none\n"), ""},
		{TEXT("network a nat fd00::1/64 ra\n"), ""},
		{TEXT("network a nat 10.0.0.1/31 dhcp=auto\n"),
			"/p:1:15: dhcp= in a subnet of /31, expected a prefix of at most /30"},
		{TEXT("network a nat fd00::1/120 dhcp=auto\n"),
			"/p:1:15: dhcp= with IPv6 needs a prefix of at most /112"},
		{TEXT("network a nat fd00::1/64 dhcp=fd00::9-fd00::2\n"),
			"/p:1:31: the range ends before it begins, expected the lower address first"},
		{TEXT("network a nat fd00::1/64 dhcp=fd00:0:0:1::2-fd00:0:0:1::9\n"), "/p:1:31: " OUTSIDE},
		{TEXT("network a nat fd00::1/48 dhcp=fd00:0:0:1::2-fd00:0:0:1::9\n"), "/p:1:31: " OUTSIDE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=fd00::2-fd00::9\n"), "/p:1:32: " OUTSIDE},
		{TEXT("network a nat fd00::5/64 dhcp=fd00::2-fd00::9\n"),
			"/p:1:31: the range holds the host's own address, expected it outside"},
		{TEXT("network a nat fd00::5/64 dhcp=fd00::-fd00::4\n"),
			"/p:1:31: the range holds the subnet's own address, expected it outside"},
		{TEXT("network a nat fd00::1/64 dhcp=fd00::2-fd00::9,fd00::20-fd00::29\n"),
			"/p:1:47: a second IPv6 range, expected one"},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9,10.0.0.20-10.0.0.29\n"),
			"/p:1:50: a second IPv4 range, expected one"},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9,\n"), "/p:1:50: ''" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=auto,10.0.0.2-10.0.0.9\n"), "/p:1:32: 'auto'" NO_RANGE},
		{TEXT("network a nat fd00::1/64 dhcp=fe80::2%eth0-fe80::3\n"),
			"/p:1:31: 'fe80::2%eth0-fe80::3'" NO_RANGE},
		{TEXT("network a nat fd00::1/64 ra dhcp=fd00::2-fd00::9\n"),
			"/p:1:34: an IPv6 range beside 'ra', expected one of them: with 'ra' guests form their IPv6 addresses by "
			"themselves"},
		{TEXT("network a nat fd00::1/64 dhcp=fd00::2-fd00::9 ra\n"),
			"/p:1:31: an IPv6 range beside 'ra', expected one of them: with 'ra' guests form their IPv6 addresses by "
			"themselves"},
		{TEXT("network a nat fd00::1/64 ra dhcp=auto\n"),
			"/p:1:34: dhcp=auto with 'ra' and no IPv4 address, expected 'ra' alone: guests form their IPv6 addresses "
			"by themselves"},
		{TEXT("network a nat 10.0.0.1/24 ra\n"),
			"/p:1:27: 'ra' on a network without an IPv6 address, expected one as in fd00:2::1/64"},
		{TEXT("network a nat fd00::1/80 ra\n"),
			"/p:1:15: 'ra' in a subnet of /80, expected one of /64: guests form their addresses in no other"},
		{TEXT("network a nat fd00::1/64 ra=yes\n"), "/p:1:28: 'ra' with a value, expected the word alone"},
		{TEXT("network a nat fd00::1/64 ra lease=1h\n"), "/p:1:37: 'lease' without 'dhcp', expected both"},
		{TEXT("network a standalone fd00::1/64 ra\n"),
			"/p:1:33: option 'ra' on a standalone network, expected 'queues=', 'mtu=', 'rate=', 'rate-in=', 'dhcp=', 'per-vm=', 'lease=', 'dns=', 'domain=', 'search=', 'router=', 'ntp=' or 'list='"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

#define LACKS_A_PART  "per-vm= lacks a part, expected one for each subnet, as in /30,/126"
#define PART_TOO_MANY "per-vm= has a part too many, expected one for each subnet"
#define LAST_TAP      "the pool's last tap would be "
#define NAME_OF_MOST  "', longer than 15 bytes, expected a network's name of at most "
#define HOST_BITS     "the address of a pool has host bits, expected the subnet's own"

static void test_per_vm(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("network a standalone 172.16.128.0/17 per-vm=/30\n"), ""},
		{TEXT("network a standalone per-vm=/31 172.16.128.0/30\n"), ""},
		{TEXT("network a standalone fd00::/64 per-vm=/126\n"), ""},
		{TEXT("network a standalone 172.16.128.0/17 fd00::/64 per-vm=/30,/126\n"), ""},
		{TEXT("network a standalone fd00::/64 172.16.128.0/17 per-vm=/30,/126\n"), ""},
		{TEXT("network a standalone 172.16.128.0/17 per-vm=\n"),
			"/p:1:44: 'per-vm' without a value, expected 'per-vm=...'"},
		{TEXT("network a standalone 172.16.128.0/17 per-vm=30\n"),
			"/p:1:45: per-vm part '30', expected one from /18 to /31"},
		{TEXT("network a standalone 172.16.128.0/17 per-vm=/\n"),
			"/p:1:45: per-vm part '/', expected one from /18 to /31"},
		{TEXT("network a standalone 172.16.128.0/17 per-vm=/17\n"),
			"/p:1:45: per-vm part '/17', expected one from /18 to /31"},
		{TEXT("network a standalone 172.16.128.0/17 per-vm=/16\n"),
			"/p:1:45: per-vm part '/16', expected one from /18 to /31"},
		{TEXT("network a standalone 172.16.128.0/17 per-vm=/32\n"),
			"/p:1:45: per-vm part '/32', expected one from /18 to /31"},
		{TEXT("network a standalone 172.16.128.0/17 per-vm=/030\n"),
			"/p:1:45: per-vm part '/030', expected one from /18 to /31"},
		{TEXT("network a standalone fd00::/64 per-vm=/64\n"),
			"/p:1:39: per-vm part '/64', expected one from /65 to /127"},
		{TEXT("network a standalone fd00::/64 per-vm=/128\n"),
			"/p:1:39: per-vm part '/128', expected one from /65 to /127"},
		{TEXT("network a standalone 172.16.128.0/17 fd00::/64 per-vm=/126,/30\n"),
			"/p:1:55: per-vm part '/126', expected one from /18 to /31"},
		{TEXT("network a standalone 172.16.128.0/17 fd00::/64 per-vm=/30\n"), "/p:1:58: " LACKS_A_PART},
		{TEXT("network a standalone 172.16.128.0/17 fd00::/64 per-vm=/30,\n"),
			"/p:1:59: per-vm part '', expected one from /65 to /127"},
		{TEXT("network a standalone 172.16.128.0/17 per-vm=/30,/126\n"), "/p:1:49: " PART_TOO_MANY},
		{TEXT("network a standalone 172.16.128.0/17 per-vm=/30,\n"), "/p:1:49: " PART_TOO_MANY},
		{TEXT("network a standalone fd00::/64 172.16.128.0/17 per-vm=/30,/126,/1\n"),
			"/p:1:64: " PART_TOO_MANY},
		{TEXT("network a standalone 172.16.128.1/17 per-vm=/30\n"), "/p:1:22: " HOST_BITS},
		{TEXT("network a standalone 172.16.128.0/17 fd00::1/64 per-vm=/30,/126\n"), "/p:1:38: " HOST_BITS},
		{TEXT("network a23456789 standalone fd00::/64 per-vm=/126\n"
		      "network a234567890123 standalone 10.0.0.0/28 per-vm=/31\n"),
			""},
		{TEXT("network a234567890 standalone fd00::/64 per-vm=/126\n"),
			"/p:1:9: " LAST_TAP "'a234567890-65535" NAME_OF_MOST "9"},
		{TEXT("network a2345678901234 standalone 10.0.0.0/28 per-vm=/31\n"),
			"/p:1:9: " LAST_TAP "'a2345678901234-8" NAME_OF_MOST "13"},
		/* The lesser of both families counts. */
		{TEXT("network a234567890123 standalone 10.0.0.0/30 fd00::/64 per-vm=/31,/126\n"), ""},
		{TEXT("network a234567890123 standalone 10.0.0.0/27 per-vm=/31\n"),
			"/p:1:9: " LAST_TAP "'a234567890123-16" NAME_OF_MOST "12"},
		{TEXT("network a23456789012345 standalone 10.0.0.1/27\n"), ""},
		{TEXT("network a standalone 10.0.0.0/31 per-vm=/32\n"), "/p:1:22: a pool of /31, expected at most /30"},
		{TEXT("network a standalone fd00::/128 per-vm=/128\n"),
			"/p:1:22: a pool of /128, expected at most /126"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_reserved_addresses),
		cmocka_unit_test(test_dhcp),
		cmocka_unit_test(test_dhcp6),
		cmocka_unit_test(test_per_vm),
	};

	return cmocka_run_group_tests_name("policy: addresses", tests, NULL, NULL);
}
