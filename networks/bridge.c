// SPDX-License-Identifier: MIT
/* The bridges that tapgate makes, one for each network that is neither bridged nor standalone, and their addresses. */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "link/link.h"
#include "tool/tool.h"

/* --- hardware addresses ------------------------------------------------------------------------------------------- */

/*
 * Hardware addresses of the bridges that tapgate makes: a bridge's own, the same after each boot, as guests know their
 * router by it. Locally administered (IEEE 802), 02:74:67 as its beginning, so that udev's rules know such a bridge
 * when they first see it; the rest from the machine's identity (machine-id(5)) and the network's name, or from chance
 * where there is no such identity.
 */

static const unsigned char mac_begin[] = {0x02, 0x74, 0x67};

/* Choose one for a network; whether it is the same each time. */
static bool choose_mac(const char *name, unsigned char mac[static 6])
{
	char id[64] = "";
	uint64_t digest = GUARD_DIGEST_START;

	file_read(AT_FDCWD, "/etc/machine-id", id, sizeof(id));
	digest = guard_digest(guard_digest(digest, id, strlen(id)), name, strlen(name));
	if (strlen(id) < 32 && getrandom(&digest, sizeof(digest), 0) != sizeof(digest))
		digest = guard_digest(digest, name, strlen(name));
	memcpy(mac, mac_begin, sizeof(mac_begin));
	memcpy(mac + sizeof(mac_begin), &digest, 6 - sizeof(mac_begin));
	return strlen(id) >= 32;
}

/* Whether an address begins as ours do. */
static bool is_our_mac(const unsigned char mac[static 6])
{
	return memcmp(mac, mac_begin, sizeof(mac_begin)) == 0;
}

/* Whether a bridge has the one that it is to have. */
static bool has_right_mac(const struct link_interface *bridge)
{
	unsigned char mac[6];

	return is_our_mac(bridge->mac) &&
	       (!choose_mac(bridge->name, mac) || memcmp(bridge->mac, mac, sizeof(mac)) == 0);
}

/* NET_ADDR_SET of include/linux/netdevice.h. */
bool bridge_mac_is_set(const char *interface)
{
	char path[64], kind[8];

	snprintf(path, sizeof(path), "/sys/class/net/%s/addr_assign_type", interface);
	return file_read(AT_FDCWD, path, kind, sizeof(kind)) <= 0 || *kind == '3';
}

/* --- ports -------------------------------------------------------------------------------------------------------- */

/* The ports of a network's bridge that are taps of virtual machines which run already. */

#define ISOLATED LINK_PORT(IFLA_BRPORT_ISOLATED)

/* Whether a port must be isolated and is not: a tap of a network that was of another mode when it was made. */
static bool must_be_isolated(const struct policy_network *network, int bridge, const struct link_interface *port)
{
	struct alias_tap tap;

	return policy_mode_is_apart(network->mode) && bridge && port->master == bridge && alias_read_tap(port, &tap) &&
	       (port->port.known & ISOLATED) && !(port->port.on & ISOLATED);
}

/*
 * Isolate the ports of a nat network's bridge that are not, as when the network was of another mode when their taps
 * were made. The other way round they stay as they are: the rule that a tap was made by may have asked for it.
 * `bridge`: its index; 0 before it is made.
 */
static bool isolate_ports(struct session *session, const struct policy_network *network, int bridge)
{
	const struct link_port isolated = {.known = ISOLATED, .on = ISOLATED};

	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *port = &session->host.interfaces[i];
		int error;

		if (!must_be_isolated(network, bridge, port))
			continue;
		error = session->dry ? 0 : link_set_port(session->link, port->index, &isolated);
		if (error)
			return session_fail(network->name, error, "isolate the port '%s'", port->name);
		session_say(session, network->name, "isolated", "isolate", "the port '%s'", port->name);
	}
	return true;
}

/* Whether there are such ports. */
static bool ports_differ(const struct host *host, const struct policy_network *network, int bridge)
{
	for (size_t i = 0; i < host->interface_count; i++) {
		if (must_be_isolated(network, bridge, &host->interfaces[i]))
			return true;
	}
	return false;
}

/* --- addresses ---------------------------------------------------------------------------------------------------- */

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

