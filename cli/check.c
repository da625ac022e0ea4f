// SPDX-License-Identifier: MIT
/*
 * `tapgate check`: finds errors in a policy, conflicts of its networks with the host, and what is probably a mistake;
 * with --live also what on the running host keeps the policy from working. Nothing that it makes for that outlives it.
 */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/check/check.h"
#include "networks/networks.h"
#include "policy/text.h"
#include "tool/tool.h"

struct check {
	struct session session;
	struct policy *policy;
	struct findings findings;
	uint32_t lacks; /* what the kernel does not have */
};

static void keep_conflict(void *context, enum finding_kind kind, const struct policy_error *error)
{
	struct check *check = context;
	const struct finding_place place = {
		error->file, error->line, error->column, policy_line(check->policy, error->file, error->line), 0};

	if (kind == FINDING_NOTE)
		findings_add_note(&check->findings, "%s:%u: %s", error->file, error->line, error->what);
	else
		findings_add_at(&check->findings, kind, &place, "%s", error->what);
}

static void lint(struct check *check)
{
	struct lint_host questions;
	struct lint_names *names = lint_ask_host(&check->session.host, &questions);

	if (names) {
		lint_rules(check->policy, &questions, &check->findings);
		lint_networks(check->policy, &questions, &check->findings);
		lint_files(check->policy, &check->findings);
		lint_kernel(check->policy, check->lacks, &check->findings);
	} else {
		check->findings.failed = true;
	}
	lint_ask_no_more(names);
}

/*
 * A policy that allows nobody anything is what an installation leaves. That is no mistake, so it is a note. Nothing is
 * noted where this user may not read a file: an allow may stand there.
 */
static void note_nobody(struct check *check, const char *path)
{
	const struct word name = {path, strlen(path)};
	size_t count;
	const struct policy_network *networks = policy_networks(check->policy, &count);

	for (size_t i = 0; i < policy_rule_count(check->policy); i++) {
		if (policy_rule(check->policy, i).allow)
			return;
	}
	if (!policy_hidden(check->policy))
		findings_add_note(&check->findings,
			"%s allows nobody anything yet; add a rule, as in 'allow %s user=alice' (see tapgate.conf(5))",
			QUOTED(name), count ? networks[0].name : "br0");
}

/* The last line for people, if there is no error. */
static void say_result(const char *file, const struct findings *findings)
{
	size_t warnings = findings->found[FINDING_WARNING] + findings->found[FINDING_LIVE_WARNING];

	if (findings->found[FINDING_ERROR] || findings->found[FINDING_LIVE_ERROR])
		return;
	if (warnings)
		printf("%s: no mistake found, %zu warning%s\n", file, warnings, warnings == 1 ? "" : "s");
	else
		printf("%s: no mistake found\n", file);
}

static int status_of(const struct findings *findings, bool strict)
{
	if (findings->failed)
		return say_error("out of memory"), STATUS_FAILED;
	if (findings->found[FINDING_ERROR])
		return STATUS_POLICY;
	if (findings->found[FINDING_LIVE_ERROR])
		return STATUS_FAILED;
	return strict && findings->found[FINDING_WARNING] + findings->found[FINDING_LIVE_WARNING] ? STATUS_FAILED
												  : STATUS_DONE;
}

static int check(struct check *check, const char *path, const struct words *words)
{
	check->policy = load_check(path, &check->findings);
	if ((check->policy || (words->given & WORD_LIVE)) && !session_open(&check->session, false))
		return STATUS_FAILED;
	check->lacks = kernel_lacks();
	if (check->policy) {
		conflicts_each(&check->session, check->policy, keep_conflict, check);
		lint(check);
		if (!check->findings.found[FINDING_ERROR])
			note_nobody(check, load_name(path));
	}
	if (words->given & WORD_LIVE)
		live_look(&check->session, check->policy, check->lacks, &check->findings);
	if (words->given & WORD_JSON) {
		findings_print_json(&check->findings, stdout);
	} else {
		findings_print(&check->findings, stderr);
		say_result(load_name(path), &check->findings);
	}
	return status_of(&check->findings, words->given & WORD_STRICT);
}

int command_check(const struct words *words)
{
	struct check all = {.session = {.lock = -1}};
	int status;

	status = check(&all, words->name_count ? words->names[0] : NULL, words);
	session_close(&all.session);
	policy_free(all.policy);
	findings_free(&all.findings);
	return status;
}
