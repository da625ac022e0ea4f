// SPDX-License-Identifier: MIT
/*
 * The sandbox in which the helper sends the descriptor and speaks: that works, and everything else ends the process at
 * once (SIGSYS). And the other tables of system calls that a kernel may have, in either sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/helper.h"
#include "tests/netns/sandbox.h"

static void test_what_ends_it(void **state)
{
	static const struct attempt attempts[] = {
		KILLS("execve", execve, NOWHERE),
#ifdef SYS_fork
		KILLS("fork", fork, 0),
#endif
		KILLS("clone", clone, SIGCHLD),
		KILLS("ptrace", ptrace, PTRACE_TRACEME),
		KILLS("mount", mount, AT("none"), AT("/tmp"), AT("tmpfs")),
		KILLS("setuid", setuid, 0),
		KILLS("capset", capset, 0),
		KILLS("dumpable", prctl, PR_SET_DUMPABLE, 1),
		KILLS("kill", kill, 1),
		KILLS("a limit", prlimit64, 0, RLIMIT_CORE),
		KILLS("a handler", rt_sigaction, SIGSYS, 0, 0, 8),
		KILLS("a timer", setitimer, 0),
		KILLS("memory", mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1),
		KILLS("memory to execute", mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1),
		KILLS("mprotect", mprotect, 0, 0, PROT_EXEC),
		{"nonsense", KILLED, NULL, 1000000, {0}},
		{"-1", KILLED, NULL, -1, {0}},

		KILLS("open to read", openat, AT_FDCWD, AT("/etc/passwd"), O_RDONLY),
		KILLS("open to write", openat, AT_FDCWD, AT("/run/tmp/file"), O_WRONLY),
		KILLS("open the device", openat, AT_FDCWD, AT("/dev/net/tun"), O_RDWR),
		KILLS("openat2", openat2, AT_FDCWD, AT("/etc/passwd")),
		KILLS("a unix socket", socket, AF_UNIX, SOCK_DGRAM),
		KILLS("rtnetlink", socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
		KILLS("an inet socket", socket, AF_INET, SOCK_STREAM),
		KILLS("socketpair", socketpair, AF_UNIX, SOCK_STREAM),
		KILLS("connect the log", connect, FD_LOG),
		KILLS("dup3", dup3, FD_TAP, FD_PEER),
		KILLS("F_DUPFD", fcntl, 0, F_DUPFD),
		KILLS("F_SETPIPE_SZ", fcntl, FD_ERROR, F_SETPIPE_SZ, 4096),
		KILLS("F_GETPIPE_SZ of the peer", fcntl, FD_PEER, F_GETPIPE_SZ),
		KILLS("FIONREAD on the peer", ioctl, FD_PEER, FIONREAD, NOWHERE),
		KILLS("TIOCSTI", ioctl, FD_ERROR, TIOCSTI, AT("x")),
		KILLS("TUNSETIFF", ioctl, FD_TAP, TUNSETIFF),
		KILLS("TUNSETPERSIST", ioctl, FD_TAP, TUNSETPERSIST, 1),

		KILLS("read", read, FD_PEER),
		KILLS("recvmsg on the peer", recvmsg, FD_PEER),
		KILLS("recvmsg on the log", recvmsg, FD_LOG),
		KILLS("sendmsg on the log", sendmsg, FD_LOG, NOWHERE),
		KILLS("sendmsg on the tap", sendmsg, FD_TAP, NOWHERE),
		KILLS("sendmsg to nftables", sendmsg, FD_NFTABLES, NOWHERE),
		KILLS("sendmmsg", sendmmsg, FD_PEER),
		KILLS("sendto on the peer", sendto, FD_PEER, AT("x"), 1),
		KILLS("sendto on standard error", sendto, FD_ERROR, NOWHERE, 1),
		KILLS("write to the peer", write, FD_PEER, AT("x"), 1),
		KILLS("write to the tap", write, FD_TAP, AT("x"), 1),
		KILLS("writev", writev, FD_ERROR),
		KILLS("poll more than one", ppoll, 0, 2),
		KILLS("close standard error", close, FD_ERROR),
		KILLS("close the peer", close, FD_PEER),
		KILLS("close the log", close, FD_LOG),
		KILLS("close another", close, FD_OTHERS),
		KILLS("TUNGETIFF on a queue", ioctl, FD_TAP + 1, TUNGETIFF),
		KILLS("close_range", close_range, FD_TAP, FD_TAP),
	};

	(void)state;
	check_attempts(attempts, COUNT(attempts), SENDING);
}

/* The other end was closed with everything else. */
static long send_and_speak(void)
{
	struct msghdr none = {0};
	struct pollfd ready = {.fd = FD_ERROR, .events = POLLOUT};

	if (sendmsg(FD_PEER, &none, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EPIPE || poll(&ready, 1, 1000) != 1)
		return -1;
	return write(FD_ERROR, "x", 1) == 1 && send(FD_LOG, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

static long close_and_speak(void)
{
	return close(FD_TAP) == 0 ? send_and_speak() : -1;
}

/* Of the helper's own and of what the caller left, by what poll(2) says of a number that nothing has. */
static long only_these_are_open(void)
{
	for (int fd = 0; fd < OTHER_SOCKET + 100; fd++) {
		struct pollfd number = {.fd = fd};
		const bool wanted = fd == FD_ERROR || fd == FD_PEER || fd == FD_LOG || fd == FD_TAP;

		if (poll(&number, 1, 0) < 0 || !(number.revents & POLLNVAL) != wanted) {
			errno = EBADFD;
			return -1;
		}
	}
	return 0;
}

/*
 * A filter around the process that says seccomp(2) was done, and does nothing: nobody goes on as if he were in a
 * sandbox.
 */
static void test_a_filter_that_lies(void **state)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog lies = {.len = COUNT(code), .filter = code};

	(void)state;
	for (int lying = 0; lying < 2; lying++) {
		struct outcome outcome = {.code = EXIT_SENT};
		int status = -1;
		pid_t child = fork();

		if (child == 0) {
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
				(lying && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &lies) < 0))
				_exit(2);
			_exit(sandbox_for_work(&outcome) ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == lying);
	}
}

static void test_what_is_needed(void **state)
{
	static const struct attempt attempts[] = {
		CALLS("write", 0, write, FD_ERROR, NOWHERE, 1),		     /* /dev/null does not look */
		CALLS("F_GETPIPE_SZ", EBADF, fcntl, FD_ERROR, F_GETPIPE_SZ), /* nor is it a pipe */
		CALLS("FIONREAD", ENOTTY, ioctl, FD_ERROR, FIONREAD, NOWHERE),
		CALLS("sendmsg", EFAULT, sendmsg, FD_PEER, NOWHERE),
		CALLS("sendto", EFAULT, sendto, FD_LOG, NOWHERE, 1),
		CALLS("close the tap", 0, close, FD_TAP),
		DOES("what is open", 0, only_these_are_open),
		DOES("send, log and write", 0, send_and_speak),
		DOES("close the tap, log and write", 0, close_and_speak),
	};

	(void)state;
	check_attempts(attempts, COUNT(attempts), SENDING);
}

#ifdef __x86_64__
/* The other tables of system calls that an x86-64 kernel has. */
static long by_int80(void)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(20L /* getpid of i386 */)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static void test_other_tables(void **state)
{
	static const struct attempt attempts[] = {
		DOES("i386", KILLED, by_int80),
		{"x32", KILLED, NULL, 0x40000000L | SYS_getpid, {0}},
	};

	(void)state;
	check_attempts(attempts, COUNT(attempts), WORK);
	check_attempts(attempts, COUNT(attempts), SENDING);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_ends_it),
		TEST(test_what_is_needed),
		TEST(test_a_filter_that_lies),
#ifdef __x86_64__
		TEST(test_other_tables),
#endif
	};

	return RUN_TESTS(tests);
}
