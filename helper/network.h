/*
 * The network as it stands in the kernel: what a tap is to join, or to be made for, and the guard around it.
 *
 * Looks and changes nothing. What `tapgate up` makes is known by what only CAP_NET_ADMIN can write: a bridge by its
 * alias, a guard by its seal (link/guard.h).
 */
#ifndef HELPER_NETWORK_H
#define HELPER_NETWORK_H

#include "files/outcome.h"
#include "files/permit.h"
#include "link/link.h"

struct network {
	struct link *link;	      /* FD_NETLINK */
	struct link *nftables;	      /* FD_NFTABLES; NULL where there is no guard to look after */
	struct link_interface bridge; /* index 0: the network has none */
};

/*
 * Find the network that was permitted: a bridge of its name; for a managed one, the bridge that `tapgate up` made for
 * that mode, up, with its guard in place. What is opened is closed by network_close, whatever comes of it.
 */
bool network_find(const struct permit *permit, struct network *network, struct outcome *outcome);

/*
 * Whether all of that is so still, asked of the kernel anew, the bridge by its index: what was renamed, deleted, made
 * anew, taken down or flushed in between does not pass.
 */
bool network_stands(const struct permit *permit, const struct network *network, struct outcome *outcome);

void network_close(struct network *network);

#endif
