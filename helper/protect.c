// SPDX-License-Identifier: MIT
/*
 * What a guest's port is held to: kept apart from the host, locked to an address, bounded in its rates, and set as the
 * policy's options say.
 *
 * All of it is set before the port is up, and read back: what this kernel or this bridge cannot give is refused, never
 * left out.
 */
#include "helper/helper.h"

#include <errno.h>
#include <string.h>

#include "link/link.h"

/* --- apart -------------------------------------------------------------------------------------------------------- */

/* Tap and host are kept apart (link/wall.c), and that is read back. */

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

/* Set the tap, which is down yet, apart from the host. */
static bool apart_keep(
	const struct permit *permit, const struct network *network, const struct port *port, struct outcome *outcome)
{
	const struct wall wall = wall_of(permit, network, port->address);
	int error = wall_put(network->link, port->tap, &wall);

	if (error == -ENOENT || error == -EOPNOTSUPP)
		return refuse_kernel(port, outcome);
	return !error || refuse_errno(outcome, error, "cannot keep the tap '%s' and the host apart", port->name);
}

/* Whether it is so, as it was read back. */
static bool apart_holds(const struct permit *permit, const struct network *network, const struct port *port,
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

/* --- lock --------------------------------------------------------------------------------------------------------- */

/* Serves lock-mac: gives a port the one address that its guest may send from. */

/* By what a bridge knows an address, the weightier the later. */
enum knowledge {
	UNKNOWN,
	LEARNED, /* from a frame, which anybody can send: no claim. A guest that moves here is so known, too */
	OWN,	 /* the hardware address of a port or of the bridge; of a tap its holder can choose it */
	GIVEN,	 /* static or sticky */
};

struct claim {
	enum knowledge knowledge;
	int port; /* behind which it is, by its index */
};

/* What a bridge knows of the addresses that come into question. */
struct known {
	const unsigned char *mac; /* the one that was asked for; NULL: any of the block */
	unsigned char block[MAC_BLOCK_BYTES];
	struct claim asked;
	struct claim octets[1 << 8]; /* of the block, by the last octet */
};

static void weigh(struct claim *claim, const struct fdb_entry *entry)
{
	enum knowledge knowledge = entry->fixed || entry->stays ? GIVEN : entry->own ? OWN : LEARNED;

	if (knowledge > claim->knowledge)
		*claim = (struct claim){knowledge, entry->index};
}

static void see_entry(void *context, const struct fdb_entry *entry)
{
	struct known *known = context;

	if (known->mac && memcmp(entry->mac, known->mac, MAC_BYTES) == 0)
		weigh(&known->asked, entry);
	if (mac_in_block(entry->mac, known->block))
		weigh(&known->octets[entry->mac[MAC_BLOCK_BYTES]], entry);
}

static bool refuse_taken(
	const struct network *network, const unsigned char mac[static MAC_BYTES], struct outcome *outcome)
{
	char text[MAC_TEXT];

	mac_text(mac, text);
	return refuse(outcome, EXIT_SYSTEM,
		"address %s is taken on bridge '%s'; end the virtual machine that has it, or choose another one", text,
		network->bridge.name);
}

/* Whether somebody has an address who may. The hardware address of a tap of ours gives its holder nothing. */
static bool is_taken(const struct network *network, const unsigned char mac[static MAC_BYTES], struct claim claim)
{
	struct link_interface port;
	struct alias_tap tap;

	if (claim.knowledge == GIVEN || memcmp(network->bridge.mac, mac, MAC_BYTES) == 0)
		return true;
	return claim.knowledge == OWN &&
	       (link_by_index(network->link, claim.port, &port) != 0 || !alias_read_tap(&port, &tap));
}

/* Of two that ask for an address at once, the kernel lets one mark its tap with it. */
static int lock_to(const struct network *network, struct port *port, struct claim claim)
{
	struct locked locked = {.tap = port->tap, .bridge = network->bridge.index};
	int error;

	if (is_taken(network, port->mac, claim))
		return -EEXIST;
	memcpy(locked.mac, port->mac, MAC_BYTES);
	error = locked_mark(network->link, &locked);
	return error ? error : fdb_put(network->link, port->tap, port->mac);
}

/* An address that was asked for; else the first of the block that the bridge does not know, or that nobody may have. */
static int take(const struct network *network, const struct known *known, struct port *port)
{
	int error = -EEXIST;

	if (known->mac) {
		memcpy(port->mac, known->mac, MAC_BYTES);
		return lock_to(network, port, known->asked);
	}
	memcpy(port->mac, known->block, MAC_BLOCK_BYTES);
	for (int unknown = 1; unknown >= 0; unknown--) {
		for (unsigned int octet = 1; octet < 1 << 8 && error == -EEXIST; octet++) {
			port->mac[MAC_BLOCK_BYTES] = (unsigned char)octet;
			if ((known->octets[octet].knowledge == UNKNOWN) == unknown)
				error = lock_to(network, port, known->octets[octet]);
		}
	}
	return error;
}

/*
 * Choose the address, mark the tap with it (link/alias.c), and say on the bridge that it is behind this port, whose
 * setting "locked" then lets no other in: the rule's mac=, else the caller's --mac=, else the first of the caller's
 * block that is free, rather one that the bridge does not know at all. port->mac receives it.
 */
static bool lock_port(
	const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
{
	struct known known = {.mac = NULL};
	int error;

	if (order->permit.options.given & OPTION_MAC)
		known.mac = order->permit.options.mac;
	else if (order->request.mac_given)
		known.mac = order->request.mac;
	if (!mac_block(order->caller.uid, order->request.network, known.block))
		return refuse(outcome, EXIT_SYSTEM, "'%s' has no addresses", order->request.network);
	error = fdb_each(network->link, network->bridge.index, see_entry, &known);
	if (error)
		return refuse_errno(
			outcome, error, "cannot read which addresses are taken on '%s'", network->bridge.name);
	error = take(network, &known, port);
	if (error == -EEXIST)
		return refuse_taken(network, port->mac, outcome);
	return !error || refuse_errno(outcome, error, "cannot lock the tap '%s' to an address", port->name);
}

bool lock_holds(const struct network *network, const struct port *port, struct outcome *outcome)
{
	struct fdb_entry entry = {.index = 0};
	int error = fdb_look(network->link, port->tap, port->mac, &entry);

	if (error && error != -ENOENT)
		return refuse_errno(outcome, error, "cannot read back the address of the tap '%s'", port->name);
	if (!error && entry.index == port->tap && entry.fixed && entry.stays)
		return true;
	return refuse(
		outcome, EXIT_SYSTEM, "the address of the tap '%s' was given away meanwhile; try again", port->name);
}

bool lock_allows(const struct order *order, struct outcome *outcome)
{
	const struct request *request = &order->request;
	const struct permit *permit = &order->permit;
	const uint32_t uid = order->caller.uid;
	unsigned char block[MAC_BLOCK_BYTES] = {0}, first[MAC_BYTES] = {0};
	char asked[MAC_TEXT], given[MAC_TEXT];

	if (!request->mac_given)
		return true;
	mac_text(request->mac, asked);
	if (permit->options.given & OPTION_MAC) {
		mac_text(permit->options.mac, given);
		return memcmp(request->mac, permit->options.mac, MAC_BYTES) == 0 ||
		       refuse(outcome, EXIT_DENIED, "uid %u may not have address %s on '%s': it is given %s by %s", uid,
			       asked, request->network, given, permit->rule);
	}
	if (mac_block(uid, request->network, block) && mac_in_block(request->mac, block))
		return true;
	memcpy(first, block, sizeof(block));
	mac_text(first, given);
	return refuse(outcome, EXIT_DENIED,
		"uid %u may not have address %s on '%s': expected one of its own there, %s to %.15sff, or mac= on the rule for it, %s",
		uid, asked, request->network, given, given, permit->rule);
}

/* --- rate --------------------------------------------------------------------------------------------------------- */

/*
 * `rate=` and `rate-in=`: how fast a guest sends, and is sent to. The kernel keeps both on the tap itself, whatever the
 * number of its queues, and ends them with it.
 */

static const struct way {
	enum policy_option option;
	enum tc_side side;
	const char *config, *modules; /* what it takes of the kernel */
} ways[] = {
	{OPTION_RATE, TC_IN, "CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_BPF and CONFIG_NET_ACT_POLICE",
		"sch_ingress cls_bpf act_police"},
	{OPTION_RATE_IN, TC_OUT, "CONFIG_NET_SCH_TBF", "sch_tbf"},
};

static uint32_t kbit_of(const struct permit *permit, const struct way *way)
{
	return way->option == OPTION_RATE ? permit->options.rate : permit->options.rate_in;
}

static bool set(const struct permit *permit, const struct network *network, const struct port *port,
	const struct way *way, struct outcome *outcome)
{
	const char *word = policy_option_row(way->option)->word;
	/* There is room for filters already: apart_keep goes before. */
	int error = rate_set(network->link, port->tap, way->side, kbit_of(permit, way));

	if (error == -ENOENT || error == -EOPNOTSUPP)
		return refuse(outcome, EXIT_POLICY,
			"this kernel cannot keep '%s' of %s; an administrator can remove it, or take a kernel that has %s, or run: modprobe -a %s",
			word, permit_place(permit, way->option), way->config, way->modules);
	return !error || refuse_errno(outcome, error, "cannot set '%s' of the tap '%s'", word, port->name);
}

/* Set the rates of the tap that were permitted, behind what keeps it apart. */
static bool rate_keep(
	const struct permit *permit, const struct network *network, const struct port *port, struct outcome *outcome)
{
	bool kept = true;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && kept; i++)
		kept = !(permit->options.given & ways[i].option) || set(permit, network, port, &ways[i], outcome);
	return kept;
}

/* Whether it has them, as read back. */
static bool rate_holds(
	const struct permit *permit, const struct network *network, const struct port *port, struct outcome *outcome)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		const struct way *way = &ways[i];
		const char *word = policy_option_row(way->option)->word;
		int error;

		if (!(permit->options.given & way->option))
			continue;
		error = rate_is(network->link, port->tap, way->side, kbit_of(permit, way));
		if (error == -ENOENT)
			return refuse(outcome, EXIT_SYSTEM,
				"'%s' of the tap '%s' was switched off meanwhile; try again", word, port->name);
		if (error)
			return refuse_errno(outcome, error, "cannot read back '%s' of the tap '%s'", word, port->name);
	}
	return true;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

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

