// SPDX-License-Identifier: MIT
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
#include "cli/log/log.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "policy/text.h"

enum field { UID, WAY, NETWORK, VMM, TAP, CODE, RULE, WHY, FIELDS };

/* The fields of tapgate-helper(8), as text. Others, of a later version, are passed over. */
struct fields {
	bool given[FIELDS];
	char text[FIELDS][1024];
};

static const char *const names[FIELDS] = {"uid", "way", "net", "vmm", "tap", "code", "rule", "why"};

const char *log_result_name(enum log_result result)
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
			if (!word_is(key, names[i]))
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

struct log_line log_line_read(struct word message, uint32_t sender)
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
