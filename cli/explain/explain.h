// SPDX-License-Identifier: MIT
/*
 * What the files of `tapgate explain` share.
 *
 * Data goes one way: who is asked about and what the policy says as that user may read it (ask.c), how that stands on
 * this host (find.c), and the words for it (show.c).
 */
#ifndef CLI_EXPLAIN_EXPLAIN_H
#define CLI_EXPLAIN_EXPLAIN_H

#include <arpa/inet.h>
#include <jansson.h>
#include <limits.h>

#include "judge/judge.h"
#include "networks/networks.h"
#include "policy/text.h"
#include "taps/taps.h"
#include "tool/tool.h"

/* Who is asked about. */
struct explain_who {
	bool self; /* the process's own ids, as the helper would have them from it */
	uid_t uid;
	gid_t gid;
	uint32_t *groups; /* gid and the supplementary ones */
	size_t group_count;
	char name[256]; /* empty: none is known */
};

/* Find out who is meant by --user; NULL: the caller. STATUS_DONE, or what to exit with, said why. Free the groups. */
int explain_find_who(const char *user, struct explain_who *who);

/* Of a refusal that is for a name in no account file: its number, by the host's name services. */
struct explain_answer;
void explain_show_skipped(const struct explain_who *who, const struct explain_answer *answer, FILE *out);

/* --- what the policy says ----------------------------------------------------------------------------------------- */

enum { EXPLAIN_FILE_MAX = 256 }; /* room for a file's name, escaped and cut if need be */

/* A guest that has a line of its own. What it has not is empty. */
struct explain_guest {
	char name[POLICY_LABEL_MAX + 1], mac[MAC_TEXT], ipv4[INET_ADDRSTRLEN], ipv6[INET6_ADDRSTRLEN];
};
enum { EXPLAIN_GUESTS_MAX = 32 }; /* that are told of */

/* On one network. Plain bytes, as it comes out of another process. */
struct explain_answer {
	struct outcome outcome; /* EXIT_SENT: allowed; else the helper's code and its sentence */
	struct permit permit;
	char rule_file[EXPLAIN_FILE_MAX], rule[POLICY_LINE_MAX + 1];
	char line_file[EXPLAIN_FILE_MAX];  /* of the network's line */
	unsigned int rule_line, line_line; /* 0: there is none */
	bool partly; /* a mistake keeps from knowing what guests are told, and which have a line */
	struct explain_guest guests[EXPLAIN_GUESTS_MAX];
	unsigned int guest_count;
	/* A name that is in no account file, of a rule that would allow it; empty: none. */
	char skipped[POLICY_LINE_MAX + 1];
	enum policy_account skipped_kind;
	struct guess_text meant; /* of a name that the policy does not have, which one was probably meant */
};

/* What is asked, and who hears of it. */
struct explain_question {
	const struct explain_who *who;
	char *const *names; /* of networks; none: all that the policy names, or that it allows with the others */
	int name_count;
	const struct host *host;
	const char *helper; /* where it is */
	/*
	 * Before all others: the first file that the user may not read, empty if there is none; whether the user may
	 * run the helper; and whether the policy has more networks than one, or none.
	 */
	void (*begin)(void *context, const char *hidden, bool may_run, bool several);
	void (*each)(void *context, const struct explain_answer *answer);
	void *context;
};

/*
 * Read the policy as that user, in a process that becomes that user for good, and decide. STATUS_DONE, or what to exit
 * with: the policy is not valid, or the system refused; said why.
 */
int explain_ask(const struct explain_question *question);

/* --- how it stands ------------------------------------------------------------------------------------------------ */

/* What there is to know about a network that is allowed. */
struct explained {
	const struct explain_answer *answer;
	struct report report;	   /* its difference is also what keeps a virtual machine from it */
	unsigned int used;	   /* the user's taps there */
	unsigned int orphans;	   /* of these, how many nobody holds */
	bool seeming;		   /* they only seem so: it takes root to know */
	char in_way[128];	   /* room for a difference */
	char mac[MAC_TEXT];	   /* for the guest's card; empty: any, or none is free */
	char guest[128];	   /* where the guest has its address from; empty: nobody here knows */
	char qemu[PATH_MAX + 256]; /* words for its command line; empty: there are none */
	char run[512];		   /* the same with several queues; empty: one is all that is granted */
	const char *helper;	   /* why the user may not run the helper; empty: the user may */
};

/*
 * Find what is known beside the answer. helper: where it is. scene: the taps as they stand, with their holders; one
 * without taps if that is not known.
 */
void explain_find(struct session *session, const struct scene *scene, const struct explain_who *who, const char *helper,
	struct explained *explained);

/* An option that is granted: its word, its value (empty: it has none), and what gave it. */
void explain_each_grant(const struct permit *permit,
	void (*each)(void *context, const char *word, const char *value, enum permit_source by), void *context);

/* --- in words ----------------------------------------------------------------------------------------------------- */

/* What has been said, and need not be said again. */
struct explain_shown {
	bool guards; /* that only root can see them */
};

void explain_show(const struct explained *explained, struct explain_shown *shown);
void explain_show_line(const struct explained *explained); /* only the verdict, and how it stands */
void explain_show_refusal(const struct explain_answer *answer, FILE *out);
json_t *explain_json(const struct explained *explained);
json_t *explain_json_refusal(const struct explain_answer *answer);

#endif
