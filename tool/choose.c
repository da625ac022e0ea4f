// SPDX-License-Identifier: MIT
/*
 * Which subnet a network has whose line says `auto`: the one that its bridge has, if that stands; else the first that
 * nothing on this host is in the way of, neither a route nor another network of the policy. So it moves on only where
 * one is in the way while the network is down.
 */
#include "tool/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "link/link.h"

#define MACHINE_ID "/etc/machine-id"

struct choosing {
	struct policy *policy;
	const struct policy_network *networks;
	size_t count;
	struct host host;
	char machine[64]; /* what tells this one from others (machine-id(5)); empty: nothing does */
	bool settled[POLICY_NETWORKS_MAX];
};

/* Whether the network's own bridge has that address. */
static bool stands(const struct choosing *choosing, const struct policy_network *network)
{
	const struct link_interface *bridge = host_interface(&choosing->host, network->name);

	for (size_t i = 0; bridge && alias_is_bridge(bridge) && i < choosing->host.address_count; i++) {
		const struct link_address *address = &choosing->host.addresses[i];

		if (address->index == bridge->index && address->family == AF_INET &&
			memcmp(address->address, network->ipv4.address, 4) == 0)
			return true;
	}
	return false;
}

/* Whether a route of the host's is in the way: any but the default ones, and those of the network's own bridge. */
static bool is_routed(const struct choosing *choosing, const struct policy_network *network,
	const struct policy_subnet *subnet, int family)
{
	const struct link_interface *own = host_interface(&choosing->host, network->name);

	for (size_t i = 0; subnet->given && i < choosing->host.route_count; i++) {
		const struct link_route *route = &choosing->host.routes[i];

		if (route->family == family && route->prefix > 1 &&
			(route->type == RTN_UNICAST || route->type == RTN_LOCAL) &&
			(!own || route->index != own->index) &&
			policy_prefixes_overlap(subnet->address, subnet->prefix, route->destination, route->prefix))
			return true;
	}
	return false;
}

static bool overlap(const struct policy_subnet *a, const struct policy_subnet *b)
{
	return a->given && b->given && policy_prefixes_overlap(a->address, a->prefix, b->address, b->prefix);
}

/* Whether another network has it, of those that have theirs already. */
static bool is_taken(const struct choosing *choosing, size_t index)
{
	const struct policy_network *network = &choosing->networks[index];

	for (size_t i = 0; i < choosing->count; i++) {
		const struct policy_network *other = &choosing->networks[i];

		if (i != index && (choosing->settled[i] || !other->automatic) &&
			(overlap(&network->ipv4, &other->ipv4) || overlap(&network->ipv6, &other->ipv6)))
			return true;
	}
	return is_routed(choosing, network, &network->ipv4, AF_INET) ||
	       is_routed(choosing, network, &network->ipv6, AF_INET6);
}

/* Take the first choice that is `standing`, or the first that is free. False: there is none. */
static bool take(struct choosing *choosing, size_t index, bool standing)
{
	for (uint32_t choice = 0; choice < POLICY_CHOICES; choice++) {
		policy_choose(choosing->policy, index, choosing->machine, choice);
		if (standing ? stands(choosing, &choosing->networks[index]) : !is_taken(choosing, index))
			return true;
	}
	policy_choose(choosing->policy, index, choosing->machine, 0);
	return false;
}

void load_choose(struct policy *policy)
{
	struct choosing choosing = {.policy = policy};
	struct link *link = NULL;
	bool any = false;

	choosing.networks = policy_networks(policy, &choosing.count);
	for (size_t i = 0; i < choosing.count; i++)
		any |= choosing.networks[i].automatic;
	if (!any)
		return;
	file_read(AT_FDCWD, MACHINE_ID, choosing.machine, sizeof(choosing.machine));
	if (link_open(&link) == 0)
		host_look(link, &choosing.host); /* where that fails nothing is known to be in the way */
	for (size_t i = 0; i < choosing.count; i++)
		choosing.settled[i] = choosing.networks[i].automatic && take(&choosing, i, true);
	for (size_t i = 0; i < choosing.count; i++) {
		if (choosing.networks[i].automatic && !choosing.settled[i])
			choosing.settled[i] = take(&choosing, i, false);
	}
	host_forget(&choosing.host);
	link_close(link);
}
