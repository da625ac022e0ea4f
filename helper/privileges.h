/* Credentials: everything given up but one capability, then that too. Each step proved, never assumed. */
#ifndef HELPER_PRIVILEGES_H
#define HELPER_PRIVILEGES_H

#include "files/outcome.h"
#include "policy/policy.h"

/*
 * From here on real, effective and saved ids are the caller's, CAP_NET_ADMIN is the only capability, and neither root
 * nor another capability can be regained (capabilities(7), credentials(7)). Works alike installed setuid root, with the
 * file capability cap_net_admin, run by root, and as root of a user namespace. Fills *caller; its groups are from
 * malloc and live to the end of the process. had_no_new_privs helps to say why there is no capability to keep.
 */
bool privileges_keep_net_admin(struct policy_caller *caller, bool had_no_new_privs, struct outcome *outcome);

/*
 * From here on there is no capability and no identity but the caller's, wherever the steps before this one ended. If
 * that cannot be proved, the process ends at once, without a word.
 */
void privileges_drop_all(void);

#endif
