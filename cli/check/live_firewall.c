/*
 * Other people's firewalls and network managers: chains that drop what guests send, as far as that can be told without
 * a packet. A chain counts as open to a bridge if a rule of its table names the bridge and accepts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check/live.h"
#include "cli/networks/dnsmasq.h"
#include "cli/networks/firewall.h"
#include "cli/networks/rules.h"

/* What nft prints of a table, and the lines of it. */
static char *list_table(struct session *session, const struct firewall_chain *chain)
{
	char command[NFTABLES_NAME_MAX + 32];

	if (!session->nft)
		return NULL;
	snprintf(command, sizeof(command), "list table %s %s", firewall_family(chain->family), chain->table);
	return rules_ask(session, command);
}

/* Whether a rule that is not ours names a bridge and (if it has to) accepts. */
static bool names(const char *table, const char *bridge, bool accepts)
{
	char quoted[IFNAMSIZ + 3];
	char line[1024];

	snprintf(quoted, sizeof(quoted), "\"%s\"", bridge);
	for (const char *at = table; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
		if (!strstr(line, FIREWALL_MARK) && (!accepts || strstr(line, " accept")) &&
			(strstr(line, quoted) || (accepts && strstr(line, "physdev"))))
			return true;
	}
	return false;
}

static bool drops(const struct firewall_chain *chain)
{
	return chain->drops || chain->before;
}

/* --- bridged traffic --------------------------------------------------------------------------------------------- */

static bool is_on(const char *path)
{
	FILE *file = fopen(path, "re");
	int value = file ? fgetc(file) : EOF;

	if (file)
		fclose(file);
	return value != EOF && value != '0';
}

/* Whether br_netfilter sends what crosses a bridge through the firewall of a family: on all bridges, or on this one. */
static bool is_filtered(const char *bridge, int family)
{
	char path[64];

	for (int i = 0; i < 2; i++) {
		const char *tables = i ? "ip6tables" : "iptables";

		if (family != NFPROTO_INET && (family == NFPROTO_IPV6) != (i == 1))
			continue;
		snprintf(path, sizeof(path), "/proc/sys/net/bridge/bridge-nf-call-%s", tables);
		if (is_on(path))
			return true;
		snprintf(path, sizeof(path), "/sys/class/net/%s/bridge/nf_call_%s", bridge, tables);
		if (is_on(path))
			return true;
	}
	return false;
}

static void look_at_forwarding(struct live *live, const struct firewall_chain *chain, const char *table)
{
	const struct host *host = &live->session->host;
	bool docker = strstr(table, "chain DOCKER-USER ") != NULL;
	const char *family = firewall_family(chain->family);

	for (size_t i = 0; i < host->interface_count; i++) {
		const char *name = host->interfaces[i].name;

		if (strcmp(host->interfaces[i].kind, "bridge") != 0 || !live_is_foreign(live->policy, name) ||
			!is_filtered(name, chain->family) || names(table, name, true))
			continue;
		if (docker)
			LIVE_WARN(live, name, "br-netfilter",
				"'%s %s %s' drops what crosses the bridge, as br_netfilter sends it there; run: %s -I "
				"DOCKER-USER -i %s -o %s -j ACCEPT",
				family, chain->table, chain->name,
				chain->family == NFPROTO_IPV6 ? "ip6tables" : "iptables", name, name);
		else
			LIVE_WARN(live, name, "br-netfilter",
				"'%s %s %s' drops what crosses the bridge, as br_netfilter sends it there; run: nft "
				"insert rule %s %s %s iifname %s oifname %s accept",
				family, chain->table, chain->name, family, chain->table, chain->name, name, name);
	}
}

/* --- DHCP -------------------------------------------------------------------------------------------------------- */

/* Where `tapgate up` cannot open a chain: that it may not change, or that drops before its end. */
static void look_at_dhcp(struct live *live, const struct firewall_chain *chain, const char *table)
{
	size_t count;
	const struct policy_network *networks = policy_networks(live->policy, &count);
	bool ufw = strstr(table, "chain ufw") != NULL;

	for (size_t i = 0; i < count; i++) {
		const char *name = networks[i].name;

		if (!dnsmasq_wanted(&networks[i]) || !host_interface(&live->session->host, name))
			continue;
		if (chain->owned && !names(table, name, false))
			LIVE_WARN(live, name, "dhcp",
				"'%s %s %s' may drop its guests' requests for addresses, and only its owner can change "
				"that; with firewalld: firewall-cmd --permanent --zone=trusted --add-interface=%s",
				firewall_family(chain->family), chain->table, chain->name, name);
		else if (!chain->owned && ufw && !names(table, name, true))
			LIVE_WARN(live, name, "dhcp",
				"ufw drops its guests' requests for addresses; run: ufw allow in on %s to any port %s "
				"proto udp",
				name, chain->family == NFPROTO_IPV6 ? "547" : "67");
	}
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

/* NetworkManager reads both places; in one of them is the file that has it leave our interfaces alone. */
static void look_at_network_manager(struct live *live)
{
	if (access("/run/NetworkManager", F_OK) == 0 &&
		access("/usr/lib/NetworkManager/conf.d/tapgate.conf", F_OK) < 0 &&
		access("/etc/NetworkManager/conf.d/tapgate.conf", F_OK) < 0)
		LIVE_WARN(live, NULL, "network-manager",
			"NetworkManager runs, and nothing tells it to leave taps alone, which it may take off their "
			"bridge; "
			"install tapgate.conf into /etc/NetworkManager/conf.d, and run: nmcli general reload");
}

/* --- connections that nobody tracks ------------------------------------------------------------------------------- */

static bool has_nat(const struct policy *policy)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (networks[i].mode == MODE_NAT)
			return true;
	}
	return false;
}

/* A nat network's guard lets answers through, which it knows by their connections: none is an answer to notrack. */
static void look_at_tracking(struct live *live)
{
	char *rules = has_nat(live->policy) ? rules_ask(live->session, "list ruleset") : NULL, *rest = rules, *line;
	char family[16] = "", table[64] = "";

	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "table %15s %63s", family, table) == 2 || !strstr(line, "notrack"))
			continue;
		LIVE_WARN(live, NULL, "notrack",
			"the table '%s %s' has packets that are not tracked (notrack), and where these are answers to "
			"guests of a nat network its guard drops them; except the bridges of such networks in "
			"that rule",
			family, table);
		break;
	}
	free(rules);
}

void live_firewall(struct live *live)
{
	struct firewall firewall = {.chains = NULL};

	look_at_network_manager(live);
	if (!live->session->nft) {
		live->hidden |= geteuid() != 0 || live->session->nftables;
		return;
	}
	if (firewall_look(live->session, &firewall) == 0) {
		for (size_t i = 0; i < firewall.chain_count; i++) {
			const struct firewall_chain *chain = &firewall.chains[i];
			char *table = drops(chain) ? list_table(live->session, chain) : NULL;

			if (table && chain->hook == NF_INET_FORWARD)
				look_at_forwarding(live, chain, table);
			if (table && chain->hook == NF_INET_LOCAL_IN)
				look_at_dhcp(live, chain, table);
			free(table);
		}
	} else {
		findings_add_note(live->findings, "the rules of other firewalls could not be read, and were not looked "
						  "at");
	}
	firewall_forget(&firewall);
	look_at_tracking(live);
}
