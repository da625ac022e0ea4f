// SPDX-License-Identifier: MIT
/*
 * Errors of ICMP's, which quote a packet of somebody's, and have the host change what it knows of that connection: of
 * guests' they are heard if they are about connections with guests of that network. And none go out, to the LAN, that
 * belong to no connection, as those would not be masqueraded.
 *
 *	guest --- tap --- (lab, web, tap1, pub, way) --- host --- lan --- 192.0.2.50, 2001:db8:1::50
 */
#include "tests/attacks/attack.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/netns/frames.h"

enum { ETHER = 14, IPV4 = 20, IPV6 = 40, ICMP = 1, ICMPV6 = 58, MTU = 1300, PORT = 7777 };

#define LAN	 "192.0.2.50"
#define IPV6_LAN "2001:db8:1::50"

/* An error that a packet was too large, with the packet: an echo of ICMP's, or UDP. */
static struct frame too_big(const char *to, const char *source, const char *destination, const struct frame *quoted)
{
	bool ipv6 = strchr(source, ':');
	struct frame frame = packet(to, source, destination, ipv6 ? ICMPV6 : ICMP);
	size_t from = frame.size;

	put_number(&frame, 4, ipv6 ? 0x02000000 : 0x03040000);
	put_number(&frame, 4, MTU);
	put(&frame, quoted->bytes + ETHER, quoted->size - ETHER);
	put_sum(&frame, from + 2, from,
		ipv6 ? sum_of(frame.bytes + from - 32, 32, ICMPV6 + (uint32_t)(frame.size - from)) : 0);
	end_packet(&frame);
	return frame;
}

/* An answer to an echo, which a host's kernel sends to whoever asks: it knows of no connection. */
static struct frame echo(const char *source, const char *destination)
{
	struct frame frame = packet(ALL, source, destination, strchr(source, ':') ? ICMPV6 : ICMP);

	put_number(&frame, 8, strchr(source, ':') ? 0x8100000000070001 : 0x0000000000070001);
	put(&frame, "attacked", 8);
	end_packet(&frame);
	return frame;
}

/* Whether the host has another MTU for the way to an address than its interface's; forgotten again. */
static bool is_narrow(const char *address)
{
	bool narrow = shell_status("ip route get %s | grep -q 'mtu %d'", address, MTU) == 0;

	command("ip route flush cache; ip -6 route flush cache");
	return narrow;
}

/* A UDP connection of the host's, from a port to the same one. */
static void connect_host(const char *source, const char *destination, unsigned int port)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(source, NULL, &address);
	int fd = udp_socket(address.ss_family, port);

	address_of(destination, NULL, &address);
	((struct sockaddr_in *)(void *)&address)->sin_port = htons((uint16_t)port);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(send(fd, "attacked", 8, 0), 8);
}

/*
 * A guest says that the way to somebody in the LAN is narrow, and quotes what the host sent there: an echo's answer,
 * which takes no proof, and a packet of a connection that there is.
 */
static void test_of_the_hosts(void **state)
{
	static const char *const hosts[] = {"192.0.2.1", "2001:db8:1::1"}, *const peers[] = {LAN, IPV6_LAN};

	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		const struct place *place = &places[i];
		struct site site = come_to(place);

		for (size_t j = 0; j < COUNT(hosts); j++) {
			knows("lan", peers[j]);
			connect_host(hosts[j], peers[j], PORT);
		}
		for (int guarded = 1; guarded >= 0; guarded--) {
			for (size_t j = 0; j < COUNT(hosts); j++) {
				const char *source = j ? place->ipv6_guest : place->guest;
				const struct frame quoted[] = {
					echo(hosts[j], peers[j]), udp(ALL, hosts[j], peers[j], PORT)};

				for (size_t k = 0; k < COUNT(quoted); k++) {
					const struct frame error = too_big(site.mac, source, hosts[j], &quoted[k]);

					sends(&site.guest, &error);
					EXPECT(&site.guest, is_narrow(peers[j]) != guarded);
				}
			}
			if (guarded)
				without_guard(place->network);
		}
		leave(&site);
	}
}

/* What a guest may say: that the way to itself is narrow, which the host then has sent to it, whoever began. */
static void test_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * PLACES; i++) {
		const struct place *place = &places[i / 2];
		bool guest_begins = i % 2;
		struct site site = come_to(place);
		const char *const hosts[] = {place->host, place->ipv6_host};
		const char *const guests[] = {place->guest, place->ipv6_guest};

		for (size_t j = 0; j < COUNT(hosts); j++) {
			const struct frame quoted = udp(ALL, hosts[j], guests[j], PORT);
			const struct frame error = too_big(site.mac, guests[j], hosts[j], &quoted);
			const struct frame first = udp(site.mac, guests[j], hosts[j], PORT);

			if (!place->host_comes && !guest_begins) /* nobody else does there */
				continue;
			knows(site.interface, guests[j]);
			if (guest_begins) {
				udp_socket(j ? AF_INET6 : AF_INET, PORT);
				sends(&site.guest, &first);
			} else {
				connect_host(hosts[j], guests[j], PORT);
			}
			sends(&site.guest, &error);
			EXPECT(&site.guest, is_narrow(guests[j]));
		}
		leave(&site);
	}
}

/* --- and beyond the host ------------------------------------------------------------------------------------------ */

/* An error of no connection, from a guest of nat or shared to the LAN: it would go in the guest's own name. */
static void test_without_a_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		const struct place *place = &places[i];
		const struct frame pings[] = {echo(LAN, place->guest), echo(IPV6_LAN, place->ipv6_guest)};
		struct site site;

		if (!place->goes_out || place->lan_comes)
			continue;
		site = come_to(place);
		knows("lan", LAN);
		knows("lan", IPV6_LAN);
		for (int guarded = 1; guarded >= 0; guarded--) {
			for (size_t j = 0; j < COUNT(pings); j++) {
				const struct frame error = too_big(
					site.mac, j ? place->ipv6_guest : place->guest, j ? IPV6_LAN : LAN, &pings[j]);

				sends(&site.guest, &error);
				EXPECT(&site.guest, word_comes(lan(), "attacked") != guarded);
			}
			if (guarded)
				command("table='inet tapgate-%s' && handle=$(nft -a list chain $table forward | sed -n "
					"'s/.*ct state invalid.*handle //p') && "
					"nft delete rule $table forward handle $handle",
					place->network);
		}
		leave(&site);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_of_the_hosts),
		ATTACK(test_of_its_own),
		ATTACK(test_without_a_connection),
	};

	return RUN_TESTS(tests);
}
