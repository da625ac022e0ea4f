#include "helper/port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/descriptors.h"
#include "helper/limit.h"

enum {
	NAMES_MAX = 16,	     /* tried before the kernel looks for one: that takes it longer the more taps there are */
	TAP_MTU_MAX = 65521, /* 65535 less an Ethernet header (drivers/net/tun.c); a bridge may have more */
};

static bool find_bridge(struct link *link, const char *name, struct link_interface *bridge, struct outcome *outcome)
{
	int error = link_by_name(link, name, bridge);

	if (error == -ENODEV)
		return refuse(outcome, EXIT_SYSTEM,
			"there is no bridge '%s' (alternative names do not count); an administrator can run: "
			"ip link add %s type bridge && ip link set %s up",
			name, name, name);
	if (error)
		return refuse_errno(outcome, error, "cannot look up '%s'", name);
	if (strcmp(bridge->kind, "bridge") != 0)
		return refuse(outcome, EXIT_SYSTEM, "'%s' is not a bridge", name);
	return true;
}

static bool open_tap(struct outcome *outcome)
{
	int fd = -1;
	int error = tap_open(&fd);

	if (error == -ENOENT || error == -ENODEV || error == -ENXIO)
		return refuse_errno(
			outcome, error, "cannot open /dev/net/tun (an administrator can run: modprobe tun)");
	if (error == -EACCES || error == -EPERM)
		return refuse_errno(
			outcome, error, "this user may not open /dev/net/tun (its mode is an administrator's choice)");
	if (error)
		return refuse_errno(outcome, error, "cannot open /dev/net/tun");
	if (fd == FD_TAP)
		return true;
	if (dup3(fd, FD_TAP, O_CLOEXEC) < 0)
		refuse_errno(outcome, errno, "cannot move a descriptor to number %d", FD_TAP);
	close(fd);
	return outcome->code == EXIT_SENT;
}

/*
 * Make the tap under a name that says whose it is: tgPID-N, by the virtual machine's process and a count. Names are no
 * secret and no proof: one that is taken costs a system call and nothing else.
 */
static bool make_tap(const struct request *request, uid_t uid, pid_t vmm, struct port *port, struct outcome *outcome)
{
	char name[IFNAMSIZ];
	int error = -EBUSY;

	if (!open_tap(outcome))
		return false;
	for (int n = 0; n <= NAMES_MAX && (error == -EBUSY || error == -EINVAL); n++) {
		if (n < NAMES_MAX)
			snprintf(name, sizeof(name), "tg%d-%d", (int)vmm, n);
		else
			snprintf(name, sizeof(name), "tg%%d");
		error = tap_make(FD_TAP, name, request->vnet_header, uid, port->name);
	}
	if (error == -EPERM)
		return refuse(outcome, EXIT_SYSTEM,
			"cannot make a tap: the network belongs to another user namespace, or a security module "
			"forbids it");
	if (error)
		return refuse_errno(outcome, error, "cannot make a tap");
	return true;
}

/*
 * Find the tap by its name, once; from here on its index counts. A hardware address from 0xFE on is higher than any
 * real one, so that the bridge, which takes the lowest of its ports, does not take it. What the host must not do on a
 * guest's port is settled before the port is up.
 */
static bool join(struct link *link, const struct link_interface *bridge, struct port *port, struct outcome *outcome)
{
	struct link_interface tap;
	struct link_change change = {.alias = port->alias, .master = bridge->index, .no_ipv6_address = true};
	int error = link_by_name(link, port->name, &tap);

	if (error)
		return refuse_errno(outcome, error, "cannot look up the tap '%s'", port->name);
	port->tap = tap.index;
	port->bridge = bridge->index;
	tap.mac[0] = 0xfe;
	change.mac = tap.mac;
	if (tap.mtu != bridge->mtu)
		change.mtu = bridge->mtu < TAP_MTU_MAX ? bridge->mtu : TAP_MTU_MAX;
	error = link_change(link, tap.index, &change);
	if (error == -EXFULL)
		return refuse(
			outcome, EXIT_SYSTEM, "bridge '%s' has no free port (the kernel allows 1023)", bridge->name);
	if (error)
		return refuse_errno(outcome, error, "cannot join the tap to bridge '%s'", bridge->name);
	return true;
}

static bool bring_up(struct link *link, const struct port *port, const char *alias, struct outcome *outcome)
{
	const struct link_change change = {.alias = alias, .up = true};
	int error = link_change(link, port->tap, &change);

	return !error || refuse_errno(outcome, error, "cannot bring the tap '%s' up", port->name);
}

/*
 * Read back what was made: the tap behind the descriptor, with the alias, is a port of a bridge that has, now, the name
 * that the policy allowed. Whatever was renamed, deleted or made anew in between does not pass.
 */
static bool verify(struct link *link, const struct request *request, const struct port *port, struct outcome *outcome)
{
	struct link_interface tap, bridge;
	char name[IFNAMSIZ];
	int error = link_by_index(link, port->tap, &tap);

	if (!error)
		error = link_by_index(link, port->bridge, &bridge);
	if (!error)
		error = tap_name(FD_TAP, name);
	if (error)
		return refuse_errno(outcome, error, "cannot read back the tap on bridge '%s'", request->network);
	if (tap.master != port->bridge || !(tap.flags & IFF_UP) || strcmp(tap.alias, port->alias) != 0 ||
		strcmp(tap.name, name) != 0 || strcmp(bridge.name, request->network) != 0 ||
		strcmp(bridge.kind, "bridge") != 0)
		return refuse(outcome, EXIT_SYSTEM, "bridge '%s' or the tap on it was changed meanwhile; try again",
			request->network);
	return true;
}

bool port_make(const struct request *request, const struct permit *permit, uid_t uid, pid_t vmm, struct port *port,
	struct outcome *outcome)
{
	struct link *link = NULL;
	struct link_interface bridge;
	struct claim claim = {
		.uid = uid, .network = request->network, .vmm = vmm, .max = permit->max, .rule = permit->rule};
	int error = link_open(&link);
	bool made;

	*port = (struct port){0};
	if (error)
		return refuse_errno(outcome, error, "cannot open a netlink socket");
	limit_first_alias(&claim, port->alias);
	made = find_bridge(link, request->network, &bridge, outcome) && make_tap(request, uid, vmm, port, outcome) &&
	       join(link, &bridge, port, outcome) && limit_keep(link, &claim, port->tap, outcome);
	if (made) {
		limit_last_alias(&claim, port->alias);
		made = bring_up(link, port, claim.max ? port->alias : NULL, outcome) &&
		       verify(link, request, port, outcome);
	}
	link_close(link);
	return made;
}

void port_undo(void)
{
	close(FD_TAP);
}
