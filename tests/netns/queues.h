// SPDX-License-Identifier: MIT
/*
 * Taps of several queues, for test_queues*.c: a call whose descriptors are kept, and what they must be.
 */
#ifndef TESTS_NETNS_QUEUES_H
#define TESTS_NETNS_QUEUES_H

#include <linux/if.h>
#include <linux/if_tun.h>

#include "tests/netns/harness.h"

enum { QUEUES_MAX = 16, QUEUES_FLAGS = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE };

/* What came: one message, and the descriptors in it. */
struct queues {
	int fds[QUEUES_MAX];
	unsigned int count, messages, bytes;
};

/* A call of alice's with these words; the first queue is the result's tap. Or the end of one that was started so. */
struct result queues_run(const char *const *argv, struct queues *queues);
struct result queues_finish(struct running *running, int pair[static 2], struct queues *queues);

/* Close them; the tap stays up to the last, and no longer. */
void queues_give_back(const struct result *result, struct queues *queues);

/* That all are queues of one tap, of the flags, in one message with one byte. */
void queues_check(const struct result *result, const struct queues *queues, unsigned int count, int flags);

#endif
