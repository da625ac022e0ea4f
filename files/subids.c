#include "files/subids.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"

/* "owner:first:count". A line that is not just like that, a comment too, gives nobody any ids (subuid(5)). */
static bool covers(struct word line, uint32_t uid)
{
	struct word owner, first_text, count_text;
	uint32_t first, count;

	if (!word_cut(&line, ':', &owner) || !word_cut(&line, ':', &first_text) || !word_cut(&line, ':', &count_text))
		return false;
	return owner.size > 0 && *owner.at != '#' && !line.at && word_number(first_text, UINT32_MAX, &first) &&
	       word_number(count_text, UINT32_MAX, &count) && first <= uid && uid - first < count;
}

bool subids_exclude(uint32_t uid, struct outcome *outcome)
{
	FILE *file = fopen("/etc/subuid", "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (!file)
		return errno == ENOENT || refuse_errno(outcome, errno, "cannot read /etc/subuid");
	while (!found && getline(&line, &room, file) >= 0)
		found = covers((struct word){line, strcspn(line, "\n")}, uid);
	if (found)
		refuse(outcome, EXIT_DENIED,
			"uid %u is a subordinate id of %s by /etc/subuid; start it as that user itself", uid,
			QUOTED(((struct word){line, strcspn(line, ":")})));
	else if (!feof(file) || ferror(file))
		refuse(outcome, EXIT_SYSTEM, "cannot read /etc/subuid whole");
	fclose(file);
	free(line);
	return !outcome->code;
}
