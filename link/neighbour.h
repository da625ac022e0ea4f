/*
 * The host's neighbours: which hardware address has which IP address (RFC 826, RFC 4861), as far as the host spoke to
 * it.
 */
#ifndef LINK_NEIGHBOUR_H
#define LINK_NEIGHBOUR_H

#include "link/link.h"

struct neighbour {
	int index;		   /* of the interface that it is reached by */
	int family;		   /* AF_INET or AF_INET6 */
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	unsigned char mac[6];
};

/*
 * Every neighbour whose hardware address is known, on all interfaces. Multicast addresses, whose hardware addresses
 * follow from them, are none.
 */
int neighbour_each(struct link *link, void (*each)(void *context, const struct neighbour *), void *context);

#endif
