/*
 * One dnsmasq for each network with dhcp=: addresses, router advertisements and names for its guests.
 *
 * It runs as a user of its own, listens on the network's bridge alone, and keeps what it must keep (its pid, leases) in
 * /run/tapgate, a directory that only root can write. What it is told is in dnsmasq_words.c; nothing is read from
 * /etc/dnsmasq.conf. Whether one runs is asked of the kernel: the pid file only says where to look, since its content
 * is dnsmasq's to write.
 *
 * A dnsmasq of another network namespace does not count. Looking into other processes takes CAP_SYS_PTRACE.
 */
#ifndef CLI_NETWORKS_DNSMASQ_H
#define CLI_NETWORKS_DNSMASQ_H

#include <sys/types.h>

#include "policy/policy.h"

enum dnsmasq_state {
	DNSMASQ_ABSENT,
	DNSMASQ_RUNNING,
	DNSMASQ_DIFFERENT, /* runs, but with other words than wanted, for a bridge made anew since, or without files */
	DNSMASQ_DEAF,	   /* runs as it should, and reads nothing that it is sent */
};

/* Whether a network should have one: mode nat or host-only, and dhcp= is given. */
bool dnsmasq_wanted(const struct policy_network *network);

/* How it stands with the one that the network should have. */
enum dnsmasq_state dnsmasq_state(const struct policy_network *network);

/* The process that runs for a network; 0 if there is none. */
pid_t dnsmasq_pid(const char *name);

/*
 * Start the one that the network should have, and end the one that runs by now, if any. The bridge must be there with
 * its addresses, as dnsmasq ties its DHCP sockets to the interfaces that it finds. Returns when it serves; else false,
 * with a phrase in `why` to go behind "cannot start dnsmasq: ".
 */
bool dnsmasq_start(const struct policy_network *network, char *why, size_t why_size);

/*
 * End the one that runs for a network, and wait for its end; true if none runs. Leases stay, so that guests keep their
 * addresses when it is started again. False if it outlives SIGKILL, or if others than root can write to /run/tapgate;
 * with a phrase in `why` to go behind "cannot stop dnsmasq: ".
 */
bool dnsmasq_stop(const char *name, char *why, size_t why_size);

/*
 * The words of the one that runs for a network, to start it with again; NULL if none runs, or not with what it was
 * started with. They come from a record that only root can read or write: what the process itself says of its words
 * (/proc/PID/cmdline) is its own to write, and only has to be the same. To be freed.
 */
char *dnsmasq_remember(const char *name);

/* See to it that a network's runs with these words. Else false, with a phrase in `why`. */
bool dnsmasq_restore(const char *name, const char *remembered, char *why, size_t why_size);

/* Call `each` for every network that one runs for, whatever the policy says. It may stop the one that it is told of. */
void dnsmasq_each(void (*each)(void *context, const char *name), void *context);

#endif
