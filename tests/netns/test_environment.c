// SPDX-License-Identifier: MIT
/*
 * What a process inherits: environment, signals, timers, directory, priority. Where it is harmless it makes no
 * difference; where it ends the helper, the end is a full grant or nothing at all. (Limits: test_rlimits.c.)
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 *	alice --- tap or not --- br0, with an environment that libraries would obey
 *
 * The same as without: nothing more on standard error, the same message, the same line in the log.
 */
static void test_hostile_environment(void **state)
{
	static const char *const variables[] = {"NLCB=debug", "NLDBG=9", "NLSYSCONFDIR=/run/tmp", "LD_DEBUG=all",
		"LD_PRELOAD=/run/tmp/evil.so", "LD_LIBRARY_PATH=/run/tmp", "LD_AUDIT=/run/tmp/evil.so",
		"LD_BIND_NOW=", "LD_SHOW_AUXV=1", "GLIBC_TUNABLES=glibc.malloc.check=3:glibc.malloc.perturb=85",
		"MALLOC_PERTURB_=85", "MALLOC_CHECK_=3", "MALLOC_ARENA_MAX=1", "LOCPATH=/run/tmp", "LC_ALL=de_DE.UTF-8",
		"LANGUAGE=de", "NLSPATH=/run/tmp/%N", "GCONV_PATH=/run/tmp", "TZ=/run/tmp/zone", "TZDIR=/run/tmp",
		"TMPDIR=/run/tmp", "HOME=/run/tmp", "PATH=/run/tmp", "IFS=/", "RES_OPTIONS=debug",
		"HOSTALIASES=/run/tmp/x", "PWD=/", "SHELLOPTS=xtrace", "=", "", "NAME", "A=\n\x1b[2J", NULL};
	static const char *const tracing[] = {"LD_TRACE_LOADED_OBJECTS=1", NULL}, *const profiling[] = {
											  "LD_PROFILE=libc.so.6", NULL};
	const char *all[COUNT(variables) + 1];
	struct result result;

	(void)state;
	by_setuid_alone();
	prepare_br0();
	memcpy(all, variables, sizeof(variables));
	for (size_t i = 0; i < COUNT(variables); i++) {
		const char *const one[] = {variables[i], NULL};
		const struct call good = {.about = variables[i], .envp = variables[i] ? one : all};
		struct call bad = good;

		bad.argv = ARGS("--br=br1", FD);
		expect_grant(&good, "br0");
		expect_refusal(&bad, 3,
			"tapgate-helper: uid 1000 may not use 'br1': no rule allows it, and the policy has no network "
			"of that name; see: tapgate networks (of a bridge, an administrator can add 'allow br1 "
			"user=#1000' to /etc/tapgate.conf)\n");
	}
	/* Two that some dynamic linkers obey all the same: they end the process, or complain (glibc, elf/rtld.c). */
	expect_all_or_nothing(&(struct call){.about = "tracing", .envp = tracing}, "br0");
	result = run(&(struct call){.about = "profiling", .envp = profiling});
	result.errors_size = 0;
	assert_granted(&result, "br0");
}

/* --- signals and timers ------------------------------------------------------------------------------------------- */

static void block_all(const struct call *call)
{
	sigset_t all;

	(void)call;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void ignore_all(const struct call *call)
{
	(void)call;
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_IGN);
}

static void block_and_ignore_all(const struct call *call)
{
	block_all(call);
	ignore_all(call);
}

static void start_timers(const struct call *call)
{
	const struct itimerval often = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};

	(void)call;
	setitimer(ITIMER_REAL, &often, NULL);
	setitimer(ITIMER_VIRTUAL, &often, NULL);
	setitimer(ITIMER_PROF, &often, NULL);
}

static void block_and_start_timers(const struct call *call)
{
	block_all(call);
	start_timers(call);
}

static void ignore_and_start_timers(const struct call *call)
{
	ignore_all(call);
	start_timers(call);
}

static void set_alarm(const struct call *call)
{
	(void)call;
	alarm(1);
}

static void leave_signals_pending(const struct call *call)
{
	block_all(call);
	raise(SIGTERM);
	raise(SIGALRM);
}

