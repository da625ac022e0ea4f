// SPDX-License-Identifier: MIT
/* One packet of a probe's, sent and followed. */
#include "networks/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/link.h"

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
	probe_trace_begin(probe, need, way->at);
	sent = need->hook == NF_INET_LOCAL_OUT && need->family != NFPROTO_ARP
		       ? send_as_host(probe, &packet, way, interface)
		       : send_as_guest(probe, &packet, way);
	return probe_trace_end(probe, way->family, sent);
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
