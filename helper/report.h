/* What is told when all is over: a line to the log, a line to whoever asked. Both never wait long for a reader. */
#ifndef HELPER_REPORT_H
#define HELPER_REPORT_H

#include <sys/types.h>

#include "files/outcome.h"
#include "files/permit.h"
#include "helper/port.h"
#include "helper/request.h"

/* Who asked, and who answers, for the log. */
struct asker {
	uid_t uid;
	pid_t vmm, helper;
};

/* Connect FD_LOG to syslog, if it listens. Before the last sandbox, which has no way to connect. */
void report_open_log(void);

/*
 * Log that the tap is about to be handed over: before it is, so that a caller cannot prevent it by killing the helper.
 */
void report_grant(
	const struct asker *asker, const struct request *request, const struct permit *permit, const struct port *port);

/* Log a refusal, with the rule that decided if one did, and write its line to standard error. */
void report_refusal(const struct asker *asker, const struct request *request, const struct permit *permit,
	const struct outcome *outcome);

#endif
