/*
 * A port of a bridge is no interface of the host's: what keeps the host's own stack and the guest behind a tap from
 * each other where they would meet on the tap itself, which no guard on the bridge sees. From guest to host on every
 * bridge; from host to guest on those that tapgate makes, as on others the host may reach its guests in any case.
 */
#ifndef HELPER_APART_H
#define HELPER_APART_H

#include "helper/port.h"

/* Set the tap, which is down yet, apart from the host; and whether it is so, as it was read back. */
bool apart_keep(
	const struct permit *permit, const struct network *network, const struct port *port, struct outcome *outcome);
bool apart_holds(const struct permit *permit, const struct network *network, const struct port *port,
	const struct link_interface *tap, struct outcome *outcome);

#endif
