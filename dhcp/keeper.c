// SPDX-License-Identifier: MIT
/*
 * tapgate-dhcp: keeps a network's dnsmasq running, and its guests' names with those who had them first (dhcp/lease.c).
 *
 *	tapgate-dhcp keep NETWORK DNSMASQ WORD...
 *
 * dnsmasq is its child, in the foreground (dnsmasq(8), --keep-in-foreground) and in a process group of its own. When it
 * ends, the keeper starts it again; when the keeper is told to end (SIGTERM), it ends dnsmasq and everything that
 * forked from it, and waits for their end: nothing listens any more once the keeper is gone.
 *
 * `tapgate` starts it (dhcp/keep.c) with
 *
 *	descriptor 2	a pipe that says how the first start went: DNSMASQ_SERVES, or a phrase for people
 *	descriptor 3	/run/tapgate/NETWORK.keeper, which this process has locked (F_SETLK): the kernel names it
 *			to whoever asks who keeps the network (F_GETLK), for as long as it lives and no longer
 *
 * The pid of the dnsmasq that serves stands in that file, which only root can write; nothing while one starts; 0 when
 * one has ended with all that it forked, so that a keeper which was killed is told from one that ended in order.
 */
#include "dhcp/dhcp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "tool/tool.h"

enum {
	FD_REPORT = 2,
	FD_LOCK = 3,
	START_PATIENCE = 10000, /* milliseconds for dnsmasq to serve */
	END_PATIENCE = 3000,	/* and to end when it is asked to */
	KILL_PATIENCE = 1000,	/* and when it is not asked: the kernel may keep one that waits for a device */
	PAUSE = 100,		/* before it is started again; twice as long each time that it ended soon */
	PAUSE_MAX = 30000,
	SOON = 60000,
	FIRST_TRIES = 3,
};

struct keeper {
	const char *network;
	char **words;
	int told;  /* a signalfd(2): readable when the keeper is to end */
	pid_t pid; /* of dnsmasq, and of its process group */
	int pidfd;
};

/* Wait for a descriptor (-1: for none). False: the keeper is to end, or the time is over. */
static bool await(const struct keeper *keeper, int fd, int milliseconds)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = keeper->told, .events = POLLIN}};

	while (poll(fds, 2, milliseconds) < 0 && errno == EINTR)
		;
	return fds[0].revents && !fds[1].revents;
}

static bool is_to_end(const struct keeper *keeper)
{
	struct pollfd told = {.fd = keeper->told, .events = POLLIN};

	return poll(&told, 1, 0) > 0;
}

static void note(pid_t pid)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d\n", (int)pid);

	(void)!(ftruncate(FD_LOCK, 0) == 0 && pwrite(FD_LOCK, text, (size_t)size, 0) == size);
}

/* --- starting ----------------------------------------------------------------------------------------------------- */

