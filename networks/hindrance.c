// SPDX-License-Identifier: MIT
/*
 * Says what is in the way of a network: where its packets die, and the line that cures it, in the language of
 * whoever makes the rules there: ufw, firewalld, Docker, iptables, or nft itself.
 */
#include "networks/probe.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOUND_MAX = 24 };

/* A table that firewalld has while it is loaded anew, and as long as an administrator wants nothing to pass. */
#define FIREWALLD_PANIC "firewalld_policy_drop"

struct found {
	const struct need *need;
	int family; /* AF_...; AF_UNSPEC: both */
	struct fate fate;
};

struct hindrances {
	const struct policy_network *network;
	struct found found[FOUND_MAX];
	size_t count;
};

struct hindrances *hindrances_new(const struct policy_network *network)
{
	struct hindrances *hindrances = calloc(1, sizeof(*hindrances));

	if (hindrances)
		hindrances->network = network;
	return hindrances;
}

static bool same_place(const struct fate *one, const struct fate *other)
{
	return one->legacy == other->legacy && one->stray == other->stray && one->lost == other->lost &&
	       one->family == other->family && one->rule == other->rule && one->base == other->base &&
	       strcmp(one->table, other->table) == 0 && strcmp(one->chain, other->chain) == 0;
}

void hindrances_add(struct hindrances *hindrances, const struct need *need, int family, const struct fate *fate)
{
	struct found *last = hindrances->count ? &hindrances->found[hindrances->count - 1] : NULL;

	if (last && last->need == need && same_place(&last->fate, fate) && (last->family == family || !fate->legacy))
		last->family = last->family == family ? family : AF_UNSPEC;
	else if (hindrances->count < FOUND_MAX)
		hindrances->found[hindrances->count++] = (struct found){need, family, *fate};
}

/* --- the cure ----------------------------------------------------------------------------------------------------- */

enum keeper { KEEPER_NFT, KEEPER_IPTABLES, KEEPER_LEGACY, KEEPER_DOCKER, KEEPER_UFW, KEEPER_FIREWALLD, KEEPER_US };

/* Who makes the rules at a place. `up` opens none for a bridge of others, whose need is of no mode. */
static enum keeper keeper_of(const struct found *found)
{
	const struct fate *fate = &found->fate;
	const struct firewall_chain *base = fate->base;

	if (fate->legacy)
		return KEEPER_LEGACY;
	if (strcmp(fate->table, FIREWALLD_PANIC) == 0)
		return KEEPER_FIREWALLD;
	if (!base)
		return KEEPER_NFT;
	if (base->owned || strcmp(base->table, "firewalld") == 0)
		return KEEPER_FIREWALLD;
	if (firewall_has_chain(base, "ufw-user-input") || firewall_has_chain(base, "ufw6-user-input"))
		return KEEPER_UFW;
	if (found->need->modes && base->known && base->drops && !base->tunnel[0] &&
		(!fate->rule || fate->rule == base->before))
		return KEEPER_US;
	if (base->hook == NF_INET_FORWARD && firewall_has_chain(base, "DOCKER-USER"))
		return KEEPER_DOCKER;
	return base->known ? KEEPER_IPTABLES : KEEPER_NFT;
}

/* The interface that a way out leads to, for the one line that is about it. */
static const char *by_of(const struct found *found, const struct need *need)
{
	return need_is_way_out(need) && found->fate.by[0] ? found->fate.by : NULL;
}

static void write_ufw(FILE *out, const struct need *need, const struct policy_network *network, const char *by)
{
	if (need->hook == NF_INET_FORWARD)
		fprintf(out, "ufw route allow in on %s%s%s", network->name, by ? " out on " : "", by ? by : "");
	else
		fprintf(out, "ufw allow %s on %s", need->in ? "in" : "out", network->name);
	if (need->port)
		fprintf(out, "%s any port %u proto %s", need->in ? " to" : " from", need->port,
			need->protocol == IPPROTO_UDP ? "udp" : "tcp");
}

