/*
 * How a request ends: the helper's exit code and one line of text.
 *
 * Errors are recorded here when they happen. The helper tells them when its last capability is gone, and writes text
 * nowhere else; `tapgate explain` tells what the helper would.
 */
#ifndef FILES_OUTCOME_H
#define FILES_OUTCOME_H

#include <stdbool.h>

enum exit_code {
	EXIT_SENT = 0,	 /* the descriptor was sent */
	EXIT_SYSTEM = 1, /* the system refused */
	EXIT_USAGE = 2,	 /* wrong arguments or descriptor */
	EXIT_DENIED = 3, /* denied by policy */
	EXIT_POLICY = 4, /* the policy is invalid or not to be trusted */
	EXIT_LIMIT = 5,	 /* over the limit */
};

struct outcome {
	enum exit_code code;
	char text[640];
};

/* Record why the request is refused. Always false, so that steps can return it. The first reason stays. */
bool refuse(struct outcome *outcome, enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a call that failed: ": " and the error's text are appended. error: an errno value, of either sign. */
bool refuse_errno(struct outcome *outcome, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
