// SPDX-License-Identifier: MIT
/*
 * The lines of the log that tapgate-helper(8) promises, field by field, and that nothing a caller or a policy writes
 * can pass for a line or a field of its own. (That every line of every other test is well-formed: oracle.c. Escaping
 * as such: tests/unit/test_field.c.)
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The text of the one line that came: what stands behind "tapgate-helper[4711]: ". */
static const char *text_of(const struct result *result)
{
	const char *text = strstr(result->log, "]: ");

	if (!text || strchr(result->log, '\n') != result->log + strlen(result->log) - 1)
		fail_msg("%s: not one line: %s", result->call.about, result->log);
	return text + 3;
}

static void expect_line(const struct result *result, const char *expected)
{
	if (strcmp(text_of(result), expected) != 0)
		fail_msg("%s:\n%s, expected:\n%s", result->call.about, text_of(result), expected);
}

/*
 *	alice --- tap --- br0, allowed by the second line of a file whose name is hard to read
 */
static void test_grant(void **state)
{
	static const char file[] = "/etc/tap gate\"\\x.conf";
	struct result result;
	char expected[512];

	(void)state;
	by_setuid_alone();
	make_bridge("br0");
	write_policy("include /etc/tap gate\"\\x.conf\n");
	write_file(file, "# one\nallow br0 user=alice,br\\1 max=2\n", 0644, 0, 0);
	result = hold(&(struct call){.about = "a grant"}, "br0");
	snprintf(expected, sizeof(expected),
		"granted uid=1000 net=br0 vmm=%d tap=%s rule=\"/etc/tap gate\\x5cx22\\x5cx5cx.conf:2 "
		"(allow br0 user=alice,br\\x5cx5c1 max=2)\"\n",
		(int)getpid(), tap_of(&result));
	expect_line(&result, expected);
	give_back(&result);
	command("rm '%s'", file);
}

/* A refused request, and its line behind the fields that are always the same. */
struct row {
	const char *about, *policy;
	const char *const *argv;
	int code;
	const char *before, *after; /* of " vmm=N", if there is an `after` */
};

static void check_row(const struct row *row)
{
	const struct call call = {.about = row->about, .argv = row->argv};
	struct result result;
	char expected[2048];

	write_policy(row->policy);
	result = run(&call);
	assert_int_equal(result.code, row->code);
	if (row->after)
		snprintf(expected, sizeof(expected), "refused uid=1000%s vmm=%d code=%d%s\n", row->before,
			(int)getpid(), row->code, row->after);
	else
		snprintf(expected, sizeof(expected), "refused uid=1000 code=%d%s\n", row->code, row->before);
	expect_line(&result, expected);
}

#define USAGE                                                                                                          \
	"expected --br=NAME --fd=N [--net=NAME] [--queues=N] [--mac=ADDR] [--use-vnet] from a virtual machine "        \
	"monitor; for people there is: tapgate help"
#define BAD_NAME                                                                                                       \
	" has characters other than letters, digits and ._-+@, expected the name of a network of at most 15 bytes\""

/*
 *	alice --- ? --- br0
 *
 * What stands in QUOTED() is escaped there, and its '\' once more for the log: unescaped, `why` is the line that
 * standard error had.
 */
static void test_refusals(void **state)
{
	const struct row rows[] = {
		{"a quote and a field in a name", "allow all\n", ARGS("--br=br0\" tap=\"x", FD), 2,
			" why=\"--br='br0\\x5cx22 tap=\\x5cx22x'" BAD_NAME, NULL},
		{"a line in a name", "allow all\n", ARGS("--br=br0\n<86>tapgate-helper[1]: granted uid=1001", FD), 2,
			" why=\"--br='br0\\x5cx0a<86>tapgate-helper[1]: granted uid=1001' is longer than 15 bytes, "
			"expected the name of a network of at most 15 bytes\"",
			NULL},
		{"backslash, tab, DEL, bytes above", "allow all\n", ARGS("--br=\\x22\t\x7f\x9b\xff", FD), 2,
			" why=\"--br='\\x5cx5cx22\\x5cx09\\x5cx7f\\x5cx9b\\x5cxff'" BAD_NAME, NULL},
		{"an unknown word that looks like fields", "allow all\n", ARGS("uid=0 net=lab rule=\"x\"", FD), 2,
			" why=\"unknown argument 'uid=0 net=lab rule=\\x5cx22x\\x5cx22', " USAGE "\"", NULL},
		{"a name for the log's daemon, too long", "allow all\n",
			ARGS("12345678901234567890123456789012345678901234567890123456789012345678901234567890", FD), 2,
			" why=\"unknown argument "
			"'12345678901234567890123456789012345678901234567890123456789012345678901234...', " USAGE "\"",
			NULL},
		{"no rule", "allow br1\n", NULL, 3, " net=br0",
			" why=\"uid 1000 may not use 'br0': no rule allows it, and the policy has no network "
			"of that name; see: tapgate networks (of a bridge, an administrator can add 'allow br0 "
			"user=#1000' to /etc/tapgate.conf)\""},
		{"a rule that denies", "allow all\n\ndeny br0 user=alice\n", NULL, 3, " net=br0",
			" rule=\"/etc/tapgate.conf:3 (deny br0 user=alice)\" why=\"uid 1000 may not use 'br0': denied "
			"by /etc/tapgate.conf:3 (deny br0 user=alice)\""},
		{"a rule that allows, and no bridge", "allow br2 user=alice\n", ARGS("--br=br2", FD), 1, " net=br2",
			" rule=\"/etc/tapgate.conf:1 (allow br2 user=alice)\" why=\"there is no bridge 'br2' "
			"(alternative names do not count); an administrator can run: ip link add br2 type bridge && "
			"ip link set br2 up\""},
		{"a rule whose limit is reached", "allow br0 user=alice\n", ARGS("--br=br0", FD, "--queues=2"), 5,
			" net=br0",
			" rule=\"/etc/tapgate.conf:1 (allow br0 user=alice)\" why=\"uid 1000 may have 1 queue on "
			"'br0', not 2, by /etc/tapgate.conf:1 (allow br0 user=alice); ask for fewer, or have queues= "
			"raised\""},
		{"a mistake in the policy", "allow br0 us\"er=x\n", NULL, 4, " net=br0",
			" why=\"/etc/tapgate.conf:1:11: unknown word 'us\\x5cx22er' on an allow rule, expected "
			"'user=', 'group=', 'max=', 'queues=', 'mac=', 'vlan=', 'mtu=', 'rate=', 'rate-in=', 'isolated', 'lock-mac', "
			"'guard' or 'lock-ip'\""},
	};

	(void)state;
	make_bridge("br0");
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
}

