// SPDX-License-Identifier: MIT
/* DHCPv6 (RFC 8415), as `ask` speaks it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/attacks/ask.h"

enum {
	ETHER = 14,
	IP = 40,
	UDP = 8,
	SOLICIT = 1,
	REQUEST = 3,
	REPLY = 7,
	RELEASE = 8,
	RELAY = 12,
	HEX_MAX = 256,
};

struct answer {
	unsigned int type; /* 0: nothing */
	unsigned int addresses;
	unsigned char first[16]; /* of the addresses */
	unsigned char server[HEX_MAX];
	size_t server_size;
};

static void put_option(struct frame *frame, unsigned int code, const void *data, size_t size)
{
	put_16(frame, code);
	put_16(frame, (unsigned int)size);
	put(frame, data, size);
}

/* An identifier of its own making (nobody looks at what it is made of), or the one made of the owner's address. */
static void put_client(const struct ask *ask, struct frame *message)
{
	unsigned char link[4 + MAC] = {0, 3, 0, 1};

	memcpy(link + 4, ask->owner, MAC);
	if (ask->identifier)
		put_option(message, 1, ask->identifier, strlen(ask->identifier));
	else
		put_option(message, 1, link, sizeof(link));
}

static void put_associations(const struct ask *ask, struct frame *message, const unsigned char *address)
{
	for (unsigned int i = 0; i < ask->count; i++) {
		put_16(message, 3);
		put_16(message, address ? 40 : 12);
		put_32(message, ask->association + i);
		put_zeros(message, 8);
		if (!address)
			continue;
		put_32(message, 5 << 16 | 24);
		put(message, address, 16);
		put_zeros(message, 8);
	}
}

static void put_name(const struct ask *ask, struct frame *message)
{
	size_t size = ask->name ? strlen(ask->name) : 0;

	if (size == 0)
		return;
	put_16(message, 39);
	put_16(message, (unsigned int)size + 3);
	put_8(message, 1);
	put_8(message, (unsigned int)size);
	put(message, ask->name, size);
	put_8(message, 0);
}

static void put_message(const struct ask *ask, struct frame *message, unsigned int type, const struct answer *answer,
	const unsigned char *address)
{
	message->size = 0;
	put_32(message, type << 24 | 0x00abcdef);
	put_client(ask, message);
	if (answer && answer->server_size)
		put_option(message, 2, answer->server, answer->server_size);
	put_associations(ask, message, address);
	put_name(ask, message);
	if (ask->rapid)
		put_option(message, 14, NULL, 0);
}

/* The card's link-local address, which is made of its hardware address (RFC 4291, appendix A). */
static void link_local(const struct ask *ask, unsigned char address[static 16])
{
	memset(address, 0, 16);
	address[0] = 0xfe;
	address[1] = 0x80;
	memcpy(address + 8, ask->card, 3);
	address[8] ^= 2;
	address[11] = 0xff;
	address[12] = 0xfe;
	memcpy(address + 13, ask->card + 3, 3);
}

/* From the card's link-local address; a relay puts a message of its own around it. */
static void send_message(const struct ask *ask, const struct frame *inner)
{
	static const unsigned char all[MAC] = {0x33, 0x33, 0, 1, 0, 2};
	unsigned char from[16], to[16], link[16];
	struct frame frame, relayed = {.size = 0};
	const struct frame *message = ask->relayed ? &relayed : inner;
	size_t header = ETHER + ask->tags * 4;

	link_local(ask, from);
	inet_pton(AF_INET6, "ff02::1:2", to);
	put_16(&relayed, RELAY << 8);
	inet_pton(AF_INET6, "fd00:2::1", link);
	put(&relayed, link, 16); /* the subnet that it asks for: the test's */
	put(&relayed, from, 16);
	put_option(&relayed, 9, inner->data, inner->size);
	begin(ask, &frame, all, 0x86dd);
	put_32(&frame, 6U << 28);
	put_16(&frame, (unsigned int)(UDP + message->size));
	put_16(&frame, 0x1101);
	put(&frame, from, 16);
	put(&frame, to, 16);
	put_16(&frame, ask->relayed ? 547 : 546);
	put_16(&frame, 547);
	put_16(&frame, (unsigned int)(UDP + message->size));
	put_16(&frame, 0);
	put(&frame, message->data, message->size);
	/* The addresses stand right before UDP; the rest of what counts besides is its protocol and size. */
	put_checksum(&frame, header + IP + 6, header + 8, 17 + (uint32_t)(UDP + message->size));
	send_frame(ask, &frame);
}

