#include "helper/standalone.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "helper/descriptors.h"
#include "link/alias.h"

enum {
	FIRST_PAUSE = 1000, /* microseconds until names are tried again, doubled each time: two seconds in all */
	LAST_PAUSE = 1024000,
};

/* --- the name ---------------------------------------------------------------------------------------------------- */

static bool is_taken(int error)
{
	return error == -EBUSY || error == -EINVAL;
}

/*
 * Try the names in turn until the kernel does not refuse. One that is taken costs less than a microsecond; a list of
 * what is taken would cost five for each interface of the host's.
 */
static int try_names(const struct policy_network *network, const struct tap_kind *kind, uid_t uid, struct port *port)
{
	const uint32_t size = policy_pool_size(network);
	char name[NAME_MAX_BYTES + 1];
	int error = -EBUSY;

	for (uint32_t number = size > 0; number <= size && is_taken(error); number++) {
		policy_tap_name(network, number, name);
		error = tap_make(FD_TAP, kind, name, uid, port->name);
		port->number = number;
	}
	return error;
}

/* Who has the names of a network. */
struct holders {
	const char *network;
	unsigned int ours;    /* its taps */
	unsigned int passing; /* taps that may be withdrawn yet: candidates for a limit, and what has no alias yet */
};

static void see_holder(void *context, const struct link_interface *tap)
{
	struct holders *holders = context;
	size_t size = strlen(holders->network);
	struct alias_tap alias;

	if (strncmp(tap->name, holders->network, size) != 0 || (tap->name[size] && tap->name[size] != '-') ||
		strcmp(tap->kind, "tun") != 0)
		return;
	if (!tap->alias[0]) {
		holders->passing++;
	} else if (alias_read_tap(tap, &alias) && strcmp(alias.network, holders->network) == 0) {
		holders->ours++;
		holders->passing += alias.before;
	}
}

static int find_holders(struct link *link, const struct policy_network *network, struct holders *holders)
{
	struct link_interface tap;
	int error;

	*holders = (struct holders){.network = network->name};
	if (policy_pool_size(network)) {
		error = link_each(link, "tun", see_holder, holders);
		holders->passing += error == -EAGAIN;
		return error == -EAGAIN ? 0 : error;
	}
	error = link_by_name(link, network->name, &tap);
	if (!error)
		see_holder(holders, &tap);
	holders->passing += error == -ENODEV; /* gone just now, unless it is an alternative name */
	return error == -ENODEV ? 0 : error;
}

static bool refuse_taken(const struct policy_network *network, const struct holders *holders, struct outcome *outcome)
{
	const char *name = network->name;

	if (policy_pool_size(network))
		return refuse(outcome, EXIT_LIMIT,
			"network '%s' has none of its %u subnets free; end a virtual machine there first", name,
			policy_pool_size(network));
	if (holders->ours)
		return refuse(outcome, EXIT_LIMIT,
			"network '%s' has its one virtual machine already: interface '%s'; end that one first, or an "
			"administrator can run: ip link delete %s",
			name, name, name);
	return refuse(outcome, EXIT_SYSTEM,
		"network '%s' cannot have its tap: another interface has the name '%s'; an administrator can rename "
		"one of the two",
		name, name);
}

/*
 * Whoever has a name has it for good, but for a tap that is made at this moment: it may be over a limit and go again.
 * So a refusal waits for those, and not for long.
 */
int standalone_make_tap(struct link *link, const struct permit *permit, const struct tap_kind *kind, uid_t uid,
	struct port *port, struct outcome *outcome)
{
	const struct policy_network *network = &permit->network;
	struct holders holders;
	int error, reason;

	for (long pause = FIRST_PAUSE;; pause *= 2) {
		error = try_names(network, kind, uid, port);
		if (!is_taken(error))
			return error;
		reason = find_holders(link, network, &holders);
		if (reason)
			return reason;
		if (!holders.passing || pause > LAST_PAUSE) {
			refuse_taken(network, &holders, outcome);
			return error;
		}
		nanosleep(&(struct timespec){.tv_sec = pause / 1000000, .tv_nsec = pause % 1000000 * 1000}, NULL);
	}
}

/* --- the addresses ----------------------------------------------------------------------------------------------- */

/* The host's addresses of the tap's subnet; returns how many there are. */
static size_t addresses_of(
	const struct permit *permit, const struct port *port, struct link_address addresses[static 2])
{
	struct policy_subnet subnets[2] = {permit->network.ipv4, permit->network.ipv6};
	size_t count = 0;

	if (port->number)
		policy_pool_subnet(&permit->network, port->number, &subnets[0], &subnets[1]);
	for (size_t i = 0; i < 2; i++) {
		struct link_address *address = &addresses[count];

		if (!subnets[i].given)
			continue;
		*address = (struct link_address){
			.index = port->tap, .family = i ? AF_INET6 : AF_INET, .prefix = subnets[i].prefix};
		memcpy(address->address, subnets[i].address, sizeof(address->address));
		count++;
	}
	return count;
}

bool standalone_add_addresses(
	struct link *link, const struct permit *permit, const struct port *port, struct outcome *outcome)
{
	struct link_address addresses[2];
	size_t count = addresses_of(permit, port, addresses);

	for (size_t i = 0; i < count; i++) {
		int error = link_add_address(link, &addresses[i]);

		if (error)
			return refuse_errno(outcome, error, "cannot give the tap '%s' its IPv%c address", port->name,
				addresses[i].family == AF_INET ? '4' : '6');
	}
	return true;
}

/*
 * Asked by adding each of them again: the kernel must refuse it, as it is there. A list of all addresses of the host's
 * would take the longer the more taps there are. (Where it does not refuse, the address goes with the tap.)
 */
bool standalone_has_addresses(
	struct link *link, const struct permit *permit, const struct port *port, struct outcome *outcome)
{
	struct link_address addresses[2];
	size_t count = addresses_of(permit, port, addresses);

	for (size_t i = 0; i < count; i++) {
		int error = link_add_address(link, &addresses[i]);

		if (!error)
			return refuse(outcome, EXIT_SYSTEM, "the tap of network '%s' was changed meanwhile; try again",
				permit->network.name);
		if (error != -EEXIST)
			return refuse_errno(
				outcome, error, "cannot read back the addresses of the tap '%s'", port->name);
	}
	return true;
}
