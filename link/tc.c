// SPDX-License-Identifier: MIT
/*
 * The kernel's traffic control (tc(8)): programs that look at an interface's frames, and its rates. Both are attributes
 * of the interface: they go with it.
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

/* --- programs ----------------------------------------------------------------------------------------------------- */

/*
 * Programs of the kernel's traffic control that look at every frame of an interface before anything else does, a bridge
 * and nftables included (tc-bpf(8)). They are attributes of the interface: they go with it.
 */

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

/* --- rates -------------------------------------------------------------------------------------------------------- */

/*
 * Rates of an interface: what goes out by it is shaped by a token bucket, its root qdisc (tc-tbf(8)); what comes in by
 * it is policed by an action behind a filter that takes every frame (tc-police(8)).
 */

enum {
	SECOND = 2,		  /* its priority: behind the program of tc_add */
	BURST_LEAST = 128 * 1024, /* bytes: twice the largest packet, as a guest's offloads make them */
	BURSTS_A_SECOND = 20,	  /* else what 50 ms of the rate come to */
	WAITING = 10,		  /* of a second, what may wait to go out: a tenth */
	TICK = 64,		  /* nanoseconds (PSCHED_SHIFT, include/net/pkt_sched.h) */
	RATE_TABLE = 1024,	  /* bytes of a table that the kernel asks for and has no use for (TC_RTAB_SIZE) */
};

static uint32_t bytes_of(uint32_t kbit)
{
	return kbit * (1000 / 8);
}

static uint32_t burst_of(uint32_t kbit)
{
	const uint32_t burst = bytes_of(kbit) / BURSTS_A_SECOND;

	return burst > BURST_LEAST ? burst : BURST_LEAST;
}

/* What the burst takes at that rate, in the kernel's ticks. */
static uint32_t ticks_of(uint32_t kbit)
{
	return (uint32_t)((uint64_t)burst_of(kbit) * 1000000000 / bytes_of(kbit) / TICK);
}

/* With a cell_log and the kind of link the kernel takes the rate as it is. */
static struct tc_ratespec spec_of(uint32_t kbit)
{
	return (struct tc_ratespec){.rate = bytes_of(kbit), .cell_log = 3, .linklayer = TC_LINKLAYER_ETHERNET};
}

/* --- rates: what goes out ----------------------------------------------------------------------------------------- */

static struct tcmsg root_of(int index)
{
	return (struct tcmsg){.tcm_ifindex = index, .tcm_parent = TC_H_ROOT};
}

/* TCA_OPTIONS { TCA_TBF_PARMS, TCA_TBF_BURST } */
static int shape(struct link *link, int index, uint32_t kbit)
{
	const struct tcmsg header = root_of(index);
	const uint32_t burst = burst_of(kbit);
	const struct tc_tbf_qopt shaping = {
		.rate = spec_of(kbit), .limit = burst + bytes_of(kbit) / WAITING, .buffer = ticks_of(kbit)};

	exchange_begin(link, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));
	exchange_put_text(link, TCA_KIND, "tbf");
	exchange_nest(link, TCA_OPTIONS);
	exchange_put(link, TCA_TBF_PARMS, &shaping, sizeof(shaping));
	exchange_put(link, TCA_TBF_BURST, &burst, sizeof(burst));
	return exchange(link, NULL, NULL);
}

static bool is_kind(const struct nlattr *attribute, const char *kind)
{
	return attribute && nla_len(attribute) == (int)strlen(kind) + 1 && strcmp(nla_data(attribute), kind) == 0;
}

bool reply_take_shaping(void *context, struct nlmsghdr *message)
{
	struct rate_reader *reader = context;
	struct nlattr *attributes[TCA_MAX + 1], *options[TCA_TBF_MAX + 1];
	const struct tcmsg *header = nlmsg_data(message);
	const struct tc_tbf_qopt *shaping;

	if (message->nlmsg_type != RTM_NEWQDISC ||
		nlmsg_parse(message, sizeof(*header), attributes, TCA_MAX, NULL) < 0 ||
		header->tcm_ifindex != reader->index || header->tcm_parent != TC_H_ROOT)
		return false;
	if (!is_kind(attributes[TCA_KIND], "tbf")) /* another one is there, the interface's first */
		return true;
	if (!attributes[TCA_OPTIONS] || nla_parse_nested(options, TCA_TBF_MAX, attributes[TCA_OPTIONS], NULL) < 0 ||
		!options[TCA_TBF_PARMS] || nla_len(options[TCA_TBF_PARMS]) < (int)sizeof(*shaping))
		return false;
	shaping = nla_data(options[TCA_TBF_PARMS]);
	reader->same = shaping->rate.rate == bytes_of(reader->kbit) && !shaping->peakrate.rate;
	return true;
}

/* --- rates: what comes in ----------------------------------------------------------------------------------------- */

static struct tcmsg filter_of(int index)
{
	return (struct tcmsg){.tcm_ifindex = index,
		.tcm_handle = 1,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		.tcm_info = TC_H_MAKE(SECOND << 16, htons(ETH_P_ALL))};
}

