// SPDX-License-Identifier: MIT
/* `tapgate list`: the taps that the helper made, whose they are, and the guests behind them. */
#include "cli/commands.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/list/list.h"
#include "taps/taps.h"
#include "tool/tool.h"

/* What is asked for. */
struct list_query {
	const struct words *words;
	uint32_t uid; /* with --user */
	struct scene_privacy *privacy;
};

/* Take a picture of all taps, or of those of the user that is asked for. False: said why not. */
static bool look(struct link *link, const struct list_query *query, struct scene *scene)
{
	int error = scene_look(link, true, scene);

	if (!error)
		scene_keep_shown(scene, query->privacy);
	if (!error && (query->words->given & WORD_USER))
		scene_keep_user(scene, query->uid);
	return !error || say_error("cannot read the host's taps and neighbours: %s", strerror(-error));
}

/* --- watch -------------------------------------------------------------------------------------------------------- */

/*
 * `tapgate list --watch`: on a terminal a table that is kept up to date; else, and with --json, a line for each tap
 * when it comes, changes or goes. The kernel says when to look again; once a second it is done in any case, for the
 * traffic and the leases, of which the kernel says nothing.
 */

enum {
	INTERVAL = 1000, /* milliseconds */
	PAUSE = 100,	 /* as well, before it looks again when something changed: guests can change things quickly */
};

/* A tap that was told of. */
struct told {
	int index;
	char *line;
	json_t *object; /* with --json */
	bool stands;
};

struct watch {
	struct link *link, *changes;
	const struct list_query *query;
	const struct words *words; /* the query's */
	int signals;
	bool screen, drawn;
	struct told *told;
	size_t told_count;
};

/* --- watch: on a terminal ----------------------------------------------------------------------------------------- */

/* Draw over the last table, line by line, and erase what is left of it. */
static bool draw(struct watch *watch, const struct scene *scene)
{
	struct winsize size = {.ws_row = 0};
	struct columns_screen screen = {.colour = columns_colour(stdout)};
	struct columns table = list_table(scene, watch->words);
	char *text, *line, *rest;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2) {
		screen.width = size.ws_col;
		screen.lines = size.ws_row - 1U;
	}
	text = rest = columns_text(&table, &screen);
	columns_free(&table);
	if (!text)
		return say_error("out of memory");
	fputs(watch->drawn ? "\033[H" : "\033[H\033[2J", stdout);
	watch->drawn = true;
	while ((line = strsep(&rest, "\n")) && rest)
		printf("%s\033[K\n", line);
	fputs("\033[J", stdout);
	free(text);
	return true;
}

/* --- watch: line by line ------------------------------------------------------------------------------------------ */

