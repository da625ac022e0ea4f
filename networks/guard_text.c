// SPDX-License-Identifier: MIT
/*
 * A network's guard as a text: the templates of its mode and of what its line asks for (etc/guard), filled in.
 * Reads and changes nothing in the kernel; that is for guard.c.
 */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guards.h"
#include "link/link.h"

static const char *template_of(enum policy_mode mode)
{
	switch (mode) {
	case MODE_NAT:
		return nat_guard;
	case MODE_SHARED:
	case MODE_ROUTED:
		return routed_guard;
	case MODE_HOST_ONLY:
		return host_only_guard;
	case MODE_INTERNAL:
		return internal_guard;
	case MODE_STANDALONE:
		return standalone_guard;
	case MODE_BRIDGED:
		break;
	}
	return "";
}

/* Whether its bridge has addresses of the host's; on a standalone network the mode's own template looks at sources. */
static bool has_sources(enum policy_mode mode)
{
	return mode == MODE_NAT || mode == MODE_SHARED || mode == MODE_ROUTED || mode == MODE_HOST_ONLY;
}

static bool write_subnet(FILE *out, int family, const struct policy_subnet *subnet)
{
	char text[INET6_ADDRSTRLEN];

	if (!subnet->given || !inet_ntop(family, subnet->address, text, sizeof(text)))
		return false;
	fprintf(out, "%s/%u", text, subnet->prefix);
	return true;
}

static bool write_host(FILE *out, int family, const struct policy_subnet *subnet)
{
	char text[INET6_ADDRSTRLEN];

	return subnet->given && inet_ntop(family, subnet->address, text, sizeof(text)) && fputs(text, out) >= 0;
}

/* The server that guests boot from, if it is beyond a host that speaks in their place; family 0: there is none. */
static struct policy_server boot_server(const struct policy_network *network)
{
	struct policy_server server = {.family = 0};
	struct word rest = network->served.boot, file;

	if (!network->policy || !rest.at || (network->mode != MODE_NAT && network->mode != MODE_SHARED) ||
		!word_cut(&rest, '@', &file) || !rest.at || !policy_next_server(&rest, &server) ||
		policy_prefixes_overlap(server.address, 32, network->ipv4.address, network->ipv4.prefix))
		server.family = 0;
	return server;
}

static bool write_server(FILE *out, const struct policy_network *network)
{
	const struct policy_server server = boot_server(network);
	char text[INET_ADDRSTRLEN];

	return server.family && inet_ntop(AF_INET, server.address, text, sizeof(text)) && fputs(text, out) >= 0;
}

/* "tcp dport 8022 dnat ip to 10.77.0.20:22", of one family; what cannot be is said by the policy's loader. */
static void write_forward(FILE *out, const struct policy_forward *forward, int family)
{
	const unsigned char *guest = family == AF_INET ? forward->guest->ipv4 : forward->guest->ipv6;
	const char *word = family == AF_INET ? "ip" : "ip6", *protocol = forward->udp ? "udp" : "tcp";
	char on[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN];

	if (!(family == AF_INET ? forward->ipv4 : forward->ipv6) || !inet_ntop(family, guest, address, sizeof(address)))
		return;
	fprintf(out, "\t\t%s saddr != %s ", word, address);
	if (forward->on_family && inet_ntop(family, forward->on, on, sizeof(on)))
		fprintf(out, "%s daddr %s ", word, on);
	fprintf(out, "%s dport %u", protocol, forward->first);
	if (forward->last != forward->first)
		fprintf(out, "-%u", forward->last);
	fprintf(out, family == AF_INET6 && forward->to ? " dnat %s to [%s]" : " dnat %s to %s", word, address);
	if (forward->to)
		fprintf(out, ":%u", forward->to);
	fprintf(out, " comment \"%s\"\n", forward->guest->name);
}

/* The number that stands for a name; false if it is none. place: see write_line. */
static bool number_of(const struct policy_network *network, unsigned int place, struct word name, unsigned int *number)
{
	if (word_is(name, "step"))
		*number = place ^ (place - 1);
	else if (word_is(name, "group"))
		*number = guard_lock_group(network->name);
	else if (word_is(name, "lease"))
		*number = policy_lease(network);
	else if (word_is(name, "places"))
		*number = policy_leases(network);
	else if (word_is(name, "requests"))
		*number = policy_leases(network) > 4 ? policy_leases(network) * 4 : 16;
	else if (word_is(name, "room"))
		*number = neighbours_room(network);
	else
		return false;
	return true;
}

/* Whether a name stands for the network's own, and the network is what it is about. */
static bool is_name(const struct policy_network *network, struct word name)
{
	const bool isolated = network->options.given & OPTION_ISOLATED,
		   leads_out = policy_mode_leads_out(network->mode);

	return word_is(name, "name") || (word_is(name, "closed") && network->mode == MODE_SHARED) ||
	       (word_is(name, "isolated") && isolated) || (word_is(name, "inner") && !leads_out) ||
	       (word_is(name, "apart") && (policy_mode_is_apart(network->mode) || isolated));
}

