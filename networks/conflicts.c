// SPDX-License-Identifier: MIT
/* What keeps a policy's networks from being made on this host, whatever the policy's words. */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/link.h"
#include "tool/tool.h"

/* What is looked at, and who is told. */
struct conflicts {
	struct session *session;
	const struct policy *policy;
	const struct words *words; /* the networks to settle; NULL: all of them */
	void (*tell)(void *context, enum finding_kind kind, const struct policy_error *error);
	void *context;
	bool *refused; /* of the policy's networks, in its order: which cannot be settled */
};

static const struct policy_network *network_at(const struct conflicts *conflicts, size_t index)
{
	size_t count;

	return &policy_networks(conflicts->policy, &count)[index];
}

static bool is_asked_for(const struct conflicts *conflicts, const char *network)
{
	return !conflicts->words || words_name(conflicts->words, network);
}

static bool is_refused(const struct conflicts *conflicts, const struct policy_network *network)
{
	return conflicts->refused[network - network_at(conflicts, 0)];
}

static void say(void *context, enum finding_kind kind, const struct policy_error *error)
{
	(void)context;
	say_error_at(error->file, error->line, "%s%s",
		kind == FINDING_WARNING ? "warning: "
		: kind == FINDING_NOTE	? "note: "
					: "",
		error->what);
}

static void place_of(const struct policy_network *network, struct policy_error *error)
{
	error->line = network->line;
	text_append_escaped(error->file, sizeof(error->file), (struct word){network->file, strlen(network->file)});
}

/* Of two networks of the policy that get in each other's way the later one goes without; the error is about that. */
static void pass_on(void *context, const struct policy_error *error)
{
	struct conflicts *conflicts = context;
	size_t count;

	policy_networks(conflicts->policy, &count);
	for (size_t i = 0; i < count; i++) {
		const struct policy_network *network = network_at(conflicts, i);
		struct policy_error place = {.line = 0};

		place_of(network, &place);
		if (place.line != error->line || strcmp(place.file, error->file) != 0)
			continue;
		if (is_asked_for(conflicts, network->name)) {
			conflicts->refused[i] = true;
			conflicts->tell(conflicts->context, FINDING_ERROR, error);
		}
		return;
	}
}

__attribute__((format(printf, 4, 5))) static void tell(struct conflicts *conflicts,
	const struct policy_network *network, enum finding_kind kind, const char *format, ...)
{
	struct policy_error error = {.line = 0};
	va_list arguments;

	place_of(network, &error);
	va_start(arguments, format);
	vsnprintf(error.what, sizeof(error.what), format, arguments);
	va_end(arguments);
	conflicts->refused[network - network_at(conflicts, 0)] |= kind == FINDING_ERROR;
	conflicts->tell(conflicts->context, kind, &error);
}

/* --- names -------------------------------------------------------------------------------------------------------- */

/* Whether an interface is a bridge or a tap that tapgate made. */
static bool is_ours(const struct link_interface *interface)
{
	struct alias_tap tap;

	return bridge_is_ours(interface) || alias_read_tap(interface, &tap);
}

/* Whether an interface has a name that the network needs: its own, or one that its guard takes for a pool's tap. */
static bool takes_name(const struct link_interface *interface, const struct policy_network *network)
{
	size_t size = strlen(network->name);

	if (!policy_pool_size(network))
		return strcmp(interface->name, network->name) == 0;
	return strncmp(interface->name, network->name, size) == 0 && interface->name[size] == '-';
}

/* No interface can be made with a name that is another's alternative one (ip-link(8)); the kernel finds it by that. */
static void find_alternative(struct conflicts *conflicts, const struct policy_network *network)
{
	struct link_interface other = {.index = 0};

	if (policy_pool_size(network) || link_by_name(conflicts->session->link, network->name, &other) != -ENODEV ||
		!other.index)
		return;
	tell(conflicts, network, FINDING_ERROR,
		"network '%s' needs the interface name '%s', which %s has as an alternative one; give the network another name, or take it from that interface: ip link property del",
		network->name, network->name, QUOTED(((struct word){other.name, strlen(other.name)})));
}

