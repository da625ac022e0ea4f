// SPDX-License-Identifier: MIT
/* Tests of the decision: which rule decides for a caller, what it grants, and what the verdict tells. */
#include "tests/unit/test_policy.h"

/* Groups of 1000 (alice): users (primary), staff and wheel, by the files. carol's numbers are in no file. */
static const struct memory_account users[] = {
	{"root", 0, 0, {0}},
	{"alice", 1000, 100, {0}},
	{"bob", 1001, 100, {0}},
	{"decem", 10000, 100, {0}},
	{"100", 7, 7, {0}},
	{NULL, 0, 0, {0}},
};
static const struct memory_account groups[] = {
	{"root", 0, 0, {0}},
	{"users", 100, 0, {0}},
	{"staff", 50, 0, {1000, 1001}},
	{"wheel", 10, 0, {1000}},
	{"guests", 60, 0, {10000}},
	{"ten-thousand", 10000, 0, {0}},
	{NULL, 0, 0, {0}},
};

static const struct memory_accounts accounts = {users, groups};

enum who { ALICE, ALICE_DROPPED, ALICE_BARE, BOB, DECEM, ROOT, CAROL, CAROL_IN_STAFF };

static const struct {
	const char *name;
	uint32_t uid, groups[4];
	size_t group_count;
} callers[] = {
	[ALICE] = {"alice", 1000, {100, 50, 10}, 3},
	[ALICE_DROPPED] = {"alice without staff", 1000, {100, 10}, 2},
	[ALICE_BARE] = {"alice without groups", 1000, {65534}, 1},
	[BOB] = {"bob", 1001, {100, 50}, 2},
	[DECEM] = {"decem", 10000, {100, 60}, 2},
	[ROOT] = {"root", 0, {0}, 1},
	[CAROL] = {"carol", 5000, {5000}, 1},
	[CAROL_IN_STAFF] = {"carol in staff", 5000, {50}, 1},
};

struct row {
	const char *text;
	const char *network;
	enum who who;
	const char *verdict;
};

static void check_rows(const struct row *rows, size_t count)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		struct memory_facts facts;
		const struct policy_caller caller = memory_caller(&accounts,
			(struct policy_caller){.uid = callers[rows[i].who].uid,
				.groups = callers[rows[i].who].groups,
				.group_count = callers[rows[i].who].group_count},
			&facts);
		char got[512], about[64];
		struct policy *policy = memory_load_text(rows[i].text, strlen(rows[i].text), got);

		if (policy) {
			const struct policy_verdict verdict = policy_decide(policy, rows[i].network, &caller);

			print_verdict(&verdict, got, sizeof(got));
		}
		policy_free(policy);
		snprintf(about, sizeof(about), "%s asks for %s", callers[rows[i].who].name, rows[i].network);
		wrong += differ(rows[i].text, strlen(rows[i].text), about, rows[i].verdict, got);
	}
	assert_int_equal(wrong, 0);
}

