// SPDX-License-Identifier: MIT
/* What `tapgate check` finds: collected here, then shown to a person or to a program. */
#include "tool/tool.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Of a line that is kept: an error may be about one of megabytes, and all that is of interest is at its beginning. */
static const size_t SOURCE_MAX = POLICY_LINE_MAX + 256;

/* --- collecting --------------------------------------------------------------------------------------------------- */

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Room for one of a kind; NULL if there are enough, or memory ran out. */
__attribute__((format(printf, 3, 0))) static struct finding *add(
	struct findings *findings, enum finding_kind kind, const char *format, va_list arguments)
{
	struct finding *items, *finding;

	if (findings->found[kind]++ >= FINDINGS_MAX)
		return NULL;
	items = reallocarray(findings->items, findings->count + 1, sizeof(*items));
	if (!items) {
		findings->failed = true;
		return NULL;
	}
	findings->items = items;
	finding = &items[findings->count++];
	*finding = (struct finding){.kind = kind};
	if (vasprintf(&finding->text, format, arguments) < 0) {
		finding->text = NULL;
		findings->failed = true;
	}
	return finding;
}

void findings_add_at(
	struct findings *findings, enum finding_kind kind, const struct finding_place *place, const char *format, ...)
{
	char file[256] = "";
	struct finding *finding;
	va_list arguments;

	va_start(arguments, format);
	finding = add(findings, kind, format, arguments);
	va_end(arguments);
	if (!finding)
		return;
	text_append(file, sizeof(file), "%s", place->file);
	finding->file = copy(file);
	finding->line = place->line;
	finding->column = place->column;
	finding->part = place->part;
	if (!place->source.at)
		return;
	finding->source_size = place->source.size < SOURCE_MAX ? place->source.size : SOURCE_MAX;
	finding->source = malloc(finding->source_size + 1);
	if (finding->source)
		memcpy(finding->source, place->source.at, finding->source_size);
	else
		findings->failed = true;
}

void findings_add_live(struct findings *findings, enum finding_kind kind, const char *network, const char *check,
	const char *format, ...)
{
	struct finding *finding;
	va_list arguments;

	va_start(arguments, format);
	finding = add(findings, kind, format, arguments);
	va_end(arguments);
	if (!finding)
		return;
	finding->network = copy(network);
	finding->check = check;
}

void findings_add_note(struct findings *findings, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(findings, FINDING_NOTE, format, arguments);
	va_end(arguments);
}

/* By kind; warnings by place; errors as they were found, which is in the order of the files as they are read. */
static int compare(const void *first, const void *second)
{
	const struct finding *const *a = first, *const *b = second;

	if ((*a)->kind != (*b)->kind)
		return (*a)->kind < (*b)->kind ? -1 : 1;
	if ((*a)->kind == FINDING_WARNING && (*a)->part != (*b)->part)
		return (*a)->part < (*b)->part ? -1 : 1;
	if ((*a)->kind == FINDING_WARNING && (*a)->line != (*b)->line)
		return (*a)->line < (*b)->line ? -1 : 1;
	if ((*a)->kind == FINDING_WARNING && (*a)->column != (*b)->column)
		return (*a)->column < (*b)->column ? -1 : 1;
	return *a < *b ? -1 : 1;
}

/* All of them, in order; from malloc, NULL when memory ran out. */
static const struct finding **sorted(struct findings *findings)
{
	const struct finding **list = calloc(findings->count + 1, sizeof(const struct finding *));

	if (!list) {
		findings->failed = true;
		return NULL;
	}
	for (size_t i = 0; i < findings->count; i++)
		list[i] = &findings->items[i];
	qsort(list, findings->count, sizeof(const struct finding *), compare);
	return list;
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].text);
		free(findings->items[i].file);
		free(findings->items[i].source);
		free(findings->items[i].network);
	}
	free(findings->items);
	*findings = (struct findings){.items = NULL};
}

/* --- in lines ----------------------------------------------------------------------------------------------------- */

static const char *text_of(const struct finding *finding)
{
	return finding->text ? finding->text : "out of memory";
}

/* Whether the policy is what it is about, and not the host. */
static bool is_of_policy(const struct finding *finding)
{
	return finding->kind == FINDING_ERROR || finding->kind == FINDING_WARNING;
}

/* "/etc/tapgate.conf:7:3:" for the policy; for the host "tapgate:", with the network that it is about. */
static void print_place(const struct finding *finding, FILE *out)
{
	if (!is_of_policy(finding)) {
		fprintf(out, "tapgate:%s%s%s", finding->network ? " " : "", finding->network ? finding->network : "",
			finding->network ? ":" : "");
		return;
	}
	fprintf(out, "%s:", finding->file ? finding->file : "");
	if (finding->line)
		fprintf(out, "%u:", finding->line);
	if (finding->column)
		fprintf(out, "%u:", finding->column);
}

