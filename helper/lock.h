/* lock-mac: the one address that a port's guest may send from. */
#ifndef HELPER_LOCK_H
#define HELPER_LOCK_H

#include "helper/port.h"

/*
 * Choose the address, mark the tap with it (link/locked.h), and say on the bridge that it is behind this port, whose
 * setting "locked" then lets no other in: the rule's mac=, else the caller's --mac=, else the first of the caller's
 * block that is free, rather one that the bridge does not know at all. port->mac receives it.
 */
bool lock_port(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome);

/* Whether the bridge says so still. */
bool lock_holds(const struct network *network, const struct port *port, struct outcome *outcome);

/* Whether a caller may have the address that it asks for, if it does: the rule's, or one of its own block. */
bool lock_allows(const struct order *order, struct outcome *outcome);

#endif
