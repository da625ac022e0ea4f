// SPDX-License-Identifier: MIT
/* Interfaces: looked up, listed, made, changed and removed (rtnetlink(7)). */
#include "link/exchange.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <netlink/msg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include "link/link.h"

int link_open(struct link **link)
{
	return exchange_open(link, NETLINK_ROUTE);
}

/* --- what is read ------------------------------------------------------------------------------------------------- */

static const struct nla_policy interface_sizes[IFLA_MAX + 1] = {
	[IFLA_IFNAME] = {REPLY_TEXT(IFNAMSIZ)},
	[IFLA_IFALIAS] = {REPLY_TEXT(IFALIASZ)},
	[IFLA_MTU] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_GROUP] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_MASTER] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_LINK] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_CARRIER] = {REPLY_SIZE(sizeof(uint8_t))},
	/* Newer kernels have more counters behind those that are read. */
	[IFLA_STATS64] = {.minlen = offsetof(struct rtnl_link_stats64, rx_errors)},
};

static const struct nla_policy info_sizes[IFLA_INFO_MAX + 1] = {
	[IFLA_INFO_KIND] = {REPLY_TEXT(REPLY_KIND_MAX)},
	[IFLA_INFO_SLAVE_KIND] = {REPLY_TEXT(REPLY_KIND_MAX)},
};

static const struct nla_policy bridge_sizes[BRIDGE_ATTRIBUTE_MAX + 1] = {
	[IFLA_BR_AGEING_TIME] = {REPLY_SIZE(sizeof(uint32_t))},
	[BRIDGE_LEARNED_MAX] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_BR_GROUP_FWD_MASK] = {REPLY_SIZE(sizeof(uint16_t))},
	[IFLA_BR_FORWARD_DELAY] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_BR_STP_STATE] = {REPLY_SIZE(sizeof(uint32_t))},
};

static const struct nla_policy tun_sizes[IFLA_TUN_MAX + 1] = {
	[IFLA_TUN_TYPE] = {REPLY_SIZE(sizeof(uint8_t))},
	[IFLA_TUN_PERSIST] = {REPLY_SIZE(sizeof(uint8_t))},
	[IFLA_TUN_PI] = {REPLY_SIZE(sizeof(uint8_t))},
	[IFLA_TUN_VNET_HDR] = {REPLY_SIZE(sizeof(uint8_t))},
	[IFLA_TUN_MULTI_QUEUE] = {REPLY_SIZE(sizeof(uint8_t))},
	[IFLA_TUN_OWNER] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_TUN_NUM_QUEUES] = {REPLY_SIZE(sizeof(uint32_t))},
	[IFLA_TUN_NUM_DISABLED_QUEUES] = {REPLY_SIZE(sizeof(uint32_t))},
};

_Static_assert(sizeof(((struct link_interface *)0)->kind) == REPLY_KIND_MAX, "the kind fits");
_Static_assert(IFLA_BR_MAX <= BRIDGE_ATTRIBUTE_MAX, "room for each attribute of a bridge");
_Static_assert(IFLA_BRPORT_MAX <= LINK_PORT_LAST, "a bit for each setting of a port");

/* Where attributes go: numbers and text as they are, a byte that is on or off to a bool (size 0). */
struct part {
	int attribute;
	size_t offset, size;
};
#define VALUE(attribute, type, member)                                                                                 \
	{                                                                                                              \
		attribute, offsetof(struct type, member), sizeof(((struct type *)0)->member)                           \
	}
#define FLAG(attribute, type, member)                                                                                  \
	{                                                                                                              \
		attribute, offsetof(struct type, member), 0                                                            \
	}

static const struct part interface_parts[] = {
	VALUE(IFLA_MASTER, link_interface, master),
	VALUE(IFLA_LINK, link_interface, lower),
	VALUE(IFLA_MTU, link_interface, mtu),
	VALUE(IFLA_GROUP, link_interface, group),
	VALUE(IFLA_IFNAME, link_interface, name),
	VALUE(IFLA_IFALIAS, link_interface, alias),
	FLAG(IFLA_CARRIER, link_interface, carrier),
	{0, 0, 0},
};

static const struct part bridge_parts[] = {
	VALUE(IFLA_BR_FORWARD_DELAY, link_interface, forward_delay),
	VALUE(IFLA_BR_AGEING_TIME, link_interface, ageing),
	VALUE(IFLA_BR_GROUP_FWD_MASK, link_interface, group_forward),
	VALUE(BRIDGE_LEARNED_MAX, link_interface, learned_max),
	FLAG(IFLA_BR_MCAST_SNOOPING, link_interface, snooping),
	FLAG(IFLA_BR_VLAN_FILTERING, link_interface, vlan_filtering),
	{0, 0, 0},
};

