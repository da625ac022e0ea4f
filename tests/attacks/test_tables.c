// SPDX-License-Identifier: MIT
/*
 * What a guest can fill, or bend to the others' harm, by what it sends: the bridge's tables, the host's table of
 * connections and its neighbours.
 *
 *	guest --- tap --- (lab, web, tap1) --- host --- lan
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/netns/frames.h"

enum { LEARNED_MAX = 16384, CONNECTIONS_MAX = 16384, TRIES = 20000 };

/* --- multicast ---------------------------------------------------------------------------------------------------- */

/* A question who wants what (MLD, RFC 2710), to be answered in an instant. */
static struct frame query(void)
{
	struct frame frame = packet("33:33:00:00:00:01", "fe80::5054:ff:fe12:3456", "ff02::1", 0);
	size_t from;

	put_number(&frame, 8, 0x3a00050200000100);
	from = frame.size;
	put_number(&frame, 8, 0x8200000000010000);
	put_number(&frame, 16, 0);
	put_sum(&frame, from + 2, from, sum_of(frame.bytes + from - 8 - 32, 32, 58 + 24));
	end_packet(&frame);
	return frame;
}

/* Whether a guest that answers no such question is still asked for its address: what is for ff02::1:ff00:99. */
static bool is_found(const struct result *guest)
{
	const char *interface = "lab";

	forgets(guest);
	command("ip -6 neigh flush dev %s", interface);
	(void)user_sends(interface, "fd00:5::1", "fd00:5::99");
	for (int tries = 0; tries < 100; tries++) {
		if (hears(guest, 0, "\x33\x33\xff\0\0\x99", 6))
			return true;
		usleep(1000);
	}
	return false;
}

/* Guests whose firewalls let no MLD in, behind one that asks: gone for all (lxc/incus#3294, dfinity/ic PR 11246). */
static void test_question(void **state)
{
	struct result a = guest_on("lab"), b = guest_on("lab");
	const struct frame frame = query();
	bool lost = false;

	(void)state;
	for (int tries = 0; tries < 10; tries++) {
		sends(&a, &frame);
		EXPECT(&a, is_found(&b));
	}
	command("ip link set lab type bridge mcast_snooping 1");
	for (int tries = 0; tries < 50 && !lost; tries++) {
		sends(&a, &frame);
		lost = !is_found(&b);
	}
	EXPECT(&a, lost);
	guest_ends(&a);
	guest_ends(&b);
}

/* --- addresses ---------------------------------------------------------------------------------------------------- */

static unsigned int learned_of_many(const struct result *guest, const char *bridge)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		struct frame frame = of_type(ALL, 0x88b5);

		frame.bytes[9] = (unsigned char)(i >> 16);
		frame.bytes[10] = (unsigned char)(i >> 8);
		frame.bytes[11] = (unsigned char)i;
		sends_on(guest, &frame);
	}
	has_sent(guest);
	return (unsigned int)atoi(command_line("bridge fdb show br %s dynamic | wc -l", bridge));
}

/* A bridge of tapgate's stops learning in time; another one goes on. */
static void test_addresses(void **state)
{
	struct result guest = guest_on("lab"), bridged = guest_on("br0");
	unsigned int learned = learned_of_many(&guest, "lab");

	(void)state;
	EXPECT(&guest, learned_of_many(&bridged, "br0") >= TRIES);
	if (learned >= TRIES)
		cannot_test("this kernel has no limit of learned addresses (Linux 6.7)");
	else
		EXPECT(&guest, learned <= LEARNED_MAX && learned > LEARNED_MAX / 2);
	guest_ends(&guest);
	guest_ends(&bridged);
}

/* --- connections -------------------------------------------------------------------------------------------------- */

static unsigned int connections_of_many(
	const struct result *guest, const char *to, const char *source, const char *host)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		const struct frame frame = udp(to, source, host, 1024 + i);

		sends_on(guest, &frame);
	}
	has_sent(guest);
	return (unsigned int)atoi(first_line("/proc/sys/net/netfilter/nf_conntrack_count"));
}

