// SPDX-License-Identifier: MIT
/* What the kernel says of a tap's holders (link/interface.c): what it says is taken, what it never says is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>

#include "helper/helper.h"
#include "link/link.h"
#include "tests/unit/interface.h"

static void flag(struct datagram *d, uint16_t type, unsigned char value)
{
	attribute(d, type, &value, 1);
}

/* An answer about an interface of a kind, open for what is special about it. */
struct answer {
	struct datagram d;
	size_t nests[2];
};

static void begin_tun(struct answer *answer, const char *kind)
{
	const struct ifinfomsg header = {.ifi_index = 7};

	answer->d.size = 0;
	begin(&answer->d, RTM_NEWLINK);
	put(&answer->d, &header, sizeof(header));
	text(&answer->d, IFLA_IFNAME, "tg134-0");
	answer->nests[0] = open_nest(&answer->d, IFLA_LINKINFO);
	text(&answer->d, IFLA_INFO_KIND, kind);
	answer->nests[1] = open_nest(&answer->d, IFLA_INFO_DATA);
}

static void close_tun(struct answer *answer)
{
	close_nest(&answer->d, answer->nests[1]);
	close_nest(&answer->d, answer->nests[0]);
}

static int read_tun(struct answer *answer, struct tun *tun)
{
	struct seen seen;
	int result;

	close_tun(answer);
	result = read_one(&answer->d, &seen);
	*tun = seen.last.tun;
	return result;
}

static void test_one_queue(void **state)
{
	struct answer answer;
	struct tun tun;

	(void)state;
	begin_tun(&answer, "tun");
	flag(&answer.d, IFLA_TUN_TYPE, IFF_TAP);
	number(&answer.d, IFLA_TUN_OWNER, 1000);
	flag(&answer.d, IFLA_TUN_PI, 0);
	flag(&answer.d, IFLA_TUN_VNET_HDR, 1);
	flag(&answer.d, IFLA_TUN_PERSIST, 1);
	flag(&answer.d, IFLA_TUN_MULTI_QUEUE, 0);
	assert_int_equal(read_tun(&answer, &tun), 0);
	assert_true(tun.tap && tun.persistent && tun.vnet_header && !tun.packet_info && !tun.multi_queue);
	assert_int_equal(tun.queues, 0);
}

static void test_several_queues(void **state)
{
	struct answer answer;
	struct tun tun;

	(void)state;
	begin_tun(&answer, "tun");
	flag(&answer.d, IFLA_TUN_TYPE, IFF_TUN);
	flag(&answer.d, IFLA_TUN_PI, 1);
	flag(&answer.d, IFLA_TUN_MULTI_QUEUE, 1);
	number(&answer.d, IFLA_TUN_NUM_QUEUES, 2);
	number(&answer.d, IFLA_TUN_NUM_DISABLED_QUEUES, 3);
	assert_int_equal(read_tun(&answer, &tun), 0);
	assert_true(!tun.tap && !tun.persistent && !tun.vnet_header && tun.packet_info && tun.multi_queue);
	assert_int_equal(tun.queues, 5);
}

