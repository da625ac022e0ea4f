#include "files/outcome.h"

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
