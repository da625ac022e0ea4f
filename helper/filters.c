/*
 * The seccomp filters: which system calls each stage may make, with which arguments, and why.
 *
 * Not part of the helper: a program that runs when tapgate is built. It has libseccomp compile the lists below and
 * prints the result as a C header, so that no filter compiler runs inside a privileged process, and none has to be
 * waited for. Takes the architecture as libseccomp names it ("x86_64"), or "native".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/descriptors.h"
#include "policy/policy.h"

enum { ARGUMENTS_MAX = 3 };

_Static_assert(FD_TAP % POLICY_QUEUES_MAX == 0 && FD_OTHERS == FD_TAP + POLICY_QUEUES_MAX, "one mask for all queues");

/* An argument that is narrowed: (argument & mask) must be value. */
struct narrow {
	int argument; /* counted from 1; 0 ends the list */
	scmp_datum_t mask, value;
};

struct call {
	const char *name, *why;
	struct narrow narrow[ARGUMENTS_MAX];
};

/*
 * The whole argument, and its lower half: C libraries pass an int as a long of the same value, but an ioctl's request,
 * which is above the largest int, with this sign or that.
 */
#define IS(argument, value)                                                                                            \
	{                                                                                                              \
		argument, ~(scmp_datum_t)0, (scmp_datum_t)(value)                                                      \
	}
#define IS_LOW(argument, value)                                                                                        \
	{                                                                                                              \
		argument, 0xffffffff, (scmp_datum_t)(value)&0xffffffff                                                 \
	}
#define BITS(argument, mask, value)                                                                                    \
	{                                                                                                              \
		argument, (mask), (value)                                                                              \
	}
#define IS_TAP(argument) BITS(argument, ~(scmp_datum_t)(POLICY_QUEUES_MAX - 1), FD_TAP)
#define OPEN_WRITE_BITS	 (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))

