// SPDX-License-Identifier: MIT
/*
 * From guest to guest, where they are to see nothing of each other: from port to port, and by way of the host, which
 * would route from one to the other.
 *
 *	a --- tap ---+                 +--- tap --- b
 *	             +--- web or lab --+
 *	                   host
 */
#include "tests/attacks/attack.h"

#include <linux/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/netns/frames.h"

struct pair {
	const char *network, *a, *b, *ipv6_a, *ipv6_b;
};

static const struct pair nat = {"web", "10.77.0.11", "10.77.0.12", "fd00:77::11", "fd00:77::12"};
static const struct pair shared = {"pub", "10.78.0.11", "10.78.0.12", "fd00:78::11", "fd00:78::12"};
static const struct pair by_router = {"way", "10.80.0.11", "10.80.0.12", "fd00:80::11", "fd00:80::12"};
static const struct pair host_only = {"lab", "172.16.5.11", "172.16.5.12", "fd00:5::11", "fd00:5::12"};

/* Of what one guest sends to the hardware address, whether anything comes to the other: IPv4, IPv6, anything else. */
static unsigned int reached(const struct pair *pair, const struct result *a, const struct result *b, const char *to)
{
	const struct frame frames[] = {
		udp(to, pair->a, pair->b, 9),
		udp(to, pair->ipv6_a, pair->ipv6_b, 9),
		udp(to, "172.16.99.99", pair->b, 9),
		arp(to, pair->a, pair->b),
		of_type(to, 0x88b5),
	};
	unsigned int count = 0;

	for (size_t i = 0; i < COUNT(frames); i++) {
		forgets(b);
		sends(a, &frames[i]);
		count += hears(b, 6, frames[i].bytes + 6, 8); /* the host's own reports are of IPv6, too */
	}
	return count;
}

/* Whatever is for the other guest, for everybody, or for nobody that the bridge knows. */
static void test_from_port_to_port(void **state)
{
	static const char *const destinations[] = {PEER_MAC, ALL, "01:00:5e:00:00:01", "33:33:00:00:00:01",
		"01:80:c2:00:00:00", "01:80:c2:00:00:0e", "01:80:c2:00:00:20"};
	const struct pair bridged = {"br1", "192.0.2.11", "192.0.2.12", "2001:db8:1::11", "2001:db8:1::12"};
	const struct pair *const pairs[] = {&nat, &bridged};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++)
		for (size_t j = 0; j < COUNT(destinations); j++) {
			struct result a = guest_on(pairs[i]->network), b = guest_on(pairs[i]->network);
			bool reserved = strncmp(destinations[j], "01:80:c2:00:00:0", 16) == 0;

			EXPECT(&a, reached(pairs[i], &a, &b, destinations[j]) == 0);
			command("bridge link set dev %s isolated off locked off learning on", tap_of(&a));
			command("bridge link set dev %s isolated off locked off flood on", tap_of(&b));
			EXPECT(&a, (reached(pairs[i], &a, &b, destinations[j]) > 0) == !reserved);
			guest_ends(&a);
			guest_ends(&b);
		}
}

/* Whether a packet for an address came, and not only what the host has to say about one. */
static bool hears_packet_for(const struct result *guest, const char *address)
{
	struct frame bytes = {.size = 0};

	put_address(&bytes, address);
	return hears(guest, 14 + (bytes.size == 4 ? 16 : 24), bytes.bytes, bytes.size);
}

/* A packet that the host would have to route: to its own hardware address. Whether it came, as IPv4 and as IPv6. */
static unsigned int routed(const struct pair *pair, const struct result *a, const struct result *b)
{
	const struct frame ipv4 = udp(mac_on(pair->network), pair->a, pair->b, 9);
	const struct frame ipv6 = udp(mac_on(pair->network), pair->ipv6_a, pair->ipv6_b, 9);
	unsigned int count;

	knows(pair->network, pair->b);
	knows(pair->network, pair->ipv6_b);
	forgets(b);
	sends(a, &ipv4);
	count = hears_packet_for(b, pair->b);
	sends(a, &ipv6);
	return count + hears_packet_for(b, pair->ipv6_b);
}

