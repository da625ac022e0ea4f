// SPDX-License-Identifier: MIT
/* Words that somebody else wrote, and the fields of the helper's log: checks them, and shows them safely (text.h). */
#include "policy/text.h"

#include <netinet/ether.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int text_hex(const char *digits)
{
	const int high = hex_digit(digits[0]), low = high < 0 ? -1 : hex_digit(digits[1]);

	return low < 0 ? -1 : high * 16 + low;
}

void text_append_plain(char *buffer, size_t capacity, struct word word, const char *special)
{
	size_t used = strlen(buffer);

	for (size_t i = 0; i < word.size; i++) {
		unsigned char byte = (unsigned char)word.at[i];
		bool plain = is_printable(word.at[i]) && !strchr(special, byte);
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

/* --- mac ---------------------------------------------------------------------------------------------------------- */

/* Hardware addresses of guests. Arithmetic on bytes: nothing here asks who has which. */

void mac_text(const unsigned char mac[static MAC_BYTES], char text[static MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

bool mac_read(struct word word, unsigned char mac[static MAC_BYTES])
{
	static const unsigned char zero[MAC_BYTES];
	char text[MAC_TEXT] = "", strict[MAC_TEXT];
	struct ether_addr address;

	if (word.size != sizeof(text) - 1)
		return false;
	memcpy(text, word.at, word.size);
	/*
	 * Libc's parser takes more than we do, but only what it would be written as, in letters of either case, counts.
	 */
	if (!ether_aton_r(text, &address))
		return false;
	mac_text(address.ether_addr_octet, strict);
	memcpy(mac, address.ether_addr_octet, MAC_BYTES);
	return strcasecmp(text, strict) == 0 && !(mac[0] & 1) && memcmp(mac, zero, sizeof(zero)) != 0;
}

uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (; size > 0; size--)
		digest = (digest ^ *at++) * UINT64_C(0x100000001b3);
	return digest;
}

bool mac_block(uint32_t uid, const char *network, unsigned char block[static MAC_BLOCK_BYTES])
{
	const struct word name = {network, strlen(network)};
	char text[32]; /* a number of ten digits, a blank, a name */
	uint64_t digest;

	if (word_name_problem(name))
		return false;
	snprintf(text, sizeof(text), "%u %.15s", uid, network);
	digest = digest_bytes(DIGEST_START, text, strlen(text));
	for (size_t i = 0; i < MAC_BLOCK_BYTES; i++)
		block[i] = (unsigned char)(digest >> 8 * i);
	block[0] = (block[0] & 0x7c) | 0x02;
	return true;
}

bool mac_in_block(const unsigned char mac[static MAC_BYTES], const unsigned char block[static MAC_BLOCK_BYTES])
{
	return memcmp(mac, block, MAC_BLOCK_BYTES) == 0;
}

/* --- array -------------------------------------------------------------------------------------------------------- */

/* Arrays that grow. */

void *array_room(void *array, size_t count, size_t *room, size_t size)
{
	if (count == *room) {
		size_t more = *room ? *room * 4 : 16; /* few pages are touched by who needs few */

		array = reallocarray(array, more, size);
		if (array)
			*room = more;
	}
	return array;
}

/* --- fields ------------------------------------------------------------------------------------------------------- */

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

/* --- fields, read back -------------------------------------------------------------------------------------------- */

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
