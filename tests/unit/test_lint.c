// SPDX-License-Identifier: MIT
/*
 * Tests of what `tapgate check` warns of in a policy (cli/check/lint*.c), with names and interfaces that live in
 * tables; and of how a line is shown with its caret (tool/findings.c).
 */
#include "tests/unit/test_policy.h"

#include "cli/check/check.h"
#include "tool/tool.h"

/* --- a host of tables --------------------------------------------------------------------------------------------- */

/* alice and bob and students are in the files; remote (10007) is known to a directory; so are the numbers of all. */
static const struct {
	enum policy_account kind;
	const char *name;
	uint32_t number;
	enum lint_name known;
} names[] = {
	{ACCOUNT_USER, "alice", 1000, LINT_FILES},
	{ACCOUNT_USER, "alias", 1000, LINT_FILES}, /* one number, two names */
	{ACCOUNT_USER, "bob", 1001, LINT_FILES},
	{ACCOUNT_GROUP, "students", 2000, LINT_FILES},
	{ACCOUNT_USER, "remote", 10007, LINT_DIRECTORY},
};

static enum lint_name number_of(void *context, enum policy_account kind, struct word name, bool files, uint32_t *number)
{
	unsigned int *asked = context;

	*asked += !files;
	for (size_t i = 0; i < COUNT(names); i++) {
		if (names[i].kind != kind || !word_is(name, names[i].name) || (files && names[i].known != LINT_FILES))
			continue;
		*number = names[i].number;
		return names[i].known;
	}
	return LINT_NOBODY;
}

static bool is_named(void *context, enum policy_account kind, uint32_t number)
{
	(void)context;
	for (size_t i = 0; i < COUNT(names); i++) {
		if (names[i].kind == kind && names[i].number == number)
			return true;
	}
	return false;
}

/* bob is one of the students; alice is in two groups that have no name. */
static size_t groups_of(void *context, uint32_t uid, uint32_t *groups, size_t room)
{
	(void)context;
	assert_true(room >= 2);
	groups[0] = uid == 1001 ? 2000 : 3000;
	groups[1] = 3001;
	return uid == 1001 ? 1 : uid == 1000 ? 2 : 0;
}

static bool is_interface(void *context, const char *name)
{
	(void)context;
	return strcmp(name, "br0") == 0 || strcmp(name, "br1") == 0;
}

/* The findings on a policy as text, "LINE:COLUMN: what" and a newline each, in order. */
static void lint_text(const char *text, size_t size, uint32_t lacks, char *found, size_t found_size)
{
	unsigned int asked = 0;
	const struct lint_host host = {number_of, is_named, groups_of, is_interface, &asked};
	struct findings findings = {.items = NULL};
	char error[512], line[1024];
	struct policy *policy = memory_load_text(text, size, error);
	FILE *out = tmpfile();

	assert_non_null(policy);
	assert_non_null(out);
	lint_rules(policy, &host, &findings);
	lint_networks(policy, &host, &findings);
	lint_kernel(policy, lacks, &findings);
	assert_false(findings.failed);
	findings_print(&findings, out);
	rewind(out);
	found[0] = '\0';
	while (fgets(line, sizeof(line), out)) {
		if (strncmp(line, "/p:", 3) == 0)
			text_append(found, found_size, "%s", line + 3);
	}
	fclose(out);
	findings_free(&findings);
	policy_free(policy);
}

#define NEVER  "warning: this rule never decides"
#define ALLOWS "allows the same before it; remove one\n"
#define DENIES "denies the same before it; remove one\n"
#define WINS   "denies the same, and a deny wins; remove one\n"
#define GROUP  "denies a group that this user is in, and a deny wins; remove one\n"
#define AGAIN  "for the second time in this rule\n"
#define ALL                                                                                                            \
	"warning: every user may join every bridge of this host, also those that are made later; name the networks, "  \
	"or whom it is for with user= or group=\n"
#define ALL_OWN                                                                                                        \
	"warning: 'all' is every bridge of this host, not only the networks of this policy; write a rule for each "    \
	"network that is meant\n"
#define NO_BRIDGE "and no bridge is called so now; correct the name, or make it\n"

