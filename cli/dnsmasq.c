#include "cli/dnsmasq.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/dnsmasq_process.h"
#include "cli/dnsmasq_words.h"

enum {
	START_PATIENCE = 10000,	 /* milliseconds for dnsmasq to serve */
	ADDRESS_PATIENCE = 2500, /* for addresses to become usable; duplicate address detection takes up to 2 s */
};

/* --- what should run --------------------------------------------------------------------------------------------- */

bool dnsmasq_wanted(const struct policy_network *network)
{
	return (network->mode == MODE_NAT || network->mode == MODE_HOST_ONLY) && network->options.given & OPTION_DHCP;
}

static const char *find_program(void)
{
	static const char *const programs[] = {"/usr/sbin/dnsmasq", "/usr/bin/dnsmasq", "/usr/local/sbin/dnsmasq"};

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	}
	return NULL;
}

/* The user that dnsmasq's package makes, else nobody. Its own group, as dnsmasq takes "dip" where there is one. */
static bool find_account(struct dnsmasq_account *account)
{
	static const char *const users[] = {"dnsmasq", "nobody"};

	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
		const struct passwd *user = getpwnam(users[i]);
		const struct group *group = user && user->pw_uid != 0 ? getgrgid(user->pw_gid) : NULL;

		if (!group || strlen(group->gr_name) >= sizeof(account->group))
			continue;
		snprintf(account->user, sizeof(account->user), "%s", users[i]);
		snprintf(account->group, sizeof(account->group), "%s", group->gr_name);
		return true;
	}
	return false;
}

/* The words that a network's should be started with. */
static bool plan(const struct policy_network *network, struct dnsmasq_words *words, char *why, size_t why_size)
{
	struct dnsmasq_account account;
	const char *program = find_program();
	unsigned int index = if_nametoindex(network->name);

	*why = '\0';
	if (!program)
		text_append(why, why_size,
			"there is no dnsmasq in /usr/sbin, /usr/bin or /usr/local/sbin; install the package "
			"'dnsmasq-base' (Debian, Ubuntu) or 'dnsmasq'");
	else if (!find_account(&account))
		text_append(why, why_size,
			"there is neither a user 'dnsmasq' nor a 'nobody', each with its group, to run dnsmasq as; add "
			"one, as dnsmasq's package does");
	else if (index == 0)
		text_append(why, why_size, "there is no interface '%s' for it to serve", network->name);
	else if (dnsmasq_words(words, program, &account, network, index))
		return true;
	else
		text_append(why, why_size, "its command line would be too long");
	return false;
}

enum dnsmasq_state dnsmasq_state(const struct policy_network *network)
{
	struct dnsmasq_process process;
	struct dnsmasq_words words;
	char why[256];
	int directory = dnsmasq_directory(false, why, sizeof(why));
	bool found = directory >= 0 && dnsmasq_find(directory, network->name, &process);

	if (found)
		close(process.pidfd);
	if (directory >= 0)
		close(directory);
	if (!found || process.elsewhere)
		return DNSMASQ_ABSENT;
	if (dnsmasq_wanted(network) && plan(network, &words, why, sizeof(why)) && process.words_size == words.size &&
		memcmp(process.words, words.text, words.size) == 0)
		return DNSMASQ_RUNNING;
	return DNSMASQ_DIFFERENT;
}

/* --- starting ---------------------------------------------------------------------------------------------------- */

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

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
	int64_t deadline = now() + ADDRESS_PATIENCE;

	while (has_tentative_address(interface) && now() < deadline)
		nanosleep(&pause, NULL);
}

/* In the child: nothing of the caller's goes along but the standard error that was made for it. */
static _Noreturn void execute(struct dnsmasq_words *words, int error)
{
	static char language[] = "LC_ALL=C"; /* that explain knows */
	char *const environment[] = {language, NULL};
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &standard, NULL); /* fails for those that cannot be changed */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(error, 2) == 2 && null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 &&
		syscall(SYS_close_range, 3, ~0U, 0) == 0 && chdir("/") == 0)
		execve(words->argv[0], words->argv, environment);
	dprintf(2, "cannot execute %s: %s\n", words->argv[0], strerror(errno));
	_exit(127);
}

/*
 * Read what it says until nobody can say more: a daemon has let go of the stream that it was started with. What comes
 * last stays when it does not fit. False if that takes too long.
 */
