// SPDX-License-Identifier: MIT
/* The host's addresses on the bridges that tapgate makes. */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "tool/tool.h"

static bool same(const struct policy_subnet *subnet, int family, const struct link_address *address)
{
	return subnet->given && address->family == family && address->prefix == subnet->prefix &&
	       memcmp(address->address, subnet->address, family == AF_INET ? 4 : 16) == 0;
}

/*
 * The link-local address that router advertisements come from, where there is IPv6 at all. The kernel makes none (IPv6
 * address generation is off): its own would come with the first guest only, be tried for a second before it counts, and
 * be given up if a guest said that it had it.
 */
static struct policy_subnet link_local(const struct policy_network *network)
{
	return (struct policy_subnet){
		.given = network->ipv6.given, .address = {[0] = 0xfe, [1] = 0x80, [15] = 1}, .prefix = 64};
}

bool addresses_want(const struct policy_network *network, const struct link_address *address)
{
	const struct policy_subnet local = link_local(network);

	return same(&network->ipv4, AF_INET, address) || same(&network->ipv6, AF_INET6, address) ||
	       same(&local, AF_INET6, address);
}

static bool has_address(const struct host *host, int index, int family, const struct policy_subnet *subnet)
{
	for (size_t i = 0; i < host->address_count; i++) {
		if (host->addresses[i].index == index && same(subnet, family, &host->addresses[i]))
			return true;
	}
	return false;
}

static bool change_address(
	struct session *session, const struct policy_network *network, const struct link_address *address, bool add)
{
	char text[INET6_ADDRSTRLEN] = "";
	int error;

	inet_ntop(address->family, address->address, text, sizeof(text));
	if (!session->dry) {
		error = add ? link_add_address(session->link, address) : link_remove_address(session->link, address);
		if (error == -EACCES && address->family == AF_INET6)
			return say_error(
				"%s: cannot add the address %s/%u: IPv6 is switched off (see sysctl net.ipv6.conf.default.disable_ipv6); switch it on, or leave out the network's IPv6 address",
				network->name, text, address->prefix);
		if (error)
			return session_fail(network->name, error, "%s the address %s/%u", add ? "add" : "remove", text,
				address->prefix);
	}
	session_say(session, network->name, add ? "added" : "removed", add ? "add" : "remove", "the address %s/%u",
		text, address->prefix);
	return true;
}

bool addresses_add(struct session *session, const struct policy_network *network, const struct link_address *address)
{
	return change_address(session, network, address, true);
}

bool addresses_renew(struct session *session, const struct policy_network *network, const struct link_address *address)
{
	return change_address(session, network, address, false) && change_address(session, network, address, true);
}

static bool add_address(struct session *session, const struct policy_network *network, int index, int family,
	const struct policy_subnet *subnet)
{
	struct link_address address = {.index = index, .family = family, .prefix = subnet->prefix};
	struct link_interface bridge = {.index = index};

	if (!subnet->given || (index && has_address(&session->host, index, family, subnet)))
		return true;
	if (!index && !session->dry && link_by_name(session->link, network->name, &bridge) != 0)
		return session_fail(network->name, ENODEV, "find the bridge that was made");
	address.index = bridge.index;
	memcpy(address.address, subnet->address, sizeof(address.address));
	return addresses_add(session, network, &address);
}

bool addresses_clear(struct session *session, const struct policy_network *network, int index)
{
	for (size_t i = 0; i < session->host.address_count; i++) {
		const struct link_address *address = &session->host.addresses[i];

		if (index && address->index == index && !addresses_want(network, address) &&
			!change_address(session, network, address, false))
			return false;
	}
	return true;
}

bool addresses_settle(struct session *session, const struct policy_network *network, int index)
{
	const struct policy_subnet local = link_local(network);

	return addresses_clear(session, network, index) &&
	       add_address(session, network, index, AF_INET, &network->ipv4) &&
	       add_address(session, network, index, AF_INET6, &network->ipv6) &&
	       add_address(session, network, index, AF_INET6, &local);
}

static bool lacks(const struct host *host, int index, int family, const struct policy_subnet *subnet)
{
	return subnet->given && !has_address(host, index, family, subnet);
}

bool addresses_differ(const struct host *host, const struct policy_network *network, int index)
{
	const struct policy_subnet local = link_local(network);

	for (size_t i = 0; i < host->address_count; i++) {
		if (host->addresses[i].index == index && !addresses_want(network, &host->addresses[i]))
			return true;
	}
	return lacks(host, index, AF_INET, &network->ipv4) || lacks(host, index, AF_INET6, &network->ipv6) ||
	       lacks(host, index, AF_INET6, &local);
}
