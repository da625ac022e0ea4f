#include "link/reply.h"

#include <errno.h>
#include <netlink/msg.h>
#include <string.h>

static const struct nla_policy interface_sizes[IFLA_MAX + 1] = {
	[IFLA_IFNAME] = {REPLY_TEXT(IFNAMSIZ)},
	[IFLA_IFALIAS] = {REPLY_TEXT(IFALIASZ)},
	[IFLA_MTU] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_MASTER] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_LINK] = {REPLY_SIZE(sizeof(uint32_t))},
};

const struct nla_policy reply_info_sizes[IFLA_INFO_MAX + 1] = {
	[IFLA_INFO_KIND] = {REPLY_TEXT(REPLY_KIND_MAX)},
	[IFLA_INFO_SLAVE_KIND] = {REPLY_TEXT(REPLY_KIND_MAX)},
};

static const struct nla_policy bridge_sizes[BRIDGE_ATTRIBUTE_MAX + 1] = {
	[IFLA_BR_AGEING_TIME] = {REPLY_SIZE(sizeof(uint32_t))},
	[BRIDGE_LEARNED_MAX] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_BR_FORWARD_DELAY] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_BR_STP_STATE] = {REPLY_SIZE(sizeof(uint32_t))},
};

_Static_assert(sizeof(((struct link_interface *)0)->kind) == REPLY_KIND_MAX, "the kind fits");
_Static_assert(IFLA_BR_MAX <= BRIDGE_ATTRIBUTE_MAX, "room for each attribute of a bridge");
_Static_assert(IFLA_BRPORT_MAX < 64, "a bit for each setting of a port");

unsigned int reply_byte(const struct nlattr *attribute)
{
	return attribute && nla_len(attribute) == 1 ? nla_get_u8(attribute) : 0;
}

/* IFLA_INFO_DATA of a bridge. */
static bool parse_bridge(struct nlattr *data, struct link_interface *interface)
{
	struct nlattr *bridge[BRIDGE_ATTRIBUTE_MAX + 1];
	uint32_t stp = 0;

	if (nla_parse_nested(bridge, BRIDGE_ATTRIBUTE_MAX, data, bridge_sizes) < 0)
		return false;
	nla_memcpy(&interface->forward_delay, bridge[IFLA_BR_FORWARD_DELAY], sizeof(interface->forward_delay));
	nla_memcpy(&interface->ageing, bridge[IFLA_BR_AGEING_TIME], sizeof(interface->ageing));
	nla_memcpy(&interface->learned_max, bridge[BRIDGE_LEARNED_MAX], sizeof(interface->learned_max));
	nla_memcpy(&stp, bridge[IFLA_BR_STP_STATE], sizeof(stp));
	interface->stp = stp != 0;
	/* A kernel whose bridges have no VLANs tells of filtering, not of their protocol (net/bridge/br_netlink.c). */
	interface->knows_vlans = bridge[IFLA_BR_VLAN_PROTOCOL] != NULL;
	if (bridge[IFLA_BR_GROUP_FWD_MASK] && nla_len(bridge[IFLA_BR_GROUP_FWD_MASK]) == sizeof(uint16_t))
		interface->group_forward = nla_get_u16(bridge[IFLA_BR_GROUP_FWD_MASK]);
	interface->knows_learned_max = bridge[BRIDGE_LEARNED_MAX] != NULL;
	interface->snooping = reply_byte(bridge[IFLA_BR_MCAST_SNOOPING]);
	interface->vlan_filtering = reply_byte(bridge[IFLA_BR_VLAN_FILTERING]);
	return true;
}

/* IFLA_INFO_SLAVE_DATA of a bridge's port. */
static bool parse_port(struct nlattr *data, struct link_port *settings)
{
	struct nlattr *port[IFLA_BRPORT_MAX + 1];

	if (nla_parse_nested(port, IFLA_BRPORT_MAX, data, NULL) < 0)
		return false;
	for (int i = 1; i <= IFLA_BRPORT_MAX; i++) {
		settings->known |= port[i] && nla_len(port[i]) == 1 ? LINK_PORT(i) : 0;
		settings->on |= reply_byte(port[i]) ? LINK_PORT(i) : 0;
	}
	return true;
}

