// SPDX-License-Identifier: MIT
/* The tap, and what it becomes: a port of a bridge, or an interface of the host's own. */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link/link.h"

enum { MTU_OF_NEW = 1500 }; /* bytes, of a tap that was just made (ETH_DATA_LEN) */

/* --- descriptors -------------------------------------------------------------------------------------------------- */

bool port_open(const struct order *order, struct port *port)
{
	for (port->queues = 0; port->queues < order->request.queues && !port->error;) {
		int fd = -1, number = FD_TAP + (int)port->queues;

		port->error = tap_open(&fd);
		if (port->error)
			break;
		if (dup3(fd, number, O_CLOEXEC) == number)
			port->queues++;
		else
			port->error = errno == EBADF ? -EMFILE : -errno; /* a number above the limit */
		close(fd);
	}
	return true;
}

/* --- what it becomes ---------------------------------------------------------------------------------------------- */

static void see_mtu(void *context, const struct link_interface *interface)
{
	struct link_interface *lowest = context;

	if (interface->mtu < lowest->mtu)
		lowest->mtu = interface->mtu;
}

/*
 * A bridge takes the lowest MTU of its ports until somebody has set its own (br_mtu_auto_adjust, net/bridge/br_if.c):
 * one guest's mtu= would be the host's and everybody's. Which of the two it does the kernel does not say. But a bridge
 * whose MTU is not that of its lowest port does not follow it; and `tapgate up` sets that of its own.
 */
static bool mtu_is_possible(const struct order *order, const struct network *network, struct outcome *outcome)
{
	const struct link_interface *bridge = &network->bridge;
	const uint32_t mtu = order->permit.options.mtu;
	struct link_interface lowest = {.index = bridge->index, .mtu = UINT32_MAX};
	int error;

	if (mtu > bridge->mtu)
		return refuse(outcome, EXIT_SYSTEM,
			"mtu=%u of %s is above the %u of bridge '%s'; an administrator can lower the one or raise the other",
			mtu, permit_place(&order->permit, OPTION_MTU), bridge->mtu, bridge->name);
	if (mtu == bridge->mtu || policy_is_managed(&order->permit.network))
		return true;
	error = link_each_port(network->link, bridge->index, see_mtu, &lowest);
	if (error)
		return refuse_errno(outcome, error, "cannot read the MTU of the ports of '%s'", bridge->name);
	if (lowest.mtu == UINT32_MAX)
		lowest.mtu = MTU_OF_NEW;
	return bridge->mtu != lowest.mtu ||
	       refuse(outcome, EXIT_SYSTEM,
		       "the MTU of bridge '%s' may follow its ports' and fall to mtu=%u of %s; an administrator can set it to another than its lowest port's %u: ip link set %s mtu %u",
		       bridge->name, mtu, permit_place(&order->permit, OPTION_MTU), bridge->mtu, bridge->name,
		       bridge->mtu - 1);
}

/*
 * All in one request, the signature with it. A hardware address from 0xFE on is higher than any real one, so that a
 * bridge, which takes the lowest of its ports, does not take it. What the host must not do on a guest's port is settled
 * before the port is up.
 */
