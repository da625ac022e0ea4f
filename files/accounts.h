/*
 * /etc/passwd and /etc/group, and no other source of names: the name service switch would load plug-ins and talk to
 * directory servers inside a privileged process.
 */
#ifndef FILES_ACCOUNTS_H
#define FILES_ACCOUNTS_H

#include "policy/policy.h"

struct accounts;

/* Reads nothing yet: the files are read when the first question comes. NULL when memory ran out. */
struct accounts *accounts_new(uint32_t uid);

/* The questions that a policy asks. */
struct policy_accounts accounts_questions(struct accounts *accounts);

/* Whether one of the files could not be read whole, so that no answer counts. */
bool accounts_failed(const struct accounts *accounts);

void accounts_free(struct accounts *accounts);

#endif
