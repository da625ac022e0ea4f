// SPDX-License-Identifier: MIT
/*
 * Tests of what networks are to one another: overlaps, the subnets and names that a pool gives, and the conflicts of a
 * policy with their exact words.
 */
#include <arpa/inet.h>

#include "tests/unit/test_policy.h"

/* --- overlaps ----------------------------------------------------------------------------------------------------- */

static void parse_prefix(const char *text, unsigned char address[static 16], unsigned int *bits)
{
	char copy[64];
	char *slash;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	assert_non_null(slash);
	*slash = '\0';
	assert_int_equal(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, copy, address), 1);
	*bits = (unsigned int)atoi(slash + 1);
}

static void test_overlaps(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{"10.0.0.0/24", "10.0.0.0/24", true},
		{"10.0.0.1/24", "10.0.0.254/24", true},
		{"10.0.0.0/24", "10.0.1.0/24", false},
		{"10.0.0.0/23", "10.0.1.0/24", true},
		{"10.0.0.0/16", "10.0.255.255/32", true},
		{"10.0.0.0/16", "10.1.0.0/32", false},
		{"10.0.0.128/25", "10.0.0.127/32", false},
		{"10.0.0.128/25", "10.0.0.128/32", true},
		{"10.0.0.1/32", "10.0.0.1/32", true},
		{"10.0.0.1/32", "10.0.0.0/32", false},
		{"172.16.128.0/17", "172.16.127.0/24", false},
		{"172.16.128.0/17", "172.16.255.0/24", true},
		{"0.0.0.0/0", "255.255.255.255/32", true},
		{"0.0.0.0/1", "128.0.0.0/1", false},
		{"0.0.0.0/1", "127.255.255.255/32", true},
		{"fd00::/64", "fd00::1:0:0:0:0/64", false},
		{"fd00::/64", "fd00::ffff:ffff:ffff:ffff/128", true},
		{"fd00::/63", "fd00:0:0:1::/64", true},
		{"fd00::/63", "fd00:0:0:2::/64", false},
		{"::/0", "ffff::/16", true},
		{"fd00::1/128", "fd00::/128", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned char a[16], b[16];
		unsigned int a_bits, b_bits;

		parse_prefix(rows[i].a, a, &a_bits);
		parse_prefix(rows[i].b, b, &b_bits);
		if (policy_prefixes_overlap(a, a_bits, b, b_bits) != rows[i].overlap ||
			policy_prefixes_overlap(b, b_bits, a, a_bits) != rows[i].overlap)
			fail_msg("%s and %s: expected %soverlap", rows[i].a, rows[i].b, rows[i].overlap ? "" : "no ");
	}
}

/* --- pools -------------------------------------------------------------------------------------------------------- */

static void print_subnet(const struct policy_subnet *subnet, int family, char *buffer, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	if (!subnet->given)
		return;
	assert_non_null(inet_ntop(family, subnet->address, text, sizeof(text)));
	text_append(buffer, size, " %s/%u%s", text, subnet->prefix, subnet->per_vm ? " (a pool)" : "");
}

/* "cell-2 10.0.0.5/30 fd00::5/126" */
static void print_tap(const struct policy_network *network, uint32_t number, char *buffer, size_t size)
{
	char name[NAME_MAX_BYTES + 1];
	struct policy_subnet ipv4, ipv6;

	memset(name, 'x', sizeof(name));
	memset(&ipv4, 0xff, sizeof(ipv4));
	ipv6 = ipv4;
	policy_tap_name(network, number, name);
	policy_pool_subnet(network, number, &ipv4, &ipv6);
	buffer[0] = '\0';
	text_append(buffer, size, "%s", name);
	print_subnet(&ipv4, AF_INET, buffer, size);
	print_subnet(&ipv6, AF_INET6, buffer, size);
}

static struct policy *load_or_fail(const char *text)
{
	char error[512];
	struct policy *policy = memory_load_text(text, strlen(text), error);

	if (!policy)
		fail_msg("%s\n%s", error, text);
	return policy;
}

