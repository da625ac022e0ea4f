// SPDX-License-Identifier: MIT
/* What the files of dhcp/ that see to a network's dnsmasq share with one another, and with nobody else. */
#ifndef DHCP_INTERNAL_H
#define DHCP_INTERNAL_H

#include <limits.h>

#include "dhcp/dhcp.h"

enum {
	PROC_PATH_MAX = 64,
	FILES_FIRST = 3, /* among these a process has its file: it is the first that it opens */
	FILES_LAST = 32,
};

/* --- words -------------------------------------------------------------------------------------------------------- */

/*
 * The words for tapgate-dhcp, which a standalone network has in the place of dnsmasq: see dhcp/serve.c. False if they
 * do not fit.
 */
bool serve_words(struct dnsmasq_words *words, const char *program, const struct dnsmasq_account *account,
	const struct policy_network *network);

/* --- plan --------------------------------------------------------------------------------------------------------- */

/*
 * Whom dnsmasq runs as: the user that its package makes, else nobody. Not root: dnsmasq would stay root then. With its
 * own group, as dnsmasq takes "dip" where there is one.
 */
bool dnsmasq_find_account(struct dnsmasq_account *account);

/* Where tapgate-dhcp is; false: nowhere. */
bool dnsmasq_find_keeper(char path[static PATH_MAX]);

/* The words that a network's should be started with, and as whom. */
bool dnsmasq_plan(const struct policy_network *network, struct dnsmasq_words *words, char *why, size_t why_size);

/* --- directory ---------------------------------------------------------------------------------------------------- */

/*
 * Open it, or make it first. Returns a descriptor, or -1 with a phrase in `why` and errno: ENOENT if it is not there,
 * EPERM if others than root can write to it or it is no directory.
 */
int run_directory(bool make, char *why, size_t why_size);

/* A file there: the network's name, and what tells it from the network's others. */
struct run_file {
	char text[NAME_MAX_BYTES + sizeof(".keeper")];
};
struct run_file run_file(const char *name, const char *tail);
bool run_has(int directory, const char *name, const char *tail);

/* What is in a file, cut if it is longer; 0 bytes if it cannot be read. And the number in one that has nothing else. */
size_t run_read(int directory, const char *path, char *buffer, size_t size);
pid_t run_pid(int directory, const char *path);

struct keeper {
	pid_t pid;	/* 0: nobody */
	pid_t serves;	/* its dnsmasq; 0: none does just now */
	bool elsewhere; /* it is in another network namespace, or another one of processes */
};

/*
 * Find a network's keeper. False: there is none; nor is it to be seen by anybody but root, who alone can open the file.
 * `words` (NULL: not asked for) receives those of its dnsmasq.
 */
bool keeper_find(int directory, const char *name, struct keeper *keeper, struct dnsmasq_words *words);

/* Signal a process by its pidfd, and wait for its end. */
bool keeper_end_by(int pidfd, int number);

#endif
