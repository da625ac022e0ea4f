// SPDX-License-Identifier: MIT
/*
 * Files -> lines: includes, bounds, and the bytes that may stand in a line. What a line means is rules.c's and
 * networks.c's concern.
 */
#include "policy/internal.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS	 "*.conf" /* the files of a directory that are parts of a policy */
#define TOO_MANY "more than 64 files"

static bool load_file(const struct line *include, struct word name);

/* Bytes below a blank end a word, too: but for the tab they may stand nowhere, and check_bytes refuses the line. */
bool line_word(struct line *line, struct word *word)
{
	const char *at = line->at, *end = line->end;

	while (at < end && (unsigned char)*at <= ' ')
		at++;
	word->at = at;
	while (at < end && (unsigned char)*at > ' ')
		at++;
	word->size = (size_t)(at - word->at);
	line->at = at;
	return word->size > 0;
}

/* A problem of a file as a whole: told at the path of the include that names it, or at the file itself. */
static bool refuse_file(const struct line *include, struct word name, const char *why)
{
	struct policy_error *error = include->error;

	if (include->number)
		return line_refuse(include, include->at, "cannot include %s: %s", QUOTED(name), why);
	*error = (struct policy_error){0};
	text_append_escaped(error->file, sizeof(error->file), name);
	text_append(error->what, sizeof(error->what), "%s", why);
	return false;
}

/* Whether a place is in the value of user= or group=. */
static bool names_account(const struct line *line, const char *at)
{
	const char *word = at;

	while (word > line->start && (unsigned char)word[-1] > ' ')
		word--;
	return (at - word >= 5 && memcmp(word, "user=", 5) == 0) || (at - word >= 6 && memcmp(word, "group=", 6) == 0);
}

