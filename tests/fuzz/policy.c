// SPDX-License-Identifier: MIT
/*
 * Fuzz target: the policy's loader and decision. Whatever bytes come in, what policy.h promises must hold of what comes
 * out. Touches no file and keeps nothing from one input to the next.
 *
 * An input is a policy file; a line "@ /path" begins the file of that path, for includes to find, "@h /path" one that
 * the caller may not read, "@r /path" one that cannot be had.
 *
 * Links: policy
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/networks.h"

/* --- the files of an input ---------------------------------------------------------------------------------------- */

enum { FILES = 8 };

struct input {
	struct input_file {
		struct word path, text;
		enum policy_read outcome;
		bool was_read;
	} files[FILES];
	size_t count;
};

/* Cut off the first line, with its newline. */
static struct word cut_line(struct word *text)
{
	const char *newline = memchr(text->at, '\n', text->size);
	struct word line = {text->at, newline ? (size_t)(newline - text->at) + 1 : text->size};

	text->at += line.size;
	text->size -= line.size;
	return line;
}

static void begin_file(struct input *input, struct word line)
{
	struct input_file *file = &input->files[input->count++];
	const char *path = memchr(line.at, '/', line.size);

	file->outcome = POLICY_READ;
	if (line.size > 1 && line.at[1] == 'h')
		file->outcome = POLICY_HIDDEN;
	if (line.size > 1 && line.at[1] == 'r')
		file->outcome = POLICY_REFUSED;
	if (path) {
		file->path = (struct word){path, line.size - (size_t)(path - line.at)};
		if (path[file->path.size - 1] == '\n')
			file->path.size--;
	}
}

static void split(struct input *input, struct word text)
{
	begin_file(input, (struct word){"@ /main", 7});
	while (text.size > 0) {
		struct word line = cut_line(&text);
		struct input_file *file = &input->files[input->count - 1];

		if (*line.at == '@' && input->count < FILES) {
			begin_file(input, line);
			continue;
		}
		if (!file->text.at)
			file->text.at = line.at;
		file->text.size += line.size;
	}
}

/* Lines as a directory's names, each with a NUL behind it. */
static void make_names(struct policy_file *file)
{
	for (size_t i = 0; i < file->size; i++) {
		if (file->text[i] == '\n' || i + 1 == file->size)
			file->text[i] = '\0';
	}
}

static enum policy_read read_input(
	void *context, const char *path, size_t limit, struct policy_file *file, struct policy_why *why)
{
	struct input *input = context;

	snprintf(why->text, sizeof(why->text), "no such file");
	for (size_t i = 0; i < input->count; i++) {
		struct input_file *found = &input->files[i];

		if (!word_is(found->path, path))
			continue;
		if (found->outcome != POLICY_READ)
			return found->outcome;
		if (found->text.size > limit)
			return POLICY_REFUSED;
		found->was_read = path[strlen(path) - 1] != '/';
		file->text = malloc(found->text.size ? found->text.size : 1);
		MUST(file->text);
		if (found->text.size)
			memcpy(file->text, found->text.at, found->text.size);
		file->size = found->text.size;
		file->device = 1;
		file->inode = i;
		if (!found->was_read)
			make_names(file);
		return POLICY_READ;
	}
	return POLICY_REFUSED;
}

/* --- what must hold of a load ------------------------------------------------------------------------------------- */

static void check_error(const struct policy_error *error)
{
	char text[512];

	MUST(memchr(error->what, '\0', sizeof(error->what)) && error->what[0]);
	MUST(memchr(error->file, '\0', sizeof(error->file)) && error->file[0]);
	MUST(error->line ? error->column >= 1 && error->column <= POLICY_LINE_MAX + 1 : error->column == 0);
	policy_error_print(error, text, sizeof(text));
	for (const char *at = text; *at; at++)
		MUST(*at >= ' ' && *at <= '~');
}

/* A file of a policy that loaded: whole lines, none too long, printable but for what stands in comments. */
static void check_text(struct word text, struct word path)
{
	while (text.size > 0) {
		struct word line = cut_line(&text);
		size_t blanks = 0;
		bool comment;

		/* Of QEMU's own file the last rule may end without a newline, if it is a plain one. */
		if (line.at[line.size - 1] != '\n') {
			MUST(path.size >= 12 && memcmp(path.at + path.size - 12, "/bridge.conf", 12) == 0);
			MUST(!memchr(line.at, '=', line.size) && !memchr(line.at, '#', line.size));
			line.size++;
		}
		MUST(line.size - 1 <= POLICY_LINE_MAX);
		while (line.at[blanks] == ' ' || line.at[blanks] == '\t')
			blanks++;
		comment = line.at[blanks] == '#';
		for (size_t i = 0; i < line.size - 1; i++) {
			unsigned char byte = (unsigned char)line.at[i];

			MUST((byte >= ' ' && byte <= '~') || byte == '\t' || (comment && byte >= 0x80));
		}
	}
}

