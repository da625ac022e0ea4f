/* Addresses of the host's, and its routes (rtnetlink(7)). */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "link/exchange.h"

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

/* --- addresses --------------------------------------------------------------------------------------------------- */

static int change_address(struct link *link, int type, int flags, const struct link_address *address)
{
	int size = address->family == AF_INET ? 4 : 16;
	const struct ifaddrmsg header = {.ifa_family = (uint8_t)address->family,
		.ifa_prefixlen = (uint8_t)address->prefix,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (unsigned int)address->index};
	struct nl_msg *request = exchange_request(type, NLM_F_ACK | flags, &header, sizeof(header));

	if (!request || nla_put(request, IFA_LOCAL, size, address->address) < 0 ||
		nla_put(request, IFA_ADDRESS, size, address->address) < 0 ||
		nla_put_u32(request, IFA_FLAGS, IFA_F_NODAD) < 0) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange_acknowledged(link, request);
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
	struct reply reply = {.dump = true, .take = reply_take_address, .context = &reader};
	int result = exchange(link, exchange_request(RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header)), &reply);

	return result == 0 && reply.interrupted ? -EAGAIN : result;
}

/* --- routes ------------------------------------------------------------------------------------------------------ */

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

static bool take_route(const struct route_reader *reader, struct nlmsghdr *message, unsigned int passed_over)
{
	const struct rtmsg *header = nlmsg_data(message);
	struct nlattr *attributes[RTA_MAX + 1];
	struct link_route route;
	uint32_t index;

	if (message->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(message, sizeof(*header), attributes, RTA_MAX, NULL) < 0)
		return false;
	if ((header->rtm_family != AF_INET && header->rtm_family != AF_INET6) || (header->rtm_flags & passed_over))
		return true;
	if (header->rtm_dst_len > bits_of(header->rtm_family))
		return false;
	route = (struct link_route){
		.family = header->rtm_family, .prefix = header->rtm_dst_len, .type = header->rtm_type};
	if (!read_address(attributes[RTA_DST], route.family, route.destination) ||
		!reply_number(attributes[RTA_OIF], &index))
		return false;
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
	struct reply reply = {.dump = true, .take = reply_take_route, .context = &reader};
	int result = exchange(link, exchange_request(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header)), &reply);

	return result == 0 && reply.interrupted ? -EAGAIN : result;
}

static void keep_way(void *context, const struct link_route *route)
{
	*(struct link_route *)context = *route;
}

int link_way(struct link *link, const struct link_packet *packet, struct link_route *way)
{
	const int size = packet->family == AF_INET ? 4 : 16;
	const struct rtmsg header = {.rtm_family = (unsigned char)packet->family,
		.rtm_dst_len = (unsigned char)bits_of(packet->family),
		.rtm_src_len = (unsigned char)(packet->in ? bits_of(packet->family) : 0)};
	struct nl_msg *request = exchange_request(RTM_GETROUTE, 0, &header, sizeof(header));
	struct route_reader reader = {keep_way, way};
	struct reply reply = {.take = reply_take_way, .context = &reader};

	*way = (struct link_route){.index = 0};
	if (!request || nla_put(request, RTA_DST, size, packet->to) < 0 ||
		(packet->in && (nla_put(request, RTA_SRC, size, packet->from) < 0 ||
				       nla_put_u32(request, RTA_IIF, (uint32_t)packet->in) < 0))) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange(link, request, &reply);
}
