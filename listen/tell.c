// SPDX-License-Identifier: MIT
/* What a peer of the service is told that is not served. */
#include "listen/listen.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds between two lines in the log: what is refused here must not cost others their time. */
enum { LINES_APART = 1000 };

int64_t milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void spare_free(void)
{
	close(FD_OF_DOOR);
	close(FD_OF_CHILD);
}

void spare_keep(void)
{
	dup3(FD_PEER, FD_OF_DOOR, O_CLOEXEC);
	dup3(FD_PEER, FD_OF_CHILD, O_CLOEXEC);
}

void tell(const struct peer *peer, const struct outcome *outcome)
{
	static int64_t last = -LINES_APART;
	struct order order = {.caller.uid = peer->uid, .served = true, .helper = getpid(), .log = -1};
	struct outcome unlogged = {.code = EXIT_SENT};

	spare_free();
	if (milliseconds() - last >= LINES_APART && report_open_log(&order, &unlogged)) {
		last = milliseconds();
		dup3(order.log, FD_LOG, O_CLOEXEC);
	}
	spare_keep(); /* what was opened is no more */
	if (dup3(peer->sock, FD_ERROR, 0) == FD_ERROR) {
		report_refusal(&order, outcome);
		service_answer((int)outcome->code);
	}
	shutdown(peer->sock, SHUT_WR);
	dup3(FD_PEER, FD_ERROR, 0);
	dup3(FD_PEER, FD_LOG, O_CLOEXEC);
}