static void check_options(const struct policy_options *options)
{
	MUST(!(options->given & OPTION_MAX) || (options->max >= 1 && options->max <= 65535));
	MUST(!(options->given & OPTION_QUEUES) || (options->queues >= 1 && options->queues <= POLICY_QUEUES_MAX));
	MUST(!(options->given & OPTION_VLAN) || (options->vlan >= 1 && options->vlan <= 4094));
	MUST(!(options->given & OPTION_MTU) || (options->mtu >= 68 && options->mtu <= 65521));
	MUST(!(options->given & OPTION_MAC) || !(options->mac[0] & 1));
}

/* What a network of a mode has no place for, whether it comes from its own line or from a rule with its name. */
static void check_mode(const struct policy_network *network, uint32_t given)
{
	MUST(network->mode == MODE_BRIDGED || !(given & (OPTION_VLAN | OPTION_GUARD)));
	MUST(network->mode != MODE_STANDALONE || !(given & (OPTION_LOCK_MAC | OPTION_MAC)));
	MUST(!(given & OPTION_LOCK_IP) || (network->options.given & (OPTION_DHCP | OPTION_RA)) == OPTION_DHCP);
}

static void check_dhcp(const struct policy_network *network)
{
	const unsigned char *address = network->ipv4.address;
	uint32_t host =
		(uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3];
	uint32_t size = (uint32_t)1 << (32 - network->ipv4.prefix) % 32;
	uint32_t own = host - host % size;

	MUST(!(network->options.given & OPTION_RA) || (network->ipv6.given && network->ipv6.prefix == 64));
	MUST(!policy_serves(network, true) || network->ipv6.prefix <= 112);
	MUST(!(network->options.given & OPTION_DHCP) || policy_serves(network, false) || policy_serves(network, true));
	if (!policy_serves(network, false))
		return;
	if (network->mode == MODE_STANDALONE) {
		MUST(network->ipv4.given && network->ipv4.prefix < 32 && !network->dhcp_last);
		MUST(network->served.domain.size + network->served.search.size <= 160);
		return;
	}
	MUST(network->ipv4.given && size >= 4);
	MUST(own < network->dhcp_first && network->dhcp_first <= network->dhcp_last);
	MUST(network->dhcp_last - own < size - 1);
	MUST(host < network->dhcp_first || host > network->dhcp_last);
}

static void check_networks(const struct policy *policy)
{
	size_t count;
	const struct policy_network *networks = policy_networks(policy, &count);

	MUST(count <= POLICY_NETWORKS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct policy_network *network = &networks[i];
		bool wants_address = network->mode != MODE_BRIDGED && network->mode != MODE_INTERNAL;

		MUST(!word_name_problem((struct word){network->name, strlen(network->name)}));
		MUST(policy_mode_name(network->mode) && network->file && network->line >= 1);
		MUST(wants_address == (network->ipv4.given || network->ipv6.given));
		check_subnet(&network->ipv4, 32);
		check_subnet(&network->ipv6, 128);
		check_options(&network->options);
		check_mode(network, network->options.given);
		check_pool(network);
		check_dhcp(network);
		MUST(!(network->options.given & OPTION_MTU) || !network->ipv6.given || network->options.mtu >= 1280);
		for (size_t j = 0; j < i; j++)
			MUST(strcmp(networks[j].name, network->name) != 0);
	}
}

/* --- what must hold of a check ------------------------------------------------------------------------------------ */

struct told {
	const struct policy_error *first; /* of policy_load; NULL if it found none */
	size_t count;
};

static void check_told(void *context, const struct policy_error *error, struct word line)
{
	struct told *told = context;

	check_error(error);
	if (told->count++ == 0)
		MUST(told->first && told->first->line == error->line && told->first->column == error->column &&
			strcmp(told->first->file, error->file) == 0);
	MUST(!line.at == !error->line);
	MUST(!line.at || error->column <= line.size + 1);
	MUST(!line.size || !memchr(line.at, '\n', line.size));
}

/* All errors, the first of which is at the place of policy_load's; and none if that finds none. */
static void check_all_errors(const struct policy_reader *reader, const struct policy_error *first)
{
	struct told told = {first, 0};
	size_t count;
	struct policy *policy = policy_check(reader, "/main", check_told, &told, &count);

	MUST(!policy == !!first && !policy == (count > 0));
	MUST(told.count == (count > POLICY_ERRORS_MAX ? POLICY_ERRORS_MAX : count) && count <= POLICY_ERRORS_MAX + 1);
	policy_free(policy);
}