/* Set the port of a bridge up as it was permitted. */
static bool set_port(
	const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
{
	const struct permit *permit = &order->permit;
	const uint32_t given = permit->options.given;
	const struct link_port settings = settings_for(given);
	int error = settings.known ? link_set_port(network->link, port->tap, &settings) : 0;

	if (error)
		return refuse_errno(outcome, error, "cannot protect the port of the tap '%s'", port->name);
	error = given & OPTION_VLAN ? link_set_vlan(network->link, port->tap, permit->options.vlan) : 0;
	if (error)
		return refuse_errno(
			outcome, error, "cannot put the tap '%s' into VLAN %u", port->name, permit->options.vlan);
	/* Behind the VLAN: it says where the address is in the VLANs that the port is in by then. */
	return !(given & OPTION_LOCK_MAC) || lock_port(order, network, port, outcome);
}

/* Apart last but for the rates: by it `tapgate up` knows a port that is ready. */
bool protect_port(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
{
	const struct permit *permit = &order->permit;
	const bool bridged = network->bridge.index; /* no other guest's frame comes to a tap without a bridge */

	return (!bridged || set_port(order, network, port, outcome)) && apart_keep(permit, network, port, outcome) &&
	       rate_keep(permit, network, port, outcome);
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
	if (!apart_holds(permit, network, port, tap, outcome) || !rate_holds(permit, network, port, outcome))
		return false;
	return !(given & OPTION_LOCK_MAC) || lock_holds(network, port, outcome);
}
