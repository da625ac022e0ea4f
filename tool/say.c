// SPDX-License-Identifier: MIT
/* What `tapgate` says: errors on standard error, a line each; changes on standard output. */
#include "tool/tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct say_memory *memory;

void say_not_again(struct say_memory *of)
{
	memory = of;
	memcpy(of->before, of->now, sizeof(of->now));
	memset(of->now, 0, sizeof(of->now));
}

/* Whether this was said in the turn before; it is remembered for the next one. */
static bool was_said(const char *text)
{
	bool any = false;

	for (size_t i = 0; memory && i < SAY_REMEMBERED; i++)
		any |= strncmp(memory->before[i], text, SAY_TEXT - 1) == 0;
	for (size_t i = 0; memory && i < SAY_REMEMBERED; i++) {
		if (!*memory->now[i]) {
			snprintf(memory->now[i], SAY_TEXT, "%s", text);
			break;
		}
	}
	return any;
}

/* "tapgate: ", and what follows up to the newline. Lines come in the order in which things happened. */
__attribute__((format(printf, 2, 0))) static void say(const char *kind, const char *format, va_list arguments)
{
	const bool colour = columns_colour(stderr);
	char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	fflush(stdout);
	if (!text || !was_said(text))
		fprintf(stderr, "%stapgate:%s %s%s\n", columns_on(COLUMNS_BAD, colour),
			columns_off(COLUMNS_BAD, colour), kind, text ? text : "out of memory");
	free(text);
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
