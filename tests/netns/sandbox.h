// SPDX-License-Identifier: MIT
/* The sandboxes, entered by a process of the test's own, and what comes of one attempt in there. */
#ifndef TESTS_NETNS_SANDBOX_H
#define TESTS_NETNS_SANDBOX_H

#include <sys/syscall.h>

#include "helper/helper.h"
#include "tests/netns/harness.h"

enum {
	KILLED = -1, /* by SIGSYS */
	NOWHERE = 8, /* a pointer that leads nowhere */

	/* Descriptors that attempts find besides those of helper/helper.h; in the last sandbox they are gone. */
	OTHER_NETLINK = 40,
	OTHER_SOCKET, /* unix, datagrams */
	OTHER_PEER,   /* the other end of FD_PEER */
	OTHER_TAP,
	FILE_FD, /* /run/tmp/file, for reading and writing */
};

/* A system call, or a function that makes some and returns what they do (-1 and errno). */
struct attempt {
	const char *about;
	int expected; /* KILLED, 0 if it works, or the errno value */
	long (*function)(void);
	long number, arguments[6];
};

#define AT(pointer) ((long)(uintptr_t)(pointer))
#define CALLS(about, expected, call, ...)                                                                              \
	{                                                                                                              \
		about, expected, NULL, SYS_##call,                                                                     \
		{                                                                                                      \
			__VA_ARGS__                                                                                    \
		}                                                                                                      \
	}
#define KILLS(about, ...) CALLS(about, KILLED, __VA_ARGS__)
#define DOES(about, expected, function)                                                                                \
	{                                                                                                              \
		about, expected, function, 0,                                                                          \
		{                                                                                                      \
			0                                                                                              \
		}                                                                                                      \
	}

/* The helper's sandboxes, in their order. */
enum stage { WORK, READING, SENDING };

/* Make each attempt in a process of its own, in a sandbox. */
void check_attempts(const struct attempt *attempts, size_t count, enum stage stage);

#endif
