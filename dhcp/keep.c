// SPDX-License-Identifier: MIT
/*
 * One dnsmasq for each network with dhcp=: addresses, router advertisements and names for its guests.
 *
 * It runs as a user of its own, listens on the network's bridge alone, and has its files in /run/tapgate, a directory
 * that only root can write. What it is told is in dhcp/words.c; nothing is read from /etc/dnsmasq.conf. Each has a
 * keeper (dhcp/keeper.c), a process of root's, whose child it is.
 *
 * Whether one runs is asked of the kernel: the keeper holds a lock on a file that only root can open, and the kernel
 * names the holder. What dnsmasq was started with are the keeper's own words. So no memory of a process is read that is
 * not root's, and no other process is looked at. Only what a killed keeper or a deleted file left behind is looked for
 * among all processes (dnsmasq_end_strays), once a command.
 *
 * A dnsmasq of another network namespace does not count. Looking into other processes takes CAP_SYS_PTRACE.
 */
#include <net/if.h> /* before the kernel's, which give way to it (linux/libc-compat.h) */

#include "dhcp/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_addr.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tool/tool.h"

enum {
	ADDRESS_PATIENCE = 2500, /* milliseconds; duplicate address detection takes up to 2 s (RFC 4862) */
	START_PATIENCE = 15000,	 /* for a keeper's report, which waits for dnsmasq for 10 s */
	BIRTH_STACK = 65536,	 /* bytes */
	LEASES_BYTES = 8 << 20,	 /* of the file, at most (dhcp/leases.c) */
};

/* --- files -------------------------------------------------------------------------------------------------------- */

/*
 * What dnsmasq needs: the link by which it calls tapgate-dhcp, whose name says for which network; and a directory of
 * its user's for the names of guests. False with a phrase in `why`.
 */
static bool prepare(int directory, const char *name, const char *program, char *why, size_t why_size)
{
	const struct run_file link = run_file(name, ".lease"), names = run_file(name, ".names");
	struct dnsmasq_account account;

	if (dnsmasq_find_account(&account) && (unlinkat(directory, link.text, 0) == 0 || errno == ENOENT) &&
		symlinkat(program, directory, link.text) == 0 &&
		(mkdirat(directory, names.text, 0755) == 0 || errno == EEXIST) &&
		fchownat(directory, names.text, account.uid, account.gid, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	text_append(why, why_size, "cannot prepare " DNSMASQ_DIRECTORY "/%s and /%s: %s", link.text, names.text,
		strerror(errno));
	return false;
}

/* Leases and names stay, so that guests keep their addresses when it is started again. */
static void forget(int directory, const char *name)
{
	static const char *const tails[] = {".pid", ".lease", ".keeper"};

	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		unlinkat(directory, run_file(name, tails[i]).text, 0);
}

/* --- starting ----------------------------------------------------------------------------------------------------- */

/* Whether one of an interface's IPv6 addresses is not yet its own: duplicate address detection goes on (RFC 4862). */
static bool has_tentative_address(unsigned int interface)
{
	enum { ADDRESS_DIGITS = 32, FIELDS = 4 }; /* index, prefix, scope, flags: if6_seq_show, net/ipv6/addrconf.c */
	FILE *file = fopen("/proc/self/net/if_inet6", "re");
	bool tentative = false;
	char line[128];

	while (file && fgets(line, sizeof(line), file) && strlen(line) > ADDRESS_DIGITS) {
		unsigned long fields[FIELDS];
		char *at = line + ADDRESS_DIGITS;

		for (size_t i = 0; i < FIELDS; i++)
			fields[i] = strtoul(at, &at, 16);
		tentative |= fields[0] == interface && fields[3] & IFA_F_TENTATIVE;
	}
	if (file)
		fclose(file);
	return tentative;
}

/*
 * Wait for the bridge's addresses, as dnsmasq misses one that becomes usable while it starts, and would not listen on
 * it. Not for long: without a carrier an address stays tentative, and dnsmasq hears of it when that comes.
 */
static void wait_for_addresses(unsigned int interface)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	int64_t deadline = clock_milliseconds() + ADDRESS_PATIENCE;

	while (has_tentative_address(interface) && clock_milliseconds() < deadline)
		nanosleep(&pause, NULL);
}

/* How a keeper begins. */
struct birth {
	int directory, report;
	const char *name;
	char *const *argv;
};

/*
 * In the child that becomes the keeper, in its parents' memory, which wait for it meanwhile (CLONE_VFORK, clone(2)): to
 * copy all that libnftables has there takes longer than dnsmasq takes to start. The lock is taken here, while this
 * process still holds the caller's own lock on all of tapgate, too, and stays when the program is executed: at no
 * moment could another `tapgate up` find nobody and start a second one. From then on no descriptor of the file may be
 * closed before the program ends: that would unlock it (fcntl(2)). What goes along is said in dhcp/keeper.c.
 */
static int become_keeper(void *context)
{
	const struct birth *birth = context;
	const char *name = birth->name;
	static char language[] = "LC_ALL=C";
	char *const environment[] = {language, NULL};
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC), own = 3,
		  file = openat(birth->directory, run_file(name, ".keeper").text,
			  O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	const int failed = errno;
	sigset_t none;

	setsid(); /* by which all that comes of it is known: is_stray */
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &standard, NULL); /* fails for those that cannot be changed */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(birth->report, 2) == 2 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && file >= 0 &&
		(file == own ? fcntl(own, F_SETFD, 0) == 0 : dup2(file, own) == own && close(file) == 0) &&
		fcntl(own, F_SETLK, &lock) == 0 && syscall(SYS_close_range, own + 1, ~0U, 0) == 0 && chdir("/") == 0)
		execve(birth->argv[0], birth->argv, environment);
	if (file < 0)
		dprintf(2, "cannot make " DNSMASQ_DIRECTORY "/%s.keeper: %s", name, strerror(failed));
	else
		dprintf(2, "cannot execute %s for " DNSMASQ_DIRECTORY "/%s.keeper: %s", birth->argv[0], name,
			strerror(errno));
	_exit(127);
}

