#include "cli/taps/leases.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/networks/dnsmasq_words.h"

enum {
	LEASES_MAX = 8192,  /* as many as dnsmasq is told to keep (cli/networks/dnsmasq_words.c) */
	FILE_MAX = 8 << 20, /* bytes: so many, of at most 1024 bytes */
};

/* A hexadecimal number of two digits. */
static bool read_octet(const char *at, unsigned char *octet)
{
	static const char digits[] = "0123456789abcdef";
	const char *high = at[0] ? strchr(digits, at[0] | 0x20) : NULL,
		   *low = at[1] ? strchr(digits, at[1] | 0x20) : NULL;

	if (!high || !low)
		return false;
	*octet = (unsigned char)((high - digits) << 4 | (low - digits));
	return true;
}

/* The hardware address in a DHCPv6 client's identifier, if that is made of one: DUID-LLT or DUID-LL, of Ethernet. */
static bool read_duid(struct word word, unsigned char mac[static MAC_BYTES])
{
	enum { WITH_TIME = 14, WITHOUT = 10, MAX = WITH_TIME };
	unsigned char octets[MAX];
	size_t count = (word.size + 1) / 3;

	if (word.size % 3 != 2 || (count != WITH_TIME && count != WITHOUT))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!read_octet(word.at + i * 3, &octets[i]) || (i + 1 < count && word.at[i * 3 + 2] != ':'))
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

/* The whole of a file; NULL and errno. */
static char *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;
	char *text = NULL;
	ssize_t n = 1;

	if (fd < 0)
		return NULL;
	*size = 0;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= FILE_MAX)
		text = malloc((size_t)status.st_size + 1);
	else
		errno = EINVAL;
	while (text && *size < (size_t)status.st_size && n > 0) {
		n = read(fd, text + *size, (size_t)status.st_size - *size);
		*size += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	return text;
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
	text = read_file(path, &size);
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

/* A count of those in a range. */
struct count {
	const struct policy_network *network;
	int used;
};

static void count_lease(void *context, const struct lease *lease)
{
	struct count *count = context;
	uint32_t address;

	memcpy(&address, lease->address, sizeof(address));
	address = ntohl(address);
	count->used += lease->family == AF_INET && address >= count->network->dhcp_first &&
		       address <= count->network->dhcp_last;
}

int leases_used(const struct policy_network *network)
{
	struct count count = {.network = network};
	int error = leases_each(network->name, count_lease, &count);

	return error && error != -EFBIG ? -1 : count.used;
}

unsigned int leases_room(const struct policy_network *network)
{
	return network->dhcp_last - network->dhcp_first + 1;
}
