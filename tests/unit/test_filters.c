// SPDX-License-Identifier: MIT
/*
 * The seccomp filters (helper/filters.def, helper/filters.awk): what they say to a call, asked by running them as the
 * kernel does (bpf_check_classic and ___bpf_prog_run). Numbers and bytes are those of the architecture that this was
 * compiled for: run it under emulation for others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/syscall.h>

#include "helper/filters.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct filter {
	const char *name;
	const struct sock_filter *code;
	size_t size;
	uint32_t sign;
} filters[] = {
	{"work", work_filter, COUNT(work_filter), SIGN_OF_WORK},
	{"reading", reading_filter, COUNT(reading_filter), SIGN_OF_READING},
	{"sending", sending_filter, COUNT(sending_filter), SIGN_OF_SENDING},
};
enum { WORK, READING, SENDING, FILTERS };

static uint32_t run(const struct filter *filter, const struct seccomp_data *call)
{
	uint32_t value = 0;

	for (size_t at = 0; at < filter->size;) {
		const struct sock_filter *i = &filter->code[at++];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k % 4 == 0 && i->k + 4 <= sizeof(*call));
			memcpy(&value, (const char *)call + i->k, sizeof(value));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			value &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			at += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += value == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += value >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("%s: instruction %zu is 0x%x", filter->name, at - 1, i->code);
		}
	}
	fail_msg("%s: it goes on behind its end", filter->name);
	return 0;
}

static bool allows(int filter, const struct seccomp_data *call)
{
	uint32_t answer = run(&filters[filter], call);

	assert_true(answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_KILL_PROCESS);
	return answer == SECCOMP_RET_ALLOW;
}

/* Of a call of another architecture, whichever it is. */
static void test_foreign(void **state)
{
	(void)state;
	for (int i = 0; i < FILTERS; i++) {
		for (int number = 0; number < 600; number++) {
			struct seccomp_data call = {.nr = number, .arch = FILTER_ARCH ^ 1};

			assert_false(allows(i, &call));
		}
	}
}

static void test_signs(void **state)
{
	const struct seccomp_data asked = {.nr = __NR_prctl, .arch = FILTER_ARCH, .args = {PR_GET_SECCOMP}};
	const struct seccomp_data other = {.nr = __NR_prctl, .arch = FILTER_ARCH, .args = {PR_SET_SECCOMP}};

	(void)state;
	for (int i = 0; i < FILTERS; i++) {
		assert_int_equal(run(&filters[i], &asked), SECCOMP_RET_ERRNO | filters[i].sign);
		assert_int_equal(allows(i, &other), i == READING);
	}
}

/* What may be called with any arguments, on every architecture or where it is there. All else is killed. */
static void test_any_arguments(void **state)
{
	static const int calls[] = {
		__NR_read,
		__NR_readv,
		__NR_getdents64,
		__NR_lseek,
		__NR_readlinkat,
		__NR_close,
		__NR_dup3,
		__NR_brk,
		__NR_mremap,
		__NR_munmap,
		__NR_getrandom,
		__NR_getpid,
		__NR_uname,
		__NR_getuid,
		__NR_getgid,
		__NR_getresuid,
		__NR_getresgid,
		__NR_capget,
		__NR_capset,
		__NR_exit,
		__NR_exit_group,
		__NR_restart_syscall,
		__NR_sysinfo,
#ifdef __NR_dup2
		__NR_dup2,
#endif
#ifdef __NR_fstat
		__NR_fstat,
#endif
#ifdef __NR_fstatfs
		__NR_fstatfs,
#endif
#ifdef __NR_gettimeofday
		__NR_gettimeofday,
#endif
#ifdef __NR_clock_gettime
		__NR_clock_gettime,
#endif
#ifdef __NR_time
		__NR_time,
#endif
#ifdef __NR__llseek
		__NR__llseek,
#endif
#ifdef __NR_fstat64
		__NR_fstat64,
#endif
#ifdef __NR_fstatfs64
		__NR_fstatfs64,
#endif
#ifdef __NR_clock_gettime64
		__NR_clock_gettime64,
#endif
#ifdef __NR_getuid32
		__NR_getuid32,
		__NR_getgid32,
		__NR_getresuid32,
		__NR_getresgid32,
#endif
	};
	bool known[600] = {false};

	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++)
		known[calls[i]] = true;
	for (int number = 0; number < 600; number++) {
		struct seccomp_data call = {.nr = number, .arch = FILTER_ARCH};
		bool last = number == __NR_exit || number == __NR_exit_group || number == __NR_restart_syscall;

		memset(call.args, 0xaf, sizeof(call.args)); /* no descriptor, flags that nobody asks for */
		if (allows(WORK, &call) != known[number])
			fail_msg("work, call %d", number);
		assert_int_equal(allows(SENDING, &call), last);
	}
}

