// SPDX-License-Identifier: MIT
/* What tapgate-dhcp answers to the guests of a standalone network (dhcp/serve.c), and what it is told to answer. */
#ifndef DHCP_ANSWER_H
#define DHCP_ANSWER_H

#include "policy/policy.h"

enum {
	ANSWER_OPTIONS_MAX = 512, /* bytes of what answer_words writes: each list has its bound (policy/served.c) */
	ANSWER_MAX = 240 + 128 + ANSWER_OPTIONS_MAX,
};

/* What the guest of a tap is to have. */
struct answer_terms {
	unsigned char host[4], guest[4]; /* network byte order */
	unsigned int prefix;		 /* 1 to 31 */
	uint32_t lease;			 /* seconds */
	const char *name;		 /* of its `guest` line, at most POLICY_LABEL_MAX bytes; NULL: it has none */
	const unsigned char *options;	 /* each a code, a length and its bytes; of length 0: the host's address */
	size_t size;			 /* of them, at most ANSWER_OPTIONS_MAX; they end where one ends */
};

/*
 * The answer to a message of a guest's, whatever stands in it: a function of both. Returns the answer's size; 0: there
 * is none.
 */
size_t answer_make(const unsigned char *message, size_t size, const struct answer_terms *terms,
	unsigned char answer[static ANSWER_MAX]);

/* The hardware address of the client, 6 bytes; NULL: it is no client's message. */
const unsigned char *answer_card(const unsigned char *message, size_t size);

/*
 * Whether an answer goes to the guest's address, which the client says it has; else to everybody behind the tap. To no
 * other address that a client names.
 */
bool answer_is_for_address(const unsigned char answer[static ANSWER_MAX], const struct answer_terms *terms);

#endif