/* What a rule shows of itself is in its line. */
static void check_account(void *context, const struct policy_account_word *account)
{
	const struct policy_rule *rule = context;

	MUST(account->at.at >= rule->words.at &&
		account->at.at + account->at.size <= rule->words.at + rule->words.size);
	MUST(account->name.at ? account->name.at == account->at.at && account->name.size == account->at.size
			      : *account->at.at == '#');
}

static void check_rules_shown(const struct policy *policy)
{
	for (size_t i = 0; i < policy_rule_count(policy); i++) {
		struct policy_rule rule = policy_rule(policy, i);
		struct word line = policy_line(policy, rule.file, rule.line);

		MUST(line.size == rule.whole.size && memcmp(line.at, rule.whole.at, line.size) == 0);
		MUST(rule.words.at >= rule.whole.at &&
			rule.words.at + rule.words.size <= rule.whole.at + rule.whole.size);
		MUST((rule.who == WHO_EVERYBODY) == (rule.account_count == 0));
		policy_each_account(policy, i, check_account, &rule);
	}
	for (size_t i = 0; i < policy_part_count(policy); i++) {
		struct policy_part part = policy_part(policy, i);

		MUST(part.path && !part.by == (i == 0));
		MUST(!part.by || part.column <= policy_line(policy, part.by, part.line).size);
	}
}

/* --- what must hold of a verdict ---------------------------------------------------------------------------------- */

/* Users 0 and 2 have names and 4 and 6 do not; all of them are in the groups 1 and 3 by the files, and hold 7. */
static struct policy_name users[] = {{"alice", 5, 0}, {"bob", 3, 2}, {"carol", 5, 1}, {"bob", 3, 5}};
static struct policy_name groups_of_files[] = {{"students", 8, 1}, {"staff", 5, 2}, {"guests", 6, 3}, {"users", 5, 5}};
static struct policy_name own_groups[] = {{"", 0, 1}, {"students", 8, 1}, {"guests", 6, 3}, {"staff", 5, 2}};

static struct policy_accounts accounts_of(uint32_t uid)
{
	return (struct policy_accounts){
		.all = {{users, 4, 4}, {groups_of_files, 4, 4}},
		.own = {{&users[uid == 2], uid <= 2, 1}, {own_groups, 4, 4}},
		.unlisted = {uid > 2, true},
	};
}

/* "allow all ..." */
static bool is_for_all(struct word rule)
{
	size_t at = rule.at[0] == 'a' ? 5 : 4;

	while (rule.at[at] == ' ' || rule.at[at] == '\t')
		at++;
	return rule.size >= at + 3 && memcmp(rule.at + at, "all", 3) == 0 &&
	       (rule.size == at + 3 || rule.at[at + 3] == ' ' || rule.at[at + 3] == '\t');
}

static void check_verdict(const struct policy_verdict *verdict)
{
	bool allows = verdict->outcome == POLICY_ALLOWED || verdict->outcome == POLICY_DENIED_DROPPED;

	check_options(&verdict->grants);
	MUST((verdict->outcome == POLICY_DENIED_UNKNOWN) == (verdict->unknown.at != NULL));
	if (verdict->outcome == POLICY_DENIED_NO_RULE) {
		MUST(!verdict->file && !verdict->line && !verdict->rule.at && !verdict->grants.given);
		return;
	}
	MUST(verdict->file && verdict->line >= 1 && verdict->rule.at && verdict->rule.size > 5);
	MUST(memcmp(verdict->rule.at, allows ? "allow" : "deny", allows ? 5 : 4) == 0);
	MUST(allows || !verdict->grants.given);
	if (verdict->network && !is_for_all(verdict->rule))
		check_mode(verdict->network, verdict->grants.given);
}

/* The rule that decided, as a policy of its own, decides the same. */
static void check_alone(const struct policy_verdict *verdict, const char *network, const struct policy_caller *caller)
{
	struct input input = {.files[0] = {.path = {"/main", 5}}, .count = 1};
	const struct policy_reader reader = {read_input, &input, &policy_services};
	struct policy_error error;
	struct policy_verdict again;
	struct policy *policy;
	char text[POLICY_LINE_MAX + 1];

	MUST(verdict->rule.size < sizeof(text));
	memcpy(text, verdict->rule.at, verdict->rule.size);
	text[verdict->rule.size] = '\n';
	input.files[0].text = (struct word){text, verdict->rule.size + 1};
	policy = policy_load(&reader, "/main", &error);
	MUST(policy);
	again = policy_decide(policy, network, caller);
	MUST(again.outcome == verdict->outcome && again.grants.given == verdict->grants.given);
	MUST(again.grants.max == verdict->grants.max && again.rule.size == verdict->rule.size);
	policy_free(policy);
}