static void test_sizes(void **state)
{
	static const struct {
		uint16_t type;
		size_t size; /* that it has not */
	} rows[] = {
		{IFLA_TUN_TYPE, 0},
		{IFLA_TUN_TYPE, 4},
		{IFLA_TUN_PERSIST, 0},
		{IFLA_TUN_PERSIST, 2},
		{IFLA_TUN_PI, 4},
		{IFLA_TUN_VNET_HDR, 4},
		{IFLA_TUN_MULTI_QUEUE, 0},
		{IFLA_TUN_NUM_QUEUES, 1},
		{IFLA_TUN_NUM_QUEUES, 8},
		{IFLA_TUN_NUM_DISABLED_QUEUES, 0},
		{IFLA_TUN_NUM_DISABLED_QUEUES, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct answer answer;
		struct tun tun;

		begin_tun(&answer, "tun");
		attribute(&answer.d, rows[i].type, "\1\0\0\0\0\0\0", rows[i].size);
		assert_int_equal(read_tun(&answer, &tun), -EPROTO);
	}
}

static void test_carrier_and_traffic(void **state)
{
	const struct {
		struct rtnl_link_stats64 counters;
		uint64_t more; /* of a newer kernel */
	} given = {{.rx_packets = 1, .tx_packets = 2, .rx_bytes = 1ULL << 40, .tx_bytes = 4, .rx_errors = 5}, 6};
	static const struct {
		size_t size;
		int result;
	} rows[] = {{sizeof(given), 0}, {32, 0}, {31, -EPROTO}, {0, -EPROTO}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct answer answer;
		struct seen seen;

		begin_tun(&answer, "tun");
		flag(&answer.d, IFLA_TUN_PERSIST, 1);
		close_tun(&answer);
		flag(&answer.d, IFLA_CARRIER, 1);
		attribute(&answer.d, IFLA_STATS64, &given, rows[i].size);
		assert_int_equal(read_one(&answer.d, &seen), rows[i].result);
		if (rows[i].result)
			continue;
		assert_true(seen.last.tun.persistent && seen.last.carrier);
		assert_true(seen.last.received.bytes == 1ULL << 40 && seen.last.received.packets == 1);
		assert_true(seen.last.sent.bytes == 4 && seen.last.sent.packets == 2);
	}
}

/* Neither has to be said; a carrier is one byte. */
static void test_use_of_what(void **state)
{
	static const struct {
		const char *kind;
		size_t carrier; /* its size */
		int result;
	} rows[] = {{"tun", 1, 0}, {"tun", 0, -EPROTO}, {"tun", 4, -EPROTO}, {"bridge", 1, 0}};
	struct answer bare;
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct answer answer;

		begin_tun(&answer, rows[i].kind);
		close_tun(&answer);
		attribute(&answer.d, IFLA_CARRIER, "\1\0\0", rows[i].carrier);
		assert_int_equal(read_one(&answer.d, &seen), rows[i].result);
	}
	begin_tun(&bare, "tun");
	close_tun(&bare);
	assert_int_equal(read_one(&bare.d, &seen), 0);
	assert_true(!seen.last.carrier && !seen.last.received.bytes && !seen.last.received.packets &&
		    !seen.last.sent.bytes);
}

/* Of another kind, what stands there is something else. */
static void test_no_tun(void **state)
{
	static const char *const kinds[] = {"bridge", "tuna", "tu", "", "a-kind-of-16-byt", "tun\x1b"};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct answer answer;
		struct tun tun;

		begin_tun(&answer, kinds[i]);
		flag(&answer.d, IFLA_TUN_PERSIST, 1);
		assert_true(read_tun(&answer, &tun) != 0 || !tun.persistent);
	}
}

/* Without what is needed, or of another type, it is no answer. */
static void test_incomplete(void **state)
{
	const struct ifinfomsg header = {.ifi_index = 7};
	struct datagram bare = {.size = 0}, no_data = {.size = 0}, address = {.size = 0};
	struct seen seen;
	size_t nest;

	(void)state;
	begin(&bare, RTM_NEWLINK);
	put(&bare, &header, sizeof(header));
	assert_int_equal(read_one(&bare, &seen), -EPROTO);

	begin(&no_data, RTM_NEWLINK);
	put(&no_data, &header, sizeof(header));
	text(&no_data, IFLA_IFNAME, "tg134-0");
	nest = open_nest(&no_data, IFLA_LINKINFO);
	text(&no_data, IFLA_INFO_KIND, "tun");
	close_nest(&no_data, nest);
	assert_int_equal(read_one(&no_data, &seen), 0);
	assert_true(!seen.last.tun.persistent && !seen.last.tun.has_owner);

	begin(&address, RTM_NEWADDR);
	put(&address, &header, sizeof(header));
	assert_int_equal(read_one(&address, &seen), -EPROTO);
}

/*
 * What a stranger leaves behind on a tap of several queues (helper/tap.c): each of it is seen. The kernel's part is
 * in tests/netns/test_queues_strangers.c.
 */
static void test_what_strangers_leave(void **state)
{
	const struct tun ours = {.tap = true,
		.multi_queue = true,
		.has_owner = true,
		.ethernet = true,
		.vnet_header = true,
		.queues = 2};
	struct order order = {.request = {.vnet_header = true}};
	const struct port port = {.queues = 2};
	struct tun others[9];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		others[i] = ours;
	others[0].queues = 3;
	others[1].queues = 1;
	others[2].persistent = true;
	others[3].has_owner = false;
	others[4].owner = 1000;
	others[5].has_group = true;
	others[6].ethernet = false;
	others[7].vnet_header = false;
	others[8].packet_info = true;
	assert_true(queues_hold(&order, &port, &ours));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (queues_hold(&order, &port, &others[i]))
			fail_msg("row %zu was not seen", i);
	}
	order.request.vnet_header = false;
	assert_false(queues_hold(&order, &port, &ours));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_queue),
		cmocka_unit_test(test_several_queues),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_carrier_and_traffic),
		cmocka_unit_test(test_use_of_what),
		cmocka_unit_test(test_no_tun),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_what_strangers_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
