// SPDX-License-Identifier: MIT
/* What the two halves of `ask` share: see ask.c. */
#ifndef TESTS_ATTACKS_ASK_H
#define TESTS_ATTACKS_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAC = 6, FRAME_MAX = 1500 };

struct ask {
	int socket;
	unsigned char card[MAC];	       /* the card's own hardware address */
	unsigned char source[MAC], owner[MAC]; /* the frame's source; whom it asks for */
	unsigned int hlen, tags, parts;	       /* of owner; tags to put before; IP fragments to send it in */
	uint32_t relay;			       /* giaddr, network byte order */
	const char *name, *to;		       /* host name; the host's hardware address, else broadcast */
	const char *identifier;		       /* of a client, DHCP or DHCPv6, as text; NULL: none, or the owner's */
	const char *address, *server, *server_identifier; /* to release; server_identifier: in hexadecimal */
	unsigned int count, association; /* DHCPv6: associations in a message, the first one's number */
	unsigned int patience;		 /* milliseconds to wait for an answer */
	int pause;			 /* milliseconds between an offer and the request for it */
	bool relayed, rapid;
};

/* A frame being put together. */
struct frame {
	unsigned char data[FRAME_MAX];
	size_t size;
};

void put(struct frame *frame, const void *data, size_t size);
void put_8(struct frame *frame, unsigned int number);
void put_16(struct frame *frame, unsigned int number);
void put_32(struct frame *frame, uint32_t number);
void put_zeros(struct frame *frame, size_t size);
void put_number(struct frame *frame, size_t at, unsigned int number); /* 16 bits, over what is there */

/* The Internet's checksum (RFC 1071) of what is there from `from` on, beginning with `sum`; written to `at`. */
void put_checksum(struct frame *frame, size_t at, size_t from, uint32_t sum);

/* Ethernet's header, with as many tags of VLAN 0 as are asked for. */
void begin(const struct ask *ask, struct frame *frame, const unsigned char to[static MAC], unsigned int type);
void send_frame(const struct ask *ask, const struct frame *frame);

/* The next frame with this type, without its Ethernet header; 0 when time is up. deadline: of clock_milliseconds. */
size_t receive(const struct ask *ask, unsigned int type, unsigned char *packet, size_t size, int64_t deadline);
int64_t now_milliseconds(void);

/* The words: lease4 and release4 (ask4.c), lease6 and release6 (ask6.c). They print what came of it. */
void lease4(const struct ask *ask);
void release4(const struct ask *ask);
void lease6(const struct ask *ask);
void release6(const struct ask *ask);
void claim6(const struct ask *ask);
void probe6(const struct ask *ask);

#endif
