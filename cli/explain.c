/*
 * `tapgate explain`: what a user may use, by which rule, how much of it is left, and how to use it; or why not.
 *
 * The verdict is the helper's own (files/permit.h). An ordinary user asks for itself; root for anybody, and sees what
 * that user could see of the policy.
 */
#include "cli/explain/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/run/launch.h"
#include "cli/say.h"
#include "cli/words.h"

struct explaining {
	struct session session;
	struct scene scene;
	struct explain_who who;
	struct words words;
	char helper[PATH_MAX], no_helper[LAUNCH_WHO_MAX];
	char hidden[EXPLAIN_FILE_MAX];
	json_t *list; /* NULL: for people */
	int refused;  /* the helper's code for the first that is; 0: none */
	bool any;     /* whether there was a network to explain */
};

static void begin(void *context, const char *hidden, bool may_run)
{
	struct explaining *explaining = context;
	char *why = explaining->no_helper;

	if (!may_run && !launch_say_who(explaining->helper, why, sizeof(explaining->no_helper))) {
		text_append(why, sizeof(explaining->no_helper), "this user may not run ");
		text_append_escaped(why, sizeof(explaining->no_helper),
			(struct word){explaining->helper, strlen(explaining->helper)});
	}
	snprintf(explaining->hidden, sizeof(explaining->hidden), "%s", hidden);
}

/* A name that is only denied for being a mistake: the helper says nothing of what it does not allow. */
static bool is_unknown(const struct explaining *explaining, const struct explain_answer *answer)
{
	return answer->outcome.code == EXIT_DENIED && !answer->line_line &&
	       !host_interface(&explaining->session.host, answer->permit.network.name);
}

static void explain(void *context, const struct explain_answer *answer)
{
	struct explaining *explaining = context;
	static struct explained explained; /* large */

	explaining->any = true;
	if (answer->outcome.code) {
		if (!explaining->refused)
			explaining->refused = (int)answer->outcome.code;
		if (explaining->list)
			json_array_append_new(explaining->list, explain_json_refusal(answer));
		else
			explain_show_refusal(answer);
		if (!explaining->list && is_unknown(explaining, answer))
			puts("  network  there is no network or bridge of that name; see: tapgate networks");
		return;
	}
	explain_find(
		&explaining->session, &explaining->scene, &explaining->who, explaining->helper, answer, &explained);
	explained.helper = explaining->no_helper;
	if (explaining->list)
		json_array_append_new(explaining->list, explain_json(&explained));
	else
		explain_show(&explained);
}

/* What could not be read may name other networks; of those that were asked for, the refusals say it. */
static void show_hidden(const struct explaining *explaining)
{
	if (explaining->hidden[0] && explaining->words.name_count == 0)
		printf("%s says nothing to uid %u, who may not read it\n", explaining->hidden, explaining->who.uid);
}

static json_t *groups_of(const struct explain_who *who)
{
	json_t *list = json_array();

	for (size_t i = 0; i < who->group_count; i++)
		json_array_append_new(list, json_integer(who->groups[i]));
	return list;
}

static void print_json(const struct explaining *explaining)
{
	const struct explain_who *who = &explaining->who;
	json_t *whole = json_pack("{s:I, s:s?, s:o, s:s?, s:O}", "uid", (json_int_t)who->uid, "user",
		who->name[0] ? who->name : NULL, "groups", groups_of(who), "hidden",
		explaining->hidden[0] ? explaining->hidden : NULL, "networks", explaining->list);

	json_dumpf(whole, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(whole);
}

static int run(struct explaining *explaining)
{
	const struct words *words = &explaining->words;
	const struct explain_question question = {.who = &explaining->who,
		.names = words->names,
		.name_count = words->name_count,
		.host = &explaining->session.host,
		.helper = explaining->helper,
		.begin = begin,
		.each = explain,
		.context = explaining};
	int status;

	if (!session_open(&explaining->session, false) || !launch_find_helper(explaining->helper))
		return STATUS_FAILED;
	if (scene_look(explaining->session.link, true, &explaining->scene) != 0)
		scene_forget(&explaining->scene); /* it only tells which taps were left behind */
	if (words->given & WORD_JSON)
		explaining->list = json_array();
	status = explain_ask(&question);
	if (status)
		return status;
	if (explaining->list)
		print_json(explaining);
	else
		show_hidden(explaining);
	if (!explaining->any && !explaining->list && !explaining->hidden[0])
		puts("no network to tell of: " POLICY_FILE " names none");
	return words->name_count ? explaining->refused : STATUS_DONE;
}

/* Only what can be the name of a network is one; the helper says the same. */
static bool are_names(const struct words *words)
{
	for (int i = 0; i < words->name_count; i++) {
		struct word name = {words->names[i], strlen(words->names[i])};
		const char *problem = word_name_problem(name);

		if (problem)
			return say_error("network %s %s, expected the name of a network of at most %d bytes",
				QUOTED(name), problem, NAME_MAX_BYTES);
	}
	return true;
}

int command_explain(int count, char **words)
{
	static struct explaining explaining = {.session = {.lock = -1}};
	int status;

	if (!words_parse(&explaining.words, "explain", WORD_USER | WORD_JSON, POLICY_NETWORKS_MAX, count, words) ||
		!are_names(&explaining.words))
		return STATUS_USAGE;
	status = explain_find_who(explaining.words.user, &explaining.who);
	if (!status)
		status = run(&explaining);
	scene_forget(&explaining.scene);
	session_close(&explaining.session);
	json_decref(explaining.list);
	free(explaining.who.groups);
	return status;
}
