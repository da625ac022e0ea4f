/* The words for dnsmasq, version 2.81 or newer: see dnsmasq(8). */
#include "cli/networks/dnsmasq_words.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * How many leases there may be at a time, of IPv4 and IPv6 together: what guests that make up hardware addresses can
 * have it keep in memory and on /run, about a kilobyte each. No fewer for a small range, since dnsmasq refuses to start
 * with more leases in its file than it may have, as when a range was cut; more than the 4096 addresses of IPv6, so that
 * those do not use up all.
 */
#define LEASES_MAX "8192"

#define LEASE_TIME "1h"

int dnsmasq_pid_word(const char *name, char *buffer, size_t size)
{
	return snprintf(buffer, size, "--pid-file=" DNSMASQ_DIRECTORY "/%s.pid", name);
}

void dnsmasq_domain(const char *name, char domain[static DNSMASQ_DOMAIN_MAX])
{
	size_t size = 0;

	for (; *name; name++) {
		char c = *name;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			domain[size++] = c;
		else if (size > 0)
			domain[size++] = '-';
	}
	while (size > 0 && domain[size - 1] == '-')
		size--;
	snprintf(domain + size, DNSMASQ_DOMAIN_MAX - size, size ? ".internal" : "network.internal");
}

/* Add a word; one that does not fit leaves no room for any other. */
static void __attribute__((format(printf, 2, 3))) add(struct dnsmasq_words *words, const char *format, ...)
{
	size_t left = sizeof(words->text) - words->size;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(words->text + words->size, left, format, args);
	va_end(args);
	words->size += size >= 0 && (size_t)size < left ? (size_t)size + 1 : left;
}

bool dnsmasq_words_cut(struct dnsmasq_words *words)
{
	size_t count = 0;

	if (words->size == 0 || words->size >= sizeof(words->text) || words->text[words->size - 1])
		return false;
	for (size_t at = 0; at < words->size; at += strlen(words->text + at) + 1) {
		if (count == DNSMASQ_WORDS_MAX)
			return false;
		words->argv[count++] = words->text + at;
	}
	words->argv[count] = NULL;
	return true;
}

char *dnsmasq_words_copy(const struct dnsmasq_words *words)
{
	char *copy = calloc(1, words->size + 1);

	return copy ? memcpy(copy, words->text, words->size) : NULL;
}

bool dnsmasq_words_from(struct dnsmasq_words *words, const char *copy)
{
	size_t size = 0;

	while (copy[size])
		size += strlen(copy + size) + 1;
	if (size >= sizeof(words->text))
		return false;
	memcpy(words->text, copy, size);
	words->size = size;
	return dnsmasq_words_cut(words);
}

/* An IPv4 address in text, from host byte order. */
struct ipv4_text {
	char text[INET_ADDRSTRLEN];
};

static struct ipv4_text ipv4_text(uint32_t address)
{
	const struct in_addr in = {htonl(address)};
	struct ipv4_text text;

	inet_ntop(AF_INET, &in, text.text, sizeof(text.text));
	return text;
}

/*
 * The addresses to hand out of an IPv6 subnet: ::1000 to ::1fff, or in a small one the half that the host is not in.
 * dnsmasq knows no subnet larger than /64; of such a one it is the /64 that the host is in. False if there are none.
 */
