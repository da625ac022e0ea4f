// SPDX-License-Identifier: MIT
/* One network, its bridge or the taps that stand alone: made as the policy wants it, or taken away. */
#include "networks/networks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp/dhcp.h"
#include "link/link.h"
#include "policy/text.h"
#include "tool/tool.h"

/* --- taps that stand alone ---------------------------------------------------------------------------------------- */

/*
 * Whether a tap is a machine's on that network. One that is down may be one that the helper is about to give its
 * addresses, which it would then find taken.
 */
static bool is_ready(const struct policy_network *network, const struct link_interface *tap)
{
	return network_has_tap(tap, network->name) && !tap->master && !network_is_stray(network, tap) &&
	       (tap->flags & IFF_UP);
}

/* The tap's subnet, IPv4 and IPv6: of a pool the one whose number is in its name. */
static void find_subnets(
	const struct policy_network *network, const struct link_interface *tap, struct policy_subnet subnets[static 2])
{
	const char *text = tap->name + strlen(network->name) + 1;
	uint32_t number = 0;

	subnets[0] = network->ipv4;
	subnets[1] = network->ipv6;
	if (!policy_pool_size(network))
		return;
	if (!word_number((struct word){text, strlen(text)}, POLICY_POOL_MAX, &number))
		number = 0; /* of no subnet: then none is given */
	policy_pool_subnet(network, number, &subnets[0], &subnets[1]);
}

static bool has_any(const struct host *host, int index, int family)
{
	for (size_t i = 0; i < host->address_count; i++) {
		if (host->addresses[i].index == index && host->addresses[i].family == family)
			return true;
	}
	return false;
}

/* Whether a tap lacks an address of a family, and which. */
static bool lacks(const struct host *host, const struct policy_network *network, const struct link_interface *tap,
	int family, struct link_address *address)
{
	struct policy_subnet subnets[2];
	const struct policy_subnet *subnet = &subnets[family == AF_INET6];

	if (!is_ready(network, tap) || has_any(host, tap->index, family))
		return false;
	find_subnets(network, tap, subnets);
	*address = (struct link_address){.index = tap->index, .family = family, .prefix = subnet->prefix};
	memcpy(address->address, subnet->address, sizeof(address->address));
	return subnet->given;
}

const char *standalone_difference(const struct session *session, const struct policy_network *network)
{
	struct link_address address;

	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *tap = &session->host.interfaces[i];

		if (lacks(&session->host, network, tap, AF_INET, &address) ||
			lacks(&session->host, network, tap, AF_INET6, &address))
			return "addresses";
	}
	return NULL;
}

/* Give a tap the line's addresses where it has none of a family. */
static bool settle_taps(struct session *session, const struct policy_network *network)
{
	struct link_address address;

	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *tap = &session->host.interfaces[i];

		if ((lacks(&session->host, network, tap, AF_INET, &address) &&
			    !addresses_add(session, network, &address)) ||
			(lacks(&session->host, network, tap, AF_INET6, &address) &&
				!addresses_add(session, network, &address)))
			return false;
	}
	return true;
}

/* --- made --------------------------------------------------------------------------------------------------------- */

static bool settle_guard(struct session *session, const struct policy_network *network)
{
	struct guard guard;
	int error = guard_look(session, network, &guard);

	if (error)
		return session_fail(network->name, error, "read its guard");
	return guard_is_wanted(&guard, network) || guard_put_up(session, network);
}

/* runs: or did, until it was told to end. */
static bool end_dnsmasq(struct session *session, const char *name, bool runs)
{
	const char *server = dnsmasq_program(name);
	char why[512] = "";

	/* Where none runs, one may have left its files. */
	if (!session->dry && !dnsmasq_stop(name, why, sizeof(why)) && runs)
		return say_error("%s: cannot stop %s: %s", name, server, why);
	if (runs)
		session_say(session, name, "stopped", "stop", "%s", server);
	return true;
}