/* A word of iptables for each family that is found. */
static void write_iptables(
	FILE *out, const struct found *found, const struct need *need, const struct policy_network *network)
{
	const enum keeper keeper = keeper_of(found);
	const char *chain = keeper == KEEPER_DOCKER				       ? "DOCKER-USER"
			    : keeper == KEEPER_LEGACY && need->hook == NF_INET_FORWARD ? "FORWARD"
			    : keeper == KEEPER_LEGACY				       ? need->in ? "INPUT" : "OUTPUT"
										       : found->fate.base->name;
	const bool six = found->family == AF_INET6;

	fprintf(out, "ip%stables%s -I %s", six ? "6" : "", keeper == KEEPER_LEGACY ? "-legacy" : "", chain);
	need_write_iptables(out, need, network, by_of(found, need));
}

static void write_nft(
	FILE *out, const struct found *found, const struct need *need, const struct policy_network *network)
{
	const struct firewall_chain *base = found->fate.base;

	if (!base)
		return; /* keeper_of() says KEEPER_NFT of none */
	fprintf(out, "insert rule %s %s %s ", firewall_family(base->family), base->table, base->name);
	need_write_nft(out, need, network, base->family, by_of(found, need));
}

static void write_one(
	FILE *out, const struct found *found, const struct need *need, const struct policy_network *network)
{
	switch (keeper_of(found)) {
	case KEEPER_UFW:
		write_ufw(out, need, network, by_of(found, need));
		break;
	case KEEPER_NFT:
		write_nft(out, found, need, network);
		break;
	case KEEPER_IPTABLES:
	case KEEPER_LEGACY:
	case KEEPER_DOCKER:
		write_iptables(out, found, need, network);
		break;
	case KEEPER_FIREWALLD:
	case KEEPER_US:
		break;
	}
}

/* Of a policy of firewalld's (firewalld.policies(5)): the name, which its chains have in theirs; empty: it is none. */
static void read_policy(const char *chain, char name[static NFTABLES_NAME_MAX])
{
	static const char *const ends[] = {"_pre", "_log", "_deny", "_allow", "_post"};
	const char *begin = strncmp(chain, "filter_", strlen("filter_")) == 0 ? strstr(chain, "_policy_") : NULL;
	size_t size;

	snprintf(name, NFTABLES_NAME_MAX, "%s", begin ? begin + strlen("_policy_") : "");
	size = strlen(name);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (size > strlen(ends[i]) && strcmp(name + size - strlen(ends[i]), ends[i]) == 0)
			name[size - strlen(ends[i])] = '\0';
	}
}

/*
 * firewalld's zone `trusted` lets a network out, not others in: that takes a policy. Its name has 18 characters at
 * most, and before firewalld 2 it counts for interfaces that are in a zone, not for those that are in none and so in
 * the default one. What a policy of the administrator's forbids, no zone allows.
 */
static void write_firewalld(FILE *out, const struct found *found, const char *network)
{
	static const char of[] = "firewall-cmd --permanent --policy=to-";
	char policy[NFTABLES_NAME_MAX];

	read_policy(found->fate.chain, policy);
	if (strcmp(found->fate.table, FIREWALLD_PANIC) == 0) {
		fputs("; firewalld lets nothing through (panic mode), or is loaded; run: firewall-cmd --panic-off",
			out);
		return;
	}
	if (policy[0] && need_can_name(policy)) {
		fprintf(out, "; its policy '%s' is to let that through; see: firewall-cmd --info-policy=%s", policy,
			policy);
		return;
	}
	if (found->need->in || found->need->hook != NF_INET_FORWARD || !found->fate.by[0])
		fprintf(out, "; run: firewall-cmd --permanent --zone=trusted --change-interface=%s", network);
	else
		fprintf(out,
			"; run: zone=$(firewall-cmd --get-zone-of-interface=%s 2>/dev/null || firewall-cmd --get-default-zone) && firewall-cmd --permanent --zone=$zone --change-interface=%s && firewall-cmd --permanent --new-policy=to-%s && %s%s --add-ingress-zone=$zone && %s%s --add-egress-zone=trusted && %s%s --set-target=ACCEPT",
			found->fate.by, found->fate.by, network, of, network, of, network, of, network);
	fputs(" && firewall-cmd --reload", out);
}

/* --- in words ----------------------------------------------------------------------------------------------------- */

static void write_place(FILE *out, const struct fate *fate)
{
	if (fate->legacy)
		fputs("iptables-legacy has rules here, and by them the host", out);
	else if (fate->lost)
		fputs("no rule of a firewall, but the host's routing, by a mark that such a rule sets,", out);
	else if (fate->rule)
		fprintf(out, "rule %llu of '%s %s %s'", (unsigned long long)fate->rule, firewall_family(fate->family),
			fate->table, fate->chain);
	else
		fprintf(out, "the policy of '%s %s %s'", firewall_family(fate->family), fate->table, fate->chain);
}

