/* Taps that exist already: who holds them, and joining one to make it go. (Making one: link.h.) */
#ifndef LINK_TUN_H
#define LINK_TUN_H

#include "link/link.h"

/* What went through a tap one way since it was made. */
struct tun_traffic {
	uint64_t bytes, packets;
};

/* What the kernel says of a tap, beside what it says of every interface. */
struct tun {
	bool tap;	  /* it carries Ethernet frames; else IP packets */
	bool persistent;  /* it stays when its last descriptor is closed */
	bool packet_info; /* a header before each packet: IFF_NO_PI is not set */
	bool vnet_header;
	bool multi_queue; /* several descriptors may be joined to it */
	bool has_owner;	  /* else any user may join it */
	uint32_t owner;	  /* as this user namespace numbers it */
	bool has_group;	  /* only who is in that group may join it */
	bool ethernet;	  /* its link type is the one it was made with */
	uint32_t queues;  /* how many are, in use or not; known only of a multi-queue one */
};

int tun_look(struct link *link, int index, struct tun *tun);

/* And what is done with it. */
struct tun_use {
	struct tun tun;
	bool carrier; /* somebody holds it, and has not switched its carrier off (tun_net_change_carrier) */
	struct tun_traffic received, sent; /* by the host: received is what came out of the guest */
};

int tun_look_at_use(struct link *link, int index, struct tun_use *use);

/* Read it from the kernel's answer (each a `take` of link/reply.h; the context is a struct tun, or tun_use). */
struct nlmsghdr;
bool tun_take(void *tun, struct nlmsghdr *message);
bool tun_take_use(void *use, struct nlmsghdr *message);

/*
 * Join a tap that stands, as `tun` says it is: the new descriptor *fd. -EBUSY if it has one queue and somebody holds
 * it, whatever carrier it pretends to have; from then on nobody else can. -EPERM: it is somebody else's.
 */
int tun_join(const char *name, const struct tun *tun, int *fd);

/* Have it go with the last descriptor that is joined to it. */
int tun_let_go(int fd);

#endif
