// SPDX-License-Identifier: MIT
/*
 * The policy's word on a caller and a network, with the reason in the words that the caller is told; and how a request
 * ends.
 *
 * The helper acts on it and `tapgate explain` shows it: neither has a judgement of its own. Files are opened with the
 * rights of the process, so whoever judges another user becomes that user first.
 */
#include "judge/judge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"

#define POLICY_FILE SYSCONFDIR "/tapgate.conf"

/*
 * Whether the network is one that can give what is asked for. (On the network's own line the parser refuses such
 * options, and on rules that name it: this is for rules for all.)
 */
static bool can_give(const struct policy_verdict *verdict, const struct permit *permit, struct outcome *outcome)
{
	const uint32_t lacking = permit->options.given & policy_network_lacks(&permit->network);

	return !lacking ||
	       refuse(outcome, EXIT_POLICY,
		       "%s:%u asks for '%s' on '%s', %s; an administrator can give its users a rule of their own",
		       verdict->file, verdict->line, policy_option_row(lacking)->word, permit->network.name,
		       permit->network.mode == MODE_STANDALONE ? "which is a standalone network and has no bridge"
		       : policy_option_row(lacking) == policy_option_row(OPTION_LOCK_IP)
			       ? "which has no 'dhcp=', or has 'ra', so that nobody gives its guests their addresses"
			       : "whose bridge has no spanning tree and no VLANs");
}

/* No rule decides: what an administrator can do depends on why, as far as the caller may know it. */
static bool refuse_without_rule(
	const struct policy_verdict *verdict, uint32_t uid, const char *network, struct outcome *outcome)
{
	char who[16] = "root";

	if (uid)
		snprintf(who, sizeof(who), "#%u", uid);
	if (verdict->hidden)
		return refuse(outcome, EXIT_DENIED,
			strcmp(verdict->hidden, POLICY_FILE) == 0
				? "uid %u may not use '%s': no rule that this user may read allows it (%s is not readable); an administrator can run: chmod 644 " POLICY_FILE
				: "uid %u may not use '%s': no rule that this user may read allows it (%s is not readable); an administrator can add 'allow %s user=%s' to " POLICY_FILE,
			uid, network, QUOTED(((struct word){verdict->hidden, strlen(verdict->hidden)})), network, who);
	if (verdict->skipped.at)
		return refuse(outcome, EXIT_DENIED,
			verdict->skipped_kind == ACCOUNT_USER
				? "uid %u may not use '%s': no rule allows it, and the user %s of %s is not in /etc/passwd; an administrator can write its number there, user=#NUMBER (getent passwd)"
				: "uid %u may not use '%s': no rule allows it, and the group %s of %s is not in /etc/group; an administrator can write its number there, group=#NUMBER (getent group)",
			uid, network, QUOTED(verdict->skipped), PLACE(verdict->skipped_file, verdict->skipped_line));
	return refuse(outcome, EXIT_DENIED,
		verdict->named
			? "uid %u may not use '%s': no rule allows it; an administrator can add 'allow %s user=%s' to " POLICY_FILE
			: "uid %u may not use '%s': no rule allows it, and the policy has no network of that name; see: tapgate networks (of a bridge, an administrator can add 'allow %s user=%s' to " POLICY_FILE
			  ")",
		uid, network, network, who);
}

static bool judge(
	const struct policy_verdict *verdict, uint32_t uid, const struct permit *permit, struct outcome *outcome)
{
	const char *network = permit->network.name, *rule = permit->rule;

	switch (verdict->outcome) {
	case POLICY_ALLOWED:
		return (uid == 0 || subids_exclude(uid, outcome)) && can_give(verdict, permit, outcome);
	case POLICY_DENIED:
		return refuse(outcome, EXIT_DENIED, "uid %u may not use '%s': denied by %s", uid, network, rule);
	case POLICY_DENIED_UNKNOWN:
		return refuse(outcome, EXIT_DENIED,
			"uid %u may not use '%s': denied by %s, where %s is in no account file and may be this caller; an administrator can write its '#number'",
			uid, network, rule, QUOTED(verdict->unknown));
	case POLICY_DENIED_DROPPED:
		return refuse(outcome, EXIT_DENIED,
			"uid %u may not use '%s': %s is for a group of this user's that this process does not hold; log in again (user managers that linger, tmux and libvirt's session daemon keep the old groups until they end), or start it with that group",
			uid, network, rule);
	case POLICY_ASKS_ACCOUNTS:
		return refuse(outcome, EXIT_SYSTEM, "cannot read /etc/passwd and /etc/group whole");
	case POLICY_DENIED_NO_RULE:
		break;
	}
	return refuse_without_rule(verdict, uid, network, outcome);
}

