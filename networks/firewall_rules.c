// SPDX-License-Identifier: MIT
/*
 * What the rules of a chain come to: whether they drop what none accepts, and whether a tunnel is the only way out that
 * they leave. They are read as libnftables prints them in JSON (libnftables-json(5)).
 */
#include "networks/networks.h"

#include <jansson.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH = 16 /* how many jumps lie between a base chain and a rule at most (NFT_JUMP_STACK_SIZE) */ };

/* --- what a rule comes to ----------------------------------------------------------------------------------------- */

struct meaning {
	const char *verdict; /* "accept", "drop" (also reject), "return", "jump", "goto"; NULL: none */
	const char *target;  /* of a jump */
	bool conditional;    /* it is not for all packets */
	bool narrow;	     /* nor for all that go from one interface to another */
	const json_t *in, *out;
};

/* Of an interface: its name, or a list of names. */
static void see_match(const json_t *match, struct meaning *meaning)
{
	const json_t *meta = json_object_get(json_object_get(match, "left"), "meta");
	const char *key = json_string_value(json_object_get(meta, "key"));
	const char *operator= json_string_value(json_object_get(match, "op"));
	const bool equal = operator&& strcmp(operator, "==") == 0;

	meaning->conditional = true;
	if (key && (strcmp(key, "oifname") == 0 || strcmp(key, "oif") == 0))
		meaning->out = equal ? json_object_get(match, "right") : meaning->out;
	else if (key && (strcmp(key, "iifname") == 0 || strcmp(key, "iif") == 0))
		meaning->in = equal ? json_object_get(match, "right") : meaning->in;
	else
		meaning->narrow = true;
}

/* What iptables-nft cannot say in nftables' own words (xt): a match, or a target. */
static void see_extension(const json_t *extension, struct meaning *meaning)
{
	const char *name = json_string_value(json_object_get(extension, "name"));

	if (name && (strcmp(name, "REJECT") == 0 || strcmp(name, "DROP") == 0))
		meaning->verdict = "drop";
	else if (!name || (strcmp(name, "comment") != 0 && strcmp(name, "LOG") != 0 && strcmp(name, "NFLOG") != 0))
		meaning->conditional = meaning->narrow = true;
}

static void see_statement(const char *key, const json_t *value, struct meaning *meaning)
{
	static const char *const verdicts[] = {"accept", "drop", "return", "jump", "goto"};

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
		if (strcmp(key, verdicts[i]) != 0)
			continue;
		meaning->verdict = verdicts[i];
		meaning->target = json_string_value(json_object_get(value, "target"));
		return;
	}
	if (strcmp(key, "reject") == 0)
		meaning->verdict = "drop";
	else if (strcmp(key, "match") == 0)
		see_match(value, meaning);
	else if (strcmp(key, "xt") == 0)
		see_extension(value, meaning);
	else if (strcmp(key, "counter") != 0 && strcmp(key, "log") != 0 && strcmp(key, "mangle") != 0)
		meaning->conditional = meaning->narrow = true;
}

static struct meaning read_rule(const json_t *rule)
{
	json_t *expressions = json_object_get(rule, "expr"), *statement, *value;
	struct meaning meaning = {.verdict = NULL};
	const char *key;
	size_t i;

	json_array_foreach(expressions, i, statement)
	{
		json_object_foreach(statement, key, value)
		{
			see_statement(key, value, &meaning);
		}
	}
	return meaning;
}

static bool is_verdict(const struct meaning *meaning, const char *verdict)
{
	return meaning->verdict && strcmp(meaning->verdict, verdict) == 0;
}

json_t *firewall_next_rule(const json_t *table, const char *chain, size_t *at)
{
	while (*at < json_array_size(table)) {
		json_t *rule = json_object_get(json_array_get(table, (*at)++), "rule");
		const char *name = json_string_value(json_object_get(rule, "chain"));

		if (name && strcmp(name, chain) == 0)
			return rule;
	}
	return NULL;
}

/* --- what a chain comes to ---------------------------------------------------------------------------------------- */

const char *firewall_find_end(const json_t *table, const char *chain, int depth, json_t **found)
{
	size_t at = 0;
	json_t *rule;

	while (depth < DEPTH && (rule = firewall_next_rule(table, chain, &at))) {
		const struct meaning meaning = read_rule(rule);
		const char *end = meaning.verdict;
		json_t *within;

		if (depth && meaning.conditional && is_verdict(&meaning, "return"))
			return NULL;
		if (meaning.conditional || !end)
			continue;
		if (is_verdict(&meaning, "jump") || is_verdict(&meaning, "goto"))
			end = firewall_find_end(table, meaning.target ? meaning.target : "", depth + 1, &within);
		if (is_verdict(&meaning, "jump") && (!end || strcmp(end, "return") == 0))
			continue;
		*found = rule;
		return end ? end : "return";
	}
	return NULL;
}

