/* VLANs of a bridge's port (IEEE 802.1Q; net/bridge/br_netlink.c, net/bridge/br_vlan.c). */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "link/exchange.h"

enum { VLAN_LAST = 4094 };

static bool put_vlan(struct nl_msg *request, uint32_t vlan, int flags)
{
	const struct bridge_vlan_info info = {.vid = (uint16_t)vlan, .flags = (uint16_t)flags};

	return nla_put(request, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info) >= 0;
}

/* IFLA_AF_SPEC { IFLA_BRIDGE_VLAN_INFO ... }: one VLAN, or all from the first to the last. */
static int change_vlans(struct link *link, int type, int port, uint32_t first, uint32_t last, int flags)
{
	const struct ifinfomsg header = {.ifi_family = AF_BRIDGE, .ifi_index = port};
	struct nl_msg *request = exchange_request(type, NLM_F_ACK, &header, sizeof(header));
	struct nlattr *vlans = request ? nla_nest_start(request, IFLA_AF_SPEC) : NULL;
	bool range = first != last;

	if (!vlans || !put_vlan(request, first, flags | (range ? BRIDGE_VLAN_INFO_RANGE_BEGIN : 0)) ||
		(range && !put_vlan(request, last, flags | BRIDGE_VLAN_INFO_RANGE_END))) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	nla_nest_end(request, vlans);
	return exchange_acknowledged(link, request);
}

int link_set_vlan(struct link *link, int port, uint32_t vlan)
{
	/* The bridge put the port into its default VLAN, whichever that is. */
	int error = change_vlans(link, RTM_DELLINK, port, 1, VLAN_LAST, 0);

	return error ? error
		     : change_vlans(
			       link, RTM_SETLINK, port, vlan, vlan, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
}

/* RTM_NEWVLAN { BRIDGE_VLANDB_ENTRY { BRIDGE_VLANDB_ENTRY_INFO, BRIDGE_VLANDB_ENTRY_RANGE } ... } */
bool reply_take_vlans(void *context, struct nlmsghdr *message)
{
	struct vlan_reader *reader = context;
	const int size = (int)NLMSG_ALIGN(sizeof(struct br_vlan_msg));
	struct nlattr *attribute, *entry[BRIDGE_VLANDB_ENTRY_MAX + 1];
	struct bridge_vlan_info info;
	int left;

	if (message->nlmsg_type != RTM_NEWVLAN || nlmsg_datalen(message) < size)
		return false;
	nla_for_each_attr(attribute, nlmsg_attrdata(message, size), nlmsg_attrlen(message, size), left)
	{
		if (nla_type(attribute) != BRIDGE_VLANDB_ENTRY)
			continue;
		if (nla_parse_nested(entry, BRIDGE_VLANDB_ENTRY_MAX, attribute, NULL) < 0 ||
			!entry[BRIDGE_VLANDB_ENTRY_INFO] || nla_len(entry[BRIDGE_VLANDB_ENTRY_INFO]) != sizeof(info))
			return false;
		memcpy(&info, nla_data(entry[BRIDGE_VLANDB_ENTRY_INFO]), sizeof(info));
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
	struct reply reply = {.dump = true, .take = reply_take_vlans, .context = &reader};
	int error = exchange(link, exchange_request(RTM_GETVLAN, NLM_F_DUMP, &header, sizeof(header)), &reply);

	if (error)
		return error;
	return vlan_is_only(&reader, vlan) ? 0 : -ENOENT;
}
