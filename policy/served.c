// SPDX-License-Identifier: MIT
/* What a network's line says that guests are told by DHCP, beside their addresses: checked word by word. */
#include "policy/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	LIST_MAX = 4, /* servers, domains */
	LEASE_MIN = 120,
	LEASE_MAX = 7 * 86400,
	DOMAIN_MAX = 253, /* bytes (RFC 1123, 2.1; RFC 1035, 2.3.4) */
	TOLD_MAX = 160,	  /* bytes of domains that fit into a message that each client takes (RFC 2131, 2) */
};

bool policy_next_server(struct word *list, struct policy_server *server)
{
	struct word item;

	if (!word_cut(list, ',', &item))
		return false;
	*server = (struct policy_server){.family = 0};
	if (word_address(AF_INET, item, server->address))
		server->family = AF_INET;
	else if (word_address(AF_INET6, item, server->address))
		server->family = AF_INET6;
	return true;
}

/* Addresses, apart by ','. Only the host itself reaches its loopback addresses. */
static bool check_servers(const struct line *line, const char *option, struct word list, bool loopback)
{
	struct policy_server server;
	struct word rest = list, item = list;
	size_t count = 0;

	for (; policy_next_server(&rest, &server); item = rest) {
		struct policy_subnet subnet = {.given = true, .prefix = server.family == AF_INET ? 32 : 128};
		const char *what;

		if (!server.family || ++count > LIST_MAX)
			return line_refuse(line, list.at, "%s=%s, expected at most %d addresses, apart by ',' alone",
				option, QUOTED(list), LIST_MAX);
		memcpy(subnet.address, server.address, sizeof(server.address));
		what = subnet_reserved(&subnet, server.family == AF_INET6);
		if (what && !(loopback && strcmp(what, "loopback") == 0))
			return line_refuse(line, item.at, "%s address in %s=, expected a server's", what, option);
	}
	return true;
}

static bool is_domain(struct word domain)
{
	struct word rest = domain, label;
	bool all = domain.size > 0 && domain.size <= DOMAIN_MAX, letters = false;

	while (all && word_cut(&rest, '.', &label)) {
		letters = false;
		all = label.size > 0 && label.size <= POLICY_LABEL_MAX && *label.at != '-' &&
		      label.at[label.size - 1] != '-';
		for (size_t i = 0; i < label.size && all; i++)
			all = is_alnum(label.at[i]) || label.at[i] == '-' || label.at[i] == '_';
		for (size_t i = 0; i < label.size && all; i++)
			letters |= is_alnum(label.at[i]) && (label.at[i] < '0' || label.at[i] > '9');
	}
	return all && letters; /* in the last one: else it is an address (RFC 1123, 2.1) */
}

/* The last label of a domain is one of those that mean something else to whoever resolves names. */
static bool check_domain(const struct line *line, struct word domain)
{
	static const struct {
		const char *label, *meant;
	} others[] = {
		{"local", "multicast DNS (RFC 6762)"},
		{"localhost", "the host that asks (RFC 6761)"},
		{"arpa", "addresses (RFC 3172)"},
	};
	const char *dot = memrchr(domain.at, '.', domain.size), *end = domain.at + domain.size;
	const char *last = dot ? dot + 1 : domain.at;

	if (!is_domain(domain) || domain.size > POLICY_DOMAIN_MAX)
		return line_refuse(line, domain.at,
			"domain=%s, expected a domain as in lab.example.org, of at most %d bytes", QUOTED(domain),
			POLICY_DOMAIN_MAX);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strlen(others[i].label) == (size_t)(end - last) &&
			strncasecmp(last, others[i].label, (size_t)(end - last)) == 0)
			return line_refuse(line, last, "domain=%s, expected another one: .%s stands for %s",
				QUOTED(domain), others[i].label, others[i].meant);
	}
	return true;
}

static bool check_search(const struct line *line, struct word list)
{
	struct word rest = list, domain;
	size_t count = 0;

	while (word_cut(&rest, ',', &domain)) {
		if (!is_domain(domain) || ++count > LIST_MAX)
			return line_refuse(line, list.at, "search=%s, expected at most %d domains, apart by ',' alone",
				QUOTED(list), LIST_MAX);
	}
	return true;
}

/* "90m", "12h", "7d" */
static bool check_lease(const struct line *line, struct word word, struct policy_network *network)
{
	const char unit = word.at[word.size - 1];
	const uint32_t seconds = unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : 0;
	uint32_t number = 0;

	if (seconds && word_number((struct word){word.at, word.size - 1}, LEASE_MAX / seconds, &number) &&
		number * seconds >= LEASE_MIN) {
		network->served.lease = number * seconds;
		return true;
	}
	return line_refuse(
		line, word.at, "lease=%s, expected a time from 2m to 7d, as in 90m, 12h or 2d", QUOTED(word));
}

