#include "link/tc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "link/exchange.h"

enum { FIRST = 1 }; /* of a side's programs: its priority, and its number there */

static struct tcmsg header_of(int index, enum tc_side side)
{
	return (struct tcmsg){.tcm_ifindex = index,
		.tcm_handle = FIRST,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, side == TC_IN ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS),
		.tcm_info = TC_H_MAKE(FIRST << 16, htons(ETH_P_ALL))};
}

static struct nl_msg *new_request(int type, int flags, const struct tcmsg *header, const char *kind)
{
	struct nl_msg *request = exchange_request(type, flags, header, sizeof(*header));

	if (request && nla_put_string(request, TCA_KIND, kind) < 0) {
		nlmsg_free(request);
		return NULL;
	}
	return request;
}

int tc_prepare(struct link *link, int index)
{
	const struct tcmsg header = {
		.tcm_ifindex = index, .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0), .tcm_parent = TC_H_CLSACT};

	return exchange_acknowledged(
		link, new_request(RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &header, "clsact"));
}

/* TCA_OPTIONS { TCA_BPF_OPS_LEN, TCA_BPF_OPS, TCA_BPF_FLAGS: what it returns is what becomes of the frame } */
int tc_add(struct link *link, int index, enum tc_side side, const struct tc_program *program)
{
	const struct tcmsg header = header_of(index, side);
	struct nl_msg *request = new_request(RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &header, "bpf");
	struct nlattr *options = request ? nla_nest_start(request, TCA_OPTIONS) : NULL;

	if (!options || nla_put_u16(request, TCA_BPF_OPS_LEN, program->size) < 0 ||
		nla_put(request, TCA_BPF_OPS, (int)(program->size * sizeof(*program->code)), program->code) < 0 ||
		nla_put_u32(request, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT) < 0) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	nla_nest_end(request, options);
	return exchange_acknowledged(link, request);
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
	struct reply reply = {.take = reply_take_program, .context = &reader};
	int error = exchange(link, new_request(RTM_GETTFILTER, 0, &reader.header, "bpf"), &reply);

	if (error)
		return error == -EINVAL ? -ENOENT : error;
	return reader.same ? 0 : -ENOENT;
}
