/*
 * Other people's firewalls, looked at: chains where what no rule accepts is dropped, at the hooks that guests' packets
 * come by. And the rules of ours in them (cli/networks/pass.c), known by their comments.
 */
#ifndef CLI_NETWORKS_FIREWALL_H
#define CLI_NETWORKS_FIREWALL_H

#include "cli/session.h"
#include "link/nftables.h"

/* What comments of ours begin with; the network's name and a comma follow. */
#define FIREWALL_MARK "tapgate: "

enum { FIREWALL_COMMENT_MAX = 128 };

/* A base chain of somebody else's at one of the two hooks. */
struct firewall_chain {
	int family;
	uint32_t hook;
	char table[NFTABLES_NAME_MAX], name[NFTABLES_NAME_MAX];
	bool owned;	 /* by a process that lets nobody else change the table, as newer firewalld does */
	bool drops;	 /* what none of its rules decides */
	uint64_t before; /* the handle of its last rule, if that is what drops: a pass must stand before it */
};

/* A rule of ours in such a chain. */
struct firewall_rule {
	const struct firewall_chain *chain;
	uint64_t handle;
	bool wanted;
	char comment[FIREWALL_COMMENT_MAX];
};

/* What stands. */
struct firewall {
	struct firewall_chain *chains;
	struct firewall_rule *rules;
	size_t chain_count, rule_count;
	bool failed; /* memory ran out */
};

/* Look; 0 or a negative errno value. firewall_forget in either case. */
int firewall_look(struct session *session, struct firewall *firewall);
void firewall_forget(struct firewall *firewall);

/* nft's word for a family. */
const char *firewall_family(int family);

#endif
