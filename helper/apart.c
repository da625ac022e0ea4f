// SPDX-License-Identifier: MIT
/* Tap and host are kept apart (link/wall.c), and that is read back. */
#include "helper/helper.h"

#include <errno.h>

#include "link/link.h"

static bool refuse_kernel(const struct port *port, struct outcome *outcome)
{
	return refuse(outcome, EXIT_SYSTEM,
		"this kernel cannot keep the tap '%s' and the host apart; an administrator can take one that has CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF, or run: modprobe -a sch_ingress cls_bpf",
		port->name);
}

static struct wall wall_of(
	const struct permit *permit, const struct network *network, const unsigned char mac[static MAC_BYTES])
{
	return (struct wall){.bridge = network->bridge.index ? &network->bridge : NULL,
		.ours = policy_is_managed(&permit->network),
		.mac = mac};
}

bool apart_keep(
	const struct permit *permit, const struct network *network, const struct port *port, struct outcome *outcome)
{
	const struct wall wall = wall_of(permit, network, port->address);
	int error = wall_put(network->link, port->tap, &wall);

	if (error == -ENOENT || error == -EOPNOTSUPP)
		return refuse_kernel(port, outcome);
	return !error || refuse_errno(outcome, error, "cannot keep the tap '%s' and the host apart", port->name);
}

bool apart_holds(const struct permit *permit, const struct network *network, const struct port *port,
	const struct link_interface *tap, struct outcome *outcome)
{
	const struct wall wall = wall_of(permit, network, tap->mac);
	int error = wall_stands(network->link, port->tap, &wall);

	if (error == -ENOENT)
		return refuse(outcome, EXIT_SYSTEM,
			"what keeps the tap '%s' and the host apart was changed meanwhile; try again", port->name);
	return !error ||
	       refuse_errno(outcome, error, "cannot read back what keeps the tap '%s' and the host apart", port->name);
}
