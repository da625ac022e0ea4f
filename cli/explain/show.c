/* An explanation for people: a line with the verdict, and below it what is granted and how to use it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli/explain/explain.h"
#include "cli/networks/bridge.h"

/* --- what is granted --------------------------------------------------------------------------------------------- */

struct grants {
	enum explain_by by;
	char text[256];
};

static void add_grant(void *context, const char *word, const char *value, enum explain_by by)
{
	struct grants *grants = context;

	if (by == grants->by)
		text_append(grants->text, sizeof(grants->text), "%s%s%s%s", grants->text[0] ? " " : "", word,
			*value ? "=" : "", value);
}

/* Those of the rule, of the network's line, and of its mode. */
static void show_grants(const struct explain_answer *answer)
{
	const char *before = "  grants   ";

	for (enum explain_by by = BY_RULE; by <= BY_MODE; by++) {
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

/* --- how it stands ----------------------------------------------------------------------------------------------- */

/* What would change it: on networks of tapgate's, 'tapgate up'; other bridges are made and brought up by hand. */
static void show_way_out(const struct policy_network *network, const struct report *report)
{
	const char *name = network->name;

	if (bridge_is_managed(network) ? report->state != REPORT_UP : report->state == REPORT_LEFT_OVER)
		printf("; an administrator can run 'tapgate up'");
	else if (report->state == REPORT_MISSING && !report->difference)
		printf("; an administrator can run: ip link add %s type bridge && ip link set %s up", name, name);
	else if (report->state == REPORT_DOWN)
		printf("; an administrator can run: ip link set %s up", name);
}

static void show_network(const struct explained *explained)
{
	const struct policy_network *network = &explained->answer->permit.network;
	const struct report *report = &explained->report;

	printf("  network  %s, %s", policy_mode_name(network->mode), report_state_word(report->state));
	if (report->difference)
		printf(": %s", report->difference);
	show_way_out(network, report);
	printf("%s\n", report->guard == GUARD_UNKNOWN && report->state != REPORT_MISSING
			       ? " (only root can see whether its guard stands)"
			       : "");
}

static void show_guest(const struct explained *explained)
{
	const struct policy_network *network = &explained->answer->permit.network;
	char host[INET6_ADDRSTRLEN];

	if (explained->guest[0])
		printf("  guest    %s %s\n", explained->guest,
			network->mode == MODE_STANDALONE ? "by hand" : "by DHCP");
	else if (network->mode == MODE_INTERNAL)
		printf("  guest    any address, by hand\n");
	else if (network->mode != MODE_STANDALONE && network->ipv4.given &&
		 inet_ntop(AF_INET, network->ipv4.address, host, sizeof(host)))
		printf("  guest    by hand, of the host's subnet: %s/%u is the host's\n", host, network->ipv4.prefix);
}

void explain_show(const struct explained *explained)
{
	const struct explain_answer *answer = explained->answer;

	printf("%s: allowed by %s:%u (%s)\n", answer->permit.network.name, answer->rule_file, answer->rule_line,
		answer->rule);
	show_grants(answer);
	show_taps(explained);
	show_network(explained);
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

void explain_show_refusal(const struct explain_answer *answer)
{
	printf("%s: %s: %s\n", answer->permit.network.name, answer->outcome.code == EXIT_DENIED ? "denied" : "refused",
		answer->outcome.text);
}
