// SPDX-License-Identifier: MIT
/*
 * Tests of `network` lines: what each mode takes, what is refused and with which words, and what comes of a good one.
 * (Addresses: test_policy_addresses.c.)
 */
#include <arpa/inet.h>

#include "tests/unit/test_policy.h"

#define MODES ", expected 'bridged', 'nat', 'shared', 'routed', 'host-only', 'internal' or 'standalone'"
#define PORT_WORDS                                                                                                     \
	", expected 'queues=', 'vlan=', 'mtu=', 'rate=', 'rate-in=', 'isolated', 'lock-mac', 'guard' or 'list='"
#define OWN_WORDS ", expected 'queues=', 'mtu=', 'rate=', 'rate-in=', 'isolated', 'lock-mac' or 'list='"
#define DHCP_WORDS                                                                                                     \
	", expected 'queues=', 'mtu=', 'rate=', 'rate-in=', 'isolated', 'lock-mac', 'dhcp=', 'ra', 'lock-ip', 'leases=', 'lease=', 'dns=', 'domain=', 'search=', 'router=', 'ntp=', 'boot=' or 'list='"
#define TAP_WORDS                                                                                                      \
	", expected 'queues=', 'mtu=', 'rate=', 'rate-in=', 'dhcp=', 'per-vm=', 'lease=', 'dns=', 'domain=', 'search=', 'router=', 'ntp=' or 'list='"

static void test_heads(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("network a bridged\nnetwork b internal\nnetwork a23456789012345 bridged\n"), ""},
		{TEXT("network\n"), "/p:1:8: no name, expected the network's"},
		{TEXT("network a\n"), "/p:1:10: no mode" MODES},
		{TEXT("network a \n"), "/p:1:11: no mode" MODES},
		{TEXT("network a bridge\n"), "/p:1:11: unknown mode 'bridge'" MODES},
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
		{"internal", "an internal network", OWN_WORDS},
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
			const char *mode = modes[m].mode, *rest = options[o].rest;

			/* A pool has the subnet's own address. */
			if (strcmp(options[o].name, "per-vm") == 0 && strncmp(mode, "standalone", 10) == 0)
				mode = "standalone 10.0.0.0/24";
			/* There is one guest, and no range. */
			if (strcmp(options[o].name, "dhcp") == 0 && strncmp(mode, "standalone", 10) == 0)
				rest = "=auto";
			snprintf(text, sizeof(text), "network a %s %s%s\n", mode, options[o].name, rest);
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
		{TEXT("network a bridged mtu=68 queues=1 vlan=1\nnetwork b bridged mtu=65521 queues=16 vlan=4094\n"),
			""},
		{TEXT("network a bridged mtu=67\n"), "/p:1:23: mtu='67', expected a number from 68 to 65521"},
		{TEXT("network a bridged mtu=65522\n"), "/p:1:23: mtu='65522', expected a number from 68 to 65521"},
		{TEXT("network a bridged mtu=-1\n"), "/p:1:23: mtu='-1', expected a number from 68 to 65521"},
		{TEXT("network a bridged mtu=01500\n"), "/p:1:23: mtu='01500', expected a number from 68 to 65521"},
		{TEXT("network a bridged mtu=4294968796\n"),
			"/p:1:23: mtu='4294968796', expected a number from 68 to 65521"},
		{TEXT("network a bridged mtu\n"), "/p:1:22: 'mtu' without a value, expected 'mtu=...'"},
		{TEXT("network a bridged mtu=1500 mtu=1500\n"), "/p:1:28: 'mtu' for the second time, expected it once"},
		{TEXT("network a bridged isolated=no\n"), "/p:1:27: 'isolated' with a value, expected the word alone"},
		{TEXT("network a bridged uplink=eth0\n"),
			"/p:1:19: unknown word 'uplink' on a bridged network" PORT_WORDS},
		{TEXT("network a nat 10.0.0.1/24 10.0.0\n"),
			"/p:1:27: unknown word '10.0.0' on a nat network" DHCP_WORDS},
		{TEXT("network a internal lan\n"), "/p:1:20: unknown word 'lan' on an internal network" OWN_WORDS},
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
		cmocka_unit_test(test_what_is_parsed),
		cmocka_unit_test(test_paths_in_messages),
		cmocka_unit_test(test_how_many),
	};

	return cmocka_run_group_tests_name("policy: networks", tests, NULL, NULL);
}
