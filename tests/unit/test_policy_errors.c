// SPDX-License-Identifier: MIT
/*
 * Tests of policy_check: every error of a policy, in order, each with the line that it is in; the first is at the place
 * of policy_load's, nothing of a refused line counts for those behind it, and there is an end. And of what shows a
 * policy to tools.
 */
#include "tests/unit/test_policy.h"

struct list {
	char text[32768];
	size_t count;
};

/* An error as "line: message | source" and a newline. */
static void tell(void *context, const struct policy_error *error, struct word line)
{
	struct list *list = context;
	char message[704];

	policy_error_print(error, message, sizeof(message));
	text_append(list->text, sizeof(list->text), "%s | ", message);
	if (line.at)
		text_append_escaped(list->text, sizeof(list->text), line);
	else
		text_append(list->text, sizeof(list->text), "-");
	text_append(list->text, sizeof(list->text), "\n");
	list->count++;
}

/* Check the first of a list of files; *list receives what was told. Whether it is as policy_check promises. */
static bool memory_check(const struct memory_file *files, struct list *list)
{
	union {
		const struct memory_file *files;
		void *context;
	} without_const = {files};
	const struct policy_reader reader = {memory_read, without_const.context, &policy_services};
	char first[512];
	struct policy *policy = memory_load(files, first);
	bool loads = policy != NULL, promised;
	size_t count, place = strcspn(first, " ");

	policy_free(policy);
	*list = (struct list){.count = 0};
	policy = policy_check(&reader, files->path, tell, list, &count);
	promised = loads == (policy != NULL) && loads == (count == 0) && strncmp(list->text, first, place) == 0 &&
		   list->count == (count > POLICY_ERRORS_MAX ? POLICY_ERRORS_MAX : count);
	policy_free(policy);
	return promised;
}

