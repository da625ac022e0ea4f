// SPDX-License-Identifier: MIT
/* What a probe makes on the host, and takes away: a tap that is a guest, and tables before and behind all others. */
#include "networks/probe.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <nftables/libnftables.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/kernel.h"
#include "tool/tool.h"

enum { PATIENCE = 200 /* ms */ };

__attribute__((format(printf, 3, 4))) static bool fail(struct probe *probe, int error, const char *format, ...)
{
	va_list arguments;
	size_t size;

	va_start(arguments, format);
	vsnprintf(probe->why, sizeof(probe->why), format, arguments);
	va_end(arguments);
	size = strlen(probe->why);
	snprintf(probe->why + size, sizeof(probe->why) - size, ": %s", strerror(abs(error)));
	return false;
}

/* --- before and behind all others --------------------------------------------------------------------------------- */

/*
 * A table that has an owner goes with its connection, and a flush of all rules spares it. @tag@ and @mac@ are chosen
 * anew each time; the addresses are those of `outside`. Requests for addresses have another port (PACKET_HIDDEN) until
 * they are past the guard's sets, which keep count of those (etc/guard/dhcp.nft).
 */
static const char all_tables[] =
	"table bridge @table@ { flags owner;"
	" chain begin { type filter hook prerouting priority @first@; ether saddr @mac@ meta nftrace set 1; };"
	" chain end/forward { type filter hook forward priority @last@; ether saddr @mac@ drop; }; }\n"
	"table inet @table@ { flags owner;"
	" chain begin/prerouting { type filter hook prerouting priority @first@; ether saddr @mac@ meta nftrace set 1;"
	" ip id @tag@ udp dport 40404 meta nftrace set 1; ip6 flowlabel @tag@ udp dport 40404 meta nftrace set 1; };"
	" chain begin/input { type filter hook input priority @first@;"
	" ether saddr @mac@ udp dport 40067 udp dport set 67; ether saddr @mac@ udp dport 40547 udp dport set 547; };"
	" chain begin/forward { type filter hook forward priority @first@; };"
	" chain begin/output { type filter hook output priority @first@;"
	" ip id @tag@ udp sport 67 meta nftrace set 1; ip6 flowlabel @tag@ udp sport 547 meta nftrace set 1;"
	" ip6 flowlabel @tag@ icmpv6 type nd-neighbor-advert meta nftrace set 1; };"
	" chain end/input { type filter hook input priority @last@; ether saddr @mac@ drop;"
	" ip id @tag@ udp dport 40404 drop; ip6 flowlabel @tag@ udp dport 40404 drop; };"
	" chain end/untracked { drop; };"
	" chain end/postrouting { type filter hook postrouting priority @last@;"
	" ip id @tag@ ip daddr 193.0.14.129 ct state untracked goto end/untracked;"
	" ip6 flowlabel @tag@ ip6 daddr 2001:7fd::1 ct state untracked goto end/untracked;"
	" ip id @tag@ ip daddr 193.0.14.129 drop; ip6 flowlabel @tag@ ip6 daddr 2001:7fd::1 drop;"
	" ip id @tag@ udp dport 40404 drop; ip6 flowlabel @tag@ udp dport 40404 drop;"
	" ip id @tag@ udp sport 67 drop; ip6 flowlabel @tag@ udp sport 547 drop;"
	" ip6 flowlabel @tag@ icmpv6 type nd-neighbor-advert drop; }; }\n";

/* A kernel may lack this one (CONFIG_NF_TABLES_ARP). */
static const char arp_tables[] =
	"table arp @table@ { flags owner;"
	" chain begin/input { type filter hook input priority @first@; arp saddr ether @mac@ meta nftrace set 1; };"
	" chain begin/output { type filter hook output priority @first@; arp daddr ether @mac@ meta nftrace set 1; };"
	" chain end/output { type filter hook output priority @last@; arp daddr ether @mac@ drop; }; }\n";

/* These are for rules on single interfaces, by which the host has routes. */
static const char ingress_tables[] =
	"table netdev @table@ { flags owner;"
	" chain begin/ingress { type filter hook ingress devices = { @devices@ } priority @first@;"
	" ether saddr @mac@ meta nftrace set 1; }; }\n";
static const char egress_tables[] = /* Linux 5.16 */
	"table netdev @table@ { flags owner;"
	" chain begin/egress { type filter hook egress devices = { @devices@ } priority @first@;"
	" ether saddr @mac@ meta nftrace set 1; };"
	" chain end/egress { type filter hook egress devices = { @devices@ } priority @last@; ether saddr @mac@ drop; }; }\n";

