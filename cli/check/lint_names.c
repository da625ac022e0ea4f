// SPDX-License-Identifier: MIT
/* Names of users and groups: those that nobody has, and those that tapgate-helper does not know. */
#include "cli/check/check.h"

#include <grp.h>
#include <pwd.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "judge/judge.h"
#include "policy/policy.h"
#include "policy/text.h"
#include "tool/tool.h"

static void warn_of_name(const struct policy *policy, const struct lint_host *host, const struct lint_subject *subject,
	struct findings *findings)
{
	const struct policy_rule rule = policy_rule(policy, subject->rule);
	bool user = subject->who == WHO_USERS;
	const char *kind = user ? "user" : "group", *file = user ? "/etc/passwd" : "/etc/group";
	const char *cure = user ? "correct the name, or make the user" : "correct the name, or make the group";
	uint32_t number = 0;

	if (!subject->numbered && word_number(subject->name, UINT32_MAX, &number))
		cure = "a number has '#' before it";
	if (subject->numbered) {
		lint_warn_rule(policy, findings, &rule, subject->at.at,
			"no %s has the number %u; correct it if it is a mistake", kind, subject->number);
	} else if (host->number(host->context, user ? ACCOUNT_USER : ACCOUNT_GROUP, subject->name, false, &number) ==
		   LINT_DIRECTORY) {
		if (subject->allow)
			lint_warn_rule(policy, findings, &rule, subject->at.at,
				"%s %s is not in %s, and tapgate-helper asks no directory service; write %s=#%u", kind,
				QUOTED(subject->name), file, kind, number);
		else
			lint_error_rule(policy, findings, &rule, subject->at.at,
				"%s %s is not in %s, and tapgate-helper asks no directory service: this denies every caller with a %s that is not there; write %s=#%u",
				kind, QUOTED(subject->name), file, kind, kind, number);
	} else if (subject->allow) {
		lint_warn_rule(policy, findings, &rule, subject->at.at,
			"there is no %s %s, so nobody is allowed by it; %s", kind, QUOTED(subject->name), cure);
	} else {
		lint_warn_rule(policy, findings, &rule, subject->at.at,
			"there is no %s %s, so everybody is denied whose %s's number is not in %s; correct the name, or write a number",
			kind, QUOTED(subject->name), kind, file);
	}
}

static void keep_item(void *item)
{
	(void)item; /* it is in the subjects' list */
}

/*
 * Warn of each name or number once, where it stands first. If a rule denies it, warn there: a deny of a name that
 * nobody has refuses others, an allow does nothing.
 */
void lint_names(const struct policy *policy, const struct lint_host *host, struct lint_subjects *subjects,
	struct findings *findings)
{
	void *tree = NULL;

	for (size_t i = 0; i < subjects->count; i++) {
		const struct lint_subject *subject = &subjects->list[i];
		struct lint_subject **first = tsearch(subject, &tree, lint_compare_who);

		if (!first) {
			findings->failed = true;
			break;
		}
		(*first)->by_name |= subject->numbered && subject->name.at;
		if (!(*first)->told || ((*first)->told->allow && !subject->allow))
			(*first)->told = subject;
	}
	tdestroy(tree, keep_item);
	for (size_t i = 0; i < subjects->count; i++) {
		const struct lint_subject *subject = subjects->list[i].told;

		if (!subject || subject->who == WHO_EVERYBODY || subjects->list[i].by_name ||
			(subject->numbered &&
				host->named(host->context, subject->who == WHO_USERS ? ACCOUNT_USER : ACCOUNT_GROUP,
					subject->number)))
			continue;
		warn_of_name(policy, host, subject, findings);
	}
}

/* --- the host as it is -------------------------------------------------------------------------------------------- */

struct lint_names {
	const struct host *host;
	struct policy_accounts accounts;
};

/* Ask the name service switch (nsswitch.conf(5)), directories included. The helper must not; this program may. */
static bool ask_directory(enum policy_account kind, struct word word, uint32_t *number)
{
	char name[256];
	struct passwd *user;
	struct group *group;

	if (word.size >= sizeof(name))
		return false;
	memcpy(name, word.at, word.size);
	name[word.size] = '\0';
	if (kind == ACCOUNT_USER) {
		user = getpwnam(name);
		*number = user ? user->pw_uid : 0;
		return user;
	}
	group = getgrnam(name);
	*number = group ? group->gr_gid : 0;
	return group;
}

static enum lint_name number_of(void *context, enum policy_account kind, struct word name, bool files, uint32_t *number)
{
	const struct lint_names *names = context;
	const struct policy_name *line = policy_find_name(&names->accounts.all[kind], name);

	if (line) {
		*number = line->number;
		return LINT_FILES;
	}
	return !files && ask_directory(kind, name, number) ? LINT_DIRECTORY : LINT_NOBODY;
}

static bool is_named(void *context, enum policy_account kind, uint32_t number)
{
	const struct lint_names *names = context;
	const struct policy_names *lines = &names->accounts.all[kind];

	for (size_t i = 0; i < lines->count; i++) {
		if (lines->list[i].number == number)
			return true;
	}
	return kind == ACCOUNT_USER ? getpwuid(number) != NULL : getgrgid(number) != NULL;
}

static size_t groups_of(void *context, uint32_t uid, uint32_t *groups, size_t room)
{
	const struct passwd *user = getpwuid(uid);
	int count = (int)room;

	(void)context;
	if (!user)
		return 0;
	if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
		count = (int)room; /* the first that there is room for */
	return (size_t)count;
}

static bool is_interface(void *context, const char *name)
{
	const struct lint_names *names = context;

	return host_interface(names->host, name);
}

struct lint_names *lint_ask_host(const struct host *host, struct lint_host *questions)
{
	struct lint_names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->host = host;
	accounts_read(&(struct policy_caller){.uid = 0}, &names->accounts);
	*questions = (struct lint_host){number_of, is_named, groups_of, is_interface, names};
	return names;
}

void lint_ask_no_more(struct lint_names *names)
{
	if (names)
		accounts_free(&names->accounts);
	free(names);
}
