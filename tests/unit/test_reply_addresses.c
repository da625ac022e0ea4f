// SPDX-License-Identifier: MIT
/* The kernel's lists of addresses and routes (link/address.c): what it says is taken, what it never says is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

#include "tests/unit/datagram.h"

/* What was read, a word each: "2=172.16.2.1/24 ". */
struct seen {
	char text[512];
};

static void add(struct seen *seen, int index, int family, const unsigned char *address, unsigned int prefix)
{
	char host[INET6_ADDRSTRLEN];
	size_t used = strlen(seen->text);

	inet_ntop(family, address, host, sizeof(host));
	snprintf(seen->text + used, sizeof(seen->text) - used, "%d=%s/%u ", index, host, prefix);
}

static void see_address(void *context, const struct link_address *address)
{
	add(context, address->index, address->family, address->address, address->prefix);
}

static void see_route(void *context, const struct link_route *route)
{
	add(context, route->index, route->family, route->destination, route->prefix);
}

static int read_address(struct datagram *d, struct seen *seen)
{
	struct address_reader reader = {see_address, seen};

	*seen = (struct seen){""};
	return read_with(d, reply_take_address, &reader);
}

static int read_route(struct datagram *d, struct seen *seen)
{
	struct route_reader reader = {see_route, seen};

	*seen = (struct seen){""};
	return read_with(d, reply_take_route, &reader);
}

static void begin_address(struct datagram *d, int family, unsigned int prefix)
{
	const struct ifaddrmsg header = {
		.ifa_family = (unsigned char)family, .ifa_prefixlen = (unsigned char)prefix, .ifa_index = 2};

	begin(d, RTM_NEWADDR);
	put(d, &header, sizeof(header));
}

static void begin_route(struct datagram *d, int family, unsigned int prefix, unsigned int flags)
{
	const struct rtmsg header = {
		.rtm_family = (unsigned char)family, .rtm_dst_len = (unsigned char)prefix, .rtm_flags = flags};

	begin(d, RTM_NEWROUTE);
	put(d, &header, sizeof(header));
}

static void ip(struct datagram *d, uint16_t type, const char *address)
{
	unsigned char bytes[16];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;

	assert_int_equal(inet_pton(family, address, bytes), 1);
	attribute(d, type, bytes, family == AF_INET ? 4 : 16);
}

