#include "helper/lock.h"

#include <errno.h>
#include <string.h>

#include "link/fdb.h"

/* What a bridge knows of the addresses that come into question. */
struct known {
	const unsigned char *mac; /* the one that was asked for; NULL: any of the block */
	unsigned char block[MAC_BLOCK_BYTES];
	bool taken;	     /* that one */
	bool octets[1 << 8]; /* of the block, by the last octet */
};

static void see_entry(void *context, const struct fdb_entry *entry)
{
	struct known *known = context;

	if (known->mac && memcmp(entry->mac, known->mac, MAC_BYTES) == 0)
		known->taken = true;
	if (mac_in_block(entry->mac, known->block))
		known->octets[entry->mac[MAC_BLOCK_BYTES]] = true;
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

/*
 * Of two that ask for an address at once, the kernel gives it to one (NLM_F_EXCL). Whatever the bridge knows about it,
 * learned from a frame or the host's own, keeps it from being given.
 */
static bool take(const struct network *network, const struct known *known, struct port *port, struct outcome *outcome)
{
	int error = -EEXIST;

	if (known->mac) {
		memcpy(port->mac, known->mac, MAC_BYTES);
		error = known->taken ? -EEXIST : fdb_add(network->link, port->tap, port->mac);
	} else {
		memcpy(port->mac, known->block, MAC_BLOCK_BYTES);
	}
	for (unsigned int octet = 1; !known->mac && octet < sizeof(known->octets) && error == -EEXIST; octet++) {
		port->mac[MAC_BLOCK_BYTES] = (unsigned char)octet;
		if (!known->octets[octet])
			error = fdb_add(network->link, port->tap, port->mac);
	}
	if (error == -EEXIST)
		return refuse_taken(network, port->mac, outcome);
	return !error || refuse_errno(outcome, error, "cannot lock the tap '%s' to an address", port->name);
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
	if (known.mac && memcmp(network->bridge.mac, known.mac, MAC_BYTES) == 0)
		known.taken = true;
	return take(network, &known, port, outcome);
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
		"uid %u may not have address %s on '%s': expected one of its own there, %s to %.15sff, or mac= on the "
		"rule for it, %s",
		uid, asked, request->network, given, given, permit->rule);
}
