#include "cli/say.h"

#include <stdarg.h>
#include <stdio.h>

bool say_error(const char *format, ...)
{
	va_list arguments;

	fflush(stdout); /* lines come in the order in which things happened */
	fputs("tapgate: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return false;
}

void say_warning(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fputs("tapgate: warning: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void say_error_at(const char *file, unsigned int line, const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fprintf(stderr, "tapgate: %s:%u: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}
