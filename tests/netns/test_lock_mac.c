// SPDX-License-Identifier: MIT
/*
 * lock-mac: which address a port is locked to, and who may choose which. What guests and callers do against the lock:
 * test_lock_mac_attacks.c.
 */
#include "tests/netns/harness.h"

#include <netinet/in.h>

#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "helper/helper.h"
#include "tests/netns/frames.h"
#include "tests/netns/locked.h"

static const char *option(const char *mac)
{
	static char words[8][32];
	static unsigned int next;
	char *word = words[next++ % COUNT(words)];

	snprintf(word, sizeof(words[0]), "--mac=%s", mac);
	return word;
}

/*
 *	alice --- tap --- br0: which address it is
 */
static void test_which_address(void **state)
{
	const struct {
		const char *policy, *word, *expected;
	} rows[] = {
		{"allow br0 lock-mac\n", FD, own_address(&alice, 1)},
		{"allow br0\nnetwork br0 bridged lock-mac\n", FD, own_address(&alice, 1)},
		{"allow br0 lock-mac isolated\n", option(own_address(&alice, 0x77)), own_address(&alice, 0x77)},
		{"allow br0 lock-mac\n", option(own_address(&alice, 0)), own_address(&alice, 0)},
		{"allow br0 lock-mac user=alice mac=52:54:00:12:34:56\n", FD, "52:54:00:12:34:56"},
		{"allow br0 user=alice mac=52:54:00:12:34:56\n", FD, "52:54:00:12:34:56"},
		{"allow br0 user=alice mac=52:54:00:12:34:56\nnetwork br0 bridged lock-mac\n",
			option("52:54:00:12:34:56"), "52:54:00:12:34:56"},
	};

	(void)state;
	make_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const *argv =
			strcmp(rows[i].word, FD) == 0 ? ARGS("--br=br0", FD) : ARGS("--br=br0", FD, rows[i].word);
		char *before;
		struct result result;

		write_policy(rows[i].policy);
		before = snapshot();
		result = hold(&(struct call){.about = rows[i].policy, .argv = argv}, "br0");
		assert_locked(&result, rows[i].expected);
		give_back(&result);
		EXPECT(&result, !has_entry(rows[i].expected));
		assert_unchanged(before);
	}
}

/* One after the other gets the next address; and --mac without lock-mac is looked at all the same. */
static void test_derived_addresses(void **state)
{
	struct result first, second, third;

	(void)state;
	make_br0();
	write_policy("allow br0 lock-mac\n");
	first = hold(&(struct call){.about = "first"}, "br0");
	second = hold(&(struct call){.about = "second"}, "br0");
	assert_locked(&first, own_address(&alice, 1));
	assert_locked(&second, own_address(&alice, 2));
	give_back(&first);
	third = hold(&(struct call){.about = "third", .user = &bob}, "br0");
	assert_locked(&third, own_address(&bob, 1));
	write_policy("allow br0\n");
	first = hold(&(struct call){.about = "unlocked", .argv = ARGS("--br=br0", FD, option(own_address(&alice, 9)))},
		"br0");
	EXPECT(&first, !has_entry(own_address(&alice, 9)));
	give_back(&first);
	give_back(&second);
	give_back(&third);
}

static void test_addresses_of_others(void **state)
{
	const char *const macs[] = {
		"02:00:00:00:00:01", own_address(&bob, 1), "52:54:00:12:34:57", "00:00:00:00:00:01"};
	const char *const policies[] = {"allow br0 lock-mac\n", "allow br0\n"};

	(void)state;
	make_br0();
	for (size_t i = 0; i < COUNT(policies); i++) {
		write_policy(policies[i]);
		for (size_t j = 0; j < COUNT(macs); j++)
			expect_refusal(&(struct call){.about = macs[j], .argv = ARGS("--br=br0", FD, option(macs[j]))},
				3, "expected one of its own there, ");
	}
	write_policy("allow br0 mac=52:54:00:12:34:56\n");
	expect_refusal(&(struct call){.argv = ARGS("--br=br0", FD, option(own_address(&alice, 1)))}, 3,
		"it is given 52:54:00:12:34:56 by /etc/tapgate.conf:1 (allow br0 mac=52:54:00:12:34:56)");
}

