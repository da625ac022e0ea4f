// SPDX-License-Identifier: MIT
/*
 * Probes: packets of our own, sent as a network's guests and as the host send them, to see what becomes of them in the
 * firewalls of others.
 *
 * What is a guest's comes out of a tap that is a port of the network's bridge meanwhile; so does what is for its
 * neighbour, and goes back in there (hairpin).
 * What is the host's comes from a raw socket. The kernel tells each rule and policy that decides anything of such a
 * packet (nft(8), meta nftrace). Tables of our own have chains before and behind all others of a hook: those before
 * tell how far a packet came, those behind end it, so that none is ever received by anybody, sent on or remembered as a
 * connection. The tap and the tables are this process's and go with it, however it ends (drivers/net/tun.c;
 * NFT_TABLE_F_OWNER, Linux 5.12).
 */
#include "networks/probe.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/tool.h"

/* Addresses on the Internet that nobody filters, of a root name server; no packet gets there. */
static const unsigned char outside[2][16] = {{193, 0, 14, 129}, {0x20, 0x01, 0x07, 0xfd, [15] = 1}};

static const int families[] = {AF_INET, AF_INET6};

/* The interface by which a guest, or (guest NULL) the host, reaches the outside, other than the network's; or NULL. */
static const struct link_interface *way_out(
	struct probe *probe, int family, const struct link_interface *bridge, const unsigned char *guest)
{
	struct link_packet packet = {.family = family};
	struct link_route way = {.index = 0};

	memcpy(packet.to, outside[family == AF_INET6], sizeof(packet.to));
	if (!guest) {
		packet.vrf = ways_vrf(&probe->session->host, bridge->name);
	} else {
		packet.in = bridge->index;
		memcpy(packet.from, guest, sizeof(packet.from));
	}
	return link_way(probe->session->link, &packet, &way) == 0 && way.index != bridge->index
		       ? host_interface_at(&probe->session->host, way.index)
		       : NULL;
}

static void multicast(struct packet_way *way, const unsigned char address[static 16])
{
	memcpy(way->to, address, 16);
	way->to_mac[0] = way->to_mac[1] = 0x33;
	memcpy(way->to_mac + 2, address + 12, 4);
}

/* Where it goes, if not to who is at the other end of the network. */
static bool find_destination(
	struct probe *probe, const struct need *need, const struct link_interface *bridge, struct packet_way *way)
{
	unsigned char asked[16] = {0xff, 2, [11] = 1, [12] = 0xff};

	if (need->hook == NF_INET_FORWARD && need->out) {
		memcpy(way->to_mac, probe->tap.neighbour, ETH_ALEN);
	} else if (need->hook == NF_INET_FORWARD) {
		memcpy(way->to, outside[way->family == AF_INET6], 16);
		return way_out(probe, way->family, bridge, NULL);
	} else if (need->family == NFPROTO_ARP) {
		memset(way->to_mac, 0xff, ETH_ALEN);
	} else if (need->in && need->port == 67) {
		memset(way->from, 0, 16);
		memset(way->to, 0xff, 16);
		memset(way->to_mac, 0xff, ETH_ALEN);
	} else if (need->in && need->port == 547) {
		multicast(way, probe_servers);
	} else if (need->in && need->protocol == IPPROTO_ICMPV6) {
		memcpy(asked + 13, way->host + 13, 3);
		multicast(way, asked);
	}
	return true;
}

