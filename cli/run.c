// SPDX-License-Identifier: MIT
/*
 * `tapgate run`: a command, as a virtual machine monitor, with taps on networks that the policy allows its user.
 *
 * The command runs in this very process. So its exit status and its end by a signal are its own, the `vmm=` of a tap's
 * alias is its process, and the taps end with it. (With --by-name a child takes this one's place: run/by_name.c.)
 * Everything here is done with the user's own rights; what takes more is the helper's.
 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/run/run.h"
#include "judge/judge.h"
#include "tool/tool.h"

#define VHOST "/dev/vhost-net"

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
	int status = open_vhosts(net) ? launch_ask_helper(net) : LAUNCH_FAILED;

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
	if (launch.by_name && (status = launch_by_name()) != LAUNCH_GOES_ON)
		return status;
	for (size_t i = 0; i < launch.net_count; i++) {
		status = join(&launch.nets[i]);
		if (!status && launch.by_name && !launch_leave_tap(&launch.nets[i]))
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