/* FILE@SERVER, or the absolute path of a file that the host serves. No byte that means anything to dnsmasq. */
static bool check_boot(const struct line *line, struct word word)
{
	struct word rest = word, file;
	unsigned char server[4];
	bool good = true;

	word_cut(&rest, '@', &file);
	for (size_t i = 0; i < file.size; i++)
		good &= is_alnum(file.at[i]) || strchr("/._-+:", file.at[i]);
	if (good && file.size > 0 && file.size <= POLICY_BOOT_MAX &&
		(rest.at ? word_address(AF_INET, rest, server)
			 : *file.at == '/' && file.at[file.size - 1] != '/' && !memmem(file.at, file.size, "/../", 4)))
		return true;
	return line_refuse(line, word.at,
		"boot=%s, expected FILE@SERVER as in pxelinux.0@192.0.2.7, or the absolute path of a file on the host",
		QUOTED(word));
}

static bool keep_option(
	const struct line *line, struct policy_network *network, uint32_t option, struct word word, struct word value)
{
	const bool alone = network->mode == MODE_STANDALONE; /* its guests ask these servers themselves */

	switch (option) {
	case OPTION_DHCP:
		network->stands.dhcp = value;
		return true;
	case OPTION_RA:
		network->stands.ra = word;
		return true;
	case OPTION_LOCK_IP:
		network->stands.lock_ip = word;
		return true;
	case OPTION_DNS:
		network->served.dns = value;
		return (alone && word_is(value, "host")) || check_servers(line, "dns", value, !alone);
	case OPTION_NTP:
		network->served.ntp = value;
		return check_servers(line, "ntp", value, false);
	case OPTION_DOMAIN:
		network->served.domain = value;
		return check_domain(line, value);
	case OPTION_SEARCH:
		network->served.search = value;
		return check_search(line, value);
	case OPTION_ROUTER:
		network->served.router = value;
		return true;
	case OPTION_LIST:
		return word_is(value, "own") || line_refuse(line, value.at, "list=%s, expected 'own'", QUOTED(value));
	case OPTION_LEASE:
		return check_lease(line, value, network);
	case OPTION_BOOT:
		network->served.boot = value;
		return check_boot(line, value);
	default:
		return true;
	}
}

static bool check_router(const struct line *line, const struct policy_network *network)
{
	const struct word word = network->served.router;
	const struct policy_subnet *ipv4 = &network->ipv4;
	struct policy_subnet router = *ipv4;

	if (!word.at || word_is(word, "none") || (network->mode == MODE_STANDALONE && word_is(word, "host")))
		return true;
	if (policy_pool_size(network))
		return line_refuse(line, word.at, "router=%s on a pool, expected 'host' or 'none'", QUOTED(word));
	if (!policy_serves(network, false))
		return line_refuse(line, word.at,
			"router=%s without an IPv4 range in 'dhcp=', expected 'none' or both: IPv6 guests hear of their router from itself",
			QUOTED(word));
	if (!word_address(AF_INET, word, router.address) ||
		!policy_prefixes_overlap(router.address, ipv4->prefix, ipv4->address, ipv4->prefix))
		return line_refuse(line, word.at,
			"router=%s, expected 'none' or an IPv4 address of the network's subnet", QUOTED(word));
	return !(subnet_host_bits_are(&router, 32, false) || subnet_host_bits_are(&router, 32, true)) ||
	       line_refuse(line, word.at, "router=%s is the subnet's own or its broadcast, expected a host's",
		       QUOTED(word));
}

/* That what guests on standalone taps are told fits, and that they can be told it at all. */
static bool check_alone(const struct line *line, const struct policy_network *network)
{
	const struct policy_served *served = &network->served;
	struct policy_server server;
	struct word list = served->dns, item = list;

	if (served->domain.size + served->search.size > TOLD_MAX)
		return line_refuse(line, served->search.at ? served->search.at : served->domain.at,
			"domains of more than %d bytes on a standalone network, expected fewer in 'domain=' and 'search='",
			TOLD_MAX);
	for (; list.at && policy_next_server(&list, &server); item = list) {
		if (server.family == AF_INET6)
			return line_refuse(line, item.at,
				"dns= with an IPv6 address on a standalone network, expected 'host' or IPv4 addresses: its guests are told by DHCP of IPv4");
	}
	return true;
}

