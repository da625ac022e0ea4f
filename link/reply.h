/* Reading what the kernel answers. Apart from the socket, so that it can be fed anything. */
#ifndef LINK_REPLY_H
#define LINK_REPLY_H

#include <linux/netlink.h>
#include <stddef.h>

#include "link/link.h"

/* An answer being read, over one or more datagrams. */
struct reply {
	uint32_t sequence, port; /* of the request, and of our socket */
	bool dump;		 /* a list is expected; else one thing, or only the acknowledgement */
	bool acknowledge;	 /* only the acknowledgement is expected */
	bool interrupted;	 /* the list was not consistent */
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

/* Attributes: the text of one, if it fits and ends in NUL as the kernel's do; a number. Absent: empty, or 0. */
struct nlattr;
bool reply_text(struct nlattr *attribute, char *buffer, size_t size);
bool reply_number(struct nlattr *attribute, uint32_t *value);

/* Interfaces: a `take`, with the function that gets what was read as its context. */
struct interface_reader {
	void (*each)(void *context, const struct link_interface *);
	void *context;
};
bool reply_take_interface(void *reader, struct nlmsghdr *message);

/* The same for addresses and routes, in address.c; for nftables' chains and rules, in nftables.c. */
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
 * Entries of bridges' forwarding databases, in fdb.c; taps that are locked to an address, in locked.c; neighbours, in
 * neighbour.c; the VLANs of a port, in vlan.c: how many, and the last one.
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
	void (*each)(void *context, const struct nftables_object *);
	void *context;
};
bool reply_take_nftables_chain(void *reader, struct nlmsghdr *message);
bool reply_take_nftables_rule(void *reader, struct nlmsghdr *message);

/* One of nftables' tables: the context is a uint32_t for its flags. */
bool reply_take_nftables_table(void *flags, struct nlmsghdr *message);

#endif
