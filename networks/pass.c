// SPDX-License-Identifier: MIT
/*
 * Passes: rules of ours in other people's firewalls.
 *
 * A guard only takes away. Where another table's chain drops whatever none of its rules accepts, as Docker's `ip filter
 * FORWARD` does, guests of one network do not see each other (their frames come by there when br_netfilter is loaded),
 * a nat network leads nowhere, and nobody is given an address: in nftables an accept counts in its own chain only. So
 * what the networks need is accepted at the end of such a chain, where nothing is overruled but the drop, if it is one
 * that everybody adds to: iptables' own. Any other firewall is its owner's to change, and one that leaves
 * a tunnel as the only way out is never opened: that is a VPN's kill switch. The rules carry comments that begin with
 * "tapgate: NETWORK", by which they are found again, and are made of what iptables-nft can show, too.
 */
#include "networks/networks.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp/dhcp.h"
#include "tool/tool.h"

enum {
	OUT = 1 << MODE_NAT | 1 << MODE_SHARED | 1 << MODE_ROUTED,
	ROUTED = OUT | 1 << MODE_HOST_ONLY,
	CLOSED = 1 << MODE_HOST_ONLY | 1 << MODE_STANDALONE,
	SWITCHED = 1 << MODE_HOST_ONLY | 1 << MODE_INTERNAL | 1 << MODE_SHARED | 1 << MODE_ROUTED,
};

/* tapgate(8), "Other firewalls", has the same in words. */
static const struct need needs[] = {
	{SWITCHED, NEED_ALWAYS, NF_INET_FORWARD, NFPROTO_UNSPEC, true, true, 0, 0, "guest to guest",
		"what its guests send each other"},
	{OUT, NEED_ALWAYS, NF_INET_FORWARD, NFPROTO_UNSPEC, true, false, 0, 0, "out",
		"what its guests send to the Internet"},
	{OUT, NEED_ALWAYS, NF_INET_FORWARD, NFPROTO_UNSPEC, false, true, 0, 0, "answers, by its guard",
		"the answers to its guests"},
	{CLOSED, NEED_FORWARD, NF_INET_FORWARD, NFPROTO_UNSPEC, false, true, 0, 0, "forwards, by its guard",
		"what is forwarded to its guests"},
	{CLOSED, NEED_FORWARD, NF_INET_FORWARD, NFPROTO_UNSPEC, true, false, 0, 0, "answers, by its guard",
		"the answers of its guests to what is forwarded"},
	{ROUTED | 1 << MODE_STANDALONE, NEED_DHCP, NF_INET_LOCAL_IN, NFPROTO_IPV4, true, false, IPPROTO_UDP, 67, "DHCP",
		"its guests' requests for addresses (DHCP)"},
	{ROUTED, NEED_DHCP, NF_INET_LOCAL_IN, NFPROTO_IPV6, true, false, IPPROTO_UDP, 547, "DHCPv6",
		"its guests' requests for addresses (DHCPv6)"},
	{ROUTED, NEED_DHCP, NF_INET_LOCAL_IN, NFPROTO_UNSPEC, true, false, IPPROTO_UDP, 53, "DNS",
		"its guests' questions for names (DNS)"},
	{ROUTED, NEED_DHCP, NF_INET_LOCAL_IN, NFPROTO_UNSPEC, true, false, IPPROTO_TCP, 53, "DNS by TCP",
		"its guests' questions for names (DNS by TCP)"},
	{ROUTED, NEED_TFTP, NF_INET_LOCAL_IN, NFPROTO_IPV4, true, false, IPPROTO_UDP, 69, "TFTP",
		"its guests' requests for the file to boot from (TFTP)"},
	{ROUTED | 1 << MODE_STANDALONE, NEED_IPV6, NF_INET_LOCAL_IN, NFPROTO_IPV6, true, false, IPPROTO_ICMPV6, 0,
		"neighbours", "its guests' search for the host (neighbour discovery)"},
	{ROUTED | 1 << MODE_STANDALONE, NEED_IPV4, NF_INET_LOCAL_IN, NFPROTO_ARP, true, false, 0, 0, "ARP",
		"its guests' search for the host (ARP)"},
	{ROUTED | 1 << MODE_STANDALONE, NEED_DHCP, NF_INET_LOCAL_OUT, NFPROTO_IPV4, false, true, IPPROTO_UDP, 67,
		"DHCP", "the host's answers to requests for addresses (DHCP)"},
	{ROUTED, NEED_DHCP, NF_INET_LOCAL_OUT, NFPROTO_IPV6, false, true, IPPROTO_UDP, 547, "DHCPv6",
		"the host's answers to requests for addresses (DHCPv6)"},
	{ROUTED, NEED_DHCP, NF_INET_LOCAL_OUT, NFPROTO_UNSPEC, false, true, IPPROTO_UDP, 53, "DNS",
		"the host's answers to questions for names (DNS)"},
	{ROUTED, NEED_DHCP, NF_INET_LOCAL_OUT, NFPROTO_UNSPEC, false, true, IPPROTO_TCP, 53, "DNS by TCP",
		"the host's answers to questions for names (DNS by TCP)"},
	{ROUTED | 1 << MODE_STANDALONE, NEED_IPV6, NF_INET_LOCAL_OUT, NFPROTO_IPV6, false, true, IPPROTO_ICMPV6, 0,
		"neighbours", "the host's answers to its guests' search for it (neighbour discovery)"},
	{ROUTED | 1 << MODE_STANDALONE, NEED_IPV4, NF_INET_LOCAL_OUT, NFPROTO_ARP, false, true, 0, 0, "ARP",
		"the host's answers to its guests' search for it (ARP)"},
};
enum { NEEDS = sizeof(needs) / sizeof(*needs) };

