/*
 * Files -> lines: includes, bounds, and the bytes that may stand in a line. What a line means is rules.c's and
 * networks.c's concern.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

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
		return line_refuse(line, at, "byte 0x%02x, expected printable ASCII", byte);
	}
}

/* An include: the rest of the line, trimmed, is the path. */
static bool parse_include(struct line *line)
{
	struct word path;

	if (!line_word(line, &path))
		return line_refuse(line, line->at, "no path, expected the absolute path of a file");
	if (*path.at != '/')
		return line_refuse(line, path.at, "relative path, expected the absolute path of a file");
	line->at = path.at;
	path.size = (size_t)(line->end - path.at);
	while (path.at[path.size - 1] == ' ' || path.at[path.size - 1] == '\t')
		path.size--;
	return load_file(line, path);
}

static bool parse_line(struct line *line)
{
	struct word verb;
	bool some = line_word(line, &verb);
	bool comment = some && *verb.at == '#';

	if (line->end - line->start > POLICY_LINE_MAX)
		return line_refuse(line, line->start + POLICY_LINE_MAX, "line goes on, expected at most %d bytes",
			POLICY_LINE_MAX);
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
	return line_refuse(
		line, verb.at, "unknown word %s, expected 'allow', 'deny', 'include', 'network' or '#'", QUOTED(verb));
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
			return line_refuse(&line, end,
				"file ends inside a line, expected a newline (the file may be cut short; if it is "
				"whole: echo >>%s)",
				QUOTED(path));
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
	char why[320] = "", *path;
	unsigned int depth = 0;

	for (const struct line *open = include; open; open = open->include)
		depth++;
	if (depth > POLICY_DEPTH_MAX)
		return refuse_file(include, name, "more than 8 files inside one another");
	if (number == POLICY_FILES_MAX)
		return refuse_file(include, name, "more than 64 files");
	path = strndup(name.at, name.size);
	if (!path)
		return refuse_file(include, name, "out of memory");
	result = include->reader->read(
		include->reader->context, path, POLICY_BYTES_MAX - policy->byte_count, file, why, sizeof(why));
	if (result == POLICY_HIDDEN && !policy->hidden)
		policy->hidden = path;
	else if (result != POLICY_READ)
		free(path);
	if (result != POLICY_READ)
		return result == POLICY_HIDDEN || refuse_file(include, name, why);
	policy->paths[policy->file_count++] = path;
	policy->byte_count += file->size;
	policy->includes[number] =
		(struct include){include->file, include->number, (uint32_t)(include->at - include->start) + 1};
	for (const struct line *open = include; open->number; open = open->include) {
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

	refuse_file(&root, name, "out of memory"); /* if nothing else is said */
	if (policy && ADD(policy, option) && load_file(&root, name) && check_rules(policy, error))
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
	free(policy);
}
