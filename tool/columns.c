// SPDX-License-Identifier: MIT
/* Tables in columns, as text: aligned by what a terminal shows, in colour where that is wanted, cut to a screen. */
#include "tool/tool.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

enum { GAP = 2 }; /* blanks between columns */

struct columns_cell {
	char *text;
	unsigned int width;
	enum columns_style style;
};

/* --- characters --------------------------------------------------------------------------------------------------- */

/*
 * The character at a text's begin, by the C library's tables: its size in bytes, 0 if what stands there is none. That
 * takes a locale whose characters are UTF-8 (main() sets C.UTF-8, see locale(7)); where there is none, only ASCII is.
 */
static size_t read_character(const char *text, size_t size, wchar_t *character)
{
	mbstate_t state = {0};
	size_t length = mbrtowc(character, text, size, &state);

	return length == (size_t)-1 || length == (size_t)-2 ? 0 : length;
}

/* What is neither shown nor a character takes one place: it is escaped before it comes here, or a mistake. */
static unsigned int places(wchar_t character)
{
	int width = wcwidth(character);

	return width < 0 ? 1 : (unsigned int)width;
}

/*
 * A letter or a digit of any language, or an accent on the one before it. Not what is invisible, or changes the
 * direction of writing; the fillers of Hangul are invisible, and letters to the C library.
 */
static bool is_letter(wchar_t character)
{
	static const wchar_t fillers[] = {0x115f, 0x1160, 0x3164, 0xffa0, 0};

	return (iswalnum((wint_t)character) && !wcschr(fillers, character)) ||
	       (character >= 0x300 && character <= 0x36f && wcwidth(character) == 0);
}

unsigned int columns_width(const char *text)
{
	unsigned int width = 0;
	wchar_t character;

	while (*text) {
		size_t size = read_character(text, strlen(text), &character);

		width += size ? places(character) : 1;
		text += size ? size : 1;
	}
	return width;
}

void columns_append_name(char *buffer, size_t capacity, struct word name)
{
	while (name.size > 0) {
		wchar_t character;
		size_t size = read_character(name.at, name.size, &character), used = strlen(buffer);
		struct word part = {name.at, size ? size : 1};

		if (size < 2 || !is_letter(character)) {
			if (used + 4 + (part.size < name.size ? 3 : 0) >= capacity) {
				text_append(buffer, capacity, "...");
				return;
			}
			text_append_escaped(buffer, capacity, part);
		} else if (used + size + (part.size < name.size ? 3 : 0) < capacity) {
			text_append(buffer, capacity, "%.*s", (int)size, name.at);
		} else {
			text_append(buffer, capacity, "...");
			return;
		}
		name = (struct word){name.at + part.size, name.size - part.size};
	}
}

/* --- colour ------------------------------------------------------------------------------------------------------- */

bool columns_colour(FILE *stream)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return (!no || !*no) && terminal && *terminal && strcmp(terminal, "dumb") != 0 && isatty(fileno(stream)) == 1;
}

const char *columns_on(enum columns_style style, bool colour)
{
	static const char *const codes[] = {[COLUMNS_PLAIN] = "",
		[COLUMNS_HEAD] = "\033[1m",
		[COLUMNS_GOOD] = "\033[32m",
		[COLUMNS_BAD] = "\033[31m"};

	return colour ? codes[style] : "";
}

const char *columns_off(enum columns_style style, bool colour)
{
	return colour && style != COLUMNS_PLAIN ? "\033[0m" : "";
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

static void add(struct columns *table, enum columns_style style, char *text)
{
	if (!text) {
		table->failed = true;
		return;
	}
	if (table->count == table->room) {
		size_t room = table->room ? table->room * 2 : 64;
		struct columns_cell *grown = reallocarray(table->cells, room, sizeof(*grown));

		if (!grown) {
			table->failed = true;
			free(text);
			return;
		}
		table->cells = grown;
		table->room = room;
	}
	table->cells[table->count++] = (struct columns_cell){text, columns_width(text), style};
}

void columns_add(struct columns *table, enum columns_style style, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	add(table, style, text);
}

void columns_skip(struct columns *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(table, COLUMNS_PLAIN, strdup(""));
}

void columns_free(struct columns *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	*table = (struct columns){.width = table->width, .right = table->right};
}

static unsigned int width_of(const struct columns *table, size_t column)
{
	unsigned int width = 0;

	for (size_t i = column; i < table->count; i += table->width) {
		if (table->cells[i].width > width)
			width = table->cells[i].width;
	}
	return width;
}

/* As much of a text as takes so many places. */
static int fitting(const char *text, unsigned int places_left)
{
	size_t left = strlen(text), taken = 0;

	while (taken < left) {
		wchar_t character;
		size_t size = read_character(text + taken, left - taken, &character);
		unsigned int width = size ? places(character) : 1;

		if (width > places_left)
			break;
		places_left -= width;
		taken += size ? size : 1;
	}
	return (int)taken;
}

/* A line: blanks are owed until something follows them. */
static void write_row(FILE *out, const struct columns *table, const unsigned int *widths, size_t row,
	const struct columns_screen *screen)
{
	unsigned int left = screen->width ? screen->width : ~0U, owed = 0;

	for (size_t i = 0; i < table->width && row + i < table->count; i++) {
		const struct columns_cell *cell = &table->cells[row + i];
		unsigned int before = table->right >> i & 1 ? widths[i] - cell->width : 0;

		owed += before;
		if (cell->width > 0 && owed < left) {
			unsigned int room = left - owed;

			fprintf(out, "%*s%s%.*s%s", (int)owed, "", columns_on(cell->style, screen->colour),
				fitting(cell->text, room), cell->text, columns_off(cell->style, screen->colour));
			left = cell->width < room ? room - cell->width : 0;
			owed = 0;
		} else {
			owed += cell->width;
		}
		owed += widths[i] - cell->width - before + (widths[i] ? GAP : 0);
	}
	fputc('\n', out);
}

static void write_rows(FILE *out, const struct columns *table, const struct columns_screen *screen)
{
	size_t rows = (table->count + table->width - 1) / table->width, shown = rows;
	unsigned int widths[32] = {0};

	if (screen->lines && rows > screen->lines)
		shown = screen->lines - 1;
	for (size_t i = 0; i < table->width; i++)
		widths[i] = width_of(table, i);
	for (size_t row = 0; row < shown; row++)
		write_row(out, table, widths, row * table->width, screen);
	if (shown < rows)
		fprintf(out, "... %zu more\n", rows - shown);
}

char *columns_text(const struct columns *table, const struct columns_screen *screen)
{
	char *text = NULL;
	size_t size;
	FILE *out = table->failed || table->width > 32 ? NULL : open_memstream(&text, &size);
	bool whole;

	if (!out)
		return NULL;
	write_rows(out, table, screen);
	whole = !ferror(out);
	if (fclose(out) == 0 && whole)
		return text;
	free(text);
	return NULL;
}