static void check_decisions(const struct policy *policy, const char *network)
{
	static const uint32_t groups[] = {1, 2, 7}, fewer[] = {2, 7};

	for (uint32_t uid = 0; uid < 8; uid += 2) {
		const struct policy_accounts accounts = accounts_of(uid);
		const struct policy_caller all = {uid, groups, 3, &accounts}, dropped = {uid, fewer, 2, &accounts},
					   unread = {uid, groups, 3, NULL};
		const struct policy_verdict with_all = policy_decide(policy, network, &all),
					    with_fewer = policy_decide(policy, network, &dropped),
					    without = policy_decide(policy, network, &unread);

		check_verdict(&with_all);
		check_verdict(&with_fewer);
		MUST(with_all.outcome != POLICY_ASKS_ACCOUNTS);
		MUST(without.outcome == POLICY_ASKS_ACCOUNTS ||
			(without.outcome == with_all.outcome && without.rule.at == with_all.rule.at));
		if (with_all.rule.at)
			check_alone(&with_all, network, &all);
		/* Group 1 is everybody's by the files: without it nothing more is allowed, and by no other rule. */
		MUST(with_fewer.outcome != POLICY_ALLOWED ||
			(with_all.outcome == POLICY_ALLOWED && with_all.rule.at == with_fewer.rule.at));
	}
}

/* --- what the helper makes of it ---------------------------------------------------------------------------------- */

static bool same_words(struct word a, struct word b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static void check_same(const struct policy *policy, const struct policy *helpers, const char *network)
{
	static const uint32_t groups[] = {1, 2, 7};

	for (uint32_t uid = 0; uid < 8; uid += 2) {
		const struct policy_accounts accounts = accounts_of(uid);
		const struct policy_caller caller = {uid, groups, 3, &accounts};
		const struct policy_verdict a = policy_decide(policy, network, &caller),
					    b = policy_decide(helpers, network, &caller);

		MUST(a.outcome == b.outcome && a.line == b.line && same_words(a.rule, b.rule));
		MUST(memcmp(&a.grants, &b.grants, sizeof(a.grants)) == 0);
		MUST(!a.network == !b.network);
		MUST(!a.network ||
			(a.network->mode == b.network->mode &&
				memcmp(&a.network->options, &b.network->options, sizeof(a.network->options)) == 0));
		MUST(!a.network || a.network->automatic ||
			(memcmp(&a.network->ipv4, &b.network->ipv4, sizeof(a.network->ipv4)) == 0 &&
				memcmp(&a.network->ipv6, &b.network->ipv6, sizeof(a.network->ipv6)) == 0));
	}
}

/*
 * It passes something over in lines that are no rules: what it refuses is refused in full, and what is accepted in full
 * it decides alike.
 */
static void check_helper(const struct input *from, const struct policy *policy, const struct policy_error *error)
{
	struct input input = *from;
	const struct policy_reader reader = {read_input, &input, NULL};
	struct policy_error own;
	struct policy *helpers = policy_load(&reader, "/main", &own);

	MUST(!policy || helpers);
	if (policy) {
		check_same(policy, helpers, "br0");
		check_same(policy, helpers, "lab");
	} else if (helpers) {
		const struct word line = policy_line(helpers, error->file, error->line);
		size_t at = 0;

		while (at < line.size && (line.at[at] == ' ' || line.at[at] == '\t'))
			at++;
		MUST(!line.at || (at < line.size && strchr("ngf", line.at[at]))); /* network, guest, forward */
	}
	policy_free(helpers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {0};
	const struct policy_reader reader = {read_input, &input, &policy_services};
	struct policy_error error;
	struct policy *policy;
	size_t count;

	split(&input, (struct word){(const char *)data, size});
	policy = policy_load(&reader, "/main", &error);
	check_all_errors(&reader, policy ? NULL : &error);
	check_helper(&input, policy, &error);
	if (!policy) {
		check_error(&error);
		return 0;
	}
	check_rules_shown(policy);
	for (size_t i = 0; i < input.count; i++) {
		if (input.files[i].was_read)
			check_text(input.files[i].text, input.files[i].path);
	}
	check_networks(policy);
	check_conflicts(policy);
	check_decisions(policy, "br0");
	check_decisions(policy, "lab");
	const struct policy_network *networks = policy_networks(policy, &count);
	if (count)
		check_decisions(policy, networks[count - 1].name);
	policy_free(policy);
	return 0;
}