static void write_devices(FILE *out, const struct host *host)
{
	const char *before = "";

	for (size_t i = 0; i < host->interface_count; i++) {
		const struct link_interface *interface = &host->interfaces[i];

		if (!need_can_name(interface->name) || !(forwarding_leads_out(host, interface, AF_INET) ||
							       forwarding_leads_out(host, interface, AF_INET6)))
			continue;
		fprintf(out, "%s\"%s\"", before, interface->name);
		before = ", ";
	}
}

static void write_value(FILE *out, const struct probe *probe, const char *name)
{
	const unsigned char *mac = probe->tap.mac;

	if (*name == 'd')
		write_devices(out, &probe->session->host);
	else if (*name == 'm')
		fprintf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	else if (strncmp(name, "tag@", strlen("tag@")) == 0)
		fprintf(out, "%u", probe->tag);
	else if (*name == 'f' || *name == 'l')
		fprintf(out, "%d", *name == 'f' ? INT_MIN : INT_MAX);
	else
		fputs(probe->table, out);
}

static char *make_tables(const struct probe *probe, const char *tables)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (const char *at = tables; out && *at; at++) {
		if (*at != '@') {
			fputc(*at, out);
			continue;
		}
		write_value(out, probe, at + 1);
		at = strchr(at + 1, '@');
	}
	return out && fclose(out) == 0 ? text : NULL;
}

/* For the moment that it takes: on a busy host it would wait for its turn some hundred times. */
static void hurry(bool begin)
{
	static int before;

	if (begin)
		before = getpriority(PRIO_PROCESS, 0);
	setpriority(PRIO_PROCESS, 0, begin ? PRIO_MIN : before);
}

static bool run(struct probe *probe, const char *commands)
{
	char *text = make_tables(probe, commands);
	const bool done = text && nft_run_cmd_from_buffer(probe->session->nft, text) == 0;

	free(text);
	return done;
}

static bool add_tables(struct probe *probe)
{
	const bool done = run(probe, all_tables);

	if (done) {
		probe->arp = run(probe, arp_tables);
		probe->leaving = probe->firewall->on_interfaces && run(probe, egress_tables);
		(void)(probe->firewall->on_interfaces && run(probe, ingress_tables));
	} else {
		const char *error = nft_ctx_get_error_buffer(probe->session->nft);

		snprintf(probe->why, sizeof(probe->why),
			"nftables does not take a probe's tables, as Linux " LINUX_OWNED " does: %.*s",
			(int)strcspn(error, "\n"), error);
		rules_open(probe->session);
	}
	return done;
}

/* --- taps --------------------------------------------------------------------------------------------------------- */

/*
 * Neither what the bridge knows of guests nor what they send gets anywhere else by these ports. It is up last: in one
 * request with the rest the kernel would make an address of the host's first (do_setlink, net/core/rtnetlink.c).
 */
static int make_tap(struct probe *probe, struct probe_tap *tap)
{
	static const unsigned char highest[ETH_ALEN] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct link_change change = {.mac = highest, .alias = ALIAS_PROBE, .no_ipv6_address = true};
	struct link_interface interface;
	char name[IFNAMSIZ];
	int error = tap_open(&tap->fd);

	if (!error)
		error = tap_choose_name(name);
	if (!error)
		error = tap_make(tap->fd, &(struct tap_kind){.vnet_header = false}, name, 0);
	if (!error)
		error = link_by_name(probe->session->link, name, &interface);
	if (!error)
		error = link_change(probe->session->link, tap->index = interface.index, &change);
	if (!error)
		error = link_change(probe->session->link, tap->index, &(struct link_change){.up = true});
	if (getrandom(tap->mac, sizeof(tap->mac), 0) != sizeof(tap->mac))
		error = -EAGAIN;
	tap->mac[0] = 0x06; /* for local use, and none of our bridges' */
	memcpy(tap->neighbour, tap->mac, sizeof(tap->mac));
	tap->neighbour[ETH_ALEN - 1] ^= 1;
	return error;
}

