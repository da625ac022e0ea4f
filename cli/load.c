#include "cli/load.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/say.h"
#include "files/files.h"
#include "policy/text.h"

struct policy *load_policy(const char *path)
{
	const struct policy_reader reader = {.read = files_read};
	struct policy_error error;
	struct policy *policy;
	char text[704], absolute[PATH_MAX];

	if (!path)
		path = POLICY_FILE;
	else if (!realpath(path, absolute))
		return say_error("%s: %s", path, strerror(errno)), NULL;
	else
		path = absolute;
	policy = policy_load(&reader, path, &error);
	if (!policy) {
		policy_error_print(&error, text, sizeof(text));
		say_error("%s", text);
	}
	/* What a user may not read is hidden from that user. Were it so from root, networks would seem to be gone. */
	if (policy && geteuid() == 0 && policy_hidden(policy)) {
		say_error("%s: root may not read it, and so cannot know all of the policy", policy_hidden(policy));
		policy_free(policy);
		return NULL;
	}
	return policy;
}

const struct policy_network *load_find(const struct policy *policy, const char *name)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(networks[i].name, name) == 0)
			return &networks[i];
	}
	return NULL;
}

bool load_managed(const struct policy *policy, const char *name)
{
	const struct policy_network *network = load_find(policy, name);
	struct word word = {name, strlen(name)};

	if (!network)
		return say_error("no network %s; " POLICY_FILE " has no such line", QUOTED(word));
	if (network->mode == MODE_BRIDGED)
		return say_error("network %s is bridged (%s:%u): its bridge is not tapgate's to make", QUOTED(word),
			network->file, network->line);
	return true;
}
