/*
 * The kernel's network side: taps, and the interfaces they are joined to.
 *
 * The only code of tapgate that speaks rtnetlink (RFC 3549, rtnetlink(7)) and opens /dev/net/tun. It decides nothing:
 * who may have what is settled before it is called. Every function that can fail returns 0 or a negative errno value;
 * -EPROTO means that the kernel's answer was not what the protocol demands.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <netinet/in.h> /* before the kernel's headers, which give way to it (linux/libc-compat.h) */

#include <linux/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A connection to the kernel's routing subsystem. */
struct link;

/* Settings of a bridge's port that are on or off: a bit LINK_PORT(IFLA_BRPORT_...) (linux/if_link.h) for each. */
struct link_port {
	uint64_t known; /* that the kernel has; that are to be set */
	uint64_t on;	/* of these */
};
#define LINK_PORT(attribute) (UINT64_C(1) << (attribute))

/* What the kernel says of one interface. */
struct link_interface {
	int index;	     /* above 0 */
	char name[IFNAMSIZ]; /* its name; never one of its alternative names */
	unsigned int flags;  /* IFF_UP and such (netdevice(7)) */
	uint32_t mtu;	     /* bytes */
	int master;	     /* index of the bridge that it is a port of; 0: none */
	char kind[16];	     /* "bridge", "tun", ...; empty for hardware */
	unsigned char mac[6];
	char alias[IFALIASZ];	/* text that only CAP_NET_ADMIN can write */
	struct link_port port;	/* as a port of a bridge */
	bool stp;		/* as a bridge: it speaks the spanning tree protocol */
	bool knows_vlans;	/* as a bridge: it could look at VLAN tags (CONFIG_BRIDGE_VLAN_FILTERING) */
	bool vlan_filtering;	/* as a bridge: it does */
	uint32_t forward_delay; /* as a bridge: 1/100 s until a new port forwards */
	uint16_t group_forward; /* as a bridge: a bit for each of 01:80:c2:00:00:00 to :0f that it forwards */
	bool snooping;		/* as a bridge: it forwards multicast to those alone who asked for it */
	bool knows_learned_max; /* as a bridge: it can have a limit of addresses that it learns (Linux 6.7) */
	uint32_t learned_max;	/* as a bridge: that limit; 0: none */
	uint32_t ageing;	/* as a bridge: 1/100 s until it forgets an address; 0: at once */
	int lower;		/* index of the interface that it stands on, as a macvlan or VLAN does; 0: none here */
};

/*
 * What to change of an interface; a member that is 0 or NULL stays as it is.
 */
struct link_change {
	const unsigned char *mac; /* six octets */
	uint32_t mtu;		  /* bytes */
	const char *alias;
	const char *name;     /* -EEXIST: another interface has it */
	int master;	      /* index of the bridge to join */
	bool no_master;	      /* leave the bridge */
	bool no_ipv6_address; /* the kernel makes no link-local address of the host's own on it */
	bool up, down;
};

int link_open(struct link **link);
void link_close(struct link *link);

/*
 * Look an interface up. By name: -ENODEV as well if the kernel knows the name only as an alternative name of an
 * interface that is called otherwise (RTM_GETLINK takes both, net/core/rtnetlink.c); *interface receives that one then,
 * and with any other error none (index 0).
 */
int link_by_name(struct link *link, const char *name, struct link_interface *interface);
int link_by_index(struct link *link, int index, struct link_interface *interface);

/* Whether there is an interface of that index (SIOCGIFNAME, netdevice(7)): far cheaper than a look at it. */
bool link_has_index(struct link *link, int index);

/*
 * Call `each` for every interface, for every port of a bridge, or for every one of a kind ("tun": tuns and taps).
 * Returns -EAGAIN if the set changed while the kernel was listing it (NLM_F_DUMP_INTR) in a way in which one that stood
 * all the while may have been missed.
 */
int link_each(struct link *link, void (*each)(void *context, const struct link_interface *), void *context);
int link_each_port(
	struct link *link, int bridge, void (*each)(void *context, const struct link_interface *), void *context);
int link_each_of_kind(
	struct link *link, const char *kind, void (*each)(void *context, const struct link_interface *), void *context);

/*
 * Change an interface, or what it is as a port, all in one request. The kernel passes over settings of a port that it
 * does not know: read them back.
 */
int link_change(struct link *link, int index, const struct link_change *change);
int link_set_port(struct link *link, int index, const struct link_port *port);

/*
 * Make a port one of a single VLAN, of untagged frames, whatever it was before; and whether it is one: -ENOENT if not.
 * Only on a bridge that looks at VLANs; Linux 5.6 for the second.
 */
int link_set_vlan(struct link *link, int port, uint32_t vlan);
int link_has_vlan(struct link *link, int port, uint32_t vlan);