static bool ipv6_range(const struct policy_subnet *subnet, unsigned char first[static 16],
	unsigned char last[static 16], unsigned int *prefix)
{
	unsigned int bits, mask, half, host, low, high;

	*prefix = subnet->prefix < 64 ? 64 : subnet->prefix;
	bits = 128 - *prefix;
	if (bits == 0)
		return false;
	memcpy(first, subnet->address, 16);
	for (unsigned int bit = *prefix; bit < 128; bit++)
		first[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	memcpy(last, first, 16);
	if (bits >= 13) {
		first[14] |= 0x10;
		last[14] |= 0x1f;
		last[15] = 0xff;
		return true;
	}
	mask = (1U << bits) - 1;
	half = 1U << (bits - 1);
	host = ((unsigned int)subnet->address[14] << 8 | subnet->address[15]) & mask;
	/* The address that is all 0 behind the prefix is every router's (RFC 4291, 2.6.1), but in a /127 (RFC 6164). */
	low = host < half ? half : bits > 1;
	high = host < half ? mask : half - 1;
	first[14] |= (unsigned char)(low >> 8);
	first[15] |= (unsigned char)low;
	last[14] |= (unsigned char)(high >> 8);
	last[15] |= (unsigned char)high;
	return true;
}

/* What it is, where it keeps things, and where it listens: on the bridge, and on nothing else. */
static void add_frame(
	struct dnsmasq_words *words, const char *program, const struct dnsmasq_account *account, const char *name)
{
	char pid_file[64];

	dnsmasq_pid_word(name, pid_file, sizeof(pid_file));
	add(words, "%s", program);
	add(words, "--conf-file=/dev/null"); /* instead of /etc/dnsmasq.conf, and of all that it names */
	add(words, "--user=%s", account->user);
	add(words, "--group=%s", account->group);
	add(words, "%s", pid_file);
	add(words, "--dhcp-leasefile=" DNSMASQ_DIRECTORY "/%s.leases", name);
	add(words, "--interface=%s", name);
	add(words, "--except-interface=lo"); /* which --interface brings along */
	/*
	 * Sockets for the bridge's addresses alone, so that others can have theirs; unlike with --bind-interfaces also
	 * for the link-local one, which comes when the first guest does, and not for what arrives by another interface.
	 */
	add(words, "--bind-dynamic");
	/* No line in the log for what guests do all day. */
	add(words, "--quiet-dhcp");
	add(words, "--quiet-dhcp6");
	add(words, "--quiet-ra");
}

/*
 * Names: a guest is known by the host name that it gives, bare and in the network's domain. dnsmasq takes no name of
 * another domain, and asks nobody else for a bare name (--domain-needed) or one in the domain (--local), so no guest
 * can stand in for a name outside. The bare names that programs ask for by themselves, and trust, no guest can have:
 * wpad (a proxy for everything: VU#598349), isatap (a router, RFC 5214), localhost. Each a second time for names that
 * arrive with a domain, which dnsmasq cuts off only after it has looked.
 */
static void add_names(struct dnsmasq_words *words, const struct dnsmasq_account *account,
	const struct policy_network *network, const char *domain)
{
	static const char *const refused[] = {"wpad", "isatap", "localhost"};

	add(words, "--no-hosts");
	add(words, "--domain=%s", domain);
	add(words, "--local=/%s/", domain);
	add(words, "--domain-needed");
	add(words, "--bogus-priv");
	if (network->mode == MODE_HOST_ONLY)
		add(words, "--no-resolv"); /* no names from outside where there is no way out */
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		add(words, "--dhcp-name-match=set:refused,%s", refused[i]);
		add(words, "--dhcp-name-match=set:refused,%s.*", refused[i]);
	}
	add(words, "--dhcp-ignore-names=tag:refused");
	/*
	 * A name stays with the guest that had it first: tapgate-lease sees to that (lease/main.c), for IPv4. DHCPv6's
	 * clients identify themselves by what they like, and their names are not taken.
	 */
	add(words, "--dhcp-ignore-names=tag:dhcpv6");
	add(words, "--dhcp-script=" DNSMASQ_DIRECTORY "/%s.lease", network->name);
	add(words, "--dhcp-scriptuser=%s", account->user);
	add(words, "--script-on-renewal");
	add(words, "--dhcp-hostsfile=" DNSMASQ_DIRECTORY "/%s.names", network->name);
}

/* IPv4. The tag is for nobody but the reader of the words: see dnsmasq_words.h. */
static void add_ipv4(struct dnsmasq_words *words, const struct policy_network *network, unsigned int index)
{
	const unsigned char *host = network->ipv4.address;

	add(words, "--dhcp-authoritative");
	/* A guest is its hardware address, which the guard holds it to. Clones of an image have one identifier. */
	add(words, "--dhcp-ignore-clid");
	add(words, "--dhcp-lease-max=" LEASES_MAX);
	add(words, "--no-ping"); /* the range is ours alone, and an echo request takes a capability more */
	add(words, "--dhcp-range=set:bridge-%u,%s,%s,%s," LEASE_TIME, index, ipv4_text(network->dhcp_first).text,
		ipv4_text(network->dhcp_last).text, ipv4_text(~(uint32_t)0 << (32 - network->ipv4.prefix)).text);
	if (network->mode == MODE_NAT)
		add(words, "--dhcp-option=option:router,%u.%u.%u.%u", host[0], host[1], host[2], host[3]);
	else
		add(words, "--dhcp-option=option:router"); /* empty: no route but to the subnet */
	if (network->options.given & OPTION_MTU)
		add(words, "--dhcp-option=option:mtu,%u", network->options.mtu);
}

/* IPv6: router advertisements, which carry the MTU by themselves, addresses by SLAAC in a /64, and DHCPv6. */
static void add_ipv6(struct dnsmasq_words *words, const struct policy_network *network, const char *domain)
{
	char first_text[INET6_ADDRSTRLEN], last_text[INET6_ADDRSTRLEN];
	unsigned char first[16], last[16];
	unsigned int prefix;

	if (!network->ipv6.given || !ipv6_range(&network->ipv6, first, last, &prefix))
		return;
	inet_ntop(AF_INET6, first, first_text, sizeof(first_text));
	inet_ntop(AF_INET6, last, last_text, sizeof(last_text));
	add(words, "--enable-ra");
	add(words, "--dhcp-range=%s,%s,%s%u," LEASE_TIME, first_text, last_text,
		network->ipv6.prefix == 64 ? "slaac," : "", prefix);
	add(words, "--dhcp-option=option6:domain-search,%s", domain);
	if (network->mode == MODE_HOST_ONLY)
		add(words, "--ra-param=%s,0,0", network->name); /* the usual interval; a lifetime of 0: no router */
}

bool dnsmasq_words(struct dnsmasq_words *words, const char *program, const struct dnsmasq_account *account,
	const struct policy_network *network, unsigned int index)
{
	char domain[DNSMASQ_DOMAIN_MAX];

	dnsmasq_domain(network->name, domain);
	words->size = 0;
	add_frame(words, program, account, network->name);
	add_names(words, account, network, domain);
	add_ipv4(words, network, index);
	add_ipv6(words, network, domain);
	return dnsmasq_words_cut(words);
}
