// SPDX-License-Identifier: MIT
/* `tapgate down`: away with what `tapgate up` made. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/link.h"
#include "networks/networks.h"
#include "tool/tool.h"

/* The kernel says what there is to be taken away: the policy may be gone, or broken. */
struct removal {
	struct session *session;
	const struct words *words;
	bool found[POLICY_NETWORKS_MAX]; /* for each of the words, whether anything stands of it */
	char (*cleared)[IFNAMSIZ];	 /* of these only the guard is left */
	size_t cleared_count;
	bool failed, nat;
};

static void note_name(void *context, const char *name)
{
	struct removal *removal = context;

	for (int i = 0; i < removal->words->name_count; i++)
		removal->found[i] |= strcmp(removal->words->names[i], name) == 0;
}

/* Of a name that nothing stands of the policy has to know, or it is a mistake. */
static int check_names(struct removal *removal)
{
	const struct words *words = removal->words;
	struct policy *policy = NULL;
	int status = STATUS_DONE;

	if (words->name_count && !network_each(removal->session, note_name, removal))
		return STATUS_FAILED;
	for (int i = 0; i < words->name_count && status == STATUS_DONE; i++) {
		if (removal->found[i])
			continue;
		if (!policy && !(policy = load_policy(NULL)))
			status = STATUS_POLICY;
		else if (!load_managed(policy, words->names[i]))
			status = STATUS_USAGE;
	}
	policy_free(policy);
	return status;
}

static void remove_one(void *context, const char *name)
{
	struct removal *removal = context;
	const struct link_interface *bridge = host_interface(&removal->session->host, name);
	char(*cleared)[IFNAMSIZ];

	if (!words_name(removal->words, name))
		return;
	if (session_interrupted(removal->session)) {
		removal->failed = true;
		return;
	}
	removal->nat |= bridge && alias_is_bridge(bridge) && strstr(bridge->alias, " mode=nat");
	cleared = network_clear(removal->session, name)
			  ? reallocarray(removal->cleared, removal->cleared_count + 1, sizeof(*cleared))
			  : NULL;
	removal->failed |= !cleared;
	if (!cleared)
		return;
	removal->cleared = cleared;
	snprintf(cleared[removal->cleared_count++], IFNAMSIZ, "%s", name);
}

/* Guards go last, and at once; where that fails, one by one. */
static bool take_down_guards(const struct removal *removal)
{
	bool done = true;

	if (guard_take_down(removal->session, removal->cleared, removal->cleared_count))
		return true;
	for (size_t i = 0; i < removal->cleared_count; i++)
		done &= guard_take_down(removal->session, removal->cleared + i, 1);
	return done;
}

static bool is_named(const void *words, const char *network)
{
	return words_name(words, network);
}

static int down(struct session *session, const struct words *words)
{
	struct removal removal = {.session = session, .words = words};
	int status = session_open(session, true) ? check_names(&removal) : STATUS_FAILED;
	bool done;

	if (status != STATUS_DONE)
		return status;
	done = network_end_strays(session, words);
	if (!session_interrupted(session))
		done = network_cut_off(session, words) && done;
	done = network_each(session, remove_one, &removal) && !removal.failed && done;
	done = take_down_guards(&removal) && done;
	done = pass_settle(session, NULL, 0, is_named, words) && done;
	if (removal.nat && !session->dry)
		puts("forwarding stays as it is, also where nat networks switched it on: others may rely on it by now");
	if (done && session->changes == 0)
		puts("nothing changed");
	free(removal.cleared);
	return done ? session_status(session) : STATUS_FAILED;
}

int command_down(const struct words *words)
{
	struct session session = {.command = "down", .lock = -1};
	int status;

	session.dry = words->given & WORD_DRY_RUN;
	status = down(&session, words);
	session_applied(&session);
	session_close(&session);
	return status;
}
