// SPDX-License-Identifier: MIT
/* The tap, and what it becomes: a port of a bridge, or an interface of the host's own. */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link/link.h"

enum {
	NAMES_MAX = 32,	   /* tried for one tap */
	MTU_OF_NEW = 1500, /* bytes, of a tap that was just made (ETH_DATA_LEN) */
};

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

static bool refuse_open(int error, struct outcome *outcome)
{
	if (error == -ENOENT || error == -ENODEV || error == -ENXIO)
		return refuse_errno(
			outcome, error, "cannot open /dev/net/tun (an administrator can run: modprobe tun)");
	if (error == -EACCES || error == -EPERM)
		return refuse_errno(
			outcome, error, "this user may not open /dev/net/tun (its mode is an administrator's choice)");
	return refuse_errno(outcome, error, "cannot open /dev/net/tun");
}

/* --- the tap ------------------------------------------------------------------------------------------------------ */

/*
 * A tap of one queue, under a name that says whose it is: tgPID-N, by the virtual machine's process and a count; by
 * chance where many of these are taken. Names are no secret and no proof: one that is taken costs a system call and
 * nothing else. -EBUSY: the index is taken.
 */
static int make_bridged(const struct order *order, struct link *link, int index, struct port *port)
{
	const struct tap_kind kind = {.vnet_header = order->request.vnet_header};
	int error = -EBUSY;

	for (int n = 0; n < NAMES_MAX && error == -EBUSY && !link_has_index(link, index); n++) {
		if (n < NAMES_MAX / 2)
			snprintf(port->name, sizeof(port->name), "tg%d-%d", (int)order->vmm, n);
		else if (tap_choose_name(port->name) != 0)
			return -EIO;
		error = tap_make(FD_TAP, &kind, port->name, index);
	}
	if (error == -EBUSY && !link_has_index(link, index))
		return -EEXIST;
	return error ? error : tap_own(FD_TAP, order->caller.uid);
}

static int make_at(const struct order *order, const struct network *network, int index, struct port *port)
{
	if (order->request.queues > 1)
		return queues_make(order, network->link, index, port);
	return network->bridge.index ? make_bridged(order, network->link, index, port)
				     : standalone_make_tap(order, network->link, index, port);
}

/*
 * Make the tap in one of the user's places, beginning somewhere in them, so that of many who ask at once few ask for
 * the same.
 */
static int make_in_place(const struct order *order, const struct network *network, struct port *port)
{
	const uint32_t count = place_count(order, network->link), start = (uint32_t)order->helper % (count ? count : 1);
	int error = -EBUSY;

	for (uint32_t i = 0; i < count && error == -EBUSY; i++) {
		const int index = place_index(order, 1 + (start + i) % count);

		if (link_has_index(network->link, index))
			continue;
		error = make_at(order, network, index, port);
		port->tap = error ? 0 : index;
	}
	return error;
}

static bool make_tap(
	const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
{
	int error;

	if (port->error)
		return refuse_open(port->error, outcome);
	error = make_in_place(order, network, port);
	if (!error)
		return true;
	if (error == -EBUSY)
		return place_refuse(order, outcome);
	if (error == -EEXIST && !network->bridge.index)
		return standalone_refuse_taken(order, network->link, outcome);
	if (error == -EUSERS)
		return refuse(outcome, EXIT_SYSTEM,
			"other processes joined the tap each time it was made; see who runs them, and try again");
	if (error == -EINVAL && order->request.queues > 1)
		return refuse(outcome, EXIT_SYSTEM,
			"a tap of several queues takes root as its owner, who is not known in this user namespace; leave --queues= out");
	if (error == -EPERM)
		return refuse(outcome, EXIT_SYSTEM,
			"cannot make a tap: the network belongs to another user namespace, or a security module forbids it");
	return refuse_errno(outcome, error, "cannot make a tap");
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
	if (!bridge && !standalone_has_addresses(network->link, permit, port, outcome))
		return false;
	return protect_holds(permit, network, port, &tap, outcome) && rate_holds(permit, network, port, outcome) &&
	       network_stands(permit, network, outcome);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

bool port_make(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
{
	const bool bridged = network->bridge.index;
	bool made = (!bridged || !order->permit.options.mtu || mtu_is_possible(order, network, outcome)) &&
		    make_tap(order, network, port, outcome) &&
		    (bridged || standalone_take_name(order, network->link, port, outcome)) &&
		    set_up(order, network, port, outcome) && protect_port(order, network, port, outcome) &&
		    rate_keep(&order->permit, network, port, outcome) &&
		    (bridged || standalone_add_addresses(network->link, &order->permit, port, outcome)) &&
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