/* In a child whose parent waits until the keeper executes its program: so nobody but init is to wait for that one. */
static int bear_keeper(void *context)
{
	static char stack[BIRTH_STACK] __attribute__((aligned(16)));

	_exit(clone(become_keeper, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, context) < 0);
}

/* What a keeper says of its dnsmasq: false if it does not serve, with the phrase. */
static bool read_report(int fd, char *why, size_t why_size)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int64_t deadline = clock_milliseconds() + START_PATIENCE, left;
	char text[1024];
	size_t used = 0;
	ssize_t n = 1;

	while (n > 0 && (left = deadline - clock_milliseconds()) > 0) {
		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		n = read(fd, text + used, sizeof(text) - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	text[used] = '\0';
	if (n <= 0 && strcmp(text, DNSMASQ_SERVES) == 0)
		return true;
	text_append(why, why_size, "%s", used ? text : "its keeper, " DNSMASQ_KEEPER ", ended without a word");
	return false;
}

/* Start a keeper, no child of this process, and wait until its dnsmasq serves. */
static bool run_keeper(int directory, const char *name, char *const *argv, char *why, size_t why_size)
{
	static char stack[BIRTH_STACK] __attribute__((aligned(16)));
	struct birth birth = {.directory = directory, .name = name, .argv = argv};
	int ends[2];
	bool serves;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		text_append(why, why_size, "%s", strerror(errno));
		return false;
	}
	birth.report = ends[1];
	child = clone(bear_keeper, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &birth);
	if (child < 0)
		text_append(why, why_size, "%s", strerror(errno));
	close(ends[1]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	serves = child > 0 && read_report(ends[0], why, why_size);
	close(ends[0]);
	return serves;
}

/* Start one with words that are settled; none must run by now. */
static bool start(
	int directory, const struct policy_network *network, struct dnsmasq_words *words, char *why, size_t why_size)
{
	static char keep[] = "keep";
	const bool alone = network->mode == MODE_STANDALONE;
	char program[PATH_MAX], name[NAME_MAX_BYTES + 1], *argv[3 + DNSMASQ_WORDS_MAX + 1] = {program, keep, name};

	memcpy(name, network->name, sizeof(name));
	memcpy(argv + 3, words->argv, sizeof(words->argv));
	*why = '\0';
	if (!dnsmasq_find_keeper(program)) {
		text_append(why, why_size, DNSMASQ_NO_KEEPER);
		return false;
	}
	if (!alone && !prepare(directory, name, program, why, why_size))
		return false;
	if (!alone)
		wait_for_addresses(if_nametoindex(name));
	return run_keeper(directory, name, argv, why, why_size);
}

static void copy(int from, int directory, const char *to_name)
{
	char bytes[4096];
	int to = openat(directory, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	off_t at = 0;
	ssize_t n = 1;

	while (to >= 0 && n > 0 && at < LEASES_BYTES) {
		n = pread(from, bytes, sizeof(bytes), at);
		if (n > 0 && write(to, bytes, (size_t)n) != n)
			break;
		at += n > 0 ? n : 0;
	}
	if (to >= 0)
		close(to);
}

/* Whether a descriptor of a process, or of ours (pid 0), is of that path. */
static bool is_of_path(pid_t pid, int fd, const char *expected)
{
	char path[PROC_PATH_MAX], link[96];
	ssize_t size;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	else
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	size = readlink(path, link, sizeof(link));
	return size > 0 && (size_t)size == strlen(expected) && memcmp(link, expected, (size_t)size) == 0;
}

/*
 * Open the file behind a process's descriptor to read it, if it is what that path led to; else -1. What a process has
 * open is its own to choose: nothing but a regular file is opened, and none that took its place meanwhile.
 */
static int open_removed(pid_t pid, int fd, const char *expected)
{
	char path[PROC_PATH_MAX];
	struct stat status;
	int found, file = -1;

	if (!is_of_path(pid, fd, expected))
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	found = open(path, O_PATH | O_CLOEXEC);
	if (found < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
	if (fstat(found, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 0 &&
		is_of_path(0, found, expected))
		file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	close(found);
	return file;
}

/*
 * Write a network's leases anew where somebody removed the file: dnsmasq still has it open, and to start another one
 * without it would be to give guests' addresses to others.
 */
static void save_leases(int directory, const char *name, pid_t pid)
{
	const struct run_file leases = run_file(name, ".leases");
	char removed[96];

	if (!pid || run_has(directory, name, ".leases"))
		return;
	snprintf(removed, sizeof(removed), DNSMASQ_DIRECTORY "/%s (deleted)", leases.text);
	for (int fd = FILES_FIRST; fd <= FILES_LAST; fd++) {
		int file = open_removed(pid, fd, removed);

		if (file >= 0) {
			copy(file, directory, leases.text);
			close(file);
			return;
		}
	}
}

/* Whether the network's files are in use by a keeper of another network namespace, which must have them alone. */
static bool is_taken(int directory, const char *name, char *why, size_t why_size)
{
	struct keeper keeper;

	if (!keeper_find(directory, name, &keeper, NULL) || !keeper.elsewhere)
		return false;
	text_append(why, why_size,
		"a dnsmasq of another network namespace uses " DNSMASQ_DIRECTORY
		"/%s.keeper; give each namespace a /run of its own",
		name);
	return true;
}

#define NO_END "it does not end, not even by SIGKILL"

/*
 * Open a network's keeper (pidfd_open(2)), which still has the lock after that, so it is the one; -1: errno says why,
 * ESRCH that there is none.
 */
static int open_keeper(int directory, const char *name, const struct keeper *keeper)
{
	int pidfd = (int)syscall(SYS_pidfd_open, keeper->pid, 0);
	struct keeper again;

	if (pidfd >= 0 && keeper_find(directory, name, &again, NULL) && again.pid == keeper->pid)
		return pidfd;
	if (pidfd >= 0) {
		close(pidfd);
		errno = ESRCH;
	}
	return -1;
}

/* End a keeper, which ends dnsmasq. False: why is said. */
static bool end_keeper(int directory, const char *name, const struct keeper *keeper, char *why, size_t why_size)
{
	int pidfd = open_keeper(directory, name, keeper);
	bool ended;

	if (pidfd < 0) {
		if (errno != ESRCH)
			text_append(why, why_size, "%s", strerror(errno));
		return errno == ESRCH;
	}
	ended = keeper_end_by(pidfd, SIGTERM) || keeper_end_by(pidfd, SIGKILL);
	if (!ended)
		text_append(why, why_size, NO_END);
	close(pidfd);
	return ended;
}

/* End a network's keeper and dnsmasq; of a keeper that was killed, what it left. False if it does not end. */
static bool stop(int directory, const char *name, char *why, size_t why_size)
{
	const struct run_file file = run_file(name, ".keeper");
	struct keeper keeper;
	char text[8] = "";
	bool ended = true;

	if (keeper_find(directory, name, &keeper, NULL) && keeper.elsewhere)
		return true;
	if (keeper.pid && !end_keeper(directory, name, &keeper, why, why_size))
		return false;
	if (run_has(directory, name, ".keeper") &&
		!word_is((struct word){text, run_read(directory, file.text, text, sizeof(text))}, "0\n"))
		ended = dnsmasq_end_strays(name);
	if (ended)
		forget(directory, name);
	else
		text_append(why, why_size, NO_END);
	return ended;
}

/*
 * Whether it would end at once, as /etc/resolv.conf, which it reads, is a link into a directory that is not there. From
 * 2.93 on it finds that when it has let go of its standard error, and tells the log alone.
 */
static bool resolver_is_nowhere(const struct dnsmasq_words *words)
{
	char target[PATH_MAX] = "/etc/", *name;
	ssize_t size;

	for (size_t i = 0; words->argv[i]; i++) {
		if (strcmp(words->argv[i], "--no-resolv") == 0)
			return false;
	}
	size = readlink("/etc/resolv.conf", target + 5, sizeof(target) - 6);
	if (size <= 0)
		return false;
	name = target[5] == '/' ? target + 5 : target;
	*strrchr(name, '/') = '\0';
	return *name && access(name, F_OK) < 0 && errno == ENOENT;
}

bool dnsmasq_start(const struct policy_network *network, char *why, size_t why_size)
{
	struct dnsmasq_words words;
	int directory;
	bool started;

	if (!dnsmasq_plan(network, &words, why, why_size))
		return false;
	directory = run_directory(true, why, why_size);
	if (directory < 0)
		return false;
	save_leases(directory, network->name, dnsmasq_pid(network->name));
	started = !is_taken(directory, network->name, why, why_size) && stop(directory, network->name, why, why_size);
	if (started && network->mode != MODE_STANDALONE && resolver_is_nowhere(&words)) {
		started = false;
		text_append(why, why_size, "%s",
			"/etc/resolv.conf leads to where nothing is: first start what makes it, as systemd-resolved or NetworkManager");
	}
	started = started && start(directory, network, &words, why, why_size);
	if (started && dnsmasq_state(network) != DNSMASQ_RUNNING) {
		started = false;
		if (stop(directory, network->name, why, why_size))
			text_append(why, why_size, "it started, and ended at once; the system's log has its messages");
	}
	close(directory);
	return started;
}

bool dnsmasq_keep(const struct policy_network *network, char *why, size_t why_size)
{
	*why = '\0';
	return dnsmasq_state(network) == DNSMASQ_RUNNING ||
	       (dnsmasq_end_strays(network->name) && dnsmasq_start(network, why, why_size));
}

void dnsmasq_tell(const char *name)
{
	char why[256];
	struct keeper keeper;
	int directory = run_directory(false, why, sizeof(why));
	bool kept = directory >= 0 && keeper_find(directory, name, &keeper, NULL) && !keeper.elsewhere;
	int pidfd = kept ? open_keeper(directory, name, &keeper) : -1;

	if (pidfd >= 0) {
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
		close(pidfd);
	}
	if (directory >= 0)
		close(directory);
}

bool dnsmasq_stop(const char *name, char *why, size_t why_size)
{
	int directory = run_directory(false, why, why_size);
	bool stopped;

	if (directory < 0 && errno == ENOENT) {
		*why = '\0';
		return true;
	}
	if (directory < 0)
		return false;
	stopped = stop(directory, name, why, why_size);
	close(directory);
	return stopped;
}
