/* `tapgate networks`: their names, for scripts, and for shells that complete words (etc/completions). */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/words.h"

int command_networks(int count, char **words)
{
	const struct policy_network *networks;
	struct policy *policy;
	struct words parsed;
	size_t networks_count;

	if (!words_parse(&parsed, "networks", 0, 0, count, words))
		return STATUS_USAGE;
	policy = load_policy(NULL);
	if (!policy)
		return STATUS_POLICY;
	networks = policy_networks(policy, &networks_count);
	for (size_t i = 0; i < networks_count; i++)
		puts(networks[i].name);
	load_tell_hidden(policy);
	policy_free(policy);
	return STATUS_DONE;
}
