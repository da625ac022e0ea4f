/* The ports of a network's bridge that are taps of virtual machines which run already. */
#ifndef CLI_NETWORKS_PORTS_H
#define CLI_NETWORKS_PORTS_H

#include "cli/session.h"
#include "policy/policy.h"

/*
 * Isolate the ports of a nat network's bridge that are not, as when the network was of another mode when their taps
 * were made. The other way round they stay as they are: the rule that a tap was made by may have asked for it.
 * `bridge`: its index; 0 before it is made.
 */
bool ports_isolate(struct session *session, const struct policy_network *network, int bridge);

/* Whether there are such ports. */
bool ports_differ(const struct host *host, const struct policy_network *network, int bridge);

#endif
