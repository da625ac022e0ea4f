// SPDX-License-Identifier: MIT
/* Other programs: where the installed helper is and who may run it, and programs of the host, run for what they say. */
#include "tool/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- helper ------------------------------------------------------------------------------------------------------- */

#define HELPER "tapgate-helper"
/* The directory that it is in: of its own name, or one beside that which this program is in, wherever that is. */
#ifndef HELPER_PLACE
#define HELPER_PLACE "libexec"
#endif

/*
 * Where the helper is. TAPGATE_HELPER counts: whoever sets it could run that program directly, and this process has no
 * rights but its user's.
 */
bool helper_find(char *path)
{
	const char *said = secure_getenv("TAPGATE_HELPER");
	size_t used;
	ssize_t size;

	if (said && *said)
		return snprintf(path, PATH_MAX, "%s", said) < PATH_MAX ||
		       say_error("TAPGATE_HELPER: %s", strerror(ENAMETOOLONG));
#ifdef HELPER_WRAPPER
	return snprintf(path, PATH_MAX, "%s", HELPER_WRAPPER) > 0;
#endif
	if (HELPER_PLACE[0] == '/')
		return snprintf(path, PATH_MAX, "%s", HELPER_PLACE "/" HELPER) > 0;
	size = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (size < 0)
		return say_error("cannot find out where " HELPER " is (/proc/self/exe: %s); say it in TAPGATE_HELPER",
			strerror(errno));
	path[size] = '\0';
	for (int i = 0; i < 2; i++) { /* the program's own name, and the directory's */
		char *slash = strrchr(path, '/');

		*(slash ? slash : path) = '\0';
	}
	used = strlen(path);
	return (size_t)snprintf(path + used, PATH_MAX - used, "/%s/" HELPER, HELPER_PLACE) < PATH_MAX - used ||
	       say_error("cannot find out where " HELPER " is: %s", strerror(ENAMETOOLONG));
}

/* An access control list shows in the group's bits (acl(5)). */
bool helper_say_who(const char *path, char *who, size_t size)
{
	struct stat status;
	const struct group *group;

	who[0] = '\0';
	if (stat(path, &status) < 0 || (status.st_mode & 0001))
		return false;
	group = getgrgid(status.st_gid);
	text_append(who, size, "only root");
	if ((status.st_mode & 0010) && group)
		text_append(who, size, " and members of %s",
			QUOTED(((struct word){group->gr_name, strlen(group->gr_name)})));
	else if (status.st_mode & 0010)
		text_append(who, size, " and members of group %u", status.st_gid);
	text_append(who, size, " may run ");
	text_append_escaped(who, size, (struct word){path, strlen(path)});
	return true;
}

/* --- programs of the host ----------------------------------------------------------------------------------------- */

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
