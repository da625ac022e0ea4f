/* Whether a request is permitted: by the policy, and within what the policy grants. */
#ifndef HELPER_PERMIT_H
#define HELPER_PERMIT_H

#include "files/permit.h"
#include "helper/request.h"

/*
 * Load the policy, decide, and find out whether it allows all that is asked for, and whether this helper can give all
 * that it asks for: neither leaves any out.
 */
bool permit_request(const struct request *request, const struct policy_caller *caller, struct permit *permit,
	struct outcome *outcome);

#endif
