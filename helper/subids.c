#include "helper/subids.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"

/* "owner:first:count". A line that is not like that gives nobody any ids (subuid(5)). */
static bool covers(const char *line, uint32_t uid)
{
	const char *first_at = strchr(line, ':'), *count_at = first_at ? strchr(first_at + 1, ':') : NULL;
	unsigned long long first, count;

	if (!count_at)
		return false;
	first = strtoull(first_at + 1, NULL, 10);
	count = strtoull(count_at + 1, NULL, 10);
	return first <= uid && uid - first < count;
}

bool subids_exclude(uint32_t uid, struct outcome *outcome)
{
	FILE *file = fopen("/etc/subuid", "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false, whole;

	if (!file)
		return errno == ENOENT || refuse_errno(outcome, errno, "cannot read /etc/subuid");
	while (!found && getline(&line, &room, file) >= 0)
		found = covers(line, uid);
	whole = found || (feof(file) && !ferror(file));
	fclose(file);
	if (found) {
		struct word owner = {line, strcspn(line, ":")};

		refuse(outcome, EXIT_DENIED,
			"uid %u is a subordinate id of %s by /etc/subuid; start it as that user itself", uid,
			QUOTED(owner));
	} else if (!whole) {
		refuse(outcome, EXIT_SYSTEM, "cannot read /etc/subuid whole");
	}
	free(line);
	return whole && !found;
}
