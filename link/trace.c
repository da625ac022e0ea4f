// SPDX-License-Identifier: MIT
/*
 * What the kernel says of packets that are traced (nft(8), meta nftrace): each rule and policy that decided anything of
 * one (NFT_MSG_TRACE, net/netfilter/nf_tables_trace.c). Needs CAP_NET_ADMIN.
 */
#include "link/exchange.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/link.h"

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
