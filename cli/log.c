/*
 * `tapgate log`: what the helper granted and refused, from the journal.
 *
 * The helper's lines are anybody's to imitate. What is believed, and why, is in cli/log/line.h; what is not is shown as
 * forged, with its sender. All of it is somebody else's text, and escaped.
 */
#include <glob.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/log/journal.h"
#include "cli/log/line.h"
#include "cli/say.h"
#include "cli/words.h"
#include "policy/policy.h"
#include "policy/text.h"

struct log {
	const struct words *words;
	unsigned long shown;
	bool partial; /* others' lines are not shown, which is still to be said */
};

/* --- one line ---------------------------------------------------------------------------------------------------- */

struct shown {
	char text[2048];
};

/* Printable ASCII as it is, everything else as \xNN; so is a blank behind another one, if `columns`. */
static struct shown show_bytes(const char *text, bool columns)
{
	struct shown shown = {""};
	char before = '\0';

	for (; *text; before = *text++) {
		const unsigned char byte = (unsigned char)*text;
		const bool plain = byte >= ' ' && byte <= '~' && !(columns && byte == ' ' && before == ' ');

		text_append(shown.text, sizeof(shown.text), plain ? "%c" : "\\x%02x", byte);
	}
	return shown;
}

/* For JSON. */
static struct shown show(const char *text)
{
	return show_bytes(text, false);
}

/* For the table: with more than one blank in a row a text could, where a terminal breaks the line, look like a line. */
static struct shown show_cell(const char *text)
{
	return show_bytes(text, true);
}

static const char *user_name(uint32_t uid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? user->pw_name : NULL;
}

static void print_line(const struct log_entry *entry, const struct log_line *line)
{
	const time_t seconds = (time_t)(entry->time / 1000000);
	const char *name = user_name(line->uid);
	char when[32] = "?", number[16], vmm[16] = "-";
	struct tm local;

	if (localtime_r(&seconds, &local))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
	snprintf(number, sizeof(number), "#%u", line->uid);
	if (line->vmm)
		snprintf(vmm, sizeof(vmm), "%u", line->vmm);
	printf("%-19s  %-7s  %-10s  %-10s  %-12s  %7s  %s\n", when, log_result_name(line->result),
		show_cell(name ? name : number).text, line->network[0] ? line->network : "-",
		line->tap[0] ? line->tap : "-", vmm,
		show_cell(line->result == LOG_GRANTED ? line->rule : line->why).text);
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(show(text).text) : json_null();
}

static json_t *number_or_null(uint32_t number)
{
	return number ? json_integer(number) : json_null();
}

/* An object a line, so that it can be followed. The keys are promised in tapgate(8). */
static void dump_line(const struct log_entry *entry, const struct log_line *line)
{
	const time_t seconds = (time_t)(entry->time / 1000000);
	char when[64] = "";
	struct tm utc;
	json_t *object;

	if (gmtime_r(&seconds, &utc) && strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc))
		text_append(when, sizeof(when), ".%06uZ", (unsigned int)(entry->time % 1000000));
	object = json_pack("{s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "time", text_or_null(when), "result",
		log_result_name(line->result), "uid", (json_int_t)line->uid, "user", text_or_null(user_name(line->uid)),
		"network", text_or_null(line->network), "tap", text_or_null(line->tap), "vmm",
		number_or_null(line->vmm), "rule", text_or_null(line->rule), "code", number_or_null(line->code),
		"reason", text_or_null(line->why));
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

static void say_partial(struct log *log)
{
	if (log->partial)
		say_error("only your own lines can be shown; root and the group systemd-journal see all");
	log->partial = false;
}