static bool remove_dnsmasq(struct session *session, const char *name)
{
	return end_dnsmasq(session, name, dnsmasq_pid(name) != 0);
}

static bool settle_dnsmasq(struct session *session, const struct policy_network *network)
{
	enum dnsmasq_state state = dnsmasq_state(network);
	char why[512] = "";

	if (!dnsmasq_wanted(network))
		return remove_dnsmasq(session, network->name);
	if (state == DNSMASQ_RUNNING)
		return true;
	if (!session->dry && !dnsmasq_start(network, why, sizeof(why)))
		return say_error("%s: cannot start %s: %s", network->name, dnsmasq_wanted_program(network), why);
	session_say(session, network->name, state == DNSMASQ_ABSENT ? "started" : "restarted",
		state == DNSMASQ_ABSENT ? "start" : "restart", "%s", dnsmasq_wanted_program(network));
	return true;
}

bool network_has_tap(const struct link_interface *interface, const char *name)
{
	struct alias_tap tap;

	return alias_read_tap(interface, &tap) && strcmp(tap.network, name) == 0;
}

/* Whether a tap has the name that the helper gives one of a standalone network; of a pool: with a number behind it. */
static bool is_named_for(const struct link_interface *tap, const char *network, bool pool)
{
	size_t size = strlen(network);

	return strncmp(tap->name, network, size) == 0 && tap->name[size] == (pool ? '-' : '\0');
}

bool network_stands_alone(const struct link_interface *tap, const char *name)
{
	return network_has_tap(tap, name) && !tap->master &&
	       (is_named_for(tap, name, false) || is_named_for(tap, name, true));
}

bool network_is_stray(const struct policy_network *network, const struct link_interface *tap)
{
	if (bridge_is_needed(network))
		return !tap->master &&
		       (is_named_for(tap, network->name, false) || is_named_for(tap, network->name, true));
	return !is_named_for(tap, network->name, policy_pool_size(network) > 0);
}

/* Whether a tap goes with its network: not one on a bridge of somebody else's that has the network's name by now. */
static bool goes_along(const struct session *session, const struct link_interface *tap)
{
	const struct link_interface *bridge = host_interface_at(&session->host, tap->master);

	return !tap->master || (bridge && bridge_is_ours(bridge));
}

/*
 * Taps go with their network, and before its bridge or guard does: without the guard they would lead anywhere. Of one
 * that stays (not NULL) only strays do.
 */
static bool remove_taps(struct session *session, const char *name, const struct policy_network *stays)
{
	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *tap = &session->host.interfaces[i];
		int error;

		if (!network_has_tap(tap, name) || !goes_along(session, tap) ||
			(stays && !network_is_stray(stays, tap)))
			continue;
		error = session->dry ? 0 : link_remove(session->link, tap->index);
		if (error && error != -ENODEV)
			return session_fail(name, error, "remove the tap '%s'", tap->name);
		session_say(session, name, "removed", "remove", "the tap '%s' of a virtual machine", tap->name);
	}
	return true;
}

/* What a network has no use for any more: a bridge of ours, if it is standalone now; taps that stood alone, if not. */
static bool remove_needless(struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = host_interface(&session->host, network->name);

	if (bridge_is_needed(network) || !bridge || !bridge_is_ours(bridge))
		return remove_taps(session, network->name, network);
	return remove_taps(session, network->name, NULL) && bridge_remove(session, network->name);
}

/* Whether anything of a network needs its guard now: its bridge, up and of its mode; a tap that stands alone. */
static bool needs_guard(const struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = host_interface(&session->host, network->name);
	char alias[IFALIASZ];

	for (size_t i = 0; i < session->host.interface_count && !bridge_is_needed(network); i++) {
		const struct link_interface *tap = &session->host.interfaces[i];

		if (network_has_tap(tap, network->name) && !network_is_stray(network, tap))
			return true;
	}
	alias_of_bridge(network->name, policy_mode_name(network->mode), alias);
	return bridge_is_needed(network) && bridge && strcmp(bridge->alias, alias) == 0 && (bridge->flags & IFF_UP);
}

