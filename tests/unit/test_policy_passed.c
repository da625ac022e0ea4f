/* SPDX-License-Identifier: MIT */
/*
 * Tests of what the helper passes over, which is the values that concern no tap: each is refused in full, where the
 * helper decides as if it were right; and of all else nothing is passed over. (That the helper never accepts less than
 * is accepted in full, and refuses with the same words: memory_load, for every text of these tests.)
 */
#include "tests/unit/test_policy.h"

#define RULES "allow br0 max=2\ndeny lab\n"
#define LAB   "network lab host-only 172.16.2.1/24 "
#define WEB   "network web nat 10.77.0.1/24 fd00:77::1/64 "
#define HOME  "network home shared 10.78.0.1/24\nguest box on home ip=10.78.0.20\n"

static struct policy *load_as_helper(const char *text, size_t size, char error[static 512])
{
	const struct memory_file files[] = {{"/p", text, size, POLICY_READ}, END_OF_FILES};

	return memory_load_with(NULL, files, error);
}

/* What the helper decides for a caller with a number and no name. */
static void decide(const struct policy *policy, const char *network, char *buffer, size_t size)
{
	static const uint32_t group = 1000;
	const struct policy_verdict verdict =
		policy_decide(policy, network, &(struct policy_caller){1000, &group, 1, NULL});

	print_verdict(&verdict, buffer, size);
}

static void test_passed_over(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} rows[] = {
		{TEXT(RULES LAB "dhcp=nonsense\n")},
		{TEXT(RULES LAB "dhcp=172.16.3.2-172.16.3.9\n")},
		{TEXT(RULES LAB "dhcp=auto lease=1s\n")},
		{TEXT(RULES LAB "dhcp=auto dns=127.0.0.53,x\n")},
		{TEXT(RULES LAB "dhcp=auto domain=local\n")},
		{TEXT(RULES LAB "dhcp=auto search=-\n")},
		{TEXT(RULES LAB "dhcp=auto router=10.0.0.1\n")},
		{TEXT(RULES LAB "dhcp=auto ntp=x\n")},
		{TEXT(RULES LAB "dhcp=auto boot=x\n")},
		{TEXT(RULES LAB "ra\n")},			       /* without an IPv6 address */
		{TEXT(RULES LAB "leases=2\n")},			       /* without dhcp= */
		{TEXT(RULES LAB "leases=2 lock-ip\n")},		       /* likewise */
		{TEXT(RULES "network lab host-only 172.16.2.1/32\n")}, /* no room for a guest */
		{TEXT(RULES "network lab nat auto dhcp=10.0.0.2-10.0.0.9\n")},
		{TEXT(RULES LAB "\nguest a.b on lab ip=172.16.2.20\n")},
		{TEXT(RULES LAB "\nguest box on other ip=172.16.2.20\n")},
		{TEXT(RULES LAB "\nguest box on lab ip=10.0.0.1\n")},
		{TEXT(RULES LAB "\nguest box on lab ip6=x\n")},
		{TEXT(RULES LAB "\nguest box on lab\n")},
		{TEXT(RULES LAB "\nguest box on lab ip=172.16.2.20\nguest box on lab ip=172.16.2.21\n")},
		{TEXT(RULES HOME "forward 0/tcp to box\n")},
		{TEXT(RULES HOME "forward 80/udp to nobody\n")},
		{TEXT(RULES HOME "forward 80/tcp to box on 127.0.0.1\n")},
		{TEXT(RULES HOME "forward 80/tcp to box for other\n")},
		{TEXT(RULES HOME "forward 80/tcp to box\nforward 80/tcp to box:81\n")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char error[512], verdicts[512];
		struct policy *policy = memory_load_text(rows[i].text, rows[i].size, error);

		if (policy)
			print_error("nothing is wrong with: %s\n", rows[i].text);
		assert_null(policy);
		policy = load_as_helper(rows[i].text, rows[i].size, error);
		assert_int_equal(differ(rows[i].text, rows[i].size, "the helper", "", error), 0);
		decide(policy, "br0", verdicts, sizeof(verdicts));
		assert_string_equal(verdicts, "allowed /p:1 (allow br0 max=2) max=2");
		decide(policy, "lab", verdicts, sizeof(verdicts));
		verdicts[strlen("denied /p:2 (deny lab)")] = '\0'; /* network= behind it */
		assert_string_equal(verdicts, "denied /p:2 (deny lab)");
		policy_free(policy);
	}
}

