#include "link/nftables.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "link/exchange.h"

#define TYPE(message) (NFNL_SUBSYS_NFTABLES << 8 | (message))

int nftables_open(struct link **nftables)
{
	return exchange_open(nftables, NETLINK_NETFILTER);
}

static struct nl_msg *new_request(int message, int flags, int family, int name_attribute, const char *name)
{
	const struct nfgenmsg header = {.nfgen_family = (uint8_t)family, .version = NFNETLINK_V0};
	struct nl_msg *request = exchange_request(TYPE(message), flags, &header, sizeof(header));

	if (request && name && nla_put_string(request, name_attribute, name) < 0) {
		nlmsg_free(request);
		return NULL;
	}
	return request;
}

/* Numbers are in network byte order here. */
static bool big_number(struct nlattr *attribute, uint32_t *value)
{
	if (!reply_number(attribute, value))
		return false;
	*value = be32toh(*value);
	return true;
}

static bool big_number64(struct nlattr *attribute, uint64_t *value)
{
	*value = 0;
	if (!attribute)
		return true;
	if (nla_len(attribute) != sizeof(*value))
		return false;
	*value = be64toh(nla_get_u64(attribute));
	return true;
}

/* --- tables ------------------------------------------------------------------------------------------------------ */

bool reply_take_nftables_table(void *context, struct nlmsghdr *message)
{
	struct nlattr *attributes[NFTA_TABLE_MAX + 1];

	return message->nlmsg_type == TYPE(NFT_MSG_NEWTABLE) &&
	       nlmsg_parse(message, sizeof(struct nfgenmsg), attributes, NFTA_TABLE_MAX, NULL) == 0 &&
	       big_number(attributes[NFTA_TABLE_FLAGS], context);
}

int nftables_table(struct link *nftables, int family, const char *table, uint32_t *flags)
{
	struct reply reply = {.take = reply_take_nftables_table, .context = flags};

	return exchange(nftables, new_request(NFT_MSG_GETTABLE, 0, family, NFTA_TABLE_NAME, table), &reply);
}

/* --- chains and rules -------------------------------------------------------------------------------------------- */

static struct nftables_object begin_object(struct nlmsghdr *message)
{
	const struct nfgenmsg *header = nlmsg_data(message);

	return (struct nftables_object){.family = header->nfgen_family,
		.attributes = nlmsg_attrdata(message, sizeof(*header)),
		.size = (size_t)nlmsg_attrlen(message, sizeof(*header))};
}

static bool parse_hook(struct nlattr *attribute, struct nftables_object *chain)
{
	struct nlattr *hook[NFTA_HOOK_MAX + 1];

	chain->base = attribute != NULL;
	return !attribute || (nla_parse_nested(hook, NFTA_HOOK_MAX, attribute, NULL) == 0 &&
				     big_number(hook[NFTA_HOOK_HOOKNUM], &chain->hook));
}

bool reply_take_nftables_chain(void *context, struct nlmsghdr *message)
{
	const struct nftables_reader *reader = context;
	struct nlattr *attributes[NFTA_CHAIN_MAX + 1];
	struct nftables_object chain;

	if (message->nlmsg_type != TYPE(NFT_MSG_NEWCHAIN) ||
		nlmsg_parse(message, sizeof(struct nfgenmsg), attributes, NFTA_CHAIN_MAX, NULL) < 0)
		return false;
	chain = begin_object(message);
	if (!reply_text(attributes[NFTA_CHAIN_TABLE], chain.table, sizeof(chain.table)) ||
		!reply_text(attributes[NFTA_CHAIN_NAME], chain.chain, sizeof(chain.chain)) ||
		!big_number64(attributes[NFTA_CHAIN_HANDLE], &chain.handle) ||
		!big_number(attributes[NFTA_CHAIN_POLICY], &chain.policy) ||
		!parse_hook(attributes[NFTA_CHAIN_HOOK], &chain))
		return false;
	reader->each(reader->context, &chain);
	return true;
}

bool reply_take_nftables_rule(void *context, struct nlmsghdr *message)
{
	const struct nftables_reader *reader = context;
	struct nlattr *attributes[NFTA_RULE_MAX + 1];
	struct nftables_object rule;

	if (message->nlmsg_type != TYPE(NFT_MSG_NEWRULE) ||
		nlmsg_parse(message, sizeof(struct nfgenmsg), attributes, NFTA_RULE_MAX, NULL) < 0)
		return false;
	rule = begin_object(message);
	if (!reply_text(attributes[NFTA_RULE_TABLE], rule.table, sizeof(rule.table)) ||
		!reply_text(attributes[NFTA_RULE_CHAIN], rule.chain, sizeof(rule.chain)) ||
		!big_number64(attributes[NFTA_RULE_HANDLE], &rule.handle))
		return false;
	rule.expressions = attributes[NFTA_RULE_EXPRESSIONS];
	rule.userdata = attributes[NFTA_RULE_USERDATA];
	reader->each(reader->context, &rule);
	return true;
}

static int list(struct link *nftables, struct nl_msg *request, bool (*take)(void *context, struct nlmsghdr *message),
	struct nftables_reader *reader)
{
	struct reply reply = {.dump = true, .take = take, .context = reader};
	int result = exchange(nftables, request, &reply);

	return result == 0 && reply.interrupted ? -EAGAIN : result;
}

int nftables_each_chain(
	struct link *nftables, int family, void (*each)(void *context, const struct nftables_object *), void *context)
{
	struct nftables_reader reader = {each, context};

	return list(nftables, new_request(NFT_MSG_GETCHAIN, NLM_F_DUMP, family, 0, NULL), reply_take_nftables_chain,
		&reader);
}

int nftables_each_rule(struct link *nftables, int family, const char *table,
	void (*each)(void *context, const struct nftables_object *), void *context)
{
	struct nftables_reader reader = {each, context};

	return list(nftables, new_request(NFT_MSG_GETRULE, NLM_F_DUMP, family, NFTA_RULE_TABLE, table),
		reply_take_nftables_rule, &reader);
}