static void stop_at_once(const struct call *call)
{
	(void)call;
	kill(getpid(), SIGCONT);
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static void clear_umask(const struct call *call)
{
	(void)call;
	umask(0);
}

static void full_umask(const struct call *call)
{
	(void)call;
	umask(0777);
}

static void delete_directory(const struct call *call)
{
	char path[] = "/run/tmp/gone.XXXXXX";

	(void)call;
	if (!mkdtemp(path) || chdir(path) < 0 || rmdir(path) < 0)
		_exit(124);
}

static void closed_directory(const struct call *call)
{
	(void)call;
	if (mkdir("/run/tmp/closed", 0700) < 0 && errno != EEXIST)
		_exit(124);
	if (chdir("/run/tmp/closed") < 0)
		_exit(124);
}

static void be_nice(const struct call *call)
{
	const struct sched_param none = {0};

	(void)call;
	(void)!nice(19);
	sched_setscheduler(0, SCHED_IDLE, &none);
}

static void new_session(const struct call *call)
{
	(void)call;
	setsid();
}

static void adopt_children(const struct call *call)
{
	(void)call;
	/* A child that ends while the helper runs, and that it never knew of: SIGCHLD. */
	if (fork() == 0) {
		usleep(1000);
		_exit(0);
	}
}

/*
 *	alice --- tap --- br0, from a process that is odd in one way
 */
static void test_odd_processes(void **state)
{
	static const struct {
		const char *about;
		void (*as_root)(const struct call *), (*as_caller)(const struct call *);
	} rows[] = {
		{"all signals blocked", NULL, block_all},
		{"all signals ignored", NULL, ignore_all},
		{"all blocked and ignored", NULL, block_and_ignore_all},
		{"all ignored, and timers", NULL, ignore_and_start_timers},
		{"an alarm", NULL, set_alarm},
		{"umask 0", NULL, clear_umask},
		{"umask 777", NULL, full_umask},
		{"a directory that is gone", NULL, delete_directory},
		{"a directory that is closed to her", closed_directory, NULL},
		{"nice 19, and idle", NULL, be_nice},
		{"a session of its own", NULL, new_session},
		{"a child that it does not know", NULL, adopt_children},
		{"SIGCONT", NULL, stop_at_once},
	};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct call call = {.about = rows[i].about, .as_root = rows[i].as_root, .as_caller = rows[i].as_caller};

		for (int round = 0; round < 3; round++)
			expect_grant(&call, "br0");
		call.argv = ARGS("--br=br1", FD);
		expect_refusal(&call, 3, "no rule allows it");
	}
}

/*
 *	alice --- tap or nothing --- br0, while signals come that end a process
 */
static void test_deadly_signals(void **state)
{
	static const struct {
		const char *about;
		void (*as_caller)(const struct call *);
	} rows[] = {
		{"timers", start_timers},
		{"timers whose signals are blocked", block_and_start_timers},
		{"signals that are pending", leave_signals_pending},
	};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int round = 0; round < 10; round++)
			expect_all_or_nothing(
				&(struct call){.about = rows[i].about, .as_caller = rows[i].as_caller}, "br0");
	}
}

static void want_core(const struct call *call)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_CORE, &all);
	if (chdir("/run/tmp") < 0)
		_exit(124);
	(void)call;
}

/*
 *	alice --- tap, whose helper is stopped, and crashes --- br0
 *
 * No core file, and nothing left.
 */
static void test_crashes(void **state)
{
	static const int signals[] = {SIGSEGV, SIGABRT, SIGQUIT, SIGSYS, SIGBUS, SIGXCPU};

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 max=1\n");
	for (size_t i = 0; i < COUNT(signals); i++) {
		struct running running =
			start_stopped(&(struct call){.about = "crash", .as_root = want_core}, tap_is_signed);
		glob_t found;
		struct result result;

		kill(running.pid, signals[i]);
		let_go_on(&running);
		result = finish(&running);
		assert_nothing_sent(&result, 128 + signals[i]);
		EXPECT(&result, !WCOREDUMP(result.status));
		EXPECT(&result, count_taps() == 0);
		EXPECT(&result, glob("/core*", 0, NULL, &found) == GLOB_NOMATCH);
		EXPECT(&result, glob("/run/tmp/core*", 0, NULL, &found) == GLOB_NOMATCH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hostile_environment),
		TEST(test_odd_processes),
		TEST(test_deadly_signals),
		TEST(test_crashes),
	};

	return RUN_TESTS(tests);
}
