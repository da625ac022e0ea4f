/*
 * /run/tapgate, where a network's dnsmasq keeps its pid and leases, and where root keeps what it was started with.
 */
#ifndef CLI_NETWORKS_DNSMASQ_FILES_H
#define CLI_NETWORKS_DNSMASQ_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/networks/dnsmasq_words.h"

/*
 * Open DNSMASQ_DIRECTORY, or make it first. Returns a descriptor, or -1 with a phrase in `why` and errno set: ENOENT if
 * it is not there, EPERM if others than root can write to it or it is no directory.
 */
int dnsmasq_directory(bool make, char *why, size_t why_size);

/*
 * What a network's was started with, in a file beside its pid file that only root can read or write. Whoever takes it
 * for what runs compares the two. Writing: false with a phrase in `why`. Reading: false if none is to be believed.
 */
bool dnsmasq_write_record(
	int directory, const char *name, const struct dnsmasq_words *words, char *why, size_t why_size);
bool dnsmasq_read_record(int directory, const char *name, struct dnsmasq_words *words);

/*
 * What it needs besides: the link by which it calls tapgate-lease, whose name says for which network; and a directory
 * of its user's for the names of guests. False with a phrase in `why`.
 */
bool dnsmasq_prepare(int directory, const char *name, const char *user, char *why, size_t why_size);

/* Remove the record, and the pid file. */
void dnsmasq_forget(int directory, const char *name);

#endif
