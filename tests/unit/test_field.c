// SPDX-License-Identifier: MIT
/*
 * Fields of log lines (policy/text.c): what is written is read back, byte for byte, for random values and in any room;
 * what was not written so is not read. The expected bytes in the tables were written by hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"
#include "tests/unit/test_policy.h"

static void test_write(void **state)
{
	static const struct {
		const char *value, *expected;
	} rows[] = {
		{"br0", "k=br0"},
		{"tg1-0", "k=tg1-0"},
		{"/etc/x:1", "k=/etc/x:1"},
		{"", "k=\"\""},
		{"a b", "k=\"a b\""},
		{"a=b", "k=\"a=b\""},
		{"a\"b", "k=\"a\\x22b\""},
		{"a\\b", "k=\"a\\x5cb\""},
		{"a\nb", "k=\"a\\x0ab\""},
		{"\x1b[2J\x7f\x80\xff", "k=\"\\x1b[2J\\x7f\\x80\\xff\""},
		{"\" uid=0 net=\"x", "k=\"\\x22 uid=0 net=\\x22x\""},
		{"it's", "k=it's"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[128] = "";

		field_append(line, sizeof(line), "k", rows[i].value);
		assert_string_equal(line, rows[i].expected);
	}
}

static void test_not_a_field(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} rows[] = {
		{TEXT("")},
		{TEXT("k")},
		{TEXT("k=")},
		{TEXT("=v")},
		{TEXT("K=v")},
		{TEXT("k =v")},
		{TEXT("k= v")},
		{TEXT(" k=v")},
		{TEXT("k=v ")},
		{TEXT("k=\"")},
		{TEXT("k=\"v")},
		{TEXT("k=\"v\"w")},
		{TEXT("k=\"v\"\"w\"")},
		{TEXT("k=v\"w\"")},
		{TEXT("k=a=b")},
		{TEXT("k=a\\x20b")},
		{TEXT("k=\"\\x2\"")},
		{TEXT("k=\"\\x0A\"")},
		{TEXT("k=\"\\X0a\"")},
		{TEXT("k=\"\\n\"")},
		{TEXT("k=\"\\\"")},
		{TEXT("k=\"\\x00\"")},
		{TEXT("k=\"\\x41\"")},
		{TEXT("k=\"a\nb\"")},
		{TEXT("k=a\tb")},
		{TEXT("k=a\0b")},
		{TEXT("k=\"\xc3\xa9\"")},
		{TEXT("k2=v")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct word line = {rows[i].text, rows[i].size}, key;
		char value[32];

		if (field_cut(&line, &key, value, sizeof(value)))
			fail_msg("taken for a field: %s", rows[i].text);
		assert_ptr_equal(line.at, rows[i].text);
	}
}

static void test_value_that_does_not_fit(void **state)
{
	struct word line = {TEXT("k=abcd")}, key;
	char value[5];

	(void)state;
	assert_false(field_cut(&line, &key, value, 4));
	assert_true(field_cut(&line, &key, value, 5));
	assert_string_equal(value, "abcd");
}

/* The same numbers each time (xorshift64*). */
static unsigned int pick(unsigned int below)
{
	static uint64_t state = 1;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned int)((state * 2685821657736338717u) >> 33) % below;
}

/* A value of up to 39 bytes: of any, or of those that could end a value or begin a field. */
static void random_value(char *value)
{
	static const char hostile[] = "\"\\ =x2\nuid";
	const size_t size = pick(40);
	const bool any = pick(2);

	for (size_t i = 0; i < size; i++)
		value[i] = any ? (char)(unsigned char)(1 + pick(255)) : hostile[pick(sizeof(hostile) - 1)];
	value[size] = '\0';
}

/* The value that was read is the one that was written, or, where it did not fit, a beginning of it and "...". */
static void assert_same(const char *read, const char *written, bool may_be_cut)
{
	size_t size = strlen(read);

	if (strcmp(read, written) == 0)
		return;
	assert_true(may_be_cut && size >= 3 && strcmp(read + size - 3, "...") == 0);
	assert_memory_equal(read, written, size - 3);
}

static void test_round_trip(void **state)
{
	static const char *const keys[] = {"uid", "net", "why"};
	unsigned int whole = 0, cut = 0;

	(void)state;
	for (unsigned int run = 0; run < 200000; run++) {
		char values[3][40], line[512] = "", value[64];
		size_t capacity = run % 2 ? sizeof(line) : 1 + pick(200), count = 0;
		struct word rest, key;

		for (size_t i = 0; i < 3; i++) {
			random_value(values[i]);
			field_append(line, capacity, keys[i], values[i]);
		}
		assert_true(strlen(line) < capacity);
		for (const char *at = line; *at; at++)
			assert_true(*at >= ' ' && *at <= '~');
		rest = (struct word){line, strlen(line)};
		for (; field_cut(&rest, &key, value, sizeof(value)); count++) {
			/* Fields that found no room are missing; those that are there are in order. */
			while (count < 3 && !word_is(key, keys[count]))
				count++;
			assert_true(count < 3);
			assert_same(value, values[count], capacity < sizeof(line));
		}
		assert_int_equal(rest.size, 0);
		whole += count == 3 && capacity == sizeof(line);
		cut += capacity < sizeof(line) && strstr(line, "...\"") != NULL;
	}
	assert_int_equal(whole, 100000);
	assert_true(cut > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_not_a_field),
		cmocka_unit_test(test_value_that_does_not_fit),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
