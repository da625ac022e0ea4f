// SPDX-License-Identifier: MIT
/*
 * Standalone networks: a tap without a bridge, which carries the host's address and the network's name.
 *
 * The name is what hands out the network, or the subnets of its pool: the kernel has no two interfaces of one name.
 */
#include "helper/helper.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "link/link.h"

/* Make the descriptor the tap of that name; -EEXIST if the name is taken, -EBUSY if the index is. */
static int make_named(const struct order *order, struct link *link, int index, const char *name)
{
	const struct tap_kind kind = {.vnet_header = order->request.vnet_header};
	int error;

	if (tap_name_is_taken(FD_TAP, name))
		return -EEXIST;
	error = tap_make(FD_TAP, &kind, name, index);
	if (error)
		return error == -EBUSY && !link_has_index(link, index) ? -EEXIST : error;
	return tap_own(FD_TAP, order->caller.uid);
}

static int rename_to(struct link *link, int index, const char *name)
{
	return link_change(link, index, &(struct link_change){.name = name});
}

/*
 * Try the names in turn until the kernel does not refuse. One that is taken costs less than a microsecond to make; a
 * list of what is taken would cost five for each interface of the host's.
 */
static int try_names(const struct order *order, struct link *link, int index, struct port *port)
{
	const struct policy_network *network = &order->permit.network;
	const uint32_t size = policy_pool_size(network);
	int error = -EEXIST;

	for (uint32_t number = size > 0; number <= size && error == -EEXIST; number++) {
		char name[IFNAMSIZ];

		policy_tap_name(network, number, name);
		error = port->tap ? rename_to(link, index, name) : make_named(order, link, index, name);
		memcpy(port->name, name, sizeof(name));
		port->number = number;
	}
	return error;
}

int standalone_make_tap(const struct order *order, struct link *link, int index, struct port *port)
{
	return try_names(order, link, index, port);
}

bool standalone_take_name(const struct order *order, struct link *link, struct port *port, struct outcome *outcome)
{
	int error = order->request.queues > 1 ? try_names(order, link, port->tap, port) : 0;

	if (error == -EEXIST)
		return standalone_refuse_taken(order, link, outcome);
	return !error || refuse_errno(outcome, error, "cannot name the tap '%s'", port->name);
}

bool standalone_refuse_taken(const struct order *order, struct link *link, struct outcome *outcome)
{
	const struct policy_network *network = &order->permit.network;
	const char *name = network->name;
	struct link_interface tap;
	struct alias_tap alias;

	if (policy_pool_size(network))
		return refuse(outcome, EXIT_LIMIT,
			"network '%s' has none of its %u subnets free; end a virtual machine there first", name,
			policy_pool_size(network));
	link_by_name(link, name, &tap);
	if (!tap.index || alias_is_missing(&tap) || /* gone since, or just being made */
		(alias_read_tap(&tap, &alias) && strcmp(alias.network, name) == 0))
		return refuse(outcome, EXIT_LIMIT,
			"network '%s' has its one virtual machine already: interface '%s'; end that one first, or an administrator can run: ip link delete %s",
			name, name, name);
	return refuse(outcome, EXIT_SYSTEM,
		"network '%s' cannot have its tap: another interface has the name '%s'; an administrator can rename one of the two",
		name, name);
}

/* --- the addresses ------------------------------------------------------------------------------------------------ */

/* The host's addresses of the tap's subnet; returns how many there are. */
static size_t addresses_of(
	const struct permit *permit, const struct port *port, struct link_address addresses[static 2])
{
	struct policy_subnet subnets[2] = {permit->network.ipv4, permit->network.ipv6};
	size_t count = 0;

	if (port->number)
		policy_pool_subnet(&permit->network, port->number, &subnets[0], &subnets[1]);
	for (size_t i = 0; i < 2; i++) {
		struct link_address *address = &addresses[count];

		if (!subnets[i].given)
			continue;
		*address = (struct link_address){
			.index = port->tap, .family = i ? AF_INET6 : AF_INET, .prefix = subnets[i].prefix};
		memcpy(address->address, subnets[i].address, sizeof(address->address));
		count++;
	}
	return count;
}

bool standalone_add_addresses(
	struct link *link, const struct permit *permit, const struct port *port, struct outcome *outcome)
{
	struct link_address addresses[2];
	size_t count = addresses_of(permit, port, addresses);

	for (size_t i = 0; i < count; i++) {
		int error = link_add_address(link, &addresses[i]);

		if (error)
			return refuse_errno(outcome, error, "cannot give the tap '%s' its IPv%c address", port->name,
				addresses[i].family == AF_INET ? '4' : '6');
	}
	return true;
}

/*
 * Asked by adding each of them again: the kernel must refuse it, as it is there. A list of all addresses of the host's
 * would take the longer the more taps there are. (Where it does not refuse, the address goes with the tap.)
 */
bool standalone_has_addresses(
	struct link *link, const struct permit *permit, const struct port *port, struct outcome *outcome)
{
	struct link_address addresses[2];
	size_t count = addresses_of(permit, port, addresses);

	for (size_t i = 0; i < count; i++) {
		int error = link_add_address(link, &addresses[i]);

		if (!error)
			return refuse(outcome, EXIT_SYSTEM, "the tap of network '%s' was changed meanwhile; try again",
				permit->network.name);
		if (error != -EEXIST)
			return refuse_errno(
				outcome, error, "cannot read back the addresses of the tap '%s'", port->name);
	}
	return true;
}
