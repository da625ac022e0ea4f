/* `network` lines: a name, a mode, and what the mode allows. */
#include <arpa/inet.h>
#include <string.h>

#include "policy/internal.h"

enum {
	/* Of a bridge that tapgate makes; others may have VLANs and the spanning tree protocol besides. */
	OWN_PORT_OPTIONS = OPTION_QUEUES | OPTION_MTU | OPTION_ISOLATED | OPTION_LOCK_MAC,
	DHCP_OPTIONS = OPTION_DHCP | OPTION_LEASES | OPTION_LOCK_IP,
	PORT_OPTIONS = OWN_PORT_OPTIONS | OPTION_VLAN | OPTION_GUARD,
	MTU_IPV6 = 1280,    /* the least of a link with IPv6 (RFC 8200): Linux has no IPv6 on an interface below it */
	DHCP4_PREFIX = 30,  /* the longest with a guest's address beside the host's, the subnet's and the broadcast */
	DHCP6_PREFIX = 112, /* the longest that holds what guests get by DHCPv6, ::1000 to ::1fff of the subnet */
};

static const struct mode {
	const char *word, *on; /* on: for errors */
	bool addresses;
	uint32_t options;
} modes[] = {
	[MODE_BRIDGED] = {"bridged", "a bridged network", false, PORT_OPTIONS},
	[MODE_NAT] = {"nat", "a nat network", true, OWN_PORT_OPTIONS | DHCP_OPTIONS},
	[MODE_HOST_ONLY] = {"host-only", "a host-only network", true, OWN_PORT_OPTIONS | DHCP_OPTIONS},
	[MODE_INTERNAL] = {"internal", "an internal network", false, OWN_PORT_OPTIONS},
	[MODE_STANDALONE] = {"standalone", "a standalone network", true, OPTION_QUEUES | OPTION_MTU | OPTION_PER_VM},
};

/* Words that can be judged only when all of the line is known. */
struct late {
	struct word name, ipv4, ipv6, dhcp, per_vm, lock_ip;
};

const char *policy_mode_name(enum policy_mode mode)
{
	return modes[mode].word;
}

/* An address in text; the parser of libc needs a NUL behind it. */
static bool address(int family, struct word word, unsigned char address[static 16])
{
	char text[INET6_ADDRSTRLEN];

	if (word.size >= sizeof(text))
		return false;
	memcpy(text, word.at, word.size);
	text[word.size] = '\0';
	return inet_pton(family, text, address) == 1;
}

static uint32_t ipv4_number(const unsigned char address[static 4])
{
	return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3];
}

static uint32_t ipv4_mask(unsigned int prefix)
{
	return ~(uint32_t)0 << (32 - prefix);
}

/* Whether all bits behind the prefix are 0 (the subnet's own address) or all 1 (IPv4's broadcast). */
static bool host_bits_are(const struct policy_subnet *subnet, unsigned int bits, bool one)
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

	if (memchr(word.at, '=', word.size))
		return false;
	return memchr(word.at, '/', word.size) || address(AF_INET, word, unused) || address(AF_INET6, word, unused);
}

/* ADDRESS/PREFIX: the host's own address and its subnet. */
static bool parse_subnet(struct line *line, struct policy_network *network, struct word word, struct late *late)
{
	struct word rest = word, text;
	struct policy_subnet *subnet;
	unsigned int bits;

	if (!modes[network->mode].addresses)
		return line_refuse(line, word.at, "address on %s, expected none", modes[network->mode].on);
	word_cut(&rest, '/', &text);
	bits = memchr(text.at, ':', text.size) ? 128 : 32;
	subnet = bits == 128 ? &network->ipv6 : &network->ipv4;
	if (subnet->given)
		return line_refuse(line, word.at, "a second IPv%c address, expected one", bits == 128 ? '6' : '4');
	if (!address(bits == 128 ? AF_INET6 : AF_INET, text, subnet->address))
		return line_refuse(line, word.at, "%s is no address, expected one as in 172.16.2.1/24 or fd00:2::1/64",
			QUOTED(text));
	if (!rest.at)
		return line_refuse(line, word.at + word.size, "address %s without a prefix, expected one as in %s/%s",
			QUOTED(text), bits == 128 ? "fd00:2::1" : "172.16.2.1", bits == 128 ? "64" : "24");
	if (!word_number(rest, bits, &subnet->prefix) || subnet->prefix < 1)
		return line_refuse(line, rest.at, "prefix %s, expected a number from 1 to %u", QUOTED(rest), bits);
	subnet->given = true;
	*(bits == 128 ? &late->ipv6 : &late->ipv4) = word;
	return true;
}

