// SPDX-License-Identifier: MIT
/* The words for a network's server: for dnsmasq, version 2.81 or newer (dnsmasq(8)), and for tapgate-dhcp itself. */
#include "dhcp/internal.h"

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

/* The word that names the pid file, by which a process is known to be a network's; its length as of snprintf(3). */
static int pid_word(const char *name, char *buffer, size_t size)
{
	return snprintf(buffer, size, "--pid-file=" DNSMASQ_DIRECTORY "/%s.pid", name);
}

/* Add a word; one that does not fit leaves no room for any other. */
__attribute__((format(printf, 2, 3))) static void words_add(struct dnsmasq_words *words, const char *format, ...)
{
	size_t left = sizeof(words->text) - words->size;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(words->text + words->size, left, format, args);
	va_end(args);
	words->size += size >= 0 && (size_t)size < left ? (size_t)size + 1 : left;
}

/* Find where each begins. False if there is none, or too many, or the last has no end. */
static bool cut_words(struct dnsmasq_words *words)
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

/* What it is, where it keeps things, and where it listens: on the bridge, and on nothing else. */
static void add_frame(
	struct dnsmasq_words *words, const char *program, const struct dnsmasq_account *account, const char *name)
{
	char pid_file[64];

	pid_word(name, pid_file, sizeof(pid_file));
	words_add(words, "%s", program);
	words_add(words, "--keep-in-foreground");  /* a child of its keeper (dhcp/keeper.c) */
	words_add(words, "--conf-file=/dev/null"); /* instead of /etc/dnsmasq.conf, and of all that it names */
	words_add(words, "--user=%s", account->user);
	words_add(words, "--group=%s", account->group);
	words_add(words, "%s", pid_file);
	words_add(words, "--dhcp-leasefile=" DNSMASQ_DIRECTORY "/%s.leases", name);
	words_add(words, "--interface=%s", name);
	words_add(words, "--except-interface=lo"); /* which --interface brings along */
	/*
	 * Sockets for the bridge's addresses alone, so that others can have theirs; unlike with --bind-interfaces also
	 * for the link-local one, which comes when the first guest does, and not for what arrives by another interface.
	 */
	words_add(words, "--bind-dynamic");
	/* No line in the log for what guests do all day. */
	words_add(words, "--quiet-dhcp");
	words_add(words, "--quiet-dhcp6");
	words_add(words, "--quiet-ra");
}

/* Whom to ask for all names but the guests', in the place of the host's name servers. */
static void add_servers(struct dnsmasq_words *words, struct word list)
{
	struct policy_server server;
	char text[INET6_ADDRSTRLEN];

	words_add(words, "--no-resolv");
	while (policy_next_server(&list, &server)) {
		if (inet_ntop(server.family, server.address, text, sizeof(text)))
			words_add(words, "--server=%s", text);
	}
}

/*
 * Names: a guest is known by the host name that it gives, bare and in the network's domain. dnsmasq takes no name of
 * another domain, and asks nobody else for one in its own (--local), so no guest can stand in for a name outside that
 * has a domain. A bare name that no guest has, and the name of a private address, are asked of the host's name servers
 * as all others are: a guest on a nat network finds what the host finds. The bare names that programs ask for by
 * themselves, and trust, no guest can have: wpad (a proxy for everything: VU#598349), isatap (a router, RFC 5214),
 * localhost. Each a second time for names that arrive with a domain, which dnsmasq cuts off only after it has looked.
 */
static void add_names(struct dnsmasq_words *words, const struct dnsmasq_account *account,
	const struct policy_network *network, const char *domain)
{
	static const char *const refused[] = {"wpad", "isatap", "localhost"};

	words_add(words, "--no-hosts");
	words_add(words, "--domain=%s", domain);
	words_add(words, "--local=/%s/", domain);
	if (network->options.given & OPTION_DNS)
		add_servers(words, network->served.dns);
	else if (network->mode == MODE_HOST_ONLY)
		words_add(words, "--no-resolv"); /* no names from outside where there is no way out */
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		words_add(words, "--dhcp-name-match=set:refused,%s", refused[i]);
		words_add(words, "--dhcp-name-match=set:refused,%s.*", refused[i]);
	}
	words_add(words, "--dhcp-ignore-names=tag:refused");
	/*
	 * A name stays with the guest that had it first: tapgate-dhcp sees to that (dhcp/lease.c), for IPv4. DHCPv6's
	 * clients identify themselves by what they like, and their names are not taken.
	 */
	words_add(words, "--dhcp-ignore-names=tag:dhcpv6");
	words_add(words, "--dhcp-script=" DNSMASQ_DIRECTORY "/%s.lease", network->name);
	words_add(words, "--dhcp-scriptuser=%s", account->user);
	words_add(words, "--script-on-renewal");
	words_add(words, "--dhcp-hostsfile=" DNSMASQ_DIRECTORY "/%s.names", network->name);
}

