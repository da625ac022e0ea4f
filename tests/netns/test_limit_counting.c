/*
 * max= where links come and go between all of a list's parts. Kernels of now list so that this spoils no count. On an
 * older one, which uname(2) plays here, no count is ever had: the helper says that, and not that the limit is reached.
 */
#include "tests/netns/harness.h"

#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LINKS = 60,	    /* a list of several datagrams */
	LONG_ENOUGH = 9000, /* milliseconds that it counts for, at least */
};

/* While it is root: such a tracer takes no privilege from a setuid program. */
static void be_traced(const struct call *call)
{
	(void)call;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(124);
}

/* uname(2) says 2.6: in setuid programs, too (personality(2)). */
static void go_to_an_old_kernel(const struct call *call)
{
	(void)call;
	if (personality(PER_LINUX | UNAME26) < 0)
		_exit(124);
}

static bool is_about_to_receive(pid_t pid)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY &&
	       info.entry.nr == SYS_recvmsg;
}

/* Before each part of an answer that the helper receives, a link comes and goes. */
static struct result run_among_changes(const struct call *call)
{
	struct running running = start(call);
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	siginfo_t info;

	while (waitid(P_PID, (id_t)running.pid, &info, WSTOPPED | WEXITED | WNOWAIT) == 0 &&
		info.si_code == CLD_TRAPPED) {
		/* Told apart from other stops, for PTRACE_GET_SYSCALL_INFO. */
		ptrace(PTRACE_SETOPTIONS, running.pid, NULL, PTRACE_O_TRACESYSGOOD);
		if (is_about_to_receive(running.pid))
			assert_true(ioctl(control, SIOCBRADDBR, "change") == 0 &&
				    ioctl(control, SIOCBRDELBR, "change") == 0);
		assert_int_equal(waitpid(running.pid, NULL, __WALL), running.pid);
		ptrace(PTRACE_SYSCALL, running.pid, NULL, NULL);
	}
	close(control);
	return finish(&running);
}

/* As link/interface.c has it: since 6.12. */
static bool kernel_lists_by_index(void)
{
	char *end;
	unsigned long major = strtoul(first_line("/proc/sys/kernel/osrelease"), &end, 10);

	return major > 6 || (major == 6 && strtoul(end + 1, NULL, 10) >= 12);
}

/*
 *	alice --- ? --- br0, max=1, while other links come and go
 */
static void test_links_that_come_and_go(void **state)
{
	struct result result;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 max=1\n");
	for (int i = 0; i < LINKS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "tap%d", i);
		make_tap(name, BOB, 0);
	}
	if (kernel_lists_by_index()) {
		result = run_among_changes(&(struct call){.about = "a kernel of now", .as_root = be_traced});
		assert_granted(&result, "br0");
		give_back(&result);
	}
	result = run_among_changes(&(struct call){
		.about = "an old kernel", .as_root = be_traced, .as_caller = go_to_an_old_kernel, .patience = 40000});
	assert_refused(&result, 1, "cannot tell in time whether uid 1000 may have one more tap on 'br0'");
	EXPECT(&result, result.elapsed >= LONG_ENOUGH);
	assert_int_equal(count_taps(), LINKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_links_that_come_and_go),
	};

	return RUN_TESTS(tests);
}
