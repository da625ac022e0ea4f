/*
 * Words that somebody else wrote: checking them, and showing them safely.
 *
 * Pure functions on bytes. Nothing here may trust that a word ends in NUL, allocate, or look at the locale.
 */
#ifndef POLICY_TEXT_H
#define POLICY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	NAME_MAX_BYTES = 15, /* of an interface's name: IFNAMSIZ less the NUL (linux/if.h) */
};

/* A run of bytes inside a larger text. */
struct word {
	const char *at;
	size_t size;
};

static inline bool word_is(struct word word, const char *literal)
{
	return strlen(literal) == word.size && memcmp(word.at, literal, word.size) == 0;
}

/* Cut the first part off a list at a separator; false when the list is used up. */
bool word_cut(struct word *list, char separator, struct word *part);

/*
 * Strict decimal: digits only, no sign, space or leading zero, at most `max`.
 * Returns false, and leaves *value alone, for anything else.
 */
bool word_number(struct word word, uint32_t max, uint32_t *value);

static inline bool word_begins(struct word word, const char *literal)
{
	return strlen(literal) <= word.size && memcmp(word.at, literal, strlen(literal)) == 0;
}

/* A letter or digit of ASCII. */
static inline bool is_alnum(char c)
{
	return ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9');
}

/* "all", which means all networks, in whatever letters. */
static inline bool word_is_all(struct word word)
{
	return word.size == 3 && (word.at[0] | 32) == 'a' && (word.at[1] | 32) == 'l' && (word.at[2] | 32) == 'l';
}

/*
 * What keeps a word from being the name of a network or interface, as a phrase ("is empty"); NULL if nothing does.
 * Stricter than the kernel's dev_valid_name (net/core/dev.c): a name stands in messages, logs, aliases and commands to
 * copy, so nothing in it may mean anything there; and none of the names that mean something else ('all', 'default':
 * net/ipv4/devinet.c).
 */
const char *word_name_problem(struct word word);

/*
 * Append a word to the string in buffer (capacity in bytes, NUL included) so that a terminal, a log and a person can
 * read it: printable ASCII but for quotes and backslash as it is, every other byte as \xNN. Cut with "..." where it
 * does not fit. Always leaves a NUL.
 */
void text_append_escaped(char *buffer, size_t capacity, struct word word);

/* The same, but for other bytes than quotes and backslash. */
void text_append_plain(char *buffer, size_t capacity, struct word word, const char *special);

/* Append formatted text, cut where it does not fit. Always leaves a NUL. */
void text_append(char *buffer, size_t capacity, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A word quoted and escaped, for a printf: the text lives to the end of the expression that QUOTED stands in. */
struct quoted {
	char text[80];
};
struct quoted word_quoted(struct word word);
#define QUOTED(word) (word_quoted(word).text)

/* "file:line" for a message, escaped, a long path cut: the text lives to the end of the expression with PLACE. */
struct line_place {
	char text[128];
};
struct line_place place_of_line(const char *file, unsigned int number);
#define PLACE(file, number) (place_of_line(file, number).text)

#endif
