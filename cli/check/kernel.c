#include "cli/check/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link/link.h"
#include "policy/policy.h"

/* The settings of a port that an option takes (helper/protect.c). */
static const struct {
	enum policy_option option;
	uint64_t settings;
} needs[] = {
	{OPTION_ISOLATED, LINK_PORT(IFLA_BRPORT_ISOLATED)},
	{OPTION_LOCK_MAC, LINK_PORT(IFLA_BRPORT_LOCKED) | LINK_PORT(IFLA_BRPORT_LEARNING)},
	{OPTION_GUARD, LINK_PORT(IFLA_BRPORT_GUARD) | LINK_PORT(IFLA_BRPORT_PROTECT)},
};

/* A bridge with a tap as its port, as the kernel describes the two. */
static int make_port(struct link *link, struct link_interface *bridge, struct link_interface *port)
{
	static const unsigned char mac[] = {0x02, 0, 0, 0, 0, 1};
	const struct tap_kind kind = {.vnet_header = false};
	static const char name[] = "probe-port";
	int fd, error = link_make_bridge(link, "probe", mac);

	if (!error)
		error = link_by_name(link, "probe", bridge);
	if (!error)
		error = tap_open(&fd);
	if (!error)
		error = tap_make(fd, &kind, name, 0);
	if (!error)
		error = link_by_name(link, name, port);
	if (!error)
		error = link_change(link, port->index, &(struct link_change){.master = bridge->index});
	return error ? error : link_by_index(link, port->index, port);
}

/* Namespaces to try in: who is not root is one with its own number in a user namespace (user_namespaces(7)). */
static bool leave(void)
{
	unsigned int uid = geteuid();
	bool mapped;
	int fd;

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	mapped = fd >= 0 && dprintf(fd, "%u %u 1", uid, uid) > 0;
	if (fd >= 0)
		close(fd);
	return mapped;
}

static uint32_t ask(void)
{
	struct link_interface bridge, port;
	struct link *link;
	uint32_t lacks = 0;

	if (!leave() || link_open(&link) != 0 || make_port(link, &bridge, &port) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++)
		lacks |= (port.port.known & needs[i].settings) == needs[i].settings ? 0 : needs[i].option;
	return lacks | (bridge.knows_vlans ? 0 : OPTION_VLAN);
}

uint32_t kernel_lacks(void)
{
	uint32_t lacks = 0;
	int ends[2], status;
	pid_t child;

	if (pipe(ends) < 0)
		return 0;
	child = fork();
	if (child == 0) {
		lacks = ask();
		_exit(write(ends[1], &lacks, sizeof(lacks)) != sizeof(lacks));
	}
	close(ends[1]);
	if (child < 0 || read(ends[0], &lacks, sizeof(lacks)) != sizeof(lacks))
		lacks = 0;
	close(ends[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return lacks;
}
