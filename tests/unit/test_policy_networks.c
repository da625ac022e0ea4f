/* Tests of `network` lines: what each mode takes, what is refused and with which words, and what comes of a good one.
 */
#include <arpa/inet.h>

#include "tests/unit/test_policy.h"

#define MODES	      ", expected 'bridged', 'nat', 'host-only', 'internal' or 'standalone'"
#define PORT_WORDS    ", expected 'queues=', 'vlan=', 'mtu=', 'isolated', 'lock-mac' or 'guard'"
#define DHCP_WORDS    ", expected 'queues=', 'vlan=', 'mtu=', 'isolated', 'lock-mac', 'guard' or 'dhcp='"
#define TAP_WORDS     ", expected 'queues=', 'mtu=' or 'per-vm='"
#define IS_NO_ADDRESS " is no address, expected one as in 172.16.2.1/24 or fd00:2::1/64"
#define IPV4_OWN      "the address is the subnet's own or its broadcast, expected the host's"
#define IPV6_OWN      "the address is the subnet's own, expected the host's"

static void test_heads(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("network a bridged\nnetwork b internal\nnetwork a23456789012345 bridged\n"), ""},
		{TEXT("network\n"), "/p:1:8: no name, expected the network's"},
		{TEXT("network a\n"), "/p:1:10: no mode" MODES},
		{TEXT("network a \n"), "/p:1:11: no mode" MODES},
		{TEXT("network a routed\n"), "/p:1:11: unknown mode 'routed'" MODES},
		{TEXT("network a hostonly\n"), "/p:1:11: unknown mode 'hostonly'" MODES},
		{TEXT("network a Bridged\n"), "/p:1:11: unknown mode 'Bridged'" MODES},
		{TEXT("network a isolated\n"), "/p:1:11: unknown mode 'isolated'" MODES},
		{TEXT("network all bridged\n"),
			"/p:1:9: network 'all' is a reserved word, expected an interface's name"},
		{TEXT("network default bridged\n"),
			"/p:1:9: network 'default' is a reserved word, expected an interface's name"},
		{TEXT("network a234567890123456 bridged\n"),
			"/p:1:9: network 'a234567890123456' is longer than 15 bytes, expected an interface's name"},
		{TEXT("network a/b bridged\n"),
			"/p:1:9: network 'a/b' has characters other than letters, digits and ._-+@, expected an "
			"interface's name"},
		{TEXT("network a bridged\nnetwork a bridged\n"),
			"/p:2:9: network 'a' for the second time, expected it once (first at /p:1)"},
		{TEXT("network a internal\n#\nnetwork b bridged\nnetwork a nat 10.0.0.1/24\n"),
			"/p:4:9: network 'a' for the second time, expected it once (first at /p:1)"},
		{TEXT("network a bridged # uplink\n"),
			"/p:1:19: '#' after a network, expected comments on lines of their own"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

/* Each option on each mode. */
static void test_options_of_modes(void **state)
{
	static const struct {
		const char *mode, *on, *words;
	} modes[] = {
		{"bridged", "a bridged network", PORT_WORDS},
		{"nat 10.0.0.1/24", "a nat network", DHCP_WORDS},
		{"host-only 10.0.0.1/24", "a host-only network", DHCP_WORDS},
		{"internal", "an internal network", PORT_WORDS},
		{"standalone 10.0.0.1/24", "a standalone network", TAP_WORDS},
	};
	static const struct {
		const char *name, *rest;
	} options[] = {{"queues", "=4"}, {"vlan", "=7"}, {"mtu", "=1500"}, {"isolated", ""}, {"lock-mac", ""},
		{"guard", ""}, {"dhcp", "=10.0.0.2-10.0.0.9"}, {"per-vm", "=/30"}, {"max", "=1"},
		{"mac", "=52:54:00:12:34:56"}, {"user", "=alice"}, {"group", "=staff"}};
	char text[128], expected[256], error[512], quoted[64];
	unsigned int wrong = 0;

	(void)state;
	for (size_t m = 0; m < COUNT(modes); m++) {
		for (size_t o = 0; o < COUNT(options); o++) {
			const char *mode = modes[m].mode;

			/* A pool has the subnet's own address. */
			if (strcmp(options[o].name, "per-vm") == 0 && strncmp(mode, "standalone", 10) == 0)
				mode = "standalone 10.0.0.0/24";
			snprintf(text, sizeof(text), "network a %s %s%s\n", mode, options[o].name, options[o].rest);
			snprintf(quoted, sizeof(quoted), "'%s%s'", options[o].name, *options[o].rest ? "=" : "");
			expected[0] = '\0';
			if (!strstr(modes[m].words, quoted))
				snprintf(expected, sizeof(expected), "/p:1:%zu: option '%s' on %s%s", strlen(mode) + 12,
					options[o].name, modes[m].on, modes[m].words);
			policy_free(memory_load_text(text, strlen(text), error));
			wrong += differ(text, strlen(text), "", expected, error);
		}
	}
	assert_int_equal(wrong, 0);
}

static void test_option_values(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("network a bridged mtu=68 queues=1 vlan=1\nnetwork b bridged mtu=65535 queues=16 vlan=4094\n"),
			""},
		{TEXT("network a bridged mtu=67\n"), "/p:1:23: mtu='67', expected a number from 68 to 65535"},
		{TEXT("network a bridged mtu=65536\n"), "/p:1:23: mtu='65536', expected a number from 68 to 65535"},
		{TEXT("network a bridged mtu=-1\n"), "/p:1:23: mtu='-1', expected a number from 68 to 65535"},
		{TEXT("network a bridged mtu=01500\n"), "/p:1:23: mtu='01500', expected a number from 68 to 65535"},
		{TEXT("network a bridged mtu=4294968796\n"),
			"/p:1:23: mtu='4294968796', expected a number from 68 to 65535"},
		{TEXT("network a bridged mtu\n"), "/p:1:22: 'mtu' without a value, expected 'mtu=...'"},
		{TEXT("network a bridged mtu=1500 mtu=1500\n"), "/p:1:28: 'mtu' for the second time, expected it once"},
		{TEXT("network a bridged isolated=no\n"), "/p:1:27: 'isolated' with a value, expected the word alone"},
		{TEXT("network a bridged uplink=eth0\n"),
			"/p:1:19: unknown word 'uplink' on a bridged network" PORT_WORDS},
		{TEXT("network a nat 10.0.0.1/24 10.0.0.9\n"),
			"/p:1:27: unknown word '10.0.0.9' on a nat network" DHCP_WORDS},
		{TEXT("network a internal 10.0.0.1\n"),
			"/p:1:20: unknown word '10.0.0.1' on an internal network" PORT_WORDS},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

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
#define NO_RANGE " is no range, expected one as in 172.16.2.2-172.16.2.100"

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
		{TEXT("network a nat 10.0.0.1/31 dhcp=10.0.0.0-10.0.0.0\n"),
			"/p:1:15: dhcp= in a subnet of /31, expected a prefix of at most /30"},
		{TEXT("network a nat 10.0.0.1/32 dhcp=10.0.0.1-10.0.0.1\n"),
			"/p:1:15: dhcp= in a subnet of /32, expected a prefix of at most /30"},
		{TEXT("network a nat 10.0.0.1/24 dhcp\n"), "/p:1:31: 'dhcp' without a value, expected 'dhcp=...'"},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2\n"), "/p:1:32: '10.0.0.2'" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-\n"), "/p:1:32: '10.0.0.2-'" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=-10.0.0.2\n"), "/p:1:32: '-10.0.0.2'" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-100\n"), "/p:1:32: '10.0.0.2-100'" NO_RANGE},
		{TEXT("network a nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.3-10.0.0.4\n"),
			"/p:1:32: '10.0.0.2-10.0.0.3-10.0.0.4'" NO_RANGE},
		{TEXT("network a nat fd00::1/64 dhcp=fd00::2-fd00::9\n"), "/p:1:31: 'fd00::2-fd00::9'" NO_RANGE},
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

