// SPDX-License-Identifier: MIT
/*
 * The environment is emptied before any constructor runs, as libraries obey it in theirs, with all of root's rights:
 * libnl-3 writes what it thinks of $NLCB to standard error, which is a descriptor of the caller's. Nothing else belongs
 * here, and nothing here may call a library, since none has begun.
 *
 * Twice, as C libraries differ. glibc calls .preinit_array of the program ahead of the constructors of all shared
 * libraries (System V ABI, "Initialization and Termination Functions"; elf/dl-init.c, and csu/libc-start.c in a static
 * program). musl has no such thing, and passes nothing to a constructor (src/env/__libc_start_main.c): there the first
 * of the program's own constructors does it, ahead of those of the libraries that are linked in, but behind those of
 * shared ones. Before both the loader and the C library itself begin, which take care of a setuid program by themselves
 * (AT_SECURE, ld.so(8)).
 */
#include <unistd.h>

/* Each entry, not the first alone: whoever kept a place in the middle finds nothing either. */
static void empty(char **variables)
{
	for (; *variables; variables++)
		*variables = NULL;
}

static void before_constructors(int argc, char **argv, char **variables)
{
	(void)argc;
	(void)argv;
	empty(variables);
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(
	int, char **, char **) = before_constructors;

/* Priorities up to 100 are for the C library and the compiler. */
__attribute__((constructor(101))) static void first_constructor(void)
{
	if (environ)
		empty(environ);
}