static bool set_up(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
{
	const struct link_interface *bridge = &network->bridge;
	const uint32_t mtu = order->permit.options.mtu ? order->permit.options.mtu : bridge->mtu;
	struct alias_tap signature = {.uid = order->caller.uid, .vmm = (int)order->vmm};
	const struct link_change change = {.alias = port->alias,
		.mac = port->address,
		.master = bridge->index,
		.group = order->permit.options.given & OPTION_LOCK_IP ? guard_lock_group(order->request.network) : 0,
		.mtu = mtu == MTU_OF_NEW      ? 0
		       : mtu < POLICY_MTU_MAX ? mtu
					      : POLICY_MTU_MAX,
		.no_ipv6_address = true};
	int error;

	snprintf(signature.network, sizeof(signature.network), "%s", order->request.network);
	alias_of_tap(&signature, port->alias);
	port->address[0] = 0xfe;
	error = tap_chance(port->address + 1, MAC_BYTES - 1);
	if (error)
		return refuse_errno(outcome, error, "cannot choose a hardware address");
	error = link_change(network->link, port->tap, &change);
	if (error == -EXFULL)
		return refuse(
			outcome, EXIT_SYSTEM, "bridge '%s' has no free port (the kernel allows 1023)", bridge->name);
	if (error && bridge->index)
		return refuse_errno(outcome, error, "cannot join the tap to bridge '%s'", bridge->name);
	return !error || refuse_errno(outcome, error, "cannot set up the tap '%s'", port->name);
}

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

static bool add_addresses(
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

static bool bring_up(struct link *link, const struct port *port, struct outcome *outcome)
{
	int error = link_change(link, port->tap, &(struct link_change){.up = true});

	return !error || refuse_errno(outcome, error, "cannot bring the tap '%s' up", port->name);
}

/* --- and whether it is that --------------------------------------------------------------------------------------- */

static bool refuse_changed(const struct permit *permit, const struct network *network, struct outcome *outcome)
{
	if (network->bridge.index)
		return refuse(outcome, EXIT_SYSTEM, "bridge '%s' or the tap on it was changed meanwhile; try again",
			permit->network.name);
	return refuse(
		outcome, EXIT_SYSTEM, "the tap of network '%s' was changed meanwhile; try again", permit->network.name);
}

/* That each descriptor is this tap, as it was made, and nobody else's; 0, -ENOENT or -EUSERS if not. */
static int queues_are_ours(const struct order *order, const struct port *port, const struct link_interface *tap)
{
	const struct tap_kind kind = {
		.vnet_header = order->request.vnet_header, .multi_queue = order->request.queues > 1};
	int error = 0;

	for (uint32_t i = 0; i < port->queues && !error; i++)
		error = tap_is(FD_TAP + (int)i, &kind, tap->name);
	return error || !kind.multi_queue || queues_hold(order, port, &tap->tun) ? error : -EUSERS;
}

/*
 * Asked by adding each of them again: the kernel must refuse it, as it is there. A list of all addresses of the host's
 * would take the longer the more taps there are. (Where it does not refuse, the address goes with the tap.)
 */
static bool has_addresses(
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

/*
 * Read back what was made: the tap behind the descriptors, with its alias, is a port of the bridge, or carries the
 * network's name and addresses. And the network is, now, what it was when it was found.
 */
static bool verify(
	const struct order *order, const struct network *network, const struct port *port, struct outcome *outcome)
{
	const struct permit *permit = &order->permit;
	const int bridge = network->bridge.index;
	const uint32_t mtu = permit->options.mtu;
	struct link_interface tap;
	int error = link_by_index(network->link, port->tap, &tap);

	if (!error)
		error = queues_are_ours(order, port, &tap);
	if (error && error != -ENOENT && error != -EUSERS)
		return refuse_errno(outcome, error, "cannot read back the tap on '%s'", permit->network.name);
	if (error || tap.master != bridge || !(tap.flags & IFF_UP) || strcmp(tap.alias, port->alias) != 0 ||
		(!bridge && strcmp(tap.name, port->name) != 0) || (mtu && tap.mtu != mtu) ||
		((permit->options.given & OPTION_LOCK_IP) && tap.group != guard_lock_group(permit->network.name)))
		return refuse_changed(permit, network, outcome);
	if (!bridge && !has_addresses(network->link, permit, port, outcome))
		return false;
	return protect_holds(permit, network, port, &tap, outcome) && network_stands(permit, network, outcome);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

bool port_make(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
{
	const bool bridged = network->bridge.index;
	bool made = (!bridged || !order->permit.options.mtu || mtu_is_possible(order, network, outcome)) &&
		    port_make_tap(order, network, port, outcome) &&
		    (bridged || port_take_name(order, network->link, port, outcome)) &&
		    set_up(order, network, port, outcome) && protect_port(order, network, port, outcome) &&
		    (bridged || add_addresses(network->link, &order->permit, port, outcome)) &&
		    bring_up(network->link, port, outcome) && verify(order, network, port, outcome);

	/* Of several queues: nobody can have joined it, but what is certain is better. */
	if (!made && port->tap && order->request.queues > 1)
		link_remove(network->link, port->tap);
	return made;
}

void port_undo(const struct port *port)
{
	for (uint32_t i = 0; i < port->queues; i++)
		close(FD_TAP + (int)i);
}
