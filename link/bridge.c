// SPDX-License-Identifier: MIT
/* Bridges: made and set, their ports' settings and VLANs, and their forwarding databases (net/bridge/). */
#include "link/exchange.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <string.h>

#include "link/link.h"

/* --- settings ----------------------------------------------------------------------------------------------------- */

/* IFLA_LINKINFO { IFLA_INFO_SLAVE_KIND "bridge" IFLA_INFO_SLAVE_DATA { IFLA_BRPORT_ISOLATED 1, ... } } */
int link_set_port(struct link *link, int index, const struct link_port *port)
{
	exchange_begin_interface(link, RTM_NEWLINK, NLM_F_ACK, index);
	exchange_nest(link, IFLA_LINKINFO);
	exchange_put_text(link, IFLA_INFO_SLAVE_KIND, "bridge");
	exchange_nest(link, IFLA_INFO_SLAVE_DATA);
	for (int i = 1; i <= LINK_PORT_LAST; i++) {
		const uint8_t on = (port->on & LINK_PORT(i)) != 0;

		exchange_put(link, i, port->known & LINK_PORT(i) ? &on : NULL, sizeof(on));
	}
	return exchange(link, NULL, NULL);
}

/* Begin what a bridge is to have: IFLA_LINKINFO { IFLA_INFO_KIND "bridge" IFLA_INFO_DATA { ... } } */
static void nest_bridge(struct link *link)
{
	exchange_nest(link, IFLA_LINKINFO);
	exchange_put_text(link, IFLA_INFO_KIND, "bridge");
	exchange_nest(link, IFLA_INFO_DATA);
}

int link_make_bridge(struct link *link, const char *name, const unsigned char mac[static 6])
{
	const uint32_t no_delay = 0;

	exchange_begin_interface(link, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0);
	exchange_put_text(link, IFLA_IFNAME, name);
	exchange_put(link, IFLA_ADDRESS, mac, 6);
	nest_bridge(link);
	exchange_put(link, IFLA_BR_FORWARD_DELAY, &no_delay, sizeof(no_delay));
	return exchange(link, NULL, NULL);
}

/* One setting of a bridge: IFLA_BR_... (linux/if_link.h). */
static int set_bridge(struct link *link, int index, int attribute, uint32_t value)
{
	exchange_begin_interface(link, RTM_NEWLINK, NLM_F_ACK, index);
	nest_bridge(link);
	exchange_put(link, attribute, &value, sizeof(value));
	return exchange(link, NULL, NULL);
}

/* In this order: with the protocol on, not every delay will do (br_set_forward_delay, net/bridge/br_stp.c). */
int link_set_bridge(struct link *link, int index, bool stp, uint32_t forward_delay)
{
	int error = set_bridge(link, index, IFLA_BR_STP_STATE, 0);

	if (!error)
		error = set_bridge(link, index, IFLA_BR_FORWARD_DELAY, forward_delay);
	return error || !stp ? error : set_bridge(link, index, IFLA_BR_STP_STATE, 1);
}

int link_set_switch(struct link *link, int index, const struct link_interface *as)
{
	const uint8_t snooping = as->snooping;

	exchange_begin_interface(link, RTM_NEWLINK, NLM_F_ACK, index);
	nest_bridge(link);
	exchange_put(link, IFLA_BR_GROUP_FWD_MASK, &as->group_forward, sizeof(as->group_forward));
	exchange_put(link, IFLA_BR_AGEING_TIME, &as->ageing, sizeof(as->ageing));
	exchange_put(link, IFLA_BR_MCAST_SNOOPING, &snooping, sizeof(snooping));
	exchange_put(link, BRIDGE_LEARNED_MAX, &as->learned_max, sizeof(as->learned_max));
	return exchange(link, NULL, NULL);
}

/* --- VLANs -------------------------------------------------------------------------------------------------------- */

/* VLANs of a bridge's port (IEEE 802.1Q; net/bridge/br_netlink.c, net/bridge/br_vlan.c). */