/*
 * Make a bridge, down, with a hardware address of its own that it keeps whatever joins it; -EEXIST if the name is
 * taken. No spanning tree, no delay before a port forwards; link_set_bridge sets both on one that exists.
 */
int link_make_bridge(struct link *link, const char *name, const unsigned char mac[static 6]);
int link_set_bridge(struct link *link, int index, bool stp, uint32_t forward_delay);

/*
 * Give a bridge group_forward, snooping, ageing and learned_max as another has them; a kernel that has no limit passes
 * over that.
 */
int link_set_switch(struct link *link, int index, const struct link_interface *as);

int link_remove(struct link *link, int index);

/*
 * Have the kernel tell a connection, on which nothing is asked then, of every change of an interface, a neighbour or a
 * forwarding database. Its descriptor is readable when there was one; what changed is not told: look again.
 */
int link_watch(struct link *link);
int link_descriptor(const struct link *link);
void link_forget_changes(struct link *link);

/* --- addresses and routes ---------------------------------------------------------------------------------------- */

/* An address of the host's on an interface. */
struct link_address {
	int index;		   /* of the interface */
	int family;		   /* AF_INET or AF_INET6 */
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	unsigned int prefix;	   /* bits */
	uint32_t made;		   /* read: when it was added, 1/100 s after the host's start; 0: not said */
};

/* A way to a destination; of a route with several, each is one of these. */
struct link_route {
	int index;  /* of the interface that it leads out by; 0: by none */
	int family; /* AF_INET or AF_INET6 */
	unsigned char destination[16];
	unsigned int prefix; /* bits; 0: a default route */
	unsigned int type;   /* RTN_UNICAST, RTN_LOCAL, ... (linux/rtnetlink.h) */
};

/* Add an address (usable at once: no duplicate detection), or remove one. -EEXIST: it is there. */
int link_add_address(struct link *link, const struct link_address *address);
int link_remove_address(struct link *link, const struct link_address *address);

/* Every address of every interface; every route of every table. -EAGAIN: changed meanwhile, ask again. */
int link_each_address(struct link *link, void (*each)(void *context, const struct link_address *), void *context);
int link_each_route(struct link *link, void (*each)(void *context, const struct link_route *), void *context);

/*
 * Ask the kernel which way a packet to an address would take: from the host itself, or (in: the index of an interface)
 * from a source that it comes in by there. *way has index, family and type; a negative errno value as well where the
 * way ends: -EINVAL or -ENETUNREACH, -EHOSTUNREACH, -EACCES (blackhole, unreachable, prohibit).
 */
struct link_packet {
	int family;
	unsigned char to[16], from[16]; /* network byte order; from: with in */
	int in;
};
int link_way(struct link *link, const struct link_packet *packet, struct link_route *way);

/* How a tap is made; each of its queues alike. */
struct tap_kind {
	bool vnet_header;
	bool multi_queue; /* more descriptors can be joined to it, by its owner */
};

/* Open /dev/net/tun, which is subject to the credentials of the process. */
int tap_open(int *fd);

/*
 * Make an open descriptor a tap of that name and interface index, one that vanishes with the descriptor
 * (drivers/net/tun.c). The kernel never takes an existing one (IFF_TUN_EXCL): -EBUSY if name or index is taken. Index
 * 0: whichever is free.
 */
int tap_make(int fd, const struct tap_kind *kind, const char *name, int index);

/*
 * Make a tap somebody's. Before that it has no owner: one of several queues can be joined by any user. Make such a one
 * root's, and look who did (tun_look, tun.h). -EINVAL: this user namespace does not know the owner.
 */
int tap_own(int fd, uid_t owner);

/* A name by chance, "tg" and twelve digits: forty bits, for a name that is of use for microseconds. */
int tap_choose_name(char name[static IFNAMSIZ]);

/* Whether an interface has that name, asked by a descriptor that is no tap yet. Nothing is made. */
bool tap_name_is_taken(int fd, const char *name);

/*
 * Make an open descriptor one more queue of a tap. By name, as the kernel has no other way: ask tap_is of each
 * descriptor afterwards.
 */
int tap_add_queue(int fd, const struct tap_kind *kind, const char *name);

/*
 * Undo what somebody who was joined to a tap for a moment can have left on it, so that it is as new: filters, sizes of
 * buffer and header, byte order, offloads, carrier, what it writes to the kernel's log. What can be read is read back:
 * -EPROTO if it does not hold.
 */
int tap_reset(int fd);

/* Whether the tap behind a descriptor has that name and is of that kind: -ENOENT if not. */
int tap_is(int fd, const struct tap_kind *kind, const char *name);

/* The present name of the tap behind a descriptor. */
int tap_name(int fd, char name[static IFNAMSIZ]);

#endif