/* While working. Where two names stand for one thing, C libraries and architectures differ in which they call. */
static const struct call work[] = {
	{"openat", "policy and account files, read only", {BITS(3, OPEN_WRITE_BITS, O_RDONLY)}},
	{"open", "the same", {BITS(2, OPEN_WRITE_BITS, O_RDONLY)}},
	{"openat", "/dev/net/tun, until the next filter", {BITS(3, OPEN_WRITE_BITS, O_RDWR)}},
	{"open", "the same", {BITS(2, OPEN_WRITE_BITS, O_RDWR)}},
	{"read", "files", {{0}}},
	{"readv", "files, through stdio", {{0}}},
	{"lseek", "files, through stdio", {{0}}},
	{"_llseek", "the same", {{0}}},
	{"fstat", "who owns the file that was opened", {{0}}},
	{"fstat64", "the same", {{0}}},
	{"newfstatat", "the same", {IS(4, AT_EMPTY_PATH)}},
	{"fstatat64", "the same", {IS(4, AT_EMPTY_PATH)}},
	{"statx", "the same", {IS(3, AT_EMPTY_PATH)}},
	{"fstatfs", "whether a user serves it", {{0}}},
	{"fstatfs64", "the same", {{0}}},
	{"sysinfo", "how much memory there is, for glibc's qsort", {{0}}},
	{"readlinkat", "symbolic links on the way to a policy file", {{0}}},
	{"close", "whatever was opened", {{0}}},
	{"close_range", "what the caller left open", {IS(3, 0)}},
	{"dup3", "descriptors to their numbers", {{0}}},
	{"fcntl", "whether --fd is open", {IS(2, F_GETFD)}},
	{"fcntl64", "the same", {IS(2, F_GETFD)}},
	{"fcntl", "a socket that does not block", {IS(1, FD_NETLINK), IS(2, F_SETFL), IS_LOW(3, O_NONBLOCK)}},
	{"fcntl", "the same", {IS(1, FD_NFTABLES), IS(2, F_SETFL), IS_LOW(3, O_NONBLOCK)}},
	{"fcntl64", "the same", {IS(1, FD_NETLINK), IS(2, F_SETFL), IS_LOW(3, O_NONBLOCK)}},
	{"fcntl64", "the same", {IS(1, FD_NFTABLES), IS(2, F_SETFL), IS_LOW(3, O_NONBLOCK)}},

	{"getsockopt", "what --fd is", {IS(1, FD_PEER), IS(2, SOL_SOCKET), IS(3, SO_DOMAIN)}},
	{"getsockopt", "what --fd is", {IS(1, FD_PEER), IS(2, SOL_SOCKET), IS(3, SO_TYPE)}},
	{"getsockopt", "what --fd is", {IS(1, FD_PEER), IS(2, SOL_SOCKET), IS(3, SO_ACCEPTCONN)}},
	{"getsockopt", "who is at its other end", {IS(1, FD_PEER), IS(2, SOL_SOCKET), IS(3, SO_PEERCRED)}},
	{"getpeername", "whether it is connected", {IS(1, FD_PEER)}},

	{"socket", "rtnetlink", {IS(1, AF_NETLINK), BITS(2, 0xf, SOCK_RAW), IS(3, NETLINK_ROUTE)}},
	{"socket", "nftables, to read guards", {IS(1, AF_NETLINK), BITS(2, 0xf, SOCK_RAW), IS(3, NETLINK_NETFILTER)}},
	{"setsockopt", "its buffer", {IS(1, FD_NETLINK), IS(2, SOL_SOCKET), IS(3, SO_SNDBUF)}},
	{"setsockopt", "its buffer", {IS(1, FD_NETLINK), IS(2, SOL_SOCKET), IS(3, SO_RCVBUF)}},
	{"setsockopt", "its buffer", {IS(1, FD_NFTABLES), IS(2, SOL_SOCKET), IS(3, SO_SNDBUF)}},
	{"setsockopt", "its buffer", {IS(1, FD_NFTABLES), IS(2, SOL_SOCKET), IS(3, SO_RCVBUF)}},
	{"bind", "rtnetlink", {IS(1, FD_NETLINK)}},
	{"bind", "nftables", {IS(1, FD_NFTABLES)}},
	{"getsockname", "its port", {IS(1, FD_NETLINK)}},
	{"getsockname", "its port", {IS(1, FD_NFTABLES)}},
	{"sendmsg", "requests to rtnetlink", {IS(1, FD_NETLINK)}},
	{"recvmsg", "its answers", {IS(1, FD_NETLINK)}},
	{"sendmsg", "requests to nftables", {IS(1, FD_NFTABLES)}},
	{"recvmsg", "its answers", {IS(1, FD_NFTABLES)}},

	{"ioctl", "whether a place is taken", {IS(1, FD_NETLINK), IS_LOW(2, SIOCGIFNAME)}},
	{"ioctl", "make the tap, and its queues", {IS_TAP(1), IS_LOW(2, TUNSETIFF)}},
	{"ioctl", "its place", {IS(1, FD_TAP), IS_LOW(2, TUNSETIFINDEX)}},
	{"ioctl", "its owner, so that nobody else can join it", {IS(1, FD_TAP), IS_LOW(2, TUNSETOWNER)}},
	{"ioctl", "its name, read back of each", {IS_TAP(1), IS_LOW(2, TUNGETIFF)}},
	{"ioctl", "undo what others left on it", {IS(1, FD_TAP), IS_LOW(2, TUNSETSNDBUF)}},
	{"ioctl", "the same, read back", {IS(1, FD_TAP), IS_LOW(2, TUNGETSNDBUF)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNSETVNETHDRSZ)}},
	{"ioctl", "the same, read back", {IS(1, FD_TAP), IS_LOW(2, TUNGETVNETHDRSZ)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNSETVNETLE)}},
	{"ioctl", "the same, read back", {IS(1, FD_TAP), IS_LOW(2, TUNGETVNETLE)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNSETVNETBE)}},
	{"ioctl", "the same, read back", {IS(1, FD_TAP), IS_LOW(2, TUNGETVNETBE)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNSETSTEERINGEBPF)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNSETFILTEREBPF)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNSETCARRIER)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNSETOFFLOAD)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNSETDEBUG)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNSETTXFILTER)}},
	{"ioctl", "the same", {IS(1, FD_TAP), IS_LOW(2, TUNDETACHFILTER)}},

	{"brk", "memory", {{0}}},
	{"mmap", "memory, never to execute", {BITS(3, PROT_EXEC, 0)}},
	{"mmap2", "the same", {BITS(3, PROT_EXEC, 0)}},
	{"mremap", "memory", {{0}}},
	{"munmap", "memory", {{0}}},
	{"getrandom", "malloc's secret", {{0}}},
	{"getpid", "libnl's port, the log", {{0}}},
	{"time", "libnl's first sequence number", {{0}}},
	{"gettimeofday", "the same", {{0}}},
	{"uname", "whether a list that was interrupted is whole", {{0}}},

	{"getuid", "proof that only the caller's identity is left", {{0}}},
	{"getuid32", "the same", {{0}}},
	{"getgid", "the same", {{0}}},
	{"getgid32", "the same", {{0}}},
	{"getresuid", "the same", {{0}}},
	{"getresuid32", "the same", {{0}}},
	{"getresgid", "the same", {{0}}},
	{"getresgid32", "the same", {{0}}},
	{"capget", "proof that the last capability is gone", {{0}}},
	{"capset", "giving it up", {{0}}},
	{"seccomp", "the second stage", {IS(1, SECCOMP_SET_MODE_FILTER), IS(2, 0)}},
	{"exit_group", "the end", {{0}}},
	{"exit", "the end", {{0}}},
};

/* What ends when the taps' descriptors are open: from here on nothing is opened but to be read. */
static const struct call writing[] = {
	{"openat", "/dev/net/tun, once more", {BITS(3, O_ACCMODE, O_RDWR)}},
	{"open", "the same", {BITS(2, O_ACCMODE, O_RDWR)}},
};

