/*
 * What `tapgate check --live` looks at: the running host, beside what the policy wants of it. Each finding names the
 * cause and the way out. What keeps every request from being served is an error, all else a warning.
 */
#ifndef CLI_CHECK_LIVE_H
#define CLI_CHECK_LIVE_H

#include "cli/check/findings.h"
#include "cli/session.h"
#include "policy/policy.h"

/* Look at all of it; policy NULL: it is not one, and only what does not depend on it is looked at. */
void live_look(struct session *session, const struct policy *policy, struct findings *findings);

/* --- its parts --------------------------------------------------------------------------------------------------- */

struct live {
	struct session *session;
	const struct policy *policy;
	struct findings *findings;
	bool hidden; /* something was not shown to this user */
};

/* "tapgate: warning: ..." about a network, or about none (NULL). */
#define LIVE_WARN(live, network, check, ...)                                                                           \
	findings_add_live((live)->findings, FINDING_LIVE_WARNING, network, check, __VA_ARGS__)
#define LIVE_ERROR(live, check, ...) findings_add_live((live)->findings, FINDING_LIVE_ERROR, NULL, check, __VA_ARGS__)

/* The helper's program, and what it needs: cli/check/live_helper.c. */
void live_helper(struct live *live);

/* What any program that is started from here can have of privileges: cli/check/live_rights.c. helper: shown. */
void live_rights(struct live *live, const char *helper, bool has_capability);

/* Whether a file of that owner is root's, also as it is seen in a user namespace without root (user_namespaces(7)). */
bool live_is_roots(uid_t owner);

/* Networks as `tapgate status` sees them, and who is on them: cli/check/live_networks.c. */
void live_networks(struct live *live);

/* Bridges that are not ours to make, and the ports of all: cli/check/live_bridges.c. */
void live_bridges(struct live *live);

/* Other people's firewalls and network managers: cli/check/live_firewall.c. */
void live_firewall(struct live *live);

/* Whether the policy has users join an interface that is not tapgate's to make: a bridged network, or a rule alone. */
bool live_is_foreign(const struct policy *policy, const char *interface);

/* Whether there is such a file below an interface's directory in /sys/class/net. */
bool live_has(const char *interface, const char *file);

#endif
