/*
 * `tapgate check`: whether a policy is one, whether this host has place for its networks, what in it may be a mistake;
 * and with --live, what of the host keeps it from being true. Changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "cli/check/findings.h"
#include "cli/check/kernel.h"
#include "cli/check/lint.h"
#include "cli/check/live.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/networks/conflicts.h"
#include "cli/say.h"
#include "cli/session.h"
#include "cli/words.h"
#include "policy/text.h"

struct check {
	struct session session;
	struct policy *policy;
	struct findings findings;
};

static void keep_conflict(void *context, bool warning, const struct policy_error *error)
{
	struct check *check = context;
	const struct finding_place place = {
		error->file, error->line, error->column, policy_line(check->policy, error->file, error->line), 0};

	findings_add_at(&check->findings, warning ? FINDING_WARNING : FINDING_ERROR, &place, "%s", error->what);
}

static void lint(struct check *check)
{
	struct lint_host questions;
	struct lint_names *names = lint_ask_host(&check->session.host, &questions);

	if (names) {
		lint_rules(check->policy, &questions, &check->findings);
		lint_networks(check->policy, &questions, &check->findings);
		lint_files(check->policy, &check->findings);
		lint_kernel(check->policy, kernel_lacks(), &check->findings);
	} else {
		check->findings.failed = true;
	}
	lint_ask_no_more(names);
}

/* As it is after an installation. It is no mistake, so a note; what this user may not read may have such a rule. */
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

/* What a person is told when there is nothing to correct, or little. */
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
	if (check->policy) {
		conflicts_each(&check->session, check->policy, keep_conflict, check);
		lint(check);
		if (!check->findings.found[FINDING_ERROR])
			note_nobody(check, path ? path : POLICY_FILE);
	}
	if (words->given & WORD_LIVE)
		live_look(&check->session, check->policy, &check->findings);
	if (words->given & WORD_JSON) {
		findings_print_json(&check->findings, stdout);
	} else {
		findings_print(&check->findings, stderr);
		say_result(path ? path : POLICY_FILE, &check->findings);
	}
	return status_of(&check->findings, words->given & WORD_STRICT);
}

int command_check(int count, char **words)
{
	struct check all = {.session = {.lock = -1}};
	struct words parsed;
	int status;

	if (!words_parse(&parsed, "check", WORD_STRICT | WORD_LIVE | WORD_JSON, 1, count, words))
		return STATUS_USAGE;
	status = check(&all, parsed.name_count ? parsed.names[0] : NULL, &parsed);
	session_close(&all.session);
	policy_free(all.policy);
	findings_free(&all.findings);
	return status;
}