/* While sending. */
static const struct call sending[] = {
	{"sendmsg", "the tap's descriptor, to the caller", {IS(1, FD_PEER)}},
	{"close", "the tap, if it could not be sent", {IS_TAP(1)}},
	{"sendto", "the log line", {IS(1, FD_LOG)}},
	{"write", "the error", {IS(1, FD_ERROR)}},
	{"poll", "whether standard error takes it", {IS(2, 1)}},
	{"ppoll", "the same", {IS(2, 1)}},
	{"ppoll_time64", "the same", {IS(2, 1)}},
	{"fcntl", "whether standard error is a pipe", {IS(1, FD_ERROR), IS(2, F_GETPIPE_SZ)}},
	{"fcntl64", "the same", {IS(1, FD_ERROR), IS(2, F_GETPIPE_SZ)}},
	{"ioctl", "whether the pipe's reader has read it", {IS(1, FD_ERROR), IS_LOW(2, FIONREAD)}},
	{"restart_syscall", "a poll that SIGSTOP interrupted", {{0}}},
	{"exit_group", "the end", {{0}}},
	{"exit", "the end", {{0}}},
};

static void fail(const char *what, int error)
{
	fprintf(stderr, "filters: %s: %s\n", what, strerror(abs(error)));
	exit(1);
}

static void add(scmp_filter_ctx filter, uint32_t action, const struct call *call)
{
	struct scmp_arg_cmp conditions[ARGUMENTS_MAX];
	unsigned int count = 0;
	int number = seccomp_syscall_resolve_name(call->name);
	int error;

	if (number == __NR_SCMP_ERROR)
		return; /* of another architecture, or newer than this libseccomp */
	while (count < ARGUMENTS_MAX && call->narrow[count].argument) {
		const struct narrow *narrow = &call->narrow[count];

		conditions[count++] = (struct scmp_arg_cmp){
			(unsigned int)narrow->argument - 1, SCMP_CMP_MASKED_EQ, narrow->mask, narrow->value};
	}
	error = seccomp_rule_add_array(filter, action, number, count, conditions);
	if (error)
		fail(call->name, error);
}

/* The filter as C: libseccomp writes it to a file, in the kernel's form (struct sock_filter). */
static void print(scmp_filter_ctx filter, const char *name)
{
	struct sock_filter instruction;
	FILE *file = tmpfile();
	int error = file ? seccomp_export_bpf(filter, fileno(file)) : -errno;

	if (error)
		fail(name, error);
	rewind(file);
	printf("static const struct sock_filter %s_filter[] = {\n", name);
	while (fread(&instruction, sizeof(instruction), 1, file) == 1)
		printf("\t{0x%04x, %u, %u, 0x%08x},\n", instruction.code, instruction.jt, instruction.jf,
			instruction.k);
	printf("};\n");
	fclose(file);
}

/* The filter's sign that it is in force; where two are, the kernel gives the later one's. */
static void add_sign(scmp_filter_ctx filter, unsigned int sign)
{
	int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(sign), SCMP_SYS(prctl), 1,
		SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, PR_GET_SECCOMP));

	if (error)
		fail("sign", error);
}

static void add_all(scmp_filter_ctx filter, uint32_t action, const struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(filter, action, &calls[i]);
}

/* A filter that does this at whatever is not added to it. */
static scmp_filter_ctx begin(const char *arch, uint32_t action)
{
	scmp_filter_ctx filter = seccomp_init(action);
	int error = 0;

	if (!filter)
		fail("seccomp_init", ENOMEM);
	if (strcmp(arch, "native") != 0) {
		uint32_t token = seccomp_arch_resolve_name(arch);

		if (!token)
			fail(arch, EINVAL);
		if (token != seccomp_arch_native()) {
			seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
			error = seccomp_arch_add(filter, token);
		}
	}
	if (error || seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS))
		fail(arch, error ? error : EINVAL);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree, where this libseccomp can */
	return filter;
}

int main(int argc, char **argv)
{
	const char *arch = argc > 1 ? argv[1] : "native";
	scmp_filter_ctx filter = begin(arch, SCMP_ACT_KILL_PROCESS);

	/* The kernel asks all filters of a process: what a later stage may do, the first must allow. */
	add_all(filter, SCMP_ACT_ALLOW, work, sizeof(work) / sizeof(*work));
	add_all(filter, SCMP_ACT_ALLOW, sending, sizeof(sending) / sizeof(*sending));
	add_sign(filter, SIGN_OF_WORK);
	print(filter, "work");
	seccomp_release(filter);
	filter = begin(arch, SCMP_ACT_ALLOW);
	add_all(filter, SCMP_ACT_KILL_PROCESS, writing, sizeof(writing) / sizeof(*writing));
	add_sign(filter, SIGN_OF_READING);
	print(filter, "reading");
	seccomp_release(filter);
	filter = begin(arch, SCMP_ACT_KILL_PROCESS);
	add_all(filter, SCMP_ACT_ALLOW, sending, sizeof(sending) / sizeof(*sending));
	add_sign(filter, SIGN_OF_SENDING);
	print(filter, "sending");
	seccomp_release(filter);
	return ferror(stdout) ? 1 : 0;
}
