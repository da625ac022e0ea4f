// SPDX-License-Identifier: MIT
/* `tapgate status`: shows the networks as they stand, beside what the policy wants. */
#include "cli/commands.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/list/list.h"
#include "dhcp/dhcp.h"
#include "networks/networks.h"
#include "tool/tool.h"

enum { MEMBERS_SHOWN = 4 }; /* of a network that has more, only how many is told */

/* --- in columns --------------------------------------------------------------------------------------------------- */

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

struct tally {
	unsigned int taps, others, users;
	uid_t list[64]; /* the users that were seen; when it is full, each further tap counts as another user's */
};

static void count_member(void *context, const struct report_member *member)
{
	struct tally *tally = context;
	unsigned int i = 0;

	if (!member->ours) {
		tally->others++;
		return;
	}
	tally->taps++;
	while (i < tally->users && i < 64 && tally->list[i] != member->tap.uid)
		i++;
	if (i < 64)
		tally->list[i] = member->tap.uid;
	tally->users += i == tally->users || i == 64;
}

/* A member that is not tapgate's is always named, because it should not be there. */
static void print_other(void *context, const struct report_member *member)
{
	if (!member->ours)
		print_member(context, member);
}

static void print_members(struct session *session, const struct report *report, bool all)
{
	struct tally tally = {.taps = 0};

	report_each_member(session, report, count_member, &tally);
	if (all || tally.taps <= MEMBERS_SHOWN) {
		report_each_member(session, report, print_member, session);
		return;
	}
	report_each_member(session, report, print_other, session);
	printf("  members %u taps of %u user%s; see: tapgate status --members %s\n", tally.taps, tally.users,
		tally.users == 1 ? "" : "s", report->name);
}

static void print_dhcp(const struct report *report)
{
	char ranges[POLICY_RANGES_TEXT];
	int used;

	if (!report->network || !dnsmasq_wanted(report->network))
		return;
	policy_ranges_text(report->network, ranges, sizeof(ranges));
	printf("  dhcp    %s", *ranges					  ? ranges
			       : report->network->mode == MODE_STANDALONE ? "each tap's own address"
									  : "none, addresses by router advertisements");
	printf(", %s %s%s", dnsmasq_wanted_program(report->network), report->guard == GUARD_UNKNOWN ? "" : "is ",
		report_dnsmasq_word(report));
	if (report->dnsmasq_pid)
		printf(" (%d)", (int)report->dnsmasq_pid);
	used = report_leases_used(report);
	if (used >= 0 && *ranges)
		printf(", %d of %u leases in use", used, leases_room(report->network));
	putchar('\n');
}

