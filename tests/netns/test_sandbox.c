// SPDX-License-Identifier: MIT
/*
 * The sandboxes in which the helper works: what they must allow works, and everything else ends the process at once
 * (SIGSYS). (The one in which it sends: test_sandbox_sending.c.)
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/netns/sandbox.h"

/* --- what ends it ------------------------------------------------------------------------------------------------- */

static void test_processes_and_privileges(void **state)
{
	static const struct attempt attempts[] = {
		KILLS("execve", execve, NOWHERE),
		KILLS("execveat", execveat, AT_FDCWD, NOWHERE),
#ifdef SYS_fork
		KILLS("fork", fork, 0),
#endif
		KILLS("clone", clone, SIGCHLD),
		KILLS("clone3", clone3, 0),
		KILLS("ptrace", ptrace, PTRACE_TRACEME),
		KILLS("mount", mount, AT("none"), AT("/tmp"), AT("tmpfs")),
		KILLS("unshare", unshare, CLONE_NEWNET),
		KILLS("setns", setns, FILE_FD),
		KILLS("chroot", chroot, AT("/")),
		KILLS("setuid", setuid, 0),
		KILLS("setresuid", setresuid, 0),
		KILLS("setgroups", setgroups, 0),
		KILLS("dumpable", prctl, PR_SET_DUMPABLE, 1),
		KILLS("kill", kill, 1),
		KILLS("process_vm_readv", process_vm_readv, 1),
		KILLS("pidfd_getfd", pidfd_getfd, 0),
		KILLS("bpf", bpf, 0),
		KILLS("io_uring_setup", io_uring_setup, 0),
		KILLS("perf_event_open", perf_event_open, 0),
		KILLS("userfaultfd", userfaultfd, 0),
		KILLS("init_module", init_module, 0),
		KILLS("keyctl", keyctl, 0),
		KILLS("memory to execute", mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1),
		KILLS("mprotect", mprotect, 0, 0, PROT_EXEC),
		KILLS("a limit", prlimit64, 0, RLIMIT_CORE),
		KILLS("a handler", rt_sigaction, SIGSYS, 0, 0, 8),
		KILLS("a timer", setitimer, 0),
		KILLS("a listener", seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER),
		{"nonsense", KILLED, NULL, 1000000, {0}},
		{"-1", KILLED, NULL, -1, {0}},
	};

	(void)state;
	check_attempts(attempts, COUNT(attempts), WORK);
}

#define AS(path, flags) AT_FDCWD, AT(path), flags, 0600

static void test_files(void **state)
{
	static const struct attempt attempts[] = {
		KILLS("unlinkat", unlinkat, AT_FDCWD, AT("/run/tmp/file")),
		KILLS("renameat2", renameat2, AT_FDCWD, AT("/run/tmp/file"), AT_FDCWD, AT("/run/tmp/other")),
		KILLS("linkat", linkat, AT_FDCWD, AT("/run/tmp/file"), AT_FDCWD, AT("/run/tmp/other")),
		KILLS("symlinkat", symlinkat, AT("/"), AT_FDCWD, AT("/run/tmp/link")),
		KILLS("mkdirat", mkdirat, AT_FDCWD, AT("/run/tmp/directory")),
		KILLS("fchmodat", fchmodat, AT_FDCWD, AT("/run/tmp/file")),
		KILLS("fchownat", fchownat, AT_FDCWD, AT("/run/tmp/file")),
		KILLS("ftruncate", ftruncate, FILE_FD),
		KILLS("write", write, FILE_FD, AT("x"), 1),
		KILLS("pwrite", pwrite64, FILE_FD, AT("x"), 1),
		KILLS("sendfile", sendfile, FILE_FD, FILE_FD, 0, 1),
		KILLS("memfd_create", memfd_create, AT("x")),
		KILLS("open to write", openat, AS("/run/tmp/file", O_WRONLY)),
		KILLS("open and create", openat, AS("/run/tmp/new", O_RDONLY | O_CREAT)),
		KILLS("open and truncate", openat, AS("/run/tmp/file", O_RDONLY | O_TRUNC)),
		KILLS("open to append", openat, AS("/run/tmp/file", O_RDWR | O_APPEND)),
		KILLS("a file without a name", openat, AS("/run/tmp", O_RDWR | O_TMPFILE)),
		KILLS("openat2", openat2, AT_FDCWD, AT("/etc/passwd")),
		KILLS("F_DUPFD", fcntl, 0, F_DUPFD),
		KILLS("F_SETOWN", fcntl, FD_PEER, F_SETOWN, 1),
		KILLS("F_SETFL of standard error", fcntl, FD_ERROR, F_SETFL, O_NONBLOCK),
		KILLS("F_SETFL of the peer", fcntl, FD_PEER, F_SETFL, O_NONBLOCK),
		KILLS("F_SETFL to signal", fcntl, FD_NETLINK, F_SETFL, O_ASYNC),
		KILLS("F_GETFL", fcntl, FD_PEER, F_GETFL),
		KILLS("CLOSE_RANGE_UNSHARE", close_range, 100, 200, CLOSE_RANGE_UNSHARE),
		KILLS("statx of a name", statx, AT_FDCWD, AT("/etc/passwd"), 0, 0x7ff, NOWHERE),
#ifdef SYS_newfstatat
		KILLS("newfstatat of a name", newfstatat, AT_FDCWD, AT("/etc/passwd"), NOWHERE, 0),
#endif
	};

	(void)state;
	check_attempts(attempts, COUNT(attempts), WORK);
}

