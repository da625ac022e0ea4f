/*
 * Leases of a network's dnsmasq: which guest was given which address, and what it calls itself.
 *
 * The file is dnsmasq's to write, and much of what stands in it are guests' words: a hardware address, a name. All of
 * it is bounded and checked here; a name is shown escaped.
 */
#ifndef CLI_TAPS_LEASES_H
#define CLI_TAPS_LEASES_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/mac.h"
#include "policy/policy.h"

enum { LEASE_NAME_MAX = 63 }; /* bytes of a label (RFC 1123) */

struct lease {
	int family;		   /* AF_INET or AF_INET6 */
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	bool has_mac;		   /* IPv6: only if the client's identifier is made of one (RFC 8415, 11.2 and 11.4) */
	unsigned char mac[MAC_BYTES];
	char name[LEASE_NAME_MAX + 1]; /* as the guest gave it; empty: none, or none that may be one */
};

/*
 * Read a line of the file (dnsmasq(8), --dhcp-leasefile), without its newline. False: it is none of a lease that is in
 * force at `now`, in seconds since 1970.
 */
bool lease_read(struct word line, int64_t now, struct lease *lease);

/*
 * Call `each` for the leases in force of a network. Returns 0, also if there is no such file; else a negative errno
 * value. -EINVAL: it is no file, or too large. -EFBIG, after as many as dnsmasq keeps at most: there are more.
 */
int leases_each(const char *network, void (*each)(void *context, const struct lease *), void *context);

/*
 * How many leases of the range that a network hands out by DHCP are in force, and how many there can be. -1: not known.
 */
int leases_used(const struct policy_network *network);
unsigned int leases_room(const struct policy_network *network);

#endif