static void test_classic(void **state)
{
	static const struct row rows[] = {
		{"", "br0", ALICE, "no rule"},
		{"", "br0", ROOT, "no rule"},
		{"#allow all\n", "br0", ALICE, "no rule"},
		{"allow br0\n", "br0", ALICE, "allowed /p:1 (allow br0)"},
		{"allow br0\n", "br1", ALICE, "no rule"},
		{"allow br0\n", "br00", ALICE, "no rule"},
		{"allow br0\n", "br", ALICE, "no rule"},
		{"allow br0\n", "BR0", ALICE, "no rule"},
		{"allow a23456789012345\n", "a23456789012345", ALICE, "allowed /p:1 (allow a23456789012345)"},
		{"allow a23456789012345\n", "a23456789012346", ALICE, "no rule"},
		{"allow all\n", "anything", ALICE, "allowed /p:1 (allow all)"},
		{"deny all\n", "br0", ALICE, "denied /p:1 (deny all)"},
		{"deny br0\n", "br1", ALICE, "no rule"},
		{"allow all\ndeny br0\n", "br0", ALICE, "denied /p:2 (deny br0)"},
		{"allow all\ndeny br0\n", "br1", ALICE, "allowed /p:1 (allow all)"},
		{"deny br0\nallow br0\n", "br0", ALICE, "denied /p:1 (deny br0)"},
		{"allow br0\ndeny all\nallow br0\n", "br0", ALICE, "denied /p:2 (deny all)"},
		{"allow br0\ndeny all\n", "br0", ROOT, "denied /p:2 (deny all)"},
		{"deny br0\ndeny br0\n", "br0", ALICE, "denied /p:1 (deny br0)"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_who(void **state)
{
	static const struct row rows[] = {
		{"allow br0 user=alice\n", "br0", ALICE, "allowed /p:1 (allow br0 user=alice)"},
		{"allow br0 user=alice\n", "br0", BOB, "no rule"},
		{"allow br0 user=alice\n", "br0", ROOT, "no rule"},
		{"allow br0 user=bob,alice\n", "br0", ALICE, "allowed /p:1 (allow br0 user=bob,alice)"},
		{"allow br0 user=#1000\n", "br0", ALICE, "allowed /p:1 (allow br0 user=#1000)"},
		{"allow br0 user=#1000\n", "br0", DECEM, "no rule"},
		{"allow br0 user=#10000\n", "br0", ALICE, "no rule"},
		{"allow br0 user=#10000\n", "br0", DECEM, "allowed /p:1 (allow br0 user=#10000)"},
		{"allow br0 user=#5000\n", "br0", CAROL, "allowed /p:1 (allow br0 user=#5000)"},
		{"allow br0 user=#0\n", "br0", ROOT, "allowed /p:1 (allow br0 user=#0)"},
		{"allow br0 user=#0\n", "br0", ALICE, "no rule"},
		{"allow br0 user=100\n", "br0", ALICE, "no rule"}, /* a name of digits is a name */
		{"allow br0 user=Alice\n", "br0", ALICE, "no rule"},
		{"allow br0 user=alic\n", "br0", ALICE, "no rule"},
		{"allow br0 group=staff\n", "br0", ALICE, "allowed /p:1 (allow br0 group=staff)"},
		{"allow br0 group=#50\n", "br0", ALICE, "allowed /p:1 (allow br0 group=#50)"},
		{"allow br0 group=users\n", "br0", ALICE, "allowed /p:1 (allow br0 group=users)"},
		{"allow br0 group=guests,wheel\n", "br0", ALICE, "allowed /p:1 (allow br0 group=guests,wheel)"},
		{"allow br0 group=guests\n", "br0", ALICE, "no rule"},
		{"allow br0 group=ten-thousand\n", "br0", DECEM, "no rule"}, /* a uid is no gid */
		{"allow br0 group=#10000\n", "br0", DECEM, "no rule"},
		{"allow br0 group=alice\n", "br0", ALICE, "no rule"},
		{"allow br0\ndeny br0 user=alice\n", "br0", ALICE, "denied /p:2 (deny br0 user=alice)"},
		{"allow br0\ndeny br0 user=alice\n", "br0", BOB, "allowed /p:1 (allow br0)"},
		{"allow br0 user=alice\ndeny br0 group=staff\n", "br0", ALICE, "denied /p:2 (deny br0 group=staff)"},
		{"allow br0 user=alice\ndeny all group=wheel\n", "br0", ALICE, "denied /p:2 (deny all group=wheel)"},
		{"deny all user=#1000\nallow br0\n", "br0", DECEM, "allowed /p:2 (allow br0)"},
		{"deny all group=guests\nallow br0\n", "br0", DECEM, "denied /p:1 (deny all group=guests)"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_precedence_and_grants(void **state)
{
	static const struct row rows[] = {
		{"allow br0 max=1\nallow br0 group=staff max=2\nallow br0 user=alice max=3\n", "br0", ALICE,
			"allowed /p:3 (allow br0 user=alice max=3) max=3"},
		{"allow br0 user=alice max=3\nallow br0 group=staff max=2\nallow br0 max=1\n", "br0", ALICE,
			"allowed /p:1 (allow br0 user=alice max=3) max=3"},
		{"allow br0 max=1\nallow br0 group=staff max=2\nallow br0 user=alice max=3\n", "br0", BOB,
			"allowed /p:2 (allow br0 group=staff max=2) max=2"},
		{"allow br0 max=1\nallow br0 group=staff max=2\nallow br0 user=alice max=3\n", "br0", CAROL,
			"allowed /p:1 (allow br0 max=1) max=1"},
		{"allow br0 max=1\nallow br0 max=2\n", "br0", ALICE, "allowed /p:1 (allow br0 max=1) max=1"},
		{"allow br0 group=wheel max=1\nallow br0 group=staff max=2\n", "br0", ALICE,
			"allowed /p:1 (allow br0 group=wheel max=1) max=1"},
		{"allow br0 user=alice\nallow br0 user=#1000 max=2\n", "br0", ALICE,
			"allowed /p:1 (allow br0 user=alice)"},
		/* Neither the exactness of the network nor the options of other rules count. */
		{"allow all max=1\nallow br0 max=2\n", "br0", ALICE, "allowed /p:1 (allow all max=1) max=1"},
		{"allow all user=alice\nallow br0 group=staff max=2\n", "br0", ALICE,
			"allowed /p:1 (allow all user=alice)"},
		{"allow br0 user=alice\nallow br0 queues=4 isolated\n", "br0", ALICE,
			"allowed /p:1 (allow br0 user=alice)"},
		{"allow br0 user=bob max=9\nallow br0\n", "br0", ALICE, "allowed /p:2 (allow br0)"},
		/* Rules in a row with the same options, and with others. */
		{"allow a max=1\nallow b max=1\nallow c max=2\nallow d\nallow e max=2\n", "a", ALICE,
			"allowed /p:1 (allow a max=1) max=1"},
		{"allow a max=1\nallow b max=1\nallow c max=2\nallow d\nallow e max=2\n", "b", ALICE,
			"allowed /p:2 (allow b max=1) max=1"},
		{"allow a max=1\nallow b max=1\nallow c max=2\nallow d\nallow e max=2\n", "c", ALICE,
			"allowed /p:3 (allow c max=2) max=2"},
		{"allow a max=1\nallow b max=1\nallow c max=2\nallow d\nallow e max=2\n", "d", ALICE,
			"allowed /p:4 (allow d)"},
		{"allow a max=1\nallow b max=1\nallow c max=2\nallow d\nallow e max=2\n", "e", ALICE,
			"allowed /p:5 (allow e max=2) max=2"},
		{"allow br0 max=2 queues=3 vlan=4 mac=52:54:00:Ab:cD:eF isolated lock-mac guard\n", "br0", ALICE,
			"allowed /p:1 (allow br0 max=2 queues=3 vlan=4 mac=52:54:00:Ab:cD:eF isolated lock-mac guard)"
			" max=2 queues=3 vlan=4 mac=52:54:00:ab:cd:ef isolated lock-mac guard"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/* The rule is told in its exact words, from its verb to its last word; the network's line is told too. */
static void test_what_a_verdict_tells(void **state)
{
	static const struct row rows[] = {
		{"\n# x\n \tallow  br0\tuser=bob,#1000   max=2 \t \n", "br0", ALICE,
			"allowed /p:3 (allow  br0\tuser=bob,#1000   max=2) max=2"},
		{"  deny\tbr0 \n", "br0", ALICE, "denied /p:1 (deny\tbr0)"},
		{"network lab internal\nallow lab\nnetwork br0 bridged\n", "lab", ALICE,
			"allowed /p:2 (allow lab) network=lab:1"},
		{"network lab internal\nallow lab\nnetwork br0 bridged\n", "br0", ALICE, "no rule network=br0:3"},
		{"network lab internal\ndeny all\n", "lab", ALICE, "denied /p:2 (deny all) network=lab:1"},
		{"network lab internal\ndeny all\n", "lab2", ALICE, "denied /p:2 (deny all)"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/*
 * A name that no file knows may be anybody whose number no file knows: a deny counts against those, an allow is
 * nobody's.
 */
static void test_unknown_names(void **state)
{
	static const struct row rows[] = {
		{"allow br0\ndeny br0 user=ghost\n", "br0", ALICE, "allowed /p:1 (allow br0)"},
		{"allow br0\ndeny br0 user=ghost\n", "br0", CAROL, "unknown /p:2 (deny br0 user=ghost) unknown=ghost"},
		{"allow br0\ndeny br0 user=alice,ghost,bob\n", "br0", CAROL,
			"unknown /p:2 (deny br0 user=alice,ghost,bob) unknown=ghost"},
		{"allow br0\ndeny br0 user=ghost,#5000\n", "br0", CAROL, "denied /p:2 (deny br0 user=ghost,#5000)"},
		{"allow br0\ndeny br0 user=#6000\n", "br0", CAROL, "allowed /p:1 (allow br0)"},
		{"allow br0\ndeny br1 user=ghost\n", "br0", CAROL, "allowed /p:1 (allow br0)"},
		{"allow br0\ndeny all user=ghost\n", "br0", CAROL, "unknown /p:2 (deny all user=ghost) unknown=ghost"},
		{"allow br0\ndeny br0 group=ghosts\n", "br0", ALICE, "allowed /p:1 (allow br0)"},
		{"allow br0\ndeny br0 group=ghosts\n", "br0", CAROL,
			"unknown /p:2 (deny br0 group=ghosts) unknown=ghosts"},
		{"allow br0\ndeny br0 group=ghosts\n", "br0", ALICE_BARE,
			"unknown /p:2 (deny br0 group=ghosts) unknown=ghosts"},
		{"allow br0\ndeny br0 group=ghosts\n", "br0", CAROL_IN_STAFF, "allowed /p:1 (allow br0)"},
		{"allow br0\ndeny br0 group=ghosts,staff\n", "br0", CAROL_IN_STAFF,
			"denied /p:2 (deny br0 group=ghosts,staff)"},
		{"allow br0 user=ghost\n", "br0", CAROL, "no rule skipped=user:ghost@/p:1"},
		{"allow br1 user=ghost\nallow all user=bob,ghost\n", "br0", CAROL, "no rule skipped=user:ghost@/p:2"},
		{"allow br0 user=ghost\n", "br0", ALICE, "no rule"},
		{"allow br0 user=ghost\nallow br0 max=1\n", "br0", CAROL, "allowed /p:2 (allow br0 max=1) max=1"},
		{"allow br0 group=ghosts\n", "br0", CAROL, "no rule skipped=group:ghosts@/p:1"},
		{"allow br0 group=ghosts,#5000\n", "br0", CAROL, "allowed /p:1 (allow br0 group=ghosts,#5000)"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_dropped_groups(void **state)
{
	static const struct row rows[] = {
		{"allow br0\ndeny br0 group=staff\n", "br0", ALICE_DROPPED, "denied /p:2 (deny br0 group=staff)"},
		{"allow br0\ndeny br0 group=#50\n", "br0", ALICE_DROPPED, "denied /p:2 (deny br0 group=#50)"},
		{"allow br0\ndeny br0 group=users\n", "br0", ALICE_BARE, "denied /p:2 (deny br0 group=users)"},
		{"allow br0\ndeny br0 group=guests\n", "br0", ALICE_DROPPED, "allowed /p:1 (allow br0)"},
		{"allow br0 group=staff\n", "br0", ALICE_DROPPED, "dropped /p:1 (allow br0 group=staff)"},
		/* The group's rule, with its limit, is the one for her; leaving the group does not lift the limit. */
		{"allow br0 group=staff max=1\nallow br0\n", "br0", ALICE_DROPPED,
			"dropped /p:1 (allow br0 group=staff max=1) max=1"},
		{"allow br0\nallow br0 group=staff max=1\n", "br0", ALICE_DROPPED,
			"dropped /p:2 (allow br0 group=staff max=1) max=1"},
		{"allow br0 group=staff max=1\nallow br0 group=wheel\n", "br0", ALICE_DROPPED,
			"dropped /p:1 (allow br0 group=staff max=1) max=1"},
		{"allow br0 group=wheel\nallow br0 group=staff max=1\n", "br0", ALICE_DROPPED,
			"allowed /p:1 (allow br0 group=wheel)"},
		{"allow br0 group=staff,wheel\n", "br0", ALICE_DROPPED, "allowed /p:1 (allow br0 group=staff,wheel)"},
		{"allow br0 group=ghosts,staff\n", "br0", ALICE_BARE, "dropped /p:1 (allow br0 group=ghosts,staff)"},
		{"allow br0 group=staff max=1\nallow br0 user=alice\n", "br0", ALICE_DROPPED,
			"allowed /p:2 (allow br0 user=alice)"},
		{"allow br0 group=staff\ndeny br0\n", "br0", ALICE_DROPPED, "denied /p:2 (deny br0)"},
		{"allow br0\ndeny br0 group=ghosts,staff\n", "br0", ALICE_BARE,
			"denied /p:2 (deny br0 group=ghosts,staff)"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/* The rule's file is told, and rules of included files stand where the include does. */
static void test_files(void **state)
{
	static const struct memory_file files[] = {
		FILE_OF("/p", "allow a\ninclude /q\nallow b max=1\n"),
		FILE_OF("/q", "# nothing\nallow b max=2\ndeny a\n"),
		END_OF_FILES,
	};
	const struct policy_caller caller = {.uid = 1000};
	char got[512];
	struct policy *policy = memory_load(files, got);
	struct policy_verdict verdict;

	(void)state;
	assert_string_equal(got, "");
	verdict = policy_decide(policy, "a", &caller);
	print_verdict(&verdict, got, sizeof(got));
	assert_string_equal(got, "denied /q:3 (deny a)");
	verdict = policy_decide(policy, "b", &caller);
	print_verdict(&verdict, got, sizeof(got));
	assert_string_equal(got, "allowed /q:2 (allow b max=2) max=2");
	policy_free(policy);
}

/*
 * The account files are asked for only where the answer depends on them, and nothing is decided without: who asks for
 * another network pays nothing, nor who holds the group or is the user of a number that a rule names.
 */
static void test_accounts_are_asked_for_only_when_needed(void **state)
{
	static const struct {
		const char *text, *without, *with;
	} rows[] = {
		{"allow br1 user=alice\ndeny br1 group=ghosts\nallow br0\n", "allowed /p:3 (allow br0)",
			"allowed /p:3 (allow br0)"},
		{"allow br1 user=alice\n", "no rule", "no rule"},
		{"allow br0 user=#1000\nallow br0 user=alice\n", "allowed /p:1 (allow br0 user=#1000)",
			"allowed /p:1 (allow br0 user=#1000)"},
		{"allow br0 group=#50\n", "allowed /p:1 (allow br0 group=#50)", "allowed /p:1 (allow br0 group=#50)"},
		{"allow br0 user=#1000,alice\n", "allowed /p:1 (allow br0 user=#1000,alice)",
			"allowed /p:1 (allow br0 user=#1000,alice)"},
		{"deny br0\ndeny br0 user=alice\n", "denied /p:1 (deny br0)", "denied /p:1 (deny br0)"},
		{"allow br0\ndeny br0 user=alice\n", "asks", "denied /p:2 (deny br0 user=alice)"},
		{"allow br0\ndeny br0 user=bob\n", "asks", "allowed /p:1 (allow br0)"},
		{"allow br0\ndeny br0 group=#10\n", "asks", "denied /p:2 (deny br0 group=#10)"}, /* dropped */
		{"allow br0\nallow br0 group=ghosts\n", "asks", "allowed /p:1 (allow br0)"},
		{"allow br0 user=alice\nnetwork br0 bridged\n", "asks network=br0:2",
			"allowed /p:1 (allow br0 user=alice) network=br0:2"},
	};
	static const uint32_t held[] = {100, 50};
	const struct policy_caller caller = {.uid = 1000, .groups = held, .group_count = COUNT(held)};
	struct memory_facts facts;
	const struct policy_caller known = memory_caller(&accounts, caller, &facts);
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char without[512], with[512];
		struct policy *policy = memory_load_text(rows[i].text, strlen(rows[i].text), with);

		assert_non_null(policy);
		const struct policy_verdict verdict = policy_decide(policy, "br0", &caller),
					    informed = policy_decide(policy, "br0", &known);
		print_verdict(&verdict, without, sizeof(without));
		print_verdict(&informed, with, sizeof(with));
		wrong += differ(rows[i].text, strlen(rows[i].text), "without the files", rows[i].without, without);
		wrong += differ(rows[i].text, strlen(rows[i].text), "with them", rows[i].with, with);
		policy_free(policy);
	}
	assert_int_equal(wrong, 0);
}

/* Where a name stands twice, the first line is its number's; whose the second is, is not meant by it. */
static void test_names_that_stand_twice(void **state)
{
	static const struct memory_account twice[] = {
		{"alice", 1000, 100, {0}}, {"alice", 1001, 100, {0}}, {"bob", 1001, 100, {0}}, {NULL, 0, 0, {0}}};
	static const struct memory_account groups_twice[] = {{"staff", 50, 0, {1000}}, {"staff", 51, 0, {1001}},
		{"crew", 50, 0, {0}}, {"users", 100, 0, {0}}, {NULL, 0, 0, {0}}};
	static const struct memory_accounts files = {twice, groups_twice};
	static const struct {
		const char *text;
		uint32_t uid;
		const char *verdict;
	} rows[] = {
		{"allow br0 user=alice\n", 1000, "allowed /p:1 (allow br0 user=alice)"},
		{"allow br0 user=alice\n", 1001, "no rule"},
		{"allow br0 user=bob\n", 1001, "allowed /p:1 (allow br0 user=bob)"},
		{"deny br0 group=staff\n", 1000, "denied /p:1 (deny br0 group=staff)"},
		{"deny br0 group=staff\n", 1001, "no rule"},
		{"deny br0 group=#51\n", 1001, "denied /p:1 (deny br0 group=#51)"},
		/* A group is one by its number, whichever of its lines lists the user. */
		{"deny br0 group=crew\n", 1000, "denied /p:1 (deny br0 group=crew)"},
		{"deny br0 group=crew\n", 1001, "no rule"},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_facts facts;
		const struct policy_caller caller =
			memory_caller(&files, (struct policy_caller){.uid = rows[i].uid}, &facts);
		char got[512];
		struct policy *policy = memory_load_text(rows[i].text, strlen(rows[i].text), got);

		assert_non_null(policy);
		const struct policy_verdict verdict = policy_decide(policy, "br0", &caller);
		print_verdict(&verdict, got, sizeof(got));
		wrong += differ(rows[i].text, strlen(rows[i].text), "", rows[i].verdict, got);
		policy_free(policy);
	}
	assert_int_equal(wrong, 0);
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static void add_name(void *names, const char *name)
{
	text_append(names, 256, "%s ", name);
}

/* Whatever names a network does, once more each time; 'all' is told apart, where it is allowed. */
static void test_names(void **state)
{
	static const struct {
		const char *text, *names;
		bool all;
	} rows[] = {
		{"", "", false},
		{"allow br1\nnetwork lab internal\ndeny lab\nnetwork br0 bridged\nallow br1 user=bob\n",
			"lab br0 br1 lab br1 ", false},
		{"deny all user=bob\nallow br0\n", "br0 ", false},
		{"deny br0\nallow all group=staff\n", "br0 ", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char error[512], names[256] = "";
		struct policy *policy = memory_load_text(rows[i].text, strlen(rows[i].text), error);

		assert_non_null(policy);
		assert_int_equal(policy_each_name(policy, add_name, names), rows[i].all);
		assert_string_equal(names, rows[i].names);
		policy_free(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classic),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_precedence_and_grants),
		cmocka_unit_test(test_what_a_verdict_tells),
		cmocka_unit_test(test_unknown_names),
		cmocka_unit_test(test_dropped_groups),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_accounts_are_asked_for_only_when_needed),
		cmocka_unit_test(test_names_that_stand_twice),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("policy: decide", tests, NULL, NULL);
}