/* Calls that depend on their arguments: which filters let them pass, all of work, reading and sending being asked. */
static void test_arguments(void **state)
{
	enum { W = 1 << WORK, R = 1 << READING, S = 1 << SENDING, WR = W | R, ALL = W | R | S };
	static const struct {
		int number;
		uint64_t args[4];
		unsigned int allowed;
	} rows[] = {
		{__NR_openat, {0, 0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW}, WR},
		{__NR_openat, {0, 0, O_PATH | O_DIRECTORY}, WR},
		{__NR_openat, {0, 0, O_RDWR | O_CLOEXEC}, W},
		{__NR_openat, {0, 0, O_WRONLY}, R},
		{__NR_openat, {0, 0, O_RDONLY | O_CREAT}, R},
		{__NR_openat, {0, 0, O_RDWR | O_TRUNC}, 0},
		{__NR_openat, {0, 0, O_RDWR | O_TMPFILE}, 0},
		{__NR_socket, {AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE}, WR},
		{__NR_socket, {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}, WR},
		{__NR_socket, {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC}, R},
		{__NR_socket, {AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE}, R},
		{__NR_socket, {AF_INET, SOCK_RAW, 0}, R},
		{__NR_sendmsg, {FD_NETLINK}, WR},
		{__NR_sendmsg, {FD_PEER}, ALL},
		{__NR_sendmsg, {UINT64_C(1) << 32 | FD_PEER}, ALL}, /* the kernel takes an int */
		{__NR_sendmsg, {FD_TAP}, R},
		{__NR_sendto, {FD_LOG}, ALL},
		{__NR_sendto, {FD_NETLINK}, R},
		{__NR_write, {FD_ERROR}, ALL},
		{__NR_write, {FD_TAP}, R},
		{__NR_write, {1}, R},
		{__NR_close, {FD_TAP + POLICY_QUEUES_MAX - 1}, ALL},
		{__NR_close, {FD_TAP + POLICY_QUEUES_MAX}, WR},
		{__NR_close, {FD_TAP - 1}, WR},
		{__NR_ioctl, {FD_TAP, TUNSETIFF}, WR},
		{__NR_ioctl, {FD_TAP + 1, TUNSETIFF}, WR},
		{__NR_ioctl, {FD_TAP + 1, (uint64_t)(int64_t)(int)TUNGETIFF}, WR},
		{__NR_ioctl, {FD_TAP + 1, TUNSETOWNER}, R},
		{__NR_ioctl, {FD_TAP, TUNSETOWNER}, WR},
		{__NR_ioctl, {FD_TAP, TUNSETPERSIST}, R},
		{__NR_ioctl, {FD_TAP, SIOCGIFNAME}, R},
		{__NR_ioctl, {FD_NETLINK, SIOCGIFNAME}, WR},
		{__NR_ioctl, {FD_ERROR, FIONREAD}, ALL},
		{__NR_ioctl, {FD_NETLINK, FIONREAD}, R},
		{__NR_setsockopt, {FD_NFTABLES, SOL_SOCKET, SO_RCVBUF}, WR},
		{__NR_setsockopt, {FD_PEER, SOL_SOCKET, SO_RCVBUF}, R},
		{__NR_setsockopt, {FD_NETLINK, SOL_SOCKET, SO_ATTACH_FILTER}, R},
		{__NR_getsockopt, {FD_PEER, SOL_SOCKET, SO_PEERCRED}, WR},
		{__NR_getsockopt, {FD_PEER, SOL_SOCKET, SO_PEERSEC}, R},
		{__NR_close_range, {5, ~0U, 0}, WR},
		{__NR_close_range, {5, ~0U, 2}, R},
		{__NR_seccomp, {SECCOMP_SET_MODE_FILTER, 0}, WR},
		{__NR_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER}, R},
		{__NR_ppoll, {0, 1}, ALL},
		{__NR_ppoll, {0, 2}, R},
#ifdef __NR_mmap2
		{__NR_mmap2, {0, 4096, PROT_READ | PROT_WRITE}, WR},
		{__NR_mmap2, {0, 4096, PROT_READ | PROT_EXEC}, R},
#else
		{__NR_mmap, {0, 4096, PROT_READ | PROT_WRITE}, WR},
		{__NR_mmap, {0, 4096, PROT_READ | PROT_EXEC}, R},
#endif
#ifdef __NR_fcntl
		{__NR_fcntl, {77, F_GETFD}, WR},
		{__NR_fcntl, {77, F_SETFD}, R},
		{__NR_madvise, {0, 4096, MADV_FREE}, WR},
		{__NR_madvise, {0, 4096, MADV_DONTNEED}, R},
		{__NR_fcntl, {77, F_SETFD, FD_CLOEXEC}, WR},
		{__NR_fcntl, {77, F_SETFD, 0}, R},
		{__NR_fcntl, {FD_NETLINK, F_SETFL, O_NONBLOCK}, WR},
		{__NR_fcntl, {FD_ERROR, F_SETFL, O_NONBLOCK}, R},
		{__NR_fcntl, {FD_NETLINK, F_SETFL, O_NONBLOCK | O_ASYNC}, R},
		{__NR_fcntl, {FD_ERROR, F_GETPIPE_SZ}, ALL},
		{__NR_fcntl, {FD_TAP, F_GETPIPE_SZ}, R},
#endif
#ifdef __NR_send
		{__NR_send, {FD_LOG}, ALL}, /* what glibc calls on some architectures */
		{__NR_send, {FD_PEER}, R},
#endif
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct seccomp_data call = {.nr = rows[i].number, .arch = FILTER_ARCH};
		unsigned int allowed = 0;

		memcpy(call.args, rows[i].args, sizeof(rows[i].args));
		for (int j = 0; j < FILTERS; j++)
			allowed |= allows(j, &call) ? 1U << j : 0;
		if (allowed != rows[i].allowed)
			fail_msg("row %zu, call %d: %x", i, rows[i].number, allowed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_any_arguments),
		cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