static bool read_error(int fd, char *text, size_t size)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int64_t deadline = now() + START_PATIENCE, left;
	size_t used = 0;
	ssize_t n = 1;

	while (n > 0 && (left = deadline - now()) > 0) {
		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		if (used == size - 1)
			used = 0;
		n = read(fd, text + used, size - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	text[used] = '\0';
	return n <= 0;
}

/* What helps against what dnsmasq complains of. */
static const struct {
	const char *complaint, *help;
} helps[] = {
	{"Address already in use",
		"'ss -lnptu' shows what listens there: have it listen on its own addresses only, as the "
		"system's dnsmasq does with bind-interfaces"},
	{"Permission denied", "AppArmor or SELinux may keep dnsmasq from " DNSMASQ_DIRECTORY ": see the kernel's log"},
	{"resolv-file is missing", "/etc/resolv.conf leads to where nothing is: first start what makes it, as "
				   "systemd-resolved or NetworkManager"},
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

/* Run it until it has become a daemon, or failed. */
static bool run(struct dnsmasq_words *words, char *why, size_t why_size)
{
	int ends[2] = {-1, -1}, status = 0;
	char text[1024] = "";
	pid_t child = -1;
	bool silent;

	*why = '\0';
	if (pipe2(ends, O_CLOEXEC) == 0)
		child = fork();
	if (child == 0)
		execute(words, ends[1]);
	if (child < 0)
		text_append(why, why_size, "%s", strerror(errno));
	close(ends[1]);
	silent = child > 0 && read_error(ends[0], text, sizeof(text));
	close(ends[0]);
	if (child < 0)
		return false;
	if (!silent)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!silent)
		text_append(why, why_size, "it did not start within %d s", START_PATIENCE / 1000);
	else if (status != 0)
		explain(status, text, why, why_size);
	return *why == '\0';
}

/* Whether the pid file is in use by a dnsmasq of another network namespace, which must keep it and its leases. */
static bool is_taken(int directory, const char *name)
{
	struct dnsmasq_process process;

	if (!dnsmasq_find(directory, name, &process))
		return false;
	close(process.pidfd);
	return process.elsewhere;
}

bool dnsmasq_start(const struct policy_network *network, char *why, size_t why_size)
{
	struct dnsmasq_words words;
	char ignored[256];
	int directory;
	bool taken;

	if (!plan(network, &words, why, why_size))
		return false;
	directory = dnsmasq_directory(true, why, why_size);
	if (directory < 0)
		return false;
	taken = is_taken(directory, network->name);
	close(directory);
	if (taken) {
		text_append(why, why_size,
			"a dnsmasq of another network namespace uses " DNSMASQ_DIRECTORY "/%s.pid; give each namespace "
			"a /run of its own",
			network->name);
		return false;
	}
	if (!dnsmasq_stop(network->name, why, why_size))
		return false;
	wait_for_addresses(if_nametoindex(network->name));
	if (!run(&words, why, why_size)) {
		dnsmasq_stop(network->name, ignored, sizeof(ignored)); /* a daemon that came too late */
		return false;
	}
	if (dnsmasq_state(network) == DNSMASQ_RUNNING)
		return true;
	text_append(why, why_size, "it started, and ended at once; the system's log has its messages");
	return false;
}

/* --- stopping ---------------------------------------------------------------------------------------------------- */

bool dnsmasq_stop(const char *name, char *why, size_t why_size)
{
	char file[NAME_MAX_BYTES + sizeof(".pid")];
	struct dnsmasq_process process;
	int directory = dnsmasq_directory(false, why, why_size);
	bool found, elsewhere, ended = true;

	if (directory < 0 && errno == ENOENT) {
		*why = '\0';
		return true;
	}
	if (directory < 0)
		return false;
	found = dnsmasq_find(directory, name, &process);
	elsewhere = found && process.elsewhere;
	if (found && !elsewhere)
		ended = dnsmasq_end(&process);
	if (found)
		close(process.pidfd);
	ended = dnsmasq_end_others(name) && ended;
	snprintf(file, sizeof(file), "%s.pid", name);
	if (ended && !elsewhere)
		unlinkat(directory, file, 0);
	close(directory);
	if (!ended)
		text_append(why, why_size, "it does not end, not even by SIGKILL");
	return ended;
}
