// SPDX-License-Identifier: MIT
/* Makes the tap: in one of its user's places, under a name that is free, with queues that no stranger has joined. */
#include "helper/helper.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>

#include "link/link.h"

enum {
	PLACES_MAX = 1023, /* as many as a bridge has ports (BR_MAX_PORTS, net/bridge/br_private.h) */
	NAMES_MAX = 32,	   /* tried for one tap */
	TRIES_MAX = 16,	   /* to make one of several queues */
};

/* --- places ------------------------------------------------------------------------------------------------------- */

/*
 * Places: what bounds the taps that a user holds on a network (`max=`), a limit which nobody can walk round.
 *
 * A user has PLACES_MAX places on each network, and each place has an interface index of its own, under which the tap
 * is made. The kernel has no two interfaces of one index. So it is the kernel that hands out places, from the first
 * instant of a tap on: half-made ones, those of stopped helpers and persistent ones hold theirs. There is no lock and
 * no state, and nobody waits.
 *
 * With max=k a tap is made in one of the first k places, so that the kernel refuses what is one too many. Taps in
 * places above k are there where the limit was higher when they were made, or another rule gave them. Each of them
 * takes one place away: with `above` taps above the first `count` places, `count` is lowered until count + above <= k.
 * (Whose they are is asked only where none would be left.)
 *
 * Never more than k: whoever makes a tap in the first `count` places had counted those above, which become more only
 * by rules with a higher limit. Never fewer: no place is held for longer than its tap is there.
 *
 * Indexes are spread over 2^30 by a hash of user and network, so that two users' places rarely meet (one in a million,
 * for a thousand taps); where they do, one of them has a place less. The lower 2^30 are the kernel's own choice for
 * other interfaces.
 */

/* The index of a place, which counts from 1: over the network's name and the user's number. */
static int place_index(const struct order *order, uint32_t place)
{
	unsigned char key[sizeof(order->request.network) + sizeof(order->caller.uid)];
	uint64_t hash;

	memcpy(key, order->request.network, sizeof(order->request.network));
	memcpy(key + sizeof(order->request.network), &order->caller.uid, sizeof(order->caller.uid));
	hash = digest_bytes(DIGEST_START, key, sizeof(key));
	return ALIAS_INDEXES + (int)(hash % (ALIAS_INDEXES - PLACES_MAX)) + (int)place - 1;
}

/* Whether a place that is taken is so by a tap of this user's on this network, or by one that is not signed yet. */
static bool is_held(const struct order *order, struct link *link, int index)
{
	struct link_interface tap;
	struct alias_tap alias;
	int error = link_by_index(link, index, &tap);

	if (error)
		return error != -ENODEV;
	if (!alias_read_tap(&tap, &alias))
		return alias_is_missing(&tap);
	return alias.uid == order->caller.uid && strcmp(alias.network, order->request.network) == 0;
}

/* How many places above the first `count` are taken; if it has to be sure, by whom is asked as well. */
static uint32_t count_above(const struct order *order, struct link *link, uint32_t count, bool sure)
{
	uint32_t above = 0;

	for (uint32_t place = count + 1; place <= PLACES_MAX; place++) {
		const int index = place_index(order, place);

		above += link_has_index(link, index) && (!sure || is_held(order, link, index));
	}
	return above;
}

/* How many of the first places may be taken, free or not; 0: the limit is reached. */
static uint32_t place_count(const struct order *order, struct link *link)
{
	const uint32_t max = order->permit.options.max, limit = max && max < PLACES_MAX ? max : PLACES_MAX;
	uint32_t count = 0;

	for (int sure = 0; sure < 2 && !count; sure++) {
		uint32_t above = count_above(order, link, limit, sure);

		for (count = limit; count && count + above > limit; count--)
			above += link_has_index(link, place_index(order, count));
	}
	return count;
}