/* The addresses of a need's packet. False: there is none to send. */
static bool find_way(struct probe *probe, const struct need *need, const struct policy_network *network,
	const struct link_interface *bridge, struct packet_way *way)
{
	const struct policy_subnet *subnet = way->family == AF_INET ? &network->ipv4 : &network->ipv6;
	struct link_address host = {.family = way->family, .prefix = subnet->prefix}, guest = host;
	const bool six = way->family == AF_INET6;

	memcpy(host.address, subnet->address, 16);
	if (network->mode == MODE_INTERNAL ||
		network->mode == MODE_BRIDGED) /* which has no addresses: any will do (RFC 5737, RFC 3849) */
		memcpy(guest.address,
			six ? (const unsigned char[16]){0x20, 1, 0x0d, 0xb8, [15] = 2}
			    : (const unsigned char[16]){192, 0, 2, 2},
			16);
	else if (!subnet->given || !link_other_address(&host, &guest))
		return false;
	memcpy(way->host, host.address, 16);
	memcpy(way->from, need->hook == NF_INET_LOCAL_OUT ? host.address : guest.address, 16);
	memcpy(way->to, need->hook == NF_INET_LOCAL_OUT ? guest.address : host.address, 16);
	memcpy(way->to_mac, bridge->mac, ETH_ALEN);
	return find_destination(probe, need, bridge, way);
}

/* What a network keeps from its guests is not sent; answers to questions for names are as those to others. */
static bool is_probed(const struct probe *probe, const struct need *need, const struct policy_network *network)
{
	if (need->family == NFPROTO_ARP)
		return probe->arp;
	if (need->hook == NF_INET_FORWARD)
		return need->in && (!need->out || !(network->options.given & OPTION_ISOLATED));
	return need->protocol && !(need->hook == NF_INET_LOCAL_OUT && need->port == 53);
}

/* One network that is probed. */
struct scene {
	struct probe *probe;
	const struct policy_network *network;
	const struct link_interface *interface; /* its bridge, or a tap that stands alone */
	struct hindrances *hindrances;
};

static void add(const struct scene *scene, const struct need *need, int family, const struct fate *fate)
{
	if (fate->stray && scene->network->mode == MODE_ROUTED) /* whose guard asks for no connection */
		return;
	if (!fate->arrived && (fate->legacy || fate->lost || (fate->known && !fate->ours)))
		hindrances_add(scene->hindrances, need, family, fate);
}

/* As far as its name can stand in a rule. */
static void name_way(struct fate *fate, const struct link_interface *way)
{
	if (way && need_can_name(way->name))
		snprintf(fate->by, sizeof(fate->by), "%s", way->name);
}

/* Whether the host routes what a guest sends, as far as that can be asked for: without a mark (networks/ways.c). */
static bool is_routed(const struct scene *scene)
{
	const char *cure;

	return !ways_difference(scene->probe->session, scene->network, &cure) &&
	       !forwarding_difference(scene->probe->session, scene->network);
}

/* One that the host has there; NULL: none. */
static const struct link_address *address_on(const struct host *host, const struct link_interface *out, int family)
{
	for (size_t i = 0; i < host->address_count; i++) {
		const struct link_address *address = &host->addresses[i];

		if (address->index == out->index && address->family == family &&
			!(family == AF_INET6 && address->address[0] == 0xfe))
			return address;
	}
	return NULL;
}

/* What a guest sent, as the interface that leads out is to send it on: in the host's name unless it is routed. */
static void probe_leaving(const struct scene *scene, const struct need *need, struct packet_way *way)
{
	struct probe *probe = scene->probe;
	const struct link_interface *out = way_out(probe, way->family, scene->interface, way->from);
	const struct link_address *own = out ? address_on(&probe->session->host, out, way->family) : NULL;
	struct fate fate;

	if (!out || (!own && scene->network->mode != MODE_ROUTED))
		return;
	if (scene->network->mode != MODE_ROUTED)
		memcpy(way->from, own->address, sizeof(way->from));
	memcpy(way->to_mac, probe->tap.neighbour, sizeof(way->to_mac));
	way->at = out->index;
	way->leaves = true;
	fate = probe_send(probe, need, way, out);
	fate.lost = fate.legacy = false;
	add(scene, need, way->family, &fate);
}

