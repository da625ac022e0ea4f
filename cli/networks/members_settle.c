/* Members of networks, put right: see members.h. Looks at nothing itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "cli/networks/bridge.h"
#include "cli/networks/members.h"
#include "cli/say.h"
#include "link/alias.h"
#include "link/fdb.h"
#include "policy/mac.h"

struct repair {
	struct session *session;
	const struct policy_network *network;
	int bridge;
	bool failed;
};

/*
 * Back on its bridge. What its port was protected with went when it left; of that the lock is written on the tap, and
 * whether it was isolated nobody knows, so that it is from now on: no guest is reached that was not before.
 */
static int put_back(struct repair *repair, const struct link_interface *tap)
{
	const struct link_change change = {.master = repair->bridge};
	const struct host *host = &repair->session->host;
	struct link_port port = {.known = LINK_PORT(IFLA_BRPORT_ISOLATED), .on = LINK_PORT(IFLA_BRPORT_ISOLATED)};
	const struct locked *lock = NULL;
	int error;

	for (size_t i = 0; i < host->locked_count; i++) {
		if (host->locked[i].tap == tap->index)
			lock = &host->locked[i];
	}
	if (lock) {
		port.known |= LINK_PORT(IFLA_BRPORT_LOCKED) | LINK_PORT(IFLA_BRPORT_LEARNING) |
			      LINK_PORT(IFLA_BRPORT_UNICAST_FLOOD);
		port.on |= LINK_PORT(IFLA_BRPORT_LOCKED);
	}
	/* Down meanwhile, so that no frame passes a port that is not protected yet. */
	error = link_change(repair->session->link, tap->index, &(struct link_change){.down = true});
	if (!error)
		error = link_change(repair->session->link, tap->index, &change);
	if (!error)
		error = link_set_port(repair->session->link, tap->index, &port);
	if (!error && lock && lock->bridge != repair->bridge) {
		struct locked here = *lock;

		here.bridge = repair->bridge;
		error = locked_mark(repair->session->link, &here);
	}
	if (!error && lock)
		error = fdb_put(repair->session->link, tap->index, lock->mac);
	return error ? error : link_change(repair->session->link, tap->index, &(struct link_change){.up = true});
}

static void come_away(struct repair *repair, const struct link_interface *tap)
{
	struct session *session = repair->session;
	const char *network = repair->network->name;
	const struct link_change leave = {.no_master = true};
	bool bridged = bridge_is_needed(repair->network);
	int error = 0;

	if (!session->dry)
		error = bridged ? put_back(repair, tap) : link_change(session->link, tap->index, &leave);
	if (error)
		repair->failed |= !session_fail(network, error, "put the tap '%s' where it belongs", tap->name);
	else if (bridged)
		session_say(session, network, "put", "put", "the tap '%s' back on its bridge, isolated", tap->name);
	else
		session_say(session, network, "took", "take", "the tap '%s' off the bridge that it was on", tap->name);
}

static void bring_up(struct repair *repair, const struct link_interface *tap)
{
	const struct link_change change = {.up = true};
	int error = repair->session->dry ? 0 : link_change(repair->session->link, tap->index, &change);

	if (error)
		repair->failed |= !session_fail(repair->network->name, error, "bring the tap '%s' up", tap->name);
	else
		session_say(repair->session, repair->network->name, "brought", "bring", "the tap '%s' up", tap->name);
}

static void remove_address(struct repair *repair, const struct trouble *trouble)
{
	const struct link_address *address = trouble->address;
	char text[INET6_ADDRSTRLEN] = "";
	int error = repair->session->dry ? 0 : link_remove_address(repair->session->link, address);

	inet_ntop(address->family, address->address, text, sizeof(text));
	if (error && error != -EADDRNOTAVAIL)
		repair->failed |= !session_fail(repair->network->name, error, "remove the address %s/%u from '%s'",
			text, address->prefix, trouble->interface->name);
	else
		session_say(repair->session, repair->network->name, "removed", "remove",
			"the address %s/%u from its port '%s'", text, address->prefix, trouble->interface->name);
}

static void remove_entry(struct repair *repair, const struct trouble *trouble)
{
	char text[MAC_TEXT];
	int error =
		repair->session->dry ? 0 : fdb_remove(repair->session->link, trouble->interface->index, trouble->mac);

	mac_text(trouble->mac, text);
	if (error == -ENOENT) /* of another VLAN, and gone with the first */
		return;
	if (error)
		repair->failed |= !session_fail(repair->network->name, error, "remove the entry for %s behind '%s'",
			text, trouble->interface->name);
	else
		session_say(repair->session, repair->network->name, "removed", "remove",
			"the entry for %s behind its port '%s'", text, trouble->interface->name);
}

static void put_right(struct repair *repair, const struct trouble *trouble)
{
	switch (trouble->kind) {
	case TROUBLE_AWAY:
		come_away(repair, trouble->interface);
		break;
	case TROUBLE_DOWN:
		bring_up(repair, trouble->interface);
		break;
	case TROUBLE_ADDRESS:
		remove_address(repair, trouble);
		break;
	case TROUBLE_ENTRY:
		remove_entry(repair, trouble);
		break;
	case TROUBLE_FOREIGN:
	case TROUBLE_UNLOCKED:
	case TROUBLE_UPPER:
		break;
	}
}

/* Found first and put right then, as the kernel is asked one thing at a time. */
struct list {
	struct trouble *troubles;
	size_t count;
	bool failed;
};

static void append(void *context, const struct trouble *trouble)
{
	struct list *list = context;
	struct trouble *more = reallocarray(list->troubles, list->count + 1, sizeof(*more));

	list->failed |= !more;
	if (!more)
		return;
	list->troubles = more;
	list->troubles[list->count++] = *trouble;
}

bool members_settle(struct session *session, const struct policy_network *network)
{
	const struct link_interface *bridge = host_interface(&session->host, network->name);
	struct repair repair = {.session = session, .network = network, .bridge = bridge ? bridge->index : 0};
	struct list list = {.troubles = NULL};

	members_each_trouble(session, network, append, &list);
	for (size_t i = 0; i < list.count; i++)
		put_right(&repair, &list.troubles[i]);
	free(list.troubles);
	return !repair.failed && (!list.failed || session_fail(network->name, ENOMEM, "look at its members"));
}

static void complain(void *context, const struct trouble *trouble)
{
	struct repair *repair = context;
	const struct link_interface *interface = trouble->interface;
	const char *name = QUOTED(((struct word){interface->name, strlen(interface->name)}));
	struct alias_tap tap;

	/* With --dry-run another network has not got its tap back. */
	if (trouble->kind == TROUBLE_FOREIGN && !(repair->session->dry && alias_read_tap(interface, &tap)))
		repair->failed |= !say_error("%s: its port %s is not a tap of the network, and whoever is behind it is "
					     "on it; take it out: ip link set %s nomaster",
			repair->network->name, name, name);
	if (trouble->kind == TROUBLE_UNLOCKED)
		repair->failed |= !say_error("%s: the tap %s was made without lock-ip, and its guest can send from any "
					     "address of the network; end its virtual machine, and start it again",
			repair->network->name, name);
	if (trouble->kind == TROUBLE_UPPER)
		repair->failed |= !say_error("%s: the interface %s stands on it, past its guard; remove it: ip link "
					     "delete %s",
			repair->network->name, name, name);
}

bool members_complain(struct session *session, const struct policy_network *network)
{
	struct repair repair = {.session = session, .network = network};

	members_each_trouble(session, network, complain, &repair);
	return !repair.failed;
}
