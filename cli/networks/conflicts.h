/* What keeps a policy's networks from being made on this host, whatever the policy's words. */
#ifndef CLI_NETWORKS_CONFLICTS_H
#define CLI_NETWORKS_CONFLICTS_H

#include "cli/session.h"
#include "cli/words.h"
#include "policy/policy.h"

/*
 * Look for networks that get in each other's way, in the way of a route or an address of the host's, or have the name
 * of an interface that is not tapgate's. Says each, with file and line; returns how many there are. A network that
 * stands is left in peace by a route that came later: of that it only warns. So it is with an address in its subnet
 * that another network has and keeps: one that is not among `words`, the names of those that are to be settled, or one
 * that a machine on a standalone network was given by an earlier policy.
 */
size_t conflicts_find(struct session *session, const struct policy *policy, const struct words *words);

/* The same for all networks, for somebody who is told each instead: `warning` if it only warns. */
size_t conflicts_each(struct session *session, const struct policy *policy,
	void (*tell)(void *context, bool warning, const struct policy_error *error), void *context);

#endif