static void tell(const struct watch *watch, const struct scene *scene, const char *event, const struct told *told)
{
	char time[LIST_TIME_TEXT];
	json_t *whole;

	list_time(scene->time, time);
	if (!(watch->words->given & WORD_JSON)) {
		printf("%s %s %s\n", time, event, told->line);
		return;
	}
	whole = json_pack("{s:s, s:s, s:O}", "time", time, "event", event, "tap", told->object);
	json_dumpf(whole, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(whole);
}

static void forget(struct told *told)
{
	free(told->line);
	json_decref(told->object);
}

/* The place of a tap among those that were told of; a new one if it is not there. NULL: memory ran out. */
static struct told *place_of(struct watch *watch, int index)
{
	struct told *told;

	for (size_t i = 0; i < watch->told_count; i++) {
		if (watch->told[i].index == index)
			return &watch->told[i];
	}
	told = scene_grow(watch->told, &watch->told_count, sizeof(*told));
	if (!told)
		return NULL;
	watch->told = told;
	return &told[watch->told_count - 1];
}

/* Tell of a tap if it is new, or if its line is another than last time. */
static bool compare(struct watch *watch, const struct scene *scene, const struct scene_tap *tap, bool first)
{
	struct told now = {.index = tap->interface.index, .line = list_line(scene, tap), .stands = true}, before;
	struct told *place = now.line ? place_of(watch, now.index) : NULL;

	if (!place) {
		forget(&now);
		return say_error("out of memory");
	}
	if (watch->words->given & WORD_JSON)
		now.object = list_json_tap(scene, tap);
	before = *place;
	*place = now;
	if (!before.line)
		tell(watch, scene, first ? "here" : "came", &now);
	else if (strcmp(before.line, now.line) != 0)
		tell(watch, scene, "changed", &now);
	forget(&before);
	return true;
}

/* Tell of the taps that are gone, with their last line. */
static void tell_gone(struct watch *watch, const struct scene *scene)
{
	size_t kept = 0;

	for (size_t i = 0; i < watch->told_count; i++) {
		if (watch->told[i].stands) {
			watch->told[kept++] = watch->told[i];
			continue;
		}
		tell(watch, scene, "gone", &watch->told[i]);
		forget(&watch->told[i]);
	}
	watch->told_count = kept;
}

static bool tell_changes(struct watch *watch, const struct scene *scene, bool first)
{
	for (size_t i = 0; i < watch->told_count; i++)
		watch->told[i].stands = false;
	for (size_t i = 0; i < scene->tap_count; i++) {
		if (words_name(watch->words, scene->taps[i].alias.network) &&
			!compare(watch, scene, &scene->taps[i], first))
			return false;
	}
	tell_gone(watch, scene);
	return true;
}

/* --- watch: both -------------------------------------------------------------------------------------------------- */

static bool show(struct watch *watch, bool first)
{
	struct scene scene;
	bool shown = look(watch->link, watch->query, &scene) &&
		     (watch->screen ? draw(watch, &scene) : tell_changes(watch, &scene, first));

	scene_forget(&scene);
	fflush(stdout);
	return shown && !ferror(stdout);
}

/* Wait for a change, or a second. False: it is time to end. */
static bool wait_for_change(struct watch *watch)
{
	struct pollfd ends[] = {{.fd = watch->signals, .events = POLLIN}, {.fd = STDOUT_FILENO},
		{.fd = link_descriptor(watch->changes), .events = POLLIN}};
	int ready = poll(ends, 3, INTERVAL);

	if (ready > 0 && ends[2].revents && !ends[0].revents && !ends[1].revents) {
		ready = poll(ends, 2, PAUSE);
		link_forget_changes(watch->changes);
	}
	return !(ready > 0 && (ends[0].revents || ends[1].revents));
}

static bool open_watch(struct watch *watch)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_NEIGH, 0}; /* that is forwarding databases, too */
	sigset_t ends;
	int error = link_open(&watch->changes);

	if (!error)
		error = link_watch(watch->changes, groups);
	if (error)
		return say_error("cannot have the kernel tell of changes: %s", strerror(-error));
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	watch->signals = signalfd(-1, &ends, SFD_CLOEXEC);
	if (watch->signals < 0 || sigprocmask(SIG_BLOCK, &ends, NULL) < 0)
		return say_error("cannot wait for signals: %s", strerror(errno));
	return true;
}

/*
 * Until a signal ends it. What to exit with. When nobody reads any more it ends as other programs do: by the signal,
 * without a word (pipe(7)).
 */
static int watch(struct link *link, const struct list_query *query)
{
	const char *terminal = getenv("TERM");
	struct watch watch = {.link = link, .query = query, .words = query->words, .signals = -1};
	bool well;

	watch.screen = !(query->words->given & WORD_JSON) && isatty(STDOUT_FILENO) == 1 && terminal && *terminal &&
		       strcmp(terminal, "dumb") != 0;
	signal(SIGPIPE, SIG_DFL);
	well = open_watch(&watch) && show(&watch, true);
	while (well && wait_for_change(&watch))
		well = show(&watch, false);
	for (size_t i = 0; i < watch.told_count; i++)
		forget(&watch.told[i]);
	free(watch.told);
	link_close(watch.changes);
	if (watch.signals >= 0)
		close(watch.signals);
	return well ? STATUS_DONE : STATUS_FAILED;
}

/* --- once --------------------------------------------------------------------------------------------------------- */

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
	int status = look(link, query, &scene) ? check_names(&scene, words) : STATUS_FAILED;

	if (status == STATUS_DONE && words->given & WORD_WATCH)
		status = watch(link, query);
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
