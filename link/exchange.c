// SPDX-License-Identifier: MIT
/* Requests to the kernel over netlink, one at a time, each with its answer. */
#include "link/exchange.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <netlink/utils.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* Bytes in one datagram: the kernel's own bound for those of a list (net/netlink/af_netlink.c). */
enum { DATAGRAM_MAX = 32768 };

enum { NESTS_MAX = 4 };

struct link {
	struct nl_sock *socket;
	bool behind; /* there may be answers left that nobody read */
	/* The request that is being made. */
	struct nl_msg *request;
	bool failed;			 /* memory ran out, or room in it */
	struct nlattr *nests[NESTS_MAX]; /* attributes that are open */
	int depth;
};

/*
 * What a call of libnl that failed means: its own codes are coarser than errno. No answer at all breaks the protocol.
 */
static int failure(void)
{
	return errno && errno != EAGAIN ? -errno : -EPROTO;
}

int exchange_open(struct link **opened, int protocol)
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
	if (!link->socket || nl_connect(link->socket, protocol) < 0 || nl_socket_set_nonblocking(link->socket) < 0 ||
		nl_socket_set_msg_buf_size(link->socket, DATAGRAM_MAX) < 0) {
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
 * A list as it came: its datagrams, one behind the other. Each is a whole number of messages, which are aligned: they
 * can be read as one.
 */
struct list {
	unsigned char *bytes;
	size_t size;
};

static bool append(struct list *list, const unsigned char *datagram, size_t size)
{
	unsigned char *bytes = realloc(list->bytes, list->size + size);

	if (!bytes)
		return false;
	list->bytes = bytes;
	memcpy(list->bytes + list->size, datagram, size);
	list->size += size;
	return true;
}

/*
 * Receive one datagram and read it; of a list, keep it. The kernel has queued the answer before sendmsg returns, so
 * there is nothing to wait for. Only the kernel has port 0 (netlink(7)): any process may send to a netlink socket.
 */
static int receive(struct link *link, struct reply *reply, struct list *list)
{
	struct sockaddr_nl sender = {0};
	unsigned char *datagram = NULL;
	int size, result;

	errno = 0;
	size = nl_recv(link->socket, &sender, &datagram, NULL);
	link->behind = size <= 0;
	if (size <= 0)
		return failure();
	result = sender.nl_family == AF_NETLINK && sender.nl_pid == 0 ? reply_read(reply, datagram, (size_t)size)
								      : -EPROTO;
	if (reply->dump && result >= 0 && !append(list, datagram, (size_t)size))
		result = -ENOMEM;
	free(datagram);
	return result;
}

/* Read what was left when an answer could not be received, lest it be taken for that to the next request. */
static void catch_up(struct link *link)
{
	struct sockaddr_nl sender;
	unsigned char *datagram = NULL;

	for (link->behind = false; nl_recv(link->socket, &sender, &datagram, NULL) > 0; datagram = NULL)
		free(datagram);
}

int link_watch(struct link *link, const int *groups)
{
	errno = 0;
	for (; *groups; groups++) {
		if (nl_socket_add_membership(link->socket, *groups) < 0)
			return failure();
	}
	return 0;
}

int link_descriptor(const struct link *link)
{
	return nl_socket_get_fd(link->socket);
}

/* Unread: of each datagram one byte is taken. After too many to keep (ENOBUFS, netlink(7)) those left over follow. */
bool link_forget_changes(struct link *link)
{
	const int most = 10000; /* more than the socket has room for */
	bool any = false;
	char byte;

	for (int i = 0; i < most; i++) {
		if (recv(nl_socket_get_fd(link->socket), &byte, 1, MSG_DONTWAIT) < 0 && errno != ENOBUFS)
			break;
		any = true;
	}
	return any;
}

void exchange_begin(struct link *link, int type, int flags, const void *header, size_t size)
{
	link->request = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
	link->failed =
		!link->request || nlmsg_append(link->request, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO) < 0;
	link->depth = 0;
}

void exchange_begin_interface(struct link *link, int type, int flags, int index)
{
	const struct ifinfomsg header = {.ifi_index = index};

	exchange_begin(link, type, flags, &header, sizeof(header));
}

void exchange_put(struct link *link, int attribute, const void *data, size_t size)
{
	if (data && !link->failed)
		link->failed = nla_put(link->request, attribute, (int)size, data) < 0;
}

void exchange_put_text(struct link *link, int attribute, const char *text)
{
	exchange_put(link, attribute, text, text ? strlen(text) + 1 : 0);
}

void exchange_nest(struct link *link, int attribute)
{
	struct nlattr *nest =
		link->failed || link->depth == NESTS_MAX ? NULL : nla_nest_start(link->request, attribute);

	link->failed = !nest;
	if (nest)
		link->nests[link->depth++] = nest;
}

void exchange_end_nest(struct link *link)
{
	if (!link->failed && link->depth > 0)
		nla_nest_end(link->request, link->nests[--link->depth]);
}

/* Send what was begun, and note what its answer must be. */
static int send_request(struct link *link, struct reply *reply)
{
	struct nlmsghdr *header = nlmsg_hdr(link->request);

	while (link->depth > 0)
		exchange_end_nest(link);
	if (link->behind)
		catch_up(link);
	header->nlmsg_seq = NL_AUTO_SEQ;
	errno = 0;
	if (nl_send_auto(link->socket, link->request) < 0)
		return failure();
	reply->dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	reply->sequence = header->nlmsg_seq;
	reply->port = nl_socket_get_local_port(link->socket);
	return 1;
}

/*
 * Whether a list that was interrupted has all the same what stood all the while: one of interfaces where the kernel
 * walks them by index (rtnl_dump_ifinfo, net/core/rtnetlink.c; 6.1 does not, 6.12 does), whatever else comes and goes.
 */
static bool is_whole(const struct link *link)
{
	struct utsname system;

	return nlmsg_hdr(link->request)->nlmsg_type == RTM_GETLINK && uname(&system) == 0 &&
	       strverscmp(system.release, "6.12") >= 0;
}

/* Ask once; what is listed is only kept. -EAGAIN: it changed meanwhile. */
static int ask(struct link *link, struct reply *reply, struct list *list)
{
	int result = send_request(link, reply);

	if (result > 0 && reply->dump)
		reply->take = NULL;
	while (result > 0)
		result = receive(link, reply, list);
	return result == 0 && reply->interrupted && !is_whole(link) ? -EAGAIN : result;
}

int exchange(struct link *link, bool (*take)(void *context, struct nlmsghdr *message), void *context)
{
	struct reply reply;
	struct list list = {NULL, 0};
	int result = link->failed ? -ENOMEM : -EAGAIN;

	for (int i = 0; i < EXCHANGE_PATIENCE && result == -EAGAIN; i++) {
		reply = (struct reply){.acknowledge = !take, .take = take, .context = context};
		list.size = 0;
		result = ask(link, &reply, &list);
	}
	nlmsg_free(link->request);
	if (list.size && (result == 0 || result == -EAGAIN)) {
		reply.take = take;
		if (reply_read(&reply, list.bytes, list.size) < 0)
			result = -EPROTO;
	}
	free(list.bytes);
	return result;
}

/* --- reply -------------------------------------------------------------------------------------------------------- */

/* Reading what the kernel answers. Apart from the socket, so that it can be fed anything. */

unsigned int reply_byte(const struct nlattr *attribute)
{
	return attribute && nla_len(attribute) == 1 ? nla_get_u8(attribute) : 0;
}

/* One message; the same returns as reply_read. */
static int read_message(struct reply *reply, struct nlmsghdr *message)
{
	const struct nlmsgerr *error = nlmsg_data(message);

	if (message->nlmsg_seq != reply->sequence || message->nlmsg_pid != reply->port)
		return -EPROTO;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		reply->interrupted = true;
	switch (message->nlmsg_type) {
	case NLMSG_ERROR:
		if (nlmsg_datalen(message) < (int)sizeof(*error) || error->error > 0)
			return -EPROTO;
		return error->error || reply->acknowledge ? error->error : -EPROTO;
	case NLMSG_DONE:
		if (!reply->dump || nlmsg_datalen(message) < (int)sizeof(error->error))
			return -EPROTO;
		return error->error > 0 ? 0 : error->error;
	default:
		if (message->nlmsg_type < NLMSG_MIN_TYPE || reply->acknowledge ||
			(reply->take && !reply->take(reply->context, message)))
			return -EPROTO;
		return reply->dump ? 1 : 0;
	}
}

int reply_read(struct reply *reply, const void *datagram, size_t size)
{
	struct nlmsghdr *message = (struct nlmsghdr *)(uintptr_t)datagram; /* libnl's macros do not know const */
	int left = (int)size, result = -EPROTO;

	if (size > INT32_MAX)
		return -EPROTO;
	while (nlmsg_ok(message, left)) {
		result = read_message(reply, message);
		if (result <= 0)
			return result;
		message = nlmsg_next(message, &left);
	}
	return left > 0 ? -EPROTO : result;
}
