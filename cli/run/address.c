// SPDX-License-Identifier: MIT
/* The address of a guest on a tap that stands alone: it follows from the host's, which the tap carries. */
#include "cli/run/run.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tool/tool.h"

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
