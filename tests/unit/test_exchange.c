// SPDX-License-Identifier: MIT
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
#include <sys/socket.h>
#include <time.h>
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
		assert_int_equal(exchange(link, NULL, NULL), depth > 4 ? -ENOMEM : answer());
	}
	link_close(link);
}

/*
 * Any process may send to a netlink socket of this user's namespace (netlink(7)): what a stranger says first, with the
 * number of the question and of the socket guessed, is not the kernel's answer. The control is that it came: the answer
 * of the kernel's own is not taken either, as nobody knows then what is what.
 */
static void test_a_strangers_answer(void **state)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	socklen_t size = sizeof(address);
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer = {.header = {.nlmsg_len = sizeof(answer), .nlmsg_type = NLMSG_ERROR}, .error = {.error = -EXDEV}};
	int stranger = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct link *link = NULL;
	time_t first = 0;

	(void)state;
	do { /* the first number is the second of the day in which the socket was made (nl_socket_alloc) */
		link_close(link);
		first = time(NULL);
		assert_int_equal(link_open(&link), 0);
	} while (time(NULL) != first);
	assert_int_equal(getsockname(link_descriptor(link), (struct sockaddr *)&address, &size), 0);
	answer.header.nlmsg_seq = (uint32_t)first;
	answer.header.nlmsg_pid = address.nl_pid;
	if (sendto(stranger, &answer, sizeof(answer), 0, (struct sockaddr *)&address, size) < 0) {
		assert_int_equal(errno, EPERM); /* not root */
		skip();
	}
	assert_int_equal(change(link, 100), -EPROTO);
	close(stranger);
	link_close(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_a_strangers_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
