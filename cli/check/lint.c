#include "cli/check/lint.h"

#include <stdlib.h>
#include <string.h>

/* --- rules that decide nothing ----------------------------------------------------------------------------------- */

/* The first that is the same subject, in a rule about a network that allows, or denies; NULL if there is none. */
static const struct lint_subject *find(
	const struct lint_subjects *subjects, struct lint_subject wanted, const char *network, bool allow)
{
	size_t at;

	wanted.network = network;
	wanted.allow = allow;
	wanted.rule = wanted.index = 0;
	at = lint_lower_bound(subjects, &wanted);
	if (at == subjects->count || lint_compare_who(subjects->sorted[at], &wanted) != 0 ||
		strcmp(subjects->sorted[at]->network, network) != 0 || subjects->sorted[at]->allow != allow)
		return NULL;
	return subjects->sorted[at];
}

static bool is_before(const struct lint_subject *a, const struct lint_subject *b)
{
	return a->rule < b->rule || (a->rule == b->rule && a->index < b->index);
}

/*
 * What decides for a subject, so that its own rule never does: any deny of it, or of everybody, where the rule allows,
 * as a deny wins wherever it stands; an earlier one where the rule denies; an earlier allow of the same user or group,
 * as of those of one kind the first counts (policy_decide). On the same network or on all. NULL if nothing does.
 */
static const struct lint_subject *decides_before(
	const struct lint_subjects *subjects, const struct lint_subject *subject)
{
	const char *const networks[] = {subject->network, ""};
	const struct lint_subject everybody = {.who = WHO_EVERYBODY};
	const struct lint_subject *first = NULL;

	for (size_t i = 0; i < 2; i++) {
		const struct lint_subject *const found[] = {find(subjects, *subject, networks[i], false),
			find(subjects, everybody, networks[i], false), find(subjects, *subject, networks[i], true)};

		for (size_t j = 0; j < 3; j++) {
			bool counts = found[j] && (subject->allow ? j < 2 || is_before(found[j], subject)
								  : j < 2 && is_before(found[j], subject));

			/* A deny is what is said, if there is one. */
			if (counts && (!first || (first->allow && !found[j]->allow) ||
					      (first->allow == found[j]->allow && is_before(found[j], first))))
				first = found[j];
		}
	}
	return first;
}

/* A rule's subjects in the list, and how many others decide for before it. */
struct span {
	const struct lint_subject *first;
	size_t count, decided;
};

static struct span span_of(const struct lint_subjects *subjects, size_t *at)
{
	struct span span = {.first = &subjects->list[*at]};

	for (; *at < subjects->count && subjects->list[*at].rule == span.first->rule; ++*at, span.count++)
		span.decided += decides_before(subjects, &subjects->list[*at]) != NULL;
	return span;
}

static const char *what_it_does(const struct lint_subject *other, const struct lint_subject *subject)
{
	return other->allow == subject->allow
		       ? (other->allow ? "allows the same before it" : "denies the same before it")
		       : "denies the same, and a deny wins";
}

static void warn_of_span(const struct policy *policy, const struct lint_subjects *subjects, const struct span *span,
	struct findings *findings)
{
	const struct policy_rule rule = policy_rule(policy, span->first->rule);
	const struct lint_subject *other = decides_before(subjects, span->first);

	if (span->decided == span->count && other && other->rule != span->first->rule) {
		const struct policy_rule by = policy_rule(policy, other->rule);

		lint_warn_rule(policy, findings, &rule, rule.words.at, "this rule never decides: %s %s; remove one",
			lint_place_of(&by).text, what_it_does(other, span->first));
		return;
	}
	for (size_t i = 0; i < span->count && span->decided; i++) {
		const struct lint_subject *subject = &span->first[i];

		other = decides_before(subjects, subject);
		if (!other)
			continue;
		if (other->rule == subject->rule) {
			lint_warn_rule(policy, findings, &rule, subject->at.at, "%s for the second time in this rule",
				QUOTED(subject->at));
		} else {
			const struct policy_rule by = policy_rule(policy, other->rule);

			lint_warn_rule(policy, findings, &rule, subject->at.at,
				"this rule never decides for %s: %s %s; remove one", QUOTED(subject->at),
				lint_place_of(&by).text, what_it_does(other, subject));
		}
	}
}

/* --- users whose group is denied --------------------------------------------------------------------------------- */

enum { GROUPS_MAX = 1024 };

static bool denies_groups(const struct lint_subjects *subjects)
{
	for (size_t i = 0; i < subjects->count; i++) {
		if (subjects->list[i].who == WHO_GROUPS && !subjects->list[i].allow)
			return true;
	}
	return false;
}