static bool is_bridge(const struct nlattr *kind)
{
	return kind && nla_strcmp(kind, "bridge") == 0;
}

/* IFLA_LINKINFO: what kind of interface it is, and what it is as a bridge or as a port of one. */
static bool parse_link_info(struct nlattr *attribute, struct link_interface *interface)
{
	struct nlattr *info[IFLA_INFO_MAX + 1];

	if (nla_parse_nested(info, IFLA_INFO_MAX, attribute, reply_info_sizes) < 0)
		return false;
	nla_memcpy(interface->kind, info[IFLA_INFO_KIND], sizeof(interface->kind));
	return (!is_bridge(info[IFLA_INFO_KIND]) || !info[IFLA_INFO_DATA] ||
		       parse_bridge(info[IFLA_INFO_DATA], interface)) &&
	       (!is_bridge(info[IFLA_INFO_SLAVE_KIND]) || !info[IFLA_INFO_SLAVE_DATA] ||
		       parse_port(info[IFLA_INFO_SLAVE_DATA], &interface->port));
}

bool reply_take_interface(void *context, struct nlmsghdr *message)
{
	const struct interface_reader *reader = context;
	const struct ifinfomsg *header = nlmsg_data(message);
	struct nlattr *attributes[IFLA_MAX + 1];
	struct link_interface interface;

	if (message->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse(message, sizeof(*header), attributes, IFLA_MAX, interface_sizes) < 0)
		return false;
	interface = (struct link_interface){.index = header->ifi_index, .flags = header->ifi_flags};
	nla_memcpy(&interface.master, attributes[IFLA_MASTER], sizeof(interface.master));
	nla_memcpy(&interface.lower, attributes[IFLA_LINK], sizeof(interface.lower));
	/* One of another namespace has its number there; what stands on itself stands on nothing. */
	if (attributes[IFLA_LINK_NETNSID] || interface.lower == interface.index)
		interface.lower = 0;
	nla_memcpy(&interface.mtu, attributes[IFLA_MTU], sizeof(interface.mtu));
	nla_memcpy(interface.name, attributes[IFLA_IFNAME], sizeof(interface.name));
	nla_memcpy(interface.alias, attributes[IFLA_IFALIAS], sizeof(interface.alias));
	if (attributes[IFLA_ADDRESS] && nla_len(attributes[IFLA_ADDRESS]) == sizeof(interface.mac))
		nla_memcpy(interface.mac, attributes[IFLA_ADDRESS], sizeof(interface.mac));
	if ((attributes[IFLA_LINKINFO] && !parse_link_info(attributes[IFLA_LINKINFO], &interface)) ||
		interface.index <= 0 || interface.master < 0 || !interface.name[0])
		return false;
	reader->each(reader->context, &interface);
	return true;
}

/* One message; the same returns as reply_read. */
static int read_message(struct reply *reply, struct nlmsghdr *message)
{
	const struct nlmsgerr *error = nlmsg_data(message);

	if (message->nlmsg_seq != reply->sequence || message->nlmsg_pid != reply->port)
		return -EPROTO;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		reply->interrupted = true;
	switch (message->nlmsg_type) {
	case NLMSG_ERROR:
		if (nlmsg_datalen(message) < (int)sizeof(*error) || error->error > 0)
			return -EPROTO;
		return error->error || reply->acknowledge ? error->error : -EPROTO;
	case NLMSG_DONE:
		if (!reply->dump || nlmsg_datalen(message) < (int)sizeof(error->error))
			return -EPROTO;
		return error->error > 0 ? 0 : error->error;
	default:
		if (message->nlmsg_type < NLMSG_MIN_TYPE || reply->acknowledge || !reply->take(reply->context, message))
			return -EPROTO;
		return reply->dump ? 1 : 0;
	}
}

int reply_read(struct reply *reply, const void *datagram, size_t size)
{
	struct nlmsghdr *message = (struct nlmsghdr *)(uintptr_t)datagram; /* libnl's macros do not know const */
	int left = (int)size, result = -EPROTO;

	if (size > INT32_MAX)
		return -EPROTO;
	while (nlmsg_ok(message, left)) {
		result = read_message(reply, message);
		if (result <= 0)
			return result;
		message = nlmsg_next(message, &left);
	}
	return left > 0 ? -EPROTO : result;
}
