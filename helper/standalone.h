/*
 * Standalone networks: a tap without a bridge, which carries the host's address and the network's name.
 *
 * The name is what hands out the network, or the subnets of its pool: the kernel has no two interfaces of one name.
 */
#ifndef HELPER_STANDALONE_H
#define HELPER_STANDALONE_H

#include "helper/port.h"

/*
 * Make FD_TAP, which is open, the network's tap: "NAME", or the first free one of "NAME-1", "NAME-2" and so on.
 * Returns 0 or a negative errno value; where all names are taken, why the request is refused is recorded.
 */
int standalone_make_tap(struct link *link, const struct permit *permit, const struct tap_kind *kind, uid_t uid,
	struct port *port, struct outcome *outcome);

/* Give the tap the host's addresses in its subnet; and whether it has them still. */
bool standalone_add_addresses(
	struct link *link, const struct permit *permit, const struct port *port, struct outcome *outcome);
bool standalone_has_addresses(
	struct link *link, const struct permit *permit, const struct port *port, struct outcome *outcome);

#endif
