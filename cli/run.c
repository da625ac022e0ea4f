// SPDX-License-Identifier: MIT
/*
 * `tapgate run`: a command, as a virtual machine monitor, with taps on networks that the policy allows its user.
 *
 * The command runs in this very process. So its exit status and its end by a signal are its own, the `vmm=` of a tap's
 * alias is its process, and the taps end with it. (With --by-name a child takes this one's place.) Everything here is
 * done with the user's own rights; what takes more is the helper's.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run/run.h"
#include "judge/judge.h"
#include "tool/tool.h"

int launch_above_standard(int fd)
{
	int above, error;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	error = errno;
	close(fd);
	errno = error;
	return above;
}

/* --- helper ------------------------------------------------------------------------------------------------------- */

/* Asking the helper for a tap, as QEMU does: it is run with one end of a pair of sockets, and sends descriptors. */

#define HELPER "tapgate-helper"

/* Say that the helper cannot be run, and why. */
static void say_not_run(const char *path, int error)
{
	struct word word = {path, strlen(path)};
	char who[HELPER_WHO_MAX];

	if (error == EACCES && helper_say_who(path, who, sizeof(who)))
		say_error("%s; an administrator decides who is one of them", who);
	else
		say_error("cannot run %s: %s; is tapgate installed whole? TAPGATE_HELPER can name another place",
			QUOTED(word), strerror(error));
}

/*
 * In the child. Of all descriptors but the first three only the socket stays open. All programs that take a descriptor
 * want the header of --use-vnet: QEMU, cloud-hypervisor, crosvm. An address is named only if one was asked for: else
 * the helper chooses, and a rule may have one.
 */
static _Noreturn void run_helper(char *path, const struct launch_net *net, int sock)
{
	char use_vnet[] = "--use-vnet", network[32], fd[32], queues[32], mac[MAC_TEXT + 8] = "--mac=";
	char *words[7] = {path, use_vnet, network, fd};
	size_t count = 4;

	snprintf(network, sizeof(network), "--net=%.15s", net->network);
	snprintf(fd, sizeof(fd), "--fd=%d", sock);
	snprintf(queues, sizeof(queues), "--queues=%u", net->queues);
	mac_text(net->mac, mac + strlen(mac));
	if (net->queues)
		words[count++] = queues;
	if (launch_tells_mac(net))
		words[count++] = mac;
	if (fcntl(sock, F_SETFD, 0) == 0)
		execv(path, words);
	say_not_run(path, errno);
	_exit(LAUNCH_FAILED);
}

