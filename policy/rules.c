/* `allow` and `deny` lines. */
#include <string.h>

#include "policy/internal.h"

enum {
	ACCOUNT_NAME_MAX = 255, /* bytes: LOGIN_NAME_MAX less the NUL (limits.h) */
};

static const uint32_t allow_options = OPTION_USER | OPTION_GROUP | OPTION_MAX | OPTION_QUEUES | OPTION_MAC |
				      OPTION_VLAN | OPTION_MTU | OPTION_ISOLATED | OPTION_LOCK_MAC | OPTION_GUARD;
static const uint32_t deny_options = OPTION_USER | OPTION_GROUP;

/* The letters, digits and ._- at the beginning, which are all of most names. */
static struct word plain_word(struct word word)
{
	static const uint64_t plain[4] = {0x03ff600000000000, 0x07fffffe87fffffe}; /* a bit for each byte */
	size_t size = 0;

	while (size < word.size && (plain[(unsigned char)word.at[size] / 64] >> (word.at[size] & 63) & 1))
		size++;
	return (struct word){word.at, size};
}

/* A user or group, in the words of a rule that begin at `start`. */
static bool read_account(const struct line *line, const char *start, struct word word, struct account *account)
{
	const struct word digits = {word.at + 1, word.size - 1};

	*account = (struct account){.at = (uint16_t)(word.at - start), .size = (uint16_t)word.size};
	if (word.size > 0 && *word.at == '#') {
		account->size = 0;
		/* The largest is (uid_t)-1, which the kernel keeps for "no change" (setresuid(2)). */
		return word_number(digits, UINT32_MAX - 1, &account->number) ||
		       line_refuse(line, word.at, "%s, expected '#' and a number from 0 to 4294967294", QUOTED(word));
	}
	if (word.size == 0 || word.size > ACCOUNT_NAME_MAX)
		return line_refuse(line, word.at, "%s, expected names or '#number', apart by ',' alone",
			word.size ? "a name longer than 255 bytes" : "an empty name");
	/* Nearly all: what begins with a letter and is plain can be a foreign word only if it means everybody. */
	return ((*word.at | 32) >= 'a' && (*word.at | 32) <= 'z' && plain_word(word).size == word.size &&
		       !word_is_all(word)) ||
	       !refuse_foreign_account(line, word);
}

/* The list of users or groups, into the policy's array; the rule says which part of it is its own. */
static bool parse_accounts(struct line *line, struct rule *rule, struct word list)
{
	struct policy *policy = line->policy;
	struct word item;

	rule->accounts = (uint32_t)policy->count.accounts;
	while (word_cut(&list, ',', &item)) {
		struct account *account = ADD(policy, account);

		if (!account)
			return line_refuse(line, item.at, "out of memory");
		if (!read_account(line, rule_words(policy, rule).at, item, account))
			return false;
		rule->account_count++;
	}
	return true;
}

static struct word behind(struct word text, size_t size)
{
	return (struct word){text.at + size, text.size - size};
}

bool parse_plain_rule(struct line *line)
{
	struct word rest = {line->start, (size_t)(line->end - line->start)}, name, who = {NULL, 0};
	const size_t verb = word_begins(rest, "allow ") ? 6 : word_begins(rest, "deny ") ? 5 : 0;
	struct account account = {0}, *kept;
	struct rule *rule;
	size_t key;

	if (!verb)
		return false;
	name = plain_word(behind(rest, verb));
	rest = behind(rest, verb + name.size);
	key = word_begins(rest, " user=") ? 6 : word_begins(rest, " group=") ? 7 : 0;
	if (key) {
		who = behind(rest, key);
		who.size = *who.at == '#' ? 1 + plain_word(behind(who, 1)).size : plain_word(who).size;
		rest = behind(rest, key + who.size);
	}
	if (*rest.at != '\n' || word_name_problem(name) || (key && !read_account(line, line->start, who, &account)))
		return false;
	kept = key ? ADD(line->policy, account) : NULL;
	rule = kept || !key ? ADD(line->policy, rule) : NULL;
	if (!rule)
		return false;
	if (kept)
		*kept = account;
	*rule = (struct rule){.allow = verb == 6,
		.who = key == 6 ? WHO_USERS
		       : key	? WHO_GROUPS
				: WHO_EVERYBODY,
		.file = (unsigned char)line->file,
		.line = line->number,
		.accounts = kept ? (uint32_t)line->policy->count.accounts - 1 : 0,
		.account_count = kept != NULL,
		.size = (uint16_t)(rest.at - line->start),
		.at = (uint32_t)(line->start - line->policy->texts[line->file])};
	memcpy(rule->name, name.at, name.size);
	line->end = rest.at;
	return true;
}

/* What a rule is called in errors, behind a list of accounts and elsewhere. */
static const char *const places[2][2] = {
	{"a deny rule", "a deny rule behind a name (one with a blank is written '#number')"},
	{"an allow rule", "an allow rule behind a name (one with a blank is written '#number')"},
};

static bool parse_rule_option(
	struct line *line, struct rule *rule, struct word word, struct policy_options *options, bool *behind_name)
{
	struct word value = {NULL, 0};
	enum policy_option option = 0;

