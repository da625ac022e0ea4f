// SPDX-License-Identifier: MIT
/* The kernel's table of connections (nfnetlink; linux/netfilter/nfnetlink_conntrack.h). Needs CAP_NET_ADMIN. */
#include "link/exchange.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "link/link.h"

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
