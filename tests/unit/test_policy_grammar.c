// SPDX-License-Identifier: MIT
/*
 * Tests of the policy's language: the bytes and lines that may stand in a file, and the words that lines begin with.
 * Every refusal is compared to the letter, for it is what an administrator reads. Rules, networks and includes have
 * files of their own.
 */
#include "tests/unit/test_policy.h"

#define VERBS ", expected 'allow', 'deny', 'include', 'network', 'guest', 'forward' or '#'"
#define CUT   "file ends inside a line, expected a newline (the file may be cut short; if it is whole: echo >>'/p')"
#define ALLOW_WORDS                                                                                                    \
	", expected 'user=', 'group=', 'max=', 'queues=', 'mac=', 'vlan=', 'mtu=', 'rate=', 'rate-in=', 'isolated', 'lock-mac', 'guard' or 'lock-ip'"
#define PRINTABLE     ", expected printable ASCII"
#define OTHER_LETTERS ", and '#number' for a user or group with other letters"
#define LONG_LINE     "line goes on, expected at most 4095 bytes"

static void test_bytes_and_lines(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT(""), ""},
		{TEXT("\n"), ""},
		{TEXT("\n\n \n\t\n \t \n"), ""},
		{TEXT("# a comment\n"), ""},
		{TEXT("  \t# a comment\n"), ""},
		{TEXT("#\n#allow br0\n"), ""},
		{TEXT("  allow   br0  \n\tdeny\tbr1\t\n"), ""},
		{TEXT("allow br0"), "/p:1:10: " CUT},
		{TEXT("# comment"), "/p:1:10: " CUT},
		{TEXT("allow br0\ndeny b"), "/p:2:7: " CUT},
		{TEXT("allow br0\n "), "/p:2:2: " CUT},
		{TEXT("\0"), "/p:1:1: byte 0x00" PRINTABLE},
		{TEXT("\0\n"), "/p:1:1: byte 0x00" PRINTABLE},
		{TEXT("allow br0\0\n"), "/p:1:10: byte 0x00" PRINTABLE},
		{TEXT("allow br0\n\0deny br0\n"), "/p:2:1: byte 0x00" PRINTABLE},
		{TEXT("# \0\n"), "/p:1:3: byte 0x00" PRINTABLE},
		{TEXT("allow br0\r\n"), "/p:1:10: carriage return, expected lines that end in a newline alone"},
		{TEXT("# comment\r\n"), "/p:1:10: carriage return, expected lines that end in a newline alone"},
		{TEXT("\r\n"), "/p:1:1: carriage return, expected lines that end in a newline alone"},
		{TEXT("allow br0\rdeny br0\n"), "/p:1:10: carriage return, expected lines that end in a newline alone"},
		{TEXT("\xef\xbb\xbf"
		      "allow br0\n"),
			"/p:1:1: byte order mark, expected plain text"},
		{TEXT("\xef\xbb\xbf# comment\n"), "/p:1:1: byte order mark, expected plain text"},
		{TEXT("\xef\xbb\xbf\n"), "/p:1:1: byte order mark, expected plain text"},
		{TEXT("\n\xef\xbb\xbf\n"), "/p:2:1: byte 0xef" PRINTABLE},
		{TEXT("\xef\xbb\n"), "/p:1:1: byte 0xef" PRINTABLE},
		{TEXT("\xff\xfe"
		      "a\0\n"),
			"/p:1:1: byte 0xff" PRINTABLE},
		{TEXT("# Z\xc3\xbcrich \xff\x80\x9b\n"), ""},
		{TEXT("#\ttabs\n"), ""},
		{TEXT("# \x1b[2J\n"), "/p:1:3: byte 0x1b" PRINTABLE},
		{TEXT("# \x7f\n"), "/p:1:3: byte 0x7f" PRINTABLE},
		{TEXT("# \f\n"), "/p:1:3: byte 0x0c" PRINTABLE},
		{TEXT("# \v\n"), "/p:1:3: byte 0x0b" PRINTABLE},
		{TEXT("allow br\xc3\xbc\n"), "/p:1:9: byte 0xc3" PRINTABLE},
		{TEXT("allow br0\xc2\xa0user=alice\n"), "/p:1:10: byte 0xc2" PRINTABLE},
		{TEXT("allow br0\x9b\n"), "/p:1:10: byte 0x9b" PRINTABLE},
		{TEXT("allow\fbr0\n"), "/p:1:6: byte 0x0c" PRINTABLE},
		{TEXT("allow br0 # \x1b\n"), "/p:1:13: byte 0x1b" PRINTABLE},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

