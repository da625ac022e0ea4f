/*
 * What is on a network and should not be so, or should be on it and is elsewhere: its taps, its bridge's ports, and
 * what stands on either.
 */
#ifndef CLI_NETWORKS_MEMBERS_H
#define CLI_NETWORKS_MEMBERS_H

#include "cli/session.h"
#include "policy/policy.h"

enum trouble_kind {
	TROUBLE_FOREIGN,  /* a port that is none of the network's taps: whoever is behind it is on the network */
	TROUBLE_UNLOCKED, /* a tap of a network with lock-ip that was made before it had that */
	TROUBLE_UPPER,	  /* an interface on its bridge or on a tap, as a macvlan: past the guard */
	TROUBLE_AWAY,	  /* a tap that is not on the network's bridge; a standalone one that is on any */
	TROUBLE_DOWN,	  /* a tap */
	TROUBLE_ADDRESS,  /* an address of the host's on a port */
	TROUBLE_ENTRY,	  /* an address that the bridge was told to be behind a port, and that is no lock's */
};

struct trouble {
	enum trouble_kind kind;
	const struct link_interface *interface;
	const struct link_address *address; /* TROUBLE_ADDRESS */
	unsigned char mac[6];		    /* TROUBLE_ENTRY */
};

void members_each_trouble(struct session *session, const struct policy_network *network,
	void (*each)(void *context, const struct trouble *), void *context);

/* The first, as a phrase; NULL if there is none. */
const char *members_difference(struct session *session, const struct policy_network *network);

/* Put right what is tapgate's, saying so; and say of the rest what to do, which fails then: the first three above. */
bool members_settle(struct session *session, const struct policy_network *network);
bool members_complain(struct session *session, const struct policy_network *network);

#endif
