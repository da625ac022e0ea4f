/* What `tapgate` says: errors on standard error, a line each; changes on standard output. */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include <stdbool.h>

/* "tapgate: ..." and a newline. Always false, so that functions can return it. */
bool say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "tapgate: warning: ...": nothing failed, and somebody should know. */
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What is wrong at a place in the policy: "tapgate: /etc/tapgate.conf:7: ...". */
void say_error_at(const char *file, unsigned int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
