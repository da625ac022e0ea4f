/*
 * Passes: rules of ours in other people's firewalls.
 *
 * A guard only takes away. Where another table's chain drops whatever none of its rules accepts, as Docker's `ip filter
 * FORWARD` does, guests of one network do not see each other (their frames come by there when br_netfilter is loaded),
 * and a nat network leads nowhere: in nftables an accept counts in its own chain only. So what the guard lets through
 * is accepted at the end of such a chain, where nothing is overruled but the drop. The rules carry comments that begin
 * with "tapgate: NETWORK", by which they are found again, and are made of what iptables-nft can show, too.
 */
#ifndef CLI_NETWORKS_PASS_H
#define CLI_NETWORKS_PASS_H

#include "cli/session.h"
#include "policy/policy.h"

/*
 * Bring the passes of some networks in line with what the policy says of them (`count` of them, which stand), and take
 * away those of networks that are gone: all in one transaction. The passes of whatever is neither stay as they are.
 */
bool pass_settle(struct session *session, const struct policy_network *const *networks, size_t count,
	bool (*gone)(const void *context, const char *network), const void *context);

/* How many passes are missing for a network; -1 if it cannot be told. */
int pass_missing(struct session *session, const struct policy_network *network);

#endif
