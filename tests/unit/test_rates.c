// SPDX-License-Identifier: MIT
/*
 * What the kernel says of a tap's rates (link/tc.c): they stand if nothing but the rate that was set is there, at the
 * place where it was set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "link/link.h"
#include "tests/unit/datagram.h"

enum { TAP = 7, KBIT = 1000, BYTES = 125000 };

/* Whether a root qdisc is the token bucket that was set. */
static bool is_shaped(const char *kind, uint32_t rate, uint32_t peak)
{
	const struct tcmsg header = {.tcm_ifindex = TAP, .tcm_parent = TC_H_ROOT};
	const struct tc_tbf_qopt shaping = {.rate.rate = rate, .peakrate.rate = peak};
	struct rate_reader reader = {.index = TAP, .kbit = KBIT};
	struct datagram d = {.size = 0};
	size_t options;

	begin(&d, RTM_NEWQDISC);
	put(&d, &header, sizeof(header));
	text(&d, TCA_KIND, kind);
	options = open_nest(&d, TCA_OPTIONS);
	attribute(&d, TCA_TBF_PARMS, &shaping, sizeof(shaping));
	close_nest(&d, options);
	assert_int_equal(read_with(&d, reply_take_shaping, &reader), 0);
	return reader.same;
}

static void test_out(void **state)
{
	(void)state;
	assert_true(is_shaped("tbf", BYTES, 0));
	assert_false(is_shaped("tbf", BYTES + 1, 0));
	assert_false(is_shaped("tbf", BYTES - 1, 0));
	assert_false(is_shaped("tbf", BYTES, 2 * BYTES)); /* a second bucket, of another burst */
	assert_false(is_shaped("tbfx", BYTES, 0));
	assert_false(is_shaped("fq", BYTES, 0));
}

/* A filter's place, and its first action. */
struct filter {
	uint32_t handle, priority;
	const char *kind;
	int action;
	uint32_t rate;
};

/* Whether it is the police that was set. */
static bool is_policed(const struct filter *filter)
{
	const struct tcmsg header = {.tcm_ifindex = TAP,
		.tcm_handle = filter->handle,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		.tcm_info = TC_H_MAKE(filter->priority << 16, htons(ETH_P_ALL))};
	const struct tc_police policing = {.action = filter->action, .rate.rate = filter->rate};
	struct rate_reader reader = {.index = TAP, .kbit = KBIT};
	struct datagram d = {.size = 0};
	size_t options, actions, first, inner;

	begin(&d, RTM_NEWTFILTER);
	put(&d, &header, sizeof(header));
	options = open_nest(&d, TCA_OPTIONS);
	actions = open_nest(&d, TCA_BPF_ACT);
	first = open_nest(&d, 1);
	text(&d, TCA_ACT_KIND, filter->kind);
	inner = open_nest(&d, TCA_ACT_OPTIONS);
	attribute(&d, TCA_POLICE_TBF, &policing, sizeof(policing));
	close_nest(&d, inner);
	close_nest(&d, first);
	close_nest(&d, actions);
	close_nest(&d, options);
	assert_int_equal(read_with(&d, reply_take_policing, &reader), 0);
	return reader.same;
}

static void test_in(void **state)
{
	static const struct filter others[] = {
		{2, 2, "police", TC_POLICE_SHOT, BYTES},
		{1, 1, "police", TC_POLICE_SHOT, BYTES},
		{1, 3, "police", TC_POLICE_SHOT, BYTES},
		{1, 2, "gact", TC_POLICE_SHOT, BYTES},
		{1, 2, "police", TC_POLICE_OK, BYTES}, /* what is above the rate passes */
		{1, 2, "police", TC_POLICE_SHOT, BYTES + 1},
	};

	(void)state;
	assert_true(is_policed(&(struct filter){1, 2, "police", TC_POLICE_SHOT, BYTES}));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(is_policed(&others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_out), cmocka_unit_test(test_in)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
