/*
 * What the policy protects a port with: isolated, lock-mac, guard, vlan=.
 *
 * All of it is set before the port is up, and read back: what this kernel or this bridge cannot give is refused, never
 * left out.
 */
#ifndef HELPER_PROTECT_H
#define HELPER_PROTECT_H

#include "helper/port.h"

/*
 * Whether a bridge, as it was read, is one whose ports can be protected so. Asked before there is a tap, as a port
 * changes its bridge, if only for a moment; and when all is made, as the bridge may have been changed meanwhile.
 */
bool protect_possible(const struct permit *permit, const struct link_interface *bridge, struct outcome *outcome);

/* Set the port up as it was permitted; port->mac receives the address that it is locked to, if it is. */
bool protect_port(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome);

/* Whether all of it is so; tap: as it was read back. */
bool protect_holds(const struct permit *permit, const struct network *network, const struct port *port,
	const struct link_interface *tap, struct outcome *outcome);

#endif