/* The form of a line, and where a word may stand. Behind what is passed over all is read on. */
static void test_read(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT(LAB "dhcp=auto max=2\n"),
			"/p:1:47: option 'max' on a host-only network, expected 'queues=', 'mtu=', "
			"'rate=', 'rate-in=', 'isolated', 'lock-mac', 'dhcp=', 'ra', 'lock-ip', "
			"'leases=', 'lease=', 'dns=', 'domain=', 'search=', 'router=', 'ntp=', 'boot=' or 'list='"},
		{TEXT(LAB "dhcp=nonsense mtu=1\n"), "/p:1:55: mtu='1', expected a number from 68 to 65521"},
		{TEXT(LAB "dhcp=nonsense dhcp=auto\n"), "/p:1:51: 'dhcp' for the second time, expected it once"},
		{TEXT(LAB "dhcp=\n"), "/p:1:41: 'dhcp' without a value, expected 'dhcp=...'"},
		{TEXT(LAB "ra=1\n"), "/p:1:39: 'ra' with a value, expected the word alone"},
		{TEXT(LAB "leases=x\n"), "/p:1:44: leases='x', expected a number from 1 to 64"},
		{TEXT(LAB "dhcp=nonsense\nlabel x\n"),
			"/p:2:1: unknown word 'label', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#'"},
		{TEXT("network lab host-only 127.0.0.1/8 dhcp=auto\n"),
			"/p:1:23: loopback address, expected one that a host can have"},
		{TEXT("network lab nat 10.0.0.1/24 auto\n"),
			"/p:1:29: 'auto' beside an address, expected it once, or addresses in its place"},
		{TEXT("guest\n"), "/p:1:6: no name, expected one as in 'guest box on lab ip=172.16.2.20'"},
		{TEXT("guest a b\n"), "/p:1:9: no 'on', expected one as in 'guest box on lab ip=172.16.2.20'"},
		{TEXT("guest a on\n"), "/p:1:11: no network, expected one as in 'guest box on lab ip=172.16.2.20'"},
		{TEXT(LAB "\nguest a on lab mac=1\n"),
			"/p:2:20: mac='1', expected a unicast hardware address as in 52:54:00:12:34:56"},
		{TEXT(LAB "\nguest a on lab ip=x ip=y\n"), "/p:2:21: 'ip' for the second time, expected it once"},
		{TEXT(LAB "\nguest a on lab user=alice\n"),
			"/p:2:16: option 'user' on a guest, expected 'mac=', 'ip=' or 'ip6='"},
		{TEXT("forward\n"), "/p:1:8: no port, expected one as in 'forward 8022/tcp to box:22'"},
		{TEXT("forward 1/tcp b\n"), "/p:1:15: no 'to', expected one as in 'forward 8022/tcp to box:22'"},
		{TEXT("forward 1/tcp to\n"), "/p:1:17: no guest, expected one as in 'forward 8022/tcp to box:22'"},
		{TEXT("forward 1/tcp to b at x\n"),
			"/p:1:20: unknown word 'at' on a forward, expected 'on ADDRESS' or 'for NETWORK'"},
		{TEXT("forward 1/tcp to b on x on y\n"), "/p:1:25: 'on' for the second time, expected it once"},
		{TEXT("forward 1/tcp to b for\n"), "/p:1:23: no network behind 'for', expected one"},
		{TEXT("forward 1/tcp to b \x01\n"), "/p:1:20: byte 0x01, expected printable ASCII"},
		{TEXT("guest a on lab ip=x"),
			"/p:1:20: file ends inside a line, expected a newline (the file may be cut short; if it is whole: echo >>'/p')"},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char error[512];

		policy_free(load_as_helper(rows[i].text, rows[i].size, error));
		wrong += differ(rows[i].text, rows[i].size, "the helper", rows[i].error, error);
	}
	assert_int_equal(wrong, 0);
}

/* A line that each option may stand on, up to its value. */
static void begin_line(const struct policy_option_row *row, char *line, size_t size)
{
	snprintf(line, size, "%s",
		row->stands & ON_ALLOW	 ? "allow br0 "
		: row->stands & ON_GUEST ? "guest a on lab "
		: row->stands & ON_NAT	 ? WEB
					 : "network pool standalone 10.9.0.0/24 ");
	text_append(line, size, "%s", row->word);
}

/* All values but the ones that are said to be passed over are looked at: none of them can be this. */
static void test_table(void **state)
{
	unsigned int passed = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < POLICY_OPTION_COUNT; i++) {
		const struct policy_option_row *row = &policy_option_rows[i];
		char line[256], error[512];

		begin_line(row, line, sizeof(line));
		text_append(line, sizeof(line), "=%%,\n");
		policy_free(load_as_helper(line, strlen(line), error));
		if (!error[0] != (row->value == VALUE_SERVED))
			print_error("%s: %s\n", row->word, error);
		assert_true(!error[0] == (row->value == VALUE_SERVED));
		assert_false(row->value == VALUE_SERVED && (row->granted || row->stands & (ON_ALLOW | ON_DENY)));
		*(error[0] ? &refused : &passed) += 1;
	}
	assert_true(passed >= 10 && refused >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed_over),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