/*
 * The guests that have lines of their own. Each is known by its hardware address and has its name whatever it calls
 * itself; one that calls itself so, and is not it, has no name.
 */
static void add_guests(struct dnsmasq_words *words, const struct policy_network *network, const char *domain)
{
	for (const struct policy_guest *guest = NULL; (guest = policy_next_guest(network, guest));) {
		const uint32_t given = guest->options.given;
		char mac[MAC_TEXT], text[INET6_ADDRSTRLEN], addresses[96] = "";

		if (!(given & OPTION_MAC))
			continue;
		mac_text(guest->options.mac, mac);
		if ((given & OPTION_IP) && policy_serves(network, false) &&
			inet_ntop(AF_INET, guest->ipv4, text, sizeof(text)))
			text_append(addresses, sizeof(addresses), ",%s", text);
		if ((given & OPTION_IP6) && policy_serves(network, true) &&
			inet_ntop(AF_INET6, guest->ipv6, text, sizeof(text)))
			text_append(addresses, sizeof(addresses), ",[%s]", text);
		/* With its domain it is a name, whatever else it looks like, as "1h" or "ignore". */
		words_add(words, "--dhcp-host=%s%s,%s.%s", mac, addresses, guest->name, domain);
		words_add(words, "--dhcp-name-match=set:refused,%s", guest->name);
		words_add(words, "--dhcp-name-match=set:refused,%s.*", guest->name);
	}
}

/* The servers of one family, as an option of DHCP. */
static void add_server_option(struct dnsmasq_words *words, const char *option, struct word list, int family)
{
	struct policy_server server;
	char text[INET6_ADDRSTRLEN], all[256] = "";

	while (policy_next_server(&list, &server)) {
		if (server.family == family && inet_ntop(family, server.address, text, sizeof(text)))
			text_append(all, sizeof(all), family == AF_INET ? ",%s" : ",[%s]", text);
	}
	if (*all)
		words_add(words, "--dhcp-option=%s%s", option, all);
}

/*
 * The file to boot from: of another server, or one that the host serves by TFTP, out of that file's directory and out
 * of no other.
 */
static void add_boot(struct dnsmasq_words *words, struct word boot)
{
	struct word rest = boot, file;
	const char *slash;

	word_cut(&rest, '@', &file);
	if (rest.at) {
		words_add(words, "--dhcp-boot=%.*s,,%.*s", (int)file.size, file.at, (int)rest.size, rest.at);
		return;
	}
	slash = memrchr(file.at, '/', file.size);
	words_add(words, "--enable-tftp");
	words_add(words, "--tftp-root=%.*s", slash > file.at ? (int)(slash - file.at) : 1, file.at);
	words_add(words, "--dhcp-boot=%.*s", (int)(file.at + file.size - slash - 1), slash + 1);
}

bool dnsmasq_has_tftp(const struct policy_network *network)
{
	const struct word boot = network->served.boot;

	return network->policy && boot.at && !memchr(boot.at, '@', boot.size);
}

/* What else guests are told. */
static void add_served(struct dnsmasq_words *words, const struct policy_network *network)
{
	const struct policy_served *served = &network->served;

	if (network->options.given & OPTION_NTP) {
		add_server_option(words, "option:ntp-server", served->ntp, AF_INET);
		add_server_option(words, "option6:ntp-server", served->ntp, AF_INET6);
	}
	if (network->options.given & OPTION_SEARCH) {
		words_add(
			words, "--dhcp-option=option:domain-search,%.*s", (int)served->search.size, served->search.at);
		words_add(
			words, "--dhcp-option=option6:domain-search,%.*s", (int)served->search.size, served->search.at);
	}
	if (network->options.given & OPTION_BOOT)
		add_boot(words, served->boot);
}

