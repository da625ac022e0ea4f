// SPDX-License-Identifier: MIT
/*
 * What all of tapgate stands on: what it says, the words and the policy it is given, the host as it stands, and a
 * command at work.
 */
#ifndef TOOL_TOOL_H
#define TOOL_TOOL_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "judge/exit_code.h"
#include "link/link.h"
#include "policy/policy.h"
#include "policy/text.h"

/* --- say ---------------------------------------------------------------------------------------------------------- */

/* "tapgate: ..." and a newline. Always false, so that functions can return it. */
bool say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say that no netlink socket can be opened, and what may be in the way. error: a negative errno value. False. */
bool say_no_netlink(int error);

/* "tapgate: warning: ...": nothing failed, and somebody should know. */
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What is wrong at a place in the policy: "tapgate: /etc/tapgate.conf:7: ...". */
void say_error_at(const char *file, unsigned int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A new turn begins: of errors and warnings, those that were said in the turn before are not said again. */
enum { SAY_REMEMBERED = 32, SAY_TEXT = 256 /* that is compared of a line */ };
struct say_memory {
	char before[SAY_REMEMBERED][SAY_TEXT], now[SAY_REMEMBERED][SAY_TEXT];
};
void say_not_again(struct say_memory *memory);

/* What tapgate exits with: the helper's numbers, as far as they fit. `explain` and `run` pass the helper's own on. */
enum {
	STATUS_DONE = EXIT_SENT,
	STATUS_FAILED = EXIT_SYSTEM, /* the system refused, or something is not as it should be */
	STATUS_USAGE = EXIT_USAGE,
	STATUS_POLICY = EXIT_POLICY, /* the policy is invalid, not trusted, or in conflict with the host */
	STATUS_CHANGES = 6,	     /* with --dry-run: something would change */
};

/* --- clock -------------------------------------------------------------------------------------------------------- */

/* A clock that nobody sets, for deadlines: the wall's may jump. */

/* Milliseconds since some moment before the program began (CLOCK_MONOTONIC, clock_gettime(2)). */
static inline int64_t clock_milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- words -------------------------------------------------------------------------------------------------------- */

/* What a command may be told, a bit each. */
enum {
	WORD_DRY_RUN = 1 << 0,
	WORD_JSON = 1 << 1,
	WORD_STRICT = 1 << 2,
	WORD_LIVE = 1 << 3,
	WORD_WATCH = 1 << 4,
	WORD_FOLLOW = 1 << 5,
	WORD_USER = 1 << 6,
	WORD_SINCE = 1 << 7,
	WORD_MEMBERS = 1 << 8,
	WORD_NET = 1 << 9, /* this one, the next three and --by-name: `run` alone, which reads its words itself */
	WORD_QUEUES = 1 << 10,
	WORD_MAC = 1 << 11,
	WORD_VHOST = 1 << 12,
	WORD_BY_NAME = 1 << 14,
	WORD_FORCE = 1 << 15,
	WORD_HELP = 1 << 13, /* --help or -h, which every command has */
};

struct command_option {
	const char *name;  /* "--user"; NULL behind the last one */
	const char *value; /* what help calls its value, "WHO"; NULL: it has none */
	uint32_t bit;
	const char *about; /* for its line in the help; a newline where that goes on in another */
};

enum { COMMAND_OPTIONS_MAX = 6, ANY_NUMBER = INT_MAX };

struct words;

/* A command of tapgate, as cli/main.c's table has it. */
struct command {
	const char *name;
	const char *operands; /* the words that are no options, as usage shows them: "[NETWORK...]" */
	int names_max;	      /* how many of these there may be */
	const char *about;
	struct command_option options[COMMAND_OPTIONS_MAX + 1];
	const char *before, *after; /* help's text above and below the lines of the options */
	int (*run)(const struct words *words);
	bool own_words;	  /* it reads its words itself: all of them are in `names` */
	bool takes_input; /* "-" is a name: standard input */
	bool changes;	  /* it changes something, and is not to be ended half way by who reads what it prints */
};

struct words {
	const struct command *command;
	uint32_t given;	   /* WORD_... */
	const char *user;  /* with WORD_USER */
	const char *since; /* with WORD_SINCE */
	char **names;	   /* of networks, or files */
	int name_count;
};

/*
 * Sort a command's words: options, as far as it has them, then names. An option's value stands behind it, as the next
 * word or after '='. False: said what is wrong.
 */
bool words_parse(struct words *words, const struct command *command, int count, char **from);

/* The option that a word is, and in *value what stands behind its '=' (NULL: nothing does). NULL: said it is none. */
const struct command_option *words_option(const struct command *command, const char *word, const char **value);

/* Whether a name is among them, or there are none, which means all. */
bool words_name(const struct words *words, const char *name);

/* Whom --user means: by name, by whatever service knows it (getpwnam(3)), or as "#1000". False: said why not. */
bool words_uid(const char *text, uint32_t *uid);

/* --- guess -------------------------------------------------------------------------------------------------------- */

/* What was probably meant by a word that nothing has: the nearest of those that there are. */
struct guess {
	const char *said;
	const char *meant; /* NULL: nothing is near */
	unsigned int distance;
};

/* Compare it with one that there is, which outlives the guess. */
void guess_try(struct guess *guess, const char *candidate);

/* " (did you mean 'status'?)"; empty if nothing is near. */
struct guess_text {
	char text[64];
};
struct guess_text guess_text(const struct guess *guess);

/* --- caret -------------------------------------------------------------------------------------------------------- */

/*
 * Write a line, indented, and a second one with a caret under its byte `column`, counted from 1 (0: no caret). Bytes
 * that a terminal might obey, or that are no ASCII, stand as \xNN; tabs stay, in both lines, so that the caret is right
 * whatever they come to. Of a long line the part around the column is shown, with "..." where it was cut.
 */
void caret_write(FILE *out, struct word line, unsigned int column);

/* --- columns ------------------------------------------------------------------------------------------------------ */

/*
 * Tables in columns, as text: aligned by what a terminal shows, with colour if it is wanted, cut to a screen if there
 * is one. Pure: it writes nothing, and looks at the environment only in columns_colour.
 */
enum columns_style { COLUMNS_PLAIN, COLUMNS_HEAD, COLUMNS_GOOD, COLUMNS_BAD };

/* What the text is for. 0: as wide, or as many lines, as it comes to. */
struct columns_screen {
	bool colour;
	unsigned int width, lines;
};

struct columns {
	size_t width;	/* how many cells a row has */
	uint32_t right; /* a bit for each column whose texts end at its right edge, as numbers do */
	struct columns_cell *cells;
	size_t count, room;
	bool failed; /* memory ran out */
};

/*
 * Add the next cell; after `width` of them begins another row. The text is what a terminal may be sent, so whatever
 * somebody else wrote has been escaped.
 */
void columns_add(struct columns *table, enum columns_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An empty cell, and the rest of a row of them. */
void columns_skip(struct columns *table, size_t count);

/*
 * The whole table: each row a line, two blanks between columns, none at its end. Lines are cut at the width, and the
 * last line says how many are left out. NULL: memory ran out. The caller frees it.
 */
char *columns_text(const struct columns *table, const struct columns_screen *screen);
void columns_free(struct columns *table);

/* The places that a text takes: 2 for a wide character of East Asia, none for one that is put over another. */
unsigned int columns_width(const char *text);

/*
 * Append a name to the string in buffer as text_append_escaped does, but with the letters of all languages as they are,
 * if they are well-formed UTF-8 (RFC 3629). What changes the direction of writing, or cannot be seen, is escaped.
 */
void columns_append_name(char *buffer, size_t capacity, struct word name);

/* Whether to use colour on a stream: a terminal, unless NO_COLOR says no or TERM is dumb. */
bool columns_colour(FILE *stream);

/* What switches a style on, and all styles off; both empty without colour. */
const char *columns_on(enum columns_style style, bool colour);
const char *columns_off(enum columns_style style, bool colour);

/* --- findings ----------------------------------------------------------------------------------------------------- */

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
	size_t part;	   /* of a policy: which of its files it is in, as they are read */
};

struct findings {
	struct finding *items;
	size_t count;
	size_t found[FINDING_KINDS]; /* kept or not */
	bool failed;		     /* memory ran out */
};

/* A place in a policy. Warnings are shown in the order of parts, lines and columns, all else as it came. */
struct finding_place {
	const char *file; /* escaped */
	unsigned int line, column;
	struct word source; /* {NULL, 0}: none */
	size_t part;
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

/* --- load --------------------------------------------------------------------------------------------------------- */

struct findings;

#define POLICY_FILE SYSCONFDIR "/tapgate.conf"

/* Load a policy (NULL: the installed one) by the helper's own rules of trust. NULL: said why. */
struct policy *load_policy(const char *path);

/*
 * The same, for `tapgate check`: all that is wrong is found, and nothing said; "-" and "/dev/stdin" are standard input,
 * "/dev/fd/N" is a descriptor.
 * What messages call a file.
 */
const char *load_name(const char *path);
struct policy *load_check(const char *path, struct findings *findings);

/* Choose the subnets of networks whose lines say `auto`, by this host's routes (tool/choose.c); load_policy has. */
void load_choose(struct policy *policy);

/* Say which part of it this user may not read, if there is one: a list of its networks may lack some then. */
void load_tell_hidden(const struct policy *policy);

/* The network of a name; NULL if the policy has no line for it. */
const struct policy_network *load_find(const struct policy *policy, const char *name);

/*
 * Whether whoever calls is shown what a user has on a network ("": it is not known on which): it is the caller's own,
 * or the caller is root, or the policy (NULL: none) does not say list=own there, as far as it can be read.
 */
bool load_shows(const struct policy *policy, const char *network, uid_t owner);

/* Whose own that would be. 0: root's, who is shown all. VIEWER_NOBODY: ids of a user namespace tell nothing here. */
#define VIEWER_NOBODY ((uid_t)-1)
uid_t load_viewer(void);

/*
 * The network of a name that the policy has in a line or in a rule. Where only rules name it there is no line, and
 * *bridged becomes what the helper takes it for: a bridge that is not tapgate's to make. NULL: the policy has no such
 * name.
 */
const struct policy_network *load_named(const struct policy *policy, const char *name, struct policy_network *bridged);

/*
 * Call `each` once with every name of a network: in the order of their lines, then those that only rules name. Returns
 * whether a rule allows 'all' networks to anybody.
 */
bool load_each_name(const struct policy *policy, void (*each)(void *context, const char *name), void *context);

/* Which of the policy's networks was probably meant by a name that it does not have, for a message. */
struct guess_text load_guess(const struct policy *policy, const char *name);

/* Say that the policy has no such network, and which one was probably meant. False. */
bool load_say_unknown(const struct policy *policy, const char *name);

/* Say of a name that no interface has either that there is no such network, if the policy has none. */
void load_say_missing(const struct policy *policy, const char *name);

/* Whether a name, from the command line, is of a network that is tapgate's to make. False: said why. */
bool load_managed(const struct policy *policy, const char *name);

/*
 * Of a name that has no taps: whether the policy has such a network; the policy is loaded into *policy at the first
 * question. STATUS_DONE, or said why not.
 */
int load_known(struct policy **policy, const char *name);

/* --- host --------------------------------------------------------------------------------------------------------- */

struct host {
	struct link_interface *interfaces;
	struct link_address *addresses;
	struct link_route *routes;
	struct locked *locked;
	size_t interface_count, address_count, route_count, locked_count;
};

/* 0 or a negative errno value; host_forget frees what was filled in either case. */
int host_look(struct link *link, struct host *host);
void host_forget(struct host *host);

/* NULL if there is none. */
const struct link_interface *host_interface(const struct host *host, const char *name);
const struct link_interface *host_interface_at(const struct host *host, int index);

/* --- session ------------------------------------------------------------------------------------------------------ */

struct guards;
struct nft_ctx;
struct json_t;
struct phrase;

struct session {
	bool dry;	     /* say what would be done, and do nothing */
	const char *command; /* of one that changes things, its name */
	unsigned int changes;
	struct link *link, *nftables;
	struct nft_ctx *nft; /* libnftables */
	struct host host;
	struct guards *guards; /* NULL: not read yet */
	char *seals;	       /* of guards that were put up, as commands; NULL: none */
	struct json_t *copies; /* of guards, to be put back as they were (guard_copy); NULL: none are made */
	int lock;
	sigset_t signals; /* what was blocked before */
	bool interrupted; /* that was said */
	void *seen;	  /* what session_see keeps */
	void (*forget)(void *seen);
	struct phrase *phrases;	   /* what session_phrase keeps */
	struct session_left *left; /* networks that are to stay as they are */
	size_t left_count;
	struct json_t *said;  /* what session_say collects in place of printing it; NULL: it prints */
	bool keeping;	      /* session_say keeps what it has to say, for session_tell */
	struct json_t *later; /* what is kept */
	char *resolved;	      /* what systemd-resolved said of interfaces (networks/resolver.c); NULL: not asked */
};

/* A network that stays as it is, and a phrase that says why. */
struct session_left {
	char network[IFNAMSIZ];
	const char *why;
};

/*
 * Open the connections and take a picture of the host. To change anything needs root and waits for other runs that do.
 * False: said why. session_close in either case.
 */
bool session_open(struct session *session, bool to_change);
void session_close(struct session *session);

/*
 * A session that changes things does not end at SIGINT, SIGTERM, SIGHUP or SIGQUIT, but at session_close: so a network
 * is not left half way. Whether one is waiting, so that nothing else should be begun; says so.
 */
bool session_interrupted(struct session *session);

/* Have a network stay as it is: `why` is one of session_phrase's, or lasts as long. Whether one does. */
bool session_leave(struct session *session, const char *network, const char *why);
bool session_leaves(const struct session *session, const char *network);

/*
 * What a policy says was done, or undone: who keeps networks so (cli/keep.c) is to read it anew. It is the time of the
 * lock's file, which whoever waits for that can watch; {0} where there is none.
 */
#define SESSION_LOCK "/run/tapgate/lock"
void session_applied(const struct session *session);
struct timespec session_when_applied(void);

/* Take a new picture, of the host now and of guards when one is asked for. */
bool session_look(struct session *session);

/* Keep what was made of the rules as they stand, until a new picture is taken or rules are changed. */
void session_see(struct session *session, void *seen, void (*forget)(void *seen));
void session_see_anew(struct session *session);

/*
 * Say that something was done to a network, or with --dry-run would be: "lab: made the bridge"; or collect it as an
 * object, {"network": "lab", "change": "make the bridge"}.
 */
void session_say(struct session *session, const char *network, const char *did, const char *would, const char *format,
	...) __attribute__((format(printf, 5, 6)));

/* Say what session_say kept of a network (NULL: of all). */
void session_tell(struct session *session, const char *network);

/* What a command that changes things exits with when nothing failed. */
int session_status(const struct session *session);

/* Say why something could not be done to a network: "tapgate: lab: cannot ...: REASON". False. */
bool session_fail(const char *network, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A phrase with a name in it, for what is not as wanted. It is the session's, and stays until session_close. */
const char *session_phrase(struct session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- guards ------------------------------------------------------------------------------------------------------- */

/*
 * As guard_read, in the picture of all that is taken at the first question: for whoever looks at many and has changed
 * none since session_look.
 */
int guards_find(struct session *session, int family, const char *network, struct guard *guard);
void guards_forget(struct guards *guards);

/* --- rules -------------------------------------------------------------------------------------------------------- */

/*
 * Connect; false: said why. Again after whatever failed, since answers that nobody has read would be taken for those to
 * the next question.
 */
bool rules_open(struct session *session);

/* Run commands in nft's language (nft(8)). False: said why, with `what` it was for. */
bool rules_run(struct session *session, const char *network, const char *commands, const char *what);

/* The same, and nothing is said if it fails. */
bool rules_try(struct session *session, const char *commands);

/* What a command lists, as text from malloc, without the elements of sets; NULL if it fails. */
char *rules_show(struct session *session, const char *command);

/*
 * What a command lists, as an array of JSON (libnftables-json(5)) to be given back with json_decref; NULL if it fails,
 * and nothing is said of that.
 */
struct json_t *rules_ask(struct session *session, const char *command);

/* --- run ---------------------------------------------------------------------------------------------------------- */

/*
 * Run a program of the host's, by its path, with nothing of the caller's environment; `said` receives what it writes.
 * False if it does not begin, end within five seconds, or end with 0, or says more than fits.
 */
bool program_run(char *const *words, char *said, size_t size);

/* --- file --------------------------------------------------------------------------------------------------------- */

/* Up to `size` bytes of an open file: how many, or -errno. */
ssize_t file_read_all(int fd, char *text, size_t size);

/*
 * What is in a small file, as a string, cut where it does not fit: how many bytes, or -errno, and then the string is
 * empty. A path that does not begin with '/' is one in an open directory, and not followed if it is a symbolic link.
 */
ssize_t file_read(int directory, const char *path, char *text, size_t size);

/*
 * All that is in a file, from malloc, with room for a NUL behind; *size receives its bytes. NULL and errno if it is no
 * file, a symbolic link, or larger than `limit`.
 */
char *file_read_whole(const char *path, size_t limit, size_t *size);

/* --- sysctl ------------------------------------------------------------------------------------------------------- */

/*
 * A setting of an interface ("all", too; NULL: of none, and the setting is a path) in a family, AF_INET or AF_INET6:
 * net.ipv4.conf.eth0.forwarding. The number; -1 if there is no such setting, or it cannot be read.
 */
int sysctl_read(int family, const char *interface, const char *setting);

/* Set it: 0 or a negative errno value. */
int sysctl_write(int family, const char *interface, const char *setting, int value);

/* --- installed ---------------------------------------------------------------------------------------------------- */

enum { HELPER_WHO_MAX = 400 }; /* room for a sentence with the helper's place */

/* Where the installed helper is. False: said why that cannot be found out. path: PATH_MAX bytes. */
bool helper_find(char *path);

/* Whom the helper's mode leaves, "only root and members of 'kvm' may run PATH". False: everybody. who: size bytes. */
bool helper_say_who(const char *path, char *who, size_t size);

#endif
