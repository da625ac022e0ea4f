#include <net/if.h> /* before the kernel's headers, which give way to it (linux/libc-compat.h) */

#include "cli/taps/scene.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/fdb.h"

enum {
	PATIENCE = 16, /* how often a list that changed while it was read is read again */

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

	/* By doubling: whenever the count is a power of two there is no more room. */
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
		alias = (struct alias_tap){.vmm = 0};
	taps = scene_grow(scene->taps, &scene->tap_count, sizeof(*taps));
	if (!taps) {
		scene->failed = true;
		return;
	}
	scene->taps = taps;
	taps[scene->tap_count - 1] = (struct scene_tap){
		.interface = *interface, .alias = alias, .half_made = !signed_, .age = -1, .held = HOLDING_UNKNOWN};
}

static int list_taps(struct link *link, struct scene *scene)
{
	int error = -EAGAIN;

	for (int i = 0; i < PATIENCE && error == -EAGAIN; i++) {
		scene->tap_count = 0;
		free(scene->taps);
		scene->taps = NULL;
		error = link_each_of_kind(link, "tun", add_tap, scene);
	}
	return error;
}

/* By network, and there by name, as people count: their indexes say nothing. */
static int compare_taps(const void *first, const void *second)
{
	const struct scene_tap *a = first, *b = second;
	int order = strcmp(a->alias.network, b->alias.network);

	return order ? order : strverscmp(a->interface.name, b->interface.name);
}

/* What the kernel says of each; one that has gone meanwhile is left out. */
static int look_at_taps(struct link *link, struct scene *scene)
{
	size_t kept = 0;

	for (size_t i = 0; i < scene->tap_count; i++) {
		struct scene_tap *tap = &scene->taps[i];
		int error = tun_look_at_use(link, tap->interface.index, &tap->use);

		if (error && error != -ENODEV)
			return error;
		if (tap->half_made)
			tap->alias.uid = tap->use.tun.owner;
		if (!error)
			scene->taps[kept++] = *tap;
	}
	scene->tap_count = kept;
	if (kept)
		qsort(scene->taps, kept, sizeof(*scene->taps), compare_taps);
	return 0;
}

/* --- how old they are -------------------------------------------------------------------------------------------- */

/* The kernel does not write down when an interface was made; but when an address of the host's was added to it. */
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

static int find_ages(struct link *link, struct scene *scene)
{
	int error = -EAGAIN;

	for (int i = 0; i < PATIENCE && error == -EAGAIN; i++)
		error = link_each_address(link, take_address_age, scene);
	return error;
}

/* --- who holds them ---------------------------------------------------------------------------------------------- */

/* What the kernel says. A carrier is off without a holder, and a holder can switch it off. */
static enum holding kernel_says(const struct tun_use *use)
{
	if (!use->tun.persistent || use->carrier)
		return HOLDING_YES;
	if (use->tun.multi_queue)
		return use->tun.queues > 0 ? HOLDING_YES : HOLDING_NO;
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

/* Whether it is worth to look through all processes; an ordinary user sees little more than the own ones. */
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

		tap->held = kernel_says(&tap->use);
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
		error = look_at_taps(link, scene);
	if (!error)
		error = find_ages(link, scene);
	if (!error)
		error = guests_find(link, scene);
	if (!error && processes)
		find_holders(scene);
	return error ? error : scene->failed ? -ENOMEM : 0;
}

void scene_forget(struct scene *scene)
{
	free(scene->taps);
	free(scene->guests);
	*scene = (struct scene){.taps = NULL};
}
