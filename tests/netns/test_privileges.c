// SPDX-License-Identifier: MIT
/*
 * Privileges while the helper lives: what it holds at each stage, and that the user who started it, and may stop it at
 * any moment, can neither read it nor trace it nor take a descriptor from it.
 */
#include "helper/helper.h"
#include "tests/netns/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- what a user tries on a process ------------------------------------------------------------------------------- */

static bool opens(pid_t pid, const char *file, int mode)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, mode);
	if (fd >= 0)
		fprintf(stderr, "%s could be opened\n", path);
	return fd >= 0;
}

static bool follows(pid_t pid, const char *file)
{
	char path[64], target[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return readlink(path, target, sizeof(target)) >= 0;
}

/* In a process of the user's: the number of the attempt that worked, or 0. */
static int attack(void *context)
{
	static const char *const files[] = {"environ", "maps", "smaps", "auxv", "fdinfo", "fd", "map_files", "io",
		"personality", "syscall", "stack", "pagemap", "ns/net", "root/etc"};
	pid_t pid = *(const pid_t *)context;
	int pidfd = pidfd_open(pid, 0);
	char byte;
	struct iovec here = {&byte, 1}, there = {(void *)(uintptr_t)0x1000, 1};

	if (opens(pid, "mem", O_RDONLY) || opens(pid, "mem", O_RDWR) || opens(pid, "mem", O_WRONLY))
		return 1;
	for (size_t i = 0; i < COUNT(files); i++) {
		if (opens(pid, files[i], O_RDONLY))
			return 2;
	}
	if (follows(pid, "exe") || follows(pid, "cwd") || follows(pid, "root") || follows(pid, "fd/3") ||
		follows(pid, "fd/5") || follows(pid, "fd/6"))
		return 3;
	if (pidfd < 0)
		return 4;
	for (int fd = 0; fd < 8; fd++) {
		if (pidfd_getfd(pidfd, fd, 0) >= 0)
			return 5;
	}
	if (process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0 || errno != EPERM)
		return 6;
	if (syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, 0, 0) >= 0 || errno == EBADF)
		return 7;
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 || errno != EPERM)
		return 8;
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0 || errno != EPERM)
		return 9;
	return 0;
}

static void assert_closed_to(const struct user *user, pid_t pid)
{
	int attempt = as_user(user, attack, &pid);

	if (attempt)
		fail_msg("attempt %d of uid %u on a helper of hers worked", attempt, user->uid);
}

/* --- what a process holds ----------------------------------------------------------------------------------------- */

/* A field of /proc/PID/status, in the form that it has there with blanks for tabs. */
static void assert_status(pid_t pid, const char *field, const char *expected)
{
	const char *line =
		command_line("grep '^%s:' /proc/%d/status | tr -s '\\t ' '  ' | sed 's/ $//'", field, (int)pid);
	char whole[256];

	snprintf(whole, sizeof(whole), "%s: %s", field, expected);
	assert_string_equal(line, whole);
}

static void assert_ids(pid_t pid)
{
	assert_status(pid, "Uid", "1000 1000 1000 1000");
	assert_status(pid, "Gid", "1000 1000 1000 1000");
	assert_status(pid, "Groups", "2000");
	assert_status(pid, "NoNewPrivs", "1");
	assert_status(pid, "Seccomp", "2");
	assert_status(pid, "CapInh", "0000000000000000");
	assert_status(pid, "CapAmb", "0000000000000000");
}

static unsigned int count_descriptors(pid_t pid)
{
	return (unsigned int)strtoul(command_line("ls /proc/%d/fd | wc -l", (int)pid), NULL, 10);
}

static void assert_descriptor(pid_t pid, int fd, const char *expected)
{
	const char *target = command_line("readlink /proc/%d/fd/%d", (int)pid, fd);

	if (strncmp(target, expected, strlen(expected)) != 0)
		fail_msg("descriptor %d of the helper is %s, expected %s", fd, target, expected);
}

static void open_100(const struct call *call)
{
	(void)call;
	for (int i = 0; i < 100; i++)
		(void)!open("/etc/passwd", O_RDONLY);
}

/* A helper that is stopped in the middle of its work. */
static struct running start_waiting_helper(const struct call *call)
{
	make_bridge("br0");
	write_policy("allow br0 max=1\n");
	return start_stopped(call, tap_is_signed);
}

/*
 *	alice --- tap, whose helper is stopped --- br0, max=1
 *	alice --- another process that attacks the helper
 *
 * At work: CAP_NET_ADMIN alone; the standard streams, socket, tap and netlink alone.
 */
static void test_at_work(void **state)
{
	struct running running =
		start_waiting_helper(&(struct call){.about = "at work, with 100 descriptors", .as_caller = open_100});
	struct result result;
	pid_t pid = running.pid;

	(void)state;
	assert_ids(pid);
	assert_status(pid, "CapPrm", "0000000000001000");
	assert_status(pid, "CapEff", "0000000000001000");
	assert_status(pid, "CapBnd", "0000000000000000");
	assert_int_equal(count_descriptors(pid), 7);
	assert_descriptor(pid, FD_PEER, "socket:");
	assert_descriptor(pid, FD_LOG, "socket:");
	assert_descriptor(pid, FD_NETLINK, "socket:");
	assert_descriptor(pid, FD_TAP, "/dev/net/tun");
	assert_string_equal(command_line("tr '\\0' '\\n' </proc/%d/environ | grep -c = || :", (int)pid), "1");
	assert_string_equal(command_line("readlink /proc/%d/cwd", (int)pid), "/");
	assert_closed_to(&alice, pid);
	assert_closed_to(&bob, pid);
	let_go_on(&running);
	result = finish(&running);
	assert_granted(&result, "br0");
	give_back(&result);
}