/* What stands for a name between two '@'; false if the network has no such thing. place: see write_line. */
static bool write_value(FILE *out, const struct policy_network *network, unsigned int place, struct word name)
{
	char table[GUARD_TABLE_MAX];
	unsigned int number;

	guard_table(network->name, table);
	if (number_of(network, place, name, &number))
		return fprintf(out, "%u", number) > 0;
	if (word_is(name, "table"))
		return fputs(table, out) >= 0;
	if (is_name(network, name))
		return fputs(network->name, out) >= 0;
	if (word_is(name, "mode"))
		return fputs(policy_mode_name(network->mode), out) >= 0;
	if (word_is(name, "taps"))
		return fprintf(out, "%s%s", network->name, policy_pool_size(network) ? "-*" : "") > 0;
	if (word_is(name, "host4"))
		return write_host(out, AF_INET, &network->ipv4);
	if (word_is(name, "host6"))
		return write_host(out, AF_INET6, &network->ipv6);
	if (word_is(name, "server"))
		return write_server(out, network);
	if (word_is(name, "ipv4"))
		return write_subnet(out, AF_INET, &network->ipv4);
	return word_is(name, "ipv6") && write_subnet(out, AF_INET6, &network->ipv6);
}

/*
 * One line of a template, with the values in; nothing if it names one that the network has not. A line with a step
 * stands once for each place that a port has (leases=).
 */
static void write_line(
	FILE *out, const struct policy_network *network, unsigned int place, const char *line, size_t size)
{
	long start = ftell(out);
	const char *end = line + size, *mark;

	while ((mark = memchr(line, '@', (size_t)(end - line)))) {
		/* What has anything else in it is nft's own: a set's name, a place in a header. */
		size_t name = strspn(mark + 1, "abcdefghijklmnopqrstuvwxyz0123456789");
		bool value = mark[1 + name] == '@';

		fwrite(line, 1, (size_t)(mark - line) + !value, out);
		line = mark + 1 + (value ? name + 1 : 0);
		if (value && !write_value(out, network, place, (struct word){mark + 1, name})) {
			fseek(out, start, SEEK_SET);
			return;
		}
	}
	fwrite(line, 1, (size_t)(end - line), out);
}

static void write_forwards(FILE *out, const struct policy_network *network)
{
	for (const struct policy_forward *forward = NULL; (forward = policy_next_forward(network, forward));) {
		write_forward(out, forward, AF_INET);
		write_forward(out, forward, AF_INET6);
	}
}

static void write_template(FILE *out, const struct policy_network *network, const char *text)
{
	static const char step[] = "@step@", ways[] = "@forward@";
	const char *end;

	for (const char *line = text; *line; line = end) {
		unsigned int times = 1;

		end = line + strcspn(line, "\n") + 1;
		if (*line != '#' && memmem(line, (size_t)(end - line), ways, sizeof(ways) - 1)) {
			write_forwards(out, network);
			continue;
		}
		if (memmem(line, (size_t)(end - line), step, sizeof(step) - 1))
			times = policy_leases(network);
		for (unsigned int i = 1; i <= times; i++)
			write_line(out, network, i, line, (size_t)(end - line));
	}
}

static void write_bytes(FILE *out, const unsigned char *bytes, size_t size)
{
	fputs("0x", out);
	for (size_t i = 0; i < size; i++)
		fprintf(out, "%02x", bytes[i]);
}

void guard_write_given(FILE *out, const struct policy_network *network, const struct guard_given *given)
{
	char table[GUARD_TABLE_MAX];
	uint32_t end;

	guard_table(network->name, table);
	fprintf(out, "add element bridge %s %s%s { ", table, given->fixed ? "fixed" : "given", given->ipv6 ? "6" : "");
	write_bytes(out, given->mac, MAC_BYTES);
	fputs(" . ", out);
	write_bytes(out, given->address, given->ipv6 ? 16 : 4);
	fputs(" }\n", out);
	if (given->fixed)
		return;
	memcpy(&end, given->mac + 2, sizeof(end)); /* a packet's priority is in the order of this machine's bytes */
	fprintf(out, "add element bridge %s owners%s { ", table, given->ipv6 ? "6" : "");
	write_bytes(out, given->address, given->ipv6 ? 16 : 4);
	fprintf(out, " : 0x%x }\n", end);
}

/* With lock-ip: what guest lines give to hardware addresses, whether these ask for it or not. */
static void write_fixed(FILE *out, const struct policy_network *network)
{
	for (const struct policy_guest *guest = NULL; (guest = policy_next_guest(network, guest));) {
		const uint32_t given = guest->options.given;

		if ((given & OPTION_MAC) && (given & OPTION_IP))
			guard_write_given(
				out, network, &(struct guard_given){guest->options.mac, guest->ipv4, false, true});
		if ((given & OPTION_MAC) && (given & OPTION_IP6))
			guard_write_given(
				out, network, &(struct guard_given){guest->options.mac, guest->ipv6, true, true});
	}
}

char *guard_text(const struct policy_network *network)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	write_template(out, network, template_of(network->mode));
	if (has_sources(network->mode))
		write_template(out, network, sources_guard);
	if (policy_next_forward(network, NULL))
		write_template(out, network, forward_guard);
	if (policy_next_forward(network, NULL) && network->mode == MODE_STANDALONE)
		write_template(out, network, absent_guard);
	if (policy_has_server(network))
		write_template(out, network, network->mode == MODE_STANDALONE ? alone_guard : dhcp_guard);
	if (boot_server(network).family)
		write_template(out, network, boot_guard);
	if (policy_locks_ip(network)) {
		write_template(out, network, lock_ip_guard);
		write_fixed(out, network);
	}
	/* What a line that was taken back left behind it is not the text's. */
	fflush(out);
	size = (size_t)ftell(out);
	if (fclose(out) != 0 || !text) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}
