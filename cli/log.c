// SPDX-License-Identifier: MIT
/*
 * `tapgate log`: what the helper granted and refused, from the journal.
 *
 * Any user can write lines that look like the helper's. Those that are not believed are shown as forged, with their
 * sender. All text in them is untrusted, and escaped.
 */
#include "cli/commands.h"

#include <glob.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/log/log.h"
#include "policy/policy.h"
#include "policy/text.h"
#include "tool/tool.h"

/* --- what a line says --------------------------------------------------------------------------------------------- */

/*
 * Any user may write to the log, under any name. What a line of the journal proves is its sender's user ID, which the
 * kernel puts beside the datagram (SCM_CREDENTIALS, unix(7); the real one, which the helper shares with its caller) and
 * journald keeps as _UID. So a line counts if it is well-formed and speaks of its sender. Users can still lie about
 * themselves, and about nobody else. Program and command line (_EXE, _CMDLINE) prove nothing: journald looks them up in
 * /proc when the datagram arrives (src/journal/journald-context.c), where a process as short as the helper is often
 * gone, and what a user's own mount namespace calls a file is for that user to say.
 */

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

enum field { UID, WAY, NETWORK, VMM, TAP, CODE, RULE, WHY, FIELDS };

/* The fields of tapgate-helper(8), as text. Others, of a later version, are passed over. */
struct fields {
	bool given[FIELDS];
	char text[FIELDS][1024];
};

static const char *const field_names[FIELDS] = {"uid", "way", "net", "vmm", "tap", "code", "rule", "why"};

/* As in "granted". */
static const char *result_name(enum log_result result)
{
	static const char *const words[] = {"granted", "refused", "forged"};

	return words[result];
}

/* False: the line is not as field_append() writes it, or says something twice. */
static bool read_fields(struct word line, struct fields *fields)
{
	struct word key;
	char value[sizeof(fields->text[0])];

	while (line.size) {
		if (!field_cut(&line, &key, value, sizeof(value)))
			return false;
		for (int i = 0; i < FIELDS; i++) {
			if (!word_is(key, field_names[i]))
				continue;
			if (fields->given[i])
				return false;
			fields->given[i] = true;
			memcpy(fields->text[i], value, sizeof(value));
		}
	}
	return true;
}

static bool take_text(const struct fields *fields, enum field field, char *text, size_t capacity)
{
	return !fields->given[field] || (size_t)snprintf(text, capacity, "%s", fields->text[field]) < capacity;
}

static bool take_name(const struct fields *fields, enum field field, char name[static NAME_MAX_BYTES + 1])
{
	const struct word word = {fields->text[field], strlen(fields->text[field])};

	return !fields->given[field] ||
	       (!word_name_problem(word) && take_text(fields, field, name, NAME_MAX_BYTES + 1));
}

static bool take_number(const struct fields *fields, enum field field, uint32_t *number)
{
	const struct word word = {fields->text[field], strlen(fields->text[field])};

	return !fields->given[field] || word_number(word, UINT32_MAX, number);
}

static bool read_line(struct word message, struct log_line *line)
{
	static const char granted[] = "granted ", refused[] = "refused ";
	const size_t head = sizeof(granted) - 1;
	struct fields fields = {.given = {false}};
	const bool *given = fields.given;

	if (message.size < head || (memcmp(message.at, granted, head) != 0 && memcmp(message.at, refused, head) != 0))
		return false;
	line->result = *message.at == 'g' ? LOG_GRANTED : LOG_REFUSED;
	if (!read_fields((struct word){message.at + head, message.size - head}, &fields) || !given[UID])
		return false;
	if (line->result == LOG_GRANTED ? !given[NETWORK] || !given[VMM] || !given[TAP] || !given[RULE]
					: !given[CODE] || !given[WHY])
		return false;
	return take_number(&fields, UID, &line->uid) && take_name(&fields, NETWORK, line->network) &&
	       take_number(&fields, VMM, &line->vmm) && take_name(&fields, TAP, line->tap) &&
	       take_number(&fields, CODE, &line->code) && take_text(&fields, RULE, line->rule, sizeof(line->rule)) &&
	       take_text(&fields, WAY, line->way, sizeof(line->way)) &&
	       take_text(&fields, WHY, line->why, sizeof(line->why));
}

/*
 * The helper's lines are its caller's. But whom the service turns away before a process is there to serve it, its door
 * speaks of, which is root's and does not know the network (listen/tell.c).
 */
static bool may_say(uint32_t sender, const struct log_line *line)
{
	return line->uid == sender || (sender == 0 && line->result == LOG_REFUSED && line->way[0] && !line->network[0]);
}

/* Read a message that a user sent. One that is not as the helper writes it of its sender is LOG_FORGED. */
static struct log_line read_message(struct word message, uint32_t sender)
{
	struct log_line line = {.uid = 0}, forged = {.result = LOG_FORGED, .uid = sender};

	if (!read_line(message, &line)) {
		snprintf(forged.why, sizeof(forged.why), "not a line as the helper writes it: %s", QUOTED(message));
		return forged;
	}
	if (!may_say(sender, &line)) {
		snprintf(forged.why, sizeof(forged.why), "it says uid %u, and uid %u sent it: %s", line.uid, sender,
			QUOTED(message));
		return forged;
	}
	return line;
}

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
	printf("%-19s  %-7s  %-10s  %-10s  %-12s  %7s  %s%s\n", when, result_name(line->result),
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
		"result", result_name(line->result), "uid", (json_int_t)line->uid, "user",
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
	const struct log_line line = read_message(entry->message, entry->sender);

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