static void probe_need(const struct scene *scene, const struct need *need, int family)
{
	struct probe *probe = scene->probe;
	struct packet_way way = {.family = family,
		.mac = probe->tap.mac,
		.tag = probe->tag,
		.at = scene->network->mode == MODE_STANDALONE ? scene->interface->index : 0,
		.hidden = need->port == 67 || need->port == 547};
	struct fate fate;

	if (!find_way(probe, need, scene->network, scene->interface, &way))
		return;
	fate = probe_send(probe, need, &way, scene->interface);
	fate.lost &= need_is_way_out(need) && is_routed(scene);
	if (need_is_way_out(need))
		name_way(&fate, way_out(probe, family, scene->interface, way.from));
	add(scene, need, family, &fate);
	if (need_is_way_out(need) && probe->leaving && fate.arrived)
		probe_leaving(scene, need, &way);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* A connection that somebody on the host's LAN begins with a guest of a routed network. */
static void probe_way_in(const struct scene *scene, const unsigned char *guest, const struct link_interface *from,
	const struct link_address *own)
{
	static const struct need need = {.modes = 1 << MODE_ROUTED,
		.hook = NF_INET_FORWARD,
		.out = true,
		.what = "what the LAN sends to its guests"};
	struct probe *probe = scene->probe;
	struct packet_way way = {.family = own->family, .mac = probe->tap.mac, .tag = probe->tag, .at = from->index};
	struct link_address neighbour;
	struct fate fate;

	if (!link_other_address(own, &neighbour))
		return;
	memcpy(way.from, neighbour.address, sizeof(way.from));
	memcpy(way.to, guest, sizeof(way.to));
	memcpy(way.to_mac, from->mac, sizeof(way.to_mac));
	fate = probe_send(probe, &need, &way, from);
	fate.lost = false;
	name_way(&fate, from);
	add(scene, &need, own->family, &fate);
}

/*
 * An answer to a guest, from the outside, comes in where the guest's own packets leave. The kernel is told of the
 * connection before, by two ports: rules that know answers by it know this one, and those that take ports from
 * tracking, as that of DNS, are met.
 */
static void probe_answers(const struct scene *scene, const struct need *need, int family)
{
	static const uint16_t ports[] = {443, 53};
	struct probe *probe = scene->probe;
	struct packet_way way = {.family = family, .mac = probe->tap.mac, .tag = probe->tag};
	struct connection connection = {.family = family, .from_port = PACKET_PORT, .seconds = 5};
	const struct link_interface *out;
	const struct link_address *own;
	unsigned char guest[16];

	if (!find_way(probe, need, scene->network, scene->interface, &way))
		return;
	memcpy(guest, way.from, sizeof(guest));
	out = way_out(probe, family, scene->interface, guest);
	own = out ? address_on(&probe->session->host, out, family) : NULL;
	if (!own)
		return;
	if (scene->network->mode == MODE_ROUTED)
		probe_way_in(scene, guest, out, own);
	else
		connection.as = own->address; /* by which its guests are known */
	connection.from = guest;
	connection.to = outside[family == AF_INET6];
	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		struct fate fate;

		connection.to_port = ports[i];
		fate = probe_send_answer(probe, &connection, &way, out);
		fate.lost = false;
		add(scene, need, family, &fate);
	}
}

/* --- one network -------------------------------------------------------------------------------------------------- */

/* Whether there is anything to be asked. */
static bool is_filtered(struct probe *probe)
{
	return firewall_look(probe->session, &probe->firewall) == 0 &&
	       (probe->firewall->others || probe_has_legacy(AF_INET) || probe_has_legacy(AF_INET6));
}

static void probe_needs(const struct scene *scene)
{
	const struct need *need;
	size_t at = 0;

	while ((need = need_next(scene->network, &at))) {
		const bool answers =
			need->hook == NF_INET_FORWARD && !need->in && policy_mode_leads_out(scene->network->mode);

		for (size_t i = 0; i < 2; i++) {
			if (need->family != NFPROTO_UNSPEC &&
				(need->family == NFPROTO_IPV6) != (families[i] == AF_INET6))
				continue;
			if (answers)
				probe_answers(scene, need, families[i]);
			else if (is_probed(scene->probe, need, scene->network))
				probe_need(scene, need, families[i]);
		}
	}
}

