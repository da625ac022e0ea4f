/*
 * Subordinate user ids (/etc/subuid): whoever may become them is refused as them, so that no user is many users to
 * rules and limits. Every other id is not concerned.
 */
#include "tests/netns/harness.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUBUID "/etc/subuid"
#define WHOLE  "cannot read " SUBUID

static const gid_t students[] = {STUDENTS};

/* One file and one user: a grant on br0, or a refusal. */
struct row {
	const char *about, *subuid;
	uid_t uid;
	int code; /* 0: granted */
	const char *words;
};

static void check_rows(const struct row *rows, size_t count)
{
	prepare_br0();
	for (size_t i = 0; i < count; i++) {
		const struct user user = {rows[i].uid, rows[i].uid, students, 1};
		const struct call call = {.about = rows[i].about, .user = &user};

		write_file(SUBUID, rows[i].subuid, 0644, 0, 0);
		if (rows[i].code == 0)
			expect_grant(&call, "br0");
		else
			expect_refusal(&call, rows[i].code, rows[i].words);
	}
}

#define HERS "alice:100000:65536\n"

/*
 *	(uid) --- ? --- br0, by /etc/subuid
 */
static void test_ranges(void **state)
{
	static const struct row rows[] = {
		{"the first", HERS, 100000, 3, "uid 100000 is a subordinate id of 'alice'"},
		{"the last", HERS, 165535, 3, "uid 165535 is a subordinate id of 'alice'"},
		{"below", HERS, 99999, 0, NULL},
		{"above", HERS, 165536, 0, NULL},
		{"herself", HERS, ALICE, 0, NULL},
		{"another", HERS, BOB, 0, NULL},
		{"an empty file", "", 100000, 0, NULL},
		{"the second line", HERS "bob:165536:65536\n", 165536, 3, "uid 165536 is a subordinate id of 'bob'"},
		{"two lines with it", "bob:100000:1\n" HERS, 100000, 3, "subordinate id of 'bob'"},
		{"two ranges of hers", HERS "alice:300000:1\n", 300000, 3, "subordinate id of 'alice'"},
		{"an owner by number", "1000:100000:65536\n", 100001, 3, "subordinate id of '1000'"},
		{"a range of one", "alice:100000:1\n", 100000, 3, "subordinate id of 'alice'"},
		{"a range of one, above", "alice:100000:1\n", 100001, 0, NULL},
		{"a range of none", "alice:100000:0\n", 100000, 0, NULL},
		{"an ordinary id", "alice:1002:1\n", CAROL, 3, "subordinate id of 'alice'"},
		{"up to the highest id", "alice:100000:4294867295\n", 4294967294, 3, "subordinate id of 'alice'"},
		{"root is nobody's", "alice:0:4294967295\n", 0, 0, NULL},
		{"a name that a terminal would obey", "a\033[2J\x80:100000:1\n", 100000, 3,
			"subordinate id of 'a\\x1b[2J\\x80'"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/*
 * Lines that are not like that give nobody any ids; those beside them still do.
 */
static void test_lines(void **state)
{
	static const struct row rows[] = {
		{"a comment", "# made by useradd: see subuid(5)\n", 100000, 0, NULL},
		{"an empty line before", "\n\n" HERS, 100000, 3, "subordinate id of 'alice'"},
		{"no end of line", "alice:100000:65536", 100000, 3, "subordinate id of 'alice'"},
		{"cut in the count", "bob:200000:1\nalice:100000:", 100000, 0, NULL},
		{"cut in the first", "bob:200000:1\nalice:1000", 1000, 0, NULL},
		{"no count", "alice:100000\n", 100000, 0, NULL},
		{"a name alone", "alice\n", 100000, 0, NULL},
		{"a count that is a word", "alice:100000:many\n", 100000, 0, NULL},
		{"numbers too large", "alice:99999999999999999999:99999999999999999999\n", 100000, 0, NULL},
		{"no first", "alice::65536\n", 1000, 0, NULL},
		{"a first that is a word", "alice:x:65536\n", 1000, 0, NULL},
		{"more behind the count", "a:1000:1x\n", 1000, 0, NULL},
		{"a fourth field", "a:1000:1:\n", 1000, 0, NULL},
		{"a blank before the first", "a: 1000:1\n", 1000, 0, NULL},
		{"no owner", ":1000:1\n", 1000, 0, NULL},
		{"a range in a comment", "# alice:1000:1\n", 1000, 0, NULL},
		{"and one that counts behind them", "alice\nalice:100000\n::\n" HERS, 165535, 3,
			"subordinate id of 'alice'"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/*
 * A range at the end of a large file, and of a line that is long.
 */
static void test_large(void **state)
{
	const struct user user = {100000, 100000, students, 1};

	(void)state;
	prepare_br0();
	command("(seq -f 'user%%.0f:200000:65536' 50000; echo alice:100000:1) >" SUBUID);
	expect_refusal(&(struct call){.about = "50000 lines", .user = &user}, 3, "subordinate id of 'alice'");
	command("(echo '# comment' | tr '\\n' ' '; head -c 1000000 /dev/zero | tr '\\0' x; echo; "
		"echo alice:100000:1) >" SUBUID);
	expect_refusal(&(struct call){.about = "a line of 1 MB", .user = &user}, 3, "subordinate id of 'alice'");
}

/*
 * A file that is there and cannot be read to its end refuses everybody but root; one that is not there, nobody.
 */
static void test_not_whole(void **state)
{
	(void)state;
	prepare_br0();
	expect_grant(&(struct call){.about = "no file"}, "br0");
	write_file(SUBUID, "", 0600, 0, 0);
	expect_refusal(&(struct call){.about = "unreadable"}, 1, WHOLE);
	expect_grant(&(struct call){.about = "unreadable, root", .user = &root}, "br0");
	command("rm " SUBUID " && mkdir " SUBUID);
	expect_refusal(&(struct call){.about = "a directory"}, 1, WHOLE);
	command("rmdir " SUBUID " && ln -s /sys/class/net/lo/speed " SUBUID);
	expect_refusal(&(struct call){.about = "a file that fails when it is read"}, 1, WHOLE);
	command("rm " SUBUID);
}

/* --- how a user becomes another ---------------------------------------------------------------------------------- */

enum { TAKEN = 3 };
static const char *const programs[TAKEN] = {"/run/tmp/sub-1", "/run/tmp/sub-2", "/run/tmp/sub-3"};

/* The program that the files below hold is this one: it becomes who they belong to, and goes on as another program. */
static int go_on_as_owner(char **argv)
{
	uid_t owner = geteuid();

	if (setresuid(owner, owner, owner) == 0)
		execv(argv[0], argv);
	return 126;
}

/* As alice, in a user namespace of hers whose ids above 0 are subordinate: setuid files of theirs. */
static int make_programs(int maps_are_there)
{
	char byte;

	if (read(maps_are_there, &byte, 1) != 1)
		return 1;
	for (uid_t id = 1; id <= TAKEN; id++) {
		char line[256];

		snprintf(line, sizeof(line), "cp /run/tmp/program %s && chmod 4755 %s", programs[id - 1],
			programs[id - 1]);
		if (setresuid(id, id, 0) != 0 || system(line) != 0 || setresuid(0, 0, 0) != 0)
			return 2;
	}
	return 0;
}

/* What newuidmap(1) does for her, by /etc/subuid. False where users may make no user namespaces. */
static bool let_alice_make_programs(void)
{
	int ready[2], maps[2], status = -1;
	bool there = false;
	char path[64], byte;
	pid_t child;

	assert_true(pipe2(ready, O_CLOEXEC) == 0 && pipe2(maps, O_CLOEXEC) == 0);
	child = fork();
	if (child == 0) {
		become(&alice);
		if (unshare(CLONE_NEWUSER) < 0 || write(ready[1], "", 1) != 1)
			_exit(3);
		_exit(make_programs(maps[0]));
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)child);
		write_file(path, "0 1000 1\n1 100000 65536\n", 0, 0, 0);
		assert_int_equal(write(maps[1], "", 1), 1);
		there = true;
	}
	close(maps[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(!there || status == 0);
	return there;
}

/*
 *	alice --- tap --- br0, students, max=1
 *	alice, by setuid files of her subordinate ids --- not --- br0
 */
static void test_a_user_of_many_ids(void **state)
{
	struct result hers;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 group=students max=1\ndeny br0 user=bob\n");
	write_file(SUBUID, HERS, 0644, 0, 0);
	command("install -m 755 /proc/$PPID/exe /run/tmp/program");
	if (!let_alice_make_programs()) {
		cannot_test("users may make no namespaces here");
		return;
	}
	hers = hold(&(struct call){.about = "alice herself"}, "br0");
	for (uid_t i = 0; i < TAKEN; i++) {
		const struct user subordinate = {100000 + i, ALICE, students, 1};
		char words[64];
		int pair[2];
		struct result result;

		snprintf(words, sizeof(words), "uid %u is a subordinate id of 'alice'", subordinate.uid);
		make_pair(&subordinate, SOCK_STREAM, pair);
		result = run(&(struct call){.about = words,
			.program = programs[i],
			.argv = ARGS("--as-owner", getenv("HELPER"), "--br=br0", FD),
			.socket = pair[1],
			.peer = pair[0]});
		result.call.user = &subordinate; /* as the helper and the log see it */
		assert_refused(&result, 3, words);
		assert_int_equal(count_taps(), 1);
	}
	give_back(&hers);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ranges),
		TEST(test_lines),
		TEST(test_large),
		TEST(test_not_whole),
		TEST(test_a_user_of_many_ids),
	};

	if (argc > 2 && strcmp(argv[1], "--as-owner") == 0)
		return go_on_as_owner(argv + 2);
	return RUN_TESTS(tests);
}
