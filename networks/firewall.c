// SPDX-License-Identifier: MIT
/*
 * Other people's firewalls, looked at: chains at the hooks that a network's packets come by, and what their rules come
 * to (networks/firewall_rules.c). Ours in such chains (networks/pass.c) are known by their comments.
 */
#include "networks/networks.h"

#include <errno.h>
#include <jansson.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 16 /* how often chains and rules are read that have to agree, and are changed meanwhile */ };

const char *firewall_family(int family)
{
	return family == NFPROTO_IPV4	  ? "ip"
	       : family == NFPROTO_IPV6	  ? "ip6"
	       : family == NFPROTO_BRIDGE ? "bridge"
	       : family == NFPROTO_NETDEV ? "netdev"
	       : family == NFPROTO_ARP	  ? "arp"
					  : "inet";
}

#ifndef NFT_TABLE_F_OWNER
#define NFT_TABLE_F_OWNER 0x2 /* Linux 5.12 */
#endif

static bool is_owned(const struct nftables_object *table)
{
	return nftables_number(table->attributes[NFTA_TABLE_FLAGS]) & NFT_TABLE_F_OWNER;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* Whether a name can be written in nft's language as it is. */
static bool is_plain(const char *name)
{
	return ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || *name == '_') &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")] == '\0';
}

/*
 * iptables' own chains, which Docker, libvirt and most scripts share: what we may add to. Not ebtables': a rule for a
 * bridge is one that not every kernel knows (CONFIG_NFT_BRIDGE_META), and what fails takes all with it.
 */
static bool is_known(int family, const char *table, const char *name, uint32_t hook)
{
	return (family == NFPROTO_IPV4 || family == NFPROTO_IPV6) && strcmp(table, "filter") == 0 &&
	       strcmp(name, hook == NF_INET_FORWARD    ? "FORWARD"
			    : hook == NF_INET_LOCAL_IN ? "INPUT"
						       : "OUTPUT") == 0;
}

/* Whether it is one of somebody else's, at what hook, and whether at one that is of single interfaces. */
static bool has_hook(const struct nftables_object *chain, uint32_t *hook, bool *on_interface)
{
	if (!nftables_hook(chain, hook) || strncmp(chain->table, "tapgate-", strlen("tapgate-")) == 0)
		return false;
	*on_interface = chain->family == NFPROTO_NETDEV || *hook > NF_INET_POST_ROUTING;
	if (chain->family == NFPROTO_ARP)
		*hook = *hook == NF_ARP_IN ? NF_INET_LOCAL_IN : NF_INET_LOCAL_OUT;
	return true;
}

static void see_chain(void *context, const struct nftables_object *object)
{
	const char *table = object->table, *name = nftables_text(object->attributes[NFTA_CHAIN_NAME]);
	struct firewall *firewall = context;
	struct firewall_chain *chains;
	int family = object->family;
	bool on_interface;
	uint32_t hook;

	if (!has_hook(object, &hook, &on_interface))
		return;
	firewall->others = true;
	firewall->on_interfaces |= on_interface;
	if (on_interface || hook < NF_INET_LOCAL_IN || hook > NF_INET_LOCAL_OUT || !is_plain(table) || !is_plain(name))
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
		.known = is_known(family, table, name, hook),
		.count = nftables_number(object->attributes[NFTA_CHAIN_USE]),
		.drops = nftables_number(object->attributes[NFTA_CHAIN_POLICY]) == NF_DROP};
	snprintf(chains->table, sizeof(chains->table), "%s", table);
	snprintf(chains->name, sizeof(chains->name), "%s", name);
}

/* A rule of ours, noted with its chain, by its index there. One behind the chain's end is none that counts. */
static void note_ours(struct firewall *firewall, struct firewall_chain *chain, const json_t *rule)
{
	const char *comment = json_string_value(json_object_get(rule, "comment"));
	struct firewall_rule *rules;

	if (!comment || strncmp(comment, FIREWALL_MARK, strlen(FIREWALL_MARK)) != 0)
		return;
	rules = reallocarray(firewall->rules, firewall->rule_count + 1, sizeof(*rules));
	if (!rules) {
		firewall->failed = true;
		return;
	}
	firewall->rules = rules;
	rules += firewall->rule_count++;
	*rules = (struct firewall_rule){.chain = chain,
		.handle = (uint64_t)json_integer_value(json_object_get(rule, "handle")),
		.behind = chain->before != 0};
	snprintf(rules->comment, sizeof(rules->comment), "%s", comment);
}

/* What stands in a chain: its end, and ours. */
static void judge_chain(const struct host *host, struct firewall *firewall, struct firewall_chain *chain)
{
	json_t *last = NULL, *rule;
	const char *end = firewall_find_end(chain->rules, chain->name, 0, &last);
	size_t at = 0;

	if (end && strcmp(end, "accept") == 0)
		chain->drops = false;
	else if (end && strcmp(end, "drop") == 0)
		chain->drops = true;
	firewall_find_tunnel(host, chain);
	while ((rule = firewall_next_rule(chain->rules, chain->name, &at))) {
		if (rule == last)
			chain->before = (uint64_t)json_integer_value(json_object_get(rule, "handle"));
		note_ours(firewall, chain, rule);
	}
}

