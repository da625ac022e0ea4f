// SPDX-License-Identifier: MIT
/* What the files of link/ share, and nobody else needs: questions to the kernel, and the attributes of its answers. */
#ifndef LINK_EXCHANGE_H
#define LINK_EXCHANGE_H

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <stddef.h>

#include "link/link.h"

/* --- reply -------------------------------------------------------------------------------------------------------- */

/* An answer being read, over one or more datagrams. */
struct reply {
	uint32_t sequence, port; /* of the request, and of our socket */
	bool dump;		 /* a list is expected; else one thing, or only the acknowledgement */
	bool acknowledge;	 /* only the acknowledgement is expected */
	bool interrupted;	 /* the list may not be whole */
	/* Takes one message, addressed to us and whole; false if it is not what was asked for, or malformed. */
	bool (*take)(void *context, struct nlmsghdr *message);
	void *context;
};

/*
 * Read one datagram of an answer. Returns 1 if the answer goes on in another, 0 if it was the last, -EPROTO if anything
 * in it is not as it must be (length, type, sequence, port), else the kernel's own error.
 */
int reply_read(struct reply *reply, const void *datagram, size_t size);

/* Of a bridge; kernel headers before 6.7 do not have it (IFLA_BR_FDB_MAX_LEARNED, linux/if_link.h). */
enum { BRIDGE_LEARNED_MAX = 49, BRIDGE_ATTRIBUTE_MAX = 63 };

/*
 * Sizes of attributes, for nla_parse() to refuse an answer where one is not so: text that fits, NUL included, and ends
 * in it as the kernel's does; numbers and structs of a size. What came through can be copied with nla_memcpy(), which
 * leaves 0, or empty text, as it is where the attribute is absent.
 */
#define REPLY_TEXT(size) .type = NLA_STRING, .minlen = 1, .maxlen = (size)
#define REPLY_SIZE(size) .minlen = (size), .maxlen = (size)

/* The value of an attribute of one byte; 0 if it is absent, or of another size. */
unsigned int reply_byte(const struct nlattr *attribute);

enum { REPLY_KIND_MAX = 16 }; /* bytes of an interface's kind, NUL included */

/* Interfaces: a `take`, with the function that gets what was read as its context. */
struct interface_reader {
	void (*each)(void *context, const struct link_interface *);
	void *context;
};
bool reply_take_interface(void *reader, struct nlmsghdr *message);
bool reply_take_whole_interface(void *reader, struct nlmsghdr *message); /* with `makes_ipv6_address` */

/* The same for addresses and routes, in address.c; for nftables' tables, chains and rules, in nftables.c. */
struct address_reader {
	void (*each)(void *context, const struct link_address *);
	void *context;
};
bool reply_take_address(void *reader, struct nlmsghdr *message);

struct route_reader {
	void (*each)(void *context, const struct link_route *);
	void *context;
};
bool reply_take_route(void *reader, struct nlmsghdr *message);

/*
 * Entries of bridges' forwarding databases, in bridge.c; taps that are locked to an address, in alias.c; neighbours, in
 * address.c; the VLANs of a port, in bridge.c: how many, and the last one.
 */
struct fdb_entry;
struct fdb_reader {
	void (*each)(void *context, const struct fdb_entry *);
	void *context;
};
bool reply_take_fdb_entry(void *reader, struct nlmsghdr *message);

struct locked;
struct locked_reader {
	void (*each)(void *context, const struct locked *);
	void *context;
};
bool reply_take_locked(void *reader, struct nlmsghdr *message);

struct neighbour;
struct neighbour_reader {
	void (*each)(void *context, const struct neighbour *);
	void *context;
};
bool reply_take_neighbour(void *reader, struct nlmsghdr *message);

struct vlan_reader {
	unsigned int count;
	uint32_t vlan;
	bool untagged; /* frames without a tag are in it, and leave without one */
};
bool reply_take_vlans(void *reader, struct nlmsghdr *message);

/* Whether what was read is a single VLAN, of untagged frames, and this one. */
bool vlan_is_only(const struct vlan_reader *reader, uint32_t vlan);

struct nftables_object;
struct nftables_reader {
	int type; /* NFT_MSG_NEW... */
	void (*each)(void *context, const struct nftables_object *);
	void *context;
};
bool reply_take_nftables(void *reader, struct nlmsghdr *message);

/* --- exchange ----------------------------------------------------------------------------------------------------- */

/* Netlink sockets, and requests with their answers: what the rest of link/ is made of, and nobody else sees. */

/* A socket of one of the kernel's netlink families (netlink(7)). */
int exchange_open(struct link **link, int protocol);

/*
 * A request: its type, with the header that this begins with, and then its attributes, one after the other. NULL puts
 * none. If memory or the room for a request (a page) runs out meanwhile, exchange() sends nothing and returns -ENOMEM.
 */
void exchange_begin(struct link *link, int type, int flags, const void *header, size_t size);
void exchange_begin_interface(struct link *link, int type, int flags, int index); /* about one, or 0 */
void exchange_put(struct link *link, int attribute, const void *data, size_t size);
void exchange_put_text(struct link *link, int attribute, const char *text);

/* Put one that holds all that are put from now on, or until it is ended. */
void exchange_nest(struct link *link, int attribute);
void exchange_end_nest(struct link *link);

enum { EXCHANGE_PATIENCE = 16 }; /* how often a list that changed while it was read is read again */

/*
 * Send the request that was begun and read its answer: a list (NLM_F_DUMP) or one thing, which `take` takes, or with no
 * `take` an acknowledgement alone. A list is passed on when it has been read whole; the one that was changed by others
 * meanwhile is read again. -EAGAIN: it was so each time, and the last one was passed on.
 */
int exchange(struct link *link, bool (*take)(void *context, struct nlmsghdr *message), void *context);

#endif