/* Remove from the network's bridge (index 0: it is not there yet) what is not wanted. */
static bool clear_addresses(struct session *session, const struct policy_network *network, int index)
{
	for (size_t i = 0; i < session->host.address_count; i++) {
		const struct link_address *address = &session->host.addresses[i];

		if (index && address->index == index && !addresses_want(network, address) &&
			!change_address(session, network, address, false))
			return false;
	}
	return true;
}

/* And add what is missing, too. */
static bool settle_addresses(struct session *session, const struct policy_network *network, int index)
{
	const struct policy_subnet local = link_local(network);

	return clear_addresses(session, network, index) &&
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

/* --- which they are ----------------------------------------------------------------------------------------------- */

bool bridge_is_needed(const struct policy_network *network)
{
	return policy_is_managed(network) && network->mode != MODE_STANDALONE;
}

/* The network's bridge; an empty one if it is not there yet, as before it is made, or with --dry-session. */
static struct link_interface find(const struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = host_interface(&session->host, network->name);

	return bridge && bridge_is_ours(bridge) ? *bridge : (struct link_interface){.index = 0};
}

bool bridge_is_ours(const struct link_interface *interface)
{
	return alias_is_bridge(interface) || (strcmp(interface->kind, "bridge") == 0 && !interface->alias[0] &&
						     !(interface->flags & IFF_UP) && is_our_mac(interface->mac));
}

/* --- the bridge itself -------------------------------------------------------------------------------------------- */

bool bridge_make(struct session *session, const struct policy_network *network)
{
	unsigned char mac[6];
	int error;

	if (find(session, network).index)
		return true;
	choose_mac(network->name, mac);
	error = session->dry ? 0 : link_make_bridge(session->link, network->name, mac);
	if (error)
		return session_fail(network->name, error, "make the bridge");
	/* No guest is the host's router, whatever interfaces have by default. Without IPv6 there is no such setting. */
	if (!session->dry)
		(void)sysctl_write(AF_INET6, network->name, "accept_ra", 0);
	session_say(session, network->name, "made", "make", "the bridge");
	return true;
}

/* --- its settings ------------------------------------------------------------------------------------------------- */

static uint32_t mtu_wanted(const struct policy_network *network)
{
	return network->options.mtu ? network->options.mtu : 1500;
}

/*
 * A bridge follows the lowest MTU of its ports until one is set that it does not have (br_change_mtu, net/bridge/
 * br_device.c): then one guest's mtu= is not everybody's.
 */
static int pin_mtu(struct session *session, struct link_interface *bridge)
{
	const struct link_change change = {.mtu = --bridge->mtu};

	return link_change(session->link, bridge->index, &change);
}

static bool differs(const char *what, const char **difference)
{
	*difference = what;
	return true;
}

/*
 * The kernel's defaults are a switch's. What is for a bridge itself is not passed on: it is none of a spanning tree,
 * and what guests say by these addresses to one another would be out of the guard's sight. With snooping, one guest's
 * query takes multicast, neighbour discovery included, from those whose firewalls know no MLD (dfinity/ic 11246).
 * Without a limit, one guest fills memory with addresses that the bridge learns; if it forgot them at once, all would
 * hear all.
 */
static const struct link_interface as_switch = {
	.group_forward = 0,
	.snooping = false,
	.ageing = 30000,      /* the kernel's default */
	.learned_max = 16384, /* sixteen for each port that a bridge can have */
};

static bool switch_differs(const struct link_interface *bridge)
{
	return bridge->group_forward != as_switch.group_forward || bridge->snooping != as_switch.snooping ||
	       bridge->ageing != as_switch.ageing ||
	       (bridge->knows_learned_max && bridge->learned_max != as_switch.learned_max);
}

/* The first setting of a bridge that is not as the network wants it. */
static bool setting_differs(
	const struct policy_network *network, const struct link_interface *bridge, const char **difference)
{
	char alias[IFALIASZ];

	alias_of_bridge(network->name, policy_mode_name(network->mode), alias);
	if (strcmp(bridge->alias, alias) != 0)
		return differs("mark (its mode)", difference);
	if (!has_right_mac(bridge))
		return differs("hardware address", difference);
	if (bridge->group_forward != as_switch.group_forward)
		return differs("group_fwd_mask", difference);
	if (bridge->snooping != as_switch.snooping)
		return differs("multicast snooping", difference);
	if (bridge->ageing != as_switch.ageing)
		return differs("ageing of addresses", difference);
	if (bridge->stp || bridge->forward_delay)
		return differs("spanning tree and forward delay", difference);
	if (bridge->mtu != mtu_wanted(network))
		return differs("MTU", difference);
	if (bridge->knows_learned_max && bridge->learned_max != as_switch.learned_max)
		return differs("limit of learned addresses", difference);
	if (bridge->makes_ipv6_address)
		return differs("choice of an IPv6 address", difference);
	return false;
}

static int apply_settings(
	struct session *session, const struct policy_network *network, const struct link_interface *bridge)
{
	unsigned char mac[6];
	char alias[IFALIASZ];
	uint32_t mtu = mtu_wanted(network);
	const struct link_change change = {.mac = has_right_mac(bridge) ? NULL : mac,
		.mtu = bridge->mtu == mtu ? 0 : mtu,
		.alias = alias,
		.no_ipv6_address = true};
	int error;

	alias_of_bridge(network->name, policy_mode_name(network->mode), alias);
	choose_mac(network->name, mac);
	error = link_set_bridge(session->link, bridge->index, false, 0);
	if (!error && switch_differs(bridge))
		error = link_set_switch(session->link, bridge->index, &as_switch);
	return error ? error : link_change(session->link, bridge->index, &change);
}

bool bridge_set(struct session *session, const struct policy_network *network)
{
	struct link_interface bridge = find(session, network);
	const bool repair = bridge.index;
	const char *difference;
	int error = 0;

	if (repair && !setting_differs(network, &bridge, &difference))
		return true;
	if (!repair && !session->dry) {
		error = link_by_name(session->link, network->name, &bridge);
		if (!error)
			error = pin_mtu(session, &bridge);
		if (error)
			return session_fail(network->name, error, "find the bridge that was made");
	}
	error = session->dry ? 0 : apply_settings(session, network, &bridge);
	if (error)
		return session_fail(network->name, error, "set the bridge up");
	if (repair)
		session_say(session, network->name, "repaired", "repair", "its bridge's %s", difference);
	return true;
}

bool bridge_clear_addresses(struct session *session, const struct policy_network *network)
{
	return clear_addresses(session, network, find(session, network).index);
}

bool bridge_set_addresses(struct session *session, const struct policy_network *network)
{
	return settle_addresses(session, network, find(session, network).index);
}

bool bridge_isolate_ports(struct session *session, const struct policy_network *network)
{
	return isolate_ports(session, network, find(session, network).index);
}

/* --- up, and away ------------------------------------------------------------------------------------------------- */

bool bridge_bring_up(struct session *session, const struct policy_network *network)
{
	const struct link_change change = {.up = true};
	struct link_interface bridge = find(session, network);
	int error = 0;

	if (bridge.flags & IFF_UP)
		return true;
	if (!session->dry) {
		error = link_by_name(session->link, network->name, &bridge);
		if (!error)
			error = link_change(session->link, bridge.index, &change);
		if (error)
			return session_fail(network->name, error, "bring the bridge up");
	}
	session_say(session, network->name, "brought", "bring", "the bridge up");
	return true;
}

bool bridge_remove(struct session *session, const char *name)
{
	const struct link_interface *bridge = host_interface(&session->host, name);
	int error;

	if (!bridge || !bridge_is_ours(bridge))
		return true;
	error = session->dry ? 0 : link_remove(session->link, bridge->index);
	if (error && error != -ENODEV)
		return session_fail(name, error, "remove the bridge");
	session_say(session, name, "removed", "remove", "the bridge");
	return true;
}

const char *bridge_difference(struct session *session, const struct policy_network *network)
{
	const struct link_interface bridge = find(session, network);
	const char *difference = NULL;

	if (setting_differs(network, &bridge, &difference))
		return difference;
	if (addresses_differ(&session->host, network, bridge.index))
		return "addresses";
	if (ports_differ(&session->host, network, bridge.index))
		return "ports (not isolated)";
	return bridge.flags & IFF_UP ? NULL : "state (it is down)";
}
