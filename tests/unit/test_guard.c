// SPDX-License-Identifier: MIT
/*
 * Guards, as far as they are arithmetic and answers of nftables (link/nftables.c). What the kernel makes
 * of them: tests/netns/test_guard.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <endian.h>
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include "link/link.h"
#include "policy/text.h"
#include "tests/unit/datagram.h"

/* --- names -------------------------------------------------------------------------------------------------------- */

static void test_tables(void **state)
{
	static const struct {
		const char *network, *table;
	} rows[] = {
		{"lab", "tapgate-lab"},
		{"a", "tapgate-a"},
		{"br0.100", "tapgate-br0.100"},
		{"a-b_c.D9", "tapgate-a-b_c.D9"},
		{"a+b@c", "tapgate-a/2bb/40c"},
		{"+++++++++++++++", "tapgate-/2b/2b/2b/2b/2b/2b/2b/2b/2b/2b/2b/2b/2b/2b/2b"},
		{"2b", "tapgate-2b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char table[GUARD_TABLE_MAX];

		assert_null(word_name_problem((struct word){rows[i].network, strlen(rows[i].network)}));
		guard_table(rows[i].network, table);
		assert_string_equal(table, rows[i].table);
	}
}

/* Two networks never have one table: a name can be read back from it. */
static void test_tables_are_distinct(void **state)
{
	(void)state;
	for (int a = 33; a < 127; a++) {
		for (int b = 33; b < 127; b++) {
			const char network[] = {'x', (char)a, (char)b, '\0'};
			char table[GUARD_TABLE_MAX], back[GUARD_TABLE_MAX] = "";

			if (word_name_problem((struct word){network, 3}))
				continue;
			guard_table(network, table);
			for (const char *at = table + strlen("tapgate-"); *at; at++) {
				unsigned int byte = (unsigned char)*at;

				if (*at == '/') {
					assert_int_equal(sscanf(at + 1, "%2x", &byte), 1);
					at += 2;
				}
				snprintf(back + strlen(back), sizeof(back) - strlen(back), "%c", (int)byte);
			}
			assert_string_equal(back, network);
		}
	}
}

static void test_seals(void **state)
{
	static const char *const modes[] = {"nat", "host-only", "internal", "standalone"};
	static const uint64_t numbers[] = {0, 1, 0x0123456789abcdef, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < 4; j++) {
			char seal[GUARD_SEAL_MAX];
			struct guard guard = {.exists = true, .standing = numbers[3 - j]};

			guard_seal(modes[i], numbers[j], numbers[3 - j], seal);
			assert_true(guard_read_seal(seal, &guard));
			assert_string_equal(guard.mode, modes[i]);
			assert_int_equal(guard.text, numbers[j]);
			assert_int_equal(guard.sealed, numbers[3 - j]);
			for (size_t k = 0; k < 4; k++)
				assert_int_equal(guard_stands(&guard, modes[k]), i == k);
			guard.standing ^= 1;
			assert_false(guard_stands(&guard, modes[i]));
			guard.standing ^= 1;
			guard.exists = false;
			assert_false(guard_stands(&guard, modes[i]));
		}
	}
}

static void test_what_is_no_seal(void **state)
{
	static const char *const rows[] = {
		"",
		"forward",
		"seal",
		"seal/",
		"seal/nat",
		"seal/nat/",
		"seal/nat/0123456789abcdef",
		"seal/nat/0123456789abcdef/",
		"seal/nat/0123456789abcdef/0123456789abcde",
		"seal/nat/0123456789abcdef/0123456789abcdef0",
		"seal/nat/0123456789abcdef/0123456789abcdef/",
		"seal/nat/0123456789abcdef/0123456789abcdeg",
		"seal/nat/0123456789ABCDEF/0123456789abcdef",
		"seal/nat/0123456789abcdef/0123456789ABCDEF",
		"seal/nat/0x23456789abcdef/0123456789abcdef",
		"seal/nat/-123456789abcdef/0123456789abcdef",
		"seal/nat/+123456789abcdef/0123456789abcdef",
		"seal/nat/ 123456789abcdef/0123456789abcdef",
		"seal//0123456789abcdef/0123456789abcdef",
		"seal/a-mode-of-16-byt/0123456789abcdef/0123456789abcdef",
		"Seal/nat/0123456789abcdef/0123456789abcdef",
		" seal/nat/0123456789abcdef/0123456789abcdef",
		"seal/nat/0123456789abcdef 0123456789abcdef",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct guard guard = {.exists = true, .standing = 0x0123456789abcdef};

		if (guard_read_seal(rows[i], &guard) || guard.mode[0])
			fail_msg("'%s' was taken for a seal", rows[i]);
		assert_false(guard_stands(&guard, "nat"));
	}
}

