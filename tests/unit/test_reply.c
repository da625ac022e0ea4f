// SPDX-License-Identifier: MIT
/*
 * Netlink answers as messages: errors, lists, and what is around an answer's content. link/exchange.c must take what
 * the kernel says and refuse what it never would. Answers are made here, byte by byte; no socket is opened. (What is
 * said of interfaces: test_reply_interfaces.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/interface.h"

static int read_acknowledgement(struct datagram *d)
{
	struct reply reply = {.sequence = SEQUENCE, .port = PORT, .acknowledge = true};

	return reply_read(&reply, d->bytes, d->size);
}

static void test_errors_are_the_kernels_own(void **state)
{
	struct datagram d = {.size = 0}, acknowledged = {.size = 0};
	struct seen seen;

	(void)state;
	error(&d, -ENODEV);
	assert_int_equal(read_one(&d, &seen), -ENODEV);
	assert_int_equal(read_acknowledgement(&d), -ENODEV);
	error(&acknowledged, 0);
	assert_int_equal(read_acknowledgement(&acknowledged), 0);
	/* an acknowledgement is no interface */
	assert_int_equal(read_one(&acknowledged, &seen), -EPROTO);
	assert_int_equal(seen.count, 0);
}

/* Each row spoils one thing of an otherwise good answer. */
static void other_sequence(struct datagram *d)
{
	interface(d, 5, "br0");
	d->message->nlmsg_seq++;
}

static void other_port(struct datagram *d)
{
	interface(d, 5, "br0");
	d->message->nlmsg_pid++;
}

static void other_type(struct datagram *d)
{
	interface(d, 5, "br0");
	d->message->nlmsg_type = RTM_NEWADDR;
}

static void overrun(struct datagram *d)
{
	begin(d, NLMSG_OVERRUN);
}

static void list_end(struct datagram *d)
{
	const int none = 0;

	begin(d, NLMSG_DONE);
	put(d, &none, sizeof(none));
}

static void positive_error(struct datagram *d)
{
	error(d, 5);
}

static void short_error(struct datagram *d)
{
	const int code = -ENODEV;

	begin(d, NLMSG_ERROR);
	put(d, &code, sizeof(code));
}

static void cut_message(struct datagram *d)
{
	interface(d, 5, "br0");
	d->size -= 4;
}

static void cut_header(struct datagram *d)
{
	begin(d, RTM_NEWLINK);
	d->size = 7;
}

static void length_of_nothing(struct datagram *d)
{
	begin(d, RTM_NEWLINK)->nlmsg_len = 0;
}

static void no_body(struct datagram *d)
{
	begin(d, RTM_NEWLINK);
}

static void nothing(struct datagram *d)
{
	d->size = 0;
}

static void test_what_the_kernel_never_says(void **state)
{
	static const struct spoilt rows[] = {
		{"another sequence", other_sequence},
		{"another port", other_port},
		{"another type", other_type},
		{"overrun", overrun},
		{"end of a list that was not asked for", list_end},
		{"positive error", positive_error},
		{"error cut short", short_error},
		{"message cut short", cut_message},
		{"header cut short", cut_header},
		{"length 0", length_of_nothing},
		{"no body", no_body},
		{"empty datagram", nothing},
	};

	(void)state;
	check_spoilt(rows, sizeof(rows) / sizeof(*rows));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct datagram d = {.size = 0};
		int result;

		rows[i].make(&d);
		result = read_acknowledgement(&d);
		if (result != -EPROTO)
			fail_msg("%s, for an acknowledgement: returned %d", rows[i].name, result);
	}
}

static void test_list(void **state)
{
	struct datagram first = {.size = 0}, last = {.size = 0};
	struct seen seen = {0};
	struct interface_reader reader = {see, &seen};
	struct reply reply = {
		.sequence = SEQUENCE, .port = PORT, .dump = true, .take = reply_take_interface, .context = &reader};

	(void)state;
	interface(&first, 5, "tg1-0");
	interface(&first, 6, "tg1-1");
	list_end(&last);
	assert_int_equal(reply_read(&reply, first.bytes, first.size), 1);
	assert_int_equal(reply_read(&reply, last.bytes, last.size), 0);
	assert_int_equal(seen.count, 2);
	assert_false(reply.interrupted);
}

/* What is cut behind good messages is no list: more may have been lost than is to be seen. */
static void test_list_cut_short(void **state)
{
	static const size_t left[] = {4, NLMSG_HDRLEN, 24};
	struct seen seen = {0};
	struct interface_reader reader = {see, &seen};
	struct reply reply = {
		.sequence = SEQUENCE, .port = PORT, .dump = true, .take = reply_take_interface, .context = &reader};

	(void)state;
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		struct datagram d = {.size = 0};
		size_t whole;

		interface(&d, 5, "tg1-0");
		whole = d.size;
		interface(&d, 6, "tg1-1");
		assert_int_equal(reply_read(&reply, d.bytes, whole), 1);
		assert_int_equal(reply_read(&reply, d.bytes, whole + left[i]), -EPROTO);
	}
}

static void test_interrupted_list(void **state)
{
	struct datagram d = {.size = 0};
	struct seen seen = {0};
	struct interface_reader reader = {see, &seen};
	struct reply reply = {
		.sequence = SEQUENCE, .port = PORT, .dump = true, .take = reply_take_interface, .context = &reader};

	(void)state;
	interface(&d, 5, "tg1-0");
	d.message->nlmsg_flags |= NLM_F_DUMP_INTR;
	assert_int_equal(reply_read(&reply, d.bytes, d.size), 1);
	assert_true(reply.interrupted);
}

static void test_list_that_failed(void **state)
{
	struct datagram d = {.size = 0};
	const int code = -ENOMEM;
	struct seen seen = {0};
	struct interface_reader reader = {see, &seen};
	struct reply reply = {
		.sequence = SEQUENCE, .port = PORT, .dump = true, .take = reply_take_interface, .context = &reader};

	(void)state;
	begin(&d, NLMSG_DONE);
	put(&d, &code, sizeof(code));
	assert_int_equal(reply_read(&reply, d.bytes, d.size), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_are_the_kernels_own),
		cmocka_unit_test(test_what_the_kernel_never_says),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_cut_short),
		cmocka_unit_test(test_interrupted_list),
		cmocka_unit_test(test_list_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
