// SPDX-License-Identifier: MIT
/*
 * How a request ends: the helper's exit code and one line of text.
 *
 * Errors are recorded here when they happen. The helper tells them when its last capability is gone, and writes text
 * nowhere else; `tapgate explain` tells what the helper would.
 */
#include "judge/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"

bool refuse(struct outcome *outcome, enum exit_code code, const char *format, ...)
{
	va_list args;

	if (outcome->code)
		return false;
	outcome->code = code;
	va_start(args, format);
	vsnprintf(outcome->text, sizeof(outcome->text), format, args);
	va_end(args);
	return false;
}

bool refuse_errno(struct outcome *outcome, int error, const char *format, ...)
{
	char what[sizeof(outcome->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return refuse(outcome, EXIT_SYSTEM, "%s: %s", what, strerror(abs(error)));
}
