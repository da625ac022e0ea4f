// SPDX-License-Identifier: MIT
/*
 * Tables (tool/columns.c): aligned by what a terminal shows, cut to it, and names in it that are letters and nothing
 * else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>

#include "tool/tool.h"

/* A table of three columns, the last at the right edge, from cells up to a NULL. */
static struct columns table_of(const char *const *cells)
{
	struct columns table = {.width = 3, .right = 1 << 2};

	for (; *cells; cells++)
		columns_add(&table, COLUMNS_PLAIN, "%s", *cells);
	return table;
}

static void expect(struct columns *table, struct columns_screen screen, const char *expected)
{
	char *text = columns_text(table, &screen);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void test_alignment(void **state)
{
	static const char *const cells[] = {
		"TAP", "NAME", "SENT", "tg134-0", "", "7", "a", "beta", "1.2K", "b", "", "", NULL};
	struct columns table = table_of(cells), none = {.width = 3};
	static const char *const gone[] = {"a", "", "x", "b", "", "yy", NULL};
	static const char *const short_row[] = {"a", "b", "c", "d", NULL};

	(void)state;
	expect(&table, (struct columns_screen){.colour = false},
		"TAP      NAME  SENT\ntg134-0           7\na        beta  1.2K\nb\n");
	columns_free(&table);
	expect(&none, (struct columns_screen){.colour = false}, "");
	table = table_of(gone); /* a column without a text takes no place */
	expect(&table, (struct columns_screen){.colour = false}, "a   x\nb  yy\n");
	columns_free(&table);
	table = table_of(short_row); /* the last row may be short */
	expect(&table, (struct columns_screen){.colour = false}, "a  b  c\nd\n");
	columns_skip(&table, 2);
	expect(&table, (struct columns_screen){.colour = false}, "a  b  c\nd\n");
	columns_free(&table);
}

/* Blanks and places, not bytes. */
static void test_widths(void **state)
{
	static const struct {
		const char *text;
		unsigned int width;
	} rows[] = {{"", 0}, {"alice", 5}, {"j\xc3\xbcrgen", 6}, {"ju\xcc\x88rgen", 6}, {"\xe6\x9d\x8e\xe6\x98\x8e", 4},
		{"\xff", 1}, {"\xc3", 1}, {"\xf0\x9f\x98\x80", 2}};
	static const char *const cells[] = {
		"j\xc3\xbcrgen", "x", "1", "alice", "y", "2", "\xe6\x9d\x8e", "z", "3", NULL};
	struct columns table = table_of(cells);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(columns_width(rows[i].text), rows[i].width);
	expect(&table, (struct columns_screen){.colour = false},
		"j\xc3\xbcrgen  x  1\nalice   y  2\n\xe6\x9d\x8e      z  3\n");
	columns_free(&table);
}

static void test_screen(void **state)
{
	static const char *const cells[] = {
		"one", "two", "3", "four", "f\xc3\xbcnf", "6", "\xe6\x9d\x8e\xe6\x98\x8e", "", "9", NULL};
	struct columns table = table_of(cells);

	(void)state;
	expect(&table, (struct columns_screen){.width = 8}, "one   tw\nfour  f\xc3\xbc\n\xe6\x9d\x8e\xe6\x98\x8e\n");
	expect(&table, (struct columns_screen){.width = 3}, "one\nfou\n\xe6\x9d\x8e\n"); /* no half character */
	expect(&table, (struct columns_screen){.width = 6}, "one\nfour\n\xe6\x9d\x8e\xe6\x98\x8e\n");
	expect(&table, (struct columns_screen){.lines = 2}, "one   two   3\n... 2 more\n");
	expect(&table, (struct columns_screen){.lines = 3},
		"one   two   3\nfour  f\xc3\xbcnf  6\n\xe6\x9d\x8e\xe6\x98\x8e        9\n");
	columns_free(&table);
}

static void test_colour(void **state)
{
	struct columns table = {.width = 2};

	(void)state;
	columns_add(&table, COLUMNS_HEAD, "A");
	columns_add(&table, COLUMNS_PLAIN, "B");
	columns_add(&table, COLUMNS_BAD, "long%d", 1);
	columns_add(&table, COLUMNS_GOOD, "x");
	expect(&table, (struct columns_screen){.colour = true},
		"\033[1mA\033[0m      B\n\033[31mlong1\033[0m  \033[32mx\033[0m\n");
	expect(&table, (struct columns_screen){.colour = true, .width = 3},
		"\033[1mA\033[0m\n\033[31mlon\033[0m\n"); /* what is cut leaves no style on */
	columns_free(&table);
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *expected;
	} rows[] = {
		{"alice", "alice"},
		{"j\xc3\xbcrgen", "j\xc3\xbcrgen"},
		{"\xe6\x9d\x8e\xe6\x98\x8e", "\xe6\x9d\x8e\xe6\x98\x8e"},
		{"a\033[2Jb\n\"", "a\\x1b[2Jb\\x0a\\x22"},
		{"a\x9b"
		 "b",
			"a\\x9bb"},
		{"a\xc2\x9b"
		 "b",
			"a\\xc2\\x9bb"},				  /* a control character, as UTF-8 */
		{"a\xe2\x80\xaelive", "a\\xe2\\x80\\xaelive"},		  /* from right to left */
		{"a\xe2\x80\x8b", "a\\xe2\\x80\\x8b"},			  /* of no width */
		{"\xe0\xa4\xaa\xe0\xa5\x81", "\xe0\xa4\xaa\xe0\xa5\x81"}, /* a vowel sign of Devanagari */
		{"ju\xcc\x88rgen", "ju\xcc\x88rgen"},			  /* an accent on its own */
		{"\xe3\x85\xa4", "\\xe3\\x85\\xa4"},			  /* a letter that is not seen */
		{"\xf0\x9f\x98\x80", "\\xf0\\x9f\\x98\\x80"},		  /* a picture is no letter */
		{"\xc0\xaf", "\\xc0\\xaf"},				  /* overlong */
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* half of a pair */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\xe6\x9d", "\\xe6\\x9d"}, /* cut */
		{"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[64] = "";

		columns_append_name(text, sizeof(text), (struct word){rows[i].name, strlen(rows[i].name)});
		assert_string_equal(text, rows[i].expected);
	}
}

/* However small the place is, what is there is whole characters, and says that it was cut. */
static void test_room(void **state)
{
	static const char name[] = "a\xc3\xbc\033\xe6\x9d\x8e"
				   "b";

	(void)state;
	for (size_t room = 4; room < 24; room++) {
		char text[64];
		size_t size;

		memset(text, 'X', sizeof(text));
		*text = '\0';
		columns_append_name(text, room, (struct word){name, sizeof(name) - 1});
		size = strlen(text);
		assert_true(size < room);
		assert_int_equal(text[room], 'X');
		assert_true(strcmp(text, "a\xc3\xbc\\x1b\xe6\x9d\x8e"
					 "b") == 0 ||
			    strcmp(text + size - 3, "...") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_colour),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_room),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		fail_msg("no locale C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
