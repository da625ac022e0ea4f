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

/* Bytes in one datagram: the kernel's own bound for those of a list (net/netlink/af_netlink.c). */
enum { DATAGRAM_MAX = 32768 };

enum { NESTS_MAX = 2 };

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
	link->behind = size <= 0;
	if (size <= 0)
		return failure();
	result = sender.nl_family == AF_NETLINK && sender.nl_pid == 0 ? reply_read(reply, datagram, (size_t)size)
								      : -EPROTO;
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

int link_watch(struct link *link)
{
	errno = 0;
	return nl_socket_add_memberships(link->socket, RTNLGRP_LINK, RTNLGRP_NEIGH, 0) < 0 ? failure() : 0;
}

int link_descriptor(const struct link *link)
{
	return nl_socket_get_fd(link->socket);
}

/* When there were too many to keep (ENOBUFS, netlink(7)) those that are left can be read all the same. */
void link_forget_changes(struct link *link)
{
	do {
		errno = 0;
		catch_up(link);
	} while (errno == ENOBUFS);
}

void exchange_begin(struct link *link, int type, int flags, const void *header, size_t size)
{
	link->request = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
	link->failed =
		!link->request || nlmsg_append(link->request, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO) < 0;
	link->depth = 0;
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

/* Send what was begun, and note what its answer must be. */
static int send_request(struct link *link, struct reply *reply)
{
	struct nlmsghdr *header = nlmsg_hdr(link->request);

	while (link->depth > 0)
		nla_nest_end(link->request, link->nests[--link->depth]);
	if (link->behind)
		catch_up(link);
	errno = 0;
	if (nl_send_auto(link->socket, link->request) < 0)
		return failure();
	reply->dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	reply->sequence = header->nlmsg_seq;
	reply->port = nl_socket_get_local_port(link->socket);
	return 1;
}

int exchange(struct link *link, bool (*take)(void *context, struct nlmsghdr *message), void *context)
{
	struct reply reply = {.acknowledge = !take, .take = take, .context = context};
	int result = link->failed ? -ENOMEM : send_request(link, &reply);

	nlmsg_free(link->request);
	while (result > 0)
		result = receive(link, &reply);
	return result == 0 && reply.interrupted ? -EAGAIN : result;
}
