/*
 * Networks with a bridge that `tapgate up` makes: what the helper gives on them, and that it gives nothing on what only
 * looks like one. What is done to their guards: test_guard.c.
 */
#include "tests/netns/harness.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LAB	(&(struct call){.about = "lab", .argv = ARGS("--br=lab", FD)})
#define RUN_UP	"; an administrator can run 'tapgate up'"
#define POLICY	"allow all\nnetwork lab host-only 172.16.2.1/24\n"
#define LINE	"/etc/tapgate.conf:2"
#define IS_DOWN "network 'lab' is not up: bridge 'lab' is down" RUN_UP

static bool is_isolated(const struct result *result)
{
	return strcmp(first_line("/sys/class/net/%s/brport/isolated", tap_of(result)), "1") == 0;
}

/*
 *	alice --- tap --- lab, of each mode; isolated where the mode, the network's line or the rule says so
 */
static void test_modes(void **state)
{
	static const struct {
		const char *mode, *policy;
		bool isolated;
	} rows[] = {
		{"host-only", "allow lab\nnetwork lab host-only 172.16.2.1/24 fd00:2::1/64\n", false},
		{"internal", "allow lab\nnetwork lab internal\n", false},
		{"nat", "allow lab\nnetwork lab nat 172.16.2.1/24\n", true},
		{"nat", "allow lab isolated\nnetwork lab nat 172.16.2.1/24 isolated\n", true},
		{"host-only", "allow lab\nnetwork lab host-only 172.16.2.1/24 isolated\n", true},
		{"host-only", "allow lab isolated\nnetwork lab host-only 172.16.2.1/24\n", true},
		{"internal", "allow lab isolated max=3\nnetwork lab internal\n", true},
		{NULL, "allow lab isolated\n", true},
		{NULL, "allow lab\nnetwork lab bridged isolated\n", true},
		{NULL, "allow lab\nnetwork lab bridged\n", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct result result;
		char *before;

		if (rows[i].mode)
			make_network("lab", rows[i].mode);
		else
			make_bridge("lab");
		write_policy(rows[i].policy);
		before = snapshot();
		result = hold(&(struct call){.about = rows[i].policy, .argv = ARGS("--br=lab", FD)}, "lab");
		EXPECT(&result, is_isolated(&result) == rows[i].isolated);
		give_back(&result);
		assert_unchanged(before);
		clean_world(NULL);
	}
}

/* Every character that a name may have and a table's may not. */
static void test_names(void **state)
{
	static const char *const names[] = {"a", "a+b@c", "br0.100", "...", "+a", "0", "quiet-network-1"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		for (int internal = 0; internal < 2; internal++) {
			char word[64], policy[128];

			snprintf(word, sizeof(word), "--br=%s", names[i]);
			snprintf(policy, sizeof(policy), "allow all\nnetwork %s %s\n", names[i],
				internal ? "internal" : "nat 10.0.0.1/24");
			make_network(names[i], internal ? "internal" : "nat");
			write_policy(policy);
			expect_grant(&(struct call){.about = policy, .argv = ARGS(word, FD)}, names[i]);
			clean_world(NULL);
		}
	}
}

/* mtu= is the bridge's business; the taps have the bridge's. */
static void test_mtu(void **state)
{
	(void)state;
	make_network("lab", "internal");
	command("ip link set lab mtu 9000");
	write_policy("allow all\nnetwork lab internal mtu=9000\n");
	expect_grant(LAB, "lab");
}

/*
 *	alice --- ? --- lab, which is not, or not quite, what `tapgate up` makes
 */
static void test_not_up(void **state)
{
	static const struct {
		const char *about, *change, *words;
	} rows[] = {
		{"no bridge", "ip link del lab", "network 'lab' is not up: there is no bridge 'lab'" RUN_UP},
		{"renamed", "ip link set lab down && ip link set lab name other && ip link set other up",
			"there is no bridge 'lab'" RUN_UP},
		{"an alternative name",
			"ip link set lab down && ip link set lab name other && ip link set other up && "
			"ip link property add dev other altname lab",
			"there is no bridge 'lab'" RUN_UP},
		{"another kind in its place", "ip link del lab && ip link add lab type ifb && ip link set lab up",
			"network 'lab' is not up: 'lab' is not a bridge; an administrator can rename one of the two"},
		{"another kind with its alias",
			"ip link del lab && ip link add lab type ifb && ip link set lab up && "
			"ip link set lab alias 'tapgate network=lab mode=host-only'",
			"'lab' is not a bridge"},
		{"made anew by somebody else", "ip link del lab && ip link add lab up type bridge",
			"network 'lab' is not up: bridge 'lab' is not of tapgate's making; an administrator can rename "
			"one of the two and run 'tapgate up'"},
		{"no alias", "ip link set lab alias ''", "is not of tapgate's making"},
		{"another alias", "ip link set lab alias 'for the lab'", "is not of tapgate's making"},
		{"another network's alias", "ip link set lab alias 'tapgate network=la mode=host-only'",
			"is not of tapgate's making"},
		{"another network's alias, longer", "ip link set lab alias 'tapgate network=lab2 mode=host-only'",
			"is not of tapgate's making"},
		{"a tap's alias", "ip link set lab alias 'tapgate uid=1000 net=lab vmm=1'",
			"is not of tapgate's making"},
		{"more than its alias", "ip link set lab alias 'tapgate network=lab mode=host-only '",
			"it stands as 'host-only ', and " LINE " says 'host-only'" RUN_UP},
		{"less than its alias", "ip link set lab alias 'tapgate network=lab mode=host'",
			"it stands as 'host', and " LINE " says 'host-only'" RUN_UP},
		{"another mode's alias", "ip link set lab alias 'tapgate network=lab mode=internal'",
			"network 'lab' is not up: it stands as 'internal', and " LINE " says 'host-only'" RUN_UP},
		{"an alias that harms a terminal",
			"ip link set lab alias \"$(printf 'tapgate network=lab mode=\\033[2J\\233')\"",
			"it stands as '\\x1b[2J\\x9b', and " LINE},
		{"an alias of 255 bytes", "ip link set lab alias \"tapgate network=lab mode=$(printf %0200d 1)\"",
			"it stands as '000000"},
		{"down", "ip link set lab down", IS_DOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		make_network("lab", "host-only");
		write_policy(POLICY);
		command("%s", rows[i].change);
		expect_refusal(&(struct call){.about = rows[i].about, .argv = ARGS("--br=lab", FD)}, 1, rows[i].words);
		clean_world(NULL);
	}
	/* And as it should be. */
	make_network("lab", "host-only");
	write_policy(POLICY);
	expect_grant(LAB, "lab");
}

/*
 *	alice --- ? --- lab, which stands as one mode, and the policy says another
 *
 * Every pair: whatever stands, it is not the network that was allowed.
 */
static void test_other_modes(void **state)
{
	static const struct {
		const char *mode, *line;
	} modes[] = {
		{"nat", "network lab nat 172.16.2.1/24"},
		{"host-only", "network lab host-only 172.16.2.1/24"},
		{"internal", "network lab internal"},
		{"standalone", "network lab standalone 172.16.2.1/24"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		for (size_t j = 0; j < COUNT(modes); j++) {
			char about[64], policy[128];

			if (i == j)
				continue;
			snprintf(about, sizeof(about), "stands as %s, should be %s", modes[i].mode, modes[j].mode);
			snprintf(policy, sizeof(policy), "allow all\n%s\n", modes[j].line);
			make_network("lab", modes[i].mode);
			write_policy(policy);
			expect_refusal(&(struct call){.about = about, .argv = ARGS("--br=lab", FD)}, 1,
				"network 'lab' is not up: ");
			clean_world(NULL);
		}
	}
}

/*
 *	alice --- ? --- lab, of tapgate's making, but the policy has no such network any more
 */
static void test_no_longer_in_the_policy(void **state)
{
	static const char *const policies[] = {
		"allow lab\n",
		"allow lab\nnetwork lab bridged\n",
		"allow lab\nnetwork lab2 host-only 172.16.2.1/24\n",
	};

	(void)state;
	make_network("lab", "host-only");
	for (size_t i = 0; i < COUNT(policies); i++) {
		write_policy(policies[i]);
		expect_refusal(&(struct call){.about = policies[i], .argv = ARGS("--br=lab", FD)}, 1,
			"bridge 'lab' was made for a network that is no longer in the policy; an administrator can run "
			"'tapgate up', or write the network's line again");
	}
	command("ip link set lab alias 'once tapgate network=lab mode=host-only'");
	write_policy("allow lab\n");
	expect_grant(LAB, "lab");
}

/*
 *	carol --- (nothing) --- lab, whatever stands there
 *
 * Who may not use a network is told so before the kernel is asked anything: the line is the same for each state.
 */
static void test_denied_users_learn_nothing(void **state)
{
	static const char *const states[] = {"true", "nft delete table inet tapgate-lab", "ip link set lab down",
		"ip link set lab alias ''", "ip link del lab", "ip link add lab type ifb"};
	static const char *const policies[] = {
		POLICY "deny lab group=guests\n", "allow lab user=alice\nnetwork lab host-only 172.16.2.1/24\n"};
	static const char *const words[] = {
		"uid 1002 may not use 'lab': denied by /etc/tapgate.conf:3 (deny lab group=guests)",
		"uid 1002 may not use 'lab': no rule allows it"};

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		make_network("lab", "host-only");
		write_policy(policies[i]);
		for (size_t j = 0; j < COUNT(states); j++) {
			command("%s", states[j]);
			expect_refusal(&(struct call){.about = states[j], .argv = ARGS("--br=lab", FD), .user = &carol},
				3, words[i]);
		}
		clean_world(NULL);
	}
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

static const unsigned char frame[64] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 1, 2, 3, 0x88, 0xb5, 'h', 'e', 'l', 'l', 'o'};

static int64_t milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Whether that frame comes out of a tap within some time. */
static bool comes_out(const struct result *result, int patience)
{
	const int64_t end = milliseconds() + patience;
	struct pollfd ready = {.fd = result->tap, .events = POLLIN};
	unsigned char buffer[2048];

	for (int64_t left = patience; left > 0; left = end - milliseconds()) {
		if (poll(&ready, 1, (int)left) == 1 &&
			read(result->tap, buffer, sizeof(buffer)) >= (ssize_t)sizeof(frame) &&
			memcmp(buffer, frame, sizeof(frame)) == 0)
			return true;
	}
	return false;
}

/*
 *	alice --- tap (frame) --- lab --- tap, tap --- bob, carol
 *
 * host-only and internal: both see it. nat: nobody does, not even when the helper made one of the taps before and the
 * other after it.
 */
static void test_who_sees_whom(void **state)
{
	static const struct {
		const char *mode, *policy;
		bool seen;
	} rows[] = {
		{"host-only", POLICY, true},
		{"internal", "allow all\nnetwork lab internal\n", true},
		{"nat", "allow all\nnetwork lab nat 172.16.2.1/24\n", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static const struct user *const users[] = {&bob, &alice, &carol};
		struct result held[3];

		make_network("lab", rows[i].mode);
		write_policy(rows[i].policy);
		for (size_t j = 0; j < COUNT(held); j++)
			held[j] = hold(
				&(struct call){.about = rows[i].mode, .user = users[j], .argv = ARGS("--br=lab", FD)},
				"lab");
		EXPECT(&held[1], write(held[1].tap, frame, sizeof(frame)) == (ssize_t)sizeof(frame));
		for (size_t j = 0; j < COUNT(held); j += 2)
			EXPECT(&held[j], comes_out(&held[j], rows[i].seen ? SOON : 200) == rows[i].seen);
		for (size_t j = 0; j < COUNT(held); j++)
			give_back(&held[j]);
		clean_world(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_modes),
		TEST(test_names),
		TEST(test_mtu),
		TEST(test_not_up),
		TEST(test_other_modes),
		TEST(test_no_longer_in_the_policy),
		TEST(test_denied_users_learn_nothing),
		TEST(test_who_sees_whom),
	};

	return have_program("nft") ? RUN_TESTS(tests) : 0;
}