/* Where the host has the names of guests from. */
static void print_names(const struct report *report)
{
	char domain[POLICY_DOMAIN_MAX + 1], advice[512];
	enum resolver resolver;

	if (!report->network || report->state == REPORT_MISSING || !policy_has_names(report->network))
		return;
	resolver = resolver_of_host();
	policy_domain(report->network, domain);
	if (resolver == RESOLVER_RESOLVED)
		printf("  names   NAME.%s, on the host by systemd-resolved\n", domain);
	else if (resolver == RESOLVER_PLAIN)
		printf("  names   NAME.%s, to guests; on the host, without systemd-resolved: tapgate ip NAME\n",
			domain);
	else if (resolver_advice(report->network, advice, sizeof(advice)))
		printf("  names   NAME.%s; %s\n", domain, advice);
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

/* What is wrong, and what mends it. tapgate does not make bridged networks, so that takes ip(8). */
static void print_trouble(const struct report *report)
{
	const struct policy_network *network = report->network;
	const char *name = report->name;
	bool bridge = network && !policy_is_managed(network);

	if (report->difference) {
		printf("  not as wanted: %s; run '%s'\n", report->difference, report->cure);
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

/* "8022/tcp on 192.0.2.1" */
static void forward_words(const struct policy_forward *forward, char *text, size_t size)
{
	char on[INET6_ADDRSTRLEN];

	*text = '\0';
	text_append(text, size, "%u", forward->first);
	if (forward->last != forward->first)
		text_append(text, size, "-%u", forward->last);
	text_append(text, size, "/%s", forward->udp ? "udp" : "tcp");
	if (forward->on_family && inet_ntop(forward->on_family, forward->on, on, sizeof(on)))
		text_append(text, size, " on %s", on);
}

static void print_forwards(const struct policy_network *network)
{
	for (const struct policy_forward *forward = NULL;
		network && (forward = policy_next_forward(network, forward));) {
		const struct policy_guest *guest = forward->guest;
		char words[96], address[INET6_ADDRSTRLEN];

		forward_words(forward, words, sizeof(words));
		printf("  forward %s to %s", words, guest->name);
		if (forward->ipv4 && inet_ntop(AF_INET, guest->ipv4, address, sizeof(address)))
			printf(" %s", address);
		if (forward->ipv6 && inet_ntop(AF_INET6, guest->ipv6, address, sizeof(address)))
			printf(" %s", address);
		if (forward->to)
			printf(" port %u", forward->to);
		putchar('\n');
	}
}

static void print_foreign(void *context, const char *chain, long long handle)
{
	(void)context;
	printf("  forward by rule %lld of '%s'\n", handle, chain);
}

/* What is shown, and what has come of it. */
struct printing {
	json_t *list;  /* NULL: in lines */
	json_t *rules; /* of others (firewall_rules); NULL: not known */
	bool members;  /* every one of them */
	bool unknown;  /* something was not this user's to see */
};

static void print_report(void *context, struct session *session, const struct report *report)
{
	struct printing *printing = context;
	enum columns_style style = report->state == REPORT_UP ? COLUMNS_GOOD : COLUMNS_BAD;
	bool colour = columns_colour(stdout);

	printf("%-15s  %-10s  %s%s%s", report->name,
		report->network ? policy_mode_name(report->network->mode) : "(unknown)", columns_on(style, colour),
		report_state_word(report->state), columns_off(style, colour));
	print_addresses(session, report);
	putchar('\n');
	print_trouble(report);
	if (report->state == REPORT_UP && report->network && forwarding_leads_nowhere(session, report->network))
		puts("  out     nowhere: the host itself has no route to anywhere");
	if (report->guard != GUARD_NONE)
		printf("  guard   %s\n", report_guard_word(report->guard));
	printing->unknown |= report->guard == GUARD_UNKNOWN;
	print_dhcp(report);
	print_names(report);
	print_forwards(report->network);
	if (report->network)
		report_each_foreign_forward(printing->rules, report->network, print_foreign, NULL);
	print_members(session, report, printing->members);
}

/* --- as JSON ------------------------------------------------------------------------------------------------------ */

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
	const struct policy_network *network = report->network;
	unsigned char first[16], last[16];
	char texts[2][INET6_ADDRSTRLEN];
	bool ipv4, ipv6;
	unsigned int prefix;
	int used;

	if (!network || !dnsmasq_wanted(network))
		return json_null();
	used = report_leases_used(report);
	ipv4 = network->dhcp_last != 0 && policy_serves(network, false);
	ipv6 = policy_range6(network, first, last, &prefix) && inet_ntop(AF_INET6, first, texts[0], sizeof(texts[0])) &&
	       inet_ntop(AF_INET6, last, texts[1], sizeof(texts[1]));
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:I, s:o}", "state", report_dnsmasq_word(report), "first",
		ipv4 ? ipv4_text(network->dhcp_first).text : NULL, "last",
		ipv4 ? ipv4_text(network->dhcp_last).text : NULL, "first6", ipv6 ? texts[0] : NULL, "last6",
		ipv6 ? texts[1] : NULL, "pid", report->dnsmasq_pid ? json_integer(report->dnsmasq_pid) : json_null(),
		"leases_room", (json_int_t)leases_room(network), "leases_used",
		used >= 0 ? json_integer(used) : json_null());
}

static void add_foreign(void *list, const char *chain, long long handle)
{
	json_array_append_new(list, json_pack("{s:s, s:I}", "chain", chain, "handle", (json_int_t)handle));
}

static json_t *forwards_of(const struct policy_network *network)
{
	json_t *list = json_array();

	for (const struct policy_forward *forward = NULL;
		network && (forward = policy_next_forward(network, forward));) {
		char on[INET6_ADDRSTRLEN] = "";

		if (forward->on_family)
			inet_ntop(forward->on_family, forward->on, on, sizeof(on));
		json_array_append_new(list,
			json_pack("{s:I, s:I, s:s, s:s?, s:s, s:I, s:s, s:I}", "first", (json_int_t)forward->first,
				"last", (json_int_t)forward->last, "protocol", forward->udp ? "udp" : "tcp", "on",
				*on ? on : NULL, "guest", forward->guest->name, "to",
				(json_int_t)(forward->to ? forward->to : forward->first), "file", forward->file, "line",
				(json_int_t)forward->line));
	}
	return list;
}

