/* Why a policy is refused, and where: errors as text, and what comes after one. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/internal.h"

bool line_refuse(const struct line *line, const char *at, const char *format, ...)
{
	struct policy_error *error = line->error;
	const char *path = line->policy->paths[line->file];
	va_list args;

	*error = (struct policy_error){.line = line->number, .column = (unsigned int)(at - line->start) + 1};
	text_append_escaped(error->file, sizeof(error->file), (struct word){path, strlen(path)});
	va_start(args, format);
	vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
	return false;
}

struct place line_place(const char *file, unsigned int number)
{
	struct place place = {""};
	const size_t digits = sizeof(":4294967295") - 1;

	text_append_escaped(place.text, sizeof(place.text) - digits, (struct word){file, strlen(file)});
	text_append(place.text, sizeof(place.text), ":%u", number);
	return place;
}

void policy_error_print(const struct policy_error *error, char *buffer, size_t size)
{
	buffer[0] = '\0';
	text_append(buffer, size, "%s:", error->file);
	if (error->line)
		text_append(buffer, size, "%u:", error->line);
	if (error->column)
		text_append(buffer, size, "%u:", error->column);
	text_append(buffer, size, " %s", error->what);
}

bool errors_go_on(struct errors *errors, struct word line)
{
	if (!errors->tell || errors->count > POLICY_ERRORS_MAX || ++errors->count > POLICY_ERRORS_MAX)
		return false;
	errors->tell(errors->context, &errors->last, line);
	return true;
}
