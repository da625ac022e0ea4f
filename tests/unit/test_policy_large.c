// SPDX-License-Identifier: MIT
/*
 * Tests of large policies: ten thousand rules load, and the right one decides. How fast is the benchmark's concern,
 * never a test's.
 */
#include "tests/unit/test_policy.h"

enum { RULES = 10000, LINE = 128 };

/* A text of RULES lines, each from a format that takes the line's number once or twice. */
static char *lines(const char *what, size_t *size)
{
	char *text = malloc((size_t)RULES * LINE);

	assert_non_null(text);
	*size = 0;
	for (int i = 0; i < RULES; i++) {
		char *at = text + *size;
		int written = -1;

		if (strcmp(what, "names") == 0)
			written = snprintf(at, LINE, "allow br0 user=alice%04d\n", i);
		else if (strcmp(what, "numbers") == 0)
			written = snprintf(at, LINE, "allow br0 user=#%d max=%d\n", 10000 + i, 1 + i % 7);
		else if (strcmp(what, "networks") == 0)
			written =
				snprintf(at, LINE, "%s net%d group=g%d,#%d\n", i % 2 ? "allow" : "deny", i, i, 50 + i);
		assert_true(written >= 1 && written <= LINE - 1);
		*size += (size_t)written;
	}
	return text;
}

/* User aliceNNNN has the number 10000 + NNNN. */
static void check(const struct policy *policy, const char *network, uint32_t uid, uint32_t gid, const char *expected)
{
	char name[24], got[512], about[64];
	struct policy_name line = {name, (uint32_t)snprintf(name, sizeof(name), "alice%04d", (int)uid - 10000), uid};
	struct policy_accounts accounts = {.all[ACCOUNT_USER] = {&line, 1, 1}, .own[ACCOUNT_USER] = {&line, 1, 1}};
	const struct policy_caller caller = {uid, &gid, 1, &accounts};
	const struct policy_verdict verdict = policy_decide(policy, network, &caller);

	print_verdict(&verdict, got, sizeof(got));
	snprintf(about, sizeof(about), "uid %u, gid %u asks for %s", uid, gid, network);
	assert_int_equal(differ("", 0, about, expected, got), 0);
}

static void test_names(void **state)
{
	char error[512];
	size_t size;
	char *text = lines("names", &size);
	struct policy *policy = memory_load_text(text, size, error);

	(void)state;
	assert_string_equal(error, "");
	check(policy, "br0", 10000, 1, "allowed /p:1 (allow br0 user=alice0000)");
	check(policy, "br0", 14711, 1, "allowed /p:4712 (allow br0 user=alice4711)");
	check(policy, "br0", 19999, 1, "allowed /p:10000 (allow br0 user=alice9999)");
	check(policy, "br0", 20000, 1, "no rule");
	check(policy, "br1", 10000, 1, "no rule");
	policy_free(policy);
	free(text);
}

static void test_numbers(void **state)
{
	char error[512];
	size_t size;
	char *text = lines("numbers", &size);
	struct policy *policy = memory_load_text(text, size, error);

	(void)state;
	assert_string_equal(error, "");
	check(policy, "br0", 10000, 1, "allowed /p:1 (allow br0 user=#10000 max=1) max=1");
	check(policy, "br0", 10006, 1, "allowed /p:7 (allow br0 user=#10006 max=7) max=7");
	check(policy, "br0", 19999, 1, "allowed /p:10000 (allow br0 user=#19999 max=4) max=4");
	check(policy, "br0", 1000, 1, "no rule");
	policy_free(policy);
	free(text);
}

static void test_networks(void **state)
{
	char error[512];
	size_t size;
	char *text = lines("networks", &size);
	struct policy *policy = memory_load_text(text, size, error);

	(void)state;
	assert_string_equal(error, "");
	check(policy, "net9999", 1, 50 + 9999, "allowed /p:10000 (allow net9999 group=g9999,#10049)");
	check(policy, "net9998", 1, 50 + 9998, "denied /p:9999 (deny net9998 group=g9998,#10048)");
	check(policy, "net9999", 1, 1, "no rule");
	check(policy, "net10000", 1, 50, "no rule");
	policy_free(policy);
	free(text);
}

/* As many users on one line as fit. */
static void test_many_users_in_a_rule(void **state)
{
	char text[POLICY_LINE_MAX + 2] = "deny br0 user=#1", error[512], expected[sizeof(text) + 64];
	unsigned int last = 1;

	(void)state;
	while (strlen(text) + 6 < POLICY_LINE_MAX)
		text_append(text, sizeof(text), ",#%u", last += 2);
	text_append(text, sizeof(text), "\n");
	struct policy *policy = memory_load_text(text, strlen(text), error);
	assert_string_equal(error, "");
	assert_true(last > 1000);
	snprintf(expected, sizeof(expected), "denied /p:1 (%.*s)", (int)strlen(text) - 1, text);
	for (unsigned int uid = 1; uid <= last + 1; uid++) {
		const struct policy_caller caller = {.uid = uid};
		const struct policy_verdict verdict = policy_decide(policy, "br0", &caller);
		char got[sizeof(expected)];

		print_verdict(&verdict, got, sizeof(got));
		assert_string_equal(got, uid % 2 ? expected : "no rule");
	}
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_many_users_in_a_rule),
	};

	return cmocka_run_group_tests_name("policy: large", tests, NULL, NULL);
}
