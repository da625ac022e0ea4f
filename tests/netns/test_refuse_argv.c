/*
 * The command line: whole words, each once, numbers strictly decimal. Whatever else it is ends with exit 2, one line
 * that says what was expected, and nothing done.
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 *	alice --- ? --- br0, allowed
 */
static void test_wrong_words(void **state)
{
	const struct {
		const char *const *argv;
		const char *why;
	} rows[] = {
		{ARGS("--br=br0", FD, "--help"), "unknown argument '--help'"},
		{ARGS("--help"), "unknown argument '--help'"},
		{ARGS("--version"), "unknown argument '--version'"},
		{ARGS("-h"), "unknown argument '-h'"},
		{ARGS("--unknown=1", "--br=br0", FD), "unknown argument '--unknown=1'"},
		{ARGS("--br=br0", FD, ""), "unknown argument ''"},
		{ARGS("--br=br0", FD, "--"), "unknown argument '--'"},
		{ARGS("--br=br0", FD, "-"), "unknown argument '-'"},
		{ARGS("--br=br0", FD, "="), "unknown argument '='"},
		{ARGS("--br=br0", FD, "extra"), "unknown argument 'extra'"},
		{ARGS("--br=br0", FD, "--", "extra"), "unknown argument '--'"},
		{ARGS("--b=br0", FD), "unknown argument '--b=br0'"},
		{ARGS("--br=br0", "--f=7"), "unknown argument '--f=7'"},
		{ARGS("--br=br0", FD, "--use"), "unknown argument '--use'"},
		{ARGS("--br=br0", FD, "--use-vnets"), "unknown argument '--use-vnets'"},
		{ARGS("--br=br0", FD, "--use-vnet="), "unknown argument '--use-vnet='"},
		{ARGS("--br=br0", FD, "--use-vnet=1"), "unknown argument '--use-vnet=1'"},
		{ARGS("--br=br0", FD, "--use-vnet=off"), "unknown argument '--use-vnet=off'"},
		{ARGS("-br=br0", FD), "unknown argument '-br=br0'"},
		{ARGS("-br", "br0", FD), "unknown argument '-br'"},
		{ARGS("br=br0", FD), "unknown argument 'br=br0'"},
		{ARGS("--BR=br0", FD), "unknown argument '--BR=br0'"},
		{ARGS("--br", "br0", FD), "unknown argument '--br'"},
		{ARGS("--br=br0", "--fd", "7"), "unknown argument '--fd'"},
		{ARGS("--br=br0", FD, "--net", "br0"), "unknown argument '--net'"},
		{ARGS("--br =br0", FD), "unknown argument '--br =br0'"},
		{ARGS(" --br=br0", FD), "unknown argument ' --br=br0'"},
		{ARGS("--br=br0 --fd=7"), "has characters other than letters, digits and ._-+@"},
		{ARGS("--br=br0", FD, "\x1b[2J\n\x9b"), "unknown argument '\\x1b[2J\\x0a\\x9b'"},
		{ARGS("--br=br0", FD, "%s%n"), "unknown argument '%s%n'"},
		{ARGS("--br=br0", "--br=br0", FD), "--br for the second time"},
		{ARGS("--br=br0", FD, "--br=br1"), "--br for the second time"},
		{ARGS("--br=br0", FD, FD), "--fd for the second time"},
		{ARGS("--br=br0", FD, "--fd=8"), "--fd for the second time"},
		{ARGS("--net=br0", "--net=br0", FD), "--net for the second time"},
		{ARGS("--use-vnet", "--br=br0", FD, "--use-vnet"), "--use-vnet for the second time"},
		{ARGS(FD), "no network is named"},
		{ARGS("--use-vnet", FD), "no network is named"},
		{ARGS("--br=br0"), "no socket is named"},
		{ARGS("--net=br0", "--use-vnet"), "no socket is named"},
		{(const char *const[]){"tapgate-helper", NULL}, "no network is named"},
	};

	(void)state;
	make_bridge("br0");
	write_policy("allow all\n");
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_refusal(&(struct call){.about = rows[i].why, .argv = rows[i].argv}, 2, rows[i].why);
}

/*
 *	alice --- ? --- br0, allowed
 */
