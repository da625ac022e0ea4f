#include "helper/port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/descriptors.h"
#include "helper/limit.h"
#include "helper/protect.h"
#include "helper/standalone.h"
#include "link/tun.h"

enum { NAMES_MAX = 16 }; /* tried before the kernel looks for one: that takes it longer the more taps there are */

/* One more descriptor, of the next number from FD_TAP on. */
static bool open_tap(struct port *port, struct outcome *outcome)
{
	int number = FD_TAP + (int)port->queues, fd = -1;
	int error = tap_open(&fd);

	if (error == -ENOENT || error == -ENODEV || error == -ENXIO)
		return refuse_errno(
			outcome, error, "cannot open /dev/net/tun (an administrator can run: modprobe tun)");
	if (error == -EACCES || error == -EPERM)
		return refuse_errno(
			outcome, error, "this user may not open /dev/net/tun (its mode is an administrator's choice)");
	if (error)
		return refuse_errno(outcome, error, "cannot open /dev/net/tun");
	if (dup3(fd, number, O_CLOEXEC) < 0)
		refuse_errno(outcome, errno, "cannot move a descriptor to number %d", number);
	else
		port->queues++;
	close(fd);
	return outcome->code == EXIT_SENT;
}

/*
 * Make the tap under a name that says whose it is: tgPID-N, by the virtual machine's process and a count. Names are no
 * secret and no proof: one that is taken costs a system call and nothing else.
 */
static int make_bridged_tap(const struct tap_kind *kind, uid_t uid, pid_t vmm, struct port *port)
{
	char name[IFNAMSIZ];
	int error = -EBUSY;

	for (int n = 0; n <= NAMES_MAX && (error == -EBUSY || error == -EINVAL); n++) {
		if (n < NAMES_MAX)
			snprintf(name, sizeof(name), "tg%d-%d", (int)vmm, n);
		else
			snprintf(name, sizeof(name), "tg%%d");
		error = tap_make(FD_TAP, kind, name, uid, port->name);
	}
	return error;
}

static bool make_tap(const struct permit *permit, const struct network *network, const struct claim *claim,
	const struct tap_kind *kind, struct port *port, struct outcome *outcome)
{
	int error;

	if (!open_tap(port, outcome))
		return false;
	error = network->bridge.index ? make_bridged_tap(kind, claim->uid, claim->vmm, port)
				      : standalone_make_tap(network->link, permit, kind, claim->uid, port, outcome);
	if (error == -EPERM)
		return refuse(outcome, EXIT_SYSTEM,
			"cannot make a tap: the network belongs to another user namespace, or a security module "
			"forbids it");
	return !error || refuse_errno(outcome, error, "cannot make a tap");
}

/* The further queues. The tap is root's by now, so nobody else joins. */
static bool add_queues(
	const struct request *request, const struct tap_kind *kind, struct port *port, struct outcome *outcome)
{
	while (port->queues < request->queues) {
		int error;

		if (!open_tap(port, outcome))
			return false;
		error = tap_add_queue(FD_TAP + (int)port->queues - 1, kind, port->name);
		if (error)
			return refuse_errno(outcome, error, "cannot give the tap '%s' a queue", port->name);
	}
	return true;
}

/*
 * That nobody got in while a multi-queue tap had no owner, for microseconds: its queues are ours and no more. Whoever
 * did would keep the tap when we go (see withdraw); or is gone again, and has made it persistent, or become its owner,
 * who can join it later.
 */
static bool check_queues(const struct request *request, const struct network *network, uid_t uid,
	const struct port *port, struct outcome *outcome)
{
	struct tun tun;
	int error;

	if (request->queues == 1)
		return true;
	error = tun_look(network->link, port->tap, &tun);
	if (error)
		return refuse_errno(outcome, error, "cannot count the queues of the tap '%s'", port->name);
	/* The user itself is the owner where there is no root (tap_make). */
	if (tun.queues == port->queues && !tun.persistent && tun.has_owner && (tun.owner == 0 || tun.owner == uid))
		return true;
	return refuse(outcome, EXIT_SYSTEM, "another process joined the tap while it was made; try again");
}

/*
 * Find the tap by its name, once; from here on its index counts. A hardware address from 0xFE on is higher than any
 * real one, so that a bridge, which takes the lowest of its ports, does not take it. What the host must not do on a
 * guest's port is settled before the port is up.
 */
static bool set_up(
	const struct permit *permit, const struct network *network, struct port *port, struct outcome *outcome)
{
	const struct link_interface *bridge = &network->bridge;
	uint32_t mtu = permit->options.mtu ? permit->options.mtu : bridge->mtu;
	struct link_change change = {.alias = port->alias, .master = bridge->index, .no_ipv6_address = true};
	struct link_interface tap;
	int error = link_by_name(network->link, port->name, &tap);

	if (error)
		return refuse_errno(outcome, error, "cannot look up the tap '%s'", port->name);
	port->tap = tap.index;
	if (bridge->index && mtu > bridge->mtu)
		return refuse(outcome, EXIT_SYSTEM,
			"mtu=%u of %s is above the %u of bridge '%s'; an administrator can lower the one or raise the "
			"other",
			mtu, permit_place(permit, OPTION_MTU), bridge->mtu, bridge->name);
	tap.mac[0] = 0xfe;
	change.mac = tap.mac;
	if (mtu && mtu != tap.mtu)
		change.mtu = mtu < POLICY_MTU_MAX ? mtu : POLICY_MTU_MAX;
	error = link_change(network->link, tap.index, &change);
	if (error == -EXFULL)
		return refuse(
			outcome, EXIT_SYSTEM, "bridge '%s' has no free port (the kernel allows 1023)", bridge->name);
	if (error && bridge->index)
		return refuse_errno(outcome, error, "cannot join the tap to bridge '%s'", bridge->name);
	return !error || refuse_errno(outcome, error, "cannot set up the tap '%s'", port->name);
}

