/* Reading what the kernel answers. Apart from the socket, so that it can be fed anything. */
#ifndef LINK_REPLY_H
#define LINK_REPLY_H

#include <stddef.h>

#include "link/link.h"

/* An answer being read, over one or more datagrams. */
struct reply {
	uint32_t sequence, port; /* of the request, and of our socket */
	bool dump;		 /* a list is expected; else one interface, or only the acknowledgement */
	bool acknowledge;	 /* only the acknowledgement is expected */
	bool interrupted;	 /* the list was not consistent */
	void (*each)(void *context, const struct link_interface *);
	void *context;
};

/*
 * Read one datagram of an answer. Returns 1 if the answer goes on in another, 0 if it was the last, -EPROTO if anything
 * in it is not as it must be (length, type, sequence, port), else the kernel's own error.
 */
int reply_read(struct reply *reply, const void *datagram, size_t size);

#endif
