// SPDX-License-Identifier: MIT
/* Serves lock-mac: gives a port the one address that its guest may send from. */
#include "helper/helper.h"

#include <errno.h>
#include <string.h>

#include "link/link.h"

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

bool lock_port(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome)
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
