// SPDX-License-Identifier: MIT
/*
 * The host as a messenger. What it cannot pass on, or does not understand, it says to whomever the packet names as its
 * source, and quotes the packet: with another's address there it would carry a guest's words to where the guest does
 * not reach. It says so before any forward or input chain has seen the packet.
 *
 *	guest --- tap --- (lab, web, tap1, pub, way) --- host --- lan --- 192.0.2.50, 2001:db8:1::50
 *	                                                  '--- (way or lab) --- tap --- a guest of another network
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <string.h>

#include "tests/netns/frames.h"

enum { ETHER = 14, IPV4 = 20, IPV6 = 40, HOP_BY_HOP = 0, UDP = 17, HOP_LIMIT = ETHER + 7, TTL = ETHER + 8 };

#define LAN	 "192.0.2.50"
#define IPV6_LAN "2001:db8:1::50"

/* A packet of which the host has something to tell. */
enum complaint { TOO_FAR, NO_ROUTE, TOO_LARGE, NOT_UNDERSTOOD, COMPLAINTS };

/* With a size that the way to the LAN does not have room for, and not to be cut (RFC 1191). */
static struct frame large(const char *to, const char *source, const char *destination)
{
	static const unsigned char nothing[1400];
	const bool ipv6 = strchr(source, ':');
	const size_t from = ETHER + (ipv6 ? IPV6 : IPV4), addresses = ipv6 ? 32 : 8;
	struct frame frame = udp(to, source, destination, 9);
	size_t length;

	put(&frame, nothing, sizeof(nothing));
	length = frame.size - from;
	frame.bytes[from + 4] = (unsigned char)(length >> 8);
	frame.bytes[from + 5] = (unsigned char)length;
	memset(frame.bytes + from + 6, 0, 2);
	put_sum(&frame, from + 6, from, sum_of(frame.bytes + from - addresses, addresses, UDP + (uint32_t)length));
	if (!ipv6) {
		frame.bytes[ETHER + 6] = 0x40;
		memset(frame.bytes + ETHER + 10, 0, 2);
	}
	end_packet(&frame);
	return frame;
}

/* IPv4: an option of a length that there is not; IPv6: one of which the source is to be told, if it is not known. */
static struct frame with_bad_option(const struct frame *frame)
{
	struct frame result = {.size = 0};

	if (frame->bytes[12] == 0x86)
		return behind(frame, HOP_BY_HOP, "\0\xbe\4\0\0\0\0", 8);
	put(&result, frame->bytes, ETHER + IPV4);
	put_number(&result, 4, 0x07c80400);
	put(&result, frame->bytes + ETHER + IPV4, frame->size - ETHER - IPV4);
	result.bytes[ETHER] = 0x46;
	memset(result.bytes + ETHER + 10, 0, 2);
	end_packet(&result);
	return result;
}

static struct frame bad_packet(const struct site *site, const char *source, enum complaint complaint)
{
	const bool ipv6 = strchr(source, ':');
	const char *far = complaint == NO_ROUTE ? ipv6 ? "2001:db8:99::1" : "198.51.100.1"
			  : ipv6		? "2001:db8:1::60"
						: "192.0.2.60";
	const char *host = ipv6 ? site->place->ipv6_host : site->place->host;
	struct frame frame;

	if (complaint == TOO_LARGE)
		return large(site->mac, source, far);
	frame = udp(site->mac, source, complaint == NOT_UNDERSTOOD ? host : far, 9);
	if (complaint == NOT_UNDERSTOOD)
		return with_bad_option(&frame);
	if (complaint == TOO_FAR) {
		frame.bytes[ipv6 ? HOP_LIMIT : TTL] = 1;
		memset(frame.bytes + ETHER + 10, 0, ipv6 ? 0 : 2);
		end_packet(&frame);
	}
	return frame;
}

/* Whether the words come to who is named. A host tells but so much in a moment; here it does not count. */
static bool is_told(const struct site *site, const char *source, enum complaint complaint, int ears)
{
	const struct frame frame = bad_packet(site, source, complaint);

	word_comes(ears, "attacked");
	sends(&site->guest, &frame);
	return word_comes(ears, "attacked");
}

static void speak_freely(void)
{
	set("net.ipv4.icmp_ratemask", 0);
	set("net.ipv6.icmp.ratelimit", 0);
	command("ip link set lan mtu 1300");
}

static void expect_nothing_is_told(const struct site *site, const char *const sources[2], int ears)
{
	for (int guarded = 1; guarded >= 0; guarded--) {
		for (size_t i = 0; i < 2; i++)
			for (enum complaint complaint = 0; complaint < COMPLAINTS; complaint++) {
				bool told = is_told(site, sources[i], complaint, ears);

				if (told == guarded)
					complain(&site->guest, __FILE__, __LINE__,
						"%s, %s, complaint %d, guarded %d: told %d", site->place->network,
						sources[i], complaint, guarded, told);
			}
		if (guarded)
			unguard(site);
	}
}

/* To the LAN, from every network. */
static void test_to_the_lan(void **state)
{
	static const char *const sources[] = {LAN, IPV6_LAN};

	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		struct site site = come_to(&places[i]);

		speak_freely();
		knows("lan", LAN);
		knows("lan", IPV6_LAN);
		expect_nothing_is_told(&site, sources, lan());
		leave(&site);
	}
}

/*
 * To the LAN, behind tags of VLAN 0, which the host takes off as if they were not there: of two it takes the second one
 * off when all programs on the tap have seen the frame (__netif_receive_skb_core, net/core/dev.c).
 */
