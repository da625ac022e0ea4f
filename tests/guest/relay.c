// SPDX-License-Identifier: MIT
/*
 * A guest that says what it is told to: the attacker of tests/attacks, with BY_GUEST=1. Runs in a test guest. Whatever
 * comes in by one card goes out by the other as it came, and nothing else does.
 *
 *	relay CARD WIRE
 *
 *	host --- tap --- CARD --- relay --- WIRE --- the test
 *
 * A mark, which is a frame of type 0x88b6, by the wire goes back there when all that came before it has left by the
 * card.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

enum { ADDRESSES = 12, TAG = 4, MARK = 0x88b6, ROOM = 16 << 20 };

static struct {
	unsigned char bytes[65536 + TAG];
	size_t from, size; /* room for a tag in front */
} frame;

static void fail(const char *what)
{
	fprintf(stderr, "relay: %s: %m\n", what);
	exit(1);
}

/* Up, hearing everything, and saying nothing of its own; nor put together what comes in parts (GRO). */
static void prepare_card(int fd, const char *name)
{
	struct ethtool_value value = {.cmd = ETHTOOL_SGRO};
	struct ifreq request = {0};

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	request.ifr_data = (void *)&value;
	if (ioctl(fd, SIOCETHTOOL, &request) || ioctl(fd, SIOCGIFFLAGS, &request))
		fail(name);
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_PROMISC | IFF_NOARP);
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		fail(name);
}

static int open_card(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	const int on = 1, room = ROOM;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	address.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || !address.sll_ifindex || setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		fail(name);
	prepare_card(fd, name);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		fail(name);
	return fd;
}

/* The kernel takes the first tag off before packet sockets see a frame, and tells it apart (packet(7)). */
static void put_tag_back(const struct tpacket_auxdata *told)
{
	const bool kind = told->tp_status & TP_STATUS_VLAN_TPID_VALID;
	const uint16_t tag[2] = {htons(kind ? told->tp_vlan_tpid : ETHERTYPE_VLAN), htons(told->tp_vlan_tci)};

	if (!(told->tp_status & TP_STATUS_VLAN_VALID))
		return;
	frame.from = 0;
	frame.size += TAG;
	memmove(frame.bytes, frame.bytes + TAG, ADDRESSES);
	memcpy(frame.bytes + ADDRESSES, tag, TAG);
}

/* The next frame that came in by a card, if there is one; of what went out the size is 0. */
static bool take(int card)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct sockaddr_ll address;
	struct iovec room = {frame.bytes + TAG, sizeof(frame.bytes) - TAG};
	struct msghdr message = {.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &room,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	const ssize_t size = recvmsg(card, &message, MSG_DONTWAIT);
	const struct cmsghdr *told = size < 0 ? NULL : CMSG_FIRSTHDR(&message);

	frame.from = TAG;
	frame.size = size < 0 || address.sll_pkttype == PACKET_OUTGOING ? 0 : (size_t)size;
	if (frame.size && told && told->cmsg_level == SOL_PACKET && told->cmsg_type == PACKET_AUXDATA)
		put_tag_back((const void *)CMSG_DATA(told));
	return size >= 0;
}

static void give(int card)
{
	while (frame.size && send(card, frame.bytes + frame.from, frame.size, 0) < 0) {
		if (errno != ENOBUFS) {
			fprintf(stderr, "relay: a frame of %zu bytes: %m\n", frame.size);
			return;
		}
		usleep(1000);
	}
}

static bool is_mark(void)
{
	const unsigned char *type = frame.bytes + frame.from + ADDRESSES;

	return frame.size >= ADDRESSES + 2 && (type[0] << 8 | type[1]) == MARK;
}

/* Until the machine has taken what was sent: then it is out of the memory that the socket accounts for. */
static void wait_until_sent(int card)
{
	int left = 0;

	while (ioctl(card, SIOCOUTQ, &left) == 0 && left > 0)
		usleep(50);
}

int main(int argc, char **argv)
{
	int card, wire;

	if (argc != 3) {
		fprintf(stderr, "usage: relay CARD WIRE\n");
		return 1;
	}
	card = open_card(argv[1]);
	wire = open_card(argv[2]);
	for (;;) {
		struct pollfd ready[] = {{.fd = card, .events = POLLIN}, {.fd = wire, .events = POLLIN}};

		poll(ready, 2, -1);
		while (take(card))
			give(wire);
		if (!take(wire))
			continue;
		if (is_mark()) {
			wait_until_sent(card);
			give(wire);
		} else {
			give(card);
		}
	}
}
