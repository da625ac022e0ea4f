// SPDX-License-Identifier: MIT
/* DHCP (RFC 2131, 2132), as `ask` speaks it. */
#include <arpa/inet.h>
#include <netinet/ether.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "tests/attacks/ask.h"

enum {
	ETHER = 14,
	IP = 20,
	UDP = 8,
	OPTIONS = 240, /* where they begin in a message */
	DISCOVER = 1,
	OFFER = 2,
	REQUEST = 3,
	ACK = 5,
	RELEASE = 7,
};

/* What a server answered. */
struct answer {
	unsigned int type; /* 0: nothing */
	unsigned char address[4], server[4];
};

static void put_option(struct frame *frame, unsigned int code, const void *data, size_t size)
{
	put_8(frame, code);
	put_8(frame, (unsigned int)size);
	put(frame, data, size);
}

/* A message without its options' end. */
static void put_message(const struct ask *ask, struct frame *message, uint32_t xid, unsigned int type)
{
	const unsigned char kind = (unsigned char)type;
	unsigned char mine[4] = {0};

	message->size = 0;
	if (type == RELEASE)
		inet_pton(AF_INET, ask->address, mine);
	put_32(message, 0x01010000 | ask->hlen << 8);
	put_32(message, xid);
	put_32(message, type == RELEASE ? 0 : 0x8000);
	put(message, mine, 4);
	put_zeros(message, 8);
	put(message, &ask->relay, 4);
	put(message, ask->owner, MAC);
	/* What is behind an address counts when the message says that it is longer. */
	for (unsigned int i = MAC; i < 16; i++)
		put_8(message, ask->hlen > i ? xid & 0xff : 0);
	put_zeros(message, 192);
	put_32(message, 0x63825363);
	put_option(message, 53, &kind, 1);
	if (ask->name)
		put_option(message, 12, ask->name, strlen(ask->name));
	if (ask->identifier)
		put_option(message, 61, ask->identifier, strlen(ask->identifier));
}

/* UDP and IP around it, from nobody in particular; in parts, where that is asked for. */
static void send_message(const struct ask *ask, struct frame *message, const char *from, const char *to)
{
	struct ether_addr host;
	struct frame frame, udp = {.size = 0};
	size_t step, header = ETHER + ask->tags * 4;

	put_8(message, 255);
	put_zeros(message, message->size < 300 ? 300 - message->size : 0);
	put_16(&udp, ask->relay ? 67 : 68);
	put_16(&udp, 67);
	put_16(&udp, (unsigned int)(UDP + message->size));
	put_16(&udp, 0);
	put(&udp, message->data, message->size);
	step = (udp.size / ask->parts + 7) / 8 * 8;
	memset(&host, 0xff, sizeof(host));
	if (ask->to)
		ether_aton_r(ask->to, &host);
	for (size_t at = 0; at < udp.size; at += step) {
		size_t size = udp.size - at < step ? udp.size - at : step;
		unsigned char address[4];

		begin(ask, &frame, (const unsigned char *)&host, 0x0800);
		put_16(&frame, 0x4500);
		put_16(&frame, (unsigned int)(IP + size));
		put_16(&frame, 77);
		put_16(&frame, (unsigned int)(at / 8) | (at + size < udp.size ? 0x2000 : 0));
		put_32(&frame, 0x40110000);
		inet_pton(AF_INET, from, address);
		put(&frame, address, 4);
		inet_pton(AF_INET, to, address);
		put(&frame, address, 4);
		put_checksum(&frame, header + 10, header, 0);
		put(&frame, udp.data + at, size);
		send_frame(ask, &frame);
	}
}

/* Whether a packet is a server's answer to this question. */
static bool take(const unsigned char *packet, size_t size, uint32_t xid, struct answer *answer)
{
	const unsigned char *message = packet + IP + UDP;
	uint32_t theirs;

	if (size < IP + UDP + OPTIONS || packet[9] != 17 || packet[IP + 1] != 67)
		return false;
	memcpy(&theirs, message + 4, 4);
	if (theirs != htonl(xid))
		return false;
	memcpy(answer->address, message + 16, 4);
	for (size_t at = IP + UDP + OPTIONS; at + 1 < size && packet[at] != 255; at += 2U + packet[at + 1]) {
		if (packet[at] == 53)
			answer->type = packet[at + 2];
		else if (packet[at] == 54)
			memcpy(answer->server, packet + at + 2, 4);
	}
	return true;
}

static struct answer hear(const struct ask *ask, uint32_t xid)
{
	int64_t deadline = now_milliseconds() + ask->patience;
	struct answer answer = {.type = 0};
	unsigned char packet[FRAME_MAX];
	size_t size;

	while ((size = receive(ask, 0x0800, packet, sizeof(packet), deadline)) > 0 && !take(packet, size, xid, &answer))
		;
	return answer;
}

void lease4(const struct ask *ask)
{
	struct frame message;
	struct answer answer;
	char address[INET_ADDRSTRLEN];
	uint32_t xid;

	if (getrandom(&xid, sizeof(xid), 0) != sizeof(xid))
		return;
	put_message(ask, &message, xid, DISCOVER);
	send_message(ask, &message, "0.0.0.0", "255.255.255.255");
	answer = hear(ask, xid);
	if (answer.type == OFFER) {
		poll(NULL, 0, ask->pause);
		put_message(ask, &message, xid, REQUEST);
		put_option(&message, 50, answer.address, 4);
		put_option(&message, 54, answer.server, 4);
		send_message(ask, &message, "0.0.0.0", "255.255.255.255");
		answer = hear(ask, xid);
	}
	puts(answer.type == ACK ? inet_ntop(AF_INET, answer.address, address, sizeof(address))
		: answer.type	? "refused"
				: "nothing");
}

void release4(const struct ask *ask)
{
	struct frame message;
	unsigned char server[4];

	put_message(ask, &message, 1, RELEASE);
	inet_pton(AF_INET, ask->server, server);
	put_option(&message, 54, server, 4);
	send_message(ask, &message, ask->address, ask->server);
}
