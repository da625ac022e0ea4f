/* What a process inherits from the one that started it, put in a known state before anything else happens. */
#ifndef HELPER_STATE_H
#define HELPER_STATE_H

#include "files/outcome.h"

/*
 * Known from here on: descriptors 0 to 2 are open; the environment is empty; umask, working directory, signal mask and
 * dispositions; no interval timer runs; soft limits are as high as the
 * hard ones.
 */
bool state_make_known(struct outcome *outcome);

/*
 * No program that is executed gains privileges (no_new_privs), no other process of the user's can read or trace this
 * one, and a crash leaves no core. *had_no_new_privs: whether the first held already, so that no setuid bit had any
 * effect.
 */
bool state_close_to_others(bool *had_no_new_privs, struct outcome *outcome);

/* The process is killed after 15 seconds (timer_create(2)), wherever it stands, stopped or not, and its tap is gone. */
bool state_end_soon(struct outcome *outcome);

/*
 * The kernel undoes the second with each change of credentials (begin_new_exec and commit_creds): call it after each.
 */
bool state_not_dumpable(struct outcome *outcome);

#endif