static void test_behind_tags(void **state)
{
	enum { TAGS = 3 };

	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		struct site site = come_to(&places[i]);

		speak_freely();
		knows("lan", IPV6_LAN);
		for (int guarded = 1; guarded >= 0; guarded--) {
			struct frame frame = bad_packet(&site, IPV6_LAN, NOT_UNDERSTOOD);

			for (int tags = 1; tags <= TAGS; tags++) {
				frame = tagged(&frame, tags == TAGS ? 0x88a8 : 0x8100, 0);
				word_comes(lan(), "attacked");
				sends(&site.guest, &frame);
				if (word_comes(lan(), "attacked") != !guarded)
					complain(&site.guest, __FILE__, __LINE__, "%s, %d tags, guarded %d",
						site.place->network, tags, guarded);
			}
			if (guarded)
				unguard(&site);
		}
		leave(&site);
	}
}

/* To a guest of another network: of `way`, which is the last, and for that one's guests, of lab. */
static void test_to_another_network(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		const struct place *other = &places[i + 1 < PLACES ? PLACES - 1 : 0];
		const char *const sources[] = {other->guest, other->ipv6_guest};
		struct site site = come_to(&places[i]);
		struct result guest = guest_on(other->network);

		speak_freely();
		knows(other->network, other->guest);
		knows(other->network, other->ipv6_guest);
		expect_nothing_is_told(&site, sources, guest.tap);
		guest_ends(&guest);
		leave(&site);
	}
}

/* An error about a packet, to its source, as a neighbour's stack has it for a bad option. */
static struct frame error_about(const struct frame *frame, const struct site *site, const char *source)
{
	struct frame error = packet(site->mac, site->place->ipv6_guest, source, 58);
	const size_t from = error.size;

	put_number(&error, 8, 0x0402000000000028);
	put(&error, frame->bytes + ETHER, frame->size - ETHER);
	put_sum(&error, from + 2, from, sum_of(error.bytes + from - 32, 32, 58 + (uint32_t)(error.size - from)));
	end_packet(&error);
	return error;
}

/*
 * With br_netfilter what guests send each other is a connection to the host. One that a guest of web seems to have
 * begun would let an error about it through to web, whose guests nobody else reaches: to that guest, or to the address
 * that the host has put in its place (masquerading).
 */
static void test_by_a_neighbour(void **state)
{
	const struct place *other = &places[1];

	(void)state;
	if (shell_status("sysctl -qw net.bridge.bridge-nf-call-ip6tables=1 2>/dev/null") != 0)
		cannot_test("no module br_netfilter");
	for (size_t i = 0; i < PLACES; i++) {
		struct site site = {.place = &places[i]};
		struct result neighbour, guest;

		if (!places[i].goes_out || &places[i] == other) /* where guests neither reach each other nor go on */
			continue;
		command("sysctl -qw net.bridge.bridge-nf-call-ip6tables=1");
		site = come_to(&places[i]);
		neighbour = guest_on(places[i].network);
		guest = guest_on(other->network);
		knows(other->network, other->ipv6_guest);
		for (int guarded = 1; guarded >= 0; guarded--) {
			const struct frame first = udp("33:33:00:00:00:01", other->ipv6_guest, "ff02::1", 9);
			const struct frame masked = udp("33:33:00:00:00:01", "fe80::1", "ff02::1", 9);
			const struct frame errors[] = {
				error_about(&first, &site, other->ipv6_guest), error_about(&masked, &site, "fe80::1")};

			forgets(&guest);
			sends(&site.guest, &first);
			sends(&neighbour, &errors[0]);
			sends(&neighbour, &errors[1]);
			EXPECT(&site.guest, hears_word(&guest, "attacked") != guarded);
			if (guarded)
				command("nft flush chain inet tapgate-%s strangers", places[i].network);
		}
		guest_ends(&neighbour);
		guest_ends(&guest);
		leave(&site);
	}
}

/* What a guest may be told, about its own. */
static void test_about_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		struct site site = come_to(&places[i]);

		speak_freely();
		knows(site.interface, site.place->guest);
		knows(site.interface, site.place->ipv6_guest);
		EXPECT(&site.guest, is_told(&site, site.place->guest, TOO_FAR, site.guest.tap));
		EXPECT(&site.guest, is_told(&site, site.place->ipv6_guest, TOO_FAR, site.guest.tap));
		EXPECT(&site.guest, is_told(&site, site.place->guest, TOO_LARGE, site.guest.tap));
		EXPECT(&site.guest, is_told(&site, site.place->ipv6_guest, TOO_LARGE, site.guest.tap));
		leave(&site);
	}
}

/*
 *	guest --- tap1 --- host
 *
 * Hop-by-hop options are for reports of multicast groups, from the link's own addresses: these come in.
 */
static void test_reports_come_in(void **state)
{
	static const char options[] = "\0\1\4\0\0\0\0";
	const struct frame own = udp("33:33:00:00:00:01", "fe80::11", "ff02::1", 9),
			   others = udp("33:33:00:00:00:01", IPV6_LAN, "ff02::1", 9),
			   report = behind(&own, HOP_BY_HOP, options, 8),
			   no_report = behind(&others, HOP_BY_HOP, options, 8);
	struct result guest = guest_on("tap1");
	int ears = type_socket(tap_of(&guest), 0x86dd);

	(void)state;
	sends(&guest, &report);
	EXPECT(&guest, arrived(ears));
	sends(&guest, &no_report);
	EXPECT(&guest, !arrived(ears));
	guest_ends(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_to_the_lan),
		ATTACK(test_behind_tags),
		ATTACK(test_to_another_network),
		ATTACK(test_by_a_neighbour),
		ATTACK(test_about_its_own),
		ATTACK(test_reports_come_in),
	};

	return RUN_TESTS(tests);
}