/* Take what comes, up to the end of the other side: descriptors above 2. How many there were, or -1 and errno. */
static int receive(int sock, int fds[static POLICY_QUEUES_MAX])
{
	union {
		char space[CMSG_SPACE(POLICY_QUEUES_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control)};
	struct cmsghdr *rights;
	ssize_t size;
	int count;

	do {
		size = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	} while (size < 0 && errno == EINTR);
	rights = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS)
		return size < 0 ? -1 : 0;
	count = (int)((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(rights), (size_t)count * sizeof(int));
	for (int i = 0; i < count; i++) {
		fds[i] = launch_above_standard(fds[i]);
		if (fds[i] < 0)
			return -1;
	}
	return count;
}

/* The helper's exit code; LAUNCH_FAILED, said, if it has none. */
static int wait_for(pid_t helper)
{
	int status;

	while (waitpid(helper, &status, 0) < 0) {
		if (errno != EINTR)
			return say_error("cannot wait for " HELPER ": %s", strerror(errno)), LAUNCH_FAILED;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return say_error(HELPER " was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status))),
	       LAUNCH_FAILED;
}

/* Run it to its end. */
static int run(struct launch_net *net, char *path, int pair[static 2])
{
	pid_t helper = fork();
	int count, code;

	if (helper == 0)
		run_helper(path, net, pair[1]);
	close(pair[1]); /* so that the helper's end is the end of what can come */
	if (helper < 0)
		return say_error("cannot run " HELPER ": %s", strerror(errno)), LAUNCH_FAILED;
	count = receive(pair[0], net->taps);
	code = wait_for(helper);
	if (code)
		return code;
	if (count != (int)(net->queues ? net->queues : 1))
		return say_error(HELPER " sent %d descriptors for '%s', expected %u", count < 0 ? 0 : count,
			       net->network, net->queues ? net->queues : 1),
		       LAUNCH_FAILED;
	net->count = (uint32_t)count;
	for (int i = 0; i < count; i++) {
		if (tap_name(net->taps[i], net->tap) < 0)
			return say_error(HELPER " sent a descriptor for '%s' that is not of a tap", net->network),
			       LAUNCH_FAILED;
	}
	return 0;
}

/*
 * Run the helper for a network, and take the descriptors of the tap that it sends. Returns 0, or what to exit with: the
 * helper's own code, whose message went to standard error; else LAUNCH_FAILED, said why.
 */
static int ask_helper(struct launch_net *net)
{
	/* Who started us may have had ended children ignored, which leaves nothing to wait for (sigaction(2)). */
	struct sigaction reap = {.sa_handler = SIG_DFL}, before;
	char path[PATH_MAX];
	int pair[2] = {-1, -1}, code = LAUNCH_FAILED;

	if (!helper_find(path))
		return LAUNCH_FAILED;
	sigaction(SIGCHLD, &reap, &before);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
		(pair[0] = launch_above_standard(pair[0])) < 0 || (pair[1] = launch_above_standard(pair[1])) < 0)
		say_error("cannot make a pair of sockets: %s", strerror(errno));
	else
		code = run(net, path, pair);
	if (pair[0] >= 0)
		close(pair[0]);
	sigaction(SIGCHLD, &before, NULL);
	return code;
}

/* --- by name ------------------------------------------------------------------------------------------------------ */

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

/* In the one that goes on: the tap stays when its descriptor is closed, which it is then. False: said why not. */
static bool leave_tap(struct launch_net *net)
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

/*
 * From here on this process is the parent of the one that goes on, and ends with the status that it returns here. The
 * one that goes on (it returns LAUNCH_GOES_ON) becomes the command. When that ends, however it does, the parent takes
 * its taps away; a signal to the parent is passed on to it.
 */
static int go_by_name(void)
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

/* --- all of it ---------------------------------------------------------------------------------------------------- */

#define VHOST "/dev/vhost-net"

/* One for each queue: vhost_net moves the packets of one virtqueue pair (Documentation of QEMU, -netdev tap). */
static bool open_vhosts(struct launch_net *net)
{
	for (uint32_t i = 0; net->vhost && i < (net->queues ? net->queues : 1); i++) {
		net->vhosts[i] = launch_above_standard(open(VHOST, O_RDWR | O_CLOEXEC));
		if (net->vhosts[i] >= 0)
			continue;
		if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
			return say_error(
				"--vhost: there is no " VHOST "; an administrator can run: modprobe vhost_net");
		if (errno == EACCES || errno == EPERM)
			return say_error("--vhost: this user may not open " VHOST
					 " (its mode is an administrator's choice; on many hosts group kvm may)");
		return say_error("--vhost: cannot open " VHOST ": %s", strerror(errno));
	}
	return true;
}

/*
 * Say so if the network that was denied does not exist at all. The helper may not say it: it looks for bridges only
 * after the policy has allowed one. This process may, as its user can see all interfaces.
 */
static void say_unknown(const char *name)
{
	struct link_interface interface;
	struct link *link;
	const bool exists = link_open(&link) == 0 && link_by_name(link, name, &interface) == 0;
	struct policy *policy = exists ? NULL : load_policy(NULL);

	if (policy && !policy_hidden(policy))
		load_say_missing(policy, name);
	policy_free(policy);
	link_close(link);
}

/* 0, or what to exit with. */
static int join(struct launch_net *net)
{
	int status = open_vhosts(net) ? ask_helper(net) : LAUNCH_FAILED;

	if (status == EXIT_DENIED)
		say_unknown(net->network);
	return status == 0 && !launch_settle_mac(net) ? LAUNCH_FAILED : status;
}

static bool keep_open(int fd)
{
	return fcntl(fd, F_SETFD, 0) == 0 || say_error("cannot hand on a descriptor: %s", strerror(errno));
}

/*
 * Let the command inherit the descriptors. They were close-on-exec until now, so that a helper did not inherit those of
 * another network.
 */
static bool hand_on(const struct launch *launch)
{
	for (size_t i = 0; i < launch->net_count; i++) {
		const struct launch_net *net = &launch->nets[i];

		for (uint32_t queue = 0; queue < net->count; queue++) {
			if (!keep_open(net->taps[queue]) || (net->vhost && !keep_open(net->vhosts[queue])))
				return false;
		}
		if (net->reservation >= 0 && !keep_open(net->reservation))
			return false;
	}
	return true;
}

int command_run(const struct words *words)
{
	static struct launch launch; /* zeroed, and too large for a stack */
	struct word command;
	int error, status;

	if (!launch_parse(words, &launch))
		return LAUNCH_FAILED;
	if (launch.by_name && (status = go_by_name()) != LAUNCH_GOES_ON)
		return status;
	for (size_t i = 0; i < launch.net_count; i++) {
		status = join(&launch.nets[i]);
		if (!status && launch.by_name && !leave_tap(&launch.nets[i]))
			status = LAUNCH_FAILED;
		if (status)
			return status;
	}
	if (!launch_replace_words(&launch) || !hand_on(&launch))
		return LAUNCH_FAILED;
	execvp(launch.command[0], launch.command);
	error = errno;
	command = (struct word){launch.command[0], strlen(launch.command[0])};
	say_error("cannot run %s: %s", QUOTED(command), strerror(error));
	return error == ENOENT ? LAUNCH_NOT_FOUND : LAUNCH_CANNOT_RUN;
}
