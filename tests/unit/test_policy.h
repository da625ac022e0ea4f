// SPDX-License-Identifier: MIT
/*
 * What the tests of policy/ share: files and accounts that live in tables, and verdicts as text, so that a test is a
 * table of inputs and of what should come of them. Nothing here may touch a file, or know how policy/ works inside.
 */
#ifndef TESTS_UNIT_TEST_POLICY_H
#define TESTS_UNIT_TEST_POLICY_H

/* cmocka.h needs the first four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* --- files -------------------------------------------------------------------------------------------------------- */

struct memory_file {
	const char *path; /* NULL: the end of a list of files */
	const char *text; /* of a refused file: why */
	size_t size;
	enum policy_read outcome;
};

/* TEXT takes a literal, which may hold NULs. */
#define TEXT(literal) (literal), sizeof(literal) - 1
#define FILE_OF(path, literal)                                                                                         \
	{                                                                                                              \
		path, TEXT(literal), POLICY_READ                                                                       \
	}
#define FILE_HIDDEN(path)                                                                                              \
	{                                                                                                              \
		path, NULL, 0, POLICY_HIDDEN                                                                           \
	}
#define FILE_REFUSED(path, why)                                                                                        \
	{                                                                                                              \
		path, why, 0, POLICY_REFUSED                                                                           \
	}
#define END_OF_FILES                                                                                                   \
	{                                                                                                              \
		NULL, NULL, 0, POLICY_READ                                                                             \
	}

static inline enum policy_read memory_read(
	void *context, const char *path, size_t limit, struct policy_file *file, struct policy_why *why)
{
	const struct memory_file *files = context, *found = files;

	while (found->path && strcmp(found->path, path) != 0)
		found++;
	if (!found->path) {
		snprintf(why->text, sizeof(why->text), "no such file");
		return POLICY_REFUSED;
	}
	if (found->outcome == POLICY_REFUSED)
		snprintf(why->text, sizeof(why->text), "%s", found->text);
	if (found->outcome != POLICY_READ)
		return found->outcome;
	if (found->size > limit) {
		snprintf(why->text, sizeof(why->text), "more than %d bytes in all", POLICY_BYTES_MAX);
		return POLICY_REFUSED;
	}
	/* Exactly as large as the text: reading a byte too many is for the sanitizers to see. */
	file->text = malloc(found->size ? found->size : 1);
	assert_non_null(file->text);
	if (found->size)
		memcpy(file->text, found->text, found->size);
	file->size = found->size;
	file->device = 1;
	file->inode = (uint64_t)(found - files) + 1;
	return POLICY_READ;
}

/*
 * Load the first of a list of files, in full or, without services, as the helper does. error receives the refusal as
 * one line, "" if there was none.
 */
static inline struct policy *memory_load_with(
	const struct policy_services *services, const struct memory_file *files, char error[static 512])
{
	union {
		const struct memory_file *files;
		void *context;
	} without_const = {files};
	struct policy_reader reader = {memory_read, without_const.context, services};
	struct policy_error refusal;
	struct policy *policy = policy_load(&reader, files->path, &refusal);

	error[0] = '\0';
	if (!policy)
		policy_error_print(&refusal, error, 512);
	return policy;
}

/* And in full. Whatever the helper refuses must be refused, and with the same words, as no test has two mistakes. */
static inline struct policy *memory_load(const struct memory_file *files, char error[static 512])
{
	char helpers[512];
	struct policy *policy = memory_load_with(&policy_services, files, error);

	policy_free(memory_load_with(NULL, files, helpers));
	if (helpers[0] && strcmp(helpers, error) != 0)
		print_error("the helper refuses %s\nand the tool    %s\n", helpers, error);
	assert_true(!helpers[0] || strcmp(helpers, error) == 0);
	return policy;
}

static inline struct policy *memory_load_text(const char *text, size_t size, char error[static 512])
{
	const struct memory_file files[] = {{"/p", text, size, POLICY_READ}, END_OF_FILES};

	return memory_load(files, error);
}

/* --- accounts ----------------------------------------------------------------------------------------------------- */

/* A user with its primary group, or a group with the uids that its list names. An entry without a name ends a list. */
struct memory_account {
	const char *name;
	uint32_t number;
	uint32_t primary;    /* of a user */
	uint32_t members[4]; /* of a group; 0 is nobody */
};

struct memory_accounts {
	const struct memory_account *users, *groups;
};

/* What they say to one caller, in room of a fixed size. */
struct memory_facts {
	struct policy_accounts accounts;
	struct policy_name lists[4][32];
};

static inline void memory_add(struct policy_names *names, const char *name, uint32_t number)
{
	assert_true(names->count <= 31);
	names->list[names->count++] = (struct policy_name){name, (uint32_t)strlen(name), number};
}

static inline bool memory_member(const struct memory_accounts *accounts, uint32_t uid, uint32_t gid)
{
	for (const struct memory_account *user = accounts->users; user->name; user++) {
		if (user->number == uid && user->primary == gid)
			return true;
	}
	for (const struct memory_account *group = accounts->groups; group->name; group++) {
		for (size_t i = 0; group->number == gid && i < COUNT(group->members); i++) {
			if (uid != 0 && group->members[i] == uid)
				return true;
		}
	}
	return false;
}

static inline bool memory_holds(const struct policy_caller *caller, uint32_t gid)
{
	size_t i = 0;

	while (i < caller->group_count && caller->groups[i] != gid)
		i++;
	return i < caller->group_count;
}

