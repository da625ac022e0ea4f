// SPDX-License-Identifier: MIT
/* What the files of other people's firewalls share: what rules come to (firewall_rules.c). */
#ifndef NETWORKS_FIREWALL_H
#define NETWORKS_FIREWALL_H

#include "networks/networks.h"

/* The next rule of a chain in what was read of a table, from *at on; NULL: no more. */
struct json_t *firewall_next_rule(const struct json_t *table, const char *chain, size_t *at);

/*
 * The first rule that every packet which gets there is decided by, and how: "drop", "accept" or "return". NULL: none,
 * and it goes on behind the chain. Jumps are followed; a chain that some packets return from, as ufw-not-local, does
 * not decide all of them.
 */
const char *firewall_find_end(const struct json_t *table, const char *chain, int depth, struct json_t **found);

/*
 * The tunnel that is the only way out which a chain leaves, as a VPN's kill switch does: whoever opened that would have
 * guests go out past it. Answers that come in by the tunnel, and ways to some addresses only, are no other way.
 */
void firewall_find_tunnel(const struct host *host, struct firewall_chain *chain);

#endif
