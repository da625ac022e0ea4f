// SPDX-License-Identifier: MIT
/*
 * Every error of a policy, for an administrator: the policy is loaded again and again, each time without the lines that
 * were refused before. So the loader itself knows one error, and no way to go on behind it.
 */
#include "policy/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file as it was read, and as it is given to the loader, without the refused lines. */
struct copy {
	struct copy *next;
	char *path;
	struct policy_file file;
	char *left; /* as long as file.text, or shorter */
	size_t left_size;
	bool hidden;
};

struct check {
	const struct policy_reader *reader;
	struct copy *copies;
	struct copy *served[POLICY_FILES_MAX]; /* in one load: by number of the policy's file */
	size_t served_count;
};

static char *duplicate(const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

static void free_copy(struct copy *copy)
{
	free(copy->path);
	free(copy->file.text);
	free(copy->left);
	free(copy);
}

/* Read a file for the first time; NULL: refused, or memory ran out. */
static struct copy *make_copy(struct check *check, const char *path, size_t limit, struct policy_why *why)
{
	struct copy *copy = calloc(1, sizeof(*copy));
	enum policy_read result = POLICY_REFUSED;

	snprintf(why->text, sizeof(why->text), "out of memory");
	if (!copy)
		return NULL;
	copy->path = strdup(path);
	if (copy->path)
		result = check->reader->read(check->reader->context, path, limit, &copy->file, why);
	copy->hidden = result == POLICY_HIDDEN;
	copy->left = result == POLICY_READ ? duplicate(copy->file.text, copy->file.size) : NULL;
	copy->left_size = copy->file.size;
	if (!copy->hidden && !copy->left) {
		free_copy(copy);
		return NULL;
	}
	copy->next = check->copies;
	return check->copies = copy;
}

static enum policy_read read_copy(
	void *context, const char *path, size_t limit, struct policy_file *file, struct policy_why *why)
{
	struct check *check = context;
	struct copy *copy = check->copies;

	while (copy && strcmp(copy->path, path) != 0)
		copy = copy->next;
	if (!copy)
		copy = make_copy(check, path, limit, why);
	if (!copy || copy->hidden)
		return copy ? POLICY_HIDDEN : POLICY_REFUSED;
	*file = copy->file;
	file->size = copy->left_size;
	file->text = duplicate(copy->left, copy->left_size);
	if (!file->text || copy->left_size > limit) {
		snprintf(
			why->text, sizeof(why->text), file->text ? "the policy is larger than 4 MiB" : "out of memory");
		free(file->text);
		return POLICY_REFUSED;
	}
	if (path[strlen(path) - 1] != '/') /* a directory is no part of the policy */
		check->served[check->served_count++] = copy;
	return POLICY_READ;
}

/* A line of a text by its number from 1, without its newline. */
static struct word line_of(const char *text, size_t size, unsigned int number)
{
	const char *end = text + size, *newline = memchr(text, '\n', size);

	for (; newline && number > 1; number--) {
		text = newline + 1;
		newline = memchr(text, '\n', (size_t)(end - text));
	}
	return (struct word){text, (size_t)((newline ? newline : end) - text)};
}

/*
 * Leave a line out of what the loader is given; a last one that is cut short, which no blanks make whole, altogether.
 */
static void leave_out(struct copy *copy, const struct policy_error *error)
{
	const struct word line = line_of(copy->left, copy->left_size, error->line);
	const size_t at = (size_t)(line.at - copy->left), behind = copy->left_size - at - line.size;
	const size_t kept = line.size < POLICY_LINE_MAX ? line.size : POLICY_LINE_MAX;

	if (behind == 0 && error->column > line.size) {
		copy->left_size = at;
		return;
	}
	memset(copy->left + at, ' ', kept);
	memmove(copy->left + at + kept, line.at + line.size, behind);
	copy->left_size = at + kept + behind;
}

static void tell_of_line(struct copy *copy, struct policy_error *error, policy_tell *tell, void *context)
{
	const struct word line = line_of(copy->file.text, copy->file.size, error->line);

	explain_foreign(error, line);
	tell(context, error, line);
	leave_out(copy, error);
}

struct policy *policy_check(
	const struct policy_reader *reader, const char *path, policy_tell *tell, void *context, size_t *count)
{
	struct check check = {.reader = reader};
	const struct policy_reader copies = {read_copy, &check, reader->services};
	struct policy_error error = {.line = 1};
	struct policy *policy = NULL;

	*count = 0;
	while (!policy && error.line) {
		check.served_count = 0;
		policy = policy_load(&copies, path, &error);
		if (policy || ++*count > POLICY_ERRORS_MAX)
			break;
		if (error.line)
			tell_of_line(check.served[error.part], &error, tell, context);
		else
			tell(context, &error, (struct word){NULL, 0});
	}
	if (policy && *count > 0) {
		policy_free(policy);
		policy = NULL;
	}
	while (check.copies) {
		struct copy *copy = check.copies;

		check.copies = copy->next;
		free_copy(copy);
	}
	return policy;
}
