// SPDX-License-Identifier: MIT
/* A policy for tools to look at: its rules, where they stand, and every error that it has. rules.c decides by it. */
#include "policy/internal.h"

#include <stdio.h>
#include <stdlib.h>
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

/* --- every error -------------------------------------------------------------------------------------------------- */

/*
 * Every error of a policy, for an administrator: the policy is loaded again and again, each time without the lines that
 * were refused before. So the loader itself knows one error, and no way to go on behind it.
 */

/* A file as it was read, and as it is given to the loader, without the refused lines. */
struct copy {
	struct copy *next;
	char *path;
	struct policy_file file;
	char *left; /* as long as file.text, or shorter */
	size_t left_size;
	bool hidden;
};

struct check {
	const struct policy_reader *reader;
	struct copy *copies;
	struct copy *served[POLICY_FILES_MAX]; /* in one load: by number of the policy's file */
	size_t served_count;
};

static char *duplicate(const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

static void free_copy(struct copy *copy)
{
	free(copy->path);
	free(copy->file.text);
	free(copy->left);
	free(copy);
}

/* Read a file for the first time; NULL: refused, or memory ran out. */
static struct copy *make_copy(struct check *check, const char *path, size_t limit, struct policy_why *why)
{
	struct copy *copy = calloc(1, sizeof(*copy));
	enum policy_read result = POLICY_REFUSED;

	snprintf(why->text, sizeof(why->text), "out of memory");
	if (!copy)
		return NULL;
	copy->path = strdup(path);
	if (copy->path)
		result = check->reader->read(check->reader->context, path, limit, &copy->file, why);
	copy->hidden = result == POLICY_HIDDEN;
	copy->left = result == POLICY_READ ? duplicate(copy->file.text, copy->file.size) : NULL;
	copy->left_size = copy->file.size;
	if (!copy->hidden && !copy->left) {
		free_copy(copy);
		return NULL;
	}
	copy->next = check->copies;
	return check->copies = copy;
}

static enum policy_read read_copy(
	void *context, const char *path, size_t limit, struct policy_file *file, struct policy_why *why)
{
	struct check *check = context;
	struct copy *copy = check->copies;

	while (copy && strcmp(copy->path, path) != 0)
		copy = copy->next;
	if (!copy)
		copy = make_copy(check, path, limit, why);
	if (!copy || copy->hidden)
		return copy ? POLICY_HIDDEN : POLICY_REFUSED;
	*file = copy->file;
	file->size = copy->left_size;
	file->text = duplicate(copy->left, copy->left_size);
	if (!file->text || copy->left_size > limit) {
		snprintf(
			why->text, sizeof(why->text), file->text ? "the policy is larger than 4 MiB" : "out of memory");
		free(file->text);
		return POLICY_REFUSED;
	}
	if (path[strlen(path) - 1] != '/') /* a directory is no part of the policy */
		check->served[check->served_count++] = copy;
	return POLICY_READ;
}

/* A line of a text by its number from 1, without its newline. */
static struct word line_of(const char *text, size_t size, unsigned int number)
{
	const char *end = text + size, *newline = memchr(text, '\n', size);

	for (; newline && number > 1; number--) {
		text = newline + 1;
		newline = memchr(text, '\n', (size_t)(end - text));
	}
	return (struct word){text, (size_t)((newline ? newline : end) - text)};
}

/*
 * Leave a line out of what the loader is given; a last one that is cut short, which no blanks make whole, altogether.
 */
static void leave_out(struct copy *copy, const struct policy_error *error)
{
	const struct word line = line_of(copy->left, copy->left_size, error->line);
	const size_t at = (size_t)(line.at - copy->left), behind = copy->left_size - at - line.size;
	const size_t kept = line.size < POLICY_LINE_MAX ? line.size : POLICY_LINE_MAX;

	if (behind == 0 && error->column > line.size) {
		copy->left_size = at;
		return;
	}
	memset(copy->left + at, ' ', kept);
	memmove(copy->left + at + kept, line.at + line.size, behind);
	copy->left_size = at + kept + behind;
}

static void tell_of_line(struct copy *copy, struct policy_error *error, policy_tell *tell, void *context)
{
	const struct word line = line_of(copy->file.text, copy->file.size, error->line);

	explain_foreign(error, line);
	tell(context, error, line);
	leave_out(copy, error);
}

struct policy *policy_check(
	const struct policy_reader *reader, const char *path, policy_tell *tell, void *context, size_t *count)
{
	struct check check = {.reader = reader};
	const struct policy_reader copies = {read_copy, &check, reader->services};
	struct policy_error error = {.line = 1};
	struct policy *policy = NULL;

	*count = 0;
	while (!policy && error.line) {
		check.served_count = 0;
		policy = policy_load(&copies, path, &error);
		if (policy || ++*count > POLICY_ERRORS_MAX)
			break;
		if (error.line)
			tell_of_line(check.served[error.part], &error, tell, context);
		else
			tell(context, &error, (struct word){NULL, 0});
	}
	if (policy && *count > 0) {
		policy_free(policy);
		policy = NULL;
	}
	while (check.copies) {
		struct copy *copy = check.copies;

		check.copies = copy->next;
		free_copy(copy);
	}
	return policy;
}
