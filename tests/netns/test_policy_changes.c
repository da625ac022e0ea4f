// SPDX-License-Identifier: MIT
/*
 * Policy files that change while they are read: no part of a policy counts as the whole, and what is no change of the
 * content disturbs nobody.
 */
#include "tests/netns/harness.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define P "/etc/tapgate.conf"

/*
 *	alice --- ? --- br0, while the policy is written again and again, in place: "allow br0" first, "deny br0" last
 *
 * Whatever part of it stands there when the helper reads, the deny is never lost: what is cut ends inside a line.
 * (The kernel shows what was written of it page by page. Here no page ends with a line: lines are of 8 bytes, after one
 * of 11. A part that ends with a line is a policy like any other; whoever edits one in place takes that risk.)
 */
static void test_edited_while_read(void **state)
{
	(void)state;
	make_bridge("br0");
	command("(echo 'allow  br0'; yes 2>/dev/null '# lines' | head -n 60000; echo deny br0) >/etc/tapgate.next; cp "
		"/etc/tapgate.next " P);
	command("(end=$(($(date +%%s) + 20)); while [ -e /etc/tapgate.next ] && [ $(date +%%s) -lt $end ]; do "
		"cp /etc/tapgate.next " P "; done; : >/etc/tapgate.done) >/dev/null 2>&1 &");
	for (int i = 0; i < 60; i++) {
		struct result result = run(&(struct call){.about = "edited in place"});

		EXPECT(&result, result.code == 3 || result.code == 4);
		assert_refused(&result, result.code, result.code == 3 ? "/etc/tapgate.conf" : "/etc/tapgate.conf:");
	}
	command("rm /etc/tapgate.next; while [ ! -e /etc/tapgate.done ]; do sleep 0.01; done");
}

/* Anybody may do this where fs.protected_hardlinks is 0; it changes the file's number of names, and its ctime. */
__attribute__((noreturn)) static void link_and_unlink(void)
{
	for (;;) {
		if (link(P, "/etc/tapgate.other") < 0 || unlink("/etc/tapgate.other") < 0)
			_exit(1);
	}
}

/*
 *	alice --- tap --- br0, while hard links to the policy are made and removed
 */
static void test_hard_links(void **state)
{
	pid_t child;

	(void)state;
	make_bridge("br0");
	command("(echo allow br0; yes 2>/dev/null '# a line' | head -n 20000) >" P);
	child = fork();
	if (child == 0)
		link_and_unlink();
	note_child(child);
	for (int i = 0; i < 40; i++) {
		struct result result = hold(&(struct call){.about = "hard links"}, "br0");

		give_back(&result);
	}
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0); /* it has done so all the while */
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	forget_child(child);
}

/* Whether a process has read some of the policy, and may go on. */
static bool has_read(const struct running *running)
{
	return shell_status("cd /proc/%d/fd && for fd in *; do [ \"$(readlink $fd)\" != " P " ] || "
			    "! grep -q '^pos:[[:space:]]*[1-9]' ../fdinfo/$fd || exit 0; done; exit 1",
		       running->pid) == 0;
}

/*
 *	alice --- ? --- br0, whose helper is stopped when it has read the policy and has not looked whether that was all
 *
 * What was written meanwhile is seen: by the size, by the time, and by a time within the same second.
 */
static void test_written_behind_its_back(void **state)
{
	static const char *const changes[] = {
		"echo '# more' >>" P " && touch -d @1000000000.5 " P,
		"echo 'deny  br0' 1<>" P,
		"touch -d @1000000000.6 " P,
		"touch -d @1000000001.5 " P,
	};

	(void)state;
	by_setuid_alone();
	make_bridge("br0");
	for (size_t i = 0; i <= COUNT(changes); i++) {
		struct running running;
		struct result result;

		write_policy("allow br0\n");
		command("touch -d @1000000000.5 " P);
		running = start_stopped(&(struct call){.about = i ? changes[i - 1] : "nothing, a control"}, has_read);
		if (i)
			command("%s", changes[i - 1]);
		let_go_on(&running);
		result = finish(&running);
		if (i) {
			assert_refused(&result, 4, P ": it changed while it was read; try again");
		} else {
			assert_granted(&result, "br0");
			give_back(&result);
		}
	}
}

/* Whether a process has found the policy, which it looks at before it opens it to be read. */
static bool has_found(const struct running *running)
{
	return shell_status("readlink /proc/%d/fd/* | grep -qx " P, running->pid) == 0;
}

/*
 *	alice --- ? --- br0, whose helper is stopped when it has looked at the policy; then root puts another there
 *
 * It is not the file that was looked at: no link is followed whose way nobody saw, and nobody waits for a writer.
 */
static void test_another_in_its_place(void **state)
{
	static const struct {
		const char *change, *words;
	} rows[] = {
		{"ln -s /etc/allowed " P, P ": Too many levels of symbolic links"},
		{"mkfifo " P, P ": it is not a regular file"},
	};

	(void)state;
	by_setuid_alone();
	make_bridge("br0");
	command("echo 'allow br0' >/etc/allowed");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct running running;
		struct result result;

		write_policy("allow br0\n");
		running = start_stopped(&(struct call){.about = rows[i].change}, has_found);
		command("rm " P " && %s", rows[i].change);
		let_go_on(&running);
		result = finish(&running);
		assert_refused(&result, 4, rows[i].words);
		command("rm " P);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_edited_while_read),
		TEST(test_hard_links),
		TEST(test_written_behind_its_back),
		TEST(test_another_in_its_place),
	};

	return RUN_TESTS(tests);
}