/* Calls that are for one descriptor each, on others; and what no socket or tap is for. */
static void test_sockets_and_taps(void **state)
{
	static const struct attempt attempts[] = {
		KILLS("inet stream", socket, AF_INET, SOCK_STREAM),
		KILLS("inet datagram", socket, AF_INET, SOCK_DGRAM),
		KILLS("packet", socket, AF_PACKET, SOCK_RAW),
		KILLS("unix stream", socket, AF_UNIX, SOCK_STREAM),
		KILLS("xfrm", socket, AF_NETLINK, SOCK_RAW, NETLINK_XFRM),
		KILLS("audit", socket, AF_NETLINK, SOCK_RAW, NETLINK_AUDIT),
		KILLS("generic netlink", socket, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC),
		KILLS("socketpair", socketpair, AF_UNIX, SOCK_STREAM),
		KILLS("accept", accept4, FD_PEER),
		KILLS("listen", listen, FD_PEER),
		KILLS("shutdown", shutdown, FD_PEER),
		KILLS("sendmmsg", sendmmsg, FD_NETLINK),
		KILLS("recvmmsg", recvmmsg, FD_NETLINK),
		KILLS("sendto on the peer", sendto, FD_PEER, AT("x"), 1),
		KILLS("recvfrom on the peer", recvfrom, FD_PEER, NOWHERE, 1, MSG_DONTWAIT),

		KILLS("sendmsg on the tap", sendmsg, FD_TAP, NOWHERE),
		KILLS("sendmsg on another netlink socket", sendmsg, OTHER_NETLINK, NOWHERE),
		KILLS("sendmsg on another socket", sendmsg, OTHER_SOCKET, NOWHERE),
		KILLS("sendmsg on the peer's own end", sendmsg, OTHER_PEER, NOWHERE),
		KILLS("recvmsg on the peer", recvmsg, FD_PEER, NOWHERE, MSG_DONTWAIT),
		KILLS("recvmsg on another netlink socket", recvmsg, OTHER_NETLINK, NOWHERE, MSG_DONTWAIT),
		KILLS("bind the peer", bind, FD_PEER, NOWHERE, 16),
		KILLS("bind another netlink socket", bind, OTHER_NETLINK, NOWHERE, 12),
		KILLS("bind another socket", bind, OTHER_SOCKET, NOWHERE, 16),
		KILLS("connect the log", connect, FD_LOG, NOWHERE, 16),
		KILLS("a socket for another log", socket, AF_UNIX, SOCK_DGRAM),
		KILLS("patience of the log", setsockopt, FD_LOG, SOL_SOCKET, SO_SNDTIMEO, NOWHERE, 16),
		KILLS("connect the peer", connect, FD_PEER, NOWHERE, 16),
		KILLS("connect another socket", connect, OTHER_SOCKET, NOWHERE, 16),
		KILLS("getsockname of the peer", getsockname, FD_PEER, NOWHERE, NOWHERE),
		KILLS("getsockname of another", getsockname, OTHER_NETLINK, NOWHERE, NOWHERE),
		KILLS("getpeername of netlink", getpeername, FD_NETLINK, NOWHERE, NOWHERE),
		KILLS("getpeername of another", getpeername, OTHER_PEER, NOWHERE, NOWHERE),
		KILLS("getsockopt of netlink", getsockopt, FD_NETLINK, SOL_SOCKET, SO_TYPE, NOWHERE, NOWHERE),
		KILLS("getsockopt of another", getsockopt, OTHER_PEER, SOL_SOCKET, SO_PEERCRED, NOWHERE, NOWHERE),
		KILLS("getsockopt of the peer, another option", getsockopt, FD_PEER, SOL_SOCKET, SO_ERROR),
		KILLS("setsockopt of the peer, buffer", setsockopt, FD_PEER, SOL_SOCKET, SO_SNDBUF, NOWHERE, 4),
		KILLS("setsockopt of the peer, patience", setsockopt, FD_PEER, SOL_SOCKET, SO_SNDTIMEO, NOWHERE, 16),
		KILLS("setsockopt of another", setsockopt, OTHER_NETLINK, SOL_SOCKET, SO_RCVBUF, NOWHERE, 4),
		KILLS("setsockopt of nftables, patience", setsockopt, FD_NFTABLES, SOL_SOCKET, SO_SNDTIMEO, NOWHERE,
			16),
		KILLS("getsockopt of nftables", getsockopt, FD_NFTABLES, SOL_SOCKET, SO_TYPE, NOWHERE, NOWHERE),
		KILLS("getpeername of nftables", getpeername, FD_NFTABLES, NOWHERE, NOWHERE),
		KILLS("connect nftables", connect, FD_NFTABLES, NOWHERE, 12),
		KILLS("sendto on nftables", sendto, FD_NFTABLES, AT("x"), 1),
		KILLS("sendmmsg on nftables", sendmmsg, FD_NFTABLES),
		KILLS("recvmmsg on nftables", recvmmsg, FD_NFTABLES),
		KILLS("a mark", setsockopt, FD_NETLINK, SOL_SOCKET, SO_MARK),
		KILLS("a netlink group", setsockopt, FD_NETLINK, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP),
		KILLS("a netlink group of nftables", setsockopt, FD_NFTABLES, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP),

		KILLS("TUNSETIFF on another tap", ioctl, OTHER_TAP, TUNSETIFF, NOWHERE),
		KILLS("TUNSETOWNER on another tap", ioctl, OTHER_TAP, TUNSETOWNER, 1000),
		KILLS("TUNGETIFF on another tap", ioctl, OTHER_TAP, TUNGETIFF, NOWHERE),
		KILLS("TUNSETIFF on the peer", ioctl, FD_PEER, TUNSETIFF, NOWHERE),
		KILLS("TUNSETPERSIST", ioctl, FD_TAP, TUNSETPERSIST, 1),
		KILLS("TUNSETPERSIST with high bits", ioctl, FD_TAP, (long)(TUNSETPERSIST | 0xffffffff00000000UL), 1),
		KILLS("TUNSETGROUP", ioctl, FD_TAP, TUNSETGROUP),
		KILLS("TUNSETPERSIST on the last queue", ioctl, FD_TAP + 15, TUNSETPERSIST, 1),
		KILLS("TUNSETOWNER on another queue", ioctl, FD_TAP + 1, TUNSETOWNER),
		KILLS("TUNSETQUEUE", ioctl, FD_TAP, TUNSETQUEUE),
		KILLS("TUNSETIFF on what is no queue", ioctl, FD_OTHERS, TUNSETIFF, NOWHERE),
		KILLS("TUNSETIFF on what is none either", ioctl, FD_TAP - 1, TUNSETIFF, NOWHERE),
		KILLS("TUNSETIFINDEX on another queue", ioctl, FD_TAP + 1, TUNSETIFINDEX, NOWHERE),
		KILLS("SIOCGIFNAME on the peer", ioctl, FD_PEER, SIOCGIFNAME, NOWHERE),
		KILLS("SIOCSIFNAME", ioctl, FD_NETLINK, SIOCSIFNAME, NOWHERE),
		KILLS("TUNSETCARRIER on another queue", ioctl, FD_TAP + 1, TUNSETCARRIER, NOWHERE),
		KILLS("TUNSETLINK", ioctl, FD_TAP, TUNSETLINK),
		KILLS("TUNATTACHFILTER", ioctl, FD_TAP, TUNATTACHFILTER),
		KILLS("SIOCGSKNS", ioctl, FD_TAP, SIOCGSKNS),
		KILLS("TIOCSTI", ioctl, 0, TIOCSTI),
		KILLS("SIOCSIFFLAGS", ioctl, OTHER_SOCKET, SIOCSIFFLAGS),
	};

	(void)state;
	check_attempts(attempts, COUNT(attempts), WORK);
}

