// SPDX-License-Identifier: MIT
/* Tests of helper/request.c: words of a command line -> what is asked for, or the reason why it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/helper.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define EXPECTED                                                                                                       \
	"expected --br=NAME --fd=N [--net=NAME] [--queues=N] [--mac=ADDR] [--use-vnet] from a virtual machine "        \
	"monitor; for people there is: tapgate help"

enum { WORDS_MAX = 8 };

/* A command line without its first word, and what comes of it as one line. */
struct row {
	const char *words[WORDS_MAX];
	const char *expected;
};

static void describe(const struct request *request, char *line, size_t size)
{
	char mac[MAC_TEXT];

	snprintf(line, size, "%s fd=%d%s", request->network, request->fd, request->vnet_header ? " vnet" : "");
	if (request->queues != 1)
		text_append(line, size, " queues=%u", request->queues);
	if (!request->mac_given)
		return;
	mac_text(request->mac, mac);
	text_append(line, size, " mac=%s", mac);
}

/* "br0 fd=7", "br0 fd=7 vnet queues=2 mac=02:00:00:00:00:01", or "2: why". */
static void parse(const char *const *words, char *line, size_t size)
{
	char *argv[WORDS_MAX + 2] = {strdup("tapgate-helper")};
	struct request request = {.fd = -1};
	struct outcome outcome = {.code = EXIT_SENT};
	int argc = 1;

	for (; argc <= WORDS_MAX && words[argc - 1]; argc++)
		argv[argc] = strdup(words[argc - 1]);
	if (request_parse(argc, argv, &request, &outcome))
		describe(&request, line, size);
	else
		snprintf(line, size, "%d: %s", (int)outcome.code, outcome.text);
	/* The words are not the caller's any more, and the request must not point into them. */
	for (int i = 0; i < argc; i++)
		free(argv[i]);
}

