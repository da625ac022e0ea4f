#include "cli/networks/firewall.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 16 }; /* how often rules that change meanwhile are read again */

const char *firewall_family(int family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
}

/* Whether a name can be written in nft's language as it is. */
static bool is_plain(const char *name)
{
	return ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || *name == '_') &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")] == '\0';
}

static void see_chain(void *context, const struct nftables_object *object)
{
	const char *table = object->table, *name = nftables_text(object->attributes[NFTA_CHAIN_NAME]);
	struct firewall *firewall = context;
	struct firewall_chain *chains;
	int family = object->family;
	uint32_t hook;

	if (!nftables_hook(object, &hook) || (hook != NF_INET_FORWARD && hook != NF_INET_LOCAL_IN) ||
		(family != NFPROTO_INET && family != NFPROTO_IPV4 && family != NFPROTO_IPV6) ||
		strncmp(table, "tapgate-", strlen("tapgate-")) == 0 || !is_plain(table) || !is_plain(name))
		return;
	chains = reallocarray(firewall->chains, firewall->chain_count + 1, sizeof(*chains));
	if (!chains) {
		firewall->failed = true;
		return;
	}
	firewall->chains = chains;
	chains += firewall->chain_count++;
	*chains = (struct firewall_chain){.family = family,
		.hook = hook,
		.drops = nftables_number(object->attributes[NFTA_CHAIN_POLICY]) == NF_DROP};
	snprintf(chains->table, sizeof(chains->table), "%s", table);
	snprintf(chains->name, sizeof(chains->name), "%s", name);
}

/* The comment of a rule, as nft keeps it: type 0 of type-length-value triples; "" if there is none. */
static void read_comment(struct nlattr *userdata, char comment[static FIREWALL_COMMENT_MAX])
{
	const unsigned char *at = userdata ? nla_data(userdata) : NULL;
	size_t left = userdata ? (size_t)nla_len(userdata) : 0;

	comment[0] = '\0';
	while (left >= 2 && (size_t)at[1] + 2 <= left) {
		size_t size = at[1];

		if (at[0] == 0 && size > 0 && size <= FIREWALL_COMMENT_MAX && at[1 + size] == '\0') {
			memcpy(comment, at + 2, size);
			return;
		}
		at += size + 2;
		left -= size + 2;
	}
}

static bool is_drop(struct nlattr *data)
{
	struct nlattr *immediate[NFTA_IMMEDIATE_MAX + 1], *value[NFTA_DATA_MAX + 1], *verdict[NFTA_VERDICT_MAX + 1];

	return data && nla_parse_nested(immediate, NFTA_IMMEDIATE_MAX, data, NULL) == 0 &&
	       immediate[NFTA_IMMEDIATE_DATA] &&
	       nla_parse_nested(value, NFTA_DATA_MAX, immediate[NFTA_IMMEDIATE_DATA], NULL) == 0 &&
	       value[NFTA_DATA_VERDICT] &&
	       nla_parse_nested(verdict, NFTA_VERDICT_MAX, value[NFTA_DATA_VERDICT], NULL) == 0 &&
	       verdict[NFTA_VERDICT_CODE] && nla_len(verdict[NFTA_VERDICT_CODE]) == sizeof(uint32_t) &&
	       nla_get_u32(verdict[NFTA_VERDICT_CODE]) == NF_DROP; /* 0 in either byte order */
}

/* Whether a rule drops or rejects whatever reaches it: no expression but counters, logs, and that verdict. */
static bool drops_all(struct nlattr *expressions)
{
	struct nlattr *element, *expression[NFTA_EXPR_MAX + 1];
	bool drops = false;
	int left;

	if (!expressions)
		return false;
	nla_for_each_nested(element, expressions, left)
	{
		const char *name;

		if (nla_parse_nested(expression, NFTA_EXPR_MAX, element, NULL) < 0 || !expression[NFTA_EXPR_NAME])
			return false;
		name = nla_data(expression[NFTA_EXPR_NAME]);
		if (strcmp(name, "counter") == 0 || strcmp(name, "log") == 0)
			continue;
		if (strcmp(name, "reject") != 0 &&
			!(strcmp(name, "immediate") == 0 && is_drop(expression[NFTA_EXPR_DATA])))
			return false;
		drops = true;
	}
	return drops;
}

