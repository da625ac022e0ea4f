/* Which networks can only be settled together. */
#ifndef CLI_NETWORKS_GROUPS_H
#define CLI_NETWORKS_GROUPS_H

#include "cli/host.h"
#include "policy/policy.h"

/*
 * Networks of which one wants a subnet that another's bridge still has, and is to give up, are of one group: two that
 * exchange their subnets, or a row of them that each take the next one's. group[i] receives the index of the first
 * network of the group that networks[i] is in; of one that is alone, its own.
 */
void groups_find(const struct host *host, const struct policy_network *const *networks, size_t count, size_t group[]);

#endif
