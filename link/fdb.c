// SPDX-License-Identifier: MIT
/* Forwarding databases: behind which port of a bridge an address is (linux/neighbour.h, net/bridge/br_fdb.c). */
#include "link/exchange.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

/*
 * RTM_NEWNEIGH; what is no Ethernet address (a vxlan's list may have others) is passed over. Times are in clock ticks
 * (jiffies_to_clock_t): 1/100 s to every program (sysconf(3)).
 */
bool reply_take_fdb_entry(void *context, struct nlmsghdr *message)
{
	const struct fdb_reader *reader = context;
	struct nlattr *attributes[NDA_MAX + 1];
	struct fdb_entry entry = {.index = 0};
	struct nda_cacheinfo times = {.ndm_updated = 0};
	const struct ndmsg *header = nlmsg_data(message);

	if (message->nlmsg_type != RTM_NEWNEIGH ||
		nlmsg_parse(message, sizeof(*header), attributes, NDA_MAX, NULL) < 0 || header->ndm_family != AF_BRIDGE)
		return false;
	if (!attributes[NDA_LLADDR] || nla_len(attributes[NDA_LLADDR]) != sizeof(entry.mac))
		return true;
	entry.index = header->ndm_ifindex;
	entry.fixed = header->ndm_state == NUD_NOARP;
	entry.stays = header->ndm_flags & NTF_STICKY;
	entry.own = header->ndm_state & NUD_PERMANENT;
	entry.aged = nla_memcpy(&times, attributes[NDA_CACHEINFO], sizeof(times)) == sizeof(times);
	entry.age = entry.aged ? times.ndm_updated : 0;
	nla_memcpy(entry.mac, attributes[NDA_LLADDR], sizeof(entry.mac));
	reader->each(reader->context, &entry);
	return true;
}

/* The header is an interface's: the kernel tells the two apart by their size (valid_fdb_dump_legacy). */
int fdb_each(struct link *link, int bridge, void (*each)(void *context, const struct fdb_entry *), void *context)
{
	const struct ifinfomsg header = {.ifi_family = AF_BRIDGE};
	struct fdb_reader reader = {each, context};

	exchange_begin(link, RTM_GETNEIGH, NLM_F_DUMP, &header, sizeof(header));
	exchange_put(link, IFLA_MASTER, &bridge, sizeof(bridge));
	return exchange(link, reply_take_fdb_entry, &reader);
}

/*
 * Sticky, as any port that learns could take a static entry over by sending from its address (br_fdb_update). Without
 * NLM_F_EXCL an entry that is there becomes this one, of whatever kind it was (fdb_add_entry).
 */
int fdb_put(struct link *link, int port, const unsigned char mac[static 6])
{
	const struct ndmsg header = {.ndm_family = AF_BRIDGE,
		.ndm_ifindex = port,
		.ndm_state = NUD_NOARP,
		.ndm_flags = NTF_MASTER | NTF_STICKY};

	exchange_begin(link, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));
	exchange_put(link, NDA_LLADDR, mac, 6);
	return exchange(link, NULL, NULL);
}

int fdb_remove(struct link *link, int port, const unsigned char mac[static 6])
{
	const struct ndmsg header = {.ndm_family = AF_BRIDGE, .ndm_ifindex = port, .ndm_flags = NTF_MASTER};

	exchange_begin(link, RTM_DELNEIGH, NLM_F_ACK, &header, sizeof(header));
	exchange_put(link, NDA_LLADDR, mac, 6);
	return exchange(link, NULL, NULL);
}

static void keep(void *context, const struct fdb_entry *entry)
{
	*(struct fdb_entry *)context = *entry;
}

int fdb_look(struct link *link, int port, const unsigned char mac[static 6], struct fdb_entry *entry)
{
	const struct ndmsg header = {.ndm_family = AF_BRIDGE, .ndm_ifindex = port, .ndm_flags = NTF_MASTER};
	struct fdb_reader reader = {keep, entry};
	int error;

	*entry = (struct fdb_entry){.index = 0};
	exchange_begin(link, RTM_GETNEIGH, 0, &header, sizeof(header));
	exchange_put(link, NDA_LLADDR, mac, 6);
	error = exchange(link, reply_take_fdb_entry, &reader);
	return error || memcmp(entry->mac, mac, sizeof(entry->mac)) == 0 ? error : -EPROTO;
}
