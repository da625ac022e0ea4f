// SPDX-License-Identifier: MIT
/* What a process inherits from the one that started it, put in a known state before anything else happens. */
#include "helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	LIFE_MAX = 15, /* seconds; a standard error that takes nothing is waited for one, all else takes milliseconds */
};

/* A descriptor that is made later must never be taken for one of the standard streams. */
static bool open_standard_streams(struct outcome *outcome)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", O_RDWR) != fd)
			return refuse_errno(outcome, errno, "cannot open /dev/null for closed descriptor %d", fd);
	}
	return true;
}

/*
 * exec(2) leaves a signal ignored or at its default, and the mask as it was. Three must neither end nor stop the write
 * of the last line: SIGPIPE, SIGXFSZ and SIGTTOU. Every other signal does what it does, and if it ends the process it
 * ends the tap.
 */
static void reset_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL}, ignore = {.sa_handler = SIG_IGN};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &standard, NULL); /* fails for those that cannot be changed */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	sigaction(SIGTTOU, &ignore, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* No timer of the caller's runs on. */
static void clear_timers(void)
{
	const struct itimerval never = {0};

	setitimer(ITIMER_REAL, &never, NULL);
	setitimer(ITIMER_VIRTUAL, &never, NULL);
	setitimer(ITIMER_PROF, &never, NULL);
}

/* What getrlimit(2) takes: an enumeration in glibc, a number in other C libraries. */
#ifdef __GLIBC__
typedef __rlimit_resource_t limit_number;
#else
typedef int limit_number;
#endif

/* A soft limit is the caller's mood, a hard one the administrator's word. */
static void raise_limits(void)
{
	static const limit_number limits[] = {
		RLIMIT_AS, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_STACK, RLIMIT_SIGPENDING};
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (getrlimit(limits[i], &limit) < 0 || limit.rlim_cur == limit.rlim_max)
			continue;
		limit.rlim_cur = limit.rlim_max;
		setrlimit(limits[i], &limit); /* what stays low fails where it matters */
	}
}

bool state_make_known(struct outcome *outcome)
{
	if (clearenv() != 0)
		return refuse(outcome, EXIT_SYSTEM, "cannot clear the environment");
	umask(077);
	raise_limits();
	clear_timers(); /* before a signal of theirs that is ignored would end the process */
	reset_signals();
	if (!open_standard_streams(outcome))
		return false;
	if (chdir("/") < 0)
		return refuse_errno(outcome, errno, "cannot change to the root directory");
	return true;
}

bool state_close_to_others(bool *had_no_new_privs, struct outcome *outcome)
{
	const struct rlimit none = {0};

	*had_no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return refuse_errno(outcome, errno, "cannot set no_new_privs");
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return refuse_errno(outcome, errno, "cannot set the core limit to 0");
	return state_not_dumpable(outcome);
}

bool state_not_dumpable(struct outcome *outcome)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return refuse_errno(outcome, errno, "cannot make the process undumpable");
	return true;
}

/*
 * On a file system or a standard error that a user serves, reading, closing and writing can take for ever; and its user
 * can stop the process. SIGKILL ends a stopped process, too.
 */
bool state_end_soon(struct outcome *outcome)
{
	const struct itimerspec soon = {.it_value.tv_sec = LIFE_MAX};
	struct sigevent end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	timer_t timer;

	return (timer_create(CLOCK_MONOTONIC, &end, &timer) == 0 && timer_settime(timer, 0, &soon, NULL) == 0) ||
	       refuse_errno(outcome, errno, "cannot have the timer that ends the helper (RLIMIT_SIGPENDING)");
}
