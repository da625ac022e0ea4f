// SPDX-License-Identifier: MIT
/* Parses `network` lines: a name, a mode, and what the mode allows. */
#include "policy/internal.h"

#include <arpa/inet.h>
#include <string.h>

static const struct {
	const char *word;
	bool addresses; /* whether its networks have any */
	bool leads_out, apart;
} modes[] = {
	[MODE_BRIDGED] = {.word = "bridged"},
	[MODE_NAT] = {.word = "nat", .addresses = true, .leads_out = true, .apart = true},
	[MODE_SHARED] = {.word = "shared", .addresses = true, .leads_out = true},
	[MODE_ROUTED] = {.word = "routed", .addresses = true, .leads_out = true},
	[MODE_HOST_ONLY] = {.word = "host-only", .addresses = true},
	[MODE_INTERNAL] = {.word = "internal"},
	[MODE_STANDALONE] = {.word = "standalone", .addresses = true},
};

/* Words that can be judged only when all of the line is known; addresses: of IPv4 and IPv6. */
struct late {
	struct word name, addresses[2], per_vm;
};

struct mode_list {
	char text[96];
};

/* "'bridged', 'nat' ... or 'standalone'", for an error. */
static struct mode_list all_modes(void)
{
	const size_t count = sizeof(modes) / sizeof(*modes);
	struct mode_list list = {""};

	for (size_t i = 0; i < count; i++)
		text_append(list.text, sizeof(list.text), "%s'%s'",
			i == 0		? ""
			: i + 1 < count ? ", "
					: " or ",
			modes[i].word);
	return list;
}

const char *policy_mode_name(enum policy_mode mode)
{
	return modes[mode].word;
}

bool policy_mode_leads_out(enum policy_mode mode)
{
	return modes[mode].leads_out;
}

bool policy_mode_is_apart(enum policy_mode mode)
{
	return modes[mode].apart;
}

bool policy_is_managed(const struct policy_network *network)
{
	return network->mode != MODE_BRIDGED;
}

static enum policy_place place_of(const struct policy_network *network)
{
	return (enum policy_place)(1 << network->mode);
}

/* The parser of libc needs a NUL behind it. */
bool word_address(int family, struct word word, unsigned char address[static 4])
{
	char text[INET6_ADDRSTRLEN] = "";

	if (word.size < sizeof(text))
		memcpy(text, word.at, word.size);
	return inet_pton(family, text, address) == 1;
}

bool subnet_host_bits_are(const struct policy_subnet *subnet, unsigned int bits, bool one)
{
	for (unsigned int i = subnet->prefix; i < bits; i++) {
		if (((subnet->address[i / 8] >> (7 - i % 8)) & 1) != one)
			return false;
	}
	return true;
}

/* Whether a word is meant for an address: it has a prefix, as no option has, or is one but for that. */
static bool is_subnet(struct word word)
{
	unsigned char unused[16];

	return *word.at != '#' && !memchr(word.at, '=', word.size) &&
	       (memchr(word.at, '/', word.size) || word_address(AF_INET, word, unused) ||
		       word_address(AF_INET6, word, unused));
}

static const char *const instead_of_auto[] = {
	"no address", "an address as in 172.16.3.1/24: its taps are made without a look at the host's routes"};

/* `auto`: both subnets are chosen. The helper, which makes standalone taps, looks at no routes to choose by. */
static bool parse_auto(const struct line *line, struct policy_network *network, struct word word, struct late *late)
{
	if (!modes[network->mode].addresses || network->mode == MODE_STANDALONE)
		return line_refuse(line, word.at, "'auto' on %s, expected %s", place_words(place_of(network)),
			instead_of_auto[modes[network->mode].addresses]);
	if (network->ipv4.given || network->ipv6.given)
		return line_refuse(line, word.at, "%s, expected it once, or addresses in its place",
			network->automatic ? "'auto' for the second time" : "'auto' beside an address");
	network->automatic = network->ipv4.given = network->ipv6.given = true;
	late->addresses[0] = late->addresses[1] = word;
	return true;
}

