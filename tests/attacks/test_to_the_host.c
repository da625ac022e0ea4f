// SPDX-License-Identifier: MIT
/*
 * What a guest tells the host by the way that the guard watches: that it is its router, gives it addresses, is somebody
 * else. With everything in front that the guard would have to look behind: extension headers, options, fragments.
 * (What the host is asked to pass on: test_to_the_lan.c.)
 *
 *	guest --- tap --- (lab, web, tap1, pub, way, quiet) --- host
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/netns/frames.h"

enum { ETHER = 14, IPV4 = 20, IPV6 = 40, UDP = 17, FRAGMENT = 44, OPTIONS = 60, HOP_BY_HOP = 0 };

/* --- disguises ---------------------------------------------------------------------------------------------------- */

/* An extension header with nothing in it but padding; a fragment's, of the whole. */
static struct frame behind_padding(const struct frame *frame, unsigned int header)
{
	return behind(frame, header, "\0\1\4\0\0\0\0", 8);
}

/* A part of a frame's IPv6 payload as a fragment of its own: whatever is in it from one byte on, to another. */
static struct frame fragment(const struct frame *frame, size_t from, size_t to)
{
	static unsigned char header[7] = {0, 0, 0, 0, 0, 0, 1};
	struct frame part = {.size = 0};
	bool more = to < frame->size - ETHER - IPV6;

	header[6] = (unsigned char)(header[6] + (from == 0)); /* which packet it is of */
	header[1] = (unsigned char)(from >> 8);
	header[2] = (unsigned char)(from | more);
	put(&part, frame->bytes, ETHER + IPV6);
	put(&part, frame->bytes + ETHER + IPV6 + from, to - from);
	return behind(&part, FRAGMENT, header, 8);
}

/* A part of a frame's IPv4 payload. */
static struct frame ipv4_fragment(const struct frame *frame, size_t from, size_t to)
{
	struct frame part = {.size = 0};
	bool more = to < frame->size - ETHER - IPV4;

	put(&part, frame->bytes, ETHER + IPV4);
	memset(part.bytes + ETHER + 10, 0, 2);
	part.bytes[ETHER + 4] = 7;
	part.bytes[ETHER + 6] = more ? 0x20 : 0;
	part.bytes[ETHER + 7] = (unsigned char)(from / 8);
	put(&part, frame->bytes + ETHER + IPV4 + from, to - from);
	end_packet(&part);
	return part;
}

/* IPv4 with options: that it is nothing to note. */
static struct frame with_options(const struct frame *frame)
{
	struct frame result = {.size = 0};

	put(&result, frame->bytes, ETHER + IPV4);
	put(&result, "\1\1\1\0", 4);
	put(&result, frame->bytes + ETHER + IPV4, frame->size - ETHER - IPV4);
	result.bytes[ETHER] = 0x46;
	memset(result.bytes + ETHER + 10, 0, 2);
	end_packet(&result);
	return result;
}

enum { PLAIN, BEHIND_OPTIONS, BEHIND_MUCH, ATOMIC, IN_TWO, DISGUISES };

/* The whole of an IPv6 frame, so disguised, in one frame or two. */
static void send_disguised(const struct result *guest, const struct frame *frame, int disguise)
{
	const size_t size = frame->size - ETHER - IPV6;
	struct frame sent = *frame;

	if (disguise == BEHIND_OPTIONS || disguise == BEHIND_MUCH)
		sent = behind_padding(&sent, OPTIONS);
	if (disguise == BEHIND_MUCH)
		sent = behind_padding(&sent, HOP_BY_HOP);
	if (disguise == ATOMIC)
		sent = fragment(frame, 0, size);
	if (disguise == IN_TWO) {
		const struct frame last = fragment(frame, 0, size / 16 * 8), first = last;

		sends(guest, &first);
		sent = fragment(frame, size / 16 * 8, size);
	}
	sends(guest, &sent);
}

/* --- the host's own ----------------------------------------------------------------------------------------------- */

/* A router advertisement. In fragments a host takes none (RFC 6980), unless br_netfilter has put them together. */
static void test_router(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++)
		for (int disguise = 0; disguise < DISGUISES; disguise++) {
			struct site site = come_to(&places[i]);
			const struct frame frame = ra("33:33:00:00:00:01");

			send_disguised(&site.guest, &frame, disguise);
			EXPECT(&site.guest, !believes_router());
			unguard(&site);
			send_disguised(&site.guest, &frame, disguise);
			EXPECT(&site.guest, believes_router() || disguise >= ATOMIC);
			leave(&site);
		}
}

