// SPDX-License-Identifier: MIT
/* What the files of `tapgate log` share: where lines come from, and what stands in one. */
#ifndef CLI_LOG_LOG_H
#define CLI_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/text.h"

/* --- line --------------------------------------------------------------------------------------------------------- */

enum log_result { LOG_GRANTED, LOG_REFUSED, LOG_FORGED };

struct log_line {
	enum log_result result;
	uint32_t uid; /* whom it is about; of a forged one, the sender */
	/* Unescaped; empty where the line has none. For a forged one only `why`, our own words. */
	char network[NAME_MAX_BYTES + 1], tap[NAME_MAX_BYTES + 1];
	char way[16];	    /* "socket": by the service; empty: by the setuid bit or a capability */
	uint32_t vmm, code; /* 0: none */
	char rule[512], why[1024];
};

/* As in "granted". */
const char *log_result_name(enum log_result result);

/* Read a message that a user sent. One that is not as the helper writes it of its sender is LOG_FORGED. */
struct log_line log_line_read(struct word message, uint32_t sender);

/* --- journal ------------------------------------------------------------------------------------------------------ */

/* An entry; the message lives until the function that is given it returns. */
struct log_entry {
	uint64_t time; /* microseconds since 1970, by journald's clock */
	uint32_t sender;
	struct word message;
};

enum log_journal {
	LOG_JOURNAL_READ,   /* to its end, or until `take` had enough */
	LOG_JOURNAL_NONE,   /* there is no journalctl */
	LOG_JOURNAL_FAILED, /* there is, and it failed */
};

/* Which entries. */
struct log_query {
	const uint32_t *uid; /* of one user and of root only; NULL: of all */
	const char *since;   /* those from then on, in the words of systemd.time(7); NULL: all */
	bool follow;	     /* then also those that come */
};

enum { LOG_JOURNAL_WHY = 256 };

/*
 * Hand the entries to take(), the oldest first, until it returns false. why: after LOG_JOURNAL_FAILED what is known of
 * the reason, escaped; else empty.
 */
enum log_journal log_journal_read(const struct log_query *query,
	bool (*take)(void *context, const struct log_entry *entry), void *context, char why[static LOG_JOURNAL_WHY]);

/* Whether journalctl takes that for a time; true, too, if there is no journalctl to ask. */
bool log_journal_knows_time(const char *time);

#endif
