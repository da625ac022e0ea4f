/*
 * Places: what bounds the taps that a user holds on a network (`max=`).
 *
 * A user has PLACES_MAX places on each network, and each place has an interface index of its own, under which the tap
 * is made. The kernel has no two interfaces of one index. So it is the kernel that hands out places, from the first
 * instant of a tap on: half-made ones, those of stopped helpers and persistent ones hold theirs. There is no lock and
 * no state, and nobody waits. See place.c for what happens when a limit changes.
 */
#ifndef HELPER_PLACE_H
#define HELPER_PLACE_H

#include "files/outcome.h"
#include "helper/order.h"
#include "link/link.h"

enum { PLACES_MAX = 1023 }; /* as many as a bridge has ports (BR_MAX_PORTS, net/bridge/br_private.h) */

/* The index of a place, which counts from 1. */
int place_index(const struct order *order, uint32_t place);

/* How many of the first places may be taken, free or not; 0: the limit is reached. */
uint32_t place_count(const struct order *order, struct link *link);

/* Record that the limit is reached. */
bool place_refuse(const struct order *order, struct outcome *outcome);

#endif
