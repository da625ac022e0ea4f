#include "cli/words.h"

#include <stddef.h>
#include <string.h>

#include "cli/say.h"
#include "policy/text.h"

static const struct {
	const char *name;
	uint32_t option;
	bool has_value;
} options[] = {
	{"--dry-run", WORD_DRY_RUN, false},
	{"--json", WORD_JSON, false},
	{"--strict", WORD_STRICT, false},
	{"--live", WORD_LIVE, false},
	{"--watch", WORD_WATCH, false},
	{"--follow", WORD_FOLLOW, false},
	{"--user", WORD_USER, true},
	{"--since", WORD_SINCE, true},
};

enum { UNKNOWN = -1, LACKS_VALUE = -2 };

/* An option, and its value if it has one. Returns how many further words it took, or what is wrong. */
static int take_option(struct words *words, uint32_t allowed, const char *word, const char *next)
{
	size_t size = strcspn(word, "=");

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		const char *value = word[size] ? word + size + 1 : next;

		if (strlen(options[i].name) != size || strncmp(word, options[i].name, size) != 0 ||
			!(allowed & options[i].option) || (word[size] && !options[i].has_value))
			continue;
		if (options[i].has_value && !value)
			return LACKS_VALUE;
		words->given |= options[i].option;
		if (options[i].option == WORD_SINCE)
			words->since = value;
		else if (options[i].has_value)
			words->user = value;
		return options[i].has_value && !word[size];
	}
	return UNKNOWN;
}

/* Options and names may come in any order; names are moved to the front. */
bool words_parse(struct words *words, const char *command, uint32_t allowed, int names_max, int count, char **from)
{
	bool only_names = false;

	*words = (struct words){.names = from};
	for (int i = 0; i < count; i++) {
		struct word word = {from[i], strlen(from[i])};
		int more;

		if (!only_names && strcmp(from[i], "--") == 0) {
			only_names = true;
		} else if (only_names || from[i][0] != '-') {
			from[words->name_count++] = from[i];
		} else {
			more = take_option(words, allowed, from[i], i + 1 < count ? from[i + 1] : NULL);
			if (more < 0)
				return say_error(more == UNKNOWN
							 ? "'%s' has no option %s; see: tapgate help %s"
							 : "'%s': option %s lacks its value; see: tapgate help %s",
					command, QUOTED(word), command);
			i += more;
		}
	}
	return words->name_count <= names_max ||
	       say_error("'%s' has too many words; see: tapgate help %s", command, command);
}

bool words_name(const struct words *words, const char *name)
{
	for (int i = 0; i < words->name_count; i++) {
		if (strcmp(words->names[i], name) == 0)
			return true;
	}
	return words->name_count == 0;
}
