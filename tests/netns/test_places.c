// SPDX-License-Identifier: MIT
/*
 * Places: no user ever has more taps on a network than max= says, not for an instant, whatever becomes of the helpers
 * that make them; and what a stopped helper holds ends soon.
 */
#include "tests/netns/harness.h"

#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CALLS_MAX = 600, /* stops of a traced helper: more than there are */
	LIFE = 15000,	 /* milliseconds, of a helper */
	HELD = 8,	 /* helpers that are stopped at once */
};

/* What is asked for; the policy limits alice to one tap of it. */
static const struct request {
	const char *about, *policy;
	const char *const *argv;
} requests[] = {
	{"a bridge", "allow br0 max=1\n", ARGS("--br=br0", FD)},
	{"several queues", "allow br0 max=1 queues=3\n", ARGS("--br=br0", FD, "--queues=3")},
	{"a pool", "allow cell max=1\nnetwork cell standalone 172.16.128.0/17 per-vm=/30\n", ARGS("--br=cell", FD)},
	{"several queues of a pool", "allow cell max=1 queues=2\nnetwork cell standalone 172.16.128.0/17 per-vm=/30\n",
		ARGS("--br=cell", FD, "--queues=2")},
};

/* The index of her one place. */
static unsigned int place;

static void prepare(const struct request *request)
{
	struct result result;

	make_bridge("br0");
	make_guard("cell", "standalone");
	write_policy(request->policy);
	result = run(&(struct call){.about = request->about, .argv = request->argv});
	EXPECT(&result, result.code == 0);
	place = (unsigned int)atoi(first_line("/sys/class/net/%s/ifindex", tap_of(&result)));
	EXPECT(&result, place >= 1U << 30);
	close(result.tap);
}

/* The stop at which a helper is left, counted from the one behind the making of its tap. */
static unsigned int stop_at, stops;

/* There is a tap in her one place, however little of it. */
static bool tap_is_there(const struct running *running)
{
	char name[IFNAMSIZ];

	(void)running;
	return if_indextoname(place, name);
}

static bool is_enough(const struct running *running)
{
	stops += stops || tap_is_there(running);
	return stops >= stop_at;
}

static bool stop_one(const struct request *request, unsigned int at, struct running *running)
{
	stop_at = at;
	stops = 0;
	return try_start_stopped(&(struct call){.about = request->about, .argv = request->argv}, is_enough, running);
}

/* Kill one that is stopped, and what it holds with it. */
static void put_down(struct running *running)
{
	struct result result;

	kill(running->pid, SIGKILL);
	result = finish(running);
	if (result.fds)
		close(result.tap);
}

/*
 *	alice --- helper, stopped before or behind each of its system calls from that on --- max=1
 *	alice --- another one
 *
 * Never are there two taps; when the first has made its tap the second is refused, and when it is killed its place is
 * free at once.
 */
static void test_stopped_at_each_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct running stopped;
		unsigned int at, held = 0;

		prepare(&requests[i]);
		for (at = 1; at < CALLS_MAX && stop_one(&requests[i], at, &stopped); at++) {
			unsigned int before = count_taps();
			struct result other;

			assert_true(before <= 1);
			held += before;
			other = run(&(struct call){.about = requests[i].about, .argv = requests[i].argv});
			EXPECT(&other, other.code == (before ? 5 : 0));
			EXPECT(&other, count_taps() == 1);
			if (other.code == 0)
				close(other.tap);
			put_down(&stopped);
			assert_int_equal(count_taps(), 0);
		}
		assert_true(at >= 50 && at < CALLS_MAX);
		assert_true(held >= 10 && held <= CALLS_MAX);
		struct result end = finish(&stopped);
		EXPECT(&end, end.code == 0);
		close(end.tap);
		clean_world(NULL);
	}
}

static unsigned int wanted;

static bool one_more_is_there(const struct running *running)
{
	(void)running;
	return count_taps() == wanted;
}

/*
 *	alice --- 8 helpers, each stopped as soon as its tap is there --- br0, without a limit: the control
 *	alice --- the next one --- br0, max=1: refused
 *
 * They hold what they have made, and count; after 15 seconds none of them is left, nor any tap. Meanwhile bob has his.
 */
