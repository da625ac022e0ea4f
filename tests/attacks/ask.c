// SPDX-License-Identifier: MIT
/*
 * ask: a DHCP client that need not be honest. Runs in a guest.
 *
 *	ask CARD lease4 [WORD...]	ask for an address and take it: prints it, "refused" or "nothing"
 *	ask CARD release4 [WORD...]	give one back
 *	ask CARD lease6 [WORD...]	DHCPv6: prints how many addresses were given, and the server's identifier
 *	ask CARD release6 [WORD...]
 *	ask CARD claim6 address=ADDRESS	say to all neighbours that an address is the owner's (RFC 4861, 4.4)
 *	ask CARD probe6 address=ADDRESS	ask, as who is about to take it, whether it is free (RFC 4862, 5.4.2)
 *
 * Words: source=MAC (of the frame; else the card's), owner=MAC (whom it asks for; else the source), hlen=N (bytes of
 * the owner's address that count), name=NAME, id=TEXT (the client's identifier), address=ADDRESS and server=ADDRESS (of
 * a release), to=MAC (of the host; else broadcast), relay=ADDRESS (as if a relay had sent it on), tags=N (before the
 * packet, of VLAN 0), parts=N (fragments), count=N and iaid=N (associations of DHCPv6), duid=HEX (the server's),
 * relayed (DHCPv6, by a relay), rapid (DHCPv6, in one message), wait=MILLISECONDS (for an answer; else 2000),
 * pause=MILLISECONDS (between an offer and the request for it).
 */
#include "tests/attacks/ask.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

static void fail(const char *what)
{
	fprintf(stderr, "ask: %s: %m\n", what);
	exit(2);
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

void put(struct frame *frame, const void *data, size_t size)
{
	if (size > sizeof(frame->data) - frame->size)
		fail("frame too long");
	memcpy(frame->data + frame->size, data, size);
	frame->size += size;
}

void put_8(struct frame *frame, unsigned int number)
{
	const unsigned char byte = (unsigned char)number;

	put(frame, &byte, 1);
}

void put_16(struct frame *frame, unsigned int number)
{
	put_8(frame, number >> 8);
	put_8(frame, number);
}

void put_32(struct frame *frame, uint32_t number)
{
	put_16(frame, number >> 16);
	put_16(frame, number);
}

void put_zeros(struct frame *frame, size_t size)
{
	for (; size > 0; size--)
		put_8(frame, 0);
}

void put_number(struct frame *frame, size_t at, unsigned int number)
{
	frame->data[at] = (unsigned char)(number >> 8);
	frame->data[at + 1] = (unsigned char)number;
}

void put_checksum(struct frame *frame, size_t at, size_t from, uint32_t sum)
{
	for (size_t i = from; i < frame->size; i++)
		sum += (i - from) % 2 ? frame->data[i] : (uint32_t)frame->data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put_number(frame, at, ~sum & 0xffff);
}

void begin(const struct ask *ask, struct frame *frame, const unsigned char to[static MAC], unsigned int type)
{
	frame->size = 0;
	put(frame, to, MAC);
	put(frame, ask->source, MAC);
	for (unsigned int i = 0; i < ask->tags; i++)
		put_32(frame, 0x81000000);
	put_16(frame, type);
}

void send_frame(const struct ask *ask, const struct frame *frame)
{
	if (send(ask->socket, frame->data, frame->size, 0) != (ssize_t)frame->size)
		fail("send");
}

int64_t now_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

size_t receive(const struct ask *ask, unsigned int type, unsigned char *packet, size_t size, int64_t deadline)
{
	enum { HEADER = 14 };
	unsigned char frame[65536];
	struct pollfd ready = {.fd = ask->socket, .events = POLLIN};

	for (int64_t left; (left = deadline - now_milliseconds()) > 0;) {
		ssize_t came = poll(&ready, 1, (int)left) > 0 ? recv(ask->socket, frame, sizeof(frame), 0) : 0;
		size_t kept = came > HEADER ? (size_t)came - HEADER : 0;

		if (kept == 0 || (frame[12] << 8 | frame[13]) != (int)type)
			continue;
		kept = kept < size ? kept : size;
		memcpy(packet, frame + HEADER, kept);
		return kept;
	}
	return 0;
}

/* --- words -------------------------------------------------------------------------------------------------------- */

static void open_card(struct ask *ask, const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(0x0003)};
	struct packet_mreq all = {.mr_type = PACKET_MR_PROMISC};
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	address.sll_ifindex = all.mr_ifindex = (int)if_nametoindex(name);
	ask->socket = socket(AF_PACKET, SOCK_RAW, 0);
	if (ask->socket < 0 || !address.sll_ifindex || ioctl(ask->socket, SIOCGIFHWADDR, &request) ||
		setsockopt(ask->socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) ||
		bind(ask->socket, (struct sockaddr *)&address, sizeof(address)))
		fail(name);
	memcpy(ask->card, request.ifr_hwaddr.sa_data, MAC);
}

static void read_mac(const char *text, unsigned char mac[static MAC])
{
	struct ether_addr address;

	if (!ether_aton_r(text, &address))
		fail(text);
	memcpy(mac, &address, MAC);
}

/* The value of a word; NULL if it was not said. */
static const char *value(char **words, const char *name)
{
	size_t size = strlen(name);

	for (; *words; words++) {
		if (strncmp(*words, name, size) == 0 && ((*words)[size] == '=' || !(*words)[size]))
			return *words + size + ((*words)[size] == '=');
	}
	return NULL;
}

static unsigned int number(char **words, const char *name, unsigned int otherwise)
{
	const char *text = value(words, name);

	return text ? (unsigned int)strtoul(text, NULL, 0) : otherwise;
}

static struct ask read_words(const char *card, char **words)
{
	struct ask ask = {.name = value(words, "name"),
		.to = value(words, "to"),
		.identifier = value(words, "id"),
		.address = value(words, "address"),
		.server = value(words, "server"),
		.server_identifier = value(words, "duid"),
		.relayed = value(words, "relayed"),
		.rapid = value(words, "rapid")};
	const char *relay = value(words, "relay"), *source = value(words, "source"), *owner = value(words, "owner");

	open_card(&ask, card);
	memcpy(ask.source, ask.card, MAC);
	if (source)
		read_mac(source, ask.source);
	memcpy(ask.owner, ask.source, MAC);
	if (owner)
		read_mac(owner, ask.owner);
	if (relay)
		inet_pton(AF_INET, relay, &ask.relay);
	ask.hlen = number(words, "hlen", MAC);
	ask.tags = number(words, "tags", 0);
	ask.parts = number(words, "parts", 1);
	ask.count = number(words, "count", 1);
	ask.association = number(words, "iaid", 1);
	ask.patience = number(words, "wait", 2000);
	ask.pause = (int)number(words, "pause", 0);
	return ask;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *word;
		void (*run)(const struct ask *ask);
	} rows[] = {{"lease4", lease4}, {"release4", release4}, {"lease6", lease6}, {"release6", release6},
		{"claim6", claim6}, {"probe6", probe6}};

	for (size_t i = 0; argc > 2 && i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(argv[2], rows[i].word) == 0) {
			const struct ask ask = read_words(argv[1], argv + 3);

			rows[i].run(&ask);
			return 0;
		}
	}
	fprintf(stderr, "ask: no such words; see tests/attacks/ask.c\n");
	return 2;
}
