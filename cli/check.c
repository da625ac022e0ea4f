/* `tapgate check`: whether a policy is one, and whether this host has place for its networks. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/conflicts.h"
#include "cli/load.h"
#include "cli/session.h"
#include "cli/words.h"

int command_check(int count, char **words)
{
	struct session session = {.lock = -1};
	struct words parsed;
	struct policy *policy;
	int status = STATUS_FAILED;

	if (!words_parse(&parsed, "check", 0, 1, count, words))
		return STATUS_USAGE;
	policy = load_policy(parsed.name_count ? parsed.names[0] : NULL);
	if (!policy)
		return STATUS_POLICY;
	if (session_open(&session, false))
		status = conflicts_find(&session, policy) > 0 ? STATUS_POLICY : STATUS_DONE;
	if (status == STATUS_DONE)
		printf("%s: no mistake found\n", parsed.name_count ? parsed.names[0] : POLICY_FILE);
	session_close(&session);
	policy_free(policy);
	return status;
}
