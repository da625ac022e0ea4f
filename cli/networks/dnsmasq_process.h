/*
 * The process that is a network's dnsmasq: found by its pid file, known by what the kernel says of it.
 *
 * The pid file may be stale, its pid somebody else's by now, and its content is dnsmasq's to write. A process is the
 * one only if it is root's or of a user whom dnsmasq runs as, executes dnsmasq and has the network's pid file among its
 * words; it is signalled through a pidfd alone.
 *
 * Words stand in the process's own memory, which it can keep others waiting for: with a mapping of a file system of its
 * own (FUSE) and a thread that waits for it. So no other user's are read, and nobody's without a limit of time.
 */
#ifndef CLI_NETWORKS_DNSMASQ_PROCESS_H
#define CLI_NETWORKS_DNSMASQ_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/networks/dnsmasq_words.h"

/* Whom dnsmasq runs as: the user that its package makes, else nobody. */
enum { DNSMASQ_USERS = 2 };
extern const char *const dnsmasq_users[DNSMASQ_USERS];

struct dnsmasq_process {
	pid_t pid;
	int pidfd;	  /* for whoever found it to close */
	bool elsewhere;	  /* in another network namespace */
	char words[4097]; /* its command line, as in /proc/PID/cmdline; one byte more than any of ours */
	size_t words_size;
};

/* Find the process of a network by its pid file in an open directory. True only if it lives. */
bool dnsmasq_find(int directory, const char *name, struct dnsmasq_process *process);

/* The same by the pid file in its usual place, for a look that signals nothing: the pidfd is closed already. */
bool dnsmasq_lives(const char *name, struct dnsmasq_process *process);

/* Whether a process was started with these words. */
bool dnsmasq_has_words(const struct dnsmasq_process *process, const struct dnsmasq_words *words);

/*
 * End a process: SIGTERM, and when that has not helped for 5 s SIGKILL. False if it outlives that as well. The pidfd
 * stays open.
 */
bool dnsmasq_end(const struct dnsmasq_process *process);

/*
 * End, by SIGKILL, every process of this network namespace that is a network's by its words: those that dnsmasq forked
 * for TCP connections, which hold on to its listening sockets, and one whose pid file was lost. False if one does not
 * end.
 */
bool dnsmasq_end_others(const char *name);

#endif
