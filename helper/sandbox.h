/*
 * The stages of isolation, each for good. Seccomp kills the process at the first system call that is not on the stage's
 * list (helper/filters.c).
 */
#ifndef HELPER_SANDBOX_H
#define HELPER_SANDBOX_H

#include <stdint.h>

#include "files/outcome.h"

/* Before anything that the caller wrote is looked at: enough to read files, talk to rtnetlink and make a tap. */
bool sandbox_for_work(struct outcome *outcome);

/* When the taps' descriptors are open: nothing is opened any more but to be read, whatever the capability would let. */
bool sandbox_for_reading(struct outcome *outcome);

/*
 * When the work is done and no capability is left: enough to send one message, log, write an error and end. `log`
 * becomes FD_LOG. Closes all descriptors but the ones that takes: of FD_TAP and those behind it, the first `taps`.
 * Where it cannot be entered nothing may be sent; a refusal can be told all the same, as nothing is left to be had.
 */
bool sandbox_for_sending(int log, uint32_t taps, struct outcome *outcome);

#endif