/* What a bridge was told of an address keeps it from being given. */
static void test_taken(void **state)
{
	static const struct {
		const char *about, *make, *unmake;
	} rows[] = {
		{"the bridge's own", "ip link set br0 address $mac", "ip link set br0 address " BR0_MAC},
		{"the bridge's own, which it does not list",
			"ip link set br0 address $mac && bridge fdb del $mac dev br0 self",
			"ip link set br0 address " BR0_MAC},
		{"a port's", "ip link add port address $mac type veth && ip link set port master br0",
			"ip link del port"},
		{"static",
			"ip link add port type veth && ip link set port master br0 && "
			"bridge fdb add $mac dev port master static",
			"ip link del port"},
		{"learned, and to stay",
			"ip link add port up type veth peer name cable && ip link set cable addrgenmode none up && "
			"ip link set port master br0 && n=0 && until bridge fdb add $mac dev port master dynamic "
			"sticky 2>/dev/null; do n=$((n + 1)); [ $n -lt 500 ] && sleep 0.01 || exit; done",
			"ip link del port"},
		{"the bridge's to listen to", "bridge fdb add $mac dev br0 self local",
			"bridge fdb del $mac dev br0 self local"},
	};

	(void)state;
	make_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		char words[64];
		struct result result;

		snprintf(words, sizeof(words), "address %s is taken on bridge 'br0'; ", own_address(&alice, 1));
		write_policy("allow br0 lock-mac\n");
		command("mac=%s; %s", own_address(&alice, 1), rows[i].make);
		expect_refusal(&(struct call){.about = rows[i].about,
				       .argv = ARGS("--br=br0", FD, option(own_address(&alice, 1)))},
			1, words);
		result = hold(&(struct call){.about = rows[i].about}, "br0");
		assert_locked(&result, own_address(&alice, 2));
		give_back(&result);
		command("mac=%s; %s", own_address(&alice, 1), rows[i].unmake);
	}
}

/*
 *	somebody --- cable --- port --- br0 --- tap --- alice
 *
 * That somebody sent from an address is no claim: who has it by the policy gets it. So does a guest that moves to this
 * host, and was behind the cable. Of a whole block that is known so, one is given all the same.
 */
static void test_learned(void **state)
{
	const char *const moves[] = {"52:54:00:12:34:56", own_address(&alice, 9)};
	struct result result;
	int cable;

	(void)state;
	make_br0();
	command("ip link add port type veth peer name cable && ip link set cable addrgenmode none up && "
		"ip link set port up master br0 && "
		"ip link set cable addrgenmode none && ip link set port addrgenmode none");
	cable = packet_socket("cable");
	for (size_t i = 0; i < COUNT(moves); i++) {
		unsigned char frame[FRAME_MIN];
		char entry[64];

		write_policy(i == 0 ? "allow br0 mac=52:54:00:12:34:56\n" : "allow br0 lock-mac\n");
		command("n=0; until bridge fdb add %s dev port master dynamic 2>/dev/null; do n=$((n + 1)); "
			"[ $n -lt 500 ] && sleep 0.01 || exit; done",
			moves[i]);
		result = hold(&(struct call){.about = moves[i], .argv = ARGS("--br=br0", FD, option(moves[i]))}, "br0");
		assert_locked(&result, moves[i]);
		await_forwarding(&result);
		make_frame(frame, "ff:ff:ff:ff:ff:ff", moves[i], 1); /* a late one from where it was */
		EXPECT(&result, write(cable, frame, FRAME_MIN) == FRAME_MIN);
		make_frame(frame, moves[i], "52:54:00:00:00:01", 2);
		EXPECT(&result, write(cable, frame, FRAME_MIN) == FRAME_MIN);
		EXPECT(&result, frame_comes(result.tap, 1) && frame_comes(result.tap, 2));
		send_frame(&result, "52:54:00:00:00:01", moves[i], 3);
		EXPECT(&result, frame_comes(cable, 3));
		assert_locked(&result, moves[i]);
		give_back(&result);
		snprintf(entry, sizeof(entry), "%s dev port", moves[i]);
		EXPECT(&result, !has_entry(entry));
	}
	for (unsigned int octet = 1; octet < 256; octet++)
		command("bridge fdb add %s dev port master dynamic", own_address(&alice, octet));
	result = hold(&(struct call){.about = "a block that is known"}, "br0");
	assert_locked(&result, own_address(&alice, 1));
	give_back(&result);
	close(cable);
}

/* Nor is that a neighbour gave its tap the address: a tap of somebody else's making is another matter (above). */
static void test_a_neighbours_tap(void **state)
{
	struct ifreq request = {0};
	struct result his, hers;

	(void)state;
	make_br0();
	write_policy("allow br0 lock-mac\n");
	his = hold(&(struct call){.about = "his", .user = &bob}, "br0");
	request.ifr_hwaddr.sa_family = 1; /* ARPHRD_ETHER */
	memcpy(request.ifr_hwaddr.sa_data, mac_of(own_address(&alice, 5)), 6);
	EXPECT(&his, ioctl(his.tap, SIOCSIFHWADDR, &request) == 0);
	hers = hold(
		&(struct call){.about = "hers", .argv = ARGS("--br=br0", FD, option(own_address(&alice, 5)))}, "br0");
	assert_locked(&hers, own_address(&alice, 5));
	give_back(&his);
	assert_locked(&hers, own_address(&alice, 5));
	give_back(&hers);
}

