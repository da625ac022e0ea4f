/* The bridges that tapgate makes: one for each nat, host-only and internal network, of the network's name. */
#ifndef CLI_NETWORKS_BRIDGE_H
#define CLI_NETWORKS_BRIDGE_H

#include "cli/session.h"
#include "policy/policy.h"

/* Whether a network is one that tapgate makes, and whether it has a bridge then. */
bool bridge_is_managed(const struct policy_network *network);
bool bridge_is_needed(const struct policy_network *network);

/*
 * Whether an interface is a bridge of tapgate's making: by its alias; or, where `up` was killed before it could write
 * that, a bridge that is down, has no alias, and a hardware address as only ours have.
 */
bool bridge_is_ours(const struct link_interface *interface);

/* Each of these does what is to be done, if anything is, says so, and can be undone. */
bool bridge_make(struct session *session, const struct policy_network *network);
bool bridge_set(struct session *session, const struct policy_network *network);
bool bridge_clear_addresses(struct session *session, const struct policy_network *network);
bool bridge_set_addresses(struct session *session, const struct policy_network *network);
bool bridge_isolate_ports(struct session *session, const struct policy_network *network);
bool bridge_bring_up(struct session *session, const struct policy_network *network);

/* Remove a bridge of ours, if there is one of that name. */
bool bridge_remove(struct session *session, const char *name);

/* What differs from what the policy wants of a bridge that is there, as a phrase; NULL if nothing does. */
const char *bridge_difference(struct session *session, const struct policy_network *network);

#endif
