#include "link/reply.h"

#include <errno.h>
#include <netlink/msg.h>
#include <string.h>

/* The text of an attribute, if it fits and ends in NUL as the kernel's do. */
static bool text(struct nlattr *attribute, char *buffer, size_t size)
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

static bool number(struct nlattr *attribute, uint32_t *value)
{
	*value = 0;
	if (!attribute)
		return true;
	if (nla_len(attribute) != sizeof(*value))
		return false;
	*value = nla_get_u32(attribute);
	return true;
}

/* RTM_NEWLINK -> struct link_interface; false if it is malformed. */
static bool parse_interface(struct nlmsghdr *message, struct link_interface *interface)
{
	struct nlattr *attributes[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1] = {0};
	const struct ifinfomsg *header = nlmsg_data(message);
	uint32_t master;

	if (nlmsg_parse(message, sizeof(*header), attributes, IFLA_MAX, NULL) < 0)
		return false;
	if (attributes[IFLA_LINKINFO] && nla_parse_nested(info, IFLA_INFO_MAX, attributes[IFLA_LINKINFO], NULL) < 0)
		return false;
	*interface = (struct link_interface){.index = header->ifi_index, .flags = header->ifi_flags};
	if (attributes[IFLA_ADDRESS] && nla_len(attributes[IFLA_ADDRESS]) == sizeof(interface->mac))
		memcpy(interface->mac, nla_data(attributes[IFLA_ADDRESS]), sizeof(interface->mac));
	if (!number(attributes[IFLA_MASTER], &master) || !number(attributes[IFLA_MTU], &interface->mtu) ||
		!text(attributes[IFLA_IFNAME], interface->name, sizeof(interface->name)) ||
		!text(attributes[IFLA_IFALIAS], interface->alias, sizeof(interface->alias)) ||
		!text(info[IFLA_INFO_KIND], interface->kind, sizeof(interface->kind)))
		return false;
	interface->master = (int)master;
	return interface->index > 0 && interface->master >= 0 && interface->name[0];
}

/* One message; the same returns as reply_read. */
static int read_message(struct reply *reply, struct nlmsghdr *message)
{
	struct link_interface interface;
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
	case RTM_NEWLINK:
		if (reply->acknowledge || !parse_interface(message, &interface))
			return -EPROTO;
		reply->each(reply->context, &interface);
		return reply->dump ? 1 : 0;
	default:
		return -EPROTO;
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