enum permit_source permit_source(const struct permit *permit, enum policy_option option)
{
	uint32_t options = option;

	for (size_t i = 0; i < POLICY_OPTION_COUNT; i++)
		options |= policy_option_rows[i].implies & option ? 1U << i : 0;
	return permit->by_rule & options ? BY_RULE : permit->network.options.given & options ? BY_LINE : BY_MODE;
}

const char *permit_place(const struct permit *permit, enum policy_option option)
{
	const char *const places[] = {permit->rule, permit->place, policy_mode_name(permit->network.mode)};

	return places[permit_source(permit, option)];
}

static void keep_options(const struct policy_options *rule, struct permit *permit)
{
	const enum policy_mode mode = permit->network.mode;
	struct policy_options *options = &permit->options;

	*options = *rule;
	options->given |= permit->network.options.given;
	for (size_t i = 0; i < POLICY_OPTION_COUNT; i++) {
		const struct policy_option_row *row = &policy_option_rows[i];

		if (policy_option_is_number(row) && !*policy_option_at(row, options))
			*policy_option_at(row, options) = *policy_option_at(row, &permit->network.options);
		options->given |= options->given & 1U << i ? row->implies : 0;
	}
	if (!options->queues)
		options->queues = 1;
	/* A bridge that tapgate makes has the MTU of its line, and its taps follow it: only a rule says another. */
	if (!rule->mtu && policy_is_managed(&permit->network) && mode != MODE_STANDALONE) {
		options->mtu = 0;
		options->given &= ~(uint32_t)OPTION_MTU;
	}
	if (policy_mode_is_apart(mode))
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
		permit->network.policy = NULL;
		permit->network.copied = true;
		text_append(permit->place, sizeof(permit->place), "%s", PLACE(line->file, line->line));
	}
	snprintf(permit->network.name, sizeof(permit->network.name), "%s", network);
	keep_options(&verdict->grants, permit);
}

struct policy *permit_load(const struct policy_services *services, struct outcome *outcome)
{
	const struct policy_reader reader = {.read = files_read, .services = services};
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

struct policy_verdict permit_decide(const struct policy *policy, const char *network,
	const struct policy_caller *caller, struct permit *permit, struct outcome *outcome)
{
	struct policy_verdict verdict = policy_decide(policy, network, caller);
	struct policy_accounts accounts;
	struct policy_caller known = *caller;

	if (verdict.outcome == POLICY_ASKS_ACCOUNTS) {
		known.accounts = accounts_read(caller, &accounts) ? &accounts : NULL;
		verdict = policy_decide(policy, network, &known);
		accounts_free(&accounts);
	}
	keep(&verdict, network, permit);
	permit->granted = judge(&verdict, caller->uid, permit, outcome);
	return verdict;
}

bool permit_request(const char *network, uint32_t queues, const struct policy_caller *caller, struct permit *permit,
	struct outcome *outcome)
{
	struct policy *policy = permit_load(NULL, outcome);

	if (!policy)
		return false;
	permit_decide(policy, network, caller, permit, outcome);
	policy_free(policy);
	if (!permit->granted)
		return false;
	if (queues > permit->options.queues)
		return refuse(outcome, EXIT_LIMIT,
			"uid %u may have %u queue%s on '%s', not %u, by %s; ask for fewer, or have queues= raised",
			caller->uid, permit->options.queues, permit->options.queues == 1 ? "" : "s", network, queues,
			permit->rule);
	return true;
}

/* --- outcome ------------------------------------------------------------------------------------------------------ */

/*
 * How a request ends: the helper's exit code and one line of text.
 *
 * Errors are recorded here when they happen. The helper tells them when its last capability is gone, and writes text
 * nowhere else; `tapgate explain` tells what the helper would.
 */

bool refuse(struct outcome *outcome, enum exit_code code, const char *format, ...)
{
	va_list args;

	if (outcome->code)
		return false;
	outcome->code = code;
	va_start(args, format);
	vsnprintf(outcome->text, sizeof(outcome->text), format, args);
	va_end(args);
	return false;
}

bool refuse_errno(struct outcome *outcome, int error, const char *format, ...)
{
	char what[sizeof(outcome->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return refuse(outcome, EXIT_SYSTEM, "%s: %s", what, strerror(abs(error)));
}
