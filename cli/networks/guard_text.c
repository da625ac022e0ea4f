#include "cli/networks/guard_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guards.h"
#include "link/guard.h"

static const char *template_of(enum policy_mode mode)
{
	switch (mode) {
	case MODE_NAT:
		return nat_guard;
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

static bool write_subnet(FILE *out, int family, const struct policy_subnet *subnet)
{
	char text[INET6_ADDRSTRLEN];

	if (!subnet->given || !inet_ntop(family, subnet->address, text, sizeof(text)))
		return false;
	fprintf(out, "%s/%u", text, subnet->prefix);
	return true;
}

static bool write_host(FILE *out, const struct policy_subnet *subnet)
{
	char text[INET_ADDRSTRLEN];

	return subnet->given && inet_ntop(AF_INET, subnet->address, text, sizeof(text)) && fputs(text, out) >= 0;
}

/* What stands for a name between two '@'; false if the network has no such thing. place: see write_line. */
static bool write_value(
	FILE *out, const struct policy_network *network, unsigned int place, const char *name, size_t size)
{
	char table[GUARD_TABLE_MAX];

	guard_table(network->name, table);
	if (size == 5 && memcmp(name, "table", size) == 0)
		return fputs(table, out) >= 0;
	if (size == 4 && memcmp(name, "name", size) == 0)
		return fputs(network->name, out) >= 0;
	if (size == 8 && memcmp(name, "isolated", size) == 0)
		return (network->options.given & OPTION_ISOLATED) && fputs(network->name, out) >= 0;
	if (size == 4 && memcmp(name, "step", size) == 0)
		return fprintf(out, "%u", place ^ (place - 1)) > 0;
	if (size == 6 && memcmp(name, "places", size) == 0)
		return fprintf(out, "%u", policy_leases(network)) > 0;
	if (size == 8 && memcmp(name, "requests", size) == 0)
		return fprintf(out, "%u", policy_leases(network) > 4 ? policy_leases(network) * 4 : 16) > 0;
	if (size == 4 && memcmp(name, "taps", size) == 0)
		return fprintf(out, "%s%s", network->name, policy_pool_size(network) ? "-*" : "") > 0;
	if (size == 5 && memcmp(name, "host4", size) == 0)
		return write_host(out, &network->ipv4);
	if (size == 4 && memcmp(name, "ipv4", size) == 0)
		return write_subnet(out, AF_INET, &network->ipv4);
	return size == 4 && memcmp(name, "ipv6", size) == 0 && write_subnet(out, AF_INET6, &network->ipv6);
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
		if (value && !write_value(out, network, place, mark + 1, name)) {
			fseek(out, start, SEEK_SET);
			return;
		}
	}
	fwrite(line, 1, (size_t)(end - line), out);
}

static void write_template(FILE *out, const struct policy_network *network, const char *text)
{
	static const char step[] = "@step@";
	const char *end;

	for (const char *line = text; *line; line = end) {
		unsigned int times = 1;

		end = line + strcspn(line, "\n") + 1;
		if (memmem(line, (size_t)(end - line), step, sizeof(step) - 1))
			times = policy_leases(network);
		for (unsigned int i = 1; i <= times; i++)
			write_line(out, network, i, line, (size_t)(end - line));
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
	if (network->options.given & OPTION_DHCP)
		write_template(out, network, dhcp_guard);
	if (network->options.given & OPTION_LOCK_IP)
		write_template(out, network, lock_ip_guard);
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