/* The caller with what the tables say to it, which lasts as long as *facts. */
static inline struct policy_caller memory_caller(
	const struct memory_accounts *accounts, struct policy_caller caller, struct memory_facts *facts)
{
	size_t listed = 0;

	*facts = (struct memory_facts){.accounts = {.unlisted = {true}}};
	for (size_t i = 0; i < 4; i++)
		(i < 2 ? &facts->accounts.all[i] : &facts->accounts.own[i - 2])->list = facts->lists[i];
	for (const struct memory_account *user = accounts->users; user->name; user++) {
		memory_add(&facts->accounts.all[ACCOUNT_USER], user->name, user->number);
		if (user->number != caller.uid)
			continue;
		memory_add(&facts->accounts.own[ACCOUNT_USER], user->name, user->number);
		memory_add(&facts->accounts.own[ACCOUNT_GROUP], "", user->primary);
		facts->accounts.unlisted[ACCOUNT_USER] = false;
	}
	for (const struct memory_account *group = accounts->groups; group->name; group++) {
		memory_add(&facts->accounts.all[ACCOUNT_GROUP], group->name, group->number);
		if (memory_holds(&caller, group->number) || memory_member(accounts, caller.uid, group->number))
			memory_add(&facts->accounts.own[ACCOUNT_GROUP], group->name, group->number);
	}
	for (size_t i = 0; i < caller.group_count; i++) {
		const struct memory_account *group = accounts->groups;

		while (group->name && group->number != caller.groups[i])
			group++;
		listed += group->name != NULL;
	}
	facts->accounts.unlisted[ACCOUNT_GROUP] = listed < caller.group_count;
	caller.accounts = &facts->accounts;
	return caller;
}

/* --- outcomes as text --------------------------------------------------------------------------------------------- */

static inline void print_options(const struct policy_options *options, char *buffer, size_t size)
{
	const struct {
		uint32_t option, value;
		const char *word;
	} numbers[] = {
		{OPTION_MAX, options->max, "max"},
		{OPTION_QUEUES, options->queues, "queues"},
		{OPTION_VLAN, options->vlan, "vlan"},
		{OPTION_MTU, options->mtu, "mtu"},
		{OPTION_LEASES, options->leases, "leases"},
	};
	const unsigned char *mac = options->mac;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		if (options->given & numbers[i].option)
			text_append(buffer, size, " %s=%u", numbers[i].word, numbers[i].value);
	}
	if (options->given & OPTION_MAC)
		text_append(buffer, size, " mac=%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			mac[5]);
	if (options->given & OPTION_ISOLATED)
		text_append(buffer, size, " isolated");
	if (options->given & OPTION_LOCK_MAC)
		text_append(buffer, size, " lock-mac");
	if (options->given & OPTION_GUARD)
		text_append(buffer, size, " guard");
	if (options->given & OPTION_LOCK_IP)
		text_append(buffer, size, " lock-ip");
}

/* "allowed /p:2 (allow br0 max=2) max=2", and behind it what else the verdict tells. */
static inline void print_verdict(const struct policy_verdict *verdict, char *buffer, size_t size)
{
	static const char *const words[] = {
		[POLICY_ALLOWED] = "allowed",
		[POLICY_DENIED] = "denied",
		[POLICY_DENIED_UNKNOWN] = "unknown",
		[POLICY_DENIED_DROPPED] = "dropped",
		[POLICY_DENIED_NO_RULE] = "no rule",
		[POLICY_ASKS_ACCOUNTS] = "asks",
	};

	buffer[0] = '\0';
	text_append(buffer, size, "%s", words[verdict->outcome]);
	if (verdict->file)
		text_append(buffer, size, " %s:%u (%.*s)", verdict->file, verdict->line, (int)verdict->rule.size,
			verdict->rule.at);
	print_options(&verdict->grants, buffer, size);
	if (verdict->unknown.at)
		text_append(buffer, size, " unknown=%.*s", (int)verdict->unknown.size, verdict->unknown.at);
	if (verdict->outcome == POLICY_DENIED_NO_RULE && verdict->skipped.at)
		text_append(buffer, size, " skipped=%s:%.*s@%s:%u",
			verdict->skipped_kind == ACCOUNT_USER ? "user" : "group", (int)verdict->skipped.size,
			verdict->skipped.at, verdict->skipped_file, verdict->skipped_line);
	if (verdict->network)
		text_append(buffer, size, " network=%s:%u", verdict->network->name, verdict->network->line);
	if (verdict->hidden)
		text_append(buffer, size, " hidden=%s", verdict->hidden);
}

/* Compare two outcomes; when they differ say so, with the input, and return 1 for the table's test to add up. */
static inline unsigned int differ(
	const char *input, size_t input_size, const char *about, const char *expected, const char *got)
{
	char shown[512] = "";

	if (strcmp(expected, got) == 0)
		return 0;
	text_append_escaped(shown, sizeof(shown), (struct word){input, input_size});
	print_error("input:    %s\n", shown);
	if (*about)
		print_error("about:    %s\n", about);
	print_error("expected: %s\ngot:      %s\n\n", *expected ? expected : "(no error)", *got ? got : "(no error)");
	return 1;
}

/* A row of a table of texts that load or are refused. */
struct policy_row {
	const char *text;
	size_t size;
	const char *error; /* the exact line; "" if the text loads */
};

static inline void check_policy_rows(const struct policy_row *rows, size_t count)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		char error[512];

		policy_free(memory_load_text(rows[i].text, rows[i].size, error));
		wrong += differ(rows[i].text, rows[i].size, "", rows[i].error, error);
	}
	assert_int_equal(wrong, 0);
}

#endif