/* DHCP's answers, for the host's own client, on its ports. */
static void test_dhcp(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		const struct place *place = &places[i];
		struct site site = come_to(place);
		const struct result *guest = &site.guest;
		const struct frame ipv4 = udp(site.mac, place->guest, place->host, 68), noted = with_options(&ipv4);
		const struct frame first = ipv4_fragment(&ipv4, 0, 8), last = ipv4_fragment(&ipv4, 8, 16);
		const struct frame ipv6 = udp(site.mac, place->ipv6_guest, place->ipv6_host, 546);
		int client = udp_socket(AF_INET, 68), ipv6_client = udp_socket(AF_INET6, 546);

		for (int guarded = 1; guarded >= 0; guarded--) {
			sends(guest, &ipv4);
			EXPECT(guest, arrived(client) != guarded);
			sends(guest, &noted);
			EXPECT(guest, arrived(client) != guarded);
			sends(guest, &first);
			sends(guest, &last);
			EXPECT(guest, arrived(client) != guarded);
			for (int disguise = 0; disguise < DISGUISES; disguise++) {
				send_disguised(guest, &ipv6, disguise);
				EXPECT(guest, arrived(ipv6_client) != guarded);
			}
			if (guarded)
				unguard(&site);
		}
		leave(&site);
	}
}

/*
 * A first fragment that ends before the header that the guard asks for. The kernel takes none (RFC 8200, 4.5; Linux
 * 5.11), whoever watches: the control is that one fragment less makes it pass.
 */
static void test_header_in_the_second_fragment(void **state)
{
	struct result guest = guest_on("lab");
	const struct frame whole = udp(mac_on("lab"), "fd00:5::11", "fd00:5::1", 546);
	const struct frame frame = behind_padding(&whole, OPTIONS);
	const struct frame first = fragment(&frame, 0, 8), last = fragment(&frame, 8, 8 + 16);
	int client = udp_socket(AF_INET6, 546);

	(void)state;
	without_guard("lab");
	sends(&guest, &first);
	sends(&guest, &last);
	EXPECT(&guest, !arrived(client));
	sends(&guest, &frame);
	EXPECT(&guest, arrived(client));
	guest_ends(&guest);
}

/* A source that is not the guest's network's: the LAN's, the host's own, another guest's, everybody's. */
static void test_sources(void **state)
{
	const char *sources[] = {"192.0.2.50", "192.0.2.1", "10.99.0.1", "172.16.77.2", "127.0.0.1", "224.0.0.1",
		"255.255.255.255", "2001:db8:1::50", "2001:db8:1::1", "fd00:99::1", "::1", "ff02::1",
		"the host's, IPv4", "the host's, IPv6"};
	enum {
		HOST = COUNT(sources) - 2,
		BELIEVED_OTHERWISE = 1 | 2 | 4 | 8 | 128 | 256 | 512 | 1 << HOST | 1 << (HOST + 1)
	}; /* of these, where nobody watches */

	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		const struct place *place = &places[i];
		struct site site = come_to(place);
		int server = udp_socket(AF_INET, 9), ipv6_server = udp_socket(AF_INET6, 9);

		sources[HOST] = place->host;
		sources[HOST + 1] = place->ipv6_host;
		for (int guarded = 1; guarded >= 0; guarded--) {
			for (size_t j = 0; j < COUNT(sources); j++) {
				bool ipv6 = strchr(sources[j], ':'), taken;
				const struct frame frame =
					udp(site.mac, sources[j], ipv6 ? place->ipv6_host : place->host, 9);

				sends(&site.guest, &frame);
				taken = arrived(ipv6 ? ipv6_server : server);
				EXPECT(&site.guest, taken == (!guarded && (BELIEVED_OTHERWISE >> j & 1)));
			}
			if (guarded)
				unguard(&site);
		}
		leave(&site);
	}
}

/*
 * Frames of other kinds, for whatever program of the host's there may be; IPv4 behind two tags, of which the host reads
 * one on its own; ARP in the host's name, by which a program of the host's that defends its address would lose it.
 */
static void test_other_kinds(void **state)
{
	static const unsigned int types[] = {0x88a2, 0x8863, 0x8847, 0x88b5}; /* AoE, PPPoE, MPLS, anybody's */

	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		const struct place *place = &places[i];
		struct site site = come_to(place);
		const struct frame plain = udp(site.mac, place->guest, place->host, 9);
		const struct frame once = tagged(&plain, 0x8100, 0), twice = tagged(&once, 0x8100, 0);
		const struct frame claim = arp(ALL, place->host, place->host);
		int server = udp_socket(AF_INET, 9), arp_ears = type_socket(site.interface, 0x0806), ears[COUNT(types)];
		const bool bridged = strcmp(place->network, "tap1") != 0; /* which is the host's own interface */

		for (size_t j = 0; j < COUNT(types); j++)
			ears[j] = type_socket(site.interface, types[j]);
		for (int guarded = bridged; bridged && guarded >= 0; guarded--) {
			for (size_t j = 0; j < COUNT(types); j++) {
				const struct frame frame = of_type(site.mac, types[j]);

				sends(&site.guest, &frame);
				EXPECT(&site.guest, arrived(ears[j]) != guarded);
			}
			sends(&site.guest, &twice);
			EXPECT(&site.guest, arrived(server) != guarded);
			sends(&site.guest, &claim);
			EXPECT(&site.guest, arrived(arp_ears) != guarded);
			if (guarded)
				unguard(&site);
		}
		leave(&site);
	}
}

