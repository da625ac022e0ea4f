/*
 * What the helper makes of the timers and signals that it inherits, asked of the kernel in a process of the test's own:
 * one timer that ends it after a minute, and nothing in its way. (What comes of them in a call: test_environment.c.)
 */
#include "tests/netns/harness.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/state.h"

enum { MINUTE = 60 };

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

/* The number of the first thing that is not so, or 0. */
static int find_fault(void)
{
	struct outcome outcome = {.code = EXIT_SENT};
	struct itimerval timer;
	struct sigaction action;
	sigset_t mask;

	if (!state_make_known(&outcome))
		return 1;
	if (getitimer(ITIMER_REAL, &timer) < 0 || timerisset(&timer.it_interval))
		return 2;
	if (!timerisset(&timer.it_value) || timer.it_value.tv_sec > MINUTE ||
		(timer.it_value.tv_sec == MINUTE && timer.it_value.tv_usec > 0))
		return 3;
	if (timer.it_value.tv_sec < MINUTE / 2)
		return 4; /* it was set just now */
	if (!is_off(ITIMER_VIRTUAL) || !is_off(ITIMER_PROF))
		return 5;
	if (sigaction(SIGALRM, NULL, &action) < 0 || action.sa_handler != SIG_DFL)
		return 6;
	if (sigprocmask(SIG_BLOCK, NULL, &mask) < 0 || sigismember(&mask, SIGALRM))
		return 7;
	return 0;
}

static void test_end_after_a_minute(void **state)
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

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			rows[i].prepare();
			_exit(find_fault());
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (status)
			fail_msg("%s: fault %d, signal %d", rows[i].about, WEXITSTATUS(status), WTERMSIG(status));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_end_after_a_minute),
	};

	return RUN_TESTS(tests);
}
