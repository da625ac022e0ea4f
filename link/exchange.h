/* Netlink sockets, and requests with their answers: what the rest of link/ is made of, and nobody else sees. */
#ifndef LINK_EXCHANGE_H
#define LINK_EXCHANGE_H

#include <netlink/msg.h>

#include "link/link.h"
#include "link/reply.h"

/* A socket of one of the kernel's netlink families (netlink(7)). */
int exchange_open(struct link **link, int protocol);

/* A request with the header that its type begins with; NULL when memory ran out. */
struct nl_msg *exchange_request(int type, int flags, const void *header, size_t size);

/* Send a request (which is freed, and may be NULL: out of memory) and read its answer. */
int exchange(struct link *link, struct nl_msg *request, struct reply *reply);

/* Send a request that is answered with an acknowledgement alone. */
int exchange_acknowledged(struct link *link, struct nl_msg *request);

#endif