static void print_one(const struct finding *finding, FILE *out)
{
	static const char *const kinds[FINDING_KINDS] = {
		[FINDING_WARNING] = " warning:", [FINDING_LIVE_WARNING] = " warning:", [FINDING_NOTE] = " note:"};
	const bool colour = columns_colour(out), error = !kinds[finding->kind];
	const enum columns_style place = error ? COLUMNS_BAD : COLUMNS_PLAIN;

	fputs(columns_on(place, colour), out);
	print_place(finding, out);
	fputs(columns_off(place, colour), out);
	if (!error)
		fprintf(out, "%s%s%s", columns_on(COLUMNS_HEAD, colour), kinds[finding->kind],
			columns_off(COLUMNS_HEAD, colour));
	fprintf(out, " %s\n", text_of(finding));
	if (is_of_policy(finding) && finding->source)
		caret_write(out, (struct word){finding->source, finding->source_size}, finding->column);
}

void findings_print(struct findings *findings, FILE *out)
{
	static const char *const words[FINDING_KINDS] = {
		"errors", "warnings", "errors of the host", "warnings about the host", "notes"};
	const struct finding **list = sorted(findings);

	for (size_t i = 0; list && i < findings->count; i++) {
		enum finding_kind kind = list[i]->kind;

		print_one(list[i], out);
		if (findings->found[kind] > FINDINGS_MAX && (i + 1 == findings->count || list[i + 1]->kind != kind))
			fprintf(out, "tapgate: and more: these are the first %d %s\n", FINDINGS_MAX,
				kind < FINDING_KINDS ? words[kind] : "");
	}
	free(list);
}

/* --- as JSON ------------------------------------------------------------------------------------------------------ */

/* A byte of a policy's line: a tab as it is, else as all of somebody else's text is shown. */
struct shown_byte {
	char text[8];
};

static struct shown_byte show_byte(char byte)
{
	struct shown_byte shown = {""};

	if (byte == '\t')
		return (struct shown_byte){"\t"};
	text_append_plain(shown.text, sizeof(shown.text), (struct word){&byte, 1}, "");
	return shown;
}

/* The line with all but printable ASCII and tabs as \xNN: JSON takes no other bytes. */
static json_t *source_of(const struct finding *finding)
{
	char *text = finding->source ? malloc(finding->source_size * 4 + 1) : NULL;
	size_t size = 0;
	json_t *source;

	if (!text)
		return json_null();
	for (size_t i = 0; i < finding->source_size; i++)
		size = (size_t)(stpcpy(text + size, show_byte(finding->source[i]).text) - text);
	source = json_stringn(text, size);
	free(text);
	return source;
}

static json_t *number_or_null(unsigned int number)
{
	return number ? json_integer(number) : json_null();
}

static json_t *json_of(const struct finding *finding)
{
	if (finding->kind == FINDING_NOTE)
		return json_string(text_of(finding));
	if (finding->kind == FINDING_ERROR || finding->kind == FINDING_WARNING)
		return json_pack("{s:s?, s:o, s:o, s:s, s:o}", "file", finding->file, "line",
			number_or_null(finding->line), "column", number_or_null(finding->column), "text",
			text_of(finding), "source", source_of(finding));
	return json_pack("{s:s?, s:s, s:s, s:s}", "network", finding->network, "check", finding->check, "severity",
		finding->kind == FINDING_LIVE_ERROR ? "error" : "warning", "text", text_of(finding));
}

void findings_print_json(struct findings *findings, FILE *out)
{
	json_t *errors = json_array(), *warnings = json_array(), *live = json_array(), *notes = json_array();
	json_t *const lists[FINDING_KINDS] = {errors, warnings, live, live, notes};
	json_t *whole =
		json_pack("{s:o, s:o, s:o, s:o}", "errors", errors, "warnings", warnings, "live", live, "notes", notes);
	const struct finding **list = sorted(findings);

	for (size_t i = 0; list && i < findings->count; i++)
		json_array_append_new(lists[list[i]->kind], json_of(list[i]));
	json_dumpf(whole, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(whole);
	free(list);
}

/* --- caret -------------------------------------------------------------------------------------------------------- */

/* A line of a policy shown beneath a message about it, with a caret under the place. */

enum {
	SHOWN = 96,  /* bytes of a line that are shown at most, */
	BEFORE = 60, /* and how many of them before the column in a line that is cut at its beginning */
};

void caret_write(FILE *out, struct word line, unsigned int column)
{
	size_t at = column ? column - 1 : 0, start = at > SHOWN - SHOWN / 4 ? at - BEFORE : 0, end;

	if (at > line.size)
		at = line.size;
	if (start > line.size)
		start = line.size;
	end = line.size - start > SHOWN ? start + SHOWN : line.size;
	fputs(start ? "    ..." : "    ", out);
	for (size_t i = start; i < end; i++)
		fputs(show_byte(line.at[i]).text, out);
	fputs(end < line.size ? "...\n" : "\n", out);
	if (!column)
		return;
	fputs(start ? "       " : "    ", out);
	for (size_t i = start; i < at; i++)
		fputs(line.at[i] == '\t' ? "\t" : is_printable(line.at[i]) ? " " : "    ", out);
	fputs("^\n", out);
}
