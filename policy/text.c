#include "policy/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool word_cut(struct word *list, char separator, struct word *part)
{
	const char *mark;

	if (!list->at)
		return false;
	mark = memchr(list->at, separator, list->size);
	*part = (struct word){list->at, mark ? (size_t)(mark - list->at) : list->size};
	*list = mark ? (struct word){mark + 1, list->size - part->size - 1} : (struct word){NULL, 0};
	return true;
}

bool word_number(struct word word, uint32_t max, uint32_t *value)
{
	uint64_t n = 0;

	if (word.size == 0 || word.size > 10 || (word.at[0] == '0' && word.size > 1))
		return false;
	for (size_t i = 0; i < word.size; i++) {
		if (word.at[i] < '0' || word.at[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(word.at[i] - '0');
	}
	if (n > max)
		return false;
	*value = (uint32_t)n;
	return true;
}

const char *word_name_problem(struct word word)
{
	if (word.size == 0)
		return "is empty";
	if (word.size > NAME_MAX_BYTES)
		return "is longer than 15 bytes";
	if (word_is(word, ".") || word_is(word, "..") || word_is_all(word) || word_is(word, "default"))
		return "is a reserved word";
	if (word.at[0] == '-')
		return "begins with '-'";
	for (size_t i = 0; i < word.size; i++) {
		if (!is_alnum(word.at[i]) && (!word.at[i] || !strchr("._-+@", word.at[i])))
			return "has characters other than letters, digits and ._-+@";
	}
	return NULL;
}

void text_append_plain(char *buffer, size_t capacity, struct word word, const char *special)
{
	size_t used = strlen(buffer);

	for (size_t i = 0; i < word.size; i++) {
		unsigned char byte = (unsigned char)word.at[i];
		bool plain = byte >= ' ' && byte <= '~' && !strchr(special, byte);
		size_t need = plain ? 1 : 4;

		/* Room for this byte, for "..." if others follow, and for the NUL. */
		if (used + need + (i + 1 < word.size ? 3 : 0) >= capacity) {
			text_append(buffer, capacity, "...");
			return;
		}
		text_append(buffer, capacity, plain ? "%c" : "\\x%02x", byte);
		used += need;
	}
}

void text_append_escaped(char *buffer, size_t capacity, struct word word)
{
	text_append_plain(buffer, capacity, word, "'\"\\");
}

void text_append(char *buffer, size_t capacity, const char *format, ...)
{
	size_t used = strlen(buffer);
	va_list args;

	va_start(args, format);
	vsnprintf(buffer + used, capacity - used, format, args);
	va_end(args);
}

struct quoted word_quoted(struct word word)
{
	struct quoted quoted = {"'"};

	text_append_escaped(quoted.text, sizeof(quoted.text) - 1, word);
	text_append(quoted.text, sizeof(quoted.text), "'");
	return quoted;
}

struct line_place place_of_line(const char *file, unsigned int number)
{
	struct line_place place = {""};
	const size_t digits = sizeof(":4294967295") - 1;

	text_append_escaped(place.text, sizeof(place.text) - digits, (struct word){file, strlen(file)});
	text_append(place.text, sizeof(place.text), ":%u", number);
	return place;
}
