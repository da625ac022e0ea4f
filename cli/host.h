/*
 * The host's network as it stands: interfaces, addresses, routes, taps locked to an address. A picture; take a new one
 * after changes.
 */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include <stddef.h>

#include "link/link.h"
#include "link/locked.h"

struct host {
	struct link_interface *interfaces;
	struct link_address *addresses;
	struct link_route *routes;
	struct locked *locked;
	size_t interface_count, address_count, route_count, locked_count;
};

/* 0 or a negative errno value; host_forget frees what was filled in either case. */
int host_look(struct link *link, struct host *host);
void host_forget(struct host *host);

/* NULL if there is none. */
const struct link_interface *host_interface(const struct host *host, const char *name);
const struct link_interface *host_interface_at(const struct host *host, int index);

#endif
