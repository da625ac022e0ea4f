// SPDX-License-Identifier: MIT
/*
 * Warnings about rules: those that decide nothing, those that allow more than they seem to, and names that nobody has.
 *
 * It looks at the policy as it was loaded, never at its text, and asks the host through struct lint_host, so that tests
 * can answer in the host's place. Each finding has file, line and column.
 */
#include "cli/check/check.h"

#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* --- subjects ----------------------------------------------------------------------------------------------------- */

/* The subjects of all rules. A tree finds those about the same user at once, also among many thousands of rules. */

/* Who it is, whatever the rule is about. */
int lint_compare_who(const void *first, const void *second)
{
	const struct lint_subject *a = first, *b = second;

	if (a->who != b->who)
		return a->who < b->who ? -1 : 1;
	if (a->who == WHO_EVERYBODY)
		return 0;
	if (a->numbered != b->numbered)
		return a->numbered ? -1 : 1;
	if (a->numbered)
		return a->number == b->number ? 0 : a->number < b->number ? -1 : 1;
	if (a->name.size != b->name.size)
		return a->name.size < b->name.size ? -1 : 1;
	return memcmp(a->name.at, b->name.at, a->name.size);
}

/* The same, about one network, allowed or denied: wherever it stands. */
static int compare(const void *first, const void *second)
{
	const struct lint_subject *a = first, *b = second;
	int order = lint_compare_who(a, b);

	if (order == 0)
		order = strcmp(a->network, b->network);
	return order ? order : (int)a->allow - (int)b->allow;
}

struct collector {
	const struct lint_host *host;
	struct lint_subjects *subjects;
	struct lint_subject next;
};

static void keep(struct lint_subjects *subjects, const struct lint_subject *subject)
{
	if (subjects->count == subjects->room) {
		size_t room = subjects->room ? subjects->room * 2 : 64;
		struct lint_subject *list = reallocarray(subjects->list, room, sizeof(*list));

		if (!list) {
			subjects->failed = true;
			return;
		}
		subjects->list = list;
		subjects->room = room;
	}
	subjects->list[subjects->count++] = *subject;
}

static void keep_account(void *context, const struct policy_account_word *account)
{
	struct collector *collector = context;
	const struct lint_host *host = collector->host;
	struct lint_subject *next = &collector->next;
	enum policy_account kind = next->who == WHO_USERS ? ACCOUNT_USER : ACCOUNT_GROUP;

	next->number = account->number;
	next->name = account->name;
	next->at = account->at;
	next->numbered = !account->name.at ||
			 host->number(host->context, kind, account->name, true, &next->number) == LINT_FILES;
	keep(collector->subjects, next);
	next->index++;
}

/* Every subject of a policy's rules. False: memory ran out. lint_forget in either case. */
static bool lint_collect(const struct policy *policy, const struct lint_host *host, struct lint_subjects *subjects)
{
	*subjects = (struct lint_subjects){.list = NULL};
	for (size_t i = 0; i < policy_rule_count(policy) && !subjects->failed; i++) {
		const struct policy_rule rule = policy_rule(policy, i);
		struct collector collector = {host, subjects,
			{.who = rule.who, .network = rule.network, .allow = rule.allow, .rule = i, .at = rule.words}};

		if (rule.who == WHO_EVERYBODY)
			keep(subjects, &collector.next);
		else
			policy_each_account(policy, i, keep_account, &collector);
	}
	for (size_t i = 0; i < subjects->count && !subjects->failed; i++)
		subjects->failed = !tsearch(&subjects->list[i], &subjects->tree, compare);
	return !subjects->failed;
}

static void keep_item(void *item)
{
	(void)item; /* it is in the list */
}

static void lint_forget(struct lint_subjects *subjects)
{
	tdestroy(subjects->tree, keep_item);
	free(subjects->list);
}

/* --- saying ------------------------------------------------------------------------------------------------------- */

/* Which of the policy's files it is, in the order in which they are read. */
static size_t part_of(const struct policy *policy, const char *file)
{
	size_t part = 0;

	while (part + 1 < policy_part_count(policy) && strcmp(policy_part(policy, part).path, file) != 0)
		part++;
	return part;
}

/* Where something is said of the policy. */
struct spot {
	enum finding_kind kind;
	const char *file;
	unsigned int line, column;
	struct word source;
};

