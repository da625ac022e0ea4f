/*
 * With max=k a tap is made in one of the first k places, so that the kernel refuses what is one too many. Taps in
 * places above k are there where the limit was higher when they were made, or another rule gave them. Each of them
 * takes one place away: with `above` taps above the first `count` places, `count` is lowered until count + above <= k.
 *
 * Never more than k: whoever makes a tap in the first `count` places had counted those above, which become more only
 * by rules with a higher limit. Never fewer: no place is held for longer than its tap is there.
 *
 * Indexes are spread over 2^30 by a hash of user and network, so that two users' places rarely meet (one in a million,
 * for a thousand taps); where they do, one of them has a place less. The lower 2^30 are the kernel's own choice for
 * other interfaces.
 */
#include "helper/place.h"

#include <errno.h>
#include <string.h>

#include "link/alias.h"

/* FNV-1a, 64 bits, over the network's name and the user's number. */
int place_index(const struct order *order, uint32_t place)
{
	unsigned char key[sizeof(order->request.network) + sizeof(order->caller.uid)];
	uint64_t hash = 0xcbf29ce484222325;

	memcpy(key, order->request.network, sizeof(order->request.network));
	memcpy(key + sizeof(order->request.network), &order->caller.uid, sizeof(order->caller.uid));
	for (size_t i = 0; i < sizeof(key); i++)
		hash = (hash ^ key[i]) * 0x100000001b3;
	return ALIAS_INDEXES + (int)(hash % (ALIAS_INDEXES - PLACES_MAX)) + (int)place - 1;
}

/* Whether a place above the limit has a tap of this user's on this network; 0, 1 or a negative errno value. */
static int is_held(const struct order *order, struct link *link, uint32_t place)
{
	const int index = place_index(order, place);
	struct link_interface tap;
	struct alias_tap alias;
	int error;

	if (!link_has_index(link, index))
		return 0;
	error = link_by_index(link, index, &tap);
	if (error)
		return error == -ENODEV ? 0 : error;
	if (!alias_read_tap(&tap, &alias)) /* half made: somebody's, and rather counted than not */
		return strcmp(tap.kind, "tun") == 0;
	return alias.uid == order->caller.uid && strcmp(alias.network, order->request.network) == 0;
}

bool place_count(const struct order *order, struct link *link, uint32_t *count, struct outcome *outcome)
{
	const uint32_t max = order->permit.options.max;
	uint32_t above = 0;

	*count = max && max < PLACES_MAX ? max : PLACES_MAX;
	for (uint32_t place = *count + 1; place <= PLACES_MAX; place++) {
		int held = is_held(order, link, place);

		if (held < 0)
			return refuse_errno(outcome, held, "cannot count the taps on '%s'", order->request.network);
		above += (uint32_t)held;
	}
	for (uint32_t left = *count; above && *count && *count + above > left;) {
		above += link_has_index(link, place_index(order, *count));
		(*count)--;
	}
	return *count || place_refuse(order, outcome);
}

bool place_refuse(const struct order *order, struct outcome *outcome)
{
	const struct permit *permit = &order->permit;

	if (!permit->options.max)
		return refuse(outcome, EXIT_LIMIT,
			"uid %u has %d taps on '%s', as many as a user can have on one network; end a virtual machine "
			"first",
			order->caller.uid, PLACES_MAX, order->request.network);
	return refuse(outcome, EXIT_LIMIT,
		"uid %u has reached max=%u on '%s', by %s; end a virtual machine first, or have the limit raised",
		order->caller.uid, permit->options.max, order->request.network, permit->rule);
}
