/* The taps of virtual machines on standalone networks: the host's addresses on them. */
#ifndef CLI_NETWORKS_STANDALONE_H
#define CLI_NETWORKS_STANDALONE_H

#include <stdbool.h>

#include "cli/session.h"
#include "policy/policy.h"

/*
 * The helper gives a tap its addresses, and they stay until its machine ends, whatever the network's line says by then.
 * But a tap of which somebody took all addresses of a family leads nowhere: what is not as wanted, or NULL; and to give
 * it the line's.
 */
const char *standalone_difference(const struct session *session, const struct policy_network *network);
bool standalone_settle(struct session *session, const struct policy_network *network);

#endif
