// SPDX-License-Identifier: MIT
/*
 * What tapgate-dhcp answers on standalone taps (dhcp/answer.c): to what clients say, and to what guests make up.
 * Whatever the message, an answer gives the tap's address or none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp/dhcp.h"

enum { AT_CIADDR = 12, AT_YIADDR = 16, AT_OPTIONS = 240, SHORTEST = 300 };

#define OPTIONS "\3\0\6\4\300\0\2\65\17\3lab" /* a router, the host; a name server; a domain */

static const struct answer_terms terms = {.host = {172, 16, 128, 5},
	.guest = {172, 16, 128, 6},
	.prefix = 30,
	.lease = 7200,
	.options = (const unsigned char *)OPTIONS,
	.size = sizeof(OPTIONS) - 1};

/* A client's message with these options; returns its size. */
static size_t ask(unsigned char *message, const char *options, size_t size)
{
	memset(message, 0, AT_OPTIONS);
	memcpy(message, "\1\1\6\0tapg\0\0\200\0", 12);
	memcpy(message + 28, "\122\124\0\22\0\1", 6);
	memcpy(message + 236, "\143\202\123\143", 4);
	memcpy(message + AT_OPTIONS, options, size);
	return AT_OPTIONS + size;
}

/* An answer as "TYPE yiaddr: CODE=BYTES ...", or "none". */
static void show(const unsigned char *message, size_t size, const struct answer_terms *of, char text[static 512])
{
	unsigned char answer[ANSWER_MAX];
	const size_t used = answer_make(message, size, of, answer);
	const unsigned char *at = answer + AT_OPTIONS;

	*text = '\0';
	if (!used) {
		text_append(text, 512, "none");
		return;
	}
	assert_true(used >= SHORTEST && used <= sizeof(answer));
	assert_memory_equal(answer, "\2\1\6\0tapg", 8);
	assert_memory_equal(answer + 28, message + 28, 6);
	text_append(text, 512, "%u %u.%u.%u.%u:", answer[242], answer[16], answer[17], answer[18], answer[19]);
	for (; *at != 255; at += 2 + at[1]) {
		text_append(text, 512, " %u=", at[0]);
		for (unsigned int i = 0; i < at[1]; i++)
			text_append(text, 512, "%02x", at[2 + i]);
	}
}

#define TEXT(text) text, sizeof(text) - 1
#define TOLD	   " 1=fffffffc 3=ac108005 6=c0000235 15=6c6162"

static void test_answers(void **state)
{
	static const struct {
		const char *options;
		size_t size;
		const char *expected;
	} rows[] = {
		{TEXT("\65\1\1\377"), "2 172.16.128.6: 53=02 54=ac108005 51=00001c20" TOLD},
		/* Whatever address it would like. */
		{TEXT("\65\1\1\62\4\254\20\200\2\377"), "2 172.16.128.6: 53=02 54=ac108005 51=00001c20" TOLD},
		{TEXT("\65\1\3\66\4\254\20\200\5\62\4\254\20\200\6\377"),
			"5 172.16.128.6: 53=05 54=ac108005 51=00001c20" TOLD},
		{TEXT("\65\1\3\62\4\254\20\200\6\377"), "5 172.16.128.6: 53=05 54=ac108005 51=00001c20" TOLD},
		/* Another subnet's address; none; another server's offer. */
		{TEXT("\65\1\3\62\4\254\20\200\2\377"), "6 0.0.0.0: 53=06 54=ac108005"},
		{TEXT("\65\1\3\377"), "6 0.0.0.0: 53=06 54=ac108005"},
		{TEXT("\65\1\3\66\4\254\20\200\1\62\4\254\20\200\6\377"), "none"},
		{TEXT("\65\1\10\377"), "5 0.0.0.0: 53=05 54=ac108005" TOLD},
		/* What says nothing; of a server; padding; a length of another; options that end too soon. */
		{TEXT("\65\1\4\377"), "none"},
		{TEXT("\65\1\7\377"), "none"},
		{TEXT("\65\1\2\377"), "none"},
		{TEXT("\377\65\1\1"), "none"},
		{TEXT("\0\0\65\1\1"), "2 172.16.128.6: 53=02 54=ac108005 51=00001c20" TOLD},
		{TEXT("\65\2\1\1\377"), "none"},
		{TEXT(""), "none"},
		{TEXT("\65"), "none"},
		{TEXT("\65\1"), "none"},
		{TEXT("\65\377\1"), "none"},
	};
	unsigned char message[512];
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		show(message, ask(message, rows[i].options, rows[i].size), &terms, text);
		if (strcmp(text, rows[i].expected) != 0)
			fail_msg("row %zu: %s, expected %s", i, text, rows[i].expected);
	}
}

