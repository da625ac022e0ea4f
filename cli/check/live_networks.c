// SPDX-License-Identifier: MIT
/* Networks and bridges beside what the policy wants: found out by networks/report.c, as for `tapgate status`. */
#include "cli/check/check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>

#include "dhcp/dhcp.h"
#include "link/link.h"
#include "networks/networks.h"
#include "policy/text.h"
#include "tool/tool.h"

static void look_at_state(struct live *live, const struct report *report)
{
	switch (report->state) {
	case REPORT_MISSING:
		LIVE_WARN(live, report->name, "state", "it is not up; run: tapgate up");
		break;
	case REPORT_DOWN:
		LIVE_WARN(live, report->name, "state", "its bridge is down; run: tapgate up");
		break;
	case REPORT_DIFFERENT:
		if (report->guard == GUARD_MISSING || report->guard == GUARD_CHANGED)
			break;
		LIVE_WARN(live, report->name, "state", "not as wanted: %s; run: %s", report->difference, report->cure);
		break;
	case REPORT_UP:
	case REPORT_LEFT_OVER:
		break;
	}
	if (report->state != REPORT_MISSING && (report->guard == GUARD_MISSING || report->guard == GUARD_CHANGED))
		LIVE_WARN(live, report->name, "guard",
			"its guard is %s, so that nobody can join it, and who is on it is not kept to it; run: tapgate up",
			report_guard_word(report->guard));
}

struct members {
	struct live *live;
	const char *network;
	bool any; /* what `tapgate up` does not settle */
};

static void look_at_member(void *context, const struct trouble *trouble)
{
	struct members *members = context;
	const char *name = QUOTED(((struct word){trouble->interface->name, strlen(trouble->interface->name)}));

	if (trouble->kind == TROUBLE_FOREIGN)
		LIVE_WARN(members->live, members->network, "port",
			"its port %s is not a tap of tapgate-helper's for it, and whoever is behind it is on the network; take it out: ip link set %s nomaster",
			name, name);
	else if (trouble->kind == TROUBLE_UPPER)
		LIVE_WARN(members->live, members->network, "upper",
			"the interface %s stands on it, past its guard; remove it: ip link delete %s", name, name);
	else
		return;
	members->any = true;
}

/* Near the end, where one guest more than usual is one too many; and names that two guests would have. */
static void look_at_leases(struct live *live, const struct report *report)
{
	int used = dnsmasq_wanted(report->network) ? report_leases_used(report) : -1;
	unsigned int room = leases_room(report->network);
	struct names names;

	if (used >= 0 && room > 0 && (uint64_t)used * 10 >= (uint64_t)room * 9)
		LIVE_WARN(live, report->name, "leases",
			"%d of the %u addresses of dhcp= are in use, and who comes when there is none left gets none; make the range larger, or limit its users with max=",
			used, room);
	if (!live_shows(live, report->name, NULL) || !names_read(report->name, &names))
		return;
	for (size_t i = 0; i < names.count; i++) {
		char mac[MAC_TEXT];

		mac_text(names.records[i].mac, mac);
		if (names.records[i].kind == NAME_REFUSED)
			LIVE_WARN(live, report->name, "name",
				"the guest %s asks for the name '%s', which another guest had first; it has none", mac,
				names.records[i].name);
	}
	names_forget(&names);
}

static void look_for_dnsmasq(struct live *live, const struct policy_network *network)
{
	if (dnsmasq_wanted(network) && network->mode != MODE_STANDALONE && !dnsmasq_is_installed())
		LIVE_WARN(live, network->name, "dnsmasq",
			"it has dhcp= or ra, and there is no dnsmasq in /usr/sbin, /usr/bin or /usr/local/sbin, so that guests get no addresses; install the package 'dnsmasq-base' (Debian, Ubuntu) or 'dnsmasq', and run: tapgate up");
}

static void look_at_names(struct live *live, const struct policy_network *network)
{
	char advice[512];

	if (resolver_advice(network, advice, sizeof(advice)))
		findings_add_note(live->findings, "%s: %s", network->name, advice);
}

/* Guests that leave past what the host itself leaves by: the kill switch of a VPN may not be one for them. */
static void look_at_parting(struct live *live, const struct policy_network *network)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct ways_parting parting;

	for (size_t i = 0; i < 2; i++) {
		if (ways_part(live->session, network, families[i], &parting))
			LIVE_WARN(live, network->name, "way",
				"its guests leave by '%s', and the host itself by '%s'; if they are to leave as the host does, run: %s",
				parting.guests->name, parting.hosts->name, parting.cure);
	}
}

