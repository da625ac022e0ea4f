// SPDX-License-Identifier: MIT
/* Answers about interfaces, for the tests of link/exchange.c. cmocka.h, and what it needs, goes before this. */
#ifndef TESTS_UNIT_INTERFACE_H
#define TESTS_UNIT_INTERFACE_H

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "tests/unit/datagram.h"

static inline void interface(struct datagram *d, int index, const char *name)
{
	const struct ifinfomsg header = {.ifi_index = index, .ifi_flags = IFF_UP};

	begin(d, RTM_NEWLINK);
	put(d, &header, sizeof(header));
	if (name)
		text(d, IFLA_IFNAME, name);
}

/* IFLA_LINKINFO { IFLA_INFO_KIND kind } */
static inline void kind(struct datagram *d, const char *value)
{
	size_t info = open_nest(d, IFLA_LINKINFO);

	text(d, IFLA_INFO_KIND, value);
	close_nest(d, info);
}

struct seen {
	int count;
	struct link_interface last;
};

static inline void see(void *context, const struct link_interface *interface)
{
	struct seen *seen = context;

	seen->count++;
	seen->last = *interface;
}

static inline int read_one(struct datagram *d, struct seen *seen)
{
	struct interface_reader reader = {see, seen};

	*seen = (struct seen){0};
	return read_with(d, reply_take_interface, &reader);
}

/* Spoilt answers, a row each: every one must be refused, and none of it taken. */
struct spoilt {
	const char *name;
	void (*make)(struct datagram *);
};

static inline void check_spoilt(const struct spoilt *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct datagram d = {.size = 0};
		struct seen seen;
		int result;

		rows[i].make(&d);
		result = read_one(&d, &seen);
		if (result != -EPROTO || seen.count != 0)
			fail_msg("%s: returned %d, saw %d interfaces", rows[i].name, result, seen.count);
	}
}

#endif
