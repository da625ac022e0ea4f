// SPDX-License-Identifier: MIT
/* An explanation for people: a line with the verdict, and below it what is granted and how to use it. */
#include "cli/explain/explain.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "networks/networks.h"

struct grants {
	enum permit_source by;
	char text[256];
};

static void add_grant(void *context, const char *word, const char *value, enum permit_source by)
{
	struct grants *grants = context;

	if (by == grants->by)
		text_append(grants->text, sizeof(grants->text), "%s%s%s%s", grants->text[0] ? " " : "", word,
			*value ? "=" : "", value);
}

/* First what the rule grants, then what the network's line and its mode add. */
static void show_grants(const struct explain_answer *answer)
{
	const char *before = "  grants   ";

	for (enum permit_source by = BY_RULE; by <= BY_MODE; by++) {
		struct grants grants = {.by = by};

		explain_each_grant(&answer->permit, add_grant, &grants);
		if (!grants.text[0])
			continue;
		printf("%s%s by ", before, grants.text);
		before = "; ";
		if (by == BY_RULE)
			printf("%s:%u", answer->rule_file, answer->rule_line);
		else if (by == BY_LINE)
			printf("%s:%u", answer->line_file, answer->line_line);
		else
			printf("its mode");
	}
	if (*before == ';')
		putchar('\n');
}

static void show_taps(const struct explained *explained)
{
	uint32_t max = explained->answer->permit.options.max;

	if (max)
		printf("  taps     %u of %u in use", explained->used, max);
	else
		printf("  taps     %u in use, no limit", explained->used);
	if (explained->orphans)
		printf("; nobody %s %u of them, try: tapgate reap", explained->seeming ? "seems to hold" : "holds",
			explained->orphans);
	else if (max && explained->used >= max)
		printf("; end a virtual machine first, or have the limit raised");
	putchar('\n');
}

/* --- how it stands ------------------------------------------------------------------------------------------------ */

/* What mends it: 'tapgate up' for the networks that tapgate makes, ip(8) for other bridges. */
static void show_way_out(const struct policy_network *network, const struct report *report)
{
	const char *name = network->name;

	if (policy_is_managed(network) ? report->state != REPORT_UP : report->state == REPORT_LEFT_OVER)
		printf("; an administrator can run '%s'", report->cure);
	else if (report->state == REPORT_MISSING && !report->difference)
		printf("; an administrator can run: ip link add %s type bridge && ip link set %s up", name, name);
	else if (report->state == REPORT_DOWN)
		printf("; an administrator can run: ip link set %s up", name);
}

static void show_network(const struct explained *explained, struct explain_shown *shown)
{
	const struct policy_network *network = &explained->answer->permit.network;
	const struct report *report = &explained->report;

	printf("  network  %s, %s", policy_mode_name(network->mode), report_state_word(report->state));
	if (report->difference)
		printf(": %s", report->difference);
	show_way_out(network, report);
	if (report->bridge && report->bridge->stp && report->state == REPORT_UP)
		printf("; new guests wait %u s there (spanning tree)", report_port_delay(report->bridge));
	if (report->guard == GUARD_UNKNOWN && report->state != REPORT_MISSING && !shown->guards) {
		printf(" (only root can see whether its guard stands)");
		shown->guards = true;
	}
	putchar('\n');
}

static void show_guest(const struct explained *explained)
{
	const struct policy_network *network = &explained->answer->permit.network;
	char host[INET6_ADDRSTRLEN];

	if (explained->answer->partly && network->mode != MODE_STANDALONE)
		return;
	if (explained->guest[0])
		printf("  guest    %s %s\n", explained->guest, policy_has_server(network) ? "by DHCP" : "by hand");
	else if (network->mode == MODE_INTERNAL)
		printf("  guest    any address, by hand\n");
	else if (network->mode != MODE_STANDALONE && network->ipv4.given &&
		 inet_ntop(AF_INET, network->ipv4.address, host, sizeof(host)))
		printf("  guest    by hand, of the host's subnet: %s/%u is the host's\n", host, network->ipv4.prefix);
	for (unsigned int i = 0; i < explained->answer->guest_count; i++) {
		const struct explain_guest *guest = &explained->answer->guests[i];

		printf("  guest    %s is%s%s%s%s%s%s\n", guest->name, guest->mac[0] ? " the one with mac=" : "",
			guest->mac, guest->ipv4[0] ? guest->mac[0] ? ", " : " " : "", guest->ipv4,
			guest->ipv6[0] ? guest->mac[0] || guest->ipv4[0] ? ", " : " " : "", guest->ipv6);
	}
}

static void show_verdict(const char *network, const char *verdict, enum columns_style style, FILE *out)
{
	const bool colour = columns_colour(stdout);

	fprintf(out, "%s: %s%s%s", network, columns_on(style, colour), verdict, columns_off(style, colour));
}