/* ADDRESS/PREFIX: the host's own address and its subnet. */
static bool parse_subnet(const struct line *line, struct policy_network *network, struct word word, struct late *late)
{
	struct word rest = word, text;
	struct policy_subnet *subnet;
	bool ipv6;

	if (!modes[network->mode].addresses)
		return line_refuse(line, word.at, "address on %s, expected none", place_words(place_of(network)));
	word_cut(&rest, '/', &text);
	ipv6 = memchr(text.at, ':', text.size);
	subnet = ipv6 ? &network->ipv6 : &network->ipv4;
	if (network->automatic)
		return line_refuse(line, word.at, "an address beside 'auto', expected one of the two");
	if (subnet->given)
		return line_refuse(line, word.at, "a second IPv%c address, expected one", ipv6 ? '6' : '4');
	if (!word_address(ipv6 ? AF_INET6 : AF_INET, text, subnet->address))
		return line_refuse(line, word.at, "%s is no address, expected one as in 172.16.2.1/24 or fd00:2::1/64",
			QUOTED(text));
	if (!rest.at)
		return line_refuse(line, word.at + word.size, "address %s without a prefix, expected one as in %s",
			QUOTED(text), ipv6 ? "fd00:2::1/64" : "172.16.2.1/24");
	if (!word_number(rest, ipv6 ? 128 : 32, &subnet->prefix) || subnet->prefix < 1)
		return line_refuse(
			line, rest.at, "prefix %s, expected a number from 1 to %d", QUOTED(rest), ipv6 ? 128 : 32);
	subnet->given = true;
	late->addresses[ipv6] = word;
	return true;
}

/* /BITS, or two of them apart by ',': what each guest gets of the IPv4 and then of the IPv6 subnet. */
static bool parse_per_vm(const struct line *line, struct policy_network *network, const struct late *late)
{
	struct word word = late->per_vm, part;
	char number[16] = "";

	for (size_t i = 0; i < 2; i++) {
		struct policy_subnet *subnet = i ? &network->ipv6 : &network->ipv4;
		unsigned int bits = i ? 128 : 32;

		if (!subnet->given)
			continue;
		if (subnet->prefix + 1 > bits - 1)
			return line_refuse(line, late->addresses[i].at, "a pool of /%u, expected at most /%u",
				subnet->prefix, bits - 2);
		if (!word_cut(&word, ',', &part))
			return line_refuse(
				line, line->at, "per-vm= lacks a part, expected one for each subnet, as in /30,/126");
		if (part.size < 2 || *part.at != '/' ||
			!word_number((struct word){part.at + 1, part.size - 1}, bits - 1, &subnet->per_vm) ||
			subnet->per_vm <= subnet->prefix)
			return line_refuse(line, part.at, "per-vm part %s, expected one from /%u to /%u", QUOTED(part),
				subnet->prefix + 1, bits - 1);
		if (!subnet_host_bits_are(subnet, bits, false))
			return line_refuse(line, late->addresses[i].at,
				"the address of a pool has host bits, expected the subnet's own");
	}
	if (word.at)
		return line_refuse(line, word.at, "per-vm= has a part too many, expected one for each subnet");
	/* The pool's last tap must have a name that Linux takes for an interface. */
	text_append(number, sizeof(number), "-%u", policy_pool_size(network));
	return late->name.size + strlen(number) <= NAME_MAX_BYTES ||
	       line_refuse(line, late->name.at,
		       "the pool's last tap would be '%s%s', longer than %d bytes, expected a network's name of at most %zu",
		       network->name, number, NAME_MAX_BYTES, NAME_MAX_BYTES - strlen(number));
}

