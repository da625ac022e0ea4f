#include "cli/networks/ways.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cli/networks/addresses.h"
#include "cli/networks/bridge.h"
#include "cli/networks/sysctl.h"
#include "cli/say.h"

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

/* Some address of the subnet that is not the host's: the one beside it. */
static void guest_of(const struct policy_subnet *subnet, int family, unsigned char guest[static 16])
{
	const int last = family == AF_INET ? 3 : 15;

	memcpy(guest, subnet->address, 16);
	guest[last] ^= 1;
	/* Neither the subnet's own address nor its broadcast, where there are others. */
	if ((guest[last] == 0 || guest[last] == 255) && subnet->prefix < (family == AF_INET ? 30U : 126U))
		guest[last] ^= 2;
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

/* Whether packets to guests leave by the bridge. */
static bool leads_in(struct session *session, int bridge, int family, const struct policy_subnet *subnet)
{
	struct link_packet packet = {.family = family};
	struct link_route way = {.index = 0};

	guest_of(subnet, family, packet.to);
	return link_way(session->link, &packet, &way) == 0 && way.index == bridge && way.type == RTN_UNICAST;
}

/* Whether what the host reaches outside, its guests reach, too: an address that nobody has (RFC 5737, RFC 3849). */
static bool leads_out(struct session *session, int bridge, int family, const struct policy_subnet *subnet)
{
	static const unsigned char outside[2][16] = {{198, 51, 100, 1}, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	struct link_packet packet = {.family = family};
	struct link_route way = {.index = 0};

	memcpy(packet.to, outside[family == AF_INET6], sizeof(packet.to));
	if (link_way(session->link, &packet, &way) != 0 || way.type != RTN_UNICAST)
		return true;
	packet.in = bridge;
	guest_of(subnet, family, packet.from);
	return link_way(session->link, &packet, &way) == 0 && way.type == RTN_UNICAST;
}

static const char *family_difference(
	struct session *session, const struct policy_network *network, const struct link_interface *bridge, int family)
{
	const struct policy_subnet *subnet = subnet_of(network, family);

	if (!subnet->given)
		return NULL;
	if (!has_routes(&session->host, bridge->index, family, subnet))
		return "routes";
	if (!leads_in(session, bridge->index, family, subnet))
		return "the host's way to its guests (another rule or route takes it)";
	if (network->mode == MODE_NAT && !leads_out(session, bridge->index, family, subnet))
		return "its guests' way out (another rule or route takes it)";
	return NULL;
}

/*
 * Whether the host answers nobody's ARP: by the bridge's own setting, or by that for all, of which the higher counts.
 */
static bool is_mute(const struct policy_network *network, const char *interface)
{
	return network->ipv4.given && sysctl_read(AF_INET, interface, "arp_ignore") > ARP_IGNORE_MAX;
}

const char *ways_difference(struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = bridge_of(session, network);
	const char *difference = NULL;

	if (!bridge)
		return NULL;
	if (is_mute(network, network->name) || is_mute(network, "all"))
		return "arp_ignore";
	for (size_t i = 0; i < 2 && !difference; i++)
		difference = family_difference(session, network, bridge, families[i]);
	return difference;
}

/* --- putting right ----------------------------------------------------------------------------------------------- */

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
	const char *difference = session->dry ? NULL : ways_difference(session, network);

	if (!difference)
		return true;
	if (is_mute(network, "all"))
		return say_error(
			"%s: net.ipv4.conf.all.arp_ignore keeps the host from answering its guests; run: sysctl "
			"net.ipv4.conf.all.arp_ignore=0",
			network->name);
	return say_error("%s: not as wanted: %s; see: ip rule, ip route show table all", network->name, difference);
}