/* FIRST-LAST: IPv4 addresses, in order. That they lie in the subnet is checked when the line has been read. */
static bool parse_dhcp(struct line *line, struct policy_network *network, struct word word)
{
	struct word rest = word, text;
	unsigned char first[16], last[16];

	word_cut(&rest, '-', &text);
	if (!rest.at || !address(AF_INET, text, first) || !address(AF_INET, rest, last))
		return line_refuse(
			line, word.at, "%s is no range, expected one as in 172.16.2.2-172.16.2.100", QUOTED(word));
	network->dhcp_first = ipv4_number(first);
	network->dhcp_last = ipv4_number(last);
	return network->dhcp_first <= network->dhcp_last ||
	       line_refuse(line, word.at, "the range ends before it begins, expected the lower address first");
}

/* /BITS, or two of them apart by ',': what each guest gets of the IPv4 and then of the IPv6 subnet. */
static bool parse_per_vm(struct line *line, struct policy_network *network, const struct late *late)
{
	struct policy_subnet *subnets[] = {&network->ipv4, &network->ipv6};
	const char *ats[] = {late->ipv4.at, late->ipv6.at};
	struct word word = late->per_vm, part;

	for (size_t i = 0; i < 2; i++) {
		unsigned int bits = i ? 128 : 32;

		if (!subnets[i]->given)
			continue;
		if (subnets[i]->prefix + 1 > bits - 1)
			return line_refuse(
				line, ats[i], "a pool of /%u, expected at most /%u", subnets[i]->prefix, bits - 2);
		if (!word_cut(&word, ',', &part))
			return line_refuse(
				line, line->at, "per-vm= lacks a part, expected one for each subnet, as in /30,/126");
		if (part.size < 2 || *part.at != '/' ||
			!word_number((struct word){part.at + 1, part.size - 1}, bits - 1, &subnets[i]->per_vm) ||
			subnets[i]->per_vm <= subnets[i]->prefix)
			return line_refuse(line, part.at, "per-vm part %s, expected one from /%u to /%u", QUOTED(part),
				subnets[i]->prefix + 1, bits - 1);
		if (!host_bits_are(subnets[i], bits, false))
			return line_refuse(
				line, ats[i], "the address of a pool has host bits, expected the subnet's own");
	}
	return !word.at || line_refuse(line, word.at, "per-vm= has a part too many, expected one for each subnet");
}

/* That the pool's last tap can have a name that Linux takes for an interface. */
static bool check_tap_names(struct line *line, const struct policy_network *network, const struct late *late)
{
	char number[16] = "";

	text_append(number, sizeof(number), "-%u", policy_pool_size(network));
	return late->name.size + strlen(number) <= NAME_MAX_BYTES ||
	       line_refuse(line, late->name.at,
		       "the pool's last tap would be '%s%s', longer than %d bytes, expected a network's name of at "
		       "most %zu",
		       network->name, number, NAME_MAX_BYTES, NAME_MAX_BYTES - strlen(number));
}

static bool check_reserved(struct line *line, const struct policy_subnet *subnet, bool ipv6, struct word word)
{
	const char *what = subnet->given ? subnet_reserved(subnet, ipv6) : NULL;

	if (what && subnet->per_vm)
		return line_refuse(line, word.at, "a pool with %s addresses, expected ones that a host can have", what);
	return !what || line_refuse(line, word.at, "%s address, expected one that a host can have", what);
}

/* That the host's own addresses are some that a host can have. A pool's were checked with per-vm=, too. */
static bool check_subnets(struct line *line, const struct policy_network *network, const struct late *late)
{
	const struct policy_subnet *ipv4 = &network->ipv4, *ipv6 = &network->ipv6;

	if (!check_reserved(line, ipv4, false, late->ipv4) || !check_reserved(line, ipv6, true, late->ipv6))
		return false;
	if (ipv4->given && !ipv4->per_vm && ipv4->prefix < 31 &&
		(host_bits_are(ipv4, 32, false) || host_bits_are(ipv4, 32, true)))
		return line_refuse(
			line, late->ipv4.at, "the address is the subnet's own or its broadcast, expected the host's");
	if (ipv6->given && !ipv6->per_vm && ipv6->prefix < 127 && host_bits_are(ipv6, 128, false))
		return line_refuse(line, late->ipv6.at, "the address is the subnet's own, expected the host's");
	if (ipv6->given && (network->options.given & OPTION_MTU) && network->options.mtu < MTU_IPV6)
		return line_refuse(line, late->ipv6.at, "an IPv6 address with mtu=%u, expected an MTU of at least %d",
			network->options.mtu, MTU_IPV6);
	return true;
}

/* That the addresses to hand out are the subnet's, and nobody's yet. */
static bool check_dhcp(struct line *line, const struct policy_network *network, const struct late *late)
{
	const struct policy_subnet *ipv4 = &network->ipv4;
	uint32_t first = network->dhcp_first, last = network->dhcp_last;
	uint32_t mask = ipv4->given ? ipv4_mask(ipv4->prefix) : 0, host = ipv4_number(ipv4->address);

	if (!ipv4->given || ((first ^ host) & mask) || ((last ^ host) & mask))
		return line_refuse(
			line, late->dhcp.at, "the range is not in the network's subnet, expected one that is");
	if (ipv4->prefix > DHCP4_PREFIX)
		return line_refuse(line, late->ipv4.at, "dhcp= in a subnet of /%u, expected a prefix of at most /%d",
			ipv4->prefix, DHCP4_PREFIX);
	if (network->ipv6.given && network->ipv6.prefix > DHCP6_PREFIX)
		return line_refuse(line, late->ipv6.at, "dhcp= with IPv6 needs a prefix of at most /%d", DHCP6_PREFIX);
	if (first <= host && host <= last)
		return line_refuse(line, late->dhcp.at, "the range holds the host's own address, expected it outside");
	if ((first & ~mask) == 0 || (last | mask) == UINT32_MAX)
		return line_refuse(line, late->dhcp.at,
			"the range holds the subnet's own address or its broadcast, expected neither");
	return true;
}