/* Room for all: the longest line that there is ends in whole fields. */
static void test_long(void **state)
{
	char policy[2048] = "deny br0 user=alice", argument[2048] = "";
	struct result result;
	const char *text;

	(void)state;
	make_bridge("br0");
	for (int i = 0; i < 100; i++)
		snprintf(
			policy + strlen(policy), sizeof(policy) - strlen(policy), ",\\\\\\%d%s", i, i < 99 ? "" : "\n");
	write_policy(policy);
	result = run(&(struct call){.about = "a rule of backslashes"});
	text = text_of(&result);
	assert_int_equal(result.code, 3);
	assert_non_null(strstr(text, "...)\" why=\"uid 1000 may not use 'br0': denied by /etc/tapgate.conf:1 (deny"));
	assert_string_equal(text + strlen(text) - 6, "...)\"\n");

	memset(argument, '\\', 1000);
	result = run(&(struct call){.about = "an argument of backslashes", .argv = ARGS(argument, FD)});
	text = text_of(&result);
	assert_int_equal(result.code, 2);
	assert_string_equal(text + strlen(text) - strlen(USAGE "\"\n"), USAGE "\"\n");
}

/* --- limits that are lowered meanwhile ---------------------------------------------------------------------------- */

/* The process is its caller's by now, who may change its limits (prlimit(2)). */
static bool is_hers(const struct running *running)
{
	return strstr(command_line("grep ^Uid: /proc/%d/status", (int)running->pid), "\t1000\t1000\t1000\t1000");
}

struct lowering {
	pid_t pid;
	__rlimit_resource_t limit;
	rlim_t value;
};

static int lower(void *context)
{
	const struct lowering *lowering = context;
	const struct rlimit limit = {lowering->value, lowering->value};

	return prlimit(lowering->pid, lowering->limit, &limit, NULL) < 0;
}

/*
 *	alice --- helper, stopped somewhere; a limit of it lowered by her --- br0, allowed
 *
 * There is a tap and a line that says so; or neither, and a line that says that.
 */
static void test_limits_lowered_meanwhile(void **state)
{
	static bool (*const places[])(const struct running *running) = {is_hers, tap_is_signed, tap_is_up};
	static const struct {
		const char *about;
		__rlimit_resource_t limit;
		rlim_t value;
	} rows[] = {
		{"descriptors: 4", RLIMIT_NOFILE, 4},
		{"descriptors: none", RLIMIT_NOFILE, 0},
		{"file size", RLIMIT_FSIZE, 0},
		{"signals", RLIMIT_SIGPENDING, 0},
		{"memory", RLIMIT_AS, 0},
		{"data", RLIMIT_DATA, 0},
		{"stack", RLIMIT_STACK, 0},
		{"processes", RLIMIT_NPROC, 0},
	};
	unsigned int granted = 0;

	(void)state;
	by_setuid_alone();
	prepare_br0();
	for (size_t i = 0; i < COUNT(rows) * COUNT(places); i++) {
		struct running running = start_stopped(
			&(struct call){.about = rows[i / COUNT(places)].about}, places[i % COUNT(places)]);
		struct lowering lowering = {running.pid, rows[i / COUNT(places)].limit, rows[i / COUNT(places)].value};
		struct result result;

		assert_int_equal(as_user(&alice, lower, &lowering), 0);
		let_go_on(&running);
		result = finish(&running);
		if (result.fds) {
			EXPECT(&result, strncmp(text_of(&result), "granted uid=1000 net=br0 ", 25) == 0);
			give_back(&result);
			granted++;
		} else {
			assert_refused(&result, result.code, "");
		}
		assert_int_equal(count_taps(), 0);
	}
	assert_true(granted >= COUNT(rows) && granted <= COUNT(rows) * COUNT(places) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_grant),
		TEST(test_refusals),
		TEST(test_long),
		TEST(test_limits_lowered_meanwhile),
	};

	return RUN_TESTS(tests);
}
