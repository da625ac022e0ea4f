// SPDX-License-Identifier: MIT
/*
 * Makes a tap of several queues, of which no stranger has one. The kernel lets any user join such a tap while it has no
 * owner, which is for microseconds when it is made. So its name cannot be foretold, it is root's and stays so, and what
 * was made is looked at: if somebody was there, all is made anew.
 */
#include "helper/helper.h"

#include <errno.h>
#include <linux/if_tun.h>

#include "link/link.h"

enum { TRIES_MAX = 16 };

/*
 * Whoever joined is counted, if still there; who came and went is known by what cannot be undone: owner, group,
 * persistence, link type. Nobody but root can join any more, so that what is undone afterwards (tap_reset) stays so.
 */
bool queues_hold(const struct order *order, const struct port *port, const struct tun *tun)
{
	return tun->queues == port->queues && !tun->persistent && tun->has_owner && tun->owner == 0 &&
	       !tun->has_group && tun->ethernet && tun->vnet_header == order->request.vnet_header && !tun->packet_info;
}

static int look(const struct order *order, struct link *link, const struct port *port)
{
	struct link_interface tap;
	int error = link_by_index(link, port->tap, &tap);

	return error || queues_hold(order, port, &tap.tun) ? error : -EUSERS;
}

static int make(const struct order *order, int index, struct port *port)
{
	const struct tap_kind kind = {.vnet_header = order->request.vnet_header, .multi_queue = true};
	int error = tap_choose_name(port->name);

	if (!error)
		error = tap_make(FD_TAP, &kind, port->name, index);
	port->tap = error ? 0 : index;
	if (!error)
		error = tap_own(FD_TAP, 0);
	for (uint32_t i = 1; i < port->queues && !error; i++)
		error = tap_add_queue(FD_TAP + (int)i, &kind, port->name);
	return error;
}

int queues_make(const struct order *order, struct link *link, int index, struct port *port)
{
	int error = -EUSERS;

	/* Whatever fails behind the making of the tap may be a stranger's doing. */
	for (int i = 0; i < TRIES_MAX && error; i++) {
		int foreign;

		error = make(order, index, port);
		if (error && !port->tap)
			return error;
		foreign = error ? error : look(order, link, port);
		if (!foreign) /* nobody else is there, nor can come: what was left behind is all there is */
			foreign = tap_reset(FD_TAP);
		if (foreign) /* from under whoever joined it; our descriptors can be used again */
			link_remove(link, port->tap);
		if (!error && foreign != -EUSERS)
			return foreign;
		error = foreign;
	}
	return error;
}
