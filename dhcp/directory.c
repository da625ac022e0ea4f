// SPDX-License-Identifier: MIT
/*
 * /run/tapgate, where networks' dnsmasqs have their files; who keeps a network, which the kernel tells by one; and what
 * a killed keeper or a deleted file left behind.
 */
#include "dhcp/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool/tool.h"

enum {
	END_PATIENCE = 5000, /* milliseconds for a keeper, which waits for dnsmasq for 3 s */
};

int run_directory(bool make, char *why, size_t why_size)
{
	struct stat status;
	int fd;

	*why = '\0';
	if (make && mkdir(DNSMASQ_DIRECTORY, 0755) == 0)
		(void)!chmod(DNSMASQ_DIRECTORY, 0755); /* whatever the umask; only root writes to /run */
	fd = open(DNSMASQ_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == 0 && !(status.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	if (fd < 0 && errno != ENOTDIR && errno != ELOOP) {
		text_append(why, why_size, "cannot open " DNSMASQ_DIRECTORY ": %s", strerror(errno));
		return -1;
	}
	text_append(why, why_size, DNSMASQ_DIRECTORY " is %s, expected a directory that only root can write; remove it",
		fd < 0 ? "no directory" : "for others to write");
	if (fd >= 0)
		close(fd);
	errno = EPERM;
	return -1;
}

struct run_file run_file(const char *name, const char *tail)
{
	struct run_file file;

	snprintf(file.text, sizeof(file.text), "%.15s%s", name, tail);
	return file;
}

bool run_has(int directory, const char *name, const char *tail)
{
	struct stat status;

	return fstatat(directory, run_file(name, tail).text, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

size_t run_read(int directory, const char *path, char *buffer, size_t size)
{
	int fd = openat(directory, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0)
		return 0;
	for (; used < size && n > 0; used += n > 0 ? (size_t)n : 0)
		n = read(fd, buffer + used, size - used);
	close(fd);
	return used;
}

pid_t run_pid(int directory, const char *path)
{
	char text[16];
	struct word line = {text, run_read(directory, path, text, sizeof(text))};
	uint32_t pid = 0;

	if (line.size > 0 && text[line.size - 1] == '\n')
		line.size--;
	return word_number(line, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

/* --- who keeps it ------------------------------------------------------------------------------------------------- */

/* Whether a process is in this network namespace. */
static bool is_here(pid_t pid)
{
	char path[PROC_PATH_MAX];
	struct stat theirs, ours;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/net", &ours) == 0 && theirs.st_dev == ours.st_dev &&
	       theirs.st_ino == ours.st_ino;
}

/* Who has locked a file, as the kernel says (F_GETLK, fcntl(2)): 0 nobody, -1 somebody whom we cannot see. */
static pid_t holder(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : -1;
}

/* What a keeper's dnsmasq was started with: the keeper's words behind "tapgate-dhcp keep NAME"; none if not known. */
static void read_words(int fd, pid_t keeper, struct dnsmasq_words *words)
{
	char path[PROC_PATH_MAX], text[sizeof(words->text) + 64] = "";
	struct word rest = {text, 0}, skipped;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)keeper);
	rest.size = run_read(AT_FDCWD, path, text, sizeof(text));
	for (int i = 0; i < 3; i++)
		word_cut(&rest, '\0', &skipped);
	/* It still has the lock, so what was read is the keeper's. */
	words->size = rest.at && rest.size < sizeof(words->text) && holder(fd) == keeper ? rest.size : 0;
	memcpy(words->text, rest.at ? rest.at : "", words->size);
}

bool keeper_find(int directory, const char *name, struct keeper *keeper, struct dnsmasq_words *words)
{
	const struct run_file file = run_file(name, ".keeper");
	int fd = openat(directory, file.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	/* One that ends meanwhile is nowhere, not elsewhere: it has to have the lock still when that was looked at. */
	do {
		*keeper = (struct keeper){.pid = fd >= 0 ? holder(fd) : 0};
		if (keeper->pid) {
			keeper->serves = run_pid(directory, file.text);
			keeper->elsewhere = keeper->pid < 0 || !is_here(keeper->pid);
		}
	} while (keeper->elsewhere && holder(fd) != keeper->pid);
	if (words)
		words->size = 0;
	if (words && keeper->pid && !keeper->elsewhere)
		read_words(fd, keeper->pid, words);
	if (fd >= 0)
		close(fd);
	return keeper->pid != 0;
}

bool keeper_end_by(int pidfd, int number)
{
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	int64_t deadline = clock_milliseconds() + END_PATIENCE;

	if (syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) < 0)
		return errno == ESRCH;
	syscall(SYS_pidfd_send_signal, pidfd, SIGCONT, NULL, 0); /* one that is stopped ends when it goes on */
	for (int64_t left = END_PATIENCE; left > 0; left = deadline - clock_milliseconds()) {
		if (poll(&ended, 1, (int)left) > 0)
			return true;
	}
	return false;
}

/* --- strays ------------------------------------------------------------------------------------------------------- */

/* What a killed keeper or a deleted file left behind: looked for among all processes, and ended. */

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

	if (leader == *known || !can_be_ours(pid) || !is_here(pid) || !find_network(pid, behind, name))
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
		ended &= pidfd >= 0 || errno == ESRCH;
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