static void test_findings(void **state)
{
	static const struct {
		const char *text, *found;
	} rows[] = {
		{"", ""},
		{"allow br0 user=alice\nallow br0 user=bob\nallow br0 group=students\ndeny br1\n", ""},
		/* The first of a kind decides, by whatever name; not of another kind, or for another network. */
		{"allow br0 user=alice\nallow br0 user=#1000\n", "2:1: " NEVER ": /p:1 (allow br0 user=alice) " ALLOWS},
		{"allow br0 user=alice\nallow br0 user=alias\n", "2:1: " NEVER ": /p:1 (allow br0 user=alice) " ALLOWS},
		{"allow br0 user=alice\nallow br1 user=alice\nallow br0 group=#2000\n", ""},
		{"allow br0 group=students\nallow br0 user=alice\n", ""},
		{"allow br0 user=alice max=1\nallow br0 user=alice max=9\n",
			"2:1: " NEVER ": /p:1 (allow br0 user=alice max=1) " ALLOWS},
		{"allow br0\nallow br0 max=2\n", "2:1: " NEVER ": /p:1 (allow br0) " ALLOWS},
		{"allow all user=alice\nallow br0 user=alice\n", "2:1: " NEVER ": /p:1 (allow all user=alice) " ALLOWS},
		{"allow br0 user=alice\nallow all user=alice\n", ""},
		{"allow br0 user=alice\nallow br0 user=bob\nallow br0 user=bob,alice\n",
			"3:1: " NEVER ": /p:2 (allow br0 user=bob) " ALLOWS},
		{"allow br0 user=alice\nallow br0 user=bob,alice\n",
			"2:20: " NEVER " for 'alice': /p:1 (allow br0 user=alice) " ALLOWS},
		{"allow br0 user=bob,alice,alias\n", "1:26: warning: 'alias' " AGAIN},
		{"deny br0 group=#2000,students\n", "1:22: warning: 'students' " AGAIN},
		/* A deny wins wherever it stands. */
		{"allow br0 user=alice\ndeny br0 user=alice\n", "1:1: " NEVER ": /p:2 (deny br0 user=alice) " WINS},
		{"allow br0 user=alice\ndeny all\n", "1:1: " NEVER ": /p:2 (deny all) " WINS},
		{"allow br0\ndeny br0 user=alice\n", ""},
		{"allow all group=students\ndeny br0 group=students\n", ""},
		{"deny br0 user=alice\nallow br0 user=bob,alice\n",
			"2:20: " NEVER " for 'alice': /p:1 (deny br0 user=alice) " WINS},
		/* A deny of a user's group, too. */
		{"allow br0 user=alice,bob\ndeny all group=students\n",
			"1:22: " NEVER " for 'bob': /p:2 (deny all group=students) " GROUP},
		{"deny br0 group=students\nallow br0 user=#1001\nallow br1 user=bob\nallow br0 user=alice\n",
			"2:16: " NEVER " for '#1001': /p:1 (deny br0 group=students) " GROUP},
		/* Both say it: the deny is named. */
		{"allow br0 user=alice\nallow br0 user=alice\ndeny br0 user=alice\n",
			"1:1: " NEVER ": /p:3 (deny br0 user=alice) " WINS "2:1: " NEVER
			": /p:3 (deny br0 user=alice) " WINS},
		/* A deny behind one that is as wide, not before it. */
		{"deny all user=alice\ndeny br0 user=alice\n", "2:1: " NEVER ": /p:1 (deny all user=alice) " DENIES},
		{"deny br0 user=alice\ndeny all user=alice\n", ""},
		{"deny br0\ndeny br0 group=students\n", "2:1: " NEVER ": /p:1 (deny br0) " DENIES},
		/* What allows more than it seems to. */
		{"allow all\n", "1:1: " ALL},
		{"network lab internal\nallow all\n", "2:1: " ALL},
		{"network lab internal\nallow all user=alice\n", "2:1: " ALL_OWN},
		{"network br0 bridged\nallow all user=alice\n", ""},
		{"network lab internal\ndeny all user=alice\n", ""},
		{"allow br0 user=alice\nallow br0\nallow br0 group=students\n",
			"2:1: warning: everybody is allowed here, so /p:1 (allow br0 user=alice) restricts nobody; "
			"remove "
			"one\n"},
		{"allow br0 max=1\nallow br0 user=alice max=2\nallow br0 group=students\n", ""},
		{"allow br0 max=1\nallow br0 user=alice max=1\n",
			"1:1: warning: everybody is allowed here, so /p:2 (allow br0 user=alice max=1) restricts "
			"nobody; "
			"remove one\n"},
		/* Names, each where it stands first; of a deny, which refuses others too, rather than of an allow. */
		{"allow br0 user=remote\nallow br1 user=remote\n",
			"1:16: warning: user 'remote' is not in /etc/passwd, and tapgate-helper asks no directory "
			"service; write user=#10007\n"},
		{"allow br1 user=remote\ndeny br0 user=remote\n",
			"2:15: user 'remote' is not in /etc/passwd, and tapgate-helper asks no directory service: this "
			"denies every caller with a user that is not there; write user=#10007\n"},
		{"allow br0 user=#10007,#2000\nallow br0 group=#1000,#2000\n",
			"1:23: warning: no user has the number 2000; correct it if it is a mistake\n"
			"2:17: warning: no group has the number 1000; correct it if it is a mistake\n"},
		{"allow br0 user=x\ndeny br1 user=x\n",
			"2:15: warning: there is no user 'x', so everybody is denied whose user's number is not in "
			"/etc/passwd; correct the name, or write a number\n"},
		{"allow br0 group=alice\n",
			"1:17: warning: there is no group 'alice', so nobody is allowed by it; correct the name, or "
			"make "
			"the group\n"},
		{"allow br0 user=4711\n",
			"1:16: warning: there is no user '4711', so nobody is allowed by it; a number has '#' before "
			"it\n"},
		/* Networks, each once. */
		{"allow br9 user=bob\ndeny br9 user=alice\nallow br8\n",
			"1:1: warning: no line describes a network 'br9', " NO_BRIDGE
			"3:1: warning: no line describes a network 'br8', " NO_BRIDGE},
		{"network lab internal\nallow lab\nnetwork br1 bridged\nallow br1\n", ""},
		{" network \tbr7 bridged\nallow br7\n",
			"1:11: warning: no bridge is called 'br7' now, and tapgate makes none for a bridged network; "
			"correct the name, or make it\n"},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char found[4096];

		lint_text(rows[i].text, strlen(rows[i].text), 0, found, sizeof(found));
		wrong += differ(rows[i].text, strlen(rows[i].text), "", rows[i].found, found);
	}
	assert_int_equal(wrong, 0);
}

