/* Taps that exist already (drivers/net/tun.c). */
#include "link/tun.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "link/exchange.h"

static bool read_flag(struct nlattr *attribute, unsigned int *value)
{
	*value = 0;
	if (!attribute)
		return true;
	if (nla_len(attribute) != 1)
		return false;
	*value = nla_get_u8(attribute);
	return true;
}

/* IFLA_INFO_DATA of a tun or tap (tun_fill_info); false if it is malformed. */
static bool parse_data(struct nlattr *attribute, struct tun *tun)
{
	struct nlattr *data[IFLA_TUN_MAX + 1];
	unsigned int type, persistent, packet_info, vnet_header, multi_queue;
	uint32_t used, unused, owner;

	if (nla_parse_nested(data, IFLA_TUN_MAX, attribute, NULL) < 0 || !read_flag(data[IFLA_TUN_TYPE], &type) ||
		!read_flag(data[IFLA_TUN_PERSIST], &persistent) || !read_flag(data[IFLA_TUN_PI], &packet_info) ||
		!read_flag(data[IFLA_TUN_VNET_HDR], &vnet_header) ||
		!read_flag(data[IFLA_TUN_MULTI_QUEUE], &multi_queue) || !reply_number(data[IFLA_TUN_OWNER], &owner) ||
		!reply_number(data[IFLA_TUN_NUM_QUEUES], &used) ||
		!reply_number(data[IFLA_TUN_NUM_DISABLED_QUEUES], &unused))
		return false;
	*tun = (struct tun){.tap = type == IFF_TAP,
		.persistent = persistent,
		.packet_info = packet_info,
		.vnet_header = vnet_header,
		.multi_queue = multi_queue,
		.has_owner = data[IFLA_TUN_OWNER] != NULL,
		.owner = owner,
		.has_group = data[IFLA_TUN_GROUP] != NULL,
		.queues = used + unused};
	return true;
}

/* IFLA_CARRIER, a byte, and IFLA_STATS64; newer kernels have more counters behind those that are read. */
static bool parse_state(struct nlattr *carrier, struct nlattr *statistics, struct tun *tun)
{
	struct rtnl_link_stats64 counters;
	const size_t size = offsetof(struct rtnl_link_stats64, rx_errors);
	unsigned int on;

	if (!read_flag(carrier, &on))
		return false;
	tun->carrier = on;
	if (!statistics)
		return true;
	if (nla_len(statistics) < (int)size)
		return false;
	memcpy(&counters, nla_data(statistics), size);
	tun->received = (struct tun_traffic){counters.rx_bytes, counters.rx_packets};
	tun->sent = (struct tun_traffic){counters.tx_bytes, counters.tx_packets};
	return true;
}

/* RTM_NEWLINK { IFLA_LINKINFO { IFLA_INFO_KIND "tun" IFLA_INFO_DATA { ... } } } -> struct tun, all of it or nothing */
bool tun_take(void *context, struct nlmsghdr *message)
{
	struct nlattr *attributes[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	struct tun tun;
	char kind[16];

	if (message->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse(message, sizeof(struct ifinfomsg), attributes, IFLA_MAX, NULL) < 0 ||
		!attributes[IFLA_LINKINFO] ||
		nla_parse_nested(info, IFLA_INFO_MAX, attributes[IFLA_LINKINFO], NULL) < 0 ||
		!reply_text(info[IFLA_INFO_KIND], kind, sizeof(kind)) || strcmp(kind, "tun") != 0 ||
		!info[IFLA_INFO_DATA] || !parse_data(info[IFLA_INFO_DATA], &tun) ||
		!parse_state(attributes[IFLA_CARRIER], attributes[IFLA_STATS64], &tun))
		return false;
	tun.ethernet = ((const struct ifinfomsg *)nlmsg_data(message))->ifi_type == ARPHRD_ETHER;
	*(struct tun *)context = tun;
	return true;
}

int tun_look(struct link *link, int index, struct tun *tun)
{
	const struct ifinfomsg header = {.ifi_index = index};
	struct reply reply = {.take = tun_take, .context = tun};

	*tun = (struct tun){.tap = false};
	return exchange(link, exchange_request(RTM_GETLINK, 0, &header, sizeof(header)), &reply);
}

int tun_join(const char *name, const struct tun *tun, int *fd)
{
	struct ifreq request = {0};
	int error = tap_open(fd);

	if (error)
		return error;
	/* The kernel takes over what is asked for here, so it is what was there. */
	request.ifr_flags = (short)((tun->tap ? IFF_TAP : IFF_TUN) | (tun->packet_info ? 0 : IFF_NO_PI) |
				    (tun->vnet_header ? IFF_VNET_HDR : 0) | (tun->multi_queue ? IFF_MULTI_QUEUE : 0));
	memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (ioctl(*fd, TUNSETIFF, &request) == 0)
		return 0;
	error = -errno;
	close(*fd);
	return error;
}

int tun_let_go(int fd)
{
	return ioctl(fd, TUNSETPERSIST, 0UL) < 0 ? -errno : 0;
}
