/*
 * The two sandboxes, entered by a process of the test's own: what they must allow works, and everything else ends the
 * process at once (SIGSYS), or fails where Landlock stands before the file.
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/descriptors.h"
#include "helper/privileges.h"
#include "helper/sandbox.h"

enum {
	KILLED = -1,
};

/* An attempt: what a system call returned, as libc does (-1 and errno). */
typedef long system_call(void);

/* Descriptors that the attempts find. */
static int netlink = -1, stream = -1, tun = -1, file = -1;

static long raw(long number, long a, long b, long c, long d)
{
	return syscall(number, a, b, c, d, 0L, 0L);
}

static long pointer(const void *at)
{
	return (long)(uintptr_t)at;
}

/* --- while working ----------------------------------------------------------------------------------------------- */

static long do_execve(void)
{
	return raw(SYS_execve, pointer("/bin/true"), 0, 0, 0);
}
static long do_execveat(void)
{
	return raw(SYS_execveat, AT_FDCWD, pointer("/bin/true"), 0, 0);
}
static long do_fork(void)
{
#ifdef SYS_fork
	return raw(SYS_fork, 0, 0, 0, 0);
#else
	return raw(SYS_clone, SIGCHLD, 0, 0, 0);
#endif
}
static long do_clone(void)
{
	return raw(SYS_clone, SIGCHLD, 0, 0, 0);
}
static long do_clone3(void)
{
	return raw(SYS_clone3, 0, 0, 0, 0);
}
static long do_ptrace(void)
{
	return raw(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
}
static long do_mount(void)
{
	return raw(SYS_mount, pointer("none"), pointer("/tmp"), pointer("tmpfs"), 0);
}
static long do_unshare(void)
{
	return raw(SYS_unshare, CLONE_NEWNET, 0, 0, 0);
}
static long do_setns(void)
{
	return raw(SYS_setns, file, 0, 0, 0);
}
static long do_chroot(void)
{
	return raw(SYS_chroot, pointer("/"), 0, 0, 0);
}
static long do_setuid(void)
{
	return raw(SYS_setuid, 0, 0, 0, 0);
}
static long do_setresuid(void)
{
	return raw(SYS_setresuid, 0, 0, 0, 0);
}
static long do_setgroups(void)
{
	return raw(SYS_setgroups, 0, 0, 0, 0);
}
static long do_prctl_dumpable(void)
{
	return raw(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0);
}
static long do_kill(void)
{
	return raw(SYS_kill, 1, 0, 0, 0);
}
static long do_process_vm_readv(void)
{
	return raw(SYS_process_vm_readv, 1, 0, 0, 0);
}
static long do_pidfd_getfd(void)
{
	return raw(SYS_pidfd_getfd, 0, 0, 0, 0);
}
static long do_bpf(void)
{
	return raw(SYS_bpf, 0, 0, 0, 0);
}
static long do_io_uring_setup(void)
{
	return raw(SYS_io_uring_setup, 0, 0, 0, 0);
}
static long do_perf_event_open(void)
{
	return raw(SYS_perf_event_open, 0, 0, 0, 0);
}
static long do_userfaultfd(void)
{
	return raw(SYS_userfaultfd, 0, 0, 0, 0);
}
static long do_init_module(void)
{
	return raw(SYS_init_module, 0, 0, 0, 0);
}
static long do_keyctl(void)
{
	return raw(SYS_keyctl, 0, 0, 0, 0);
}
static long do_unlinkat(void)
{
	return raw(SYS_unlinkat, AT_FDCWD, pointer("/run/tmp/file"), 0, 0);
}
static long do_renameat2(void)
{
	return raw(SYS_renameat2, AT_FDCWD, pointer("/run/tmp/file"), AT_FDCWD, pointer("/run/tmp/other"));
}
static long do_symlinkat(void)
{
	return raw(SYS_symlinkat, pointer("/"), AT_FDCWD, pointer("/run/tmp/link"), 0);
}
static long do_mkdirat(void)
{
	return raw(SYS_mkdirat, AT_FDCWD, pointer("/run/tmp/directory"), 0, 0);
}
static long do_fchmodat(void)
{
	return raw(SYS_fchmodat, AT_FDCWD, pointer("/run/tmp/file"), 0, 0);
}
static long do_fchownat(void)
{
	return raw(SYS_fchownat, AT_FDCWD, pointer("/run/tmp/file"), 0, 0);
}
static long do_ftruncate(void)
{
	return raw(SYS_ftruncate, file, 0, 0, 0);
}
static long do_write_file(void)
{
	return raw(SYS_write, file, pointer("x"), 1, 0);
}
static long do_pwrite(void)
{
	return raw(SYS_pwrite64, file, pointer("x"), 1, 0);
}
static long do_sendfile(void)
{
	return raw(SYS_sendfile, file, file, 0, 1);
}
static long do_memfd_create(void)
{
	return raw(SYS_memfd_create, pointer("x"), 0, 0, 0);
}
static long open_for(long flags, const char *path)
{
	return raw(SYS_openat, AT_FDCWD, pointer(path), flags, 0600);
}
static long do_open_write(void)
{
	return open_for(O_WRONLY, "/run/tmp/file");
}
static long do_open_create(void)
{
	return open_for(O_RDONLY | O_CREAT, "/run/tmp/new");
}
static long do_open_truncate(void)
{
	return open_for(O_RDONLY | O_TRUNC, "/run/tmp/file");
}
static long do_open_append(void)
{
	return open_for(O_RDWR | O_APPEND, "/run/tmp/file");
}
static long do_open_nameless(void)
{
	return open_for(O_RDWR | O_TMPFILE, "/run/tmp");
}
static long do_open_read_write(void)
{
	return open_for(O_RDWR, "/run/tmp/file");
}
static long do_open_other_device(void)
{
	return open_for(O_RDWR, "/dev/zero");
}
static long do_open_directory(void)
{
	return open_for(O_RDONLY | O_DIRECTORY, "/etc");
}
static long do_openat2(void)
{
	return raw(SYS_openat2, AT_FDCWD, pointer("/etc/passwd"), 0, 0);
}
static long do_socket_inet(void)
{
	return raw(SYS_socket, AF_INET, SOCK_STREAM, 0, 0);
}
static long do_socket_inet_datagram(void)
{
	return raw(SYS_socket, AF_INET, SOCK_DGRAM, 0, 0);
}
static long do_socket_packet(void)
{
	return raw(SYS_socket, AF_PACKET, SOCK_RAW, 0, 0);
}
static long do_socket_unix_stream(void)
{
	return raw(SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0);
}
static long do_socket_netfilter(void)
{
	return raw(SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, 0);
}
static long do_socket_generic(void)
{
	return raw(SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC, 0);
}
static long do_socketpair(void)
{
	return raw(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 0);
}
static long do_accept(void)
{
	return raw(SYS_accept4, stream, 0, 0, 0);
}
static long do_sendmmsg(void)
{
	return raw(SYS_sendmmsg, stream, 0, 0, 0);
}
static long do_sendto_peer(void)
{
	return raw(SYS_sendto, FD_PEER, pointer("x"), 1, 0);
}
static long do_setsockopt_priority(void)
{
	return raw(SYS_setsockopt, netlink, SOL_SOCKET, SO_MARK, 0);
}
static long do_setsockopt_netlink(void)
{
	return raw(SYS_setsockopt, netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 0);
}
static long do_ioctl(unsigned long request, int fd)
{
	return raw(SYS_ioctl, fd, (long)request, 0, 0);
}
static long do_ioctl_persist(void)
{
	return do_ioctl(TUNSETPERSIST, tun);
}
static long do_ioctl_group(void)
{
	return do_ioctl(TUNSETGROUP, tun);
}
static long do_ioctl_link(void)
{
	return do_ioctl(TUNSETLINK, tun);
}
static long do_ioctl_filter(void)
{
	return do_ioctl(TUNATTACHFILTER, tun);
}
static long do_ioctl_tiocsti(void)
{
	return do_ioctl(TIOCSTI, 0);
}
static long do_ioctl_flags(void)
{
	return do_ioctl(SIOCSIFFLAGS, stream);
}
static long do_ioctl_high_bits(void)
{
	return do_ioctl(TUNSETPERSIST | 0xffffffff00000000UL, tun);
}
static long do_mmap_exec(void)
{
	return syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static long do_mprotect(void)
{
	return raw(SYS_mprotect, 0, 0, PROT_EXEC, 0);
}
static long do_fcntl_dup(void)
{
	return raw(SYS_fcntl, 0, F_DUPFD, 0, 0);
}
static long do_fcntl_owner(void)
{
	return raw(SYS_fcntl, stream, F_SETOWN, 1, 0);
}
static long do_setrlimit(void)
{
	return raw(SYS_prlimit64, 0, RLIMIT_CORE, 0, 0);
}
static long do_sigaction(void)
{
	return raw(SYS_rt_sigaction, SIGSYS, 0, 0, 8);
}
static long do_seccomp_listener(void)
{
	return raw(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 1 << 3 /* SECCOMP_FILTER_FLAG_NEW_LISTENER */, 0, 0);
}
static long do_nonsense(void)
{
	return raw(1000000, 0, 0, 0, 0);
}
static long do_minus_one(void)
{
	return raw(-1, 0, 0, 0, 0);
}

/* Calls that are allowed, with pointers that lead nowhere: the kernel says so, and no filter ends the process. */
static long bad_open(void)
{
	return raw(SYS_openat, AT_FDCWD, 8, O_RDONLY, 0);
}
static long bad_read(void)
{
	return raw(SYS_read, file, 8, 1, 0);
}
static long bad_fstat(void)
{
	return raw(SYS_newfstatat, file, pointer(""), 8, AT_EMPTY_PATH);
}
static long bad_tunsetiff(void)
{
	return raw(SYS_ioctl, tun, (long)TUNSETIFF, 8, 0);
}
static long bad_sendmsg(void)
{
	return raw(SYS_sendmsg, netlink, 8, 0, 0);
}
static long bad_recvmsg(void)
{
	return raw(SYS_recvmsg, netlink, 8, MSG_DONTWAIT, 0);
}
static long bad_write(void)
{
	return raw(SYS_write, FD_ERROR, 8, 1, 0);
}
static long bad_sendmsg_peer(void)
{
	return raw(SYS_sendmsg, FD_PEER, 8, 0, 0);
}
static long bad_sendto_log(void)
{
	return raw(SYS_sendto, FD_LOG, 8, 1, 0);
}

static long good_read(void)
{
	long fd = open_for(O_RDONLY, "/etc/passwd");
	char byte;

	return fd < 0 ? fd : read((int)fd, &byte, 1);
}
static long good_tun(void)
{
	return open_for(O_RDWR, "/dev/net/tun");
}
static long good_sockets(void)
{
	return raw(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE, 0) < 0
		       ? -1
		       : raw(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0);
}
static long good_memory(void)
{
	return malloc(1 << 24) ? 0 : -1;
}

/* --- while sending ----------------------------------------------------------------------------------------------- */

static long do_open_read(void)
{
	return open_for(O_RDONLY, "/etc/passwd");
}
static long do_socket_unix(void)
{
	return raw(SYS_socket, AF_UNIX, SOCK_DGRAM, 0, 0);
}
static long do_socket_route(void)
{
	return raw(SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, 0);
}
static long do_ioctl_tunsetiff(void)
{
	return do_ioctl(TUNSETIFF, FD_TAP);
}
static long do_read(void)
{
	return raw(SYS_read, FD_PEER, 0, 0, 0);
}
static long do_recvmsg(void)
{
	return raw(SYS_recvmsg, FD_PEER, 0, 0, 0);
}
static long do_sendmsg_log(void)
{
	return raw(SYS_sendmsg, FD_LOG, 8, 0, 0);
}
static long do_sendmsg_tap(void)
{
	return raw(SYS_sendmsg, FD_TAP, 8, 0, 0);
}
static long do_sendto_error(void)
{
	return raw(SYS_sendto, FD_ERROR, 8, 1, 0);
}
static long do_write_peer(void)
{
	return raw(SYS_write, FD_PEER, pointer("x"), 1, 0);
}
static long do_write_tap(void)
{
	return raw(SYS_write, FD_TAP, pointer("x"), 1, 0);
}
static long do_writev(void)
{
	return raw(SYS_writev, FD_ERROR, 0, 0, 0);
}
static long do_connect(void)
{
	return raw(SYS_connect, FD_LOG, 0, 0, 0);
}
static long do_mmap(void)
{
	return syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static long do_capset(void)
{
	return raw(SYS_capset, 0, 0, 0, 0);
}
static long do_poll_many(void)
{
	return raw(SYS_ppoll, 0, 2, 0, 0);
}
static long do_dup(void)
{
	return raw(SYS_dup3, FD_TAP, FD_PEER, 0, 0);
}
static long good_messages(void)
{
	struct msghdr none = {0};
	struct pollfd ready = {.fd = FD_ERROR, .events = POLLOUT};

	/* The other end was closed with everything else. */
	if (sendmsg(FD_PEER, &none, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EPIPE || poll(&ready, 1, 1000) != 1)
		return -1;
	return write(FD_ERROR, "x", 1) == 1 && send(FD_LOG, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/* --- the tables -------------------------------------------------------------------------------------------------- */

struct row {
	const char *about;
	system_call *attempt;
	int expected; /* KILLED, 0 if it works, or the errno value */
};
#define KILL(name)                                                                                                     \
	{                                                                                                              \
#name, do_##name, KILLED                                                                               \
	}

/* Enter the first sandbox, and the second if it is wanted, make the attempt, and end with what it came to. */
static void try(system_call *attempt, bool sending)
{
	struct outcome outcome = {.code = EXIT_SENT};
	struct policy_caller caller;
	const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int pair[2], error = open("/dev/null", O_WRONLY);

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || dup2(error, FD_ERROR) < 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(253);
	netlink = fcntl(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), F_DUPFD, 20);
	stream = fcntl(socket(AF_INET, SOCK_DGRAM, 0), F_DUPFD, 20);
	tun = fcntl(open("/dev/net/tun", O_RDWR), F_DUPFD, 20);
	file = fcntl(open("/run/tmp/file", O_RDWR), F_DUPFD, 20);
	pair[0] = fcntl(pair[0], F_DUPFD, 20);
	dup2(pair[1], FD_PEER);
	dup2(tun, FD_TAP);
	close(FD_LOG);
	if (netlink < 0 || stream < 0 || tun < 0 || file < 0 || socket(AF_UNIX, SOCK_DGRAM, 0) != FD_LOG ||
		connect(FD_LOG, (const struct sockaddr *)&log, sizeof(log)) < 0)
		_exit(252);
	if (!privileges_keep_net_admin(&caller, false, &outcome) || !sandbox_for_work(&outcome))
		_exit(251);
	if (sending) {
		privileges_drop_all();
		sandbox_for_sending();
	}
	errno = 0;
	_exit(attempt() < 0 ? errno : 0);
}

static void check_rows(const struct row *rows, size_t count, bool sending)
{
	unsigned int wrong = 0;

	write_file("/run/tmp/file", "content", 0666, 0, 0);
	for (size_t i = 0; i < count; i++) {
		const struct rlimit none = {0, 0};
		pid_t child = fork();
		int status, got;

		if (child == 0) {
			setrlimit(RLIMIT_CORE, &none);
			try(rows[i].attempt, sending);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		got = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) == SIGSYS ? KILLED : 1000;
		if (got == rows[i].expected)
			continue;
		print_error("%s: expected %d (%s), got %d\n", rows[i].about, rows[i].expected,
			rows[i].expected == KILLED ? "killed" : strerror(rows[i].expected), got);
		wrong++;
	}
	assert_int_equal(wrong, 0);
	assert_string_equal(first_line("/run/tmp/file"), "content");
}

static void test_while_working(void **state)
{
	static const struct row rows[] = {
		KILL(execve),
		KILL(execveat),
		KILL(fork),
		KILL(clone),
		KILL(clone3),
		KILL(ptrace),
		KILL(mount),
		KILL(unshare),
		KILL(setns),
		KILL(chroot),
		KILL(setuid),
		KILL(setresuid),
		KILL(setgroups),
		KILL(prctl_dumpable),
		KILL(kill),
		KILL(process_vm_readv),
		KILL(pidfd_getfd),
		KILL(bpf),
		KILL(io_uring_setup),
		KILL(perf_event_open),
		KILL(userfaultfd),
		KILL(init_module),
		KILL(keyctl),
		KILL(unlinkat),
		KILL(renameat2),
		KILL(symlinkat),
		KILL(mkdirat),
		KILL(fchmodat),
		KILL(fchownat),
		KILL(ftruncate),
		KILL(write_file),
		KILL(pwrite),
		KILL(sendfile),
		KILL(memfd_create),
		KILL(open_write),
		KILL(open_create),
		KILL(open_truncate),
		KILL(open_append),
		KILL(open_nameless),
		KILL(openat2),
		KILL(socket_inet),
		KILL(socket_inet_datagram),
		KILL(socket_packet),
		KILL(socket_unix_stream),
		KILL(socket_netfilter),
		KILL(socket_generic),
		KILL(socketpair),
		KILL(accept),
		KILL(sendmmsg),
		KILL(sendto_peer),
		KILL(setsockopt_priority),
		KILL(setsockopt_netlink),
		KILL(ioctl_persist),
		KILL(ioctl_group),
		KILL(ioctl_link),
		KILL(ioctl_filter),
		KILL(ioctl_tiocsti),
		KILL(ioctl_flags),
		KILL(ioctl_high_bits),
		KILL(mmap_exec),
		KILL(mprotect),
		KILL(fcntl_dup),
		KILL(fcntl_owner),
		KILL(setrlimit),
		KILL(sigaction),
		KILL(seccomp_listener),
		KILL(nonsense),
		KILL(minus_one),
		{"open with a bad pointer", bad_open, EFAULT},
		{"read with a bad pointer", bad_read, EFAULT},
		{"fstat with a bad pointer", bad_fstat, EFAULT},
		{"TUNSETIFF with a bad pointer", bad_tunsetiff, EFAULT},
		{"sendmsg with a bad pointer", bad_sendmsg, EFAULT},
		{"recvmsg with a bad pointer", bad_recvmsg, EFAULT},
		{"read a file", good_read, 0},
		{"open /dev/net/tun", good_tun, 0},
		{"sockets", good_sockets, 0},
		{"memory", good_memory, 0},
	};

	(void)state;
	check_rows(rows, COUNT(rows), false);
}

/* Files that seccomp cannot tell from others. */
static void test_landlock(void **state)
{
	static const struct row rows[] = {
		{"a file for reading and writing", do_open_read_write, EACCES},
		{"another device", do_open_other_device, EACCES},
		{"a directory", do_open_directory, EACCES},
	};

	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0) {
		cannot_test("this kernel has no Landlock");
		return;
	}
	check_rows(rows, COUNT(rows), false);
}

static void test_while_sending(void **state)
{
	static const struct row rows[] = {
		KILL(execve),
		KILL(fork),
		KILL(clone),
		KILL(ptrace),
		KILL(mount),
		KILL(setuid),
		KILL(prctl_dumpable),
		KILL(kill),
		KILL(open_read),
		KILL(open_read_write),
		KILL(open_write),
		KILL(openat2),
		KILL(socket_unix),
		KILL(socket_route),
		KILL(socket_inet),
		KILL(socketpair),
		KILL(ioctl_tunsetiff),
		KILL(ioctl_persist),
		KILL(read),
		KILL(recvmsg),
		KILL(sendmsg_log),
		KILL(sendmsg_tap),
		KILL(sendmmsg),
		KILL(sendto_error),
		KILL(sendto_peer),
		KILL(write_peer),
		KILL(write_tap),
		KILL(writev),
		KILL(connect),
		KILL(mmap),
		KILL(mmap_exec),
		KILL(mprotect),
		KILL(capset),
		KILL(poll_many),
		KILL(dup),
		KILL(fcntl_dup),
		KILL(setrlimit),
		KILL(sigaction),
		KILL(nonsense),
		KILL(minus_one),
		{"write with a bad pointer", bad_write, 0}, /* /dev/null does not look */
		{"sendmsg with a bad pointer", bad_sendmsg_peer, EFAULT},
		{"sendto with a bad pointer", bad_sendto_log, EFAULT},
		{"what is needed", good_messages, 0},
	};

	(void)state;
	check_rows(rows, COUNT(rows), true);
}

#ifdef __x86_64__
/* The other tables of system calls that an x86-64 kernel has. */
static long do_int80(void)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(20L /* getpid of i386 */)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}
static long do_x32(void)
{
	return raw(0x40000000L | SYS_getpid, 0, 0, 0, 0);
}

static void test_other_tables(void **state)
{
	static const struct row rows[] = {KILL(int80), KILL(x32)};

	(void)state;
	check_rows(rows, COUNT(rows), false);
	check_rows(rows, COUNT(rows), true);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_while_working),
		TEST(test_landlock),
		TEST(test_while_sending),
#ifdef __x86_64__
		TEST(test_other_tables),
#endif
	};

	return RUN_TESTS(tests);
}
