/*
 * The two stages of isolation, each for good.
 *
 * Seccomp kills the process at the first system call that is not on the stage's list (helper/filters.c); Landlock,
 * where the kernel has it, leaves it files to read and /dev/net/tun, and nothing else.
 */
#ifndef HELPER_SANDBOX_H
#define HELPER_SANDBOX_H

#include <stdint.h>

#include "files/outcome.h"

/* Before anything that the caller wrote is looked at: enough to read files, talk to rtnetlink and make a tap. */
bool sandbox_for_work(struct outcome *outcome);

/*
 * When the work is done and no capability is left: enough to send one message, log, write an error and end. Closes all
 * descriptors but the ones that takes: of FD_TAP and those behind it, the first `taps`. Ends the process if it cannot
 * be entered.
 */
void sandbox_for_sending(uint32_t taps);

#endif
