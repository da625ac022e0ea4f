/* `tapgate status`: the networks as they stand. */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/load.h"
#include "cli/networks/bridge.h"
#include "cli/networks/network.h"
#include "cli/networks/report.h"
#include "cli/say.h"
#include "cli/session.h"
#include "cli/taps/leases.h"
#include "cli/taps/list.h"
#include "cli/words.h"

#define SEEN_BY_ROOT "unknown (only root can see it)"

/* --- in columns -------------------------------------------------------------------------------------------------- */

struct line {
	const struct session *session;
	const char *before; /* written before the next word */
};

static void print_address(void *context, const char *address)
{
	struct line *line = context;

	printf("%s%s", line->before, address);
	line->before = " ";
}

static void print_member(void *context, const struct report_member *member)
{
	const struct session *session = context;
	struct line line = {session, ", "};
	char user[LIST_NAME_TEXT];

	printf("  member  %s", member->interface->name);
	list_user(member->tap.uid, user);
	if (member->ours)
		printf(", user %s, vmm %d", user, member->tap.vmm);
	else
		printf(", not tapgate's");
	report_each_address(session, member->interface->index, print_address, &line);
	putchar('\n');
}

struct ipv4_text {
	char text[INET_ADDRSTRLEN];
};

static struct ipv4_text ipv4_text(uint32_t address)
{
	const struct in_addr number = {htonl(address)};
	struct ipv4_text text;

	inet_ntop(AF_INET, &number, text.text, sizeof(text.text));
	return text;
}

static void print_dhcp(const struct report *report)
{
	int used;

	if (!report->network || !dnsmasq_wanted(report->network))
		return;
	printf("  dhcp    %s-%s", ipv4_text(report->network->dhcp_first).text,
		ipv4_text(report->network->dhcp_last).text);
	if (report->guard == GUARD_UNKNOWN)
		printf(", dnsmasq " SEEN_BY_ROOT);
	else
		printf(", dnsmasq is %s", report_dnsmasq_word(report));
	if (report->dnsmasq_pid)
		printf(" (%d)", (int)report->dnsmasq_pid);
	used = leases_used(report->network);
	if (used >= 0)
		printf(", %d of %u leases in use", used, leases_room(report->network));
	putchar('\n');
}

/* The addresses that the policy gives a network. */
static void print_wanted(const struct policy_network *network, const char *before)
{
	char text[INET6_ADDRSTRLEN];

	if (network->ipv4.given && inet_ntop(AF_INET, network->ipv4.address, text, sizeof(text))) {
		printf("%s%s/%u", before, text, network->ipv4.prefix);
		before = " ";
	}
	if (network->ipv6.given && inet_ntop(AF_INET6, network->ipv6.address, text, sizeof(text)))
		printf("%s%s/%u", before, text, network->ipv6.prefix);
}

/* The addresses that the bridge has; where there is none, those that the policy gives a standalone network. */
static void print_addresses(const struct session *session, const struct report *report)
{
	struct line line = {session, "  "};

	if (report->bridge)
		report_each_address(session, report->bridge->index, print_address, &line);
	if (report->network && report->network->mode == MODE_STANDALONE)
		print_wanted(report->network, "  ");
}

/* What is not as it should be, and the way out. Bridges of others are made and brought up by hand. */
static void print_trouble(const struct report *report)
{
	const struct policy_network *network = report->network;
	const char *name = report->name;
	bool bridge = network && !bridge_is_managed(network);

	if (report->difference) {
		printf("  not as wanted: %s; run 'tapgate up'\n", report->difference);
	} else if (report->state == REPORT_MISSING && bridge) {
		printf("  no such bridge; make it, as with: ip link add %s type bridge && ip link set %s up\n", name,
			name);
	} else if (report->state == REPORT_DOWN && bridge) {
		printf("  the bridge is down; run: ip link set %s up\n", name);
	} else if (report->state == REPORT_DOWN) {
		puts("  the bridge is down; run 'tapgate up'");
	} else if (report->state == REPORT_MISSING) {
		printf("  not made yet");
		if (network && network->mode != MODE_STANDALONE)
			print_wanted(network, ", is to have ");
		puts("; run 'tapgate up'");
	}
}

static void print_report(void *context, struct session *session, const struct report *report)
{
	enum columns_style style = report->state == REPORT_UP ? COLUMNS_GOOD : COLUMNS_BAD;
	bool colour = columns_colour(stdout);

	(void)context;
	printf("%-15s  %-10s  %s%s%s", report->name,
		report->network ? policy_mode_name(report->network->mode) : "(unknown)", columns_on(style, colour),
		report_state_word(report->state), columns_off(style, colour));
	print_addresses(session, report);
	putchar('\n');
	print_trouble(report);
	if (report->guard != GUARD_NONE)
		printf("  guard   %s\n",
			report->guard == GUARD_UNKNOWN ? SEEN_BY_ROOT : report_guard_word(report->guard));
	print_dhcp(report);
	report_each_member(session, report, print_member, session);
}

/* --- as JSON ----------------------------------------------------------------------------------------------------- */

static void add_address(void *list, const char *address)
{
	json_array_append_new(list, json_string(address));
}

