#include "cli/words.h"

#include <stddef.h>
#include <string.h>

#include "cli/say.h"
#include "policy/text.h"

/* Options and names may come in any order; names are moved to the front. */
bool words_parse(struct words *words, const char *command, const char *options, int names_max, int count, char **from)
{
	bool only_names = false;

	*words = (struct words){.names = from};
	for (int i = 0; i < count; i++) {
		struct word word = {from[i], strlen(from[i])};

		if (!only_names && strcmp(from[i], "--") == 0)
			only_names = true;
		else if (only_names || from[i][0] != '-')
			from[words->name_count++] = from[i];
		else if (strcmp(from[i], "--dry-run") == 0 && strstr(options, from[i]))
			words->dry_run = true;
		else if (strcmp(from[i], "--json") == 0 && strstr(options, from[i]))
			words->json = true;
		else
			return say_error("'%s' has no option %s; see: tapgate help %s", command, QUOTED(word), command);
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
