/* Taps that exist already (drivers/net/tun.c). */
#include "link/tun.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "link/exchange.h"

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

/* RTM_NEWLINK { IFLA_LINKINFO { IFLA_INFO_KIND "tun" IFLA_INFO_DATA { ... } } } (tun_fill_info), all or nothing. */
bool tun_take(void *context, struct nlmsghdr *message)
{
	const struct ifinfomsg *header = nlmsg_data(message);
	struct nlattr *attributes[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1], *data[IFLA_TUN_MAX + 1];
	struct tun *tun = context;
	uint32_t unused = 0;

	if (message->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse(message, sizeof(*header), attributes, IFLA_MAX, NULL) < 0 || !attributes[IFLA_LINKINFO] ||
		nla_parse_nested(info, IFLA_INFO_MAX, attributes[IFLA_LINKINFO], reply_info_sizes) < 0 ||
		!info[IFLA_INFO_KIND] || nla_strcmp(info[IFLA_INFO_KIND], "tun") != 0 || !info[IFLA_INFO_DATA] ||
		nla_parse_nested(data, IFLA_TUN_MAX, info[IFLA_INFO_DATA], tun_sizes) < 0)
		return false;
	*tun = (struct tun){.tap = reply_byte(data[IFLA_TUN_TYPE]) == IFF_TAP,
		.persistent = reply_byte(data[IFLA_TUN_PERSIST]),
		.packet_info = reply_byte(data[IFLA_TUN_PI]),
		.vnet_header = reply_byte(data[IFLA_TUN_VNET_HDR]),
		.multi_queue = reply_byte(data[IFLA_TUN_MULTI_QUEUE]),
		.has_owner = data[IFLA_TUN_OWNER] != NULL,
		.has_group = data[IFLA_TUN_GROUP] != NULL,
		.ethernet = header->ifi_type == ARPHRD_ETHER};
	nla_memcpy(&tun->owner, data[IFLA_TUN_OWNER], sizeof(tun->owner));
	nla_memcpy(&tun->queues, data[IFLA_TUN_NUM_QUEUES], sizeof(tun->queues));
	nla_memcpy(&unused, data[IFLA_TUN_NUM_DISABLED_QUEUES], sizeof(unused));
	tun->queues += unused;
	return true;
}

int tun_look(struct link *link, int index, struct tun *tun)
{
	const struct ifinfomsg header = {.ifi_index = index};

	exchange_begin(link, RTM_GETLINK, 0, &header, sizeof(header));
	return exchange(link, tun_take, tun);
}

/* Newer kernels have more counters behind those that are read. */
static const struct nla_policy use_sizes[IFLA_MAX + 1] = {
	[IFLA_CARRIER] = {REPLY_SIZE(sizeof(uint8_t))},
	[IFLA_STATS64] = {.minlen = offsetof(struct rtnl_link_stats64, rx_errors)},
};

bool tun_take_use(void *context, struct nlmsghdr *message)
{
	struct tun_use *use = context;
	struct nlattr *attributes[IFLA_MAX + 1];
	struct rtnl_link_stats64 counters = {0};

	if (message->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse(message, sizeof(struct ifinfomsg), attributes, IFLA_MAX, use_sizes) < 0 ||
		!tun_take(&use->tun, message))
		return false;
	nla_memcpy(&counters, attributes[IFLA_STATS64], offsetof(struct rtnl_link_stats64, rx_errors));
	use->carrier = reply_byte(attributes[IFLA_CARRIER]);
	use->received = (struct tun_traffic){counters.rx_bytes, counters.rx_packets};
	use->sent = (struct tun_traffic){counters.tx_bytes, counters.tx_packets};
	return true;
}

int tun_look_at_use(struct link *link, int index, struct tun_use *use)
{
	const struct ifinfomsg header = {.ifi_index = index};

	exchange_begin(link, RTM_GETLINK, 0, &header, sizeof(header));
	return exchange(link, tun_take_use, use);
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
