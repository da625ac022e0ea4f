/* What can have happened to a dnsmasq that runs as it should: it hears nothing any more, its files are gone. */
#ifndef CLI_NETWORKS_DNSMASQ_DRIFT_H
#define CLI_NETWORKS_DNSMASQ_DRIFT_H

#include <sys/types.h>

#include "cli/networks/dnsmasq_words.h"

/*
 * Whether a network's does not read what it is sent, as one that was stopped (SIGSTOP) or hangs: asks it for a name,
 * and waits for a second at most. One that cannot be reached, for a firewall's sake, is not called deaf.
 */
bool dnsmasq_is_deaf(const struct policy_network *network);

/* Whether a file is gone that a network's needs, or its record is not of these words. */
bool dnsmasq_lacks_files(const char *name, const struct dnsmasq_words *words);

/*
 * Write a network's leases anew where somebody removed the file: the process still has it open, and to start another
 * one without it would be to give guests' addresses to others.
 */
void dnsmasq_save_leases(const char *name, pid_t pid);

#endif