static void test_stopped_helpers_end(void **state)
{
	static struct running stopped[HELD];
	struct result his;

	(void)state;
	prepare(&requests[0]);
	write_policy("allow br0\n");
	for (unsigned int i = 0; i < HELD; i++) {
		wanted = i + 1;
		stopped[i] =
			start_stopped(&(struct call){.about = "held", .patience = LIFE + 10000}, one_more_is_there);
	}
	assert_int_equal(count_taps(), HELD);
	write_policy("allow br0 max=1\n");
	expect_refusal(&(struct call){.about = "limited by now"}, 5, "uid 1000 has reached max=1 on 'br0'");
	his = hold(&(struct call){.about = "bob", .user = &bob}, "br0");
	for (unsigned int i = 0; i < HELD; i++) {
		struct result result = finish(&stopped[i]);

		assert_nothing_sent(&result, 128 + SIGKILL);
		EXPECT(&result, result.elapsed >= LIFE - 100);
	}
	give_back(&his);
	assert_int_equal(count_taps(), 0);
}

/*
 *	alice --- helpers, stopped as soon as there is a tap --- max=1, of a pool and of several queues
 *
 * However many are tried, one has a tap.
 */
static void test_stopped_helpers_are_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct running first;

		prepare(&requests[i]);
		first = start_stopped(
			&(struct call){.about = requests[i].about, .argv = requests[i].argv}, tap_is_there);
		for (int tries = 0; tries < 5; tries++) {
			struct running next;
			struct result result;

			wanted = 2;
			assert_false(
				try_start_stopped(&(struct call){.about = requests[i].about, .argv = requests[i].argv},
					one_more_is_there, &next));
			result = finish(&next);
			assert_refused(&result, 5, "uid 1000 has reached max=1 on '");
			assert_int_equal(count_taps(), 1);
		}
		put_down(&first);
		clean_world(NULL);
	}
}

/*
 *	alice --- a tap in the last place that there is, without a limit --- br0
 *
 * And an interface of somebody else's that has the index of a place: one place less, nothing worse.
 */
static void test_index_that_is_taken(void **state)
{
	struct result held;

	(void)state;
	prepare(&requests[0]);
	make_tap("foreign", BOB, (int)place);
	expect_refusal(&(struct call){.about = "its only place is taken"}, 5, "has reached max=1");
	write_policy("allow br0 max=2\n");
	held = hold(&(struct call){.about = "the other one"}, "br0");
	expect_refusal(&(struct call){.about = "no third"}, 5, "has reached max=2");
	close(held.tap);
	command("ip link del foreign");
	assert_int_equal(count_taps(), 0);
}

/*
 *	alice --- a helper that is stopped with a tap half made --- br0
 *	(nobody) --- a tap that was left half made --- nothing
 *
 * Root is shown both, and removes the one that nobody holds, and alice does not.
 */
#define LIST_OF(user) "setpriv --reuid " user " --regid " user " --init-groups $TAPGATE list"

static void test_half_made(void **state)
{
	struct running stopped;

	(void)state;
	prepare(&requests[0]);
	stopped = start_stopped(&(struct call){.about = "stopped"}, tap_is_there);
	assert_int_equal(shell_status("$TAPGATE list | grep -q '^tg[0-9-]* .* half made: its helper is at work'"), 0);
	assert_int_equal(
		shell_status("$TAPGATE list --json | tr -d ' \n' | grep -q '\"network\":null,\"half_made\":true'"), 0);
	assert_string_equal(command_line("$TAPGATE reap"), "nothing changed");
	put_down(&stopped);
	make_tap("left", ALICE, 1 << 30);
	assert_int_equal(shell_status("$TAPGATE list | grep -q '^left *- *alice .* half made'"), 0);
	/*
	 * On which network it will be is not known: so where one does not show others' taps, others are not shown it.
	 */
	assert_int_equal(shell_status(LIST_OF("bob") " | grep -q '^left '"), 0);
	write_policy("allow br0\nnetwork lab internal list=own\n");
	assert_int_equal(shell_status(LIST_OF("bob") " | grep -q '^left '"), 1);
	assert_int_equal(shell_status(LIST_OF("alice") " | grep -q '^left '"), 0);
	assert_string_equal(
		command_line("setpriv --reuid alice --regid alice --init-groups $TAPGATE reap"), "nothing changed");
	assert_string_equal(command_line("$TAPGATE reap"), "-: removed the tap 'left' of uid 0, which nobody holds");
	assert_int_equal(count_taps(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stopped_at_each_call),
		TEST(test_stopped_helpers_are_bounded),
		TEST(test_stopped_helpers_end),
		TEST(test_index_that_is_taken),
		TEST(test_half_made),
	};

	return have_program("nft") ? RUN_TESTS(tests) : 0;
}
