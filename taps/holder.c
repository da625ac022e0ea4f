// SPDX-License-Identifier: MIT
/*
 * The process behind a tap. The tap's alias has the number of the one that asked for it, but numbers are used again,
 * and descriptors are passed on: so a process is believed to be it only if it has a descriptor of the tap, or is
 * older than the tap. Looking into another user's processes takes root (PTRACE_MODE_READ, ptrace(2)); when they began
 * does not.
 */
#include <net/if.h> /* before the kernel's, which give way to it (linux/libc-compat.h) */

#include "taps/taps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/text.h"
#include "tool/tool.h"

/* Whose descriptor it is, if it is a tap's: "iff:" and its name (tun_chr_show_fdinfo, drivers/net/tun.c). */
static bool read_tap(int fdinfo, const char *number, char tap[static IFNAMSIZ])
{
	static const char label[] = "\niff:\t";
	char text[1024], *at;
	size_t size;

	if (file_read(fdinfo, number, text, sizeof(text)) <= 0 || !(at = strstr(text, label)))
		return false;
	at += strlen(label);
	size = strcspn(at, "\n");
	if (size == 0 || size >= IFNAMSIZ)
		return false;
	memcpy(tap, at, size);
	tap[size] = '\0';
	return true;
}

/* Call `each` for the taps that a process has descriptors of, until it returns false. False: cannot be looked into. */
static bool each_tap(int process, bool (*each)(void *context, const char *tap), void *context)
{
	int fd = openat(process, "fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char tap[IFNAMSIZ];
	bool more = true;

	if (!list) {
		error = errno;
		if (fd >= 0)
			close(fd);
		return error == ENOENT || error == ESRCH; /* it has ended */
	}
	do {
		errno = 0;
		entry = readdir(list);
		error = errno; /* old kernels let the directory be opened, and not read */
		if (entry && read_tap(fd, entry->d_name, tap))
			more = each(context, tap);
	} while (entry && more);
	closedir(list);
	return error == 0 || error == ENOENT || error == ESRCH;
}

/* A tap that is looked for. */
struct wanted {
	const char *name;
	bool found;
};

static bool compare_tap(void *context, const char *tap)
{
	struct wanted *wanted = context;

	wanted->found = strcmp(tap, wanted->name) == 0;
	return !wanted->found;
}

static enum holding has_descriptor(int process, const char *tap)
{
	struct wanted wanted = {tap, false};
	bool seen = each_tap(process, compare_tap, &wanted);

	return wanted.found ? HOLDING_YES : seen ? HOLDING_NO : HOLDING_UNKNOWN;
}

/* How long a process has been there, in 1/100 s; negative: not known. */
static int64_t age_of(int process)
{
	enum { FIELDS_BETWEEN = 20 }; /* the state, and all up to starttime, which is the 22nd (proc(5)) */
	char text[1024], *at;
	struct timespec now;
	long ticks = sysconf(_SC_CLK_TCK);

	if (ticks <= 0 || file_read(process, "stat", text, sizeof(text)) <= 0 || !(at = strrchr(text, ')')))
		return -1;
	for (int i = 0; i < FIELDS_BETWEEN; i++) {
		at = strchr(at + 1, ' ');
		if (!at)
			return -1;
	}
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 100 + now.tv_nsec / 10000000 - strtoll(at + 1, NULL, 10) * 100 / ticks;
}

static int open_process(const char *number)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%.15s", number);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static struct holder describe(int process, int pid, enum holding holding)
{
	struct holder holder = {.pid = pid, .holding = holding};
	size_t size;

	if (file_read(process, "comm", holder.name, sizeof(holder.name)) <= 0)
		return (struct holder){.pid = 0};
	size = strlen(holder.name);
	if (size > 0 && holder.name[size - 1] == '\n')
		holder.name[size - 1] = '\0';
	return holder;
}

struct holder holder_check(const char *tap, int vmm, int64_t age, int64_t slack)
{
	struct holder holder = {.holding = HOLDING_NO};
	char number[16];
	int64_t began;
	int process;

	snprintf(number, sizeof(number), "%d", vmm);
	process = vmm > 0 ? open_process(number) : -1;
	if (process < 0)
		return holder;
	holder.holding = has_descriptor(process, tap);
	began = age_of(process);
	if (holder.holding == HOLDING_YES || (age >= 0 && began >= 0 && began + slack >= age))
		holder = describe(process, vmm, holder.holding);
	close(process);
	return holder;
}

/* Whether a process is in the network namespace that this one is in. */
static bool is_here(int process)
{
	struct stat own, other;

	return stat("/proc/self/ns/net", &own) == 0 && fstatat(process, "ns/net", &other, 0) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

/* A walk through all processes. */
struct walk {
	void (*each)(void *context, const char *tap, const struct holder *);
	void *context;
	int process;
	pid_t pid;
};

static bool tell(void *context, const char *tap)
{
	const struct walk *walk = context;
	struct holder holder = {.holding = HOLDING_UNKNOWN};

	if (is_here(walk->process))
		holder = describe(walk->process, walk->pid, HOLDING_YES);
	walk->each(walk->context, tap, &holder);
	return true;
}

bool holder_each(void (*each)(void *context, const char *tap, const struct holder *), void *context)
{
	struct walk walk = {.each = each, .context = context};
	struct dirent *entry;
	DIR *processes = opendir("/proc");
	bool all = processes;

	while (processes && (entry = readdir(processes))) {
		uint32_t pid;

		if (!word_number((struct word){entry->d_name, strlen(entry->d_name)}, INT32_MAX, &pid))
			continue;
		walk.pid = (pid_t)pid;
		walk.process = open_process(entry->d_name);
		if (walk.process < 0)
			continue;
		all &= each_tap(walk.process, tell, &walk);
		close(walk.process);
	}
	if (processes)
		closedir(processes);
	return all;
}
