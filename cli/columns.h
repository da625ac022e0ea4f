/*
 * Tables in columns, as text: aligned by what a terminal shows, with colour if it is wanted, cut to a screen if there
 * is one. Pure: it writes nothing, and looks at the environment only in columns_colour.
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/text.h"

enum columns_style { COLUMNS_PLAIN, COLUMNS_HEAD, COLUMNS_GOOD, COLUMNS_BAD };

/* What the text is for. 0: as wide, or as many lines, as it comes to. */
struct columns_screen {
	bool colour;
	unsigned int width, lines;
};

struct columns {
	size_t width;	/* how many cells a row has */
	uint32_t right; /* a bit for each column whose texts end at its right edge, as numbers do */
	struct columns_cell *cells;
	size_t count, room;
	bool failed; /* memory ran out */
};

/*
 * Add the next cell; after `width` of them begins another row. The text is what a terminal may be sent, so whatever
 * somebody else wrote has been escaped.
 */
void columns_add(struct columns *table, enum columns_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An empty cell, and the rest of a row of them. */
void columns_skip(struct columns *table, size_t count);

/*
 * The whole table: each row a line, two blanks between columns, none at its end. Lines are cut at the width, and the
 * last line says how many are left out. NULL: memory ran out. The caller frees it.
 */
char *columns_text(const struct columns *table, const struct columns_screen *screen);
void columns_free(struct columns *table);

/* The places that a text takes: 2 for a wide character of East Asia, none for one that is put over another. */
unsigned int columns_width(const char *text);

/*
 * Append a name to the string in buffer as text_append_escaped does, but with the letters of all languages as they are,
 * if they are well-formed UTF-8 (RFC 3629). What changes the direction of writing, or cannot be seen, is escaped.
 */
void columns_append_name(char *buffer, size_t capacity, struct word name);

/* Whether to use colour on a stream: a terminal, unless NO_COLOR says no or TERM is dumb. */
bool columns_colour(FILE *stream);

/* What switches a style on, and all styles off; both empty without colour. */
const char *columns_on(enum columns_style style, bool colour);
const char *columns_off(enum columns_style style, bool colour);

#endif
