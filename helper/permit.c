#include "helper/permit.h"

#include <errno.h>
#include <string.h>

#include "helper/accounts.h"
#include "helper/files.h"
#include "helper/subids.h"

#define POLICY_FILE SYSCONFDIR "/tapgate.conf"

/* What the language has and this helper does not give: a request that needs it is refused, never served without. */
static const struct {
	enum policy_option option;
	const char *word;
} not_given[] = {
	{OPTION_MAC, "mac="},
	{OPTION_VLAN, "vlan="},
	{OPTION_MTU, "mtu="},
	{OPTION_ISOLATED, "isolated"},
	{OPTION_LOCK_MAC, "lock-mac"},
	{OPTION_GUARD, "guard"},
};

static bool can_give(const struct policy_options *options, const char *file, unsigned int line, struct outcome *outcome)
{
	for (size_t i = 0; i < sizeof(not_given) / sizeof(*not_given); i++) {
		if (options->given & not_given[i].option)
			return refuse(outcome, EXIT_POLICY,
				"%s:%u asks for '%s', which this version of tapgate-helper does not give", file, line,
				not_given[i].word);
	}
	return true;
}

static bool can_give_all(const struct policy_verdict *verdict, struct outcome *outcome)
{
	const struct policy_network *network = verdict->network;

	if (!can_give(&verdict->grants, verdict->file, verdict->line, outcome))
		return false;
	if (!network)
		return true;
	if (network->mode != MODE_BRIDGED)
		return refuse(outcome, EXIT_POLICY,
			"network '%s' is %s by %s:%u, and this version of tapgate-helper joins only bridged ones",
			network->name, policy_mode_name(network->mode), network->file, network->line);
	return can_give(&network->options, network->file, network->line, outcome);
}

static bool deny_no_rule(const char *network, uint32_t uid, const char *hidden, struct outcome *outcome)
{
	struct word file = {hidden, hidden ? strlen(hidden) : 0};

	if (hidden)
		return refuse(outcome, EXIT_DENIED,
			"uid %u may not use '%s': no rule that this user may read allows it (%s is not readable); an "
			"administrator can add 'allow %s user=#%u' to " POLICY_FILE,
			uid, network, QUOTED(file), network, uid);
	return refuse(outcome, EXIT_DENIED,
		"uid %u may not use '%s': no rule allows it; an administrator can add 'allow %s user=#%u' "
		"to " POLICY_FILE,
		uid, network, network, uid);
}

static bool judge(const struct policy_verdict *verdict, const char *network, uint32_t uid, const char *rule,
	struct outcome *outcome)
{
	switch (verdict->outcome) {
	case POLICY_ALLOWED:
		return (uid == 0 || subids_exclude(uid, outcome)) && can_give_all(verdict, outcome);
	case POLICY_DENIED:
		return refuse(outcome, EXIT_DENIED, "uid %u may not use '%s': denied by %s", uid, network, rule);
	case POLICY_DENIED_UNKNOWN:
		return refuse(outcome, EXIT_DENIED,
			"uid %u may not use '%s': denied by %s, where %s is in no account file and may be this caller; "
			"an administrator can write its '#number'",
			uid, network, rule, QUOTED(verdict->unknown));
	case POLICY_DENIED_DROPPED:
		return refuse(outcome, EXIT_DENIED,
			"uid %u may not use '%s': %s is for a group of this user's that this process does not hold; "
			"log in again, or start it with that group",
			uid, network, rule);
	case POLICY_DENIED_NO_RULE:
		break;
	}
	return deny_no_rule(network, uid, verdict->hidden, outcome);
}

/* "/etc/tapgate.conf:12 (deny all group=guests)" */
static void describe_rule(const struct policy_verdict *verdict, char *buffer, size_t size)
{
	buffer[0] = '\0';
	if (!verdict->file)
		return;
	text_append_escaped(buffer, size, (struct word){verdict->file, strlen(verdict->file)});
	text_append(buffer, size, ":%u (", verdict->line);
	text_append_escaped(buffer, size - 1, verdict->rule);
	text_append(buffer, size, ")");
}

bool permit_request(
	const char *network, const struct policy_caller *caller, struct permit *permit, struct outcome *outcome)
{
	const struct policy_reader reader = {.read = files_read};
	struct policy_error error;
	char problem[512];
	struct policy *policy = policy_load(&reader, POLICY_FILE, &error);
	struct accounts *accounts;
	struct policy_accounts questions;
	struct policy_verdict verdict;
	bool permitted;

	if (!policy) {
		policy_error_print(&error, problem, sizeof(problem));
		if (!error.line && strcmp(error.what, strerror(ENOENT)) == 0)
			text_append(
				problem, sizeof(problem), "; an administrator can create it, of root's and mode 0644");
		return refuse(outcome, EXIT_POLICY, "%s", problem);
	}
	accounts = accounts_new(caller->uid);
	if (!accounts) {
		policy_free(policy);
		return refuse(outcome, EXIT_SYSTEM, "out of memory");
	}
	questions = accounts_questions(accounts);
	verdict = policy_decide(policy, network, caller, &questions);
	describe_rule(&verdict, permit->rule, sizeof(permit->rule));
	permit->max = verdict.grants.max;
	permitted = accounts_failed(accounts)
			    ? refuse(outcome, EXIT_SYSTEM, "cannot read /etc/passwd and /etc/group whole")
			    : judge(&verdict, network, caller->uid, permit->rule, outcome);
	accounts_free(accounts);
	policy_free(policy);
	return permitted;
}
