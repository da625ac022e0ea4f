#include "link/nftables.h"

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>

#include "link/exchange.h"

#define TYPE(message) (NFNL_SUBSYS_NFTABLES << 8 | (message))

int nftables_open(struct link **nftables)
{
	return exchange_open(nftables, NETLINK_NETFILTER);
}

/* --- what is read ------------------------------------------------------------------------------------------------ */

static const struct nla_policy sizes[][NFTABLES_ATTRIBUTES] = {
	[NFT_MSG_NEWTABLE] = {[NFTA_TABLE_NAME] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_TABLE_FLAGS] = {REPLY_SIZE(sizeof(uint32_t))}},
	[NFT_MSG_NEWCHAIN] = {[NFTA_CHAIN_TABLE] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_CHAIN_NAME] = {REPLY_TEXT(NFTABLES_NAME_MAX)},
		[NFTA_CHAIN_HANDLE] = {REPLY_SIZE(sizeof(uint64_t))},
		[NFTA_CHAIN_POLICY] = {REPLY_SIZE(sizeof(uint32_t))}},
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
	object.table = nftables_text(object.attributes[NFTA_TABLE_NAME]);
	object.bytes = nlmsg_attrdata(message, sizeof(*header));
	object.size = (size_t)nlmsg_attrlen(message, sizeof(*header));
	reader->each(reader->context, &object);
	return true;
}

/* --- and asked for ----------------------------------------------------------------------------------------------- */

/* The one table of a name, or all chains or rules there. */
static int get(struct link *nftables, int flags, int family, const char *table, struct nftables_reader *reader)
{
	const struct nfgenmsg header = {.nfgen_family = (uint8_t)family, .version = NFNETLINK_V0};

	exchange_begin(nftables, TYPE(reader->type + 1), flags, &header, sizeof(header)); /* NFT_MSG_GET... */
	exchange_put_text(nftables, NFTA_TABLE_NAME, table);
	return exchange(nftables, reply_take_nftables, reader);
}

static void keep_flags(void *context, const struct nftables_object *table)
{
	*(uint32_t *)context = nftables_number(table->attributes[NFTA_TABLE_FLAGS]);
}

int nftables_table(struct link *nftables, int family, const char *table, uint32_t *flags)
{
	return get(nftables, 0, family, table, &(struct nftables_reader){NFT_MSG_NEWTABLE, keep_flags, flags});
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
