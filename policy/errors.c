/* Why a policy is refused, and where: errors as text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/internal.h"

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
