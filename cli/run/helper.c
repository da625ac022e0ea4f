// SPDX-License-Identifier: MIT
/* Asking the helper for a tap, as QEMU does: it is run with one end of a pair of sockets, and sends descriptors. */
#include "cli/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/tool.h"

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

int launch_ask_helper(struct launch_net *net)
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
