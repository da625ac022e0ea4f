/* The policy's word on a request, as the caller may read it. */
#ifndef HELPER_PERMIT_H
#define HELPER_PERMIT_H

#include "helper/outcome.h"
#include "helper/request.h"
#include "policy/policy.h"

/* What a request was granted. Nothing in it points into the policy. */
struct permit {
	/* The rule's, and the network's where the rule says nothing; `given` has those that the mode implies, too. */
	struct policy_options options;
	uint32_t by_rule;	       /* of these, the ones that the rule gave */
	char rule[96];		       /* the rule's place and words, escaped, for messages and the log */
	struct policy_network network; /* its line; where there is none, a bridged one's. `file` is NULL */
	char place[96];		       /* the line's place, "/etc/tapgate.conf:3", escaped; empty if there is none */
};

/* Whether the network is one that `tapgate up` makes, with a guard; others exist without tapgate. */
bool permit_is_managed(const struct permit *permit);

/* What gave an option: the rule, the network's line, or its mode, for messages. */
const char *permit_place(const struct permit *permit, enum policy_option option);

/*
 * Load the policy, decide, and find out whether it allows all that is asked for, and whether this helper can give all
 * that it asks for: neither leaves any out.
 */
bool permit_request(const struct request *request, const struct policy_caller *caller, struct permit *permit,
	struct outcome *outcome);

#endif
