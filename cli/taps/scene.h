/*
 * The taps that the helper made, as they stand, and the guests behind them, as bridges, the host's neighbours and
 * leases know them: found out here, shown by `tapgate list` and `tapgate ip`. A picture; take a new one after
 * changes. Needs no privilege; what only root can know is unknown to others.
 */
#ifndef CLI_TAPS_SCENE_H
#define CLI_TAPS_SCENE_H

#include <time.h>

#include "cli/taps/holder.h"
#include "cli/taps/leases.h"
#include "link/alias.h"
#include "link/tun.h"

enum {
	SCENE_ADDRESSES_MAX = 16, /* of a guest, that are kept */
	SCENE_GUESTS_MAX = 64,	  /* of a tap, that are kept: who holds it can make up any number */
};

struct scene_address {
	int family;		   /* AF_INET or AF_INET6 */
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	int zone;		   /* of a link-local one: index of the interface that it is meant on; else 0 */
	bool leased, heard;	   /* known by a lease; as a neighbour of the host's */
};

/* A machine behind a tap, by its hardware address; or one that a lease, or the host, knows on a network of ours. */
struct scene_guest {
	int tap; /* index of the interface; 0: it is not known behind which one it is */
	char network[IFNAMSIZ];
	int wire; /* index of the interface that the host would reach it by: the bridge, or the tap */
	bool has_mac;
	unsigned char mac[MAC_BYTES];
	char name[LEASE_NAME_MAX + 1];			     /* from a lease; bytes, to be escaped */
	char refused[LEASE_NAME_MAX + 1];		     /* a name that it asks for and another has; a label */
	int leased_behind;				     /* index of the tap that it had its lease behind; or 0 */
	struct scene_address addresses[SCENE_ADDRESSES_MAX]; /* IPv4 first, link-local ones last */
	size_t address_count;
};

struct scene_tap {
	struct link_interface interface;
	struct alias_tap alias; /* of one that is half made: its owner, no network (""), no process */
	bool half_made;		/* not signed yet: its helper is at work, or stands still and ends soon */
	struct tun_use use;
	int64_t age;	      /* 1/100 s, since it joined its bridge or was given its address; negative: not known */
	struct holder holder; /* the process that holds it, else the one that asked for it */
	enum holding held;    /* by anybody */
	unsigned int unkept;  /* hardware addresses behind it beyond SCENE_GUESTS_MAX */
};

struct scene {
	struct scene_tap *taps;
	struct scene_guest *guests; /* those of a tap in the order in which the kernel told them */
	size_t tap_count, guest_count;
	time_t time;   /* when it was taken */
	int no_leases; /* why the leases of a network could not be read: a negative errno value; 0: all could */
	bool failed;   /* memory ran out */
};

/* Look at the taps of all networks, or with `processes` false without their holders, which take longest to find. */
int scene_look(struct link *link, bool processes, struct scene *scene);
void scene_forget(struct scene *scene);

const struct scene_tap *scene_tap_at(const struct scene *scene, int index); /* NULL: none */

/* "172.16.2.7", or for a link-local one "fe80::1%lab" (RFC 4007, section 11). */
enum { SCENE_ADDRESS_TEXT = 64 };
void scene_address_text(const struct scene_address *address, char text[static SCENE_ADDRESS_TEXT]);

/* --- for scene.c and guests.c alone ------------------------------------------------------------------------------ */

/* Find the guests of a scene's taps. 0 or a negative errno value. */
int guests_find(struct link *link, struct scene *scene);

/* The list with one item more, whose bytes are 0. NULL: memory ran out, and the list is as it was. */
void *scene_grow(void *list, size_t *count, size_t size);

#endif