/* Each byte that makes it another's message; and cut anywhere. */
static void test_no_questions(void **state)
{
	static const size_t places[] = {0, 1, 2, 24, 27, 236, 239};
	unsigned char message[512], answer[ANSWER_MAX];
	const size_t size = ask(message, TEXT("\65\1\1\377"));

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		message[places[i]] ^= 3;
		assert_int_equal(answer_make(message, size, &terms, answer), 0);
		assert_null(answer_card(message, size));
		message[places[i]] ^= 3;
	}
	for (size_t cut = 0; cut < AT_OPTIONS + 3; cut++) {
		unsigned char *copy = malloc(cut + 1); /* for valgrind and sanitizers to see what is read behind it */

		assert_non_null(copy);
		memcpy(copy, message, cut);
		assert_int_equal(answer_make(copy, cut, &terms, answer), 0);
		free(copy);
	}
	assert_memory_equal(answer_card(message, size), message + 28, 6);
}

/* To the client's address where that is the tap's; to no other that it names. */
static void test_where(void **state)
{
	unsigned char message[512], answer[ANSWER_MAX];
	const size_t renew = ask(message, TEXT("\65\1\3\377"));

	(void)state;
	memcpy(message + AT_CIADDR, terms.guest, 4);
	assert_true(answer_make(message, renew, &terms, answer) && answer[242] == 5);
	assert_true(answer_is_for_address(answer, &terms));
	message[AT_CIADDR + 3]++;
	assert_true(answer_make(message, renew, &terms, answer) && answer[242] == 6);
	assert_false(answer_is_for_address(answer, &terms));
	assert_true(answer_make(message, ask(message, TEXT("\65\1\10\377")), &terms, answer));
	assert_false(answer_is_for_address(answer, &terms));
}

/* The most that it can be told fits; a name goes along. */
static void test_largest(void **state)
{
	static unsigned char options[ANSWER_OPTIONS_MAX];
	struct answer_terms most = terms;
	unsigned char message[512], answer[ANSWER_MAX];
	char name[POLICY_LABEL_MAX + 1] = "";

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	options[0] = options[257] = 119;
	options[1] = 255;
	options[258] = 253;
	most.options = options;
	most.size = sizeof(options);
	most.name = name;
	assert_int_equal(answer_make(message, ask(message, TEXT("\65\1\1\377")), &most, answer),
		AT_OPTIONS + 3 + 6 + 6 + 6 + 2 + POLICY_LABEL_MAX + ANSWER_OPTIONS_MAX + 1);
	assert_memory_equal(answer + AT_OPTIONS + 21, "\14\77nnn", 5);
}

/* Random bytes behind a good beginning: never anything but the tap's address. */
static void test_random(void **state)
{
	unsigned char message[400], answer[ANSWER_MAX];
	unsigned int answered = 0;

	(void)state;
	srandom(1);
	for (unsigned int i = 0; i < 20000; i++) {
		size_t size = ask(message, TEXT("\65\1\1")) + (size_t)random() % 100;

		message[AT_OPTIONS + 2] = (unsigned char)(random() % 9);
		for (size_t at = AT_OPTIONS + 3; at < size; at++)
			message[at] = (unsigned char)(random() % 4 ? random() % 64 : random());
		if (!answer_make(message, size, &terms, answer))
			continue;
		answered++;
		assert_true(memcmp(answer + AT_YIADDR, "\0\0\0\0", 4) == 0 ||
			    memcmp(answer + AT_YIADDR, terms.guest, 4) == 0);
	}
	assert_true(answered > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_no_questions),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
