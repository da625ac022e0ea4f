// SPDX-License-Identifier: MIT
/* Finds and restores what protects taps (helper/protect.c) and was taken away from one that is held. */
#include "networks/networks.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

#include "link/link.h"
#include "policy/text.h"
#include "tool/tool.h"

/* --- walls -------------------------------------------------------------------------------------------------------- */

/*
 * Taps that are not kept apart from the host any more (link/wall.c): somebody took away what does, as a tool for
 * traffic control does that begins anew, or the tap's holder gave it another hardware address.
 */

/* Where a tap is, for the kernel to be asked; false: it was cut off from its bridge. */
static bool wall_of(const struct session *session, const struct policy_network *network,
	const struct link_interface *tap, struct wall *wall)
{
	const bool alone = network->mode == MODE_STANDALONE;
	const struct link_interface *bridge = host_interface_at(&session->host, tap->master);

	if (!network_has_tap(tap, network->name) || alone == (tap->master != 0) ||
		(!alone && (!bridge || strcmp(bridge->name, network->name) != 0)))
		return false;
	*wall = (struct wall){.bridge = alone ? NULL : bridge, .ours = policy_is_managed(network), .mac = tap->mac};
	return true;
}

bool walls_stand(const struct session *session, const struct policy_network *network, const struct link_interface *tap)
{
	struct wall wall;

	return wall_of(session, network, tap, &wall) && wall_stands(session->link, tap->index, &wall) == 0;
}

/* One that is down is on its way: its helper is about to put the wall there. */
void walls_each_missing(struct session *session, const struct policy_network *network,
	void (*each)(void *context, const struct link_interface *tap), void *context)
{
	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *tap = &session->host.interfaces[i];
		struct wall wall;

		if ((tap->flags & IFF_UP) && wall_of(session, network, tap, &wall) &&
			wall_stands(session->link, tap->index, &wall) == -ENOENT)
			each(context, tap);
	}
}

static void note(void *context, const struct link_interface *tap)
{
	(void)tap;
	*(bool *)context = true;
}

bool walls_differ(struct session *session, const struct policy_network *network)
{
	bool any = false;

	walls_each_missing(session, network, note, &any);
	return any;
}

struct wall_repair {
	struct session *session;
	const struct policy_network *network;
	bool failed;
};

static void put_wall_back(void *context, const struct link_interface *tap)
{
	struct wall_repair *repair = context;
	struct wall wall;
	int error;

	if (!wall_of(repair->session, repair->network, tap, &wall))
		return;
	error = repair->session->dry ? 0 : wall_renew(repair->session->link, tap->index, &wall);
	if (error && error != -ENODEV)
		repair->failed |= !session_fail(
			repair->network->name, error, "keep the tap '%s' and the host apart again", tap->name);
	else if (!error)
		session_say(repair->session, repair->network->name, "set", "set",
			"the tap '%s' apart from the host again", tap->name);
}

bool walls_settle(struct session *session, const struct policy_network *network)
{
	struct wall_repair repair = {session, network, false};

	walls_each_missing(session, network, put_wall_back, &repair);
	return !repair.failed;
}

/* --- locks -------------------------------------------------------------------------------------------------------- */

/*
 * Taps that are locked to an address (lock-mac) and lost it: the bridge does not say any more that
 * the address is behind them, as when a neighbour gave its own tap that address (br_fdb_changeaddr,
 * net/bridge/br_fdb.c). What is locked and has lost its address sends and gets nothing.
 */

/* Whether a tap lost its address, and to whom. What cannot be told is no loss. */
static bool is_lost(struct session *session, const struct locked *locked, struct lost_lock *lost)
{
	const struct host *host = &session->host;
	struct fdb_entry entry = {.index = 0};
	struct alias_tap thief;
	int error;

	*lost = (struct lost_lock){.tap = host_interface_at(host, locked->tap)};
	if (!lost->tap || lost->tap->master != locked->bridge || !alias_read_tap(lost->tap, &lost->alias))
		return false;
	lost->bridge = host_interface_at(host, locked->bridge);
	memcpy(lost->mac, locked->mac, sizeof(lost->mac));
	error = fdb_look(session->link, locked->tap, locked->mac, &entry);
	if (!lost->bridge || (error && error != -ENOENT))
		return false;
	if (!error && entry.index == locked->tap && entry.fixed && entry.stays)
		return false;
	lost->holder = error ? NULL : host_interface_at(host, entry.index);
	if (lost->holder && lost->holder->index != locked->tap) {
		lost->fixed = entry.fixed || entry.stays;
		lost->own = entry.own && !alias_read_tap(lost->holder, &thief);
	}
	return true;
}

void locks_each_lost(
	struct session *session, int bridge, void (*each)(void *context, const struct lost_lock *), void *context)
{
	for (size_t i = 0; i < session->host.locked_count; i++) {
		const struct locked *locked = &session->host.locked[i];
		struct lost_lock lost;

		if ((!bridge || locked->bridge == bridge) && is_lost(session, locked, &lost))
			each(context, &lost);
	}
}

static void see_lost(void *context, const struct lost_lock *lost)
{
	*(bool *)context |= !lost->fixed && !lost->own;
}

bool locks_differ(struct session *session, int bridge)
{
	bool any = false;

	if (bridge)
		locks_each_lost(session, bridge, see_lost, &any);
	return any;
}

struct lock_repair {
	struct session *session;
	const struct words *words;
	bool failed;
};

static void put_lock_back(void *context, const struct lost_lock *lost)
{
	struct lock_repair *repair = context;
	const char *network = lost->alias.network;
	char mac[MAC_TEXT];
	int error;

	if (lost->fixed || lost->own || !words_name(repair->words, network))
		return;
	mac_text(lost->mac, mac);
	error = repair->session->dry ? 0 : fdb_put(repair->session->link, lost->tap->index, lost->mac);
	if (error && error != -ENODEV) {
		session_fail(network, error, "give the tap '%s' its address %s back", lost->tap->name, mac);
		repair->failed = true;
	} else if (!error) {
		session_say(repair->session, network, "gave", "give", "the tap '%s' its address %s back",
			lost->tap->name, mac);
	}
}

bool locks_settle(struct session *session, const struct words *words)
{
	struct lock_repair repair = {session, words, false};

	locks_each_lost(session, 0, put_lock_back, &repair);
	return !repair.failed;
}