/* In the child: nothing of the keeper's goes along but the standard error that was made for it. */
static _Noreturn void execute(char **words, int error)
{
	static char language[] = "LC_ALL=C"; /* that explain knows */
	char *const environment[] = {language, NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (setpgid(0, 0) == 0 && dup2(error, 2) == 2 && syscall(SYS_close_range, 3, ~0U, 0) == 0)
		execve(words[0], words, environment);
	dprintf(2, "cannot execute %s: %s\n", words[0], strerror(errno));
	_exit(127);
}

/*
 * Read what it says until it can say no more: it lets go of the standard error that it was started with when it has its
 * sockets, and has written its pid file. What comes last stays when it does not fit. False if that takes too long.
 */
static bool read_error(const struct keeper *keeper, int fd, char *text, size_t size)
{
	int64_t deadline = clock_milliseconds() + START_PATIENCE, left;
	size_t used = 0;
	ssize_t n = 1;

	while (n > 0 && (left = deadline - clock_milliseconds()) > 0 && await(keeper, fd, (int)left)) {
		if (used == size - 1)
			used = 0;
		n = read(fd, text + used, size - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	text[used] = '\0';
	return n <= 0;
}

/* Whether its pid file is written, and by this one. */
static bool is_in_pid_file(const struct keeper *keeper)
{
	char path[64], text[16] = "", expected[16];
	int fd;

	snprintf(path, sizeof(path), DNSMASQ_DIRECTORY "/%.15s.pid", keeper->network);
	snprintf(expected, sizeof(expected), "%d\n", (int)keeper->pid);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	return strcmp(text, expected) == 0;
}

/* What helps against what dnsmasq complains of. */
static const struct {
	const char *complaint, *help;
} helps[] = {
	{"Address already in use",
		"'ss -lnptu' shows what listens there: have it listen on its own addresses only, as the system's dnsmasq does with bind-interfaces"},
	{"failed to create inotify",
		"the host's limit is fs.inotify.max_user_instances: sysctl fs.inotify.max_user_instances=1024"},
	{"Permission denied", "AppArmor or SELinux may keep dnsmasq from " DNSMASQ_DIRECTORY ": see the kernel's log"},
};

/* Why it did not start: the last line that it wrote. */
static void explain(int status, char *text, char *why, size_t why_size)
{
	static const char name[] = "dnsmasq: ";
	char *end = text + strlen(text), *line;

	while (end > text && end[-1] == '\n')
		*--end = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	line += strncmp(line, name, sizeof(name) - 1) == 0 ? sizeof(name) - 1 : 0;
	if (!*line)
		text_append(why, why_size, "it ended with status %d, and did not say why",
			WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	text_append_escaped(why, why_size, (struct word){line, strlen(line)});
	for (size_t i = 0; i < sizeof(helps) / sizeof(*helps); i++) {
		if (strstr(line, helps[i].complaint))
			text_append(why, why_size, "; %s", helps[i].help);
	}
}

/*
 * Wait for the end of it, and of all that is left of it: orphans come to this process (PR_SET_CHILD_SUBREAPER). False
 * if something does not end in time, as what left the process group, so that SIGKILL did not reach it.
 */
static bool reap(const struct keeper *keeper, int *status)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	const int64_t deadline = clock_milliseconds() + KILL_PATIENCE;
	int some;

	for (;;) {
		pid_t pid = waitpid(-1, &some, WNOHANG);

		if (pid == keeper->pid)
			*status = some;
		if (pid < 0 && errno == ECHILD)
			return true;
		if (pid == 0 && clock_milliseconds() >= deadline)
			return false;
		if (pid == 0)
			nanosleep(&pause, NULL);
	}
}

/*
 * End it, if it has not ended by now, and what it forked, which may hold its sockets. Its wait status. Where that takes
 * too long it is left for `tapgate up` or `down`, which look for strays where no 0 stands in the file.
 */
static int end(struct keeper *keeper)
{
	struct pollfd ended = {.fd = keeper->pidfd, .events = POLLIN};
	int status = 0;

	(void)!ftruncate(FD_LOCK, 0); /* first: who looks now must not take it for one that goes on serving */
	kill(-keeper->pid, SIGTERM);
	kill(-keeper->pid, SIGCONT); /* one that is stopped ends when it goes on */
	while (poll(&ended, 1, END_PATIENCE) < 0 && errno == EINTR)
		;
	kill(-keeper->pid, SIGKILL); /* not waited for yet, so the number is nobody else's */
	if (reap(keeper, &status))
		note(0);
	else
		syslog(LOG_ERR, "network '%s': a process of dnsmasq does not end", keeper->network);
	close(keeper->pidfd);
	return status;
}

/* Start it. False if it does not serve, with a phrase in `why`; nothing of it is left then. */
static bool begin(struct keeper *keeper, char *why, size_t why_size)
{
	char text[1024] = "", path[64];
	int ends[2], status;
	bool in_time;

	*why = '\0';
	snprintf(path, sizeof(path), DNSMASQ_DIRECTORY "/%.15s.pid", keeper->network);
	unlink(path);
	(void)!ftruncate(FD_LOCK, 0);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		text_append(why, why_size, "%s", strerror(errno));
		return false;
	}
	keeper->pid = fork();
	if (keeper->pid < 0) {
		text_append(why, why_size, "%s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	if (keeper->pid == 0)
		execute(keeper->words, ends[1]);
	close(ends[1]);
	setpgid(keeper->pid, keeper->pid); /* as it does itself: whoever comes first */
	keeper->pidfd = (int)syscall(SYS_pidfd_open, keeper->pid, 0);
	in_time = read_error(keeper, ends[0], text, sizeof(text));
	close(ends[0]);
	if (in_time && is_in_pid_file(keeper)) {
		note(keeper->pid);
		return true;
	}
	in_time = in_time && await(keeper, keeper->pidfd, START_PATIENCE);
	status = end(keeper);
	if (in_time)
		explain(status, text, why, why_size);
	else
		text_append(why, why_size, "it did not start within %d s", START_PATIENCE / 1000);
	return false;
}

/* --- keeping ------------------------------------------------------------------------------------------------------ */

/* Tell whoever started this how the first start went, and let go of the pipe. */
static void report(const char *text)
{
	(void)!write(FD_REPORT, text, strlen(text));
	dup2(0, FD_REPORT);
}

/* Whether the file by which the keeper is found is still there. */
static bool is_known(void)
{
	struct stat status;

	return fstat(FD_LOCK, &status) == 0 && status.st_nlink > 0;
}

/* Start it again whenever it ends. Returns when the keeper is to end. */
static void keep(struct keeper *keeper)
{
	char why[1024];
	int pause = PAUSE;
	bool serves = true;

	for (;;) {
		int64_t since = clock_milliseconds();

		if (serves) {
			if (is_known())
				await(keeper, keeper->pidfd, -1);
			end(keeper);
		}
		if (clock_milliseconds() - since >= SOON)
			pause = PAUSE;
		await(keeper, -1, pause);
		if (is_to_end(keeper) || !is_known())
			return;
		pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
		syslog(LOG_WARNING, "network '%s': dnsmasq ended, and is started again", keeper->network);
		serves = begin(keeper, why, sizeof(why));
		if (!serves)
			syslog(LOG_ERR, "network '%s': cannot start dnsmasq: %s", keeper->network, why);
	}
}

/* The first time. One that was just killed may not have closed its sockets yet. */
static bool begin_first(struct keeper *keeper, char *why, size_t why_size)
{
	for (int tries = 1; !begin(keeper, why, why_size); tries++) {
		if (tries == FIRST_TRIES || !strstr(why, strerror(EADDRINUSE)))
			return false;
		await(keeper, -1, PAUSE);
	}
	return true;
}

static int keep_network(char **argv)
{
	struct keeper keeper = {.network = argv[2], .words = argv + 3};
	char why[1024];
	sigset_t ends;

	openlog("tapgate", 0, LOG_DAEMON);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN); /* whoever waits for the report may be gone */
	keeper.told = signalfd(-1, &ends, SFD_CLOEXEC);
	fcntl(FD_LOCK, F_SETFD, FD_CLOEXEC);
	if (keeper.told < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		report(strerror(errno));
		return 1;
	}
	if (!begin_first(&keeper, why, sizeof(why))) {
		report(why);
		return 1;
	}
	report(DNSMASQ_SERVES);
	keep(&keeper);
	return 0;
}

/* dnsmasq's words for an event begin with a letter. */
static bool is_by_hand(int argc, char **argv)
{
	return argc < 2 || argv[1][0] == '-' || strcmp(argv[1], "help") == 0;
}

int main(int argc, char **argv)
{
	if (is_by_hand(argc, argv)) {
		puts("tapgate-dhcp " VERSION ", which 'tapgate up' and dnsmasq run; for people there is: tapgate help");
		return 0;
	}
	if (argc > 3 && strcmp(argv[1], "keep") == 0)
		return keep_network(argv);
	if (argc > 1 && strcmp(argv[1], "serve") == 0)
		return serve_main(argc, argv);
	return lease_main(argc, argv);
}
