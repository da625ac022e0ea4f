/* The tap, and what it becomes: a port of a bridge, or an interface of the host's own. */
#ifndef HELPER_PORT_H
#define HELPER_PORT_H

#include "files/outcome.h"
#include "helper/network.h"
#include "helper/order.h"
#include "link/link.h"

struct port {
	char name[IFNAMSIZ]; /* of the tap; empty: none was made */
	char alias[IFALIASZ];
	int tap;		      /* its index; 0: none was made */
	uint32_t queues;	      /* descriptors that are open for it, from FD_TAP on */
	int error;		      /* why there are not as many as were asked for: a negative errno value */
	unsigned char mac[MAC_BYTES]; /* the guest's, with lock-mac */
	uint32_t number;	      /* of the subnet that it has from a pool; 0: the network is no pool */
};

/*
 * Open the descriptors that become the tap and its queues: nothing else is opened for writing. Always true: what fails
 * is told by port_make, so that who is denied is told that.
 */
bool port_open(const struct order *order, struct port *port);

/*
 * Make the tap: FD_TAP, and the queues behind it. Join it to the network's bridge, or give it the network's addresses,
 * and bring it up. On failure nothing is left but descriptors, which sandbox_for_sending closes.
 */
bool port_make(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome);

/* Close all its queues: the kernel removes the tap with them. */
void port_undo(const struct port *port);

#endif
