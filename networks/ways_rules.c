// SPDX-License-Identifier: MIT
/* Which rule of routing, and which route of a refusing kind, decides about a packet (ip-rule(8)). */
#include "networks/ways.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "tool/tool.h"

/* Packets have no mark here. What the host's own come from is not known before their way is. */
static bool fits(const struct link_rule *rule, const struct decider *decider)
{
	const struct link_packet *packet = decider->packet;
	const unsigned int bits = bits_of(packet->family);
	bool to = policy_prefixes_overlap(rule->to, rule->to_bits, packet->to, bits);
	bool from = !rule->from_bits ||
		    (packet->in && policy_prefixes_overlap(rule->from, rule->from_bits, packet->from, bits));
	bool in = !rule->in[0] || strcmp(rule->in, decider->in) == 0;

	return (to && from && in && !rule->mark) != rule->inverted;
}

/* The route of a table that counts for a packet, by its address alone: the narrowest; NULL: there is none. */
static const struct link_route *match(const struct decider *decider, uint32_t table)
{
	const unsigned char *to = decider->packet->to;
	const int family = decider->packet->family;
	const struct link_route *best = NULL;

	for (size_t i = 0; i < decider->host->route_count; i++) {
		const struct link_route *route = &decider->host->routes[i];

		if (route->family == family && route->table == table && (!best || route->prefix > best->prefix) &&
			policy_prefixes_overlap(route->destination, route->prefix, to, bits_of(family)))
			best = route;
	}
	return best;
}

const char *decider_refusal(const struct link_route *route)
{
	return route->type == RTN_BLACKHOLE	? "blackhole"
	       : route->type == RTN_UNREACHABLE ? "unreachable"
	       : route->type == RTN_PROHIBIT	? "prohibit"
						: NULL;
}

static void decide(void *context, const struct link_rule *rule)
{
	struct decider *decider = context;
	bool to_table = rule->action == FR_ACT_TO_TBL;
	const struct link_route *route;

	if (decider->found || decider->over || rule->family != decider->packet->family || !fits(rule, decider))
		return;
	decider->rule = *rule;
	if (decider->table) {
		decider->found = to_table && rule->table == decider->table;
		return;
	}
	route = to_table ? match(decider, rule->table) : NULL;
	if (route && decider_refusal(route))
		decider->route = route;
	decider->found = decider->route || rule->action == FR_ACT_BLACKHOLE || rule->action == FR_ACT_UNREACHABLE ||
			 rule->action == FR_ACT_PROHIBIT;
	decider->over = route && route->type == RTN_UNICAST;
}

struct table_text table_text(uint32_t table)
{
	struct table_text text;

	if (table == RT_TABLE_MAIN)
		snprintf(text.text, sizeof(text.text), "main");
	else
		snprintf(text.text, sizeof(text.text), "%u", table);
	return text;
}

const char *decider_text(struct session *session, const struct decider *decider, const struct link_route *way)
{
	const struct link_interface *interface = host_interface_at(&session->host, way->index);
	const char *name = interface ? interface->name : "nowhere";

	if (!decider->table && decider->route)
		return session_phrase(session, "refused by rule %u and table %s", decider->rule.priority,
			table_text(decider->route->table).text);
	if (!decider->table)
		return decider->found ? session_phrase(session, "refused by rule %u", decider->rule.priority)
				      : "refused by a route";
	if (!decider->found)
		return session_phrase(session, "%s, by table %s", name, table_text(decider->table).text);
	return session_phrase(
		session, "%s, by rule %u and table %s", name, decider->rule.priority, table_text(decider->table).text);
}

uint32_t decider_before(const struct decider *decider)
{
	const uint32_t mains = 32766; /* of the rule for the main table (ip-rule(8)) */
	uint32_t priority = decider->found ? decider->rule.priority : mains;

	return priority ? priority - 1 : 0;
}

void decider_ask(struct session *session, struct decider *decider)
{
	link_each_rule(session->link, decide, decider);
}
