// SPDX-License-Identifier: MIT
/* The state of a network that the policy allows, on this host. Nothing is changed. */
#include "cli/explain/explain.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dhcp/dhcp.h"
#include "link/link.h"
#include "networks/networks.h"

/* A bridge of others' has to be one, and not one that tapgate made for a network of that name once. */
static void judge_bridged(struct report *report)
{
	if (report->bridge && strcmp(report->bridge->kind, "bridge") != 0) {
		report->bridge = NULL;
		report->state = REPORT_MISSING;
		report->difference = "what has that name is not a bridge";
	} else if (report->bridge && alias_is_bridge(report->bridge)) {
		report->state = REPORT_LEFT_OVER;
		report->difference = "made for a network that the policy has no more";
	}
}

/* As the helper counts: taps with the user's number and the network's name in their alias. */
static unsigned int count_taps(const struct host *host, uid_t uid, const char *network)
{
	unsigned int count = 0;
	struct alias_tap tap;

	for (size_t i = 0; i < host->interface_count; i++)
		count += alias_read_tap(&host->interfaces[i], &tap) && tap.uid == uid &&
			 strcmp(tap.network, network) == 0;
	return count;
}

/* Those that were made persistent, and that nobody holds any more: `tapgate reap` removes them. */
static void count_orphans(const struct scene *scene, uid_t uid, struct explained *explained)
{
	for (size_t i = 0; i < scene->tap_count; i++) {
		const struct scene_tap *tap = &scene->taps[i];

		if (tap->alias.uid != uid || tap->held == HOLDING_YES ||
			strcmp(tap->alias.network, explained->report.name) != 0)
			continue;
		explained->orphans++;
		explained->seeming |= tap->held == HOLDING_UNKNOWN;
	}
}

/* --- the guest's addresses ---------------------------------------------------------------------------------------- */

struct known {
	const struct host *host;
	const unsigned char *given;   /* the rule's address */
	bool taken;		      /* that one */
	unsigned char mac[MAC_BYTES]; /* the user's block, with the last octet free */
	bool octets[1 << 8];
};

static void see_entry(void *context, const struct fdb_entry *entry)
{
	struct known *known = context;
	const struct link_interface *port = host_interface_at(known->host, entry->index);
	struct alias_tap tap;

	/* As in helper/protect.c: neither a frame nor the hardware address of a tap of ours is a claim. */
	if (memcmp(entry->mac, known->given, MAC_BYTES) == 0 &&
		(entry->fixed || entry->stays || (entry->own && !(port && alias_read_tap(port, &tap)))))
		known->taken = true;
	if (mac_in_block(entry->mac, known->mac))
		known->octets[entry->mac[MAC_BLOCK_BYTES]] = true;
}

/*
 * The address in the words for QEMU: the rule's, else the first of the user's block that the bridge does not know.
 * Where the helper locks the port to an address, it would choose the same. Elsewhere it keeps two guests from both
 * having QEMU's default.
 */
static void find_mac(struct session *session, const struct explain_who *who, struct explained *explained)
{
	const struct permit *permit = &explained->answer->permit;
	struct report *report = &explained->report;
	struct known known = {.host = &session->host, .given = permit->options.mac};

	if (permit->network.mode == MODE_STANDALONE || !mac_block(who->uid, permit->network.name, known.mac))
		return;
	if (report->bridge)
		fdb_each(session->link, report->bridge->index, see_entry, &known); /* else the helper tells */
	if (permit->options.given & OPTION_MAC) {
		mac_text(permit->options.mac, explained->mac);
		if (known.taken && !report->difference)
			report->difference = "the rule's address is taken; end the virtual machine that has it";
		return;
	}
	for (unsigned int octet = 1; octet < sizeof(known.octets); octet++) {
		if (known.octets[octet])
			continue;
		known.mac[MAC_BLOCK_BYTES] = (unsigned char)octet;
		mac_text(known.mac, explained->mac);
		return;
	}
}

static void set_addresses(const struct policy_subnet *subnet, int family, char *text, size_t size)
{
	struct link_address host = {.family = family, .prefix = subnet->prefix}, guest;
	char address[INET6_ADDRSTRLEN];

	memcpy(host.address, subnet->address, sizeof(host.address));
	if (link_other_address(&host, &guest) && inet_ntop(family, guest.address, address, sizeof(address)))
		snprintf(text, size, "%s/%u", address, guest.prefix);
}

/* Why a standalone network has no place left: each of its taps exists, in use or left behind. */
static void tell_in_way(const struct scene *scene, bool pool, struct explained *explained)
{
	bool orphans = false, seeming = false, own = true;

	for (size_t i = 0; i < scene->tap_count; i++) {
		const struct scene_tap *tap = &scene->taps[i];

		if (tap->held == HOLDING_YES || strcmp(tap->alias.network, explained->report.name) != 0)
			continue;
		orphans = true;
		seeming |= tap->held == HOLDING_UNKNOWN;
		own &= geteuid() == 0 || tap->alias.uid == getuid();
	}
	snprintf(explained->in_way, sizeof(explained->in_way), "%s",
		pool ? "none of its subnets is free" : "it has its one virtual machine already");
	if (orphans)
		snprintf(explained->in_way, sizeof(explained->in_way), "%snobody %s %s; %s: tapgate reap",
			pool ? "none of its subnets is free, and " : "", seeming ? "seems to hold" : "holds",
			pool ? "some of its taps" : "its one tap", own ? "try" : "an administrator can run");
	explained->report.difference = explained->in_way;
}

