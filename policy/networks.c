/* `network` lines: a name, a mode, and what the mode allows. */
#include <arpa/inet.h>
#include <string.h>

#include "policy/internal.h"

enum {
	/* Of a bridge that tapgate makes; others may have VLANs and the spanning tree protocol besides. */
	OWN_PORT_OPTIONS = OPTION_QUEUES | OPTION_MTU | OPTION_ISOLATED | OPTION_LOCK_MAC,
	DHCP_OPTIONS = OPTION_DHCP | OPTION_LEASES | OPTION_LOCK_IP,
	PORT_OPTIONS = OWN_PORT_OPTIONS | OPTION_VLAN | OPTION_GUARD,
	OTHER_BRIDGES = OPTION_VLAN | OPTION_GUARD,
	MTU_IPV6 = 1280,    /* the least of a link with IPv6 (RFC 8200): Linux has no IPv6 on an interface below it */
	DHCP4_PREFIX = 30,  /* the longest with a guest's address beside the host's, the subnet's and the broadcast */
	DHCP6_PREFIX = 112, /* the longest that holds what guests get by DHCPv6, ::1000 to ::1fff of the subnet */
};

static const struct mode {
	const char *word, *on; /* on: for errors */
	bool addresses;
	uint32_t options;
	/*
	 * What rules for it cannot have: a standalone one has no bridge; the bridges of nat, host-only and internal
	 * ones filter no VLANs, and pass BPDUs on (cli/networks/bridge.c).
	 */
	uint32_t lacks;
} modes[] = {
	[MODE_BRIDGED] = {"bridged", "a bridged network", false, PORT_OPTIONS, 0},
	[MODE_NAT] = {"nat", "a nat network", true, OWN_PORT_OPTIONS | DHCP_OPTIONS, OTHER_BRIDGES},
	[MODE_HOST_ONLY] = {"host-only", "a host-only network", true, OWN_PORT_OPTIONS | DHCP_OPTIONS, OTHER_BRIDGES},
	[MODE_INTERNAL] = {"internal", "an internal network", false, OWN_PORT_OPTIONS, OTHER_BRIDGES},
	[MODE_STANDALONE] = {"standalone", "a standalone network", true, OPTION_QUEUES | OPTION_MTU | OPTION_PER_VM,
		OTHER_BRIDGES | OPTION_MAC | OPTION_LOCK_MAC},
};

/* Words that can be judged only when all of the line is known; addresses: of IPv4 and IPv6. */
struct late {
	struct word name, addresses[2], dhcp, per_vm, lock_ip;
};

const char *policy_mode_name(enum policy_mode mode)
{
	return modes[mode].word;
}

uint32_t policy_mode_lacks(enum policy_mode mode)
{
	return modes[mode].lacks;
}

/* An address in text; the parser of libc needs a NUL behind it. */
static bool address(int family, struct word word, unsigned char address[static 16])
{
	char text[INET6_ADDRSTRLEN] = "";

	if (word.size < sizeof(text))
		memcpy(text, word.at, word.size);
	return inet_pton(family, text, address) == 1;
}

static uint32_t ipv4_number(const unsigned char address[static 4])
{
	return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3];
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

	return *word.at != '#' && !memchr(word.at, '=', word.size) &&
	       (memchr(word.at, '/', word.size) || address(AF_INET, word, unused) || address(AF_INET6, word, unused));
}

/* ADDRESS/PREFIX: the host's own address and its subnet. */
static bool parse_subnet(const struct line *line, struct policy_network *network, struct word word, struct late *late)
{
	struct word rest = word, text;
	struct policy_subnet *subnet;
	bool ipv6;

	if (!modes[network->mode].addresses)
		return line_refuse(line, word.at, "address on %s, expected none", modes[network->mode].on);
	word_cut(&rest, '/', &text);
	ipv6 = memchr(text.at, ':', text.size);
	subnet = ipv6 ? &network->ipv6 : &network->ipv4;
	if (subnet->given)
		return line_refuse(line, word.at, "a second IPv%c address, expected one", ipv6 ? '6' : '4');
	if (!address(ipv6 ? AF_INET6 : AF_INET, text, subnet->address))
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
		if (!host_bits_are(subnet, bits, false))
			return line_refuse(line, late->addresses[i].at,
				"the address of a pool has host bits, expected the subnet's own");
	}
	if (word.at)
		return line_refuse(line, word.at, "per-vm= has a part too many, expected one for each subnet");
	/* The pool's last tap must have a name that Linux takes for an interface. */
	text_append(number, sizeof(number), "-%u", policy_pool_size(network));
	return late->name.size + strlen(number) <= NAME_MAX_BYTES ||
	       line_refuse(line, late->name.at,
		       "the pool's last tap would be '%s%s', longer than %d bytes, expected a network's name of at "
		       "most %zu",
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
		(host_bits_are(subnet, bits, false) || (!ipv6 && host_bits_are(subnet, bits, true))))
		return line_refuse(line, at, "the address is the subnet's own%s, expected the host's",
			ipv6 ? "" : " or its broadcast");
	return true;
}

