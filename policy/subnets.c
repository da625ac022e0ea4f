// SPDX-License-Identifier: MIT
/*
 * What subnets are to one another and to the networks that have them: overlaps, the subnets and taps of a pool, what
 * keeps two networks of a policy from standing on one host, and which subnets `auto` may stand for. Arithmetic alone;
 * what the host itself has is for others to compare.
 */
#include "policy/internal.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool policy_prefixes_overlap(const unsigned char *a, unsigned int a_bits, const unsigned char *b, unsigned int b_bits)
{
	unsigned int bits = a_bits < b_bits ? a_bits : b_bits;
	unsigned int bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return rest == 0 || (a[bytes] ^ b[bytes]) >> (8 - rest) == 0;
}

/* What cannot be the address of a host on a network, or only beside another (RFC 6890; RFC 1112; RFC 4291). */
static const struct {
	unsigned char address[16];
	unsigned int bits;
	bool ipv6;
	const char *what;
} reserved[] = {
	{{0}, 8, false, "reserved"},
	{{127}, 8, false, "loopback"},
	{{224}, 4, false, "multicast"},
	{{240}, 4, false, "reserved"},
	{{0}, 128, true, "unspecified"},
	{{[15] = 1}, 128, true, "loopback"},
	{{[10] = 0xff, [11] = 0xff}, 96, true, "IPv4-mapped"},
	{{0xfe, 0x80}, 10, true, "link-local"},
	{{0xff}, 8, true, "multicast"},
};

const char *subnet_reserved(const struct policy_subnet *subnet, bool ipv6)
{
	unsigned int bits = subnet->per_vm ? subnet->prefix : ipv6 ? 128 : 32;

	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		if (reserved[i].ipv6 == ipv6 &&
			policy_prefixes_overlap(subnet->address, bits, reserved[i].address, reserved[i].bits))
			return reserved[i].what;
	}
	return NULL;
}

/* --- pools -------------------------------------------------------------------------------------------------------- */

uint32_t policy_pool_size(const struct policy_network *network)
{
	const struct policy_subnet *subnets[] = {&network->ipv4, &network->ipv6};
	uint32_t least = 0;

	for (size_t i = 0; i < 2; i++) {
		unsigned int bits = subnets[i]->per_vm - subnets[i]->prefix;
		uint32_t size = bits < 16 ? (uint32_t)1 << bits : POLICY_POOL_MAX;

		if (subnets[i]->per_vm && (!least || size < least))
			least = size;
	}
	return least;
}

/* The subnet at an index from 0. A pool's own address has no bits behind its prefix: the index goes in there. */
static struct policy_subnet pool_subnet(const struct policy_subnet *pool, unsigned int bits, uint32_t index)
{
	struct policy_subnet subnet = *pool;

	if (!pool->per_vm)
		return (struct policy_subnet){0};
	for (unsigned int bit = pool->per_vm; index; index >>= 1) {
		bit--;
		if (index & 1)
			subnet.address[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
	}
	if (pool->per_vm < bits - 1)
		subnet.address[bits / 8 - 1] |= 1;
	subnet.prefix = pool->per_vm;
	subnet.per_vm = 0;
	return subnet;
}

void policy_pool_subnet(
	const struct policy_network *network, uint32_t number, struct policy_subnet *ipv4, struct policy_subnet *ipv6)
{
	*ipv4 = *ipv6 = (struct policy_subnet){0};
	if (number < 1 || number > policy_pool_size(network))
		return;
	*ipv4 = pool_subnet(&network->ipv4, 32, number - 1);
	*ipv6 = pool_subnet(&network->ipv6, 128, number - 1);
}

void policy_tap_name(const struct policy_network *network, uint32_t number, char name[static NAME_MAX_BYTES + 1])
{
	name[0] = '\0';
	text_append(name, NAME_MAX_BYTES + 1, number ? "%s-%u" : "%s", network->name, number);
}

/* --- conflicts ---------------------------------------------------------------------------------------------------- */

struct conflicts {
	void (*report)(void *context, const struct policy_error *error);
	void *context;
	size_t count;
};

__attribute__((format(printf, 3, 4))) static void conflict(
	struct conflicts *conflicts, const struct policy_network *later, const char *format, ...)
{
	struct policy_error error = {.line = later->line};
	va_list args;

