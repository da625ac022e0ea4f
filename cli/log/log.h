// SPDX-License-Identifier: MIT
/* The journal, from which `tapgate log` has the helper's lines. */
#ifndef CLI_LOG_LOG_H
#define CLI_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/text.h"

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
