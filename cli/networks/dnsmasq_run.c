#include "cli/networks/dnsmasq_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/clock.h"

enum { START_PATIENCE = 10000 }; /* milliseconds for dnsmasq to serve */

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
	int64_t deadline = clock_milliseconds() + START_PATIENCE, left;
	size_t used = 0;
	ssize_t n = 1;

	while (n > 0 && (left = deadline - clock_milliseconds()) > 0) {
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

bool dnsmasq_run(struct dnsmasq_words *words, char *why, size_t why_size)
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