/* By way of the host, which is asked to route, and to answer ARP for all whom it can reach. */
static void test_routed(void **state)
{
	static const struct pair *const pairs[] = {&nat, &host_only, &shared, &by_router};

	(void)state;
	write_policy("network web nat 10.77.0.1/24 fd00:77::1/64\n"
		     "network lab host-only 172.16.5.1/24 fd00:5::1/64 isolated\n"
		     "network pub shared 10.78.0.1/24 fd00:78::1/64 isolated\n"
		     "network way routed 10.80.0.1/24 fd00:80::1/64 isolated\nallow all\n");
	command("\"$TAPGATE\" up >/dev/null");
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const struct pair *pair = pairs[i];
		const struct pair back = {pair->network, pair->b, pair->a, pair->ipv6_b, pair->ipv6_a};
		struct result a = guest_on(pair->network), b = guest_on(pair->network);

		command("sysctl -qw net.ipv4.conf.%s.proxy_arp=1 net.ipv4.conf.%s.proxy_arp_pvlan=1", pair->network,
			pair->network);
		EXPECT(&a, routed(pair, &a, &b) == 0);
		without_guard(pair->network);
		EXPECT(&a, routed(pair, &a, &b) == 2);
		EXPECT(&b, routed(&back, &b, &a) == 2);
		command("\"$TAPGATE\" up >/dev/null"); /* there is a connection of the two now, which is no reason */
		EXPECT(&a, routed(pair, &a, &b) == 0);
		guest_ends(&a);
		guest_ends(&b);
	}
}

/* A limit that SECURITY.md states: on a bridge of the administrator's `isolated` is about ports, and nobody guards. */
static void test_isolated_is_about_ports(void **state)
{
	const struct pair bridged = {"br1", "198.51.100.11", "198.51.100.12", "2001:db8:5::11", "2001:db8:5::12"};
	struct result a, b;

	(void)state;
	write_policy("network br1 bridged isolated\nallow all\n");
	command("ip addr add 198.51.100.1/24 dev br1 && ip addr add 2001:db8:5::1/64 dev br1 nodad");
	a = guest_on("br1");
	b = guest_on("br1");
	EXPECT(&a, reached(&bridged, &a, &b, PEER_MAC) == 0);
	EXPECT(&a, routed(&bridged, &a, &b) == 2);
	guest_ends(&a);
	guest_ends(&b);
}

/*
 *	a --- cell-1 --- host --- cell-2 --- b, and tap1, and the guests of web
 *
 * A standalone guest reaches the host and nobody else: neither the next of its pool nor another network's guests.
 */
static void test_standalone(void **state)
{
	static const struct pair others[] = {
		{"cell", "172.16.128.2", "172.16.128.6", "fd00:c::2", "fd00:c::6"},
		{"tap1", "172.16.128.2", "172.16.2.2", "fd00:c::2", "fd00:2::2"},
		{"web", "172.16.128.2", "10.77.0.11", "fd00:c::2", "fd00:77::11"},
		{"lab", "172.16.128.2", "172.16.5.11", "fd00:c::2", "fd00:5::11"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		const struct pair *other = &others[i];
		struct result a = guest_on("cell"), b = guest_on(other->network);
		const char *interface = i < 2 ? tap_of(&b) : other->network;
		const struct frame ipv4 = udp(mac_on("cell-1"), other->a, other->b, 9);
		const struct frame ipv6 = udp(mac_on("cell-1"), other->ipv6_a, other->ipv6_b, 9);

		knows(interface, other->b);
		knows(interface, other->ipv6_b);
		for (unsigned int guarded = 2; guarded-- > 0;) {
			forgets(&b);
			sends(&a, &ipv4);
			EXPECT(&a, hears_word(&b, "attacked") != guarded);
			sends(&a, &ipv6);
			EXPECT(&a, hears_word(&b, "attacked") != guarded);
			if (guarded)
				without_guard("cell");
			if (guarded && i > 0)
				without_guard(other->network);
		}
		guest_ends(&a);
		guest_ends(&b);
		command("\"$TAPGATE\" up >/dev/null");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_from_port_to_port),
		ATTACK(test_routed),
		ATTACK(test_isolated_is_about_ports),
		ATTACK(test_standalone),
	};

	return RUN_TESTS(tests);
}
