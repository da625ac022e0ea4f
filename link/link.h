/*
 * The kernel's network side: taps, and the interfaces they are joined to.
 *
 * The only code of tapgate that speaks rtnetlink (RFC 3549, rtnetlink(7)) and opens /dev/net/tun. It decides nothing:
 * who may have what is settled before it is called. Every function that can fail returns 0 or a negative errno value;
 * -EPROTO means that the kernel's answer was not what the protocol demands.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <linux/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A connection to the kernel's routing subsystem. */
struct link;

/* What the kernel says of one interface. */
struct link_interface {
	int index;	     /* above 0 */
	char name[IFNAMSIZ]; /* its name; never one of its alternative names */
	unsigned int flags;  /* IFF_UP and such (netdevice(7)) */
	uint32_t mtu;	     /* bytes */
	int master;	     /* index of the bridge that it is a port of; 0: none */
	char kind[16];	     /* "bridge", "tun", ...; empty for hardware */
	unsigned char mac[6];
	char alias[IFALIASZ]; /* text that only CAP_NET_ADMIN can write */
};

/*
 * What to change of an interface; a member that is 0 or NULL stays as it is. All but `up` and `alias` is for its start.
 */
struct link_change {
	const unsigned char *mac; /* six octets */
	uint32_t mtu;		  /* bytes */
	const char *alias;
	int master;	      /* index of the bridge to join */
	bool no_ipv6_address; /* no link-local address of the host's own on it */
	bool up;
};

int link_open(struct link **link);
void link_close(struct link *link);

/*
 * Look an interface up. By name: -ENODEV as well if the kernel knows the name only as an alternative name of an
 * interface that is called otherwise (RTM_GETLINK takes both, net/core/rtnetlink.c).
 */
int link_by_name(struct link *link, const char *name, struct link_interface *interface);
int link_by_index(struct link *link, int index, struct link_interface *interface);

/*
 * Call `each` for every tun and tap interface. Returns -EAGAIN if the set changed while the kernel was listing it
 * (NLM_F_DUMP_INTR) in a way in which one that stood all the while may have been missed.
 */
int link_each_tap(struct link *link, void (*each)(void *context, const struct link_interface *), void *context);

/* Change an interface, all in one request. */
int link_change(struct link *link, int index, const struct link_change *change);

/*
 * Open /dev/net/tun, which is subject to the credentials of the process, and make the descriptor *fd a tap: one that
 * vanishes with it (drivers/net/tun.c) and that only its owner can join. The kernel never takes an existing one
 * (IFF_TUN_EXCL): -EBUSY or -EINVAL if the name is taken, and another may be tried. A '%d' in the pattern becomes the
 * first number that is free; `name` receives the tap's name.
 */
int tap_open(int *fd);
int tap_make(int fd, const char *pattern, bool vnet_header, uid_t owner, char name[static IFNAMSIZ]);

/* The present name of the tap behind a descriptor. */
int tap_name(int fd, char name[static IFNAMSIZ]);

#endif