	if (*word.at == '#')
		return line_refuse(line, word.at, "'#' after a rule, expected comments on lines of their own");
	if (!parse_option(line, word, rule->allow ? allow_options : deny_options,
		    places[rule->allow][*behind_name && !memchr(word.at, '=', word.size)], options, &option, &value))
		return false;
	*behind_name = option == OPTION_USER || option == OPTION_GROUP;
	if (!*behind_name)
		return true;
	if (rule->who != WHO_EVERYBODY)
		return line_refuse(line, word.at, "user= and group= on one rule, expected two rules");
	rule->who = option == OPTION_USER ? WHO_USERS : WHO_GROUPS;
	return parse_accounts(line, rule, value);
}

/* The options that a verdict grants, kept once for rules in a row that have the same; false when memory ran out. */
static bool keep_options(struct line *line, struct rule *rule, struct policy_options *options)
{
	struct policy *policy = line->policy;
	struct policy_options *kept = &policy->options[policy->count.options - 1];

	options->given &= ~(uint32_t)(OPTION_USER | OPTION_GROUP);
	if (!options->given)
		return true;
	if (memcmp(kept, options, sizeof(*kept)) != 0) {
		kept = ADD(policy, option);
		if (!kept)
			return false;
		*kept = *options;
	}
	rule->options = (uint32_t)(policy->count.options - 1);
	return true;
}

bool parse_rule(struct line *line, struct word verb)
{
	struct rule *rule = ADD(line->policy, rule);
	struct policy_options options = {0};
	struct word name, word;
	const char *problem;
	bool behind_name = false;

	if (!rule)
		return line_refuse(line, verb.at, "out of memory");
	*rule = (struct rule){.allow = word_is(verb, "allow"),
		.file = (unsigned char)line->file,
		.line = line->number,
		.at = (uint32_t)(verb.at - line->policy->texts[line->file])};
	if (!line_word(line, &name))
		return line_refuse(line, line->at, "no network, expected a name or 'all'");
	if (!word_is(name, "all")) {
		if (plain_word(name).size < name.size && refuse_foreign_network(line, name))
			return false;
		problem = word_name_problem(name);
		if (problem)
			return line_refuse(line, name.at, "network %s %s, expected an interface's name or 'all'",
				QUOTED(name), problem);
		memcpy(rule->name, name.at, name.size);
	}
	rule->size = (uint16_t)(line->at - verb.at);
	while (line_word(line, &word)) {
		if (!parse_rule_option(line, rule, word, &options, &behind_name))
			return false;
		rule->size = (uint16_t)(line->at - verb.at);
	}
	return keep_options(line, rule, &options) || line_refuse(line, verb.at, "out of memory");
}

struct word rule_option(const struct policy *policy, const struct rule *rule, const char *option)
{
	const struct word all = rule_words(policy, rule);
	struct line words = {.at = all.at, .end = all.at + all.size};
	struct word word, name;

	while (line_word(&words, &word)) {
		struct word rest = word;

		word_cut(&rest, '=', &name);
		if (word_is(name, option))
			return word;
	}
	return all;
}

/*
 * What of a rule's options a network of a mode cannot have, as a word; NULL if it can have all. A standalone one has no
 * bridge; the bridges of nat, host-only and internal ones filter no VLANs, and pass BPDUs on (cli/networks/bridge.c).
 */
static const char *not_of_mode(enum policy_mode mode, uint32_t given)
{
	if (mode == MODE_BRIDGED)
		return NULL;
	return mode == MODE_STANDALONE && (given & OPTION_MAC)	      ? "mac"
	       : mode == MODE_STANDALONE && (given & OPTION_LOCK_MAC) ? "lock-mac"
	       : given & OPTION_GUARD				      ? "guard"
	       : given & OPTION_VLAN				      ? "vlan"
								      : NULL;
}

/* Refuse a rule. Returns whether to go on to others. */
static bool refuse_rule(struct policy *policy, struct errors *errors, const struct rule *rule, const char *option,
	enum policy_mode mode)
{
	struct word whole = line_around(policy, rule->file, rule_words(policy, rule).at);
	struct line line = {
		.policy = policy, .error = &errors->last, .start = whole.at, .file = rule->file, .number = rule->line};
	const char *at = rule_option(policy, rule, option).at;

	if (mode == MODE_STANDALONE)
		line_refuse(&line, at,
			"option '%s' on a rule for '%s', expected none that needs a bridge: it is a standalone network",
			option, rule->name);
	else
		line_refuse(&line, at,
			"option '%s' on a rule for '%s', expected neither 'guard' nor 'vlan=': the bridge of its mode, "
			"'%s', has no spanning tree and no VLANs",
			option, rule->name, policy_mode_name(mode));
	return errors_go_on(errors, whole);
}

bool check_rules(struct policy *policy, struct errors *errors)
{
	for (size_t i = 0; i < policy->count.networks; i++) {
		const struct policy_network *network = &policy->networks[i];

		for (size_t j = 0; network->mode != MODE_BRIDGED && j < policy->count.rules; j++) {
			const struct rule *rule = &policy->rules[j];
			const char *option = not_of_mode(network->mode, policy->options[rule->options].given);

			if (option && strcmp(rule->name, network->name) == 0 &&
				!refuse_rule(policy, errors, rule, option, network->mode))
				return false;
		}
	}
	return true;
}
