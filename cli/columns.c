#include "cli/columns.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GAP = 2 }; /* blanks between columns */

struct columns_cell {
	char *text;
	unsigned int width;
	enum columns_style style;
};

/* --- characters -------------------------------------------------------------------------------------------------- */

struct range {
	uint32_t first, last;
};

static bool is_among(uint32_t character, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	}
	return false;
}
#define AMONG(character, ranges) is_among(character, ranges, sizeof(ranges) / sizeof(*(ranges)))

/* The character at a text's begin: its size in bytes, 0 if what stands there is none (RFC 3629). */
static size_t read_character(const char *text, size_t size, uint32_t *character)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)*text;
	size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	*character = first;
	if (length == 1)
		return 1;
	if (first < 0xc2 || first > 0xf4 || length > size)
		return 0;
	*character = first & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (text[i] & 0x3f);
	}
	return *character >= smallest[length] && *character <= 0x10ffff && (*character >> 11) != 0x1b ? length : 0;
}

/* Characters that do not show, show as nothing, or turn the direction of writing (Unicode's Cc, Cf, Zl, Zp and Co). */
static bool is_hidden(uint32_t character)
{
	static const struct range hidden[] = {{0, 0x1f}, {0x7f, 0xa0}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c},
		{0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x115f, 0x1160}, {0x180b, 0x180f}, {0x2000, 0x200f}, {0x2028, 0x202f},
		{0x205f, 0x206f}, {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164}, {0xe000, 0xf8ff},
		{0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0x1d173, 0x1d17a},
		{0xe0000, 0x10ffff}};

	return AMONG(character, hidden);
}

/* The larger part of Unicode's combining marks (Mn, Me), and its wide characters (UAX #11): those that names have. */
static unsigned int places(uint32_t character)
{
	static const struct range none[] = {{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x610, 0x61a},
		{0x64b, 0x65f}, {0x93c, 0x93c}, {0x941, 0x948}, {0x94d, 0x94d}, {0xe31, 0xe31}, {0xe34, 0xe3a},
		{0xe47, 0xe4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0x3099, 0x309a},
		{0xfe20, 0xfe2f}};
	static const struct range wide[] = {{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xa960, 0xa97f},
		{0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6},
		{0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

	return AMONG(character, none) ? 0 : AMONG(character, wide) ? 2 : 1;
}

unsigned int columns_width(const char *text)
{
	unsigned int width = 0;
	size_t left = strlen(text);

	while (left > 0) {
		uint32_t character;
		size_t size = read_character(text, left, &character);

		width += size ? places(character) : 1;
		size = size ? size : 1;
		text += size;
		left -= size;
	}
	return width;
}

void columns_append_name(char *buffer, size_t capacity, struct word name)
{
	while (name.size > 0) {
		uint32_t character;
		size_t size = read_character(name.at, name.size, &character), used = strlen(buffer);
		struct word part = {name.at, size ? size : 1};

		if (size < 2 || is_hidden(character)) {
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

/* --- colour ------------------------------------------------------------------------------------------------------ */

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

/* --- tables ------------------------------------------------------------------------------------------------------ */

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
		uint32_t character;
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
