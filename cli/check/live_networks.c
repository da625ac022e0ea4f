/* Networks as they stand beside what the policy wants: found out by cli/networks/report.c, as for `tapgate status`. */
#include <string.h>

#include "cli/check/live.h"
#include "cli/load.h"
#include "cli/networks/bridge.h"
#include "cli/networks/members.h"
#include "cli/networks/names.h"
#include "cli/networks/network.h"
#include "cli/networks/report.h"
#include "cli/taps/leases.h"
#include "link/tun.h"

static void look_at_state(struct live *live, const struct report *report)
{
	switch (report->state) {
	case REPORT_MISSING:
		LIVE_WARN(live, report->name, "state", "it is not up; run: tapgate up");
		break;
	case REPORT_DOWN:
		LIVE_WARN(live, report->name, "state", "its bridge is down; run: tapgate up");
		break;
	case REPORT_DIFFERENT:
		if (report->guard == GUARD_MISSING || report->guard == GUARD_CHANGED)
			break;
		LIVE_WARN(live, report->name, "state", "not as wanted: %s; run: tapgate up", report->difference);
		break;
	case REPORT_UP:
	case REPORT_LEFT_OVER:
		break;
	}
	if (report->state != REPORT_MISSING && (report->guard == GUARD_MISSING || report->guard == GUARD_CHANGED))
		LIVE_WARN(live, report->name, "guard",
			"its guard is %s, so that nobody can join it, and who is on it is not kept to it; run: tapgate "
			"up",
			report_guard_word(report->guard));
}

struct members {
	struct live *live;
	const char *network;
	bool any; /* what `tapgate up` does not settle */
};

static void look_at_member(void *context, const struct trouble *trouble)
{
	struct members *members = context;
	const char *name = QUOTED(((struct word){trouble->interface->name, strlen(trouble->interface->name)}));

	if (trouble->kind == TROUBLE_FOREIGN)
		LIVE_WARN(members->live, members->network, "port",
			"its port %s is not a tap of tapgate-helper's for it, and whoever is behind it is on the "
			"network; take it out: ip link set %s nomaster",
			name, name);
	else if (trouble->kind == TROUBLE_UPPER)
		LIVE_WARN(members->live, members->network, "upper",
			"the interface %s stands on it, past its guard; remove it: ip link delete %s", name, name);
	else
		return;
	members->any = true;
}

/* Near the end, where one guest more than usual is one too many; and names that two guests would have. */
static void look_at_leases(struct live *live, const struct report *report)
{
	int used = dnsmasq_wanted(report->network) ? leases_used(report->network) : -1;
	unsigned int room = leases_room(report->network);
	struct names names;

	if (used >= 0 && (unsigned int)used * 10 >= room * 9)
		LIVE_WARN(live, report->name, "leases",
			"%d of the %u addresses of dhcp= are in use, and who comes when there is none left gets none; "
			"make the range larger, or limit its users with max=",
			used, room);
	if (!names_read(report->name, &names))
		return;
	for (size_t i = 0; i < names.count; i++) {
		char mac[MAC_TEXT];

		mac_text(names.records[i].mac, mac);
		if (names.records[i].kind == NAME_REFUSED)
			LIVE_WARN(live, report->name, "name",
				"the guest %s asks for the name '%s', which another guest had first; it has none", mac,
				names.records[i].name);
	}
	names_forget(&names);
}

static void look_at_bridged(struct live *live, const struct report *report)
{
	if (report->state == REPORT_DOWN && strcmp(report->bridge->kind, "bridge") == 0)
		LIVE_WARN(live, report->name, "state", "its bridge is down; run: ip link set %s up", report->name);
}

static void look_at_leftover(void *context, const char *name)
{
	struct live *live = context;
	const struct policy_network *network = load_find(live->policy, name);

	if (!network || !bridge_is_managed(network))
		LIVE_WARN(live, name, "state", "it stands, and the policy has it no more; run: tapgate up");
}

/*
 * Taps that outlived their holder. A tap of one queue without one has no carrier (drivers/net/tun.c); whether somebody
 * holds it all the same and pretends so, only `tapgate reap` finds out, which tries to join it.
 */
static void look_at_taps(struct live *live)
{
	for (size_t i = 0; i < live->session->host.interface_count; i++) {
		const struct link_interface *interface = &live->session->host.interfaces[i];
		struct alias_tap tap;
		struct tun tun;

		if (!alias_read_tap(interface, &tap) || tun_look(live->session->link, interface->index, &tun) != 0 ||
			!tun.persistent || (tun.multi_queue ? tun.queues > 0 : (interface->flags & IFF_LOWER_UP) != 0))
			continue;
		LIVE_WARN(live, tap.network, "orphan",
			"the tap '%s' of uid %u is persistent and nobody seems to hold it; it counts against max=, and "
			"keeps its place: tapgate reap",
			interface->name, tap.uid);
	}
}

void live_networks(struct live *live)
{
	size_t count;
	const struct policy_network *networks = policy_networks(live->policy, &count);

	for (size_t i = 0; i < count; i++) {
		struct report report = report_make(live->session, &networks[i], networks[i].name);
		struct members members = {.live = live, .network = networks[i].name};

		live->hidden |= report.guard == GUARD_UNKNOWN;
		if (!bridge_is_managed(&networks[i])) {
			look_at_bridged(live, &report);
			continue;
		}
		members_each_trouble(live->session, &networks[i], look_at_member, &members);
		if (report.state != REPORT_DIFFERENT || !members.any ||
			report.difference != members_difference(live->session, &networks[i]))
			look_at_state(live, &report);
		look_at_leases(live, &report);
	}
	network_each(live->session, look_at_leftover, live);
	look_at_taps(live);
}