static const struct part tun_parts[] = {
	FLAG(IFLA_TUN_PERSIST, tun, persistent),
	FLAG(IFLA_TUN_PI, tun, packet_info),
	FLAG(IFLA_TUN_VNET_HDR, tun, vnet_header),
	FLAG(IFLA_TUN_MULTI_QUEUE, tun, multi_queue),
	VALUE(IFLA_TUN_OWNER, tun, owner),
	VALUE(IFLA_TUN_NUM_QUEUES, tun, queues),
	{0, 0, 0},
};

/* Their sizes were looked at (nla_parse); what is absent stays as it is, 0. */
static void fill(struct nlattr *attributes[], const struct part *part, void *to)
{
	for (; part->attribute; part++) {
		const bool on = reply_byte(attributes[part->attribute]);

		if (part->size)
			nla_memcpy((char *)to + part->offset, attributes[part->attribute], (int)part->size);
		else
			memcpy((char *)to + part->offset, &on, sizeof(on));
	}
}

/* IFLA_INFO_DATA of a bridge. */
static bool parse_bridge(struct nlattr *data, struct link_interface *interface)
{
	struct nlattr *bridge[BRIDGE_ATTRIBUTE_MAX + 1];
	uint32_t stp = 0;

	if (nla_parse_nested(bridge, BRIDGE_ATTRIBUTE_MAX, data, bridge_sizes) < 0)
		return false;
	fill(bridge, bridge_parts, interface);
	nla_memcpy(&stp, bridge[IFLA_BR_STP_STATE], sizeof(stp));
	interface->stp = stp != 0;
	/* A kernel whose bridges have no VLANs tells of filtering, not of their protocol (net/bridge/br_netlink.c). */
	interface->knows_vlans = bridge[IFLA_BR_VLAN_PROTOCOL] != NULL;
	interface->knows_learned_max = bridge[BRIDGE_LEARNED_MAX] != NULL;
	return true;
}

/* IFLA_INFO_SLAVE_DATA of a bridge's port. */
static bool parse_port(struct nlattr *data, struct link_port *settings)
{
	struct nlattr *port[LINK_PORT_LAST + 1];

	if (nla_parse_nested(port, LINK_PORT_LAST, data, NULL) < 0)
		return false;
	for (int i = 1; i <= LINK_PORT_LAST; i++) {
		settings->known |= port[i] && nla_len(port[i]) == 1 ? LINK_PORT(i) : 0;
		settings->on |= reply_byte(port[i]) ? LINK_PORT(i) : 0;
	}
	return true;
}

/* IFLA_INFO_DATA of a tun or tap (tun_fill_info, drivers/net/tun.c). */
static bool parse_tun(struct nlattr *data, struct tun *tun)
{
	struct nlattr *parts[IFLA_TUN_MAX + 1];
	uint32_t unused = 0;

	if (nla_parse_nested(parts, IFLA_TUN_MAX, data, tun_sizes) < 0)
		return false;
	tun->tap = reply_byte(parts[IFLA_TUN_TYPE]) == IFF_TAP;
	fill(parts, tun_parts, tun);
	tun->has_owner = parts[IFLA_TUN_OWNER];
	tun->has_group = parts[IFLA_TUN_GROUP];
	nla_memcpy(&unused, parts[IFLA_TUN_NUM_DISABLED_QUEUES], sizeof(unused));
	tun->queues += unused;
	return true;
}

/* IFLA_LINKINFO: what kind of interface it is, and what it is as a bridge, as a port of one, or as a tap. */
static bool parse_link_info(struct nlattr *attribute, struct link_interface *interface)
{
	struct nlattr *info[IFLA_INFO_MAX + 1], *data;

	if (nla_parse_nested(info, IFLA_INFO_MAX, attribute, info_sizes) < 0)
		return false;
	data = info[IFLA_INFO_DATA];
	nla_memcpy(interface->kind, info[IFLA_INFO_KIND], sizeof(interface->kind));
	return (strcmp(interface->kind, "tun") != 0 || !data || parse_tun(data, &interface->tun)) &&
	       (strcmp(interface->kind, "bridge") != 0 || !data || parse_bridge(data, interface)) &&
	       (!info[IFLA_INFO_SLAVE_KIND] || nla_strcmp(info[IFLA_INFO_SLAVE_KIND], "bridge") != 0 ||
		       !info[IFLA_INFO_SLAVE_DATA] || parse_port(info[IFLA_INFO_SLAVE_DATA], &interface->port));
}

