/* The words after a command's name. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* What a command may be told, a bit each. */
enum word_option {
	WORD_DRY_RUN = 1 << 0, /* --dry-run */
	WORD_JSON = 1 << 1,    /* --json */
	WORD_STRICT = 1 << 2,  /* --strict */
	WORD_LIVE = 1 << 3,    /* --live */
	WORD_WATCH = 1 << 4,   /* --watch */
	WORD_FOLLOW = 1 << 5,  /* --follow */
	WORD_USER = 1 << 6,    /* --user NAME */
	WORD_SINCE = 1 << 7,   /* --since TIME */
};

struct words {
	uint32_t given;	    /* enum word_option */
	const char *user;   /* with WORD_USER */
	const char *since;  /* with WORD_SINCE */
	char *const *names; /* of networks, or files */
	int name_count;
};

/*
 * Sort them: options, as far as the command has them (`options`), then names. An option's value stands behind it, as
 * the next word or after '='. False: said what is wrong.
 */
bool words_parse(struct words *words, const char *command, uint32_t options, int names_max, int count, char **from);

/* Whether a name is among them, or there are none, which means all. */
bool words_name(const struct words *words, const char *name);

#endif
