// SPDX-License-Identifier: MIT
/* What a killed keeper or a deleted file left behind: looked for among all processes, and ended. */
#include "dhcp/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool/tool.h"

/* Whether a process is called so; it does not have to be what it is called. */
static bool is_called(pid_t pid, const char *name)
{
	char path[PROC_PATH_MAX], text[32];
	struct word line;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	line = (struct word){text, run_read(AT_FDCWD, path, text, sizeof(text))};
	line.size -= line.size > 0;
	return word_is(line, name);
}

/*
 * The network that a process is of, by a file in /run/tapgate that it has open from its start to its end: a dnsmasq,
 * and what it forked for a connection, the network's leases; a keeper what it has locked.
 */
static bool find_network(pid_t pid, const char *behind, char name[static NAME_MAX_BYTES + 1])
{
	static const char before[] = DNSMASQ_DIRECTORY "/";
	char path[PROC_PATH_MAX], file[128], *end;
	struct word word;

	for (int fd = FILES_FIRST; fd <= FILES_LAST; fd++) {
		ssize_t size;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		size = readlink(path, file, sizeof(file) - 1);
		file[size > 0 ? size : 0] = '\0'; /* one that was removed is "(deleted)" (proc(5)) */
		if (strncmp(file, before, sizeof(before) - 1) != 0 || !(end = strstr(file, behind)))
			continue;
		word = (struct word){file + sizeof(before) - 1, (size_t)(end - file) - sizeof(before) + 1};
		if (word_name_problem(word))
			continue;
		memcpy(name, word.at, word.size);
		name[word.size] = '\0';
		return true;
	}
	return false;
}

/*
 * Whether a process can be of ours: it is root's, or of dnsmasq's own account. By its real id, which nobody else can
 * take on; the owner of /proc/PID is root for whatever is not dumpable (proc(5)). Anybody can have a process of any
 * name that has the same files open, and to end each of them takes time.
 */
static bool can_be_ours(pid_t pid)
{
	static const char field[] = "\nUid:\t"; /* a newline in the name, which stands before it, is escaped */
	struct dnsmasq_account account;
	char path[PROC_PATH_MAX], text[1024];
	const char *at;
	unsigned long uid;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	text[run_read(AT_FDCWD, path, text, sizeof(text) - 1)] = '\0';
	at = strstr(text, field);
	uid = at ? strtoul(at + sizeof(field) - 1, NULL, 10) : ULONG_MAX;
	return uid == 0 || (dnsmasq_find_account(&account) && uid == account.uid);
}

/*
 * Whether a process is a network's, and not of the session of the keeper that the network has. `known`: the keeper that
 * was found last, whose dnsmasq is seen next, and is no stray of another network; where there are hundreds it takes
 * long to look at all that they have open.
 */
static bool is_stray(int directory, pid_t pid, char name[static NAME_MAX_BYTES + 1], pid_t *known)
{
	const char *behind = is_called(pid, "dnsmasq") ? ".leases" : ".keeper";
	const pid_t leader = getsid(pid);
	struct keeper keeper;

	if (leader == *known || !can_be_ours(pid) || !keeper_is_here(pid) || !find_network(pid, behind, name))
		return false;
	if (directory < 0 || !keeper_find(directory, name, &keeper, NULL) || keeper.pid != leader)
		return true;
	*known = leader;
	return false;
}

/* Its keeper, if it lives, ends it, and all else that is its own. */
static bool end_stray(int pidfd, pid_t pid)
{
	pid_t leader = getsid(pid);
	int keeper = leader > 0 && can_be_ours(leader) && is_called(leader, DNSMASQ_KEEPER)
			     ? (int)syscall(SYS_pidfd_open, leader, 0)
			     : -1;
	bool ended = keeper >= 0 && is_called(leader, DNSMASQ_KEEPER) && keeper_end_by(keeper, SIGTERM);

	if (keeper >= 0)
		close(keeper);
	return keeper_end_by(pidfd, SIGKILL) || ended;
}

bool dnsmasq_end_strays(const char *only)
{
	char why[256], name[NAME_MAX_BYTES + 1];
	int directory = run_directory(false, why, sizeof(why));
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool ended = true;
	pid_t known = 0;
	uint32_t pid;

	while (proc && (entry = readdir(proc))) {
		struct word word = {entry->d_name, strlen(entry->d_name)};
		int pidfd = -1;

		if (!word_number(word, INT32_MAX, &pid) ||
			(!is_called((pid_t)pid, "dnsmasq") && !is_called((pid_t)pid, DNSMASQ_KEEPER)))
			continue;
		pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
		if (pidfd >= 0 && is_stray(directory, (pid_t)pid, name, &known) && (!only || strcmp(only, name) == 0))
			ended &= end_stray(pidfd, (pid_t)pid);
		if (pidfd >= 0)
			close(pidfd);
	}
	if (proc)
		closedir(proc);
	if (directory >= 0)
		close(directory);
	return ended;
}
