// SPDX-License-Identifier: MIT
/* A network as it stands beside what the policy wants: found out here, shown by `tapgate status`. */
#include "networks/networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/link.h"

const char *report_state_word(enum report_state state)
{
	static const char *const words[] = {[REPORT_UP] = "up",
		[REPORT_DOWN] = "down",
		[REPORT_MISSING] = "missing",
		[REPORT_DIFFERENT] = "different",
		[REPORT_LEFT_OVER] = "left over"};

	return words[state];
}

const char *report_guard_word(enum report_guard guard)
{
	static const char *const words[] = {[GUARD_NONE] = "none",
		[GUARD_UNKNOWN] = "unknown",
		[GUARD_MISSING] = "missing",
		[GUARD_CHANGED] = "changed",
		[GUARD_STANDS] = "stands"};

	return words[guard];
}

/* Whose processes these are only root is told; who does not see guards does not see them. */
const char *report_dnsmasq_word(const struct report *report)
{
	static const char *const words[] = {[DNSMASQ_ABSENT] = "stopped",
		[DNSMASQ_RUNNING] = "running",
		[DNSMASQ_DIFFERENT] = "different",
		[DNSMASQ_DEAF] = "deaf"};

	return report->guard == GUARD_UNKNOWN ? "unknown" : words[report->dnsmasq];
}

static enum report_guard find_guard(struct session *session, const struct policy_network *network)
{
	struct guard guard;
	int error;

	if (!policy_is_managed(network))
		return GUARD_NONE;
	error = guard_look(session, network, &guard);
	if (error)
		return GUARD_UNKNOWN;
	if (!guard.exists)
		return GUARD_MISSING;
	return guard_is_wanted(&guard, network) ? GUARD_STANDS : GUARD_CHANGED;
}

/* What of a managed network that is there is not as wanted; NULL if all is. */
static const char *find_difference(struct session *session, struct report *report)
{
	const char *difference;

	difference = bridge_is_needed(report->network) ? bridge_difference(session, report->network)
						       : standalone_difference(session, report->network);
	if (!difference)
		difference = members_difference(session, report->network);
	if (!difference && (report->guard == GUARD_MISSING || report->guard == GUARD_CHANGED))
		difference = "guard";
	if (!difference)
		difference = forwarding_difference(session, report->network);
	if (!difference)
		difference = neighbours_difference(report->network);
	if (!difference)
		difference = ways_difference(session, report->network, &report->cure);
	if (!difference && report->guard != GUARD_UNKNOWN &&
		(dnsmasq_wanted(report->network) ? report->dnsmasq != DNSMASQ_RUNNING : report->dnsmasq_pid != 0))
		difference = "DHCP";
	if (!difference && pass_missing(session, report->network) > 0)
		difference = "rules in others' chains";
	if (!difference)
		difference = resolver_difference(session, report->network);
	return difference;
}

static void judge_bridge(struct session *session, struct report *report)
{
	report->bridge = host_interface(&session->host, report->name);
	if (report->bridge && policy_is_managed(report->network) && !bridge_is_ours(report->bridge))
		report->bridge = NULL;
	if (!report->bridge)
		report->state = REPORT_MISSING;
	else if (!(report->bridge->flags & IFF_UP))
		report->state = REPORT_DOWN;
}

struct report report_make(struct session *session, const struct policy_network *network, const char *name)
{
	struct report report = {.network = network, .state = REPORT_UP, .cure = "tapgate up"};

	snprintf(report.name, sizeof(report.name), "%s", name);
	if (!network) {
		report.bridge = host_interface(&session->host, name);
		report.state = REPORT_LEFT_OVER;
		report.difference = "in the policy no more";
		return report;
	}
	report.guard = find_guard(session, network);
	report.dnsmasq = dnsmasq_state(network);
	report.dnsmasq_pid = dnsmasq_pid(name);
	if (network->mode != MODE_STANDALONE)
		judge_bridge(session, &report);
	else if (report.guard == GUARD_MISSING)
		report.state = REPORT_MISSING;
	if (report.state == REPORT_UP && policy_is_managed(network))
		report.difference = find_difference(session, &report);
	if (report.state == REPORT_UP && !report.difference && report.bridge &&
		locks_differ(session, report.bridge->index))
		report.difference = "locked addresses";
	if (report.state == REPORT_UP && !report.difference && walls_differ(session, network))
		report.difference = "taps (one is not kept apart from the host)";
	if (report.difference)
		report.state = REPORT_DIFFERENT;
	return report;
}

unsigned int report_port_delay(const struct link_interface *bridge)
{
	return bridge->stp ? (2 * bridge->forward_delay + 99) / 100 : 0;
}

static struct report_member member_of(const struct link_interface *interface)
{
	struct report_member member = {.interface = interface};

	member.ours = alias_read_tap(interface, &member.tap);
	return member;
}

