/*
 * The process behind a tap. The tap's alias has the number of the one that asked for it, but numbers are used again,
 * and descriptors are passed on: so a process is believed to be it only if it has a descriptor of the tap, or is
 * older than the tap. Looking into another user's processes takes root (PTRACE_MODE_READ, ptrace(2)); when they began
 * does not.
 */
#ifndef CLI_TAPS_HOLDER_H
#define CLI_TAPS_HOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether a tap is held. */
enum holding { HOLDING_NO, HOLDING_YES, HOLDING_UNKNOWN };

struct holder {
	pid_t pid;	      /* 0: none that is known */
	char name[64];	      /* of its program, as that chose it (proc(5), comm); bytes, to be escaped */
	enum holding holding; /* whether it has a descriptor of the tap */
};

/*
 * The process `vmm`, if it is the one that holds the tap, or that asked for it: `age` is the tap's in 1/100 s, negative
 * if it is not known, and may be too high by `slack`.
 */
struct holder holder_check(const char *tap, int vmm, int64_t age, int64_t slack);

/*
 * Call `each` for every tap that a process which can be looked into has a descriptor of, once for each descriptor. What
 * a process of another network namespace holds may be another tap of that name: it is told with HOLDING_UNKNOWN, and no
 * process. False: there are processes that cannot be looked into, so what is not told may be held all the same.
 */
bool holder_each(void (*each)(void *context, const char *tap, const struct holder *), void *context);

#endif