static bool bring_up(struct link *link, const struct port *port, const char *alias, struct outcome *outcome)
{
	const struct link_change change = {.alias = alias, .up = true};
	int error = link_change(link, port->tap, &change);

	return !error || refuse_errno(outcome, error, "cannot bring the tap '%s' up", port->name);
}

/* Settled and signed, a tap of several queues becomes its user's, as one of a single queue is from the start. */
static bool give(const struct request *request, const struct port *port, uid_t uid, struct outcome *outcome)
{
	int error = request->queues > 1 ? tap_give(FD_TAP, uid) : 0;

	return !error || refuse_errno(outcome, error, "cannot give the tap '%s' its owner", port->name);
}

static bool refuse_changed(const struct permit *permit, const struct network *network, struct outcome *outcome)
{
	if (network->bridge.index)
		return refuse(outcome, EXIT_SYSTEM, "bridge '%s' or the tap on it was changed meanwhile; try again",
			permit->network.name);
	return refuse(
		outcome, EXIT_SYSTEM, "the tap of network '%s' was changed meanwhile; try again", permit->network.name);
}

/*
 * A bridge whose MTU nobody has set takes the lowest of its ports' (br_mtu_auto_adjust, net/bridge/br_if.c): one
 * guest's mtu= would be the host's and everybody's.
 */
static bool mtu_holds(const struct permit *permit, const struct network *network, const struct link_interface *tap,
	struct outcome *outcome)
{
	const uint32_t mtu = permit->options.mtu;
	struct link_interface bridge = network->bridge;
	int error = mtu && bridge.index ? link_by_index(network->link, bridge.index, &bridge) : 0;

	if (error)
		return refuse_errno(outcome, error, "cannot read back the MTU of '%s'", network->bridge.name);
	if (mtu && tap->mtu != mtu)
		return refuse_changed(permit, network, outcome);
	if (bridge.mtu >= network->bridge.mtu)
		return true;
	return refuse(outcome, EXIT_SYSTEM,
		"the MTU of bridge '%s' would fall to mtu=%u of %s, as it follows its ports; an administrator can run: "
		"ip link set %s mtu %u",
		bridge.name, mtu, permit_place(permit, OPTION_MTU), bridge.name, network->bridge.mtu);
}

/*
 * Read back what was made: the tap behind the descriptor, with the alias, is a port of the bridge, or carries the
 * network's name and addresses. And the network is, now, what it was when it was found.
 */
static bool verify(
	const struct permit *permit, const struct network *network, const struct port *port, struct outcome *outcome)
{
	int bridge = network->bridge.index;
	struct link_interface tap;
	bool same = true;
	int error = link_by_index(network->link, port->tap, &tap);

	for (uint32_t i = 0; i < port->queues && !error; i++) {
		char name[IFNAMSIZ];

		error = tap_name(FD_TAP + (int)i, name);
		same = same && !error && strcmp(tap.name, name) == 0;
	}
	if (error)
		return refuse_errno(outcome, error, "cannot read back the tap on '%s'", permit->network.name);
	if (!same || tap.master != bridge || !(tap.flags & IFF_UP) || strcmp(tap.alias, port->alias) != 0 ||
		(!bridge && strcmp(tap.name, port->name) != 0))
		return refuse_changed(permit, network, outcome);
	if (!bridge && !standalone_has_addresses(network->link, permit, port, outcome))
		return false;
	if (!protect_holds(permit, network, port, &tap, outcome) || !mtu_holds(permit, network, &tap, outcome))
		return false;
	return network_stands(permit, network, outcome);
}

static bool make(const struct request *request, const struct permit *permit, const struct network *network, uid_t uid,
	pid_t vmm, struct port *port, struct outcome *outcome)
{
	struct claim claim = {
		.uid = uid, .network = request->network, .vmm = vmm, .max = permit->options.max, .rule = permit->rule};
	const struct tap_kind kind = {.vnet_header = request->vnet_header, .multi_queue = request->queues > 1};

	*port = (struct port){0};
	limit_first_alias(&claim, port->alias);
	if (!make_tap(permit, network, &claim, &kind, port, outcome) || !set_up(permit, network, port, outcome) ||
		!add_queues(request, &kind, port, outcome) || !check_queues(request, network, uid, port, outcome) ||
		!protect_port(request, permit, network, uid, port, outcome) ||
		!limit_keep(network->link, &claim, port->tap, outcome))
		return false;
	if (!network->bridge.index && !standalone_add_addresses(network->link, permit, port, outcome))
		return false;
	limit_last_alias(&claim, port->alias);
	return bring_up(network->link, port, claim.max ? port->alias : NULL, outcome) &&
	       give(request, port, uid, outcome) && verify(permit, network, port, outcome);
}

/* A tap of several queues may have been joined, and then does not go with our descriptors. */
static void withdraw(const struct request *request, const struct network *network, const struct port *port)
{
	if (request->queues > 1 && port->tap)
		link_remove(network->link, port->tap);
}

bool port_make(const struct request *request, const struct permit *permit, const struct network *network, uid_t uid,
	pid_t vmm, struct port *port, struct outcome *outcome)
{
	bool made = make(request, permit, network, uid, vmm, port, outcome);

	if (!made)
		withdraw(request, network, port);
	return made;
}

void port_undo(const struct port *port)
{
	for (uint32_t i = 0; i < port->queues; i++)
		close(FD_TAP + (int)i);
}