static void test_every_error(void **state)
{
	static const struct {
		struct memory_file files[4];
		const char *told;
	} rows[] = {
		{{FILE_OF("/p", "allow br0\n"), END_OF_FILES}, ""},
		{{FILE_OF("/p", "alow br0\nallow br1\nallow br2 usr=x\n"), END_OF_FILES},
			"/p:1:1: unknown word 'alow', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#' | alow "
			"br0\n"
			"/p:3:11: unknown word 'usr' on an allow rule, expected 'user=', 'group=', 'max=', 'queues=', "
			"'mac=', 'vlan=', 'mtu=', 'rate=', 'rate-in=', 'isolated', 'lock-mac', 'guard' "
			"or 'lock-ip' | allow br2 usr=x\n"},
		/* Of a line the first error; a byte that may not stand there is told escaped. */
		{{FILE_OF("/p", "allow br0 max=x max=y\n\tallow b\x80r\n"), END_OF_FILES},
			"/p:1:15: max='x', expected a number from 1 to 65535 | allow br0 max=x max=y\n"
			"/p:2:9: byte 0x80, expected printable ASCII | \\x09allow b\\x80r\n"},
		{{FILE_OF("/p", "allow br0 group=m\xc3\xbcller\nnetwork l\xc3\xa4n internal\n"), END_OF_FILES},
			"/p:1:18: byte 0xc3, expected printable ASCII, and '#number' for a user or group with other letters | "
			"allow br0 group=m\\xc3\\xbcller\n"
			"/p:2:10: byte 0xc3, expected printable ASCII | network l\\xc3\\xa4n internal\n"},
		{{FILE_OF("<stdin>", "allow br0"), END_OF_FILES},
			"<stdin>:1:10: file ends inside a line, expected a newline (it may be cut short; if it is whole, end it "
			"with one) | allow br0\n"},
		/* A refused network is not there: its name is free, and rules are not judged by it. */
		{{FILE_OF("/p", "network a standalone 10.0.0.1/33\nnetwork a internal\nallow a lock-mac\n"),
			 END_OF_FILES},
			"/p:1:31: prefix '33', expected a number from 1 to 32 | network a standalone 10.0.0.1/33\n"},
		/* One that was not refused is. */
		{{FILE_OF("/p", "network a internal\nnetwork a internal\nnetwork a nat\n"), END_OF_FILES},
			"/p:2:9: network 'a' for the second time, expected it once (first at /p:1) | network a "
			"internal\n"
			"/p:3:9: network 'a' for the second time, expected it once (first at /p:1) | network a nat\n"},
		/* What is found when all lines are known: of each rule, not only of the first. */
		{{FILE_OF("/p", "network a standalone 10.0.0.1/24\nallow a vlan=5\nallow x\nallow a guard\n"),
			 END_OF_FILES},
			"/p:2:9: option 'vlan' on a rule for 'a', expected none that needs a bridge: it is a "
			"standalone "
			"network | allow a vlan=5\n"
			"/p:4:9: option 'guard' on a rule for 'a', expected none that needs a bridge: it is a "
			"standalone "
			"network | allow a guard\n"},
		/* Includes are lines like others, and what they name is read on, too. */
		{{FILE_OF("/p", "include /none\ninclude /q\nallow\n"), FILE_OF("/q", "x\nallow br0\ny\n"),
			 END_OF_FILES},
			"/p:1:9: cannot include '/none': no such file | include /none\n"
			"/q:1:1: unknown word 'x', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#' | x\n"
			"/q:3:1: unknown word 'y', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#' | y\n"
			"/p:3:6: no network, expected a name or 'all' | allow\n"},
		{{FILE_OF("/p", "include /p\t\nallow\n"), END_OF_FILES},
			"/p:1:9: cannot include '/p': the file includes itself | include /p\\x09\n"
			"/p:2:6: no network, expected a name or 'all' | allow\n"},
		{{FILE_REFUSED("/p", "no such file"), END_OF_FILES}, "/p: no such file | -\n"},
		/* So are the files of a directory, which is read once and is no file of the policy. */
		{{FILE_OF("/p", "include /d/*.conf\nallow\n"), FILE_OF("/d/", "a.conf\0"),
			 FILE_OF("/d/a.conf", "x\nallow br0\ny\n"), END_OF_FILES},
			"/d/a.conf:1:1: unknown word 'x', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#' | x\n"
			"/d/a.conf:3:1: unknown word 'y', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#' | y\n"
			"/p:2:6: no network, expected a name or 'all' | allow\n"},
		/* A file that is included twice has its errors once. */
		{{FILE_OF("/p", "include /q\ninclude /q\n"), FILE_OF("/q", "x\nnetwork a internal\n"), END_OF_FILES},
			"/q:1:1: unknown word 'x', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#' | x\n"
			"/q:2:9: network 'a' for the second time, expected it once (first at /q:2) | network a "
			"internal\n"},
		/* What was meant is told of words of other programs' languages. */
		{{FILE_OF("/p", "permit alice\ndeny br* user=*\ndeny br0 user=bob,*\nallow br0 user=a b\n"),
			 END_OF_FILES},
			"/p:1:1: unknown word 'permit', as in doas.conf, expected 'allow NETWORK user=NAME' | "
			"permit alice\n"
			"/p:2:6: network 'br*', expected each name in a line of its own, or 'all' | deny br* user=*\n"
			"/p:3:19: '*', expected neither 'user=' nor 'group=' for everybody | deny br0 user=bob,*\n"
			"/p:4:18: unknown word 'b' on an allow rule"
			" behind a name (one with a blank is written '#number'), "
			"expected 'user=', 'group=', 'max=', 'queues=', 'mac=', 'vlan=', 'mtu=', 'rate=', 'rate-in=', 'isolated', "
			"'lock-mac', 'guard' or "
			"'lock-ip' | allow br0 user=a b\n"},
		/* A last line that is cut short is told of once, unless it is wrong in itself, too. */
		{{FILE_OF("/p", "alow\nallow br0"), END_OF_FILES},
			"/p:1:1: unknown word 'alow', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#' | alow\n"
			"/p:2:10: file ends inside a line, expected a newline (the file may be cut short; if it is "
			"whole: echo >>'/p') | allow br0\n"},
		{{FILE_OF("/p", "allow br0\nalow"), END_OF_FILES},
			"/p:2:1: unknown word 'alow', expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#' | alow\n"
			"/p:2:5: file ends inside a line, expected a newline (the file may be cut short; if it is "
			"whole: echo >>'/p') | alow\n"},
	};
	static struct list list;
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct memory_file *file = rows[i].files;

		assert_true(memory_check(file, &list));
		wrong += differ(file->text, file->size, file->path, rows[i].told, list.text);
	}
	assert_int_equal(wrong, 0);
}

