/* Whether a request is permitted: by the policy, and within what the policy grants. */
#ifndef HELPER_PERMIT_H
#define HELPER_PERMIT_H

#include "helper/order.h"

/*
 * Load the policy, decide, and find out whether it allows all that is asked for, and whether this helper can give all
 * that it asks for: neither leaves any out.
 */
bool permit_request(struct order *order, struct outcome *outcome);

#endif
