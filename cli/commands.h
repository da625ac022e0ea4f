// SPDX-License-Identifier: MIT
/*
 * The commands of `tapgate`: one function each, in a file of its name. Each gets the words after its own, and returns
 * what to exit with.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "tool/tool.h"

int command_up(const struct words *words);
int command_down(const struct words *words);
int command_status(const struct words *words);
int command_check(const struct words *words);
int command_explain(const struct words *words);
int command_log(const struct words *words);
int command_list(const struct words *words);
int command_ip(const struct words *words);
int command_networks(const struct words *words);
int command_run(const struct words *words); /* does not return if it can do it */
int command_keep(const struct words *words);
int command_reap(const struct words *words);

/*
 * What `up` does for networks once nothing is in the way of them: all of the policy, or those that are named (up.c).
 * The session has a picture of the host as it is.
 */
bool up_settle(struct session *session, const struct policy *policy, const struct words *words, const bool *refused);

struct json_t;

/*
 * Have networks stay as they are that `up` would change so that it cuts off who is on them, unless --force says that it
 * may (up_left.c): of the policy's they are noted in `refused`. False: that could not be found out.
 */
bool up_find_left(struct session *session, const struct policy *policy, const struct words *words, bool *refused);

/* Say which they are, and who is on them, or append that to a list. False: said why that is not known. */
bool up_tell_left(struct session *session, struct json_t *list);

#endif
