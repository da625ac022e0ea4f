/* Whom rules are for, sorted, so that of many thousands of rules each finds those about the same user at once. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/lint.h"

/* --- collecting -------------------------------------------------------------------------------------------------- */

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

/* Who it is, whatever the rule is about. */
int lint_compare_who(const struct lint_subject *a, const struct lint_subject *b)
{
	int order;

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
	order = memcmp(a->name.at, b->name.at, a->name.size);
	return order;
}

static int compare(const struct lint_subject *a, const struct lint_subject *b)
{
	int order = lint_compare_who(a, b);

	if (order == 0)
		order = strcmp(a->network, b->network);
	if (order == 0)
		order = (int)a->allow - (int)b->allow;
	if (order == 0)
		order = a->rule == b->rule ? 0 : a->rule < b->rule ? -1 : 1;
	return order ? order : a->index == b->index ? 0 : a->index < b->index ? -1 : 1;
}

static int compare_pointers(const void *first, const void *second)
{
	const struct lint_subject *const *a = first, *const *b = second;

	return compare(*a, *b);
}

bool lint_collect(const struct policy *policy, const struct lint_host *host, struct lint_subjects *subjects)
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
	subjects->sorted = calloc(subjects->count + 1, sizeof(const struct lint_subject *));
	if (!subjects->sorted || subjects->failed)
		return false;
	for (size_t i = 0; i < subjects->count; i++)
		subjects->sorted[i] = &subjects->list[i];
	qsort(subjects->sorted, subjects->count, sizeof(const struct lint_subject *), compare_pointers);
	return true;
}

void lint_forget(struct lint_subjects *subjects)
{
	free(subjects->list);
	free(subjects->sorted);
}

size_t lint_lower_bound(const struct lint_subjects *subjects, const struct lint_subject *subject)
{
	size_t low = 0, high = subjects->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(subjects->sorted[middle], subject) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* --- saying ------------------------------------------------------------------------------------------------------ */

/* Warnings come in the order of the files, of the lines in each, and of the columns, which are below 65536. */
static uint64_t order_of(const struct policy *policy, const char *file, unsigned int line, unsigned int column)
{
	size_t part = 0;

	while (part + 1 < policy_part_count(policy) && strcmp(policy_part(policy, part).path, file) != 0)
		part++;
	return (uint64_t)part << 48 | (uint64_t)line << 16 | column;
}

__attribute__((format(printf, 7, 0))) static void warn(const struct policy *policy, struct findings *findings,
	const char *file, unsigned int line, unsigned int column, struct word source, const char *format,
	va_list arguments)
{
	char escaped[256] = "", text[512];
	struct finding_place place = {escaped, line, column, source, order_of(policy, file, line, column)};

	text_append_escaped(escaped, sizeof(escaped), (struct word){file, strlen(file)});
	vsnprintf(text, sizeof(text), format, arguments);
	findings_add_at(findings, FINDING_WARNING, &place, "%s", text);
}

void lint_warn_rule(const struct policy *policy, struct findings *findings, const struct policy_rule *rule,
	const char *at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	warn(policy, findings, rule->file, rule->line, (unsigned int)(at - rule->whole.at) + 1, rule->whole, format,
		arguments);
	va_end(arguments);
}

void lint_warn_line(const struct policy *policy, struct findings *findings, const char *file, unsigned int line,
	unsigned int column, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	warn(policy, findings, file, line, column, policy_line(policy, file, line), format, arguments);
	va_end(arguments);
}

struct lint_place lint_place_of(const struct policy_rule *rule)
{
	struct lint_place place = {""};

	text_append_escaped(place.text, 100, (struct word){rule->file, strlen(rule->file)});
	text_append(place.text, sizeof(place.text), ":%u (", rule->line);
	text_append_escaped(place.text, sizeof(place.text) - 1, rule->words);
	text_append(place.text, sizeof(place.text), ")");
	return place;
}
