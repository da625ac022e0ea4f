// SPDX-License-Identifier: MIT
/*
 * What a guest asks the host to pass on to the LAN, and how that says which way it goes and whom it is from.
 *
 *	guest --- tap --- (lab, web, tap1, pub, way) --- host --- lan --- 192.0.2.50, 2001:db8:1::50
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ETHER = 14, IPV4 = 20 };

/* A frame of IPv4 that says itself which way it goes (RFC 791, loose source and record route). */
static struct frame source_routed(const char *to, const char *source, const char *by, const char *destination)
{
	const struct frame frame = udp(to, source, by, 9);
	struct frame result = {.size = 0};

	put(&result, frame.bytes, ETHER + IPV4);
	put_number(&result, 4, 0x01830704);
	put_address(&result, destination);
	put(&result, frame.bytes + ETHER + IPV4, frame.size - ETHER - IPV4);
	result.bytes[ETHER] = 0x47;
	memset(result.bytes + ETHER + 10, 0, 2);
	end_packet(&result);
	return result;
}

/* The same of IPv6, as a segment routing header (RFC 8754). */
static struct frame segment_routed(const char *to, const char *source, const char *by, const char *destination)
{
	const struct frame frame = udp(to, source, by, 9);
	struct frame header = {.size = 0};

	put_number(&header, 7, 0x04040101000000);
	put_address(&header, destination);
	put_address(&header, by);
	return behind(&frame, 43, header.bytes, header.size);
}

/* Whether any frame with the word came out on the LAN's cable; and with this source, if one is given. */
static bool leaves(const char *source)
{
	unsigned char frame[4096];
	struct frame address = {.size = 0};
	bool any = false;
	ssize_t size;

	if (source)
		put_address(&address, source);
	settle();
	while ((size = read(lan(), frame, sizeof(frame))) > 0)
		any |= memmem(frame, (size_t)size, "attacked", 8) &&
		       (!source || memmem(frame, (size_t)size, address.bytes, address.size));
	return any;
}

/* To the LAN, straight on or by source routing, which the host here is set to obey. */
static void test_to_the_lan(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		const struct place *place = &places[i];
		struct site site = come_to(place);
		const char *interface = site.interface, *to = site.mac;
		const struct frame frames[] = {
			udp(to, place->guest, "192.0.2.50", 9),
			udp(to, place->ipv6_guest, "2001:db8:1::50", 9),
			source_routed(to, place->guest, place->host, "192.0.2.50"),
			segment_routed(to, place->ipv6_guest, place->ipv6_host, "2001:db8:1::50"),
		};
		command("sysctl -qw net.ipv4.conf.all.accept_source_route=1 net.ipv4.conf.%s.accept_source_route=1",
			interface);
		if (shell_status(
			    "sysctl -qw net.ipv6.conf.all.seg6_enabled=1 net.ipv6.conf.%s.seg6_enabled=1", interface))
			cannot_test("this kernel does not route by segments");
		knows("lan", "192.0.2.50");
		knows("lan", "2001:db8:1::50");
		for (int guarded = 1; guarded >= 0; guarded--) {
			for (size_t j = 0; j < COUNT(frames); j++) {
				leaves(NULL);
				sends(&site.guest, &frames[j]);
				EXPECT(&site.guest, leaves(NULL) == !guarded || place->goes_out);
			}
			if (guarded)
				without_guard(place->network);
		}
		leave(&site);
	}
}

