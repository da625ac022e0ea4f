// SPDX-License-Identifier: MIT
/* The packets of a probe (networks/probe.c): each is made, sent, and followed through the rules of the host. */
#include "networks/probe.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/link.h"

/* --- made --------------------------------------------------------------------------------------------------------- */

/* What guests and host send each other, and the Internet. */

struct packet {
	int family;
	size_t size; /* with its headers from the network layer on */
	unsigned char bytes[512];
};

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

/* What a need is about, as one packet. */
static void packet_make(struct packet *packet, const struct packet_way *way, const struct need *need)
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

/* --- followed ----------------------------------------------------------------------------------------------------- */

/* What becomes of a packet of a probe's, as the kernel tells of it. */

enum { PATIENCE = 30 /* ms: an injected packet waits for its turn */ };

static bool has_tag(const struct probe *probe, const struct trace *trace)
{
	const unsigned char *header = trace->header;

	if (probe->need->family == NFPROTO_ARP) /* a question, or the answer */
		return trace->header_size >= 28 && (memcmp(header + 8, probe->tap.mac, ETH_ALEN) == 0 ||
							   memcmp(header + 18, probe->tap.mac, ETH_ALEN) == 0);
	if (trace->header_size >= 20 && header[0] >> 4 == 4)
		return (header[4] << 8 | header[5]) == probe->tag;
	return trace->header_size >= 40 && header[0] >> 4 == 6 &&
	       ((header[1] & 0xf) << 16 | header[2] << 8 | header[3]) == probe->tag;
}

/* Of one packet come several numbers, one for each interface that it is on. */
static bool is_ours(struct probe *probe, const struct trace *trace)
{
	for (size_t i = 0; i < probe->id_count; i++) {
		if (probe->ids[i] == trace->id)
			return true;
	}
	if (!trace->header || !has_tag(probe, trace))
		return false;
	if (probe->id_count < PROBE_IDS)
		probe->ids[probe->id_count++] = trace->id;
	return true;
}

static const struct firewall_chain *base_of(const struct probe *probe, const struct trace *trace)
{
	for (size_t i = 0; i < probe->firewall->chain_count; i++) {
		const struct firewall_chain *chain = &probe->firewall->chains[i];

		if (chain->family == trace->family && strcmp(chain->table, trace->table) == 0 &&
			strcmp(chain->name, trace->chain) == 0)
			return chain;
	}
	return NULL;
}

/* Our own chains. */
static void see_mark(struct probe *probe, const struct trace *trace)
{
	static const struct {
		const char *chain;
		uint32_t hook;
	} ends[] = {{"end/input", NF_INET_LOCAL_IN}, {"end/postrouting", NF_INET_LOCAL_OUT},
		{"end/forward", NF_INET_FORWARD}, {"end/postrouting", NF_INET_FORWARD}, {"end/egress", NF_INET_FORWARD},
		{"end/output", NF_INET_LOCAL_OUT}};
	static const char *const begins[] = {[NF_INET_PRE_ROUTING] = "begin/prerouting",
		[NF_INET_LOCAL_IN] = "begin/input",
		[NF_INET_FORWARD] = "begin/forward",
		[NF_INET_LOCAL_OUT] = "begin/output"};
	const bool untracked = strcmp(trace->chain, "end/untracked") == 0;

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		probe->passed[i] |= strcmp(trace->chain, begins[i]) == 0;
	if (probe->met.rule && (untracked || (probe->injected && probe->passed[NF_INET_LOCAL_IN]))) {
		probe->fate = probe->met;
		probe->fate.stray = true;
	}
	/* The question itself goes on: the host's answer to it is the next thing that is looked at. */
	probe->fate.arrived |=
		probe->need->family == NFPROTO_ARP && probe->need->in && probe->passed[NF_INET_LOCAL_OUT];
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		probe->fate.arrived |=
			trace->drops && ends[i].hook == probe->need->hook && strcmp(trace->chain, ends[i].chain) == 0;
}

static void note_place(struct fate *fate, const struct trace *trace, const struct firewall_chain *base)
{
	fate->known = true;
	fate->ours = strncmp(trace->table, "tapgate-", strlen("tapgate-")) == 0;
	fate->family = trace->family;
	fate->rule = trace->rule;
	fate->base = base;
	snprintf(fate->table, sizeof(fate->table), "%s", trace->table);
	snprintf(fate->chain, sizeof(fate->chain), "%s", trace->chain);
}

static void see(void *context, const struct trace *trace)
{
	struct probe *probe = context;
	const struct firewall_chain *base = base_of(probe, trace);
	const uint32_t hook = probe->need->hook;

	if (!is_ours(probe, trace) || probe->fate.stray)
		return;
	if (strcmp(trace->table, probe->table) == 0) {
		see_mark(probe, trace);
		return;
	}
	if (!trace->drops && trace->rule && !probe->met.known && hook == NF_INET_FORWARD &&
		!probe->passed[NF_INET_FORWARD] && strncmp(trace->table, "tapgate-", strlen("tapgate-")) != 0)
		note_place(&probe->met, trace, NULL);
	probe->base = base ? base : probe->base;
	/* A frame for all goes to neighbours as well as to the host. */
	if (!trace->drops || (base && base->hook == NF_INET_FORWARD && hook != NF_INET_FORWARD))
		return;
	if (probe->base && (probe->base->family != trace->family || strcmp(probe->base->table, trace->table) != 0))
		probe->base = NULL;
	note_place(&probe->fate, trace, probe->base);
}

