/* dnsmasq, run with words that are settled. Which words, and whether it may run, is the concern of who calls. */
#ifndef CLI_NETWORKS_DNSMASQ_RUN_H
#define CLI_NETWORKS_DNSMASQ_RUN_H

#include "cli/networks/dnsmasq_words.h"

/*
 * Run it until it has become a daemon that serves (it lets go of its standard error then), for at most 10 s. It gets
 * nothing of the caller's: no descriptor, no environment, no signal mask. False if it failed, with a phrase in `why`.
 */
bool dnsmasq_run(struct dnsmasq_words *words, char *why, size_t why_size);

#endif
