/* The tap, and the bridge it becomes a port of. */
#ifndef HELPER_PORT_H
#define HELPER_PORT_H

#include <sys/types.h>

#include "helper/outcome.h"
#include "helper/permit.h"
#include "helper/request.h"
#include "link/link.h"

struct port {
	char name[IFNAMSIZ]; /* of the tap; empty: none was made */
	char alias[IFALIASZ];
	int tap, bridge; /* their indexes */
};

/*
 * Make a tap for a user, join it to the bridge that the request names, and bring it up: FD_TAP. vmm: the process it is
 * for, or 0. On failure nothing is left but a descriptor, and port_undo closes that.
 */
bool port_make(const struct request *request, const struct permit *permit, uid_t uid, pid_t vmm, struct port *port,
	struct outcome *outcome);

/* Close FD_TAP: the kernel removes the tap with it. */
void port_undo(void);

#endif
