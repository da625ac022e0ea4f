// SPDX-License-Identifier: MIT
/* A policy, to be looked at by tools: its rules and where they stand. Decisions are decide.c's. */
#include "policy/internal.h"

#include <string.h>

/* The whole line of a file that a byte of its text is in, without its newline. */
static struct word line_around(const struct policy *policy, size_t file, const char *at)
{
	const char *start = at, *text = policy->files[file].text, *end = text + policy->files[file].size, *newline;

	while (start > text && start[-1] != '\n')
		start--;
	newline = memchr(at, '\n', (size_t)(end - at));
	return (struct word){start, (size_t)((newline ? newline : end) - start)};
}

const char *policy_hidden(const struct policy *policy)
{
	return policy->hidden;
}

const struct policy_network *policy_networks(const struct policy *policy, size_t *count)
{
	*count = policy->count.networks;
	return policy->networks;
}

bool policy_each_name(const struct policy *policy, void (*each)(void *context, const char *name), void *context)
{
	bool all = false;

	for (size_t i = 0; i < policy->count.networks; i++)
		each(context, policy->networks[i].name);
	for (size_t i = 0; i < policy->count.rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->name[0])
			each(context, rule->name);
		all |= rule->allow && !rule->name[0];
	}
	return all;
}

bool policy_locks_ip(const struct policy_network *network)
{
	const struct policy *policy = network->policy;
	bool locks = network->options.given & OPTION_LOCK_IP;

	for (size_t i = 0; policy && i < policy->count.rules && !locks; i++) {
		const struct rule *rule = &policy->rules[i];

		locks = rule->allow && (policy->options[rule->options].given & OPTION_LOCK_IP) &&
			(!rule->name[0] || strcmp(rule->name, network->name) == 0);
	}
	return locks && !(policy_network_lacks(network) & OPTION_LOCK_IP);
}

size_t policy_rule_count(const struct policy *policy)
{
	return policy->count.rules;
}

struct policy_rule policy_rule(const struct policy *policy, size_t index)
{
	const struct rule *rule = &policy->rules[index];

	return (struct policy_rule){
		.allow = rule->allow,
		.who = (enum policy_who)rule->who,
		.network = rule->name,
		.options = &policy->options[rule->options],
		.account_count = rule->account_count,
		.file = policy->paths[rule->file],
		.line = rule->line,
		.words = rule_words(policy, rule),
		.whole = line_around(policy, rule->file, rule_words(policy, rule).at),
	};
}

/* The word of a rule that begins with an option; all of its words if there is none. */
static struct word rule_option(const struct policy *policy, const struct rule *rule, const char *option)
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

void policy_each_account(const struct policy *policy, size_t rule,
	void (*each)(void *context, const struct policy_account_word *account), void *context)
{
	const struct rule *found = &policy->rules[rule];
	struct word list = rule_option(policy, found, found->who == WHO_USERS ? "user" : "group"), option;

	word_cut(&list, '=', &option);
	for (uint32_t i = 0; i < found->account_count; i++) {
		const struct account *account = &policy->accounts[found->accounts + i];
		struct policy_account_word word = {rule_account(policy, found, account), account->number, {NULL, 0}};

		word_cut(&list, ',', &word.at);
		each(context, &word);
	}
}

size_t policy_part_count(const struct policy *policy)
{
	return policy->file_count;
}

struct policy_part policy_part(const struct policy *policy, size_t index)
{
	const struct include *include = &policy->includes[index];
	struct policy_part part = {.path = policy->paths[index]};

	if (include->line) {
		part.by = policy->paths[include->file];
		part.line = include->line;
		part.column = include->column;
	}
	return part;
}

struct word policy_line(const struct policy *policy, const char *path, unsigned int number)
{
	size_t file = 0;
	const char *at, *end;

	while (file < policy->file_count && strcmp(policy->paths[file], path) != 0)
		file++;
	if (file == policy->file_count || number == 0)
		return (struct word){NULL, 0};
	at = policy->files[file].text;
	end = at + policy->files[file].size;
	for (; number > 1 && at; number--) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at && at + 1 < end ? at + 1 : NULL;
	}
	return at ? line_around(policy, file, at) : (struct word){NULL, 0};
}
