// SPDX-License-Identifier: MIT
/*
 * The guests behind taps. A bridge knows which hardware address is behind which tap once the guest has sent something,
 * and forgets it 5 minutes after the last frame by default; for a tap without a bridge the host's neighbours tell.
 * Leases and the host's neighbours tell the IP addresses. Guests choose what they send, so all this is what they
 * claim. Only a port that is locked to an address (lock-mac) leaves them no choice.
 */
#include "taps/taps.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp/dhcp.h"
#include "link/link.h"
#include "tool/tool.h"

/* What is being looked at. */
struct survey {
	struct link *link;
	struct scene *scene;
	const char *network; /* whose leases are read */
	struct bridge {
		int index;
		char network[IFNAMSIZ];
	} * bridges; /* that `tapgate up` made: who is on one is a guest, behind whichever port */
	size_t bridge_count;
};

/* --- lists -------------------------------------------------------------------------------------------------------- */

/* Add a guest behind a tap (0: not known), by its hardware address (NULL: not known); NULL: memory ran out. */
static struct scene_guest *add_guest(
	struct scene *scene, int tap, int wire, const char *network, const unsigned char *mac)
{
	struct scene_guest *guests = scene_grow(scene->guests, &scene->guest_count, sizeof(*guests)), *guest;

	if (!guests) {
		scene->failed = true;
		return NULL;
	}
	scene->guests = guests;
	guest = &guests[scene->guest_count - 1];
	guest->tap = tap;
	guest->wire = wire;
	memcpy(guest->network, network, sizeof(guest->network));
	if (mac) {
		guest->has_mac = true;
		memcpy(guest->mac, mac, MAC_BYTES);
	}
	return guest;
}

static bool is_link_local(const struct scene_address *address)
{
	return address->family == AF_INET6 && address->address[0] == 0xfe && (address->address[1] & 0xc0) == 0x80;
}

/* IPv4, IPv6, link-local; among themselves by number. */
static int compare_addresses(const void *first, const void *second)
{
	const struct scene_address *a = first, *b = second;

	if (a->family != b->family)
		return a->family == AF_INET ? -1 : 1;
	if (is_link_local(a) != is_link_local(b))
		return is_link_local(b) ? -1 : 1;
	return memcmp(a->address, b->address, sizeof(a->address));
}

enum address_source { ADDRESS_HEARD, ADDRESS_LEASED, ADDRESS_OF_LINE };

/* Add an address, network byte order in 16 bytes, or note that it is known by another source, too. */
static void add_address(struct scene_guest *guest, int family, const unsigned char *bytes, enum address_source source)
{
	struct scene_address address = {.family = family};
	size_t i = 0;

	memcpy(address.address, bytes, sizeof(address.address));
	if (is_link_local(&address))
		address.zone = guest->wire;
	while (i < guest->address_count && compare_addresses(&guest->addresses[i], &address) != 0)
		i++;
	if (i == SCENE_ADDRESSES_MAX)
		return;
	if (i == guest->address_count) {
		guest->address_count++;
		guest->addresses[i] = address;
	}
	guest->addresses[i].leased |= source == ADDRESS_LEASED;
	guest->addresses[i].heard |= source == ADDRESS_HEARD;
	qsort(guest->addresses, guest->address_count, sizeof(*guest->addresses), compare_addresses);
}

/* Whether a guest has an address of a family, NULL: any. */
static bool has_address(const struct scene_guest *guest, int family, const unsigned char *address)
{
	for (size_t i = 0; i < guest->address_count; i++) {
		if (guest->addresses[i].family == family &&
			(!address || memcmp(guest->addresses[i].address, address, family == AF_INET ? 4 : 16) == 0))
			return true;
	}
	return false;
}

static struct scene_guest *find_on_wire(struct scene *scene, int wire, const unsigned char *mac)
{
	for (size_t i = 0; i < scene->guest_count; i++) {
		struct scene_guest *guest = &scene->guests[i];

		if (guest->wire == wire && guest->has_mac && memcmp(guest->mac, mac, MAC_BYTES) == 0)
			return guest;
	}
	return NULL;
}

/* --- what bridges know -------------------------------------------------------------------------------------------- */

