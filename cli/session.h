/* A command at work: its connections to the kernel, what it changes, and the way back if it fails half way. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/host.h"
#include "link/link.h"
#include "policy/policy.h"

struct nft_ctx;
struct undo;

struct session {
	bool dry;	     /* say what would be done, and do nothing */
	const char *command; /* of one that changes things, its name */
	unsigned int changes;
	struct link *link, *nftables;
	struct nft_ctx *nft; /* libnftables */
	struct host host;
	int lock;
	sigset_t signals;  /* what was blocked before */
	bool interrupted;  /* that was said */
	struct undo *undo; /* the last change of the network at hand, which leads to the one before it */
	bool undo_lost;	   /* memory ran out for one of them */
};

/*
 * Open the connections and take a picture of the host. To change anything needs root and waits for other runs that do.
 * False: said why. session_close in either case.
 */
bool session_open(struct session *session, bool to_change);
void session_close(struct session *session);

/*
 * A session that changes things does not end at SIGINT, SIGTERM, SIGHUP or SIGQUIT, but at session_close: so a network
 * is not left half way. Whether one is waiting, so that nothing else should be begun; says so.
 */
bool session_interrupted(struct session *session);

/* Take a new picture. */
bool session_look(struct session *session);

/* Say that something was done to a network, or with --dry-run would be: "lab: made the bridge". */
void session_say(struct session *session, const char *network, const char *did, const char *would, const char *format,
	...) __attribute__((format(printf, 5, 6)));

/* Say why something could not be done to a network: "tapgate: lab: cannot ...: REASON". False. */
bool session_fail(const char *network, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- the way back ------------------------------------------------------------------------------------------------ */

/* What a change takes to be undone; which members count is the function's business. text is freed. */
struct undo_values {
	char name[IFNAMSIZ];
	int index;
	struct link_interface before;
	struct link_address address;
	int number;
	char *text;
};

/* Remember how to undo a change of the network at hand. */
void session_undo_with(struct session *session, bool (*function)(struct session *session, const struct undo_values *),
	struct undo_values values);

/* The networks at hand are as wanted; or they are not: undo their changes, the last first, and say so of each. */
void session_keep(struct session *session);
void session_undo(struct session *session, const struct policy_network *const *networks, size_t count);

#endif
