// SPDX-License-Identifier: MIT
/* Which addresses a network's guests are given, by DHCP or by themselves: `dhcp=` and `ra`. */
#include "policy/internal.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	DHCP4_PREFIX = 30,  /* the longest with a guest's address beside the host's, the subnet's and the broadcast */
	DHCP6_PREFIX = 112, /* the longest that holds what guests get by DHCPv6, ::1000 to ::1fff of the subnet */
	DHCP6_SUBNET = 64,  /* dnsmasq knows no larger one: of such a one it serves the /64 that the host is in */
	SLAAC_PREFIX = 64,  /* of what guests form their addresses in (RFC 4862; RFC 2464, 4) */
};

static uint32_t number_of(const unsigned char address[static 4])
{
	return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3];
}

bool policy_serves(const struct policy_network *network, bool ipv6)
{
	const uint32_t given = network->options.given;

	if (!(given & OPTION_DHCP))
		return false;
	if (network->mode == MODE_STANDALONE)
		return !ipv6;
	return ipv6 ? network->ipv6.given && !(given & OPTION_RA) : network->dhcp_last != 0;
}

bool policy_has_server(const struct policy_network *network)
{
	return network->options.given & (OPTION_DHCP | OPTION_RA);
}

bool policy_has_names(const struct policy_network *network)
{
	return policy_has_server(network) && network->mode != MODE_STANDALONE;
}

/*
 * ::1000 to ::1fff of the subnet, or in a small one the half that the host is not in. False if there are none.
 */