/* A bridge has the lowest hardware address and the smallest MTU of its ports (net/bridge/br_stp_if.c, br_if.c). */
bool probe_join(struct probe *probe, const struct link_interface *bridge)
{
	const struct link_change change = {.master = bridge->index, .mtu = bridge->mtu};
	const uint64_t hairpin = LINK_PORT(IFLA_BRPORT_MODE);
	const struct link_port port = {.known = hairpin | LINK_PORT(IFLA_BRPORT_LEARNING) |
						LINK_PORT(IFLA_BRPORT_UNICAST_FLOOD) |
						LINK_PORT(IFLA_BRPORT_MCAST_FLOOD) | LINK_PORT(IFLA_BRPORT_BCAST_FLOOD),
		.on = hairpin};
	int error = link_change(probe->session->link, probe->tap.index, &change);

	if (!error)
		error = link_set_port(probe->session->link, probe->tap.index, &port);
	if (!error)
		error = fdb_put(probe->session->link, probe->tap.index, probe->tap.neighbour);
	return !error || fail(probe, error, "cannot join the bridge");
}

const unsigned char probe_servers[16] = {0xff, 2, [13] = 1, [15] = 2};

/* A bridge that had no port before takes in multicast once the kernel has noticed (addrconf_notify, NETDEV_CHANGE). */
void probe_wait_for_multicast(const struct probe *probe, int bridge)
{
	const int64_t deadline = clock_milliseconds() + PATIENCE;
	struct link_packet packet = {.family = AF_INET6, .from = {0xfe, 0x80, [15] = 2}, .in = bridge};
	struct link_route way;

	memcpy(packet.to, probe_servers, sizeof(probe_servers));
	while (link_way(probe->session->link, &packet, &way) != 0 && clock_milliseconds() < deadline)
		poll(NULL, 0, 1);
}

/* A packet to a group that nobody on the host is in would not get to any rule; dnsmasq joins when it has time. */
void probe_listen_as_server(const struct probe *probe, int bridge, bool begin)
{
	struct ipv6_mreq group = {.ipv6mr_interface = (unsigned int)bridge};

	memcpy(&group.ipv6mr_multiaddr, probe_servers, sizeof(probe_servers));
	setsockopt(probe->raw[1], IPPROTO_IPV6, begin ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &group, sizeof(group));
}

void probe_leave(struct probe *probe)
{
	link_change(probe->session->link, probe->tap.index, &(struct link_change){.no_master = true});
}

/* --- all of it, when it is needed --------------------------------------------------------------------------------- */

struct probe *probe_open(struct session *session)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe)
		return NULL;
	*probe = (struct probe){.session = session, .trace = -1, .raw = {-1, -1}, .tap = {.fd = -1}};
	return probe;
}

bool probe_begin(struct probe *probe)
{
	int error;

	if (probe->begun)
		return !probe->why[0];
	probe->begun = true;
	hurry(true);
	snprintf(probe->table, sizeof(probe->table), "tapgate-/probe%d", (int)getpid());
	if (getrandom(&probe->tag, sizeof(probe->tag), 0) != sizeof(probe->tag) || !probe->tag)
		probe->tag = 40404;
	error = make_tap(probe, &probe->tap);
	if (error)
		return fail(probe, error, "cannot make a tap");
	error = trace_open(&probe->trace);
	if (error)
		return fail(probe, error, "cannot listen to traces");
	for (size_t i = 0; i < 2; i++) { /* a host may be without IPv6 */
		probe->raw[i] = socket(i ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
		if (i == 0 && probe->raw[i] < 0)
			probe->raw_ipv4 = errno;
	}
	return add_tables(probe);
}

const char *probe_why(const struct probe *probe)
{
	return !probe ? strerror(ENOMEM) : probe->why[0] ? probe->why : NULL;
}

const char *probe_left_out(const struct probe *probe, const char **why)
{
	const int error = probe ? probe->bpf ? probe->bpf : probe->raw_ipv4 : 0;

	*why = strerror(error);
	return !error	     ? NULL
	       : !probe->bpf ? "what the host sends to guests (raw sockets take CAP_NET_RAW)"
	       : !probe->raw_ipv4
		       ? "answers to guests and taps that stand alone (bpf(2) takes CAP_BPF)"
		       : "answers to guests, taps that stand alone (bpf(2) takes CAP_BPF), and what the host sends to guests (raw sockets take CAP_NET_RAW)";
}

void probe_close(struct probe *probe)
{
	if (!probe)
		return;
	if (probe->begun) {
		rules_open(probe->session); /* and with its connection the tables */
		hurry(false);
	}
	for (size_t i = 0; i < 2; i++) {
		if (probe->raw[i] >= 0)
			close(probe->raw[i]);
	}
	if (probe->tap.fd >= 0)
		close(probe->tap.fd);
	if (probe->trace >= 0)
		close(probe->trace);
	free(probe);
}