/* --- what works --------------------------------------------------------------------------------------------------- */

static long read_a_file(void)
{
	int fd = open("/etc/passwd", O_RDONLY);
	char byte;

	return fd < 0 ? fd : read(fd, &byte, 1);
}

static long take_memory(void)
{
	return malloc(1 << 24) ? 0 : -1;
}

/* With pointers that lead nowhere: the kernel says so, and no filter ends the process. */
static void test_what_is_needed(void **state)
{
	static const struct attempt attempts[] = {
		CALLS("open", EFAULT, openat, AT_FDCWD, NOWHERE, O_RDONLY),
		CALLS("read", EFAULT, read, FILE_FD, NOWHERE, 1),
#ifdef SYS_newfstatat
		CALLS("fstat", EFAULT, newfstatat, FILE_FD, AT(""), NOWHERE, AT_EMPTY_PATH),
#endif
		CALLS("fstatfs", EFAULT, fstatfs, FILE_FD, NOWHERE),
		CALLS("sysinfo", EFAULT, sysinfo, NOWHERE),
		CALLS("sendmsg", EFAULT, sendmsg, FD_NETLINK, NOWHERE),
		CALLS("recvmsg", EFAULT, recvmsg, FD_NETLINK, NOWHERE, MSG_DONTWAIT),
		CALLS("bind", EFAULT, bind, FD_NETLINK, NOWHERE, 12),
		CALLS("getsockname", EFAULT, getsockname, FD_NETLINK, NOWHERE, NOWHERE),
		CALLS("setsockopt", EFAULT, setsockopt, FD_NETLINK, SOL_SOCKET, SO_SNDBUF, NOWHERE, 4),
		CALLS("sendmsg to nftables", EFAULT, sendmsg, FD_NFTABLES, NOWHERE),
		CALLS("recvmsg from nftables", EFAULT, recvmsg, FD_NFTABLES, NOWHERE, MSG_DONTWAIT),
		CALLS("bind nftables", EFAULT, bind, FD_NFTABLES, NOWHERE, 12),
		CALLS("getsockname of nftables", EFAULT, getsockname, FD_NFTABLES, NOWHERE, NOWHERE),
		CALLS("setsockopt of nftables", EFAULT, setsockopt, FD_NFTABLES, SOL_SOCKET, SO_RCVBUF, NOWHERE, 4),
		CALLS("getsockopt", EFAULT, getsockopt, FD_PEER, SOL_SOCKET, SO_PEERCRED, NOWHERE, NOWHERE),
		CALLS("getpeername", EFAULT, getpeername, FD_PEER, NOWHERE, NOWHERE),
		CALLS("TUNSETIFF", EFAULT, ioctl, FD_TAP, TUNSETIFF, NOWHERE),
		CALLS("TUNSETIFINDEX", EFAULT, ioctl, FD_TAP, TUNSETIFINDEX, NOWHERE),
		CALLS("SIOCGIFNAME", EFAULT, ioctl, FD_NETLINK, SIOCGIFNAME, NOWHERE),
		CALLS("TUNSETIFF on the last queue", EBADF, ioctl, FD_TAP + 15, TUNSETIFF, NOWHERE),
		CALLS("TUNGETIFF on the last queue", EBADF, ioctl, FD_TAP + 15, TUNGETIFF, NOWHERE),
		CALLS("open /dev/net/tun", 0, openat, AS("/dev/net/tun", O_RDWR)),
		CALLS("rtnetlink", 0, socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
		CALLS("nftables", 0, socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER),
		DOES("read a file", 0, read_a_file),
		DOES("memory", 0, take_memory),
	};

	(void)state;
	check_attempts(attempts, COUNT(attempts), WORK);
}

/* Behind the opening of the taps: nothing is opened to be written, on any kernel. */
static void test_reading(void **state)
{
	static const struct attempt attempts[] = {
		KILLS("open /dev/net/tun", openat, AS("/dev/net/tun", O_RDWR)),
		KILLS("a file of the caller's", openat, AS("/run/tmp/file", O_RDWR)),
		KILLS("a file to write alone", openat, AS("/run/tmp/file", O_WRONLY)),
		KILLS("both bits", openat, AS("/run/tmp/file", O_ACCMODE)),
		KILLS("sysctls of the network", openat, AS("/proc/sys/net/ipv4/ip_forward", O_RDWR)),
		KILLS("relative", openat, FILE_FD, AT("file"), O_RDWR),
		KILLS("with other bits", openat, AS("/run/tmp/file", O_RDWR | O_CLOEXEC | O_NOFOLLOW)),
#ifdef SYS_open
		KILLS("the older call", open, AT("/run/tmp/file"), O_RDWR),
#endif
		CALLS("to read", 0, openat, AS("/etc/passwd", O_RDONLY | O_CLOEXEC)),
		CALLS("a path", 0, openat, AS("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC)),
		CALLS("rtnetlink", 0, socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
		DOES("read a file", 0, read_a_file),
	};
	/* The control: before that stage such a file can be opened, with the caller's rights. */
	static const struct attempt before[] = {CALLS("before", 0, openat, AS("/run/tmp/file", O_RDWR))};

	(void)state;
	check_attempts(attempts, COUNT(attempts), READING);
	check_attempts(before, COUNT(before), WORK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_processes_and_privileges),
		TEST(test_files),
		TEST(test_sockets_and_taps),
		TEST(test_what_is_needed),
		TEST(test_reading),
	};

	return RUN_TESTS(tests);
}
