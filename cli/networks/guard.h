/* Guards, put up and taken down. What they are is in etc/guard/; what makes one stand, in link/guard.h. */
#ifndef CLI_NETWORKS_GUARD_H
#define CLI_NETWORKS_GUARD_H

#include "cli/session.h"
#include "link/guard.h"
#include "policy/policy.h"

/* A network's guard as it stands, in the family that its mode needs; 0 or a negative errno value. */
int guard_look(struct session *session, const struct policy_network *network, struct guard *guard);

/* Whether it is whole, and made from what the template and the network's line say today. */
bool guard_is_wanted(const struct guard *guard, const struct policy_network *network);

/* Put the guard up, in place of whatever has its name, in one transaction. Says what it did; can be undone. */
bool guard_put_up(struct session *session, const struct policy_network *network);

/* Take a network's guard down, if there is one. */
bool guard_take_down(struct session *session, const char *network);

/* Call `each` with the name of every network that there is a guard for. */
bool guard_each(struct session *session, void (*each)(void *context, const char *network), void *context);

#endif