static void test_numbers(void **state)
{
	static const char *const numbers[] = {"x", "", "7x", "x7", " 7", "7 ", "\t7", "-1", "-7", "+7", "07", "007",
		"0x7", "7.0", "7e0", "7,", "7\n", "2147483648", "2147483655", "4294967295", "4294967296", "4294967303",
		"18446744073709551616", "18446744073709551623", "99999999999999999999999999999999999999", "0", "1", "2",
		"\xd9\xa7"};

	(void)state;
	make_bridge("br0");
	write_policy("allow all\n");
	for (size_t i = 0; i < COUNT(numbers); i++) {
		char word[64];

		snprintf(word, sizeof(word), "--fd=%s", numbers[i]);
		expect_refusal(&(struct call){.about = word, .argv = ARGS("--br=br0", word)}, 2,
			"expected the number of an open socket above 2");
	}
	expect_refusal(&(struct call){.about = "largest", .argv = ARGS("--br=br0", "--fd=2147483647")}, 2,
		"--fd=2147483647 is not open");
}

/*
 *	alice --- tap --- br0, whatever number her socket has: also those that the helper uses itself
 */
static void test_numbers_that_are_good(void **state)
{
	static const int numbers[] = {3, 4, 5, 6, 7, 8, 9, 10, 63, 64, 100, 255, 256, 1023};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(numbers); i++) {
		char word[64];

		snprintf(word, sizeof(word), "--fd=%d", numbers[i]);
		expect_grant(
			&(struct call){.about = word, .argv = ARGS("--br=br0", word), .number = numbers[i]}, "br0");
	}
}

/* A word of a size: a beginning, and the rest of one byte. Freed by the caller. */
static char *long_word(const char *beginning, size_t size, char byte)
{
	char *word = malloc(size + 1);

	assert_non_null(word);
	memset(word, byte, size);
	memcpy(word, beginning, strlen(beginning));
	word[size] = '\0';
	return word;
}

/*
 *	alice --- tap or not --- br0, allowed
 *
 * argv[0] is the caller's to choose and appears nowhere; 128 KiB is the longest word that the kernel passes on.
 */
static void test_argv0(void **state)
{
	char *longest = long_word("", 131071, 'A'), *percent = long_word("", 131071, '%');
	const char *const names[] = {"", "-", "--br=br1", "/usr/bin/sudo", "a b\n\x1b[2J", "%n%n%n", longest, percent};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *good[] = {names[i], "--br=br0", FD, NULL}, *bad[] = {names[i], "--br=br1", FD, NULL};

		expect_grant(&(struct call){.about = "argv[0]", .argv = good}, "br0");
		expect_refusal(&(struct call){.about = "argv[0]", .argv = bad}, 3,
			"tapgate-helper: uid 1000 may not use 'br1': no rule allows it");
	}
	free(longest);
	free(percent);
}

/*
 *	alice --- ? --- br0, allowed
 *
 * Linux 5.18 and newer put one empty word where argv has none (fs/exec.c); older ones start the helper with argc 0.
 */
static void test_argc_0(void **state)
{
	const char *const none[] = {NULL};

	(void)state;
	make_bridge("br0");
	write_policy("allow all\n");
	expect_refusal(&(struct call){.about = "argc 0", .argv = none}, 2, "expected");
	expect_refusal(
		&(struct call){
			.about = "argc 0, and an environment in its place", .argv = none, .envp = ARGS("--br=br0", FD)},
		2, "expected");
}

/*
 *	alice --- ? --- br0, allowed
 *
 * Words of 100 KiB, and very many: one line, cut.
 */
static void test_long_words(void **state)
{
	static const char *const beginnings[] = {
		"--br=", "--br=br0", "--net=", "--fd=", "--fd=7", "--use-vnet", "--", "x"};
	static const char bytes[] = {'a', '\n', '\x9b', '7', '%', '\''};
	const char **many = calloc(20002, sizeof(*many));

	(void)state;
	make_bridge("br0");
	write_policy("allow all\n");
	for (size_t i = 0; i < COUNT(beginnings); i++) {
		for (size_t j = 0; j < COUNT(bytes); j++) {
			char *word = long_word(beginnings[i], 102400, bytes[j]);
			struct result result =
				run(&(struct call){.about = beginnings[i], .argv = ARGS(word, "--br=br0")});

			assert_refused(&result, 2, "expected");
			free(word);
		}
	}
	assert_non_null(many);
	for (size_t i = 0; i <= 20000; i++)
		many[i] = "--use-vnet";
	expect_refusal(&(struct call){.about = "20000 words", .argv = many}, 2, "--use-vnet for the second time");
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wrong_words),
		TEST(test_numbers),
		TEST(test_numbers_that_are_good),
		TEST(test_argv0),
		TEST(test_argc_0),
		TEST(test_long_words),
	};

	return RUN_TESTS(tests);
}
