// SPDX-License-Identifier: MIT
/*
 * `tapgate run --by-name`: taps for a command that opens them by their names (Firecracker, -netdev tap,ifname=).
 *
 * Such a tap has to be there while nobody holds it. So it is made persistent, which its holder may (TUNSETPERSIST), and
 * its descriptor is closed before the command opens it. From the helper on the tap is its user's (TUNSETOWNER): no
 * other user can open it, other processes of the same user can. Its place of `max=` is taken until the tap is gone.
 *
 *	parent (waits, takes the taps away) --- child: asks the helper, leaves the taps, becomes the command
 *
 * The child says the name of a tap, through a pipe, before it makes it persistent: so the parent knows of all, wherever
 * the child ends. If the parent is killed the taps stay when the command ends, and `tapgate reap` takes them away.
 */
#include "cli/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/tool.h"

enum { PATIENCE = 100, PAUSE = 10000 }; /* how often, and after how many microseconds, a tap that is held is tried */

static int names = -1;	 /* the pipe's end, in the child */
static pid_t child = -1; /* in the parent */

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT};

/* What a terminal sends to all of its processes the command gets by itself. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code <= 0)
		kill(child, number);
}

bool launch_leave_tap(struct launch_net *net)
{
	const bool left = write(names, net->tap, sizeof(net->tap)) == (ssize_t)sizeof(net->tap) &&
			  ioctl(net->taps[0], TUNSETPERSIST, 1) == 0 && close(net->taps[0]) == 0;

	net->count = 0;
	return left || say_error("cannot leave the tap '%s' for the command to open: %s", net->tap, strerror(errno));
}

/* Processes that the command left may hold it for a moment. -EPERM: there is none of that name any more to join. */
static void take_away(const char *name)
{
	const struct tun tun = {.tap = true, .vnet_header = true};
	int fd = -1, error = -EBUSY;

	for (int i = 0; error == -EBUSY && i < PATIENCE; i++) {
		if (i)
			usleep(PAUSE);
		error = tun_join(name, &tun, &fd);
	}
	if (!error) {
		error = tun_let_go(fd);
		close(fd);
	}
	if (error && error != -EPERM)
		say_error("cannot remove the tap '%s': %s; when nobody holds it any more, run: tapgate reap", name,
			strerror(-error));
}

/* To the command's end. Its status, as a shell has it. */
static int wait_for_end(void)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return say_error("cannot wait for the command: %s", strerror(errno)), LAUNCH_FAILED;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int be_parent(int from)
{
	struct sigaction passing = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO};
	char name[IFNAMSIZ];
	int status;

	for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++)
		sigaction(passed_on[i], &passing, NULL);
	status = wait_for_end();
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++)
		signal(passed_on[i], SIG_IGN); /* the number may be another process's by now */
	while (read(from, name, sizeof(name)) == (ssize_t)sizeof(name)) {
		name[IFNAMSIZ - 1] = '\0';
		take_away(name);
	}
	return status;
}

int launch_by_name(void)
{
	/* Ended children that are ignored leave nothing to wait for (sigaction(2)). */
	struct sigaction reap = {.sa_handler = SIG_DFL}, before;
	int ends[2] = {-1, -1};

	sigaction(SIGCHLD, &reap, &before);
	if (pipe2(ends, O_CLOEXEC) == 0 && (ends[0] = launch_above_standard(ends[0])) >= 0 &&
		(ends[1] = launch_above_standard(ends[1])) >= 0)
		child = fork();
	if (child < 0)
		return say_error("cannot start a process for the command: %s", strerror(errno)), LAUNCH_FAILED;
	close(ends[child == 0 ? 0 : 1]);
	if (child > 0)
		return be_parent(ends[0]);
	sigaction(SIGCHLD, &before, NULL);
	names = ends[1];
	return LAUNCH_GOES_ON;
}
