/* What the kernel says of a tap's holders (link/tun.c): what it says is taken, what it never says is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>

#include "link/tun.h"
#include "tests/unit/datagram.h"

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
	close_tun(answer);
	return read_with(&answer->d, tun_take, tun);
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
		struct tun_use use;

		begin_tun(&answer, "tun");
		flag(&answer.d, IFLA_TUN_PERSIST, 1);
		close_tun(&answer);
		flag(&answer.d, IFLA_CARRIER, 1);
		attribute(&answer.d, IFLA_STATS64, &given, rows[i].size);
		assert_int_equal(read_with(&answer.d, tun_take_use, &use), rows[i].result);
		if (rows[i].result)
			continue;
		assert_true(use.tun.persistent && use.carrier);
		assert_true(use.received.bytes == 1ULL << 40 && use.received.packets == 1);
		assert_true(use.sent.bytes == 4 && use.sent.packets == 2);
	}
}

/* Neither has to be said; a carrier is one byte, and is of a tap. */
static void test_use_of_what(void **state)
{
	static const struct {
		const char *kind;
		size_t carrier; /* its size */
		int result;
	} rows[] = {{"tun", 1, 0}, {"tun", 0, -EPROTO}, {"tun", 4, -EPROTO}, {"bridge", 1, -EPROTO}};
	struct answer bare;
	struct tun_use use;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct answer answer;

		begin_tun(&answer, rows[i].kind);
		close_tun(&answer);
		attribute(&answer.d, IFLA_CARRIER, "\1\0\0", rows[i].carrier);
		assert_int_equal(read_with(&answer.d, tun_take_use, &use), rows[i].result);
	}
	begin_tun(&bare, "tun");
	close_tun(&bare);
	assert_int_equal(read_with(&bare.d, tun_take_use, &use), 0);
	assert_true(!use.carrier && !use.received.bytes && !use.received.packets && !use.sent.bytes);
}

static void test_no_tun(void **state)
{
	static const char *const kinds[] = {"bridge", "tuna", "tu", "", "a-kind-of-16-byt", "tun\x1b"};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct answer answer;
		struct tun tun;

		begin_tun(&answer, kinds[i]);
		flag(&answer.d, IFLA_TUN_PERSIST, 1);
		assert_int_equal(read_tun(&answer, &tun), -EPROTO);
	}
}

/* Without what is needed, or of another type, it is no answer. */
static void test_incomplete(void **state)
{
	const struct ifinfomsg header = {.ifi_index = 7};
	struct datagram bare = {.size = 0}, no_data = {.size = 0}, address = {.size = 0};
	struct tun tun;
	size_t nest;

	(void)state;
	begin(&bare, RTM_NEWLINK);
	put(&bare, &header, sizeof(header));
	assert_int_equal(read_with(&bare, tun_take, &tun), -EPROTO);

	begin(&no_data, RTM_NEWLINK);
	put(&no_data, &header, sizeof(header));
	nest = open_nest(&no_data, IFLA_LINKINFO);
	text(&no_data, IFLA_INFO_KIND, "tun");
	close_nest(&no_data, nest);
	assert_int_equal(read_with(&no_data, tun_take, &tun), -EPROTO);

	begin(&address, RTM_NEWADDR);
	put(&address, &header, sizeof(header));
	assert_int_equal(read_with(&address, tun_take, &tun), -EPROTO);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
