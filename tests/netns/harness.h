// SPDX-License-Identifier: MIT
/*
 * What the tests of the installed helper share: a caller that controls everything a caller controls, and two oracles,
 * "granted" and "refused", that look at the descriptor, the exit status, standard error, the log, and at everything
 * that must not have changed. In world.c, networks.c, log.c and snapshot.c; caller.c; oracle.c. They alone share
 * internal.h.
 *
 * Tests run as root inside tests/common/world, one world for each program; nothing here may be used outside of it.
 * Nothing here asks the code under test: what is on the network is read from sysfs and procfs.
 */
#ifndef TESTS_NETNS_HARNESS_H
#define TESTS_NETNS_HARNESS_H

/* cmocka.h needs the first four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* --- the world ---------------------------------------------------------------------------------------------------- */

/* Set up and tear down a group of tests (cmocka): the log, and what clean_world does. */
int open_world(void **state);
int close_world(void **state);

/* After each test: no link but lo, no guard, no policy, no process or descriptor of the test's. */
int clean_world(void **state);

/* A test, cleaned up after; ONLY=test_name in the environment leaves out the others. */
#define TEST(function) cmocka_unit_test_teardown(function, clean_world)
#define RUN_TESTS(tests)                                                                                               \
	(cmocka_set_test_filter(getenv("ONLY")), cmocka_run_group_tests(tests, open_world, close_world))

/* Run a shell command that must succeed, or whose exit status is returned. */
void command(const char *format, ...) __attribute__((format(printf, 1, 2)));
int shell_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The first line that a shell command prints; it must succeed, but may print nothing. Up to the next call. */
const char *command_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether a program is there. In CI every program must be: the test fails there. */
bool have_program(const char *name);