static bool is_not_gone(const void *context, const char *name)
{
	(void)context;
	(void)name;
	return false;
}

bool network_keep_guarded(struct session *session, const char *name, const struct policy_network *line)
{
	struct policy_network applied;
	const struct policy_network *network = &applied;
	struct guard guard;
	const char *copy;
	uint64_t digest;
	bool stands;
	int error;

	if (!cutoff_applied(session, name, line, &applied) || !needs_guard(session, network))
		return true;
	error = guard_look(session, network, &guard);
	if (error)
		return session_fail(name, error, "read its guard");
	stands = guard_stands(&guard, policy_mode_name(network->mode));
	if (stands)
		guard_copy(session, network, &guard);
	copy = guard_copied(session, network, &digest);
	applied.has_ways_in = copy && strstr(copy, "\tchain ways {");
	return (stands || guard_put_up(session, network)) && pass_settle(session, &network, 1, is_not_gone, NULL);
}

/*
 * Before any network of a group is made, all of them give up what they have to: no dnsmasq can listen where another
 * does, and no two bridges should have one subnet.
 */
static bool make_room(struct session *session, const struct policy_network *const *networks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct policy_network *network = networks[i];

		if ((dnsmasq_state(network) != DNSMASQ_RUNNING && !remove_dnsmasq(session, network->name)) ||
			!remove_needless(session, network) ||
			(bridge_is_needed(network) && !bridge_clear_addresses(session, network)))
			return false;
	}
	return session_look(session);
}

static bool settle_one(struct session *session, const struct policy_network *network)
{
	return remove_needless(session, network) &&
	       (!bridge_is_needed(network) || (bridge_make(session, network) && bridge_set(session, network))) &&
	       settle_guard(session, network) &&
	       (bridge_is_needed(network)
			       ? bridge_set_addresses(session, network) && bridge_isolate_ports(session, network) &&
					 bridge_bring_up(session, network)
			       : settle_taps(session, network)) &&
	       forwarding_settle(session, network) && neighbours_settle(session, network) &&
	       settle_dnsmasq(session, network);
}

/* Where it stopped, as status says it. Where nothing was made yet there is nothing to add to the reason. */
static void say_left(struct session *session, const struct policy_network *network)
{
	const struct report report = report_make(session, network, network->name);

	if (report.state != REPORT_UP && report.state != REPORT_MISSING)
		say_error("%s: not finished: %s; 'tapgate up' goes on from here", network->name,
			report.difference ? report.difference : report_state_word(report.state));
}

void network_say_left(struct session *session, const struct policy_network *const *networks, size_t count)
{
	if (session->dry || !guard_seal_all(session) || !session_look(session))
		return;
	for (size_t i = 0; i < count; i++)
		say_left(session, networks[i]);
}

bool network_settle(struct session *session, const struct policy_network *const *networks, size_t count)
{
	bool settled = count == 1 || session->dry || make_room(session, networks, count);

	for (size_t i = 0; i < count && settled; i++)
		settled = settle_one(session, networks[i]);
	if (!settled)
		network_say_left(session, networks, count);
	return settled;
}

bool network_end_strays(const struct session *session, const struct words *words)
{
	bool ended = true;

	if (session->dry)
		return true;
	for (int i = 0; i < words->name_count; i++)
		ended &= dnsmasq_end_strays(words->names[i]);
	if (words->name_count == 0)
		ended = dnsmasq_end_strays(NULL);
	return ended || say_error("cannot end a dnsmasq that was left behind: it does not end, not even by SIGKILL");
}

/* --- away --------------------------------------------------------------------------------------------------------- */

