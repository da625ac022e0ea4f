/* The host's addresses on the bridges that tapgate makes. */
#ifndef CLI_NETWORKS_ADDRESSES_H
#define CLI_NETWORKS_ADDRESSES_H

#include "cli/session.h"
#include "policy/policy.h"

/* Whether an address is one that the network's line gives the host, or one that its bridge has by itself. */
bool addresses_want(const struct policy_network *network, const struct link_address *address);

/* Whether an interface has other addresses than the network's. */
bool addresses_differ(const struct host *host, const struct policy_network *network, int index);

/* Remove from the network's bridge (index 0: it is not there yet) what is not wanted; and add what is missing, too. */
bool addresses_clear(struct session *session, const struct policy_network *network, int index);
bool addresses_settle(struct session *session, const struct policy_network *network, int index);

/* Add one to an interface of the network's. */
bool addresses_add(struct session *session, const struct policy_network *network, const struct link_address *address);

/* Remove one that is there, and add it again: the kernel makes its routes anew by that. */
bool addresses_renew(struct session *session, const struct policy_network *network, const struct link_address *address);

#endif
