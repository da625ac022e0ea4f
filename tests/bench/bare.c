// SPDX-License-Identifier: MIT
/*
 * bare: what attaching a tap costs when nothing else is done, as the floor that bench measures helpers against.
 *
 *	bare BRIDGE FD
 *
 * The system calls of qemu-bridge-helper, and no more: a tap with a vnet header, the bridge's MTU, an address that
 * starts with 0xFE, into the bridge, up, and its descriptor over FD. The name is explicit, which spares the kernel
 * the search for a free one. Must be setuid root to be of use, and must never leave the benchmark: it checks nothing.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* One ioctl, or the end. */
static void must(int fd, unsigned long request, struct ifreq *ifr)
{
	if (ioctl(fd, request, ifr) < 0) {
		perror("bare");
		exit(1);
	}
}

static int make_tap(char name[static IFNAMSIZ])
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(ifr.ifr_name, IFNAMSIZ, "bare%d", getpid());
	must(fd, TUNSETIFF, &ifr);
	memcpy(name, ifr.ifr_name, IFNAMSIZ);
	return fd;
}

static void attach(const char *bridge, const char *tap)
{
	struct ifreq on_bridge = {0}, on_tap = {0};
	int ctl = socket(AF_INET, SOCK_STREAM, 0);

	snprintf(on_bridge.ifr_name, IFNAMSIZ, "%s", bridge);
	snprintf(on_tap.ifr_name, IFNAMSIZ, "%s", tap);
	must(ctl, SIOCGIFMTU, &on_bridge);
	on_tap.ifr_mtu = on_bridge.ifr_mtu;
	must(ctl, SIOCSIFMTU, &on_tap);
	must(ctl, SIOCGIFHWADDR, &on_tap);
	on_tap.ifr_hwaddr.sa_data[0] = (char)0xFE;
	must(ctl, SIOCSIFHWADDR, &on_tap);
	must(ctl, SIOCGIFINDEX, &on_tap);
	on_bridge.ifr_ifindex = on_tap.ifr_ifindex;
	must(ctl, SIOCBRADDIF, &on_bridge);
	must(ctl, SIOCGIFFLAGS, &on_tap);
	on_tap.ifr_flags = (short)(on_tap.ifr_flags | IFF_UP);
	must(ctl, SIOCSIFFLAGS, &on_tap);
}

static bool send_descriptor(int sock, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = sizeof(byte)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1;
}

int main(int argc, char **argv)
{
	char name[IFNAMSIZ];

	if (argc != 3)
		return fprintf(stderr, "usage: bare BRIDGE FD\n"), 2;
	int fd = make_tap(name);
	attach(argv[1], name);
	return send_descriptor(atoi(argv[2]), fd) ? 0 : 1;
}