static unsigned int number(const unsigned char *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static void take_options(const unsigned char *at, const unsigned char *end, struct answer *answer)
{
	for (; at + 4 <= end && at + 4 + number(at + 2) <= end; at += 4 + number(at + 2)) {
		unsigned int code = number(at), size = number(at + 2);

		if (code == 2 && size <= sizeof(answer->server)) {
			memcpy(answer->server, at + 4, size);
			answer->server_size = size;
		} else if (code == 3 && size > 12) {
			take_options(at + 16, at + 4 + size, answer);
		} else if (code == 5 && size >= 24) {
			if (answer->addresses++ == 0)
				memcpy(answer->first, at + 4, 16);
		}
	}
}

static struct answer hear(const struct ask *ask)
{
	int64_t deadline = now_milliseconds() + ask->patience;
	struct answer answer = {.type = 0};
	unsigned char packet[FRAME_MAX];
	size_t size;

	while (answer.type == 0 && (size = receive(ask, 0x86dd, packet, sizeof(packet), deadline)) > 0) {
		if (size < IP + UDP + 4 || packet[6] != 17 || number(packet + IP) != 547 ||
			packet[IP + UDP + 1] != 0xab)
			continue;
		answer.type = packet[IP + UDP];
		take_options(packet + IP + UDP + 4, packet + size, &answer);
	}
	return answer;
}

void lease6(const struct ask *ask)
{
	char text[INET6_ADDRSTRLEN];
	struct frame message;
	struct answer answer;

	put_message(ask, &message, SOLICIT, NULL, NULL);
	send_message(ask, &message);
	answer = hear(ask);
	if (answer.type && answer.type != REPLY) {
		put_message(ask, &message, REQUEST, &answer, NULL);
		send_message(ask, &message);
		answer = hear(ask);
	}
	if (answer.type != REPLY) {
		puts("nothing");
		return;
	}
	printf("%u %s ", answer.addresses, inet_ntop(AF_INET6, answer.first, text, sizeof(text)));
	for (size_t i = 0; i < answer.server_size; i++)
		printf("%02x", answer.server[i]);
	putchar('\n');
}

void release6(const struct ask *ask)
{
	struct answer server = {.type = 0};
	unsigned char address[16];
	struct frame message;

	for (const char *at = ask->server_identifier; at && at[0] && at[1]; at += 2)
		server.server[server.server_size++] = (unsigned char)strtoul((char[]){at[0], at[1], '\0'}, NULL, 16);
	inet_pton(AF_INET6, ask->address, address);
	put_message(ask, &message, RELEASE, &server, address);
	send_message(ask, &message);
}

/*
 * A message of neighbour discovery about an address: to all, with the owner's hardware address behind it, or to those
 * who might have the address (RFC 4291, 2.7.1).
 */
static void send_discovery(const struct ask *ask, unsigned int type, const unsigned char from[static 16])
{
	unsigned char group[MAC] = {0x33, 0x33, 0, 0, 0, 1}, to[16], target[16];
	const bool claims = type == 136;
	const unsigned int size = claims ? 32 : 24;
	struct frame frame;

	inet_pton(AF_INET6, claims ? "ff02::1" : "ff02::1:ff00:0", to);
	inet_pton(AF_INET6, ask->address, target);
	if (!claims)
		memcpy(to + 13, target + 13, 3);
	memcpy(group + 2, to + 12, 4);
	begin(ask, &frame, group, 0x86dd);
	put_32(&frame, 6U << 28);
	put_16(&frame, size);
	put_16(&frame, 0x3aff);
	put(&frame, from, 16);
	put(&frame, to, 16);
	put_32(&frame, type << 24);
	put_32(&frame, claims ? 0x20000000 : 0); /* it overrides what was known */
	put(&frame, target, 16);
	if (claims) {
		put_16(&frame, 0x0201);
		put(&frame, ask->owner, MAC);
	}
	put_checksum(&frame, ETHER + IP + 2, ETHER + 8, 58 + size);
	send_frame(ask, &frame);
}

void claim6(const struct ask *ask)
{
	unsigned char from[16];

	link_local(ask, from);
	send_discovery(ask, 136, from);
}

void probe6(const struct ask *ask)
{
	send_discovery(ask, 135, (const unsigned char[16]){0});
}
