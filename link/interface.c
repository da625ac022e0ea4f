/* Interfaces: looked up, listed, made, changed and removed (rtnetlink(7)). */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
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

	return uname(&system) == 0 && strverscmp(system.release, "6.12") >= 0;
}

static void begin(struct link *link, int type, int flags, int index)
{
	const struct ifinfomsg header = {.ifi_index = index};

	exchange_begin(link, type, flags, &header, sizeof(header));
}

/* Begin to ask. Protocols' counters are left out: they are most of the answer. */
static void begin_get(struct link *link, int flags, int index)
{
	const uint32_t without = RTEXT_FILTER_SKIP_STATS;

	begin(link, RTM_GETLINK, flags, index);
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

int exchange_interfaces(struct link *link, bool (*take)(void *context, struct nlmsghdr *message), void *context)
{
	int error = exchange(link, take, context);

	return error == -EAGAIN && lists_by_index() ? 0 : error;
}

int link_each_port(
	struct link *link, int bridge, void (*each)(void *context, const struct link_interface *), void *context)
{
	struct interface_reader reader = {each, context};

	begin_get(link, NLM_F_DUMP, 0);
	exchange_put(link, IFLA_MASTER, &bridge, sizeof(bridge));
	return exchange_interfaces(link, reply_take_interface, &reader);
}

int link_each(struct link *link, void (*each)(void *context, const struct link_interface *), void *context)
{
	struct interface_reader reader = {each, context};

	begin_get(link, NLM_F_DUMP, 0);
	return exchange_interfaces(link, reply_take_interface, &reader);
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
	return exchange_interfaces(link, reply_take_interface, &reader);
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

/* IFLA_LINKINFO { IFLA_INFO_SLAVE_KIND "bridge" IFLA_INFO_SLAVE_DATA { IFLA_BRPORT_ISOLATED 1, ... } } */
int link_set_port(struct link *link, int index, const struct link_port *port)
{
	begin(link, RTM_NEWLINK, NLM_F_ACK, index);
	exchange_nest(link, IFLA_LINKINFO);
	exchange_put_text(link, IFLA_INFO_SLAVE_KIND, "bridge");
	exchange_nest(link, IFLA_INFO_SLAVE_DATA);
	for (int i = 1; i <= IFLA_BRPORT_MAX; i++) {
		const uint8_t on = (port->on & LINK_PORT(i)) != 0;

		exchange_put(link, i, port->known & LINK_PORT(i) ? &on : NULL, sizeof(on));
	}
	return exchange(link, NULL, NULL);
}

/* A setting of a bridge: IFLA_BR_... (linux/if_link.h). */
struct setting {
	int attribute;
	uint32_t value;
};

/* IFLA_LINKINFO { IFLA_INFO_KIND "bridge" IFLA_INFO_DATA { setting value } } */
static int bridge(
	struct link *link, int flags, int index, const char *name, const unsigned char *mac, struct setting setting)
{
	begin(link, RTM_NEWLINK, NLM_F_ACK | flags, index);
	exchange_put_text(link, IFLA_IFNAME, name);
	exchange_put(link, IFLA_ADDRESS, mac, 6);
	exchange_nest(link, IFLA_LINKINFO);
	exchange_put_text(link, IFLA_INFO_KIND, "bridge");
	exchange_nest(link, IFLA_INFO_DATA);
	exchange_put(link, setting.attribute, &setting.value, sizeof(setting.value));
	return exchange(link, NULL, NULL);
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
int link_set_switch(struct link *link, int index, const struct link_interface *as)
{
	const uint8_t snooping = as->snooping;

	begin(link, RTM_NEWLINK, NLM_F_ACK, index);
	exchange_nest(link, IFLA_LINKINFO);
	exchange_put_text(link, IFLA_INFO_KIND, "bridge");
	exchange_nest(link, IFLA_INFO_DATA);
	exchange_put(link, IFLA_BR_GROUP_FWD_MASK, &as->group_forward, sizeof(as->group_forward));
	exchange_put(link, IFLA_BR_AGEING_TIME, &as->ageing, sizeof(as->ageing));
	exchange_put(link, IFLA_BR_MCAST_SNOOPING, &snooping, sizeof(snooping));
	exchange_put(link, BRIDGE_LEARNED_MAX, &as->learned_max, sizeof(as->learned_max));
	return exchange(link, NULL, NULL);
}

int link_remove(struct link *link, int index)
{
	begin(link, RTM_DELLINK, NLM_F_ACK, index);
	return exchange(link, NULL, NULL);
}
