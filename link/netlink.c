/* Requests to the kernel's routing subsystem, one at a time, each with its answer. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <netlink/utils.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "link/link.h"
#include "link/reply.h"

/* Bytes in one datagram: of one interface, with room to spare; of a list, the kernel's own bound (af_netlink.c). */
enum { ONE_MAX = 16384, LIST_MAX = 32768 };

struct link {
	struct nl_sock *socket;
};

/*
 * What a call of libnl that failed means: its own codes are coarser than errno. No answer at all breaks the protocol.
 */
static int failure(void)
{
	return errno && errno != EAGAIN ? -errno : -EPROTO;
}

int link_open(struct link **opened)
{
	struct link *link = calloc(1, sizeof(*link));
	struct nl_cb *callbacks;

	if (!link)
		return -ENOMEM;
	nl_debug = 0;			       /* libnl took it from the environment before main() */
	callbacks = nl_cb_alloc(NL_CB_CUSTOM); /* an explicit set: the default one is the environment's choice too */
	link->socket = callbacks ? nl_socket_alloc_cb(callbacks) : NULL;
	nl_cb_put(callbacks);
	errno = 0;
	if (!link->socket || nl_connect(link->socket, NETLINK_ROUTE) < 0 ||
		nl_socket_set_nonblocking(link->socket) < 0 || nl_socket_set_msg_buf_size(link->socket, ONE_MAX) < 0) {
		int error = failure();

		link_close(link);
		return error;
	}
	nl_socket_disable_auto_ack(link->socket);
	*opened = link;
	return 0;
}

void link_close(struct link *link)
{
	if (!link)
		return;
	nl_socket_free(link->socket);
	free(link);
}

/*
 * Receive one datagram and read it. The kernel has queued the answer before sendmsg returns, so there is nothing to
 * wait for. Only the kernel has port 0 (netlink(7)): any process may send to a netlink socket.
 */
static int receive(struct link *link, struct reply *reply)
{
	struct sockaddr_nl sender = {0};
	unsigned char *datagram = NULL;
	int size, result;

	errno = 0;
	size = nl_recv(link->socket, &sender, &datagram, NULL);
	if (size <= 0)
		return failure();
	result = sender.nl_family == AF_NETLINK && sender.nl_pid == 0 ? reply_read(reply, datagram, (size_t)size)
								      : -EPROTO;
	free(datagram);
	return result;
}

/* Send a request (which is freed) and read its answer. */
static int exchange(struct link *link, struct nl_msg *request, struct reply *reply)
{
	int result = 1;

	errno = 0;
	if (nl_send_auto(link->socket, request) < 0)
		result = failure();
	reply->sequence = nlmsg_hdr(request)->nlmsg_seq;
	reply->port = nl_socket_get_local_port(link->socket);
	nlmsg_free(request);
	while (result > 0)
		result = receive(link, reply);
	return result;
}

/*
 * Whether this kernel walks its interfaces by index when it lists them (rtnl_dump_ifinfo, net/core/rtnetlink.c; 6.1
 * does not, 6.12 does). Then an interface that stands all the while is listed exactly once, whatever else comes and
 * goes.
 */
static bool lists_by_index(void)
{
	struct utsname system;
	unsigned long major, minor;
	char *end;

	if (uname(&system) < 0)
		return false;
	major = strtoul(system.release, &end, 10);
	minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	return major > 6 || (major == 6 && minor >= 12);
}

