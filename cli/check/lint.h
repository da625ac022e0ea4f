/*
 * What a policy says that it may not mean: rules that decide nothing, or more than they seem to; names that nobody has.
 *
 * Looks at the policy as it was loaded, never at its text, and at the host through questions, so that tests can answer
 * them. Each finding is a warning with file, line and column.
 */
#ifndef CLI_CHECK_LINT_H
#define CLI_CHECK_LINT_H

#include "cli/check/findings.h"
#include "policy/policy.h"

enum lint_name {
	LINT_NOBODY,	/* no source of names has it */
	LINT_FILES,	/* /etc/passwd or /etc/group has it */
	LINT_DIRECTORY, /* they do not, and another source of the name service switch does */
};

/* What lint asks of the host. */
struct lint_host {
	/* Who knows a name, and its number. Names in /etc/passwd and /etc/group only, if `files`. */
	enum lint_name (*number)(
		void *context, enum policy_account kind, struct word name, bool files, uint32_t *number);
	/* Whether any source has a name for a number. */
	bool (*named)(void *context, enum policy_account kind, uint32_t number);
	/* The groups that a user is in, at most `room` of them; how many. */
	size_t (*groups)(void *context, uint32_t uid, uint32_t *groups, size_t room);
	bool (*interface)(void *context, const char *name);
	void *context;
};

/* All of it: rules (lint.c), whom they name (lint_names.c), what networks and files they rest on (lint_places.c). */
void lint_rules(const struct policy *policy, const struct lint_host *host, struct findings *findings);
void lint_networks(struct policy *policy, const struct lint_host *host, struct findings *findings);
void lint_files(const struct policy *policy, struct findings *findings);

/* Options that the kernel does not have (cli/check/kernel.h): errors, as tapgate-helper refuses what they are for. */
void lint_kernel(const struct policy *policy, uint32_t lacks, struct findings *findings);

/* --- what these share -------------------------------------------------------------------------------------------- */

/* A user or group that a rule names, or everybody; one that is the same by name and by number is told by the number. */
struct lint_subject {
	enum policy_who who;
	bool numbered;
	uint32_t number;
	struct word name; /* if not numbered: no file has it */
	const char *network;
	bool allow;
	size_t rule, index; /* index: in the rule's list */
	struct word at;	    /* as it stands there; for everybody the rule's words */
};

struct lint_subjects {
	struct lint_subject *list; /* in the order of the rules */
	size_t count, room;
	const struct lint_subject **sorted; /* by who, number or name, network, allow, rule, index */
	bool failed;
};

/* Every subject of a policy's rules. False: memory ran out. lint_forget in either case. */
bool lint_collect(const struct policy *policy, const struct lint_host *host, struct lint_subjects *subjects);
void lint_forget(struct lint_subjects *subjects);

/* The first in the sorted list that is not before a subject: as many members as `compare` looks at. */
int lint_compare_who(const struct lint_subject *a, const struct lint_subject *b);
size_t lint_lower_bound(const struct lint_subjects *subjects, const struct lint_subject *subject);

/* Users and groups that do not exist, or that tapgate-helper does not know. */
void lint_names(const struct policy *policy, const struct lint_host *host, const struct lint_subjects *subjects,
	struct findings *findings);

/* A warning about a rule, at a part of its words; about a line of which only the number is known; about a file. */
void lint_warn_rule(const struct policy *policy, struct findings *findings, const struct policy_rule *rule,
	const char *at, const char *format, ...) __attribute__((format(printf, 5, 6)));
void lint_warn_line(const struct policy *policy, struct findings *findings, const char *file, unsigned int line,
	unsigned int column, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* A rule in a message: "/etc/tapgate.conf:12 (deny all group=guests)", both escaped and cut. */
struct lint_place {
	char text[192];
};
struct lint_place lint_place_of(const struct policy_rule *rule);

/* The host as it is, for lint_host: names by the name service switch, interfaces of a picture of the host. */
struct host;
struct lint_names;
struct lint_names *lint_ask_host(const struct host *host, struct lint_host *questions);
void lint_ask_no_more(struct lint_names *names);

#endif
