/*
 * Standalone networks: a tap without a bridge, which carries the host's address and the network's name.
 *
 * The name is what hands out the network, or the subnets of its pool: the kernel has no two interfaces of one name.
 */
#ifndef HELPER_STANDALONE_H
#define HELPER_STANDALONE_H

#include "helper/port.h"

/*
 * Make FD_TAP, which is open, the network's tap, of that index and one queue: "NAME", or the first free one of
 * "NAME-1", "NAME-2" and so on. Returns 0 or a negative errno value: -EEXIST if all names are taken, -EBUSY if the
 * index is.
 */
int standalone_make_tap(const struct order *order, struct link *link, int index, struct port *port);

/* Give a tap of several queues, which was made under a name of no meaning, such a name. */
bool standalone_take_name(const struct order *order, struct link *link, struct port *port, struct outcome *outcome);

/* Record that all names are taken, and by what. */
bool standalone_refuse_taken(const struct order *order, struct link *link, struct outcome *outcome);

/* Give the tap the host's addresses in its subnet; and whether it has them still. */
bool standalone_add_addresses(
	struct link *link, const struct permit *permit, const struct port *port, struct outcome *outcome);
bool standalone_has_addresses(
	struct link *link, const struct permit *permit, const struct port *port, struct outcome *outcome);

#endif
