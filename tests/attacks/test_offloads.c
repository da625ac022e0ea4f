// SPDX-License-Identifier: MIT
/*
 * Frames with a header of virtio's in front (struct virtio_net_hdr), as a virtual machine writes it: it asks the kernel
 * to write a checksum somewhere into the frame, and to cut it into several, and says what kind of frame it is. The
 * kernel writes and cuts when the frame goes out, when all guards have seen it; and the guest need not tell the truth.
 * QEMU tells what the guest's driver told it: these are sent by the tap's descriptor alone.
 *
 *	guest, with such headers --- tap --- (lab, br0, br1) --- tap --- another one, without
 */
#include "tests/attacks/attack.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/netns/frames.h"

enum { GSO_UDP_L4 = 5 }; /* VIRTIO_NET_HDR_GSO_UDP_L4, Linux 6.2 */
enum { PORT = 5353, ETHER = 14, IPV6_SOURCE = 22, IPV6_END = 54, UDP_SUM = 6, ARP_SENDER = 28 };

static struct frame with_header(const struct virtio_net_hdr *header, const struct frame *frame)
{
	struct frame result = {.size = 0};

	put(&result, header, sizeof(*header));
	put(&result, frame->bytes, frame->size);
	return result;
}

/* A header that has the kernel write the checksum of all from `start` on, `offset` bytes behind it. */
static struct virtio_net_hdr checksum(size_t start, size_t offset)
{
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = (uint16_t)start, .csum_offset = (uint16_t)offset};
}

/* A frame to the addresses that a bridge does not forward is that, whatever is in front. */
static void test_reserved(void **state)
{
	struct result guest = guest_with_offloads_on("lab");
	const struct frame frame = udp(reserved(14), "192.0.2.77", "192.0.2.1", PORT);
	const struct virtio_net_hdr headers[] = {
		{0},
		checksum(34, UDP_SUM),
		{.flags = VIRTIO_NET_HDR_F_DATA_VALID},
		{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = GSO_UDP_L4,
			.hdr_len = 42,
			.gso_size = 8,
			.csum_start = 34,
			.csum_offset = UDP_SUM},
	};
	int ears = udp_socket(AF_INET, PORT);

	(void)state;
	for (int walled = 1; walled >= 0; walled--) {
		for (size_t i = 0; i < COUNT(headers); i++) {
			const struct frame sent = with_header(&headers[i], &frame);

			sends(&guest, &sent);
			EXPECT(&guest, arrived(ears) != walled);
		}
		if (walled)
			without_wall(tap_of(&guest));
	}
	guest_ends(&guest);
}

/* Headers by chance, in front of a packet in the name of another: none of them carries it past the guard. */
static void test_any_header(void **state)
{
	enum { TRIES = 20000 };
	struct result guest = guest_with_offloads_on("lab");
	const struct frame frames[] = {
		udp(mac_on("lab"), "192.0.2.77", "172.16.5.1", PORT),
		udp(mac_on("lab"), "2001:db8:1::77", "fd00:5::1", PORT),
		udp(reserved(2), "172.16.5.77", "192.0.2.1", PORT),
	};
	int ears = udp_socket(AF_INET, PORT), ipv6_ears = udp_socket(AF_INET6, PORT);

	(void)state;
	srandom(1);
	for (int guarded = 1; guarded >= 0; guarded--) {
		unsigned int taken = 0, written = 0;

		for (unsigned int i = 0; i < TRIES; i++) {
			struct virtio_net_hdr header = {.flags = (uint8_t)(random() & 3)};
			struct frame sent;

			header.gso_type = (uint8_t)(random() & 1 ? 0 : random() & 0x87);
			header.hdr_len = (uint16_t)(random() % 80);
			header.gso_size = (uint16_t)(random() % 32);
			header.csum_start = (uint16_t)(random() % 70);
			header.csum_offset = (uint16_t)(random() % 24);
			sent = with_header(&header, &frames[i % COUNT(frames)]);
			written += write(guest.tap, sent.bytes, sent.size) == (ssize_t)sent.size;
			taken += arrived(ears) + arrived(ipv6_ears);
		}
		EXPECT(&guest, written > TRIES / 4);
		EXPECT(&guest, guarded ? taken == 0 : taken > TRIES / 16);
		if (guarded) {
			without_guard("lab");
			without_wall(tap_of(&guest));
		}
	}
	guest_ends(&guest);
}