#define CELL	"network cell standalone 172.16.128.0/17 per-vm=/30\n"
#define BOTH	"network both standalone 10.1.0.0/16 fd00:1::/64 per-vm=/24,/126\n"
#define PAIR	"network pair standalone 10.0.0.0/24 fd00::/120 per-vm=/31,/127\n"
#define SIX	"network six standalone fd00:0:0:ff00::/56 per-vm=/64\n"
#define ALIKE	"network alike standalone fd00::/64 10.0.0.0/30 per-vm=/31,/124\n"
#define WIDE	"network wide standalone fd00::/48 per-vm=/64\n"
#define EXACTLY "network exactly standalone fd00::/48 per-vm=/63\n"
#define LONGER	"network longer standalone 10.0.0.0/8 per-vm=/31\n"

static void test_pools(void **state)
{
	static const struct {
		const char *text;
		uint32_t size, number;
		const char *tap;
	} rows[] = {
		{CELL, 8192, 1, "cell-1 172.16.128.1/30"},
		{CELL, 8192, 2, "cell-2 172.16.128.5/30"},
		{CELL, 8192, 65, "cell-65 172.16.129.1/30"},
		{CELL, 8192, 8192, "cell-8192 172.16.255.253/30"},
		/* There is none with these numbers. */
		{CELL, 8192, 0, "cell"},
		{CELL, 8192, 8193, "cell-8193"},
		{CELL, 8192, 4294967295, "cell-4294967295"},
		{BOTH, 256, 1, "both-1 10.1.0.1/24 fd00:1::1/126"},
		{BOTH, 256, 256, "both-256 10.1.255.1/24 fd00:1::3fd/126"},
		{PAIR, 128, 1, "pair-1 10.0.0.0/31 fd00::/127"},
		{PAIR, 128, 3, "pair-3 10.0.0.4/31 fd00::4/127"},
		{PAIR, 128, 128, "pair-128 10.0.0.254/31 fd00::fe/127"},
		{SIX, 256, 1, "six-1 fd00:0:0:ff00::1/64"},
		{SIX, 256, 256, "six-256 fd00:0:0:ffff::1/64"},
		{ALIKE, 2, 2, "alike-2 10.0.0.2/31 fd00::11/124"},
		{WIDE, 65535, 65535, "wide-65535 fd00:0:0:fffe::1/64"},
		{EXACTLY, 32768, 32768, "exactly-32768 fd00:0:0:fffe::1/63"},
		{LONGER, 65535, 65535, "longer-65535 10.1.255.252/31"},
		/* Networks that are not pools. */
		{"network tap1 standalone 172.16.2.1/24 fd00::1/64\n", 0, 0, "tap1"},
		{"network tap1 standalone 172.16.2.1/24\n", 0, 1, "tap1-1"},
		{"network a23456789012345 nat 10.0.0.1/24\n", 0, 0, "a23456789012345"},
		{"network quiet internal\n", 0, 1, "quiet-1"},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *policy = load_or_fail(rows[i].text);
		size_t count;
		const struct policy_network *network = policy_networks(policy, &count);
		char got[160];

		print_tap(network, rows[i].number, got, sizeof(got));
		wrong += differ(rows[i].text, strlen(rows[i].text), "", rows[i].tap, got);
		assert_int_equal(policy_pool_size(network), rows[i].size);
		policy_free(policy);
	}
	assert_int_equal(wrong, 0);
}

/* All of a pool at once: in order, without gaps, nothing left over. */
static void test_whole_pools(void **state)
{
	struct policy *policy = load_or_fail(CELL PAIR);
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	(void)state;
	for (uint32_t number = 1; number <= 8192; number++) {
		struct policy_subnet ipv4, ipv6;
		uint32_t address;

		policy_pool_subnet(&networks[0], number, &ipv4, &ipv6);
		memcpy(&address, ipv4.address, 4);
		assert_int_equal(ntohl(address), 0xac108000 + (number - 1) * 4 + 1);
		assert_true(ipv4.given && !ipv6.given);
	}
	for (uint32_t number = 1; number <= 128; number++) {
		struct policy_subnet ipv4, ipv6;

		policy_pool_subnet(&networks[1], number, &ipv4, &ipv6);
		assert_int_equal(ipv4.address[3], (number - 1) * 2);
		assert_int_equal(ipv6.address[15], (number - 1) * 2);
	}
	policy_free(policy);
}

