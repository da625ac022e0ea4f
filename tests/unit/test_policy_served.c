/* SPDX-License-Identifier: MIT */
/* Tests of the words of a `network` line that guests are told by DHCP: what they take, and what is refused. */
#include "tests/unit/test_policy.h"

#define WEB "network web nat 10.77.0.1/24 dhcp=10.77.0.100-10.77.0.200 "

static void test_words(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT(WEB "dns=10.0.0.53,fd00::53 ntp=10.0.0.1 search=corp.example,lab lease=12h router=none "
			  "boot=pxelinux.0@10.77.0.2\n"),
			""},
		{TEXT(WEB "router=10.77.0.9 boot=/srv/tftp/undionly.kpxe lease=2m\n"), ""},
		{TEXT(WEB "lease=7d\n"), ""},
		{TEXT("network web nat 10.77.0.1/24 dns=10.0.0.53\n"), "/p:1:43: 'dns' without 'dhcp', expected both"},
		{TEXT("network tap1 standalone 10.77.0.1/24 lease=1h\n"),
			"/p:1:46: 'lease' without 'dhcp', expected both"},
		{TEXT(WEB "dns=resolver\n"),
			"/p:1:63: dns='resolver', expected at most 4 addresses, apart by ',' alone"},
		{TEXT(WEB "dns=1.1.1.1,\n"),
			"/p:1:63: dns='1.1.1.1,', expected at most 4 addresses, apart by ',' alone"},
		{TEXT(WEB "ntp=1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5\n"),
			"/p:1:63: ntp='1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5', expected at most 4 addresses, apart by ',' "
			"alone"},
		{TEXT(WEB "search=a..b\n"), "/p:1:66: search='a..b', expected at most 4 domains, apart by ',' alone"},
		{TEXT(WEB "search=-a\n"), "/p:1:66: search='-a', expected at most 4 domains, apart by ',' alone"},
		{TEXT(WEB "lease=3600\n"),
			"/p:1:65: lease='3600', expected a time from 2m to 7d, as in 90m, 12h or 2d"},
		{TEXT(WEB "lease=1m\n"), "/p:1:65: lease='1m', expected a time from 2m to 7d, as in 90m, 12h or 2d"},
		{TEXT(WEB "lease=8d\n"), "/p:1:65: lease='8d', expected a time from 2m to 7d, as in 90m, 12h or 2d"},
		{TEXT(WEB "lease=h\n"), "/p:1:65: lease='h', expected a time from 2m to 7d, as in 90m, 12h or 2d"},
		{TEXT(WEB "router=10.78.0.1\n"),
			"/p:1:66: router='10.78.0.1', expected 'none' or an IPv4 address of the network's subnet"},
		{TEXT(WEB "router=no\n"),
			"/p:1:66: router='no', expected 'none' or an IPv4 address of the network's subnet"},
		{TEXT(WEB "boot=pxelinux.0\n"),
			"/p:1:64: boot='pxelinux.0', expected FILE@SERVER as in pxelinux.0@192.0.2.7, or the absolute path of a "
			"file on the host"},
		{TEXT(WEB "boot=/srv/../etc/shadow\n"),
			"/p:1:64: boot='/srv/../etc/shadow', expected FILE@SERVER as in pxelinux.0@192.0.2.7, or the absolute "
			"path of a file on the host"},
		{TEXT(WEB "boot=a,b@10.0.0.1\n"),
			"/p:1:64: boot='a,b@10.0.0.1', expected FILE@SERVER as in pxelinux.0@192.0.2.7, or the absolute path of a "
			"file on the host"},
		{TEXT(WEB "boot=/srv/tftp/\n"),
			"/p:1:64: boot='/srv/tftp/', expected FILE@SERVER as in pxelinux.0@192.0.2.7, or the absolute path of a "
			"file on the host"},
		{TEXT(WEB "boot=x@server\n"),
			"/p:1:64: boot='x@server', expected FILE@SERVER as in pxelinux.0@192.0.2.7, or the absolute path of a "
			"file on the host"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

#define SIX	      "network web nat fd00:6::1/64 ra "
#define NO_DOMAIN(at) "/p:1:66: domain='" at "', expected a domain as in lab.example.org, of at most 189 bytes"
#define LABEL	      "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz."

static void test_domains(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT(WEB "domain=lab.example.org\n"), ""},
		{TEXT(WEB "domain=LAB\n"), ""},
		{TEXT(SIX "domain=lab.example.org\n"), ""},
		{TEXT(WEB "domain=" LABEL LABEL "a\n"), ""},
		{TEXT(WEB "domain=" LABEL LABEL LABEL "a\n"),
			"/p:1:66: domain='abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz.abcdefghijk...', "
			"expected a domain as in lab.example.org, of at most 189 bytes"},
		{TEXT(WEB "domain=.lab\n"), NO_DOMAIN(".lab")},
		{TEXT(WEB "domain=lab.\n"), NO_DOMAIN("lab.")},
		{TEXT(WEB "domain=a/b\n"), NO_DOMAIN("a/b")},
		{TEXT(WEB "domain=a,b\n"), NO_DOMAIN("a,b")},
		{TEXT(WEB "domain=10.0.0.1\n"), NO_DOMAIN("10.0.0.1")},
		{TEXT(WEB "domain=#\n"), NO_DOMAIN("#")},
		{TEXT(WEB "domain=lab.Local\n"),
			"/p:1:70: domain='lab.Local', expected another one: .local stands for multicast DNS (RFC 6762)"},
		{TEXT(WEB "domain=localhost\n"), "/p:1:66: domain='localhost', expected another one: .localhost stands "
						 "for the host that asks (RFC 6761)"},
		{TEXT(WEB "domain=16.172.in-addr.arpa\n"),
			"/p:1:81: domain='16.172.in-addr.arpa', expected another one: .arpa stands for addresses (RFC 3172)"},
		{TEXT("network web nat 10.77.0.1/24 domain=lab\n"), "/p:1:40: 'domain' without 'dhcp', expected both"},
		{TEXT(WEB "domain=lab domain=lab\n"), "/p:1:70: 'domain' for the second time, expected it once"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

#define RESERVED(word, what, at) "/p:1:" at ": " what " address in " word "=, expected a server's"

/* Words that contradict one another, or what the network is. */
static void test_contradictions(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT(WEB "dns=127.0.0.53,::1\n"), ""},
		{TEXT(WEB "ntp=127.0.0.1\n"), RESERVED("ntp", "loopback", "63")},
		{TEXT(WEB "dns=1.1.1.1,0.0.0.0\n"), RESERVED("dns", "reserved", "71")},
		{TEXT(WEB "ntp=224.0.1.1\n"), RESERVED("ntp", "multicast", "63")},
		{TEXT(WEB "dns=fe80::1\n"), RESERVED("dns", "link-local", "63")},
		{TEXT(WEB "dns=1.1.1.1,10.77.0.1\n"),
			"/p:1:71: dns= with the host's own address on the network, expected other servers: that is whom guests "
			"ask, and who asks these"},
		{TEXT(WEB "ntp=1.1.1.1,fd00::1\n"),
			"/p:1:71: ntp= with an IPv6 address and no IPv6 range in 'dhcp=', expected "
			"both: else no guest is told of it"},
		{TEXT("network web nat fd00:6::1/64 dhcp=auto ntp=1.1.1.1\n"),
			"/p:1:44: ntp= with an IPv4 address and no IPv4 range in 'dhcp=', expected both: else no guest is told of it"},
		{TEXT("network web nat fd00:6::1/64 dhcp=auto boot=/srv/a\n"),
			"/p:1:45: boot= without an IPv4 range in 'dhcp=', expected both: guests hear of the file by DHCP of IPv4"},
		{TEXT(SIX "router=10.0.0.1\n"),
			"/p:1:40: router='10.0.0.1' without an IPv4 range in 'dhcp=', expected 'none' or both: IPv6 guests hear "
			"of their router from itself"},
		{TEXT(SIX "router=none\n"), ""},
		{TEXT(SIX "ntp=fd00::1\n"), ""},
		{TEXT(WEB "router=10.77.0.255\n"),
			"/p:1:66: router='10.77.0.255' is the subnet's own or its broadcast, expected a host's"},
		{TEXT("# one\n" WEB "router=10.77.0.150\n"),
			"/p:2:66: router='10.77.0.150' is in the range of 'dhcp=', expected it outside, or a 'guest' line with "
			"'ip=10.77.0.150': else another guest may be given the address"},
		{TEXT(WEB "router=10.77.0.150\nguest gw on web mac=52:54:00:00:00:01 ip=10.77.0.150\n"), ""},
		{TEXT("network a nat 10.1.0.1/24 dhcp=auto\n" WEB "router=10.77.0.99\n"), ""},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

#define TAP  "network tap1 standalone 10.77.0.1/24 dhcp=auto "
#define CELL "network cell standalone 10.77.0.0/24 per-vm=/30 dhcp=auto "

/* A tap that stands alone: its guest has one address, and asks servers itself. */
static void test_alone(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT(TAP "dns=10.77.0.1,192.0.2.53 router=10.77.0.1 ntp=192.0.2.1 domain=a.example search=b,c "
			  "lease=1d\n"),
			""},
		{TEXT(CELL "dns=host router=host ntp=192.0.2.1 domain=a.example\n"), ""},
		/* Two pools may tell one domain, as no names are in it; a pool of pairs of addresses. */
		{TEXT(CELL "domain=a.example\n"
			   "network d standalone 10.78.0.0/24 per-vm=/31 dhcp=auto domain=a.example\n"),
			""},
		{TEXT(CELL "router=none\n"), ""},
		{TEXT("network tap1 standalone 10.77.0.1/32 dhcp=auto\n"),
			"/p:1:25: dhcp= in a subnet of /32, expected a prefix of at most /31"},
		{TEXT("network tap1 standalone 10.77.0.1/24 dhcp=10.77.0.2-10.77.0.9\n"),
			"/p:1:43: dhcp='10.77.0.2-10.77.0.9' on a standalone network, expected 'dhcp=auto': a tap has one guest, whose address follows from the host's"},
		{TEXT("network tap1 standalone fd00::1/64 dhcp=auto\n"),
			"/p:1:41: dhcp= on a standalone network without an IPv4 address, expected one: its guests give themselves their IPv6 addresses"},
		{TEXT(CELL "router=10.77.0.1\n"), "/p:1:66: router='10.77.0.1' on a pool, expected 'host' or 'none'"},
		{TEXT(TAP "router=10.78.0.1\n"),
			"/p:1:55: router='10.78.0.1', expected 'none' or an IPv4 address of the network's subnet"},
		{TEXT(WEB "router=host\n"),
			"/p:1:66: router='host', expected 'none' or an IPv4 address of the network's subnet"},
		{TEXT(WEB "dns=host\n"), "/p:1:63: dns='host', expected at most 4 addresses, apart by ',' alone"},
		{TEXT(CELL "dns=127.0.0.53\n"), "/p:1:63: loopback address in dns=, expected a server's"},
		{TEXT(CELL "dns=10.0.0.1,fd00::53\n"),
			"/p:1:72: dns= with an IPv6 address on a standalone network, expected 'host' or IPv4 addresses: its guests are told by DHCP of IPv4"},
		{TEXT(CELL "ntp=fd00::1\n"),
			"/p:1:63: ntp= with an IPv6 address and no IPv6 range in 'dhcp=', expected both: else no guest is told of it"},
		{TEXT(CELL "search=" LABEL LABEL "example," LABEL "example\n"),
			"/p:1:66: domains of more than 160 bytes on a standalone network, expected fewer in 'domain=' and 'search='"},
		{TEXT(CELL "boot=a@10.77.0.1\n"),
			"/p:1:59: option 'boot' on a standalone network, expected 'queues=', 'mtu=', 'rate=', 'rate-in=', 'dhcp=', 'per-vm=', 'lease=', 'dns=', 'domain=', 'search=', 'router=', 'ntp=' or 'list='"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_alone),
		cmocka_unit_test(test_domains), cmocka_unit_test(test_contradictions)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
