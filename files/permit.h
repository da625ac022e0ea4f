/*
 * The policy's word on a caller and a network, with the reason in the words that the caller is told.
 *
 * The helper acts on it and `tapgate explain` shows it: neither has a judgement of its own. Files are opened with the
 * rights of the process, so whoever judges another user becomes that user first.
 */
#ifndef FILES_PERMIT_H
#define FILES_PERMIT_H

#include "files/outcome.h"
#include "policy/policy.h"

/* What a caller is granted. Nothing in it points into the policy. */
struct permit {
	/* The rule's, and the network's where the rule says nothing; `given` has those that the mode implies, too. */
	struct policy_options options;
	uint32_t by_rule;	       /* of these, the ones that the rule gave */
	char rule[96];		       /* the rule's place and words, escaped, for messages and the log */
	struct policy_network network; /* its line; where there is none, a bridged one's. `file` is NULL */
	char place[128];	       /* the line's place, "/etc/tapgate.conf:3", escaped; empty if there is none */
};

/* Whether the network is one that `tapgate up` makes, with a guard; others exist without tapgate. */
bool permit_is_managed(const struct permit *permit);

/* What gave an option: the rule, the network's line, or its mode, for messages. */
const char *permit_place(const struct permit *permit, enum policy_option option);

/*
 * All of it for one request: load, decide, and whether the queues that it asks for are within what is granted. What the
 * request asks for besides is for others to hold against *permit.
 */
bool permit_request(const char *network, uint32_t queues, const struct policy_caller *caller, struct permit *permit,
	struct outcome *outcome);

/* Load /etc/tapgate.conf; NULL if it is refused, with the reason recorded. */
struct policy *permit_load(struct outcome *outcome);

/*
 * Whether the policy allows a network to a caller, and is one that a tap can be made by: no option is left out. If not,
 * the reason is recorded. *verdict, which points into the policy, and *permit are filled as far as a rule or a line
 * says anything.
 */
bool permit_decide(const struct policy *policy, const char *network, const struct policy_caller *caller,
	struct policy_verdict *verdict, struct permit *permit, struct outcome *outcome);

#endif
