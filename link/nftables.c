// SPDX-License-Identifier: MIT
/*
 * The kernel's nftables, read (nfnetlink; linux/netfilter/nf_tables.h). libnftables makes changes, in tool/rules.c.
 * Needs CAP_NET_ADMIN.
 */
#include "link/exchange.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/link.h"

#define TYPE(message) (NFNL_SUBSYS_NFTABLES << 8 | (message))

int nftables_open(struct link **nftables)
{
	return exchange_open(nftables, NETLINK_NETFILTER);
}

/* --- what is read ------------------------------------------------------------------------------------------------- */

static const struct nla_policy sizes[][NFTABLES_ATTRIBUTES] = {
	[NFT_MSG_NEWTABLE] = {[NFTA_TABLE_NAME] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_TABLE_FLAGS] = {REPLY_SIZE(sizeof(uint32_t))}},
	[NFT_MSG_NEWCHAIN] = {[NFTA_CHAIN_TABLE] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_CHAIN_NAME] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_CHAIN_HANDLE] = {REPLY_SIZE(sizeof(uint64_t))},
		[NFTA_CHAIN_POLICY] = {REPLY_SIZE(sizeof(uint32_t))},
		[NFTA_CHAIN_USE] = {REPLY_SIZE(sizeof(uint32_t))}},
	[NFT_MSG_NEWRULE] = {[NFTA_RULE_TABLE] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_RULE_CHAIN] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_RULE_HANDLE] = {REPLY_SIZE(sizeof(uint64_t))}},
};

/* Each begins with its table's name. */
_Static_assert((int)NFTA_TABLE_NAME == (int)NFTA_CHAIN_TABLE && (int)NFTA_TABLE_NAME == (int)NFTA_RULE_TABLE,
	"one number for the table");

const char *nftables_text(const struct nlattr *attribute)
{
	return attribute ? nla_data(attribute) : "";
}

/* Numbers are in network byte order here. */
uint32_t nftables_number(const struct nlattr *attribute)
{
	return attribute ? be32toh(nla_get_u32(attribute)) : 0;
}

uint64_t nftables_handle(const struct nlattr *attribute)
{
	return attribute ? be64toh(nla_get_u64(attribute)) : 0;
}

bool nftables_hook(const struct nftables_object *chain, uint32_t *hook)
{
	static const struct nla_policy hook_sizes[NFTA_HOOK_MAX + 1] = {
		[NFTA_HOOK_HOOKNUM] = {REPLY_SIZE(sizeof(uint32_t))}};
	struct nlattr *attribute = chain->attributes[NFTA_CHAIN_HOOK], *parts[NFTA_HOOK_MAX + 1];

	if (!attribute || nla_parse_nested(parts, NFTA_HOOK_MAX, attribute, hook_sizes) < 0 ||
		!parts[NFTA_HOOK_HOOKNUM])
		return false;
	*hook = nftables_number(parts[NFTA_HOOK_HOOKNUM]);
	return true;
}

bool reply_take_nftables(void *context, struct nlmsghdr *message)
{
	const struct nftables_reader *reader = context;
	const struct nfgenmsg *header = nlmsg_data(message);
	struct nftables_object object = {.type = reader->type};

	if (message->nlmsg_type != TYPE(reader->type) ||
		nlmsg_parse(message, sizeof(*header), object.attributes, NFTABLES_ATTRIBUTES - 1, sizes[reader->type]))
		return false;
	object.family = header->nfgen_family;
	object.generation = be16toh(header->res_id);
	object.table = nftables_text(object.attributes[NFTA_TABLE_NAME]);
	object.bytes = nlmsg_attrdata(message, sizeof(*header));
	object.size = (size_t)nlmsg_attrlen(message, sizeof(*header));
	reader->each(reader->context, &object);
	return true;
}

/* --- and asked for ------------------------------------------------------------------------------------------------ */

/*
 * The one table of a name, or all chains or rules there. -EPROTONOSUPPORT: there is nfnetlink, and no nf_tables in it
 * (-EINVAL of nfnetlink_rcv_msg, net/netfilter/nfnetlink.c; of a question nf_tables says that of nothing here).
 */
