#include "link/reply.h"

#include <errno.h>
#include <netlink/msg.h>
#include <string.h>

bool reply_text(struct nlattr *attribute, char *buffer, size_t size)
{
	size_t length;

	buffer[0] = '\0';
	if (!attribute)
		return true;
	length = strnlen(nla_data(attribute), (size_t)nla_len(attribute));
	if (length >= size || length >= (size_t)nla_len(attribute))
		return false;
	memcpy(buffer, nla_data(attribute), length + 1);
	return true;
}

bool reply_number(struct nlattr *attribute, uint32_t *value)
{
	*value = 0;
	if (!attribute)
		return true;
	if (nla_len(attribute) != sizeof(*value))
		return false;
	*value = nla_get_u32(attribute);
	return true;
}

_Static_assert(IFLA_BR_MAX <= BRIDGE_ATTRIBUTE_MAX, "room for each attribute of a bridge");
_Static_assert(IFLA_BRPORT_MAX < 64, "a bit for each setting of a port");

/* A setting of one byte. */
static bool is_on(struct nlattr *attribute)
{
	return attribute && nla_len(attribute) == 1 && nla_get_u8(attribute);
}

/* IFLA_LINKINFO: what kind of interface it is, and what it is as a bridge or as a port of one. */
static bool parse_link_info(struct nlattr *attribute, struct link_interface *interface)
{
	struct nlattr *info[IFLA_INFO_MAX + 1], *bridge[BRIDGE_ATTRIBUTE_MAX + 1] = {0},
									       *port[IFLA_BRPORT_MAX + 1] = {0};
	char master_kind[sizeof(interface->kind)];
	uint32_t stp;

	if (nla_parse_nested(info, IFLA_INFO_MAX, attribute, NULL) < 0 ||
		!reply_text(info[IFLA_INFO_KIND], interface->kind, sizeof(interface->kind)) ||
		!reply_text(info[IFLA_INFO_SLAVE_KIND], master_kind, sizeof(master_kind)))
		return false;
	if (strcmp(interface->kind, "bridge") == 0 && info[IFLA_INFO_DATA] &&
		nla_parse_nested(bridge, BRIDGE_ATTRIBUTE_MAX, info[IFLA_INFO_DATA], NULL) < 0)
		return false;
	if (strcmp(master_kind, "bridge") == 0 && info[IFLA_INFO_SLAVE_DATA] &&
		nla_parse_nested(port, IFLA_BRPORT_MAX, info[IFLA_INFO_SLAVE_DATA], NULL) < 0)
		return false;
	if (!reply_number(bridge[IFLA_BR_FORWARD_DELAY], &interface->forward_delay) ||
		!reply_number(bridge[IFLA_BR_AGEING_TIME], &interface->ageing) ||
		!reply_number(bridge[BRIDGE_LEARNED_MAX], &interface->learned_max) ||
		!reply_number(bridge[IFLA_BR_STP_STATE], &stp))
		return false;
	interface->stp = stp != 0;
	/* A kernel whose bridges have no VLANs tells of filtering, not of their protocol (net/bridge/br_netlink.c). */
	interface->knows_vlans = bridge[IFLA_BR_VLAN_PROTOCOL] != NULL;
	if (bridge[IFLA_BR_GROUP_FWD_MASK] && nla_len(bridge[IFLA_BR_GROUP_FWD_MASK]) == sizeof(uint16_t))
		interface->group_forward = nla_get_u16(bridge[IFLA_BR_GROUP_FWD_MASK]);
	interface->knows_learned_max = bridge[BRIDGE_LEARNED_MAX] != NULL;
	interface->snooping = is_on(bridge[IFLA_BR_MCAST_SNOOPING]);
	interface->vlan_filtering = is_on(bridge[IFLA_BR_VLAN_FILTERING]);
	for (int i = 1; i <= IFLA_BRPORT_MAX; i++) {
		if (port[i] && nla_len(port[i]) == 1)
			interface->port.known |= LINK_PORT(i);
		if (is_on(port[i]))
			interface->port.on |= LINK_PORT(i);
	}
	return true;
}

/* RTM_NEWLINK -> struct link_interface; false if it is malformed. */
static bool parse_interface(struct nlmsghdr *message, struct link_interface *interface)
{
	struct nlattr *attributes[IFLA_MAX + 1];
	const struct ifinfomsg *header = nlmsg_data(message);
	uint32_t master, lower;

	if (nlmsg_parse(message, sizeof(*header), attributes, IFLA_MAX, NULL) < 0)
		return false;
	*interface = (struct link_interface){.index = header->ifi_index, .flags = header->ifi_flags};
	if (attributes[IFLA_LINKINFO] && !parse_link_info(attributes[IFLA_LINKINFO], interface))
		return false;
	if (attributes[IFLA_ADDRESS] && nla_len(attributes[IFLA_ADDRESS]) == sizeof(interface->mac))
		memcpy(interface->mac, nla_data(attributes[IFLA_ADDRESS]), sizeof(interface->mac));
	if (!reply_number(attributes[IFLA_MASTER], &master) || !reply_number(attributes[IFLA_LINK], &lower) ||
		!reply_number(attributes[IFLA_MTU], &interface->mtu) ||
		!reply_text(attributes[IFLA_IFNAME], interface->name, sizeof(interface->name)) ||
		!reply_text(attributes[IFLA_IFALIAS], interface->alias, sizeof(interface->alias)))
		return false;
	interface->master = (int)master;
	/* One of another namespace has its number there; what stands on itself stands on nothing. */
	if (!attributes[IFLA_LINK_NETNSID] && (int)lower != interface->index)
		interface->lower = (int)lower;
	return interface->index > 0 && interface->master >= 0 && interface->name[0];
}

bool reply_take_interface(void *context, struct nlmsghdr *message)
{
	const struct interface_reader *reader = context;
	struct link_interface interface;

	if (message->nlmsg_type != RTM_NEWLINK || !parse_interface(message, &interface))
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