/* There is an end, also if the lines are in a file that is included. */
static void test_too_many(void **state)
{
	enum { LINES = POLICY_ERRORS_MAX + 20 };
	static char text[LINES * 2 + 1];
	static struct list list;

	(void)state;
	for (size_t lines = POLICY_ERRORS_MAX - 1; lines <= LINES; lines++) {
		const struct memory_file alone[] = {{"/q", text, lines * 2, POLICY_READ}, END_OF_FILES};
		const struct memory_file included[] = {FILE_OF("/p", "include /q\n"), alone[0], END_OF_FILES};
		size_t told = lines > POLICY_ERRORS_MAX ? POLICY_ERRORS_MAX : lines;

		for (size_t i = 0; i < lines; i++)
			memcpy(text + i * 2, "x\n", 2);
		assert_true(memory_check(alone, &list));
		assert_int_equal(list.count, told);
		assert_true(memory_check(included, &list));
		assert_int_equal(list.count, told);
	}
}

/* A line that is too long stays so with other bytes in it: it is told once, whole, and what is behind it, too. */
static void test_long_lines(void **state)
{
	enum { LONG = 3 * POLICY_LINE_MAX };
	static char text[LONG + 8];
	static struct list list;
	const struct memory_file files[] = {{"/p", text, sizeof(text), POLICY_READ}, END_OF_FILES};

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + LONG, "\nalow\nxy", 8);
	assert_true(memory_check(files, &list));
	assert_int_equal(list.count, 4);
	assert_non_null(strstr(list.text, "/p:1:4096: line goes on"));
	assert_non_null(strstr(list.text, "/p:2:1: unknown word 'alow'"));
	assert_non_null(strstr(list.text, "/p:3:3: file ends inside a line"));
}

/* --- looking at rules --------------------------------------------------------------------------------------------- */

static void append_account(void *context, const struct policy_account_word *account)
{
	struct list *list = context;

	if (account->name.at)
		text_append(list->text, sizeof(list->text), " %.*s", (int)account->name.size, account->name.at);
	else
		text_append(list->text, sizeof(list->text), " %u", account->number);
	text_append(list->text, sizeof(list->text), "(%.*s)", (int)account->at.size, account->at.at);
}

static void test_rules_shown(void **state)
{
	static const struct memory_file files[] = {
		FILE_OF("/p", "# first\n allow br0 max=2 user=alice,#1007,bob\ninclude /q\n"),
		FILE_OF("/q", "\ndeny all group=#5\t\nallow x\n"), END_OF_FILES};
	static const char expected[] =
		"/p:2 allow 'br0' 2 max=2 alice(alice) 1007(#1007) bob(bob) | allow br0 max=2 user=alice,#1007,bob\n"
		"/q:2 deny '' 1 5(#5) | deny all group=#5\n"
		"/q:3 allow 'x' 0 | allow x\n";
	static struct list list;
	char error[512];
	struct policy *policy = memory_load(files, error);
	struct policy_part part;

	(void)state;
	assert_non_null(policy);
	list = (struct list){.count = 0};
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		struct policy_rule rule = policy_rule(policy, i);
		struct word line = policy_line(policy, rule.file, rule.line);

		assert_true(line.at == rule.whole.at && line.size == rule.whole.size);
		text_append(list.text, sizeof(list.text), "%s:%u %s '%s' %d", rule.file, rule.line,
			rule.allow ? "allow" : "deny", rule.network, rule.who);
		print_options(rule.options, list.text, sizeof(list.text));
		policy_each_account(policy, i, append_account, &list);
		text_append(list.text, sizeof(list.text), " | %.*s\n", (int)rule.words.size, rule.words.at);
	}
	assert_string_equal(list.text, expected);
	assert_int_equal(policy_part_count(policy), 2);
	part = policy_part(policy, 0);
	assert_string_equal(part.path, "/p");
	assert_null(part.by);
	part = policy_part(policy, 1);
	assert_string_equal(part.path, "/q");
	assert_string_equal(part.by, "/p");
	assert_true(part.line == 3 && part.column == 9);
	assert_null(policy_line(policy, "/p", 4).at);
	assert_null(policy_line(policy, "/p", 0).at);
	assert_null(policy_line(policy, "/r", 1).at);
	assert_int_equal(policy_line(policy, "/q", 1).size, 0);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_error),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_rules_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
