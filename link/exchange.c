/* Requests to the kernel over netlink, one at a time, each with its answer. */
#include "link/exchange.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <netlink/utils.h>
#include <stdlib.h>

/* Bytes in one datagram: the kernel's own bound for those of a list (net/netlink/af_netlink.c). */
enum { DATAGRAM_MAX = 32768 };

struct link {
	struct nl_sock *socket;
	bool behind; /* there may be answers left that nobody read */
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

struct nl_msg *exchange_request(int type, int flags, const void *header, size_t size)
{
	struct nl_msg *request = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	if (request && nlmsg_append(request, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(request);
		return NULL;
	}
	return request;
}

int exchange(struct link *link, struct nl_msg *request, struct reply *reply)
{
	int result = 1;

	if (!request)
		return -ENOMEM;
	if (link->behind)
		catch_up(link);
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

int exchange_acknowledged(struct link *link, struct nl_msg *request)
{
	struct reply reply = {.acknowledge = true};

	return exchange(link, request, &reply);
}
