// SPDX-License-Identifier: MIT
/*
 * Whether bringing a network in line with the policy would cut off who is on it: that is for an administrator to say.
 * And a network as it was applied, from what the kernel has of it, for whoever is to restore that and no more.
 */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>

#include "dhcp/dhcp.h"
#include "link/link.h"
#include "tool/tool.h"

/* --- who is on it ------------------------------------------------------------------------------------------------- */

/* A bridge of ours with that name; NULL: there is none. */
static const struct link_interface *bridge_of(const struct session *session, const char *name)
{
	const struct link_interface *bridge = host_interface(&session->host, name);

	return bridge && bridge_is_ours(bridge) ? bridge : NULL;
}

/* A tap that its machine made persistent, and that nobody holds any more, is nobody's (tapgate reap). */
static bool is_on_it(const struct link_interface *interface, const char *name, const struct link_interface *bridge)
{
	if (interface->tun.persistent && !interface->carrier)
		return false;
	return (bridge && interface->master == bridge->index) ||
	       (!interface->master && network_has_tap(interface, name));
}

void cutoff_each_member(const struct session *session, const char *name,
	void (*each)(void *context, const struct link_interface *), void *context)
{
	const struct link_interface *bridge = bridge_of(session, name);

	for (size_t i = 0; i < session->host.interface_count; i++) {
		if (is_on_it(&session->host.interfaces[i], name, bridge))
			each(context, &session->host.interfaces[i]);
	}
}

static void count_member(void *count, const struct link_interface *member)
{
	(void)member;
	++*(size_t *)count;
}

size_t cutoff_members(const struct session *session, const char *name)
{
	size_t count = 0;

	cutoff_each_member(session, name, count_member, &count);
	return count;
}

/* --- as it was applied -------------------------------------------------------------------------------------------- */

/* The mode that is written on a bridge of ours; MODE_BRIDGED: none is. */
static enum policy_mode mode_of(const struct link_interface *bridge)
{
	static const enum policy_mode modes[] = {MODE_NAT, MODE_SHARED, MODE_ROUTED, MODE_HOST_ONLY, MODE_INTERNAL};
	char alias[IFALIASZ];

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		alias_of_bridge(bridge->name, policy_mode_name(modes[i]), alias);
		if (strcmp(bridge->alias, alias) == 0)
			return modes[i];
	}
	return MODE_BRIDGED;
}

static bool is_link_local(const struct link_address *address)
{
	return address->family == AF_INET6 && address->address[0] == 0xfe && (address->address[1] & 0xc0) == 0x80;
}

/* The first address of each family that a bridge has. */
static void take_addresses(const struct session *session, int index, struct policy_network *as)
{
	for (size_t i = 0; i < session->host.address_count; i++) {
		const struct link_address *address = &session->host.addresses[i];
		struct policy_subnet *subnet = address->family == AF_INET ? &as->ipv4 : &as->ipv6;

		if (address->index != index || is_link_local(address) || subnet->given)
			continue;
		subnet->given = true;
		subnet->prefix = address->prefix;
		memcpy(subnet->address, address->address, sizeof(subnet->address));
	}
}

/* The subnet that has the addresses of all taps of a pool, as far as they are known: two of them, at least. */
static void widen(struct policy_subnet *pool, const struct link_address *address)
{
	if (!pool->given) {
		*pool = (struct policy_subnet){.given = true, .prefix = address->prefix, .per_vm = address->prefix};
		memcpy(pool->address, address->address, sizeof(pool->address));
	}
	while (pool->prefix == pool->per_vm ||
		!policy_prefixes_overlap(pool->address, pool->prefix, address->address, pool->prefix))
		pool->prefix--;
}

/* A network that has no bridge of ours, from its taps, which stand alone. False: there are none. */
static bool take_taps(const struct session *session, const char *name, struct policy_network *as)
{
	const struct host *host = &session->host;
	bool found = false;

	*as = (struct policy_network){.mode = MODE_STANDALONE};
	snprintf(as->name, sizeof(as->name), "%s", name);
	for (size_t i = 0; i < host->interface_count; i++) {
		const struct link_interface *tap = &host->interfaces[i];

		if (!network_stands_alone(tap, name))
			continue;
		found = true;
		if (strcmp(tap->name, name) == 0)
			take_addresses(session, tap->index, as);
		for (size_t j = 0; j < host->address_count && strcmp(tap->name, name) != 0; j++) {
			if (host->addresses[j].index == tap->index && !is_link_local(&host->addresses[j]))
				widen(host->addresses[j].family == AF_INET ? &as->ipv4 : &as->ipv6,
					&host->addresses[j]);
		}
	}
	return found;
}

bool cutoff_applied(
	const struct session *session, const char *name, const struct policy_network *line, struct policy_network *as)
{
	const struct link_interface *bridge = bridge_of(session, name);
	const enum policy_mode mode = bridge ? mode_of(bridge) : MODE_BRIDGED;

	if (!bridge && (!line || line->mode != MODE_STANDALONE) && take_taps(session, name, as))
		return true;
	if (!bridge || mode == MODE_BRIDGED ||
		(line && line->mode == mode && !addresses_differ(&session->host, line, bridge->index))) {
		if (line)
			*as = *line;
		return line;
	}
	*as = (struct policy_network){.mode = mode};
	memcpy(as->name, bridge->name, sizeof(as->name));
	if (line) {
		as->options = line->options;
		as->served = line->served;
	}
	take_addresses(session, bridge->index, as);
	/* What the line has of these is for the mode that it names. */
	if (line && line->mode != mode)
		as->options.given &= ~(uint32_t)OPTION_LOCK_IP;
	if (dnsmasq_pid(name) == 0)
		as->options.given &= ~(uint32_t)(OPTION_DHCP | OPTION_RA);
	else if (!policy_has_server(as))
		as->options.given |= OPTION_DHCP;
	return true;
}

