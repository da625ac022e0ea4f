// SPDX-License-Identifier: MIT
/*
 * What the policy protects a port with: isolated, lock-mac, guard, vlan=.
 *
 * All of it is set before the port is up, and read back: what this kernel or this bridge cannot give is refused, never
 * left out.
 */
#include "helper/helper.h"

#include <errno.h>

/*
 * A bridge without the spanning tree protocol looks at no BPDU: it passes them on like other frames (br_handle_frame,
 * net/bridge/br_input.c), and the settings that `guard` stands for do nothing. Nor has one VLANs that looks at none.
 */
bool protect_possible(const struct permit *permit, const struct link_interface *bridge, struct outcome *outcome)
{
	const uint32_t given = permit->options.given;

	if ((given & OPTION_GUARD) && !bridge->stp)
		return refuse(outcome, EXIT_SYSTEM,
			"bridge '%s' passes BPDUs on, as its spanning tree protocol is off, so 'guard' of %s cannot be kept; an administrator can run: ip link set %s type bridge stp_state 1",
			bridge->name, permit_place(permit, OPTION_GUARD), bridge->name);
	if ((given & OPTION_VLAN) && !bridge->knows_vlans)
		return refuse(outcome, EXIT_POLICY,
			"the bridges of this kernel know no VLANs, so vlan=%u of %s cannot be kept; an administrator can remove it, or run a kernel with CONFIG_BRIDGE_VLAN_FILTERING",
			permit->options.vlan, permit_place(permit, OPTION_VLAN));
	if ((given & OPTION_VLAN) && !bridge->vlan_filtering)
		return refuse(outcome, EXIT_SYSTEM,
			"bridge '%s' does not look at VLANs, so vlan=%u of %s cannot be kept; an administrator can run: ip link set %s type bridge vlan_filtering 1",
			bridge->name, permit->options.vlan, permit_place(permit, OPTION_VLAN), bridge->name);
	return true;
}

/* What the options make of the port (policy/options.def). */
static struct link_port settings_for(uint32_t given)
{
	struct link_port settings = {0};

	for (uint32_t left = given; left; left &= left - 1) {
		for (const struct policy_port_setting *set = policy_option_row(left)->port; set->attribute; set++) {
			settings.known |= LINK_PORT(set->attribute);
			settings.on |= set->on ? LINK_PORT(set->attribute) : 0;
		}
	}
	return settings;
}

bool protect_port(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
{
	const struct permit *permit = &order->permit;
	const uint32_t given = permit->options.given;
	const struct link_port settings = settings_for(given);
	int error;

	if (!network->bridge.index) /* no other guest's frame comes to a tap without a bridge */
		return apart_keep(permit, network, port, outcome);
	error = settings.known ? link_set_port(network->link, port->tap, &settings) : 0;
	if (error)
		return refuse_errno(outcome, error, "cannot protect the port of the tap '%s'", port->name);
	error = given & OPTION_VLAN ? link_set_vlan(network->link, port->tap, permit->options.vlan) : 0;
	if (error)
		return refuse_errno(
			outcome, error, "cannot put the tap '%s' into VLAN %u", port->name, permit->options.vlan);
	/* Behind the VLAN: it says where the address is in the VLANs that the port is in by then. */
	if ((given & OPTION_LOCK_MAC) && !lock_port(order, network, port, outcome))
		return false;
	return apart_keep(permit, network, port, outcome); /* last: by this `tapgate up` knows a port that is ready */
}

/* Whether the port is, as it was read back, what an option makes of it. */
static bool holds(const struct permit *permit, const struct policy_option_row *row, const struct port *port,
	const struct link_port *now, struct outcome *outcome)
{
	for (const struct policy_port_setting *set = row->port; set->attribute; set++) {
		const uint64_t bit = LINK_PORT(set->attribute);

		if (!(now->known & bit))
			return refuse(outcome, EXIT_POLICY,
				"this kernel does not give '%s' of %s, which takes Linux %s or newer; an administrator can remove it, or run such a kernel",
				row->word, permit_place(permit, (enum policy_option)(1 << (row - policy_option_rows))),
				row->linux_version);
		if (((now->on & bit) != 0) != set->on)
			return refuse(outcome, EXIT_SYSTEM,
				"'%s' of the tap '%s' was switched off meanwhile; try again", row->word, port->name);
	}
	return true;
}

bool protect_holds(const struct permit *permit, const struct network *network, const struct port *port,
	const struct link_interface *tap, struct outcome *outcome)
{
	const uint32_t given = network->bridge.index ? permit->options.given : 0;
	int error;

	for (uint32_t left = given; left; left &= left - 1) {
		if (!holds(permit, policy_option_row(left), port, &tap->port, outcome))
			return false;
	}
	error = given & OPTION_VLAN ? link_has_vlan(network->link, port->tap, permit->options.vlan) : 0;
	if (error == -ENOENT)
		return refuse(outcome, EXIT_SYSTEM, "the tap '%s' was taken out of VLAN %u meanwhile; try again",
			port->name, permit->options.vlan);
	if (error)
		return refuse_errno(outcome, error, "cannot read back the VLAN of the tap '%s'", port->name);
	if (!apart_holds(permit, network, port, tap, outcome))
		return false;
	return !(given & OPTION_LOCK_MAC) || lock_holds(network, port, outcome);
}