/* What is on the host's loopback, where somebody made that an address like others (as for Kubernetes). */
static void test_loopback(void **state)
{
	const int server = udp_socket(AF_INET, 9);

	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		struct site site = come_to(&places[i]);
		const struct frame frame = udp(site.mac, places[i].guest, "127.0.0.1", 9);

		set("net.ipv4.conf.all.route_localnet", 1);
		arrived(server);
		for (int guarded = 1; guarded >= 0; guarded--) {
			sends(&site.guest, &frame);
			EXPECT(&site.guest, arrived(server) != guarded);
			if (guarded)
				unguard(&site);
		}
		set("net.ipv4.conf.all.route_localnet", 0);
		guest_ends(&site.guest);
	}
}

/* Nothing at all from an internal network, by whatever name and to whomever. */
static void test_internal(void **state)
{
	struct result guest = guest_on("quiet");
	const char *to = mac_on("quiet");
	const struct frame frames[] = {
		udp(to, "10.99.0.11", "192.0.2.1", 9),
		udp(ALL, "0.0.0.0", "255.255.255.255", 9),
		udp("01:00:5e:00:00:01", "10.99.0.11", "224.0.0.1", 9),
		udp(to, "fd00:99::11", "2001:db8:1::1", 9),
		udp("33:33:00:00:00:01", "fe80::11", "ff02::1", 9),
	};
	int server = udp_socket(AF_INET, 9), ipv6_server = udp_socket(AF_INET6, 9);

	(void)state;
	for (int guarded = 1; guarded >= 0; guarded--) {
		const struct frame question = arp(ALL, "10.99.0.11", "192.0.2.1"), router = ra("33:33:00:00:00:01");

		for (size_t i = 0; i < COUNT(frames); i++) {
			sends(&guest, &frames[i]);
			EXPECT(&guest, arrived(i < 3 ? server : ipv6_server) != guarded);
		}
		forgets(&guest);
		sends(&guest, &question);
		EXPECT(&guest, hears_arp(&guest, "192.0.2.1") != guarded);
		sends(&guest, &router);
		EXPECT(&guest, believes_router() != guarded);
		if (guarded)
			without_guard("quiet");
	}
	guest_ends(&guest);
}

/*
 *	guest --- tap --- br0 --- uplink
 *
 * What all attacks rest on, whoever has the tap (machine.h): what the guest sends is what comes out, to the last byte,
 * and the other way round.
 */
static void test_frames_are_as_they_were_sent(void **state)
{
	static unsigned char rest[1440];
	struct result guest = guest_on("br0");
	const int uplink = cable("uplink", "br0");
	const struct frame small = of_type(PEER_MAC, 0x88b5);
	struct frame large = small;

	(void)state;
	for (size_t i = 0; i < sizeof(rest); i++)
		rest[i] = (unsigned char)i;
	put(&large, rest, sizeof(rest));
	for (unsigned int i = 0; i < 10; i++) {
		const struct frame *frame = i % 2 ? &large : &small, zero = tagged(frame, 0x8100, 0xe000),
				   seven = tagged(frame, 0x8100, 7), outer = tagged(frame, 0x88a8, 7),
				   two = tagged(&zero, 0x88a8, 0);
		const struct frame *const frames[] = {frame, &zero, &seven, &outer, &two};
		struct frame sent = *frames[i / 2];

		word_comes(uplink, "");
		sends(&guest, &sent);
		EXPECT(&guest, comes(uplink, 0, sent.bytes, sent.size));
		memcpy(sent.bytes, mac_of(GUEST_MAC), 6);
		memcpy(sent.bytes + 6, mac_of(PEER_MAC), 6);
		forgets(&guest);
		assert_int_equal(write(uplink, sent.bytes, sent.size), sent.size);
		EXPECT(&guest, hears(&guest, 0, sent.bytes, sent.size));
	}
	guest_ends(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_router),
		ATTACK(test_dhcp),
		ATTACK(test_header_in_the_second_fragment),
		ATTACK(test_sources),
		ATTACK(test_other_kinds),
		ATTACK(test_loopback),
		ATTACK(test_internal),
		ATTACK(test_frames_are_as_they_were_sent),
	};

	return RUN_TESTS(tests);
}
