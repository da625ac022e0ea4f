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

/* What stands for a name between two '@'; false if the network has no such thing. */
static bool write_value(FILE *out, const struct policy_network *network, const char *name, size_t size)
{
	char table[GUARD_TABLE_MAX];

	guard_table(network->name, table);
	if (size == 5 && memcmp(name, "table", size) == 0)
		return fputs(table, out) >= 0;
	if (size == 4 && memcmp(name, "name", size) == 0)
		return fputs(network->name, out) >= 0;
	if (size == 8 && memcmp(name, "isolated", size) == 0)
		return (network->options.given & OPTION_ISOLATED) && fputs(network->name, out) >= 0;
	if (size == 4 && memcmp(name, "taps", size) == 0)
		return fprintf(out, "%s%s", network->name, policy_pool_size(network) ? "-*" : "") > 0;
	if (size == 4 && memcmp(name, "ipv4", size) == 0)
		return write_subnet(out, AF_INET, &network->ipv4);
	return size == 4 && memcmp(name, "ipv6", size) == 0 && write_subnet(out, AF_INET6, &network->ipv6);
}

/* One line of a template, with the values in; nothing if it names one that the network has not. */
static void write_line(FILE *out, const struct policy_network *network, const char *line, size_t size)
{
	long start = ftell(out);
	const char *end = line + size, *mark, *close;

	for (; (mark = memchr(line, '@', (size_t)(end - line))); line = close + 1) {
		close = memchr(mark + 1, '@', (size_t)(end - mark - 1));
		if (!close)
			break;
		fwrite(line, 1, (size_t)(mark - line), out);
		if (!write_value(out, network, mark + 1, (size_t)(close - mark - 1))) {
			fseek(out, start, SEEK_SET);
			return;
		}
	}
	fwrite(line, 1, (size_t)(end - line), out);
}

char *guard_text(const struct policy_network *network)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	const char *line, *end;

	if (!out)
		return NULL;
	for (line = template_of(network->mode); *line; line = end) {
		end = line + strcspn(line, "\n") + 1;
		write_line(out, network, line, (size_t)(end - line));
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
