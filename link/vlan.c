// SPDX-License-Identifier: MIT
/* VLANs of a bridge's port (IEEE 802.1Q; net/bridge/br_netlink.c, net/bridge/br_vlan.c). */
#include "link/exchange.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

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
