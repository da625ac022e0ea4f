// SPDX-License-Identifier: MIT
/* `tapgate up`: makes the networks as the policy wants them. */
#include "cli/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "networks/networks.h"
#include "tool/tool.h"

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

	return !network || !policy_is_managed(network);
}

/* What stands and the policy no longer names. */
struct leftovers {
	struct session *session;
	const struct policy *policy;
	bool failed;
};

/* Whether a network goes, or has gone. */
static bool goes(const void *context, const char *name)
{
	const struct leftovers *leftovers = context;

	return is_gone(leftovers->policy, name) && !session_leaves(leftovers->session, name);
}

static void remove_leftover(void *context, const char *name)
{
	struct leftovers *leftovers = context;

	if (!goes(leftovers, name))
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

/* The networks to settle, which are asked for and not refused. How many. */
static size_t collect(const struct policy *policy, const struct words *words, const bool *refused,
	const struct policy_network *asked[static POLICY_NETWORKS_MAX])
{
	size_t count, found = 0;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (policy_is_managed(&networks[i]) && words_name(words, networks[i].name) && !refused[i])
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
	return all;
}

/* A new picture of the host, if anything was changed since `changes` were counted. */
static bool look_again(struct session *session, unsigned int changes)
{
	return session->changes == changes || session_look(session);
}

/*
 * Who is on the networks, now that their bridges stand with their guards; and what of that is not tapgate's to settle.
 */
static bool settle_members(
	struct session *session, const struct policy_network *const *settled, size_t count, const struct words *words)
{
	unsigned int changes;
	bool all = true;

	if (!session_look(session))
		return false;
	changes = session->changes;
	for (size_t i = 0; i < count; i++) {
		if (bridge_is_needed(settled[i]))
			all &= members_settle(session, settled[i]) && ways_settle(session, settled[i]);
	}
	if (!look_again(session, changes))
		return false;
	all &= locks_settle(session, words);
	for (size_t i = 0; i < count; i++)
		all &= members_complain(session, settled[i]) && ways_complain(session, settled[i]);
	return all;
}

struct walls {
	struct session *session;
	const struct policy *policy;
	const struct words *words;
	bool failed;
};

/* Of taps on bridges that others made, too: what keeps these and the host apart is tapgate's. */
static void settle_walls(void *context, const char *name)
{
	struct walls *walls = context;
	struct policy_network bridged;
	const struct policy_network *network = load_named(walls->policy, name, &bridged);

	if (network && words_name(walls->words, name))
		walls->failed |= !walls_settle(walls->session, network);
}

static void warn_of(void *context, const struct policy_network *network, const char *text)
{
	(void)context;
	say_warning("%s: %s", network->name, text);
}

/* What others' firewalls keep from the networks, once something was done for them. */
static void tell_hindrances(struct session *session, const struct policy_network *const *settled, size_t count)
{
	struct probe *probe = session->changes && !session->dry ? probe_open(session) : NULL;

	for (size_t i = 0; i < count && probe; i++)
		probe_network(probe, settled[i], warn_of, NULL);
	for (size_t i = 0; i < count && session->dry; i++)
		pass_foretell(session, settled[i]);
	probe_close(probe);
}

/* Have the host know guests by name, or say what to add for that where something was done. */
static void tell_of_names(struct session *session, const struct policy_network *const *settled, size_t count)
{
	char advice[512];

	for (size_t i = 0; i < count; i++) {
		resolver_settle(session, settled[i]);
		if (session->changes && resolver_advice(settled[i], advice, sizeof(advice)))
			printf("%s: %s\n", settled[i]->name, advice);
	}
}

/* Begin those that are in no group, each on its own. failed[i]: asked[i] could not be. */
static bool begin_alone(struct session *session, const struct policy_network *const *asked, size_t count,
	const size_t group[], bool failed[])
{
	const struct policy_network *alone[POLICY_NETWORKS_MAX];
	size_t size[POLICY_NETWORKS_MAX] = {0}, at[POLICY_NETWORKS_MAX] = {0}, alone_count = 0;
	bool alone_failed[POLICY_NETWORKS_MAX] = {false}, seen;

	for (size_t i = 0; i < count; i++)
		size[group[i]]++;
	for (size_t i = 0; i < count; i++) {
		if (size[group[i]] > 1)
			continue;
		at[alone_count] = i;
		alone[alone_count++] = asked[i];
	}
	seen = network_begin_all(session, alone, alone_count, alone_failed);
	for (size_t i = 0; i < alone_count; i++)
		failed[at[i]] = alone_failed[i];
	return seen;
}

/* Settle all that are asked for; the others go on when one fails. Whoever stands in the end gets its passes. */
bool up_settle(struct session *session, const struct policy *policy, const struct words *words, const bool *refused)
{
	const struct policy_network *asked[POLICY_NETWORKS_MAX], *settled[POLICY_NETWORKS_MAX];
	size_t group[POLICY_NETWORKS_MAX], settled_count = 0, count = collect(policy, words, refused, asked);
	struct walls walls = {.session = session, .policy = policy, .words = words};
	const struct leftovers leftovers = {session, policy, false};
	const unsigned int changes = session->changes;
	bool all, failed[POLICY_NETWORKS_MAX] = {false};

	all = settle_standalone(session, asked, count);
	if (!look_again(session, changes)) /* without a picture of the host nothing can be settled */
		return false;
	groups_find(&session->host, asked, count, group);
	if (!begin_alone(session, asked, count, group, failed))
		return false;
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
		for (size_t j = 0; j < size; j++)
			session_tell(session, together[j]->name);
		if (failed[i])
			network_say_left(session, together, size);
		if (!failed[i] && network_settle(session, together, size))
			settled_count += size;
		else
			all = false;
	}
	session_tell(session, NULL);
	all &= pass_settle(session, settled, settled_count, words->name_count ? is_not_asked_for : goes, &leftovers);
	all &= settle_members(session, settled, settled_count, words);
	load_each_name(policy, settle_walls, &walls);
	all &= !walls.failed;
	tell_of_names(session, settled, settled_count);
	tell_hindrances(session, settled, settled_count);
	return all;
}

