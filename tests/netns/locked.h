// SPDX-License-Identifier: MIT
/* Ports of br0 that are locked to an address (lock-mac), and the addresses that a user may have there. */
#ifndef TESTS_NETNS_LOCKED_H
#define TESTS_NETNS_LOCKED_H

#include "tests/netns/harness.h"

/* An address of a user's block on br0, by its last octet; up to the 64th call from this one. */
const char *own_address(const struct user *user, unsigned int octet);

/* That the port of a tap is locked, to this address and no other. */
void assert_locked(const struct result *result, const char *mac);

#endif
