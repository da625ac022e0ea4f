// SPDX-License-Identifier: MIT
/*
 * The network as it stands in the kernel: what a tap is to join, or to be made for, and the guard around it.
 *
 * Looks and changes nothing. What `tapgate up` makes is known by what only CAP_NET_ADMIN can write: a bridge by its
 * alias, a guard by its seal (link/nftables.c).
 */

#include "helper/helper.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <netinet/in.h> /* first: the kernel's headers leave out what it has */
#include <string.h>

#include "link/link.h"

static bool refuse_missing(const struct permit *permit, struct outcome *outcome)
{
	const char *name = permit->network.name;

	if (policy_is_managed(&permit->network))
		return refuse(outcome, EXIT_SYSTEM,
			"network '%s' is not up: there is no bridge '%s'; an administrator can run 'tapgate up'", name,
			name);
	return refuse(outcome, EXIT_SYSTEM,
		"there is no bridge '%s' (alternative names do not count); an administrator can run: ip link add %s type bridge && ip link set %s up",
		name, name, name);
}

static bool refuse_kind(const struct permit *permit, struct outcome *outcome)
{
	const char *name = permit->network.name;

	if (policy_is_managed(&permit->network))
		return refuse(outcome, EXIT_SYSTEM,
			"network '%s' is not up: '%s' is not a bridge; an administrator can rename one of the two and run 'tapgate up'",
			name, name);
	return refuse(outcome, EXIT_SYSTEM, "'%s' is not a bridge", name);
}

/* A bridge whose alias is not the one that `tapgate up` gives to the network of that mode. */
static bool refuse_alias(const struct permit *permit, const char *alias, struct outcome *outcome)
{
	const struct policy_network *network = &permit->network;
	char mine[IFALIASZ];

	alias_of_bridge(network->name, "", mine);
	if (strncmp(alias, mine, strlen(mine)) == 0)
		return refuse(outcome, EXIT_SYSTEM,
			"network '%s' is not up: it stands as %s, and %s says '%s'; an administrator can run 'tapgate up'",
			network->name, QUOTED(((struct word){alias + strlen(mine), strlen(alias + strlen(mine))})),
			permit->place, policy_mode_name(network->mode));
	return refuse(outcome, EXIT_SYSTEM,
		"network '%s' is not up: bridge '%s' is not of tapgate's making; an administrator can rename one of the two and run 'tapgate up'",
		network->name, network->name);
}

/* That a bridge is the one that the policy means. */
static bool is_right(const struct permit *permit, const struct link_interface *bridge, struct outcome *outcome)
{
	const struct policy_network *network = &permit->network;
	char alias[IFALIASZ];

	if (strcmp(bridge->kind, "bridge") != 0)
		return refuse_kind(permit, outcome);
	if (!policy_is_managed(&permit->network)) {
		if (!alias_is_bridge(bridge))
			return true;
		return refuse(outcome, EXIT_SYSTEM,
			"bridge '%s' was made for a network that is no longer in the policy; an administrator can run 'tapgate up', or write the network's line again",
			network->name);
	}
	alias_of_bridge(network->name, policy_mode_name(network->mode), alias);
	if (strcmp(bridge->alias, alias) != 0)
		return refuse_alias(permit, bridge->alias, outcome);
	if (!(bridge->flags & IFF_UP))
		return refuse(outcome, EXIT_SYSTEM,
			"network '%s' is not up: bridge '%s' is down; an administrator can run 'tapgate up'",
			network->name, network->name);
	return true;
}

static bool find_bridge(const struct permit *permit, struct network *network, struct outcome *outcome)
{
	int error = link_by_name(network->link, permit->network.name, &network->bridge);

	if (error == -ENODEV)
		return refuse_missing(permit, outcome);
	if (error)
		return refuse_errno(outcome, error, "cannot look up '%s'", permit->network.name);
	return is_right(permit, &network->bridge, outcome) && protect_possible(permit, &network->bridge, outcome);
}

static bool bridge_stands(const struct permit *permit, const struct network *network, struct outcome *outcome)
{
	struct link_interface bridge;
	int error = link_by_index(network->link, network->bridge.index, &bridge);

	if (error && error != -ENODEV)
		return refuse_errno(outcome, error, "cannot look up '%s' again", permit->network.name);
	/* Nor is its MTU the lower for this tap's. */
	if (error || strcmp(bridge.name, permit->network.name) != 0 ||
		(permit->options.mtu && bridge.mtu < network->bridge.mtu))
		return refuse(outcome, EXIT_SYSTEM, "bridge '%s' or the tap on it was changed meanwhile; try again",
			permit->network.name);
	return is_right(permit, &bridge, outcome) && protect_possible(permit, &bridge, outcome);
}