/*
 * Property: a rule of which it is said that it never decides decides for nobody, in random policies and for all callers
 * that they can tell apart; and of one that decides for somebody it is never said.
 */
enum { RULES = 6, ROUNDS = 4000 };

static void write_rule(char *text, size_t size)
{
	static const char *const whom[] = {
		"", " user=#0", " user=#1", " user=#0,#1", " user=#2,#1", " group=#0", " group=#1,#0", " group=#1"};
	static const char *const networks[] = {"all", "br0", "br1"};

	text_append(text, size, "%s %s%s\n", rand() % 3 ? "allow" : "deny", networks[rand() % 3],
		whom[(size_t)rand() % COUNT(whom)]);
}

/* Which lines decide for anybody; a bit each. */
static unsigned int deciding_lines(const struct policy *policy)
{
	static const struct policy_accounts none; /* numbers need no names */
	static const char *const networks[] = {"br0", "br1", "br2"};
	static const uint32_t groups[] = {0, 1};
	static const struct {
		size_t first, count;
	} sets[] = {{0, 0}, {0, 1}, {1, 1}, {0, 2}};
	unsigned int lines = 0;

	for (uint32_t uid = 0; uid < 4; uid++) {
		for (size_t i = 0; i < COUNT(sets) * COUNT(networks); i++) {
			const size_t set = i % COUNT(sets);
			const struct policy_caller caller = {uid, groups + sets[set].first, sets[set].count, &none};

			lines |= 1U << policy_decide(policy, networks[i / COUNT(sets)], &caller).line;
		}
	}
	return lines;
}

static void test_never_decides(void **state)
{
	unsigned int said = 0;

	(void)state;
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		char text[512] = "", found[4096], error[512], *rest = found, *line;
		struct policy *policy;
		unsigned int deciding;

		for (int i = 0; i < RULES; i++)
			write_rule(text, sizeof(text));
		policy = memory_load_text(text, strlen(text), error);
		assert_non_null(policy);
		deciding = deciding_lines(policy);
		policy_free(policy);
		lint_text(text, strlen(text), 0, found, sizeof(found));
		while ((line = strsep(&rest, "\n"))) {
			if (!strstr(line, "never decides:"))
				continue;
			said++;
			if (deciding & 1U << strtoul(line, NULL, 10))
				fail_msg("%s\nof a rule that decides:\n%s", line, text);
		}
	}
	assert_true(said > ROUNDS / 2);
}

