// SPDX-License-Identifier: MIT
/*
 * In transcripts (tests/common/transcript) this is tapgate-helper: it calls the installed helper for whoever runs it,
 * as QEMU does, with a socket as descriptor 7, and holds what comes of it against the oracles. What the helper says is
 * printed, its exit code is this program's, and for a grant "kernel: " and what the kernel says of the tap.
 *
 * It is setuid, so that it may look at everything. With KEEP=FILE in the environment a tap is kept, by a process whose
 * number is in FILE; else it is given back, and nothing may have changed.
 */
#include "tests/netns/internal.h"

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GROUPS_MAX = 64 };

static gid_t groups[GROUPS_MAX];

/* Whoever runs this; who has it all from then on. */
static struct user become_root(void)
{
	const int count = getgroups(GROUPS_MAX, groups);
	const struct user user = {getuid(), getgid(), groups, count > 0 ? (size_t)count : 0};

	must(count >= 0 && setgroups(0, NULL) == 0 && setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0,
		"not setuid root");
	return user;
}

/* The bridge that a tap is a port of, or NULL. */
static const char *bridge_of(const char *tap)
{
	static char target[512];
	char path[64];
	ssize_t size;

	snprintf(path, sizeof(path), "/sys/class/net/%s/master", tap);
	size = readlink(path, target, sizeof(target) - 1);
	target[size > 0 ? size : 0] = '\0';
	return strrchr(target, '/') ? strrchr(target, '/') + 1 : NULL;
}

/* A tap of a standalone network's is told by its name, which is the network's. */
static void tell_of_tap(const struct result *result)
{
	const char *tap = tap_of(result), *bridge = bridge_of(tap);

	assert_granted(result, bridge);
	if (bridge)
		printf("kernel: tap on %s", bridge);
	else
		printf("kernel: tap %s with %s", tap, addresses_on(tap));
	printf(", mtu %s%s\n", first_line("/sys/class/net/%s/mtu", tap),
		strcmp(first_line("/sys/class/net/%s/brport/isolated", tap), "1") == 0 ? ", isolated" : "");
}

/* The call, and what came of it; a tap that came is open still. */
static struct result witness(const struct call *call)
{
	struct result result = run(call);

	fputs(result.errors, stdout);
	if (result.code == 0)
		tell_of_tap(&result);
	else
		assert_refused(&result, result.code, "");
	fflush(stdout);
	return result;
}

static int ask(const struct call *call)
{
	char *before = snapshot();
	struct result result = witness(call);

	if (result.code == 0)
		give_back(&result);
	assert_unchanged(before);
	return result.code;
}

/* The child keeps the tap until its user kills it; this ends when that has it, or as it ends. */
static int ask_and_keep(const struct call *call, const char *file)
{
	int ends[2], status;
	pid_t child;

	must(pipe2(ends, 0) == 0, "pipe");
	child = fork();
	must(child >= 0, "fork");
	if (child == 0) {
		const struct result result = witness(call);
		char number[16];

		snprintf(number, sizeof(number), "%d\n", (int)getpid());
		if (result.code != 0)
			exit(result.code);
		write_file(file, number, 0644, 0, 0);
		fclose(stdout);
		close_range(STDIN_FILENO, (unsigned int)result.tap - 1, 0);
		become(call->user);
		for (;;)
			pause();
	}
	close(ends[1]);
	must(read(ends[0], &status, 1) == 0, "pipe");
	return waitpid(child, &status, WNOHANG) == child ? WEXITSTATUS(status) : 0;
}

int main(int argc, char **argv)
{
	const struct user user = become_root();
	const struct call call = {.argv = (const char *const *)argv, .user = &user};
	const char *file = getenv("KEEP");

	(void)argc;
	signal(SIGPIPE, SIG_IGN); /* undone in children */
	open_log();
	find_guards();
	return file ? ask_and_keep(&call, file) : ask(&call);
}
