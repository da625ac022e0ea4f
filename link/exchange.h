/* Netlink sockets, and requests with their answers: what the rest of link/ is made of, and nobody else sees. */
#ifndef LINK_EXCHANGE_H
#define LINK_EXCHANGE_H

#include <stddef.h>

#include "link/link.h"
#include "link/reply.h"

/* A socket of one of the kernel's netlink families (netlink(7)). */
int exchange_open(struct link **link, int protocol);

/*
 * A request: its type, with the header that this begins with, and then its attributes, one after the other. NULL puts
 * none. If memory or the room for a request (a page) runs out meanwhile, exchange() sends nothing and returns -ENOMEM.
 */
void exchange_begin(struct link *link, int type, int flags, const void *header, size_t size);
void exchange_put(struct link *link, int attribute, const void *data, size_t size);
void exchange_put_text(struct link *link, int attribute, const char *text);

/* Put one that holds all that are put from now on. */
void exchange_nest(struct link *link, int attribute);

/*
 * Send the request that was begun and read its answer: a list (NLM_F_DUMP) or one thing, which `take` takes (reply.h),
 * or with no `take` an acknowledgement alone. -EAGAIN: others changed meanwhile what was being listed.
 */
int exchange(struct link *link, bool (*take)(void *context, struct nlmsghdr *message), void *context);

/*
 * The same for a list of all interfaces (interface.c): changes that leave none out, as they do on newer kernels, pass.
 */
int exchange_interfaces(struct link *link, bool (*take)(void *context, struct nlmsghdr *message), void *context);

#endif