/*
 * TCA_OPTIONS { TCA_BPF_OPS_LEN, TCA_BPF_OPS: every frame,
 *	TCA_BPF_ACT { the first: TCA_ACT_KIND, TCA_ACT_OPTIONS { TCA_POLICE_TBF, TCA_POLICE_RATE } } }
 *
 * A program, as others are there already (tc_add): so that it takes one module of the kernel's less. mtu is the longest
 * frame that may pass; a guest's offloads make them longer than any link's.
 */
static int police(struct link *link, int index, uint32_t kbit)
{
	static const unsigned char table[RATE_TABLE];
	const struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
	const struct tcmsg header = filter_of(index);
	const struct tc_police policing = {
		.action = TC_POLICE_SHOT, .burst = ticks_of(kbit), .mtu = UINT32_MAX, .rate = spec_of(kbit)};
	const uint16_t size = sizeof(all) / sizeof(*all);

	exchange_begin(link, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	exchange_put_text(link, TCA_KIND, "bpf");
	exchange_nest(link, TCA_OPTIONS);
	exchange_put(link, TCA_BPF_OPS_LEN, &size, sizeof(size));
	exchange_put(link, TCA_BPF_OPS, all, sizeof(all));
	exchange_nest(link, TCA_BPF_ACT);
	exchange_nest(link, 1);
	exchange_put_text(link, TCA_ACT_KIND, "police");
	exchange_nest(link, TCA_ACT_OPTIONS);
	exchange_put(link, TCA_POLICE_TBF, &policing, sizeof(policing));
	exchange_put(link, TCA_POLICE_RATE, table, sizeof(table));
	return exchange(link, NULL, NULL);
}

/* The police of the first action of a filter; NULL if that is not one. */
static const struct tc_police *police_of(struct nlattr *actions)
{
	struct nlattr *list[2] = {NULL}, *action[TCA_ACT_MAX + 1], *options[TCA_POLICE_MAX + 1];

	if (!actions || nla_parse_nested(list, 1, actions, NULL) < 0 || !list[1] ||
		nla_parse_nested(action, TCA_ACT_MAX, list[1], NULL) < 0 || !is_kind(action[TCA_ACT_KIND], "police") ||
		!action[TCA_ACT_OPTIONS] ||
		nla_parse_nested(options, TCA_POLICE_MAX, action[TCA_ACT_OPTIONS], NULL) < 0 ||
		!options[TCA_POLICE_TBF] || nla_len(options[TCA_POLICE_TBF]) < (int)sizeof(struct tc_police))
		return NULL;
	return nla_data(options[TCA_POLICE_TBF]);
}

bool reply_take_policing(void *context, struct nlmsghdr *message)
{
	struct rate_reader *reader = context;
	struct nlattr *attributes[TCA_MAX + 1], *options[TCA_BPF_MAX + 1];
	const struct tcmsg *header = nlmsg_data(message), wanted = filter_of(reader->index);
	const struct tc_police *policing;

	if (message->nlmsg_type != RTM_NEWTFILTER ||
		nlmsg_parse(message, sizeof(*header), attributes, TCA_MAX, NULL) < 0 ||
		header->tcm_ifindex != wanted.tcm_ifindex || header->tcm_parent != wanted.tcm_parent ||
		!attributes[TCA_OPTIONS] || nla_parse_nested(options, TCA_BPF_MAX, attributes[TCA_OPTIONS], NULL) < 0)
		return false;
	policing = police_of(options[TCA_BPF_ACT]);
	reader->same = header->tcm_handle == wanted.tcm_handle && header->tcm_info == wanted.tcm_info && policing &&
		       policing->action == TC_POLICE_SHOT && policing->rate.rate == bytes_of(reader->kbit);
	return true;
}

/* --- rates: both ways --------------------------------------------------------------------------------------------- */

int rate_set(struct link *link, int index, enum tc_side side, uint32_t kbit)
{
	return side == TC_OUT ? shape(link, index, kbit) : police(link, index, kbit);
}

int rate_is(struct link *link, int index, enum tc_side side, uint32_t kbit)
{
	const struct tcmsg root = root_of(index), filter = filter_of(index);
	struct rate_reader reader = {.index = index, .kbit = kbit};
	int error;

	if (side == TC_OUT) { /* whose answer goes to who listens, and to who asks for an echo (nlmsg_notify) */
		exchange_begin(link, RTM_GETQDISC, NLM_F_ECHO, &root, sizeof(root));
		error = exchange(link, reply_take_shaping, &reader);
	} else {
		exchange_begin(link, RTM_GETTFILTER, 0, &filter, sizeof(filter));
		exchange_put_text(link, TCA_KIND, "bpf");
		error = exchange(link, reply_take_policing, &reader);
	}
	if (error)
		return error == -EINVAL ? -ENOENT : error;
	return reader.same ? 0 : -ENOENT;
}