/* Whether guests are told of a router that the line names. */
static bool has_router(const struct policy_network *network)
{
	return network->served.router.at && !word_is(network->served.router, "none");
}

/* Of all addresses that are handed out. */
static void add_leases(struct dnsmasq_words *words)
{
	words_add(words, "--dhcp-authoritative");
	/* A guest is its hardware address, which the guard holds it to. Clones of an image have one identifier. */
	words_add(words, "--dhcp-ignore-clid");
	words_add(words, "--dhcp-lease-max=" LEASES_MAX);
	words_add(words, "--no-ping"); /* the range is ours alone, and an echo request takes a capability more */
}

/* What tells the bridge of the words, for nobody but their reader: see dnsmasq_words. */
struct tag {
	char text[32];
};

static void add_ipv4(struct dnsmasq_words *words, const struct policy_network *network, const struct tag *tag)
{
	const unsigned char *host = network->ipv4.address;

	if (!policy_serves(network, false))
		return;
	words_add(words, "--dhcp-range=%s%s,%s,%s,%u", tag->text, ipv4_text(network->dhcp_first).text,
		ipv4_text(network->dhcp_last).text, ipv4_text(~(uint32_t)0 << (32 - network->ipv4.prefix)).text,
		policy_lease(network));
	if (has_router(network))
		words_add(words, "--dhcp-option=option:router,%.*s", (int)network->served.router.size,
			network->served.router.at);
	else if (policy_mode_leads_out(network->mode) && !(network->options.given & OPTION_ROUTER))
		words_add(words, "--dhcp-option=option:router,%u.%u.%u.%u", host[0], host[1], host[2], host[3]);
	else
		words_add(words, "--dhcp-option=option:router"); /* empty: no route but to the subnet */
	if (network->options.given & OPTION_MTU)
		words_add(words, "--dhcp-option=option:mtu,%u", network->options.mtu);
}

/*
 * IPv6: router advertisements, which carry the MTU and the name server by themselves; addresses by SLAAC in a /64, and,
 * without `ra`, by DHCPv6, which tells all else in any case. With lock-ip by DHCPv6 alone.
 */
static void add_ipv6(
	struct dnsmasq_words *words, const struct policy_network *network, const char *domain, const struct tag *tag)
{
	char first_text[INET6_ADDRSTRLEN], last_text[INET6_ADDRSTRLEN];
	const char *before = policy_serves(network, false) ? "" : tag->text;
	unsigned char first[16], last[16] = {0};
	unsigned int prefix;

	if (network->options.given & OPTION_RA) {
		memcpy(first, network->ipv6.address, sizeof(first) / 2);
		memcpy(first + sizeof(first) / 2, last, sizeof(first) / 2);
		inet_ntop(AF_INET6, first, first_text, sizeof(first_text));
		words_add(words, "--dhcp-range=%s%s,ra-stateless,%u,%u", before, first_text, network->ipv6.prefix,
			policy_lease(network));
	} else if (policy_range6(network, first, last, &prefix)) {
		inet_ntop(AF_INET6, first, first_text, sizeof(first_text));
		inet_ntop(AF_INET6, last, last_text, sizeof(last_text));
		words_add(words, "--dhcp-range=%s%s,%s,%s%u,%u", before, first_text, last_text,
			network->ipv6.prefix == 64 && !policy_locks_ip(network) ? "slaac," : "", prefix,
			policy_lease(network));
	} else {
		return;
	}
	words_add(words, "--enable-ra");
	if (!(network->options.given & OPTION_SEARCH))
		words_add(words, "--dhcp-option=option6:domain-search,%s", domain);
	if (network->mode == MODE_HOST_ONLY || ((network->options.given & OPTION_ROUTER) && !has_router(network)))
		words_add(
			words, "--ra-param=%s,0,0", network->name); /* the usual interval; a lifetime of 0: no router */
}

bool dnsmasq_words(struct dnsmasq_words *words, const char *program, const struct dnsmasq_account *account,
	const struct policy_network *network, unsigned int index)
{
	char domain[POLICY_DOMAIN_MAX + 1];
	struct tag tag;

	snprintf(tag.text, sizeof(tag.text), "set:bridge-%u,", index);
	policy_domain(network, domain);
	words->size = 0;
	add_frame(words, program, account, network->name);
	add_names(words, account, network, domain);
	add_guests(words, network, domain);
	add_served(words, network);
	add_leases(words);
	add_ipv4(words, network, &tag);
	add_ipv6(words, network, domain, &tag);
	return cut_words(words);
}