/* Say that something cannot be tested here, and why. In CI that is a failure. */
void cannot_test(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A bridge that is up, of a fixed hardware address, and without an IPv6 address: it does not change by itself. */
void make_bridge(const char *name);

/* A persistent tap of a user's, as `ip tuntap` makes it; index 0 leaves the choice to the kernel. */
void make_tap(const char *name, uid_t owner, int index);

/* A file's whole content, with the mode and owner that it has from its first byte on. */
void write_file(const char *path, const char *text, mode_t mode, uid_t owner, gid_t group);
void write_bytes(const char *path, const void *bytes, size_t size, mode_t mode, uid_t owner, gid_t group);

/* /etc/tapgate.conf, trusted. */
void write_policy(const char *text);

/* br0, allowed to everybody. */
void prepare_br0(void);

/* The first line of a file, newline off; "" if there is none. Up to the 16th call from this one. */
const char *first_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How many links are taps. */
unsigned int count_taps(void);

/* The addresses of a link, "172.16.2.1/24 fd00:2::1/64", IPv4 first; up to the next call. */
const char *addresses_on(const char *link);

/* Everything that a refused request must leave as it was, as text (free it): links, addresses, rules, /etc, sysctls. */
char *snapshot(void);
void assert_unchanged(char *before); /* frees it */

/* --- networks as `tapgate up` makes them -------------------------------------------------------------------------- */

/* The guard of a network, sealed; and the whole network: with a bridge, but for the mode "standalone". Need nft. */
void make_guard(const char *name, const char *mode);
void make_network(const char *name, const char *mode);

/* Words for nft: the table of a network, "inet tapgate-lab"; the seal that fits what stands, for a mode. */
const char *table_of(const char *network, const char *mode);
const char *seal_of(const char *network, const char *mode, const char *as);

/* Whether the helper has no setuid bit here, and a service does its work: BY_SOCKET=1 tests/common/world. */
bool by_socket(void);

/* Skip the test there: it is about the very process that is called, which is but a client then. */
void by_setuid_alone(void);

/* --- callers ------------------------------------------------------------------------------------------------------ */

struct user {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t group_count;
};

/* With the groups that they log in with. */
extern const struct user root, alice, bob, carol;
enum { ALICE = 1000, BOB = 1001, CAROL = 1002, STUDENTS = 2000, GUESTS = 2001 };

/* Become a user for good; for the children of tests. */
void become(const struct user *user);

/* A child of the test's own that must end with it at the latest, and one that has ended. */
void note_child(pid_t child);
void forget_child(pid_t child);

/* What a function returns (0 to 255) when a process of the user's runs it. */
int as_user(const struct user *user, int (*function)(void *context), void *context);

/* A pair of connected sockets that a user made, as SO_PEERCRED will say. Closed on exec. */
void make_pair(const struct user *user, int type, int pair[2]);

/* Fill a pipe, socket or terminal until it takes no more; how many bytes that was. A blocking pipe that is full. */
unsigned int fill(int fd);
int full_pipe(void);

/* --- calling the helper ------------------------------------------------------------------------------------------- */

enum {
	NUMBER = 7, /* under which the helper finds its socket */
	NO_SOCKET = -1,
	SOON = 3000, /* milliseconds within which the helper ends whatever is done to it */
};
#define FD "--fd=7"

/* The words of a command line after the first. */
#define ARGS(...)                                                                                                      \
	(const char *const[])                                                                                          \
	{                                                                                                              \
		"tapgate-helper", __VA_ARGS__, NULL                                                                    \
	}

/* One call of the helper. What is 0 or NULL is as QEMU would do it for alice on br0. */
struct call {
	const char *about;	 /* for the report of a failure */
	const char *program;	 /* $HELPER */
	const char *const *argv; /* ARGS("--br=br0", FD) */
	const char *const *envp; /* an ordinary PATH */
	const struct user *user; /* alice */

	int socket; /* what the helper gets as NUMBER; a pair of the user's, or NO_SOCKET */
	int peer;   /* where the test receives; the other end of that pair */
	int number; /* NUMBER */
	int error;  /* the helper's standard error and output; a pipe, read into result.errors */

	/* In the process that becomes the helper: just before it gives up root; just before it executes the helper. */
	void (*as_root)(const struct call *call);
	void (*as_caller)(const struct call *call);
	const void *context; /* for these two */
	bool in_grandchild;  /* as_caller forks, and only its child returns */
	bool traced;	     /* by the test, from before it gives up root (start_stopped) */

	unsigned int patience; /* milliseconds until the helper hangs, which fails the test; 20 s */
};

/* What came of it. */
struct result {
	struct call call;
	pid_t pid;
	int status;	      /* as of waitpid(2) */
	int code;	      /* exit status, or 128 + signal */
	char errors[8192];    /* standard error */
	size_t errors_size;   /* counts NULs, too */
	char log[4096];	      /* the lines of this helper's process, each with its newline */
	unsigned int bytes;   /* received */
	unsigned int fds;     /* received */
	int tap;	      /* the first of them, or -1 */
	unsigned int elapsed; /* milliseconds */
};

/* A call that runs. */
struct running {
	struct call call;
	pid_t pid;
	int pidfd, peer, errors;
	int64_t started; /* milliseconds of CLOCK_MONOTONIC */
};

struct running start(const struct call *call);
struct result finish(struct running *running);
struct result run(const struct call *call);

/*
 * Start one and stop it (SIGSTOP) at the first system call before or behind which `there` says so: root traces it up to
 * then, which takes no privilege from a setuid program, and nobody does any more. It must get there.
 */
struct running start_stopped(const struct call *call, bool (*there)(const struct running *running));
void let_go_on(const struct running *running);

/* The same, and whether it got there: false when it has ended first. And one that is looked at so to its end. */
bool try_start_stopped(const struct call *call, bool (*there)(const struct running *running), struct running *running);
struct result run_watched(const struct call *call, void (*look)(const struct running *running));

/* For start_stopped: there is a tap with tapgate's alias, and it is not up yet; one that is up, not yet read back. */
bool tap_is_signed(const struct running *running);
bool tap_is_up(const struct running *running);

/* The first tap in /sys/class/net; "" if there is none. Up to the next call. */
const char *first_tap(void);

/* What the tap that came is called; up to the next call. */
const char *tap_of(const struct result *result);

/* Close the tap, which must be the end of it. */
void give_back(struct result *result);

/* --- what must have come of it ------------------------------------------------------------------------------------ */

/* Fail the test with all that is known about a call. */
void complain(const struct result *result, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5), noreturn));
#define EXPECT(result, condition)                                                                                      \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			complain(result, __FILE__, __LINE__, "not so: %s", #condition);                                \
	} while (0)

/*
 * One message with one byte and one descriptor; the tap behind it as documented, on the bridge, for the caller; nothing
 * on standard error; one line in the log. assert_tap looks at the tap alone. Without a bridge (NULL) it is a standalone
 * network's: on none, and named for the network.
 */
void assert_granted(const struct result *result, const char *bridge);
void assert_tap(const struct result *result, const char *bridge);

/*
 * The exit code; one line of printable ASCII on standard error, with these words in it; no descriptor, no byte; one
 * line in the log, with the code.
 */
void assert_refused(const struct result *result, int code, const char *words);

/* The same without a look at standard error and the log, for callers that took them away. */
void assert_nothing_sent(const struct result *result, int code);

/* Call it, hold it against an oracle, and see that in the end nothing has changed. */
void expect_grant(const struct call *call, const char *bridge);
void expect_refusal(const struct call *call, int code, const char *words);

/* Either a full grant, or nothing: a nonzero exit or a death, and nothing left. Returns whether it was a grant. */
bool expect_all_or_nothing(const struct call *call, const char *bridge);

/* A grant that is kept. */
struct result hold(const struct call *call, const char *bridge);

#endif
