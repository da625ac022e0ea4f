/* What keeps a policy's networks from being made on this host, whatever the policy's words. */
#ifndef CLI_NETWORKS_CONFLICTS_H
#define CLI_NETWORKS_CONFLICTS_H

#include "cli/session.h"
#include "policy/policy.h"

/*
 * Look for networks that get in each other's way, in the way of a route or an address of the host's, or have the name
 * of an interface that is not tapgate's. Says each, with file and line; returns how many there are. A network that
 * stands is left in peace by a route that came later: of that it only warns.
 */
size_t conflicts_find(struct session *session, const struct policy *policy);

/* The same, for somebody who is told each instead: `warning` if it only warns. */
size_t conflicts_each(struct session *session, const struct policy *policy,
	void (*tell)(void *context, bool warning, const struct policy_error *error), void *context);

#endif
