// SPDX-License-Identifier: MIT
/*
 * The stages of isolation, each for good. Seccomp kills the process at the first system call that is not on the stage's
 * list (helper/filters.def).
 */
#include "helper/filters.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The filters were made when tapgate was built (helper/filters.awk): seccomp(2) loads them as they are. Then the filter
 * is asked for its sign: a filter around this process that only says it was loaded is found out.
 */
static bool enter(const struct sock_filter *filter, size_t size, int sign)
{
	struct sock_fprog program = {
		.len = (unsigned short)size,
		.filter = (struct sock_filter *)(uintptr_t)filter, /* read only; the kernel's type does not say so */
	};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		return false;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == -1 && errno == sign)
		return true;
	errno = ENOTRECOVERABLE;
	return false;
}

bool sandbox_for_work(struct outcome *outcome)
{
	return enter(work_filter, sizeof(work_filter) / sizeof(*work_filter), SIGN_OF_WORK) ||
	       refuse_errno(outcome, errno, "cannot enter the seccomp sandbox");
}

bool sandbox_for_reading(struct outcome *outcome)
{
	return enter(reading_filter, sizeof(reading_filter) / sizeof(*reading_filter), SIGN_OF_READING) ||
	       refuse_errno(outcome, errno, "cannot enter the second seccomp sandbox");
}

bool sandbox_for_sending(int log, uint32_t taps, struct outcome *outcome)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	/* What has these numbers is the caller's own, if an early step failed. */
	if (log < 0)
		close(FD_LOG);
	else if (log != FD_LOG)
		dup3(log, FD_LOG, O_CLOEXEC);
	return (close_descriptors(FD_NETLINK, FD_TAP - 1) && close_descriptors(FD_TAP + taps, ~0U) &&
		       enter(sending_filter, sizeof(sending_filter) / sizeof(*sending_filter), SIGN_OF_SENDING)) ||
	       refuse_errno(outcome, errno, "cannot enter the last seccomp sandbox");
}
