// SPDX-License-Identifier: MIT
/* Netlink answers, made byte by byte: for tests of what link/ reads. cmocka.h, and what it needs, goes before this. */
#ifndef TESTS_UNIT_DATAGRAM_H
#define TESTS_UNIT_DATAGRAM_H

#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>

#include "link/exchange.h"

enum { SEQUENCE = 7, PORT = 4711 };

/* A datagram under construction. */
struct datagram {
	_Alignas(8) unsigned char bytes[4096];
	size_t size;
	struct nlmsghdr *message; /* the last one begun */
};

static inline struct nlmsghdr *begin(struct datagram *d, uint16_t type)
{
	d->message = (struct nlmsghdr *)(void *)(d->bytes + d->size);
	*d->message = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = type, .nlmsg_seq = SEQUENCE, .nlmsg_pid = PORT};
	d->size += NLMSG_HDRLEN;
	return d->message;
}

static inline void put(struct datagram *d, const void *data, size_t size)
{
	memcpy(d->bytes + d->size, data, size);
	d->message->nlmsg_len += (uint32_t)NLMSG_ALIGN(size);
	d->size += NLMSG_ALIGN(size);
}

static inline void attribute(struct datagram *d, uint16_t type, const void *data, size_t size)
{
	const struct nlattr header = {.nla_len = (uint16_t)(sizeof(struct nlattr) + size), .nla_type = type};

	put(d, &header, sizeof(header));
	put(d, data, size);
}

static inline void text(struct datagram *d, uint16_t type, const char *value)
{
	attribute(d, type, value, strlen(value) + 1);
}

static inline void number(struct datagram *d, uint16_t type, uint32_t value)
{
	attribute(d, type, &value, sizeof(value));
}

/* An attribute that holds others: those that are put between the two. */
static inline size_t open_nest(struct datagram *d, uint16_t type)
{
	attribute(d, type, "", 0);
	return d->size - sizeof(struct nlattr);
}

static inline void close_nest(struct datagram *d, size_t nest)
{
	struct nlattr header;

	memcpy(&header, d->bytes + nest, sizeof(header));
	header.nla_len = (uint16_t)(d->size - nest);
	memcpy(d->bytes + nest, &header, sizeof(header));
}

static inline void error(struct datagram *d, int code)
{
	const struct nlmsgerr body = {.error = code};

	begin(d, NLMSG_ERROR);
	put(d, &body, sizeof(body));
}

/* Read the datagram as the answer to one question. */
static inline int read_with(struct datagram *d, bool (*take)(void *, struct nlmsghdr *), void *reader)
{
	struct reply reply = {.sequence = SEQUENCE, .port = PORT, .take = take, .context = reader};

	return reply_read(&reply, d->bytes, d->size);
}

#endif