/* That the host's own address is one that a host can have. A pool's was checked with per-vm=, too. */
static bool check_subnet(const struct line *line, const struct policy_subnet *subnet, bool ipv6, const char *at)
{
	const unsigned int bits = ipv6 ? 128 : 32;
	const char *what = subnet->given ? subnet_reserved(subnet, ipv6) : NULL;

	if (what && subnet->per_vm)
		return line_refuse(line, at, "a pool with %s addresses, expected ones that a host can have", what);
	if (what)
		return line_refuse(line, at, "%s address, expected one that a host can have", what);
	if (subnet->given && !subnet->per_vm && subnet->prefix < bits - 1 &&
		(subnet_host_bits_are(subnet, bits, false) || (!ipv6 && subnet_host_bits_are(subnet, bits, true))))
		return line_refuse(line, at, "the address is the subnet's own%s, expected the host's",
			ipv6 ? "" : " or its broadcast");
	return true;
}

static bool check_late(const struct line *line, struct policy_network *network, const struct late *late)
{
	const struct policy_services *services = line->reader->services;

	if (modes[network->mode].addresses && !network->ipv4.given && !network->ipv6.given)
		return line_refuse(line, line->at, "no address on %s, expected one as in 172.16.2.1/24",
			place_words(place_of(network)));
	if (late->per_vm.at && !parse_per_vm(line, network, late))
		return false;
	/* What `auto` stands for is right as it is chosen. */
	if (!network->automatic && (!check_subnet(line, &network->ipv4, false, late->addresses[0].at) ||
					   !check_subnet(line, &network->ipv6, true, late->addresses[1].at)))
		return false;
	if (!network->automatic && network->ipv6.given && (network->options.given & OPTION_MTU) &&
		network->options.mtu < MTU_IPV6)
		return line_refuse(line, late->addresses[1].at,
			"an IPv6 address with mtu=%u, expected an MTU of at least %d", network->options.mtu, MTU_IPV6);
	return !services || services->network(line, network, late->addresses);
}

/* The name and the mode. */
static bool parse_head(struct line *line, struct policy_network *network, struct late *late)
{
	const struct policy_network *other;
	struct word mode;

	if (!line_word(line, &late->name))
		return line_refuse(line, line->at, "no name, expected the network's");
	other = find_network(line->policy, late->name);
	if (other)
		return line_refuse(line, late->name.at,
			"network %s for the second time, expected it once (first at %s)", QUOTED(late->name),
			PLACE(other->file, other->line));
	if (!parse_name(line, late->name, "", network->name))
		return false;
	line_word(line, &mode);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		network->mode = (enum policy_mode)i;
		if (word_is(mode, modes[i].word))
			return true;
	}
	return line_refuse(line, mode.at, "%s%s, expected %s", mode.size ? "unknown mode " : "no mode",
		mode.size ? QUOTED(mode) : "", all_modes().text);
}

bool parse_network(struct line *line)
{
	const struct policy_services *services = line->reader->services;
	struct policy_network *network;
	struct late late = {0};
	struct word word, value;

	if (line->policy->count.networks == POLICY_NETWORKS_MAX)
		return line_refuse(line, line->start, "more than %d networks", POLICY_NETWORKS_MAX);
	network = ADD(line->policy, network);
	if (!network)
		return false;
	network->file = line->policy->paths[line->file];
	network->line = line->number;
	if (!parse_head(line, network, &late))
		return false;
	while (line_word(line, &word)) {
		uint32_t option;

		if (word_is(word, "auto")) {
			if (!parse_auto(line, network, word, &late))
				return false;
			continue;
		}
		if (is_subnet(word)) {
			if (!parse_subnet(line, network, word, &late))
				return false;
			continue;
		}
		option = parse_option(line, word, place_of(network), &network->options, &value);
		if (!option || (services && !services->option(line, network, option, word, value)))
			return false;
		if (option == OPTION_PER_VM)
			late.per_vm = value;
	}
	return check_late(line, network, &late);
}