/* --- conflicts ---------------------------------------------------------------------------------------------------- */

static void append_conflict(void *context, const struct policy_error *error)
{
	char line[1024];

	policy_error_print(error, line, sizeof(line));
	text_append(context, 4096, "%s\n", line);
}

static void check_conflicts(const struct policy *policy, const char *about, const char *expected)
{
	char got[4096] = "";
	size_t lines = 0, count = policy_conflicts(policy, append_conflict, got);

	for (const char *at = got; *at; at++)
		lines += *at == '\n';
	assert_int_equal(differ(about, strlen(about), "", expected, got), 0);
	assert_int_equal(count, lines);
}

#define APART ", expected subnets apart\n"
#define LIKE_TAPS(place, name, pool, other)                                                                            \
	place ": network '" name "' has a name as taps of pool '" pool "' (" other                                     \
	      ") have, expected one that does not begin with '" pool "-'\n"
#define TAPS_LIKE(place, pool, name, other)                                                                            \
	place ": taps of pool '" pool "' have names as network '" name "' (" other                                     \
	      ") has, expected no other that begins with '" pool "-'\n"

static void test_conflicts(void **state)
{
	static const struct {
		const char *text, *conflicts;
	} rows[] = {
		{"", ""},
		{"network a nat 10.0.0.1/24 fd00::1/64\nnetwork b nat 10.0.1.1/24 fd00:0:0:1::1/64\n"
		 "network c internal\nnetwork d internal\nnetwork br0 bridged\n",
			""},
		{"network a nat 10.0.0.1/24\nnetwork b host-only 10.0.0.200/25\n",
			"/p:2: 10.0.0.200/25 of network 'b' overlaps 10.0.0.1/24 of network 'a' (/p:1)" APART},
		{"network b host-only 10.0.0.200/25\n#\n\nnetwork a nat 10.0.0.1/24\n",
			"/p:4: 10.0.0.1/24 of network 'a' overlaps 10.0.0.200/25 of network 'b' (/p:1)" APART},
		{"network a nat 10.0.0.1/25\nnetwork b host-only 10.0.0.200/25\n", ""},
		/* IPv4 apart, IPv6 not; and both not. */
		{"network a nat 10.0.0.1/24 fd00::1/64\nnetwork b nat 10.0.1.1/24 fd00::2/48\n",
			"/p:2: fd00::2/48 of network 'b' overlaps fd00::1/64 of network 'a' (/p:1)" APART},
		{"network a nat 10.0.0.1/24 fd00::1/64\nnetwork b nat 10.0.0.1/24 fd00::1/64\n",
			"/p:2: 10.0.0.1/24 of network 'b' overlaps 10.0.0.1/24 of network 'a' (/p:1)" APART
			"/p:2: fd00::1/64 of network 'b' overlaps fd00::1/64 of network 'a' (/p:1)" APART},
		/* The bytes of an IPv4 and of an IPv6 address are never compared. */
		{"network a nat 32.1.13.184/31\nnetwork b nat 2001:db8::1/32\n", ""},
		/* Taps and pools have subnets, too. */
		{"network lab host-only 172.16.2.1/24\nnetwork tap1 standalone 172.16.2.1/24\n",
			"/p:2: 172.16.2.1/24 of network 'tap1' overlaps 172.16.2.1/24 of network 'lab' "
			"(/p:1)" APART},
		{CELL "network web nat 172.16.200.1/24\n",
			"/p:2: 172.16.200.1/24 of network 'web' overlaps 172.16.128.0/17 of network 'cell' "
			"(/p:1)" APART},
		{CELL "network web nat 172.16.127.1/24\n", ""},
		/* Three that overlap are three pairs. */
		{"network a nat 10.0.0.1/24\nnetwork b nat 10.0.0.2/24\nnetwork c nat 10.0.0.3/24\n",
			"/p:2: 10.0.0.2/24 of network 'b' overlaps 10.0.0.1/24 of network 'a' (/p:1)" APART
			"/p:3: 10.0.0.3/24 of network 'c' overlaps 10.0.0.1/24 of network 'a' (/p:1)" APART
			"/p:3: 10.0.0.3/24 of network 'c' overlaps 10.0.0.2/24 of network 'b' (/p:2)" APART},
		/* Domains, which only networks with DHCP have. */
		{"network a.b nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9\n"
		 "network A+b. nat 10.0.1.1/24 dhcp=10.0.1.2-10.0.1.9\n",
			"/p:2: the guests of network 'A+b.' would have names in the domain of those of 'a.b' (/p:1), expected a "
			"network's name that differs in letters or digits, or a 'domain='\n"},
		{"network a nat 10.0.0.1/24 dhcp=auto domain=lab.example\n"
		 "network b nat fd00::1/64 ra domain=LAB.example\n",
			"/p:2: the guests of network 'b' would have names in the domain of those of 'a' (/p:1), expected another "
			"'domain='\n"},
		{"network a.b nat 10.0.0.1/24 dhcp=auto domain=one.example\n"
		 "network A-b nat 10.0.1.1/24 dhcp=auto\n",
			""},
		{"network a.b nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9\n"
		 "network a-b nat 10.0.1.1/24\n",
			""},
		{"network a.b nat 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9\n"
		 "network ab nat 10.0.1.1/24 dhcp=10.0.1.2-10.0.1.9\n",
			""},
		/* Names. */
		{CELL "network cell-5 internal\n", LIKE_TAPS("/p:2", "cell-5", "cell", "/p:1")},
		{"network cell-8192 bridged\n" CELL, TAPS_LIKE("/p:2", "cell", "cell-8192", "/p:1")},
		/* No tap has that name; but what is done to all taps of the pool would be done to it. */
		{CELL "network cell-x internal\n", LIKE_TAPS("/p:2", "cell-x", "cell", "/p:1")},
		{CELL "network cell- internal\n", LIKE_TAPS("/p:2", "cell-", "cell", "/p:1")},
		{CELL "network cell5 internal\nnetwork cel-5 internal\nnetwork cell.5 internal\n"
		      "network xcell-5 internal\nnetwork Cell-5 internal\nnetwork cel internal\n",
			""},
		/* Only a pool gives such names. */
		{"network tap1 standalone 10.0.0.1/24\nnetwork tap1-1 internal\n", ""},
		/* Pools whose names meet. */
		{CELL "network cell-b standalone 10.0.0.0/24 per-vm=/30\n",
			LIKE_TAPS("/p:2", "cell-b", "cell", "/p:1")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *policy = load_or_fail(rows[i].text);

		check_conflicts(policy, rows[i].text, rows[i].conflicts);
		policy_free(policy);
	}
}

/* The later line is the one that is read later; each is told by its own file, shown so that it harms nobody. */
static void test_conflicts_of_files(void **state)
{
	const struct memory_file files[] = {
		FILE_OF("/p", "#\ninclude /a'b\nnetwork a nat 10.0.0.1/24\n"),
		FILE_OF("/a'b", "#\n#\nnetwork b nat 10.0.0.2/24\n"),
		END_OF_FILES,
	};
	char error[512];
	struct policy *policy = memory_load(files, error);

	(void)state;
	assert_string_equal(error, "");
	check_conflicts(
		policy, "", "/p:3: 10.0.0.1/24 of network 'a' overlaps 10.0.0.2/24 of network 'b' (/a\\x27b:3)" APART);
	policy_free(policy);
}

/* The longest there can be is told to its end. */
static void test_longest_conflict(void **state)
{
#define SEVEN_GROUPS "fd00:1111:2222:3333:4444:5555:6666:"
#define DIGITS	     "01234567890123456789012345678901234567890123456789"
#define LONG_PATH    "/a-long-path/" DIGITS DIGITS "x"
	const struct memory_file files[] = {
		FILE_OF("/p", "include " LONG_PATH "\nnetwork a23456789012345 nat " SEVEN_GROUPS "7777/111 mtu=1500\n"),
		FILE_OF(LONG_PATH, "network b23456789012345 nat " SEVEN_GROUPS "7777/127\n"),
		END_OF_FILES,
	};
	char error[512];
	struct policy *policy = memory_load(files, error);

	(void)state;
	assert_string_equal(error, "");
	check_conflicts(policy, "",
		"/p:2: " SEVEN_GROUPS "7777/111 of network 'a23456789012345' overlaps " SEVEN_GROUPS
		"7777/127 of network 'b23456789012345' (" LONG_PATH ":1)" APART);
	policy_free(policy);
}

static void count_conflict(void *context, const struct policy_error *error)
{
	size_t *count = context;

	assert_int_equal(error->column, 0);
	++*count;
}

/* As many networks as a policy may have, each pair in conflict. */
static void test_most_conflicts(void **state)
{
	char text[16384] = "";
	size_t told = 0;

	(void)state;
	for (int i = 1; i <= POLICY_NETWORKS_MAX; i++)
		text_append(text, sizeof(text), "network n%d nat 10.0.0.1/24 fd00::1/64\n", i);
	struct policy *policy = load_or_fail(text);
	assert_int_equal(policy_conflicts(policy, count_conflict, &told),
		(size_t)POLICY_NETWORKS_MAX * (POLICY_NETWORKS_MAX - 1));
	assert_int_equal(told, (size_t)POLICY_NETWORKS_MAX * (POLICY_NETWORKS_MAX - 1));
	policy_free(policy);
}

/* What `auto` stands for: private subnets, alike for the same name and machine, and else not. */
static void test_choices(void **state)
{
	static const char *const machines[] = {"", "0123456789abcdef0123456789abcdef"};
	static const struct {
		unsigned char address[4];
		unsigned int bits;
	} private[] = {{{10}, 8}, {{172, 16}, 12}, {{192, 168}, 16}};
	struct policy *policy =
		load_or_fail("network a shared auto\nnetwork b nat auto mtu=1279\nnetwork c nat 10.0.0.1/24\n");
	size_t count, in[3] = {0};
	const struct policy_network *networks = policy_networks(policy, &count);
	struct policy_subnet before;

	(void)state;
	for (size_t machine = 0; machine < COUNT(machines); machine++) {
		for (uint32_t choice = 0; choice < POLICY_CHOICES; choice++) {
			for (size_t i = 0; i < count; i++)
				policy_choose(policy, i, machines[machine], choice);
			before = networks[0].ipv4;
			policy_choose(policy, 0, machines[machine], choice);
			assert_memory_equal(&before, &networks[0].ipv4, sizeof(before));
			for (size_t range = 0; range < COUNT(private); range++)
				in[range] += policy_prefixes_overlap(
					before.address, 24, private[range].address, private[range].bits);
			assert_int_equal(networks[0].ipv4.address[3], 1);
			assert_int_equal(networks[0].ipv6.address[0], 0xfd);
			assert_true(networks[0].ipv6.given && networks[0].ipv6.prefix == 64);
			assert_false(networks[1].ipv6.given);
			assert_memory_not_equal(networks[0].ipv4.address, networks[1].ipv4.address, 3);
			assert_memory_equal(networks[2].ipv4.address, ((unsigned char[]){10, 0, 0, 1}), 4);
			policy_choose(policy, 0, machines[!machine], choice);
			assert_memory_not_equal(before.address, networks[0].ipv4.address, 3);
		}
	}
	assert_true(in[0] == 32 && in[1] == 16 && in[2] == 16);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_pools),
		cmocka_unit_test(test_whole_pools),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_conflicts_of_files),
		cmocka_unit_test(test_longest_conflict),
		cmocka_unit_test(test_most_conflicts),
		cmocka_unit_test(test_choices),
	};

	return cmocka_run_group_tests_name("policy: subnets", tests, NULL, NULL);
}
