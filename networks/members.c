// SPDX-License-Identifier: MIT
/*
 * What is on a network and should not be so, or should be on it and is elsewhere: its taps, its bridge's ports, and
 * what stands on either.
 */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "link/link.h"
#include "policy/kernel.h"
#include "policy/text.h"
#include "tool/tool.h"

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

/*
 * One that is down may be the helper's yet, which protects its port first: brought up now, it would take in what is not
 * for it. One that stands alone has no address then, and a port no wall, which comes last.
 */
static void look_at_tap(const struct search *search, const struct link_interface *tap)
{
	const struct policy_network *network = search->network;
	struct alias_tap alias;

	if (!network_has_tap(tap, network->name) || network_is_stray(network, tap))
		return;
	if (tap->master != search->bridge && (search->bridge || !bridge_is_needed(network)))
		report(search, TROUBLE_AWAY, tap);
	else if (!(tap->flags & IFF_UP) && alias_read_tap(tap, &alias) &&
		 (tap->master ? walls_stand(search->session, network, tap)
			      : has_address(&search->session->host, tap->index)))
		report(search, TROUBLE_DOWN, tap);
}

static void look_at_port(const struct search *search, const struct link_interface *port)
{
	const struct host *host = &search->session->host;

	if (!search->bridge || port->master != search->bridge)
		return;
	if (!network_has_tap(port, search->network->name))
		report(search, TROUBLE_FOREIGN, port);
	else if ((search->network->options.given & OPTION_LOCK_IP) && (port->flags & IFF_UP)) {
		if (!(port->port.on & LINK_PORT(BRPORT_LOCKED)))
			report(search, TROUBLE_UNLOCKED, port);
		else if (port->group != guard_lock_group(search->network->name))
			report(search, TROUBLE_GROUP, port);
	}
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
	return !marked && entry->stays && (port->port.on & LINK_PORT(BRPORT_LOCKED));
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
		[TROUBLE_GROUP] = "ports (one is not in the group of lock-ip)",
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

/* --- members_settle ----------------------------------------------------------------------------------------------- */

/* Members of networks, put right: see members.h. Looks at nothing itself. */

struct repair {
	struct session *session;
	const struct policy_network *network;
	int bridge;
	bool failed;
};

/*
 * Back on its bridge. What its port was protected with went when it left; of that the lock is written on the tap, and
 * whether it was isolated nobody knows, so that it is from now on: no guest is reached that was not before.
 */
static int put_back(struct repair *repair, const struct link_interface *tap)
{
	const struct link_change change = {.master = repair->bridge};
	const struct host *host = &repair->session->host;
	struct link_port port = {.known = LINK_PORT(IFLA_BRPORT_ISOLATED), .on = LINK_PORT(IFLA_BRPORT_ISOLATED)};
	const struct locked *lock = NULL;
	int error;

	for (size_t i = 0; i < host->locked_count; i++) {
		if (host->locked[i].tap == tap->index)
			lock = &host->locked[i];
	}
	if (lock) {
		port.known |= LINK_PORT(BRPORT_LOCKED) | LINK_PORT(IFLA_BRPORT_LEARNING) |
			      LINK_PORT(IFLA_BRPORT_UNICAST_FLOOD);
		port.on |= LINK_PORT(BRPORT_LOCKED);
	}
	/* Down meanwhile, so that no frame passes a port that is not protected yet. */
	error = link_change(repair->session->link, tap->index, &(struct link_change){.down = true});
	if (!error)
		error = link_change(repair->session->link, tap->index, &change);
	if (!error)
		error = link_set_port(repair->session->link, tap->index, &port);
	if (!error && lock && lock->bridge != repair->bridge) {
		struct locked here = *lock;

		here.bridge = repair->bridge;
		error = locked_mark(repair->session->link, &here);
	}
	if (!error && lock)
		error = fdb_put(repair->session->link, tap->index, lock->mac);
	return error ? error : link_change(repair->session->link, tap->index, &(struct link_change){.up = true});
}

static void come_away(struct repair *repair, const struct link_interface *tap)
{
	struct session *session = repair->session;
	const char *network = repair->network->name;
	const struct link_change leave = {.no_master = true};
	bool bridged = bridge_is_needed(repair->network);
	int error = 0;

	if (!session->dry)
		error = bridged ? put_back(repair, tap) : link_change(session->link, tap->index, &leave);
	if (error)
		repair->failed |= !session_fail(network, error, "put the tap '%s' where it belongs", tap->name);
	else if (bridged)
		session_say(session, network, "put", "put", "the tap '%s' back on its bridge, isolated", tap->name);
	else
		session_say(session, network, "took", "take", "the tap '%s' off the bridge that it was on", tap->name);
}

static void bring_up(struct repair *repair, const struct link_interface *tap)
{
	const struct link_change change = {.up = true};
	int error = repair->session->dry ? 0 : link_change(repair->session->link, tap->index, &change);

	if (error)
		repair->failed |= !session_fail(repair->network->name, error, "bring the tap '%s' up", tap->name);
	else
		session_say(repair->session, repair->network->name, "brought", "bring", "the tap '%s' up", tap->name);
}

/* One that had lock-mac when its network got lock-ip; or that somebody put into another group. */
static void join_group(struct repair *repair, const struct link_interface *tap)
{
	const struct link_change change = {.group = guard_lock_group(repair->network->name)};
	int error = repair->session->dry ? 0 : link_change(repair->session->link, tap->index, &change);

	if (error)
		repair->failed |= !session_fail(
			repair->network->name, error, "put the tap '%s' into the group of lock-ip", tap->name);
	else
		session_say(repair->session, repair->network->name, "put", "put",
			"the tap '%s' into the group of lock-ip", tap->name);
}

static void remove_address(struct repair *repair, const struct trouble *trouble)
{
	const struct link_address *address = trouble->address;
	char text[INET6_ADDRSTRLEN] = "";
	int error = repair->session->dry ? 0 : link_remove_address(repair->session->link, address);

	inet_ntop(address->family, address->address, text, sizeof(text));
	if (error && error != -EADDRNOTAVAIL)
		repair->failed |= !session_fail(repair->network->name, error, "remove the address %s/%u from '%s'",
			text, address->prefix, trouble->interface->name);
	else
		session_say(repair->session, repair->network->name, "removed", "remove",
			"the address %s/%u from its port '%s'", text, address->prefix, trouble->interface->name);
}

static void remove_entry(struct repair *repair, const struct trouble *trouble)
{
	char text[MAC_TEXT];
	int error =
		repair->session->dry ? 0 : fdb_remove(repair->session->link, trouble->interface->index, trouble->mac);

	mac_text(trouble->mac, text);
	if (error == -ENOENT) /* of another VLAN, and gone with the first */
		return;
	if (error)
		repair->failed |= !session_fail(repair->network->name, error, "remove the entry for %s behind '%s'",
			text, trouble->interface->name);
	else
		session_say(repair->session, repair->network->name, "removed", "remove",
			"the entry for %s behind its port '%s'", text, trouble->interface->name);
}

static void put_right(struct repair *repair, const struct trouble *trouble)
{
	switch (trouble->kind) {
	case TROUBLE_AWAY:
		come_away(repair, trouble->interface);
		break;
	case TROUBLE_DOWN:
		bring_up(repair, trouble->interface);
		break;
	case TROUBLE_GROUP:
		join_group(repair, trouble->interface);
		break;
	case TROUBLE_ADDRESS:
		remove_address(repair, trouble);
		break;
	case TROUBLE_ENTRY:
		remove_entry(repair, trouble);
		break;
	case TROUBLE_FOREIGN:
	case TROUBLE_UNLOCKED:
	case TROUBLE_UPPER:
		break;
	}
}

/* Found first and put right then, as the kernel is asked one thing at a time. */
struct list {
	struct trouble *troubles;
	size_t count;
	bool failed;
};

static void append(void *context, const struct trouble *trouble)
{
	struct list *list = context;
	struct trouble *more = reallocarray(list->troubles, list->count + 1, sizeof(*more));

	list->failed |= !more;
	if (!more)
		return;
	list->troubles = more;
	list->troubles[list->count++] = *trouble;
}

bool members_settle(struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = host_interface(&session->host, network->name);
	struct repair repair = {.session = session, .network = network, .bridge = bridge ? bridge->index : 0};
	struct list list = {.troubles = NULL};

	members_each_trouble(session, network, append, &list);
	for (size_t i = 0; i < list.count; i++)
		put_right(&repair, &list.troubles[i]);
	free(list.troubles);
	return !repair.failed && (!list.failed || session_fail(network->name, ENOMEM, "look at its members"));
}

static void complain(void *context, const struct trouble *trouble)
{
	struct repair *repair = context;
	const struct link_interface *interface = trouble->interface;
	const char *name = QUOTED(((struct word){interface->name, strlen(interface->name)}));
	struct alias_tap tap;

	/* With --dry-run another network has not got its tap back. */
	if (trouble->kind == TROUBLE_FOREIGN && !(repair->session->dry && alias_read_tap(interface, &tap)))
		repair->failed |= !say_error(
			"%s: its port %s is not a tap of the network, and whoever is behind it is on it; take it out: ip link set %s nomaster",
			repair->network->name, name, name);
	if (trouble->kind == TROUBLE_UNLOCKED)
		repair->failed |= !say_error(
			"%s: the tap %s was made without lock-ip, and its guest can send from any address of the network; end its virtual machine, and start it again",
			repair->network->name, name);
	if (trouble->kind == TROUBLE_UPPER)
		repair->failed |=
			!say_error("%s: the interface %s stands on it, past its guard; remove it: ip link delete %s",
				repair->network->name, name, name);
}

bool members_complain(struct session *session, const struct policy_network *network)
{
	struct repair repair = {.session = session, .network = network};

	members_each_trouble(session, network, complain, &repair);
	return !repair.failed;
}