/* Tunnels by the beginnings of their names, for those that are not there just now. */
static bool has_name_of_tunnel(const char *name)
{
	static const char *const begin[] = {"wg", "tun", "utun", "tailscale", "nordlynx", "proton", "mullvad", "ipsec",
		"vti", "xfrm", "gpd", "cscotun", "vpn", "amn"};

	for (size_t i = 0; i < sizeof(begin) / sizeof(*begin); i++) {
		if (strncmp(name, begin[i], strlen(begin[i])) == 0)
			return true;
	}
	return false;
}

static bool is_tunnel(const struct host *host, const char *name)
{
	static const char *const kinds[] = {
		"wireguard", "amneziawg", "ovpn", "vti", "vti6", "xfrm", "ipip", "gre", "sit", "ip6tnl"};
	static const unsigned char none[6];
	const struct link_interface *interface = host_interface(host, name);

	for (size_t i = 0; interface && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(interface->kind, kinds[i]) == 0)
			return true;
	}
	if (interface && strcmp(interface->kind, "tun") == 0) /* which taps are, too */
		return memcmp(interface->mac, none, sizeof(none)) == 0;
	return has_name_of_tunnel(name);
}

/* Whether a name leads out of this host: neither by a tunnel, nor only to what is behind a bridge of its own. */
static bool leads_out(const struct host *host, const char *name)
{
	const struct link_interface *interface = host_interface(host, name);
	bool bridge = interface && strcmp(interface->kind, "bridge") == 0;

	for (size_t i = 0; bridge && i < host->route_count; i++) {
		if (host->routes[i].index == interface->index && host->routes[i].prefix == 0)
			return true;
	}
	return !bridge && strcmp(name, "lo") != 0 && !is_tunnel(host, name);
}

/* The names that a rule matches: one, or those of a set that stands in it. Stops at the first that is so. */
static const char *find_name(
	const struct host *host, const json_t *names, bool (*is)(const struct host *host, const char *name))
{
	const json_t *set = json_object_get(names, "set");
	const char *name = json_string_value(names);

	if (name)
		return is(host, name) ? name : NULL;
	for (size_t i = 0; i < json_array_size(set); i++) {
		name = json_string_value(json_array_get(set, i));
		if (name && is(host, name))
			return name;
	}
	return NULL;
}

/* What ways out the rules of a chain, and of those that it jumps to, leave. */
struct ways {
	const struct host *host;
	const json_t *table;
	const char *tunnel; /* one that they let out by; NULL: none */
	bool other;	    /* they let out elsewhere, too */
};

static void find_ways(struct ways *ways, const char *chain, const struct meaning *by, int depth)
{
	size_t at = 0;
	json_t *rule;

	while (depth < DEPTH && (rule = firewall_next_rule(ways->table, chain, &at))) {
		struct meaning meaning = read_rule(rule);
		const char *tunnel;

		meaning.out = meaning.out ? meaning.out : by->out;
		meaning.in = meaning.in ? meaning.in : by->in;
		meaning.narrow |= by->narrow;
		if (meaning.target)
			find_ways(ways, meaning.target, &meaning, depth + 1);
		if (!is_verdict(&meaning, "accept"))
			continue;
		tunnel = find_name(ways->host, meaning.out, is_tunnel);
		if (tunnel)
			ways->tunnel = tunnel;
		ways->other |= !meaning.narrow && !find_name(ways->host, meaning.in, is_tunnel) &&
			       (!meaning.out || find_name(ways->host, meaning.out, leads_out));
	}
}

void firewall_find_tunnel(const struct host *host, struct firewall_chain *chain)
{
	struct ways ways = {.host = host, .table = chain->rules};

	if (chain->hook == NF_INET_LOCAL_IN || chain->family == NFPROTO_BRIDGE || chain->family == NFPROTO_ARP)
		return;
	find_ways(&ways, chain->name, &(struct meaning){.verdict = NULL}, 0);
	if (ways.tunnel && !ways.other)
		snprintf(chain->tunnel, sizeof(chain->tunnel), "%s", ways.tunnel);
}

bool firewall_accepts(const struct firewall_chain *chain, const char *interface)
{
	for (size_t i = 0; i < json_array_size(chain->rules); i++) {
		const json_t *rule = json_object_get(json_array_get(chain->rules, i), "rule");
		const char *comment = json_string_value(json_object_get(rule, "comment"));
		const struct meaning meaning = read_rule(rule);
		const char *in = json_string_value(meaning.in), *out = json_string_value(meaning.out);

		if (is_verdict(&meaning, "accept") &&
			!(comment && strncmp(comment, FIREWALL_MARK, strlen(FIREWALL_MARK)) == 0) &&
			((in && strcmp(in, interface) == 0) || (out && strcmp(out, interface) == 0)))
			return true;
	}
	return false;
}
