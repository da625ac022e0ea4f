// SPDX-License-Identifier: MIT
/* Parses `allow` and `deny` lines, and decides by them what a caller may have. */
#include "policy/internal.h"

#include <string.h>

enum {
	ACCOUNT_NAME_MAX = 255, /* bytes: LOGIN_NAME_MAX less the NUL (limits.h) */
};

bool parse_name(const struct line *line, struct word word, const char *or_all, char name[static NAME_MAX_BYTES + 1])
{
	const char *problem = word_name_problem(word);

	/* It might be a name, but is how iptables writes "all that begin with": nobody has it, a deny denies nobody. */
	if (!problem && word.at[word.size - 1] == '+')
		problem = "ends in '+'";
	if (problem)
		return line_refuse(
			line, word.at, "network %s %s, expected an interface's name%s", QUOTED(word), problem, or_all);
	memcpy(name, word.at, word.size);
	return true;
}

/*
 * Whether a word can be the name of a user or group. Words of other programs' languages are none (what they mean is
 * told in foreign.c): groups, exceptions, patterns, quotes, ranges, "all". Nobody has such a name, so that a deny of it
 * would deny nobody.
 */
static bool is_account_name(struct word word)
{
	static const char not_first[] = "@%+-~^$\"\'`*?[]{}:/=#()<>;|&!", *const nowhere = not_first + 7;
	struct word to = word, from;
	uint32_t number;

	if (word.size == 0 || word.size > ACCOUNT_NAME_MAX || word_is_all(word))
		return false;
	for (size_t i = 0; i < word.size; i++) {
		if (!is_alnum(word.at[i]) && strchr(i ? nowhere : not_first, word.at[i]))
			return false;
	}
	return *word.at > '9' || !word_cut(&to, '-', &from) || !word_number(from, UINT32_MAX, &number) ||
	       !word_number(to, UINT32_MAX, &number);
}

/* "user=LIST" or "group=LIST", into the policy's array; the rule says which part of it is its own. */
static bool parse_accounts(const struct line *line, struct rule *rule, struct word word, enum policy_who who)
{
	const char *start = rule_words(line->policy, rule).at;
	struct word list = word, item;

	if (rule->who != WHO_EVERYBODY)
		return line_refuse(line, word.at, "user= and group= on one rule, expected two rules");
	rule->who = (unsigned char)who;
	word_cut(&list, '=', &item);
	rule->accounts = (uint32_t)line->policy->count.accounts;
	for (; word_cut(&list, ',', &item); rule->account_count++) {
		const struct word digits = {item.at + 1, item.size - 1};
		const bool numbered = item.size > 0 && *item.at == '#';
		struct account *account = ADD(line->policy, account);

		if (!account)
			return false;
		/* The largest is (uid_t)-1, which the kernel keeps for "no change" (setresuid(2)). */
		if (numbered && !word_number(digits, UINT32_MAX - 1, &account->number))
			return line_refuse(
				line, item.at, "%s, expected '#' and a number from 0 to 4294967294", QUOTED(item));
		if (!numbered && !is_account_name(item))
			return line_refuse(line, item.at, "%s, expected names or '#number', apart by ',' alone",
				item.size == 0		       ? "an empty name"
				: item.size > ACCOUNT_NAME_MAX ? "a name longer than 255 bytes"
							       : QUOTED(item));
		account->at = (uint16_t)(item.at - start);
		account->size = numbered ? 0 : (uint16_t)item.size;
	}
	return true;
}

