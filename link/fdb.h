/* Forwarding databases: behind which port of a bridge an address is (linux/neighbour.h, net/bridge/br_fdb.c). */
#ifndef LINK_FDB_H
#define LINK_FDB_H

#include "link/link.h"

struct fdb_entry {
	int index; /* of the port; of the bridge itself for some of its own addresses */
	unsigned char mac[6];
	bool fixed;   /* static: nobody has to learn it, and it does not age. Not one of the host's own */
	bool stays;   /* no other port can take it over by sending from it (NTF_STICKY) */
	bool own;     /* the host's own, as the port's hardware address, from the moment that it joined the bridge */
	uint32_t age; /* 1/100 s since it was made or last learned again; of an own one since it was made */
	bool aged;    /* the kernel said so */
};

/* Every entry of a bridge, in every VLAN; the host's own addresses and those that its ports listen to among them. */
int fdb_each(struct link *link, int bridge, void (*each)(void *context, const struct fdb_entry *), void *context);

/*
 * Say that an address is behind a port, for as long as the port is one, in each VLAN that the port is in. Whatever the
 * bridge knew of it there gives way: look first.
 */
int fdb_put(struct link *link, int port, const unsigned char mac[static 6]);

/* Take that back, whoever said it; -ENOENT if it is not behind this port. */
int fdb_remove(struct link *link, int port, const unsigned char mac[static 6]);

/* The entry for an address on the bridge of a port; -ENOENT if there is none. */
int fdb_look(struct link *link, int port, const unsigned char mac[static 6], struct fdb_entry *entry);

#endif