static int get(struct link *nftables, int flags, int family, const char *table, struct nftables_reader *reader)
{
	const struct nfgenmsg header = {.nfgen_family = (uint8_t)family, .version = NFNETLINK_V0};
	int error;

	exchange_begin(nftables, TYPE(reader->type + 1), flags, &header, sizeof(header)); /* NFT_MSG_GET... */
	exchange_put_text(nftables, NFTA_TABLE_NAME, table);
	error = exchange(nftables, reply_take_nftables, reader);
	return error == -EINVAL ? -EPROTONOSUPPORT : error;
}

static void keep_flags(void *context, const struct nftables_object *table)
{
	*(uint32_t *)context = nftables_number(table->attributes[NFTA_TABLE_FLAGS]);
}

int nftables_table(struct link *nftables, int family, const char *table, uint32_t *flags)
{
	return get(nftables, 0, family, table, &(struct nftables_reader){NFT_MSG_NEWTABLE, keep_flags, flags});
}

int nftables_each_table(
	struct link *nftables, void (*each)(void *context, const struct nftables_object *), void *context)
{
	return get(
		nftables, NLM_F_DUMP, NFPROTO_UNSPEC, NULL, &(struct nftables_reader){NFT_MSG_NEWTABLE, each, context});
}

int nftables_each_chain(
	struct link *nftables, int family, void (*each)(void *context, const struct nftables_object *), void *context)
{
	return get(nftables, NLM_F_DUMP, family, NULL, &(struct nftables_reader){NFT_MSG_NEWCHAIN, each, context});
}

int nftables_each_rule(struct link *nftables, int family, const char *table,
	void (*each)(void *context, const struct nftables_object *), void *context)
{
	return get(nftables, NLM_F_DUMP, family, table, &(struct nftables_reader){NFT_MSG_NEWRULE, each, context});
}

/* --- guard -------------------------------------------------------------------------------------------------------- */

/*
 * Guards: the rules that keep a network's guests to what the network's mode allows, as they stand in the kernel.
 *
 * A guard is an nftables table, named for the network, that `tapgate up` puts there, in one family or in several under
 * one name. The last thing in the first of them is the guard's seal, an empty chain whose name says what all the rest
 * was when it was made. A guard stands while the two agree: whoever flushes, adds, removes or switches off anything in
 * one of the tables, or such a table, breaks the seal. (What is in their sets, packets have put there; it is not
 * sealed.) Only CAP_NET_ADMIN can do
 * either; the seal is against accidents, as a firewall's reload is one. This part reads; what a guard's rules are is
 * the business of etc/guard/ and networks/guard_text.c.
 */

const struct guard_family guard_families[GUARD_FAMILIES] = {
	{NFPROTO_INET, "inet"}, {NFPROTO_BRIDGE, "bridge"}, {NFPROTO_NETDEV, "netdev"}, {NFPROTO_ARP, "arp"}};

void guard_table(const char *network, char table[static GUARD_TABLE_MAX])
{
	size_t used = (size_t)snprintf(table, GUARD_TABLE_MAX, "tapgate-");

	/* '/' is in no network's name, and is a word's letter to nft. */
	for (; *network && used + 4 <= GUARD_TABLE_MAX; network++) {
		bool plain = isalnum((unsigned char)*network) || strchr("._-", *network);

		used += (size_t)snprintf(
			table + used, GUARD_TABLE_MAX - used, plain ? "%c" : "/%02x", (unsigned char)*network);
	}
}

uint32_t guard_lock_group(const char *network)
{
	return UINT32_C(1) << 31 | (uint32_t)(guard_digest(GUARD_DIGEST_START, network, strlen(network)) >> 33);
}

void guard_seal(const char *mode, uint64_t text, uint64_t standing, char seal[static GUARD_SEAL_MAX])
{
	snprintf(seal, GUARD_SEAL_MAX, GUARD_SEAL_BEGIN "%.15s/%016" PRIx64 "/%016" PRIx64, mode, text, standing);
}

uint64_t guard_digest(uint64_t digest, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (; size > 0; size--)
		digest = (digest ^ *at++) * UINT64_C(0x100000001b3);
	return digest;
}

