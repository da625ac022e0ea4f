// SPDX-License-Identifier: MIT
/*
 * A packet on its way through the kernel, for probes (networks/probe.h): injected as a frame, traced rule by rule, and
 * taken for part of a connection that the kernel knows.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "link/exchange.h"
#include "link/link.h"

/* --- inject ------------------------------------------------------------------------------------------------------- */

/*
 * A frame of our own that an interface takes for one that it received, or is to send: a program of the kernel's traffic
 * control hands it over, which is run once with the frame and is on no interface (bpf(2), BPF_PROG_TEST_RUN;
 * bpf-helpers(7), bpf_clone_redirect). Needs CAP_NET_ADMIN and CAP_BPF.
 */

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

/* --- trace -------------------------------------------------------------------------------------------------------- */

/*
 * What the kernel says of packets that are traced (nft(8), meta nftrace): each rule and policy that decided anything of
 * one (NFT_MSG_TRACE, net/netfilter/nf_tables_trace.c). Needs CAP_NET_ADMIN.
 */

enum { BUFFER = 1 << 20 }; /* bytes: a packet that meets a thousand rules fits */

int trace_open(int *fd)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	const int group = NFNLGRP_NFTRACE, size = BUFFER;
	int error;

	*fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (*fd < 0)
		return -errno;
	setsockopt(*fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(*fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		setsockopt(*fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
		return 0;
	error = -errno;
	close(*fd);
	*fd = -1;
	return error;
}

static void take(struct nlmsghdr *message, void (*each)(void *context, const struct trace *), void *context)
{
	static const struct nla_policy sizes[NFTA_TRACE_MAX + 1] = {
		[NFTA_TRACE_TABLE] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_TRACE_CHAIN] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_TRACE_RULE_HANDLE] = {REPLY_SIZE(sizeof(uint64_t))},
		[NFTA_TRACE_TYPE] = {REPLY_SIZE(sizeof(uint32_t))},
		[NFTA_TRACE_ID] = {REPLY_SIZE(sizeof(uint32_t))},
		[NFTA_TRACE_POLICY] = {REPLY_SIZE(sizeof(uint32_t))},
	};
	struct nlattr *attributes[NFTA_TRACE_MAX + 1], *verdict[NFTA_VERDICT_MAX + 1] = {NULL};
	const struct nfgenmsg *header = nlmsg_data(message);
	struct trace trace;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) ||
		nlmsg_parse(message, sizeof(*header), attributes, NFTA_TRACE_MAX, sizes) < 0)
		return;
	if (attributes[NFTA_TRACE_VERDICT])
		nla_parse_nested(verdict, NFTA_VERDICT_MAX, attributes[NFTA_TRACE_VERDICT], NULL);
	trace = (struct trace){.family = header->nfgen_family,
		.id = nftables_number(attributes[NFTA_TRACE_ID]),
		.table = nftables_text(attributes[NFTA_TRACE_TABLE]),
		.chain = nftables_text(attributes[NFTA_TRACE_CHAIN]),
		.rule = nftables_handle(attributes[NFTA_TRACE_RULE_HANDLE])};
	if (nftables_number(attributes[NFTA_TRACE_TYPE]) == NFT_TRACETYPE_POLICY)
		trace.drops = attributes[NFTA_TRACE_POLICY] && nftables_number(attributes[NFTA_TRACE_POLICY]) == 0;
	else
		trace.drops = verdict[NFTA_VERDICT_CODE] && nftables_number(verdict[NFTA_VERDICT_CODE]) == 0;
	if (attributes[NFTA_TRACE_NETWORK_HEADER]) {
		trace.header = nla_data(attributes[NFTA_TRACE_NETWORK_HEADER]);
		trace.header_size = (size_t)nla_len(attributes[NFTA_TRACE_NETWORK_HEADER]);
	}
	each(context, &trace);
}

