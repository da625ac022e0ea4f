/* What `tapgate check` finds: collected here, then shown to a person or to a program. */
#ifndef CLI_CHECK_FINDINGS_H
#define CLI_CHECK_FINDINGS_H

#include <stdio.h>

#include "policy/policy.h"

enum finding_kind {
	FINDING_ERROR,	      /* in the policy: it is not one, or cannot be on this host */
	FINDING_WARNING,      /* in the policy: it may not mean what its writer does */
	FINDING_LIVE_ERROR,   /* of the host: no request can be served */
	FINDING_LIVE_WARNING, /* of the host: something is not as it should be */
	FINDING_NOTE,	      /* to know, and nothing to do about */
	FINDING_KINDS,
};

enum { FINDINGS_MAX = POLICY_ERRORS_MAX }; /* of a kind that are kept; those behind them are counted */

struct finding {
	enum finding_kind kind;
	char *text;
	char *file;		   /* escaped; NULL: in no file */
	unsigned int line, column; /* 0: the file, or the line, as a whole */
	char *source;		   /* the line as it stands in the file, source_size bytes; NULL: none */
	size_t source_size;
	char *network;	   /* of the host: which network it is about; NULL: none */
	const char *check; /* of the host: a word for what was looked at */
	uint64_t order;	   /* where it goes among those of its kind */
};

struct findings {
	struct finding *items;
	size_t count;
	size_t found[FINDING_KINDS]; /* kept or not */
	bool failed;		     /* memory ran out */
};

/* A place in a policy. `order`: the larger the later; of equal ones the first that was added comes first. */
struct finding_place {
	const char *file; /* escaped */
	unsigned int line, column;
	struct word source; /* {NULL, 0}: none */
	uint64_t order;
};

void findings_add_at(struct findings *findings, enum finding_kind kind, const struct finding_place *place,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Of the host: about a network, or NULL. */
void findings_add_live(struct findings *findings, enum finding_kind kind, const char *network, const char *check,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

void findings_add_note(struct findings *findings, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Put them in order, and show all: in lines, those of a policy with their source beneath; or as JSON (tapgate(8)). */
void findings_print(struct findings *findings, FILE *out);
void findings_print_json(struct findings *findings, FILE *out);

void findings_free(struct findings *findings);

#endif
