/*
 * A line of the helper's log, read and judged.
 *
 * Any user may write to the log, under any name. What a line of the journal proves is its sender's user ID, which the
 * kernel puts beside the datagram (SCM_CREDENTIALS, unix(7); the real one, which the helper shares with its caller) and
 * journald keeps as _UID. So a line counts if it is well-formed and speaks of its sender. Users can still lie about
 * themselves, and about nobody else. Program and command line (_EXE, _CMDLINE) prove nothing: journald looks them up in
 * /proc when the datagram arrives (src/journal/journald-context.c), where a process as short as the helper is often
 * gone, and what a user's own mount namespace calls a file is for that user to say.
 */
#ifndef CLI_LOG_LINE_H
#define CLI_LOG_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/text.h"

enum log_result { LOG_GRANTED, LOG_REFUSED, LOG_FORGED };

struct log_line {
	enum log_result result;
	uint32_t uid; /* of the sender */
	/* Unescaped; empty where the line has none. For a forged one only `why`, our own words. */
	char network[NAME_MAX_BYTES + 1], tap[NAME_MAX_BYTES + 1];
	uint32_t vmm, code; /* 0: none */
	char rule[512], why[1024];
};

/* As in "granted". */
const char *log_result_name(enum log_result result);

/* Read a message that a user sent. One that is not as the helper writes it is LOG_FORGED. */
struct log_line log_line_read(struct word message, uint32_t sender);

#endif
