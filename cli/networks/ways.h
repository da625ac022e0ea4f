/* Whether what the host routes goes by a network's bridge, and what comes from its guests is taken in. */
#ifndef CLI_NETWORKS_WAYS_H
#define CLI_NETWORKS_WAYS_H

#include "cli/session.h"
#include "policy/policy.h"

/*
 * The kernel is asked, with all of its rules and tables, for the way to a guest's address, and, for a nat network, for
 * that from a guest to the outside. What is not as wanted, as a phrase; NULL if nothing is. A network whose bridge is
 * down has none.
 */
const char *ways_difference(struct session *session, const struct policy_network *network);

/* Put back routes that the host had with its addresses, by removing and adding these; and what could not be, said. */
bool ways_settle(struct session *session, const struct policy_network *network);
bool ways_complain(struct session *session, const struct policy_network *network);

#endif