/* FIRST-LAST: IPv4 addresses to hand out, in order, which are the subnet's, and nobody's yet. */
static bool parse_dhcp(const struct line *line, struct policy_network *network, const struct late *late)
{
	const struct policy_subnet *ipv4 = &network->ipv4;
	const char *at = late->dhcp.at;
	const uint32_t host = ipv4_number(ipv4->address), mask = ipv4->given ? ~(uint32_t)0 << (32 - ipv4->prefix) : 0;
	struct word rest = late->dhcp, text;
	unsigned char address_of[2][16];
	uint32_t first, last;
	const char *wrong;

	word_cut(&rest, '-', &text);
	if (!rest.at || !address(AF_INET, text, address_of[0]) || !address(AF_INET, rest, address_of[1]))
		return line_refuse(
			line, at, "%s is no range, expected one as in 172.16.2.2-172.16.2.100", QUOTED(late->dhcp));
	if (ipv4->prefix > DHCP4_PREFIX)
		return line_refuse(line, late->addresses[0].at,
			"dhcp= in a subnet of /%u, expected a prefix of at most /%d", ipv4->prefix, DHCP4_PREFIX);
	if (network->ipv6.prefix > DHCP6_PREFIX)
		return line_refuse(
			line, late->addresses[1].at, "dhcp= with IPv6 needs a prefix of at most /%d", DHCP6_PREFIX);
	first = network->dhcp_first = ipv4_number(address_of[0]);
	last = network->dhcp_last = ipv4_number(address_of[1]);
	wrong = first > last ? "the range ends before it begins, expected the lower address first"
		: !ipv4->given || ((first ^ host) & mask) || ((last ^ host) & mask)
			? "the range is not in the network's subnet, expected one that is"
		: first <= host && host <= last ? "the range holds the host's own address, expected it outside"
		: (first & ~mask) == 0 || (last | mask) == UINT32_MAX
			? "the range holds the subnet's own address or its broadcast, expected neither"
			: NULL;
	return !wrong || line_refuse(line, at, "%s", wrong);
}

/* That it can be known which address a guest was given, and that all it sends comes by the host, where that is held. */
static bool check_lock_ip(const struct line *line, const struct policy_network *network, const struct late *late)
{
	const bool apart = network->mode == MODE_NAT || (network->options.given & OPTION_ISOLATED);
	const char *wrong =
		!late->dhcp.at ? "'lock-ip' without 'dhcp=', expected both: else nobody gives a guest an address"
		: network->ipv6.given
			? "'lock-ip' on a network with an IPv6 address, expected IPv4 alone: guests choose "
			  "their IPv6 addresses"
		: !apart ? "'lock-ip' on a network whose guests reach each other, expected 'isolated' beside it: "
			   "what they "
			   "send to one another does not come by the host"
			 : NULL;

	return !wrong || line_refuse(line, late->lock_ip.at, "%s", wrong);
}

static bool check_late(const struct line *line, struct policy_network *network, const struct late *late)
{
	if (modes[network->mode].addresses && !network->ipv4.given && !network->ipv6.given)
		return line_refuse(
			line, line->at, "no address on %s, expected one as in 172.16.2.1/24", modes[network->mode].on);
	if (late->per_vm.at && !parse_per_vm(line, network, late))
		return false;
	if (!check_subnet(line, &network->ipv4, false, late->addresses[0].at) ||
		!check_subnet(line, &network->ipv6, true, late->addresses[1].at))
		return false;
	if (network->ipv6.given && (network->options.given & OPTION_MTU) && network->options.mtu < MTU_IPV6)
		return line_refuse(line, late->addresses[1].at,
			"an IPv6 address with mtu=%u, expected an MTU of at least %d", network->options.mtu, MTU_IPV6);
	if (!late->dhcp.at && network->options.given & OPTION_LEASES)
		return line_refuse(line, line->at, "leases= without dhcp=, expected both");
	if (late->lock_ip.at && !check_lock_ip(line, network, late))
		return false;
	return !late->dhcp.at || parse_dhcp(line, network, late);
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
	return line_refuse(line, mode.at, "%s%s, expected 'bridged', 'nat', 'host-only', 'internal' or 'standalone'",
		mode.size ? "unknown mode " : "no mode", mode.size ? QUOTED(mode) : "");
}

bool parse_network(struct line *line)
{
	struct policy_network *network;
	const struct mode *mode;
	struct late late = {0};
	struct word word, value;
	enum policy_option option;

	if (line->policy->count.networks == POLICY_NETWORKS_MAX)
		return line_refuse(line, line->start, "more than %d networks", POLICY_NETWORKS_MAX);
	network = ADD(line->policy, network);
	if (!network)
		return line_refuse(line, line->start, "out of memory");
	network->file = line->policy->paths[line->file];
	network->line = line->number;
	if (!parse_head(line, network, &late))
		return false;
	mode = &modes[network->mode];
	while (line_word(line, &word)) {
		if (is_subnet(word)) {
			if (!parse_subnet(line, network, word, &late))
				return false;
			continue;
		}
		if (!parse_option(line, word, mode->options, mode->on, &network->options, &option, &value))
			return false;
		if (option == OPTION_DHCP)
			late.dhcp = value;
		else if (option == OPTION_PER_VM)
			late.per_vm = value;
		else if (option == OPTION_LOCK_IP)
			late.lock_ip = word;
	}
	return check_late(line, network, &late);
}
