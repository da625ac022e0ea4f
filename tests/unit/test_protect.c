// SPDX-License-Identifier: MIT
/*
 * What the kernel cannot give (helper/protect.c): from what it says of a bridge and of a port, for settings that the
 * kernel at hand may well have. Code 4, as the policy asks for what is not there; 1 where it is there, and was changed.
 */
#include <linux/if_link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helper/helper.h"
#include "policy/kernel.h"

static struct permit permit_with(uint32_t given)
{
	struct permit permit = {.options = {.given = given, .vlan = 7}, .by_rule = given};

	snprintf(permit.rule, sizeof(permit.rule), "%s", "/etc/tapgate.conf:1 (allow br0)");
	snprintf(permit.network.name, sizeof(permit.network.name), "br0");
	return permit;
}

static void test_bridge(void **state)
{
	static const struct {
		uint32_t given;
		bool stp, knows_vlans, vlan_filtering;
		int code;
		const char *text;
	} rows[] = {
		{OPTION_VLAN, false, false, false, 4,
			"the bridges of this kernel know no VLANs, so vlan=7 of /etc/tapgate.conf:1 (allow br0) "},
		{OPTION_VLAN, false, true, false, 1, "bridge 'br0' does not look at VLANs, so vlan=7 "},
		{OPTION_VLAN, false, true, true, 0, ""},
		{OPTION_GUARD, false, true, true, 1, "bridge 'br0' passes BPDUs on"},
		{OPTION_GUARD, true, false, false, 0, ""},
		{OPTION_ISOLATED | OPTION_LOCK_MAC, false, false, false, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct permit permit = permit_with(rows[i].given);
		const struct link_interface bridge = {.index = 2,
			.name = "br0",
			.stp = rows[i].stp,
			.knows_vlans = rows[i].knows_vlans,
			.vlan_filtering = rows[i].vlan_filtering};
		struct outcome outcome = {.code = EXIT_SENT};

		assert_int_equal(protect_possible(&permit, &bridge, &outcome), rows[i].code == 0);
		assert_int_equal(outcome.code, rows[i].code);
		assert_memory_equal(outcome.text, rows[i].text, strlen(rows[i].text));
	}
}

static void test_port(void **state)
{
	static const struct {
		uint32_t given;
		uint64_t known, on;
		int code;
		const char *text;
	} rows[] = {
		{OPTION_ISOLATED, 0, 0, 4,
			"this kernel does not give 'isolated' of /etc/tapgate.conf:1 (allow br0), which takes Linux "
			"4.18 or newer; "},
		{OPTION_ISOLATED, LINK_PORT(IFLA_BRPORT_ISOLATED), 0, 1,
			"'isolated' of the tap 'tg1-0' was switched off meanwhile; try again"},
		{OPTION_ISOLATED, LINK_PORT(IFLA_BRPORT_ISOLATED), LINK_PORT(IFLA_BRPORT_ISOLATED), 1,
			"cannot read back what keeps the tap 'tg1-0' and the host apart: "}, /* there is none */
		{OPTION_LOCK_MAC, LINK_PORT(IFLA_BRPORT_LEARNING), 0, 4, "this kernel does not give 'lock-mac' of "},
		{OPTION_LOCK_MAC, LINK_PORT(BRPORT_LOCKED) | LINK_PORT(IFLA_BRPORT_LEARNING),
			LINK_PORT(BRPORT_LOCKED) | LINK_PORT(IFLA_BRPORT_LEARNING), 1,
			"'lock-mac' of the tap 'tg1-0' was switched off meanwhile; try again"},
		{OPTION_GUARD, LINK_PORT(IFLA_BRPORT_GUARD), LINK_PORT(IFLA_BRPORT_GUARD), 4,
			"this kernel does not give 'guard' of "},
	};
	struct network network = {.bridge = {.index = 2}};
	const struct port port = {.name = "tg1-0", .tap = INT32_MAX};

	(void)state;
	assert_int_equal(link_open(&network.link), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct permit permit = permit_with(rows[i].given);
		const struct link_interface tap = {.port = {rows[i].known, rows[i].on}};
		struct outcome outcome = {.code = EXIT_SENT};

		assert_int_equal(protect_holds(&permit, &network, &port, &tap, &outcome), rows[i].code == 0);
		assert_int_equal(outcome.code, rows[i].code);
		assert_memory_equal(outcome.text, rows[i].text, strlen(rows[i].text));
	}
	network_close(&network);
}

/* The kernel is asked for the VLAN of the port in any case; the loopback interface is in none. */
static void test_vlan(void **state)
{
	const struct permit permit = permit_with(OPTION_VLAN), without = permit_with(0);
	const struct port port = {.name = "tg1-0", .tap = 1};
	const struct link_interface tap = {.index = 1};
	struct network network = {.bridge = {.index = 2}};
	struct outcome outcome = {.code = EXIT_SENT};

	(void)state;
	assert_int_equal(link_open(&network.link), 0);
	assert_false(protect_holds(&without, &network, &port, &tap, &outcome)); /* for other reasons */
	assert_null(strstr(outcome.text, "VLAN"));
	outcome = (struct outcome){.code = EXIT_SENT};
	assert_false(protect_holds(&permit, &network, &port, &tap, &outcome));
	assert_int_equal(outcome.code, EXIT_SYSTEM);
	assert_non_null(strstr(outcome.text, "VLAN"));
	link_close(network.link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bridge), cmocka_unit_test(test_port), cmocka_unit_test(test_vlan)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
