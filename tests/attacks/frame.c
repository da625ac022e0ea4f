// SPDX-License-Identifier: MIT
/* Frames, made by hand: a guest is not held to what a kernel's stack would send. */
#include "tests/attacks/attack.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tests/netns/frames.h"

enum { ETHER = 14, IPV4 = 20, IPV6 = 40 };

const char *reserved(unsigned int last)
{
	static char text[18];

	snprintf(text, sizeof(text), "01:80:c2:00:00:%02x", last);
	return text;
}

void put(struct frame *frame, const void *bytes, size_t size)
{
	assert_true(frame->size + size <= sizeof(frame->bytes));
	memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += size;
}

void put_number(struct frame *frame, size_t size, unsigned long number)
{
	for (size_t i = size; i-- > 0;) {
		unsigned char byte = (unsigned char)(number >> 8 * i);

		put(frame, &byte, 1);
	}
}

void put_address(struct frame *frame, const char *address)
{
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	unsigned char bytes[16];

	assert_int_equal(inet_pton(family, address, bytes), 1);
	put(frame, bytes, family == AF_INET6 ? 16 : 4);
}

struct frame ethernet(const char *to, unsigned int type)
{
	struct frame frame = {.size = 0};

	put(&frame, mac_of(to), 6);
	put(&frame, mac_of(GUEST_MAC), 6);
	put_number(&frame, 2, type);
	return frame;
}

struct frame of_type(const char *to, unsigned int type)
{
	struct frame frame = ethernet(to, type);

	frame.size = FRAME_MIN;
	return frame;
}

uint32_t sum_of(const void *bytes, size_t size, uint32_t sum)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

void put_sum(struct frame *frame, size_t at, size_t from, uint32_t sum)
{
	sum = ~sum_of(frame->bytes + from, frame->size - from, sum);
	frame->bytes[at] = (unsigned char)(sum >> 8);
	frame->bytes[at + 1] = (unsigned char)sum;
}

struct frame packet(const char *to, const char *source, const char *destination, unsigned int protocol)
{
	bool ipv6 = strchr(source, ':');
	struct frame frame = ethernet(to, ipv6 ? 0x86dd : 0x0800);

	if (ipv6) {
		put_number(&frame, 6, 0x600000000000);
		put_number(&frame, 2, protocol << 8 | 255);
	} else {
		put_number(&frame, 4, 0x45000000);
		put_number(&frame, 4, 0);
		put_number(&frame, 4, (unsigned long)0x40 << 24 | protocol << 16);
	}
	put_address(&frame, source);
	put_address(&frame, destination);
	return frame;
}

/* The lengths, and IPv4's checksum. */
void end_packet(struct frame *frame)
{
	bool ipv6 = frame->bytes[12] == 0x86;
	size_t length = frame->size - ETHER - (ipv6 ? IPV6 : 0), at = ETHER + (ipv6 ? 4 : 2);

	frame->bytes[at] = (unsigned char)(length >> 8);
	frame->bytes[at + 1] = (unsigned char)length;
	if (!ipv6) {
		uint32_t sum = ~sum_of(frame->bytes + ETHER, (size_t)(frame->bytes[ETHER] & 15) * 4, 0);

		frame->bytes[ETHER + 10] = (unsigned char)(sum >> 8);
		frame->bytes[ETHER + 11] = (unsigned char)sum;
	}
}

struct frame udp(const char *to, const char *source, const char *destination, unsigned int port)
{
	struct frame frame = packet(to, source, destination, 17);
	bool ipv6 = strchr(source, ':');
	size_t from = frame.size, addresses = ipv6 ? 32 : 8;

	put_number(&frame, 2, port);
	put_number(&frame, 2, port);
	put_number(&frame, 2, 16);
	put_number(&frame, 2, 0);
	put(&frame, "attacked", 8);
	put_sum(&frame, from + 6, from, sum_of(frame.bytes + from - addresses, addresses, 17 + 16));
	end_packet(&frame);
	return frame;
}

struct frame arp(const char *to, const char *source, const char *asked)
{
	struct frame frame = ethernet(to, 0x0806);

	put_number(&frame, 8, 0x0001080006040001);
	put(&frame, mac_of(GUEST_MAC), 6);
	put_address(&frame, source);
	put_number(&frame, 6, 0);
	put_address(&frame, asked);
	put_number(&frame, 18, 0);
	return frame;
}

struct frame ra(const char *to)
{
	struct frame frame = packet(to, "fe80::5054:ff:fe12:3456", "ff02::1", 58);
	size_t from = frame.size;

	put_number(&frame, 4, 0x86000000);
	put_number(&frame, 4, 0x40000708); /* the hop limit, and for how many seconds it is a router */
	put_number(&frame, 8, 0);
	put_number(&frame, 4, 0x030440c0); /* a prefix: on the link, and to make addresses of */
	put_number(&frame, 4, 3600);
	put_number(&frame, 4, 3600);
	put_number(&frame, 4, 0);
	put_address(&frame, "2001:db8:bad::");
	put_sum(&frame, from + 2, from, sum_of(frame.bytes + from - 32, 32, 58 + (uint32_t)(frame.size - from)));
	end_packet(&frame);
	return frame;
}

/* A configuration BPDU (IEEE 802.1D, 9.3.1) of a bridge with the best priority there is. */
struct frame bpdu(const char *to)
{
	struct frame frame = ethernet(to, 38);

	put_number(&frame, 3, 0x424203);
	put_number(&frame, 5, 0);
	put(&frame, "\0\0\0\0\0\0\0\1", 8);
	put_number(&frame, 4, 0);
	put(&frame, "\0\0\0\0\0\0\0\1", 8);
	put_number(&frame, 8, 0x8001000014000200);
	put_number(&frame, 10, 0x0f00000000000000 >> 8);
	return frame;
}

struct frame tagged(const struct frame *frame, unsigned int protocol, unsigned int tag)
{
	struct frame result = {.size = 0};

	put(&result, frame->bytes, 12);
	put_number(&result, 2, protocol);
	put_number(&result, 2, tag);
	put(&result, frame->bytes + 12, frame->size - 12);
	return result;
}

struct frame behind(const struct frame *frame, unsigned int header, const void *bytes, size_t size)
{
	struct frame result = {.size = 0};
	const unsigned char next = frame->bytes[ETHER + 6];

	put(&result, frame->bytes, ETHER + IPV6);
	result.bytes[ETHER + 6] = (unsigned char)header;
	put(&result, &next, 1);
	put(&result, bytes, size - 1);
	put(&result, frame->bytes + ETHER + IPV6, frame->size - ETHER - IPV6);
	end_packet(&result);
	return result;
}
