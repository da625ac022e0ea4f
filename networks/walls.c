// SPDX-License-Identifier: MIT
/*
 * Finds and restores taps that are held and not kept apart from the host any more (link/wall.c): somebody took away
 * what does, as a tool for traffic control does that begins anew, or the tap's holder gave it another hardware address.
 */
#include "networks/networks.h"

#include <errno.h>
#include <linux/if.h>
#include <string.h>

#include "link/link.h"
#include "tool/tool.h"

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

struct repair {
	struct session *session;
	const struct policy_network *network;
	bool failed;
};

static void put_back(void *context, const struct link_interface *tap)
{
	struct repair *repair = context;
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
	struct repair repair = {session, network, false};

	walls_each_missing(session, network, put_back, &repair);
	return !repair.failed;
}
