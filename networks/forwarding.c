// SPDX-License-Identifier: MIT
/*
 * What networks need of the host's own settings: that it is a router, as far as they need it to be one, and that it has
 * room for the neighbours that guests have it know.
 */
#include "networks/networks.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "link/link.h"
#include "tool/tool.h"

#define FORWARDING "forwarding"
#define ACCEPT_RA  "accept_ra"
#define LATER	   "interfaces that come later, as its tap does"

enum { RA_UNLESS_FORWARDING = 1, RA_ALWAYS = 2 };

/* --- which interfaces -------------------------------------------------------------------------------------------- */

/* Whether an interface is the host's own business: no bridge and no tap of tapgate's. */
static bool is_hosts(const struct link_interface *interface)
{
	struct alias_tap tap;

	return !bridge_is_ours(interface) && !alias_read_tap(interface, &tap) && !alias_is_missing(interface);
}

/* fe80::/10, which every interface has and no router passes on (RFC 4291, 2.5.6). */
static bool is_link_local(const struct link_route *route)
{
	return route->family == AF_INET6 && route->destination[0] == 0xfe && (route->destination[1] & 0xc0) == 0x80;
}

/* Whether a route is one that leads out, if its interface does. */
static bool route_leads_out(const struct link_route *route)
{
	return route->type == RTN_UNICAST && !is_link_local(route);
}

static bool interface_leads_out(const struct link_interface *interface)
{
	return is_hosts(interface) && !(interface->flags & IFF_LOOPBACK);
}

/*
 * Whether the host reaches anything by an interface of its own. A default route is only one way to: a VPN has the
 * halves of 0/0, a second LAN a route of its own. Interfaces without a route stay as they are: a bridge on which the
 * host has no address would lead whoever is behind it through the host.
 */
bool forwarding_leads_out(const struct host *host, const struct link_interface *interface, int family)
{
	for (size_t i = 0; i < host->route_count && interface_leads_out(interface); i++) {
		const struct link_route *route = &host->routes[i];

		if (route->family == family && route->index == interface->index && route_leads_out(route))
			return true;
	}
	return false;
}

/*
 * Whether an interface would take router advertisements if the host did not forward. Of a port the kernel looks at
 * none: its bridge takes them.
 */
static bool waits_for_ra(const struct link_interface *interface)
{
	return is_hosts(interface) && !interface->master && !(interface->flags & IFF_LOOPBACK) &&
	       sysctl_read(AF_INET6, interface->name, ACCEPT_RA) == RA_UNLESS_FORWARDING;
}

/* Whether the host is to forward what comes in by an interface: it reaches anything by it, or has a forward there. */
static bool is_way(
	const struct host *host, const struct policy_network *network, const struct link_interface *interface)
{
	for (const struct policy_forward *way = NULL; (way = policy_next_forward(network, way));) {
		for (size_t i = 0; way->on_family == AF_INET && i < host->address_count; i++) {
			const struct link_address *address = &host->addresses[i];

			if (address->index == interface->index && address->family == AF_INET &&
				memcmp(address->address, way->on, 4) == 0)
				return true;
		}
	}
	return forwarding_leads_out(host, interface, AF_INET);
}

/* Whether the host forwards for a network: by its mode, or to guests that a forward leads to. */
static bool leads(const struct policy_network *network)
{
	return policy_mode_leads_out(network->mode) || policy_next_forward(network, NULL);
}

/* Whether the interface of its guests is there: a standalone one has it as long as a machine does, anew each time. */
static bool is_there(const struct session *session, const struct policy_network *network)
{
	return network->mode != MODE_STANDALONE || host_interface(&session->host, network->name);
}

/* --- switching on ------------------------------------------------------------------------------------------------ */

static bool switch_on(struct session *session, const char *network, int family, const char *interface, const char *why)
{
	int error;

	/* With --dry-run the network's own bridge may not be there yet: it would begin as all do. */
	bool later = session->dry && strcmp(interface, "all") != 0 && !host_interface(&session->host, interface);

	/* What cannot be read is not taken for done: writing it tells. */
	if (sysctl_read(family, later ? "default" : interface, FORWARDING) > 0)
		return true;
	error = session->dry ? 0 : sysctl_write(family, interface, FORWARDING, 1);
	if (error)
		return session_fail(network, error, "switch on forwarding for %s", interface);
	session_say(session, network, "switched on", "switch on", "net.ipv%c.conf.%s.forwarding (%s)",
		family == AF_INET ? '4' : '6', interface, why);
	return true;
}

static bool settle_ipv4(struct session *session, const struct policy_network *network)
{
	if (!network->ipv4.given)
		return true;
	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *interface = &session->host.interfaces[i];

		if (is_way(&session->host, network, interface) &&
			!switch_on(session, network->name, AF_INET, interface->name, "a way out"))
			return false;
	}
	if (network->mode == MODE_STANDALONE && !switch_on(session, network->name, AF_INET, "default", LATER))
		return false;
	return !is_there(session, network) || switch_on(session, network->name, AF_INET, network->name, "the way in");
}

static bool set_accept_ra(
	struct session *session, const char *network, const char *interface, int value, const char *why)
{
	int error = session->dry ? 0 : sysctl_write(AF_INET6, interface, ACCEPT_RA, value);

	if (error)
		return session_fail(network, error, "set net.ipv6.conf.%s.accept_ra", interface);
	session_say(session, network, "set", "set", "net.ipv6.conf.%s.accept_ra=%d (%s)", interface, value, why);
	return true;
}

/*
 * Interfaces that take router advertisements go on doing so when the host is a router itself: those that have no route
 * yet, as at boot, and those that come later (`default`), too.
 */