static bool take(void *context, const struct log_entry *entry)
{
	struct log *log = context;
	const struct log_line line = log_line_read(entry->message, entry->sender);

	say_partial(log);
	if (log->words->name_count > 0 && !words_name(log->words, line.network))
		return true;
	if (log->words->given & WORD_JSON) {
		dump_line(entry, &line);
	} else {
		if (log->shown == 0)
			printf("%-19s  %-7s  %-10s  %-10s  %-12s  %7s  %s\n", "TIME", "RESULT", "USER", "NETWORK",
				"TAP", "VMM", "RULE OR REASON");
		print_line(entry, &line);
	}
	log->shown++;
	return !ferror(stdout);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

/* Whether journald lets this process read what others sent (journalctl(1), systemd-journald.service(8)). */
static bool sees_all(void)
{
	static const char *const names[] = {"systemd-journal", "adm", "wheel"};
	gid_t groups[1024];
	const int count = getgroups(1024, groups);

	if (geteuid() == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct group *group = getgrnam(names[i]);

		for (int j = 0; group && j < count; j++) {
			if (groups[j] == group->gr_gid)
				return true;
		}
		if (group && group->gr_gid == getegid())
			return true;
	}
	return false;
}

/* Where a syslog daemon without a journal keeps authpriv. */
static const char *other_place(void)
{
	return access("/var/log/auth.log", F_OK) == 0 ? "/var/log/auth.log"
	       : access("/var/log/secure", F_OK) == 0 ? "/var/log/secure"
						      : "/var/log/auth.log or /var/log/secure";
}

/* Whether journald has written anything here that this process may see (F_OK) or read (R_OK). */
static bool has_journal(int mode)
{
	static const char *const places[] = {"/run/log/journal/*/*.journal*", "/var/log/journal/*/*.journal*"};
	bool found = false;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		glob_t files = {.gl_pathc = 0};

		if (glob(places[i], GLOB_NOSORT, NULL, &files) == 0) {
			for (size_t j = 0; j < files.gl_pathc; j++)
				found |= access(files.gl_pathv[j], mode) == 0;
		}
		globfree(&files);
	}
	return found;
}

static int fail(const char *why)
{
	say_error("%s; where syslog keeps files of its own, try: grep tapgate-helper %s", why, other_place());
	return STATUS_FAILED;
}

/* The journal's files are there, and not this user's to read. */
static int fail_closed(void)
{
	const char *name = user_name(getuid());

	say_error("the journal has nothing that uid %u may read: root and the group systemd-journal see all of it; an "
		  "administrator can run: usermod -aG systemd-journal %s (it counts from the next login)",
		getuid(), name ? show(name).text : "NAME");
	return STATUS_FAILED;
}

static int show_all(const struct words *words, const uint32_t *uid)
{
	const struct log_query query = {uid, words->since, words->given & WORD_FOLLOW};
	const bool all = sees_all();
	struct log log = {.words = words, .partial = !all};
	char why[LOG_JOURNAL_WHY];

	if (has_journal(R_OK))
		say_partial(&log);
	switch (log_journal_read(&query, take, &log, why)) {
	case LOG_JOURNAL_NONE:
		return fail("there is no journal here, as /usr/bin/journalctl cannot be run");
	case LOG_JOURNAL_FAILED:
		if (!all && !has_journal(R_OK))
			return fail_closed();
		say_error("journalctl failed%s%s; try: journalctl SYSLOG_IDENTIFIER=tapgate-helper", *why ? ": " : "",
			why);
		return STATUS_FAILED;
	case LOG_JOURNAL_READ:
		break;
	}
	if (log.shown == 0 && !has_journal(F_OK))
		return fail("there is no journal here");
	say_partial(&log);
	if (log.shown == 0 && !(words->given & WORD_JSON))
		puts("no lines");
	return STATUS_DONE;
}

/* A user by name, by whatever service knows it, or as #number. */
static bool find_user(const char *text, uint32_t *uid)
{
	const struct word word = {text, strlen(text)};
	const struct passwd *user;

	if (*text == '#')
		return word_number((struct word){text + 1, word.size - 1}, UINT32_MAX - 1, uid) ||
		       say_error("--user %s, expected a name or '#number'", QUOTED(word));
	user = getpwnam(text);
	if (!user)
		return say_error("no user %s; one that is gone has a number: --user '#1000'", QUOTED(word));
	*uid = user->pw_uid;
	return true;
}

static bool check_time(const char *time)
{
	const struct word word = {time, strlen(time)};

	return log_journal_knows_time(time) ||
	       say_error("--since %s, expected a time as journalctl takes it: '2026-11-22 18:00', 'yesterday', '-2h'; "
			 "see: tapgate help log",
		       QUOTED(word));
}

int command_log(int count, char **words)
{
	struct words parsed;
	uint32_t uid = 0;

	if (!words_parse(&parsed, "log", WORD_FOLLOW | WORD_JSON | WORD_USER | WORD_SINCE, POLICY_NETWORKS_MAX, count,
		    words))
		return STATUS_USAGE;
	if ((parsed.given & WORD_USER) && !find_user(parsed.user, &uid))
		return STATUS_USAGE;
	if ((parsed.given & WORD_SINCE) && !check_time(parsed.since))
		return STATUS_USAGE;
	for (int i = 0; i < parsed.name_count; i++) {
		const struct word name = {parsed.names[i], strlen(parsed.names[i])};
		const char *problem = word_name_problem(name);

		if (problem) {
			say_error("%s %s, expected the name of a network", QUOTED(name), problem);
			return STATUS_USAGE;
		}
	}
	return show_all(&parsed, parsed.given & WORD_USER ? &uid : NULL);
}