static void test_first_words(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("alow br0\n"), "/p:1:1: unknown word 'alow'" VERBS},
		{TEXT("allow br0\nalow br0\nallow br1\n"), "/p:2:1: unknown word 'alow'" VERBS},
		{TEXT("allow br0\nallow br1\n  alow br0\n"), "/p:3:3: unknown word 'alow'" VERBS},
		{TEXT("allow br0\n#\n\nx\n"), "/p:4:1: unknown word 'x'" VERBS},
		{TEXT("Allow br0\n"), "/p:1:1: unknown word 'Allow'" VERBS},
		{TEXT("allowed br0\n"), "/p:1:1: unknown word 'allowed'" VERBS},
		{TEXT("-allow br0\n"), "/p:1:1: unknown word '-allow'" VERBS},
		{TEXT("; comment\n"), "/p:1:1: unknown word ';'" VERBS},
		{TEXT("// comment\n"), "/p:1:1: unknown word '//'" VERBS},
		{TEXT("'allow' \"br0\\\n"), "/p:1:1: unknown word '\\x27allow\\x27'" VERBS},
		{TEXT("allow br0 \\\n  user=alice\n"), "/p:1:11: unknown word '\\x5c' on an allow rule" ALLOW_WORDS},
		{TEXT("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"),
			"/p:1:1: unknown word "
			"'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"...'" VERBS},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

/* Lines around the bound, and where the buffers of other programs end: none is cut in two, none is lost. */
static void test_line_lengths(void **state)
{
	static const struct {
		const char *start; /* the line is filled up with the last byte of this */
		size_t size;
		const char *error;
	} rows[] = {
		{"# ", 4095, ""},
		{"# ", 4096, "/p:2:4096: " LONG_LINE},
		{"#x", 4095, ""},
		{"#x", 4096, "/p:2:4096: " LONG_LINE},
		{"#x", 8191, "/p:2:4096: " LONG_LINE},
		{"#x", 100000, "/p:2:4096: " LONG_LINE},
		{" ", 4095, ""},
		{" ", 4096, "/p:2:4096: " LONG_LINE},
		{"allow br0 ", 4095, ""},
		{"allow br0 ", 4096, "/p:2:4096: " LONG_LINE},
		{"allow br0 user=#1,", 4095, "/p:2:19: an empty name, expected names or '#number', apart by ',' alone"},
		{"allow br0 user=a", 270, ""}, /* a name of 255 bytes */
		{"allow br0 user=a", 271,
			"/p:2:16: a name longer than 255 bytes, expected names or '#number', apart by ',' alone"},
	};
	unsigned int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t start = strlen(rows[i].start), size = rows[i].size + 12;
		char *text = malloc(size + 1), error[512];

		assert_non_null(text);
		memcpy(text, "#\n", 2);
		memset(text + 2, rows[i].start[start - 1], rows[i].size);
		memcpy(text + 2, rows[i].start, start);
		memcpy(text + 2 + rows[i].size, "\ndeny all\n", 11);
		policy_free(memory_load_text(text, size, error));
		wrong += differ(rows[i].start, start, "the start of a long line", rows[i].error, error);
		free(text);
	}
	assert_int_equal(wrong, 0);
}

/* One wrong word after very many good lines is found, and told with its line. */
static void test_wrong_word_far_down(void **state)
{
	enum { LINES = 5000 };
	static const char line[] = "allow br0 user=alice max=2\n", last[] = "denny br0\n";
	size_t size = 0;
	char *text = malloc(LINES * sizeof(line) + sizeof(last)), error[512];

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < LINES; i++, size += sizeof(line) - 1)
		memcpy(text + size, line, sizeof(line) - 1);
	memcpy(text + size, last, sizeof(last) - 1);
	policy_free(memory_load_text(text, size + sizeof(last) - 1, error));
	assert_string_equal(error, "/p:5001:1: unknown word 'denny'" VERBS);
	free(text);
}

/* Any byte, anywhere in a line that is good without it, is either refused there or part of a comment. */
static void test_every_byte_everywhere(void **state)
{
	static const char line[] = "allow br0 user=alice max=2\n";
	const size_t name = strlen("allow br0 user=");
	unsigned int wrong = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(line) - 1; at++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[sizeof(line)], error[512], expected[512];

			if ((byte >= ' ' && byte <= '~') || byte == '\t' || byte == '\n' || byte == '\r')
				continue;
			memcpy(text, line, at);
			text[at] = (char)byte;
			memcpy(text + at + 1, line + at, sizeof(line) - 1 - at);
			snprintf(expected, sizeof(expected), "/p:%d:%zu: byte 0x%02x" PRINTABLE "%s",
				at + 1 < sizeof(line) ? 1 : 2, at + 1, (unsigned int)byte,
				byte >= 0x80 && at >= name && at <= name + strlen("alice") ? OTHER_LETTERS : "");
			policy_free(memory_load_text(text, sizeof(text), error));
			wrong += differ(text, sizeof(text), "", expected, error);
		}
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_and_lines),
		cmocka_unit_test(test_first_words),
		cmocka_unit_test(test_line_lengths),
		cmocka_unit_test(test_wrong_word_far_down),
		cmocka_unit_test(test_every_byte_everywhere),
	};

	return cmocka_run_group_tests_name("policy: grammar", tests, NULL, NULL);
}