static bool keep_routes(struct session *session, const struct policy_network *network)
{
	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *interface = &session->host.interfaces[i];

		if (waits_for_ra(interface) && !set_accept_ra(session, network->name, interface->name, RA_ALWAYS,
						       "its router still counts when the host forwards"))
			return false;
	}
	return sysctl_read(AF_INET6, "default", ACCEPT_RA) != RA_UNLESS_FORWARDING ||
	       set_accept_ra(session, network->name, "default", RA_ALWAYS, "interfaces that come later, likewise");
}

static bool settle_ipv6(struct session *session, const struct policy_network *network)
{
	return !network->ipv6.given || (keep_routes(session, network) && switch_on(session, network->name, AF_INET6,
										 "all", "the way in and out"));
}

bool forwarding_settle(struct session *session, const struct policy_network *network)
{
	return !leads(network) || (settle_ipv4(session, network) && settle_ipv6(session, network));
}

/* --- what is missing --------------------------------------------------------------------------------------------- */

static const char *ipv4_difference(struct session *session, const struct policy_network *network)
{
	if (sysctl_read(AF_INET, network->name, FORWARDING) == 0 ||
		(network->mode == MODE_STANDALONE && sysctl_read(AF_INET, "default", FORWARDING) == 0))
		return "IPv4 forwarding";
	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *interface = &session->host.interfaces[i];

		if (is_way(&session->host, network, interface) &&
			sysctl_read(AF_INET, interface->name, FORWARDING) == 0)
			return session_phrase(session, "IPv4 forwarding on %s, a way out", interface->name);
	}
	return NULL;
}

static const char *ipv6_difference(struct session *session)
{
	if (sysctl_read(AF_INET6, "all", FORWARDING) == 0)
		return "IPv6 forwarding";
	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *interface = &session->host.interfaces[i];

		if (waits_for_ra(interface))
			return session_phrase(session,
				"%s takes no router advertisements while the host forwards (accept_ra)",
				interface->name);
	}
	return NULL;
}

const char *forwarding_difference(struct session *session, const struct policy_network *network)
{
	const char *difference = NULL;

	if (!leads(network))
		return NULL;
	if (network->ipv6.given)
		difference = ipv6_difference(session);
	if (!difference && network->ipv4.given)
		difference = ipv4_difference(session, network);
	return difference;
}

/* Whether the host goes by a route, also one that stands in a table of its own, as a VRF's: where the network is. */
static bool is_gone_by(struct session *session, const struct policy_network *network, const struct link_route *route)
{
	struct link_packet packet = {.family = route->family, .vrf = ways_vrf(&session->host, network->name)};
	struct link_route way;

	ways_outside(&packet);
	if (route->prefix > 0)
		memcpy(packet.to, route->destination, sizeof(packet.to));
	return link_way(session->link, &packet, &way) == 0;
}

bool forwarding_leads_nowhere(struct session *session, const struct policy_network *network)
{
	bool any = !policy_mode_leads_out(network->mode);

	for (size_t i = 0; i < session->host.route_count && !any; i++) {
		const struct link_route *route = &session->host.routes[i];
		const struct link_interface *interface = host_interface_at(&session->host, route->index);

		any = (route->family == AF_INET ? network->ipv4.given : network->ipv6.given) &&
		      route_leads_out(route) && interface && interface_leads_out(interface) &&
		      is_gone_by(session, network, route);
	}
	return !any;
}

/* --- neighbours --------------------------------------------------------------------------------------------------- */

/*
 * Room for the neighbours that guests have the host know: how many each network may have (etc/guard), and that the
 * kernel's tables, one for each family, hold them all and the host's own besides (gc_thresh3, arp(7)).
 */

#define THRESHOLD "neigh/default/gc_thresh3"

enum {
	OF_THE_HOST = 1024, /* as many as Linux has room for in all, if nobody says otherwise */
	OF_A_BRIDGE = 512,
	OF_A_TAP = 256, /* by ARP, and once more by packets */
	OF_A_SUBNET = 4,
};

unsigned int neighbours_room(const struct policy_network *network)
{
	const unsigned int pool = policy_pool_size(network) * OF_A_SUBNET;

	if (network->mode != MODE_STANDALONE)
		return OF_A_BRIDGE;
	return pool > OF_A_TAP ? pool : OF_A_TAP;
}

static int room_for_all(const struct policy_network *network)
{
	size_t count;
	const struct policy_network *networks = policy_networks(network->policy, &count);
	unsigned int room = OF_THE_HOST;

	for (size_t i = 0; i < count; i++) {
		if (networks[i].ipv4.given || networks[i].ipv6.given)
			room += neighbours_room(&networks[i]) * (networks[i].mode == MODE_STANDALONE ? 2 : 1);
	}
	return (int)room;
}

/* Whether a table is too small. Network namespaces but the first do not see how large it is. */
static bool is_small(const struct policy_network *network, int family)
{
	const int now = network->policy ? sysctl_read(family, NULL, THRESHOLD) : -1;

	return now >= 0 && now < room_for_all(network);
}

bool neighbours_settle(struct session *session, const struct policy_network *network)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		const int family = families[i];
		int error;

		if (!is_small(network, family))
			continue;
		error = session->dry ? 0 : sysctl_write(family, NULL, THRESHOLD, room_for_all(network));
		if (error)
			return session_fail(
				network->name, error, "make room for its guests among the host's neighbours");
		session_say(session, network->name, "raised", "raise", "net.ipv%c.neigh.default.gc_thresh3 to %d",
			family == AF_INET ? '4' : '6', room_for_all(network));
	}
	return true;
}

const char *neighbours_difference(const struct policy_network *network)
{
	return is_small(network, AF_INET) || is_small(network, AF_INET6)
		       ? "room for neighbours (net.ipv4.neigh.default.gc_thresh3 or that of ipv6)"
		       : NULL;
}