/*
 *	alice --- tap, whose helper is stopped --- lab, max=1, a network with a guard
 *
 * Besides, it holds the socket by which it reads the guard, out of everybody's reach.
 */
static void test_at_work_beside_a_guard(void **state)
{
	struct running running;
	struct result result;

	(void)state;
	if (!have_program("nft"))
		return;
	make_network("lab", "host-only");
	write_policy("allow lab max=1\nnetwork lab host-only 172.16.2.1/24\n");
	running = start_stopped(
		&(struct call){.about = "beside a guard", .argv = ARGS("--br=lab", FD), .as_caller = open_100},
		tap_is_signed);
	assert_ids(running.pid);
	assert_status(running.pid, "CapEff", "0000000000001000");
	assert_int_equal(count_descriptors(running.pid), 8);
	assert_descriptor(running.pid, FD_NFTABLES, "socket:");
	assert_descriptor(running.pid, FD_TAP, "/dev/net/tun");
	assert_closed_to(&alice, running.pid);
	let_go_on(&running);
	result = finish(&running);
	assert_granted(&result, "lab");
	give_back(&result);
}

/*
 * The same by a file capability: without the bit there is no CAP_SETPCAP, and the bounding set stays as it was.
 */
static void test_at_work_by_a_file_capability(void **state)
{
	struct running running;
	struct result result;

	(void)state;
	if (!have_program("setcap"))
		return;
	command("install -m 755 $HELPER $TMPDIR/helper && setcap cap_net_admin=ep $TMPDIR/helper");
	running = start_waiting_helper(&(struct call){.about = "file capability", .program = "/run/tmp/helper"});
	assert_ids(running.pid);
	assert_status(running.pid, "CapPrm", "0000000000001000");
	assert_status(running.pid, "CapEff", "0000000000001000");
	assert_closed_to(&alice, running.pid);
	let_go_on(&running);
	result = finish(&running);
	assert_granted(&result, "br0");
	give_back(&result);
}

/*
 *	alice --- no tap; the helper waits for a full standard error --- br1, not allowed
 *	alice --- another process that attacks the helper
 *
 * When it speaks: no capability; standard error, socket and log alone.
 */
static void test_at_the_end(void **state)
{
	struct running running;
	struct pollfd end;
	pid_t pid;

	(void)state;
	write_policy("allow br0\n");
	running = start(&(struct call){.about = "at the end", .argv = ARGS("--br=br1", FD), .error = full_pipe()});
	pid = running.pid;
	end = (struct pollfd){.fd = running.pidfd, .events = POLLIN};
	for (int tries = 0;
		tries < 2000 &&
		strcmp(command_line("awk '/^Seccomp_filters/ {print $2} ' /proc/%d/status", (int)pid), "3") != 0;
		tries++)
		usleep(1000);
	assert_ids(pid);
	assert_status(pid, "CapPrm", "0000000000000000");
	assert_status(pid, "CapEff", "0000000000000000");
	assert_status(pid, "CapBnd", "0000000000000000");
	assert_status(pid, "Seccomp_filters", "3");
	assert_int_equal(count_descriptors(pid), 3);
	assert_descriptor(pid, 2, "pipe:");
	assert_descriptor(pid, FD_PEER, "socket:");
	assert_descriptor(pid, FD_LOG, "socket:");
	assert_closed_to(&alice, pid);
	assert_int_equal(poll(&end, 1, 0), 0);
	struct result result = finish(&running);
	assert_nothing_sent(&result, 3);
}

/* Whether the helper's program runs in the process by now. */
static bool runs_helper(pid_t pid)
{
	char path[64], target[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	(void)!readlink(path, target, sizeof(target) - 1);
	return strcmp(target, getenv("HELPER")) == 0;
}

/* Whoever wakes while the helper runs goes before it, so that it can be stopped anywhere on a busy machine. */
static void go_last(const struct call *call)
{
	const struct sched_param none = {0};

	(void)call;
	sched_setscheduler(0, SCHED_IDLE, &none);
}

static void wait_microseconds(long count)
{
	const struct timespec time = {.tv_nsec = count * 1000};

	nanosleep(&time, NULL);
}

/*
 *	alice --- helper (stopped at any moment of its life) --- br0
 *	alice --- another process that attacks the helper
 *
 * From the start to the end, also before the helper has said that it is not to be read: the kernel knows it as setuid.
 */
static void test_at_any_moment(void **state)
{
	unsigned int caught = 0;

	(void)state;
	prctl(PR_SET_TIMERSLACK, 1000UL); /* nanoseconds */
	prepare_br0();
	for (unsigned int i = 0; i < 48; i++) {
		struct running running = start(&(struct call){.about = "stopped", .as_caller = go_last});
		siginfo_t info = {0};
		struct result result;

		for (int tries = 0;
			tries < 100000 && !runs_helper(running.pid) &&
			waitid(P_PID, (id_t)running.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
			tries++)
			;
		wait_microseconds((long)i * 30);
		kill(running.pid, SIGSTOP);
		assert_int_equal(waitid(P_PID, (id_t)running.pid, &info, WSTOPPED | WEXITED | WNOWAIT), 0);
		if (info.si_code == CLD_STOPPED && runs_helper(running.pid)) {
			assert_closed_to(&alice, running.pid);
			caught++;
		}
		kill(running.pid, SIGCONT);
		result = finish(&running);
		assert_granted(&result, "br0");
		give_back(&result);
	}
	print_message("           caught %u of 48\n", caught);
	assert_true(caught > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_at_work),
		TEST(test_at_work_beside_a_guard),
		TEST(test_at_work_by_a_file_capability),
		TEST(test_at_the_end),
		TEST(test_at_any_moment),
	};

	return RUN_TESTS(tests);
}