/* That it can be known which address a guest was given, and that all it sends comes by the host, where that is held. */
static bool check_lock_ip(struct line *line, const struct policy_network *network, const struct late *late)
{
	if (!late->dhcp.at)
		return line_refuse(line, late->lock_ip.at,
			"'lock-ip' without 'dhcp=', expected both: else nobody gives a guest an address");
	if (network->ipv6.given)
		return line_refuse(line, late->lock_ip.at,
			"'lock-ip' on a network with an IPv6 address, expected IPv4 alone: guests choose their IPv6 addresses");
	return network->mode == MODE_NAT || (network->options.given & OPTION_ISOLATED) ||
	       line_refuse(line, late->lock_ip.at,
		       "'lock-ip' on a network whose guests reach each other, expected 'isolated' beside it: what they "
		       "send to one another does not come by the host");
}

static bool check_late(struct line *line, struct policy_network *network, const struct late *late)
{
	if (modes[network->mode].addresses && !network->ipv4.given && !network->ipv6.given)
		return line_refuse(
			line, line->at, "no address on %s, expected one as in 172.16.2.1/24", modes[network->mode].on);
	if (late->per_vm.at && (!parse_per_vm(line, network, late) || !check_tap_names(line, network, late)))
		return false;
	if (!check_subnets(line, network, late))
		return false;
	if (!late->dhcp.at && network->options.given & OPTION_LEASES)
		return line_refuse(line, line->at, "leases= without dhcp=, expected both");
	if (late->lock_ip.at && !check_lock_ip(line, network, late))
		return false;
	return !late->dhcp.at || (parse_dhcp(line, network, late->dhcp) && check_dhcp(line, network, late));
}

static bool parse_head(struct line *line, struct policy_network *network, struct late *late)
{
	struct word name, mode;
	const char *problem;
	size_t i;

	if (!line_word(line, &name))
		return line_refuse(line, line->at, "no name, expected the network's");
	if (refuse_foreign_network(line, name))
		return false;
	problem = word_name_problem(name);
	if (problem)
		return line_refuse(line, name.at, "network %s %s, expected an interface's name", QUOTED(name), problem);
	for (i = 0; i < line->policy->count.networks; i++) {
		const struct policy_network *other = &line->policy->networks[i];

		if (word_is(name, other->name))
			return line_refuse(line, name.at,
				"network %s for the second time, expected it once (first at %s)", QUOTED(name),
				PLACE(other->file, other->line));
	}
	late->name = name;
	memcpy(network->name, name.at, name.size);
	if (!line_word(line, &mode))
		return line_refuse(
			line, line->at, "no mode, expected 'bridged', 'nat', 'host-only', 'internal' or 'standalone'");
	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		network->mode = (enum policy_mode)i;
		if (word_is(mode, modes[i].word))
			return true;
	}
	return line_refuse(line, mode.at,
		"unknown mode %s, expected 'bridged', 'nat', 'host-only', 'internal' or 'standalone'", QUOTED(mode));
}

bool parse_network(struct line *line)
{
	struct policy_network network = {.file = line->policy->paths[line->file], .line = line->number}, *kept;
	struct late late = {0};
	struct word word, value;

	if (!parse_head(line, &network, &late))
		return false;
	while (line_word(line, &word)) {
		enum policy_option option = 0;

		if (*word.at == '#')
			return line_refuse(
				line, word.at, "'#' after a network, expected comments on lines of their own");
		if (is_subnet(word)) {
			if (!parse_subnet(line, &network, word, &late))
				return false;
			continue;
		}
		if (!parse_option(line, word, modes[network.mode].options, modes[network.mode].on, &network.options,
			    &option, &value))
			return false;
		if (option == OPTION_DHCP)
			late.dhcp = value;
		else if (option == OPTION_PER_VM)
			late.per_vm = value;
		else if (option == OPTION_LOCK_IP)
			late.lock_ip = word;
	}
	if (!check_late(line, &network, &late))
		return false;
	if (line->policy->count.networks == POLICY_NETWORKS_MAX)
		return line_refuse(line, line->start, "more than %d networks", POLICY_NETWORKS_MAX);
	kept = ADD(line->policy, network);
	if (!kept)
		return line_refuse(line, line->start, "out of memory");
	*kept = network;
	return true;
}
