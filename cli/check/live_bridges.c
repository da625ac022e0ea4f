/* Bridges that users may join, and their ports: what in the host's own making of them gets in the way of guests. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cli/check/live.h"
#include "cli/load.h"
#include "cli/networks/bridge.h"
#include "cli/networks/locks.h"
#include "link/alias.h"
#include "link/fdb.h"
#include "policy/mac.h"

enum { ADDRESS_SET = 3 }; /* NET_ADDR_SET of include/linux/netdevice.h: somebody chose it */

/* What QEMU gives every guest that is not told otherwise. */
static const unsigned char qemus_own[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static bool is_bridge(const struct link_interface *interface)
{
	return strcmp(interface->kind, "bridge") == 0;
}

static bool is_wireless(const char *interface)
{
	return live_has(interface, "phy80211") || live_has(interface, "wireless");
}

/* --- the bridge -------------------------------------------------------------------------------------------------- */

/* How an interface came by its hardware address (/sys/class/net/NAME/addr_assign_type); -1: not known. */
static int address_kind(const char *interface)
{
	char path[64];
	FILE *file;
	int kind;

	snprintf(path, sizeof(path), "/sys/class/net/%s/addr_assign_type", interface);
	file = fopen(path, "re");
	if (!file)
		return -1;
	kind = fgetc(file); /* one digit */
	fclose(file);
	return kind >= '0' && kind <= '9' ? kind - '0' : -1;
}

/* A bridge whose address nobody set has the lowest of its ports' (net/bridge/br_stp_if.c). */
static void look_at_address(struct live *live, const struct link_interface *bridge)
{
	int kind = address_kind(bridge->name);
	static const unsigned char none[6];
	unsigned char mac[6];

	if (kind < 0 || kind == ADDRESS_SET)
		return;
	memcpy(mac, bridge->mac, sizeof(mac));
	/* After its last port has gone it has none to keep. One of those for local use (RFC 9542, section 2.1) then. */
	if (memcmp(mac, none, sizeof(mac)) == 0 && getrandom(mac, sizeof(mac), 0) == sizeof(mac))
		mac[0] = 0x02;
	LIVE_WARN(live, bridge->name, "bridge-mac",
		"nobody set the hardware address of its bridge, which so takes the lowest of its ports' and changes as "
		"they come and go; keep it: ip link set %s address %02x:%02x:%02x:%02x:%02x:%02x",
		bridge->name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* Of one that has a line, live_networks.c tells. */
static void look_whether_up(struct live *live, const struct link_interface *bridge)
{
	if (!(bridge->flags & IFF_UP) && !load_find(live->policy, bridge->name))
		LIVE_WARN(live, bridge->name, "state", "its bridge is down; run: ip link set %s up", bridge->name);
}

static void look_at_other(struct live *live, const struct link_interface *interface)
{
	if (is_wireless(interface->name))
		LIVE_WARN(live, interface->name, "wireless",
			"it is a Wi-Fi card, which cannot be bridged: an access point takes frames from the station "
			"that "
			"logged in only; use a network of the mode nat instead");
	else
		LIVE_WARN(live, interface->name, "bridge",
			"the interface is not a Linux bridge, and nobody can join it; name a bridge that has it as a "
			"port, or use a network of the mode nat");
}

/* --- its ports --------------------------------------------------------------------------------------------------- */

static void look_at_addresses(struct live *live, const struct link_interface *bridge, const struct link_interface *port)
{
	struct alias_tap tap;

	for (size_t i = 0; i < live->session->host.address_count && alias_read_tap(port, &tap); i++) {
		const struct link_address *address = &live->session->host.addresses[i];
		char text[INET6_ADDRSTRLEN];

		if (address->index != port->index || address->family != AF_INET6 ||
			!inet_ntop(AF_INET6, address->address, text, sizeof(text)))
			continue;
		LIVE_WARN(live, bridge->name, "port-ipv6",
			"the host has the address %s on the tap '%s', and its guest can reach the host by it; remove "
			"it: ip "
			"-6 addr flush dev %s",
			text, port->name, port->name);
		return;
	}
}

static void look_at_port(struct live *live, const struct link_interface *bridge, const struct link_interface *port)
{
	struct word name = {port->name, strlen(port->name)};

	if (!bridge_is_ours(bridge)) /* else it is not as wanted, which live_networks.c tells */
		look_at_addresses(live, bridge, port);
	if (is_wireless(port->name))
		LIVE_WARN(live, bridge->name, "wireless",
			"its port %s is a Wi-Fi card: unless that is an access point itself, or speaks 4addr, the one "
			"that it logged in to takes no frames of guests; use a network of the mode nat instead",
			QUOTED(name));
}

/* --- who is behind them ------------------------------------------------------------------------------------------ */

struct guests {
	const struct host *host;
	char ports[128];
	unsigned int count;
};

static void see_entry(void *context, const struct fdb_entry *entry)
{
	struct guests *guests = context;
	const struct link_interface *port = host_interface_at(guests->host, entry->index);

	if (!port || memcmp(entry->mac, qemus_own, sizeof(qemus_own)) != 0)
		return;
	text_append(guests->ports, sizeof(guests->ports), "%s%s", guests->count++ ? ", " : "",
		QUOTED(((struct word){port->name, strlen(port->name)})));
}

static void look_at_guests(struct live *live, const struct link_interface *bridge)
{
	struct guests guests = {.host = &live->session->host};

	if (fdb_each(live->session->link, bridge->index, see_entry, &guests) == 0 && guests.count)
		LIVE_WARN(live, bridge->name, "default-mac",
			"the guest behind %s has QEMU's default hardware address 52:54:00:12:34:56, and two that have "
			"it "
			"take each other's packets; give each its own with -device ...,mac=...",
			guests.ports);
}

/* A tap that lost the address that it is locked to, to whom, and the way out. */
static void look_at_lock(void *context, const struct lost_lock *lost)
{
	struct live *live = context;
	struct alias_tap thief;
	char mac[MAC_TEXT], holder[192] = "", out[192] = "tapgate up";
	const char *port = lost->holder ? QUOTED(((struct word){lost->holder->name, strlen(lost->holder->name)})) : "";

	mac_text(lost->mac, mac);
	if (lost->holder)
		text_append(holder, sizeof(holder), " to %s", port);
	if (lost->holder && alias_read_tap(lost->holder, &thief))
		text_append(holder, sizeof(holder), ", a tap of uid %u", thief.uid);
	if (lost->fixed)
		snprintf(out, sizeof(out), "bridge fdb del %s dev %s master && tapgate up", mac, port);
	else if (lost->own)
		snprintf(out, sizeof(out), "ip link set %s address ANOTHER && tapgate up", port);
	LIVE_WARN(live, lost->bridge->name, "lock",
		"the tap '%s' of uid %u lost the address %s that it is locked to%s, and nothing passes it; run: %s",
		lost->tap->name, lost->alias.uid, mac, holder, out);
}

void live_bridges(struct live *live)
{
	const struct host *host = &live->session->host;

	for (size_t i = 0; i < host->interface_count; i++) {
		const struct link_interface *interface = &host->interfaces[i];
		bool foreign = live_is_foreign(live->policy, interface->name);

		if (foreign && !is_bridge(interface))
			look_at_other(live, interface);
		if (!is_bridge(interface) || !(foreign || bridge_is_ours(interface)))
			continue;
		if (foreign && !bridge_is_ours(interface)) {
			look_at_address(live, interface);
			look_whether_up(live, interface);
		}
		for (size_t j = 0; j < host->interface_count; j++) {
			if (host->interfaces[j].master == interface->index)
				look_at_port(live, interface, &host->interfaces[j]);
		}
		look_at_guests(live, interface);
		locks_each_lost(live->session, interface->index, look_at_lock, live);
	}
}