/* Whether the other one gets the frame with other bytes at a place than were sent. */
static bool changed(const struct result *a, const struct result *b, const struct frame *frame, size_t start, size_t at)
{
	const struct virtio_net_hdr header = checksum(start, at - start);
	const struct frame sent = with_header(&header, frame);
	unsigned char got[4096];
	bool differs = false;
	ssize_t size;

	forgets(b);
	if (write(a->tap, sent.bytes, sent.size) != (ssize_t)sent.size)
		return false;
	while ((size = read(b->tap, got, sizeof(got))) > 0)
		differs |= memmem(got, (size_t)size, "attacked", 8) && memcmp(got + at, frame->bytes + at, 2) != 0;
	return differs;
}

/*
 * The checksum's place may be one that guards and locks have looked at. The kernel refuses one in the hardware
 * addresses (virtio_net_hdr_to_skb: it starts behind what the shortest IP header takes), which are what lock-mac looks
 * at. Two bytes further on are the guest's choice, the source of an IPv6 packet among them: a limit of what looks at
 * addresses of IP, which SECURITY.md states, and so is who sends by ARP. The header of IPv4 breaks by it.
 */
static void test_checksum_over_addresses(void **state)
{
	struct result a = guest_with_offloads_on("br0"), b = guest_on("br0");
	const struct frame frame = udp(PEER_MAC, "fd00::11", "fd00::12", PORT);
	struct frame claim = arp(PEER_MAC, "10.77.0.11", "10.77.0.12");

	(void)state;
	put(&claim, "attacked", 8);
	for (size_t at = 0; at < ETHER; at += 2)
		for (size_t start = 0; start <= at; start++)
			EXPECT(&a, !changed(&a, &b, &frame, start, at));
	EXPECT(&a, changed(&a, &b, &frame, IPV6_SOURCE, IPV6_SOURCE + 14));
	EXPECT(&a, changed(&a, &b, &frame, IPV6_END, IPV6_END + UDP_SUM)); /* where it belongs */
	EXPECT(&a, changed(&a, &b, &claim, ARP_SENDER, ARP_SENDER + 2));
	guest_ends(&a);
	guest_ends(&b);
}

/* What a child of alice's ends with that opens a tap anew, with such headers, and sends a frame. */
static int reopen(const char *name)
{
	const struct frame frame = udp(PEER_MAC, "fd00::11", "fd00::12", PORT);
	const struct virtio_net_hdr header = checksum(IPV6_SOURCE, 14);
	const struct frame sent = with_header(&header, &frame);
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd;

	if (setresgid(1000, 1000, 1000) != 0 || setresuid(1000, 1000, 1000) != 0)
		return 2;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0 || write(fd, sent.bytes, sent.size) != (ssize_t)sent.size;
}

/* Who has a tap can have such headers, whether the helper was asked for them or not: nothing may rest on that. */
static void test_headers_anyway(void **state)
{
	struct result guest;
	char name[IFNAMSIZ];
	pid_t child;
	int status;

	(void)state;
	by_tap_alone();
	guest = guest_on("br0");
	snprintf(name, sizeof(name), "%s", tap_of(&guest));
	assert_int_equal(ioctl(guest.tap, TUNSETPERSIST, 1), 0);
	close(guest.tap);
	guest.tap = -1;
	child = fork();
	if (child == 0)
		_exit(reopen(name));
	assert_int_equal(waitpid(child, &status, 0), child);
	EXPECT(&guest, status == 0);
	command("ip link del %s", name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(test_reserved),
		ATTACK(test_any_header),
		ATTACK(test_checksum_over_addresses),
		ATTACK(test_headers_anyway),
	};

	return RUN_TESTS(tests);
}