static bool usual_range(const struct policy_subnet *subnet, unsigned int prefix, unsigned char first[static 16],
	unsigned char last[static 16])
{
	const unsigned int bits = 128 - prefix;
	unsigned int mask, half, host, low, high;

	if (bits == 0)
		return false;
	memcpy(first, subnet->address, 16);
	for (unsigned int bit = prefix; bit < 128; bit++)
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

static bool is_zero(const unsigned char address[static 16])
{
	static const unsigned char zero[16];

	return memcmp(address, zero, sizeof(zero)) == 0;
}

bool policy_range6(const struct policy_network *network, unsigned char first[static 16], unsigned char last[static 16],
	unsigned int *prefix)
{
	*prefix = network->ipv6.prefix < DHCP6_SUBNET ? DHCP6_SUBNET : network->ipv6.prefix;
	if (!policy_serves(network, true))
		return false;
	if (is_zero(network->dhcp6_last))
		return usual_range(&network->ipv6, *prefix, first, last);
	memcpy(first, network->dhcp6_first, 16);
	memcpy(last, network->dhcp6_last, 16);
	return true;
}

void policy_ranges_text(const struct policy_network *network, char *buffer, size_t size)
{
	const struct in_addr ends[] = {{htonl(network->dhcp_first)}, {htonl(network->dhcp_last)}};
	unsigned char first[16], last[16];
	char text[2][INET6_ADDRSTRLEN];
	unsigned int prefix;
	const bool written = !is_zero(network->dhcp6_last);

	*buffer = '\0';
	if (network->dhcp_last && policy_serves(network, false) &&
		inet_ntop(AF_INET, &ends[0], text[0], sizeof(text[0])) &&
		inet_ntop(AF_INET, &ends[1], text[1], sizeof(text[1])))
		text_append(buffer, size, "%s-%s", text[0], text[1]);
	if ((written || !*buffer) && policy_range6(network, first, last, &prefix) &&
		inet_ntop(AF_INET6, first, text[0], sizeof(text[0])) &&
		inet_ntop(AF_INET6, last, text[1], sizeof(text[1])))
		text_append(buffer, size, "%s%s-%s", *buffer ? "," : "", text[0], text[1]);
}

/* What is wrong with a range of one family, as a phrase; NULL if nothing is. */
static const char *range_problem(
	const struct policy_subnet *subnet, const unsigned char *first, const unsigned char *last, bool ipv6)
{
	const unsigned int bits = ipv6 ? 128 : 32,
			   prefix = ipv6 && subnet->prefix < DHCP6_SUBNET ? DHCP6_SUBNET : subnet->prefix;
	const unsigned char *host = subnet->address;
	struct policy_subnet low = {.prefix = prefix}, high = low;

	memcpy(low.address, first, bits / 8);
	memcpy(high.address, last, bits / 8);
	if (memcmp(first, last, bits / 8) > 0)
		return "the range ends before it begins, expected the lower address first";
	if (!subnet->given || !policy_prefixes_overlap(first, prefix, host, prefix) ||
		!policy_prefixes_overlap(last, prefix, host, prefix))
		return "the range is not in the network's subnet, expected one that is";
	if (memcmp(first, host, bits / 8) <= 0 && memcmp(host, last, bits / 8) <= 0)
		return "the range holds the host's own address, expected it outside";
	if (prefix < bits - 1 &&
		(subnet_host_bits_are(&low, bits, false) || (!ipv6 && subnet_host_bits_are(&high, bits, true))))
		return ipv6 ? "the range holds the subnet's own address, expected it outside"
			    : "the range holds the subnet's own address or its broadcast, expected neither";
	return NULL;
}

/* FIRST-LAST, of the family that has not been yet. */
static bool parse_range(const struct line *line, struct policy_network *network, struct word part, bool *ipv6)
{
	const int family = memchr(part.at, ':', part.size) ? AF_INET6 : AF_INET;
	struct word rest = part, text;
	unsigned char ends[2][16];
	const char *wrong;

	*ipv6 = family == AF_INET6;
	word_cut(&rest, '-', &text);
	if (!rest.at || !word_address(family, text, ends[0]) || !word_address(family, rest, ends[1]))
		return line_refuse(line, part.at,
			"%s is no range, expected 'auto' or one as in 172.16.2.2-172.16.2.100 or fd00:2::20-fd00:2::9f",
			QUOTED(part));
	if (*ipv6 && (network->options.given & OPTION_RA))
		return line_refuse(line, part.at,
			"an IPv6 range beside 'ra', expected one of them: with 'ra' guests form their IPv6 addresses by themselves");
	if (*ipv6 ? !is_zero(network->dhcp6_last) : network->dhcp_last != 0)
		return line_refuse(line, part.at, "a second IPv%c range, expected one", *ipv6 ? '6' : '4');
	if (!*ipv6 && network->ipv4.prefix > DHCP4_PREFIX)
		return true; /* which is said of the address */
	wrong = range_problem(*ipv6 ? &network->ipv6 : &network->ipv4, ends[0], ends[1], *ipv6);
	if (wrong)
		return line_refuse(line, part.at, "%s", wrong);
	if (*ipv6) {
		memcpy(network->dhcp6_first, ends[0], 16);
		memcpy(network->dhcp6_last, ends[1], 16);
	} else {
		network->dhcp_first = number_of(ends[0]);
		network->dhcp_last = number_of(ends[1]);
	}
	return true;
}

/* All IPv4 addresses of the subnet on the side of the host's that has more of them. */
static void choose_range(struct policy_network *network)
{
	const uint32_t host = number_of(network->ipv4.address), mask = ~(uint32_t)0 << (32 - network->ipv4.prefix),
		       own = host & mask, broadcast = host | ~mask;
	const bool above = broadcast - host >= host - own;

	network->dhcp_first = above ? host + 1 : own + 1;
	network->dhcp_last = above ? broadcast - 1 : host - 1;
}

/*
 * On a tap that stands alone there is one guest, and its address follows from the host's; its IPv6 address it gives
 * itself.
 */
static bool check_alone(const struct line *line, const struct policy_network *network, struct word address)
{
	const struct word dhcp = network->stands.dhcp;

	if (!word_is(dhcp, "auto"))
		return line_refuse(line, dhcp.at,
			"dhcp=%s on a standalone network, expected 'dhcp=auto': a tap has one guest, whose address follows from the host's",
			QUOTED(dhcp));
	if (!network->ipv4.given)
		return line_refuse(line, dhcp.at,
			"dhcp= on a standalone network without an IPv4 address, expected one: its guests give themselves their IPv6 addresses");
	return network->ipv4.prefix < 32 ||
	       line_refuse(line, address.at, "dhcp= in a subnet of /32, expected a prefix of at most /31");
}

/*
 * FIRST-LAST of IPv4, IPv6 or both, apart by ',', or "auto": addresses to hand out, which are the subnet's, and
 * nobody's yet.
 */
static bool parse_dhcp(const struct line *line, struct policy_network *network, const struct word addresses[2])
{
	const struct word dhcp = network->stands.dhcp;
	struct word rest = dhcp, part;
	bool ipv6 = false, ipv4 = false;

	if (network->mode == MODE_STANDALONE)
		return check_alone(line, network, addresses[0]);
	if (word_is(dhcp, "auto"))
		ipv4 = network->ipv4.given;
	else
		while (word_cut(&rest, ',', &part)) {
			if (!parse_range(line, network, part, &ipv6))
				return false;
			ipv4 |= !ipv6;
		}
	if (ipv4 && network->ipv4.prefix > DHCP4_PREFIX)
		return line_refuse(line, addresses[0].at, "dhcp= in a subnet of /%u, expected a prefix of at most /%d",
			network->ipv4.prefix, DHCP4_PREFIX);
	if (ipv4 && word_is(dhcp, "auto"))
		choose_range(network);
	if (policy_serves(network, true) && network->ipv6.prefix > DHCP6_PREFIX)
		return line_refuse(
			line, addresses[1].at, "dhcp= with IPv6 needs a prefix of at most /%d", DHCP6_PREFIX);
	return policy_serves(network, false) || policy_serves(network, true) ||
	       line_refuse(line, dhcp.at,
		       "dhcp=auto with 'ra' and no IPv4 address, expected 'ra' alone: guests form their IPv6 addresses by themselves");
}

static bool check_ra(const struct line *line, const struct policy_network *network, struct word address)
{
	if (!network->ipv6.given)
		return line_refuse(line, network->stands.ra.at,
			"'ra' on a network without an IPv6 address, expected one as in fd00:2::1/64");
	return network->ipv6.prefix == SLAAC_PREFIX ||
	       line_refuse(line, address.at,
		       "'ra' in a subnet of /%u, expected one of /%d: guests form their addresses in no other",
		       network->ipv6.prefix, SLAAC_PREFIX);
}

/* That it can be known which addresses a guest was given. */
static bool check_lock_ip(const struct line *line, const struct policy_network *network)
{
	if (!network->stands.dhcp.at)
		return line_refuse(line, network->stands.lock_ip.at,
			"'lock-ip' without 'dhcp=', expected both: else nobody gives a guest an address");
	return !network->stands.ra.at ||
	       line_refuse(line, network->stands.lock_ip.at,
		       "'lock-ip' beside 'ra', expected one of the two: with 'ra' guests choose their IPv6 addresses");
}

/* That a bridge's subnet has an address besides the host's. A tap that stands alone leads to one guest in any case. */
static bool has_room(const struct line *line, const struct policy_network *network, const struct word addresses[2])
{
	const unsigned int bits[] = {32, 128};

	for (size_t i = 0; i < 2 && network->mode != MODE_STANDALONE; i++) {
		const struct policy_subnet *subnet = i ? &network->ipv6 : &network->ipv4;

		if (subnet->given && subnet->prefix == bits[i])
			return line_refuse(line, addresses[i].at,
				"a subnet of /%u has no address for a guest, expected a prefix of at most /%u", bits[i],
				bits[i] - 1);
	}
	return true;
}

bool check_addresses(const struct line *line, struct policy_network *network, const struct word addresses[2])
{
	if (network->automatic && !check_auto(line, network))
		return false;
	return (!network->stands.lock_ip.at || check_lock_ip(line, network)) &&
	       (!network->stands.ra.at || check_ra(line, network, addresses[1])) &&
	       (!network->stands.dhcp.at || network->automatic || parse_dhcp(line, network, addresses)) &&
	       has_room(line, network, addresses);
}
