/*
 * What a guest asks the host to pass on to the LAN, and how that says which way it goes and whom it is from.
 *
 *	guest --- tap --- (lab, web, tap1) --- host --- lan --- 192.0.2.50, 2001:db8:1::50
 */
#include "tests/attacks/attack.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ETHER = 14, IPV4 = 20 };

static const struct place {
	const char *network, *host, *guest, *ipv6_host, *ipv6_guest;
} places[] = {
	{"lab", "172.16.5.1", "172.16.5.11", "fd00:5::1", "fd00:5::11"},
	{"web", "10.77.0.1", "10.77.0.11", "fd00:77::1", "fd00:77::11"},
	{"tap1", "172.16.2.1", "172.16.2.2", "fd00:2::1", "fd00:2::2"},
};

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
	while ((size = read(lan(), frame, sizeof(frame))) > 0)
		any |= memmem(frame, (size_t)size, "attacked", 8) &&
		       (!source || memmem(frame, (size_t)size, address.bytes, address.size));
	return any;
}

/* To the LAN, straight on or by source routing, which the host here is set to obey. */
static void test_to_the_lan(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		const struct place *place = &places[i];
		struct result guest = guest_on(place->network);
		const char *interface = i < 2 ? place->network : tap_of(&guest), *to = mac_on(interface);
		const struct frame frames[] = {
			udp(to, place->guest, "192.0.2.50", 9),
			udp(to, place->ipv6_guest, "2001:db8:1::50", 9),
			source_routed(to, place->guest, place->host, "192.0.2.50"),
			segment_routed(to, place->ipv6_guest, place->ipv6_host, "2001:db8:1::50"),
		};
		bool nat = strcmp(place->network, "web") == 0;

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
				sends(&guest, &frames[j]);
				EXPECT(&guest, leaves(NULL) == !guarded || nat); /* which reaches the LAN anyway */
			}
			if (guarded)
				without_guard(place->network);
		}
		give_back(&guest);
		close_host(NULL);
		open_host(NULL);
	}
}

/* By nat, in the host's name or not at all; and the answer to that comes back. */
static void test_in_a_strangers_name(void **state)
{
	static const char *const sources[] = {"10.77.0.11", "192.0.2.77", "10.99.0.1", "172.16.5.11", "fd00:77::11",
		"2001:db8:1::77", "fd00:99::1", "fd00:5::11"};
	struct result guest = guest_on("web");
	const char *to = mac_on("web");
	(void)state;
	knows("lan", "192.0.2.50");
	knows("lan", "2001:db8:1::50");
	for (int guarded = 1; guarded >= 0; guarded--) {
		for (size_t i = 0; i < COUNT(sources); i++) {
			bool ipv6 = strchr(sources[i], ':');
			const struct frame frame = udp(to, sources[i], ipv6 ? "2001:db8:1::50" : "192.0.2.50", 9);
			const char *hosts = ipv6 ? "2001:db8:1::1" : "192.0.2.1";
			const struct frame answer =
				udp(mac_on("lan"), ipv6 ? "2001:db8:1::50" : "192.0.2.50", hosts, 9);
			bool own = guarded && (i == 0 || i == 4);

			sends(&guest, &frame);
			EXPECT(&guest, leaves(own ? hosts : guarded ? NULL : sources[i]) == (own || !guarded));
			if (!own)
				continue;
			knows("web", sources[i]);
			forgets(&guest);
			assert_int_equal(write(lan(), answer.bytes, answer.size), answer.size);
			EXPECT(&guest, hears_word(&guest, "attacked"));
		}
		if (guarded)
			command("nft delete table inet tapgate-web");
	}
	give_back(&guest);
}

/* What other programs of root's may have in the firewall, or an administrator for something else. */
static const char *const others[] = {
	"table inet others { chain early { type filter hook forward priority -400; policy accept; accept; }; }",
	"table inet others { chain raw { type filter hook prerouting priority raw; notrack; }; }",
	"table ip x { chain a { type nat hook prerouting priority -100; iifname lan udp dport 9 dnat to $guest; }; }",
};

/* Others' early accept, notrack and DNAT change nothing of who reaches whom. */
static void test_beside_others_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(places) * COUNT(others); i++) {
		const struct place *place = &places[i / COUNT(others)];
		struct result guest = guest_on(place->network);
		const char *interface = i / COUNT(others) < 2 ? place->network : tap_of(&guest);
		const struct frame out = udp(mac_on(interface), place->guest, "192.0.2.50", 9);
		/* By DNAT to the host's address, else straight on. */
		const struct frame in =
			udp(mac_on("lan"), "192.0.2.50", i % COUNT(others) == 2 ? "192.0.2.1" : place->guest, 9);
		const bool nat = strcmp(place->network, "web") == 0;

		command("printf '%%s\\n' 'define guest = %s' 'table inet others { }' 'table ip x { }' '%s' "
			">/run/tmp/others.nft && nft -f /run/tmp/others.nft",
			place->guest, others[i % COUNT(others)]);
		knows("lan", "192.0.2.50");
		knows(interface, place->guest);
		for (int guarded = 1; guarded >= 0; guarded--) {
			forgets(&guest);
			assert_int_equal(write(lan(), in.bytes, in.size), in.size);
			/*
			 * The control is the first network's: on others an earlier flow of the guest's may be in its
			 * way.
			 */
			EXPECT(&guest, hears_word(&guest, "attacked") == !guarded || (i >= COUNT(others) && !guarded));
			leaves(NULL);
			sends(&guest, &out);
			EXPECT(&guest, leaves(NULL) == (!guarded || nat));
			if (guarded)
				without_guard(place->network);
		}
		give_back(&guest);
		close_host(NULL);
		open_host(NULL);
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
