/* The address of a guest on a tap that stands alone: it follows from the host's, which the tap carries. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/run/launch.h"
#include "cli/say.h"

enum { PATIENCE = 16 }; /* how often a list that changed while it was read is read again */

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
	for (int i = 0; !error && i < PATIENCE; i++) {
		*search = (struct search){.index = interface.index};
		error = link_each_address(link, take, search);
		if (error != -EAGAIN)
			break;
		error = 0;
	}
	link_close(link);
	return error;
}

/*
 * Set an address to the first of its subnet, or to the next one. The subnet's own is none (RFC 4291, 2.6.1, for IPv6),
 * unless there are but two (RFC 3021, RFC 6164).
 */
static void set_host_bits(struct link_address *address, unsigned int bits, unsigned int number)
{
	for (unsigned int bit = address->prefix; bit < bits; bit++)
		address->address[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	address->address[bits / 8 - 1] |= (unsigned char)number;
}

bool launch_other_address(const struct link_address *host, struct link_address *guest)
{
	unsigned int bits = host->family == AF_INET ? 32 : 128;
	unsigned int first = bits - host->prefix == 1 ? 0 : 1;

	if (host->prefix >= bits)
		return false;
	*guest = *host;
	set_host_bits(guest, bits, first);
	if (memcmp(guest->address, host->address, bits / 8) == 0)
		set_host_bits(guest, bits, first + 1);
	return true;
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
		return say_error("{ip}: network '%s' fixes no address of its guests, only a standalone one does; "
				 "guests get theirs by DHCP, or by hand",
			net->network);
	if (!launch_other_address(&search.address, &guest) ||
		!inet_ntop(guest.family, guest.address, address, sizeof(address)))
		return say_error("{ip}: the subnet of network '%s' has no address beside the host's", net->network);
	snprintf(text, 64, "%s/%u", address, guest.prefix);
	return true;
}
