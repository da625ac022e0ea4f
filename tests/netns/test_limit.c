// SPDX-License-Identifier: MIT
/*
 * max=: however many ask at once, and whatever the holders do with their taps. (One after the other: limit.md.)
 */
#include "tests/netns/harness.h"

#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CALL(user_, word)  (&(struct call){.about = word, .user = (user_), .argv = ARGS("--br=" word, FD)})
#define FULL(max, network) "uid 1000 has reached max=" max " on '" network "', by /etc/tapgate.conf:"

/*
 *	alice --- tap (made persistent, given to bob, renumbered, closed) --- br0, max=1
 *
 * What a holder can do to a tap does not make room for another; what somebody else has on the bridge takes none.
 */
static void test_what_holders_do(void **state)
{
	const unsigned char mac[] = {2, 0, 0, 0, 0, 7};
	struct ifreq request = {0}, hardware = {0};
	struct result held;

	(void)state;
	make_bridge("br0");
	make_tap("other", ALICE, 0);
	command("ip link set other master br0");
	write_policy("allow br0 max=1\n");
	held = hold(CALL(&alice, "br0"), "br0");
	EXPECT(&held, ioctl(held.tap, TUNGETIFF, &request) == 0);
	EXPECT(&held, ioctl(held.tap, TUNSETOWNER, (unsigned long)BOB) == 0);
	expect_refusal(CALL(&alice, "br0"), 5, FULL("1", "br0"));
	hardware.ifr_hwaddr.sa_family = 1; /* ARPHRD_ETHER */
	memcpy(hardware.ifr_hwaddr.sa_data, mac, sizeof(mac));
	EXPECT(&held, ioctl(held.tap, SIOCSIFHWADDR, &hardware) == 0);
	expect_refusal(CALL(&alice, "br0"), 5, FULL("1", "br0"));
	EXPECT(&held, ioctl(held.tap, TUNSETPERSIST, 1UL) == 0);
	close(held.tap);
	expect_refusal(CALL(&alice, "br0"), 5, FULL("1", "br0"));
	command("ip link set %s nomaster", request.ifr_name);
	expect_refusal(CALL(&alice, "br0"), 5, FULL("1", "br0"));
	command("ip link del %s", request.ifr_name);
	expect_grant(CALL(&alice, "br0"), "br0");
}

static int compare_indexes(const void *first, const void *second)
{
	const unsigned int a = if_nametoindex(tap_of(first)), b = if_nametoindex(tap_of(second));

	return (a > b) - (a < b);
}

/*
 *	alice --- one tap left of three --- br0, max=3, then max=1: full, whichever of the three places it is in
 */
static void test_a_limit_that_is_lowered(void **state)
{
	struct result held[3];

	(void)state;
	make_bridge("br0");
	for (size_t kept = 0; kept < COUNT(held); kept++) {
		write_policy("allow br0 max=3\n");
		for (size_t i = 0; i < COUNT(held); i++)
			held[i] = hold(CALL(&alice, "br0"), "br0");
		qsort(held, COUNT(held), sizeof(*held), compare_indexes);
		for (size_t i = 0; i < COUNT(held); i++) {
			if (i != kept)
				give_back(&held[i]);
		}
		write_policy("allow br0 max=1\n");
		expect_refusal(CALL(&alice, "br0"), 5, FULL("1", "br0"));
		give_back(&held[kept]);
		expect_grant(CALL(&alice, "br0"), "br0");
	}
}

/* --- many at once ------------------------------------------------------------------------------------------------- */

enum { CROWD = 64 };

/* So many at once at a limit: how many have a tap. The others were refused for the limit, and nothing else. */
static unsigned int ask_together(unsigned int count, struct result *results)
{
	struct running running[CROWD];
	unsigned int granted = 0;

	for (unsigned int i = 0; i < count; i++)
		running[i] = start(&(struct call){.about = "one of a crowd", .patience = 30000});
	for (unsigned int i = 0; i < count; i++) {
		results[i] = finish(&running[i]);
		granted += results[i].code == 0;
	}
	return granted;
}

static void check_crowd(const char *policy, unsigned int count, unsigned int expected)
{
	static struct result results[CROWD];
	unsigned int granted;
	char *before;

	write_policy(policy);
	before = snapshot();
	granted = ask_together(count, results);
	for (unsigned int i = 0; i < count; i++) {
		if (results[i].code == 0)
			assert_granted(&results[i], "br0");
		else
			assert_refused(&results[i], 5, "uid 1000 has reached max=");
	}
	assert_int_equal(granted, expected);
	assert_int_equal(count_taps(), expected);
	for (unsigned int i = 0; i < count; i++) {
		if (results[i].code == 0)
			give_back(&results[i]);
	}
	assert_unchanged(before);
}

/*
 *	alice --- 64 calls at once --- br0, max=8: exactly 8 taps; and so on
 */
static void test_crowds(void **state)
{
	(void)state;
	make_bridge("br0");
	for (int round = 0; round < 2; round++)
		check_crowd("allow br0 max=8\n", 64, 8);
	for (int round = 0; round < 3; round++)
		check_crowd("allow br0 max=1\n", 32, 1);
	check_crowd("allow br0 max=16\n", 16, 16);
	check_crowd("allow br0 max=15\n", 16, 15);
	for (int round = 0; round < 6; round++)
		check_crowd("allow br0 max=1\n", 2, 1);
}

/* --- helpers that stand still ------------------------------------------------------------------------------------- */

/*
 *	alice --- helper (stopped at any moment of its life) --- br0, max=1
 *	alice, bob --- other helpers --- br0
 *
 * They end, soon; alice's never makes a second tap. (At each of its system calls: test_places.c.)
 */
static void test_stopped_helpers(void **state)
{
	(void)state;
	make_bridge("br0");
	write_policy("allow br0 max=1\n");
	for (unsigned int i = 0; i < 24; i++) {
		struct running stopped = start(&(struct call){.about = "stopped"});
		struct result result, hers;

		usleep(i * 150);
		kill(stopped.pid, SIGSTOP);
		result = hold(&(struct call){.about = "bob", .user = &bob, .patience = 2000}, "br0");
		give_back(&result);
		hers = run(&(struct call){.about = "alice beside a stopped one", .patience = 2000});
		EXPECT(&hers, hers.code == 0 || hers.code == 5);
		kill(stopped.pid, SIGCONT);
		result = finish(&stopped);
		EXPECT(&result, result.code == 0 || result.code == 5);
		/* Hers was first; or the stopped one had its place already. */
		EXPECT(&result, (hers.code == 0) + (result.code == 0) == 1);
		give_back(hers.code == 0 ? &hers : &result);
		assert_int_equal(count_taps(), 0);
	}
}

/*
 *	alice --- helper (killed at any moment of its life) --- br0, max=1
 */
static void test_killed_helpers(void **state)
{
	(void)state;
	make_bridge("br0");
	write_policy("allow br0 max=1\n");
	for (unsigned int i = 0; i < 24; i++) {
		struct running killed = start(&(struct call){.about = "killed"});
		struct result result;

		usleep(i * 150);
		kill(killed.pid, SIGKILL);
		result = finish(&killed);
		if (result.fds > 0)
			give_back(&result);
		assert_int_equal(count_taps(), 0);
		result = hold(&(struct call){.about = "after a killed one"}, "br0");
		give_back(&result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_holders_do),
		TEST(test_a_limit_that_is_lowered),
		TEST(test_crowds),
		TEST(test_stopped_helpers),
		TEST(test_killed_helpers),
	};

	return RUN_TESTS(tests);
}
