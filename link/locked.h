/*
 * Taps that are locked to an address (lock-mac), and to which, on which bridge: written on the tap itself, as an
 * alternative name, "tapgate-lock-7-525400123456" for bridge 7.
 *
 * No two interfaces have one name, alternative or not (net/core/dev.c), so of all that are to be locked to an address
 * one is. Only CAP_NET_ADMIN can write such a name, and it goes with the tap. Unlike the entry in the bridge's
 * forwarding database it stays whatever hardware addresses others give their taps. Linux 5.5.
 */
#ifndef LINK_LOCKED_H
#define LINK_LOCKED_H

#include "link/link.h"

struct locked {
	int tap, bridge; /* indices; the bridge that it was locked on, which it may have left by now */
	unsigned char mac[6];
};

/* Write it on the tap; -EEXIST if another one has it. */
int locked_mark(struct link *link, const struct locked *locked);

/* Every tap that has such a mark, as of link_each. */
int locked_each(struct link *link, void (*each)(void *context, const struct locked *), void *context);

#endif
