// SPDX-License-Identifier: MIT
/*
 * For tests/fuzz/policy.c: what must hold of the networks of a policy that loaded, each alone and beside one another.
 * Compares addresses bit by bit, and shares no arithmetic with policy/.
 */
#ifndef TESTS_FUZZ_NETWORKS_H
#define TESTS_FUZZ_NETWORKS_H

#include "policy/policy.h"
#include "tests/fuzz/fuzz.h"

static inline unsigned int bit_of(const unsigned char *address, unsigned int bit)
{
	return address[bit / 8] >> (7 - bit % 8) & 1;
}

/* Whether the first bits of two addresses are the same. */
static inline bool same_bits(const unsigned char *a, const unsigned char *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++) {
		if (bit_of(a, i) != bit_of(b, i))
			return false;
	}
	return true;
}

/* Whether two subnets overlap, which policy_prefixes_overlap must say, too, whichever comes first. */
static inline bool check_overlap(const struct policy_subnet *a, const struct policy_subnet *b)
{
	bool overlap = same_bits(a->address, b->address, a->prefix < b->prefix ? a->prefix : b->prefix);

	MUST(policy_prefixes_overlap(a->address, a->prefix, b->address, b->prefix) == overlap);
	MUST(policy_prefixes_overlap(b->address, b->prefix, a->address, a->prefix) == overlap);
	return overlap;
}

/* An address that Linux takes for an interface and for hosts: a part of what the parser promises, in other words. */
static inline void check_address(const unsigned char *address, unsigned int bits)
{
	if (bits == 32)
		MUST(address[0] >= 1 && address[0] != 127 && address[0] < 224);
	else
		MUST(address[0] != 0xff && !(address[0] == 0xfe && address[1] >> 6 == 2));
}

static inline void check_subnet(const struct policy_subnet *subnet, unsigned int bits)
{
	if (!subnet->given)
		return;
	MUST(subnet->prefix >= 1 && subnet->prefix <= bits);
	MUST(!subnet->per_vm || (subnet->per_vm > subnet->prefix && subnet->per_vm < bits));
	for (unsigned int i = subnet->prefix; subnet->per_vm && i < bits; i++)
		MUST(!bit_of(subnet->address, i));
	check_address(subnet->address, bits);
	MUST(check_overlap(subnet, subnet));
}

/* --- pools -------------------------------------------------------------------------------------------------------- */

/* One subnet of a pool, and the one of the number before: inside, apart, and right behind one another. */
static inline void check_pool_subnet(const struct policy_subnet *pool, const struct policy_subnet *subnet,
	const struct policy_subnet *before, unsigned int bits)
{
	unsigned int bit;

	MUST(subnet->given == (pool->given && pool->per_vm));
	if (!subnet->given)
		return;
	MUST(subnet->prefix == pool->per_vm && subnet->per_vm == 0);
	MUST(same_bits(subnet->address, pool->address, pool->prefix));
	check_address(subnet->address, bits);
	/* The host's address, with room for the guest's behind it. */
	for (bit = subnet->prefix; bit < bits - 1; bit++)
		MUST(!bit_of(subnet->address, bit));
	MUST(bit_of(subnet->address, bits - 1) == (subnet->prefix < bits - 1));
	if (!before->given)
		return;
	MUST(!check_overlap(subnet, before));
	/* One more than before: behind the last 0 of it all are 1, and here the other way round. */
	for (bit = subnet->prefix; bit-- > pool->prefix && bit_of(before->address, bit);)
		MUST(!bit_of(subnet->address, bit));
	MUST(!bit_of(before->address, bit) && bit_of(subnet->address, bit));
	MUST(same_bits(subnet->address, before->address, bit));
}

static inline void check_pool_number(const struct policy_network *network, uint32_t number)
{
	struct policy_subnet ipv4, ipv6, ipv4_before, ipv6_before;
	char name[NAME_MAX_BYTES + 1];
	struct word word = {name, 0}, digits;

	policy_pool_subnet(network, number, &ipv4, &ipv6);
	policy_pool_subnet(network, number - 1, &ipv4_before, &ipv6_before);
	check_pool_subnet(&network->ipv4, &ipv4, &ipv4_before, 32);
	check_pool_subnet(&network->ipv6, &ipv6, &ipv6_before, 128);
	policy_tap_name(network, number, name);
	word.size = strlen(name);
	MUST(!word_name_problem(word));
	MUST(strncmp(name, network->name, strlen(network->name)) == 0 && name[strlen(network->name)] == '-');
	digits = (struct word){name + strlen(network->name) + 1, word.size - strlen(network->name) - 1};
	MUST(word_number(digits, POLICY_POOL_MAX, &(uint32_t){0}) && (uint32_t)atoi(digits.at) == number);
}

static inline void check_pool(const struct policy_network *network)
{
	uint32_t size = policy_pool_size(network);
	const uint32_t none[] = {0, size + 1, UINT32_MAX};
	struct policy_subnet ipv4, ipv6;

	MUST((size > 0) == (network->ipv4.per_vm || network->ipv6.per_vm));
	MUST(size == 0 || network->mode == MODE_STANDALONE);
	MUST(size != 1 && size <= POLICY_POOL_MAX);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		policy_pool_subnet(network, none[i], &ipv4, &ipv6);
		MUST(!ipv4.given && !ipv6.given);
	}
	/* Both ends, and the numbers with the longest carries. */
	for (uint32_t number = 1; number && number <= size; number *= 2) {
		check_pool_number(network, number);
		if (number < size)
			check_pool_number(network, number + 1);
	}
	if (size)
		check_pool_number(network, size);
}

/* --- beside one another ------------------------------------------------------------------------------------------- */

static inline void check_conflict(void *context, const struct policy_error *error)
{
	size_t *count = context;
	char text[1024];

	++*count;
	MUST(error->file[0] && error->line >= 1 && error->column == 0);
	policy_error_print(error, text, sizeof(text));
	for (const char *at = text; *at; at++)
		MUST(*at >= ' ' && *at <= '~');
	MUST(strlen(error->what) < sizeof(error->what) - 1 && strstr(error->what, ", expected "));
}

/* Whether a name begins as that of a pool's first tap does. */
static inline bool names_meet(const struct policy_network *pool, const char *name)
{
	char tap[NAME_MAX_BYTES + 1];

	if (!policy_pool_size(pool))
		return false;
	policy_tap_name(pool, 1, tap);
	return strncmp(tap, name, strlen(tap) - 1) == 0;
}

static inline void check_conflicts(const struct policy *policy)
{
	size_t count, conflicts = 0, told = 0;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		const struct policy_network *a = &networks[i];

		for (size_t j = 0; j < i; j++) {
			const struct policy_network *b = &networks[j];

			conflicts += a->ipv4.given && b->ipv4.given && check_overlap(&a->ipv4, &b->ipv4);
			conflicts += a->ipv6.given && b->ipv6.given && check_overlap(&a->ipv6, &b->ipv6);
			conflicts += names_meet(a, b->name);
			conflicts += names_meet(b, a->name);
		}
	}
	MUST(policy_conflicts(policy, check_conflict, &told) == conflicts && told == conflicts);
}

#endif
