#include "cli/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 16 }; /* how often a list that changed while it was read is read again */

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

static void append_interface(void *context, const struct link_interface *interface)
{
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

/* The three lists, read until none of them changed meanwhile. */
static int read_lists(struct link *link, struct list *interfaces, struct list *addresses, struct list *routes)
{
	struct list *lists[] = {interfaces, addresses, routes};
	int error = -EAGAIN;

	for (int i = 0; i < PATIENCE && error == -EAGAIN; i++) {
		for (size_t j = 0; j < 3; j++)
			lists[j]->count = 0;
		error = link_each(link, NULL, append_interface, interfaces);
		if (!error)
			error = link_each_address(link, append_address, addresses);
		if (!error)
			error = link_each_route(link, append_route, routes);
	}
	for (size_t j = 0; j < 3; j++) {
		if (lists[j]->failed)
			error = -ENOMEM;
	}
	return error;
}

int host_look(struct link *link, struct host *host)
{
	struct list interfaces = {.size = sizeof(*host->interfaces)};
	struct list addresses = {.size = sizeof(*host->addresses)};
	struct list routes = {.size = sizeof(*host->routes)};
	int error = read_lists(link, &interfaces, &addresses, &routes);

	*host = (struct host){
		interfaces.items, addresses.items, routes.items, interfaces.count, addresses.count, routes.count};
	return error;
}

void host_forget(struct host *host)
{
	free(host->interfaces);
	free(host->addresses);
	free(host->routes);
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
	for (size_t i = 0; i < host->interface_count; i++) {
		if (host->interfaces[i].index == index)
			return &host->interfaces[i];
	}
	return NULL;
}
