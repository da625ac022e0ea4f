// SPDX-License-Identifier: MIT
/*
 * A neighbour's address. Guests that are apart see nothing of each other; but where nothing locks them to their
 * addresses, one can do as if it was the other, towards the host: a limit that SECURITY.md states, and what `lock-mac`
 * and `lock-ip` are for (tests/netns/test_lock_mac_attacks.c, tests/cli/lock_ip.sh). Towards the host alone: the other
 * one's own frames do not come by the attacker.
 *
 *	attacker --- tap ---+
 *	                    +--- web (nat) or pub (shared, isolated) --- host
 *	  victim --- tap ---+
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <string.h>

#include "tests/netns/frames.h"

static const struct pair {
	const char *network, *host, *victim;
} pairs[] = {
	{"web", "10.77.0.1", "10.77.0.12"},
	{"pub", "10.78.0.1", "10.78.0.12"},
};

static void set_up(const char *option)
{
	char policy[512];

	snprintf(policy, sizeof(policy),
		"network web nat 10.77.0.1/24 dhcp=10.77.0.100-10.77.0.120 %s\n"
		"network pub shared 10.78.0.1/24 dhcp=10.78.0.100-10.78.0.120 isolated %s\nallow all\n",
		option, option);
	write_policy(policy);
	command("\"$TAPGATE\" up >/dev/null");
}

/* An echo request of ICMP's in the victim's name. */
static struct frame question(const struct pair *pair)
{
	struct frame frame = packet(mac_on(pair->network), pair->victim, pair->host, 1);
	size_t from = frame.size;

	put_number(&frame, 8, 0x0800000000070001);
	put(&frame, "attacked", 8);
	put_sum(&frame, from + 2, from, 0);
	end_packet(&frame);
	return frame;
}

/* What the attacker has the host say to the victim; and what it hears once it has claimed the address by ARP. */
static void do_as_the_neighbour(const struct pair *pair, bool locked)
{
	struct result attacker = guest_on(pair->network), victim = guest_on(pair->network);
	const struct frame asked = question(pair), claim = arp(ALL, pair->victim, pair->host);
	struct frame first = of_type(ALL, 0x88b5);

	memcpy(first.bytes + 6, mac_of(PEER_MAC), 6); /* the bridge learns where the victim is */
	sends(&victim, &first);
	command("ip neigh replace %s lladdr %s dev %s nud stale", pair->victim, PEER_MAC, pair->network);
	forgets(&victim);
	sends(&attacker, &asked);
	EXPECT(&attacker, hears_word(&victim, "attacked") != locked);
	sends(&attacker, &claim);
	forgets(&attacker);
	sends(&attacker, &asked);
	EXPECT(&attacker, hears_word(&attacker, "attacked") != locked);
	guest_ends(&attacker);
	guest_ends(&victim);
}

static void test_without_locks(void **state)
{
	(void)state;
	set_up("");
	for (size_t i = 0; i < COUNT(pairs); i++)
		do_as_the_neighbour(&pairs[i], false);
}

static void test_locked(void **state)
{
	(void)state;
	set_up("lock-ip");
	for (size_t i = 0; i < COUNT(pairs); i++)
		do_as_the_neighbour(&pairs[i], true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_without_locks),
		ATTACK(test_locked),
	};

	return RUN_TESTS(tests);
}