/* That the network's own server is not told to ask itself, nor guests of servers that they cannot reach. */
static bool check_families(const struct line *line, const struct policy_network *network)
{
	struct policy_server server;
	struct word list = network->served.dns, item = list;

	for (; policy_has_names(network) && list.at && policy_next_server(&list, &server); item = list) {
		const struct policy_subnet *own = server.family == AF_INET ? &network->ipv4 : &network->ipv6;

		if (own->given && memcmp(server.address, own->address, server.family == AF_INET ? 4 : 16) == 0)
			return line_refuse(line, item.at,
				"dns= with the host's own address on the network, expected other servers: that is whom guests ask, and who asks these");
	}
	list = item = network->served.ntp;
	for (; list.at && policy_next_server(&list, &server); item = list) {
		const bool ipv6 = server.family == AF_INET6;

		if (!policy_serves(network, ipv6) && !(ipv6 && (network->options.given & OPTION_RA)))
			return line_refuse(line, item.at,
				"ntp= with an IPv%c address and no IPv%c range in 'dhcp=', expected both: else no guest is told of it",
				ipv6 ? '6' : '4', ipv6 ? '6' : '4');
	}
	return true;
}

/* That each option has one of those beside it that it needs. */
static bool check_needs(const struct line *line, uint32_t given)
{
	for (uint32_t left = given; left; left &= left - 1) {
		const struct policy_option_row *row = policy_option_row(left);

		if (row->needs && !(row->needs & given))
			return line_refuse(line, line->at, "'%s' without '%s', expected both", row->word,
				policy_option_row(row->needs)->word);
	}
	return true;
}

static bool check_network(const struct line *line, struct policy_network *network, const struct word addresses[2])
{
	const struct word boot = network->served.boot;

	if (!check_needs(line, network->options.given) || !check_addresses(line, network, addresses))
		return false;
	if (boot.at && !policy_serves(network, false))
		return line_refuse(line, boot.at,
			"boot= without an IPv4 range in 'dhcp=', expected both: guests hear of the file by DHCP of IPv4");
	return check_router(line, network) && check_families(line, network) &&
	       (network->mode != MODE_STANDALONE || check_alone(line, network));
}

const struct policy_services policy_services = {keep_option, check_network, keep_for_later, parse_guests};

/* The line that a word of a network stands in. */
static struct line line_of(const struct policy *policy, const struct policy_network *network, struct word word)
{
	struct line line = {.number = network->line, .start = word.at, .at = word.at, .end = word.at + word.size};

	while (line.file + 1U < policy->file_count && policy->paths[line.file] != network->file)
		line.file++;
	while (line.start > policy->files[line.file].text && line.start[-1] != '\n')
		line.start--;
	return line;
}

static bool has_guest_at(const struct policy *policy, const struct policy_network *network, const unsigned char *ipv4)
{
	for (size_t i = 0; i < policy->count.guests; i++) {
		const struct policy_guest *guest = &policy->guests[i];

		if (guest->network == network && (guest->options.given & OPTION_IP) &&
			memcmp(guest->ipv4, ipv4, sizeof(guest->ipv4)) == 0)
			return true;
	}
	return false;
}

bool check_routers(struct policy *policy, struct policy_error *error)
{
	for (size_t i = 0; i < policy->count.networks; i++) {
		const struct policy_network *network = &policy->networks[i];
		const struct word word = network->served.router;
		unsigned char router[4];
		uint32_t number;
		struct line line;

		if (!word.at || !word_address(AF_INET, word, router))
			continue;
		memcpy(&number, router, sizeof(number));
		number = ntohl(number);
		if (number < network->dhcp_first || number > network->dhcp_last ||
			has_guest_at(policy, network, router))
			continue;
		line = line_of(policy, network, word);
		line.policy = policy;
		line.error = error;
		return line_refuse(&line, word.at,
			"router=%s is in the range of 'dhcp=', expected it outside, or a 'guest' line with 'ip=%.*s': else another guest may be given the address",
			QUOTED(word), (int)word.size, word.at);
	}
	return true;
}

void policy_usual_domain(const char *name, char domain[static POLICY_DOMAIN_MAX + 1])
{
	size_t size = 0;

	for (; *name; name++) {
		const bool kept = is_alnum(*name);

		if (kept || size > 0)
			domain[size++] = (char)(!kept ? '-' : *name >= 'A' && *name <= 'Z' ? *name | 0x20 : *name);
	}
	while (size > 0 && domain[size - 1] == '-')
		size--;
	snprintf(domain + size, POLICY_DOMAIN_MAX + 1 - size, size ? ".internal" : "network.internal");
}

void policy_domain(const struct policy_network *network, char domain[static POLICY_DOMAIN_MAX + 1])
{
	const struct word given = network->served.domain;

	if (!network->policy || !given.at) {
		policy_usual_domain(network->name, domain);
		return;
	}
	for (size_t i = 0; i < given.size; i++)
		domain[i] = (char)(given.at[i] >= 'A' && given.at[i] <= 'Z' ? given.at[i] | 0x20 : given.at[i]);
	domain[given.size] = '\0';
}

uint32_t policy_lease(const struct policy_network *network)
{
	enum { LEASE = 3600 };

	return network->options.given & OPTION_LEASE ? network->served.lease : LEASE;
}