/* libnftables 1.0.6 lists a table without its rules, and says nothing, where reading them failed. */
static bool is_whole(const struct firewall_chain *chain)
{
	uint32_t count = 0;
	size_t at = 0;

	while (firewall_next_rule(chain->rules, chain->name, &at))
		count++;
	return count == chain->count;
}

/* What is read of its table, and whether that has an owner, for the chain at `index`; an earlier chain may have it. */
static int read_table(struct session *session, struct firewall *firewall, size_t index)
{
	struct firewall_chain *chain = &firewall->chains[index];
	char command[2 * NFTABLES_NAME_MAX + 32];
	uint32_t flags = 0;
	int error;

	for (size_t i = 0; i < index; i++) {
		if (firewall->chains[i].family != chain->family || strcmp(firewall->chains[i].table, chain->table) != 0)
			continue;
		if (firewall->chains[i].owned)
			break;
		chain->rules = json_incref(firewall->chains[i].rules);
		return is_whole(chain) ? 0 : -EAGAIN;
	}
	error = nftables_table(session->nftables, chain->family, chain->table, &flags);
	if (error)
		return error == -ENOENT ? -EAGAIN : error;
	chain->owned = flags & NFT_TABLE_F_OWNER;
	/* libnftables 1.0.6 reads past a list when it prints that flag in JSON: of such a table the chain alone. */
	snprintf(command, sizeof(command), "list %s %s %s %s", chain->owned ? "chain" : "table",
		firewall_family(chain->family), chain->table, chain->owned ? chain->name : "");
	chain->rules = rules_ask(session, command);
	return chain->rules && is_whole(chain) ? 0 : -EAGAIN;
}

static int look_once(struct session *session, struct firewall *firewall)
{
	int error = nftables_each_chain(session->nftables, NFPROTO_UNSPEC, see_chain, firewall);

	for (size_t i = 0; i < firewall->chain_count && !error; i++) {
		error = read_table(session, firewall, i);
		if (!error)
			judge_chain(&session->host, firewall, &firewall->chains[i]);
	}
	return error ? error : firewall->failed ? -ENOMEM : 0;
}

static void forget(void *context)
{
	struct firewall *firewall = context;

	for (size_t i = 0; i < firewall->chain_count; i++)
		json_decref(firewall->chains[i].rules);
	free(firewall->chains);
	free(firewall->rules);
	free(firewall);
}

int firewall_look(struct session *session, struct firewall **firewall)
{
	int error = -EAGAIN;

	*firewall = session->seen;
	if (session->seen)
		return 0;
	for (int i = 0; i < PATIENCE && error == -EAGAIN; i++) {
		struct firewall *seen = calloc(1, sizeof(*seen));

		error = seen ? look_once(session, seen) : -ENOMEM;
		if (error && seen)
			forget(seen);
		else if (seen)
			session_see(session, seen, forget);
	}
	*firewall = session->seen;
	return error;
}

bool firewall_has_chain(const struct firewall_chain *chain, const char *name)
{
	for (size_t i = 0; i < json_array_size(chain->rules); i++) {
		const json_t *other = json_object_get(json_array_get(chain->rules, i), "chain");
		const char *word = json_string_value(json_object_get(other, "name"));

		if (word && strcmp(word, name) == 0)
			return true;
	}
	return false;
}

/* --- all that are others' ----------------------------------------------------------------------------------------- */

struct listing {
	struct session *session;
	json_t *rules, *owned; /* owned: names of tables with an owner */
};

static bool is_ours(const struct nftables_object *object)
{
	return strncmp(object->table, "tapgate-", strlen("tapgate-")) == 0;
}

static void append_list(struct listing *listing, const char *kind, const char *table, const char *chain)
{
	char command[2 * NFTABLES_NAME_MAX + 32];
	json_t *rules;

	snprintf(command, sizeof(command), "list %s %s %s", kind, table, chain);
	rules = rules_ask(listing->session, command);
	json_array_extend(listing->rules, rules);
	json_decref(rules);
}

static void list_table(void *context, const struct nftables_object *table)
{
	struct listing *listing = context;
	char name[NFTABLES_NAME_MAX + 16];

	if (is_ours(table))
		return;
	snprintf(name, sizeof(name), "%s %s", firewall_family(table->family), table->table);
	if (is_owned(table))
		json_array_append_new(listing->owned, json_string(name));
	else
		append_list(listing, "table", name, "");
}

/* Chain by chain, for the reason that read_table has. */
static void list_chain(void *context, const struct nftables_object *chain)
{
	struct listing *listing = context;
	char name[NFTABLES_NAME_MAX + 16];

	snprintf(name, sizeof(name), "%s %s", firewall_family(chain->family), chain->table);
	for (size_t i = 0; i < json_array_size(listing->owned); i++) {
		if (strcmp(json_string_value(json_array_get(listing->owned, i)), name) == 0)
			append_list(listing, "chain", name, nftables_text(chain->attributes[NFTA_CHAIN_NAME]));
	}
}

json_t *firewall_rules(struct session *session)
{
	struct listing listing = {session, json_array(), json_array()};

	if (session->nft && session->nftables) {
		nftables_each_table(session->nftables, list_table, &listing);
		if (json_array_size(listing.owned) > 0)
			nftables_each_chain(session->nftables, NFPROTO_UNSPEC, list_chain, &listing);
	}
	json_decref(listing.owned);
	return listing.rules;
}
