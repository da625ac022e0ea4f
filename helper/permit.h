/* The policy's word on a request, as the caller may read it. */
#ifndef HELPER_PERMIT_H
#define HELPER_PERMIT_H

#include "helper/outcome.h"
#include "policy/policy.h"

/* What a request was granted. */
struct permit {
	uint32_t max;  /* taps that the caller may hold on the network at once; 0: any number */
	char rule[96]; /* the rule's place and words, escaped, for messages and the log */
};

/*
 * Load the policy, decide, and find out whether this helper can give what the policy asks for: it never leaves any out.
 */
bool permit_request(
	const char *network, const struct policy_caller *caller, struct permit *permit, struct outcome *outcome);

#endif
