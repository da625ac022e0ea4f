// SPDX-License-Identifier: MIT
/* Whether what the host routes goes by a network's bridge, and what comes from its guests is taken in. */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "tool/tool.h"

static unsigned int bits_of(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* --- which rule decides ------------------------------------------------------------------------------------------- */

/* Which rule of routing, and which route of a refusing kind, decides about a packet (ip-rule(8)). */

/* A table as ip-rule(8) takes it. */
struct table_text {
	char text[16];
};

/* The first rule that can have decided about a packet: by a table, or (0) by refusing it, itself or by a route. */
struct decider {
	const struct host *host;
	const struct link_packet *packet;
	const char *in; /* what the packet comes in by; "lo" for the host's own */
	uint32_t table;
	bool found, over;
	struct link_rule rule;
	const struct link_route *route; /* which refuses it; NULL: the rule does */
};

/* Packets have no mark here. What the host's own come from is not known before their way is. */
static bool fits(const struct link_rule *rule, const struct decider *decider)
{
	const struct link_packet *packet = decider->packet;
	const unsigned int bits = bits_of(packet->family);
	bool to = policy_prefixes_overlap(rule->to, rule->to_bits, packet->to, bits);
	bool from = !rule->from_bits ||
		    (packet->in && policy_prefixes_overlap(rule->from, rule->from_bits, packet->from, bits));
	bool in = !rule->in[0] || strcmp(rule->in, decider->in) == 0;

	return (to && from && in && !rule->mark) != rule->inverted;
}

/* The route of a table that counts for a packet, by its address alone: the narrowest; NULL: there is none. */
static const struct link_route *match(const struct decider *decider, uint32_t table)
{
	const unsigned char *to = decider->packet->to;
	const int family = decider->packet->family;
	const struct link_route *best = NULL;

	for (size_t i = 0; i < decider->host->route_count; i++) {
		const struct link_route *route = &decider->host->routes[i];

		if (route->family == family && route->table == table && (!best || route->prefix > best->prefix) &&
			policy_prefixes_overlap(route->destination, route->prefix, to, bits_of(family)))
			best = route;
	}
	return best;
}

/* The word of a route that refuses what it is for, as ip-route(8) takes it; NULL: it does not. */
static const char *decider_refusal(const struct link_route *route)
{
	return route->type == RTN_BLACKHOLE	? "blackhole"
	       : route->type == RTN_UNREACHABLE ? "unreachable"
	       : route->type == RTN_PROHIBIT	? "prohibit"
						: NULL;
}

static void decide(void *context, const struct link_rule *rule)
{
	struct decider *decider = context;
	bool to_table = rule->action == FR_ACT_TO_TBL;
	const struct link_route *route;

	if (decider->found || decider->over || rule->family != decider->packet->family || !fits(rule, decider))
		return;
	decider->rule = *rule;
	if (decider->table) {
		decider->found = to_table && rule->table == decider->table;
		return;
	}
	route = to_table ? match(decider, rule->table) : NULL;
	if (route && decider_refusal(route))
		decider->route = route;
	decider->found = decider->route || rule->action == FR_ACT_BLACKHOLE || rule->action == FR_ACT_UNREACHABLE ||
			 rule->action == FR_ACT_PROHIBIT;
	decider->over = route && route->type == RTN_UNICAST;
}

static struct table_text table_text(uint32_t table)
{
	struct table_text text;

	if (table == RT_TABLE_MAIN)
		snprintf(text.text, sizeof(text.text), "main");
	else
		snprintf(text.text, sizeof(text.text), "%u", table);
	return text;
}

/* Who took a packet which way, for people: "uplink, by rule 99 and table 52"; "refused by rule 99". */
static const char *decider_text(struct session *session, const struct decider *decider, const struct link_route *way)
{
	const struct link_interface *interface = host_interface_at(&session->host, way->index);
	const char *name = interface ? interface->name : "nowhere";

	if (!decider->table && decider->route)
		return session_phrase(session, "refused by rule %u and table %s", decider->rule.priority,
			table_text(decider->route->table).text);
	if (!decider->table)
		return decider->found ? session_phrase(session, "refused by rule %u", decider->rule.priority)
				      : "refused by a route";
	if (!decider->found)
		return session_phrase(session, "%s, by table %s", name, table_text(decider->table).text);
	return session_phrase(
		session, "%s, by rule %u and table %s", name, decider->rule.priority, table_text(decider->table).text);
}

/* A rule's place before another one. */
static uint32_t decider_before(const struct decider *decider)
{
	const uint32_t mains = 32766; /* of the rule for the main table (ip-rule(8)) */
	uint32_t priority = decider->found ? decider->rule.priority : mains;

	return priority ? priority - 1 : 0;
}

/* Ask, for a packet, where it comes in, and a table; found and what is behind it are set then. */
static void decider_ask(struct session *session, struct decider *decider)
{
	link_each_rule(session->link, decide, decider);
}

/* --- ways --------------------------------------------------------------------------------------------------------- */

/* From this value of arp_ignore on the host answers nobody, at the latest (ip-sysctl.rst). */
enum { ARP_IGNORE_MAX = 3 };

static const int families[] = {AF_INET, AF_INET6};

static const struct policy_subnet *subnet_of(const struct policy_network *network, int family)
{
	return family == AF_INET ? &network->ipv4 : &network->ipv6;
}

/* The bridge of a network, if it is up; NULL if not. */
static const struct link_interface *bridge_of(const struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge =
		bridge_is_needed(network) ? host_interface(&session->host, network->name) : NULL;

	return bridge && bridge_is_ours(bridge) && (bridge->flags & IFF_UP) ? bridge : NULL;
}

int ways_vrf(const struct host *host, const char *bridge)
{
	const struct link_interface *interface = host_interface(host, bridge);
	const struct link_interface *master = interface ? host_interface_at(host, interface->master) : NULL;

	return master && strcmp(master->kind, "vrf") == 0 ? master->index : 0;
}

/* Some address of the subnet that is not the host's; false if there is none. */
static bool guest_of(const struct policy_subnet *subnet, int family, unsigned char guest[static 16])
{
	struct link_address host = {.family = family, .prefix = subnet->prefix}, other;

	memcpy(host.address, subnet->address, sizeof(host.address));
	if (!link_other_address(&host, &other))
		return false;
	memcpy(guest, other.address, sizeof(other.address));
	return true;
}

/*
 * Whether the kernel has the routes that came with the host's address: to the subnet, and to itself. (Of IPv6 the
 * latter comes when the kernel has time, and so is not asked for.)
 */
static bool has_routes(const struct host *host, int index, int family, const struct policy_subnet *subnet)
{
	const unsigned int bits = family == AF_INET ? 32 : 128;
	bool connected = subnet->prefix == bits, own = family == AF_INET6;

	for (size_t i = 0; i < host->route_count; i++) {
		const struct link_route *route = &host->routes[i];

		if (route->index != index || route->family != family)
			continue;
		connected |=
			route->type == RTN_UNICAST && route->prefix == subnet->prefix &&
			policy_prefixes_overlap(route->destination, route->prefix, subnet->address, subnet->prefix);
		own |= route->type == RTN_LOCAL && route->prefix == bits &&
		       memcmp(route->destination, subnet->address, bits / 8) == 0;
	}
	return connected && own;
}

static bool has_address(const struct host *host, const struct link_address *address)
{
	for (size_t i = 0; i < host->address_count; i++) {
		const struct link_address *other = &host->addresses[i];

		if (other->index == address->index && other->family == address->family &&
			other->prefix == address->prefix &&
			memcmp(other->address, address->address, sizeof(other->address)) == 0)
			return true;
	}
	return false;
}

/* What packets of a network go by: its bridge, or a tap that stands alone. */
struct place {
	const struct policy_network *network;
	const struct link_interface *interface;
	int family;
	const struct policy_subnet *subnet;
};

/* The route of the host's that is narrower than a subnet and leads elsewhere; NULL if there is none. */
static const struct link_route *narrower(const struct host *host, const struct place *place, size_t *at)
{
	for (; *at < host->route_count; (*at)++) {
		const struct link_route *route = &host->routes[*at];

		if (route->family == place->family && route->index != place->interface->index &&
			route->prefix > place->subnet->prefix &&
			policy_prefixes_overlap(
				route->destination, route->prefix, place->subnet->address, place->subnet->prefix))
			return &host->routes[(*at)++];
	}
	return NULL;
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

/* How to have packets to guests go by their interface again: a rule before the one at hand, or a route less. */
static const char *cure_in(struct session *session, const struct place *place, const struct decider *decider,
	const struct link_route *narrow)
{
	const char *family = place->family == AF_INET6 ? "-6 " : "";
	char text[INET6_ADDRSTRLEN] = "";
	unsigned char subnet[16];
	const struct link_interface *interface = narrow ? host_interface_at(&session->host, narrow->index) : NULL;
	const struct link_route *refuses = decider->route;

	if (narrow && decider->table == narrow->table &&
		inet_ntop(place->family, narrow->destination, text, sizeof(text)))
		return session_phrase(session, "ip %sroute del %s/%u%s%s table %s", family, text, narrow->prefix,
			interface ? " dev " : "", interface ? interface->name : "", table_text(narrow->table).text);
	if (refuses && refuses->table == RT_TABLE_MAIN &&
		inet_ntop(place->family, refuses->destination, text, sizeof(text)))
		return session_phrase(session, "ip %sroute del %s %s/%u table main", family, decider_refusal(refuses),
			text, refuses->prefix);
	memcpy(subnet, place->subnet->address, sizeof(subnet));
	for (unsigned int bit = place->subnet->prefix; bit < bits_of(place->family); bit++)
		subnet[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	inet_ntop(place->family, subnet, text, sizeof(text));
	return session_phrase(session, "ip %srule add pref %u to %s/%u lookup main", family, decider_before(decider),
		text, place->subnet->prefix);
}

/* Whether packets to a guest leave by its network's interface: NULL, or what is instead. */
static const char *leads_in(struct session *session, const struct place *place, const struct link_packet *packet,
	const struct link_route *narrow, const char **cure)
{
	struct decider decider = {.host = &session->host, .packet = packet, .in = "lo"};
	struct link_route way = {.index = 0};
	int error = link_way(session->link, packet, &way);

	if (!error && way.index == place->interface->index && way.type == RTN_UNICAST)
		return NULL;
	decider.table = error || way.type != RTN_UNICAST ? 0 : way.table;
	decider_ask(session, &decider);
	*cure = cure_in(session, place, &decider, narrow);
	return session_phrase(session, "the host's way to its guests (%s)", decider_text(session, &decider, &way));
}

/* The same for some guest, and for one in each narrower route that another interface has. */
static const char *all_lead_in(struct session *session, const struct place *place, const char **cure)
{
	struct link_packet packet = {.family = place->family, .vrf = ways_vrf(&session->host, place->interface->name)};
	const struct link_route *narrow;
	const char *difference;
	size_t at = 0;

	if (!guest_of(place->subnet, place->family, packet.to))
		return NULL;
	difference = leads_in(session, place, &packet, NULL, cure);
	while (!difference && (narrow = narrower(&session->host, place, &at))) {
		if (narrow->type != RTN_UNICAST)
			continue;
		memcpy(packet.to, narrow->destination, sizeof(packet.to));
		if (memcmp(packet.to, place->subnet->address, bits_of(place->family) / 8) == 0)
			continue;
		difference = leads_in(session, place, &packet, narrow, cure);
	}
	return difference;
}

void ways_outside(struct link_packet *packet)
{
	static const unsigned char addresses[2][16] = {{198, 51, 100, 1}, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};

	memcpy(packet->to, addresses[packet->family == AF_INET6], sizeof(packet->to));
}

/* Whether what the host reaches outside, its guests reach, too: NULL, or what is instead. */
static const char *leads_out(struct session *session, const struct place *place, const char **cure)
{
	struct link_packet packet = {.family = place->family, .vrf = ways_vrf(&session->host, place->interface->name)};
	struct decider decider = {.host = &session->host, .packet = &packet, .in = place->interface->name};
	struct link_route way = {.index = 0}, own = {.index = 0};
	int error;

	ways_outside(&packet);
	if (link_way(session->link, &packet, &own) != 0 || own.type != RTN_UNICAST)
		return NULL;
	packet.vrf = 0;
	packet.in = place->interface->index;
	if (!guest_of(place->subnet, place->family, packet.from))
		return NULL;
	error = link_way(session->link, &packet, &way);
	if (!error && way.type == RTN_UNICAST)
		return NULL;
	decider_ask(session, &decider);
	*cure = session_phrase(session, "ip %srule add pref %u iif %s lookup %s",
		place->family == AF_INET6 ? "-6 " : "", decider_before(&decider), place->interface->name,
		table_text(own.table).text);
	return session_phrase(session, "its guests' way out (%s)",
		decider.found || error != -ENETUNREACH ? decider_text(session, &decider, &way) : "no route for them");
}

bool ways_part(struct session *session, const struct policy_network *network, int family, struct ways_parting *parting)
{
	const struct link_interface *bridge = policy_mode_leads_out(network->mode) ? bridge_of(session, network) : NULL;
	const struct policy_subnet *subnet = subnet_of(network, family);
	struct link_packet packet = {.family = family, .vrf = ways_vrf(&session->host, network->name)};
	struct decider decider = {.host = &session->host, .packet = &packet, .in = "lo"};
	struct link_route own = {.index = 0}, guests = {.index = 0};

	ways_outside(&packet);
	if (!bridge || !subnet->given || link_way(session->link, &packet, &own) != 0 || own.type != RTN_UNICAST)
		return false;
	decider.table = own.table;
	decider_ask(session, &decider);
	packet.vrf = 0;
	packet.in = bridge->index;
	if (!guest_of(subnet, family, packet.from) || link_way(session->link, &packet, &guests) != 0 ||
		guests.type != RTN_UNICAST || guests.table == own.table || guests.index == own.index)
		return false;
	parting->hosts = host_interface_at(&session->host, own.index);
	parting->guests = host_interface_at(&session->host, guests.index);
	parting->cure = session_phrase(session, "ip %srule add pref %u iif %s lookup %s",
		family == AF_INET6 ? "-6 " : "", decider_before(&decider), network->name, table_text(own.table).text);
	return parting->hosts && parting->guests;
}

static const char *family_difference(struct session *session, const struct place *place, const char **cure)
{
	const char *difference;

	if (!place->subnet->given)
		return NULL;
	if (bridge_is_needed(place->network) &&
		!has_routes(&session->host, place->interface->index, place->family, place->subnet))
		return "routes";
	difference = all_lead_in(session, place, cure);
	if (!difference && policy_mode_leads_out(place->network->mode))
		difference = leads_out(session, place, cure);
	return difference;
}

/* Of a network of taps that stand alone: for each of them, by the addresses that it has. */
static const char *taps_difference(struct session *session, const struct policy_network *network, const char **cure)
{
	const char *difference = NULL;

	for (size_t i = 0; i < session->host.address_count && !difference; i++) {
		const struct link_address *address = &session->host.addresses[i];
		const struct link_interface *tap = host_interface_at(&session->host, address->index);
		struct policy_subnet subnet = {.given = true, .prefix = address->prefix};
		struct place place = {network, tap, address->family, &subnet};

		if (!tap || tap->master || !(tap->flags & IFF_UP) || !network_has_tap(tap, network->name) ||
			address->prefix >= bits_of(address->family))
			continue;
		memcpy(subnet.address, address->address, sizeof(subnet.address));
		if (address->family == AF_INET || (subnet.address[0] & 0xe0) == 0x20 ||
			(subnet.address[0] & 0xfe) == 0xfc)
			difference = family_difference(session, &place, cure);
	}
	return difference;
}

/*
 * Whether the host answers nobody's ARP: by the bridge's own setting, or by that for all, of which the higher counts.
 */
static bool is_mute(const struct policy_network *network, const char *interface)
{
	return network->ipv4.given && sysctl_read(AF_INET, interface, "arp_ignore") > ARP_IGNORE_MAX;
}

const char *ways_difference(struct session *session, const struct policy_network *network, const char **cure)
{
	const struct link_interface *bridge = bridge_of(session, network);
	const char *difference = NULL;

	*cure = "tapgate up";
	if (network->mode == MODE_STANDALONE)
		return taps_difference(session, network, cure);
	if (!bridge)
		return NULL;
	if (is_mute(network, "all"))
		*cure = "sysctl net.ipv4.conf.all.arp_ignore=0";
	if (is_mute(network, network->name) || is_mute(network, "all"))
		return "arp_ignore";
	for (size_t i = 0; i < 2 && !difference; i++) {
		struct place place = {network, bridge, families[i], subnet_of(network, families[i])};

		difference = family_difference(session, &place, cure);
	}
	return difference;
}

/* --- putting right ------------------------------------------------------------------------------------------------ */

static bool speak_again(struct session *session, const struct policy_network *network)
{
	int error;

	if (!is_mute(network, network->name))
		return true;
	error = session->dry ? 0 : sysctl_write(AF_INET, network->name, "arp_ignore", 0);
	if (error)
		return session_fail(network->name, error, "set net.ipv4.conf.%s.arp_ignore", network->name);
	session_say(session, network->name, "set", "set",
		"net.ipv4.conf.%s.arp_ignore=0 (or nobody would reach the host)", network->name);
	return true;
}

bool ways_settle(struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = bridge_of(session, network);

	if (!bridge)
		return true;
	for (size_t i = 0; i < 2; i++) {
		const struct policy_subnet *subnet = subnet_of(network, families[i]);
		struct link_address address = {.index = bridge->index, .family = families[i], .prefix = subnet->prefix};

		memcpy(address.address, subnet->address, sizeof(address.address));
		if (!subnet->given || !has_address(&session->host, &address) ||
			has_routes(&session->host, bridge->index, families[i], subnet))
			continue;
		if (!addresses_renew(session, network, &address))
			return false;
	}
	return speak_again(session, network);
}

bool ways_complain(struct session *session, const struct policy_network *network)
{
	const char *cure, *difference = session->dry ? NULL : ways_difference(session, network, &cure);

	if (!difference)
		return true;
	if (is_mute(network, "all"))
		return say_error(
			"%s: net.ipv4.conf.all.arp_ignore keeps the host from answering its guests; run: sysctl net.ipv4.conf.all.arp_ignore=0",
			network->name);
	return say_error("%s: not as wanted: %s; run: %s", network->name, difference, cure);
}
