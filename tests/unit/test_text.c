// SPDX-License-Identifier: MIT
/* Tests of policy/text.c: numbers, names, and showing what others wrote. Nothing but pure functions on bytes. */
#include <ctype.h>
#include <string.h>

#include "tests/unit/test_policy.h"

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		uint32_t max, value;
		bool good;
	} rows[] = {
		{TEXT("0"), 10, 0, true}, {TEXT("7"), 10, 7, true}, {TEXT("10"), 10, 10, true},
		{TEXT("11"), 10, 0, false}, {TEXT("0"), 0, 0, true}, {TEXT("1"), 0, 0, false},
		{TEXT("1000000000"), UINT32_MAX, 1000000000, true},
		{TEXT("4294967294"), UINT32_MAX - 1, 4294967294, true}, {TEXT("4294967295"), UINT32_MAX - 1, 0, false},
		{TEXT("4294967295"), UINT32_MAX, 4294967295, true}, {TEXT("4294967296"), UINT32_MAX, 0, false},
		{TEXT("4294967299"), UINT32_MAX, 0, false}, {TEXT("9999999999"), UINT32_MAX, 0, false},
		{TEXT("18446744073709551616"), UINT32_MAX, 0, false},
		{TEXT("18446744073709551619"), UINT32_MAX, 0, false}, {TEXT("00000000003"), UINT32_MAX, 0, false},
		{TEXT(""), UINT32_MAX, 0, false}, {TEXT("3x"), UINT32_MAX, 0, false},
		{TEXT("x3"), UINT32_MAX, 0, false}, {TEXT(" 3"), UINT32_MAX, 0, false},
		{TEXT("3 "), UINT32_MAX, 0, false}, {TEXT("\t3"), UINT32_MAX, 0, false},
		{TEXT("3\n"), UINT32_MAX, 0, false}, {TEXT("3\0"), UINT32_MAX, 0, false},
		{TEXT("3\0004"), UINT32_MAX, 0, false}, {TEXT("-1"), UINT32_MAX, 0, false},
		{TEXT("-0"), UINT32_MAX, 0, false}, {TEXT("+1"), UINT32_MAX, 0, false},
		{TEXT("03"), UINT32_MAX, 0, false}, {TEXT("00"), UINT32_MAX, 0, false},
		{TEXT("0x10"), UINT32_MAX, 0, false}, {TEXT("1e3"), UINT32_MAX, 0, false},
		{TEXT("1,000"), UINT32_MAX, 0, false}, {TEXT("1.0"), UINT32_MAX, 0, false},
		{TEXT("\xd9\xa3"), UINT32_MAX, 0, false}, /* an Arabic digit */
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t value = 4711;
		bool good = word_number((struct word){rows[i].text, rows[i].size}, rows[i].max, &value);
		char expected[64], got[64];

		snprintf(expected, sizeof(expected), "%d %u", rows[i].good, rows[i].good ? rows[i].value : 4711);
		snprintf(got, sizeof(got), "%d %u", good, value);
		wrong += differ(rows[i].text, rows[i].size, "", expected, got);
	}
	assert_int_equal(wrong, 0);
}

/* A number stops where its word does, not at the next byte that is no digit. */
static void test_number_ends_with_its_word(void **state)
{
	uint32_t value = 0;

	(void)state;
	assert_true(word_number((struct word){"12345", 2}, 99, &value));
	assert_int_equal(value, 12);
}

static void test_names(void **state)
{
	static const char reserved[] = "is a reserved word",
			  byte[] = "has characters other than letters, digits and ._-+@", option[] = "begins with '-'",
			  good[] = "good";
	static const struct {
		const char *text;
		size_t size;
		const char *problem;
	} rows[] = {
		{TEXT("br0"), good},
		{TEXT("b"), good},
		{TEXT("br0.100"), good},
		{TEXT("..."), good},
		{TEXT("al"), good},
		{TEXT("ALL"), "is a reserved word"},
		{TEXT("All"), "is a reserved word"},
		{TEXT("all0"), good},
		{TEXT("defaul"), good},
		{TEXT("a-Z_0.9+@"), good},
		{TEXT("x-"), good},
		{TEXT("-x"), option},
		{TEXT("--"), option},
		{TEXT("br0@if3"), good},
		{TEXT("~!$&*()_+=;'\",<>"), "is longer than 15 bytes"},
		{TEXT("~!$&*()_+=;'\",<"), byte},
		{TEXT("br0;reboot"), byte},
		{TEXT("$(reboot)"), byte},
		{TEXT("123456789012345"), good},
		{TEXT("1234567890123456"), "is longer than 15 bytes"},
		{TEXT("12345678901234567890"), "is longer than 15 bytes"},
		{TEXT(""), "is empty"},
		{TEXT("."), reserved},
		{TEXT(".."), reserved},
		{TEXT("all"), reserved},
		{TEXT("default"), reserved},
		{TEXT("a/b"), byte},
		{TEXT("/"), byte},
		{TEXT("br0:1"), byte},
		{TEXT("tap%d"), byte},
		{TEXT("%"), byte},
		{TEXT("a b"), byte},
		{TEXT(" br0"), byte},
		{TEXT("br0\t"), byte},
		{TEXT("br0\n"), byte},
		{TEXT("br0\0"), byte},
		{TEXT("br0\0x"), byte},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *problem = word_name_problem((struct word){rows[i].text, rows[i].size});

		wrong += differ(rows[i].text, rows[i].size, "", rows[i].problem, problem ? problem : good);
	}
	assert_int_equal(wrong, 0);
}

