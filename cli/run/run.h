// SPDX-License-Identifier: MIT
/* What the files of `tapgate run` share: what was asked for, and what has come of it. */
#ifndef CLI_RUN_RUN_H
#define CLI_RUN_RUN_H

#include "link/link.h"
#include "policy/policy.h"
#include "policy/text.h"
#include "tool/tool.h"

enum {
	LAUNCH_NETS_MAX = 32, /* a PCI bus has no more places */

	/* What `tapgate run` exits with before the command runs, beside the helper's codes; as env(1) and nice(1). */
	LAUNCH_GOES_ON = -1,
	LAUNCH_FAILED = 125,
	LAUNCH_CANNOT_RUN = 126,
	LAUNCH_NOT_FOUND = 127,
};

/* One --net, and the options behind it. */
struct launch_net {
	const char *network;
	uint32_t queues; /* 0: not said, which is one */
	bool vhost, mac_given;
	const char *guest;	      /* of the policy, whose address it is; NULL: the address was given itself */
	unsigned char mac[MAC_BYTES]; /* of the guest's card: as was asked for; then the one that it has */

	char tap[IFNAMSIZ];
	int taps[POLICY_QUEUES_MAX], vhosts[POLICY_QUEUES_MAX]; /* descriptors, a pair for each queue */
	uint32_t count;						/* of each; no vhosts without `vhost` */
	int reservation;					/* of the hardware address, -1: none */
};

struct launch {
	struct launch_net nets[LAUNCH_NETS_MAX];
	size_t net_count;
	bool by_name;	/* the command opens its taps by their names */
	char **command; /* and its words; NULL behind the last */
};

/* Understand the command line. False: said what is wrong with it. */
bool launch_parse(const struct words *words, struct launch *launch);

/* The same descriptor at a number above 2, where a command does not take it for its input or output; -1 and errno. */
int launch_above_standard(int fd);

/*
 * Whether the helper is to hear of the address that was asked for: not of a guest's that is none of the user's own, as
 * it locks no port to that.
 */
bool launch_tells_mac(const struct launch_net *net);

/*
 * Settle which hardware address the guest has: the one that the helper locked the tap's port to (the rule's mac=, or
 * one of its choice), else the one that was asked for, else the first of the user's block on the network that no guest
 * has. It is reserved while the command keeps the descriptor `reservation`. False: said why not.
 */
bool launch_settle_mac(struct launch_net *net);

/*
 * The address of the guest, "172.16.128.2/30", on a tap that has an address of the host's (a standalone network's):
 * what a guest line of the policy says, else the first of the same subnet that is not the host's. IPv4 if there is any.
 * False: said why there is none.
 */
bool launch_guest_address(const struct launch_net *net, char text[static 64]);

/* Replace {fd} and the like in the words of the command. False: said which one cannot be. */
bool launch_replace_words(struct launch *launch);

#endif