/* A port of a network's bridge that is no tap of that network's. */
struct stranger {
	const char *network;
	char name[IFNAMSIZ];
};

static void see_port(void *context, const struct link_interface *port)
{
	struct stranger *stranger = context;
	struct alias_tap tap;

	if (!alias_is_missing(port) && (!alias_read_tap(port, &tap) || strcmp(tap.network, stranger->network) != 0))
		memcpy(stranger->name, port->name, sizeof(stranger->name));
}

/* What is behind such a port would be let in, and the guests out by it. Costs some 7 microseconds for each port. */
static bool ports_are_taps(const struct permit *permit, const struct network *network, struct outcome *outcome)
{
	struct stranger stranger = {.network = permit->network.name};
	int error = link_each_port(network->link, network->bridge.index, see_port, &stranger);

	if (error && error != -EAGAIN) /* where ports come and go, those that stay were seen */
		return refuse_errno(outcome, error, "cannot list the ports of bridge '%s'", permit->network.name);
	return !stranger.name[0] ||
	       refuse(outcome, EXIT_SYSTEM,
		       "network '%s' is not up: '%s' is a port of its bridge and no tap of the network; an administrator can run: ip link set %s nomaster",
		       permit->network.name, stranger.name, stranger.name);
}

/* --- the guard ---------------------------------------------------------------------------------------------------- */

static bool refuse_no_guard(const char *network, struct outcome *outcome)
{
	return refuse(outcome, EXIT_SYSTEM,
		"network '%s' is not up: its guard is missing; an administrator can run 'tapgate up'", network);
}

static bool guard_is_whole(const struct permit *permit, const struct network *network, struct outcome *outcome)
{
	const char *name = permit->network.name, *mode = policy_mode_name(permit->network.mode);
	int family = permit->network.mode == MODE_INTERNAL ? NFPROTO_NETDEV : NFPROTO_INET;
	struct guard guard;
	int error = guard_read(network->nftables, family, name, &guard);

	if (error == -EAGAIN)
		return refuse(outcome, EXIT_SYSTEM,
			"cannot tell whether the guard of network '%s' stands, as firewall rules change all the while; try again",
			name);
	if (error && error != -EPROTONOSUPPORT) /* that: a kernel without nftables */
		return refuse_errno(outcome, error, "cannot read the guard of network '%s'", name);
	if (error || !guard.exists)
		return refuse_no_guard(name, outcome);
	if (guard.mode[0] && strcmp(guard.mode, mode) != 0)
		return refuse(outcome, EXIT_SYSTEM,
			"network '%s' is not up: its guard is for %s, and %s says '%s'; an administrator can run 'tapgate up'",
			name, QUOTED(((struct word){guard.mode, strlen(guard.mode)})), permit->place, mode);
	if (!guard_stands(&guard, mode))
		return refuse(outcome, EXIT_SYSTEM,
			"network '%s' is not up: its guard was changed; an administrator can run 'tapgate up'", name);
	return guard.locks_ip || !(permit->options.given & OPTION_LOCK_IP) ||
	       refuse(outcome, EXIT_SYSTEM,
		       "network '%s' is not up: its guard is without 'lock-ip' of %s; an administrator can run 'tapgate up'",
		       name, permit_place(permit, OPTION_LOCK_IP));
}

static bool find_guard(const struct permit *permit, struct network *network, struct outcome *outcome)
{
	int error = nftables_open(&network->nftables);

	if (error == -EPROTONOSUPPORT)
		return refuse_no_guard(permit->network.name, outcome); /* a kernel without nftables */
	if (error)
		return refuse_errno(outcome, error, "cannot open a netlink socket for nftables");
	return guard_is_whole(permit, network, outcome);
}

/* --- both --------------------------------------------------------------------------------------------------------- */

bool network_find(const struct permit *permit, struct network *network, struct outcome *outcome)
{
	int error = link_open(&network->link);

	if (error == -EAFNOSUPPORT)
		return refuse_errno(outcome, error,
			"cannot open a netlink socket (a unit's RestrictAddressFamilies= has to have AF_NETLINK)");
	if (error)
		return refuse_errno(outcome, error, "cannot open a netlink socket");
	if (permit->network.mode != MODE_STANDALONE && !find_bridge(permit, network, outcome))
		return false;
	return !policy_is_managed(&permit->network) || find_guard(permit, network, outcome);
}

bool network_stands(const struct permit *permit, const struct network *network, struct outcome *outcome)
{
	if (network->bridge.index && !bridge_stands(permit, network, outcome))
		return false;
	return !policy_is_managed(&permit->network) ||
	       ((!network->bridge.index || ports_are_taps(permit, network, outcome)) &&
		       guard_is_whole(permit, network, outcome));
}

void network_close(struct network *network)
{
	link_close(network->link);
	link_close(network->nftables);
	*network = (struct network){0};
}