/* The host's table of connections, of which it has one for all: a guest has a part of it. */
static void test_connections(void **state)
{
	static const struct {
		const char *network, *source, *destination;
	} rows[] = {
		{"lab", "172.16.5.11", "172.16.5.1"},
		{"web", "fd00:77::11", "2001:db8:1::50"},
		{"pub", "10.78.0.11", "192.0.2.50"},
		{"way", "10.80.0.11", "10.80.0.1"},
		{"tap1", "172.16.2.2", "172.16.2.1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct result guest = guest_on(rows[i].network);
		const char *to = mac_on(i + 1 < COUNT(rows) ? rows[i].network : tap_of(&guest));
		unsigned int before = (unsigned int)atoi(first_line("/proc/sys/net/netfilter/nf_conntrack_count")), now;

		set("net.netfilter.nf_conntrack_udp_timeout", 600); /* all that were made are there yet */
		knows("lan", "192.0.2.50");
		knows("lan", "2001:db8:1::50");
		now = connections_of_many(&guest, to, rows[i].source, rows[i].destination);
		EXPECT(&guest, now > before + CONNECTIONS_MAX / 2 && now <= before + CONNECTIONS_MAX + 16);
		command("handle=$(nft -a list chain %s room | sed -n 's/.*ct count.*handle //p') && "
			"nft delete rule %s room handle $handle",
			table_of(rows[i].network, ""), table_of(rows[i].network, ""));
		now = connections_of_many(&guest, to, rows[i].source, rows[i].destination);
		EXPECT(&guest, now > before + CONNECTIONS_MAX + 64);
		guest_ends(&guest);
		close_host(NULL);
		open_host(NULL);
	}
}

/*
 * With br_netfilter, what guests send each other are connections, too. Of an internal network, where guests have
 * whatever addresses they like, the host knows none: those of another network's guest would be that one's.
 */
static void test_connections_between_guests(void **state)
{
	static const struct {
		const char *network, *source, *destination;
		unsigned int most;
	} rows[] = {
		{"quiet", "10.77.0.11", "192.0.2.50", 0},
		{"lab", "172.16.5.11", "172.16.5.12", CONNECTIONS_MAX},
		{"pub", "10.78.0.11", "10.78.0.12", CONNECTIONS_MAX},
	};

	(void)state;
	if (shell_status("sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null") != 0)
		cannot_test("no module br_netfilter");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct result guest = guest_on(rows[i].network), other = guest_on(rows[i].network);
		unsigned int before, now;

		set("net.bridge.bridge-nf-call-iptables", 1);
		set("net.netfilter.nf_conntrack_udp_timeout", 600);
		before = (unsigned int)atoi(first_line("/proc/sys/net/netfilter/nf_conntrack_count"));
		now = connections_of_many(&guest, PEER_MAC, rows[i].source, rows[i].destination);
		EXPECT(&guest, now <= before + rows[i].most + 16);
		without_guard(rows[i].network);
		now = connections_of_many(&guest, PEER_MAC, rows[i].source, rows[i].destination);
		EXPECT(&guest, now > before + rows[i].most + 64);
		guest_ends(&guest);
		guest_ends(&other);
		close_host(NULL);
		open_host(NULL);
	}
	set("net.bridge.bridge-nf-call-iptables", 0);
}

/* --- neighbours --------------------------------------------------------------------------------------------------- */

/* Few enough to leave room in the kernel's table, which all network namespaces share. */
enum { NEIGHBOURS = 300, STANDALONE_MAX = 256 };

static unsigned int neighbours_of_many(const struct result *guest, const char *interface, const char *subnet)
{
	command("ip neigh flush dev %s", interface);
	for (unsigned int i = 0; i < NEIGHBOURS; i++) {
		struct frame frame = arp(ALL, subnet, "192.0.2.1");

		frame.bytes[30] = (unsigned char)(i >> 8);
		frame.bytes[31] = (unsigned char)i;
		sends_on(guest, &frame);
	}
	has_sent(guest);
	return (unsigned int)atoi(command_line("ip neigh show dev %s | wc -l", interface));
}