/* --- what cuts off ------------------------------------------------------------------------------------------------ */

/* A change of a line, looked at. */
struct change {
	struct session *session;
	const struct policy_network *network;
	const struct link_interface *bridge;
};

/* Guests of a `nat` network reach what they reached when it is `shared`; every other change takes something. */
static const char *mode_cuts(
	struct session *session, const struct policy_network *network, const struct link_interface *bridge)
{
	const enum policy_mode mode = bridge ? mode_of(bridge) : MODE_BRIDGED;

	if (mode == MODE_BRIDGED || mode == network->mode || (mode == MODE_NAT && network->mode == MODE_SHARED))
		return NULL;
	return session_phrase(
		session, "to make it %s, which is %s,", policy_mode_name(network->mode), policy_mode_name(mode));
}

/* Taps that no guard knows when the network is as its line says: network.c removes them. */
static const char *strays_cut(const struct session *session, const struct policy_network *network)
{
	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *tap = &session->host.interfaces[i];

		if (!tap->master && network_has_tap(tap, network->name) && is_on_it(tap, network->name, NULL) &&
			network_is_stray(network, tap))
			return "to remove taps that its line has no place for";
	}
	return NULL;
}

/*
 * Whether guests lose an address of the host's that the bridge has. One that stands beside the one that is wanted was
 * added by hand; a subnet that only grew still has all guests.
 */
static bool is_lost(const struct change *change, const struct link_address *address)
{
	const struct policy_subnet *subnet =
		address->family == AF_INET ? &change->network->ipv4 : &change->network->ipv6;
	const struct host *host = &change->session->host;

	if (address->index != change->bridge->index || is_link_local(address) ||
		addresses_want(change->network, address))
		return false;
	for (size_t i = 0; i < host->address_count; i++) {
		if (host->addresses[i].index == address->index && host->addresses[i].family == address->family &&
			!is_link_local(&host->addresses[i]) && addresses_want(change->network, &host->addresses[i]))
			return false;
	}
	return !subnet->given || subnet->prefix > address->prefix ||
	       memcmp(subnet->address, address->address, address->family == AF_INET ? 4 : 16) != 0;
}

/* A guard that is what the line says tells that the line was applied: what differs is what somebody did since. */
static const char *addresses_cut(const struct change *change)
{
	struct session *session = change->session;
	struct guard guard;

	for (size_t i = 0; i < session->host.address_count; i++) {
		const struct link_address *address = &session->host.addresses[i];
		char text[INET6_ADDRSTRLEN] = "";

		if (!is_lost(change, address))
			continue;
		if (guard_look(session, change->network, &guard) == 0 && guard_is_wanted(&guard, change->network))
			return NULL;
		inet_ntop(address->family, address->address, text, sizeof(text));
		return session_phrase(session, "to take its address %s/%u away", text, address->prefix);
	}
	return NULL;
}

/* --- leases ------------------------------------------------------------------------------------------------------- */

/* A lease, and whether its guest has been heard on the bridge of late. */
struct lease_search {
	const struct change *change;
	struct lease lease;
	bool heard;
	const char *found;
};

static void compare_entry(void *context, const struct fdb_entry *entry)
{
	struct lease_search *search = context;

	search->heard |= !entry->own && memcmp(entry->mac, search->lease.mac, sizeof(entry->mac)) == 0;
}

/*
 * Whether the line gives an address to another guest, or has no place for it. A guest that has an address of its own in
 * the policy is to have that one by the administrator's word, and gets it when it asks again.
 */
static bool is_taken_back(const struct policy_network *network, const struct lease *lease)
{
	uint32_t address;

	for (const struct policy_guest *guest = NULL; (guest = policy_next_guest(network, guest));) {
		if (!(guest->options.given & OPTION_IP))
			continue;
		if (memcmp(guest->options.mac, lease->mac, MAC_BYTES) == 0)
			return false;
		if (memcmp(guest->ipv4, lease->address, sizeof(guest->ipv4)) == 0)
			return true;
	}
	memcpy(&address, lease->address, sizeof(address));
	address = ntohl(address);
	return !dnsmasq_wanted(network) || address < network->dhcp_first || address > network->dhcp_last;
}

static void look_at_lease(void *context, const struct lease *lease)
{
	struct lease_search *search = context;
	const struct change *change = search->change;
	char address[INET_ADDRSTRLEN] = "", mac[MAC_TEXT];

	if (search->found || lease->family != AF_INET || !lease->has_mac || !is_taken_back(change->network, lease))
		return;
	search->lease = *lease;
	search->heard = false;
	fdb_each(change->session->link, change->bridge->index, compare_entry, search);
	if (!search->heard)
		return;
	inet_ntop(AF_INET, lease->address, address, sizeof(address));
	mac_text(lease->mac, mac);
	search->found = session_phrase(change->session, "to hand out others than %s, which %s has,", address, mac);
}

static const char *leases_cut(const struct change *change)
{
	struct lease_search search = {.change = change};

	leases_each(change->network->name, look_at_lease, &search);
	return search.found;
}

const char *cutoff_find(struct session *session, const struct policy_network *network, const char *name)
{
	const struct link_interface *bridge = bridge_of(session, name);
	const struct change change = {.session = session, .network = network, .bridge = bridge};
	const char *found;

	if (cutoff_members(session, name) == 0)
		return NULL;
	if (!network || !policy_is_managed(network))
		return "to remove it";
	found = mode_cuts(session, network, bridge);
	if (!found)
		found = strays_cut(session, network);
	if (!found && bridge)
		found = addresses_cut(&change);
	return found || !bridge ? found : leases_cut(&change);
}
