// SPDX-License-Identifier: MIT
/*
 * group: getting rid of taps between measurements, many at once, and being sure that they are gone.
 *
 * The kernel waits out several RCU grace periods for each tap that is closed, ten times as long as making it takes,
 * but for links removed as a group only once. It must not be called while a clock runs. Needs CAP_NET_ADMIN.
 */
#ifndef BENCH_GROUP_H
#define BENCH_GROUP_H

#include <err.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Groups of links; 0 is the one that all are born in. */
enum link_group { PASSING = 1, KEPT = 2 };

/* One request about a group, and the kernel's answer. */
static inline void ask(unsigned short type, int ifindex, enum link_group group)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
		struct rtattr attribute;
		unsigned int group;
	} request = {
		.header = {.nlmsg_len = sizeof(request), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.link = {.ifi_index = ifindex},
		.attribute = {.rta_len = RTA_LENGTH(sizeof(request.group)), .rta_type = IFLA_GROUP},
		.group = group};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[256];
	} reply = {0};
	int rtnl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (send(rtnl, &request, sizeof(request), 0) < 0 || recv(rtnl, &reply, sizeof(reply), 0) < 0)
		err(1, "rtnetlink");
	if (reply.header.nlmsg_type != NLMSG_ERROR || reply.error.error != 0)
		errx(1, "rtnetlink: %s", strerror(-reply.error.error));
	close(rtnl);
}

/* Put the link of that name in the group. */
static inline void join_group(const char name[static IFNAMSIZ], enum link_group group)
{
	int ctl = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_name, name, IFNAMSIZ);
	if (ioctl(ctl, SIOCGIFINDEX, &ifr) < 0)
		err(1, "%s", name);
	close(ctl);
	ask(RTM_SETLINK, ifr.ifr_ifindex, group);
}

/* Remove every link of the group; when it returns, the kernel has finished. */
static inline void remove_group(enum link_group group)
{
	ask(RTM_DELLINK, 0, group);
}

#endif