void explain_show_line(const struct explained *explained)
{
	const struct explain_answer *answer = explained->answer;
	const struct report *report = &explained->report;
	const uint32_t max = answer->permit.options.max;

	show_verdict(answer->permit.network.name, "allowed", COLUMNS_GOOD, stdout);
	printf(", %s, %s, %u ", policy_mode_name(answer->permit.network.mode), report_state_word(report->state),
		explained->used);
	if (max)
		printf("of %u ", max);
	printf("taps in use, by %s:%u (%s)\n", answer->rule_file, answer->rule_line, answer->rule);
}

void explain_show(const struct explained *explained, struct explain_shown *shown)
{
	const struct explain_answer *answer = explained->answer;

	show_verdict(answer->permit.network.name, "allowed", COLUMNS_GOOD, stdout);
	printf(" by %s:%u (%s)\n", answer->rule_file, answer->rule_line, answer->rule);
	show_grants(answer);
	show_taps(explained);
	show_network(explained, shown);
	show_guest(explained);
	if (explained->helper[0])
		printf("  helper   %s\n", explained->helper);
	if (explained->qemu[0])
		printf("  qemu     %s\n", explained->qemu);
	if (explained->run[0])
		printf("  %-7s  %s\n", explained->answer->permit.options.queues > 1 ? "queues" : "qemu",
			explained->run);
	if (!explained->qemu[0] && !explained->run[0])
		printf("  qemu     no address of this user's is free there; end a virtual machine first\n");
}

void explain_show_refusal(const struct explain_answer *answer, FILE *out)
{
	const char *verdict = answer->outcome.code == EXIT_DENIED ? "denied" : "refused";

	show_verdict(answer->permit.network.name, verdict, COLUMNS_BAD, out);
	fprintf(out, ": %s\n", answer->outcome.text);
}

/* --- json --------------------------------------------------------------------------------------------------------- */

/* An explanation for programs. tapgate-json(7) says what the members mean, and that does not change. */

/* NULL as null. */
static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *rule_of(const struct explain_answer *answer)
{
	if (!answer->rule_line)
		return json_null();
	return json_pack(
		"{s:s, s:i, s:s}", "file", answer->rule_file, "line", (int)answer->rule_line, "text", answer->rule);
}

static json_t *line_of(const struct explain_answer *answer)
{
	if (!answer->line_line)
		return json_null();
	return json_pack("{s:s, s:i}", "file", answer->line_file, "line", (int)answer->line_line);
}

static json_t *verdict_of(const struct explain_answer *answer)
{
	const struct outcome *outcome = &answer->outcome;

	return json_pack("{s:s, s:b, s:i, s:o, s:o, s:s, s:o}", "name", answer->permit.network.name, "allowed",
		outcome->code == EXIT_SENT, "code", (int)outcome->code, "reason", text_or_null(outcome->text), "rule",
		rule_of(answer), "mode", policy_mode_name(answer->permit.network.mode), "line", line_of(answer));
}

static void json_grant(void *list, const char *word, const char *value, enum permit_source by)
{
	static const char *const words[] = {[BY_RULE] = "rule", [BY_LINE] = "line", [BY_MODE] = "mode"};

	json_array_append_new(
		list, json_pack("{s:s, s:o, s:s}", "option", word, "value", text_or_null(value), "by", words[by]));
}

static json_t *guests_of(const struct explain_answer *answer)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < answer->guest_count; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:o}", "name", answer->guests[i].name, "mac",
				      text_or_null(answer->guests[i].mac), "ipv4", text_or_null(answer->guests[i].ipv4),
				      "ipv6", text_or_null(answer->guests[i].ipv6)));
	return list;
}

json_t *explain_json(const struct explained *explained)
{
	const struct permit *permit = &explained->answer->permit;
	const struct report *report = &explained->report;
	json_t *object = verdict_of(explained->answer), *grants = json_array(), *found;

	explain_each_grant(permit, json_grant, grants);
	found = json_pack("{s:o, s:o, s:i, s:i, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "grants", grants, "max",
		permit->options.max ? json_integer(permit->options.max) : json_null(), "used", (int)explained->used,
		"orphans", (int)explained->orphans, "state", report_state_word(report->state), "difference",
		text_or_null(report->difference), "guard", report_guard_word(report->guard), "guest",
		text_or_null(explained->guest), "guests", guests_of(explained->answer), "mac",
		text_or_null(explained->mac), "qemu", text_or_null(explained->qemu), "run",
		text_or_null(explained->run), "helper", text_or_null(explained->helper));
	json_object_update(object, found);
	json_decref(found);
	return object;
}

json_t *explain_json_refusal(const struct explain_answer *answer)
{
	return verdict_of(answer);
}