/* --- carets ------------------------------------------------------------------------------------------------------- */

static void test_caret(void **state)
{
	static const struct {
		const char *line;
		size_t size;
		unsigned int column;
		const char *shown;
	} rows[] = {
		{TEXT("allow br0"), 7, "    allow br0\n          ^\n"},
		{TEXT("allow br0"), 10, "    allow br0\n             ^\n"},
		{TEXT("allow br0"), 0, "    allow br0\n"},
		{TEXT(""), 1, "    \n    ^\n"},
		{TEXT("\tallow\tb'\"\\"), 8, "    \tallow\tb'\"\\\n    \t     \t^\n"},
		{TEXT("a\0\033[1m\303\251b"), 9, "    a\\x00\\x1b[1m\\xc3\\xa9b\n                        ^\n"},
		/* Out of a line: the column is behind its end. */
		{TEXT("x"), 4096, "    ...\n       ^\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char shown[512] = "";
		FILE *out = fmemopen(shown, sizeof(shown), "w");

		assert_non_null(out);
		caret_write(out, (struct word){rows[i].line, rows[i].size}, rows[i].column);
		fclose(out);
		assert_string_equal(shown, rows[i].shown);
	}
}

/* Of a long line: short enough for a screen, and the caret is under the byte that is meant. */
static void test_caret_in_long_lines(void **state)
{
	char line[POLICY_LINE_MAX + 64];

	(void)state;
	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = 'a';
	for (unsigned int column = 1; column <= sizeof(line); column++) {
		char shown[512] = "";
		FILE *out = fmemopen(shown, sizeof(shown), "w");
		size_t first, caret;

		assert_non_null(out);
		line[column - 1] = 'X';
		caret_write(out, (struct word){line, sizeof(line)}, column);
		line[column - 1] = 'a';
		fclose(out);
		first = strcspn(shown, "\n");
		caret = strcspn(shown, "^") - first - 1;
		assert_true(first <= 110);
		assert_int_equal(shown[caret], 'X');
	}
}

/* What a kernel lacks is told at the word, wherever it stands, and not at names that are spelt alike. */
static void test_kernel(void **state)
{
	static const struct {
		const char *text;
		uint32_t lacks;
		const char *found;
	} rows[] = {
		{"allow br0 vlan=7 isolated lock-mac guard\n", 0, ""},
		{"allow br0 isolated vlan=7\n", OPTION_VLAN,
			"1:20: this kernel does not give 'vlan=7', which takes a kernel with "
			"CONFIG_BRIDGE_VLAN_FILTERING; remove it, or run such a kernel\n"},
		{"allow br0\n\tallow br1 user=alice\tguard\n", OPTION_GUARD,
			"2:23: this kernel does not give 'guard', which takes Linux 3.8 or newer; remove it, or run "
			"such a kernel\n"},
		{"allow br0 mac=02:00:00:00:00:01\n", OPTION_LOCK_MAC,
			"1:11: this kernel does not give 'mac=02:00:00:00:00:01', which takes Linux 5.18 or newer; "
			"remove it, or run such a kernel\n"},
		{"network lab nat 10.1.0.1/24 dhcp=10.1.0.2-10.1.0.9 lock-ip\n", OPTION_LOCK_MAC,
			"1:52: this kernel does not give 'lock-ip', which takes Linux 5.18 or newer; remove it, or "
			"run such a kernel\n"},
		{"network isolated internal isolated\n", OPTION_ISOLATED | OPTION_VLAN,
			"1:27: this kernel does not give 'isolated', which takes Linux 4.18 or newer; remove it, or "
			"run such a kernel\n"},
		{"allow br0 max=2\nallow br1 mtu=1400\n", UINT32_MAX & ~(uint32_t)OPTION_MAX, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char found[1024];

		lint_text(rows[i].text, strlen(rows[i].text), rows[i].lacks, found, sizeof(found));
		assert_string_equal(found, rows[i].found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_never_decides),
		cmocka_unit_test(test_caret),
		cmocka_unit_test(test_caret_in_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