static void test_addresses(void **state)
{
	static const struct {
		int family;
		unsigned char prefix;
		const char *local, *address, *expected;
	} rows[] = {
		{AF_INET, 24, "172.16.2.1", "172.16.2.1", "2=172.16.2.1/24 "},
		{AF_INET, 32, "172.16.2.1", "10.0.0.9", "2=172.16.2.1/32 "}, /* the other one is the peer's */
		{AF_INET6, 64, NULL, "fd00:2::1", "2=fd00:2::1/64 "},
		{AF_INET6, 128, "fd00:2::1", "fd00:2::2", "2=fd00:2::1/128 "},
		{AF_INET, 0, NULL, NULL, "2=0.0.0.0/0 "},
		{AF_PACKET, 255, NULL, NULL, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datagram d = {.size = 0};
		struct seen seen;

		begin_address(&d, rows[i].family, rows[i].prefix);
		if (rows[i].address)
			ip(&d, IFA_ADDRESS, rows[i].address);
		if (rows[i].local)
			ip(&d, IFA_LOCAL, rows[i].local);
		number(&d, IFA_FLAGS, IFA_F_NODAD);
		assert_int_equal(read_address(&d, &seen), 0);
		assert_string_equal(seen.text, rows[i].expected);
	}
}

static void keep_time(void *context, const struct link_address *address)
{
	*(uint32_t *)context = address->made;
}

/* When an address was added: as the kernel says it, or not at all. */
static void test_times(void **state)
{
	static const struct {
		size_t size;
		uint32_t expected;
	} rows[] = {{sizeof(struct ifa_cacheinfo), 4711}, {sizeof(struct ifa_cacheinfo) + 8, 4711},
		{sizeof(struct ifa_cacheinfo) - 4, 0}, {0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct ifa_cacheinfo times[2] = {{.cstamp = 4711, .tstamp = 7}};
		struct datagram d = {.size = 0};
		uint32_t made = 1;
		struct address_reader reader = {keep_time, &made};

		begin_address(&d, AF_INET, 24);
		ip(&d, IFA_LOCAL, "172.16.2.1");
		if (rows[i].size)
			attribute(&d, IFA_CACHEINFO, times, rows[i].size);
		assert_int_equal(read_with(&d, reply_take_address, &reader), 0);
		assert_int_equal(made, rows[i].expected);
	}
}

static void test_routes(void **state)
{
	static const struct {
		int family;
		unsigned char prefix;
		unsigned int flags;
		const char *destination, *expected;
	} rows[] = {
		{AF_INET, 24, 0, "172.16.2.0", "4=172.16.2.0/24 "},
		{AF_INET, 0, 0, NULL, "4=0.0.0.0/0 "},
		{AF_INET6, 64, 0, "fd00:2::", "4=fd00:2::/64 "},
		{AF_INET6, 0, 0, NULL, "4=::/0 "},
		{AF_INET6, 128, RTM_F_CLONED, "fd00:2::7", ""}, /* a cache's */
		{AF_MPLS, 20, 0, NULL, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datagram d = {.size = 0};
		struct seen seen;

		begin_route(&d, rows[i].family, rows[i].prefix, rows[i].flags);
		if (rows[i].destination)
			ip(&d, RTA_DST, rows[i].destination);
		number(&d, RTA_OIF, 4);
		assert_int_equal(read_route(&d, &seen), 0);
		assert_string_equal(seen.text, rows[i].expected);
	}
}

/* RTA_MULTIPATH { hop hop hop }: with attributes of its own, without, and as the kernel never writes one. */
static void test_several_paths(void **state)
{
	static const struct {
		unsigned short lengths[3];
		size_t cut;
		int result;
		const char *expected;
	} rows[] = {
		{{8, 8, 8}, 0, 0, "10=10.0.0.0/8 11=10.0.0.0/8 12=10.0.0.0/8 "},
		{{16, 8, 0}, 8, 0, "10=10.0.0.0/8 11=10.0.0.0/8 "},
		{{15, 8, 0}, 8, 0, "10=10.0.0.0/8 11=10.0.0.0/8 "},
		{{8, 8, 8}, 4, -EPROTO, "10=10.0.0.0/8 11=10.0.0.0/8 "},
		{{7, 8, 8}, 0, -EPROTO, ""},
		{{0, 8, 8}, 0, -EPROTO, ""},
		{{60, 8, 8}, 0, -EPROTO, ""},
		{{8, 8, 65535}, 0, -EPROTO, "10=10.0.0.0/8 11=10.0.0.0/8 "},
		{{8, 8, 8}, 24, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datagram d = {.size = 0};
		unsigned char paths[64] = {0};
		struct seen seen;
		size_t at = 0;

		for (int hop = 0; hop < 3; hop++) {
			const struct rtnexthop header = {.rtnh_len = rows[i].lengths[hop], .rtnh_ifindex = 10 + hop};

			memcpy(paths + at, &header, sizeof(header));
			at += rows[i].lengths[hop] == 16 || rows[i].lengths[hop] == 15 ? 16 : 8;
		}
		begin_route(&d, AF_INET, 8, 0);
		ip(&d, RTA_DST, "10.0.0.0");
		attribute(&d, RTA_MULTIPATH, paths,
			(rows[i].lengths[0] == 16 || rows[i].lengths[0] == 15 ? 32 : 24) - rows[i].cut);
		assert_int_equal(read_route(&d, &seen), rows[i].result);
		assert_string_equal(seen.text, rows[i].expected);
	}
}

static void test_what_the_kernel_never_says(void **state)
{
	struct seen seen;

	(void)state;
	for (int row = 0; row < 5; row++) {
		struct datagram a = {.size = 0}, r = {.size = 0};

		begin_address(&a, row == 0 ? AF_INET : AF_INET6, row == 0 ? 33 : row == 1 ? 129 : 24);
		begin_route(&r, row == 0 ? AF_INET : AF_INET6, row == 0 ? 33 : row == 1 ? 129 : 24, 0);
		if (row == 2) { /* of the other family */
			ip(&a, IFA_LOCAL, "172.16.2.1");
			ip(&r, RTA_DST, "172.16.2.0");
		}
		if (row == 3)
			a.message->nlmsg_type = r.message->nlmsg_type = RTM_NEWLINK;
		if (row == 4) { /* cut inside of its header */
			a.message->nlmsg_len = NLMSG_HDRLEN + 4;
			r.message->nlmsg_len = NLMSG_HDRLEN + 4;
			a.size = r.size = NLMSG_HDRLEN + 4;
		}
		assert_int_equal(read_address(&a, &seen), -EPROTO);
		assert_string_equal(seen.text, "");
		assert_int_equal(read_route(&r, &seen), -EPROTO);
		assert_string_equal(seen.text, "");
	}
	struct datagram d = {.size = 0};

	begin_route(&d, AF_INET, 8, 0);
	attribute(&d, RTA_OIF, "\1\2", 2);
	assert_int_equal(read_route(&d, &seen), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_several_paths),
		cmocka_unit_test(test_what_the_kernel_never_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