/* The rule that denies a user the network by one of the user's groups; NULL if none does. */
static const struct lint_subject *denied_by_group(
	const struct lint_subjects *subjects, const struct lint_host *host, const struct lint_subject *user)
{
	uint32_t groups[GROUPS_MAX];
	size_t count = host->groups(host->context, user->number, groups, GROUPS_MAX);

	for (size_t i = 0; i < count; i++) {
		const struct lint_subject group = {.who = WHO_GROUPS, .numbered = true, .number = groups[i]};
		const struct lint_subject *own = find(subjects, group, user->network, false),
					  *all = find(subjects, group, "", false);

		if (own || all)
			return own ? own : all;
	}
	return NULL;
}

static void warn_of_groups(const struct policy *policy, const struct lint_subjects *subjects,
	const struct lint_host *host, struct findings *findings)
{
	bool some = denies_groups(subjects);

	for (size_t i = 0; i < subjects->count && some; i++) {
		const struct lint_subject *user = &subjects->list[i], *group = NULL;
		struct policy_rule rule, by;

		if (user->who == WHO_USERS && user->allow && user->numbered && !decides_before(subjects, user))
			group = denied_by_group(subjects, host, user);
		if (!group)
			continue;
		rule = policy_rule(policy, user->rule);
		by = policy_rule(policy, group->rule);
		lint_warn_rule(policy, findings, &rule, user->at.at,
			"this rule never decides for %s: %s denies a group that this user is in, and a deny wins; "
			"remove one",
			QUOTED(user->at), lint_place_of(&by).text);
	}
}

/* --- rules that allow more than they seem to --------------------------------------------------------------------- */

static bool has_own_networks(const struct policy *policy)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (networks[i].mode != MODE_BRIDGED)
			return true;
	}
	return false;
}

static void warn_of_all(const struct policy *policy, struct findings *findings)
{
	bool own = has_own_networks(policy);

	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		const struct policy_rule rule = policy_rule(policy, i);

		if (!rule.allow || rule.network[0])
			continue;
		if (rule.who == WHO_EVERYBODY)
			lint_warn_rule(policy, findings, &rule, rule.words.at,
				"every user may join every bridge of this host, also those that are made later; name "
				"the "
				"networks, or whom it is for with user= or group=");
		else if (own)
			lint_warn_rule(policy, findings, &rule, rule.words.at,
				"'all' is every bridge of this host, not only the networks of this policy; write a "
				"rule "
				"for each network that is meant");
	}
}

/* The first rule that allows a network to everybody; NULL if there is none. */
static const struct lint_subject *allows_everybody(const struct lint_subjects *subjects, const char *network)
{
	const struct lint_subject everybody = {.who = WHO_EVERYBODY};
	const struct lint_subject *own = find(subjects, everybody, network, true),
				  *all = find(subjects, everybody, "", true);

	return !own || (all && is_before(all, own)) ? all : own;
}

/*
 * A rule for some beside one for everybody is of use if it grants something else, such as a higher max=. Where it does
 * not, whoever wrote it takes the network to be theirs alone.
 */
static void warn_of_everybody(
	const struct policy *policy, const struct lint_subjects *subjects, struct findings *findings)
{
	bool *said = calloc(policy_rule_count(policy) + 1, sizeof(*said));

	for (size_t i = 0; said && i < subjects->count; i++) {
		const struct lint_subject *subject = &subjects->list[i], *everybody;
		struct policy_rule rule, wide;

		everybody = subject->allow && subject->who != WHO_EVERYBODY && !decides_before(subjects, subject)
				    ? allows_everybody(subjects, subject->network)
				    : NULL;
		if (!everybody || said[everybody->rule])
			continue;
		rule = policy_rule(policy, subject->rule);
		wide = policy_rule(policy, everybody->rule);
		if (memcmp(rule.options, wide.options, sizeof(*rule.options)) != 0)
			continue;
		said[everybody->rule] = true;
		lint_warn_rule(policy, findings, &wide, wide.words.at,
			"everybody is allowed here, so %s restricts nobody; remove one", lint_place_of(&rule).text);
	}
	findings->failed |= !said;
	free(said);
}

void lint_rules(const struct policy *policy, const struct lint_host *host, struct findings *findings)
{
	struct lint_subjects subjects;
	size_t at = 0;

	if (!lint_collect(policy, host, &subjects)) {
		findings->failed = true;
		lint_forget(&subjects);
		return;
	}
	while (at < subjects.count) {
		struct span span = span_of(&subjects, &at);

		warn_of_span(policy, &subjects, &span, findings);
	}
	warn_of_groups(policy, &subjects, host, findings);
	warn_of_all(policy, findings);
	warn_of_everybody(policy, &subjects, findings);
	lint_names(policy, host, &subjects, findings);
	lint_forget(&subjects);
}