enum { VLAN_LAST = 4094 };

/* IFLA_AF_SPEC { IFLA_BRIDGE_VLAN_INFO ... } */
static int change_vlans(struct link *link, int type, int port, const struct bridge_vlan_info *vlans, size_t count)
{
	const struct ifinfomsg header = {.ifi_family = AF_BRIDGE, .ifi_index = port};

	exchange_begin(link, type, NLM_F_ACK, &header, sizeof(header));
	exchange_nest(link, IFLA_AF_SPEC);
	for (size_t i = 0; i < count; i++)
		exchange_put(link, IFLA_BRIDGE_VLAN_INFO, &vlans[i], sizeof(vlans[i]));
	return exchange(link, NULL, NULL);
}

/* All are removed first: the bridge put the port into its default VLAN, whichever that is. */
int link_set_vlan(struct link *link, int port, uint32_t vlan)
{
	const struct bridge_vlan_info all[] = {
		{BRIDGE_VLAN_INFO_RANGE_BEGIN, 1}, {BRIDGE_VLAN_INFO_RANGE_END, VLAN_LAST}};
	const struct bridge_vlan_info one = {BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, (uint16_t)vlan};
	int error = change_vlans(link, RTM_DELLINK, port, all, 2);

	return error ? error : change_vlans(link, RTM_SETLINK, port, &one, 1);
}

static const struct nla_policy sizes[BRIDGE_VLANDB_ENTRY_MAX + 1] = {
	[BRIDGE_VLANDB_ENTRY_INFO] = {REPLY_SIZE(sizeof(struct bridge_vlan_info))},
};

/* RTM_NEWVLAN { BRIDGE_VLANDB_ENTRY { BRIDGE_VLANDB_ENTRY_INFO, BRIDGE_VLANDB_ENTRY_RANGE } ... } */
bool reply_take_vlans(void *context, struct nlmsghdr *message)
{
	struct vlan_reader *reader = context;
	struct nlattr *attribute, *entry[BRIDGE_VLANDB_ENTRY_MAX + 1];
	struct bridge_vlan_info info;
	int left;

	if (message->nlmsg_type != RTM_NEWVLAN || !nlmsg_valid_hdr(message, sizeof(struct br_vlan_msg)))
		return false;
	nlmsg_for_each_attr(attribute, message, sizeof(struct br_vlan_msg), left)
	{
		if (nla_type(attribute) != BRIDGE_VLANDB_ENTRY)
			continue;
		if (nla_parse_nested(entry, BRIDGE_VLANDB_ENTRY_MAX, attribute, sizes) < 0 ||
			nla_memcpy(&info, entry[BRIDGE_VLANDB_ENTRY_INFO], sizeof(info)) == 0)
			return false;
		reader->count += entry[BRIDGE_VLANDB_ENTRY_RANGE] ? 2 : 1;
		reader->vlan = info.vid;
		reader->untagged = (info.flags & BRIDGE_VLAN_INFO_PVID) && (info.flags & BRIDGE_VLAN_INFO_UNTAGGED);
	}
	return true;
}

bool vlan_is_only(const struct vlan_reader *reader, uint32_t vlan)
{
	return reader->count == 1 && reader->vlan == vlan && reader->untagged;
}

int link_has_vlan(struct link *link, int port, uint32_t vlan)
{
	const struct br_vlan_msg header = {.family = AF_BRIDGE, .ifindex = (uint32_t)port};
	struct vlan_reader reader = {.count = 0};
	int error;

	exchange_begin(link, RTM_GETVLAN, NLM_F_DUMP, &header, sizeof(header));
	error = exchange(link, reply_take_vlans, &reader);
	if (error)
		return error;
	return vlan_is_only(&reader, vlan) ? 0 : -ENOENT;
}

/* --- forwarding database ------------------------------------------------------------------------------------------ */

/* Forwarding databases: behind which port of a bridge an address is (linux/neighbour.h, net/bridge/br_fdb.c). */

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