bool probe_has_legacy(int family)
{
	FILE *file = fopen(family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names", "re");
	bool any = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	return any;
}

static void forget(void *context, const struct trace *trace)
{
	(void)context;
	(void)trace;
}

/* Before a packet that a need is about is sent. */
static void trace_begin(struct probe *probe, const struct need *need, bool injected)
{
	trace_each(probe->trace, forget, NULL);
	probe->need = need;
	probe->injected = injected;
	probe->id_count = 0;
	probe->base = NULL;
	probe->fate = probe->met = (struct fate){.arrived = false};
	memset(probe->passed, 0, sizeof(probe->passed));
}

/* The kernel is done with a packet when the call that sent it returns, but with an injected one. */
static int read_traces(struct probe *probe)
{
	const int64_t deadline = clock_milliseconds() + PATIENCE;
	struct pollfd traces = {.fd = probe->trace, .events = POLLIN};
	int result = trace_each(probe->trace, see, probe);

	while (result >= 0 && probe->injected && !probe->fate.arrived && !probe->fate.known &&
		poll(&traces, 1, (int)(deadline - clock_milliseconds())) > 0)
		result = trace_each(probe->trace, see, probe);
	return result;
}

/* And after that: what became of it. */
static struct fate trace_end(struct probe *probe, int family, bool sent)
{
	if (!sent || read_traces(probe) < 0)
		probe->fate.arrived = true;
	/* The host gave no answer, as the question did not get there: which another need tells of. */
	probe->fate.arrived |=
		probe->need->family == NFPROTO_ARP && !probe->need->in && !probe->passed[NF_INET_LOCAL_OUT];
	if (probe->fate.arrived || probe->fate.known)
		return probe->fate;
	probe->fate.legacy =
		probe->need->family != NFPROTO_ARP && probe->passed[probe->need->hook] && probe_has_legacy(family);
	probe->fate.lost = probe->passed[NF_INET_PRE_ROUTING] && !probe->passed[NF_INET_LOCAL_IN] &&
			   !probe->passed[NF_INET_FORWARD];
	return probe->fate;
}

/* --- sent --------------------------------------------------------------------------------------------------------- */

/* Where that is not allowed, it is said once (probe_left_out). */
static bool is_injected(struct probe *probe, const struct packet_way *way, const void *frame, size_t size)
{
	const int error = inject(way->at, way->leaves, frame, size);

	if (error == -EPERM || error == -EACCES || error == -ENOSYS)
		probe->bpf = -error;
	return error == 0 || (way->leaves && error > 0); /* NET_XMIT_DROP */
}

/* As if it came in by an interface: one of others, or the probe's own tap. */
static bool send_as_guest(struct probe *probe, const struct packet *packet, const struct packet_way *way)
{
	unsigned char frame[ETH_HLEN + sizeof(packet->bytes)];

	memcpy(frame + ETH_ALEN, way->mac, ETH_ALEN);
	memcpy(frame, way->to_mac, ETH_ALEN);
	frame[12] = way->family == AF_INET ? 0x08 : 0x86;
	frame[13] = probe->need->family == NFPROTO_ARP ? 0x06 : way->family == AF_INET ? 0x00 : 0xdd;
	memcpy(frame + ETH_HLEN, packet->bytes, packet->size);
	return way->at ? is_injected(probe, way, frame, ETH_HLEN + packet->size)
		       : write(probe->tap.fd, frame, ETH_HLEN + packet->size) > 0;
}

static bool send_as_host(struct probe *probe, const struct packet *packet, const struct packet_way *way,
	const struct link_interface *interface)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)interface->index};
	const int raw = probe->raw[way->family == AF_INET6];

	memcpy(&four.sin_addr, way->to, 4);
	memcpy(&six.sin6_addr, way->to, 16);
	setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, interface->name, (socklen_t)strlen(interface->name));
	/* What a rule drops is an error here, EPERM. */
	(void)!sendto(raw, packet->bytes, packet->size, 0,
		way->family == AF_INET ? (const void *)&four : (const void *)&six,
		way->family == AF_INET ? sizeof(four) : sizeof(six));
	return raw >= 0;
}

struct fate probe_send(struct probe *probe, const struct need *need, const struct packet_way *way,
	const struct link_interface *interface)
{
	struct packet packet;
	bool sent;

	packet_make(&packet, way, need);
	trace_begin(probe, need, way->at);
	sent = need->hook == NF_INET_LOCAL_OUT && need->family != NFPROTO_ARP
		       ? send_as_host(probe, &packet, way, interface)
		       : send_as_guest(probe, &packet, way);
	return trace_end(probe, way->family, sent);
}

struct fate probe_send_answer(struct probe *probe, const struct connection *connection, struct packet_way *way,
	const struct link_interface *from)
{
	const struct need need = {
		.hook = NF_INET_FORWARD, .out = true, .protocol = IPPROTO_UDP, .port = connection->to_port};
	const size_t size = way->family == AF_INET ? 4 : 16;
	struct fate fate = {.arrived = true};

	if (connection_add(probe->session->nftables, connection) != 0)
		return fate;
	memcpy(way->from, connection->to, size);
	memcpy(way->to, connection->as ? connection->as : connection->from, size);
	memcpy(way->to_mac, from->mac, ETH_ALEN);
	way->at = from->index;
	fate = probe_send(probe, &need, way, from);
	connection_remove(probe->session->nftables, connection);
	return fate;
}