/* Whether a network does not show whoever calls what others have: list=own; or a line that is gone, and may say it. */
static bool has_secrets(const struct report *report)
{
	return (!report->network || report->network->options.given & OPTION_LIST) && load_viewer() != 0;
}

static bool is_hidden(const struct report *report, const struct report_member *member)
{
	return has_secrets(report) && member->ours &&
	       (member->tap.uid != load_viewer() || load_viewer() == VIEWER_NOBODY);
}

int report_leases_used(const struct report *report)
{
	return has_secrets(report) ? -1 : leases_used(report->network);
}

/* Others' first; by user, and of one user by name, as people count: as in `tapgate list`. */
static int compare_members(const void *first, const void *second)
{
	const struct report_member *a = first, *b = second;

	if (a->ours != b->ours)
		return a->ours ? 1 : -1;
	if (a->ours && a->tap.uid != b->tap.uid)
		return a->tap.uid < b->tap.uid ? -1 : 1;
	return strverscmp(a->interface->name, b->interface->name);
}

static bool is_member(const struct report *report, const struct link_interface *interface)
{
	/* What is left over of a standalone network is its taps, of which one may have its name. */
	const bool standalone = report->network ? report->network->mode == MODE_STANDALONE
						: !report->bridge || !bridge_is_ours(report->bridge);

	if (standalone)
		return !interface->master && network_has_tap(interface, report->name);
	return report->bridge && interface->master == report->bridge->index;
}

void report_each_member(const struct session *session, const struct report *report,
	void (*each)(void *context, const struct report_member *), void *context)
{
	struct report_member *members = calloc(session->host.interface_count + 1, sizeof(*members));
	size_t count = 0;

	for (size_t i = 0; i < session->host.interface_count; i++) {
		const struct link_interface *interface = &session->host.interfaces[i];
		const struct report_member member = member_of(interface);

		if (!is_member(report, interface) || is_hidden(report, &member))
			continue;
		if (members)
			members[count++] = member;
		else
			each(context, &member); /* without memory in the kernel's order */
	}
	if (count)
		qsort(members, count, sizeof(*members), compare_members);
	for (size_t i = 0; i < count; i++)
		each(context, &members[i]);
	free(members);
}

void report_each_address(
	const struct session *session, int index, void (*each)(void *context, const char *address), void *context)
{
	for (size_t i = 0; i < session->host.address_count; i++) {
		const struct link_address *address = &session->host.addresses[i];
		char text[INET6_ADDRSTRLEN], whole[INET6_ADDRSTRLEN + 4];

		if (address->index != index || !inet_ntop(address->family, address->address, text, sizeof(text)))
			continue;
		snprintf(whole, sizeof(whole), "%s/%u", text, address->prefix);
		each(context, whole);
	}
}

/* Whether a word of a rule, up to what cannot be of an address, is one of a subnet. */
static bool is_in(const char *word, size_t size, int family, const struct policy_subnet *subnet)
{
	unsigned char address[16];
	char text[INET6_ADDRSTRLEN] = "";

	if (!subnet->given || size == 0 || size >= sizeof(text))
		return false;
	memcpy(text, word, size);
	return inet_pton(family, text, address) == 1 &&
	       policy_prefixes_overlap(address, subnet->prefix, subnet->address, subnet->prefix);
}

static bool leads_to(const char *rule, const struct policy_network *network)
{
	for (size_t step; *rule; rule += step) {
		const size_t ipv4 = strspn(rule, "0123456789."), ipv6 = strspn(rule, "0123456789abcdef:");

		if (is_in(rule, ipv4, AF_INET, &network->ipv4) || is_in(rule, ipv6, AF_INET6, &network->ipv6))
			return true;
		step = ipv4 > ipv6 ? ipv4 : ipv6;
		step += step == 0;
	}
	return false;
}

void report_each_foreign_forward(const json_t *rules, const struct policy_network *network,
	void (*each)(void *context, const char *chain, long long handle), void *context)
{
	size_t i, j;
	json_t *item, *expression;

	json_array_foreach(rules, i, item)
	{
		const json_t *rule = json_object_get(item, "rule");
		const char *table = json_string_value(json_object_get(rule, "table"));
		char chain[256];

		if (!table || strncmp(table, "tapgate-", 8) == 0 || !policy_is_managed(network))
			continue;
		snprintf(chain, sizeof(chain), "%s %s %s", json_string_value(json_object_get(rule, "family")), table,
			json_string_value(json_object_get(rule, "chain")));
		json_array_foreach(json_object_get(rule, "expr"), j, expression)
		{
			char *text = json_dumps(json_object_get(expression, "dnat"), 0);

			if (text && leads_to(text, network))
				each(context, chain, json_integer_value(json_object_get(rule, "handle")));
			free(text);
		}
	}
}
