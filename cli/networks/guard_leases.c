#include "cli/networks/guard_leases.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/taps/leases.h"
#include "link/guard.h"

/* Leases, written as elements of what etc/guard/lock-ip.nft has for them. */
struct lease_writer {
	FILE *out;
	const char *table;
};

static void write_lease(void *context, const struct lease *lease)
{
	const struct lease_writer *writer = context;
	const unsigned char *mac = lease->mac, *ip = lease->address;
	char address[16];
	uint32_t end;

	if (lease->family != AF_INET || !lease->has_mac)
		return;
	snprintf(address, sizeof(address), "0x%02x%02x%02x%02x", ip[0], ip[1], ip[2], ip[3]);
	memcpy(&end, mac + 2, sizeof(end)); /* a packet's priority is in the order of this machine's bytes */
	fprintf(writer->out, "add element netdev %s given { 0x%02x%02x%02x%02x%02x%02x . %s }\n", writer->table, mac[0],
		mac[1], mac[2], mac[3], mac[4], mac[5], address);
	fprintf(writer->out, "add element netdev %s owners { %s : 0x%x }\n", writer->table, address, end);
}

char *guard_with_leases(const char *text, const struct policy_network *network)
{
	char table[GUARD_TABLE_MAX], *whole = NULL;
	size_t size;
	FILE *out = open_memstream(&whole, &size);

	if (!out)
		return NULL;
	fputs(text, out);
	guard_table(network->name, table);
	if (network->options.given & OPTION_LOCK_IP)
		leases_each(network->name, write_lease, &(struct lease_writer){out, table});
	return fclose(out) == 0 ? whole : NULL;
}
