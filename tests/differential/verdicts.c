// SPDX-License-Identifier: MIT
/*
 * verdicts: does `tapgate explain` say what tapgate-helper does?
 *
 *	verdicts SEED COUNT
 *
 * Writes COUNT random policies with random accounts (policies.h). For each asks $TAPGATE and $HELPER about several
 * networks for several callers,
 *
 *	explain --user WHO NETWORK...	as root
 *	explain NETWORK...		as that user, with the groups that a login would give
 *	the helper, for each NETWORK	likewise
 *
 * and the last two with groups of chance besides. All must agree on code and sentence, and where it is allowed, on the
 * rule and on how many queues it gives. The helper is asked for 16 queues, which no rule grants: so a verdict in favour
 * is an error, too, which names the rule, and nothing is made. Prints what differs, then "PASSED FAILED ALLOWED".
 *
 * Run as root in a world of its own (tests/common/world).
 */
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/differential/policies.h"

enum {
	SHOWN = 3, /* policies printed whole */
	TEXT = 32768,
	ALLOWED = 5, /* the helper's exit code for 16 queues where fewer are allowed */
};

/* --- asking ------------------------------------------------------------------------------------------------------- */

/* What a program said on both streams, and exited with. */
struct said {
	int status;
	char text[TEXT];
};

/* As whom a program is run. */
struct identity {
	const struct caller *caller; /* NULL: as root, who asks about others */
	gid_t gid;
	const gid_t *groups; /* NULL: those that a login would give */
	size_t group_count;
};

static void become(const struct identity *as)
{
	const struct caller *caller = as->caller;
	int result;

	if (!caller)
		return;
	if (as->groups)
		result = setgroups(as->group_count, as->groups);
	else
		result = caller->name ? initgroups(caller->name, as->gid) : setgroups(0, NULL);
	if (result < 0 || setresgid(as->gid, as->gid, as->gid) < 0 ||
		setresuid(caller->uid, caller->uid, caller->uid) < 0)
		_exit(126);
}

static void run(const struct identity *as, char *const *words, struct said *said)
{
	size_t size = 0;
	ssize_t more;
	int ends[2], status;
	pid_t child = pipe(ends) < 0 ? -1 : fork();

	if (child < 0)
		fail("fork");
	if (child == 0) {
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		become(as);
		execv(words[0], words);
		_exit(127);
	}
	close(ends[1]);
	while ((more = read(ends[0], said->text + size, sizeof(said->text) - 1 - size)) > 0)
		size += (size_t)more;
	said->text[size] = '\0';
	close(ends[0]);
	if (waitpid(child, &status, 0) != child)
		fail("waitpid");
	said->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void ask_helper(const struct identity *as, const char *network, struct said *said)
{
	char bridge[64], descriptor[32], queues[] = "--queues=16";
	char *words[] = {getenv("HELPER"), bridge, descriptor, queues, NULL};
	int pair[2];

	if (seteuid(as->caller->uid) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || seteuid(0) < 0)
		fail("socketpair");
	snprintf(bridge, sizeof(bridge), "--br=%s", network);
	snprintf(descriptor, sizeof(descriptor), "--fd=%d", pair[1]);
	run(as, words, said);
	close(pair[0]);
	close(pair[1]);
}

/* user: NULL, or a value for --user. */
static void ask_explain(const struct identity *as, const char *user, struct said *said)
{
	char explain[] = "explain", with[64];
	char *words[4 + COUNT_OF(networks)] = {getenv("TAPGATE"), explain};
	size_t count = 2;

	if (user) {
		snprintf(with, sizeof(with), "--user=%s", user);
		words[count++] = with;
	}
	for (size_t i = 0; i < COUNT_OF(networks); i++)
		words[count++] = strdup(networks[i]);
	run(as, words, said);
}

/* --- comparing ---------------------------------------------------------------------------------------------------- */

/* The first line of a text behind some words; false if none begins with them. */
static bool line_behind(const char *text, const char *begin, char *line, size_t size)
{
	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, begin, strlen(begin)) != 0)
			continue;
		text += strlen(begin);
		snprintf(line, size, "%.*s", (int)strcspn(text, "\n"), text);
		return true;
	}
	return false;
}

/* How many queues the lines of a network grant. */
static unsigned int queues_in(const char *text, const char *network)
{
	char begin[64], grants[1024];
	const char *at, *mark;

	snprintf(begin, sizeof(begin), "%s: allowed by ", network);
	at = strstr(text, begin);
	if (!at || !line_behind(strchr(at, '\n'), "  ", grants, sizeof(grants)))
		return 0;
	mark = strncmp(grants, "grants ", 7) == 0 ? strstr(grants, " queues=") : NULL;
	return mark ? (unsigned int)strtoul(mark + 8, NULL, 10) : 1;
}

