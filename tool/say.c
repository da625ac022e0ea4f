// SPDX-License-Identifier: MIT
/* What `tapgate` says: errors on standard error, a line each; changes on standard output. */
#include "tool/tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "tapgate: ", and what follows up to the newline. Lines come in the order in which things happened. */
__attribute__((format(printf, 2, 0))) static void say(const char *kind, const char *format, va_list arguments)
{
	const bool colour = columns_colour(stderr);

	fflush(stdout);
	fprintf(stderr, "%stapgate:%s %s", columns_on(COLUMNS_BAD, colour), columns_off(COLUMNS_BAD, colour), kind);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

bool say_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("", format, arguments);
	va_end(arguments);
	return false;
}

bool say_no_netlink(int error)
{
	return say_error("cannot open a netlink socket%s: %s",
		error == -EAFNOSUPPORT ? " (a unit's RestrictAddressFamilies= has to have AF_NETLINK)" : "",
		strerror(-error));
}

void say_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("warning: ", format, arguments);
	va_end(arguments);
}

void say_error_at(const char *file, unsigned int line, const char *format, ...)
{
	char place[320];
	va_list arguments;

	snprintf(place, sizeof(place), "%s:%u: ", file, line);
	va_start(arguments, format);
	say(place, format, arguments);
	va_end(arguments);
}
