// SPDX-License-Identifier: MIT
/* The taps that stand, who holds each, and which guests are behind them. */
#ifndef TAPS_TAPS_H
#define TAPS_TAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "dhcp/dhcp.h"
#include "link/link.h"

/* --- holder ------------------------------------------------------------------------------------------------------- */

/* Whether a tap is held. */
enum holding { HOLDING_NO, HOLDING_YES, HOLDING_UNKNOWN };

struct holder {
	pid_t pid;	      /* 0: none that is known */
	char name[64];	      /* of its program, as that chose it (proc(5), comm); bytes, to be escaped */
	enum holding holding; /* whether it has a descriptor of the tap */
};

/*
 * The process `vmm`, if it is the one that holds the tap, or that asked for it: `age` is the tap's in 1/100 s, negative
 * if it is not known, and may be too high by `slack`.
 */
struct holder holder_check(const char *tap, int vmm, int64_t age, int64_t slack);

/*
 * Call `each` for every tap that a process which can be looked into has a descriptor of, once for each descriptor. What
 * a process of another network namespace holds may be another tap of that name: it is told with HOLDING_UNKNOWN, and no
 * process. False: there are processes that cannot be looked into, so what is not told may be held all the same.
 */
bool holder_each(void (*each)(void *context, const char *tap, const struct holder *), void *context);

/* --- scene -------------------------------------------------------------------------------------------------------- */

enum {
	SCENE_ADDRESSES_MAX = 16, /* of a guest, that are kept */
	SCENE_GUESTS_MAX = 64,	  /* of a tap, that are kept: who holds it can make up any number */
};

struct scene_address {
	int family;		   /* AF_INET or AF_INET6 */
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	int zone;		   /* of a link-local one: index of the interface that it is meant on; else 0 */
	bool leased, heard; /* known by a lease; as a neighbour of the host's; neither: by a `guest` line alone */
};

/* A machine behind a tap, by its hardware address; or one that a lease, or the host, knows on a network of ours. */
struct scene_guest {
	int tap; /* index of the interface; 0: it is not known behind which one it is */
	char network[IFNAMSIZ];
	int wire; /* index of the interface that the host would reach it by: the bridge, or the tap */
	bool has_mac;
	unsigned char mac[MAC_BYTES];
	char name[LEASE_NAME_MAX + 1];			     /* from a lease or a line; bytes, to be escaped */
	char refused[LEASE_NAME_MAX + 1];		     /* a name that it asks for and another has; a label */
	int leased_behind;				     /* index of the tap that it had its lease behind; or 0 */
	struct scene_address addresses[SCENE_ADDRESSES_MAX]; /* IPv4 first, link-local ones last */
	size_t address_count;
};

struct scene_tap {
	struct link_interface interface;
	struct alias_tap alias; /* of one that is half made: its owner, no network (""), no process */
	bool half_made;		/* not signed yet: its helper is at work, or stands still and ends soon */
	int64_t age;		/* 1/100 s, since it joined its bridge or was given its address; negative: not known */
	struct holder holder;	/* the process that holds it, else the one that asked for it */
	enum holding held;	/* by anybody */
	bool open;		/* not kept apart from the host any more (link/wall.c) */
	unsigned int unkept;	/* hardware addresses behind it beyond SCENE_GUESTS_MAX */
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

/* Leave one user's taps, and the guests behind them. */
void scene_keep_user(struct scene *scene, uid_t uid);

/*
 * Leave what whoever calls is shown by the host's policy (load_shows). It is read when there is somebody else's to
 * hide, for the first time, and kept in `privacy`, of which the policy is to be freed. Where it is none, that is said.
 */
struct scene_privacy {
	bool is_read;
	struct policy *policy;
};
void scene_keep_shown(struct scene *scene, struct scene_privacy *privacy);

/*
 * Name the guests that the policy has lines for, on networks where no server names them, and add those that the host
 * has not heard of. NULL: no policy, and nothing is done.
 */
void scene_add_lines(struct scene *scene, const struct policy *policy);

const struct scene_tap *scene_tap_at(const struct scene *scene, int index); /* NULL: none */

/* "172.16.2.7", or for a link-local one "fe80::1%lab" (RFC 4007, section 11). */
enum { SCENE_ADDRESS_TEXT = 64 };
void scene_address_text(const struct scene_address *address, char text[static SCENE_ADDRESS_TEXT]);

/* --- guests ------------------------------------------------------------------------------------------------------- */

/* Find the guests of a scene's taps. 0 or a negative errno value. */
int guests_find(struct link *link, struct scene *scene);

/* The list with one item more, whose bytes are 0. NULL: memory ran out, and the list is as it was. */
void *scene_grow(void *list, size_t *count, size_t size);

/* --- claims ------------------------------------------------------------------------------------------------------- */

/* Whether a guest has its lease behind one tap, and sends from behind another: two use one hardware address. */
bool claims_are_two(const struct scene *scene, const struct scene_guest *guest);

/* Warn of a guest on standard error, if there is something to warn of. */
void claims_warn(const struct scene *scene, const struct scene_guest *guest);

#endif
