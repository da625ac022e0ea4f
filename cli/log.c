// SPDX-License-Identifier: MIT
/*
 * `tapgate log`: what the helper granted and refused, from the journal.
 *
 * Any user can write lines that look like the helper's. cli/log/line.c decides which are believed, and says why; the
 * others are shown as forged, with their sender. All text in them is untrusted, and escaped.
 */
#include "cli/commands.h"

#include <glob.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/log/log.h"
#include "policy/policy.h"
#include "policy/text.h"
#include "tool/tool.h"

struct log {
	const struct words *words;
	const uint32_t *uid; /* of whom the lines are; NULL: of all */
	unsigned long shown;
	bool partial; /* this user does not see the lines of others, and has not been told so yet */
};

/* --- one line ----------------------------------------------------------------------------------------------------- */

struct shown {
	char text[2048];
};

/* Printable ASCII as it is, everything else as \xNN; with `columns` also a blank that follows a blank. */
static struct shown show_bytes(const char *text, bool columns)
{
	struct shown shown = {""};
	char before = '\0';

	for (; *text; before = *text++) {
		const char *special = columns && *text == ' ' && before == ' ' ? " " : "";

		text_append_plain(shown.text, sizeof(shown.text), (struct word){text, 1}, special);
	}
	return shown;
}

/* For JSON. */
static struct shown show(const char *text)
{
	return show_bytes(text, false);
}

/* For the table: a terminal breaks long lines, and a text with many blanks could then look like a line of the table. */
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
	printf("%-19s  %-7s  %-10s  %-10s  %-12s  %7s  %s%s\n", when, log_result_name(line->result),
		show_cell(name ? name : number).text, line->network[0] ? line->network : "-",
		line->tap[0] ? line->tap : "-", vmm,
		show_cell(line->result == LOG_GRANTED ? line->rule : line->why).text,
		line->way[0] ? ", by the service" : "");
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(show(text).text) : json_null();
}

static json_t *number_or_null(uint32_t number)
{
	return number ? json_integer(number) : json_null();
}

/* One object in each line, so that programs can follow it. tapgate-json(7) promises the keys. */
static void dump_line(const struct log_entry *entry, const struct log_line *line)
{
	const time_t seconds = (time_t)(entry->time / 1000000);
	char when[64] = "";
	struct tm utc;
	json_t *object;

	if (gmtime_r(&seconds, &utc) && strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc))
		text_append(when, sizeof(when), ".%06uZ", (unsigned int)(entry->time % 1000000));
	object = json_pack("{s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "time", text_or_null(when),
		"result", log_result_name(line->result), "uid", (json_int_t)line->uid, "user",
		text_or_null(user_name(line->uid)), "network", text_or_null(line->network), "tap",
		text_or_null(line->tap), "vmm", number_or_null(line->vmm), "way", text_or_null(line->way), "rule",
		text_or_null(line->rule), "code", number_or_null(line->code), "reason", text_or_null(line->why));
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
	if (log->uid && line.uid != *log->uid)
		return true;
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

/* --- all of them -------------------------------------------------------------------------------------------------- */

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

/* The file in which a syslog daemon keeps the facility authpriv, where there is no journal. */
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

/* There is a journal, and this user may not read it. */
static int fail_closed(void)
{
	const char *name = user_name(getuid());

	say_error(
		"the journal has nothing that uid %u may read: root and the group systemd-journal see all of it; an administrator can run: usermod -aG systemd-journal %s (it counts from the next login)",
		getuid(), name ? show(name).text : "NAME");
	return STATUS_FAILED;
}

static int show_all(const struct words *words, const uint32_t *uid)
{
	const struct log_query query = {uid, words->since, words->given & WORD_FOLLOW};
	const bool all = sees_all();
	struct log log = {.words = words, .uid = uid, .partial = !all};
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

static bool check_time(const char *time)
{
	const struct word word = {time, strlen(time)};

	return log_journal_knows_time(time) ||
	       say_error(
		       "--since %s, expected a time as journalctl takes it: '2026-11-22 18:00', 'yesterday', '-2h'; see: tapgate help log",
		       QUOTED(word));
}

int command_log(const struct words *words)
{
	uint32_t uid = 0;

	if ((words->given & WORD_USER) && !words_uid(words->user, &uid))
		return STATUS_USAGE;
	if ((words->given & WORD_SINCE) && !check_time(words->since))
		return STATUS_USAGE;
	for (int i = 0; i < words->name_count; i++) {
		const struct word name = {words->names[i], strlen(words->names[i])};
		const char *problem = word_name_problem(name);

		if (problem) {
			say_error("%s %s, expected the name of a network", QUOTED(name), problem);
			return STATUS_USAGE;
		}
	}
	return show_all(words, words->given & WORD_USER ? &uid : NULL);
}