static void print_subnet(const struct policy_subnet *subnet, int family, char *buffer, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	if (!subnet->given)
		return;
	assert_non_null(inet_ntop(family, subnet->address, text, sizeof(text)));
	text_append(buffer, size, " %s/%u", text, subnet->prefix);
	if (subnet->per_vm)
		text_append(buffer, size, ",per-vm=/%u", subnet->per_vm);
}

static void print_network(const struct policy_network *network, char *buffer, size_t size)
{
	text_append(buffer, size, "%s:%u %s %s", network->file, network->line, network->name,
		policy_mode_name(network->mode));
	print_subnet(&network->ipv4, AF_INET, buffer, size);
	print_subnet(&network->ipv6, AF_INET6, buffer, size);
	if (network->options.given & OPTION_DHCP)
		text_append(buffer, size, " dhcp=%08x-%08x", network->dhcp_first, network->dhcp_last);
	print_options(&network->options, buffer, size);
	text_append(buffer, size, "\n");
}

/* The lines of tapgate.conf(5), and every option once: what the parser made of them, in their order. */
static void test_what_is_parsed(void **state)
{
	static const char text[] = "network lab   host-only  172.16.2.1/24 fd00:2::1/64 dhcp=172.16.2.2-172.16.2.100\n"
				   "network quiet internal\n"
				   "network web   nat        10.77.0.1/24 dhcp=10.77.0.10-10.77.0.200\n"
				   "network tap1  standalone 172.16.2.1/24 mtu=9000 queues=2\n"
				   "network cell  standalone fd00:3::/64 172.16.128.0/17 per-vm=/30,/126\n"
				   "network br0   bridged    isolated\n"
				   "network br1   bridged    guard lock-mac mtu=1400 vlan=12 queues=3\n";
	static const char expected[] = "/p:1 lab host-only 172.16.2.1/24 fd00:2::1/64 dhcp=ac100202-ac100264\n"
				       "/p:2 quiet internal\n"
				       "/p:3 web nat 10.77.0.1/24 dhcp=0a4d000a-0a4d00c8\n"
				       "/p:4 tap1 standalone 172.16.2.1/24 queues=2 mtu=9000\n"
				       "/p:5 cell standalone 172.16.128.0/17,per-vm=/30 fd00:3::/64,per-vm=/126\n"
				       "/p:6 br0 bridged isolated\n"
				       "/p:7 br1 bridged queues=3 vlan=12 mtu=1400 lock-mac guard\n";
	char error[512], got[2048] = "";
	struct policy *policy = memory_load_text(TEXT(text), error);
	const struct policy_network *networks;
	size_t count;

	(void)state;
	assert_string_equal(error, "");
	networks = policy_networks(policy, &count);
	for (size_t i = 0; i < count; i++)
		print_network(&networks[i], got, sizeof(got));
	assert_string_equal(got, expected);
	policy_free(policy);
}

