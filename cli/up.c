/* `tapgate up`: the networks as the policy wants them. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/networks/bridge.h"
#include "cli/networks/conflicts.h"
#include "cli/networks/groups.h"
#include "cli/networks/locks.h"
#include "cli/networks/members.h"
#include "cli/networks/network.h"
#include "cli/networks/pass.h"
#include "cli/networks/ways.h"
#include "cli/say.h"
#include "cli/session.h"
#include "cli/words.h"

static bool check_names(const struct policy *policy, const struct words *words)
{
	for (int i = 0; i < words->name_count; i++) {
		if (!load_managed(policy, words->names[i]))
			return false;
	}
	return true;
}

/* Whether a policy has no such network, or one that is not tapgate's to make. */
static bool is_gone(const void *policy, const char *name)
{
	const struct policy_network *network = load_find(policy, name);

	return !network || !bridge_is_managed(network);
}

/* What stands and the policy no longer names. */
struct leftovers {
	struct session *session;
	const struct policy *policy;
	bool failed;
};

static void remove_leftover(void *context, const char *name)
{
	struct leftovers *leftovers = context;

	if (!is_gone(leftovers->policy, name))
		return;
	if (session_interrupted(leftovers->session) || !network_remove(leftovers->session, name))
		leftovers->failed = true;
}

static bool remove_leftovers(struct session *session, const struct policy *policy)
{
	struct leftovers leftovers = {session, policy, false};

	return network_each(session, remove_leftover, &leftovers) && !leftovers.failed;
}

static bool is_not_asked_for(const void *context, const char *name)
{
	(void)context;
	(void)name;
	return false;
}

/* The networks to settle. How many. */
static size_t collect(const struct policy *policy, const struct words *words,
	const struct policy_network *asked[static POLICY_NETWORKS_MAX])
{
	size_t count, found = 0;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (bridge_is_managed(&networks[i]) && words_name(words, networks[i].name))
			asked[found++] = &networks[i];
	}
	return found;
}

/* Before the taps of standalone networks are given what they lack, they must be up and alone. */
static bool settle_standalone(struct session *session, const struct policy_network *const *asked, size_t count)
{
	bool all = true;

	for (size_t i = 0; i < count; i++) {
		if (!bridge_is_needed(asked[i]))
			all &= members_settle(session, asked[i]);
	}
	session_keep(session);
	return all;
}

/*
 * Who is on the networks, now that their bridges stand with their guards; and what of that is not tapgate's to settle.
 */
static bool settle_members(
	struct session *session, const struct policy_network *const *settled, size_t count, const struct words *words)
{
	bool all = true;

	if (!session_look(session))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (bridge_is_needed(settled[i]))
			all &= members_settle(session, settled[i]) && ways_settle(session, settled[i]);
	}
	session_keep(session);
	if (!session_look(session))
		return false;
	all &= locks_settle(session, words);
	for (size_t i = 0; i < count; i++)
		all &= members_complain(session, settled[i]) && ways_complain(session, settled[i]);
	return all;
}

/* Settle all that are asked for; the others go on when one fails. Whoever stands in the end gets its passes. */
static bool settle(struct session *session, const struct policy *policy, const struct words *words)
{
	const struct policy_network *asked[POLICY_NETWORKS_MAX], *settled[POLICY_NETWORKS_MAX];
	size_t group[POLICY_NETWORKS_MAX], settled_count = 0, count = collect(policy, words, asked);
	bool all;

	all = settle_standalone(session, asked, count);
	if (!session_look(session)) /* without a picture of the host nothing can be settled */
		return false;
	groups_find(&session->host, asked, count, group);
	for (size_t i = 0; i < count; i++) {
		const struct policy_network **together = settled + settled_count;
		size_t size = 0;

		if (group[i] != i)
			continue;
		if (session_interrupted(session)) {
			all = false;
			break;
		}
		for (size_t j = i; j < count; j++) {
			if (group[j] == i)
				together[size++] = asked[j];
		}
		if (network_settle(session, together, size))
			settled_count += size;
		else
			all = false;
	}
	all &= pass_settle(session, settled, settled_count, words->name_count ? is_not_asked_for : is_gone, policy);
	return settle_members(session, settled, settled_count, words) && all;
}

/* A conflict is for the administrator to settle, who may take a while: until then no guard is missing because of it. */
static int refuse(struct session *session, const struct policy *policy)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (bridge_is_managed(&networks[i]))
			network_keep_guarded(session, &networks[i]);
	}
	say_error(session->changes ? "nothing else was changed" : "nothing was changed");
	return STATUS_POLICY;
}

static int up(struct session *session, const struct policy *policy, const struct words *words)
{
	bool done;

	if (!check_names(policy, words))
		return STATUS_USAGE;
	if (!session_open(session, true))
		return STATUS_FAILED;
	if (conflicts_find(session, policy, words) > 0)
		return refuse(session, policy);
	done = words->name_count > 0 || remove_leftovers(session, policy);
	if (!session_look(session))
		return STATUS_FAILED;
	done = settle(session, policy, words) && done;
	if (done && session->changes == 0)
		puts("nothing changed");
	return done ? STATUS_DONE : STATUS_FAILED;
}

int command_up(int count, char **words)
{
	struct session session = {.command = "up", .lock = -1};
	struct words parsed;
	struct policy *policy;
	int status;

	if (!words_parse(&parsed, "up", WORD_DRY_RUN, POLICY_NETWORKS_MAX, count, words))
		return STATUS_USAGE;
	policy = load_policy(NULL);
	if (!policy)
		return STATUS_POLICY;
	session.dry = parsed.given & WORD_DRY_RUN;
	status = up(&session, policy, &parsed);
	session_close(&session);
	policy_free(policy);
	return status;
}
