/*
 * With lock-ip: what a guard begins with, which is who has which address by now. Else nobody had any until asking
 * again.
 */
#ifndef CLI_NETWORKS_GUARD_LEASES_H
#define CLI_NETWORKS_GUARD_LEASES_H

#include "policy/policy.h"

/* The text of a guard and, in the same transaction, the leases in force, from malloc; NULL when memory ran out. */
char *guard_with_leases(const char *text, const struct policy_network *network);

#endif
