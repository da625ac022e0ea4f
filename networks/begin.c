// SPDX-License-Identifier: MIT
/*
 * Many networks at once: which can only be settled together, as one takes what another gives up; and how the others are
 * begun, bridges first, then all of their guards in one transaction, then addresses.
 */
#include "networks/networks.h"

#include <stdlib.h>
#include <string.h>

#include "link/link.h"
#include "tool/tool.h"

/* --- groups ------------------------------------------------------------------------------------------------------- */

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

/* --- begun -------------------------------------------------------------------------------------------------------- */

/* Whether nothing of a network is there yet but perhaps a guard that was left. */
static bool is_new(const struct session *session, const struct policy_network *network)
{
	return bridge_is_needed(network) && !host_interface(&session->host, network->name);
}

/* Whether all that a network lacks, as far as it is made in that order, is its guard. */
static bool lacks_guard(struct session *session, const struct policy_network *network)
{
	struct guard guard;

	return guard_look(session, network, &guard) == 0 && !guard_is_wanted(&guard, network) &&
	       (!bridge_is_needed(network) || !bridge_difference(session, network));
}

/*
 * Addresses, too, before the first dnsmasq starts: each one that runs reads all the host's addresses again for every
 * one that comes. bare: those of the networks whose guards are up now, in the same order.
 */
static void give_addresses(struct session *session, const struct policy_network *const *networks, size_t count,
	const struct policy_network *const *bare, bool *failed)
{
	for (size_t i = 0; i < count; i++) {
		if (networks[i] != *bare)
			continue;
		bare++;
		failed[i] = bridge_is_needed(networks[i]) && !bridge_set_addresses(session, networks[i]);
	}
}

bool network_begin_all(
	struct session *session, const struct policy_network *const *networks, size_t count, bool *failed)
{
	const struct policy_network **bare = calloc(count + 1, sizeof(const struct policy_network *));
	size_t bare_count = 0;
	bool made = false;

	session->keeping = true;
	for (size_t i = 0; i < count && count > 1 && bare && !session->dry && !session_interrupted(session); i++) {
		const bool new = is_new(session, networks[i]);

		failed[i] = new && !(bridge_make(session, networks[i]) && bridge_set(session, networks[i]));
		if (new ? !failed[i] : lacks_guard(session, networks[i]))
			bare[bare_count++] = networks[i];
		made |= new;
	}
	if (bare_count > 1 && guard_put_up_all(session, bare, bare_count))
		give_addresses(session, networks, count, bare, failed);
	session->keeping = false;
	free(bare);
	return (!made && bare_count == 0) || session_look(session);
}
