// SPDX-License-Identifier: MIT
/*
 * A frame of our own that an interface takes for one that it received, or is to send: a program of the kernel's traffic
 * control hands it over, which is run once with the frame and is on no interface (bpf(2), BPF_PROG_TEST_RUN;
 * bpf-helpers(7), bpf_clone_redirect). Needs CAP_NET_ADMIN and CAP_BPF.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "link/link.h"

static int call(enum bpf_cmd command, const union bpf_attr *attributes)
{
	long result = syscall(SYS_bpf, command, attributes, sizeof(*attributes));

	return result < 0 ? -errno : (int)result;
}

static uint64_t pointer(const void *at)
{
	return (uint64_t)(uintptr_t)at;
}

int inject(int index, bool out, const void *frame, size_t size)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = index},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = out ? 0 : BPF_F_INGRESS},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_clone_redirect},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attributes = {.prog_type = BPF_PROG_TYPE_SCHED_CLS};
	int fd, error;

	attributes.insns = pointer(program);
	attributes.insn_cnt = sizeof(program) / sizeof(*program);
	attributes.license = pointer("MIT");
	fd = call(BPF_PROG_LOAD, &attributes);
	if (fd < 0)
		return fd;
	memset(&attributes, 0, sizeof(attributes));
	attributes.test.prog_fd = (uint32_t)fd;
	attributes.test.data_in = pointer(frame);
	attributes.test.data_size_in = (uint32_t)size;
	attributes.test.repeat = 1;
	error = call(BPF_PROG_TEST_RUN, &attributes);
	close(fd);
	return error ? error : (int32_t)attributes.test.retval;
}
