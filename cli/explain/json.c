/* An explanation for programs. What the members mean is in tapgate(8), and does not change. */
#include "cli/explain/explain.h"

/* NULL as null. */
static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *rule_of(const struct explain_answer *answer)
{
	if (!answer->rule_line)
		return json_null();
	return json_pack(
		"{s:s, s:i, s:s}", "file", answer->rule_file, "line", (int)answer->rule_line, "text", answer->rule);
}

static json_t *line_of(const struct explain_answer *answer)
{
	if (!answer->line_line)
		return json_null();
	return json_pack("{s:s, s:i}", "file", answer->line_file, "line", (int)answer->line_line);
}

static json_t *verdict_of(const struct explain_answer *answer)
{
	const struct outcome *outcome = &answer->outcome;

	return json_pack("{s:s, s:b, s:i, s:o, s:o, s:s, s:o}", "name", answer->permit.network.name, "allowed",
		outcome->code == EXIT_SENT, "code", (int)outcome->code, "reason", text_or_null(outcome->text), "rule",
		rule_of(answer), "mode", policy_mode_name(answer->permit.network.mode), "line", line_of(answer));
}

static void add_grant(void *list, const char *word, const char *value, enum explain_by by)
{
	static const char *const words[] = {[BY_RULE] = "rule", [BY_LINE] = "line", [BY_MODE] = "mode"};

	json_array_append_new(
		list, json_pack("{s:s, s:o, s:s}", "option", word, "value", text_or_null(value), "by", words[by]));
}

json_t *explain_json(const struct explained *explained)
{
	const struct permit *permit = &explained->answer->permit;
	const struct report *report = &explained->report;
	json_t *object = verdict_of(explained->answer), *grants = json_array(), *found;

	explain_each_grant(permit, add_grant, grants);
	found = json_pack("{s:o, s:o, s:i, s:i, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "grants", grants, "max",
		permit->options.max ? json_integer(permit->options.max) : json_null(), "used", (int)explained->used,
		"orphans", (int)explained->orphans, "state", report_state_word(report->state), "difference",
		text_or_null(report->difference), "guard", report_guard_word(report->guard), "guest",
		text_or_null(explained->guest), "mac", text_or_null(explained->mac), "qemu",
		text_or_null(explained->qemu), "run", text_or_null(explained->run), "helper",
		text_or_null(explained->helper));
	json_object_update(object, found);
	json_decref(found);
	return object;
}

json_t *explain_json_refusal(const struct explain_answer *answer)
{
	return verdict_of(answer);
}
