// SPDX-License-Identifier: MIT
/* What the files of `tapgate check` share: warnings of a policy alone, and of a policy on this host (--live). */
#ifndef CLI_CHECK_CHECK_H
#define CLI_CHECK_CHECK_H

#include <stdint.h>

#include "policy/policy.h"
#include "tool/tool.h"

/* --- kernel ------------------------------------------------------------------------------------------------------- */

/* Beside options: the programs by which the helper keeps a tap and the host apart (link.h, tc). */
#define KERNEL_LACKS_PROGRAMS (1U << 31)

/*
 * Which of the options isolated, lock-mac, guard and vlan= (enum policy_option), and of the above, this kernel does not
 * have, whatever the bridge. 0 as well where it cannot be asked: that takes root, or user namespaces for everybody.
 */
uint32_t kernel_lacks(void);

/* --- lint --------------------------------------------------------------------------------------------------------- */

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

/* Warnings about rules (lint.c), and about networks and files (lint_host.c). */
void lint_rules(const struct policy *policy, const struct lint_host *host, struct findings *findings);
void lint_networks(struct policy *policy, const struct lint_host *host, struct findings *findings);
void lint_files(const struct policy *policy, struct findings *findings);

/* Options that the kernel does not have (cli/check/lint_host.c): errors, as the helper refuses what they are for. */
void lint_kernel(const struct policy *policy, uint32_t lacks, struct findings *findings);

/* --- what these share --------------------------------------------------------------------------------------------- */

/* A user or group that a rule names, or everybody. A name that /etc/passwd or /etc/group has stands by its number. */
struct lint_subject {
	enum policy_who who;
	bool numbered;
	uint32_t number;
	struct word name; /* if not numbered: no file has it */
	const char *network;
	bool allow;
	size_t rule, index; /* index: in the rule's list */
	struct word at;	    /* as it stands there; for everybody the rule's words */

	/* Of the first that is the same, for lint_names: whether one is called by name; which one to warn of. */
	bool by_name;
	const struct lint_subject *told;
};

struct lint_subjects {
	struct lint_subject *list; /* in the order of the rules */
	size_t count, room;
	void *tree; /* (tsearch(3)) of each subject, network, and allow or deny the first in the list */
	bool failed;
};

/* Whether two (struct lint_subject) are the same user or group, whatever is said of them; an order for tsearch(3). */
int lint_compare_who(const void *first, const void *second);

/* Users and groups that do not exist, or that tapgate-helper does not know. */
void lint_names(const struct policy *policy, const struct lint_host *host, struct lint_subjects *subjects,
	struct findings *findings);

/* Of a rule, at a part of its words; of a line of which only the number is known; of a file. */
void lint_warn_rule(const struct policy *policy, struct findings *findings, const struct policy_rule *rule,
	const char *at, const char *format, ...) __attribute__((format(printf, 5, 6)));
void lint_error_rule(const struct policy *policy, struct findings *findings, const struct policy_rule *rule,
	const char *at, const char *format, ...) __attribute__((format(printf, 5, 6)));
struct lint_spot {
	const char *file;
	unsigned int line, column; /* 0: the file, or the line, as a whole */
};
void lint_warn_line(const struct policy *policy, struct findings *findings, const struct lint_spot *at,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The host as it is, for lint_host: names by the name service switch, interfaces of a picture of the host. */
struct host;
struct lint_names;
struct lint_names *lint_ask_host(const struct host *host, struct lint_host *questions);
void lint_ask_no_more(struct lint_names *names);

/* --- live --------------------------------------------------------------------------------------------------------- */

/*
 * Look at all of it; policy NULL: it is not one, and only what does not depend on it is looked at. lacks: what
 * kernel_lacks() says.
 */
void live_look(struct session *session, const struct policy *policy, uint32_t lacks, struct findings *findings);

/* --- its parts ---------------------------------------------------------------------------------------------------- */

struct live {
	struct session *session;
	const struct policy *policy;
	struct findings *findings;
	bool hidden; /* something was not shown to this user */
	bool served; /* the service answers: what takes the setuid bit's effect away keeps nobody from a tap */
};

/* "tapgate: warning: ..." about a network, or about none (NULL). */
#define LIVE_WARN(live, network, check, ...)                                                                           \
	findings_add_live((live)->findings, FINDING_LIVE_WARNING, network, check, __VA_ARGS__)
#define LIVE_ERROR(live, check, ...) findings_add_live((live)->findings, FINDING_LIVE_ERROR, NULL, check, __VA_ARGS__)

/* Networks as `tapgate status` sees them, and who is on them: cli/check/live_networks.c. */
void live_networks(struct live *live);

/* Bridges that are not ours to make, and the ports of all: cli/check/live_networks.c. */
void live_bridges(struct live *live);

/* Whether the policy has users join an interface that is not tapgate's to make: a bridged network, or a rule alone. */
bool live_is_foreign(const struct policy *policy, const char *interface);

/* Whether whoever calls is shown a tap on a network, or (NULL) whatever is there (load_shows). */
bool live_shows(const struct live *live, const char *network, const struct link_interface *tap);

/* Whether there is such a file below an interface's directory in /sys/class/net. */
bool live_has(const char *interface, const char *file);

#endif