/* The mark by which `tapgate up` knows an address again is the tap's alone; and one for one bridge. */
static void test_marks(void **state)
{
	struct result first, second;

	(void)state;
	make_br0();
	make_bridge("br1");
	write_policy("allow all mac=52:54:00:12:34:56\n");
	first = hold(&(struct call){.about = "br0"}, "br0");
	second = hold(&(struct call){.about = "br1", .argv = ARGS("--br=br1", FD)}, "br1");
	EXPECT(&first, shell_status("ip link show dev %s | grep -qx ' *altname tapgate-lock-%s-525400123456'",
			       tap_of(&first), first_line("/sys/class/net/br0/ifindex")) == 0);
	EXPECT(&second, shell_status("ip link show dev %s | grep -qx ' *altname tapgate-lock-%s-525400123456'",
				tap_of(&second), first_line("/sys/class/net/br1/ifindex")) == 0);
	expect_refusal(&(struct call){.about = "br0 again", .user = &bob}, 1, "is taken on bridge 'br0'");
	give_back(&first);
	expect_grant(&(struct call){.about = "br0 when it is free", .user = &bob}, "br0");
	give_back(&second);
}

/*
 *	alice --- tap, locked --- br0: what the bridge says of it, changed by root, and read back
 */
static void test_read_back(void **state)
{
	static const struct {
		const char *about, *change;
		bool holds;
	} rows[] = {
		{"a control", "true", true},
		{"the same again", "bridge fdb replace $mac dev $tap master static sticky", true},
		{"one that others can take over", "bridge fdb replace $mac dev $tap master static", false},
		{"one that ages", "bridge fdb replace $mac dev $tap master dynamic sticky", false},
		{"the host's own", "bridge fdb replace $mac dev $tap master permanent", false},
		{"another port's", "bridge fdb replace $mac dev port master static sticky", false},
		{"none", "bridge fdb del $mac dev $tap master", false},
	};

	(void)state;
	make_br0();
	command("ip link add port type veth && ip link set port master br0");
	write_policy("allow br0 mac=52:54:00:12:34:56\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct result result = hold(&(struct call){.about = rows[i].about}, "br0");
		struct network network = {.bridge = {.index = atoi(first_line("/sys/class/net/br0/ifindex"))}};
		struct port port = {.name = "tap", .mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
		struct outcome outcome = {.code = EXIT_SENT};

		port.tap = atoi(first_line("/sys/class/net/%s/ifindex", tap_of(&result)));
		command("mac=52:54:00:12:34:56; tap=%s; %s", tap_of(&result), rows[i].change);
		assert_int_equal(link_open(&network.link), 0);
		EXPECT(&result, lock_holds(&network, &port, &outcome) == rows[i].holds);
		EXPECT(&result, rows[i].holds || strstr(outcome.text, "was given away meanwhile"));
		link_close(network.link);
		give_back(&result);
		command("bridge fdb del 52:54:00:12:34:56 dev port master 2>/dev/null || true");
	}
}

/* Two at once for one address, again and again: one of them. */
static void test_a_race_for_an_address(void **state)
{
	(void)state;
	by_setuid_alone(); /* a line of the log is told to be a call's by the process */
	make_br0();
	write_policy("allow br0 lock-mac\n");
	for (int round = 0; round < 20; round++) {
		const struct call call = {
			.about = "a race", .argv = ARGS("--br=br0", FD, option(own_address(&alice, 7)))};
		struct running running[4];
		struct result results[4];
		unsigned int granted = 0;

		for (size_t i = 0; i < COUNT(running); i++)
			running[i] = start(&call);
		for (size_t i = 0; i < COUNT(running); i++) {
			results[i] = finish(&running[i]);
			if (results[i].code != 0)
				assert_refused(&results[i], 1, "is taken on bridge 'br0'");
			else
				granted++;
		}
		assert_int_equal(granted, 1);
		for (size_t i = 0; i < COUNT(running); i++) {
			if (results[i].code == 0) {
				assert_locked(&results[i], own_address(&alice, 7));
				give_back(&results[i]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_which_address),
		TEST(test_derived_addresses),
		TEST(test_addresses_of_others),
		TEST(test_taken),
		TEST(test_learned),
		TEST(test_a_neighbours_tap),
		TEST(test_marks),
		TEST(test_read_back),
		TEST(test_a_race_for_an_address),
	};

	return RUN_TESTS(tests);
}
