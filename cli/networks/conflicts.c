#include "cli/networks/conflicts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/load.h"
#include "cli/networks/addresses.h"
#include "cli/networks/bridge.h"
#include "cli/networks/guard.h"
#include "cli/networks/network.h"
#include "cli/say.h"
#include "link/alias.h"

/* What is looked at, and who is told. */
struct conflicts {
	struct session *session;
	const struct policy *policy;
	const struct words *words; /* the networks to settle; NULL: all of them */
	void (*tell)(void *context, bool warning, const struct policy_error *error);
	void *context;
};

static void say(void *context, bool warning, const struct policy_error *error)
{
	(void)context;
	say_error_at(error->file, error->line, "%s%s", warning ? "warning: " : "", error->what);
}

static void pass_on(void *context, const struct policy_error *error)
{
	const struct conflicts *conflicts = context;

	conflicts->tell(conflicts->context, false, error);
}

__attribute__((format(printf, 4, 5))) static void tell(
	const struct conflicts *conflicts, const struct policy_network *network, bool warning, const char *format, ...)
{
	struct policy_error error = {.line = network->line};
	va_list arguments;

	text_append_escaped(error.file, sizeof(error.file), (struct word){network->file, strlen(network->file)});
	va_start(arguments, format);
	vsnprintf(error.what, sizeof(error.what), format, arguments);
	va_end(arguments);
	conflicts->tell(conflicts->context, warning, &error);
}

/* --- names ------------------------------------------------------------------------------------------------------- */

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
static size_t find_alternative(const struct conflicts *conflicts, const struct policy_network *network)
{
	struct link_interface other = {.index = 0};

	if (policy_pool_size(network) || link_by_name(conflicts->session->link, network->name, &other) != -ENODEV ||
		!other.index)
		return 0;
	tell(conflicts, network, false,
		"network '%s' needs the interface name '%s', which %s has as an alternative one; give the network "
		"another name, or take it from that interface: ip link property del",
		network->name, network->name, QUOTED(((struct word){other.name, strlen(other.name)})));
	return 1;
}

static size_t find_names(const struct conflicts *conflicts, const struct policy_network *network)
{
	const struct host *host = &conflicts->session->host;
	size_t found = 0;

	for (size_t i = 0; i < host->interface_count; i++) {
		const struct link_interface *interface = &host->interfaces[i];

		if (is_ours(interface) || !takes_name(interface, network))
			continue;
		tell(conflicts, network, false,
			"network '%s' needs the interface name '%s', which one has that tapgate did not make; give the "
			"network another name, or remove the interface",
			network->name, interface->name);
		found++;
	}
	return found;
}

/* --- routes ------------------------------------------------------------------------------------------------------ */

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

static size_t find_routes(const struct conflicts *conflicts, const struct policy_network *network, int family,
	const struct policy_subnet *subnet)
{
	const struct host *host = &conflicts->session->host;

	for (size_t i = 0; i < host->route_count && subnet->given; i++) {
		const struct link_route *route = &host->routes[i];
		const struct link_interface *interface = host_interface_at(host, route->index);
		char ours[INET6_ADDRSTRLEN] = "", theirs[INET6_ADDRSTRLEN] = "";
		bool there;

		if (route->family != family || !counts(host, route) ||
			!policy_prefixes_overlap(subnet->address, subnet->prefix, route->destination, route->prefix))
			continue;
		inet_ntop(family, subnet->address, ours, sizeof(ours));
		inet_ntop(family, route->destination, theirs, sizeof(theirs));
		there = has_its_address(conflicts->session, network);
		tell(conflicts, network, there,
			"the subnet %s/%u of network '%s' overlaps the host's %s %s/%u%s%s; choose another subnet",
			ours, subnet->prefix, network->name, route->type == RTN_LOCAL ? "address" : "route to", theirs,
			route->prefix, interface ? " by " : "", interface ? interface->name : "");
		return !there;
	}
	return 0;
}

/* --- what is ours ------------------------------------------------------------------------------------------------ */

static bool is_asked_for(const struct conflicts *conflicts, const char *network)
{
	return !conflicts->words || words_name(conflicts->words, network);
}

/*
 * Whether an interface of ours, of the network of this name, keeps its addresses when the networks that are asked for
 * are settled: they give up what is not theirs, but a tap that stands alone has its address until its machine ends.
 */
static bool stays(const struct conflicts *conflicts, const struct link_interface *interface, const char *name)
{
	const struct policy_network *holder = load_find(conflicts->policy, name);

	if (!is_asked_for(conflicts, name))
		return true;
	return holder && bridge_is_managed(holder) && !bridge_is_ours(interface) &&
	       !network_is_stray(holder, interface);
}

/* An address of another network's that is in a subnet of this one, as when the policy had it otherwise before. */
static size_t find_held(const struct conflicts *conflicts, const struct policy_network *network, int family,
	const struct policy_subnet *subnet)
{
	const struct host *host = &conflicts->session->host;

	for (size_t i = 0; i < host->address_count && subnet->given; i++) {
		const struct link_address *address = &host->addresses[i];
		const struct link_interface *interface = host_interface_at(host, address->index);
		char ours[INET6_ADDRSTRLEN] = "", theirs[INET6_ADDRSTRLEN] = "";
		struct alias_tap tap = {.uid = 0};
		bool there, bridge = interface && bridge_is_ours(interface);
		const char *holder = bridge ? interface->name : tap.network;

		if (address->family != family || !interface || (!bridge && !alias_read_tap(interface, &tap)) ||
			strcmp(holder, network->name) == 0 || !stays(conflicts, interface, holder) ||
			!policy_prefixes_overlap(subnet->address, subnet->prefix, address->address, address->prefix))
			continue;
		inet_ntop(family, subnet->address, ours, sizeof(ours));
		inet_ntop(family, address->address, theirs, sizeof(theirs));
		there = has_its_address(conflicts->session, network);
		tell(conflicts, network, there,
			"the subnet %s/%u of network '%s' overlaps %s/%u, which %s '%s' has; %s", ours, subnet->prefix,
			network->name, theirs, address->prefix, bridge ? "network" : "a virtual machine on network",
			holder, bridge ? "run 'tapgate up' without names" : "end it first, or choose another subnet");
		return !there;
	}
	return 0;
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

static size_t find_all(struct conflicts *conflicts)
{
	size_t count, found = policy_conflicts(conflicts->policy, pass_on, conflicts);
	const struct policy_network *networks = policy_networks(conflicts->policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (!bridge_is_managed(&networks[i]))
			continue;
		found += find_names(conflicts, &networks[i]);
		found += find_alternative(conflicts, &networks[i]);
		found += find_routes(conflicts, &networks[i], AF_INET, &networks[i].ipv4);
		found += find_routes(conflicts, &networks[i], AF_INET6, &networks[i].ipv6);
		if (!is_asked_for(conflicts, networks[i].name))
			continue;
		found += find_held(conflicts, &networks[i], AF_INET, &networks[i].ipv4);
		found += find_held(conflicts, &networks[i], AF_INET6, &networks[i].ipv6);
	}
	return found;
}

size_t conflicts_each(struct session *session, const struct policy *policy,
	void (*told)(void *context, bool warning, const struct policy_error *error), void *context)
{
	struct conflicts conflicts = {session, policy, NULL, told, context};

	return find_all(&conflicts);
}

size_t conflicts_find(struct session *session, const struct policy *policy, const struct words *words)
{
	struct conflicts conflicts = {session, policy, words, say, NULL};

	return find_all(&conflicts);
}
