// SPDX-License-Identifier: MIT
/*
 * Standalone networks for many who ask at once: one tap for a network, one for each subnet of a pool, as many as max=
 * says for a user; and helpers that stand still or are killed while they ask.
 */
#include "tests/netns/harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TAP1 ARGS("--br=tap1", FD)
#define CELL ARGS("--br=cell", FD)

static void prepare(const char *network, const char *rule, const char *line)
{
	char policy[256];

	make_network(network, "standalone");
	snprintf(policy, sizeof(policy), "allow %s %s\nnetwork %s standalone %s\n", network, rule, network, line);
	write_policy(policy);
}

enum { CROWD = 200 };
static struct result results[CROWD];

/* So many at once, of these users in turn; how many have a tap. The others were refused with 5. */
static unsigned int ask_together(
	unsigned int count, const struct user *const *users, size_t user_count, const char *const *argv)
{
	static struct running running[CROWD];
	unsigned int granted = 0;

	for (unsigned int i = 0; i < count; i++)
		running[i] = start(&(struct call){
			.about = "one of a crowd", .argv = argv, .user = users[i % user_count], .patience = 50000});
	for (unsigned int i = 0; i < count; i++) {
		results[i] = finish(&running[i]);
		if (results[i].code == 0)
			assert_granted(&results[i], NULL);
		else
			assert_refused(&results[i], 5, "");
		granted += results[i].code == 0;
	}
	return granted;
}

static unsigned int granted_to(uid_t uid, unsigned int count)
{
	unsigned int granted = 0;

	for (unsigned int i = 0; i < count; i++)
		granted += results[i].code == 0 && results[i].call.user->uid == uid;
	return granted;
}

static void give_all_back(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (results[i].code == 0)
			give_back(&results[i]);
	}
}

static const struct user *const three[] = {&alice, &bob, &carol};

/*
 *	alice, bob, carol --- tap1: exactly one of them has it, however many ask
 */
static void test_one_at_a_time(void **state)
{
	char *before;

	(void)state;
	prepare("tap1", "", "172.16.2.1/24 fd00:2::1/64");
	before = snapshot();
	for (int round = 0; round < 20; round++) {
		assert_int_equal(ask_together(2, three, 3, TAP1), 1);
		give_all_back(2);
	}
	for (int round = 0; round < 3; round++) {
		assert_int_equal(ask_together(40, three, 3, TAP1), 1);
		assert_int_equal(count_taps(), 1);
		give_all_back(40);
	}
	assert_unchanged(before);
}

/*
 *	alice, bob, carol --- 200 calls at once --- cell, a pool of 64: exactly 64 taps, each with a subnet of its own
 */
static void test_crowd_for_a_pool(void **state)
{
	bool seen[64] = {false};
	char *before;

	(void)state;
	prepare("cell", "", "172.16.128.0/24 fd00:4::/58 per-vm=/30,/64");
	before = snapshot();
	for (int round = 0; round < 2; round++) {
		assert_int_equal(ask_together(CROWD, three, 3, CELL), 64);
		assert_int_equal(count_taps(), 64);
		memset(seen, 0, sizeof(seen));
		for (unsigned int i = 0; i < CROWD; i++) {
			char addresses[64];
			int number;

			if (results[i].code != 0)
				continue;
			EXPECT(&results[i], sscanf(tap_of(&results[i]), "cell-%d", &number) == 1);
			EXPECT(&results[i], number >= 1 && number <= 64 && !seen[number - 1]);
			seen[number - 1] = true;
			snprintf(addresses, sizeof(addresses), "172.16.128.%d/30 fd00:4:0:%x::1/64",
				(number - 1) * 4 + 1, (unsigned int)number - 1);
			if (number == 1)
				snprintf(addresses, sizeof(addresses), "172.16.128.1/30 fd00:4::1/64");
			assert_string_equal(addresses_on(tap_of(&results[i])), addresses);
		}
		give_all_back(CROWD);
	}
	assert_unchanged(before);
}

/*
 *	alice, bob --- cell, max=2: two for each of them, also when many at once ask, also when they fill the pool
 */
static void test_limits(void **state)
{
	static const char *const lines[] = {
		"172.16.128.0/24 per-vm=/30", "172.16.128.0/28 per-vm=/30", "172.16.128.0/27 per-vm=/30"};
	char *before;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		prepare("cell", "max=2", lines[i]);
		before = snapshot();
		for (int round = 0; round < 3; round++) {
			assert_int_equal(ask_together(24, three, 2, CELL), 4);
			assert_int_equal(granted_to(ALICE, 24), 2);
			assert_int_equal(granted_to(BOB, 24), 2);
			give_all_back(24);
		}
		assert_unchanged(before);
		clean_world(NULL);
	}
	prepare("tap1", "max=1", "172.16.2.1/24");
	for (int round = 0; round < 5; round++) {
		assert_int_equal(ask_together(10, three, 3, TAP1), 1);
		give_all_back(10);
	}
}

/* --- helpers that stand still, or end ----------------------------------------------------------------------------- */

/*
 *	alice --- helper (killed at any moment of its life) --- tap1, cell
 */
static void test_killed_helpers(void **state)
{
	(void)state;
	prepare("tap1", "max=1", "172.16.2.1/24 fd00:2::1/64");
	for (unsigned int i = 0; i < 40; i++) {
		struct running killed = start(&(struct call){.about = "killed", .argv = TAP1});
		struct result result;

		usleep(i * 100);
		kill(killed.pid, SIGKILL);
		result = finish(&killed);
		if (result.fds > 0)
			give_back(&result);
		assert_int_equal(count_taps(), 0);
		result = hold(&(struct call){.about = "after a killed one", .argv = TAP1}, NULL);
		give_back(&result);
	}
}

/*
 *	alice --- helper (stopped at any moment of its life) --- cell
 *	bob --- another helper --- cell
 *
 * He waits for nobody. Hers ends well when it goes on.
 */
static void test_stopped_helpers(void **state)
{
	(void)state;
	prepare("cell", "max=1", "172.16.128.0/28 per-vm=/30");
	for (unsigned int i = 0; i < 24; i++) {
		struct running stopped = start(&(struct call){.about = "stopped", .argv = CELL});
		struct result result;

		usleep(i * 150);
		kill(stopped.pid, SIGSTOP);
		result = hold(&(struct call){.about = "bob", .user = &bob, .argv = CELL, .patience = 2000}, NULL);
		give_back(&result);
		kill(stopped.pid, SIGCONT);
		result = finish(&stopped);
		assert_granted(&result, NULL);
		give_back(&result);
		assert_int_equal(count_taps(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_at_a_time),
		TEST(test_crowd_for_a_pool),
		TEST(test_limits),
		TEST(test_killed_helpers),
		TEST(test_stopped_helpers),
	};

	return have_program("nft") ? RUN_TESTS(tests) : 0;
}