/*
 * Whoever asks for the host's hardware address is in its table, whatever the address, unless it is of another network,
 * or the host is not to be reached.
 */
static void test_neighbours(void **state)
{
	static const char *const networks[] = {"lab", "web", "pub", "way", "quiet"};

	(void)state;
	for (size_t i = 0; i < COUNT(networks); i++) {
		struct result guest = guest_on(networks[i]);

		EXPECT(&guest, neighbours_of_many(&guest, networks[i], "10.99.0.0") == 0);
		without_guard(networks[i]);
		EXPECT(&guest, neighbours_of_many(&guest, networks[i], "10.99.0.0") >= NEIGHBOURS);
		command("ip neigh flush dev %s", networks[i]);
		guest_ends(&guest);
	}
}

/* A standalone guest with a subnet that is large has many addresses there, and the host hears of some. */
static void test_neighbours_of_one(void **state)
{
	struct result guest;
	unsigned int known;

	(void)state;
	write_policy("network big standalone 172.20.0.1/16\nallow all\n");
	command("\"$TAPGATE\" up >/dev/null");
	guest = guest_on("big");
	EXPECT(&guest, neighbours_of_many(&guest, "big", "10.99.0.0") == 0);
	known = neighbours_of_many(&guest, "big", "172.20.4.0");
	EXPECT(&guest, known > STANDALONE_MAX / 2 && known <= STANDALONE_MAX);
	command("nft delete table arp tapgate-big");
	EXPECT(&guest, neighbours_of_many(&guest, "big", "172.20.4.0") >= NEIGHBOURS);
	command("ip neigh flush dev big");
	guest_ends(&guest);
}

/* --- fragments ---------------------------------------------------------------------------------------------------- */

enum { INCOMPLETE = 10000, FRAGMENTS_MAX = 4 << 20, HEADER = 14 };

/* What the host keeps, in bytes, when a guest has sent the beginnings of so many packets, and the end of none. */
static unsigned long kept_of_fragments(const struct result *guest, const char *source, const char *host)
{
	struct frame frame = udp(mac_on("lab"), source, host, 9);

	frame.bytes[HEADER + 6] = 0x20; /* more of it comes (RFC 791, 3.1) */
	for (unsigned int i = 0; i < INCOMPLETE; i++) {
		unsigned int sum;

		frame.bytes[HEADER + 4] = (unsigned char)(i >> 8);
		frame.bytes[HEADER + 5] = (unsigned char)i;
		frame.bytes[HEADER + 10] = frame.bytes[HEADER + 11] = 0;
		sum = ~sum_of(frame.bytes + HEADER, 20, 0);
		frame.bytes[HEADER + 10] = (unsigned char)(sum >> 8);
		frame.bytes[HEADER + 11] = (unsigned char)sum;
		sends_on(guest, &frame);
	}
	has_sent(guest);
	return strtoul(command_line("sed -n 's/^FRAG: .* memory //p' /proc/net/sockstat"), NULL, 10);
}

/*
 * A guest can fill what the host has for packets that are not complete, and no more; for others' fragments there is
 * none then, until its own are forgotten. The control: more is kept where more may be.
 */
static void test_fragments(void **state)
{
	struct result guest = guest_on("lab");
	unsigned long kept;

	(void)state;
	kept = kept_of_fragments(&guest, "172.16.5.11", "172.16.5.1");
	EXPECT(&guest, kept > FRAGMENTS_MAX / 2 && kept <= FRAGMENTS_MAX + FRAGMENTS_MAX / 16);
	command("sysctl -qw net.ipv4.ipfrag_high_thresh=%d", 8 * FRAGMENTS_MAX);
	kept = kept_of_fragments(&guest, "172.16.5.12", "172.16.5.1");
	EXPECT(&guest, kept > FRAGMENTS_MAX + FRAGMENTS_MAX / 4);
	guest_ends(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_question),
		ATTACK(test_addresses),
		ATTACK(test_connections),
		ATTACK(test_connections_between_guests),
		ATTACK(test_neighbours),
		ATTACK(test_neighbours_of_one),
		ATTACK(test_fragments),
	};

	return RUN_TESTS(tests);
}
