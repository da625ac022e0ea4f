// SPDX-License-Identifier: MIT
/* /run/tapgate, where networks' dnsmasqs have their files, and who keeps a network, which the kernel tells by one. */
#include "dhcp/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
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

bool keeper_is_here(pid_t pid)
{
	char path[PROC_PATH_MAX];
	static struct stat ours; /* a process of this tool stays where it is */
	struct stat theirs;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return (ours.st_ino || stat("/proc/self/ns/net", &ours) == 0) && stat(path, &theirs) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
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
			keeper->elsewhere = keeper->pid < 0 || !keeper_is_here(keeper->pid);
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
