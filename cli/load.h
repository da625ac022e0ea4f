/* The policy, for commands. */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "policy/policy.h"

struct findings;

#define POLICY_FILE SYSCONFDIR "/tapgate.conf"

/* Load a policy (NULL: the installed one) by the helper's own rules of trust. NULL: said why. */
struct policy *load_policy(const char *path);

/* The same, for `tapgate check`: all that is wrong is found, and nothing said. */
struct policy *load_check(const char *path, struct findings *findings);

/* Say which part of it this user may not read, if there is one: a list of its networks may lack some then. */
void load_tell_hidden(const struct policy *policy);

/* The network of a name; NULL if the policy has no line for it. */
const struct policy_network *load_find(const struct policy *policy, const char *name);

/* Whether a name, from the command line, is of a network that is tapgate's to make. False: said why. */
bool load_managed(const struct policy *policy, const char *name);

/*
 * Of a name that has no taps: whether it is one of the policy's networks, which is loaded into *policy at the first
 * question. STATUS_DONE, or said why not.
 */
int load_known(struct policy **policy, const char *name);

#endif