bool parse_rule(struct line *line, struct word verb)
{
	struct rule *rule = ADD(line->policy, rule);
	const uint32_t accounts = OPTION_USER | OPTION_GROUP;
	struct policy_options options = {0}, *granted;
	enum policy_place place;
	struct word word, value;

	if (!rule)
		return false;
	rule->allow = word_is(verb, "allow");
	place = rule->allow ? ON_ALLOW : ON_DENY;
	rule->file = (unsigned char)line->file;
	rule->line = line->number;
	rule->at = (uint32_t)(verb.at - line->policy->files[line->file].text);
	if (!line_word(line, &word))
		return line_refuse(line, line->at, "no network, expected a name or 'all'");
	if (!word_is(word, "all") && !parse_name(line, word, " or 'all'", rule->name))
		return false;
	rule->size = (uint16_t)(line->at - verb.at);
	while (line_word(line, &word)) {
		const uint32_t option = parse_option(line, word, place, &options, &value);

		if (!option)
			return false;
		if ((option & accounts) &&
			!parse_accounts(line, rule, word, option == OPTION_USER ? WHO_USERS : WHO_GROUPS))
			return false;
		rule->size = (uint16_t)(line->at - verb.at);
	}
	options.given &= ~accounts;
	if (!options.given)
		return true;
	/* What is left is granted. Rules in a row that grant the same share it. */
	granted = &line->policy->options[line->policy->count.options - 1];
	if (memcmp(granted, &options, sizeof(options)) != 0)
		granted = ADD(line->policy, option);
	if (!granted)
		return false;
	*granted = options;
	rule->options = (uint32_t)(granted - line->policy->options);
	return true;
}

bool repeat_rule(const struct line *line)
{
	struct policy *policy = line->policy;
	const struct rule last = policy->count.rules ? policy->rules[policy->count.rules - 1] : (struct rule){0};
	const struct account *number_of = last.account_count == 1 ? &policy->accounts[last.accounts] : NULL;
	const size_t same = number_of ? number_of->at + strlen("#") : 0, size = (size_t)(line->end - line->start);
	struct account *account;
	struct rule *rule;
	uint32_t number;

	/* Both end in the number: nothing stands behind the last rule's that would not be said here. */
	if (!number_of || number_of->size || last.file != line->file || size <= same ||
		memcmp(line->start, rule_words(policy, &last).at, same) != 0 ||
		!word_number(
			(struct word){rule_words(policy, &last).at + same, last.size - same}, UINT32_MAX, &number) ||
		!word_number((struct word){line->start + same, size - same}, UINT32_MAX - 1, &number))
		return false;
	account = ADD(policy, account);
	rule = account ? ADD(policy, rule) : NULL;
	if (!rule)
		return false;
	*account = (struct account){.number = number, .at = (uint16_t)(same - strlen("#"))};
	*rule = last;
	rule->at = (uint32_t)(line->start - policy->files[line->file].text);
	rule->size = (uint16_t)size;
	rule->accounts = (uint32_t)(account - policy->accounts);
	rule->line = line->number;
	return true;
}

/* Refuse a rule for an option that its network cannot have. */
static bool refuse_rule(struct policy *policy, struct policy_error *error, const struct rule *rule,
	const struct policy_network *network)
{
	const char *option =
		policy_option_row(policy->options[rule->options].given & policy_network_lacks(network))->word;
	const char *text = policy->files[rule->file].text, *at = text + rule->at;
	struct line line = {.policy = policy, .error = error, .start = at, .at = at, .end = at + rule->size};
	struct word word;

	line.file = rule->file;
	line.number = rule->line;
	while (line_word(&line, &word) && !word_begins(word, option))
		continue;
	while (line.start > text && line.start[-1] != '\n')
		line.start--;
	if (network->mode == MODE_STANDALONE)
		return line_refuse(&line, word.at,
			"option '%s' on a rule for '%s', expected none that needs a bridge: it is a standalone network",
			option, rule->name);
	if (strcmp(option, policy_option_row(OPTION_LOCK_IP)->word) == 0)
		return line_refuse(&line, word.at,
			"option '%s' on a rule for '%s', expected none on a network without 'dhcp=', or with 'ra': nobody gives its guests their addresses",
			option, rule->name);
	return line_refuse(&line, word.at,
		"option '%s' on a rule for '%s', expected neither 'guard' nor 'vlan=': the bridge of its mode, '%s', has no spanning tree and no VLANs",
		option, rule->name, policy_mode_name(network->mode));
}

bool check_rules(struct policy *policy, struct policy_error *error)
{
	for (size_t i = 0; i < policy->count.rules; i++) {
		const struct rule *rule = &policy->rules[i];
		const struct word name = {rule->name, strlen(rule->name)};
		const struct policy_network *network = rule->options ? find_network(policy, name) : NULL;

		if (network && (policy->options[rule->options].given & policy_network_lacks(network)))
			return refuse_rule(policy, error, rule, network);
	}
	return true;
}

/* --- deciding ----------------------------------------------------------------------------------------------------- */

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
