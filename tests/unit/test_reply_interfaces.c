// SPDX-License-Identifier: MIT
/*
 * What the kernel says of an interface, of a bridge and of a bridge's port (link/exchange.c): what it says is taken,
 * what it never says is refused. (Answers as messages: test_reply.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include <linux/if_bridge.h>
#include <linux/ipv6.h>

#include "tests/unit/interface.h"

static void test_one_interface(void **state)
{
	struct datagram d = {.size = 0};
	struct seen seen;
	const unsigned char mac[6] = {0xfe, 1, 2, 3, 4, 5};
	const uint32_t mtu = 1400, master = 9;

	(void)state;
	interface(&d, 5, "tg1-0");
	attribute(&d, IFLA_ADDRESS, mac, sizeof(mac));
	attribute(&d, IFLA_MTU, &mtu, sizeof(mtu));
	attribute(&d, IFLA_MASTER, &master, sizeof(master));
	text(&d, IFLA_IFALIAS, "tapgate uid=1000 net=br0 vmm=1");
	kind(&d, "tun");
	assert_int_equal(read_one(&d, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last.index, 5);
	assert_string_equal(seen.last.name, "tg1-0");
	assert_string_equal(seen.last.kind, "tun");
	assert_string_equal(seen.last.alias, "tapgate uid=1000 net=br0 vmm=1");
	assert_memory_equal(seen.last.mac, mac, sizeof(mac));
	assert_int_equal(seen.last.mtu, 1400);
	assert_int_equal(seen.last.master, 9);
	assert_int_equal(seen.last.flags, IFF_UP);
}

/* IFLA_LINKINFO { IFLA_INFO_KIND "bridge" IFLA_INFO_DATA { ... } } */
static void test_a_bridge(void **state)
{
	static const struct {
		uint32_t stp, forward_delay;
	} rows[] = {{0, 0}, {1, 1500}, {2, 200}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datagram d = {.size = 0};
		struct seen seen;
		size_t info, data;

		interface(&d, 5, "br0");
		info = open_nest(&d, IFLA_LINKINFO);
		text(&d, IFLA_INFO_KIND, "bridge");
		data = open_nest(&d, IFLA_INFO_DATA);
		number(&d, IFLA_BR_FORWARD_DELAY, rows[i].forward_delay);
		number(&d, IFLA_BR_STP_STATE, rows[i].stp);
		close_nest(&d, data);
		close_nest(&d, info);
		assert_int_equal(read_one(&d, &seen), 0);
		assert_string_equal(seen.last.kind, "bridge");
		assert_int_equal(seen.last.stp, rows[i].stp != 0);
		assert_int_equal(seen.last.forward_delay, rows[i].forward_delay);
		assert_int_equal(seen.last.port.known, 0);
	}
}

/* IFLA_LINKINFO { IFLA_INFO_KIND kind IFLA_INFO_SLAVE_KIND master IFLA_INFO_SLAVE_DATA { IFLA_BRPORT_ISOLATED } } */
static void port(struct datagram *d, const char *master, const void *isolated, size_t size)
{
	size_t info, data;

	interface(d, 5, "tg1-0");
	info = open_nest(d, IFLA_LINKINFO);
	text(d, IFLA_INFO_KIND, "tun");
	text(d, IFLA_INFO_SLAVE_KIND, master);
	data = open_nest(d, IFLA_INFO_SLAVE_DATA);
	attribute(d, IFLA_BRPORT_ISOLATED, isolated, size);
	close_nest(d, data);
	close_nest(d, info);
}

