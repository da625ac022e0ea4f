// SPDX-License-Identifier: MIT
/* `tapgate list`: the taps that the helper made, whose they are, and the guests behind them. */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include "cli/list/list.h"
#include "taps/taps.h"
#include "tool/tool.h"

bool list_look(struct link *link, const struct list_query *query, struct scene *scene)
{
	int error = scene_look(link, true, scene);

	if (!error)
		scene_keep_shown(scene, query->privacy);
	if (!error && (query->words->given & WORD_USER))
		scene_keep_user(scene, query->uid);
	return !error || say_error("cannot read the host's taps and neighbours: %s", strerror(-error));
}

static bool has_taps(const struct scene *scene, const char *network)
{
	for (size_t i = 0; i < scene->tap_count; i++) {
		if (strcmp(scene->taps[i].alias.network, network) == 0)
			return true;
	}
	return false;
}

/* A network on the command line has to have a tap, or to stand in the policy; else its name is a mistake. */
static int check_names(const struct scene *scene, const struct words *words)
{
	struct policy *policy = NULL;
	int status = STATUS_DONE;

	for (int i = 0; i < words->name_count && status == STATUS_DONE; i++) {
		if (has_taps(scene, words->names[i]))
			continue;
		status = load_known(&policy, words->names[i]);
	}
	policy_free(policy);
	return status;
}

static int print_json(const struct scene *scene, const struct words *words)
{
	char time[LIST_TIME_TEXT];
	json_t *list = json_array(), *whole;
	int result;

	for (size_t i = 0; i < scene->tap_count; i++) {
		if (words_name(words, scene->taps[i].alias.network))
			json_array_append_new(list, list_json_tap(scene, &scene->taps[i]));
	}
	list_time(scene->time, time);
	whole = json_pack("{s:s, s:o}", "time", time, "taps", list);
	result = json_dumpf(whole, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(whole);
	return result == 0 ? STATUS_DONE : STATUS_FAILED;
}

static int print_table(const struct scene *scene, const struct words *words)
{
	const struct columns_screen screen = {.colour = columns_colour(stdout)};
	struct columns table = list_table(scene, words);
	char *text = columns_text(&table, &screen);

	columns_free(&table);
	if (!text) {
		say_error("out of memory");
		return STATUS_FAILED;
	}
	fputs(text, stdout);
	free(text);
	for (size_t i = 0; i < scene->guest_count; i++) {
		if (words_name(words, scene->guests[i].network))
			claims_warn(scene, &scene->guests[i]);
	}
	return STATUS_DONE;
}

static int list(struct link *link, const struct list_query *query)
{
	const struct words *words = query->words;
	struct scene scene = {.taps = NULL};
	int status = list_look(link, query, &scene) ? check_names(&scene, words) : STATUS_FAILED;

	if (status == STATUS_DONE && words->given & WORD_WATCH)
		status = list_watch(link, query);
	else if (status == STATUS_DONE)
		status = words->given & WORD_JSON ? print_json(&scene, words) : print_table(&scene, words);
	scene_forget(&scene);
	return status;
}

int command_list(const struct words *words)
{
	struct scene_privacy privacy = {.is_read = false};
	struct list_query query = {.words = words, .privacy = &privacy};
	struct link *link = NULL;
	int status, error;

	if ((words->given & WORD_USER) && !words_uid(words->user, &query.uid))
		return STATUS_USAGE;
	error = link_open(&link);
	if (error) {
		say_no_netlink(error);
		status = STATUS_FAILED;
	} else {
		status = list(link, &query);
	}
	link_close(link);
	policy_free(privacy.policy);
	return status;
}