static struct firewall_chain *chain_of(struct firewall *firewall, const struct nftables_object *rule)
{
	for (size_t i = 0; i < firewall->chain_count; i++) {
		struct firewall_chain *chain = &firewall->chains[i];

		if (chain->family == rule->family && strcmp(chain->table, rule->table) == 0 &&
			strcmp(chain->name, nftables_text(rule->attributes[NFTA_RULE_CHAIN])) == 0)
			return chain;
	}
	return NULL;
}

static void see_rule(void *context, const struct nftables_object *rule)
{
	struct firewall *firewall = context;
	struct firewall_chain *chain = chain_of(firewall, rule);
	const uint64_t handle = nftables_handle(rule->attributes[NFTA_RULE_HANDLE]);
	struct firewall_rule *rules, present = {.chain = chain, .handle = handle};

	if (!chain)
		return;
	read_comment(rule->attributes[NFTA_RULE_USERDATA], present.comment);
	if (strncmp(present.comment, FIREWALL_MARK, strlen(FIREWALL_MARK)) != 0) {
		chain->before =
			drops_all(rule->attributes[NFTA_RULE_EXPRESSIONS]) ? handle : 0; /* the last one's stays */
		return;
	}
	rules = reallocarray(firewall->rules, firewall->rule_count + 1, sizeof(*rules));
	if (!rules) {
		firewall->failed = true;
		return;
	}
	firewall->rules = rules;
	rules[firewall->rule_count++] = present;
}

#ifndef NFT_TABLE_F_OWNER
#define NFT_TABLE_F_OWNER 0x2 /* Linux 5.12 */
#endif

/* A table's rules, and whether the table has an owner: noted with each of its chains. */
static int look_at_table(struct session *session, struct firewall *firewall, const struct firewall_chain *first)
{
	uint32_t flags = 0;
	int error = nftables_table(session->nftables, first->family, first->table, &flags);

	for (size_t i = 0; i < firewall->chain_count; i++) {
		struct firewall_chain *chain = &firewall->chains[i];

		if (chain->family == first->family && strcmp(chain->table, first->table) == 0)
			chain->owned = flags & NFT_TABLE_F_OWNER;
	}
	if (error)
		return error == -ENOENT ? -EAGAIN : error;
	return nftables_each_rule(session->nftables, first->family, first->table, see_rule, firewall);
}

static int look_once(struct session *session, struct firewall *firewall)
{
	int error;

	firewall->chain_count = firewall->rule_count = 0;
	error = nftables_each_chain(session->nftables, NFPROTO_UNSPEC, see_chain, firewall);
	for (size_t i = 0; i < firewall->chain_count && !error; i++) {
		const struct firewall_chain *chain = &firewall->chains[i];
		bool again = false; /* the table's rules were read with an earlier chain */

		for (size_t j = 0; j < i; j++)
			again |= firewall->chains[j].family == chain->family &&
				 strcmp(firewall->chains[j].table, chain->table) == 0;
		if (!again)
			error = look_at_table(session, firewall, chain);
	}
	return error ? error : firewall->failed ? -ENOMEM : 0;
}

int firewall_look(struct session *session, struct firewall *firewall)
{
	int error = -EAGAIN;

	for (int i = 0; i < PATIENCE && error == -EAGAIN; i++)
		error = look_once(session, firewall);
	return error;
}

void firewall_forget(struct firewall *firewall)
{
	free(firewall->chains);
	free(firewall->rules);
}
