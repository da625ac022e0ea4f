/* The host as a router, as far as nat networks need it to be one. */
#ifndef CLI_NETWORKS_FORWARDING_H
#define CLI_NETWORKS_FORWARDING_H

#include "cli/session.h"
#include "policy/policy.h"

/*
 * Switch forwarding on where a nat network needs it, and say so. IPv4: on its bridge, and on the interfaces of default
 * routes, which answers come in by; the rest of the host stays as it is. IPv6, if it has such a subnet: for the whole
 * host, as Linux has no other switch that all versions know (net.ipv6.conf.all.forwarding), and first accept_ra=2 where
 * it is 1, so that the host keeps the default route that a router advertises to it (ip-sysctl.rst).
 */
bool forwarding_settle(struct session *session, const struct policy_network *network);

/* What of it is missing, as a phrase; NULL if nothing is, or the network needs none. */
const char *forwarding_difference(struct session *session, const struct policy_network *network);

#endif
