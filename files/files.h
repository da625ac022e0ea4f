/* Policy files: opened as the caller, read whole, and believed only if nobody but root can have written them. */
#ifndef FILES_FILES_H
#define FILES_FILES_H

#include "policy/policy.h"

/* A policy_reader's function; takes no context. The rules of trust are in tapgate.conf(5). */
enum policy_read files_read(
	void *context, const char *path, size_t limit, struct policy_file *file, char *why, size_t why_size);

#endif