/* A network with a bridge of ours. */
static void probe_bridge(const struct scene *scene)
{
	const int index = scene->interface->index;

	if (probe_join(scene->probe, scene->interface)) {
		probe_listen_as_server(scene->probe, index, true);
		if (scene->network->ipv6.given)
			probe_wait_for_multicast(scene->probe, index);
		probe_needs(scene);
		probe_listen_as_server(scene->probe, index, false);
	}
	probe_leave(scene->probe);
}

/* One tap of a network of such as stand alone, which receives what a guest would send; NULL: there is none. */
static const struct link_interface *tap_of(
	const struct host *host, const struct policy_network *network, struct policy_network *there)
{
	*there = *network;
	there->ipv4.given = there->ipv6.given = false;
	for (size_t i = 0; i < host->address_count; i++) {
		const struct link_address *address = &host->addresses[i];
		const struct link_interface *tap = host_interface_at(host, address->index);
		struct policy_subnet *subnet = address->family == AF_INET ? &there->ipv4 : &there->ipv6;

		if (!tap || tap->master || !(tap->flags & IFF_UP) || !network_has_tap(tap, network->name) ||
			(address->family == AF_INET6 && address->address[0] == 0xfe))
			continue;
		subnet->given = true;
		subnet->prefix = address->prefix;
		memcpy(subnet->address, address->address, sizeof(subnet->address));
		if (there->ipv6.given || !network->ipv6.given)
			return tap;
	}
	return NULL;
}

void probe_network(struct probe *probe, const struct policy_network *network,
	void (*tell)(void *context, const struct policy_network *network, const char *text), void *context)
{
	struct policy_network there = *network;
	struct scene scene = {.probe = probe, .network = network};

	if (!probe || !policy_is_managed(network))
		return;
	scene.interface = bridge_is_needed(network) ? host_interface(&probe->session->host, network->name)
						    : tap_of(&probe->session->host, network, &there);
	if (!scene.interface || !(scene.interface->flags & IFF_UP) ||
		(bridge_is_needed(network) && !bridge_is_ours(scene.interface)) || !is_filtered(probe) ||
		!probe_begin(probe))
		return;
	scene.hindrances = hindrances_new(network);
	if (scene.hindrances && bridge_is_needed(network)) {
		probe_bridge(&scene);
	} else if (scene.hindrances) {
		scene.network = &there;
		probe_needs(&scene);
	}
	if (scene.hindrances)
		hindrances_tell(scene.hindrances, tell, context);
	free(scene.hindrances);
}

/* --- bridges of others -------------------------------------------------------------------------------------------- */

/* One that has no port would lose its hardware address with ours; with a spanning tree ours would wait too long. */
static bool can_be_joined(const struct host *host, const struct link_interface *bridge)
{
	if (strcmp(bridge->kind, "bridge") != 0 || !(bridge->flags & IFF_UP) || bridge->stp)
		return false;
	for (size_t i = 0; i < host->interface_count; i++) {
		if (host->interfaces[i].master == bridge->index)
			return true;
	}
	return bridge_mac_is_set(bridge->name);
}

void probe_foreign(struct probe *probe, const struct link_interface *bridge,
	void (*tell)(void *context, const struct policy_network *network, const char *text), void *context)
{
	static const struct need need = {.hook = NF_INET_FORWARD,
		.family = NFPROTO_UNSPEC,
		.in = true,
		.out = true,
		.what = "what crosses the bridge"};
	struct policy_network network = {.mode = MODE_BRIDGED, .ipv4.given = true, .ipv6.given = true};
	struct scene scene = {.probe = probe, .network = &network, .interface = bridge};

	if (!probe || !can_be_joined(&probe->session->host, bridge) || !is_filtered(probe) || !probe_begin(probe))
		return;
	snprintf(network.name, sizeof(network.name), "%s", bridge->name);
	scene.hindrances = hindrances_new(&network);
	if (scene.hindrances && probe_join(probe, bridge)) {
		probe_need(&scene, &need, AF_INET);
		probe_need(&scene, &need, AF_INET6);
		hindrances_tell(scene.hindrances, tell, context);
	}
	free(scene.hindrances);
	probe_leave(probe);
}
