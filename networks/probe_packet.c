// SPDX-License-Identifier: MIT
/* The packets that probes are made of (networks/probe.c): what guests and host send each other, and the Internet. */
#include "networks/probe.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

enum { HOPS = 64, HOPS_OF_NEIGHBOURS = 255 /* RFC 4861, 4.3 */, WEB = 443 };

/* RFC 1071. */
static uint32_t add_up(uint32_t sum, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		sum += (uint32_t)at[i] << (i % 2 ? 0 : 8);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* What conntrack finds wrong would be taken for invalid: so the checksum is right, with the pseudo header's part. */
static uint16_t checksum(const struct packet *packet, size_t header, uint8_t protocol)
{
	const size_t size = packet->size - header;
	const bool six = packet->family == AF_INET6;
	uint32_t sum = protocol + (uint32_t)size;

	sum = add_up(sum, packet->bytes + (six ? 8 : 12), six ? 32 : 8);
	return fold(add_up(sum, packet->bytes + header, size));
}

static size_t begin(struct packet *packet, const struct packet_way *way, uint8_t protocol)
{
	const struct iphdr four = {.version = 4, .ihl = 5, .id = htons(way->tag), .ttl = HOPS, .protocol = protocol};
	struct ip6_hdr six = {.ip6_ctlun.ip6_un1 = {.ip6_un1_flow = htonl(6U << 28 | way->tag),
				      .ip6_un1_nxt = protocol,
				      .ip6_un1_hlim = protocol == IPPROTO_ICMPV6 ? HOPS_OF_NEIGHBOURS : HOPS}};

	*packet = (struct packet){.family = way->family};
	if (way->family == AF_INET) {
		memcpy(packet->bytes, &four, sizeof(four));
		memcpy(packet->bytes + 12, way->from, 4);
		memcpy(packet->bytes + 16, way->to, 4);
		return packet->size = sizeof(four);
	}
	memcpy(&six.ip6_src, way->from, 16);
	memcpy(&six.ip6_dst, way->to, 16);
	memcpy(packet->bytes, &six, sizeof(six));
	return packet->size = sizeof(six);
}

static void add(struct packet *packet, const void *bytes, size_t size)
{
	memcpy(packet->bytes + packet->size, bytes, size);
	packet->size += size;
}

/* The lengths, and the checksum of IPv4. */
static void end(struct packet *packet)
{
	uint16_t size = htons((uint16_t)packet->size), sum;

	if (packet->family == AF_INET6) {
		size = htons((uint16_t)(packet->size - sizeof(struct ip6_hdr)));
		memcpy(packet->bytes + 4, &size, 2);
		return;
	}
	memcpy(packet->bytes + 2, &size, 2);
	sum = fold(add_up(0, packet->bytes, sizeof(struct iphdr)));
	memcpy(packet->bytes + 10, &sum, 2);
}

/* A DHCPDISCOVER (RFC 2131) in the sender's own name, or a DHCPv6 Information-request (RFC 8415). */
static void add_request(struct packet *packet, const unsigned char mac[static 6])
{
	static const unsigned char cookie[] = {99, 130, 83, 99, 53, 1, 1, 255};
	unsigned char four[300] = {1, 1, 6}, six[4] = {11, 't', 'g', 'p'};

	memcpy(four + 28, mac, 6);
	memcpy(four + 236, cookie, sizeof(cookie));
	if (packet->family == AF_INET)
		add(packet, four, sizeof(four));
	else
		add(packet, six, sizeof(six));
}

static void make_udp(struct packet *packet, const struct packet_way *way, const struct need *need)
{
	const size_t header = begin(packet, way, IPPROTO_UDP);
	const uint16_t client = need->port == 67 ? 68 : need->port == 547 ? 546 : PACKET_PORT;
	const bool hidden = way->hidden && need->in && need->port != 0;
	const uint16_t server = (uint16_t)((need->port ? need->port : PACKET_PORT) + (hidden ? PACKET_HIDDEN : 0));
	struct udphdr udp = {
		.uh_sport = htons(need->in ? client : server), .uh_dport = htons(need->in ? server : client)};

	add(packet, &udp, sizeof(udp));
	if (need->in && (need->port == 67 || need->port == 547))
		add_request(packet, way->mac);
	udp.uh_ulen = htons((uint16_t)(packet->size - header));
	memcpy(packet->bytes + header, &udp, sizeof(udp));
	udp.uh_sum = checksum(packet, header, IPPROTO_UDP);
	memcpy(packet->bytes + header, &udp, sizeof(udp));
}

static void make_tcp(struct packet *packet, const struct packet_way *way, uint16_t port)
{
	const size_t header = begin(packet, way, IPPROTO_TCP);
	struct tcphdr tcp = {.th_sport = htons(PACKET_PORT),
		.th_dport = htons(port),
		.th_seq = htonl(way->tag),
		.th_off = 5,
		.th_flags = TH_SYN,
		.th_win = htons(1024)};

	add(packet, &tcp, sizeof(tcp));
	tcp.th_sum = checksum(packet, header, IPPROTO_TCP);
	memcpy(packet->bytes + header, &tcp, sizeof(tcp));
}

/* A neighbour solicitation from a guest, for the host; or an advertisement, the host's answer (RFC 4861). */
static void make_neighbour(struct packet *packet, const struct packet_way *way, bool solicit)
{
	const size_t header = begin(packet, way, IPPROTO_ICMPV6);
	struct nd_neighbor_solicit message = {.nd_ns_type = solicit ? ND_NEIGHBOR_SOLICIT : ND_NEIGHBOR_ADVERT};

	memcpy(&message.nd_ns_target, solicit ? way->host : way->from, 16);
	add(packet, &message, sizeof(message));
	message.nd_ns_cksum = checksum(packet, header, IPPROTO_ICMPV6);
	memcpy(packet->bytes + header, &message, sizeof(message));
}

/* The question for the host's hardware address, by who has no address yet: the host forgets it (RFC 5227). */
static void make_arp(struct packet *packet, const struct packet_way *way)
{
	static const unsigned char begin[] = {0, 1, 8, 0, 6, 4, 0, 1};

	*packet = (struct packet){.family = way->family, .size = 28};
	memcpy(packet->bytes, begin, sizeof(begin));
	memcpy(packet->bytes + 8, way->mac, 6);
	memcpy(packet->bytes + 24, way->host, 4);
}

void packet_make(struct packet *packet, const struct packet_way *way, const struct need *need)
{
	if (need->family == NFPROTO_ARP) {
		make_arp(packet, way);
		return;
	}
	if (need->protocol == IPPROTO_ICMPV6)
		make_neighbour(packet, way, need->in);
	else if (need->protocol == IPPROTO_TCP || (need->hook == NF_INET_FORWARD && !need->out))
		make_tcp(packet, way, need->port ? need->port : WEB);
	else
		make_udp(packet, way, need);
	end(packet);
}
