#include "cli/networks/dnsmasq_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/networks/dnsmasq.h"
#include "cli/networks/dnsmasq_files.h"

enum {
	END_PATIENCE = 5000,  /* milliseconds */
	WORDS_PATIENCE = 500, /* for a process's words; it takes microseconds */
	PROC_PATH_MAX = 32,
};

const char *const dnsmasq_users[DNSMASQ_USERS] = {"dnsmasq", "nobody"};

/* What is in a file, cut if it is longer; 0 bytes if it cannot be read. */
static size_t read_file(int directory, const char *path, char *buffer, size_t size)
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

static pid_t read_pid(int directory, const char *name)
{
	char file[NAME_MAX_BYTES + sizeof(".pid")], text[16];
	struct word line;
	uint32_t pid = 0;

	snprintf(file, sizeof(file), "%s.pid", name);
	line = (struct word){text, read_file(directory, file, text, sizeof(text))};
	if (line.size > 0 && text[line.size - 1] == '\n')
		line.size--;
	return word_number(line, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

/* --- is it the one? ---------------------------------------------------------------------------------------------- */

/* Whether a process executes a file that is called dnsmasq; one that was replaced since is "(deleted)" (proc(5)). */
static bool executes_dnsmasq(pid_t pid)
{
	static const char deleted[] = " (deleted)";
	const size_t tail = sizeof(deleted) - 1;
	char path[PROC_PATH_MAX], file[256];
	const char *base;
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	size = readlink(path, file, sizeof(file) - 1);
	if (size < 0)
		return false;
	file[size] = '\0';
	if ((size_t)size > tail && strcmp(file + size - tail, deleted) == 0)
		file[(size_t)size - tail] = '\0';
	base = strrchr(file, '/');
	return base && strcmp(base + 1, "dnsmasq") == 0;
}

/* Root, as which it starts; whom it would run as now; and whom it gave its pid file to, lest that has changed since. */
static bool may_be_dnsmasqs(const char *name, unsigned int uid)
{
	char path[64];
	struct stat status;
	bool found;

	snprintf(path, sizeof(path), DNSMASQ_DIRECTORY "/%.15s.pid", name);
	found = uid == 0 || (lstat(path, &status) == 0 && status.st_uid == uid);
	for (size_t i = 0; i < DNSMASQ_USERS && !found; i++) {
		const struct passwd *user = getpwnam(dnsmasq_users[i]);

		found = user && user->pw_uid == uid;
	}
	return found;
}

/* Whether all of a process's user IDs are such as the network's dnsmasq may have. */
static bool has_right_user(pid_t pid, const char *name)
{
	static const char label[] = "\nUid:\t";
	enum { IDS = 4 }; /* real, effective, saved, that of the file system */
	char path[PROC_PATH_MAX], text[1024], *at, *end;
	bool right = true;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	text[read_file(AT_FDCWD, path, text, sizeof(text) - 1)] = '\0';
	at = strstr(text, label); /* the name before it has its newlines escaped (proc(5)) */
	if (!at)
		return false;
	at += sizeof(label) - 1;
	for (size_t i = 0; i < IDS && right; i++) {
		unsigned long uid = strtoul(at, &end, 10);

		right = end > at && may_be_dnsmasqs(name, (unsigned int)uid);
		at = end;
	}
	return right;
}

/* In a child, which can be killed while it waits for that process's memory, and holds nothing of ours. */
static _Noreturn void tell_words(pid_t pid, int output)
{
	char path[PROC_PATH_MAX], words[sizeof(((struct dnsmasq_process *)NULL)->words)];
	size_t size;

	if (dup2(output, STDOUT_FILENO) < 0 || syscall(SYS_close_range, STDERR_FILENO, ~0U, 0) < 0)
		_exit(1);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	size = read_file(AT_FDCWD, path, words, sizeof(words));
	_exit(write(STDOUT_FILENO, words, size) != (ssize_t)size); /* a pipe takes so much at once */
}

/* The words of a process; none if it does not let go of them in time. */
static size_t read_words(pid_t pid, char *words, size_t size)
{
	struct pollfd ready = {.events = POLLIN};
	int ends[2];
	ssize_t used = 0;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return 0;
	child = fork();
	if (child == 0)
		tell_words(pid, ends[1]);
	close(ends[1]);
	ready.fd = ends[0];
	if (child > 0 && poll(&ready, 1, WORDS_PATIENCE) > 0)
		used = read(ends[0], words, size);
	close(ends[0]);
	if (child > 0)
		kill(child, SIGKILL);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return used > 0 ? (size_t)used : 0;
}

static bool is_in_our_namespace(pid_t pid)
{
	char path[PROC_PATH_MAX];
	struct stat theirs, ours;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/net", &ours) == 0 && theirs.st_dev == ours.st_dev &&
	       theirs.st_ino == ours.st_ino;
}

/* Whether one of a process's words is the one with the network's pid file. */
static bool has_pid_word(const struct dnsmasq_process *process, const char *name)
{
	char expected[64];
	struct word rest = {process->words, process->words_size}, word;

	dnsmasq_pid_word(name, expected, sizeof(expected));
	while (word_cut(&rest, '\0', &word)) {
		if (word_is(word, expected))
			return true;
	}
	return false;
}

/* Look at a process. The pidfd holds on to the very one that was looked at, since that was still there afterwards. */
static bool look(pid_t pid, const char *name, struct dnsmasq_process *process)
{
	process->pid = pid;
	process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process->pidfd < 0)
		return false;
	process->words_size = 0;
	if (executes_dnsmasq(pid) && has_right_user(pid, name))
		process->words_size = read_words(pid, process->words, sizeof(process->words));
	if (has_pid_word(process, name)) {
		process->elsewhere = !is_in_our_namespace(pid);
		if (syscall(SYS_pidfd_send_signal, process->pidfd, 0, NULL, 0) == 0)
			return true;
	}
	close(process->pidfd);
	return false;
}

bool dnsmasq_find(int directory, const char *name, struct dnsmasq_process *process)
{
	pid_t pid = read_pid(directory, name);

	return pid > 0 && look(pid, name, process);
}

bool dnsmasq_lives(const char *name, struct dnsmasq_process *process)
{
	char why[256];
	int directory = dnsmasq_directory(false, why, sizeof(why));
	bool found = directory >= 0 && dnsmasq_find(directory, name, process);

	if (found)
		close(process->pidfd);
	if (directory >= 0)
		close(directory);
	return found;
}

bool dnsmasq_has_words(const struct dnsmasq_process *process, const struct dnsmasq_words *words)
{
	return process->words_size == words->size && memcmp(process->words, words->text, words->size) == 0;
}

/* --- ending it --------------------------------------------------------------------------------------------------- */

/* Signal it, and wait for its end. */
static bool end_by(const struct dnsmasq_process *process, int number)
{
	struct pollfd ended = {.fd = process->pidfd, .events = POLLIN};
	int64_t deadline = clock_milliseconds() + END_PATIENCE;

	if (syscall(SYS_pidfd_send_signal, process->pidfd, number, NULL, 0) < 0)
		return errno == ESRCH;
	syscall(SYS_pidfd_send_signal, process->pidfd, SIGCONT, NULL, 0); /* one that is stopped ends when it goes on */
	for (int64_t left = END_PATIENCE; left > 0; left = deadline - clock_milliseconds()) {
		if (poll(&ended, 1, (int)left) > 0)
			return true;
	}
	return false;
}

bool dnsmasq_end(const struct dnsmasq_process *process)
{
	return end_by(process, SIGTERM) || end_by(process, SIGKILL);
}

/* Whether a process is the child of a dnsmasq that lives, and so its business (PPid: in proc(5)). */
static bool is_child(pid_t pid)
{
	static const char label[] = "\nPPid:\t";
	char path[PROC_PATH_MAX], text[512], *at;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	text[read_file(AT_FDCWD, path, text, sizeof(text) - 1)] = '\0';
	at = strstr(text, label);
	return at && executes_dnsmasq((pid_t)strtol(at + sizeof(label) - 1, NULL, 10));
}

bool dnsmasq_end_others(const char *name)
{
	DIR *proc = opendir("/proc");
	struct dnsmasq_process process;
	struct dirent *entry;
	bool ended = true;
	uint32_t pid;

	while (proc && (entry = readdir(proc))) {
		struct word word = {entry->d_name, strlen(entry->d_name)};

		if (!word_number(word, INT32_MAX, &pid) || is_child((pid_t)pid) || !look((pid_t)pid, name, &process))
			continue;
		if (!process.elsewhere && !end_by(&process, SIGKILL))
			ended = false;
		close(process.pidfd);
	}
	if (proc)
		closedir(proc);
	return ended;
}

/* --- for the commands -------------------------------------------------------------------------------------------- */

pid_t dnsmasq_pid(const char *name)
{
	struct dnsmasq_process process;

	return dnsmasq_lives(name, &process) && !process.elsewhere ? process.pid : 0;
}

void dnsmasq_each(void (*each)(void *context, const char *name), void *context)
{
	static const char tail[] = ".pid";
	DIR *directory = opendir(DNSMASQ_DIRECTORY);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		struct word file = {entry->d_name, strlen(entry->d_name)};
		char name[NAME_MAX_BYTES + 1] = "";

		if (file.size < sizeof(tail) || strcmp(file.at + file.size - (sizeof(tail) - 1), tail) != 0)
			continue;
		file.size -= sizeof(tail) - 1;
		if (word_name_problem(file))
			continue;
		memcpy(name, file.at, file.size);
		if (dnsmasq_pid(name))
			each(context, name);
	}
	if (directory)
		closedir(directory);
}