/* What went through it. */
static void parse_traffic(struct nlattr *attributes[], struct link_interface *interface)
{
	struct rtnl_link_stats64 counters = {0};

	nla_memcpy(&counters, attributes[IFLA_STATS64], offsetof(struct rtnl_link_stats64, rx_errors));
	interface->received = (struct link_traffic){counters.rx_bytes, counters.rx_packets};
	interface->sent = (struct link_traffic){counters.tx_bytes, counters.tx_packets};
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
	fill(attributes, interface_parts, &interface);
	/* One of another namespace has its number there; what stands on itself stands on nothing. */
	if (attributes[IFLA_LINK_NETNSID] || interface.lower == interface.index)
		interface.lower = 0;
	if (attributes[IFLA_ADDRESS] && nla_len(attributes[IFLA_ADDRESS]) == sizeof(interface.mac))
		nla_memcpy(interface.mac, attributes[IFLA_ADDRESS], sizeof(interface.mac));
	if ((attributes[IFLA_LINKINFO] && !parse_link_info(attributes[IFLA_LINKINFO], &interface)) ||
		interface.index <= 0 || interface.master < 0 || !interface.name[0])
		return false;
	interface.tun.ethernet = header->ifi_type == ARPHRD_ETHER;
	parse_traffic(attributes, &interface);
	reader->each(reader->context, &interface);
	return true;
}

/* --- and asked for ------------------------------------------------------------------------------------------------ */

/* Begin to ask. Protocols' counters are left out: they are most of the answer. */
static void begin_get(struct link *link, int flags, int index)
{
	const uint32_t without = RTEXT_FILTER_SKIP_STATS;

	exchange_begin_interface(link, RTM_GETLINK, flags, index);
	exchange_put(link, IFLA_EXT_MASK, &without, sizeof(without));
}

static void keep(void *context, const struct link_interface *interface)
{
	*(struct link_interface *)context = *interface;
}

/* Ask for one interface, by index or by name. */
static int get(struct link *link, int index, const char *name, struct link_interface *interface)
{
	struct interface_reader reader = {.each = keep};

	*interface = (struct link_interface){0};
	reader.context = interface;
	begin_get(link, 0, index);
	exchange_put_text(link, IFLA_IFNAME, name);
	return exchange(link, reply_take_interface, &reader);
}

int link_by_name(struct link *link, const char *name, struct link_interface *interface)
{
	int result = get(link, 0, name, interface);

	return result == 0 && strcmp(interface->name, name) != 0 ? -ENODEV : result;
}

int link_by_index(struct link *link, int index, struct link_interface *interface)
{
	int result = get(link, index, NULL, interface);

	return result == 0 && interface->index != index ? -EPROTO : result;
}

bool link_has_index(struct link *link, int index)
{
	struct ifreq request = {.ifr_ifindex = index};

	return ioctl(link_descriptor(link), SIOCGIFNAME, &request) == 0;
}

int link_each_port(
	struct link *link, int bridge, void (*each)(void *context, const struct link_interface *), void *context)
{
	struct interface_reader reader = {each, context};

	begin_get(link, NLM_F_DUMP, 0);
	exchange_put(link, IFLA_MASTER, &bridge, sizeof(bridge));
	return exchange(link, reply_take_interface, &reader);
}

/* Passes on interfaces with what the kernel says of their IPv6, which the helper has no use for. */
struct whole_reader {
	struct interface_reader reader;
	struct nlattr *spec; /* IFLA_AF_SPEC of the one that is being read */
};

/*
 * IFLA_AF_SPEC { AF_INET6 { IFLA_INET6_CONF } }: the settings of /proc/sys/net/ipv6/conf, a number each, as many as the
 * kernel has (ipv6_store_devconf, net/ipv6/addrconf.c). IFLA_INET6_ADDR_GEN_MODE comes only with counters.
 */
static void each_whole(void *context, const struct link_interface *interface)
{
	const struct whole_reader *whole = context;
	struct link_interface known = *interface;
	struct nlattr *families[AF_INET6 + 1], *parts[IFLA_INET6_MAX + 1];
	int32_t settings[DEVCONF_ADDR_GEN_MODE + 1] = {[DEVCONF_ADDR_GEN_MODE] = IN6_ADDR_GEN_MODE_NONE};

	if (whole->spec && nla_parse_nested(families, AF_INET6, whole->spec, NULL) == 0 && families[AF_INET6] &&
		nla_parse_nested(parts, IFLA_INET6_MAX, families[AF_INET6], NULL) == 0)
		nla_memcpy(settings, parts[IFLA_INET6_CONF], sizeof(settings));
	known.makes_ipv6_address = settings[DEVCONF_ADDR_GEN_MODE] != IN6_ADDR_GEN_MODE_NONE;
	whole->reader.each(whole->reader.context, &known);
}

