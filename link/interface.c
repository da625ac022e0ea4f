/* Interfaces: looked up, listed, made, changed and removed (rtnetlink(7)). */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "link/exchange.h"

int link_open(struct link **link)
{
	return exchange_open(link, NETLINK_ROUTE);
}

/*
 * Whether this kernel walks its interfaces by index when it lists them (rtnl_dump_ifinfo, net/core/rtnetlink.c; 6.1
 * does not, 6.12 does). Then an interface that stands all the while is listed exactly once, whatever else comes and
 * goes.
 */
static bool lists_by_index(void)
{
	struct utsname system;
	unsigned long major, minor;
	char *end;

	if (uname(&system) < 0)
		return false;
	major = strtoul(system.release, &end, 10);
	minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	return major > 6 || (major == 6 && minor >= 12);
}

static struct nl_msg *new_request(int type, int flags, const struct ifinfomsg *header)
{
	return exchange_request(type, flags, header, sizeof(*header));
}

static void keep(void *context, const struct link_interface *interface)
{
	*(struct link_interface *)context = *interface;
}

/* Ask for one interface, by index or by name. Protocols' counters are left out: they are most of the answer. */
static int get(struct link *link, int index, const char *name, struct link_interface *interface)
{
	struct ifinfomsg header = {.ifi_index = index};
	struct nl_msg *request = new_request(RTM_GETLINK, 0, &header);
	struct interface_reader reader = {.each = keep};
	struct reply reply = {.take = reply_take_interface, .context = &reader};

	*interface = (struct link_interface){0};
	reader.context = interface;
	if (!request || nla_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0 ||
		(name && nla_put_string(request, IFLA_IFNAME, name) < 0)) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange(link, request, &reply);
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

/* Passes on those of a kind: kernels before 4.6 do not know the filter below, and list everything. */
struct kind_filter {
	const char *kind;
	void (*each)(void *context, const struct link_interface *);
	void *context;
};

static void each_of_kind(void *context, const struct link_interface *interface)
{
	const struct kind_filter *filter = context;

	if (!filter->kind || strcmp(interface->kind, filter->kind) == 0)
		filter->each(filter->context, interface);
}

/* IFLA_LINKINFO { IFLA_INFO_KIND kind } */
static bool put_kind(struct nl_msg *request, const char *kind)
{
	struct nlattr *info = nla_nest_start(request, IFLA_LINKINFO);

	if (!info || nla_put_string(request, IFLA_INFO_KIND, kind) < 0)
		return false;
	nla_nest_end(request, info);
	return true;
}

int link_each(
	struct link *link, const char *kind, void (*each)(void *context, const struct link_interface *), void *context)
{
	struct ifinfomsg header = {0};
	struct nl_msg *request = new_request(RTM_GETLINK, NLM_F_DUMP, &header);
	struct kind_filter filter = {kind, each, context};
	struct interface_reader reader = {each_of_kind, &filter};
	struct reply reply = {.dump = true, .take = reply_take_interface, .context = &reader};
	int result;

	if (!request || nla_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0 ||
		(kind && !put_kind(request, kind))) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	result = exchange(link, request, &reply);
	return result == 0 && reply.interrupted && !lists_by_index() ? -EAGAIN : result;
}

/* IFLA_AF_SPEC { AF_INET6 { IFLA_INET6_ADDR_GEN_MODE none } } */
static bool put_no_ipv6_address(struct nl_msg *request)
{
	struct nlattr *families = nla_nest_start(request, IFLA_AF_SPEC);
	struct nlattr *ipv6 = families ? nla_nest_start(request, AF_INET6) : NULL;

	if (!ipv6 || nla_put_u8(request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE) < 0)
		return false;
	nla_nest_end(request, ipv6);
	nla_nest_end(request, families);
	return true;
}

static int set(struct link *link, int index, const struct link_change *change)
{
	const struct ifinfomsg header = {.ifi_index = index,
		.ifi_flags = change->up ? IFF_UP : 0,
		.ifi_change = change->up || change->down ? IFF_UP : 0};
	struct nl_msg *request = new_request(RTM_SETLINK, NLM_F_ACK, &header);

	if (!request || (change->mac && nla_put(request, IFLA_ADDRESS, 6, change->mac) < 0) ||
		(change->name && nla_put_string(request, IFLA_IFNAME, change->name) < 0) ||
		(change->mtu && nla_put_u32(request, IFLA_MTU, change->mtu) < 0) ||
		(change->alias && nla_put(request, IFLA_IFALIAS, (int)strlen(change->alias), change->alias) < 0) ||
		((change->master || change->no_master) &&
			nla_put_u32(request, IFLA_MASTER, (uint32_t)change->master) < 0) ||
		(change->no_ipv6_address && !put_no_ipv6_address(request))) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange_acknowledged(link, request);
}

int link_change(struct link *link, int index, const struct link_change *change)
{
	struct link_change without = *change;
	int result = set(link, index, change);

	/*
	 * Where the kernel or the interface has no IPv6 there is no such address to prevent (net/ipv6/addrconf.c). An
	 * interface has none while its MTU is below 1280.
	 */
	if (result != -EAFNOSUPPORT || !change->no_ipv6_address)
		return result;
	without.no_ipv6_address = false;
	return set(link, index, &without);
}

/* IFLA_LINKINFO { IFLA_INFO_SLAVE_KIND "bridge" IFLA_INFO_SLAVE_DATA { IFLA_BRPORT_ISOLATED 1, ... } } */
static bool put_port(struct nl_msg *request, const struct link_port *port)
{
	struct nlattr *info = nla_nest_start(request, IFLA_LINKINFO), *data;

	if (!info || nla_put_string(request, IFLA_INFO_SLAVE_KIND, "bridge") < 0 ||
		!(data = nla_nest_start(request, IFLA_INFO_SLAVE_DATA)))
		return false;
	for (int i = 1; i <= IFLA_BRPORT_MAX; i++) {
		if ((port->known & LINK_PORT(i)) && nla_put_u8(request, i, (port->on & LINK_PORT(i)) != 0) < 0)
			return false;
	}
	nla_nest_end(request, data);
	nla_nest_end(request, info);
	return true;
}

int link_set_port(struct link *link, int index, const struct link_port *port)
{
	const struct ifinfomsg header = {.ifi_index = index};
	struct nl_msg *request = new_request(RTM_NEWLINK, NLM_F_ACK, &header);

	if (!request || !put_port(request, port)) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange_acknowledged(link, request);
}

/* A setting of a bridge: IFLA_BR_... (linux/if_link.h). */
struct setting {
	int attribute;
	uint32_t value;
};

/* IFLA_LINKINFO { IFLA_INFO_KIND "bridge" IFLA_INFO_DATA { setting value } } */
static bool put_bridge(struct nl_msg *request, struct setting setting)
{
	struct nlattr *info = nla_nest_start(request, IFLA_LINKINFO), *data;

	if (!info || nla_put_string(request, IFLA_INFO_KIND, "bridge") < 0 ||
		!(data = nla_nest_start(request, IFLA_INFO_DATA)) ||
		nla_put_u32(request, setting.attribute, setting.value) < 0)
		return false;
	nla_nest_end(request, data);
	nla_nest_end(request, info);
	return true;
}

static int bridge(
	struct link *link, int flags, int index, const char *name, const unsigned char *mac, struct setting setting)
{
	const struct ifinfomsg header = {.ifi_index = index};
	struct nl_msg *request = new_request(RTM_NEWLINK, NLM_F_ACK | flags, &header);

	if (!request || (name && nla_put_string(request, IFLA_IFNAME, name) < 0) ||
		(mac && nla_put(request, IFLA_ADDRESS, 6, mac) < 0) || !put_bridge(request, setting)) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange_acknowledged(link, request);
}

int link_make_bridge(struct link *link, const char *name, const unsigned char mac[static 6])
{
	return bridge(link, NLM_F_CREATE | NLM_F_EXCL, 0, name, mac, (struct setting){IFLA_BR_FORWARD_DELAY, 0});
}

int link_set_bridge(struct link *link, int index, bool stp, uint32_t forward_delay)
{
	const struct setting off = {IFLA_BR_STP_STATE, 0}, on = {IFLA_BR_STP_STATE, 1};
	const struct setting delay = {IFLA_BR_FORWARD_DELAY, forward_delay};
	/* In this order: with the protocol on, not every delay will do (br_set_forward_delay, net/bridge/br_stp.c). */
	int error = bridge(link, 0, index, NULL, NULL, off);

	if (!error)
		error = bridge(link, 0, index, NULL, NULL, delay);
	return error || !stp ? error : bridge(link, 0, index, NULL, NULL, on);
}

/* IFLA_LINKINFO { IFLA_INFO_KIND "bridge" IFLA_INFO_DATA { ... } } */
static bool put_switch(struct nl_msg *request, const struct link_interface *as)
{
	struct nlattr *info = nla_nest_start(request, IFLA_LINKINFO), *data;

	if (!info || nla_put_string(request, IFLA_INFO_KIND, "bridge") < 0 ||
		!(data = nla_nest_start(request, IFLA_INFO_DATA)) ||
		nla_put_u16(request, IFLA_BR_GROUP_FWD_MASK, as->group_forward) < 0 ||
		nla_put_u32(request, IFLA_BR_AGEING_TIME, as->ageing) < 0 ||
		nla_put_u8(request, IFLA_BR_MCAST_SNOOPING, as->snooping) < 0 ||
		nla_put_u32(request, BRIDGE_LEARNED_MAX, as->learned_max) < 0)
		return false;
	nla_nest_end(request, data);
	nla_nest_end(request, info);
	return true;
}

int link_set_switch(struct link *link, int index, const struct link_interface *as)
{
	const struct ifinfomsg header = {.ifi_index = index};
	struct nl_msg *request = new_request(RTM_NEWLINK, NLM_F_ACK, &header);

	if (!request || !put_switch(request, as)) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange_acknowledged(link, request);
}

int link_remove(struct link *link, int index)
{
	const struct ifinfomsg header = {.ifi_index = index};

	return exchange_acknowledged(link, new_request(RTM_DELLINK, NLM_F_ACK, &header));
}
