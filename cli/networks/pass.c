#include "cli/networks/pass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/networks/dnsmasq.h"
#include "cli/networks/firewall.h"
#include "cli/networks/rules.h"
#include "cli/say.h"

/* What the guard of a mode lets through, where: rules with the network's name for each "%s". */
static const struct pass {
	enum policy_mode mode;
	bool dhcp; /* only for networks that have it, which are of two modes */
	uint32_t hook;
	int family; /* NFPROTO_UNSPEC: any */
	const char *rule, *about;
} passes[] = {
	{MODE_HOST_ONLY, false, NF_INET_FORWARD, NFPROTO_UNSPEC, "iifname \"%s\" oifname \"%s\"", "guest to guest"},
	{MODE_INTERNAL, false, NF_INET_FORWARD, NFPROTO_UNSPEC, "iifname \"%s\" oifname \"%s\"", "guest to guest"},
	{MODE_NAT, false, NF_INET_FORWARD, NFPROTO_UNSPEC, "iifname \"%s\"", "out"},
	{MODE_NAT, false, NF_INET_FORWARD, NFPROTO_UNSPEC, "oifname \"%s\"", "answers, by its guard"},
	{MODE_BRIDGED, true, NF_INET_LOCAL_IN, NFPROTO_IPV4, "iifname \"%s\" udp dport 67", "DHCP"},
	{MODE_BRIDGED, true, NF_INET_LOCAL_IN, NFPROTO_IPV6, "iifname \"%s\" udp dport 547", "DHCPv6"},
	{MODE_BRIDGED, true, NF_INET_LOCAL_IN, NFPROTO_UNSPEC, "iifname \"%s\" udp dport 53", "DNS"},
	{MODE_BRIDGED, true, NF_INET_LOCAL_IN, NFPROTO_UNSPEC, "iifname \"%s\" tcp dport 53", "DNS by TCP"},
};
enum { PASSES = sizeof(passes) / sizeof(*passes) };

/* --- what is wanted ---------------------------------------------------------------------------------------------- */

static bool applies(const struct pass *pass, const struct firewall_chain *chain, const struct policy_network *network)
{
	return (chain->drops || chain->before) && chain->hook == pass->hook &&
	       (pass->family == NFPROTO_UNSPEC || chain->family == NFPROTO_INET || chain->family == pass->family) &&
	       (pass->dhcp ? dnsmasq_wanted(network) : pass->mode == network->mode);
}

static void comment_on(
	const struct pass *pass, const struct policy_network *network, char comment[static FIREWALL_COMMENT_MAX])
{
	snprintf(comment, FIREWALL_COMMENT_MAX, FIREWALL_MARK "%s, %s", network->name, pass->about);
}

/* The rule of ours that has this comment in this chain, noted as wanted; NULL if it is missing. */
static struct firewall_rule *find(struct firewall *firewall, const struct firewall_chain *chain, const char *comment)
{
	for (size_t i = 0; i < firewall->rule_count; i++) {
		if (firewall->rules[i].chain == chain && !firewall->rules[i].wanted &&
			strcmp(firewall->rules[i].comment, comment) == 0)
			return &firewall->rules[i];
	}
	return NULL;
}

static void write_rule(FILE *out, const struct firewall_chain *chain, const struct pass *pass,
	const struct policy_network *network, const char *comment)
{
	const char *family = firewall_family(chain->family);

	if (chain->before)
		fprintf(out, "insert rule %s %s %s position %llu ", family, chain->table, chain->name,
			(unsigned long long)chain->before);
	else
		fprintf(out, "add rule %s %s %s ", family, chain->table, chain->name);
	for (const char *at = pass->rule; *at; at++) {
		if (at[0] == '%') {
			fputs(network->name, out);
			at++;
		} else {
			fputc(*at, out);
		}
	}
	fprintf(out, " accept comment \"%s\"\n", comment);
}

/* Write the missing passes of a network for one chain; how many there are. */
static unsigned int write_missing(
	FILE *out, struct firewall *firewall, const struct firewall_chain *chain, const struct policy_network *network)
{
	char comment[FIREWALL_COMMENT_MAX];
	unsigned int missing = 0;

	for (size_t i = 0; i < PASSES && !chain->owned; i++) {
		struct firewall_rule *present;

		if (!applies(&passes[i], chain, network))
			continue;
		comment_on(&passes[i], network, comment);
		present = find(firewall, chain, comment);
		if (present) {
			present->wanted = true;
			continue;
		}
		missing++;
		if (out)
			write_rule(out, chain, &passes[i], network, comment);
	}
	return missing;
}

/* What only the owner of a table can open is said, where something was changed for the networks. */
static void say_owned(const struct firewall_chain *chain, const struct policy_network *network)
{
	for (size_t i = 0; i < PASSES; i++) {
		if (!applies(&passes[i], chain, network))
			continue;
		say_error("%s: warning: '%s %s %s' may drop what its guard lets through, and only its owner can change "
			  "that; with firewalld: firewall-cmd --permanent --zone=trusted --add-interface=%s",
			network->name, firewall_family(chain->family), chain->table, chain->name, network->name);
		return;
	}
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
			if (write_missing(out, firewall, chain, scope->networks[j]) && !out)
				session_say(session, scope->networks[j]->name, "opened", "open",
					"'%s %s %s' to what its guard lets through (that chain drops the rest)",
					firewall_family(chain->family), chain->table, chain->name);
			if (chain->owned && !out && session->changes > 0)
				say_owned(chain, scope->networks[j]);
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
	struct firewall firewall = {.chains = NULL};
	char *commands = NULL;
	size_t size;
	FILE *out = open_memstream(&commands, &size);
	int error = out ? firewall_look(session, &firewall) : -ENOMEM;
	bool done;

	if (!error)
		each_difference(session, out, &firewall, &scope);
	if (out && fclose(out) != 0)
		error = -ENOMEM;
	done = error ? session_fail("firewall", error, "read the rules of others")
		     : !*commands || session->dry ||
			       rules_run(
				       session, "firewall", commands, "open others' chains to what guards let through");
	if (done)
		each_difference(session, NULL, &firewall, &scope);
	free(commands);
	firewall_forget(&firewall);
	return done;
}

int pass_missing(struct session *session, const struct policy_network *network)
{
	struct firewall firewall = {.chains = NULL};
	int missing = 0;

	if (!session->nftables || firewall_look(session, &firewall) != 0)
		missing = -1;
	for (size_t i = 0; i < firewall.chain_count && missing >= 0; i++)
		missing += (int)write_missing(NULL, &firewall, &firewall.chains[i], network);
	firewall_forget(&firewall);
	return missing;
}
