/* The tap, and what it becomes: a port of a bridge, or an interface of the host's own. */
#ifndef HELPER_PORT_H
#define HELPER_PORT_H

#include <sys/types.h>

#include "files/outcome.h"
#include "files/permit.h"
#include "helper/network.h"
#include "helper/request.h"
#include "link/link.h"

struct port {
	char name[IFNAMSIZ]; /* of the tap; empty: none was made */
	char alias[IFALIASZ];
	int tap;		      /* its index */
	uint32_t queues;	      /* descriptors that are open for it, from FD_TAP on */
	unsigned char mac[MAC_BYTES]; /* the guest's, with lock-mac */
	uint32_t number;	      /* of the subnet that it has from a pool; 0: the network is no pool */
};

/*
 * Make a tap for a user: FD_TAP, and the queues behind it. Join it to the network's bridge, or give it the network's
 * addresses, and bring it up.
 * vmm: the process it is for, or 0. On failure nothing is left but descriptors, which sandbox_for_sending closes.
 */
bool port_make(const struct request *request, const struct permit *permit, const struct network *network, uid_t uid,
	pid_t vmm, struct port *port, struct outcome *outcome);

/* Close all its queues: the kernel removes the tap with them. */
void port_undo(const struct port *port);

#endif