/* A path may hold what a message must not, and be longer than the room that a message has for it. */
static void test_paths_in_messages(void **state)
{
#define DIGITS "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define SECOND "/c:1:9: network 'a' for the second time, expected it once (first at "
	static const struct {
		const char *path, *error;
	} rows[] = {
		{"/a'\tb", SECOND "/a\\x27\\x09b:1)"},
		{"/" DIGITS "abcdefghijklm", SECOND "/" DIGITS "abcdefghijklm:1)"},
		{"/" DIGITS "abcdefghijklmn", SECOND "/" DIGITS "abcdefghijkl...:1)"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct memory_file files[] = {
			{rows[i].path, TEXT("network a bridged\ninclude /c\n"), POLICY_READ},
			FILE_OF("/c", "network a bridged\n"),
			END_OF_FILES,
		};
		char error[512];

		assert_null(memory_load(files, error));
		assert_string_equal(error, rows[i].error);
	}
}

static void test_how_many(void **state)
{
	char text[16384] = "", error[512];
	size_t count;

	(void)state;
	for (int i = 1; i <= POLICY_NETWORKS_MAX; i++)
		text_append(text, sizeof(text), "network n%d bridged\n", i);
	struct policy *policy = memory_load_text(text, strlen(text), error);
	assert_string_equal(error, "");
	policy_networks(policy, &count);
	assert_int_equal(count, POLICY_NETWORKS_MAX);
	policy_free(policy);
	text_append(text, sizeof(text), "network one-more bridged\n");
	assert_null(memory_load_text(text, strlen(text), error));
	assert_string_equal(error, "/p:257:1: more than 256 networks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_options_of_modes),
		cmocka_unit_test(test_option_values),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_reserved_addresses),
		cmocka_unit_test(test_dhcp),
		cmocka_unit_test(test_per_vm),
		cmocka_unit_test(test_what_is_parsed),
		cmocka_unit_test(test_paths_in_messages),
		cmocka_unit_test(test_how_many),
	};

	return cmocka_run_group_tests_name("policy: networks", tests, NULL, NULL);
}
