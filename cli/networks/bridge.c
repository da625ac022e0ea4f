#include "cli/networks/bridge.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/networks/addresses.h"
#include "cli/networks/ports.h"
#include "cli/networks/sysctl.h"
#include "cli/say.h"
#include "link/alias.h"
#include "link/guard.h"

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

/*
 * A hardware address of the bridge's own, the same after each boot: guests know their router by it. Locally
 * administered (IEEE 802), 02:74:67 as its beginning, so that udev's rules know such a bridge when they first see it;
 * the rest from the machine's identity (machine-id(5)) and the network's name, or from chance where there is no such
 * identity.
 */
static const unsigned char mac_begin[] = {0x02, 0x74, 0x67};

static void choose_mac(const char *name, unsigned char mac[static 6])
{
	char id[64] = "";
	uint64_t digest = GUARD_DIGEST_START;
	FILE *file = fopen("/etc/machine-id", "re");

	if (file) {
		if (!fgets(id, sizeof(id), file))
			id[0] = '\0';
		fclose(file);
	}
	digest = guard_digest(guard_digest(digest, id, strlen(id)), name, strlen(name));
	if (strlen(id) < 32 && getrandom(&digest, sizeof(digest), 0) != sizeof(digest))
		digest = guard_digest(digest, name, strlen(name));
	memcpy(mac, mac_begin, sizeof(mac_begin));
	memcpy(mac + sizeof(mac_begin), &digest, 6 - sizeof(mac_begin));
}

static bool mac_is_ours(const unsigned char mac[static 6])
{
	return memcmp(mac, mac_begin, sizeof(mac_begin)) == 0;
}

bool bridge_is_ours(const struct link_interface *interface)
{
	return alias_is_bridge(interface) || (strcmp(interface->kind, "bridge") == 0 && !interface->alias[0] &&
						     !(interface->flags & IFF_UP) && mac_is_ours(interface->mac));
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
		choose_mac(network->name, undo.before.mac);
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

/* The MTU that a bridge should have: its line's, else what the kernel gives one by itself, the least of its ports'. */
static uint32_t mtu_wanted(const struct host *host, const struct policy_network *network, int index)
{
	uint32_t mtu = network->options.mtu ? network->options.mtu : 1500;

	for (size_t i = 0; i < host->interface_count && !network->options.mtu && index; i++) {
		if (host->interfaces[i].master == index && host->interfaces[i].mtu < mtu)
			mtu = host->interfaces[i].mtu;
	}
	return mtu;
}

/*
 * The kernel's defaults are a switch's. With snooping, one guest's query takes multicast, neighbour discovery included,
 * from those whose firewalls know no MLD; without a limit, one guest fills memory with addresses for the bridge.
 */
enum { LEARNED_MAX = 16384 }; /* sixteen for each port that a bridge can have */

static bool differs(const char *what, const char **difference)
{
	*difference = what;
	return true;
}

/* The first setting of a bridge that is not as the network wants it. */
static bool setting_differs(const struct host *host, const struct policy_network *network,
	const struct link_interface *bridge, const char **difference)
{
	char alias[IFALIASZ];
	int mode = ipv6_address_mode(network->name);

	alias_of_bridge(network->name, policy_mode_name(network->mode), alias);
	if (strcmp(bridge->alias, alias) != 0)
		return differs("mark (its mode)", difference);
	if (!mac_is_ours(bridge->mac))
		return differs("hardware address", difference);
	if (bridge->stp || bridge->forward_delay)
		return differs("spanning tree and forward delay", difference);
	if (bridge->mtu != mtu_wanted(host, network, bridge->index))
		return differs("MTU", difference);
	if (bridge->snooping)
		return differs("multicast snooping", difference);
	if (bridge->knows_learned_max && bridge->learned_max != LEARNED_MAX)
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

	error = error ? error
		      : link_set_bridge_tables(session->link, values->index, before->snooping, before->learned_max);
	if (!error)
		error = link_change(session->link, values->index, &change);
	if (!error && ipv6_address_mode(values->name) != values->number)
		error = sysctl_write(AF_INET6, values->name, ADDRESS_MODE, values->number);
	return !error || session_fail(values->name, error, "put the bridge's settings back");
}

/* An MTU that was never set goes on following those of the ports: it is set only where it is another. */
static int apply_settings(
	struct session *session, const struct policy_network *network, const struct link_interface *bridge)
{
	unsigned char mac[6];
	char alias[IFALIASZ];
	uint32_t mtu = mtu_wanted(&session->host, network, bridge->index);
	const struct link_change change = {.mac = mac_is_ours(bridge->mac) ? NULL : mac,
		.mtu = bridge->mtu == mtu ? 0 : mtu,
		.alias = alias,
		.no_ipv6_address = true};
	int error;

	alias_of_bridge(network->name, policy_mode_name(network->mode), alias);
	choose_mac(network->name, mac);
	error = link_set_bridge(session->link, bridge->index, false, 0);
	error = error ? error : link_set_bridge_tables(session->link, bridge->index, false, LEARNED_MAX);
	return error ? error : link_change(session->link, bridge->index, &change);
}

bool bridge_set(struct session *session, const struct policy_network *network)
{
	struct link_interface bridge = find(session, network);
	struct undo_values undo = {.index = bridge.index, .before = bridge};
	const char *difference;
	int error;

	if (bridge.index && !setting_differs(&session->host, network, &bridge, &difference))
		return true;
	if (!session->dry) {
		if (bridge.index) {
			memcpy(undo.name, network->name, sizeof(network->name));
			undo.number = ipv6_address_mode(network->name);
			session_undo_with(session, set_back, undo);
		} else {
			error = link_by_name(session->link, network->name, &bridge);
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

	if (setting_differs(&session->host, network, &bridge, &difference))
		return difference;
	if (addresses_differ(&session->host, network, bridge.index))
		return "addresses";
	if (ports_differ(&session->host, network, bridge.index))
		return "ports (not isolated)";
	return bridge.flags & IFF_UP ? NULL : "state (it is down)";
}
