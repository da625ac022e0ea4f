// SPDX-License-Identifier: MIT
/*
 * `auto` in the place of a network's address: which subnets it may stand for, one after the other. They follow from the
 * network's name and the machine's, so that they are the same at each boot, and nothing has to be written down. Which
 * of them a host has is for others to choose (tool/choose.c).
 */
#include "policy/internal.h"

#include <string.h>

enum {
	OF_10 = 16,  /* of the choices, those in 10.0.0.0/8; the next are in 172.16.0.0/12 */
	OF_172 = 24, /* and from here on in 192.168.0.0/16 (RFC 1918) */
	IPV4_PREFIX = 24,
	IPV6_PREFIX = 64,
};

/* The bits mixed once more, as the last bytes reach only the upper ones. */
static uint64_t digest(uint64_t from, const void *bytes, size_t size)
{
	const uint64_t plain = digest_bytes(from, bytes, size);

	return plain ^ plain >> 32;
}

static void put_number(unsigned char *address, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		address[i] = (unsigned char)(number >> 8 * (bytes - 1 - i));
}

/* The third, and in the larger ranges the second byte is the network's. */
static void choose_ipv4(unsigned char address[static 4], uint64_t number, uint32_t choice)
{
	const unsigned char second = (unsigned char)(number >> 8), third = (unsigned char)number;

	address[0] = choice < OF_10 ? 10 : choice < OF_172 ? 172 : 192;
	address[1] = choice < OF_10 ? second : choice < OF_172 ? 16 | (second & 15) : 168;
	address[2] = third;
	address[3] = 1;
}

/* A unique local address (RFC 4193): 40 bits that are the machine's, and 16 that are the network's. */
static void choose_ipv6(unsigned char address[static 16], uint64_t machine, uint64_t number)
{
	memset(address, 0, 16);
	address[0] = 0xfd;
	put_number(address + 1, machine, 5);
	put_number(address + 6, number, 2);
	address[15] = 1;
}

void choose_subnets(struct policy_network *network, const char *machine, uint32_t choice)
{
	const uint64_t host = digest(DIGEST_START, machine, strlen(machine));
	const uint64_t name = digest(host, network->name, strlen(network->name)),
		       number = digest(name, &(unsigned char){(unsigned char)choice}, 1);

	choose_ipv4(network->ipv4.address, number, choice);
	choose_ipv6(network->ipv6.address, host, number);
	network->ipv4.prefix = IPV4_PREFIX;
	network->ipv6.prefix = IPV6_PREFIX;
	if (network->options.given & OPTION_DHCP) { /* all that are left of the subnet */
		network->dhcp_first = (uint32_t)network->ipv4.address[0] << 24 |
				      (uint32_t)network->ipv4.address[1] << 16 |
				      (uint32_t)network->ipv4.address[2] << 8 | 2;
		network->dhcp_last = network->dhcp_first | 0xfe;
	}
}

bool check_auto(const struct line *line, struct policy_network *network)
{
	const struct word dhcp = network->stands.dhcp;
	const uint32_t given = network->options.given;

	if (dhcp.at && !word_is(dhcp, "auto"))
		return line_refuse(line, dhcp.at, "dhcp=%s on a network whose subnet is chosen, expected 'dhcp=auto'",
			QUOTED(dhcp));
	if ((given & OPTION_MTU) && network->options.mtu < MTU_IPV6)
		network->ipv6.given = false;
	choose_subnets(network, "", 0);
	return true;
}

static void move_guest(const struct policy_network *network, struct policy_guest *guest)
{
	if (guest->network == network && (guest->options.given & OPTION_IP))
		memcpy(guest->ipv4, network->ipv4.address, IPV4_PREFIX / 8);
}

static bool is_taken(const struct policy *policy, const struct policy_guest *guest)
{
	for (const struct policy_guest *other = policy->guests; other < guest; other++) {
		if (other->network == guest->network && (other->options.given & OPTION_IP) &&
			memcmp(other->ipv4, guest->ipv4, sizeof(guest->ipv4)) == 0)
			return true;
	}
	return false;
}

void choose_address(const struct policy *policy, struct policy_guest *guest)
{
	enum { FIRST = 2, LAST = 254 };
	unsigned char *last = &guest->ipv4[3];

	if (!guest->network->automatic || !(guest->options.given & OPTION_MAC) || !policy_serves(guest->network, false))
		return;
	guest->options.given |= OPTION_IP;
	move_guest(guest->network, guest);
	*last = (unsigned char)(FIRST + digest(0, guest->name, strlen(guest->name)) % (LAST - FIRST + 1));
	while (is_taken(policy, guest))
		*last = *last == LAST ? FIRST : (unsigned char)(*last + 1);
}

void policy_choose(struct policy *policy, size_t network, const char *machine, uint32_t choice)
{
	if (!policy->networks[network].automatic)
		return;
	choose_subnets(&policy->networks[network], machine, choice);
	for (size_t i = 0; i < policy->count.guests; i++)
		move_guest(&policy->networks[network], &policy->guests[i]);
}
