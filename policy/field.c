#include "policy/field.h"

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

/* --- reading ----------------------------------------------------------------------------------------------------- */

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
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

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of "xNN", behind the '\'; 0 if it is none that is written so. */
static char read_escape(struct word *rest)
{
	int high, low;
	char c;

	if (next(rest) != 'x')
		return '\0';
	high = digit(next(rest));
	low = digit(next(rest));
	if (high < 0 || low < 0)
		return '\0';
	c = (char)(unsigned char)((unsigned int)high * 16 + (unsigned int)low);
	if (is_plain(c)) /* that is not written so */
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