/* One after the other: "A (DHCP), A (DNS)" is told as it stands. */
static void write_whats(FILE *out, const struct hindrances *hindrances, size_t first)
{
	const struct policy_network *network = hindrances->network;
	const bool two = network->mode == MODE_INTERNAL || (network->ipv4.given && network->ipv6.given);
	const char *before = "";

	for (size_t i = first; i < hindrances->count; i++) {
		const struct found *found = &hindrances->found[i];

		if (!same_place(&hindrances->found[first].fate, &found->fate))
			continue;
		fprintf(out, "%s%s%s", before, found->need->what,
			found->need->family != NFPROTO_UNSPEC || found->family == AF_UNSPEC || !two ? ""
			: found->family == AF_INET						    ? " by IPv4"
												    : " by IPv6");
		before = ", ";
	}
}

static void write_cures(FILE *out, const struct hindrances *hindrances, size_t first)
{
	const bool nft = keeper_of(&hindrances->found[first]) == KEEPER_NFT;
	const char *before = nft ? "nft '" : "";

	for (size_t i = first; i < hindrances->count; i++) {
		const struct found *found = &hindrances->found[i];

		if (!same_place(&hindrances->found[first].fate, &found->fate))
			continue;
		if (i > first && found->fate.base && found->fate.base->family == NFPROTO_BRIDGE)
			continue; /* one rule is for all */
		fputs(before, out);
		before = nft ? "; " : " && ";
		write_one(out, found, found->need, hindrances->network);
	}
	fputs(nft ? "'" : "", out);
}

static void write_way_out(FILE *out, const struct hindrances *hindrances, size_t first)
{
	const struct fate *fate = &hindrances->found[first].fate;
	const char *before = "; ";

	if (fate->lost) {
		fputs("; see: ip rule list, and nft list ruleset for 'mark set'", out);
		return;
	}
	if (fate->stray)
		fputs(", so that its guard knows no answer; except the network from that rule", out);
	if (!fate->legacy && !fate->base && strcmp(fate->table, FIREWALLD_PANIC) != 0) {
		fprintf(out, "; see: nft --handle list chain %s %s %s", firewall_family(fate->family), fate->table,
			fate->chain);
		return;
	}
	if (fate->base && fate->base->hook == NF_INET_FORWARD && fate->base->tunnel[0]) {
		fprintf(out, "; the tunnel '%s' is its only way out, and it stays so; to have guests go past it",
			fate->base->tunnel);
		before = ", ";
	}
	switch (keeper_of(&hindrances->found[first])) {
	case KEEPER_US:
		fprintf(out, "%srun: tapgate up", before);
		break;
	case KEEPER_FIREWALLD:
		write_firewalld(out, &hindrances->found[first], hindrances->network->name);
		break;
	case KEEPER_NFT:
		fprintf(out, "%srun, and write it where that table is made: ", before);
		write_cures(out, hindrances, first);
		break;
	case KEEPER_IPTABLES:
	case KEEPER_LEGACY:
	case KEEPER_DOCKER:
	case KEEPER_UFW:
		fprintf(out, "%srun: ", before);
		write_cures(out, hindrances, first);
		break;
	}
}

static bool is_first(const struct hindrances *hindrances, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (same_place(&hindrances->found[i].fate, &hindrances->found[index].fate))
			return false;
	}
	return true;
}

void hindrances_tell(struct hindrances *hindrances,
	void (*tell)(void *context, const struct policy_network *network, const char *text), void *context)
{
	for (size_t i = 0; i < hindrances->count; i++) {
		char *text = NULL;
		size_t size;
		FILE *out = is_first(hindrances, i) ? open_memstream(&text, &size) : NULL;

		if (!out)
			continue;
		write_place(out, &hindrances->found[i].fate);
		fputs(hindrances->found[i].fate.stray ? " has the host not track (notrack) " : " drops ", out);
		write_whats(out, hindrances, i);
		write_way_out(out, hindrances, i);
		if (fclose(out) == 0)
			tell(context, hindrances->network, text);
		free(text);
	}
}
