// SPDX-License-Identifier: MIT
/* A program of the host's, run for what it says. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/tool.h"

/* Nothing of the caller's goes along: it may be a user's, and this process root's. */
static bool spawn(char *const *words, int out, pid_t *pid)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language[] = "LC_ALL=C";
	char *const environment[] = {path, language, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawn_file_actions_init(&files) != 0)
		return false;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return false;
	}
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	error = error ? error : posix_spawn_file_actions_adddup2(&files, out, 1);
	error = error ? error : posix_spawn_file_actions_adddup2(&files, out, 2);
	error = error ? error : posix_spawn(pid, words[0], &files, &attributes, words, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error == 0;
}

bool program_run(char *const *words, char *said, size_t size)
{
	enum { PATIENCE = 5000 }; /* milliseconds */
	const int64_t deadline = clock_milliseconds() + PATIENCE;
	size_t used = 0;
	int ends[2], status = 0;
	int64_t left;
	ssize_t n = 1;
	pid_t pid;

	*said = '\0';
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	if (!spawn(words, ends[1], &pid)) {
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	close(ends[1]);
	while (n > 0 && used < size - 1 && (left = deadline - clock_milliseconds()) > 0) {
		struct pollfd ready = {.fd = ends[0], .events = POLLIN};

		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		n = read(ends[0], said + used, size - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	said[used] = '\0';
	close(ends[0]);
	if (n != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return n == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
