// SPDX-License-Identifier: MIT
/* Decides by the rules what a caller may have: rules -> verdict. */
#include "policy/internal.h"

#include <string.h>

/* How a rule's list of accounts meets a caller. */
enum match {
	MATCH_NONE,
	MATCH_UNKNOWN, /* a name that no file knows, and an id of the caller's that no file names: may be the same */
	MATCH_DROPPED, /* a group that is the caller's by the account files, but that its process does not hold */
	MATCH_ASKS,    /* the account files know */
	MATCH_HELD,
};

static bool holds_group(const struct policy_caller *caller, uint32_t gid)
{
	for (size_t i = 0; i < caller->group_count; i++) {
		if (caller->groups[i] == gid)
			return true;
	}
	return false;
}

const struct policy_name *policy_find_name(const struct policy_names *names, struct word name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->list[i].size == name.size && memcmp(names->list[i].name, name.at, name.size) == 0)
			return &names->list[i];
	}
	return NULL;
}

bool policy_has_number(const struct policy_names *names, uint32_t number)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->list[i].number == number)
			return true;
	}
	return false;
}

static enum match match_account(
	const struct policy_caller *caller, enum policy_account kind, struct word name, uint32_t number)
{
	const struct policy_accounts *accounts = caller->accounts;
	const struct policy_name *line;

	if (name.at && !accounts)
		return MATCH_ASKS;
	if (name.at) {
		/* Nearly all names are somebody else's, which the few of one's own tell sooner than all there are. */
		if (!accounts->unlisted[kind] && !policy_find_name(&accounts->own[kind], name))
			return MATCH_NONE;
		line = policy_find_name(&accounts->all[kind], name);
		if (!line)
			return MATCH_UNKNOWN;
		number = line->number;
	}
	if (kind == ACCOUNT_USER)
		return number == caller->uid ? MATCH_HELD : MATCH_NONE;
	if (holds_group(caller, number))
		return MATCH_HELD;
	return !accounts ? MATCH_ASKS : policy_has_number(&accounts->own[kind], number) ? MATCH_DROPPED : MATCH_NONE;
}

/* The best match in a rule's list; *unknown receives the name behind a MATCH_UNKNOWN. */
static enum match match_who(
	const struct policy *policy, const struct rule *rule, const struct policy_caller *caller, struct word *unknown)
{
	enum policy_account kind = rule->who == WHO_USERS ? ACCOUNT_USER : ACCOUNT_GROUP;
	enum match best = rule->who == WHO_EVERYBODY ? MATCH_HELD : MATCH_NONE;

	for (uint32_t i = 0; i < rule->account_count && best != MATCH_HELD; i++) {
		const struct account *account = &policy->accounts[rule->accounts + i];
		struct word name = rule_account(policy, rule, account);
		enum match match = match_account(caller, kind, name, account->number);

		if (match == MATCH_UNKNOWN)
			*unknown = name;
		if (match > best)
			best = match;
	}
	return best;
}

const struct policy_network *find_network(const struct policy *policy, struct word name)
{
	for (size_t i = 0; i < policy->count.networks; i++) {
		if (word_is(name, policy->networks[i].name))
			return &policy->networks[i];
	}
	return NULL;
}

struct policy_verdict policy_decide(
	const struct policy *policy, const char *network, const struct policy_caller *caller)
{
	const struct policy_verdict undecided = {.outcome = POLICY_ASKS_ACCOUNTS,
		.network = find_network(policy, (struct word){network, strlen(network)}),
		.hidden = policy->hidden};
	struct policy_verdict verdict = undecided;
	const struct rule *best = NULL;

	verdict.outcome = POLICY_DENIED_NO_RULE;
	verdict.named = verdict.network != NULL;
	for (size_t i = 0; i < policy->count.rules; i++) {
		const struct rule *rule = &policy->rules[i];
		struct word unknown = {NULL, 0};
		enum match match;

		if ((rule->name[0] && strcmp(rule->name, network) != 0) ||
			(rule->allow && best && rule->who <= best->who))
			continue;
		verdict.named |= rule->name[0] != '\0';
		match = match_who(policy, rule, caller, &unknown);
		if (match == MATCH_ASKS)
			return undecided;
		if (rule->allow && match == MATCH_UNKNOWN && !verdict.skipped.at) {
			verdict.skipped = unknown;
			verdict.skipped_kind = rule->who == WHO_USERS ? ACCOUNT_USER : ACCOUNT_GROUP;
			verdict.skipped_file = policy->paths[rule->file];
			verdict.skipped_line = rule->line;
		}
		if (match == MATCH_NONE || (rule->allow && match == MATCH_UNKNOWN))
			continue;
		verdict.file = policy->paths[rule->file];
		verdict.line = rule->line;
		verdict.rule = rule_words(policy, rule);
		verdict.grants = policy->options[rule->options];
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
