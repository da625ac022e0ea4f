// SPDX-License-Identifier: MIT
/* The words after a command's name, read by the table of commands; and what was meant by a word that nothing has. */
#include "tool/tool.h"

#include <pwd.h>
#include <stddef.h>
#include <string.h>

#include "policy/text.h"

static const struct command_option help[] = {{"--help", NULL, WORD_HELP, ""}, {"-h", NULL, WORD_HELP, ""}};

const struct command_option *words_option(const struct command *command, const char *word, const char **value)
{
	struct guess guess = {.said = word};
	struct word name = {word, strcspn(word, "=")};

	*value = word[name.size] ? word + name.size + 1 : NULL;
	for (size_t i = 0; i < sizeof(help) / sizeof(*help); i++) {
		if (strcmp(word, help[i].name) == 0)
			return &help[i];
	}
	for (const struct command_option *option = command->options; option->name; option++) {
		if (word_is(name, option->name) && (option->value || !*value))
			return option;
		guess_try(&guess, option->name);
	}
	say_error("'%s' has no option %s%s; see: tapgate help %s", command->name,
		QUOTED(((struct word){word, strlen(word)})), guess_text(&guess).text, command->name);
	return NULL;
}

/* An option, and its value if it has one. Returns how many further words it took; negative: said what is wrong. */
static int take_option(struct words *words, const char *word, const char *next)
{
	const char *value;
	const struct command_option *option = words_option(words->command, word, &value);
	int more = option && option->value && !value;

	if (!option)
		return -1;
	if (more && !next) {
		say_error("'%s': option %s lacks its value; see: tapgate help %s", words->command->name,
			QUOTED(((struct word){word, strlen(word)})), words->command->name);
		return -1;
	}
	value = more ? next : value;
	words->given |= option->bit;
	if (option->bit == WORD_SINCE)
		words->since = value;
	else if (option->value)
		words->user = value;
	return more;
}

/* Options and names may come in any order; names are moved to the front. */
bool words_parse(struct words *words, const struct command *command, int count, char **from)
{
	bool only_names = false;

	*words = (struct words){.command = command, .names = from};
	for (int i = 0; i < count; i++) {
		int more;

		if (!only_names && strcmp(from[i], "--") == 0) {
			only_names = true;
		} else if (only_names || from[i][0] != '-' || (command->takes_input && !from[i][1])) {
			from[words->name_count++] = from[i];
		} else {
			more = take_option(words, from[i], i + 1 < count ? from[i + 1] : NULL);
			if (more < 0)
				return false;
			i += more;
		}
	}
	return words->name_count <= command->names_max || (words->given & WORD_HELP) ||
	       say_error("'%s' has too many words; see: tapgate help %s", command->name, command->name);
}

bool words_name(const struct words *words, const char *name)
{
	for (int i = 0; i < words->name_count; i++) {
		if (strcmp(words->names[i], name) == 0)
			return true;
	}
	return words->name_count == 0;
}

bool words_uid(const char *text, uint32_t *uid)
{
	const struct word word = {text, strlen(text)};
	const struct passwd *user;

	if (*text == '#')
		return word_number((struct word){text + 1, word.size - 1}, UINT32_MAX - 1, uid) ||
		       say_error("--user %s, expected a name or '#number'", QUOTED(word));
	user = getpwnam(text);
	if (!user)
		return say_error("no user %s; one that is gone has a number: --user '#1000'", QUOTED(word));
	*uid = user->pw_uid;
	return true;
}

/* --- guess -------------------------------------------------------------------------------------------------------- */

enum { GUESS_MAX = 24 }; /* bytes of a word that is compared: every command, option and network is shorter */

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * How many letters are to be put in, left out, changed or swapped with the next one to make one word of the other
 * (optimal string alignment: a row for each letter of `a`, of which the last three are kept).
 */
static unsigned int distance_of(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned int rows[3][GUESS_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2], *free_row;

	for (unsigned int j = 0; j <= b_size; j++)
		before[j] = last[j] = j;
	for (unsigned int i = 1; i <= a_size; i++) {
		row[0] = i;
		for (unsigned int j = 1; j <= b_size; j++) {
			row[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]), least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		free_row = before;
		before = last;
		last = row;
		row = free_row;
	}
	return last[b_size];
}

/* Networks are numbered: br2 is no misspelt br1, and lab-21 no misspelt lab-12. */
static bool has_other_digits(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strcspn(a, "0123456789");
		b += strcspn(b, "0123456789");
		if (*a != *b)
			return true;
		if (!*a)
			return false;
	}
}

/* One wrong letter is allowed in a short word, two in a longer one. The beginning of a word stands for the word. */
void guess_try(struct guess *guess, const char *candidate)
{
	const size_t size = strlen(guess->said), other = strlen(candidate);
	const size_t letters = size - strspn(guess->said, "-");
	unsigned int distance;

	if (size > GUESS_MAX || other > GUESS_MAX || has_other_digits(guess->said, candidate))
		return;
	distance = letters >= 3 && other > size && strncmp(candidate, guess->said, size) == 0
			   ? 1
			   : distance_of(guess->said, size, candidate, other);
	if (distance <= (letters <= 4 ? 1U : 2U) && letters > 1 && (!guess->meant || distance < guess->distance)) {
		guess->meant = candidate;
		guess->distance = distance;
	}
}

struct guess_text guess_text(const struct guess *guess)
{
	struct guess_text text = {""};

	if (guess->meant)
		text_append(text.text, sizeof(text.text), " (did you mean '%s'?)", guess->meant);
	return text;
}