int trace_each(int fd, void (*each)(void *context, const struct trace *), void *context)
{
	_Alignas(struct nlmsghdr) char buffer[8192];
	ssize_t size;

	while ((size = recv(fd, buffer, sizeof(buffer), MSG_TRUNC)) > 0) {
		int left = (int)size;

		if ((size_t)size > sizeof(buffer))
			return -EMSGSIZE;
		for (struct nlmsghdr *message = (struct nlmsghdr *)(void *)buffer; nlmsg_ok(message, left);
			message = nlmsg_next(message, &left))
			take(message, each, context);
	}
	return errno == EAGAIN ? 0 : -errno;
}

/* --- connection --------------------------------------------------------------------------------------------------- */

/* The kernel's table of connections (nfnetlink; linux/netfilter/nfnetlink_conntrack.h). Needs CAP_NET_ADMIN. */

static void begin(struct link *nftables, int message, int flags, const struct connection *connection)
{
	const struct nfgenmsg header = {.nfgen_family = (uint8_t)connection->family, .version = NFNETLINK_V0};

	exchange_begin(nftables, NFNL_SUBSYS_CTNETLINK << 8 | message, NLM_F_ACK | flags, &header, sizeof(header));
}

/* { CTA_TUPLE_IP { source, destination }, CTA_TUPLE_PROTO { number, source, destination } }; reply: the way back */
static void put_tuple(struct link *nftables, const struct connection *connection, bool reply)
{
	const bool four = connection->family == AF_INET;
	const size_t size = four ? 4 : 16;
	const uint16_t ports[] = {htons(connection->from_port), htons(connection->to_port)};
	const uint8_t udp = IPPROTO_UDP;

	exchange_nest(nftables, reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);
	exchange_nest(nftables, CTA_TUPLE_IP);
	exchange_put(nftables, four ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, reply ? connection->to : connection->from, size);
	exchange_put(nftables, four ? CTA_IP_V4_DST : CTA_IP_V6_DST, reply ? connection->from : connection->to, size);
	exchange_end_nest(nftables);
	exchange_nest(nftables, CTA_TUPLE_PROTO);
	exchange_put(nftables, CTA_PROTO_NUM, &udp, sizeof(udp));
	exchange_put(nftables, CTA_PROTO_SRC_PORT, &ports[reply], sizeof(*ports));
	exchange_put(nftables, CTA_PROTO_DST_PORT, &ports[!reply], sizeof(*ports));
	exchange_end_nest(nftables);
	exchange_end_nest(nftables);
}

/* CTA_NAT_SRC { the first and the last address, CTA_NAT_PROTO { the first and the last port } } */
static void put_nat(struct link *nftables, const struct connection *connection)
{
	const bool four = connection->family == AF_INET;
	const size_t size = four ? 4 : 16;
	const uint16_t port = htons(connection->from_port);

	exchange_nest(nftables, CTA_NAT_SRC);
	exchange_put(nftables, four ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP, connection->as, size);
	exchange_put(nftables, four ? CTA_NAT_V4_MAXIP : CTA_NAT_V6_MAXIP, connection->as, size);
	exchange_nest(nftables, CTA_NAT_PROTO);
	exchange_put(nftables, CTA_PROTONAT_PORT_MIN, &port, sizeof(port));
	exchange_put(nftables, CTA_PROTONAT_PORT_MAX, &port, sizeof(port));
	exchange_end_nest(nftables);
	exchange_end_nest(nftables);
}

int connection_add(struct link *nftables, const struct connection *connection)
{
	const uint32_t status = htonl(IPS_CONFIRMED | IPS_SEEN_REPLY), timeout = htonl(connection->seconds);

	begin(nftables, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, connection);
	put_tuple(nftables, connection, false);
	put_tuple(nftables, connection, true);
	if (connection->as)
		put_nat(nftables, connection);
	exchange_put(nftables, CTA_STATUS, &status, sizeof(status));
	exchange_put(nftables, CTA_TIMEOUT, &timeout, sizeof(timeout));
	return exchange(nftables, NULL, NULL);
}

int connection_remove(struct link *nftables, const struct connection *connection)
{
	begin(nftables, IPCTNL_MSG_CT_DELETE, 0, connection);
	put_tuple(nftables, connection, false);
	return exchange(nftables, NULL, NULL);
}