/* Record that the limit is reached. */
static bool place_refuse(const struct order *order, struct outcome *outcome)
{
	const struct permit *permit = &order->permit;

	if (!permit->options.max)
		return refuse(outcome, EXIT_LIMIT,
			"uid %u has %d taps on '%s', as many as a user can have on one network; end a virtual machine first",
			order->caller.uid, PLACES_MAX, order->request.network);
	return refuse(outcome, EXIT_LIMIT,
		"uid %u has reached max=%u on '%s', by %s; end a virtual machine first, or have the limit raised",
		order->caller.uid, permit->options.max, order->request.network, permit->rule);
}

/* --- queues ------------------------------------------------------------------------------------------------------- */

/*
 * A tap of several queues, of which no stranger has one. The kernel lets any user join such a tap while it has no
 * owner, which is for microseconds when it is made. So its name cannot be foretold, it is root's and stays so, and what
 * was made is looked at: if somebody was there, all is made anew.
 */

/*
 * Whoever joined is counted, if still there; who came and went is known by what cannot be undone: owner, group,
 * persistence, link type. Nobody but root can join any more, so that what is undone afterwards (tap_reset) stays so.
 */
bool queues_hold(const struct order *order, const struct port *port, const struct tun *tun)
{
	return tun->queues == port->queues && !tun->persistent && tun->has_owner && tun->owner == 0 &&
	       !tun->has_group && tun->ethernet && tun->vnet_header == order->request.vnet_header && !tun->packet_info;
}

static int look(const struct order *order, struct link *link, const struct port *port)
{
	struct link_interface tap;
	int error = link_by_index(link, port->tap, &tap);

	return error || queues_hold(order, port, &tap.tun) ? error : -EUSERS;
}

static int make_once(const struct order *order, int index, struct port *port)
{
	const struct tap_kind kind = {.vnet_header = order->request.vnet_header, .multi_queue = true};
	int error = tap_choose_name(port->name);

	if (!error)
		error = tap_make(FD_TAP, &kind, port->name, index);
	port->tap = error ? 0 : index;
	if (!error)
		error = tap_own(FD_TAP, 0);
	for (uint32_t i = 1; i < port->queues && !error; i++)
		error = tap_add_queue(FD_TAP + (int)i, &kind, port->name);
	return error;
}

/*
 * Make the open descriptors, two at least, a tap of that index and its queues; its name is one that nobody can know.
 * -EBUSY: the index is taken. -EUSERS: it was joined by others, however often it was made.
 */
static int make_queues(const struct order *order, struct link *link, int index, struct port *port)
{
	int error = -EUSERS;

	/* Whatever fails behind the making of the tap may be a stranger's doing. */
	for (int i = 0; i < TRIES_MAX && error; i++) {
		int foreign;

		error = make_once(order, index, port);
		if (error && !port->tap)
			return error;
		foreign = error ? error : look(order, link, port);
		if (!foreign) /* nobody else is there, nor can come: what was left behind is all there is */
			foreign = tap_reset(FD_TAP);
		if (foreign) /* from under whoever joined it; our descriptors can be used again */
			link_remove(link, port->tap);
		if (!error && foreign != -EUSERS)
			return foreign;
		error = foreign;
	}
	return error;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

/*
 * The tap of a standalone network has no bridge, and carries the network's name: "NAME", or the first free one of
 * "NAME-1", "NAME-2" and so on. The name is what hands out the network, or the subnets of its pool: the kernel has no
 * two interfaces of one name.
 */

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

/* Record that all names are taken, and by what. */
static bool refuse_names(const struct order *order, struct link *link, struct outcome *outcome)
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

bool port_take_name(const struct order *order, struct link *link, struct port *port, struct outcome *outcome)
{
	int error = order->request.queues > 1 ? try_names(order, link, port->tap, port) : 0;

	if (error == -EEXIST)
		return refuse_names(order, link, outcome);
	return !error || refuse_errno(outcome, error, "cannot name the tap '%s'", port->name);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

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
		return make_queues(order, network->link, index, port);
	return network->bridge.index ? make_bridged(order, network->link, index, port)
				     : try_names(order, network->link, index, port);
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

bool port_make_tap(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
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
		return refuse_names(order, network->link, outcome);
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