const struct need *need_next(const struct policy_network *network, size_t *at)
{
	while (*at < NEEDS) {
		const struct need *need = &needs[(*at)++];

		if ((need->modes & 1U << network->mode) && (need->when != NEED_DHCP || dnsmasq_wanted(network)) &&
			(need->port != 67 || policy_serves(network, false)) &&
			(need->when != NEED_TFTP || dnsmasq_has_tftp(network)) &&
			(need->when != NEED_FORWARD || network->has_ways_in || policy_next_forward(network, NULL)) &&
			(need->when != NEED_IPV4 || network->ipv4.given) &&
			(need->when != NEED_IPV6 || network->ipv6.given))
			return need;
	}
	return NULL;
}

/* --- as text ------------------------------------------------------------------------------------------------------ */

/* The interface of a network's guests, as the host has it; a pool's are several. */
static void write_interface(FILE *out, const struct policy_network *network, const char *any)
{
	fprintf(out, "%s%s%s", network->name, policy_pool_size(network) ? "-" : "",
		policy_pool_size(network) ? any : "");
}

bool need_is_way_out(const struct need *need)
{
	return need->hook == NF_INET_FORWARD && need->in && !need->out && (need->modes & OUT);
}

bool need_can_name(const char *interface)
{
	return interface[strspn(interface, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] ==
	       '\0';
}

void need_write_nft(
	FILE *out, const struct need *need, const struct policy_network *network, int family, const char *by)
{
	const bool bridge = family == NFPROTO_BRIDGE;
	const char *before = "";

	for (int way = 0; way < 2; way++) {
		if (!(way ? need->out : need->in))
			continue;
		fprintf(out, "%s%s \"", before,
			bridge ? way ? "meta obrname" : "meta ibrname"
			: way  ? "oifname"
			       : "iifname");
		write_interface(out, network, "*");
		fputc('"', out);
		before = " ";
	}
	if (bridge)
		; /* all else is needed there, too */
	else if (need->protocol == IPPROTO_ICMPV6)
		fputs(" meta l4proto icmpv6", out);
	else if (by)
		fprintf(out, " oifname \"%s\"", by);
	else if (need->protocol)
		fprintf(out, " %s %s %u", need->protocol == IPPROTO_UDP ? "udp" : "tcp", need->in ? "dport" : "sport",
			need->port);
	fputs(" accept", out);
}

void need_write_iptables(FILE *out, const struct need *need, const struct policy_network *network, const char *by)
{
	for (int way = 0; way < 2; way++) {
		if (!(way ? need->out : need->in))
			continue;
		fputs(way ? " -o " : " -i ", out);
		write_interface(out, network, "+");
	}
	if (need->protocol == IPPROTO_ICMPV6)
		fputs(" -p ipv6-icmp", out);
	else if (by)
		fprintf(out, " -o %s", by);
	else if (need->protocol)
		fprintf(out, " -p %s %s %u", need->protocol == IPPROTO_UDP ? "udp" : "tcp",
			need->in ? "--dport" : "--sport", need->port);
	fputs(" -j ACCEPT", out);
}

/* --- what is wanted ----------------------------------------------------------------------------------------------- */

static bool applies(const struct need *need, const struct firewall_chain *chain)
{
	return chain->known && !chain->owned && !chain->tunnel[0] && chain->drops && chain->hook == need->hook &&
	       (need->family == NFPROTO_UNSPEC || chain->family == need->family);
}

/* One rule that is wanted: a need, of a network, and (else NULL) the interface that it leads out by. */
struct pass {
	const struct need *need;
	const struct policy_network *network;
	const char *by;
};

static void comment_on(const struct pass *pass, char comment[static FIREWALL_COMMENT_MAX])
{
	snprintf(comment, FIREWALL_COMMENT_MAX, FIREWALL_MARK "%s, %s%s%s", pass->network->name, pass->need->about,
		pass->by ? " by " : "", pass->by ? pass->by : "");
}

/* The rule of ours that has this comment in this chain, where it counts; NULL if it is missing. */
static struct firewall_rule *find(struct firewall *firewall, const struct firewall_chain *chain, const char *comment)
{
	for (size_t i = 0; i < firewall->rule_count; i++) {
		struct firewall_rule *rule = &firewall->rules[i];

		if (rule->chain == chain && !rule->wanted && !rule->behind && strcmp(rule->comment, comment) == 0)
			return rule;
	}
	return NULL;
}

static void write_rule(FILE *out, const struct firewall_chain *chain, const struct pass *pass, const char *comment)
{
	const char *family = firewall_family(chain->family);

	if (chain->before)
		fprintf(out, "insert rule %s %s %s position %llu ", family, chain->table, chain->name,
			(unsigned long long)chain->before);
	else
		fprintf(out, "add rule %s %s %s ", family, chain->table, chain->name);
	need_write_nft(out, pass->need, pass->network, chain->family, pass->by);
	fprintf(out, " comment \"%s\"\n", comment);
}

/* Have one be wanted, and write it if it is missing; whether it is. */
static bool want(FILE *out, struct firewall *firewall, const struct firewall_chain *chain, const struct pass *pass)
{
	char comment[FIREWALL_COMMENT_MAX];
	struct firewall_rule *present;

	comment_on(pass, comment);
	present = find(firewall, chain, comment);
	if (present)
		present->wanted = true;
	else if (out)
		write_rule(out, chain, pass, comment);
	return !present;
}

/*
 * Whether all that is behind an interface is of this host, as containers are behind Docker's bridge: then it is no way
 * out, and guests get there only by a rule of its owner's.
 */
static bool is_inside(const struct host *host, const struct link_interface *interface)
{
	bool inside = strcmp(interface->kind, "bridge") == 0;

	for (size_t i = 0; i < host->interface_count && inside; i++) {
		const struct link_interface *port = &host->interfaces[i];

		inside = port->master != interface->index || strcmp(port->kind, "tun") == 0 ||
			 strcmp(port->kind, "veth") == 0;
	}
	for (size_t i = 0; i < host->route_count && inside; i++)
		inside = host->routes[i].index != interface->index || host->routes[i].prefix > 0;
	return inside;
}

/* Those of a way out: one for each interface that is one now. */
static unsigned int write_ways_out(FILE *out, struct firewall *firewall, const struct firewall_chain *chain,
	const struct host *host, struct pass *pass)
{
	const int family = chain->family == NFPROTO_IPV4 ? AF_INET : AF_INET6;
	unsigned int missing = 0;

	for (size_t i = 0; i < host->interface_count; i++) {
		const struct link_interface *interface = &host->interfaces[i];

		pass->by = interface->name;
		if (forwarding_leads_out(host, interface, family) && !is_inside(host, interface) &&
			need_can_name(interface->name))
			missing += want(out, firewall, chain, pass);
	}
	return missing;
}

/* Write the missing passes of a network for one chain; how many there are. */
static unsigned int write_missing(FILE *out, struct firewall *firewall, const struct firewall_chain *chain,
	const struct host *host, const struct policy_network *network)
{
	unsigned int missing = 0;
	const struct need *need;
	size_t at = 0;

	while ((need = need_next(network, &at))) {
		struct pass pass = {need, network, NULL};

		if (!applies(need, chain))
			continue;
		missing += need_is_way_out(need) ? write_ways_out(out, firewall, chain, host, &pass)
						 : want(out, firewall, chain, &pass);
	}
	return missing;
}

/* How long the network's name is in a comment of ours. */
static int name_size(const char *comment)
{
	return (int)strcspn(comment + strlen(FIREWALL_MARK), ",");
}

/* Whether two rules that are both not wanted are of one network and in one chain. */
static bool same_place(const struct firewall_rule *one, const struct firewall_rule *other)
{
	return !other->wanted && one->chain == other->chain && name_size(one->comment) == name_size(other->comment) &&
	       strncmp(one->comment, other->comment, strlen(FIREWALL_MARK) + (size_t)name_size(one->comment)) == 0;
}

/* Whose passes are to be settled. */
struct scope {
	const struct policy_network *const *networks;
	size_t count;
	bool (*gone)(const void *context, const char *network);
	const void *context;
};

/* A rule whose network is not to be settled is as it should be. */
static bool stays(const struct scope *scope, const struct firewall_rule *rule)
{
	char name[FIREWALL_COMMENT_MAX];

	snprintf(name, sizeof(name), "%.*s", name_size(rule->comment), rule->comment + strlen(FIREWALL_MARK));
	for (size_t i = 0; i < scope->count; i++) {
		if (strcmp(scope->networks[i]->name, name) == 0)
			return false;
	}
	return !scope->gone(scope->context, name);
}

/* What is missing or no longer wanted: as commands, or when they have been run, in words. */
static void each_difference(struct session *session, FILE *out, struct firewall *firewall, const struct scope *scope)
{
	for (size_t i = 0; i < firewall->rule_count; i++)
		firewall->rules[i].wanted = stays(scope, &firewall->rules[i]);
	for (size_t i = 0; i < firewall->chain_count; i++) {
		const struct firewall_chain *chain = &firewall->chains[i];

		for (size_t j = 0; j < scope->count; j++) {
			if (write_missing(out, firewall, chain, &session->host, scope->networks[j]) && !out)
				session_say(session, scope->networks[j]->name, "opened", "open",
					"'%s %s %s' to what its guard lets through (that chain drops the rest)",
					firewall_family(chain->family), chain->table, chain->name);
		}
	}
	for (size_t i = 0; i < firewall->rule_count; i++) {
		const struct firewall_rule *rule = &firewall->rules[i];

		if (rule->wanted)
			continue;
		if (out)
			fprintf(out, "delete rule %s %s %s handle %llu\n", firewall_family(rule->chain->family),
				rule->chain->table, rule->chain->name, (unsigned long long)rule->handle);
		else if (i == 0 || !same_place(rule, &firewall->rules[i - 1]))
			session_say(session, "firewall", "removed", "remove", "the rules for '%.*s' from '%s %s %s'",
				name_size(rule->comment), rule->comment + strlen(FIREWALL_MARK),
				firewall_family(rule->chain->family), rule->chain->table, rule->chain->name);
	}
}

bool pass_settle(struct session *session, const struct policy_network *const *networks, size_t count,
	bool (*gone)(const void *context, const char *network), const void *context)
{
	const struct scope scope = {networks, count, gone, context};
	struct firewall *firewall = NULL;
	char *commands = NULL;
	size_t size;
	FILE *out = open_memstream(&commands, &size);
	int error = out ? firewall_look(session, &firewall) : -ENOMEM;
	bool done;

	if (!error && firewall)
		each_difference(session, out, firewall, &scope);
	if (out && fclose(out) != 0)
		error = -ENOMEM;
	done = error ? session_fail("firewall", error, "read the rules of others")
		     : !*commands || session->dry ||
			       rules_run(
				       session, "firewall", commands, "open others' chains to what guards let through");
	if (done && firewall)
		each_difference(session, NULL, firewall, &scope);
	free(commands);
	session_see_anew(session);
	return done;
}

int pass_missing(struct session *session, const struct policy_network *network)
{
	struct firewall *firewall = NULL;
	int missing = 0;

	if (!session->nft || firewall_look(session, &firewall) != 0)
		return -1;
	for (size_t i = 0; i < firewall->rule_count; i++)
		firewall->rules[i].wanted = false;
	for (size_t i = 0; i < firewall->chain_count; i++)
		missing += (int)write_missing(NULL, firewall, &firewall->chains[i], &session->host, network);
	return missing;
}

/* Whether a network needs anything of a chain's hook. */
static bool concerns(const struct firewall_chain *chain, const struct policy_network *network)
{
	const struct need *need;
	size_t at = 0;

	while ((need = need_next(network, &at))) {
		if (need->hook == chain->hook && (need->family == NFPROTO_ARP) == (chain->family == NFPROTO_ARP))
			return true;
	}
	return false;
}

void pass_foretell(struct session *session, const struct policy_network *network)
{
	struct firewall *firewall = NULL;

	if (firewall_look(session, &firewall) != 0)
		return;
	for (size_t i = 0; i < firewall->chain_count; i++) {
		const struct firewall_chain *chain = &firewall->chains[i];
		const char *family = firewall_family(chain->family);

		if (!chain->drops || !concerns(chain, network) || firewall_accepts(chain, network->name))
			continue;
		if (chain->tunnel[0])
			say_warning(
				"%s: '%s %s %s' leaves the tunnel '%s' as the only way out, and would not be opened",
				network->name, family, chain->table, chain->name, chain->tunnel);
		else if (!chain->known || chain->owned)
			say_warning(
				"%s: '%s %s %s' drops what it does not know, and would not be opened; once the network is up 'tapgate check --live' tells what that stops, and the cure",
				network->name, family, chain->table, chain->name);
	}
}
