// SPDX-License-Identifier: MIT
/*
 * Finds and restores taps that are locked to an address (lock-mac) and lost it: the bridge does not say any more that
 * the address is behind them, as when a neighbour gave its own tap that address (br_fdb_changeaddr,
 * net/bridge/br_fdb.c). What is locked and has lost its address sends and gets nothing.
 */
#include "networks/networks.h"

#include <errno.h>
#include <string.h>

#include "link/link.h"
#include "policy/text.h"
#include "tool/tool.h"

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

struct repair {
	struct session *session;
	const struct words *words;
	bool failed;
};

static void put_back(void *context, const struct lost_lock *lost)
{
	struct repair *repair = context;
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
	struct repair repair = {session, words, false};

	locks_each_lost(session, 0, put_back, &repair);
	return !repair.failed;
}