static void add_report(void *context, struct session *session, const struct report *report)
{
	const struct printing *printing = context;
	const struct policy_network *network = report->network;
	struct member_list members = {session, json_array()};
	json_t *foreign = json_array();

	if (network)
		report_each_foreign_forward(printing->rules, network, add_foreign, foreign);
	report_each_member(session, report, add_member, &members);
	json_array_append_new(
		printing->list, json_pack("{s:s, s:s?, s:s?, s:o, s:s, s:s?, s:s?, s:o, s:s, s:o, s:o, s:o, s:o}",
					"name", report->name, "mode", network ? policy_mode_name(network->mode) : NULL,
					"file", network ? network->file : NULL, "line",
					network && network->file ? json_integer(network->line) : json_null(), "state",
					report_state_word(report->state), "difference", report->difference, "interface",
					report->bridge ? report->bridge->name : NULL, "addresses",
					addresses_of(session, report->bridge ? report->bridge->index : 0), "guard",
					report_guard_word(report->guard), "dhcp", dhcp_of(report), "forwards",
					forwards_of(network), "foreign_forwards", foreign, "members", members.list));
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

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

	if ((network && policy_is_managed(network)) || !words_name(survey->words, name))
		return;
	report = report_make(survey->session, NULL, name);
	survey->show(survey->context, survey->session, &report);
	survey->any = true;
	survey->well = false;
}

/*
 * A network of the policy. One that only rules name is a bridge that tapgate does not make, and no line says how it
 * should be: so its state does not count for the exit status. If tapgate made a bridge of that name, for a line that is
 * gone, show_left_over() shows it.
 */
static void show_network(void *context, const char *name)
{
	struct survey *survey = context;
	struct policy_network bridged;
	const struct policy_network *network = load_named(survey->policy, name, &bridged);
	const struct link_interface *interface = host_interface(&survey->session->host, name);
	struct report report;

	if (!network || !words_name(survey->words, name) || (!network->file && interface && alias_is_bridge(interface)))
		return;
	report = report_make(survey->session, network, name);
	survey->show(survey->context, survey->session, &report);
	survey->any = true;
	survey->well &= report.state == REPORT_UP || !network->file;
}

static bool show_all(struct survey *survey)
{
	load_each_name(survey->policy, show_network, survey);
	/* A user who may not read all of the policy cannot know which networks it no longer has. */
	return policy_hidden(survey->policy) || network_each(survey->session, show_left_over, survey);
}

static int status(struct session *session, const struct policy *policy, const struct words *words)
{
	json_t *list = words->given & WORD_JSON ? json_array() : NULL;
	struct printing printing = {.list = list, .members = words->given & WORD_MEMBERS};
	struct survey survey = {.session = session,
		.policy = policy,
		.words = words,
		.show = list ? add_report : print_report,
		.context = &printing,
		.well = true};
	bool shown = session_open(session, false);

	printing.rules = shown ? firewall_rules(session) : NULL;
	shown = shown && show_all(&survey);
	json_decref(printing.rules);
	if (!shown) {
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
	if (printing.unknown)
		puts("only root can see what is unknown here");
	load_tell_hidden(policy);
	return survey.well ? STATUS_DONE : STATUS_FAILED;
}

int command_status(const struct words *words)
{
	struct session session = {.lock = -1};
	struct policy *policy;
	int result = STATUS_DONE;

	policy = load_policy(NULL);
	if (!policy)
		return STATUS_POLICY;
	for (int i = 0; i < words->name_count && result == STATUS_DONE; i++) {
		struct policy_network bridged;

		if (!load_named(policy, words->names[i], &bridged)) {
			load_say_unknown(policy, words->names[i]);
			result = STATUS_USAGE;
		}
	}
	if (result == STATUS_DONE)
		result = status(&session, policy, words);
	session_close(&session);
	policy_free(policy);
	return result;
}