/* What a guest sends to the LAN from an address, its own or a stranger's, with the guard or without. */
static void goes_in_a_name(const struct site *site, const char *source, bool is_own, bool guarded)
{
	const struct place *place = site->place;
	const bool ipv6 = strchr(source, ':'), own = is_own && guarded;
	const char *peer = ipv6 ? "2001:db8:1::50" : "192.0.2.50", *host = ipv6 ? "2001:db8:1::1" : "192.0.2.1";
	const char *name = own && !place->lan_comes ? host : source;
	const struct frame frame = udp(site->mac, source, peer, 9), answer = udp(mac_on("lan"), peer, name, 9);

	knows("lan", peer);
	leaves(NULL);
	sends(&site->guest, &frame);
	EXPECT(&site->guest, leaves(own || !guarded ? name : NULL) == (own || !guarded));
	if (!own)
		return;
	knows(place->network, source);
	forgets(&site->guest);
	assert_int_equal(write(lan(), answer.bytes, answer.size), answer.size);
	EXPECT(&site->guest, hears_word(&site->guest, "attacked"));
}

/* By nat and shared in the host's name, by routed in its own, or not at all; and the answer to that comes back. */
static void test_in_a_strangers_name(void **state)
{
	static const char *const strangers[] = {
		"192.0.2.77", "10.99.0.1", "172.16.5.11", "2001:db8:1::77", "fd00:99::1", "fd00:5::11"};

	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		const struct place *place = &places[i];
		const char *sources[COUNT(strangers) + 2] = {place->guest, place->ipv6_guest};
		struct site site;

		if (!place->goes_out)
			continue;
		memcpy(sources + 2, strangers, sizeof(strangers));
		site = come_to(place);
		for (int guarded = 1; guarded >= 0; guarded--) {
			for (size_t j = guarded ? 0 : 2; j < COUNT(sources); j++)
				goes_in_a_name(&site, sources[j], j < 2, guarded);
			if (guarded)
				without_guard(place->network);
		}
		leave(&site);
	}
}

/* What other programs of root's may have in the firewall, or an administrator for something else. */
static const char *const others[] = {
	"table inet others { chain early { type filter hook forward priority -400; policy accept; accept; }; }",
	"table inet others { chain raw { type filter hook prerouting priority raw; notrack; }; }",
	"table ip x { chain a { type nat hook prerouting priority -100; iifname lan udp dport 9 dnat to $guest; }; }",
};

/*
 * Others' early accept and notrack change nothing of who reaches whom. A DNAT rule is a way in that the administrator
 * made, where the mode has ways in: who comes by it reaches the guest, and is answered.
 */
static void test_beside_others_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES * COUNT(others); i++) {
		const struct place *place = &places[i / COUNT(others)];
		struct site site = come_to(place);
		const struct result *guest = &site.guest;
		const struct frame out = udp(site.mac, place->guest, "192.0.2.50", 9);
		/* By DNAT to the host's address, else straight on. */
		const struct frame in =
			udp(mac_on("lan"), "192.0.2.50", i % COUNT(others) == 2 ? "192.0.2.1" : place->guest, 9);
		const bool led_in = place->lan_comes || (i % COUNT(others) == 2 && strcmp(place->network, "tap1") != 0);

		command("printf '%%s\\n' 'define guest = %s' 'table inet others { }' 'table ip x { }' '%s' "
			">/run/tmp/others.nft && nft -f /run/tmp/others.nft",
			place->guest, others[i % COUNT(others)]);
		knows("lan", "192.0.2.50");
		knows(site.interface, place->guest);
		for (int guarded = 1; guarded >= 0; guarded--) {
			forgets(guest);
			assert_int_equal(write(lan(), in.bytes, in.size), in.size);
			/*
			 * The control, and the way in, are the first network's: on others an earlier flow of the
			 * guest's may be in its way.
			 */
			EXPECT(guest, hears_word(guest, "attacked") == (!guarded || led_in) ||
					      (i >= COUNT(others) && (!guarded || led_in)));
			leaves(NULL);
			sends(guest, &out);
			EXPECT(guest, leaves(NULL) == (!guarded || place->goes_out));
			if (guarded)
				without_guard(place->network);
		}
		leave(&site);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_to_the_lan),
		ATTACK(test_in_a_strangers_name),
		ATTACK(test_beside_others_rules),
	};

	return RUN_TESTS(tests);
}