static struct nl_msg *new_request(int type, int flags, const struct ifinfomsg *header)
{
	struct nl_msg *request = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	if (request && nlmsg_append(request, (void *)(uintptr_t)header, sizeof(*header), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(request);
		return NULL;
	}
	return request;
}

static void keep(void *context, const struct link_interface *interface)
{
	*(struct link_interface *)context = *interface;
}

/* Ask for one interface, by index or by name. Protocols' counters are left out: they are most of the answer. */
static int get(struct link *link, int index, const char *name, struct link_interface *interface)
{
	struct ifinfomsg header = {.ifi_index = index};
	struct nl_msg *request = new_request(RTM_GETLINK, 0, &header);
	struct reply reply = {.each = keep, .context = interface};

	*interface = (struct link_interface){0};
	if (!request || nla_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0 ||
		(name && nla_put_string(request, IFLA_IFNAME, name) < 0)) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange(link, request, &reply);
}

int link_by_name(struct link *link, const char *name, struct link_interface *interface)
{
	int result = get(link, 0, name, interface);

	return result == 0 && strcmp(interface->name, name) != 0 ? -ENODEV : result;
}

int link_by_index(struct link *link, int index, struct link_interface *interface)
{
	int result = get(link, index, NULL, interface);

	return result == 0 && interface->index != index ? -EPROTO : result;
}

/* Passes taps on: kernels before 4.6 do not know the filter below, and list everything. */
struct tap_filter {
	void (*each)(void *context, const struct link_interface *);
	void *context;
};

static void each_tap(void *context, const struct link_interface *interface)
{
	const struct tap_filter *filter = context;

	if (strcmp(interface->kind, "tun") == 0)
		filter->each(filter->context, interface);
}

int link_each_tap(struct link *link, void (*each)(void *context, const struct link_interface *), void *context)
{
	struct ifinfomsg header = {0};
	struct nl_msg *request = new_request(RTM_GETLINK, NLM_F_DUMP, &header);
	struct tap_filter filter = {each, context};
	struct reply reply = {.dump = true, .each = each_tap, .context = &filter};
	struct nlattr *info;
	int result;

	if (!request || nla_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0 ||
		!(info = nla_nest_start(request, IFLA_LINKINFO)) ||
		nla_put_string(request, IFLA_INFO_KIND, "tun") < 0) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	nla_nest_end(request, info);
	if (nl_socket_set_msg_buf_size(link->socket, LIST_MAX) < 0) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	result = exchange(link, request, &reply);
	return result == 0 && reply.interrupted && !lists_by_index() ? -EAGAIN : result;
}

/* IFLA_AF_SPEC { AF_INET6 { IFLA_INET6_ADDR_GEN_MODE none } } */
static bool put_no_ipv6_address(struct nl_msg *request)
{
	struct nlattr *families = nla_nest_start(request, IFLA_AF_SPEC);
	struct nlattr *ipv6 = families ? nla_nest_start(request, AF_INET6) : NULL;

	if (!ipv6 || nla_put_u8(request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE) < 0)
		return false;
	nla_nest_end(request, ipv6);
	nla_nest_end(request, families);
	return true;
}

static int set(struct link *link, int index, const struct link_change *change)
{
	unsigned int up = change->up ? IFF_UP : 0;
	struct ifinfomsg header = {.ifi_index = index, .ifi_flags = up, .ifi_change = up};
	struct nl_msg *request = new_request(RTM_SETLINK, NLM_F_ACK, &header);
	struct reply reply = {.acknowledge = true};

	if (!request || (change->mac && nla_put(request, IFLA_ADDRESS, 6, change->mac) < 0) ||
		(change->mtu && nla_put_u32(request, IFLA_MTU, change->mtu) < 0) ||
		(change->alias && nla_put(request, IFLA_IFALIAS, (int)strlen(change->alias), change->alias) < 0) ||
		(change->master && nla_put_u32(request, IFLA_MASTER, (uint32_t)change->master) < 0) ||
		(change->no_ipv6_address && !put_no_ipv6_address(request))) {
		nlmsg_free(request);
		return -ENOMEM;
	}
	return exchange(link, request, &reply);
}

int link_change(struct link *link, int index, const struct link_change *change)
{
	struct link_change without = *change;
	int result = set(link, index, change);

	/*
	 * Where the kernel or the interface has no IPv6 there is no such address to prevent (net/ipv6/addrconf.c). An
	 * interface has none while its MTU is below 1280.
	 */
	if (result != -EAFNOSUPPORT || !change->no_ipv6_address)
		return result;
	without.no_ipv6_address = false;
	return set(link, index, &without);
}
