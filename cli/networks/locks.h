/*
 * Taps that are locked to an address (lock-mac) and lost it: the bridge does not say any more that the address is
 * behind them, as when a neighbour gave its own tap that address (br_fdb_changeaddr, net/bridge/br_fdb.c). What is
 * locked and has lost its address sends and gets nothing.
 */
#ifndef CLI_NETWORKS_LOCKS_H
#define CLI_NETWORKS_LOCKS_H

#include "cli/session.h"
#include "cli/words.h"
#include "link/alias.h"

struct lost_lock {
	const struct link_interface *tap, *bridge;
	struct alias_tap alias; /* of the tap */
	unsigned char mac[6];
	const struct link_interface *holder; /* behind which the bridge says it is; NULL: nowhere */
	bool fixed, own; /* somebody put it there, as with `bridge fdb`; it is that port's own, not a tap's of ours */
};

/* Call `each` for those of a bridge, by its index; 0: of every bridge. */
void locks_each_lost(
	struct session *session, int bridge, void (*each)(void *context, const struct lost_lock *), void *context);

/* Whether a bridge has any that `locks_settle` can put back. */
bool locks_differ(struct session *session, int bridge);

/* Put back what can be, of the networks that were asked for, and say so. */
bool locks_settle(struct session *session, const struct words *words);

#endif
