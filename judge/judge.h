// SPDX-License-Identifier: MIT
/* What root wrote, and who asks: policy and account files that can be believed, the caller, and what it may have. */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "judge/exit_code.h"
#include "policy/policy.h"

/* --- outcome ------------------------------------------------------------------------------------------------------ */

struct outcome {
	enum exit_code code;
	char text[640];
};

/* Record why the request is refused. Always false, so that steps can return it. The first reason stays. */
bool refuse(struct outcome *outcome, enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a call that failed: ": " and the error's text are appended. error: an errno value, of either sign. */
bool refuse_errno(struct outcome *outcome, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- trust -------------------------------------------------------------------------------------------------------- */

/*
 * Whether others than a directory's owner can put something else in an entry's place: not where they cannot write the
 * directory; nor where it is sticky and the entry is root's, which they can neither rename nor remove then, nor rename
 * another over it (inode(7), rename(2); __check_sticky, fs/namei.c). An entry that only looks like one of the owner's,
 * as ids from outside of a user namespace all look alike, does not hold.
 */
bool trust_holds(const struct stat *directory, const struct stat *entry);

/* --- files -------------------------------------------------------------------------------------------------------- */

/* A policy_reader's function; takes no context. The rules of trust are in tapgate.conf(5). */
enum policy_read files_read(
	void *context, const char *path, size_t limit, struct policy_file *file, struct policy_why *why);

/* --- accounts ----------------------------------------------------------------------------------------------------- */

/*
 * Read both files, for a caller. False if one could not be read whole, so that nothing in it counts: a group that seems
 * to be without members is a lost deny. accounts_free in either case.
 */
bool accounts_read(const struct policy_caller *caller, struct policy_accounts *accounts);
void accounts_free(struct policy_accounts *accounts);

/* --- subids ------------------------------------------------------------------------------------------------------- */

/* Whether a user id is nobody's subordinate by /etc/subuid; refused otherwise, or if the file cannot be read. */
bool subids_exclude(uint32_t uid, struct outcome *outcome);

/* --- permit ------------------------------------------------------------------------------------------------------- */

/* What a caller is granted. Nothing in it points into the policy. */
struct permit {
	bool granted; /* whether the caller may use the network; else all below says what is known of a refusal */
	/* The rule's, and the network's where the rule says nothing; `given` has those that the mode implies, too. */
	struct policy_options options;
	uint32_t by_rule;	       /* of these, the ones that the rule gave */
	char rule[96];		       /* the rule's place and words, escaped, for messages and the log */
	struct policy_network network; /* its line; where there is none, a bridged one's. `file` is NULL */
	char place[128];	       /* the line's place, "/etc/tapgate.conf:3", escaped; empty if there is none */
};

/* What gave an option, or another one that implies it: the rule, the network's line, or else the network's mode. */
enum permit_source { BY_RULE, BY_LINE, BY_MODE };
enum permit_source permit_source(const struct permit *permit, enum policy_option option);

/* The same for messages: the rule, the line's place, or the mode's name. */
const char *permit_place(const struct permit *permit, enum policy_option option);

/*
 * All of it for one request: load, decide, and whether the queues that it asks for are within what is granted. What the
 * request asks for besides is for others to hold against *permit.
 */
bool permit_request(const char *network, uint32_t queues, const struct policy_caller *caller, struct permit *permit,
	struct outcome *outcome);

/*
 * Load /etc/tapgate.conf; NULL if it is refused, with the reason recorded. What decides is what the helper reads, which
 * is with NULL for the services (policy_load).
 */
struct policy *permit_load(const struct policy_services *services, struct outcome *outcome);

/*
 * Whether the policy allows a network to a caller, and is one that a tap can be made by: no option is left out. If not,
 * the reason is recorded. The verdict, which points into the policy, and *permit are filled as far as a rule or a line
 * says anything.
 */
struct policy_verdict permit_decide(const struct policy *policy, const char *network,
	const struct policy_caller *caller, struct permit *permit, struct outcome *outcome);

#endif
