/*
 * Requests that cannot be made whole (link/exchange.c): nothing of them is sent, and the next one is as if they had not
 * been. Asked of the kernel, about an interface that is not there: whatever is sent is answered with ENODEV.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "link/exchange.h"

/* What the kernel answers: there is no such interface, or whoever asks may not change any. */
static int answer(void)
{
	return geteuid() == 0 ? -ENODEV : -EPERM;
}

static int change(struct link *link, size_t size)
{
	static char alias[1 << 16];
	const struct link_change change = {.alias = alias, .no_ipv6_address = true};

	memset(alias, 'a', size);
	alias[size] = '\0';
	return link_change(link, INT_MAX, &change);
}

static void test_too_long(void **state)
{
	struct link *link;

	(void)state;
	assert_int_equal(link_open(&link), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(change(link, 100), answer());
		assert_int_equal(change(link, 65000), -ENOMEM);
	}
	link_close(link);
}

/* Attributes that hold others: as many deep as are ever needed, and no more. */
static void test_too_deep(void **state)
{
	const struct ifinfomsg header = {.ifi_index = INT_MAX};
	struct link *link;

	(void)state;
	assert_int_equal(link_open(&link), 0);
	for (int depth = 0; depth < 6; depth++) {
		exchange_begin(link, RTM_SETLINK, NLM_F_ACK, &header, sizeof(header));
		for (int i = 0; i < depth; i++)
			exchange_nest(link, IFLA_LINKINFO);
		exchange_put_text(link, IFLA_IFNAME, NULL);
		exchange_put_text(link, IFLA_INFO_KIND, "bridge");
		assert_int_equal(exchange(link, NULL, NULL), depth > 2 ? -ENOMEM : answer());
	}
	link_close(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_too_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
