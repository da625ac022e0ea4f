// SPDX-License-Identifier: MIT
/*
 * Takes a place for a tap under max=: the limit of what a user holds, which nobody can walk round.
 *
 * With max=k a tap is made in one of the first k places, so that the kernel refuses what is one too many. Taps in
 * places above k are there where the limit was higher when they were made, or another rule gave them. Each of them
 * takes one place away: with `above` taps above the first `count` places, `count` is lowered until count + above <= k.
 * (Whose they are is asked only where none would be left.)
 *
 * Never more than k: whoever makes a tap in the first `count` places had counted those above, which become more only
 * by rules with a higher limit. Never fewer: no place is held for longer than its tap is there.
 *
 * Indexes are spread over 2^30 by a hash of user and network, so that two users' places rarely meet (one in a million,
 * for a thousand taps); where they do, one of them has a place less. The lower 2^30 are the kernel's own choice for
 * other interfaces.
 */
#include "helper/helper.h"

#include <errno.h>
#include <string.h>

#include "link/link.h"

/* Over the network's name and the user's number. */
int place_index(const struct order *order, uint32_t place)
{
	unsigned char key[sizeof(order->request.network) + sizeof(order->caller.uid)];
	uint64_t hash;

	memcpy(key, order->request.network, sizeof(order->request.network));
	memcpy(key + sizeof(order->request.network), &order->caller.uid, sizeof(order->caller.uid));
	hash = digest_bytes(DIGEST_START, key, sizeof(key));
	return ALIAS_INDEXES + (int)(hash % (ALIAS_INDEXES - PLACES_MAX)) + (int)place - 1;
}

/* Whether a place that is taken is so by a tap of this user's on this network, or by one that is not signed yet. */
static bool is_held(const struct order *order, struct link *link, int index)
{
	struct link_interface tap;
	struct alias_tap alias;
	int error = link_by_index(link, index, &tap);

	if (error)
		return error != -ENODEV;
	if (!alias_read_tap(&tap, &alias))
		return alias_is_missing(&tap);
	return alias.uid == order->caller.uid && strcmp(alias.network, order->request.network) == 0;
}

/* How many places above the first `count` are taken; if it has to be sure, by whom is asked as well. */
static uint32_t count_above(const struct order *order, struct link *link, uint32_t count, bool sure)
{
	uint32_t above = 0;

	for (uint32_t place = count + 1; place <= PLACES_MAX; place++) {
		const int index = place_index(order, place);

		above += link_has_index(link, index) && (!sure || is_held(order, link, index));
	}
	return above;
}

uint32_t place_count(const struct order *order, struct link *link)
{
	const uint32_t max = order->permit.options.max, limit = max && max < PLACES_MAX ? max : PLACES_MAX;
	uint32_t count = 0;

	for (int sure = 0; sure < 2 && !count; sure++) {
		uint32_t above = count_above(order, link, limit, sure);

		for (count = limit; count && count + above > limit; count--)
			above += link_has_index(link, place_index(order, count));
	}
	return count;
}

bool place_refuse(const struct order *order, struct outcome *outcome)
{
	const struct permit *permit = &order->permit;

	if (!permit->options.max)
		return refuse(outcome, EXIT_LIMIT,
			"uid %u has %d taps on '%s', as many as a user can have on one network; end a virtual machine first",
			order->caller.uid, PLACES_MAX, order->request.network);
	return refuse(outcome, EXIT_LIMIT,
		"uid %u has reached max=%u on '%s', by %s; end a virtual machine first, or have the limit raised",
		order->caller.uid, permit->options.max, order->request.network, permit->rule);
}