/* Refuse the bytes that may stand nowhere, and outside comments all but printable ASCII and blanks. */
static bool check_bytes(const struct line *line, bool comment)
{
	for (const char *at = line->start;; at++) {
		unsigned char byte;

		while (at < line->end && *at >= ' ' && *at <= '~') /* nearly all there is: keep this loop short */
			at++;
		if (at == line->end)
			return true;
		byte = (unsigned char)*at;
		if (byte == '\t' || (comment && byte >= 0x80))
			continue;
		if (byte == '\r')
			return line_refuse(line, at, "carriage return, expected lines that end in a newline alone");
		if (line->number == 1 && at == line->start && line->end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
			return line_refuse(line, at, "byte order mark, expected plain text");
		return line_refuse(line, at, "byte 0x%02x, expected printable ASCII%s", byte,
			byte >= 0x80 && names_account(line, at)
				? ", and '#number' for a user or group with other letters"
				: "");
	}
}

/*
 * Read what is at a path, which *path receives as a string. What the caller may not read is noted, and *path is NULL
 * then, as when it is refused.
 */
static enum policy_read read_path(const struct line *include, struct word name, char **path, struct policy_file *file)
{
	struct policy *policy = include->policy;
	struct policy_why why = {"out of memory"};
	enum policy_read result = POLICY_REFUSED;

	*path = strndup(name.at, name.size);
	if (*path)
		result = include->reader->read(
			include->reader->context, *path, POLICY_BYTES_MAX - policy->byte_count, file, &why);
	if (result == POLICY_READ)
		return result;
	if (result == POLICY_HIDDEN && !policy->hidden)
		policy->hidden = *path;
	else
		free(*path);
	*path = NULL;
	if (result == POLICY_REFUSED)
		refuse_file(include, name, why.text);
	return result;
}

static int compare_names(const void *first, const void *second)
{
	const char *const *a = first, *const *b = second;

	return strcmp(*a, *b);
}

/* The files of a directory, whose name ends in '/', in the order of their names' bytes. Without any it says nothing. */
static bool load_directory(const struct line *include, struct word name)
{
	const char *parts[POLICY_FILES_MAX], *end;
	struct policy_file list = {0};
	char *directory;
	enum policy_read result = read_path(include, name, &directory, &list);
	size_t count = 0;
	bool loaded = true;

	if (result != POLICY_READ)
		return result == POLICY_HIDDEN;
	end = list.text + list.size;
	for (const char *at = list.text; at < end && loaded; at += strlen(at) + 1) {
		if (fnmatch(PARTS, at, FNM_PERIOD) != 0)
			continue;
		loaded = count < POLICY_FILES_MAX || refuse_file(include, name, TOO_MANY);
		if (loaded)
			parts[count++] = at;
	}
	qsort(parts, count, sizeof(*parts), compare_names);
	for (size_t i = 0; i < count && loaded; i++) {
		char *path = NULL;
		const int size = asprintf(&path, "%s%s", directory, parts[i]);

		loaded = size > 0 && load_file(include, (struct word){path, (size_t)size});
		free(path);
	}
	free(directory);
	free(list.text);
	return loaded;
}

/* An include: the rest of the line, trimmed, is the path. */
static bool parse_include(struct line *line)
{
	const size_t tail = strlen(PARTS);
	const char *pattern;
	struct word path;

	if (!line_word(line, &path))
		return line_refuse(line, line->at, "no path, expected the absolute path of a file");
	if (*path.at != '/')
		return line_refuse(line, path.at, "relative path, expected the absolute path of a file");
	line->at = path.at;
	path.size = (size_t)(line->end - path.at);
	while (path.at[path.size - 1] == ' ' || path.at[path.size - 1] == '\t')
		path.size--;
	pattern = memchr(path.at, '*', path.size);
	if (!pattern && path.at[path.size - 1] != '/')
		return load_file(line, path);
	if (pattern && pattern[-1] == '/' &&
		word_is((struct word){pattern, path.size - (size_t)(pattern - path.at)}, PARTS))
		return load_directory(line, (struct word){path.at, path.size - tail});
	return line_refuse(line, path.at,
		"%s, expected a file, or the files of a directory as in /etc/tapgate.d/" PARTS,
		pattern ? "pattern" : "directory");
}

static bool parse_line(struct line *line)
{
	struct word verb;
	bool some, comment;

	if (line->end - line->start > POLICY_LINE_MAX)
		return line_refuse(line, line->start + POLICY_LINE_MAX, "line goes on, expected at most %d bytes",
			POLICY_LINE_MAX);
	if (repeat_rule(line))
		return true;
	some = line_word(line, &verb);
	comment = some && *verb.at == '#';
	if (!check_bytes(line, comment))
		return false;
	if (!some || comment)
		return true;
	if (word_is(verb, "allow") || word_is(verb, "deny"))
		return parse_rule(line, verb);
	if (word_is(verb, "network"))
		return parse_network(line);
	if (word_is(verb, "include"))
		return parse_include(line);
	if (word_is(verb, "guest") || word_is(verb, "forward"))
		return check_form(line, word_is(verb, "forward")) &&
		       (!line->reader->services || line->reader->services->later(line, word_is(verb, "forward")));
	return line_refuse(line, verb.at,
		"unknown word %s, expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#'",
		QUOTED(verb));
}

/*
 * Whether a line may be the last one without a newline. A file that is cut short loses a deny, and what is left of its
 * last line may say more than the whole: "allow br0 user=alice" less the user. QEMU's bridge.conf has no such words;
 * many are written without that newline, and QEMU's helper grants by them as they are. So a rule there may be the end.
 */
static bool may_end_here(const struct line *line)
{
	const struct policy *policy = line->policy;
	const struct rule *rule = policy->count.rules ? &policy->rules[policy->count.rules - 1] : NULL;
	const char *name = strrchr(policy->paths[line->file], '/');

	return name && strcmp(name, "/bridge.conf") == 0 && rule && rule->file == line->file &&
	       rule->line == line->number && rule->who == WHO_EVERYBODY && !rule->options;
}

/* What has no path, as '<stdin>', is written with a newline next time. */
static bool refuse_end(struct line *line, struct word path)
{
	if (*path.at == '<')
		return line_refuse(line, line->end,
			"file ends inside a line, expected a newline (it may be cut short; if it is whole, end it with one)");
	return line_refuse(line, line->end,
		"file ends inside a line, expected a newline (the file may be cut short; if it is whole: echo >>%s)",
		QUOTED(path));
}

static bool parse_text(const struct line *include, uint16_t file)
{
	struct line line = *include;
	const struct word path = {line.policy->paths[file], strlen(line.policy->paths[file])};
	const char *at = line.policy->files[file].text, *end = at + line.policy->files[file].size, *newline;

	line.include = include;
	line.file = file;
	line.number = 0;
	for (; at < end; at = line.end + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		line.number++;
		line.start = line.at = at;
		line.end = newline ? newline : end;
		if (!parse_line(&line))
			return false;
		if (!newline && !may_end_here(&line))
			return refuse_end(&line, path);
	}
	return true;
}

/* A file that was read becomes a part of the policy, which frees it, and its path. */
static bool load_file(const struct line *include, struct word name)
{
	struct policy *policy = include->policy;
	const size_t number = policy->file_count;
	struct policy_file *file = &policy->files[number];
	enum policy_read result;
	unsigned int depth = 0;
	char *path = NULL;

	for (const struct line *open = include; open; open = open->include)
		depth++;
	if (depth > POLICY_DEPTH_MAX)
		return refuse_file(include, name, "more than 8 files inside one another");
	if (number == POLICY_FILES_MAX)
		return refuse_file(include, name, TOO_MANY);
	result = read_path(include, name, &path, file);
	if (result != POLICY_READ)
		return result == POLICY_HIDDEN;
	policy->paths[policy->file_count++] = path;
	policy->byte_count += file->size;
	policy->includes[number] =
		(struct include){include->file, include->number, (uint32_t)(include->at - include->start) + 1};
	for (const struct line *open = include; open && open->number; open = open->include) {
		const struct policy_file *other = &policy->files[open->file];

		if (other->device == file->device && other->inode == file->inode)
			return refuse_file(include, name, "the file includes itself");
	}
	return parse_text(include, (uint16_t)number);
}

struct policy *policy_load(const struct policy_reader *reader, const char *path, struct policy_error *error)
{
	struct policy *policy = calloc(1, sizeof(*policy));
	const struct line root = {.reader = reader, .policy = policy, .error = error, .start = path, .at = path};
	const struct word name = {path, strlen(path)};

	refuse_file(&root, name, "out of memory"); /* wherever somebody returns false and says nothing */
	if (policy && ADD(policy, option) && load_file(&root, name) && check_rules(policy, error) &&
		(!reader->services || reader->services->all(policy, error)))
		return policy;
	policy_free(policy);
	return NULL;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->file_count; i++) {
		free(policy->paths[i]);
		free(policy->files[i].text);
	}
	free(policy->hidden);
	free(policy->rules);
	free(policy->accounts);
	free(policy->options);
	free(policy->networks);
	free(policy->guests);
	free(policy->forwards);
	free(policy->laters);
	free(policy);
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

/* Why a policy is refused, and where: errors as text. */

bool line_refuse(const struct line *line, const char *at, const char *format, ...)
{
	struct policy_error *error = line->error;
	const char *path = line->policy->paths[line->file];
	va_list args;

	*error = (struct policy_error){
		.part = line->file, .line = line->number, .column = (unsigned int)(at - line->start) + 1};
	text_append_escaped(error->file, sizeof(error->file), (struct word){path, strlen(path)});
	va_start(args, format);
	vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
	return false;
}

void policy_error_print(const struct policy_error *error, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s:", error->file);
	if (error->line)
		text_append(buffer, size, "%u:", error->line);
	if (error->column)
		text_append(buffer, size, "%u:", error->column);
	text_append(buffer, size, " %s", error->what);
}