static void add_behind(struct survey *survey, struct scene_tap *tap, const unsigned char *mac)
{
	unsigned int count = 0;

	for (size_t i = 0; i < survey->scene->guest_count; i++) {
		const struct scene_guest *guest = &survey->scene->guests[i];

		if (guest->tap != tap->interface.index)
			continue;
		if (memcmp(guest->mac, mac, MAC_BYTES) == 0)
			return; /* in another VLAN */
		count++;
	}
	if (count == SCENE_GUESTS_MAX)
		tap->unkept++;
	else
		add_guest(survey->scene, tap->interface.index,
			tap->interface.master ? tap->interface.master : tap->interface.index, tap->alias.network, mac);
}

/* The age of the entry for the port's own address is how long it has been a port with that address. */
static void take_entry(void *context, const struct fdb_entry *entry)
{
	struct survey *survey = context;
	struct scene_tap *tap = (struct scene_tap *)(uintptr_t)scene_tap_at(survey->scene, entry->index);

	if (!tap)
		return;
	if (!entry->own)
		add_behind(survey, tap, entry->mac);
	else if (entry->aged && memcmp(entry->mac, tap->interface.mac, MAC_BYTES) == 0 && entry->age > tap->age)
		tap->age = entry->age;
}

static int ask_bridges(struct survey *survey)
{
	const struct scene *scene = survey->scene;

	for (size_t i = 0; i < scene->tap_count; i++) {
		int bridge = scene->taps[i].interface.master, error;
		bool asked = bridge == 0;

		for (size_t j = 0; j < i; j++)
			asked |= scene->taps[j].interface.master == bridge;
		error = asked ? 0 : fdb_each(survey->link, bridge, take_entry, survey);
		if (error && error != -ENODEV)
			return error;
	}
	return 0;
}

static void add_bridge(void *context, const struct link_interface *interface)
{
	struct survey *survey = context;
	struct bridge *bridges;

	if (!alias_is_bridge(interface))
		return;
	bridges = scene_grow(survey->bridges, &survey->bridge_count, sizeof(*bridges));
	if (!bridges) {
		survey->scene->failed = true;
		return;
	}
	survey->bridges = bridges;
	bridges += survey->bridge_count - 1;
	bridges->index = interface->index;
	memcpy(bridges->network, interface->name, sizeof(bridges->network));
}

/* --- what the host knows ------------------------------------------------------------------------------------------ */

/* On a bridge that tapgate did not make, a neighbour of the host may be any machine of the LAN: it is no guest then. */
static void take_neighbour(void *context, const struct neighbour *neighbour)
{
	struct survey *survey = context;
	struct scene_tap *tap = (struct scene_tap *)(uintptr_t)scene_tap_at(survey->scene, neighbour->index);
	struct scene_guest *guest;

	if (tap && !tap->interface.master)
		add_behind(survey, tap, neighbour->mac);
	guest = find_on_wire(survey->scene, neighbour->index, neighbour->mac);
	for (size_t i = 0; !guest && i < survey->bridge_count; i++) {
		if (survey->bridges[i].index == neighbour->index)
			guest = add_guest(
				survey->scene, 0, neighbour->index, survey->bridges[i].network, neighbour->mac);
	}
	if (guest)
		add_address(guest, neighbour->family, neighbour->address, ADDRESS_HEARD);
}

/* --- what leases say ---------------------------------------------------------------------------------------------- */

/* By its hardware address; else by an address that it has; else by its name, which dnsmasq gives to one guest only. */
static struct scene_guest *find_by_lease(struct survey *survey, const struct lease *lease)
{
	struct scene_guest *found = NULL;
	int best = 0;

	for (size_t i = 0; i < survey->scene->guest_count; i++) {
		struct scene_guest *guest = &survey->scene->guests[i];
		bool both = lease->has_mac && guest->has_mac;
		bool same = both && memcmp(guest->mac, lease->mac, MAC_BYTES) == 0;
		int rank = *lease->name && strcmp(guest->name, lease->name) == 0;

		/* An identifier of DHCPv6 may be made of another card's address (RFC 8415, 11.1). */
		if (strcmp(guest->network, survey->network) != 0 || (both && !same && lease->family == AF_INET))
			continue;
		if (has_address(guest, lease->family, lease->address))
			rank = 2;
		if (same)
			rank = guest->tap ? 4 : 3;
		if (rank > best) {
			best = rank;
			found = guest;
		}
	}
	return found;
}