static void look_at_bridged(struct live *live, const struct report *report)
{
	if (report->state == REPORT_DOWN && strcmp(report->bridge->kind, "bridge") == 0)
		LIVE_WARN(live, report->name, "state", "its bridge is down; run: ip link set %s up", report->name);
}

/* Of a network that tapgate makes it is told with its state. */
static void look_at_wall(void *context, const struct link_interface *tap)
{
	struct live *live = context;
	struct alias_tap alias;

	if (alias_read_tap(tap, &alias) && live_shows(live, alias.network, tap))
		LIVE_WARN(live, alias.network, "wall",
			"what keeps the tap '%s' of uid %u and the host apart was taken away, and its guest speaks to the host past all rules; run: tapgate up",
			tap->name, alias.uid);
}

static void look_at_leftover(void *context, const char *name)
{
	struct live *live = context;
	const struct policy_network *network = load_find(live->policy, name);

	if (!network || !policy_is_managed(network))
		LIVE_WARN(live, name, "state", "it stands, and the policy has it no more; run: tapgate up");
}

/*
 * Taps that outlived their holder. A tap of one queue without one has no carrier (drivers/net/tun.c); whether somebody
 * holds it all the same and pretends so, only `tapgate reap` finds out, which tries to join it.
 */
static void look_at_taps(struct live *live)
{
	for (size_t i = 0; i < live->session->host.interface_count; i++) {
		const struct link_interface *interface = &live->session->host.interfaces[i];
		const struct tun *tun = &interface->tun;
		struct alias_tap tap;

		if (!alias_read_tap(interface, &tap) || !tun->persistent || !live_shows(live, tap.network, interface) ||
			(tun->multi_queue ? tun->queues > 0 : (interface->flags & IFF_LOWER_UP) != 0))
			continue;
		LIVE_WARN(live, tap.network, "orphan",
			"the tap '%s' of uid %u is persistent and nobody seems to hold it; it counts against max=, and keeps its place: tapgate reap",
			interface->name, tap.uid);
	}
}

/* What dnsmasq cannot write down it forgets when it is started anew, without a word. */
static void look_at_room(struct live *live)
{
	struct statvfs room;

	if (statvfs(DNSMASQ_DIRECTORY, &room) < 0)
		return;
	if (room.f_flag & ST_RDONLY)
		LIVE_WARN(live, NULL, "room",
			DNSMASQ_DIRECTORY
			" cannot be written, so that networks cannot be changed, and leases are not kept; mount it read-write, as with: mount -o remount,rw /run");
	else if (room.f_bavail == 0 || (room.f_files > 0 && room.f_favail == 0))
		LIVE_WARN(live, NULL, "room",
			"there is no room left in " DNSMASQ_DIRECTORY
			", so that leases and guests' names are not kept; make some where it is mounted: findmnt -T " DNSMASQ_DIRECTORY);
}

void live_networks(struct live *live)
{
	size_t count;
	const struct policy_network *networks = policy_networks(live->policy, &count);

	look_at_room(live);
	for (size_t i = 0; i < count; i++) {
		struct report report = report_make(live->session, &networks[i], networks[i].name);
		struct members members = {.live = live, .network = networks[i].name};

		live->hidden |= report.guard == GUARD_UNKNOWN;
		if (!policy_is_managed(&networks[i])) {
			look_at_bridged(live, &report);
			walls_each_missing(live->session, &networks[i], look_at_wall, live);
			continue;
		}
		members_each_trouble(live->session, &networks[i], look_at_member, &members);
		if (report.state != REPORT_DIFFERENT || !members.any ||
			report.difference != members_difference(live->session, &networks[i]))
			look_at_state(live, &report);
		if (report.state == REPORT_UP && forwarding_leads_nowhere(live->session, &networks[i]))
			LIVE_WARN(live, report.name, "out",
				"its guests have no way out: the host has no route to anywhere; see: ip route");
		look_at_parting(live, &networks[i]);
		look_at_leases(live, &report);
		look_for_dnsmasq(live, &networks[i]);
		look_at_names(live, &networks[i]);
	}
	network_each(live->session, look_at_leftover, live);
	look_at_taps(live);
}

/* --- bridges ------------------------------------------------------------------------------------------------------ */

/* Bridges that users may join, and their ports: what in the host's own making of them gets in the way of guests. */

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

/* --- the bridge --------------------------------------------------------------------------------------------------- */

