// SPDX-License-Identifier: MIT
/*
 * Subordinate user ids (/etc/subuid): how a user becomes one of hers, and is refused. (Which ids these are: subids.md.)
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

static const gid_t students[] = {STUDENTS};

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
	write_file("/etc/subuid", "alice:100000:65536\n", 0644, 0, 0);
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
		TEST(test_a_user_of_many_ids),
	};

	if (argc > 2 && strcmp(argv[1], "--as-owner") == 0)
		return go_on_as_owner(argv + 2);
	return RUN_TESTS(tests);
}