static void find_names(struct conflicts *conflicts, const struct policy_network *network)
{
	const struct host *host = &conflicts->session->host;

	for (size_t i = 0; i < host->interface_count; i++) {
		const struct link_interface *interface = &host->interfaces[i];

		if (is_ours(interface) || !takes_name(interface, network))
			continue;
		tell(conflicts, network, FINDING_ERROR,
			"network '%s' needs the interface name '%s', which one has that tapgate did not make; give the network another name, or remove the interface",
			network->name, interface->name);
	}
}

/* --- routes ------------------------------------------------------------------------------------------------------- */

/* Whether a standalone network was up already: it has its guard, or (who is not root sees no guards) a tap. */
static bool standalone_stands(struct session *session, const struct policy_network *network)
{
	struct guard guard = {.exists = false};

	if (guard_look(session, network, &guard) == 0 && guard.exists)
		return true;
	for (size_t i = 0; i < session->host.interface_count; i++) {
		if (network_has_tap(&session->host.interfaces[i], network->name))
			return true;
	}
	return false;
}

/* Whether the host has the network's address where it belongs already. */
static bool has_its_address(struct session *session, const struct policy_network *network)
{
	const struct host *host = &session->host;
	const struct link_interface *bridge = host_interface(host, network->name);

	if (network->mode == MODE_STANDALONE)
		return standalone_stands(session, network);
	if (!bridge || !bridge_is_ours(bridge))
		return false;
	for (size_t i = 0; i < host->address_count; i++) {
		if (host->addresses[i].index == bridge->index && host->addresses[i].address[0] != 0xfe &&
			addresses_want(network, &host->addresses[i]))
			return true;
	}
	return false;
}

/*
 * Routes that lead somewhere in particular: no default route, neither whole nor in the two halves of VPNs;
 * no multicast, nothing of ours.
 */
static bool counts(const struct host *host, const struct link_route *route)
{
	const struct link_interface *interface = host_interface_at(host, route->index);

	return route->prefix > 1 && (route->type == RTN_UNICAST || route->type == RTN_LOCAL) &&
	       !(interface && is_ours(interface));
}

/*
 * A wider route than the subnet leads to the rest still, since the more specific one wins: worth a note, until the
 * network stands. One that is equal or narrower would lose packets to the network, or take its own.
 */
static void tell_route(struct conflicts *conflicts, const struct policy_network *network,
	const struct policy_subnet *subnet, const struct link_route *route)
{
	const struct link_interface *interface = host_interface_at(&conflicts->session->host, route->index);
	char ours[INET6_ADDRSTRLEN] = "", theirs[INET6_ADDRSTRLEN] = "";
	const bool there = has_its_address(conflicts->session, network);

	inet_ntop(route->family, subnet->address, ours, sizeof(ours));
	inet_ntop(route->family, route->destination, theirs, sizeof(theirs));
	if (route->prefix >= subnet->prefix)
		tell(conflicts, network, there ? FINDING_WARNING : FINDING_ERROR,
			"the subnet %s/%u of network '%s' overlaps the host's %s %s/%u%s%s; choose another subnet",
			ours, subnet->prefix, network->name, route->type == RTN_LOCAL ? "address" : "route to", theirs,
			route->prefix, interface ? " by " : "", interface ? interface->name : "");
	else if (!there || !conflicts->words)
		tell(conflicts, network, FINDING_NOTE,
			"the subnet %s/%u of network '%s' lies within the host's route to %s/%u%s%s: what has these addresses there is not reached any more",
			ours, subnet->prefix, network->name, theirs, route->prefix, interface ? " by " : "",
			interface ? interface->name : "");
}

/* One of them is told, the most specific. */
static void find_routes(struct conflicts *conflicts, const struct policy_network *network, int family,
	const struct policy_subnet *subnet)
{
	const struct host *host = &conflicts->session->host;
	const struct link_route *found = NULL;

	for (size_t i = 0; i < host->route_count && subnet->given; i++) {
		const struct link_route *route = &host->routes[i];

		if (route->family == family && counts(host, route) && (!found || route->prefix > found->prefix) &&
			policy_prefixes_overlap(subnet->address, subnet->prefix, route->destination, route->prefix))
			found = route;
	}
	if (found)
		tell_route(conflicts, network, subnet, found);
}

/* --- what is ours ------------------------------------------------------------------------------------------------- */

/*
 * Whether an interface of ours, of the network of this name, keeps its addresses when the networks that are asked for
 * are settled: they give up what is not theirs, but those that are refused do not, and a tap that stands alone has its
 * address until its machine ends.
 */