/* FNV-1a, by the test values of its authors (draft-eastlake-fnv, appendix C). */
static void test_digest(void **state)
{
	(void)state;
	assert_int_equal(guard_digest(GUARD_DIGEST_START, "", 0), UINT64_C(0xcbf29ce484222325));
	assert_int_equal(guard_digest(GUARD_DIGEST_START, "a", 1), UINT64_C(0xaf63dc4c8601ec8c));
	assert_int_equal(guard_digest(GUARD_DIGEST_START, "foobar", 6), UINT64_C(0x85944171f73967e8));
	assert_int_equal(
		guard_digest(guard_digest(GUARD_DIGEST_START, "foo", 3), "bar", 3), UINT64_C(0x85944171f73967e8));
}

/* --- answers of nftables ------------------------------------------------------------------------------------------ */

struct seen {
	int count;
	struct nftables_object last;
};

static void see(void *context, const struct nftables_object *object)
{
	struct seen *seen = context;

	seen->count++;
	seen->last = *object;
}

static void begin_object(struct datagram *d, int message)
{
	const struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	begin(d, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message));
	put(d, &header, sizeof(header));
}

static int read_chain(struct datagram *d, struct seen *seen)
{
	struct nftables_reader reader = {NFT_MSG_NEWCHAIN, see, seen};

	*seen = (struct seen){0};
	return read_with(d, reply_take_nftables, &reader);
}

static int read_rule(struct datagram *d, struct seen *seen)
{
	struct nftables_reader reader = {NFT_MSG_NEWRULE, see, seen};

	*seen = (struct seen){0};
	return read_with(d, reply_take_nftables, &reader);
}

static int read_table(struct datagram *d, uint32_t *flags)
{
	struct seen seen = {0};
	struct nftables_reader reader = {NFT_MSG_NEWTABLE, see, &seen};
	int result = read_with(d, reply_take_nftables, &reader);

	*flags = seen.count ? nftables_number(seen.last.attributes[NFTA_TABLE_FLAGS]) : 0;
	return result;
}

static void number64(struct datagram *d, uint16_t type, uint64_t value)
{
	value = htobe64(value);
	attribute(d, type, &value, sizeof(value));
}

static void test_table(void **state)
{
	struct datagram d = {.size = 0}, plain = {.size = 0}, bad = {.size = 0};
	uint32_t flags;

	(void)state;
	begin_object(&d, NFT_MSG_NEWTABLE);
	text(&d, NFTA_TABLE_NAME, "tapgate-lab");
	number(&d, NFTA_TABLE_FLAGS, htobe32(NFT_TABLE_F_DORMANT));
	assert_int_equal(read_table(&d, &flags), 0);
	assert_int_equal(flags, NFT_TABLE_F_DORMANT);
	begin_object(&plain, NFT_MSG_NEWTABLE);
	assert_int_equal(read_table(&plain, &flags), 0);
	assert_int_equal(flags, 0);
	begin_object(&bad, NFT_MSG_NEWTABLE);
	attribute(&bad, NFTA_TABLE_FLAGS, "\0", 1);
	assert_int_equal(read_table(&bad, &flags), -EPROTO);
}

