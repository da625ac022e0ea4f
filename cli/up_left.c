// SPDX-License-Identifier: MIT
/* Networks that `tapgate up` leaves as they are, as what it would do cuts off who is on them; and who that is. */
#include "cli/commands.h"

#include <string.h>

#include "cli/list/list.h"
#include "networks/networks.h"
#include "taps/taps.h"
#include "tool/tool.h"

/* --- which -------------------------------------------------------------------------------------------------------- */

struct search {
	struct session *session;
	const struct policy *policy;
	bool failed;
};

static void leave(struct search *search, const struct policy_network *network, const char *name)
{
	const char *why = cutoff_find(search->session, network, name);

	if (why)
		search->failed |= !session_leave(search->session, name, why);
}

static void look_at_leftover(void *context, const char *name)
{
	struct search *search = context;
	const struct policy_network *network = load_find(search->policy, name);

	if (!network || !policy_is_managed(network))
		leave(search, NULL, name);
}

bool up_find_left(struct session *session, const struct policy *policy, const struct words *words, bool *refused)
{
	struct search search = {session, policy, false};
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	if (words->given & WORD_FORCE)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (!policy_is_managed(&networks[i]) || !words_name(words, networks[i].name))
			continue;
		leave(&search, &networks[i], networks[i].name);
		refused[i] = session_leaves(session, networks[i].name);
	}
	if (words->name_count == 0 && !network_each(session, look_at_leftover, &search))
		return false;
	return !search.failed;
}

/* --- who is on them ----------------------------------------------------------------------------------------------- */

struct telling {
	const struct session_left *left;
	const struct scene *scene;
	json_t *members; /* NULL: they are said */
};

static void say_member(const struct telling *telling, const struct link_interface *member, const struct scene_tap *tap)
{
	char user[LIST_NAME_TEXT] = "", program[LIST_NAME_TEXT] = "";

	if (!tap) {
		say_error("%s: on it: %s, which is no tap of tapgate's", telling->left->network,
			QUOTED(((struct word){member->name, strlen(member->name)})));
		return;
	}
	list_user(tap->alias.uid, user);
	if (tap->holder.pid)
		list_name(tap->holder.name, program);
	say_error("%s: on it: %s, user %s, vmm %d%s%s", telling->left->network, member->name, user,
		tap->holder.pid ? (int)tap->holder.pid : tap->alias.vmm, *program ? " " : "", program);
}

static void tell_member(void *context, const struct link_interface *member)
{
	const struct telling *telling = context;
	const struct scene_tap *tap = scene_tap_at(telling->scene, member->index);

	if (!telling->members)
		say_member(telling, member, tap);
	else
		json_array_append_new(telling->members,
			tap ? list_json_tap(telling->scene, tap) : json_pack("{s:s}", "interface", member->name));
}

static void tell_left(const struct session *session, const struct scene *scene, size_t index, json_t *list)
{
	const struct session_left *left = &session->left[index];
	const size_t count = cutoff_members(session, left->network);
	struct telling telling = {.left = left, .scene = scene, .members = list ? json_array() : NULL};

	say_error("%s: left as it is: %s would cut off %zu member%s; end %s first, or run: tapgate up --force",
		left->network, left->why, count, count == 1 ? "" : "s", count == 1 ? "it" : "them");
	cutoff_each_member(session, left->network, tell_member, &telling);
	if (list)
		json_array_append_new(list, json_pack("{s:s, s:s++, s:o}", "network", left->network, "why", left->why,
						    " would cut off its members", "", "members", telling.members));
}

bool up_tell_left(struct session *session, json_t *list)
{
	struct scene scene = {.taps = NULL};
	int error;

	if (session->left_count == 0)
		return true;
	error = scene_look(session->link, true, &scene);
	if (!error) {
		for (size_t i = 0; i < session->left_count; i++)
			tell_left(session, &scene, i, list);
	}
	scene_forget(&scene);
	return !error || say_error("cannot read the host's taps: %s", strerror(-error));
}
