// SPDX-License-Identifier: MIT
/*
 * A picture of the taps that the helper made, for `tapgate list` and `tapgate ip`: each tap, its age, and who holds it.
 * It does not follow changes. It needs no privilege; what only root can see is unknown to others.
 */
#include <net/if.h> /* before the kernel's, which give way to it (linux/libc-compat.h) */

#include "taps/taps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/link.h"
#include "tool/tool.h"

enum {
	/*
	 * How much younger than it seems a tap may be, in 1/100 s. What bridges say is right to some ticks. When an
	 * address was added the kernel tells in ticks since it counts them, which is some time after the host started.
	 */
	SLACK_OF_PORTS = 10,
	SLACK_OF_ADDRESSES = 500,
};

void *scene_grow(void *list, size_t *count, size_t size)
{
	void *grown = list;

	/* The room is doubled, so it is full whenever the count is a power of two. */
	if ((*count & (*count - 1)) == 0)
		grown = reallocarray(list, *count ? *count * 2 : 1, size);
	if (grown)
		memset((char *)grown + (*count)++ * size, 0, size);
	return grown;
}

const struct scene_tap *scene_tap_at(const struct scene *scene, int index)
{
	for (size_t i = 0; i < scene->tap_count; i++) {
		if (scene->taps[i].interface.index == index)
			return &scene->taps[i];
	}
	return NULL;
}

void scene_address_text(const struct scene_address *address, char text[static SCENE_ADDRESS_TEXT])
{
	char name[IFNAMSIZ];

	*text = '\0';
	inet_ntop(address->family, address->address, text, INET6_ADDRSTRLEN);
	if (address->zone && if_indextoname((unsigned int)address->zone, name))
		text_append(text, SCENE_ADDRESS_TEXT, "%%%s", name);
}

/* --- the taps ---------------------------------------------------------------------------------------------------- */

static void add_tap(void *context, const struct link_interface *interface)
{
	struct scene *scene = context;
	struct scene_tap *taps;
	struct alias_tap alias = {.vmm = 0};
	const bool signed_ = alias_read_tap(interface, &alias);

	if (!signed_ && !alias_is_missing(interface))
		return;
	if (!signed_)
		alias = (struct alias_tap){.uid = interface->tun.owner};
	taps = scene_grow(scene->taps, &scene->tap_count, sizeof(*taps));
	if (!taps) {
		scene->failed = true;
		return;
	}
	scene->taps = taps;
	taps[scene->tap_count - 1] = (struct scene_tap){
		.interface = *interface, .alias = alias, .half_made = !signed_, .age = -1, .held = HOLDING_UNKNOWN};
}

/* By network, there by user, and of one user by name, as people count: their indexes say nothing. */
static int compare_taps(const void *first, const void *second)
{
	const struct scene_tap *a = first, *b = second;
	int order = strcmp(a->alias.network, b->alias.network);

	if (!order && a->alias.uid != b->alias.uid)
		return a->alias.uid < b->alias.uid ? -1 : 1;
	return order ? order : strverscmp(a->interface.name, b->interface.name);
}

static int list_taps(struct link *link, struct scene *scene)
{
	int error = link_each_of_kind(link, "tun", add_tap, scene);

	if (scene->tap_count)
		qsort(scene->taps, scene->tap_count, sizeof(*scene->taps), compare_taps);
	return error;
}

/* --- how old they are -------------------------------------------------------------------------------------------- */

/* The kernel does not keep when an interface was made, but when the host's address was added to it. */
static void take_address_age(void *context, const struct link_address *address)
{
	struct scene *scene = context;
	struct scene_tap *tap = (struct scene_tap *)(uintptr_t)scene_tap_at(scene, address->index);
	struct timespec now;
	int64_t age;

	if (!tap || tap->interface.master || !address->made)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	age = (uint32_t)((uint32_t)now.tv_sec * 100U + (uint32_t)(now.tv_nsec / 10000000) - address->made);
	if (age > tap->age)
		tap->age = age;
}

/* --- whether they are apart from the host ------------------------------------------------------------------------- */

/* One that stands alone has an address of the host's, by which it has an age; what has neither is cut off. */
static void find_open(struct link *link, struct scene *scene)
{
	struct link_interface bridge = {.index = 0};

	for (size_t i = 0; i < scene->tap_count; i++) {
		struct scene_tap *tap = &scene->taps[i];
		const int master = tap->interface.master;
		struct wall wall = {.mac = tap->interface.mac};

		if (tap->half_made || !(tap->interface.flags & IFF_UP) || (!master && tap->age < 0))
			continue;
		if (master && master != bridge.index && link_by_index(link, master, &bridge) != 0)
			continue;
		wall.bridge = master ? &bridge : NULL;
		wall.ours = master && alias_is_bridge(&bridge);
		tap->open = wall_stands(link, tap->interface.index, &wall) == -ENOENT;
	}
}

