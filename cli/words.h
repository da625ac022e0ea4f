/* The words after a command's name. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>

struct words {
	bool dry_run, json; /* --dry-run, --json */
	char *const *names; /* of networks, or files */
	int name_count;
};

/* Sort them: options, as far as the command has them, then names. False: said what is wrong. */
bool words_parse(struct words *words, const char *command, const char *options, int names_max, int count, char **from);

/* Whether a name is among them, or there are none, which means all. */
bool words_name(const struct words *words, const char *name);

#endif