static void take_lease(void *context, const struct lease *lease)
{
	struct survey *survey = context;
	struct scene_guest *guest = find_by_lease(survey, lease);
	int wire = 0;

	for (size_t i = 0; i < survey->bridge_count; i++) {
		if (strcmp(survey->bridges[i].network, survey->network) == 0)
			wire = survey->bridges[i].index;
	}
	if (!guest)
		guest = add_guest(survey->scene, 0, wire, survey->network, lease->has_mac ? lease->mac : NULL);
	if (!guest)
		return;
	add_address(guest, lease->family, lease->address, ADDRESS_LEASED);
	if (*lease->name)
		memcpy(guest->name, lease->name, sizeof(guest->name));
}

static void take_record(struct scene *scene, const char *network, const struct name_record *record)
{
	for (size_t i = 0; i < scene->guest_count; i++) {
		struct scene_guest *guest = &scene->guests[i];

		if (!guest->has_mac || memcmp(guest->mac, record->mac, MAC_BYTES) != 0 ||
			strcmp(guest->network, network) != 0)
			continue;
		guest->leased_behind = (int)record->port;
		if (record->kind == NAME_REFUSED)
			memcpy(guest->refused, record->name, sizeof(guest->refused));
	}
}

/* What is written down of a network, into its guests. False: memory ran out. */
static bool read_claims(struct scene *scene, const char *network)
{
	struct names names;
	bool read = names_read(network, &names);

	for (size_t i = 0; i < names.count; i++)
		take_record(scene, network, &names.records[i]);
	names_forget(&names);
	return read;
}

/* Only bridges that `tapgate up` made have a dnsmasq of ours, so only their leases are read. */
static void read_leases(struct survey *survey)
{
	for (size_t i = 0; i < survey->bridge_count; i++) {
		int error;

		survey->network = survey->bridges[i].network;
		error = leases_each(survey->network, take_lease, survey);
		if (error)
			survey->scene->no_leases = error;
		if (!read_claims(survey->scene, survey->network))
			survey->scene->failed = true;
	}
}

int guests_find(struct link *link, struct scene *scene)
{
	struct survey survey = {.link = link, .scene = scene};
	int error = link_each_of_kind(link, "bridge", add_bridge, &survey);

	if (!error || error == -EAGAIN) /* what was missed comes with the next picture */
		error = ask_bridges(&survey);
	if (!error)
		error = neighbour_each(link, take_neighbour, &survey);
	if (!error)
		read_leases(&survey);
	free(survey.bridges);
	return error;
}

/* --- claims ------------------------------------------------------------------------------------------------------- */

/*
 * What guests claim beyond what is theirs: a name that another guest of the network had first, a hardware address that
 * another one uses, too. Found out beside leases (dhcp/leases.c), told as warnings.
 */

bool claims_are_two(const struct scene *scene, const struct scene_guest *guest)
{
	return guest->tap && guest->leased_behind && guest->leased_behind != guest->tap &&
	       scene_tap_at(scene, guest->tap) && scene_tap_at(scene, guest->leased_behind);
}

void claims_warn(const struct scene *scene, const struct scene_guest *guest)
{
	const struct scene_tap *tap = guest->tap ? scene_tap_at(scene, guest->tap) : NULL;
	char mac[MAC_TEXT];

	mac_text(guest->mac, mac);
	if (*guest->refused)
		say_warning(
			"the guest %s%s%s%s asks '%s' for the name '%s', which another guest had first; it has none",
			mac, tap ? " (" : "", tap ? tap->interface.name : "", tap ? ")" : "", guest->network,
			guest->refused);
	if (claims_are_two(scene, guest))
		say_warning(
			"the hardware address %s is behind %s, and had its lease behind %s, which is still there: two guests of '%s' use it; with lock-mac there can be one",
			mac, tap ? tap->interface.name : "", scene_tap_at(scene, guest->leased_behind)->interface.name,
			guest->network);
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

/*
 * Guests by the policy's `guest` lines, on networks where nothing else knows them by name: those without a name server
 * of their own (policy_has_names). What a line says is as good as what the guest says: who has that hardware address,
 * or that address, is called so.
 */

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
		add_address(guest, AF_INET, ipv4, ADDRESS_OF_LINE);
	if ((line->options.given & OPTION_IP6) && !has_address(guest, AF_INET6, NULL))
		add_address(guest, AF_INET6, line->ipv6, ADDRESS_OF_LINE);
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
				      : add_guest(scene, 0, 0, line->network->name,
						(line->options.given & OPTION_MAC) ? line->options.mac : NULL);
			if (guest)
				take_line(guest, line);
		}
	}
}
