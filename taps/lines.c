// SPDX-License-Identifier: MIT
/*
 * Guests by the policy's `guest` lines, on networks where nothing else knows them by name: those without a name server
 * of their own (policy_has_names). What a line says is as good as what the guest says: who has that hardware address,
 * or that address, is called so.
 */
#include "taps/taps.h"

#include <string.h>

#include "tool/tool.h"

static bool has_address(const struct scene_guest *guest, int family, const unsigned char *address)
{
	for (size_t i = 0; i < guest->address_count; i++) {
		if (guest->addresses[i].family == family &&
			(!address || memcmp(guest->addresses[i].address, address, family == AF_INET ? 4 : 16) == 0))
			return true;
	}
	return false;
}

/* By its hardware address, if the line has one; else by an address of the line's that the host has heard from it. */
static bool is_meant(const struct scene_guest *guest, const struct policy_guest *line)
{
	const uint32_t given = line->options.given;

	if (strcmp(guest->network, line->network->name) != 0)
		return false;
	if (given & OPTION_MAC)
		return guest->has_mac && memcmp(guest->mac, line->options.mac, MAC_BYTES) == 0;
	return ((given & OPTION_IP) && has_address(guest, AF_INET, line->ipv4)) ||
	       ((given & OPTION_IP6) && has_address(guest, AF_INET6, line->ipv6));
}

/* Where the host has heard none of a family, the line's counts. */
static void take_line(struct scene_guest *guest, const struct policy_guest *line)
{
	unsigned char ipv4[16] = {0};

	memcpy(ipv4, line->ipv4, sizeof(line->ipv4));
	memcpy(guest->name, line->name, sizeof(line->name));
	if ((line->options.given & OPTION_IP) && !has_address(guest, AF_INET, NULL))
		guests_add_address(guest, AF_INET, ipv4, ADDRESS_OF_LINE);
	if ((line->options.given & OPTION_IP6) && !has_address(guest, AF_INET6, NULL))
		guests_add_address(guest, AF_INET6, line->ipv6, ADDRESS_OF_LINE);
}

void scene_add_lines(struct scene *scene, const struct policy *policy)
{
	size_t count = 0;
	const struct policy_network *networks = policy ? policy_networks(policy, &count) : NULL;

	for (size_t i = 0; i < count; i++) {
		const struct policy_guest *line = NULL;

		while (!policy_has_names(&networks[i]) && (line = policy_next_guest(&networks[i], line))) {
			struct scene_guest *guest;
			bool found = false;

			for (size_t j = 0; j < scene->guest_count; j++) {
				if (is_meant(&scene->guests[j], line)) {
					take_line(&scene->guests[j], line);
					found = true;
				}
			}
			guest = found ? NULL
				      : guests_add(scene, 0, 0, line->network->name,
						(line->options.given & OPTION_MAC) ? line->options.mac : NULL);
			if (guest)
				take_line(guest, line);
		}
	}
}
