// SPDX-License-Identifier: MIT
/* Peers of the service: what connects to `tapgate-helper --serve`, what it sends, and what comes back. */
#ifndef TESTS_NETNS_PEERS_H
#define TESTS_NETNS_PEERS_H

#include "tests/netns/harness.h"

#define PLACE	    "/run/service.sock"
#define WORDS(text) .words = (text), .size = sizeof(text)

/* What a peer sends, and how it behaves. What is 0 is as the helper's own client has it, for alice on br0. */
struct peer {
	const char *about;
	const struct user *user;     /* alice */
	const char *words;	     /* the request's bytes; "--br=br0\0--fd=7" */
	size_t size;		     /* of it */
	int pass[2];		     /* descriptors sent along; none: the end of a pair of the user's */
	bool nothing_passed, silent; /* it sends no descriptor; nothing at all, and stays */
	bool dies, leaves;	     /* at once when it has connected; when it has sent its request */
	void (*before)(void);	     /* in the peer, before it connects */
	bool (*as_root)(void);	     /* likewise, when it is root still */
};

struct answer {
	char text[4096];
	size_t size;
	int code;   /* the last byte; -1: nothing was answered */
	int status; /* the service's, as of waitpid(2) */
	int tap;    /* the descriptor that came; -1: none */
	char log[4096];
	int64_t elapsed; /* milliseconds */
};

/* Listen at PLACE, as a service manager does. */
extern int listener;
void listen_there(void);

/*
 * `tapgate-helper --serve` on a connection, or tapgate-listen on what listens; it can have so many descriptors, or as
 * many as we.
 */
pid_t serve(int sock, unsigned int descriptors);

/* A connection to PLACE that a user made; and what is sent by it, with descriptors. */
int connect_as(const struct user *user);
int connect_there(void); /* as whoever this process is */
bool send_part(int sock, const char *words, size_t size, const int *pass, size_t count);

/* Read what is answered by a connection, to its end: text, size and code. */
void read_answer(int sock, struct answer *answer);

/* The one descriptor that came by a pair, or -1. */
int take_tap(int sock);

/* One request, from its connection to the service's end; each is served by a process that is started for it. */
struct answer ask(struct peer peer);

/* Nothing was sent, nothing is left, and it was told so. And the contrary, for a user; the tap is closed. */
void assert_told(const struct peer *peer, const struct answer *answer, int code, const char *words);
void assert_has_tap(const char *about, struct answer *answer, uid_t uid);

#endif
