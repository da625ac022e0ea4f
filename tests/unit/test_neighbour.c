// SPDX-License-Identifier: MIT
/*
 * The kernel's lists of neighbours (link/address.c) and of a bridge's forwarding database (link/bridge.c): what it says
 * is taken, what it never says is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

#include "link/link.h"
#include "tests/unit/datagram.h"

static const unsigned char mac[6] = {0x52, 0x54, 0, 0x12, 0, 1};

/* What was read, as text; empty for nothing. */
struct seen {
	char text[128];
};

static void see_neighbour(void *context, const struct neighbour *neighbour)
{
	struct seen *seen = context;
	char host[INET6_ADDRSTRLEN];

	inet_ntop(neighbour->family, neighbour->address, host, sizeof(host));
	snprintf(seen->text, sizeof(seen->text), "%d %s %02x", neighbour->index, host, neighbour->mac[5]);
}

static void see_entry(void *context, const struct fdb_entry *entry)
{
	struct seen *seen = context;

	snprintf(seen->text, sizeof(seen->text), "%d %02x%s%s%s", entry->index, entry->mac[5],
		entry->fixed ? " fixed" : "", entry->stays ? " stays" : "", entry->own ? " own" : "");
	if (entry->aged)
		snprintf(seen->text + strlen(seen->text), 16, " %u", entry->age);
}

static void begin_neighbour(struct datagram *d, int family, unsigned int state)
{
	const struct ndmsg header = {
		.ndm_family = (unsigned char)family, .ndm_ifindex = 7, .ndm_state = (uint16_t)state};

	begin(d, RTM_NEWNEIGH);
	put(d, &header, sizeof(header));
}

static int read_neighbour(struct datagram *d, struct seen *seen)
{
	struct neighbour_reader reader = {see_neighbour, seen};

	*seen = (struct seen){""};
	return read_with(d, reply_take_neighbour, &reader);
}

static void test_neighbours(void **state)
{
	static const struct {
		int family;
		unsigned int state;
		size_t address, mac;  /* bytes */
		const char *expected; /* NULL: refused */
	} rows[] = {
		{AF_INET, NUD_REACHABLE, 4, 6, "7 172.16.2.7 01"},
		{AF_INET, NUD_STALE, 4, 6, "7 172.16.2.7 01"},
		{AF_INET, NUD_PERMANENT, 4, 6, "7 172.16.2.7 01"},
		{AF_INET6, NUD_DELAY, 16, 6, "7 ac10:207:: 01"},
		{AF_INET6, NUD_PROBE, 16, 6, "7 ac10:207:: 01"},
		{AF_INET, NUD_FAILED, 4, 6, ""},
		{AF_INET, NUD_INCOMPLETE, 4, 0, ""},
		{AF_INET, NUD_NOARP, 4, 6, ""}, /* a multicast address */
		{AF_INET, NUD_REACHABLE, 4, 0, ""},
		{AF_INET, NUD_REACHABLE, 4, 20, ""}, /* InfiniBand's */
		{AF_BRIDGE, NUD_REACHABLE, 4, 6, ""},
		{AF_INET, NUD_REACHABLE, 0, 6, NULL},
		{AF_INET, NUD_REACHABLE, 16, 6, NULL},
		{AF_INET6, NUD_REACHABLE, 4, 6, NULL},
		{AF_INET6, NUD_REACHABLE, 15, 6, NULL},
	};
	static const unsigned char address[32] = {172, 16, 2, 7};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unsigned char hardware[32] = {0};
		struct datagram d = {.size = 0};
		struct seen seen;

		memcpy(hardware, mac, sizeof(mac));
		begin_neighbour(&d, rows[i].family, rows[i].state);
		if (rows[i].address)
			attribute(&d, NDA_DST, address, rows[i].address);
		if (rows[i].mac)
			attribute(&d, NDA_LLADDR, hardware, rows[i].mac);
		assert_int_equal(read_neighbour(&d, &seen), rows[i].expected ? 0 : -EPROTO);
		assert_string_equal(seen.text, rows[i].expected ? rows[i].expected : "");
	}
}

static void test_no_neighbour(void **state)
{
	struct datagram d = {.size = 0}, cut = {.size = 0};
	struct seen seen;

	(void)state;
	begin_neighbour(&d, AF_INET, NUD_REACHABLE);
	d.message->nlmsg_type = RTM_NEWADDR;
	assert_int_equal(read_neighbour(&d, &seen), -EPROTO);
	begin(&cut, RTM_NEWNEIGH);
	put(&cut, mac, 4);
	assert_int_equal(read_neighbour(&cut, &seen), -EPROTO);
}

static void test_forwarding(void **state)
{
	static const struct {
		unsigned int state, flags;
		size_t times; /* bytes */
		const char *expected;
	} rows[] = {
		{NUD_REACHABLE, 0, sizeof(struct nda_cacheinfo), "7 01 4711"},
		{NUD_STALE, 0, 0, "7 01"},
		{NUD_STALE, 0, sizeof(struct nda_cacheinfo) - 4, "7 01"},
		{NUD_NOARP, 0, 0, "7 01 fixed"},
		{NUD_NOARP, NTF_STICKY, 0, "7 01 fixed stays"},
		{NUD_PERMANENT, 0, sizeof(struct nda_cacheinfo), "7 01 own 4711"},
	};
	const struct nda_cacheinfo times = {.ndm_confirmed = 1, .ndm_used = 2, .ndm_updated = 4711};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct ndmsg header = {.ndm_family = AF_BRIDGE,
			.ndm_ifindex = 7,
			.ndm_state = (uint16_t)rows[i].state,
			.ndm_flags = (unsigned char)rows[i].flags};
		struct datagram d = {.size = 0};
		struct seen seen = {""};
		struct fdb_reader reader = {see_entry, &seen};

		begin(&d, RTM_NEWNEIGH);
		put(&d, &header, sizeof(header));
		attribute(&d, NDA_LLADDR, mac, sizeof(mac));
		if (rows[i].times)
			attribute(&d, NDA_CACHEINFO, &times, rows[i].times);
		assert_int_equal(read_with(&d, reply_take_fdb_entry, &reader), 0);
		assert_string_equal(seen.text, rows[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_no_neighbour),
		cmocka_unit_test(test_forwarding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