/* "uid 1000 may have 1 queue on 'br0', not 16, by RULE; ask for fewer, ...": the same rule, if it was not cut. */
static bool same_grant(const char *sentence, const char *rule, unsigned int queues)
{
	const char *by = strstr(sentence, ", not 16, by "), *end = strstr(sentence, "; ask for fewer");
	const char *mark = strstr(sentence, " may have ");
	size_t size;

	if (!by || !end || !mark || strtoul(mark + 10, NULL, 10) != queues)
		return false;
	by += strlen(", not 16, by ");
	size = (size_t)(end - by);
	if (size > 4 && strncmp(end - 4, "...)", 4) == 0)
		return strncmp(by, rule, size - 4) == 0;
	return strlen(rule) == size && strncmp(by, rule, size) == 0;
}

/* Whether an explanation says of a network what the helper does. */
static bool agrees(const struct said *explained, const struct said *helper, const char *network)
{
	char begin[64], line[2048], sentence[2048];

	if (!line_behind(helper->text, "tapgate-helper: ", sentence, sizeof(sentence)))
		return false;
	if (line_behind(explained->text, "tapgate: ", line, sizeof(line)) &&
		!strstr(line, "; tapgate-helper passes over it, ")) /* there is no policy */
		return helper->status == explained->status && strcmp(line, sentence) == 0;
	snprintf(begin, sizeof(begin), "%s: allowed by ", network);
	if (line_behind(explained->text, begin, line, sizeof(line)))
		return helper->status == ALLOWED && same_grant(sentence, line, queues_in(explained->text, network));
	snprintf(begin, sizeof(begin), "%s: %s: ", network, helper->status == 3 ? "denied" : "refused");
	return line_behind(explained->text, begin, line, sizeof(line)) && strcmp(line, sentence) == 0;
}

struct counts {
	unsigned int same, different, allowed;
};

static void compare(const char *how, const struct identity *as, const struct said *explained,
	const struct said helpers[static COUNT_OF(networks)], struct counts *counts)
{
	int status = 0;

	for (size_t i = 0; i < COUNT_OF(networks); i++) {
		const struct said *helper = &helpers[i];

		if (!status && helper->status != ALLOWED)
			status = helper->status;
		counts->allowed += helper->status == ALLOWED;
		if (agrees(explained, helper, networks[i])) {
			counts->same++;
			continue;
		}
		counts->different++;
		printf("FAILED: %s, uid %u on '%s': the helper exits with %d and says\n    %s"
		       "and explain, with %d,\n%s",
			how, as->caller->uid, networks[i], helper->status, helper->text, explained->status,
			explained->text);
	}
	if (explained->status == status)
		return;
	counts->different++;
	printf("FAILED: %s, uid %u: explain exits with %d, expected %d\n", how, as->caller->uid, explained->status,
		status);
}

static void compare_caller(size_t number, struct counts *counts)
{
	static struct said helpers[COUNT_OF(networks)], explained;
	const struct caller *caller = &callers[number];
	const gid_t some[] = {random_group(), random_group()};
	struct identity root = {NULL, 0, NULL, 0};
	struct identity login = {caller, caller->name ? primary[number] : NOGROUP, NULL, 0};
	struct identity other = {caller, random_group(), some, below(3)};
	char user[32];

	snprintf(user, sizeof(user), "#%u", caller->uid);
	for (size_t i = 0; i < COUNT_OF(networks); i++)
		ask_helper(&login, networks[i], &helpers[i]);
	ask_explain(&root, caller->name && chance(2) ? caller->name : user, &explained);
	compare("root asks", &login, &explained, helpers, counts);
	ask_explain(&login, NULL, &explained);
	compare("the user asks", &login, &explained, helpers, counts);
	for (size_t i = 0; i < COUNT_OF(networks); i++)
		ask_helper(&other, networks[i], &helpers[i]);
	ask_explain(&other, NULL, &explained);
	compare("the user asks, with other groups", &other, &explained, helpers, counts);
}

/* All callers at once, each in a process. */
static void compare_all(struct counts *counts)
{
	unsigned int before = counts->different;
	int ends[2];

	fflush(stdout);
	if (pipe(ends) < 0)
		fail("pipe");
	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0) {
			struct counts own = {0};

			state = (state + i) | 1; /* chance of its own, which follows from the seed as well */
			compare_caller(i, &own);
			fflush(stdout);
			_exit(write(ends[1], &own, sizeof(own)) != sizeof(own));
		}
	}
	close(ends[1]);
	for (size_t i = 0; i < COUNT_OF(callers); i++) {
		struct counts own = {.different = 1}; /* of one that ended early */

		if (read(ends[0], &own, sizeof(own)) != sizeof(own))
			own = (struct counts){.different = 1};
		counts->same += own.same;
		counts->different += own.different;
		counts->allowed += own.allowed;
	}
	close(ends[0]);
	while (wait(NULL) > 0)
		;
	if (counts->different == before || before >= SHOWN)
		return;
	show_policy();
}

int main(int argc, char **argv)
{
	struct counts counts = {0};

	if (argc != 3 || !getenv("TAPGATE") || !getenv("HELPER"))
		return fprintf(stderr, "usage: verdicts SEED COUNT\n"), 2;
	begin_chance(argv[1]);
	make_directories();
	for (unsigned long policies = strtoul(argv[2], NULL, 10); policies > 0; policies--) {
		write_accounts();
		write_policy();
		compare_all(&counts);
	}
	printf("%u %u %u\n", counts.same, counts.different, counts.allowed);
	return counts.different > 0;
}
