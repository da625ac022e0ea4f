/*
 * Programs of the kernel's traffic control that look at every frame of an interface before anything else does, a bridge
 * and nftables included (tc-bpf(8)). They are attributes of the interface: they go with it.
 */
#ifndef LINK_TC_H
#define LINK_TC_H

#include <linux/filter.h>
#include <linux/rtnetlink.h>

#include "link/link.h"

enum { TC_PROGRAM_MAX = 32 }; /* instructions */

/* Which frames a program sees: those that come in by an interface, or those that go out by it. */
enum tc_side { TC_IN, TC_OUT };

/* A program, in classic BPF; offsets count from the frame's first byte. It returns TC_ACT_UNSPEC or TC_ACT_SHOT. */
struct tc_program {
	struct sock_filter code[TC_PROGRAM_MAX];
	uint16_t size; /* instructions */
};

/* Make an interface one that can have programs. -ENOENT, -EOPNOTSUPP: this kernel has none (CONFIG_NET_SCH_INGRESS). */
int tc_prepare(struct link *link, int index);

/* Give it one for a side, before all others. -ENOENT as well: this kernel has no such (CONFIG_NET_CLS_BPF). */
int tc_add(struct link *link, int index, enum tc_side side, const struct tc_program *program);

/* For reply_read (reply.h): what a filter is compared with, and whether it is the same. */
struct program_reader {
	struct tcmsg header;
	const struct tc_program *program;
	bool same;
};
bool reply_take_program(void *reader, struct nlmsghdr *message);

/* Whether it has that one: -ENOENT if not. */
int tc_has(struct link *link, int index, enum tc_side side, const struct tc_program *program);

#endif
