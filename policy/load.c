/*
 * Files -> lines: includes, bounds, and the bytes that may stand in a line. What a line means is rules.c's and
 * networks.c's concern.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

/* The files that are open inside one another. */
struct nesting {
	const struct nesting *outer;
	uint64_t device, inode;
	unsigned int depth;
};

struct loader {
	const struct policy_reader *reader;
	struct policy *policy;
	struct errors *errors;
};

static bool load_file(struct loader *loader, const char *path, const struct nesting *outer, const struct line *include);

void *array_room(void *array, size_t count, size_t *room, size_t size)
{
	if (count == *room) {
		size_t more = *room ? *room * 4 : 1024;

		array = reallocarray(array, more, size);
		if (!array)
			return NULL;
		*room = more;
	}
	return array;
}

bool line_word(struct line *line, struct word *word)
{
	const char *at = line->at, *end = line->end;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	word->at = at;
	while (at < end && *at != ' ' && *at != '\t')
		at++;
	word->size = (size_t)(at - word->at);
	line->at = at;
	return word->size > 0;
}

/* A problem of a file as a whole: told at the path of the include that names it, or at the file itself. */
static bool refuse_file(struct loader *loader, const char *path, const struct line *include, const char *why)
{
	struct word name = {path, strlen(path)};
	struct policy_error *error = &loader->errors->last;

	if (include)
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
static bool parse_include(struct loader *loader, struct line *line, const struct nesting *nesting)
{
	struct word word;
	char *path;
	bool good;

	if (!line_word(line, &word))
		return line_refuse(line, line->at, "no path, expected the absolute path of a file");
	line->at = word.at;
	while (line->end[-1] == ' ' || line->end[-1] == '\t')
		line->end--;
	if (*word.at != '/')
		return line_refuse(line, word.at, "relative path, expected the absolute path of a file");
	path = strndup(word.at, (size_t)(line->end - word.at));
	if (!path)
		return line_refuse(line, word.at, "out of memory");
	good = load_file(loader, path, nesting, line);
	free(path);
	return good;
}

static bool parse_line(struct loader *loader, struct line *line, const struct nesting *nesting)
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
		return parse_include(loader, line, nesting);
	return refuse_verb(line, verb);
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

static bool parse_text(struct loader *loader, struct word text, uint16_t file, const struct nesting *nesting)
{
	struct line line = {.policy = loader->policy, .error = &loader->errors->last, .file = file};
	const char *end = text.at + text.size;

	for (const char *at = text.at; at < end; at = line.end + 1) {
		line.number++;
		line.start = line.at = at;
		line.end = end;
		if (end[-1] == '\n' && parse_plain_rule(&line))
			continue;

		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;
		const struct word whole = {at, (size_t)(line_end - at)};
		const struct sizes before = loader->policy->count;

		line.end = line_end;
		if (!parse_line(loader, &line, nesting)) {
			if (!errors_go_on(loader->errors, whole))
				return false;
			loader->policy->count = before; /* no later line is judged by a part of this one */
		}
		line.end = line_end;
		if (!newline && !may_end_here(&line)) {
			const struct word path = {loader->policy->paths[file], strlen(loader->policy->paths[file])};

			line_refuse(&line, end,
				"file ends inside a line, expected a newline (the file may be cut short; if it is "
				"whole: echo >>%s)",
				QUOTED(path));
			return errors_go_on(loader->errors, whole);
		}
	}
	return true;
}

/* A file that was read becomes a part of the policy, which frees it. */
static bool keep_file(
	struct policy *policy, const char *path, const struct policy_file *file, const struct line *include)
{
	const size_t number = policy->file_count++;

	policy->texts[number] = file->text;
	policy->sizes[number] = file->size;
	policy->byte_count += file->size;
	if (include)
		policy->includes[number] =
			(struct include){include->file, include->number, (uint32_t)(include->at - include->start) + 1};
	policy->paths[number] = strdup(path);
	return policy->paths[number];
}

static bool load_file(struct loader *loader, const char *path, const struct nesting *outer, const struct line *include)
{
	struct policy *policy = loader->policy;
	struct nesting nesting = {.outer = outer, .depth = outer ? outer->depth + 1 : 1};
	struct policy_file file = {0};
	enum policy_read result;
	char why[320] = "";

	if (nesting.depth > POLICY_DEPTH_MAX)
		return refuse_file(loader, path, include, "more than 8 files inside one another");
	if (policy->file_count == POLICY_FILES_MAX)
		return refuse_file(loader, path, include, "more than 64 files");
	result = loader->reader->read(
		loader->reader->context, path, POLICY_BYTES_MAX - policy->byte_count, &file, why, sizeof(why));
	if (result == POLICY_REFUSED)
		return refuse_file(loader, path, include, why);
	if (result == POLICY_HIDDEN && !policy->hidden)
		policy->hidden = strdup(path);
	if (result == POLICY_HIDDEN ? !policy->hidden : !keep_file(policy, path, &file, include))
		return refuse_file(loader, path, include, "out of memory");
	if (result == POLICY_HIDDEN)
		return true;
	nesting.device = file.device;
	nesting.inode = file.inode;
	for (const struct nesting *open = outer; open; open = open->outer) {
		if (open->device == file.device && open->inode == file.inode)
			return refuse_file(loader, path, include, "the file includes itself");
	}
	return parse_text(loader, (struct word){file.text, file.size}, (uint16_t)(policy->file_count - 1), &nesting);
}

static struct policy *load(const struct policy_reader *reader, const char *path, struct errors *errors)
{
	static const struct word no_line = {NULL, 0};
	struct policy *policy = calloc(1, sizeof(*policy));
	struct policy_options *none = policy ? ADD(policy, option) : NULL;
	struct loader loader = {.reader = reader, .policy = policy, .errors = errors};

	errors->last = (struct policy_error){0};
	if (none)
		*none = (struct policy_options){0};
	if (!none) {
		refuse_file(&loader, path, NULL, "out of memory");
		errors_go_on(errors, no_line);
	} else if ((load_file(&loader, path, NULL, NULL) || errors_go_on(errors, no_line)) &&
		   check_rules(policy, errors) && errors->count == 0) {
		return policy;
	}
	policy_free(policy);
	return NULL;
}

struct policy *policy_load(const struct policy_reader *reader, const char *path, struct policy_error *error)
{
	struct errors errors = {.tell = NULL};
	struct policy *policy = load(reader, path, &errors);

	*error = errors.last;
	return policy;
}

struct policy *policy_check(
	const struct policy_reader *reader, const char *path, policy_tell *tell, void *context, size_t *count)
{
	struct errors errors = {.tell = tell, .context = context};
	struct policy *policy = load(reader, path, &errors);

	*count = errors.count;
	return policy;
}

const struct policy_network *policy_networks(const struct policy *policy, size_t *count)
{
	*count = policy->count.networks;
	return policy->networks;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->file_count; i++) {
		free(policy->paths[i]);
		free(policy->texts[i]);
	}
	free(policy->hidden);
	free(policy->rules);
	free(policy->accounts);
	free(policy->options);
	free(policy->networks);
	free(policy);
}
