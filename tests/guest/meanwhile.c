// SPDX-License-Identifier: MIT
/*
 * meanwhile LINE COMMAND...: becomes the command, and runs the shell's LINE when a new tap of the helper's is up and
 * the helper has not read it back yet; $tap is its name. As root in a guest that is a host itself
 * (tests/guest/vlan.sh).
 */
#include <errno.h>
#include <glob.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "meanwhile: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The first line of an interface's file; "" if there is none. */
static const char *line_of(const char *interface, const char *name)
{
	static char line[128];
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/%s", interface, name);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	return line;
}

/* A tap of the helper's that is up, and has none of these indexes, " 5 6 "; its own is added to them. */
static bool find_new_tap(char known[static 1024], char name[static 16])
{
	bool found = false;
	glob_t taps = {.gl_pathc = 0};

	glob("/sys/class/net/*/tun_flags", 0, NULL, &taps);
	for (size_t i = 0; i < taps.gl_pathc && !found; i++) {
		char index[16];

		sscanf(taps.gl_pathv[i], "/sys/class/net/%15[^/]", name);
		snprintf(index, sizeof(index), " %u ", if_nametoindex(name));
		found = strncmp(line_of(name, "ifalias"), "tapgate uid=", 12) == 0 &&
			(strtoul(line_of(name, "flags"), NULL, 16) & IFF_UP) && !strstr(known, index);
		if (found)
			strncat(known, index, 1023 - strlen(known));
	}
	globfree(&taps);
	return found;
}

/* Trace a process and what it starts until there is such a tap; then run the shell's line, and leave them alone. */
static _Noreturn void trace(pid_t process, int ready, const char *line)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	char tap[16], known[1024] = " ";
	bool done = false;
	int status;
	pid_t one;

	while (find_new_tap(known, tap))
		;
	if (ptrace(PTRACE_SEIZE, process, NULL, options) < 0 || ptrace(PTRACE_INTERRUPT, process, NULL, NULL) < 0 ||
		write(ready, "", 1) != 1)
		fail("trace");
	close(ready);
	while ((one = waitpid(-1, &status, __WALL)) > 0) {
		int signal = WSTOPSIG(status);

		if (!WIFSTOPPED(status))
			continue;
		if (!done && find_new_tap(known, tap)) {
			done = true;
			setenv("tap", tap, 1);
			if (system(line) != 0)
				fprintf(stderr, "meanwhile: failed: %s\n", line);
		}
		if (status >> 16 || signal == SIGTRAP || signal == (SIGTRAP | 0x80))
			signal = 0;
		ptrace(done ? PTRACE_DETACH : PTRACE_SYSCALL, one, NULL, signal);
	}
	exit(0);
}

/* Root may trace a setuid program without taking anything from it. */
int main(int argc, char **argv)
{
	pid_t process = getpid();
	int ready[2];
	char byte;

	if (argc < 3 || pipe(ready) < 0)
		fail("LINE COMMAND...");
	if (fork() == 0)
		trace(process, ready[1], argv[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1)
		execvp(argv[2], argv + 2);
	fail(argv[2]);
}
