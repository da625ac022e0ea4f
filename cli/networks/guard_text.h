/*
 * A network's guard as a text: the template of its mode, etc/guard/MODE.nft, filled in with what its line says.
 * Reads and changes nothing in the kernel; that is for guard.c.
 */
#ifndef CLI_NETWORKS_GUARD_TEXT_H
#define CLI_NETWORKS_GUARD_TEXT_H

#include "policy/policy.h"

/* In nft's language, from malloc; empty where the mode needs no guard. NULL when memory ran out. */
char *guard_text(const struct policy_network *network);

#endif