static bool stays(const struct conflicts *conflicts, const struct link_interface *interface, const char *name)
{
	const struct policy_network *holder = load_find(conflicts->policy, name);

	if (!is_asked_for(conflicts, name) || session_leaves(conflicts->session, name) ||
		(holder && is_refused(conflicts, holder)))
		return true;
	return holder && policy_is_managed(holder) && !bridge_is_ours(interface) &&
	       !network_is_stray(holder, interface);
}

/*
 * An address of another network's that is in a subnet of this one, as when the policy had it otherwise before. Whether
 * there is one: it is told.
 */
static bool find_held(struct conflicts *conflicts, const struct policy_network *network, int family,
	const struct policy_subnet *subnet)
{
	const struct host *host = &conflicts->session->host;

	for (size_t i = 0; i < host->address_count && subnet->given; i++) {
		const struct link_address *address = &host->addresses[i];
		const struct link_interface *interface = host_interface_at(host, address->index);
		char ours[INET6_ADDRSTRLEN] = "", theirs[INET6_ADDRSTRLEN] = "";
		struct alias_tap tap = {.uid = 0};
		bool bridge = interface && bridge_is_ours(interface);
		const char *holder = bridge ? interface->name : tap.network;

		if (address->family != family ||
			!policy_prefixes_overlap(subnet->address, subnet->prefix, address->address, address->prefix) ||
			!interface || (!bridge && !alias_read_tap(interface, &tap)) ||
			strcmp(holder, network->name) == 0 || !stays(conflicts, interface, holder))
			continue;
		inet_ntop(family, subnet->address, ours, sizeof(ours));
		inet_ntop(family, address->address, theirs, sizeof(theirs));
		tell(conflicts, network, has_its_address(conflicts->session, network) ? FINDING_WARNING : FINDING_ERROR,
			"the subnet %s/%u of network '%s' overlaps %s/%u, which %s '%s' has; %s", ours, subnet->prefix,
			network->name, theirs, address->prefix, bridge ? "network" : "a virtual machine on network",
			holder,
			!bridge				  ? "end it first, or choose another subnet"
			: is_asked_for(conflicts, holder) ? "choose another subnet"
							  : "run 'tapgate up' without names");
		return true;
	}
	return false;
}

/* --- ports that something listens at ------------------------------------------------------------------------------ */

/* Ports that the policy forwards and something on the host has: by the kernel's lists of sockets. */

/* A socket that waits for whoever comes. */
struct listener {
	bool ipv6, udp;
	unsigned char address[16]; /* network byte order; all 0: any */
	unsigned long port;
};

/* In /proc/net/tcp and the like (proc_pid_net(5)): states of a socket that listens, of UDP of one without a peer. */
enum { TCP_LISTENS = 0x0a, UDP_LISTENS = 0x07 };

/* "   0: 0100007F:1F90 00000000:0000 0A ...", an address as words in the order of this machine's bytes. */
static bool read_listener(char *line, struct listener *listener)
{
	const size_t words = listener->ipv6 ? 4 : 1, digits = words * 8;
	char *at = strchr(line, ':'), *end;

	memset(listener->address, 0, sizeof(listener->address));
	at = at ? at + 1 + strspn(at + 1, " ") : line;
	if (strspn(at, "0123456789ABCDEF") != digits || at[digits] != ':')
		return false;
	listener->port = strtoul(at + digits + 1, &end, 16);
	for (size_t i = 0; i < words; i++) {
		char word[9] = "";
		uint32_t number;

		memcpy(word, at + 8 * i, 8);
		number = (uint32_t)strtoul(word, NULL, 16);
		memcpy(listener->address + 4 * i, &number, 4);
	}
	at = end + strspn(end, " ");
	at += strcspn(at, " ");
	return strtoul(at, NULL, 16) == (listener->udp ? UDP_LISTENS : TCP_LISTENS);
}

static bool is_any(const struct listener *listener)
{
	static const unsigned char any[16];

	return memcmp(listener->address, any, sizeof(any)) == 0;
}

