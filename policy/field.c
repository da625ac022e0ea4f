// SPDX-License-Identifier: MIT
/*
 * The fields of a line of the helper's log: "key=value key="a value with blanks"", written and read back.
 *
 * Both directions are here so that they cannot come apart: what field_append() writes, field_cut() reads, byte for
 * byte, and nothing that stands in a value can look like the end of it or like another field. Pure, as the rest of
 * policy/: no memory, no locale.
 *
 * A value of printable ASCII without a blank, '"', '\' or '=' stands as it is. Any other one stands between '"', and in
 * there printable ASCII and blanks stand as they are, but every other byte, '"' and '\' as \xNN, two lower-case digits.
 * So a '"' always begins or ends a value, and a line is one line of printable ASCII.
 */
#include "policy/text.h"

#include <stdio.h>
#include <string.h>

void field_append(char *buffer, size_t capacity, const char *key, const char *value)
{
	const char *blank = *buffer ? " " : "";
	const size_t head = strlen(buffer) + strlen(blank) + strlen(key) + strlen("="), size = strlen(value);
	bool bare = size > 0 && head + size < capacity;

	for (const char *at = value; *at && bare; at++)
		bare = *at > ' ' && *at <= '~' && !strchr("=\"\\", *at);
	if (!bare && head + strlen("\"...\"") >= capacity)
		return;
	text_append(buffer, capacity, bare ? "%s%s=%s" : "%s%s=\"", blank, key, value);
	if (bare)
		return;
	text_append_plain(buffer, capacity - 1, (struct word){value, size}, "\"\\");
	text_append(buffer, capacity, "\"");
}

void field_append_number(char *buffer, size_t capacity, const char *key, unsigned long value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lu", value);
	field_append(buffer, capacity, key, digits);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool is_plain(char c)
{
	return is_printable(c) && c != '"' && c != '\\';
}

static bool is_bare(char c)
{
	return is_plain(c) && c != ' ' && c != '=';
}

static char next(struct word *word)
{
	if (!word->size)
		return '\0';
	word->size--;
	return *word->at++;
}

/* The byte of "xNN", behind the '\'; 0 if it is none that is written so. */
static char read_escape(struct word *rest)
{
	const char mark = next(rest), high = next(rest), low = next(rest);
	const int byte = mark == 'x' ? text_hex((char[]){high, low}) : -1;
	const char c = (char)(unsigned char)byte;

	if (byte < 0 || is_plain(c)) /* what is plain is not written so */
		return '\0';
	return c;
}

/* A value up to its end, which for a quoted one is its '"'. */
static bool read_value(struct word *rest, char *buffer, size_t capacity)
{
	const bool quoted = rest->size && *rest->at == '"';
	size_t used = 0;
	char c;

	if (quoted)
		next(rest);
	while (rest->size && *rest->at != (quoted ? '"' : ' ')) {
		c = next(rest);
		if (quoted && c == '\\')
			c = read_escape(rest);
		else if (!(quoted ? is_plain(c) : is_bare(c)))
			return false;
		if (!c || used + 1 >= capacity)
			return false;
		buffer[used++] = c;
	}
	buffer[used] = '\0';
	return quoted ? next(rest) == '"' : used > 0;
}

bool field_cut(struct word *line, struct word *key, char *buffer, size_t capacity)
{
	struct word rest = *line;

	*key = (struct word){rest.at, 0};
	while (rest.size && *rest.at >= 'a' && *rest.at <= 'z') {
		next(&rest);
		key->size++;
	}
	if (!key->size || next(&rest) != '=' || !read_value(&rest, buffer, capacity))
		return false;
	if (rest.size && (next(&rest) != ' ' || !rest.size))
		return false;
	*line = rest;
	return true;
}
