// SPDX-License-Identifier: MIT
/* The taps of virtual machines on standalone networks: the host's addresses on them. */
#include "networks/networks.h"

#include <string.h>

#include "policy/text.h"

/*
 * Whether a tap is a machine's on that network. One that is down may be one that the helper is about to give its
 * addresses, which it would then find taken.
 */
static bool is_ready(const struct policy_network *network, const struct link_interface *tap)
{
	return network_has_tap(tap, network->name) && !tap->master && !network_is_stray(network, tap) &&
	       (tap->flags & IFF_UP);
}

/* The tap's subnet, IPv4 and IPv6: of a pool the one whose number is in its name. */
static void find_subnets(
	const struct policy_network *network, const struct link_interface *tap, struct policy_subnet subnets[static 2])
{
	const char *text = tap->name + strlen(network->name) + 1;
	uint32_t number = 0;

	subnets[0] = network->ipv4;
	subnets[1] = network->ipv6;
	if (!policy_pool_size(network))
		return;
	if (!word_number((struct word){text, strlen(text)}, POLICY_POOL_MAX, &number))
		number = 0; /* of no subnet: then none is given */
	policy_pool_subnet(network, number, &subnets[0], &subnets[1]);
}

static bool has_any(const struct host *host, int index, int family)
{
	for (size_t i = 0; i < host->address_count; i++) {
		if (host->addresses[i].index == index && host->addresses[i].family == family)
			return true;
	}
	return false;
}

/* Whether a tap lacks an address of a family, and which. */
static bool lacks(const struct host *host, const struct policy_network *network, const struct link_interface *tap,
	int family, struct link_address *address)
{
	struct policy_subnet subnets[2];
	const struct policy_subnet *subnet = &subnets[family == AF_INET6];

	if (!is_ready(network, tap) || has_any(host, tap->index, family))
		return false;
	find_subnets(network, tap, subnets);
	*address = (struct link_address){.index = tap->index, .family = family, .prefix = subnet->prefix};
	memcpy(address->address, subnet->address, sizeof(address->address));
	return subnet->given;
}

const char *standalone_difference(const struct session *session, const struct policy_network *network)
{
	struct link_address address;

	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *tap = &session->host.interfaces[i];

		if (lacks(&session->host, network, tap, AF_INET, &address) ||
			lacks(&session->host, network, tap, AF_INET6, &address))
			return "addresses";
	}
	return NULL;
}

bool standalone_settle(struct session *session, const struct policy_network *network)
{
	struct link_address address;

	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *tap = &session->host.interfaces[i];

		if ((lacks(&session->host, network, tap, AF_INET, &address) &&
			    !addresses_add(session, network, &address)) ||
			(lacks(&session->host, network, tap, AF_INET6, &address) &&
				!addresses_add(session, network, &address)))
			return false;
	}
	return true;
}
