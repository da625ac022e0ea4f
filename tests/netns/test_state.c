// SPDX-License-Identifier: MIT
/*
 * What the helper makes of the timers and signals that it inherits, asked of the kernel in a process of the test's own:
 * one timer that kills it after 15 seconds, and nothing in its way. (What comes of them in a call: test_environment.c.)
 * And that it is not dumpable. (What its caller can do to it: test_privileges.c.)
 */
#include "tests/netns/harness.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/helper.h"

enum { LIFE = 15 }; /* seconds */

static void set_all(struct timeval value, struct timeval interval)
{
	const struct itimerval timer = {.it_value = value, .it_interval = interval};

	setitimer(ITIMER_REAL, &timer, NULL);
	setitimer(ITIMER_VIRTUAL, &timer, NULL);
	setitimer(ITIMER_PROF, &timer, NULL);
}

static void block_alarm(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void prepare_nothing(void)
{
}

static void prepare_timers(void)
{
	set_all((struct timeval){.tv_sec = 3600}, (struct timeval){.tv_sec = 3600});
}

static void prepare_ignored(void)
{
	signal(SIGALRM, SIG_IGN);
	prepare_timers();
}

static void prepare_blocked(void)
{
	block_alarm();
	prepare_timers();
}

static void prepare_blocked_and_ignored(void)
{
	prepare_ignored();
	block_alarm();
}

/* Timers that expire all the while, unheard. */
static void prepare_frequent(void)
{
	signal(SIGALRM, SIG_IGN);
	signal(SIGVTALRM, SIG_IGN);
	signal(SIGPROF, SIG_IGN);
	set_all((struct timeval){.tv_usec = 100}, (struct timeval){.tv_usec = 100});
}

static bool is_off(int which)
{
	struct itimerval timer;

	return getitimer((__itimer_which_t)which, &timer) == 0 && !timerisset(&timer.it_value) &&
	       !timerisset(&timer.it_interval);
}

/* The number of the first thing that is not so; else it stops itself, to be ended by the timer alone. */
static int find_fault(void)
{
	struct outcome outcome = {.code = EXIT_SENT};
	struct sigaction action;
	sigset_t mask;
	char directory[16];

	if (!state_make_known(&outcome) || !state_end_soon(&outcome))
		return 1;
	if (!is_off(ITIMER_REAL) || !is_off(ITIMER_VIRTUAL) || !is_off(ITIMER_PROF))
		return 2;
	if (sigaction(SIGALRM, NULL, &action) < 0 || action.sa_handler != SIG_DFL)
		return 3;
	if (sigprocmask(SIG_BLOCK, NULL, &mask) < 0 || sigismember(&mask, SIGALRM))
		return 4;
	if (!getcwd(directory, sizeof(directory)) || strcmp(directory, "/") != 0)
		return 5;
	raise(SIGSTOP);
	return 6; /* nobody lets it go on */
}

/* All at once: whatever was inherited, a process that is stopped is killed after 15 seconds. */
static void test_end_after_a_while(void **state)
{
	static const struct {
		const char *about;
		void (*prepare)(void);
	} rows[] = {
		{"nothing", prepare_nothing},
		{"timers of an hour", prepare_timers},
		{"and SIGALRM ignored", prepare_ignored},
		{"and SIGALRM blocked", prepare_blocked},
		{"and SIGALRM blocked and ignored", prepare_blocked_and_ignored},
		{"timers that expire all the while", prepare_frequent},
	};
	pid_t children[COUNT(rows)];
	struct timespec start, end;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (size_t i = 0; i < COUNT(rows); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			rows[i].prepare();
			_exit(chdir("/run") == 0 ? find_fault() : 7);
		}
		note_child(children[i]);
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		forget_child(children[i]);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fail_msg("%s: fault %d, signal %d", rows[i].about, WEXITSTATUS(status), WTERMSIG(status));
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec >= LIFE - 1 && end.tv_sec - start.tv_sec <= LIFE + 3);
}

/* Where no timer can be had, as the user has as many signals pending as may be, there is no tap. */
static void allow_no_signals(const struct call *call)
{
	const struct rlimit none = {0, 0};

	(void)call;
	setrlimit(RLIMIT_SIGPENDING, &none);
}

static void test_no_timer(void **state)
{
	(void)state;
	by_setuid_alone();
	prepare_br0();
	expect_refusal(&(struct call){.about = "no timer", .as_caller = allow_no_signals}, 1,
		"cannot have the timer that ends the helper (RLIMIT_SIGPENDING): ");
}

/* The number of the step that left the process dumpable. */
static int find_dumpable(void)
{
	struct outcome outcome = {.code = EXIT_SENT};
	struct order order = {.log = -1};
	bool had_no_new_privs;

	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (!state_close_to_others(&had_no_new_privs, &outcome) || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 1;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (!privileges_keep_net_admin(&order, had_no_new_privs, &outcome) || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 2;
	return 0;
}

/*
 * A setuid program, and whoever changes ids, is as dumpable as fs.suid_dumpable says (proc_sys_fs(5)), which holds for
 * the whole machine. So each of the two steps is done by a process that is dumpable, and is not when it is done.
 */
static void test_not_dumpable(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(find_dumpable());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_end_after_a_while),
		TEST(test_no_timer),
		TEST(test_not_dumpable),
	};

	return RUN_TESTS(tests);
}
