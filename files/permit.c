#include "files/permit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "files/accounts.h"
#include "files/files.h"
#include "files/subids.h"

#define POLICY_FILE SYSCONFDIR "/tapgate.conf"

/*
 * Whether the network is one that can give what is asked for. (On the network's own line the parser refuses such
 * options, and on rules that name it: this is for rules for all.)
 */
static bool can_give(const struct policy_verdict *verdict, const struct permit *permit, struct outcome *outcome)
{
	const uint32_t lacking = permit->options.given & policy_mode_lacks(permit->network.mode);

	return !lacking ||
	       refuse(outcome, EXIT_POLICY,
		       "%s:%u asks for '%s' on '%s', %s; an administrator can give its users a rule of their own",
		       verdict->file, verdict->line, policy_option_name(lacking), permit->network.name,
		       permit->network.mode == MODE_STANDALONE ? "which is a standalone network and has no bridge"
							       : "whose bridge has no spanning tree and no VLANs");
}

static bool judge(
	const struct policy_verdict *verdict, uint32_t uid, const struct permit *permit, struct outcome *outcome)
{
	const char *network = permit->network.name, *rule = permit->rule, *hidden = verdict->hidden;

	switch (verdict->outcome) {
	case POLICY_ALLOWED:
		return (uid == 0 || subids_exclude(uid, outcome)) && can_give(verdict, permit, outcome);
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
			"log in again (user managers that linger, tmux and libvirt's session daemon keep the old "
			"groups until they end), or start it with that group",
			uid, network, rule);
	case POLICY_ASKS_ACCOUNTS:
		return refuse(outcome, EXIT_SYSTEM, "cannot read /etc/passwd and /etc/group whole");
	case POLICY_DENIED_NO_RULE:
		break;
	}
	if (hidden)
		return refuse(outcome, EXIT_DENIED,
			"uid %u may not use '%s': no rule that this user may read allows it (%s is not readable); an "
			"administrator can add 'allow %s user=#%u' to " POLICY_FILE,
			uid, network, QUOTED(((struct word){hidden, strlen(hidden)})), network, uid);
	return refuse(outcome, EXIT_DENIED,
		"uid %u may not use '%s': no rule allows it; an administrator can add 'allow %s user=#%u' "
		"to " POLICY_FILE,
		uid, network, network, uid);
}

const char *permit_place(const struct permit *permit, enum policy_option option)
{
	if (permit->by_rule & option)
		return permit->rule;
	if ((permit->network.options.given & option) ||
		(option == OPTION_LOCK_MAC && (permit->network.options.given & OPTION_LOCK_IP)))
		return permit->place;
	return permit->by_rule & OPTION_MAC ? permit->rule : policy_mode_name(permit->network.mode);
}

bool permit_is_managed(const struct permit *permit)
{
	return permit->network.mode != MODE_BRIDGED;
}

static void keep_options(const struct policy_options *rule, struct permit *permit)
{
	const struct policy_options *line = &permit->network.options;
	struct policy_options *options = &permit->options;

	*options = *rule;
	options->given |= line->given;
	if (!options->queues)
		options->queues = line->queues ? line->queues : 1;
	if (!options->vlan)
		options->vlan = line->vlan;
	/* The bridges that tapgate makes have the MTU of their line, and the taps follow them. */
	if (!options->mtu && (!permit_is_managed(permit) || permit->network.mode == MODE_STANDALONE))
		options->mtu = line->mtu;
	if (!options->mtu)
		options->given &= ~(uint32_t)OPTION_MTU;
	options->leases = line->leases;
	/* What the guest's address is, it is held to; and to an IP address by that. */
	if ((rule->given & OPTION_MAC) || (options->given & OPTION_LOCK_IP))
		options->given |= OPTION_LOCK_MAC;
	if (permit->network.mode == MODE_NAT)
		options->given |= OPTION_ISOLATED;
}

/* What the verdict says, as values: the policy is gone when they are needed. */
static void keep(const struct policy_verdict *verdict, const char *network, struct permit *permit)
{
	const struct policy_network *line = verdict->network;

	*permit = (struct permit){.by_rule = verdict->grants.given, .network = {.mode = MODE_BRIDGED}};
	if (verdict->file) { /* "/etc/tapgate.conf:12 (deny all group=guests)" */
		text_append(permit->rule, sizeof(permit->rule), "%s (", PLACE(verdict->file, verdict->line));
		text_append_escaped(permit->rule, sizeof(permit->rule) - 1, verdict->rule);
		text_append(permit->rule, sizeof(permit->rule), ")");
	}
	if (line) {
		permit->network = *line;
		permit->network.file = NULL;
		text_append(permit->place, sizeof(permit->place), "%s", PLACE(line->file, line->line));
	}
	snprintf(permit->network.name, sizeof(permit->network.name), "%s", network);
	keep_options(&verdict->grants, permit);
}

struct policy *permit_load(struct outcome *outcome)
{
	const struct policy_reader reader = {.read = files_read};
	struct policy_error error;
	char problem[sizeof(outcome->text)];
	struct policy *policy = policy_load(&reader, POLICY_FILE, &error);

	if (policy)
		return policy;
	policy_error_print(&error, problem, sizeof(problem));
	if (!error.line && strcmp(error.what, strerror(ENOENT)) == 0)
		text_append(problem, sizeof(problem), "; an administrator can create it, of root's and mode 0644");
	refuse(outcome, EXIT_POLICY, "%s", problem);
	return NULL;
}

bool permit_decide(const struct policy *policy, const char *network, const struct policy_caller *caller,
	struct policy_verdict *verdict, struct permit *permit, struct outcome *outcome)
{
	struct policy_accounts accounts;
	struct policy_caller known = *caller;

	*verdict = policy_decide(policy, network, caller);
	if (verdict->outcome == POLICY_ASKS_ACCOUNTS) {
		known.accounts = accounts_read(caller, &accounts) ? &accounts : NULL;
		*verdict = policy_decide(policy, network, &known);
		accounts_free(&accounts);
	}
	keep(verdict, network, permit);
	return judge(verdict, caller->uid, permit, outcome);
}

bool permit_request(const char *network, uint32_t queues, const struct policy_caller *caller, struct permit *permit,
	struct outcome *outcome)
{
	struct policy *policy = permit_load(outcome);
	struct policy_verdict verdict;
	bool permitted = policy && permit_decide(policy, network, caller, &verdict, permit, outcome);

	policy_free(policy);
	if (permitted && queues > permit->options.queues)
		return refuse(outcome, EXIT_LIMIT,
			"uid %u may have %u queue%s on '%s', not %u, by %s; ask for fewer, or have queues= raised",
			caller->uid, permit->options.queues, permit->options.queues == 1 ? "" : "s", network, queues,
			permit->rule);
	return permitted;
}
