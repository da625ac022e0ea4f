// SPDX-License-Identifier: MIT
/*
 * Checksums of the host's answers by DHCP. To a guest whose card takes that work over (QEMU's virtio-net, unless it is
 * told guest_csum=off) they come unfinished, which old clients that read frames themselves take for damage; to every
 * other guest they come whole. And why the guards leave them alone: to set them to 0 (none) by nftables helps the
 * first, and breaks the others, as the kernel goes on from the 0 where it finishes the sum.
 *
 * (lxc/incus#1997, weaveworks/ignite#870)
 *
 *	offloads, plain (taps) --- lab --- host, port 67
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/netns/internal.h"
#include "tests/netns/lab.h"

enum { ETHER = 14, IPV4 = 20, UDP = 8, SERVER = 67, CLIENT = 68, PATIENCE = 5000 };

static int open_tap(const char *name, unsigned int offload)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	must(fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0 && ioctl(fd, TUNSETOFFLOAD, offload) == 0, name);
	command("ip link set %s master lab up", name);
	return fd;
}

static void answer(void)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(SERVER)}, to = from;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	char message[301] = "";

	from.sin_addr.s_addr = inet_addr("172.16.2.1");
	to.sin_addr.s_addr = INADDR_BROADCAST;
	to.sin_port = htons(CLIENT);
	must(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0 &&
			setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lab", sizeof("lab")) == 0 &&
			bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
			sendto(fd, message, sizeof(message), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(message),
		"send");
	close(fd);
}

static uint32_t sum(uint32_t start, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		start += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

/* Whether who reads the bytes of the answer finds them whole (RFC 768). */
static bool is_whole(int tap)
{
	unsigned char frame[2048], *ip = frame + sizeof(struct virtio_net_hdr) + ETHER, *udp = ip + IPV4;
	struct pollfd ready = {.fd = tap, .events = POLLIN};
	size_t size;

	do {
		must(poll(&ready, 1, PATIENCE) == 1 && read(tap, frame, sizeof(frame)) > 0, "no answer");
	} while (ip[-2] != 8 || ip[-1] != 0 || ip[9] != IPPROTO_UDP || udp[1] != SERVER);
	size = (size_t)udp[4] << 8 | udp[5];
	return (udp[6] == 0 && udp[7] == 0) ||
	       sum(sum((uint32_t)(IPPROTO_UDP + size), ip + 12, 8), udp, size) == 0xffff;
}

static void test_checksums(void **state)
{
	struct policy_network lab = lab_network("lab", MODE_HOST_ONLY, 2);
	int offloads, plain;

	(void)state;
	lab_bridge(&lab);
	offloads = open_tap("offloads", TUN_F_CSUM);
	plain = open_tap("plain", 0);
	answer();
	assert_false(is_whole(offloads));
	assert_true(is_whole(plain));
	command("nft 'table inet x { chain y { type filter hook output priority 0; "
		"udp sport 67 udp checksum set 0; }; }'");
	answer();
	assert_true(is_whole(offloads));
	assert_false(is_whole(plain));
	command("nft delete table inet x");
	close(offloads);
	close(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {LAB_TEST(test_checksums)};

	return cmocka_run_group_tests(tests, open_lab, close_world);
}
