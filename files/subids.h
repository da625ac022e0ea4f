/*
 * Subordinate user ids (subuid(5)): a user can become any of them, by a setuid file made in a user namespace, and would
 * be somebody else to rules and limits each time.
 */
#ifndef FILES_SUBIDS_H
#define FILES_SUBIDS_H

#include <stdint.h>

#include "files/outcome.h"

/* Whether a user id is nobody's subordinate by /etc/subuid; refused otherwise, or if the file cannot be read. */
bool subids_exclude(uint32_t uid, struct outcome *outcome);

#endif
