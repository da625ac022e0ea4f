// SPDX-License-Identifier: MIT
/*
 * The host's network as it stands: interfaces, addresses, routes, taps locked to an address. A picture; take a new one
 * after changes.
 */
#include "tool/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A list that grows as it is read. */
struct list {
	void *items;
	size_t count, size; /* size: of an item */
	bool failed;
};

static void append(struct list *list, const void *item)
{
	void *items = list->failed ? NULL : reallocarray(list->items, list->count + 1, list->size);

	if (!items) {
		list->failed = true;
		return;
	}
	list->items = items;
	memcpy((char *)items + list->count++ * list->size, item, list->size);
}

/* Without the taps of a probe that runs at this moment: each is a port of a network, and no member of it. */
static void append_interface(void *context, const struct link_interface *interface)
{
	if (!alias_is_probe(interface))
		append(context, interface);
}

static void append_address(void *context, const struct link_address *address)
{
	append(context, address);
}

static void append_route(void *context, const struct link_route *route)
{
	append(context, route);
}

static void append_locked(void *context, const struct locked *locked)
{
	append(context, locked);
}

enum { INTERFACES, ADDRESSES, ROUTES, LOCKED, LISTS };

static int read_lists(struct link *link, struct list lists[static LISTS])
{
	int error = link_each(link, append_interface, &lists[INTERFACES]);

	if (!error)
		error = link_each_address(link, append_address, &lists[ADDRESSES]);
	if (!error)
		error = link_each_route(link, append_route, &lists[ROUTES]);
	if (!error)
		error = locked_each(link, append_locked, &lists[LOCKED]);
	for (size_t j = 0; j < LISTS; j++) {
		if (lists[j].failed)
			error = -ENOMEM;
	}
	return error;
}

static int compare_index(const void *a, const void *b)
{
	const struct link_interface *one = a, *other = b;

	return one->index < other->index ? -1 : one->index > other->index;
}

int host_look(struct link *link, struct host *host)
{
	struct list lists[LISTS] = {[INTERFACES] = {.size = sizeof(*host->interfaces)},
		[ADDRESSES] = {.size = sizeof(*host->addresses)},
		[ROUTES] = {.size = sizeof(*host->routes)},
		[LOCKED] = {.size = sizeof(*host->locked)}};
	int error = read_lists(link, lists);

	*host = (struct host){lists[INTERFACES].items, lists[ADDRESSES].items, lists[ROUTES].items, lists[LOCKED].items,
		lists[INTERFACES].count, lists[ADDRESSES].count, lists[ROUTES].count, lists[LOCKED].count};
	/* Before Linux 6.9 the kernel gives them in the order of a hash. */
	if (host->interface_count)
		qsort(host->interfaces, host->interface_count, sizeof(*host->interfaces), compare_index);
	return error;
}

void host_forget(struct host *host)
{
	free(host->interfaces);
	free(host->addresses);
	free(host->routes);
	free(host->locked);
	*host = (struct host){0};
}

const struct link_interface *host_interface(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->interface_count; i++) {
		if (strcmp(host->interfaces[i].name, name) == 0)
			return &host->interfaces[i];
	}
	return NULL;
}

const struct link_interface *host_interface_at(const struct host *host, int index)
{
	const struct link_interface key = {.index = index};

	return host->interface_count
		       ? bsearch(&key, host->interfaces, host->interface_count, sizeof(key), compare_index)
		       : NULL;
}
