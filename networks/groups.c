// SPDX-License-Identifier: MIT
/* Sorts networks into groups: those that can only be settled together, as one takes what another gives up. */
#include "networks/networks.h"

#include <string.h>

static bool gives_up(const struct policy_network *network, const struct link_address *address)
{
	return !bridge_is_needed(network) || !addresses_want(network, address);
}

static bool takes(const struct policy_network *network, const struct link_address *address)
{
	const struct policy_subnet *subnet = address->family == AF_INET ? &network->ipv4 : &network->ipv6;

	return subnet->given &&
	       policy_prefixes_overlap(subnet->address, subnet->prefix, address->address, address->prefix);
}

static void join(size_t group[], size_t count, size_t one, size_t other)
{
	size_t first = group[one] < group[other] ? group[one] : group[other];
	size_t later = group[one] < group[other] ? group[other] : group[one];

	for (size_t i = 0; i < count; i++) {
		if (group[i] == later)
			group[i] = first;
	}
}

void groups_find(const struct host *host, const struct policy_network *const *networks, size_t count, size_t group[])
{
	for (size_t i = 0; i < count; i++)
		group[i] = i;
	for (size_t at = 0; at < host->address_count; at++) {
		const struct link_address *address = &host->addresses[at];
		const struct link_interface *bridge = host_interface_at(host, address->index);
		size_t giver = 0;

		if (!bridge || !bridge_is_ours(bridge))
			continue;
		while (giver < count && strcmp(networks[giver]->name, bridge->name) != 0)
			giver++;
		if (giver == count || !gives_up(networks[giver], address))
			continue;
		for (size_t taker = 0; taker < count; taker++) {
			if (takes(networks[taker], address))
				join(group, count, giver, taker);
		}
	}
}
