/*
 * max=: exact for a user on a network, however many ask at once, and whatever the holders do with their taps.
 */
#include "tests/netns/harness.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CALL(user_, word)  (&(struct call){.about = word, .user = (user_), .argv = ARGS("--br=" word, FD)})
#define FULL(max, network) "uid 1000 has reached max=" max " on '" network "', by /etc/tapgate.conf:"

/*
 *	alice --- tap, tap, tap (max=3), and no fourth --- br0
 */
static void test_one_after_the_other(void **state)
{
	struct result held[3], again;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 max=3\n");
	for (size_t i = 0; i < COUNT(held); i++)
		held[i] = hold(CALL(&alice, "br0"), "br0");
	expect_refusal(CALL(&alice, "br0"), 5, FULL("3", "br0") "1 (allow br0 max=3)");
	expect_refusal(CALL(&alice, "br0"), 5, FULL("3", "br0"));
	give_back(&held[1]);
	again = hold(CALL(&alice, "br0"), "br0");
	expect_refusal(CALL(&alice, "br0"), 5, FULL("3", "br0"));
	give_back(&held[0]);
	give_back(&held[2]);
	give_back(&again);
	expect_grant(CALL(&alice, "br0"), "br0");
}

/*
 *	alice, bob --- one tap each --- lab, lab2, la
 *
 * Other users, and other networks, with names that begin alike, have limits of their own.
 */
static void test_who_and_where(void **state)
{
	static const char *const networks[] = {"lab", "lab2", "la"};
	static const struct user *const users[] = {&alice, &bob};
	struct result held[6];

	(void)state;
	write_policy("allow all max=1\n");
	for (size_t i = 0; i < COUNT(held); i++) {
		char word[16];
		const struct call call = {.user = users[i % 2], .argv = ARGS(word, FD), .about = "the first"};
		const struct call second = {.user = users[i % 2], .argv = ARGS(word, FD), .about = "the second"};

		if (i % 2 == 0)
			make_bridge(networks[i / 2]);
		snprintf(word, sizeof(word), "--br=%s", networks[i / 2]);
		held[i] = hold(&call, networks[i / 2]);
		expect_refusal(&second, 5, "has reached max=1");
	}
	for (size_t i = 0; i < COUNT(held); i++) {
		/* The words went out of scope with their loop. */
		held[i].call.argv = ARGS("--br=?", FD);
		give_back(&held[i]);
	}
}

/*
 *	1000 and 10000, 100 and 10 --- one tap each --- br0
 */
static void test_numbers_alike(void **state)
{
	static const struct user others[] = {{10000, 10000, NULL, 0}, {100, 100, NULL, 0}, {10, 10, NULL, 0}};
	struct result held[3], hers;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 max=1\n");
	for (size_t i = 0; i < COUNT(held); i++)
		held[i] = hold(CALL(&others[i], "br0"), "br0");
	hers = hold(CALL(&alice, "br0"), "br0");
	for (size_t i = 0; i < COUNT(held); i++) {
		expect_refusal(CALL(&others[i], "br0"), 5, "has reached max=1");
		give_back(&held[i]);
	}
	expect_refusal(CALL(&alice, "br0"), 5, "has reached max=1");
	give_back(&hers);
}

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

/* --- other limits ------------------------------------------------------------------------------------------------ */

/*
 *	alice --- 3 taps, made under other rules --- br0, max=2 by now
 *
 * All of them count, wherever they stand, until there is room.
 */
static void test_taps_of_another_limit(void **state)
{
	static const char *const before[] = {"allow br0\n", "allow br0 max=3\n", "allow br0 max=65535\n",
		"allow br0 group=students max=9\n", "allow all user=alice\n"};

	(void)state;
	make_bridge("br0");
	for (size_t i = 0; i < COUNT(before); i++) {
		struct result held[3], again;

		for (size_t last = 0; last < COUNT(held); last++) {
			write_policy(before[i]);
			for (size_t k = 0; k < COUNT(held); k++)
				held[k] = hold(CALL(&alice, "br0"), "br0");
			write_policy("allow br0 max=2\n");
			expect_refusal(CALL(&alice, "br0"), 5, FULL("2", "br0"));
			give_back(&held[last]);
			expect_refusal(CALL(&alice, "br0"), 5, FULL("2", "br0"));
			give_back(&held[(last + 1) % 3]);
			again = hold(CALL(&alice, "br0"), "br0");
			expect_refusal(CALL(&alice, "br0"), 5, FULL("2", "br0"));
			give_back(&again);
			give_back(&held[(last + 2) % 3]);
		}
	}
}

/* A limit that was raised counts at once; bob's taps, of whichever rule, are not hers. */
static void test_raised_limit(void **state)
{
	struct result held[2], his;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 user=bob\nallow br0 max=1\n");
	his = hold(CALL(&bob, "br0"), "br0");
	held[0] = hold(CALL(&alice, "br0"), "br0");
	expect_refusal(CALL(&alice, "br0"), 5, FULL("1", "br0"));
	write_policy("allow br0 max=2\n");
	held[1] = hold(CALL(&alice, "br0"), "br0");
	expect_refusal(CALL(&alice, "br0"), 5, FULL("2", "br0"));
	give_back(&held[0]);
	give_back(&held[1]);
	give_back(&his);
}

/* --- many at once ------------------------------------------------------------------------------------------------ */

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

/* --- helpers that stand still ------------------------------------------------------------------------------------ */

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
		TEST(test_one_after_the_other),
		TEST(test_who_and_where),
		TEST(test_numbers_alike),
		TEST(test_what_holders_do),
		TEST(test_taps_of_another_limit),
		TEST(test_raised_limit),
		TEST(test_crowds),
		TEST(test_stopped_helpers),
		TEST(test_killed_helpers),
	};

	return RUN_TESTS(tests);
}
