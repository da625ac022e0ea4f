// SPDX-License-Identifier: MIT
/*
 * The command line, where a terminal cannot show it: words of 100 KiB, argv[0], other numbers of the socket. (Which
 * words there are: command_line.md.)
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
		TEST(test_numbers_that_are_good),
		TEST(test_argv0),
		TEST(test_argc_0),
		TEST(test_long_words),
	};

	return RUN_TESTS(tests);
}
