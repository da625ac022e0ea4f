// SPDX-License-Identifier: MIT
/* What the parts of the harness share among themselves; tests include harness.h alone. */
#ifndef TESTS_NETNS_INTERNAL_H
#define TESTS_NETNS_INTERNAL_H

#include "tests/netns/harness.h"

/* Fail the test, with errno's message. */
void must(bool good, const char *what);

/* The log. take_log: the lines of a process, of any if pid is 0; they are gone then. */
void open_log(void);
void close_log(void);
void forget_log(void);
void take_log(pid_t pid, char *text, size_t size);

/* Close every descriptor of a test's: all above the log's. */
void close_behind_log(void);

/* Whether a guard was made since the last clean world, here or, by find_guards, elsewhere; remove all rules. */
bool have_guards(void);
void find_guards(void);
void forget_guards(void);

/* Kill the children that were noted. */
void end_children(void);

#endif