static json_t *addresses_of(const struct session *session, int index)
{
	json_t *list = json_array();

	report_each_address(session, index, add_address, list);
	return list;
}

struct member_list {
	const struct session *session;
	json_t *list;
};

static void add_member(void *context, const struct report_member *member)
{
	struct member_list *members = context;
	char user[LIST_NAME_TEXT];

	list_user(member->tap.uid, user);
	json_array_append_new(members->list,
		json_pack("{s:s, s:o, s:s?, s:o, s:o}", "interface", member->interface->name, "uid",
			member->ours ? json_integer(member->tap.uid) : json_null(), "user", member->ours ? user : NULL,
			"vmm", member->ours ? json_integer(member->tap.vmm) : json_null(), "addresses",
			addresses_of(members->session, member->interface->index)));
}

static json_t *dhcp_of(const struct report *report)
{
	int used;

	if (!report->network || !dnsmasq_wanted(report->network))
		return json_null();
	used = leases_used(report->network);
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:o}", "state", report_dnsmasq_word(report), "first",
		ipv4_text(report->network->dhcp_first).text, "last", ipv4_text(report->network->dhcp_last).text, "pid",
		report->dnsmasq_pid ? json_integer(report->dnsmasq_pid) : json_null(), "leases_room",
		(json_int_t)leases_room(report->network), "leases_used", used >= 0 ? json_integer(used) : json_null());
}

static void add_report(void *list, struct session *session, const struct report *report)
{
	const struct policy_network *network = report->network;
	struct member_list members = {session, json_array()};

	report_each_member(session, report, add_member, &members);
	json_array_append_new(list,
		json_pack("{s:s, s:s?, s:s?, s:o, s:s, s:s?, s:s?, s:o, s:s, s:o, s:o}", "name", report->name, "mode",
			network ? policy_mode_name(network->mode) : NULL, "file", network ? network->file : NULL,
			"line", network ? json_integer(network->line) : json_null(), "state",
			report_state_word(report->state), "difference", report->difference, "interface",
			report->bridge ? report->bridge->name : NULL, "addresses",
			addresses_of(session, report->bridge ? report->bridge->index : 0), "guard",
			report_guard_word(report->guard), "dhcp", dhcp_of(report), "members", members.list));
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

struct survey {
	struct session *session;
	const struct policy *policy;
	const struct words *words;
	void (*show)(void *context, struct session *session, const struct report *report);
	void *context;
	bool any, well;
};

static void show_left_over(void *context, const char *name)
{
	struct survey *survey = context;
	const struct policy_network *network = load_find(survey->policy, name);
	struct report report;

	if ((network && bridge_is_managed(network)) || !words_name(survey->words, name))
		return;
	report = report_make(survey->session, NULL, name);
	survey->show(survey->context, survey->session, &report);
	survey->any = true;
	survey->well = false;
}

static bool show_all(struct survey *survey)
{
	size_t count;
	const struct policy_network *networks = policy_networks(survey->policy, &count);

	for (size_t i = 0; i < count; i++) {
		struct report report;

		if (!words_name(survey->words, networks[i].name))
			continue;
		report = report_make(survey->session, &networks[i], networks[i].name);
		survey->show(survey->context, survey->session, &report);
		survey->any = true;
		survey->well &= report.state == REPORT_UP;
	}
	/* Who may not read all of the policy cannot know what it no longer names. */
	return policy_hidden(survey->policy) || network_each(survey->session, show_left_over, survey);
}

static int status(struct session *session, const struct policy *policy, const struct words *words)
{
	json_t *list = words->given & WORD_JSON ? json_array() : NULL;
	struct survey survey = {
		session, policy, words, words->given & WORD_JSON ? add_report : print_report, list, false, true};

	if (!session_open(session, false) || !show_all(&survey)) {
		json_decref(list);
		return STATUS_FAILED;
	}
	if (list) {
		json_t *whole = json_pack("{s:o}", "networks", list);

		json_dumpf(whole, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(whole);
	} else if (!survey.any && !policy_hidden(policy)) {
		puts("no network in " POLICY_FILE);
	}
	load_tell_hidden(policy);
	return survey.well ? STATUS_DONE : STATUS_FAILED;
}

int command_status(int count, char **words)
{
	struct session session = {.lock = -1};
	struct words parsed;
	struct policy *policy;
	int result = STATUS_DONE;

	if (!words_parse(&parsed, "status", WORD_JSON, POLICY_NETWORKS_MAX, count, words))
		return STATUS_USAGE;
	policy = load_policy(NULL);
	if (!policy)
		return STATUS_POLICY;
	for (int i = 0; i < parsed.name_count && result == STATUS_DONE; i++) {
		struct word word = {parsed.names[i], strlen(parsed.names[i])};

		if (!load_find(policy, parsed.names[i])) {
			say_error("no network %s in " POLICY_FILE "; see: tapgate networks", QUOTED(word));
			result = STATUS_USAGE;
		}
	}
	if (result == STATUS_DONE)
		result = status(&session, policy, &parsed);
	session_close(&session);
	policy_free(policy);
	return result;
}
