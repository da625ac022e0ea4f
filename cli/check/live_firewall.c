// SPDX-License-Identifier: MIT
/* Other people's firewalls: packets of our own find out what is in the way (networks/probe.c); and NetworkManager. */
#include "cli/check/check.h"

#include <unistd.h>

#include "networks/networks.h"
#include "tool/tool.h"

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* NetworkManager reads both places; in one of them is the file that has it leave our interfaces alone. */
static void look_at_network_manager(struct live *live)
{
	if (access("/run/NetworkManager", F_OK) == 0 &&
		access("/usr/lib/NetworkManager/conf.d/tapgate.conf", F_OK) < 0 &&
		access("/etc/NetworkManager/conf.d/tapgate.conf", F_OK) < 0)
		LIVE_WARN(live, NULL, "network-manager",
			"NetworkManager runs, and nothing tells it to leave taps alone, which it may take off their bridge; install tapgate.conf into /etc/NetworkManager/conf.d, and run: nmcli general reload");
}

/* --- what is in the way ------------------------------------------------------------------------------------------- */

static void tell_hindrance(void *context, const struct policy_network *network, const char *text)
{
	struct live *live = context;

	LIVE_WARN(live, network->name, network->mode == MODE_BRIDGED ? "br-netfilter" : "firewall", "%s", text);
}

static void look_at_firewall(struct live *live)
{
	const struct host *host = &live->session->host;
	size_t count;
	const struct policy_network *networks = policy_networks(live->policy, &count);
	struct probe *probe = probe_open(live->session);
	const char *left_out, *why;

	for (size_t i = 0; i < count; i++)
		probe_network(probe, &networks[i], tell_hindrance, live);
	for (size_t i = 0; i < host->interface_count; i++) {
		if (live_is_foreign(live->policy, host->interfaces[i].name))
			probe_foreign(probe, &host->interfaces[i], tell_hindrance, live);
	}
	left_out = probe_left_out(probe, &why);
	if (probe_why(probe))
		findings_add_note(live->findings,
			"no packet could be sent through the firewall, so that it was not looked at: %s",
			probe_why(probe));
	else if (left_out)
		findings_add_note(live->findings,
			"firewalls were not probed with %s: %s; run it as root in a shell, outside of units and containers",
			left_out, why);
	probe_close(probe);
}

void live_firewall(struct live *live)
{
	struct firewall *firewall = NULL;

	look_at_network_manager(live);
	if (!live->session->nft) {
		live->hidden |= geteuid() != 0 || live->session->nftables;
		return;
	}
	if (firewall_look(live->session, &firewall) != 0)
		findings_add_note(
			live->findings, "the rules of other firewalls could not be read, and were not looked at");
	look_at_firewall(live);
}