/* The guest's address on a network without a bridge, as {ip} of `tapgate run` will be: that of the first free tap. */
static void find_standalone(const struct host *host, const struct scene *scene, struct explained *explained)
{
	const struct explain_answer *answer = explained->answer;
	const struct policy_network *network = &answer->permit.network;
	const uint32_t size = policy_pool_size(network);
	struct policy_subnet ipv4 = network->ipv4, ipv6 = network->ipv6;
	char name[NAME_MAX_BYTES + 1];
	uint32_t number = size > 0;

	policy_tap_name(network, number, name);
	while (host_interface(host, name) && number < size)
		policy_tap_name(network, ++number, name);
	if (host_interface(host, name)) {
		tell_in_way(scene, size > 0, explained);
		return;
	}
	if (size)
		policy_pool_subnet(network, number, &ipv4, &ipv6);
	/* The only guest that has a line has the address of that. */
	if (ipv4.given && answer->guest_count == 1 && answer->guests[0].ipv4[0])
		snprintf(explained->guest, sizeof(explained->guest), "%s/%u", answer->guests[0].ipv4, ipv4.prefix);
	else if (ipv4.given)
		set_addresses(&ipv4, AF_INET, explained->guest, sizeof(explained->guest));
	else if (ipv6.given)
		set_addresses(&ipv6, AF_INET6, explained->guest, sizeof(explained->guest));
}

static void find_guest(const struct host *host, const struct scene *scene, struct explained *explained)
{
	const struct policy_network *network = &explained->answer->permit.network;
	if (network->mode == MODE_STANDALONE) {
		find_standalone(host, scene, explained);
	} else if (!explained->answer->partly) {
		policy_ranges_text(network, explained->guest, sizeof(explained->guest));
	}
}

/* --- words to paste ----------------------------------------------------------------------------------------------- */

/* Whether a path needs no quoting: QEMU parts options at ',', and runs a helper with blanks through a shell. */
static bool is_plain(const char *path)
{
	return strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-@") == strlen(path);
}

/*
 * With lock-mac the words tell the helper the address; QEMU runs such a command through a shell, because it has a
 * blank. If they did not, the helper would choose another address when the words are used for a second guest, and that
 * guest would be cut off without a word. So the helper refuses the second guest. A rule's mac= the helper knows
 * anyway.
 */
static void find_words(const char *helper, struct explained *explained)
{
	const struct permit *permit = &explained->answer->permit;
	const uint32_t given = permit->options.given, queues = permit->options.queues;
	const char *name = permit->network.name, *mac = explained->mac;
	bool told = (given & OPTION_LOCK_MAC) && !(given & OPTION_MAC);
	char device[64] = "";

	if (told && !*mac) /* none is free */
		return;
	text_append(device, sizeof(device), "%s%s", *mac ? ",mac=" : "", mac);
	if (is_plain(helper) && told)
		snprintf(explained->qemu, sizeof(explained->qemu),
			"-netdev bridge,id=n0,br=%s,helper=\"%s --mac=%s\" -device virtio-net-pci,netdev=n0%s", name,
			helper, mac, device);
	else if (is_plain(helper))
		snprintf(explained->qemu, sizeof(explained->qemu),
			"-netdev bridge,id=n0,br=%s,helper=%s -device virtio-net-pci,netdev=n0%s", name, helper,
			device);
	if (queues > 1 || !is_plain(helper))
		text_append(explained->run, sizeof(explained->run), "tapgate run --net %s", name);
	if (queues > 1)
		text_append(explained->run, sizeof(explained->run),
			" --queues %u -- qemu-system-x86_64 -netdev tap,id=n0,fds={fds} -device virtio-net-pci,netdev=n0,mac={mac},mq=on,vectors=%u",
			queues, 2 * queues + 2);
	else if (!is_plain(helper))
		text_append(explained->run, sizeof(explained->run),
			" -- qemu-system-x86_64 -netdev tap,id=n0,fd={fd} -device virtio-net-pci,netdev=n0,mac={mac}");
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

void explain_find(struct session *session, const struct scene *scene, const struct explain_who *who, const char *helper,
	struct explained *explained)
{
	const struct policy_network *network = &explained->answer->permit.network;

	explained->report = report_make(session, network, network->name);
	if (!policy_is_managed(network))
		judge_bridged(&explained->report);
	explained->used = count_taps(&session->host, who->uid, network->name);
	count_orphans(scene, who->uid, explained);
	find_mac(session, who, explained);
	find_guest(&session->host, scene, explained);
	find_words(helper, explained);
}

/* The value of an option that is granted, as text; empty: it has none. */
static void value_of(const struct permit *permit, const struct policy_option_row *row, char value[static MAC_TEXT])
{
	struct policy_options options = permit->options;

	*value = '\0';
	if (!options.mtu) /* a bridge of tapgate's own has the MTU of its line, and taps follow it */
		options.mtu = permit->network.options.mtu;
	if (row->value == VALUE_MAC)
		mac_text(options.mac, value);
	else if (row->value == VALUE_RATE)
		policy_rate_text(*policy_option_at(row, &options), value);
	else if (row->value == VALUE_NUMBER)
		snprintf(value, MAC_TEXT, "%u", *policy_option_at(row, &options));
}

void explain_each_grant(const struct permit *permit,
	void (*each)(void *context, const char *word, const char *value, enum permit_source by), void *context)
{
	const uint32_t given = permit->options.given | permit->network.options.given;

	for (uint32_t left = given; left; left &= left - 1) {
		const struct policy_option_row *row = policy_option_row(left);
		char value[MAC_TEXT];

		if (!row->granted)
			continue;
		value_of(permit, row, value);
		each(context, row->word, value, permit_source(permit, (enum policy_option)(left & -left)));
	}
}
