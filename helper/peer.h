/* The socket that the caller handed down, and what goes out by it. */
#ifndef HELPER_PEER_H
#define HELPER_PEER_H

#include <stdint.h>

#include "files/outcome.h"
#include "helper/order.h"

/*
 * Take the socket: it becomes FD_PEER, the one to syslog FD_LOG, and every other descriptor above standard error is
 * closed; 0 and 1 lead to /dev/null, as does 2 where a user serves it. It must be a connected unix stream socket whose
 * other end the caller made (SO_PEERCRED, unix(7)). order->vmm receives the process that made it, 0 if that is not
 * visible from here.
 */
bool peer_take(struct order *order, struct outcome *outcome);

/* Send one byte with FD_TAP and its further queues, `count` in all (SCM_RIGHTS, unix(7)), at once or not at all. */
bool peer_send_taps(uint32_t count, struct outcome *outcome);

#endif
