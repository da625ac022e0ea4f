// SPDX-License-Identifier: MIT
/*
 * Leases of a network's dnsmasq: which guest was given which address, and what it calls itself.
 *
 * The file is dnsmasq's to write, and much of what stands in it are guests' words: a hardware address, a name. All of
 * it is bounded and checked here; a name is shown escaped.
 */
#include "dhcp/dhcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool/tool.h"

enum {
	LEASES_MAX = 8192,  /* as many as dnsmasq is told to keep (dhcp/words.c) */
	FILE_MAX = 8 << 20, /* bytes: so many, of at most 1024 bytes */
};

/* The hardware address in a DHCPv6 client's identifier, if that is made of one: DUID-LLT or DUID-LL, of Ethernet. */
static bool read_duid(struct word word, unsigned char mac[static MAC_BYTES])
{
	enum { WITH_TIME = 14, WITHOUT = 10, MAX = WITH_TIME };
	unsigned char octets[MAX];
	size_t count = (word.size + 1) / 3;

	if (word.size % 3 != 2 || (count != WITH_TIME && count != WITHOUT))
		return false;
	for (size_t i = 0; i < count; i++) {
		int octet = text_hex(word.at + i * 3);

		octets[i] = (unsigned char)octet;
		if (octet < 0 || (i + 1 < count && word.at[i * 3 + 2] != ':'))
			return false;
	}
	if (memcmp(octets, count == WITH_TIME ? "\0\1\0\1" : "\0\3\0\1", 4) != 0)
		return false;
	memcpy(mac, octets + count - MAC_BYTES, MAC_BYTES);
	return !(mac[0] & 1);
}

static bool read_address(struct word word, struct lease *lease)
{
	char text[INET6_ADDRSTRLEN];

	if (word.size >= sizeof(text))
		return false;
	memcpy(text, word.at, word.size);
	text[word.size] = '\0';
	lease->family = memchr(word.at, ':', word.size) ? AF_INET6 : AF_INET;
	return inet_pton(lease->family, text, lease->address) == 1;
}

/* IPv4: expiry, hardware address, address, name, identifier. IPv6: expiry, association, address, name, identifier. */
bool lease_read(struct word line, int64_t now, struct lease *lease)
{
	struct word expiry, second, address, name, identifier;
	uint32_t end;

	*lease = (struct lease){.family = 0};
	if (!word_cut(&line, ' ', &expiry) || !word_cut(&line, ' ', &second) || !word_cut(&line, ' ', &address) ||
		!word_cut(&line, ' ', &name) || !word_cut(&line, ' ', &identifier) || line.at ||
		!word_number(expiry, UINT32_MAX, &end) || (end != 0 && end <= now) || !read_address(address, lease))
		return false;
	lease->has_mac = lease->family == AF_INET ? mac_read(second, lease->mac) : read_duid(identifier, lease->mac);
	if (name.size > 0 && name.size <= LEASE_NAME_MAX && !word_is(name, "*") && !memchr(name.at, '\0', name.size))
		memcpy(lease->name, name.at, name.size);
	return true;
}

int leases_each(const char *network, void (*each)(void *context, const struct lease *), void *context)
{
	char path[64];
	size_t size;
	char *text;
	struct word rest, line;
	unsigned int count = 0;

	if (snprintf(path, sizeof(path), DNSMASQ_DIRECTORY "/%.15s.leases", network) < 0)
		return -EINVAL;
	text = file_read_whole(path, FILE_MAX, &size);
	if (!text)
		return errno == ENOENT ? 0 : -errno;
	rest = (struct word){text, size};
	while (word_cut(&rest, '\n', &line)) {
		struct lease lease;

		if (!lease_read(line, time(NULL), &lease))
			continue;
		if (++count > LEASES_MAX)
			break;
		each(context, &lease);
	}
	free(text);
	return count > LEASES_MAX ? -EFBIG : 0;
}

/* What DHCP hands out, of IPv4 or, where that has none, of IPv6. */
struct range {
	int family; /* 0: nothing */
	unsigned char first[16], last[16];
	int used;
};

static struct range range_of(const struct policy_network *network)
{
	const uint32_t ends[] = {htonl(network->dhcp_first), htonl(network->dhcp_last)};
	struct range range = {.family = 0};
	unsigned int prefix;

	if (network->dhcp_last && policy_serves(network, false)) {
		range.family = AF_INET;
		memcpy(range.first, &ends[0], sizeof(ends[0]));
		memcpy(range.last, &ends[1], sizeof(ends[1]));
	} else if (policy_range6(network, range.first, range.last, &prefix)) {
		range.family = AF_INET6;
	}
	return range;
}

static void count_lease(void *context, const struct lease *lease)
{
	struct range *range = context;
	const size_t size = range->family == AF_INET ? 4 : 16;

	range->used += lease->family == range->family && memcmp(lease->address, range->first, size) >= 0 &&
		       memcmp(lease->address, range->last, size) <= 0;
}

int leases_used(const struct policy_network *network)
{
	struct range range = range_of(network);
	int error = leases_each(network->name, count_lease, &range);

	return error && error != -EFBIG ? -1 : range.used;
}

unsigned int leases_room(const struct policy_network *network)
{
	const struct range range = range_of(network);
	const size_t size = range.family == AF_INET ? 4 : 16;
	uint64_t room = 0;

	for (size_t i = 0; i < size && room < UINT32_MAX; i++)
		room = room * 256 + range.last[i] - range.first[i];
	return range.family == 0 ? 0 : room >= UINT32_MAX ? UINT32_MAX : (unsigned int)room + 1;
}
