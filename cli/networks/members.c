#include "cli/networks/members.h"

#include <linux/if_link.h>
#include <string.h>

#include "cli/networks/bridge.h"
#include "cli/networks/network.h"
#include "link/alias.h"
#include "link/fdb.h"

struct search {
	const struct session *session;
	const struct policy_network *network;
	int bridge; /* index; 0: it has none */
	void (*each)(void *context, const struct trouble *);
	void *context;
};

static void report(const struct search *search, enum trouble_kind kind, const struct link_interface *interface)
{
	search->each(search->context, &(struct trouble){.kind = kind, .interface = interface});
}

static bool has_address(const struct host *host, int index)
{
	for (size_t i = 0; i < host->address_count; i++) {
		if (host->addresses[i].index == index)
			return true;
	}
	return false;
}

/* One that stands alone, is down and has no address may be the helper's yet, which is about to give it some. */
static void look_at_tap(const struct search *search, const struct link_interface *tap)
{
	const struct policy_network *network = search->network;
	struct alias_tap alias;

	if (!network_has_tap(tap, network->name) || network_is_stray(network, tap))
		return;
	if (tap->master != search->bridge && (search->bridge || !bridge_is_needed(network)))
		report(search, TROUBLE_AWAY, tap);
	else if (!(tap->flags & IFF_UP) && alias_read_tap(tap, &alias) &&
		 (tap->master || has_address(&search->session->host, tap->index)))
		report(search, TROUBLE_DOWN, tap);
}

static void look_at_port(const struct search *search, const struct link_interface *port)
{
	const struct host *host = &search->session->host;

	if (!search->bridge || port->master != search->bridge)
		return;
	if (!network_has_tap(port, search->network->name))
		report(search, TROUBLE_FOREIGN, port);
	else if ((search->network->options.given & OPTION_LOCK_IP) &&
		 !(port->port.on & LINK_PORT(IFLA_BRPORT_LOCKED)) && (port->flags & IFF_UP))
		report(search, TROUBLE_UNLOCKED, port);
	for (size_t i = 0; i < host->address_count; i++) {
		if (host->addresses[i].index == port->index)
			search->each(search->context,
				&(struct trouble){
					.kind = TROUBLE_ADDRESS, .interface = port, .address = &host->addresses[i]});
	}
}

/* Kinds of interfaces that take what comes in by another one, in the place of its rules or behind some of them. */
static bool stands_on(const struct link_interface *interface)
{
	static const char *const kinds[] = {"macvlan", "macvtap", "ipvlan", "ipvtap", "vlan", "macsec"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && interface->lower; i++) {
		if (strcmp(interface->kind, kinds[i]) == 0)
			return true;
	}
	return false;
}

static void look_at_upper(const struct search *search, const struct link_interface *upper)
{
	const struct link_interface *lower = host_interface_at(&search->session->host, upper->lower);

	if (stands_on(upper) && lower &&
		((search->bridge && (lower->index == search->bridge || lower->master == search->bridge)) ||
			network_has_tap(lower, search->network->name)))
		report(search, TROUBLE_UPPER, upper);
}

/* Of a locked tap: the address that it is marked with; one that an older tapgate made has no mark, and one entry. */
static bool is_locks(const struct host *host, const struct link_interface *port, const struct fdb_entry *entry)
{
	bool marked = false;

	for (size_t i = 0; i < host->locked_count; i++) {
		if (host->locked[i].tap != port->index)
			continue;
		marked = true;
		if (memcmp(host->locked[i].mac, entry->mac, sizeof(entry->mac)) == 0)
			return true;
	}
	return !marked && entry->stays && (port->port.on & LINK_PORT(IFLA_BRPORT_LOCKED));
}

static void see_entry(void *context, const struct fdb_entry *entry)
{
	const struct search *search = context;
	const struct link_interface *port = host_interface_at(&search->session->host, entry->index);
	struct trouble trouble = {.kind = TROUBLE_ENTRY, .interface = port};

	if ((!entry->fixed && !(entry->stays && !entry->own)) || !port || is_locks(&search->session->host, port, entry))
		return;
	memcpy(trouble.mac, entry->mac, sizeof(entry->mac));
	search->each(search->context, &trouble);
}

void members_each_trouble(struct session *session, const struct policy_network *network,
	void (*each)(void *context, const struct trouble *), void *context)
{
	const struct link_interface *bridge =
		bridge_is_needed(network) ? host_interface(&session->host, network->name) : NULL;
	struct search search = {session, network, bridge && bridge_is_ours(bridge) ? bridge->index : 0, each, context};

	for (size_t i = 0; i < session->host.interface_count; i++) {
		look_at_port(&search, &session->host.interfaces[i]);
		look_at_tap(&search, &session->host.interfaces[i]);
		look_at_upper(&search, &session->host.interfaces[i]);
	}
	if (search.bridge)
		fdb_each(session->link, search.bridge, see_entry, &search);
}

static void keep_first(void *context, const struct trouble *trouble)
{
	static const char *const phrases[] = {[TROUBLE_FOREIGN] = "ports (one is not a tap of the network)",
		[TROUBLE_UNLOCKED] = "ports (one is not locked to an address)",
		[TROUBLE_UPPER] = "interfaces on it (one is past its guard)",
		[TROUBLE_AWAY] = "taps (one is not where it belongs)",
		[TROUBLE_DOWN] = "taps (one is down)",
		[TROUBLE_ADDRESS] = "addresses of its ports",
		[TROUBLE_ENTRY] = "forwarding entries"};
	const char **first = context;

	if (!*first)
		*first = phrases[trouble->kind];
}

const char *members_difference(struct session *session, const struct policy_network *network)
{
	const char *first = NULL;

	members_each_trouble(session, network, keep_first, &first);
	return first;
}