/* Each of the 256 bytes, alone and at the end of a name: all but letters, digits and five marks are refused. */
static void test_name_bytes(void **state)
{
	unsigned int wrong = 0;

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		char text[] = {'b', 'r', (char)byte};
		bool good = (byte < 128 && isalnum(byte)) || (byte && strchr("._-+@", byte));
		bool alone = good && byte != '.' && byte != '-';

		wrong += differ(
			text, 3, "", good ? "good" : "bad", word_name_problem((struct word){text, 3}) ? "bad" : "good");
		wrong += differ(text + 2, 1, "", alone ? "good" : "bad",
			word_name_problem((struct word){text + 2, 1}) ? "bad" : "good");
	}
	assert_int_equal(wrong, 0);
}

static void test_escaping(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		size_t capacity;
		const char *shown;
	} rows[] = {
		{TEXT(""), 80, ""},
		{TEXT("br0"), 80, "br0"},
		{TEXT("a b~!"), 80, "a b~!"},
		{TEXT("\x1b[31mred"), 80, "\\x1b[31mred"},
		{TEXT("a\nb"), 80, "a\\x0ab"},
		{TEXT("a\r\tb"), 80, "a\\x0d\\x09b"},
		{TEXT("\x9b"
		      "31m"),
			80, "\\x9b31m"},
		{TEXT("\xc2\x9b"), 80, "\\xc2\\x9b"},
		{TEXT("\xff\x7f\x80"), 80, "\\xff\\x7f\\x80"},
		{TEXT("a\0b"), 80, "a\\x00b"},
		{TEXT("'\"\\"), 80, "\\x27\\x22\\x5c"},
		{TEXT("12345678"), 11, "12345678"}, /* to the last byte but one, room for "..." is kept */
		{TEXT("12345678"), 10, "123456..."},
		{TEXT("12345678"), 8, "1234..."},
		{TEXT("1234\n"), 9, "1234\\x0a"},
		{TEXT("1234\n"), 8, "1234..."},
		{TEXT("123\n5"), 9, "123..."},
		{TEXT("\n\n\n"), 13, "\\x0a\\x0a\\x0a"},
		{TEXT("\n\n\n"), 12, "\\x0a\\x0a..."},
		{TEXT("\n\n\n"), 11, "\\x0a..."},
		{TEXT("\n\n"), 4, "..."},
		{TEXT("\n\n"), 3, ".."},
		{TEXT("\n\n"), 2, "."},
		{TEXT("\n\n"), 1, ""},
		{TEXT("a"), 1, ""},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char buffer[80] = "";

		text_append_escaped(buffer, rows[i].capacity, (struct word){rows[i].text, rows[i].size});
		wrong += differ(rows[i].text, rows[i].size, "", rows[i].shown, buffer);
	}
	assert_int_equal(wrong, 0);
}

/* Whether a text is printable ASCII with whole escapes only, "..." at its end aside. */
static bool is_shown(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~' || *text == '\'' || *text == '"')
			return false;
		if (*text == '\\') {
			if (text[1] != 'x' || strspn(text + 2, "0123456789abcdef") < 2)
				return false;
			text += 3;
		}
	}
	return true;
}

/* Every byte before and after every fill, at every capacity: never a byte too many, never half an escape. */
static void test_escaping_never_splits(void **state)
{
	(void)state;
	for (size_t capacity = 1; capacity < 24; capacity++) {
		for (size_t prefix = 0; prefix < capacity && prefix < 12; prefix++) {
			for (int byte = 0; byte < 256; byte++) {
				char text[4], *buffer = malloc(capacity);

				assert_non_null(buffer);
				memset(text, byte, sizeof(text));
				memset(buffer, 'p', prefix);
				buffer[prefix] = '\0';
				text_append_escaped(buffer, capacity, (struct word){text, sizeof(text)});
				if (!memchr(buffer, '\0', capacity) || !is_shown(buffer) ||
					strspn(buffer, "p") < prefix)
					fail_msg("capacity %zu, prefix %zu, byte 0x%02x: '%s'", capacity, prefix,
						(unsigned int)byte, buffer);
				free(buffer);
			}
		}
	}
}

static void test_append(void **state)
{
	char buffer[8] = "";

	(void)state;
	text_append(buffer, sizeof(buffer), "%d", 123);
	text_append(buffer, sizeof(buffer), "%s", "456789");
	assert_string_equal(buffer, "1234567");
	text_append(buffer, sizeof(buffer), "more");
	assert_string_equal(buffer, "1234567");
}

static void test_quoted(void **state)
{
	char text[200];

	(void)state;
	assert_string_equal(QUOTED(((struct word){TEXT("br0\x1b")})), "'br0\\x1b'");
	assert_string_equal(QUOTED(((struct word){TEXT("")})), "''");
	memset(text, 'a', sizeof(text));
	assert_int_equal(strlen(QUOTED(((struct word){text, 77}))), 79);
	assert_string_equal(QUOTED(((struct word){text, 78})) + 74, "a...'");
	memset(text, '\n', sizeof(text));
	assert_string_equal(QUOTED(((struct word){text, sizeof(text)})) + 69, "\\x0a...'");
}

static void test_word_is(void **state)
{
	(void)state;
	assert_true(word_is((struct word){"allow br0", 5}, "allow"));
	assert_false(word_is((struct word){"allow", 4}, "allow"));
	assert_false(word_is((struct word){"allowed", 7}, "allow"));
	assert_false(word_is((struct word){"Allow", 5}, "allow"));
	assert_false(word_is((struct word){"all\0w", 5}, "all"));
	assert_true(word_is((struct word){"", 0}, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_number_ends_with_its_word),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_bytes),
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_escaping_never_splits),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_word_is),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
