// SPDX-License-Identifier: MIT
/* The host's addresses, routes, rules and neighbours (rtnetlink(7)). */
#include "link/exchange.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

#include "link/link.h"

static unsigned int bits_of(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* An attribute that holds an address of the family; all zero if it is absent. */
static bool read_address(struct nlattr *attribute, int family, unsigned char address[static 16])
{
	int size = family == AF_INET ? 4 : 16;

	memset(address, 0, 16);
	if (!attribute)
		return true;
	if (nla_len(attribute) != size)
		return false;
	memcpy(address, nla_data(attribute), (size_t)size);
	return true;
}

/* --- addresses ---------------------------------------------------------------------------------------------------- */

static int change_address(struct link *link, int type, int flags, const struct link_address *address)
{
	const size_t size = address->family == AF_INET ? 4 : 16;
	const uint32_t usable = IFA_F_NODAD;
	const struct ifaddrmsg header = {.ifa_family = (uint8_t)address->family,
		.ifa_prefixlen = (uint8_t)address->prefix,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (unsigned int)address->index};

	exchange_begin(link, type, NLM_F_ACK | flags, &header, sizeof(header));
	exchange_put(link, IFA_LOCAL, address->address, size);
	exchange_put(link, IFA_ADDRESS, address->address, size);
	exchange_put(link, IFA_FLAGS, &usable, sizeof(usable));
	return exchange(link, NULL, NULL);
}

int link_add_address(struct link *link, const struct link_address *address)
{
	return change_address(link, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
}

int link_remove_address(struct link *link, const struct link_address *address)
{
	return change_address(link, RTM_DELADDR, 0, address);
}

bool reply_take_address(void *context, struct nlmsghdr *message)
{
	const struct address_reader *reader = context;
	const struct ifaddrmsg *header = nlmsg_data(message);
	struct nlattr *attributes[IFA_MAX + 1];
	struct link_address address;
	struct ifa_cacheinfo times;

	if (message->nlmsg_type != RTM_NEWADDR || nlmsg_parse(message, sizeof(*header), attributes, IFA_MAX, NULL) < 0)
		return false;
	if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
		return true;
	if (header->ifa_prefixlen > bits_of(header->ifa_family))
		return false;
	address = (struct link_address){
		.index = (int)header->ifa_index, .family = header->ifa_family, .prefix = header->ifa_prefixlen};
	if (!read_address(attributes[attributes[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS], address.family, address.address))
		return false;
	if (attributes[IFA_CACHEINFO] && nla_len(attributes[IFA_CACHEINFO]) >= (int)sizeof(times)) {
		memcpy(&times, nla_data(attributes[IFA_CACHEINFO]), sizeof(times));
		address.made = times.cstamp;
	}
	reader->each(reader->context, &address);
	return true;
}

int link_each_address(struct link *link, void (*each)(void *context, const struct link_address *), void *context)
{
	const struct ifaddrmsg header = {0};
	struct address_reader reader = {each, context};

	exchange_begin(link, RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	return exchange(link, reply_take_address, &reader);
}

/* --- routes ------------------------------------------------------------------------------------------------------- */

/* RTA_MULTIPATH: one struct rtnexthop after another (rtnetlink(7)). */
static bool each_path(const struct route_reader *reader, struct link_route *route, struct nlattr *paths)
{
	const unsigned char *at = nla_data(paths);
	size_t left = (size_t)nla_len(paths);
	struct rtnexthop path;

	while (left >= sizeof(path)) {
		size_t step;

		memcpy(&path, at, sizeof(path));
		if (path.rtnh_len < sizeof(path) || path.rtnh_len > left)
			return false;
		route->index = path.rtnh_ifindex;
		reader->each(reader->context, route);
		step = (size_t)RTNH_ALIGN(path.rtnh_len);
		if (step >= left)
			return true;
		left -= step;
		at += step;
	}
	return left == 0;
}

static const struct nla_policy route_sizes[RTA_MAX + 1] = {
	[RTA_OIF] = {REPLY_SIZE(sizeof(uint32_t))}, [RTA_TABLE] = {REPLY_SIZE(sizeof(uint32_t))}};

static bool take_route(const struct route_reader *reader, struct nlmsghdr *message, unsigned int passed_over)
{
	const struct rtmsg *header = nlmsg_data(message);
	struct nlattr *attributes[RTA_MAX + 1];
	struct link_route route;
	uint32_t index = 0;

	if (message->nlmsg_type != RTM_NEWROUTE ||
		nlmsg_parse(message, sizeof(*header), attributes, RTA_MAX, route_sizes) < 0)
		return false;
	if ((header->rtm_family != AF_INET && header->rtm_family != AF_INET6) || (header->rtm_flags & passed_over))
		return true;
	if (header->rtm_dst_len > bits_of(header->rtm_family))
		return false;
	route = (struct link_route){.family = header->rtm_family,
		.prefix = header->rtm_dst_len,
		.type = header->rtm_type,
		.table = header->rtm_table};
	nla_memcpy(&route.table, attributes[RTA_TABLE], sizeof(route.table));
	if (!read_address(attributes[RTA_DST], route.family, route.destination))
		return false;
	nla_memcpy(&index, attributes[RTA_OIF], sizeof(index));
	if (attributes[RTA_MULTIPATH])
		return each_path(reader, &route, attributes[RTA_MULTIPATH]);
	route.index = (int)index;
	reader->each(reader->context, &route);
	return true;
}

bool reply_take_route(void *context, struct nlmsghdr *message)
{
	return take_route(context, message, RTM_F_CLONED);
}

/* What is found for one packet is such a clone. */
static bool reply_take_way(void *context, struct nlmsghdr *message)
{
	return take_route(context, message, 0);
}

int link_each_route(struct link *link, void (*each)(void *context, const struct link_route *), void *context)
{
	const struct rtmsg header = {0};
	struct route_reader reader = {each, context};

	exchange_begin(link, RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
	return exchange(link, reply_take_route, &reader);
}

static void keep_way(void *context, const struct link_route *route)
{
	*(struct link_route *)context = *route;
}

int link_way(struct link *link, const struct link_packet *packet, struct link_route *way)
{
	const size_t size = packet->family == AF_INET ? 4 : 16;
	const struct rtmsg header = {.rtm_family = (unsigned char)packet->family,
		.rtm_dst_len = (unsigned char)bits_of(packet->family),
		.rtm_src_len = (unsigned char)(packet->in ? bits_of(packet->family) : 0),
		.rtm_flags = RTM_F_LOOKUP_TABLE};
	struct route_reader reader = {.each = keep_way};

	*way = (struct link_route){.index = 0};
	reader.context = way;
	exchange_begin(link, RTM_GETROUTE, 0, &header, sizeof(header));
	exchange_put(link, RTA_DST, packet->to, size);
	exchange_put(link, RTA_SRC, packet->in ? packet->from : NULL, size);
	exchange_put(link, RTA_IIF, packet->in ? &packet->in : NULL, sizeof(packet->in));
	exchange_put(link, RTA_OIF, packet->vrf ? &packet->vrf : NULL, sizeof(packet->vrf));
	return exchange(link, reply_take_way, &reader);
}

/* --- rules ------------------------------------------------------------------------------------------------------- */

struct rule_reader {
	void (*each)(void *context, const struct link_rule *);
	void *context;
};

static const struct nla_policy rule_sizes[FRA_MAX + 1] = {[FRA_PRIORITY] = {REPLY_SIZE(sizeof(uint32_t))},
	[FRA_TABLE] = {REPLY_SIZE(sizeof(uint32_t))},
	[FRA_FWMARK] = {REPLY_SIZE(sizeof(uint32_t))},
	[FRA_IIFNAME] = {REPLY_TEXT(IFNAMSIZ)}};

static bool take_rule(void *context, struct nlmsghdr *message)
{
	const struct rule_reader *reader = context;
	const struct fib_rule_hdr *header = nlmsg_data(message);
	struct nlattr *attributes[FRA_MAX + 1];
	struct link_rule rule;

	if (message->nlmsg_type != RTM_NEWRULE ||
		nlmsg_parse(message, sizeof(*header), attributes, FRA_MAX, rule_sizes) < 0)
		return false;
	if (header->family != AF_INET && header->family != AF_INET6)
		return true;
	if (header->dst_len > bits_of(header->family) || header->src_len > bits_of(header->family))
		return false;
	rule = (struct link_rule){.family = header->family,
		.action = header->action,
		.table = header->table,
		.to_bits = header->dst_len,
		.from_bits = header->src_len,
		.inverted = header->flags & FIB_RULE_INVERT};
	if (!read_address(attributes[FRA_DST], rule.family, rule.to) ||
		!read_address(attributes[FRA_SRC], rule.family, rule.from))
		return false;
	nla_memcpy(&rule.priority, attributes[FRA_PRIORITY], sizeof(rule.priority));
	nla_memcpy(&rule.table, attributes[FRA_TABLE], sizeof(rule.table));
	nla_memcpy(&rule.mark, attributes[FRA_FWMARK], sizeof(rule.mark));
	nla_memcpy(rule.in, attributes[FRA_IIFNAME], sizeof(rule.in));
	reader->each(reader->context, &rule);
	return true;
}

int link_each_rule(struct link *link, void (*each)(void *context, const struct link_rule *), void *context)
{
	struct rule_reader reader = {each, context};
	int error = 0;

	for (size_t i = 0; i < 2 && !error; i++) {
		const struct fib_rule_hdr header = {.family = i ? AF_INET6 : AF_INET};

		exchange_begin(link, RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header));
		error = exchange(link, take_rule, &reader);
		if (error == -EAFNOSUPPORT || error == -EOPNOTSUPP)
			error = 0;
	}
	return error;
}

/*
 * Set an address to the first of its subnet, or to the next one. The subnet's own is none (RFC 4291, 2.6.1, for IPv6),
 * unless there are but two (RFC 3021, RFC 6164).
 */
static void set_host_bits(struct link_address *address, unsigned int bits, unsigned int number)
{
	for (unsigned int bit = address->prefix; bit < bits; bit++)
		address->address[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	address->address[bits / 8 - 1] |= (unsigned char)number;
}

bool link_other_address(const struct link_address *host, struct link_address *guest)
{
	unsigned int bits = host->family == AF_INET ? 32 : 128;
	unsigned int first = bits - host->prefix == 1 ? 0 : 1;

	if (host->prefix >= bits)
		return false;
	*guest = *host;
	set_host_bits(guest, bits, first);
	if (memcmp(guest->address, host->address, bits / 8) == 0)
		set_host_bits(guest, bits, first + 1);
	return true;
}

/* --- neighbours --------------------------------------------------------------------------------------------------- */

/*
 * The host's neighbours: which hardware address has which IP address (RFC 826, RFC 4861), as far as the host spoke to
 * it.
 */

/* States in which the hardware address is known, and was asked for or heard (net/core/neighbour.c). */
enum { KNOWN = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT };

/* RTM_NEWNEIGH. What has no Ethernet address, and other families' tables, are passed over. */
bool reply_take_neighbour(void *context, struct nlmsghdr *message)
{
	const struct neighbour_reader *reader = context;
	const struct ndmsg *header = nlmsg_data(message);
	struct nlattr *attributes[NDA_MAX + 1];
	struct neighbour neighbour = {.index = 0};
	int size;

	if (message->nlmsg_type != RTM_NEWNEIGH || nlmsg_parse(message, sizeof(*header), attributes, NDA_MAX, NULL) < 0)
		return false;
	if ((header->ndm_family != AF_INET && header->ndm_family != AF_INET6) || !(header->ndm_state & KNOWN) ||
		!attributes[NDA_LLADDR] || nla_len(attributes[NDA_LLADDR]) != sizeof(neighbour.mac))
		return true;
	size = header->ndm_family == AF_INET ? 4 : 16;
	if (!attributes[NDA_DST] || nla_len(attributes[NDA_DST]) != size)
		return false;
	neighbour.index = header->ndm_ifindex;
	neighbour.family = header->ndm_family;
	memcpy(neighbour.address, nla_data(attributes[NDA_DST]), (size_t)size);
	memcpy(neighbour.mac, nla_data(attributes[NDA_LLADDR]), sizeof(neighbour.mac));
	reader->each(reader->context, &neighbour);
	return true;
}

int neighbour_each(struct link *link, void (*each)(void *context, const struct neighbour *), void *context)
{
	const struct ndmsg header = {.ndm_family = AF_UNSPEC};
	struct neighbour_reader reader = {each, context};

	exchange_begin(link, RTM_GETNEIGH, NLM_F_DUMP, &header, sizeof(header));
	return exchange(link, reply_take_neighbour, &reader);
}
