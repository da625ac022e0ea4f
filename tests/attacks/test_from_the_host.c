// SPDX-License-Identifier: MIT
/*
 * From the host, and from the LAN behind it, to guests: on networks that nobody is to reach, nothing comes, though
 * nothing has to come back for a packet to have been sent.
 *
 *	a user ---+
 *	          +--- host --- (lab, quiet, web, tap1) --- tap --- guest
 *	LAN ------+                                '-------->'
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/netns/frames.h"

static const char *const networks[] = {"lab", "quiet", "web", "pub", "way"};

/* By the tap itself, to everybody and to neighbours; whether anything of it came to the guest, the question for a
 * neighbour's hardware address included. */
static bool sends_by_tap(const struct result *guest)
{
	static const char *const destinations[] = {"255.255.255.255", "224.0.0.1", "192.0.2.77", "ff02::1", "ff05::1"};
	const unsigned char *mac = mac_of(mac_on(tap_of(guest)));
	unsigned int heard = 0;

	command("ip neigh flush dev %s", tap_of(guest));
	for (size_t i = 0; i < COUNT(destinations); i++) {
		forgets(guest);
		EXPECT(guest, user_sends(tap_of(guest), strchr(destinations[i], ':') ? "2001:db8:1::1" : "192.0.2.1",
				      destinations[i]));
		heard += hears(guest, 6, mac, 6);
	}
	EXPECT(guest, heard == 0 || heard == COUNT(destinations));
	return heard;
}

/* Any user may bind a socket to any interface (Linux 5.7, sock_bindtoindex): to a guest's tap, past all guards. */
static void test_by_the_tap(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(networks); i++) {
		struct result guest = guest_on(networks[i]);

		EXPECT(&guest, !sends_by_tap(&guest));
		without_wall(tap_of(&guest));
		EXPECT(&guest, sends_by_tap(&guest));
		guest_ends(&guest);
	}
}

/* The host that forwards reports on every interface that it wants what is for all routers (ff02::2), from ::. */
static bool hears_report(const struct result *guest)
{
	static const unsigned char hop_by_hop_from_nobody[18] = {0, 1};

	for (int tries = 0; tries < 3000; tries++) {
		if (hears(guest, 14 + 6, hop_by_hop_from_nobody, sizeof(hop_by_hop_from_nobody)))
			return true;
		usleep(1000);
	}
	return false;
}

static void test_reports(void **state)
{
	struct result guest = guest_on("quiet");

	(void)state;
	EXPECT(&guest, !hears_report(&guest));
	without_wall(tap_of(&guest));
	command("ip addr add 2001:db8:7::1/64 dev %s nodad", tap_of(&guest)); /* another one to report */
	EXPECT(&guest, hears_report(&guest));
	guest_ends(&guest);
}

/*
 *	br2, whose own address nobody has set: it has that of its first port, the tap
 *
 * What the host sends by such a bridge looks as if it was sent by the tap, and comes.
 */
static void test_bridge_with_the_taps_address(void **state)
{
	struct result guest;

	(void)state;
	command("ip link add br2 type bridge forward_delay 0 && ip link set br2 up && "
		"ip addr add 198.51.100.1/24 dev br2");
	guest = guest_on("br2");
	EXPECT(&guest, strcmp(mac_on("br2"), mac_on(tap_of(&guest))) == 0);
	knows("br2", "198.51.100.11");
	EXPECT(&guest, user_sends("br2", "198.51.100.1", "198.51.100.11"));
	EXPECT(&guest, hears_word(&guest, "attacked"));
	guest_ends(&guest);
}

/* --- by the network ----------------------------------------------------------------------------------------------- */

/* A user of the host's to a guest, IPv4 or IPv6, and to all of its network. */
static void test_by_the_bridge(void **state)
{
	static const struct {
		const char *network, *source, *guest, *all;
	} rows[] = {
		{"web", "10.77.0.1", "10.77.0.11", "255.255.255.255"},
		{"web", "fd00:77::1", "fd00:77::11", "ff02::1"},
		{"quiet", "192.0.2.1", "10.99.0.11", "255.255.255.255"},
		{"quiet", "2001:db8:1::1", "fd00:99::11", "ff02::1"},
	};

	(void)state;
	command("ip route add 10.99.0.0/24 dev quiet && ip route add fd00:99::/64 dev quiet");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct result guest = guest_on(rows[i].network);

		knows(rows[i].network, rows[i].guest);
		user_sends(rows[i].network, rows[i].source, rows[i].guest);
		user_sends(rows[i].network, rows[i].source, rows[i].all);
		EXPECT(&guest, !hears_word(&guest, "attacked"));
		without_guard(rows[i].network);
		EXPECT(&guest, user_sends(rows[i].network, rows[i].source, rows[i].guest));
		EXPECT(&guest, hears_word(&guest, "attacked"));
		EXPECT(&guest, user_sends(rows[i].network, rows[i].source, rows[i].all));
		EXPECT(&guest, hears_word(&guest, "attacked"));
		guest_ends(&guest);
		command("\"$TAPGATE\" up >/dev/null");
	}
}

/* --- from the LAN ------------------------------------------------------------------------------------------------- */

/* One-way packets are enough for many an attack. */
static void test_from_the_lan(void **state)
{
	static const struct {
		const char *network, *interface, *source, *guest;
	} rows[] = {
		{"lab", "lab", "192.0.2.50", "172.16.5.11"},
		{"lab", "lab", "2001:db8:1::50", "fd00:5::11"},
		{"web", "web", "192.0.2.50", "10.77.0.11"},
		{"web", "web", "2001:db8:1::50", "fd00:77::11"},
		{"pub", "pub", "192.0.2.50", "10.78.0.11"},
		{"pub", "pub", "2001:db8:1::50", "fd00:78::11"},
		{"way", "way", "192.0.2.50", "10.80.0.11"},
		{"way", "way", "2001:db8:1::50", "fd00:80::11"},
		{"tap1", "tap1", "192.0.2.50", "172.16.2.2"},
		{"tap1", "tap1", "2001:db8:1::50", "fd00:2::2"},
		{"cell", "cell-1", "192.0.2.50", "172.16.128.2"},
		{"cell", "cell-1", "2001:db8:1::50", "fd00:c::2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct result guest = guest_on(rows[i].network);
		const struct frame frame = udp(mac_on("lan"), rows[i].source, rows[i].guest, 9);

		knows(rows[i].interface, rows[i].guest);
		assert_int_equal(write(lan(), frame.bytes, frame.size), frame.size);
		EXPECT(&guest, hears_word(&guest, "attacked") == (strcmp(rows[i].network, "way") == 0)); /* routed */
		without_guard(rows[i].network);
		assert_int_equal(write(lan(), frame.bytes, frame.size), frame.size);
		EXPECT(&guest, hears_word(&guest, "attacked"));
		guest_ends(&guest);
		command("\"$TAPGATE\" up >/dev/null");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_by_the_tap),
		ATTACK(test_reports),
		ATTACK(test_bridge_with_the_taps_address),
		ATTACK(test_by_the_bridge),
		ATTACK(test_from_the_lan),
	};

	return RUN_TESTS(tests);
}
