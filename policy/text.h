// SPDX-License-Identifier: MIT
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

/* Printable ASCII, blank included. */
static inline bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

/* The byte that two hexadecimal digits in lower case stand for; -1 if they are none. Reads none behind a wrong one. */
int text_hex(const char *digits);

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

/* --- field -------------------------------------------------------------------------------------------------------- */

/*
 * Append a field to the string in buffer (capacity in bytes, NUL included), behind a blank if there is something before
 * it. key: lower-case letters. A value that does not fit is cut between two bytes and ends in "...", and its '"' is
 * there all the same; where not even that fits, the field is left out whole.
 */
void field_append(char *buffer, size_t capacity, const char *key, const char *value);

/* The same for a number. */
void field_append_number(char *buffer, size_t capacity, const char *key, unsigned long value);

/*
 * Cut the first field off a line, and the blank behind it. The value is written to buffer as it was before it was
 * escaped. False, with the line as it was, when the line is used up, does not begin with a field as field_append()
 * writes it, has a NUL in the value, or has a value that does not fit.
 */
bool field_cut(struct word *line, struct word *key, char *buffer, size_t capacity);

/* --- mac ---------------------------------------------------------------------------------------------------------- */

/*
 * Hardware addresses of guests: their text, and the block of them that is a caller's own on a network.
 *
 * A caller may choose any address of its block and none outside of it, so that nobody can claim a neighbour's or the
 * gateway's. The block follows from the user and the network alone: nobody keeps a list.
 */

enum {
	MAC_BYTES = 6,
	MAC_BLOCK_BYTES = 5, /* what all addresses of a block begin with; the last octet is free */
	MAC_TEXT = 18,	     /* room for the text of one, NUL included */
};

/*
 * Six octets in hexadecimal, each two digits, apart by ':'. Unicast, and not all zero: the lowest bit of the first is
 * 0 (IEEE 802), as the kernel's is_valid_ether_addr (linux/etherdevice.h) demands.
 */
bool mac_read(struct word word, unsigned char mac[static MAC_BYTES]);
void mac_text(const unsigned char mac[static MAC_BYTES], char text[static MAC_TEXT]);

/* FNV-1a of 64 bits (RFC 9923), from DIGEST_START on. Against accidents, not malice. */
#define DIGEST_START UINT64_C(0xcbf29ce484222325)
uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size);

/*
 * The block of a user on a network: locally administered, unicast (IEEE 802), and below 0x80. So it is never one that
 * begins with 0xFE: these are the taps' own, and libvirt does not let a guest have one (src/util/virnetdevtap.c). False
 * if the network's name cannot be one.
 */
bool mac_block(uint32_t uid, const char *network, unsigned char block[static MAC_BLOCK_BYTES]);
bool mac_in_block(const unsigned char mac[static MAC_BYTES], const unsigned char block[static MAC_BLOCK_BYTES]);

/* --- array -------------------------------------------------------------------------------------------------------- */

/*
 * Room for one more element, not set, at the end of an array that grows fourfold: the array, moved if need be, or NULL
 * when memory ran out (the old array then still stands). Room that is not used costs nothing: no page of it is touched.
 */
void *array_room(void *array, size_t count, size_t *room, size_t size);

#endif
