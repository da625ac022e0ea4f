// SPDX-License-Identifier: MIT
/* `tapgate networks`: their names, for scripts, and for shells that complete words (etc/completions). */
#include "cli/commands.h"

#include <stdio.h>

#include "tool/tool.h"

static void print_name(void *context, const char *name)
{
	(void)context;
	puts(name);
}

int command_networks(const struct words *words)
{
	struct policy *policy = load_policy(NULL);

	(void)words; /* there are none */
	if (!policy)
		return STATUS_POLICY;
	load_each_name(policy, print_name, NULL);
	load_tell_hidden(policy);
	policy_free(policy);
	return STATUS_DONE;
}