	text_append_escaped(error.file, sizeof(error.file), (struct word){later->file, strlen(later->file)});
	va_start(args, format);
	vsnprintf(error.what, sizeof(error.what), format, args);
	va_end(args);
	conflicts->report(conflicts->context, &error);
	conflicts->count++;
}

static void compare_subnets(struct conflicts *conflicts, const struct policy_network *later,
	const struct policy_network *earlier, int family)
{
	const struct policy_subnet *a = family == AF_INET ? &later->ipv4 : &later->ipv6;
	const struct policy_subnet *b = family == AF_INET ? &earlier->ipv4 : &earlier->ipv6;
	char a_text[INET6_ADDRSTRLEN] = "", b_text[INET6_ADDRSTRLEN] = "";

	if (!a->given || !b->given || !policy_prefixes_overlap(a->address, a->prefix, b->address, b->prefix))
		return;
	inet_ntop(family, a->address, a_text, sizeof(a_text));
	inet_ntop(family, b->address, b_text, sizeof(b_text));
	conflict(conflicts, later, "%s/%u of network '%s' overlaps %s/%u of network '%s' (%s), expected subnets apart",
		a_text, a->prefix, later->name, b_text, b->prefix, earlier->name, PLACE(earlier->file, earlier->line));
}

/* Whether a name begins as those of a pool's taps do; a guard for all of a pool knows them by that ("cell-*"). */
static bool pool_names(const struct policy_network *pool, const char *name)
{
	size_t size = strlen(pool->name);

	return policy_pool_size(pool) && strncmp(name, pool->name, size) == 0 && name[size] == '-';
}

/* Guests of both would have names in one domain. */
static void compare_domains(
	struct conflicts *conflicts, const struct policy_network *later, const struct policy_network *earlier)
{
	char a[POLICY_DOMAIN_MAX + 1], b[POLICY_DOMAIN_MAX + 1];

	if (!policy_has_names(later) || !policy_has_names(earlier))
		return;
	policy_domain(later, a);
	policy_domain(earlier, b);
	if (strcmp(a, b) == 0)
		conflict(conflicts, later,
			"the guests of network '%s' would have names in the domain of those of '%s' (%s), expected %s",
			later->name, earlier->name, PLACE(earlier->file, earlier->line),
			later->served.domain.at ? "another 'domain='"
						: "a network's name that differs in letters or digits, or a 'domain='");
}

static void compare_names(
	struct conflicts *conflicts, const struct policy_network *later, const struct policy_network *earlier)
{
	if (pool_names(earlier, later->name))
		conflict(conflicts, later,
			"network '%s' has a name as taps of pool '%s' (%s) have, expected one that does not begin with '%s-'",
			later->name, earlier->name, PLACE(earlier->file, earlier->line), earlier->name);
	if (pool_names(later, earlier->name))
		conflict(conflicts, later,
			"taps of pool '%s' have names as network '%s' (%s) has, expected no other that begins with '%s-'",
			later->name, earlier->name, PLACE(earlier->file, earlier->line), later->name);
}

size_t policy_conflicts(
	const struct policy *policy, void (*report)(void *context, const struct policy_error *error), void *context)
{
	struct conflicts conflicts = {report, context, 0};

	for (size_t i = 0; i < policy->count.networks; i++) {
		const struct policy_network *later = &policy->networks[i];

		for (size_t j = 0; j < i; j++) {
			const struct policy_network *earlier = &policy->networks[j];

			compare_subnets(&conflicts, later, earlier, AF_INET);
			compare_subnets(&conflicts, later, earlier, AF_INET6);
			compare_names(&conflicts, later, earlier);
			compare_domains(&conflicts, later, earlier);
		}
	}
	return conflicts.count;
}

/* --- leases ------------------------------------------------------------------------------------------------------- */

unsigned int policy_leases(const struct policy_network *network)
{
	enum { LEASES = 4 }; /* a guest, and a few that it runs itself */

	return network->options.given & OPTION_LEASES ? network->options.leases : LEASES;
}

/* --- auto --------------------------------------------------------------------------------------------------------- */

/*
 * `auto` in the place of a network's address: which subnets it may stand for, one after the other. They follow from the
 * network's name and the machine's, so that they are the same at each boot, and nothing has to be written down. Which
 * of them a host has is for others to choose (tool/choose.c).
 */

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

/* policy_choose, for a network that is being read. */
static void choose_subnets(struct policy_network *network, const char *machine, uint32_t choice)
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
