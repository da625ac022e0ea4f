// SPDX-License-Identifier: MIT
/* What the files of ways share: which rule decides about a packet (ways_rules.c). */
#ifndef NETWORKS_WAYS_H
#define NETWORKS_WAYS_H

#include "networks/networks.h"

static inline unsigned int bits_of(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* The VRF that a network's bridge is in, in which the host has its way to it; 0: none. */
int ways_vrf(const struct host *host, const char *bridge);

/* An address that nobody has (RFC 5737, RFC 3849), and so stands for all outside: where a packet goes. */
void ways_outside(struct link_packet *packet);

/* A table as ip-rule(8) takes it. */
struct table_text {
	char text[16];
};
struct table_text table_text(uint32_t table);

/* The first rule that can have decided about a packet: by a table, or (0) by refusing it, itself or by a route. */
struct decider {
	const struct host *host;
	const struct link_packet *packet;
	const char *in; /* what the packet comes in by; "lo" for the host's own */
	uint32_t table;
	bool found, over;
	struct link_rule rule;
	const struct link_route *route; /* which refuses it; NULL: the rule does */
};

/* Ask, for a packet, where it comes in, and a table; found and what is behind it are set then. */
void decider_ask(struct session *session, struct decider *decider);

/* Who took a packet which way, for people: "uplink, by rule 99 and table 52"; "refused by rule 99". */
const char *decider_text(struct session *session, const struct decider *decider, const struct link_route *way);

/* A rule's place before another one. */
uint32_t decider_before(const struct decider *decider);

/* The word of a route that refuses what it is for, as ip-route(8) takes it; NULL: it does not. */
const char *decider_refusal(const struct link_route *route);

#endif
