// SPDX-License-Identifier: MIT
/*
 * Room for the neighbours that guests have the host know: how many each network may have (etc/guard), and that the
 * kernel's tables, one for each family, hold them all and the host's own besides (gc_thresh3, arp(7)).
 */
#include "networks/networks.h"

#include <sys/socket.h>

#include "tool/tool.h"

#define THRESHOLD "neigh/default/gc_thresh3"

enum {
	OF_THE_HOST = 1024, /* as many as Linux has room for in all, if nobody says otherwise */
	OF_A_BRIDGE = 512,
	OF_A_TAP = 256, /* by ARP, and once more by packets */
	OF_A_SUBNET = 4,
};

unsigned int neighbours_room(const struct policy_network *network)
{
	const unsigned int pool = policy_pool_size(network) * OF_A_SUBNET;

	if (network->mode != MODE_STANDALONE)
		return OF_A_BRIDGE;
	return pool > OF_A_TAP ? pool : OF_A_TAP;
}

static int wanted(const struct policy_network *network)
{
	size_t count;
	const struct policy_network *networks = policy_networks(network->policy, &count);
	unsigned int room = OF_THE_HOST;

	for (size_t i = 0; i < count; i++) {
		if (networks[i].ipv4.given || networks[i].ipv6.given)
			room += neighbours_room(&networks[i]) * (networks[i].mode == MODE_STANDALONE ? 2 : 1);
	}
	return (int)room;
}

/* Whether a table is too small. Network namespaces but the first do not see how large it is. */
static bool is_small(const struct policy_network *network, int family)
{
	const int now = network->policy ? sysctl_read(family, NULL, THRESHOLD) : -1;

	return now >= 0 && now < wanted(network);
}

bool neighbours_settle(struct session *session, const struct policy_network *network)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		const int family = families[i];
		int error;

		if (!is_small(network, family))
			continue;
		error = session->dry ? 0 : sysctl_write(family, NULL, THRESHOLD, wanted(network));
		if (error)
			return session_fail(
				network->name, error, "make room for its guests among the host's neighbours");
		session_say(session, network->name, "raised", "raise", "net.ipv%c.neigh.default.gc_thresh3 to %d",
			family == AF_INET ? '4' : '6', wanted(network));
	}
	return true;
}

const char *neighbours_difference(const struct policy_network *network)
{
	return is_small(network, AF_INET) || is_small(network, AF_INET6)
		       ? "room for neighbours (net.ipv4.neigh.default.gc_thresh3 or that of ipv6)"
		       : NULL;
}
