#include "cli/networks/network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/networks/bridge.h"
#include "cli/networks/dnsmasq.h"
#include "cli/networks/forwarding.h"
#include "cli/networks/guard.h"
#include "cli/networks/standalone.h"
#include "cli/say.h"
#include "link/alias.h"

/* --- as wanted --------------------------------------------------------------------------------------------------- */

static bool settle_guard(struct session *session, const struct policy_network *network)
{
	struct guard guard;
	int error = guard_look(session, network, &guard);

	if (error)
		return session_fail(network->name, error, "read its guard");
	return guard_is_wanted(&guard, network) || guard_put_up(session, network);
}

static bool dnsmasq_again(struct session *session, const struct undo_values *values)
{
	char why[512] = "";

	(void)session;
	if (!values->text)
		return dnsmasq_pid(values->name) ||
		       say_error("%s: cannot start dnsmasq again: it did not run with what it was started with",
			       values->name);
	return dnsmasq_restore(values->name, values->text, why, sizeof(why)) ||
	       say_error("%s: cannot start dnsmasq again: %s", values->name, why);
}

/* First of all, so that it is the last to be put back: it needs the bridge and the addresses that it had. */
static void remember_dnsmasq(struct session *session, const char *name)
{
	struct undo_values undo = {.text = NULL};

	if (session->dry || !dnsmasq_pid(name))
		return;
	undo.text = dnsmasq_remember(name);
	snprintf(undo.name, sizeof(undo.name), "%s", name);
	session_undo_with(session, dnsmasq_again, undo);
}

static bool remove_dnsmasq(struct session *session, const char *name)
{
	char why[512] = "";

	if (!dnsmasq_pid(name))
		return true;
	if (!session->dry && !dnsmasq_stop(name, why, sizeof(why)))
		return say_error("%s: cannot stop dnsmasq: %s", name, why);
	session_say(session, name, "stopped", "stop", "dnsmasq");
	return true;
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
		return say_error("%s: cannot start dnsmasq: %s", network->name, why);
	session_say(session, network->name, state == DNSMASQ_ABSENT ? "started" : "restarted",
		state == DNSMASQ_ABSENT ? "start" : "restart", "dnsmasq");
	return true;
}

bool network_has_tap(const struct link_interface *interface, const char *name)
{
	struct alias_tap tap;

	return alias_read_tap(interface, &tap) && strcmp(tap.network, name) == 0;
}

bool network_is_stray(const struct policy_network *network, const struct link_interface *tap)
{
	size_t size = strlen(network->name);
	bool named = strncmp(tap->name, network->name, size) == 0;
	bool alone = named && !tap->name[size], of_pool = named && tap->name[size] == '-';

	if (bridge_is_needed(network))
		return !tap->master && (alone || of_pool);
	return policy_pool_size(network) ? !of_pool : !alone;
}

/*
 * Taps go with their network, and before its bridge or guard does: without the guard they would lead anywhere. Of one
 * that stays (not NULL) only strays do. Not those on a bridge of somebody else's that has the network's name by now.
 */
static bool remove_taps(struct session *session, const char *name, const struct policy_network *stays)
{
	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *tap = &session->host.interfaces[i];
		const struct link_interface *bridge = host_interface_at(&session->host, tap->master);
		int error;

		if (!network_has_tap(tap, name) || (tap->master && !(bridge && bridge_is_ours(bridge))) ||
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

bool network_keep_guarded(struct session *session, const struct policy_network *network)
{
	struct guard guard;
	int error;

	if (!needs_guard(session, network))
		return true;
	error = guard_look(session, network, &guard);
	if (error)
		return session_fail(network->name, error, "read its guard");
	return guard_stands(&guard, policy_mode_name(network->mode)) || guard_put_up(session, network);
}

static bool stop_again(struct session *session, const struct undo_values *values)
{
	char why[512] = "";

	(void)session;
	return dnsmasq_stop(values->name, why, sizeof(why)) ||
	       say_error("%s: cannot stop dnsmasq: %s", values->name, why);
}

/*
 * Of a group, all give up first what they are to give up: neither can a dnsmasq listen where another one does, nor
 * should two bridges have one subnet. Of those that are undone, each dnsmasq ends before any is started again.
 */
static bool make_room(struct session *session, const struct policy_network *const *networks, size_t count)
{
	struct undo_values undo = {.text = NULL};

	for (size_t i = 0; i < count; i++) {
		snprintf(undo.name, sizeof(undo.name), "%s", networks[i]->name);
		session_undo_with(session, stop_again, undo);
	}
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
			       : standalone_settle(session, network)) &&
	       forwarding_settle(session, network) && settle_dnsmasq(session, network);
}

bool network_settle(struct session *session, const struct policy_network *const *networks, size_t count)
{
	bool settled;

	for (size_t i = 0; i < count; i++)
		remember_dnsmasq(session, networks[i]->name);
	settled = count == 1 || session->dry || make_room(session, networks, count);
	for (size_t i = 0; i < count && settled; i++)
		settled = settle_one(session, networks[i]);
	if (settled)
		session_keep(session);
	else
		session_undo(session, networks, count);
	return settled;
}

/* --- away -------------------------------------------------------------------------------------------------------- */

bool network_remove(struct session *session, const char *name)
{
	return remove_taps(session, name, NULL) && bridge_remove(session, name) && remove_dnsmasq(session, name) &&
	       guard_take_down(session, name);
}

/* Passes each name on once. */
struct names {
	void (*each)(void *context, const char *name);
	void *context;
	char seen[512][IFNAMSIZ];
	size_t count;
};

static void see(void *context, const char *name)
{
	struct names *names = context;

	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->seen[i], name) == 0)
			return;
	}
	if (strlen(name) >= IFNAMSIZ || names->count == sizeof(names->seen) / sizeof(*names->seen))
		return;
	memcpy(names->seen[names->count++], name, strlen(name) + 1);
}

bool network_each(struct session *session, void (*each)(void *context, const char *name), void *context)
{
	struct names names = {.count = 0};

	for (size_t i = 0; i < session->host.interface_count; i++) {
		if (bridge_is_ours(&session->host.interfaces[i]))
			see(&names, session->host.interfaces[i].name);
	}
	dnsmasq_each(see, &names);
	if (session->nft && !guard_each(session, see, &names))
		return false;
	for (size_t i = 0; i < names.count; i++)
		each(context, names.seen[i]);
	return true;
}
