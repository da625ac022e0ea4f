/*
 * /etc/passwd and /etc/group, and no other source of names: the name service switch would load plug-ins and talk to
 * directory servers inside a privileged process.
 */
#ifndef FILES_ACCOUNTS_H
#define FILES_ACCOUNTS_H

#include "policy/policy.h"

/*
 * Read both files, for a caller. False if one could not be read whole, so that nothing in it counts: a group that seems
 * to be without members is a lost deny. accounts_free in either case.
 */
bool accounts_read(const struct policy_caller *caller, struct policy_accounts *accounts);
void accounts_free(struct policy_accounts *accounts);

#endif
