/*
 * The journal's entries of the helper, by journalctl(1), which knows the journal's files and who may read them. It gets
 * fixed words, by an absolute path, and an environment of ours.
 */
#ifndef CLI_LOG_JOURNAL_H
#define CLI_LOG_JOURNAL_H

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
	LOG_JOURNAL_FAILED, /* there is; it said why, or we did */
};

/*
 * Hand the entries to take(), the oldest first, until it returns false. uid: of one user only, or NULL. follow: then
 * also those that come.
 */
enum log_journal log_journal_read(
	const uint32_t *uid, bool follow, bool (*take)(void *context, const struct log_entry *entry), void *context);

#endif