/*
 * What is for the administrator to settle may take a while: until then no guard is missing because of it. Whether any
 * network is in conflict.
 */
static bool guard_refused(struct session *session, const struct policy *policy, const bool *refused)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (refused[i] && policy_is_managed(&networks[i]))
			network_keep_guarded(session, networks[i].name, &networks[i]);
		any |= refused[i] && !session_leaves(session, networks[i].name);
	}
	for (size_t i = 0; i < session->left_count; i++) {
		if (is_gone(policy, session->left[i].network))
			network_keep_guarded(session, session->left[i].network, NULL);
	}
	return any;
}

/* Nothing is wrong with the networks then, but guests reach nobody outside until the host does. */
static void warn_of_nowhere(
	struct session *session, const struct policy *policy, const struct words *words, const bool *refused)
{
	const struct policy_network *asked[POLICY_NETWORKS_MAX];
	size_t count = collect(policy, words, refused, asked);

	for (size_t i = 0; i < count && session->changes > 0; i++) {
		if (!forwarding_leads_nowhere(session, asked[i]))
			continue;
		say_warning("%s: no way out yet: the host has no route to anywhere; run 'tapgate up' again when it has",
			asked[i]->name);
		return;
	}
}

/* As an object (tapgate-json(7)): the same with --dry-run and without. */
static int print_json(struct session *session, json_t *left, int status)
{
	json_t *whole = json_pack("{s:b, s:b, s:O, s:O}", "dry_run", session->dry, "done",
		status == STATUS_DONE || status == STATUS_CHANGES, "changes", session->said, "left", left);
	int result = whole ? json_dumpf(whole, stdout, JSON_INDENT(2)) : -1;

	putchar('\n');
	json_decref(whole);
	return result == 0 ? status : STATUS_FAILED;
}

static void say_nothing(const struct session *session, bool done, bool any)
{
	if (!done || session->changes > 0 || session->said)
		return;
	if (any)
		say_error("nothing was changed");
	else
		puts("nothing changed");
}

static int up(struct session *session, const struct policy *policy, const struct words *words, json_t *left)
{
	bool refused[POLICY_NETWORKS_MAX] = {false}, any, done;

	if (!up_find_left(session, policy, words, refused))
		return STATUS_FAILED;
	conflicts_find(session, policy, words, refused);
	done = up_tell_left(session, left) && session->left_count == 0;
	any = guard_refused(session, policy, refused);
	done = network_end_strays(session, words) && done;
	done = (words->name_count > 0 || remove_leftovers(session, policy)) && done;
	done = look_again(session, 0) && up_settle(session, policy, words, refused) && done;
	done = guard_seal_all(session) && done;
	warn_of_nowhere(session, policy, words, refused);
	say_nothing(session, done, any);
	return !done ? STATUS_FAILED : any ? STATUS_POLICY : session_status(session);
}

/* STATUS_DONE, or said what is wrong with it, or with the names. */
static int load(struct policy **policy, const struct words *words)
{
	*policy = load_policy(NULL);
	if (!*policy)
		return STATUS_POLICY;
	return check_names(*policy, words) ? STATUS_DONE : STATUS_USAGE;
}

/*
 * The policy is read before, for whoever has a mistake in it, and again when it is this run's turn: else one that had
 * to wait for another would undo what that one made of a newer policy.
 */
static int load_and_up(struct session *session, const struct words *words, json_t *left)
{
	struct policy *policy;
	int status = load(&policy, words);

	policy_free(policy);
	if (status != STATUS_DONE)
		return status;
	if (!session_open(session, true))
		return STATUS_FAILED;
	status = load(&policy, words);
	if (status == STATUS_DONE)
		status = up(session, policy, words, left);
	policy_free(policy);
	return status;
}

int command_up(const struct words *words)
{
	json_t *left = words->given & WORD_JSON ? json_array() : NULL;
	struct session session = {.command = "up", .lock = -1, .said = left ? json_array() : NULL};
	int status;

	session.dry = words->given & WORD_DRY_RUN;
	status = load_and_up(&session, words, left);
	session_applied(&session);
	if (left && session.link)
		status = print_json(&session, left, status);
	session_close(&session);
	json_decref(left);
	return status;
}
