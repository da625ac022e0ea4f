#include "helper/permit.h"

#include "helper/lock.h"

/* Whether the request's words stay within what the rule, or else the network's line, grants. */
static bool allows(const struct permit *permit, const struct request *request, uint32_t uid, struct outcome *outcome)
{
	uint32_t queues = permit->options.queues;

	if (request->queues > queues)
		return refuse(outcome, EXIT_LIMIT,
			"uid %u may have %u queue%s on '%s', not %u, by %s; ask for fewer, or have queues= raised", uid,
			queues, queues == 1 ? "" : "s", request->network, request->queues, permit->rule);
	return lock_allows(request, permit, uid, outcome);
}

bool permit_request(struct order *order, struct outcome *outcome)
{
	struct policy *policy = permit_load(outcome);
	struct policy_verdict verdict;
	bool permitted =
		policy &&
		permit_decide(policy, order->request.network, &order->caller, &verdict, &order->permit, outcome) &&
		allows(&order->permit, &order->request, order->caller.uid, outcome);

	policy_free(policy);
	return permitted;
}
