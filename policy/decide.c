/* Rules -> verdict. */
#include <string.h>

#include "policy/internal.h"

/* How a rule's list of accounts meets a caller. */
enum match {
	MATCH_NONE,
	MATCH_UNKNOWN, /* a name that no file knows, and an id of the caller's that no file names: may be the same */
	MATCH_DROPPED, /* a group that is the caller's by the account files, but that its process does not hold */
	MATCH_HELD,
};

struct question {
	const struct policy *policy;
	const char *network;
	const struct policy_caller *caller;
	const struct policy_accounts *accounts;
};

static bool holds_group(const struct policy_caller *caller, uint32_t gid)
{
	for (size_t i = 0; i < caller->group_count; i++) {
		if (caller->groups[i] == gid)
			return true;
	}
	return false;
}

/* Whether the caller has an id of this kind that the account files do not name. */
static bool has_unlisted(const struct question *q, enum policy_account kind)
{
	const struct policy_accounts *accounts = q->accounts;

	if (kind == ACCOUNT_USER)
		return !accounts->listed(accounts->context, kind, q->caller->uid);
	for (size_t i = 0; i < q->caller->group_count; i++) {
		if (!accounts->listed(accounts->context, kind, q->caller->groups[i]))
			return true;
	}
	return false;
}

static struct word account_name(const struct account *account)
{
	return (struct word){account->name, account->size};
}

static enum match match_account(const struct question *q, enum policy_account kind, const struct account *account)
{
	const struct policy_accounts *accounts = q->accounts;
	uint32_t number = account->number;

	if (account->name && !accounts->number(accounts->context, kind, account_name(account), &number))
		return has_unlisted(q, kind) ? MATCH_UNKNOWN : MATCH_NONE;
	if (kind == ACCOUNT_USER)
		return number == q->caller->uid ? MATCH_HELD : MATCH_NONE;
	if (holds_group(q->caller, number))
		return MATCH_HELD;
	return accounts->member(accounts->context, q->caller->uid, number) ? MATCH_DROPPED : MATCH_NONE;
}

/* The best match in a rule's list; *unknown receives the name behind a MATCH_UNKNOWN. */
static enum match match_who(const struct question *q, const struct rule *rule, struct word *unknown)
{
	enum policy_account kind = rule->who == WHO_USERS ? ACCOUNT_USER : ACCOUNT_GROUP;
	enum match best = MATCH_NONE;

	if (rule->who == WHO_EVERYBODY)
		return MATCH_HELD;
	for (uint32_t i = 0; i < rule->account_count && best != MATCH_HELD; i++) {
		const struct account *account = &q->policy->accounts[rule->accounts + i];
		enum match match = match_account(q, kind, account);

		if (match == MATCH_UNKNOWN)
			*unknown = account_name(account);
		if (match > best)
			best = match;
	}
	return best;
}

static void name_rule(struct policy_verdict *verdict, const struct policy *policy, const struct rule *rule)
{
	verdict->file = policy->paths[rule->file];
	verdict->line = rule->line;
	verdict->rule = (struct word){rule->at, rule->size};
	verdict->grants = policy->options[rule->options];
}

/* The more exactly a rule names the caller, the more it counts. */
static bool beats(const struct rule *rule, const struct rule *best)
{
	static const int rank[] = {[WHO_EVERYBODY] = 0, [WHO_GROUPS] = 1, [WHO_USERS] = 2};

	return !best || rank[rule->who] > rank[best->who];
}

const char *policy_hidden(const struct policy *policy)
{
	return policy->hidden;
}

bool policy_each_name(const struct policy *policy, void (*each)(void *context, const char *name), void *context)
{
	bool all = false;

	for (size_t i = 0; i < policy->network_count; i++)
		each(context, policy->networks[i].name);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->name[0])
			each(context, rule->name);
		all |= rule->allow && !rule->name[0];
	}
	return all;
}

struct policy_verdict policy_decide(const struct policy *policy, const char *network,
	const struct policy_caller *caller, const struct policy_accounts *accounts)
{
	struct question q = {policy, network, caller, accounts};
	struct policy_verdict verdict = {.outcome = POLICY_DENIED_NO_RULE, .hidden = policy->hidden};
	const struct rule *best = NULL;

	for (size_t i = 0; i < policy->network_count; i++) {
		if (strcmp(policy->networks[i].name, network) == 0)
			verdict.network = &policy->networks[i];
	}
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];
		struct word unknown = {NULL, 0};
		enum match match;

		if ((rule->name[0] && strcmp(rule->name, network) != 0) || (rule->allow && !beats(rule, best)))
			continue;
		match = match_who(&q, rule, &unknown);
		if (match == MATCH_NONE || (rule->allow && match == MATCH_UNKNOWN))
			continue;
		name_rule(&verdict, policy, rule);
		if (!rule->allow) {
			verdict.outcome = match == MATCH_UNKNOWN ? POLICY_DENIED_UNKNOWN : POLICY_DENIED;
			if (match == MATCH_UNKNOWN)
				verdict.unknown = unknown;
			return verdict;
		}
		best = rule;
		verdict.outcome = match == MATCH_HELD ? POLICY_ALLOWED : POLICY_DENIED_DROPPED;
	}
	return verdict;
}
