// SPDX-License-Identifier: MIT
/*
 * The host's neighbours: which hardware address has which IP address (RFC 826, RFC 4861), as far as the host spoke to
 * it.
 */
#include "link/exchange.h"

#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

#include "link/link.h"

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
