// SPDX-License-Identifier: MIT
/* The service's door: who connects (main.c), what it is told (tell.c), and its children (children.c). */
#ifndef LISTEN_LISTEN_H
#define LISTEN_LISTEN_H

#include "helper/helper.h"

/*
 * Kept for when no descriptor is to be had: for the pair of sockets between the door and a child; or free for a moment,
 * for the log and a file.
 */
enum { FD_OF_DOOR = FD_LOG + 1, FD_OF_CHILD };
void spare_free(void);
void spare_keep(void);

struct peer {
	uid_t uid, user; /* who connected, and as whom it counts */
	int sock;
};

/* Of CLOCK_MONOTONIC. */
int64_t milliseconds(void);

/* Tell a peer why it is not served: by its connection, which ends with that, and in the log. */
void tell(const struct peer *peer, const struct outcome *outcome);

/* How many connections of a user are served now, and whether one more may be. */
unsigned int children_count(uid_t user);
bool children_may_serve(uid_t user);

/* Start PROGRAM for a peer, which the door has no more then. False: there is no process to be had, by errno. */
bool children_serve(const struct peer *peer, char *program);

/* Close a connection that was turned away, or else have a child do it, which may have to wait. True: it is closed. */
bool children_close(const struct peer *peer);

/* Whether there is room for one more that a child has to close; make_room: for those of who has the most. */
bool children_have_room(void);
bool children_make_room(void);

/* Forget those that have ended, and start such as may be started. Whether any are left, or have to be. */
void children_go_on(void);
bool children_left(void);

#endif
