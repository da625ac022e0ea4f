/* One call: who asks, for what, and what the policy says to it. Filled step by step, and read by the steps behind. */
#ifndef HELPER_ORDER_H
#define HELPER_ORDER_H

#include <sys/types.h>

#include "files/permit.h"
#include "helper/request.h"

struct order {
	struct policy_caller caller;
	struct request request;
	struct permit permit;
	pid_t vmm;    /* the process that made the socket; 0: not visible from here */
	pid_t helper; /* this one */
	int log;      /* the descriptor that leads to syslog; -1: it does not listen */
};

#endif