/* --- who holds them ---------------------------------------------------------------------------------------------- */

/* What the kernel says. A carrier is off without a holder, and a holder can switch it off. */
static enum holding kernel_says(const struct link_interface *tap)
{
	if (!tap->tun.persistent || tap->carrier)
		return HOLDING_YES;
	if (tap->tun.multi_queue)
		return tap->tun.queues > 0 ? HOLDING_YES : HOLDING_NO;
	return HOLDING_UNKNOWN;
}

static void take_holder(void *context, const char *name, const struct holder *holder)
{
	struct scene *scene = context;

	for (size_t i = 0; i < scene->tap_count; i++) {
		struct scene_tap *tap = &scene->taps[i];

		if (tap->holder.holding == HOLDING_YES || strcmp(tap->interface.name, name) != 0)
			continue;
		if (holder->pid)
			tap->holder = *holder;
		else
			tap->holder.holding = HOLDING_UNKNOWN;
	}
}

/* Whether to look through all processes for a tap's holder. An ordinary user sees little but its own processes. */
static bool is_wanted(const struct scene_tap *tap)
{
	return tap->held != HOLDING_NO && tap->holder.holding != HOLDING_YES &&
	       (geteuid() == 0 || tap->alias.uid == getuid());
}

static void find_holders(struct scene *scene)
{
	bool search = false, all = false;

	for (size_t i = 0; i < scene->tap_count; i++) {
		struct scene_tap *tap = &scene->taps[i];

		tap->held = kernel_says(&tap->interface);
		tap->holder = holder_check(tap->interface.name, tap->alias.vmm, tap->age,
			tap->interface.master ? SLACK_OF_PORTS : SLACK_OF_ADDRESSES);
		search |= is_wanted(tap);
	}
	if (search)
		all = holder_each(take_holder, scene);
	for (size_t i = 0; i < scene->tap_count; i++) {
		struct scene_tap *tap = &scene->taps[i];

		if (tap->held != HOLDING_UNKNOWN)
			continue;
		if (tap->holder.holding == HOLDING_YES)
			tap->held = HOLDING_YES;
		else if (all && tap->holder.holding == HOLDING_NO)
			tap->held = HOLDING_NO;
	}
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

int scene_look(struct link *link, bool processes, struct scene *scene)
{
	int error;

	*scene = (struct scene){.time = time(NULL)};
	error = list_taps(link, scene);
	if (!error)
		error = link_each_address(link, take_address_age, scene);
	if (!error)
		find_open(link, scene);
	if (!error)
		error = guests_find(link, scene);
	if (!error && processes)
		find_holders(scene);
	return error ? error : scene->failed ? -ENOMEM : 0;
}

static bool is_left(const struct policy *policy, const uid_t *uid, const char *network, uid_t owner)
{
	return uid ? owner == *uid : load_shows(policy, network, owner);
}

/* Leave the taps of one user; or (NULL) what the caller is shown. */
static void keep(struct scene *scene, const uid_t *uid, const struct policy *policy)
{
	size_t taps = 0, guests = 0;

	for (size_t i = 0; i < scene->tap_count; i++) {
		const struct alias_tap *alias = &scene->taps[i].alias;

		if (is_left(policy, uid, alias->network, alias->uid))
			scene->taps[taps++] = scene->taps[i];
	}
	scene->tap_count = taps;
	for (size_t i = 0; i < scene->guest_count; i++) {
		const struct scene_guest *guest = &scene->guests[i];

		if (guest->tap ? scene_tap_at(scene, guest->tap) != NULL
			       : !uid && load_shows(policy, guest->network, VIEWER_NOBODY))
			scene->guests[guests++] = *guest;
	}
	scene->guest_count = guests;
}

void scene_keep_user(struct scene *scene, uid_t uid)
{
	keep(scene, &uid, NULL);
}

static bool has_others(const struct scene *scene)
{
	bool any = false;

	for (size_t i = 0; i < scene->tap_count && !any; i++)
		any = !load_shows(NULL, scene->taps[i].alias.network, scene->taps[i].alias.uid);
	for (size_t i = 0; i < scene->guest_count && !any; i++)
		any = !scene->guests[i].tap;
	return any;
}

void scene_keep_shown(struct scene *scene, struct scene_privacy *privacy)
{
	if (load_viewer() == 0 || !has_others(scene))
		return;
	if (!privacy->is_read)
		privacy->policy = load_policy(NULL);
	privacy->is_read = true;
	keep(scene, NULL, privacy->policy);
}

void scene_forget(struct scene *scene)
{
	free(scene->taps);
	free(scene->guests);
	*scene = (struct scene){.taps = NULL};
}