/* "seal/host-only/0123456789abcdef/0123456789abcdef"; what is not exactly that is no seal. */
bool guard_read_seal(const char *chain, struct guard *guard)
{
	const char *mode = chain + strlen(GUARD_SEAL_BEGIN);
	struct guard read = *guard;
	char seal[GUARD_SEAL_MAX], *rest;

	if (strncmp(chain, GUARD_SEAL_BEGIN, strlen(GUARD_SEAL_BEGIN)) != 0 || !strchr(mode, '/'))
		return false;
	snprintf(read.mode, sizeof(read.mode), "%.*s", (int)strcspn(mode, "/"), mode);
	read.text = strtoull(strchr(mode, '/') + 1, &rest, 16);
	read.sealed = *rest ? strtoull(rest + 1, NULL, 16) : 0;
	guard_seal(read.mode, read.text, read.sealed, seal);
	if (!read.mode[0] || strcmp(seal, chain) != 0)
		return false;
	*guard = read;
	return true;
}

/* A guard being read: what of it comes in several answers must be of one generation of all rules. */
struct reading {
	struct guard *guard;
	const char *table;
	uint16_t generation; /* 0: none was seen yet */
	bool changed;
};

static void see_generation(struct reading *reading, uint16_t generation)
{
	reading->changed |= reading->generation && reading->generation != generation;
	reading->generation = generation;
}

static void see_table(void *context, const struct nftables_object *table)
{
	struct reading *reading = context;
	const uint32_t flags = nftables_number(table->attributes[NFTA_TABLE_FLAGS]);

	see_generation(reading, table->generation);
	reading->guard->standing = guard_digest(reading->guard->standing, &flags, sizeof(flags));
}

/* What is not of the table is passed over, as are chains that are a seal; but not rules in such a chain. */
static void see(void *context, const struct nftables_object *object)
{
	struct reading *reading = context;
	struct guard *guard = reading->guard;

	see_generation(reading, object->generation);
	if (strcmp(object->table, reading->table) != 0)
		return;
	guard->locks_ip |= object->type == NFT_MSG_NEWCHAIN && object->family == NFPROTO_BRIDGE &&
			   strcmp(nftables_text(object->attributes[NFTA_CHAIN_NAME]), "to-guests") == 0;
	if (object->type == NFT_MSG_NEWCHAIN && !object->attributes[NFTA_CHAIN_HOOK] &&
		guard_read_seal(nftables_text(object->attributes[NFTA_CHAIN_NAME]), guard))
		return;
	guard->standing = guard_digest(guard->standing, object->bytes, object->size);
}

/* What a family has of a guard, into its digest; nothing where there is no such table. */
static int read_table(struct link *nftables, int family, struct reading *reading, bool *exists)
{
	int error = get(
		nftables, 0, family, reading->table, &(struct nftables_reader){NFT_MSG_NEWTABLE, see_table, reading});

	*exists = error == 0;
	if (error)
		return error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT ? 0 : error;
	error = nftables_each_chain(nftables, family, see, reading);
	return error ? error : nftables_each_rule(nftables, family, reading->table, see, reading);
}

static int read_once(struct link *nftables, int family, const char *table, struct guard *guard)
{
	struct reading reading = {.guard = guard, .table = table};
	bool besides;
	int error;

	*guard = (struct guard){.standing = GUARD_DIGEST_START};
	error = read_table(nftables, family, &reading, &guard->exists);
	for (size_t i = 0; i < GUARD_FAMILIES && !error && guard->exists; i++) {
		if (guard_families[i].number != family)
			error = read_table(nftables, guard_families[i].number, &reading, &besides);
	}
	return !error && reading.changed ? -EAGAIN : error;
}

int guard_read(struct link *nftables, int family, const char *network, struct guard *guard)
{
	char table[GUARD_TABLE_MAX];
	int error = -EAGAIN;

	guard_table(network, table);
	for (int i = 0; i < EXCHANGE_PATIENCE && error == -EAGAIN; i++)
		error = read_once(nftables, family, table, guard);
	return error;
}

bool guard_stands(const struct guard *guard, const char *mode)
{
	return guard->exists && guard->sealed == guard->standing && strcmp(guard->mode, mode) == 0;
}
