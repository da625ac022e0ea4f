#include "cli/networks/bridge.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "cli/networks/addresses.h"
#include "cli/networks/bridge_mac.h"
#include "cli/networks/ports.h"
#include "cli/networks/sysctl.h"
#include "cli/say.h"
#include "link/alias.h"

bool bridge_is_managed(const struct policy_network *network)
{
	return network->mode != MODE_BRIDGED;
}

bool bridge_is_needed(const struct policy_network *network)
{
	return bridge_is_managed(network) && network->mode != MODE_STANDALONE;
}

/* The network's bridge; an empty one if it is not there yet, as before it is made, or with --dry-session. */
static struct link_interface find(const struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = host_interface(&session->host, network->name);

	return bridge && bridge_is_ours(bridge) ? *bridge : (struct link_interface){.index = 0};
}

bool bridge_is_ours(const struct link_interface *interface)
{
	return alias_is_bridge(interface) ||
	       (strcmp(interface->kind, "bridge") == 0 && !interface->alias[0] && !(interface->flags & IFF_UP) &&
		       bridge_mac_is_ours(interface->mac));
}

/* --- the bridge itself ------------------------------------------------------------------------------------------- */

/* The one that was to be made, if it was; not that of somebody who was quicker. */
static bool remove_again(struct session *session, const struct undo_values *values)
{
	struct link_interface bridge;
	int error = link_by_name(session->link, values->name, &bridge);

	if (error == -ENODEV || (!error && memcmp(bridge.mac, values->before.mac, sizeof(bridge.mac)) != 0))
		return true;
	if (!error)
		error = link_remove(session->link, bridge.index);
	return !error || session_fail(values->name, error, "remove the bridge again");
}

bool bridge_make(struct session *session, const struct policy_network *network)
{
	struct undo_values undo = {.index = 0};
	int error;

	if (find(session, network).index)
		return true;
	if (!session->dry) {
		memcpy(undo.name, network->name, sizeof(network->name));
		bridge_mac_choose(network->name, undo.before.mac);
		session_undo_with(session, remove_again, undo); /* first: it may be there without our hearing of it */
		error = link_make_bridge(session->link, network->name, undo.before.mac);
		if (error)
			return session_fail(network->name, error, "make the bridge");
	}
	session_say(session, network->name, "made", "make", "the bridge");
	return true;
}

/* --- its settings ------------------------------------------------------------------------------------------------ */

#define ADDRESS_MODE "addr_gen_mode"

/* How the kernel makes IPv6 addresses (IN6_ADDR_GEN_MODE_...; 1: none); -1 where there is no IPv6. */
static int ipv6_address_mode(const char *bridge)
{
	return sysctl_read(AF_INET6, bridge, ADDRESS_MODE);
}

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
	int mode = ipv6_address_mode(network->name);

	alias_of_bridge(network->name, policy_mode_name(network->mode), alias);
	if (strcmp(bridge->alias, alias) != 0)
		return differs("mark (its mode)", difference);
	if (!bridge_mac_is_right(bridge))
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
	if (mode >= 0 && mode != 1)
		return differs("choice of an IPv6 address", difference);
	return false;
}

static bool set_back(struct session *session, const struct undo_values *values)
{
	const struct link_interface *before = &values->before;
	const struct link_change change = {.mac = before->mac, .mtu = before->mtu, .alias = before->alias};
	int error = link_set_bridge(session->link, values->index, before->stp, before->forward_delay);

	if (!error && switch_differs(before))
		error = link_set_switch(session->link, values->index, before);
	if (!error)
		error = link_change(session->link, values->index, &change);
	if (!error && ipv6_address_mode(values->name) != values->number)
		error = sysctl_write(AF_INET6, values->name, ADDRESS_MODE, values->number);
	return !error || session_fail(values->name, error, "put the bridge's settings back");
}

static int apply_settings(
	struct session *session, const struct policy_network *network, const struct link_interface *bridge)
{
	unsigned char mac[6];
	char alias[IFALIASZ];
	uint32_t mtu = mtu_wanted(network);
	const struct link_change change = {.mac = bridge_mac_is_right(bridge) ? NULL : mac,
		.mtu = bridge->mtu == mtu ? 0 : mtu,
		.alias = alias,
		.no_ipv6_address = true};
	int error;

	alias_of_bridge(network->name, policy_mode_name(network->mode), alias);
	bridge_mac_choose(network->name, mac);
	error = link_set_bridge(session->link, bridge->index, false, 0);
	if (!error && switch_differs(bridge))
		error = link_set_switch(session->link, bridge->index, &as_switch);
	return error ? error : link_change(session->link, bridge->index, &change);
}

bool bridge_set(struct session *session, const struct policy_network *network)
{
	struct link_interface bridge = find(session, network);
	struct undo_values undo = {.index = bridge.index, .before = bridge};
	const char *difference;
	int error;

	if (bridge.index && !setting_differs(network, &bridge, &difference))
		return true;
	if (!session->dry) {
		if (bridge.index) {
			memcpy(undo.name, network->name, sizeof(network->name));
			undo.number = ipv6_address_mode(network->name);
			session_undo_with(session, set_back, undo);
		} else {
			error = link_by_name(session->link, network->name, &bridge);
			if (!error)
				error = pin_mtu(session, &bridge);
			if (error)
				return session_fail(network->name, error, "find the bridge that was made");
		}
		error = apply_settings(session, network, &bridge);
		if (error)
			return session_fail(network->name, error, "set the bridge up");
	}
	if (undo.index)
		session_say(session, network->name, "repaired", "repair", "its bridge's %s", difference);
	return true;
}

bool bridge_clear_addresses(struct session *session, const struct policy_network *network)
{
	return addresses_clear(session, network, find(session, network).index);
}

bool bridge_set_addresses(struct session *session, const struct policy_network *network)
{
	return addresses_settle(session, network, find(session, network).index);
}

bool bridge_isolate_ports(struct session *session, const struct policy_network *network)
{
	return ports_isolate(session, network, find(session, network).index);
}

/* --- up, and away ------------------------------------------------------------------------------------------------ */

static bool bring_down_again(struct session *session, const struct undo_values *values)
{
	const struct link_change change = {.down = true};
	int error = link_change(session->link, values->index, &change);

	return !error || session_fail(values->name, error, "bring the bridge down again");
}

bool bridge_bring_up(struct session *session, const struct policy_network *network)
{
	const struct link_change change = {.up = true};
	struct undo_values undo = {.before = find(session, network)};
	int error = 0;

	if (undo.before.flags & IFF_UP)
		return true;
	if (!session->dry) {
		error = link_by_name(session->link, network->name, &undo.before);
		if (!error) {
			undo.index = undo.before.index;
			memcpy(undo.name, network->name, sizeof(network->name));
			session_undo_with(session, bring_down_again, undo);
			error = link_change(session->link, undo.index, &change);
		}
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
	if (error)
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
