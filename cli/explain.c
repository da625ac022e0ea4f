// SPDX-License-Identifier: MIT
/*
 * `tapgate explain`: what a user may use, by which rule, how much of it is left, and how to use it; or why not.
 *
 * The verdict is the helper's own (judge/permit.c). An ordinary user asks for itself; root for anybody, and sees what
 * that user could see of the policy.
 */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/explain/explain.h"
#include "tool/tool.h"

struct explaining {
	struct session session;
	struct scene scene;
	struct explain_who who;
	const struct words *words;
	char helper[PATH_MAX], no_helper[HELPER_WHO_MAX];
	char hidden[EXPLAIN_FILE_MAX];
	json_t *list; /* NULL: for people */
	FILE *others; /* of several, where none was named: the lines of those that are refused, for the end */
	char *others_text;
	size_t others_size;
	char allowed[NAME_MAX_BYTES + 1]; /* the first network that is; empty: none */
	struct explain_shown shown;
	int refused; /* the helper's code for the first that is; 0: none */
	bool any;    /* whether there was a network to explain */
};

/* Neither of the two ways by which a helper makes taps: privileges of its own, and the service. */
static bool has_no_way(const char *helper)
{
	struct stat status;

	return stat(helper, &status) == 0 && !(status.st_mode & S_ISUID) &&
	       getxattr(helper, "security.capability", NULL, 0) < 0 && access("/run/tapgate/helper.sock", W_OK) < 0;
}

static void begin(void *context, const char *hidden, bool may_run, bool several)
{
	struct explaining *explaining = context;
	char *why = explaining->no_helper;

	if (!may_run && !helper_say_who(explaining->helper, why, sizeof(explaining->no_helper))) {
		text_append(why, sizeof(explaining->no_helper), "this user may not run ");
		text_append_escaped(why, sizeof(explaining->no_helper),
			(struct word){explaining->helper, strlen(explaining->helper)});
	}
	if (may_run && explaining->who.uid != 0 && has_no_way(explaining->helper))
		text_append(why, sizeof(explaining->no_helper),
			"it has no setuid bit, and there is no service; an administrator can run: systemctl enable --now tapgate-helper.socket");
	snprintf(explaining->hidden, sizeof(explaining->hidden), "%s", hidden);
	if (several && !explaining->list && explaining->words->name_count == 0)
		explaining->others = open_memstream(&explaining->others_text, &explaining->others_size);
}

/*
 * Whether a name is denied because nothing has it: no rule, no line, no interface. The helper does not look that far.
 */
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
			explain_show_refusal(answer, explaining->others ? explaining->others : stdout);
		if (!explaining->list && is_unknown(explaining, answer))
			printf("  network  there is no network or bridge of that name%s; see: tapgate networks\n",
				answer->meant.text);
		if (!explaining->list && !explaining->others)
			explain_show_skipped(&explaining->who, answer, stdout);
		return;
	}
	explained = (struct explained){.answer = answer};
	explain_find(&explaining->session, &explaining->scene, &explaining->who, explaining->helper, &explained);
	explained.helper = explaining->no_helper;
	if (explaining->list)
		json_array_append_new(explaining->list, explain_json(&explained));
	else if (explaining->others)
		explain_show_line(&explained);
	else
		explain_show(&explained, &explaining->shown);
	if (!explaining->allowed[0])
		snprintf(explaining->allowed, sizeof(explaining->allowed), "%s", answer->permit.network.name);
}

/* The end of the list: the refused networks, and what holds for all. */
static void show_end(struct explaining *explaining)
{
	if (fclose(explaining->others) == 0 && explaining->others_text)
		fputs(explaining->others_text, stdout);
	if (explaining->no_helper[0])
		puts(explaining->no_helper);
	if (explaining->allowed[0])
		printf("what is granted on one, and words for QEMU: tapgate explain%s%s %s\n",
			explaining->words->user ? " --user " : "",
			explaining->words->user ? explaining->words->user : "", explaining->allowed);
}

/*
 * Say which file the user may not read, since it may name more networks. Where networks were named on the command line
 * their refusals say it.
 */
static void show_hidden(const struct explaining *explaining)
{
	if (explaining->hidden[0] && explaining->words->name_count == 0)
		printf("%s says nothing to uid %u, who may not read it%s\n", explaining->hidden, explaining->who.uid,
			strcmp(explaining->hidden, POLICY_FILE) == 0
				? "; an administrator can run: chmod 644 " POLICY_FILE
				: "");
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
	const struct words *words = explaining->words;
	const struct explain_question question = {.who = &explaining->who,
		.names = words->names,
		.name_count = words->name_count,
		.host = &explaining->session.host,
		.helper = explaining->helper,
		.begin = begin,
		.each = explain,
		.context = explaining};
	int status;

	if (!session_open(&explaining->session, false) || !helper_find(explaining->helper))
		return STATUS_FAILED;
	if (scene_look(explaining->session.link, true, &explaining->scene) != 0)
		scene_forget(&explaining->scene); /* it only tells which taps were left behind */
	if (words->given & WORD_JSON)
		explaining->list = json_array();
	status = explain_ask(&question);
	if (explaining->others)
		show_end(explaining);
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

/* Refuse a word that cannot be the name of a network, as the helper does. */
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

int command_explain(const struct words *words)
{
	static struct explaining explaining = {.session = {.lock = -1}};
	int status;

	explaining.words = words;
	if (!are_names(words))
		return STATUS_USAGE;
	status = explain_find_who(words->user, &explaining.who);
	if (!status)
		status = run(&explaining);
	scene_forget(&explaining.scene);
	session_close(&explaining.session);
	json_decref(explaining.list);
	free(explaining.others_text);
	free(explaining.who.groups);
	return status;
}
