// SPDX-License-Identifier: MIT
/*
 * Programs of the kernel's traffic control that look at every frame of an interface before anything else does, a bridge
 * and nftables included (tc-bpf(8)). They are attributes of the interface: they go with it.
 */
#include "link/exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

#include "link/link.h"

enum { FIRST = 1 }; /* of a side's programs: its priority, and its number there */

static struct tcmsg header_of(int index, enum tc_side side)
{
	return (struct tcmsg){.tcm_ifindex = index,
		.tcm_handle = FIRST,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, side == TC_IN ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS),
		.tcm_info = TC_H_MAKE(FIRST << 16, htons(ETH_P_ALL))};
}

/* Of the two kinds that have room for programs the cheaper one: each side is sought in a list of all that there are. */
int tc_prepare(struct link *link, int index, bool both)
{
	const struct tcmsg header = {
		.tcm_ifindex = index, .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0), .tcm_parent = TC_H_CLSACT};

	exchange_begin(link, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	exchange_put_text(link, TCA_KIND, both ? "clsact" : "ingress");
	return exchange(link, NULL, NULL);
}

/* -EINVAL: there is none (tc_get_qdisc, net/sched/sch_api.c, has -ENOENT for a root's alone). */
int tc_clear(struct link *link, int index)
{
	const struct tcmsg header = {
		.tcm_ifindex = index, .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0), .tcm_parent = TC_H_CLSACT};
	int error;

	exchange_begin(link, RTM_DELQDISC, NLM_F_ACK, &header, sizeof(header));
	error = exchange(link, NULL, NULL);
	return error == -EINVAL ? -ENOENT : error;
}

/* TCA_OPTIONS { TCA_BPF_OPS_LEN, TCA_BPF_OPS, TCA_BPF_FLAGS: what it returns is what becomes of the frame } */
static int add(struct link *link, int index, enum tc_side side, const struct tc_program *program, int flags)
{
	const struct tcmsg header = header_of(index, side);
	const uint32_t direct = TCA_BPF_FLAG_ACT_DIRECT;

	exchange_begin(link, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE | flags, &header, sizeof(header));
	exchange_put_text(link, TCA_KIND, "bpf");
	exchange_nest(link, TCA_OPTIONS);
	exchange_put(link, TCA_BPF_OPS_LEN, &program->size, sizeof(program->size));
	exchange_put(link, TCA_BPF_OPS, program->code, program->size * sizeof(*program->code));
	exchange_put(link, TCA_BPF_FLAGS, &direct, sizeof(direct));
	return exchange(link, NULL, NULL);
}

int tc_add(struct link *link, int index, enum tc_side side, const struct tc_program *program)
{
	return add(link, index, side, program, NLM_F_EXCL);
}

int tc_replace(struct link *link, int index, enum tc_side side, const struct tc_program *program)
{
	return add(link, index, side, program, NLM_F_REPLACE);
}

static bool is_program(struct nlattr *options[], const struct tc_program *program)
{
	const struct nlattr *code = options[TCA_BPF_OPS], *flags = options[TCA_BPF_FLAGS];
	const size_t size = program->size * sizeof(*program->code);

	return code && flags && nla_len(code) == (int)size && memcmp(nla_data(code), program->code, size) == 0 &&
	       nla_len(flags) == sizeof(uint32_t) && nla_get_u32(flags) == TCA_BPF_FLAG_ACT_DIRECT;
}

bool reply_take_program(void *context, struct nlmsghdr *message)
{
	struct program_reader *reader = context;
	struct nlattr *attributes[TCA_MAX + 1], *options[TCA_BPF_MAX + 1];
	const struct tcmsg *header = nlmsg_data(message);

	if (message->nlmsg_type != RTM_NEWTFILTER ||
		nlmsg_parse(message, sizeof(*header), attributes, TCA_MAX, NULL) < 0 ||
		header->tcm_ifindex != reader->header.tcm_ifindex || header->tcm_parent != reader->header.tcm_parent ||
		!attributes[TCA_OPTIONS] || nla_parse_nested(options, TCA_BPF_MAX, attributes[TCA_OPTIONS], NULL) < 0)
		return false;
	reader->same = header->tcm_handle == reader->header.tcm_handle && header->tcm_info == reader->header.tcm_info &&
		       is_program(options, reader->program);
	return true;
}

/* -EINVAL: there is no such qdisc any more (tcf_qdisc_find, __tcf_qdisc_find, net/sched/cls_api.c). */
int tc_has(struct link *link, int index, enum tc_side side, const struct tc_program *program)
{
	struct program_reader reader = {.header = header_of(index, side), .program = program};
	int error;

	exchange_begin(link, RTM_GETTFILTER, 0, &reader.header, sizeof(reader.header));
	exchange_put_text(link, TCA_KIND, "bpf");
	error = exchange(link, reply_take_program, &reader);
	if (error)
		return error == -EINVAL ? -ENOENT : error;
	return reader.same ? 0 : -ENOENT;
}
