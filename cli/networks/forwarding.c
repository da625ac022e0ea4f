#include "cli/networks/forwarding.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "cli/networks/bridge.h"
#include "cli/networks/sysctl.h"
#include "link/alias.h"

#define FORWARDING "forwarding"
#define ACCEPT_RA  "accept_ra"

enum { RA_UNLESS_FORWARDING = 1, RA_ALWAYS = 2 };

static bool has_default_route(const struct host *host, int index, int family)
{
	for (size_t i = 0; i < host->route_count; i++) {
		const struct link_route *route = &host->routes[i];

		if (route->index == index && route->family == family && route->prefix == 0 &&
			route->type == RTN_UNICAST)
			return true;
	}
	return false;
}

/* Forwarding of a family (index) on an interface. */
static bool put_back(struct session *session, const struct undo_values *values)
{
	int error = sysctl_write(values->index, values->name, FORWARDING, 0);

	(void)session;
	return !error || session_fail(values->name, error, "switch forwarding off again");
}

static bool switch_on(struct session *session, const char *network, int family, const char *interface, const char *why)
{
	struct undo_values undo = {.index = family};
	int error;

	/* With --dry-run the network's own bridge may not be there yet: it would begin as all do. */
	bool later = session->dry && strcmp(interface, "all") != 0 && !host_interface(&session->host, interface);

	/* What cannot be read is not taken for done: writing it tells. */
	if (sysctl_read(family, later ? "default" : interface, FORWARDING) > 0)
		return true;
	error = session->dry ? 0 : sysctl_write(family, interface, FORWARDING, 1);
	if (error)
		return session_fail(network, error, "switch on forwarding for %s", interface);
	if (!session->dry) {
		snprintf(undo.name, sizeof(undo.name), "%s", interface);
		session_undo_with(session, put_back, undo);
	}
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

		if (!alias_is_bridge(interface) && has_default_route(&session->host, interface->index, AF_INET) &&
			!switch_on(session, network->name, AF_INET, interface->name, "the way out"))
			return false;
	}
	return switch_on(session, network->name, AF_INET, network->name, "the way in");
}

static bool put_accept_ra_back(struct session *session, const struct undo_values *values)
{
	int error = sysctl_write(AF_INET6, values->name, ACCEPT_RA, values->number);

	(void)session;
	return !error || session_fail(values->name, error, "put accept_ra back");
}

/* Interfaces that take router advertisements go on doing so when the host becomes a router itself. */
static bool keep_routes(struct session *session, const struct policy_network *network)
{
	for (size_t i = 0; i < session->host.interface_count; i++) {
		const char *name = session->host.interfaces[i].name;
		struct undo_values undo = {.number = RA_UNLESS_FORWARDING};
		int error;

		if (alias_is_bridge(&session->host.interfaces[i]) ||
			!has_default_route(&session->host, session->host.interfaces[i].index, AF_INET6) ||
			sysctl_read(AF_INET6, name, ACCEPT_RA) != RA_UNLESS_FORWARDING)
			continue;
		error = session->dry ? 0 : sysctl_write(AF_INET6, name, ACCEPT_RA, RA_ALWAYS);
		if (error)
			return session_fail(network->name, error, "set net.ipv6.conf.%s.accept_ra", name);
		if (!session->dry) {
			snprintf(undo.name, sizeof(undo.name), "%s", name);
			session_undo_with(session, put_accept_ra_back, undo);
		}
		session_say(session, network->name, "set", "set",
			"net.ipv6.conf.%s.accept_ra=2 (its router still counts when the host forwards)", name);
	}
	return true;
}

static bool settle_ipv6(struct session *session, const struct policy_network *network)
{
	if (!network->ipv6.given || sysctl_read(AF_INET6, "all", FORWARDING) > 0)
		return true;
	return keep_routes(session, network) &&
	       switch_on(session, network->name, AF_INET6, "all", "the way in and out");
}

bool forwarding_settle(struct session *session, const struct policy_network *network)
{
	return network->mode != MODE_NAT || (settle_ipv4(session, network) && settle_ipv6(session, network));
}

const char *forwarding_difference(struct session *session, const struct policy_network *network)
{
	if (network->mode != MODE_NAT)
		return NULL;
	if (network->ipv6.given && sysctl_read(AF_INET6, "all", FORWARDING) == 0)
		return "IPv6 forwarding";
	if (!network->ipv4.given)
		return NULL;
	if (sysctl_read(AF_INET, network->name, FORWARDING) == 0)
		return "IPv4 forwarding";
	for (size_t i = 0; i < session->host.interface_count; i++) {
		if (has_default_route(&session->host, session->host.interfaces[i].index, AF_INET) &&
			sysctl_read(AF_INET, session->host.interfaces[i].name, FORWARDING) == 0)
			return "IPv4 forwarding on the way out";
	}
	return NULL;
}
