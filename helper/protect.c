#include "helper/protect.h"

#include <errno.h>
#include <linux/if_link.h>

#include "helper/apart.h"
#include "helper/lock.h"

/* Each option that is a setting of the port: which one, what it has to be, and since when Linux has it. */
static const struct protection {
	enum policy_option option;
	int attribute; /* IFLA_BRPORT_... */
	bool on;
	const char *word, *since;
} protections[] = {
	{OPTION_ISOLATED, IFLA_BRPORT_ISOLATED, true, "isolated", "4.18"},
	{OPTION_LOCK_MAC, IFLA_BRPORT_LOCKED, true, "lock-mac", "5.16"},
	{OPTION_LOCK_MAC, IFLA_BRPORT_LEARNING, false, "lock-mac", "5.16"}, /* nor from frames for the bridge itself */
	{OPTION_LOCK_MAC, IFLA_BRPORT_UNICAST_FLOOD, false, "lock-mac", "5.16"}, /* nothing for who is not known */
	{OPTION_GUARD, IFLA_BRPORT_GUARD, true, "guard", "3.8"},		 /* no BPDU comes in */
	{OPTION_GUARD, IFLA_BRPORT_PROTECT, true, "guard", "3.8"}, /* no bridge behind it becomes the root */
};

enum { COUNT = sizeof(protections) / sizeof(*protections) };

/*
 * A bridge without the spanning tree protocol looks at no BPDU: it passes them on like other frames (br_handle_frame,
 * net/bridge/br_input.c), and the settings that `guard` stands for do nothing. Nor has one VLANs that looks at none.
 */
bool protect_possible(const struct permit *permit, const struct link_interface *bridge, struct outcome *outcome)
{
	const uint32_t given = permit->options.given;

	if ((given & OPTION_GUARD) && !bridge->stp)
		return refuse(outcome, EXIT_SYSTEM,
			"bridge '%s' passes BPDUs on, as its spanning tree protocol is off, so 'guard' of %s cannot be "
			"kept; an administrator can run: ip link set %s type bridge stp_state 1",
			bridge->name, permit_place(permit, OPTION_GUARD), bridge->name);
	if ((given & OPTION_VLAN) && !bridge->knows_vlans)
		return refuse(outcome, EXIT_POLICY,
			"the bridges of this kernel know no VLANs, so vlan=%u of %s cannot be kept; an administrator "
			"can remove it, or run a kernel with CONFIG_BRIDGE_VLAN_FILTERING",
			permit->options.vlan, permit_place(permit, OPTION_VLAN));
	if ((given & OPTION_VLAN) && !bridge->vlan_filtering)
		return refuse(outcome, EXIT_SYSTEM,
			"bridge '%s' does not look at VLANs, so vlan=%u of %s cannot be kept; "
			"an administrator can run: ip link set %s type bridge vlan_filtering 1",
			bridge->name, permit->options.vlan, permit_place(permit, OPTION_VLAN), bridge->name);
	return true;
}

bool protect_port(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
{
	const struct permit *permit = &order->permit;
	const uint32_t given = permit->options.given;
	struct link_port settings = {0};
	int error;

	if (!network->bridge.index) /* no other guest's frame comes to a tap without a bridge */
		return true;
	if (!apart_keep(permit, network, port, outcome))
		return false;
	for (int i = 0; i < COUNT; i++) {
		if (!(given & protections[i].option))
			continue;
		settings.known |= LINK_PORT(protections[i].attribute);
		settings.on |= protections[i].on ? LINK_PORT(protections[i].attribute) : 0;
	}
	error = settings.known ? link_set_port(network->link, port->tap, &settings) : 0;
	if (error)
		return refuse_errno(outcome, error, "cannot protect the port of the tap '%s'", port->name);
	error = given & OPTION_VLAN ? link_set_vlan(network->link, port->tap, permit->options.vlan) : 0;
	if (error)
		return refuse_errno(
			outcome, error, "cannot put the tap '%s' into VLAN %u", port->name, permit->options.vlan);
	/* Last: it says where the address is in the VLANs that the port is in by then. */
	return !(given & OPTION_LOCK_MAC) || lock_port(order, network, port, outcome);
}

bool protect_holds(const struct permit *permit, const struct network *network, const struct port *port,
	const struct link_interface *tap, struct outcome *outcome)
{
	const uint32_t given = network->bridge.index ? permit->options.given : 0;
	int error;

	for (int i = 0; i < COUNT; i++) {
		const struct protection *p = &protections[i];
		const uint64_t bit = LINK_PORT(p->attribute);

		if (!(given & p->option) || ((tap->port.known & bit) && ((tap->port.on & bit) != 0) == p->on))
			continue;
		if (tap->port.known & bit)
			return refuse(outcome, EXIT_SYSTEM,
				"'%s' of the tap '%s' was switched off meanwhile; try again", p->word, port->name);
		return refuse(outcome, EXIT_POLICY,
			"this kernel does not give '%s' of %s, which takes Linux %s or newer; an administrator can "
			"remove it, or run such a kernel",
			p->word, permit_place(permit, p->option), p->since);
	}
	error = given & OPTION_VLAN ? link_has_vlan(network->link, port->tap, permit->options.vlan) : 0;
	if (error == -ENOENT)
		return refuse(outcome, EXIT_SYSTEM, "the tap '%s' was taken out of VLAN %u meanwhile; try again",
			port->name, permit->options.vlan);
	if (error)
		return refuse_errno(outcome, error, "cannot read back the VLAN of the tap '%s'", port->name);
	if (network->bridge.index && !apart_holds(permit, network, port, tap, outcome))
		return false;
	return !(given & OPTION_LOCK_MAC) || lock_holds(network, port, outcome);
}