/* Whether it had what is forwarded now: loopback addresses are not; a socket on :: may be one of IPv4 as well. */
static bool loses(const struct listener *listener, const struct policy_forward *forward)
{
	const int family = listener->ipv6 ? AF_INET6 : AF_INET;
	const bool any = is_any(listener);

	if (listener->udp != forward->udp || listener->port < forward->first || listener->port > forward->last)
		return false;
	if (any && listener->ipv6)
		return true;
	if (!(listener->ipv6 ? forward->ipv6 : forward->ipv4))
		return false;
	if (listener->ipv6 ? IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)listener->address)
			   : listener->address[0] == 127)
		return false;
	return any || !forward->on_family ||
	       (forward->on_family == family && memcmp(forward->on, listener->address, listener->ipv6 ? 16 : 4) == 0);
}

static void tell_of(
	const struct conflicts *conflicts, const struct listener *listener, const struct policy_network *network)
{
	for (const struct policy_forward *forward = NULL; (forward = policy_next_forward(network, forward));) {
		struct policy_error error = {.line = forward->line};

		if (!loses(listener, forward))
			continue;
		text_append_escaped(
			error.file, sizeof(error.file), (struct word){forward->file, strlen(forward->file)});
		snprintf(error.what, sizeof(error.what),
			"port %lu/%s is forwarded to guest '%s', and something on the host listens there, which nobody reaches by it any more ('ss -lnptu' shows what); choose another port",
			listener->port, listener->udp ? "udp" : "tcp", forward->guest->name);
		conflicts->tell(conflicts->context, FINDING_WARNING, &error);
	}
}

/* Warn of each port that is forwarded and that something on the host listens at, by the forward's file and line. */
static void find_listeners(const struct conflicts *conflicts, const struct policy_network *networks, size_t count)
{
	static const struct {
		const char *path;
		bool ipv6, udp;
	} lists[] = {{"/proc/net/tcp", false, false}, {"/proc/net/tcp6", true, false}, {"/proc/net/udp", false, true},
		{"/proc/net/udp6", true, true}};
	bool any = false;

	for (size_t i = 0; i < count; i++)
		any |= policy_next_forward(&networks[i], NULL) != NULL;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists) && any; i++) {
		FILE *file = fopen(lists[i].path, "re");
		char line[512];

		while (file && fgets(line, sizeof(line), file)) {
			struct listener listener = {.ipv6 = lists[i].ipv6, .udp = lists[i].udp};

			if (!read_listener(line, &listener))
				continue;
			for (size_t j = 0; j < count; j++)
				tell_of(conflicts, &listener, &networks[j]);
		}
		if (file)
			fclose(file);
	}
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

/* Again and again, since whoever is refused because of another one keeps its own addresses, too. */
static void find_all_held(struct conflicts *conflicts, size_t count)
{
	bool told[POLICY_NETWORKS_MAX] = {false}, again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < count; i++) {
			const struct policy_network *network = network_at(conflicts, i);

			if (told[i] || !policy_is_managed(network) || !is_asked_for(conflicts, network->name))
				continue;
			told[i] = find_held(conflicts, network, AF_INET, &network->ipv4);
			told[i] |= find_held(conflicts, network, AF_INET6, &network->ipv6);
			again |= told[i] && conflicts->refused[i];
		}
	}
}

static void find_all(struct conflicts *conflicts)
{
	size_t count;
	const struct policy_network *networks = policy_networks(conflicts->policy, &count);

	policy_conflicts(conflicts->policy, pass_on, conflicts);
	find_listeners(conflicts, networks, count);
	for (size_t i = 0; i < count; i++) {
		const struct policy_network *network = network_at(conflicts, i);

		if (!policy_is_managed(network) || !is_asked_for(conflicts, network->name))
			continue;
		find_names(conflicts, network);
		find_alternative(conflicts, network);
		find_routes(conflicts, network, AF_INET, &network->ipv4);
		find_routes(conflicts, network, AF_INET6, &network->ipv6);
	}
	find_all_held(conflicts, count);
}

void conflicts_each(struct session *session, const struct policy *policy,
	void (*told)(void *context, enum finding_kind kind, const struct policy_error *error), void *context)
{
	bool refused[POLICY_NETWORKS_MAX] = {false};
	struct conflicts conflicts = {session, policy, NULL, told, context, refused};

	find_all(&conflicts);
}

void conflicts_find(struct session *session, const struct policy *policy, const struct words *words,
	bool refused[static POLICY_NETWORKS_MAX])
{
	struct conflicts conflicts = {session, policy, words, say, NULL, refused};

	find_all(&conflicts);
}