static void check_rows(const struct row *rows, size_t count)
{
	unsigned int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		char line[1024];

		parse(rows[i].words, line, sizeof(line));
		if (strcmp(line, rows[i].expected) == 0)
			continue;
		print_error("row %zu, expected: %s\ngot: %s\n", i, rows[i].expected, line);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void test_good(void **state)
{
	static const struct row rows[] = {
		{{"--br=br0", "--fd=7"}, "br0 fd=7"},
		{{"--fd=7", "--br=br0"}, "br0 fd=7"},
		{{"--use-vnet", "--fd=12", "--br=br0"}, "br0 fd=12 vnet"},
		{{"--use-vnet", "--br=virbr0", "--fd=25"}, "virbr0 fd=25 vnet"},
		{{"--net=lab", "--fd=3"}, "lab fd=3"},
		{{"--net=lab", "--use-vnet", "--fd=3", "--br=br0"}, "lab fd=3 vnet"},
		{{"--br=br0", "--net=lab", "--fd=3"}, "lab fd=3"},
		{{"--br=br0", "--fd=2147483647"}, "br0 fd=2147483647"},
		{{"--br=a", "--fd=3"}, "a fd=3"},
		{{"--br=fifteen-bytes-a", "--fd=3"}, "fifteen-bytes-a fd=3"},
		{{"--queues=1", "--br=br0", "--fd=3"}, "br0 fd=3"},
		{{"--br=br0", "--fd=3", "--queues=16"}, "br0 fd=3 queues=16"},
		{{"--br=br0", "--mac=52:54:00:Ab:cD:ef", "--fd=3"}, "br0 fd=3 mac=52:54:00:ab:cd:ef"},
		{{"--br=br0", "--mac=00:00:00:00:00:01", "--fd=3"}, "br0 fd=3 mac=00:00:00:00:00:01"},
		{{"--mac=02:00:00:00:00:01", "--queues=4", "--use-vnet", "--fd=3", "--br=br0", "--net=lab"},
			"lab fd=3 vnet queues=4 mac=02:00:00:00:00:01"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_words(void **state)
{
	static const struct row rows[] = {
		{{NULL}, "2: no network is named, " EXPECTED},
		{{"--fd=3"}, "2: no network is named, " EXPECTED},
		{{"--br=br0"}, "2: no socket is named, " EXPECTED},
		{{"--br=br0", "--fd=3", "more"}, "2: unknown argument 'more', " EXPECTED},
		{{"--br=br0", "--fd=3", ""}, "2: unknown argument '', " EXPECTED},
		{{"--help"}, "2: version " VERSION ", which hands over taps, " EXPECTED},
		{{"--br=br0", "--help"}, "2: unknown argument '--help', " EXPECTED},
		{{"--b=br0", "--fd=3"}, "2: unknown argument '--b=br0', " EXPECTED},
		{{"--br", "br0"}, "2: unknown argument '--br', " EXPECTED},
		{{"--use-vnet=on"}, "2: unknown argument '--use-vnet=on', " EXPECTED},
		{{"--use-vnet="}, "2: unknown argument '--use-vnet=', " EXPECTED},
		{{"--brx=br0"}, "2: unknown argument '--brx=br0', " EXPECTED},
		{{"\n\x1b[m\x9b"}, "2: unknown argument '\\x0a\\x1b[m\\x9b', " EXPECTED},
		{{"--br=br0", "--br=br0"}, "2: --br for the second time, expected it once"},
		{{"--fd=3", "--fd=4"}, "2: --fd for the second time, expected it once"},
		{{"--net=a", "--net=a"}, "2: --net for the second time, expected it once"},
		{{"--queues"}, "2: unknown argument '--queues', " EXPECTED},
		{{"--queues", "2"}, "2: unknown argument '--queues', " EXPECTED},
		{{"--queue=2"}, "2: unknown argument '--queue=2', " EXPECTED},
		{{"--mac"}, "2: unknown argument '--mac', " EXPECTED},
		{{"--net"}, "2: unknown argument '--net', " EXPECTED},
		{{"--queues=2", "--queues=2"}, "2: --queues for the second time, expected it once"},
		{{"--queues=", "--queues=2"}, "2: --queues for the second time, expected it once"},
		{{"--mac=x", "--mac=x"}, "2: --mac for the second time, expected it once"},
		{{"--use-vnet", "--use-vnet"}, "2: --use-vnet for the second time, expected it once"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_names(void **state)
{
#define NAME "expected the name of a network of at most 15 bytes"
	static const struct row rows[] = {
		{{"--br=", "--fd=3"}, "2: --br='' is empty, " NAME},
		{{"--br=sixteen-bytes-ab", "--fd=3"}, "2: --br='sixteen-bytes-ab' is longer than 15 bytes, " NAME},
		{{"--net=all", "--fd=3"}, "2: --net='all' is a reserved word, " NAME},
		{{"--br=br%d", "--fd=3"}, "2: --br='br%d' has characters other than letters, digits and ._-+@, " NAME},
		{{"--br==", "--fd=3"}, "2: --br='=' has characters other than letters, digits and ._-+@, " NAME},
		{{"--br=--fd=4", "--fd=3"}, "2: --br='--fd=4' begins with '-', " NAME},
		{{"--br=a b", "--fd=3"}, "2: --br='a b' has characters other than letters, digits and ._-+@, " NAME},
		{{"--br=a/b", "--net=lab", "--fd=3"},
			"2: --br='a/b' has characters other than letters, digits and ._-+@, " NAME},
		{{"--br=br0", "--net=..", "--fd=3"}, "2: --net='..' is a reserved word, " NAME},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_numbers(void **state)
{
	static const char *const numbers[] = {"", "0", "1", "2", "-1", "+3", "03", "3x", " 3", "3 ", "0x3",
		"2147483648", "4294967296", "4294967299", "18446744073709551619", "3\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		char word[64], line[1024];
		const char *const words[WORDS_MAX] = {"--br=br0", word};

		snprintf(word, sizeof(word), "--fd=%s", numbers[i]);
		parse(words, line, sizeof(line));
		assert_non_null(strstr(line, "2: --fd='"));
		assert_non_null(strstr(line, "expected the number of an open socket above 2"));
	}
}

/* Options of the port: what is no value of theirs. */
static void test_port(void **state)
{
	static const char *const queues[] = {"", "0", "17", "-1", "+2", "02", "2x", " 2", "0x2", "2,4", "4294967298"};
	static const char *const macs[] = {"", "52:54:00:12:34", "52:54:00:12:34:56:", "52:54:00:12:34:56:78",
		"52-54-00-12-34-56", "525400123456", "52:54:00:12:34:5g", "52:54:0:12:34:567", " 52:54:00:12:34:56",
		"00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"};

	(void)state;
	for (size_t i = 0; i < COUNT(queues) + COUNT(macs); i++) {
		const bool mac = i >= COUNT(queues);
		const char *value = mac ? macs[i - COUNT(queues)] : queues[i];
		char word[64], line[1024], expected[256];
		const char *const words[WORDS_MAX] = {"--br=br0", "--fd=3", word};

		snprintf(word, sizeof(word), "--%s=%s", mac ? "mac" : "queues", value);
		snprintf(expected, sizeof(expected), "2: --%s='%s', expected %s", mac ? "mac" : "queues", value,
			mac ? "a unicast hardware address as in 52:54:00:12:34:56" : "a number from 1 to 16");
		parse(words, line, sizeof(line));
		assert_string_equal(line, expected);
	}
}

/* Very long words, and what is found wrong first: the words, then the names, then the number. */
static void test_order_and_length(void **state)
{
	static char word[131072];
	const char *const words[WORDS_MAX] = {word, "--fd=3"};
	char line[1024];
	const struct row rows[] = {
		{{"--br=", "--fd=x", "more"}, "2: unknown argument 'more', " EXPECTED},
		{{"--br=", "--fd=x", "--fd=x"}, "2: --fd for the second time, expected it once"},
		{{"--fd=x"}, "2: no network is named, " EXPECTED},
		{{"--br=br0", "--queues=0", "--mac=x"}, "2: no socket is named, " EXPECTED},
		{{"--br=br0", "--fd=3", "--mac=x", "--queues=0"}, "2: --queues='0', expected a number from 1 to 16"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
	memset(word, '\x9b', sizeof(word) - 1);
	parse(words, line, sizeof(line));
	assert_true(strlen(line) < 256);
	assert_non_null(strstr(line, "...', " EXPECTED));
	memcpy(word, "--br=", 5);
	parse(words, line, sizeof(line));
	assert_true(strlen(line) < 256);
	assert_non_null(strstr(line, "is longer than 15 bytes"));
}

/* No word at all, as on kernels before 5.18: argc 0. */
static void test_no_words(void **state)
{
	char *none[] = {NULL};
	struct request request = {.fd = -1};
	struct outcome outcome = {.code = EXIT_SENT};

	(void)state;
	assert_false(request_parse(0, none, &request, &outcome));
	assert_int_equal(outcome.code, EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_order_and_length),
		cmocka_unit_test(test_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
