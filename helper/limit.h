/*
 * `max=`: how many taps a user may hold on a network.
 *
 * Exact under any concurrency, with no lock and no state but the aliases on the taps themselves, which only
 * CAP_NET_ADMIN can write. See limit.c for why it is exact.
 */
#ifndef HELPER_LIMIT_H
#define HELPER_LIMIT_H

#include <sys/types.h>

#include "files/outcome.h"
#include "link/link.h"

/* Who claims a tap on which network. */
struct claim {
	uid_t uid;
	const char *network;
	pid_t vmm;
	uint32_t max;	  /* 0: no limit */
	const char *rule; /* that sets the limit, for the message */
};

/* The alias that a tap begins with, and the one that it keeps: alike where there is no limit. */
void limit_first_alias(const struct claim *claim, char alias[static IFALIASZ]);
void limit_last_alias(const struct claim *claim, char alias[static IFALIASZ]);

/*
 * Whether the tap, whose first alias stands, may be kept. Waits for others that are about to withdraw, seconds at most.
 */
bool limit_keep(struct link *link, const struct claim *claim, int tap, struct outcome *outcome);

#endif