bool network_clear(struct session *session, const char *name)
{
	return remove_taps(session, name, NULL) && bridge_remove(session, name);
}

bool network_remove(struct session *session, const char *name)
{
	char one[1][IFNAMSIZ];

	snprintf(one[0], sizeof(one[0]), "%s", name);
	return network_clear(session, name) && remove_dnsmasq(session, name) && guard_take_down(session, one, 1);
}

/* Names, each once. */
struct name_list {
	char (*seen)[IFNAMSIZ];
	size_t count;
	bool failed; /* memory ran out */
};

static bool is_among(const struct name_list *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->seen[i], name) == 0)
			return true;
	}
	return false;
}

static void see(void *context, const char *name)
{
	struct name_list *names = context;
	char(*seen)[IFNAMSIZ];

	if (is_among(names, name) || strlen(name) >= IFNAMSIZ)
		return;
	seen = reallocarray(names->seen, names->count + 1, sizeof(*seen));
	names->failed |= !seen;
	if (!seen)
		return;
	names->seen = seen;
	memcpy(seen[names->count++], name, strlen(name) + 1);
}

bool network_each(struct session *session, void (*each)(void *context, const char *name), void *context)
{
	struct name_list names = {.seen = NULL};
	bool whole;

	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *interface = &session->host.interfaces[i];
		struct alias_tap tap;

		if (bridge_is_ours(interface))
			see(&names, interface->name);
		else if (alias_read_tap(interface, &tap) && network_stands_alone(interface, tap.network))
			see(&names, tap.network);
	}
	dnsmasq_each(see, &names);
	whole = !session->nft || guard_each(session, see, &names);
	if (names.failed)
		whole = say_error("cannot list networks: out of memory");
	for (size_t i = 0; i < names.count && whole; i++)
		each(context, names.seen[i]);
	free(names.seen);
	return whole;
}

/* Those whose dnsmasq runs and was told to end, and what became of it. */
struct told {
	struct session *session;
	const struct words *words;
	struct name_list names;
	bool failed;
};

static void tell(void *context, const char *name)
{
	struct told *told = context;

	if (!words_name(told->words, name) || dnsmasq_pid(name) == 0)
		return;
	see(&told->names, name);
	if (!told->session->dry)
		dnsmasq_tell(name); /* where that fails, await_end ends it */
}

static void await_end(void *context, const char *name)
{
	struct told *told = context;

	if (words_name(told->words, name))
		told->failed |= !end_dnsmasq(told->session, name, is_among(&told->names, name));
}

/* Interfaces that go at once. */
struct cut {
	struct session *session;
	const struct words *words;
	int *indexes; /* room for all that there are */
	size_t count;
};

static void note_all_of(void *context, const char *name)
{
	struct cut *cut = context;
	const struct host *host = &cut->session->host;

	for (size_t i = 0; i < host->interface_count && words_name(cut->words, name); i++) {
		const struct link_interface *interface = &host->interfaces[i];

		if ((bridge_is_ours(interface) && strcmp(interface->name, name) == 0) ||
			(network_has_tap(interface, name) && goes_along(cut->session, interface)))
			cut->indexes[cut->count++] = interface->index;
	}
}

static void remove_interfaces(struct session *session, const struct words *words)
{
	struct cut cut = {session, words, calloc(session->host.interface_count + 1, sizeof(*cut.indexes)), 0};

	if (cut.indexes && !session->dry && network_each(session, note_all_of, &cut) && cut.count > 1)
		(void)link_remove_all(session->link, cut.indexes, cut.count);
	free(cut.indexes);
}

bool network_cut_off(struct session *session, const struct words *words)
{
	struct told told = {.session = session, .words = words};
	bool whole = network_each(session, tell, &told);

	remove_interfaces(session, words); /* servers end meanwhile */
	whole = whole && network_each(session, await_end, &told);
	free(told.names.seen);
	return whole && !told.failed;
}
