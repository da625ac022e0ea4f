// SPDX-License-Identifier: MIT
/* Attempts in the two sandboxes. */
#include "tests/netns/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/helper.h"

/* In the first sandbox, and on to the others if they are wanted, with descriptors as the helper has them. */
static void enter(enum stage stage)
{
	struct outcome outcome = {.code = EXIT_SENT};
	struct order order = {.log = -1};
	int pair[2], null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, FD_ERROR) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || dup2(pair[1], OTHER_PEER) < 0 ||
		dup2(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), OTHER_NETLINK) < 0 ||
		dup2(socket(AF_UNIX, SOCK_DGRAM, 0), OTHER_SOCKET) < 0 ||
		dup2(open("/dev/net/tun", O_RDWR), OTHER_TAP) < 0 || dup2(open("/run/tmp/file", O_RDWR), FILE_FD) < 0 ||
		dup2(pair[0], FD_PEER) < 0 || dup2(OTHER_NETLINK, FD_NETLINK) < 0 || dup2(OTHER_TAP, FD_TAP) < 0 ||
		dup2(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), FD_NFTABLES) < 0 ||
		close_range(FD_OTHERS, OTHER_NETLINK - 1, 0) < 0)
		_exit(253);
	if (!report_open_log(&order, &outcome) || dup2(order.log, FD_LOG) < 0 ||
		!privileges_keep_net_admin(&order, false, &outcome) || !sandbox_for_work(&outcome) ||
		(stage >= READING && !sandbox_for_reading(&outcome)))
		_exit(251);
	if (stage == SENDING) {
		privileges_drop_all();
		if (!sandbox_for_sending(FD_LOG, 1, &outcome))
			_exit(250);
	}
}

static long make(const struct attempt *attempt)
{
	const long *a = attempt->arguments;

	return attempt->function ? attempt->function() : syscall(attempt->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void check_attempts(const struct attempt *attempts, size_t count, enum stage stage)
{
	const struct rlimit none = {0, 0};
	unsigned int wrong = 0;

	write_file("/run/tmp/file", "content", 0666, 0, 0);
	for (size_t i = 0; i < count; i++) {
		const struct attempt *attempt = &attempts[i];
		pid_t child = fork();
		int status, got;

		if (child == 0) {
			setrlimit(RLIMIT_CORE, &none);
			enter(stage);
			errno = 0;
			_exit(make(attempt) < 0 ? errno : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		got = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) == SIGSYS ? KILLED : 1000;
		if (got == attempt->expected)
			continue;
		print_error("%s: expected %d (%s), got %d\n", attempt->about, attempt->expected,
			attempt->expected == KILLED ? "killed" : strerror(attempt->expected), got);
		wrong++;
	}
	assert_int_equal(wrong, 0);
	assert_string_equal(first_line("/run/tmp/file"), "content");
}