/* A bridge whose address nobody set has the lowest of its ports' (net/bridge/br_stp_if.c). */
static void look_at_address(struct live *live, const struct link_interface *bridge)
{
	static const unsigned char none[6];
	unsigned char mac[6];

	if (bridge_mac_is_set(bridge->name))
		return;
	memcpy(mac, bridge->mac, sizeof(mac));
	/* After its last port has gone it has none to keep. One of those for local use (RFC 9542, section 2.1) then. */
	if (memcmp(mac, none, sizeof(mac)) == 0 && getrandom(mac, sizeof(mac), 0) == sizeof(mac))
		mac[0] = 0x02;
	LIVE_WARN(live, bridge->name, "bridge-mac",
		"nobody set the hardware address of its bridge, which so takes the lowest of its ports' and changes as they come and go; keep it: ip link set %s address %02x:%02x:%02x:%02x:%02x:%02x",
		bridge->name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* Half a minute, in which a guest's DHCP client or its PXE has given up (OpenNebula/one-deploy PR 290). */
static void look_at_delay(struct live *live, const struct link_interface *bridge)
{
	if (report_port_delay(bridge) > 0)
		LIVE_WARN(live, bridge->name, "stp",
			"its bridge speaks the spanning tree protocol, and a guest that has just joined it waits %u s before a frame passes, in which DHCP and PXE may give up; if it has one way to the LAN alone, run: ip link set %s type bridge stp_state 0 (and with NetworkManager: nmcli connection modify %s bridge.stp no)",
			report_port_delay(bridge), bridge->name, bridge->name);
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
			"it is a Wi-Fi card, which cannot be bridged: an access point takes frames from the station that logged in only; use a network of the mode nat instead");
	else
		LIVE_WARN(live, interface->name, "bridge",
			"the interface is not a Linux bridge, and nobody can join it; name a bridge that has it as a port, or use a network of the mode nat");
}

/* --- its ports ---------------------------------------------------------------------------------------------------- */

static void look_at_addresses(struct live *live, const struct link_interface *bridge, const struct link_interface *port)
{
	struct alias_tap tap;

	if (!alias_read_tap(port, &tap) || !live_shows(live, bridge->name, port))
		return;
	for (size_t i = 0; i < live->session->host.address_count; i++) {
		const struct link_address *address = &live->session->host.addresses[i];
		char text[INET6_ADDRSTRLEN];

		if (address->index != port->index || address->family != AF_INET6 ||
			!inet_ntop(AF_INET6, address->address, text, sizeof(text)))
			continue;
		LIVE_WARN(live, bridge->name, "port-ipv6",
			"the host has the address %s on the tap '%s', and its guest can reach the host by it; remove it: ip -6 addr flush dev %s",
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
			"its port %s is a Wi-Fi card: unless that is an access point itself, or speaks 4addr, the one that it logged in to takes no frames of guests; use a network of the mode nat instead",
			QUOTED(name));
}

/* --- who is behind them ------------------------------------------------------------------------------------------- */

struct guests {
	const struct live *live;
	const char *network;
	char ports[128];
	unsigned int count;
};

static void see_entry(void *context, const struct fdb_entry *entry)
{
	struct guests *guests = context;
	const struct link_interface *port = host_interface_at(&guests->live->session->host, entry->index);

	if (!port || memcmp(entry->mac, qemus_own, sizeof(qemus_own)) != 0 ||
		!live_shows(guests->live, guests->network, port))
		return;
	text_append(guests->ports, sizeof(guests->ports), "%s%s", guests->count++ ? ", " : "",
		QUOTED(((struct word){port->name, strlen(port->name)})));
}

static void look_at_guests(struct live *live, const struct link_interface *bridge)
{
	struct guests guests = {.live = live, .network = bridge->name};

	if (fdb_each(live->session->link, bridge->index, see_entry, &guests) == 0 && guests.count)
		LIVE_WARN(live, bridge->name, "default-mac",
			"the guest behind %s has QEMU's default hardware address 52:54:00:12:34:56, and two that have it take each other's packets; give each its own with -device ...,mac=...",
			guests.ports);
}

/* A tap that lost the address that it is locked to, to whom, and the way out. */
static void look_at_lock(void *context, const struct lost_lock *lost)
{
	struct live *live = context;
	struct alias_tap thief;
	char mac[MAC_TEXT], holder[192] = "", out[192] = "tapgate up";
	const char *port = lost->holder ? QUOTED(((struct word){lost->holder->name, strlen(lost->holder->name)})) : "";
	const bool told = !lost->holder || live_shows(live, lost->bridge->name, lost->holder);

	if (!live_shows(live, lost->bridge->name, lost->tap))
		return;
	mac_text(lost->mac, mac);
	if (lost->holder)
		text_append(holder, sizeof(holder), " to %s", told ? port : "another user's");
	if (told && lost->holder && alias_read_tap(lost->holder, &thief))
		text_append(holder, sizeof(holder), ", a tap of uid %u", thief.uid);
	if (!told)
		snprintf(out, sizeof(out), "sudo tapgate check --live");
	else if (lost->fixed)
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
			look_at_delay(live, interface);
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
