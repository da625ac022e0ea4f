/* `tapgate down`: away with what `tapgate up` made. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/networks/network.h"
#include "cli/networks/pass.h"
#include "cli/say.h"
#include "cli/session.h"
#include "cli/words.h"
#include "link/alias.h"

/* The kernel says what there is to be taken away: the policy may be gone, or broken. */
struct removal {
	struct session *session;
	const struct words *words;
	bool found[POLICY_NETWORKS_MAX]; /* for each of the words, whether anything stands of it */
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

	if (!words_name(removal->words, name))
		return;
	if (session_interrupted(removal->session)) {
		removal->failed = true;
		return;
	}
	removal->nat |= bridge && alias_is_bridge(bridge) && strstr(bridge->alias, " mode=nat");
	removal->failed |= !network_remove(removal->session, name);
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
	done = network_each(session, remove_one, &removal) && !removal.failed;
	done = pass_settle(session, NULL, 0, is_named, words) && done;
	if (removal.nat && !session->dry)
		puts("forwarding stays as it is, also where a nat network had it switched on: others may rely on it by "
		     "now");
	if (done && session->changes == 0)
		puts("nothing changed");
	return done ? STATUS_DONE : STATUS_FAILED;
}

int command_down(int count, char **words)
{
	struct session session = {.command = "down", .lock = -1};
	struct words parsed;
	int status;

	if (!words_parse(&parsed, "down", WORD_DRY_RUN, POLICY_NETWORKS_MAX, count, words))
		return STATUS_USAGE;
	session.dry = parsed.given & WORD_DRY_RUN;
	status = down(&session, &parsed);
	session_close(&session);
	return status;
}