static void test_chains(void **state)
{
	struct datagram base = {.size = 0}, plain = {.size = 0};
	struct seen seen;
	size_t nest;
	uint32_t hook;

	(void)state;
	begin_object(&base, NFT_MSG_NEWCHAIN);
	text(&base, NFTA_CHAIN_TABLE, "tapgate-lab");
	text(&base, NFTA_CHAIN_NAME, "forward");
	number64(&base, NFTA_CHAIN_HANDLE, 7);
	nest = open_nest(&base, NFTA_CHAIN_HOOK);
	number(&base, NFTA_HOOK_HOOKNUM, htobe32(NF_INET_FORWARD));
	number(&base, NFTA_HOOK_PRIORITY, htobe32((uint32_t)-10));
	close_nest(&base, nest);
	number(&base, NFTA_CHAIN_POLICY, htobe32(NF_ACCEPT));
	assert_int_equal(read_chain(&base, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.last.family, NFPROTO_INET);
	assert_int_equal(seen.last.type, NFT_MSG_NEWCHAIN);
	assert_true(nftables_hook(&seen.last, &hook));
	assert_int_equal(hook, NF_INET_FORWARD);
	assert_int_equal(nftables_number(seen.last.attributes[NFTA_CHAIN_POLICY]), NF_ACCEPT);
	assert_int_equal(nftables_handle(seen.last.attributes[NFTA_CHAIN_HANDLE]), 7);
	assert_string_equal(seen.last.table, "tapgate-lab");
	assert_string_equal(nftables_text(seen.last.attributes[NFTA_CHAIN_NAME]), "forward");
	/* All of its attributes, to the byte: they are what a digest is made of. */
	assert_ptr_equal(seen.last.bytes, base.bytes + NLMSG_HDRLEN + sizeof(struct nfgenmsg));
	assert_int_equal(seen.last.size, base.size - NLMSG_HDRLEN - sizeof(struct nfgenmsg));

	begin_object(&plain, NFT_MSG_NEWCHAIN);
	text(&plain, NFTA_CHAIN_TABLE, "tapgate-lab");
	text(&plain, NFTA_CHAIN_NAME, "seal/nat/0123456789abcdef/0123456789abcdef");
	assert_int_equal(read_chain(&plain, &seen), 0);
	assert_false(nftables_hook(&seen.last, &hook));
}

static void test_rules(void **state)
{
	struct datagram d = {.size = 0};
	struct seen seen;
	size_t expressions;

	(void)state;
	begin_object(&d, NFT_MSG_NEWRULE);
	text(&d, NFTA_RULE_TABLE, "tapgate-lab");
	text(&d, NFTA_RULE_CHAIN, "forward");
	number64(&d, NFTA_RULE_HANDLE, UINT64_C(0x100000002));
	expressions = open_nest(&d, NFTA_RULE_EXPRESSIONS);
	text(&d, NFTA_LIST_ELEM, "x");
	close_nest(&d, expressions);
	assert_int_equal(read_rule(&d, &seen), 0);
	assert_int_equal(seen.last.type, NFT_MSG_NEWRULE);
	assert_string_equal(seen.last.table, "tapgate-lab");
	assert_string_equal(nftables_text(seen.last.attributes[NFTA_RULE_CHAIN]), "forward");
	assert_int_equal(nftables_handle(seen.last.attributes[NFTA_RULE_HANDLE]), UINT64_C(0x100000002));
	assert_non_null(seen.last.attributes[NFTA_RULE_EXPRESSIONS]);
	assert_null(seen.last.attributes[NFTA_RULE_USERDATA]);
	assert_int_equal(seen.last.size, d.size - NLMSG_HDRLEN - sizeof(struct nfgenmsg));
}

static void long_table(struct datagram *d)
{
	char name[NFTABLES_NAME_MAX + 1];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	text(d, NFTA_CHAIN_TABLE, name); /* the same number as NFTA_RULE_TABLE */
}

static void name_without_end(struct datagram *d)
{
	attribute(d, NFTA_CHAIN_TABLE, "lab", 3);
}

static void short_handle(struct datagram *d)
{
	attribute(d, NFTA_CHAIN_HANDLE, "\0\0\0", 4);
	attribute(d, NFTA_RULE_HANDLE, "\0\0\0", 4);
}

static void another_type(struct datagram *d)
{
	d->message->nlmsg_type++;
}

static void another_subsystem(struct datagram *d)
{
	d->message->nlmsg_type ^= NFNL_SUBSYS_NFTABLES << 8 ^ NFNL_SUBSYS_IPSET << 8;
}

static void no_header(struct datagram *d)
{
	d->size -= sizeof(struct nfgenmsg);
	d->message->nlmsg_len = NLMSG_HDRLEN;
}

static void test_what_the_kernel_never_says(void **state)
{
	static void (*const spoil[])(struct datagram *) = {
		long_table, name_without_end, short_handle, another_type, another_subsystem, no_header};

	(void)state;
	for (size_t i = 0; i < sizeof(spoil) / sizeof(*spoil); i++) {
		struct datagram chain = {.size = 0}, rule = {.size = 0};
		struct seen seen;

		begin_object(&chain, NFT_MSG_NEWCHAIN);
		spoil[i](&chain);
		assert_int_equal(read_chain(&chain, &seen), -EPROTO);
		assert_int_equal(seen.count, 0);
		begin_object(&rule, NFT_MSG_NEWRULE);
		spoil[i](&rule);
		assert_int_equal(read_rule(&rule, &seen), -EPROTO);
		assert_int_equal(seen.count, 0);
	}
}

/* A chain whose hook or policy is not as it must be. */
static void test_chains_that_are_malformed(void **state)
{
	struct datagram hook = {.size = 0}, empty = {.size = 0}, policy = {.size = 0};
	struct seen seen;
	size_t nest;
	uint32_t number;

	(void)state;
	begin_object(&hook, NFT_MSG_NEWCHAIN);
	nest = open_nest(&hook, NFTA_CHAIN_HOOK);
	attribute(&hook, NFTA_HOOK_HOOKNUM, "\0\0", 2);
	close_nest(&hook, nest);
	assert_int_equal(read_chain(&hook, &seen), 0);
	assert_false(nftables_hook(&seen.last, &number));
	begin_object(&empty, NFT_MSG_NEWCHAIN);
	close_nest(&empty, open_nest(&empty, NFTA_CHAIN_HOOK));
	assert_int_equal(read_chain(&empty, &seen), 0);
	assert_non_null(seen.last.attributes[NFTA_CHAIN_HOOK]);
	assert_false(nftables_hook(&seen.last, &number));
	begin_object(&policy, NFT_MSG_NEWCHAIN);
	attribute(&policy, NFTA_CHAIN_POLICY, "\0\0\0\0\0\0\0", 8);
	assert_int_equal(read_chain(&policy, &seen), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_tables_are_distinct),
		cmocka_unit_test(test_seals),
		cmocka_unit_test(test_what_is_no_seal),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_what_the_kernel_never_says),
		cmocka_unit_test(test_chains_that_are_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