bool reply_take_whole_interface(void *context, struct nlmsghdr *message)
{
	struct whole_reader whole = {
		*(struct interface_reader *)context, nlmsg_find_attr(message, sizeof(struct ifinfomsg), IFLA_AF_SPEC)};
	struct interface_reader reader = {each_whole, &whole};

	return reply_take_interface(&reader, message);
}

int link_each(struct link *link, void (*each)(void *context, const struct link_interface *), void *context)
{
	struct interface_reader reader = {each, context};

	begin_get(link, NLM_F_DUMP, 0);
	return exchange(link, reply_take_whole_interface, &reader);
}

/* Passes on those of a kind: kernels before 4.6 do not know the filter below, and list everything. */
struct kind_filter {
	const char *kind;
	struct interface_reader reader;
};

static void each_of_kind(void *context, const struct link_interface *interface)
{
	const struct kind_filter *filter = context;

	if (strcmp(interface->kind, filter->kind) == 0)
		filter->reader.each(filter->reader.context, interface);
}

/* IFLA_LINKINFO { IFLA_INFO_KIND kind } */
int link_each_of_kind(
	struct link *link, const char *kind, void (*each)(void *context, const struct link_interface *), void *context)
{
	struct kind_filter filter = {kind, {each, context}};
	struct interface_reader reader = {each_of_kind, &filter};

	begin_get(link, NLM_F_DUMP, 0);
	exchange_nest(link, IFLA_LINKINFO);
	exchange_put_text(link, IFLA_INFO_KIND, kind);
	return exchange(link, reply_take_interface, &reader);
}

/* With ipv6 false: IFLA_AF_SPEC { AF_INET6 { IFLA_INET6_ADDR_GEN_MODE none } } */
static int set(struct link *link, int index, const struct link_change *change, bool ipv6)
{
	const struct ifinfomsg header = {.ifi_index = index,
		.ifi_flags = change->up ? IFF_UP : 0,
		.ifi_change = change->up || change->down ? IFF_UP : 0};
	const uint8_t none = IN6_ADDR_GEN_MODE_NONE;

	exchange_begin(link, RTM_SETLINK, NLM_F_ACK, &header, sizeof(header));
	exchange_put(link, IFLA_ADDRESS, change->mac, 6);
	exchange_put(link, IFLA_GROUP, change->group ? &change->group : NULL, sizeof(change->group));
	exchange_put_text(link, IFLA_IFNAME, change->name);
	exchange_put(link, IFLA_MTU, change->mtu ? &change->mtu : NULL, sizeof(change->mtu));
	exchange_put(link, IFLA_IFALIAS, change->alias, change->alias ? strlen(change->alias) : 0);
	exchange_put(link, IFLA_MASTER, change->master || change->no_master ? &change->master : NULL,
		sizeof(change->master));
	if (!ipv6) {
		exchange_nest(link, IFLA_AF_SPEC);
		exchange_nest(link, AF_INET6);
		exchange_put(link, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	}
	return exchange(link, NULL, NULL);
}

/*
 * Where the kernel or the interface has no IPv6 there is no such address to prevent (net/ipv6/addrconf.c). An interface
 * has none while its MTU is below 1280.
 */
int link_change(struct link *link, int index, const struct link_change *change)
{
	int error = set(link, index, change, !change->no_ipv6_address);

	return error == -EAFNOSUPPORT && change->no_ipv6_address ? set(link, index, change, true) : error;
}

int link_remove(struct link *link, int index)
{
	exchange_begin_interface(link, RTM_DELLINK, NLM_F_ACK, index);
	return exchange(link, NULL, NULL);
}

/* --- many at once ------------------------------------------------------------------------------------------------- */

/*
 * Many interfaces removed at once: the kernel waits for all processors a few times for each removal, however many
 * interfaces that is of (unregister_netdevice_many, net/core/dev.c), and can be told of many by their group alone.
 */

/* RTM_NEWLINK, or RTM_DELLINK of all that are in it where index is 0: IFLA_GROUP. */
static int send_group(struct link *link, int type, int index, uint32_t group)
{
	exchange_begin_interface(link, type, NLM_F_ACK, index);
	exchange_put(link, IFLA_GROUP, &group, sizeof(group));
	return exchange(link, NULL, NULL);
}

int link_remove_all(struct link *link, const int *indexes, size_t count)
{
	uint32_t group;
	int error = 0;

	/* A group of their own: who sets some by hand counts from 0 (/etc/iproute2/group). */
	if (getrandom(&group, sizeof(group), 0) != sizeof(group))
		return -EIO;
	group |= UINT32_C(1) << 30;
	for (size_t i = 0; i < count && (!error || error == -ENODEV); i++)
		error = send_group(link, RTM_NEWLINK, indexes[i], group);
	return error && error != -ENODEV ? error : send_group(link, RTM_DELLINK, 0, group);
}