/* Isolated is what the kernel says so of: one byte that is not 0, of a bridge's port. */
static void test_a_port(void **state)
{
	static const struct {
		const char *master;
		unsigned char isolated[4];
		size_t size;
		bool expected;
	} rows[] = {
		{"bridge", {1}, 1, true},
		{"bridge", {0}, 1, false},
		{"bridge", {1, 0, 0, 0}, 4, false},
		{"bridge", {0}, 0, false},
		{"bond", {1}, 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datagram d = {.size = 0};
		struct seen seen;

		port(&d, rows[i].master, rows[i].isolated, rows[i].size);
		assert_int_equal(read_one(&d, &seen), 0);
		assert_string_equal(seen.last.kind, "tun");
		assert_int_equal((seen.last.port.on & LINK_PORT(IFLA_BRPORT_ISOLATED)) != 0, rows[i].expected);
	}
}

/* IFLA_AF_SPEC { AF_INET6 { IFLA_INET6_CONF settings } } of an interface; without them all where `settings` is NULL. */
static bool makes_address(const int32_t *settings, size_t size)
{
	struct datagram d = {.size = 0};
	struct seen seen = {0};
	struct interface_reader reader = {see, &seen};
	size_t spec, inet6;

	interface(&d, 5, "lab");
	if (settings) {
		spec = open_nest(&d, IFLA_AF_SPEC);
		inet6 = open_nest(&d, AF_INET6);
		attribute(&d, IFLA_INET6_CONF, settings, size);
		close_nest(&d, inet6);
		close_nest(&d, spec);
	}
	assert_int_equal(read_with(&d, reply_take_whole_interface, &reader), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.last.name, "lab");
	return seen.last.makes_ipv6_address;
}

/* An older kernel has fewer settings, a newer one more; one without IPv6 says nothing. */
static void test_how_ipv6_addresses_are_made(void **state)
{
	int32_t settings[DEVCONF_ADDR_GEN_MODE + 3] = {[DEVCONF_FORWARDING] = 1, [DEVCONF_ADDR_GEN_MODE + 1] = 1};

	(void)state;
	assert_true(makes_address(settings, sizeof(settings)));
	assert_true(makes_address(settings, (DEVCONF_ADDR_GEN_MODE + 1) * sizeof(*settings)));
	assert_false(makes_address(settings, DEVCONF_ADDR_GEN_MODE * sizeof(*settings)));
	assert_false(makes_address(NULL, 0));
	settings[DEVCONF_ADDR_GEN_MODE] = IN6_ADDR_GEN_MODE_NONE;
	assert_false(makes_address(settings, sizeof(settings)));
	settings[DEVCONF_ADDR_GEN_MODE] = IN6_ADDR_GEN_MODE_STABLE_PRIVACY;
	assert_true(makes_address(settings, sizeof(settings)));
}

/* Each row spoils one thing of an otherwise good answer. */
static void no_index(struct datagram *d)
{
	interface(d, 0, "br0");
}

static void negative_index(struct datagram *d)
{
	interface(d, -3, "br0");
}

static void no_name(struct datagram *d)
{
	interface(d, 5, NULL);
}

static void empty_name(struct datagram *d)
{
	interface(d, 5, "");
}

static void long_name(struct datagram *d)
{
	interface(d, 5, "a-name-of-16-byt");
}

static void name_without_end(struct datagram *d)
{
	interface(d, 5, NULL);
	attribute(d, IFLA_IFNAME, "br0", 3);
}

static void long_kind(struct datagram *d)
{
	interface(d, 5, "br0");
	kind(d, "a-kind-of-more-than-16-bytes");
}

static void long_kind_of_master(struct datagram *d)
{
	port(d, "a-kind-of-more-than-16-bytes", "", 1);
}

static void short_forward_delay(struct datagram *d)
{
	size_t info, data;

	interface(d, 5, "br0");
	info = open_nest(d, IFLA_LINKINFO);
	text(d, IFLA_INFO_KIND, "bridge");
	data = open_nest(d, IFLA_INFO_DATA);
	attribute(d, IFLA_BR_FORWARD_DELAY, "", 1);
	close_nest(d, data);
	close_nest(d, info);
}

static void short_mtu(struct datagram *d)
{
	interface(d, 5, "br0");
	attribute(d, IFLA_MTU, "\1\2", 2);
}

static void negative_master(struct datagram *d)
{
	const uint32_t master = 0x80000000;

	interface(d, 5, "br0");
	attribute(d, IFLA_MASTER, &master, sizeof(master));
}

static void test_what_the_kernel_never_says(void **state)
{
	static const struct spoilt rows[] = {
		{"index 0", no_index},
		{"negative index", negative_index},
		{"no name", no_name},
		{"empty name", empty_name},
		{"name of 16 bytes", long_name},
		{"name without NUL", name_without_end},
		{"kind too long", long_kind},
		{"kind of the master too long", long_kind_of_master},
		{"forward delay of one byte", short_forward_delay},
		{"MTU of two bytes", short_mtu},
		{"negative master", negative_master},
	};

	(void)state;
	check_spoilt(rows, sizeof(rows) / sizeof(*rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_interface),
		cmocka_unit_test(test_a_bridge),
		cmocka_unit_test(test_a_port),
		cmocka_unit_test(test_how_ipv6_addresses_are_made),
		cmocka_unit_test(test_what_the_kernel_never_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