__attribute__((format(printf, 4, 0))) static void say(const struct policy *policy, struct findings *findings,
	const struct spot *spot, const char *format, va_list arguments)
{
	char escaped[256] = "", text[512];
	struct finding_place place = {escaped, spot->line, spot->column, spot->source, part_of(policy, spot->file)};

	text_append_escaped(escaped, sizeof(escaped), (struct word){spot->file, strlen(spot->file)});
	vsnprintf(text, sizeof(text), format, arguments);
	findings_add_at(findings, spot->kind, &place, "%s", text);
}

static struct spot spot_of(enum finding_kind kind, const struct policy_rule *rule, const char *at)
{
	return (struct spot){kind, rule->file, rule->line, (unsigned int)(at - rule->whole.at) + 1, rule->whole};
}

void lint_warn_rule(const struct policy *policy, struct findings *findings, const struct policy_rule *rule,
	const char *at, const char *format, ...)
{
	const struct spot spot = spot_of(FINDING_WARNING, rule, at);
	va_list arguments;

	va_start(arguments, format);
	say(policy, findings, &spot, format, arguments);
	va_end(arguments);
}

void lint_error_rule(const struct policy *policy, struct findings *findings, const struct policy_rule *rule,
	const char *at, const char *format, ...)
{
	const struct spot spot = spot_of(FINDING_ERROR, rule, at);
	va_list arguments;

	va_start(arguments, format);
	say(policy, findings, &spot, format, arguments);
	va_end(arguments);
}

void lint_warn_line(
	const struct policy *policy, struct findings *findings, const struct lint_spot *at, const char *format, ...)
{
	const struct spot spot = {
		FINDING_WARNING, at->file, at->line, at->column, policy_line(policy, at->file, at->line)};
	va_list arguments;

	va_start(arguments, format);
	say(policy, findings, &spot, format, arguments);
	va_end(arguments);
}

struct lint_place {
	char text[192];
};

/* A rule in a message: "/etc/tapgate.conf:12 (deny all group=guests)", both escaped and cut. */
static struct lint_place lint_place_of(const struct policy_rule *rule)
{
	struct lint_place place = {""};

	text_append_escaped(place.text, 100, (struct word){rule->file, strlen(rule->file)});
	text_append(place.text, sizeof(place.text), ":%u (", rule->line);
	text_append_escaped(place.text, sizeof(place.text) - 1, rule->words);
	text_append(place.text, sizeof(place.text), ")");
	return place;
}

/* --- looking for a subject ---------------------------------------------------------------------------------------- */

/* The first that is the same subject, in a rule about a network that allows, or denies; NULL if there is none. */
static const struct lint_subject *find(
	const struct lint_subjects *subjects, struct lint_subject wanted, const char *network, bool allow)
{
	void *node;

	wanted.network = network;
	wanted.allow = allow;
	node = tfind(&wanted, &subjects->tree, compare);
	return node ? *(const struct lint_subject **)node : NULL;
}

static bool is_before(const struct lint_subject *a, const struct lint_subject *b)
{
	return a->rule < b->rule || (a->rule == b->rule && a->index < b->index);
}

/*
 * The rule that keeps a subject's own rule from ever deciding, on the same network or on all; NULL if there is none.
 * An allow is kept by any deny of the subject, or of everybody, because a deny wins wherever it stands; and by an
 * earlier allow of the same subject, because the first of one kind counts (policy_decide). A deny is kept by an
 * earlier deny.
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

			/* If both a deny and an allow keep it, the deny is named. */
			if (counts && (!first || (first->allow && !found[j]->allow) ||
					      (first->allow == found[j]->allow && is_before(found[j], first))))
				first = found[j];
		}
	}
	return first;
}

/* A rule's subjects in the list, and for how many of them the rule never decides. */
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

/* --- users whose group is denied ---------------------------------------------------------------------------------- */

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
			"this rule never decides for %s: %s denies a group that this user is in, and a deny wins; remove one",
			QUOTED(user->at), lint_place_of(&by).text);
	}
}

/* --- rules that allow more than they seem to ---------------------------------------------------------------------- */

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
				"every user may join every bridge of this host, also those that are made later; name the networks, or whom it is for with user= or group=");
		else if (own)
			lint_warn_rule(policy, findings, &rule, rule.words.at,
				"'all' is every bridge of this host, not only the networks of this policy; write a rule for each network that is meant");
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
 * Beside a rule for everybody, a rule for some is of use if it grants something else, such as a higher max=. If it
 * grants the same, its writer probably believes that only those may use the network.
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
