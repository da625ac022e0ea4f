/* What is told when all is over: a line to the log, a line to whoever asked. Both never wait long for a reader. */
#ifndef HELPER_REPORT_H
#define HELPER_REPORT_H

#include "files/outcome.h"
#include "helper/order.h"
#include "helper/port.h"

/*
 * Connect to syslog: order->log. Done while only root can change what this process may have; a socket that cannot be
 * had refuses the request. Where nobody listens there is no log.
 */
bool report_open_log(struct order *order, struct outcome *outcome);

/*
 * Log that the tap is about to be handed over: before it is, so that a caller cannot prevent it by killing the helper.
 * False if the line could not be sent for another reason than that the log does not take it.
 */
bool report_grant(const struct order *order, const struct port *port, struct outcome *outcome);

/* Log a refusal, with the rule that decided if one did, and write its line to standard error. */
void report_refusal(const struct order *order, const struct outcome *outcome);

#endif
