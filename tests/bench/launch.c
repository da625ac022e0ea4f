// SPDX-License-Identifier: MIT
/*
 * launch: measure the time from launching a tap helper to holding its descriptor, for several commands in one run.
 *
 *	launch [OPTION...] NAME [TO=FROM...] COMMAND [ARGUMENT...] [-- NAME ...]...
 *
 *	-n ROUNDS   at most (100); one more is run first and not counted
 *	-t SECONDS  no new round after so long (60), whatever -n says
 *	-b COUNT    helpers at once; a sample runs from the first launch to the last descriptor
 *	-k COUNT    first launch the first command so often, and keep those taps to the end
 *
 * Every round launches each command once, in an order drawn anew, so that a disturbance falls on all of them alike.
 * A sample runs from just before posix_spawn to just after recvmsg. Reaping the helper and removing the tap come
 * after the clock has stopped, and are finished before the next sample.
 *
 * It all happens as user 1000. The helper finds its socket as descriptor 3. TO=FROM makes TO a hard link to FROM before
 *the launch: so commands that read the same policy file are each given their own. This alone is done as root.
 *
 * Prints a line per command: name, samples, median, p90, minimum (in microseconds), and the ratio of its median to
 * that of the first command. It must not judge times; it fails if a helper does not deliver a tap, and then exit 0.
 */
#include "tests/bench/group.h"
#include "tests/bench/vmm.h"
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <linux/sockios.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS_MAX = 64, HELPERS_MAX = 1023, FILL_AT_ONCE = 30, USER = 1000 };

struct command {
	const char *name;
	char **files; /* TO=FROM, as many as there are; then argv */
	char **argv;
	double *samples; /* microseconds */
};

struct launched {
	pid_t pid;
	int pair[2]; /* our end, the helper's */
	int tap;
};

enum { ROUNDS, SECONDS, BURST, KEEP };
static const char option_letters[] = "ntbk";
static size_t options[] = {[ROUNDS] = 100, [SECONDS] = 60, [BURST] = 1, [KEEP] = 0};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void become(uid_t uid)
{
	if (seteuid(uid) < 0)
		err(1, "becoming user %u", uid);
}

/* Give the command its own policy files, as root; then be the user again. */
static void place_files(const struct command *cmd)
{
	if (cmd->files == cmd->argv)
		return;
	become(0);
	for (char **word = cmd->files; word < cmd->argv; word++) {
		const char *from = strchr(*word, '=') + 1;
		char *to = strndup(*word, (size_t)(from - 1 - *word));

		if (!to || (unlink(to) < 0 && errno != ENOENT) || link(from, to) < 0)
			err(1, "%s", *word);
		free(to);
	}
	become(USER);
}

static void spawn(const struct command *cmd, struct launched *it)
{
	static char path[] = "PATH=/usr/bin:/bin";
	char *const environment[] = {path, NULL};
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, it->pair[1], HELPER_FD);
	errno = posix_spawn(&it->pid, cmd->argv[0], &actions, NULL, cmd->argv, environment);
	if (errno)
		err(1, "%s: %s", cmd->name, cmd->argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	close(it->pair[1]);
}

