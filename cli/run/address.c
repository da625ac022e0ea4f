// SPDX-License-Identifier: MIT
/* Which addresses a guest has on the tap that it got. */
#include "cli/run/run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "link/link.h"
#include "tool/tool.h"

/* --- hardware address --------------------------------------------------------------------------------------------- */

/*
 * Which hardware address a guest has on the tap that it got.
 *
 * Where the helper locked the tap's port to an address, it is that one. Else any will do that is the user's and that no
 * other guest has. A bridge knows an address once its guest has sent something, so two guests that are started at once
 * would be given the same. Therefore an address that was chosen is also the name of a socket (in the abstract namespace
 * of unix(7), of which there is one for each network namespace), which the command inherits: the kernel gives a name to
 * one socket only, and takes it back with its last descriptor. Whoever takes such names to annoy wins nothing but that
 * guests which one user starts at once may share an address.
 */

/* What the bridge knows, as far as it matters here. */
struct known {
	int tap; /* index */
	bool locked;
	unsigned char
		mac[MAC_BYTES]; /* the one that the tap's port is locked to; the block, with the last octet free */
	bool octets[1 << 8];	/* of the block, by the last octet */
};

static void see_entry(void *context, const struct fdb_entry *entry)
{
	struct known *known = context;

	if (entry->index == known->tap && entry->fixed && entry->stays) {
		known->locked = true;
		memcpy(known->mac, entry->mac, MAC_BYTES);
	} else if (!known->locked && mac_in_block(entry->mac, known->mac)) {
		known->octets[entry->mac[MAC_BLOCK_BYTES]] = true;
	}
}

/* Ask the bridge that the tap is a port of; one that stands alone has none, and meets nobody. */
static int look(const struct launch_net *net, struct known *known)
{
	struct link_interface tap;
	struct link *link;
	int error = link_open(&link);

	if (error)
		return error;
	error = link_by_name(link, net->tap, &tap);
	known->tap = tap.index;
	if (!error && tap.master)
		error = fdb_each(link, tap.master, see_entry, known);
	link_close(link);
	return error;
}

/* A socket with the address as its name; -1 and EADDRINUSE: somebody has it. */
static int reserve(const unsigned char mac[static MAC_BYTES])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[MAC_TEXT];
	int fd = launch_above_standard(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), error, size;

	mac_text(mac, text);
	size = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "tapgate/%s", text);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* The first address that no guest has; `reserved` ones will do where none else is left. False: none at all. */
static bool choose(struct launch_net *net, struct known *known, bool reserved)
{
	for (unsigned int octet = 1; octet < sizeof(known->octets); octet++) {
		if (known->octets[octet])
			continue;
		known->mac[MAC_BLOCK_BYTES] = (unsigned char)octet;
		net->reservation = reserve(known->mac);
		if (net->reservation >= 0 || errno != EADDRINUSE || reserved)
			return true;
	}
	return false;
}

bool launch_tells_mac(const struct launch_net *net)
{
	unsigned char block[MAC_BYTES];

	return net->mac_given &&
	       (!net->guest || (mac_block(getuid(), net->network, block) && mac_in_block(net->mac, block)));
}

bool launch_settle_mac(struct launch_net *net)
{
	struct known known = {.locked = false};
	int error;

	if (!mac_block(getuid(), net->network, known.mac))
		return say_error("'%s' cannot be the name of a network", net->network);
	error = look(net, &known);
	if (error)
		return say_error("cannot read which addresses are taken on '%s': %s", net->network, strerror(-error));
	if (net->mac_given && !known.locked) {
		net->reservation = reserve(net->mac);
		return true;
	}
	if (net->guest && memcmp(net->mac, known.mac, MAC_BYTES) != 0)
		return say_error(
			"--mac %s: the tap is locked to another address than the guest's; an administrator can give this user a rule for '%s' with the guest's mac=",
			net->guest, net->network);
	if (!known.locked && !choose(net, &known, false) && !choose(net, &known, true))
		return say_error(
			"no hardware address of this user's on '%s' is free (%02x:%02x:%02x:%02x:%02x:..); end a virtual machine, or choose one with --mac",
			net->network, known.mac[0], known.mac[1], known.mac[2], known.mac[3], known.mac[4]);
	memcpy(net->mac, known.mac, MAC_BYTES);
	return true;
}

/* --- IP address --------------------------------------------------------------------------------------------------- */

/* The address of a guest on a tap that stands alone: it follows from the host's, which the tap carries. */

/* What is looked for: an address of the host's on an interface. */
struct search {
	int index;
	bool found;
	struct link_address address;
};

static bool is_link_local(const struct link_address *address)
{
	return address->family == AF_INET6 && address->address[0] == 0xfe && (address->address[1] & 0xc0) == 0x80;
}

static void take(void *context, const struct link_address *address)
{
	struct search *search = context;

	if (address->index != search->index || is_link_local(address) ||
		(search->found && (search->address.family == AF_INET || address->family != AF_INET)))
		return;
	search->found = true;
	search->address = *address;
}

static int find(const char *tap, struct search *search)
{
	struct link_interface interface;
	struct link *link;
	int error = link_open(&link);

	if (error)
		return error;
	error = link_by_name(link, tap, &interface);
	*search = (struct search){.index = interface.index};
	if (!error)
		error = link_each_address(link, take, search);
	link_close(link);
	return error;
}

/*
 * The address that a line of the policy gives the guest: that of the guest which was named, else of the only one of the
 * network. False: none does.
 */
static bool find_line(const struct launch_net *net, struct link_address *address)
{
	struct policy *policy = load_policy(NULL);
	const struct policy_network *network = policy ? load_find(policy, net->network) : NULL;
	const struct policy_guest *guest = network ? policy_next_guest(network, NULL) : NULL;
	const bool several = guest && policy_next_guest(network, guest), ipv4 = address->family == AF_INET;
	bool found;

	while (guest && several && !(net->guest && strcasecmp(guest->name, net->guest) == 0))
		guest = policy_next_guest(network, guest);
	found = guest && (guest->options.given & (ipv4 ? OPTION_IP : OPTION_IP6));
	if (found)
		memcpy(address->address, ipv4 ? guest->ipv4 : guest->ipv6, ipv4 ? 4 : 16);
	policy_free(policy);
	return found;
}

bool launch_guest_address(const struct launch_net *net, char text[static 64])
{
	struct search search = {.found = false};
	struct link_address guest;
	char address[INET6_ADDRSTRLEN];
	int error = find(net->tap, &search);

	if (error)
		return say_error("{ip}: cannot read the addresses of the tap '%s': %s", net->tap, strerror(-error));
	if (!search.found)
		return say_error(
			"{ip}: network '%s' fixes no address of its guests, only a standalone one does; guests get theirs by DHCP, or by hand",
			net->network);
	guest = search.address;
	if ((!find_line(net, &guest) && !link_other_address(&search.address, &guest)) ||
		!inet_ntop(guest.family, guest.address, address, sizeof(address)))
		return say_error("{ip}: the subnet of network '%s' has no address beside the host's", net->network);
	snprintf(text, 64, "%s/%u", address, guest.prefix);
	return true;
}
