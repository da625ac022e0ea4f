// SPDX-License-Identifier: MIT
/*
 * What is written down of a network's guests: dnsmasq's leases, and whose name is whose. Much of it are guests' words,
 * a hardware address, a name: all is bounded and checked when it is read, and what is shown is escaped.
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

/* --- leases ------------------------------------------------------------------------------------------------------- */

/* Which guest was given which address, and what it calls itself. The file is dnsmasq's to write. */

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

/* --- names -------------------------------------------------------------------------------------------------------- */

/*
 * Whose name is whose: what a network's guests called themselves to its dnsmasq, and who was first. tapgate-dhcp
 * writes it down, as dnsmasq's user (dhcp/lease.c); `tapgate` shows it.
 *
 * The file is one that dnsmasq itself reads (dnsmasq(8), --dhcp-hostsfile): a line for each record is a comment to it;
 * behind one that is pinned comes a line that makes the name its holder's and nobody else's.
 */

enum { NAMES_FILE_MAX = 4 << 20, PATH_BYTES = 64 }; /* bytes; a record takes at most 200 */

static const char *const kinds[] = {[NAME_HELD] = "held", [NAME_PINNED] = "pinned", [NAME_REFUSED] = "refused"};

bool names_is_label(struct word word)
{
	if (word.size == 0 || word.size > NAMES_LABEL_MAX || word.at[0] == '-')
		return false;
	for (size_t i = 0; i < word.size; i++) {
		char c = (char)(word.at[i] | 0x20);

		if (!(c >= 'a' && c <= 'z') && !(word.at[i] >= '0' && word.at[i] <= '9') && word.at[i] != '-' &&
			word.at[i] != '_')
			return false;
	}
	return true;
}

struct name_record *names_add(struct names *names)
{
	struct name_record *records = names->records;

	if (names->count == NAMES_MAX)
		return NULL;
	/* By doubling: whenever the count is a power of two there is no more room. */
	if ((names->count & (names->count - 1)) == 0)
		records = reallocarray(records, names->count ? names->count * 2 : 1, sizeof(*records));
	if (!records)
		return NULL;
	names->records = records;
	records[names->count] = (struct name_record){.kind = NAME_HELD};
	return &records[names->count++];
}

void names_remove(struct names *names, size_t index)
{
	names->count--;
	memmove(names->records + index, names->records + index + 1, (names->count - index) * sizeof(*names->records));
}

void names_forget(struct names *names)
{
	free(names->records);
	*names = (struct names){.records = NULL};
}

/* "# held 52:54:00:12:34:56 172.16.2.7 12 alpha"; false for any other line. */
static bool read_record(struct word line, struct name_record *record)
{
	struct word mark, kind, mac, address, port, name;
	unsigned char unused[4];
	size_t i = 0;

	if (!word_cut(&line, ' ', &mark) || !word_cut(&line, ' ', &kind) || !word_cut(&line, ' ', &mac) ||
		!word_cut(&line, ' ', &address) || !word_cut(&line, ' ', &port) || !word_cut(&line, ' ', &name) ||
		line.at || !word_is(mark, "#"))
		return false;
	while (i < sizeof(kinds) / sizeof(*kinds) && !word_is(kind, kinds[i]))
		i++;
	*record = (struct name_record){.kind = (enum name_kind)i};
	if (i == sizeof(kinds) / sizeof(*kinds) || !mac_read(mac, record->mac) ||
		address.size >= sizeof(record->address) || !word_number(port, INT32_MAX, &record->port) ||
		!names_is_label(name))
		return false;
	memcpy(record->address, address.at, address.size);
	memcpy(record->name, name.at, name.size);
	return inet_pton(AF_INET, record->address, unused) == 1;
}

static void file_path(const char *network, const char *tail, char path[static PATH_BYTES])
{
	snprintf(path, PATH_BYTES, DNSMASQ_DIRECTORY "/%.15s.names/names%s", network, tail);
}

bool names_read(const char *network, struct names *names)
{
	char path[PATH_BYTES], *text;
	struct word rest, line;
	bool whole = true;
	size_t size;

	file_path(network, "", path);
	text = file_read_whole(path, NAMES_FILE_MAX, &size);
	rest = (struct word){text, size};
	*names = (struct names){.records = NULL};
	while (text && whole && names->count < NAMES_MAX && word_cut(&rest, '\n', &line)) {
		struct name_record record, *kept;

		if (!read_record(line, &record))
			continue;
		kept = names_add(names);
		whole = kept != NULL;
		if (kept)
			*kept = record;
	}
	free(text);
	return whole;
}

bool names_write(const char *network, const struct names *names)
{
	char path[PATH_BYTES], new[PATH_BYTES], domain[POLICY_DOMAIN_MAX + 1], mac[MAC_TEXT];
	FILE *out;
	bool written;

	file_path(network, "", path);
	file_path(network, "~", new); /* which dnsmasq does not read: dnsmasq(8), --addn-hosts */
	dnsmasq_domain(network, domain);
	out = fopen(new, "we");
	if (!out)
		return false;
	for (size_t i = 0; i < names->count; i++) {
		const struct name_record *record = &names->records[i];

		mac_text(record->mac, mac);
		fprintf(out, "# %s %s %s %u %s\n", kinds[record->kind], mac, record->address, record->port,
			record->name);
		/* With its domain it is a name, whatever else it looks like, as "1h" or "ignore". */
		if (record->kind == NAME_PINNED)
			fprintf(out, "%s,%s.%s\n", mac, record->name, domain);
	}
	written = !ferror(out);
	return fclose(out) == 0 && written && rename(new, path) == 0;
}

void dnsmasq_domain(const char *name, char domain[static POLICY_DOMAIN_MAX + 1])
{
	static const char option[] = "--domain=";
	char path[PATH_BYTES], text[16] = "", words[4096];
	struct word rest = {words, 0}, word;
	uint32_t pid;
	ssize_t size;

	policy_usual_domain(name, domain);
	snprintf(path, sizeof(path), DNSMASQ_DIRECTORY "/%.15s.pid", name);
	if (file_read(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
		!word_number((struct word){text, strcspn(text, "\n")}, INT32_MAX, &pid))
		return;
	/* What a process was started with is its own to change; all that is taken of it is a domain. */
	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	size = file_read(AT_FDCWD, path, words, sizeof(words));
	rest.size = size > 0 ? (size_t)size : 0;
	while (word_cut(&rest, '\0', &word)) {
		if (!word_begins(word, option) || word.size - strlen(option) > POLICY_DOMAIN_MAX)
			continue;
		memcpy(domain, word.at + strlen(option), word.size - strlen(option));
		domain[word.size - strlen(option)] = '\0';
	}
}