/* --- tapgate-dhcp ------------------------------------------------------------------------------------------------- */

/* The words for tapgate-dhcp as a standalone network's server: what its line says, as DHCP's options (RFC 2132). */

enum {
	ROUTER = 3,
	NAME_SERVERS = 6,
	DOMAIN_NAME = 15,
	MTU = 26,
	TIME_SERVERS = 42,
	SEARCH = 119, /* RFC 3397 */
};

static void append_bytes(char *text, size_t size, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_append(text, size, "%02x", ((const unsigned char *)bytes)[i]);
}

/* IPv4 addresses, apart by ','; without a value where the host's own on the tap is meant. */
static void add_addresses(struct dnsmasq_words *words, unsigned int code, struct word list)
{
	struct policy_server server;
	char text[128] = "";

	while (!word_is(list, "host") && policy_next_server(&list, &server)) {
		if (server.family == AF_INET)
			append_bytes(text, sizeof(text), server.address, 4);
	}
	words_add(words, "%u:%s", code, text);
}

/* Domains, apart by ',', each as its labels with their lengths and an empty one at the end (RFC 1035, 3.1). */
static void add_search(struct dnsmasq_words *words, struct word list)
{
	struct word domain, label;
	char text[512] = "";

	while (word_cut(&list, ',', &domain)) {
		while (word_cut(&domain, '.', &label)) {
			const unsigned char length = (unsigned char)label.size;

			append_bytes(text, sizeof(text), &length, 1);
			append_bytes(text, sizeof(text), label.at, label.size);
		}
		append_bytes(text, sizeof(text), "", 1);
	}
	words_add(words, "%d:%s", SEARCH, text);
}

static void add_own_options(struct dnsmasq_words *words, const struct policy_network *network)
{
	const struct policy_served *served = &network->served;
	const uint32_t given = network->options.given;
	char text[512] = "";

	if ((given & OPTION_ROUTER) && !word_is(served->router, "none"))
		add_addresses(words, ROUTER, served->router);
	if (given & OPTION_DNS)
		add_addresses(words, NAME_SERVERS, served->dns);
	if (given & OPTION_NTP)
		add_addresses(words, TIME_SERVERS, served->ntp);
	if (given & OPTION_DOMAIN) {
		append_bytes(text, sizeof(text), served->domain.at, served->domain.size);
		words_add(words, "%d:%s", DOMAIN_NAME, text);
	}
	if (given & OPTION_SEARCH)
		add_search(words, served->search);
	if (given & OPTION_MTU)
		words_add(words, "%d:%04x", MTU, network->options.mtu);
}

/* Guests with lines of their own. */
static void add_own_guests(struct dnsmasq_words *words, const struct policy_network *network)
{
	for (const struct policy_guest *guest = NULL; (guest = policy_next_guest(network, guest));) {
		char mac[MAC_TEXT], address[INET_ADDRSTRLEN] = "";

		if (!(guest->options.given & OPTION_MAC))
			continue;
		mac_text(guest->options.mac, mac);
		if (guest->options.given & OPTION_IP)
			inet_ntop(AF_INET, guest->ipv4, address, sizeof(address));
		words_add(words, "%s,%s,%s", mac, address, guest->name);
	}
}

bool serve_words(struct dnsmasq_words *words, const char *program, const struct dnsmasq_account *account,
	const struct policy_network *network)
{
	const struct policy_subnet *ipv4 = &network->ipv4;
	char address[INET_ADDRSTRLEN] = "", per_vm[16] = "";

	inet_ntop(AF_INET, ipv4->address, address, sizeof(address));
	if (ipv4->per_vm)
		snprintf(per_vm, sizeof(per_vm), "/%u", ipv4->per_vm);
	words->size = 0;
	words_add(words, "%s", program);
	words_add(words, "serve");
	words_add(words, "%s", network->name);
	words_add(words, DNSMASQ_DIRECTORY "/%s.pid", network->name);
	words_add(words, "%u:%u", (unsigned int)account->uid, (unsigned int)account->gid);
	words_add(words, "%s/%u%s", address, ipv4->prefix, per_vm);
	words_add(words, "%u", policy_lease(network));
	add_own_options(words, network);
	add_own_guests(words, network);
	return cut_words(words);
}