/* The helper must have delivered a tap and ended well; leaves the tap's name. */
static void verify(const struct command *cmd, struct launched *it, char tap[static IFNAMSIZ])
{
	int status;

	close(it->pair[0]);
	if (waitpid(it->pid, &status, 0) < 0)
		err(1, "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "%s: the helper failed, wait status %#x", cmd->name, (unsigned int)status);
	if (it->tap < 0 || tap_name(it->tap, tap) < 0)
		errx(1, "%s: the helper exited with 0, and did not deliver a tap", cmd->name);
}

/* After a sample: every helper did its work. The taps go, unless they are kept. */
static void finish(const struct command *cmd, struct launched *them, size_t count, enum link_group group)
{
	become(0);
	for (size_t i = 0; i < count; i++) {
		char tap[IFNAMSIZ];

		verify(cmd, &them[i], tap);
		join_group(tap, group);
	}
	if (group == PASSING) {
		remove_group(group);
		for (size_t i = 0; i < count; i++)
			close(them[i].tap);
	}
	become(USER);
}

/* One sample of a command: so many at once. Returns the time from the first launch to the last descriptor. */
static double sample(const struct command *cmd, size_t count, enum link_group group)
{
	static struct launched them[HELPERS_MAX];

	place_files(cmd);
	for (size_t i = 0; i < count; i++)
		make_pair(them[i].pair);

	double start = now_us();
	for (size_t i = 0; i < count; i++)
		spawn(cmd, &them[i]);
	for (size_t i = 0; i < count; i++)
		them[i].tap = receive_descriptor(them[i].pair[0]);
	double time = now_us() - start;

	finish(cmd, them, count, group);
	return time;
}

/*
 * Fill the bridge, from a process of its own, so that the measured launches do not inherit its descriptors. It holds
 * the taps until the returned descriptor is closed.
 */
static int fill(const struct command *cmd, pid_t *keeper)
{
	int ready[2], end[2];
	char byte = 0;

	if (pipe(ready) < 0 || pipe(end) < 0 || (*keeper = fork()) < 0)
		err(1, "fork");
	if (*keeper == 0) {
		close(end[1]);
		for (size_t left = options[KEEP], some; left > 0; left -= some) {
			some = left < FILL_AT_ONCE ? left : FILL_AT_ONCE;
			sample(cmd, some, KEPT);
		}
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		_exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ready[1]);
	close(end[0]);
	if (read(ready[0], &byte, 1) != 1)
		errx(1, "%s: the bridge could not be filled", cmd->name);
	close(ready[0]);
	return end[1];
}

static void empty(pid_t keeper, int end)
{
	become(0);
	remove_group(KEPT);
	close(end);
	if (waitpid(keeper, NULL, 0) < 0)
		err(1, "waitpid");
}

/* Words to commands: NAME, the TO=FROM words, the rest up to "--". Returns how many there are. */
static size_t parse_commands(char **words, struct command cmds[static COMMANDS_MAX])
{
	size_t count = 0;

	while (*words && count < COMMANDS_MAX) {
		struct command *cmd = &cmds[count++];

		cmd->name = *words++;
		for (cmd->files = words; *words && strchr(*words, '='); words++)
			;
		cmd->argv = words;
		cmd->samples = calloc(options[ROUNDS], sizeof(*cmd->samples));
		if (!*words || strcmp(*words, "--") == 0 || !cmd->samples)
			errx(2, "%s: no command, or no memory", cmd->name);
		while (*words && strcmp(*words, "--") != 0)
			words++;
		if (*words)
			*words++ = NULL;
	}
	return *words ? 0 : count;
}

static void become_user(void)
{
	const struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};

	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setgroups(0, NULL) < 0 || setresgid(USER, USER, USER) < 0 ||
		setresuid(USER, USER, 0) < 0)
		err(1, "becoming user %d", USER);
}

/* All rounds, each in a new order; returns how many there was time for. */
static size_t run(struct command *cmds, size_t count)
{
	struct command *order[COMMANDS_MAX];
	double end = now_us() + (double)options[SECONDS] * 1e6;
	size_t round = 0;

	for (size_t i = 0; i < count; i++) {
		order[i] = &cmds[i];
		sample(&cmds[i], options[BURST], PASSING);
	}
	for (; round < options[ROUNDS] && (round == 0 || now_us() < end); round++) {
		for (size_t i = count; i > 1; i--) {
			size_t j = (size_t)random() % i;
			struct command *last = order[i - 1];

			order[i - 1] = order[j];
			order[j] = last;
		}
		for (size_t i = 0; i < count; i++)
			order[i]->samples[round] = sample(order[i], options[BURST], PASSING);
	}
	return round;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(struct command *cmds, size_t count, size_t rounds)
{
	for (size_t i = 0; i < count; i++)
		qsort(cmds[i].samples, rounds, sizeof(double), by_value);
	for (size_t i = 0; i < count; i++) {
		const double *s = cmds[i].samples;

		printf("%s\t%zu\t%.1f\t%.1f\t%.1f\t%.3f\n", cmds[i].name, rounds, s[rounds / 2], s[rounds * 9 / 10],
			s[0], s[rounds / 2] / cmds[0].samples[rounds / 2]);
	}
}

int main(int argc, char **argv)
{
	static struct command cmds[COMMANDS_MAX];
	pid_t keeper = -1;

	for (int c; (c = getopt(argc, argv, "+n:t:b:k:")) != -1;) {
		if (c == '?')
			return 2;
		options[strchr(option_letters, c) - option_letters] = strtoul(optarg, NULL, 10);
	}
	bool sane = options[ROUNDS] > 0 && options[BURST] > 0 && options[BURST] <= HELPERS_MAX &&
		    (options[BURST] == 1 || options[KEEP] == 0);
	size_t count = sane ? parse_commands(argv + optind, cmds) : 0;
	if (count == 0)
		errx(2, "usage: launch [-n ROUNDS] [-t SECONDS] [-b COUNT] [-k COUNT] "
			"NAME [TO=FROM...] COMMAND [ARGUMENT...] [-- NAME ...]...");
	become_user();
	int full = options[KEEP] > 0 ? fill(&cmds[0], &keeper) : -1;
	size_t rounds = run(cmds, count);
	report(cmds, count, rounds);
	if (options[KEEP] > 0)
		empty(keeper, full);
	return 0;
}
