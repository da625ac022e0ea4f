// SPDX-License-Identifier: MIT
/*
 * Properties of the decision, on random policies and callers: it equals what a naive model says, and a process that
 * dropped groups never gets more than one that holds them. And of the parser: a line means the same, or is refused for
 * the same, whichever blanks it has. The model must not share a line with policy/, or look at text. TEST_SEED=N repeats
 * a run, TEST_ROUNDS=N makes it longer.
 */
#include <time.h>

#include "tests/unit/test_policy.h"

enum { RULES = 8, NAMES = 3, USERS = 6, LISTED_USERS = 4, GROUPS = 8, LISTED_GROUPS = 5, UID = 1000, GID = 50 };

/* --- a random world ----------------------------------------------------------------------------------------------- */

static uint64_t seed, random_state;

/* Marsaglia's xorshift64*: 0 to below - 1. */
static unsigned int pick(unsigned int below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (unsigned int)((random_state * 2685821657736338717u) >> 33) % below;
}

/* A rule before it is text. Accounts are indices of users or groups; those past the listed ones have no name. */
struct model_rule {
	bool allow, all;
	unsigned int network; /* br0, br1 ... */
	enum { EVERYBODY, BY_GROUP, BY_USER } who;
	unsigned int names, accounts[NAMES];
	bool by_number[NAMES];
	unsigned int max; /* 0: none */
};

struct world {
	unsigned int rule_count;
	struct model_rule rules[RULES];
	char text[2048];
	bool member[USERS][GROUPS]; /* by the files */
	char names[USERS + GROUPS][8];
	struct memory_account users[USERS + 1], groups[GROUPS + 1];
};

/* What a process of a user holds. */
struct model_caller {
	unsigned int user;
	bool holds[GROUPS];
};

static void random_accounts(struct world *world)
{
	for (unsigned int u = 0; u < LISTED_USERS; u++) {
		unsigned int primary = pick(LISTED_GROUPS);

		snprintf(world->names[u], sizeof(world->names[u]), "u%u", u);
		world->users[u] = (struct memory_account){world->names[u], UID + u, GID + primary, {0}};
		world->member[u][primary] = true;
	}
	for (unsigned int g = 0; g < LISTED_GROUPS; g++) {
		struct memory_account *group = &world->groups[g];
		char *name = world->names[USERS + g];

		snprintf(name, sizeof(world->names[0]), "g%u", g);
		*group = (struct memory_account){name, GID + g, 0, {0}};
		for (unsigned int i = 0; i < pick(COUNT(group->members) + 1); i++) {
			/* A list may name a user that is in no file by its name; by number it is the same to us. */
			unsigned int user = pick(USERS);

			group->members[i] = UID + user;
			world->member[user][g] = true;
		}
	}
}

static void random_rule(struct world *world)
{
	static const char *const blanks[] = {" ", "  ", "\t", " \t "};
	struct model_rule *rule = &world->rules[world->rule_count++];

	*rule = (struct model_rule){.allow = pick(4) > 0, .all = pick(4) == 0, .network = pick(2), .who = pick(3)};
	text_append(world->text, sizeof(world->text), "%s%s", rule->allow ? "allow" : "deny", blanks[pick(4)]);
	text_append(world->text, sizeof(world->text), rule->all ? "all" : "br%u", rule->network);
	if (rule->who != EVERYBODY) {
		rule->names = 1 + pick(NAMES);
		text_append(world->text, sizeof(world->text), "%s%s=", blanks[pick(4)],
			rule->who == BY_USER ? "user" : "group");
	}
	for (unsigned int i = 0; i < rule->names; i++) {
		bool user = rule->who == BY_USER;

		rule->accounts[i] = pick(user ? USERS : GROUPS);
		rule->by_number[i] = pick(2);
		text_append(world->text, sizeof(world->text), "%s%s%u", i ? "," : "",
			rule->by_number[i] ? "#"
			: user		   ? "u"
					   : "g",
			rule->accounts[i] + (!rule->by_number[i] ? 0
						    : user	 ? UID
								 : GID));
	}
	rule->max = rule->allow && pick(2) ? 1 + pick(3) : 0;
	if (rule->max)
		text_append(world->text, sizeof(world->text), "%smax=%u", blanks[pick(4)], rule->max);
	text_append(world->text, sizeof(world->text), "\n");
}

static void random_world(struct world *world)
{
	memset(world, 0, sizeof(*world));
	random_accounts(world);
	for (unsigned int i = pick(RULES + 1); i > 0; i--)
		random_rule(world);
}

/* --- the model ---------------------------------------------------------------------------------------------------- */

struct model_match {
	bool held, dropped, unknown;
};

static struct model_match model_match(
	const struct world *world, const struct model_rule *rule, const struct model_caller *caller)
{
	struct model_match match = {.held = rule->who == EVERYBODY};
	bool unlisted_group = false;

	for (unsigned int g = LISTED_GROUPS; g < GROUPS; g++)
		unlisted_group |= caller->holds[g];
	for (unsigned int i = 0; i < rule->names; i++) {
		unsigned int account = rule->accounts[i];
		bool has_number = rule->by_number[i] ||
				  account < (unsigned int)(rule->who == BY_USER ? LISTED_USERS : LISTED_GROUPS);

		if (rule->who == BY_USER) {
			match.held |= has_number && account == caller->user;
			match.unknown |= !has_number && caller->user >= LISTED_USERS;
		} else {
			match.held |= has_number && caller->holds[account];
			match.dropped |= has_number && world->member[caller->user][account];
			match.unknown |= !has_number && unlisted_group;
		}
	}
	return match;
}

/* The outcome, and the line of the rule that decides; 0 if none does. */
static enum policy_outcome model_decide(
	const struct world *world, unsigned int network, const struct model_caller *caller, unsigned int *line)
{
	*line = 0;
	for (unsigned int i = 0; i < world->rule_count; i++) {
		const struct model_rule *rule = &world->rules[i];
		struct model_match match = model_match(world, rule, caller);

		if (rule->allow || (!rule->all && rule->network != network))
			continue;
		*line = i + 1;
		if (match.held || match.dropped)
			return POLICY_DENIED;
		if (match.unknown)
			return POLICY_DENIED_UNKNOWN;
		*line = 0;
	}
	for (int who = BY_USER; who >= EVERYBODY; who--) {
		for (unsigned int i = 0; i < world->rule_count; i++) {
			const struct model_rule *rule = &world->rules[i];
			struct model_match match = model_match(world, rule, caller);

			if (!rule->allow || (!rule->all && rule->network != network) || (int)rule->who != who ||
				(!match.held && !match.dropped))
				continue;
			*line = i + 1;
			return match.held ? POLICY_ALLOWED : POLICY_DENIED_DROPPED;
		}
	}
	return POLICY_DENIED_NO_RULE;
}

/* --- asking policy/ ----------------------------------------------------------------------------------------------- */

struct answer {
	enum policy_outcome outcome;
	unsigned int line, max;
};

static struct answer ask(
	struct world *world, const struct policy *policy, unsigned int network, const struct model_caller *caller)
{
	const struct memory_accounts accounts = {world->users, world->groups};
	struct memory_facts facts;
	uint32_t groups[GROUPS];
	struct policy_caller real = {.uid = UID + caller->user, .groups = groups};
	struct policy_verdict verdict;

	for (unsigned int g = 0; g < GROUPS; g++) {
		if (caller->holds[g])
			groups[real.group_count++] = GID + g;
	}
	real = memory_caller(&accounts, real, &facts);
	verdict = policy_decide(policy, network ? "br1" : "br0", &real);
	return (struct answer){
		verdict.outcome, verdict.line, verdict.grants.given & OPTION_MAX ? verdict.grants.max : 0};
}

static void tell(const struct world *world, unsigned int network, const struct model_caller *caller, const char *about)
{
	print_error("seed %llu: u%u with groups", (unsigned long long)seed, caller->user);
	for (unsigned int g = 0; g < GROUPS; g++) {
		if (caller->holds[g] || world->member[caller->user][g])
			print_error(" g%u%s", g, caller->holds[g] ? "" : "(not held)");
	}
	print_error(" asks for br%u %s; u0 to u%d and g0 to g%d are in the files:\n%s", network, about,
		LISTED_USERS - 1, LISTED_GROUPS - 1, world->text);
}

static void random_caller(const struct world *world, struct model_caller *caller)
{
	caller->user = pick(USERS);
	for (unsigned int g = 0; g < GROUPS; g++)
		caller->holds[g] = world->member[caller->user][g] ? pick(4) > 0 : pick(5) == 0;
}

static void check_model(struct world *world, const struct policy *policy)
{
	for (unsigned int i = 0; i < 8; i++) {
		struct model_caller caller;
		unsigned int network = pick(2), line;
		struct answer got;
		enum policy_outcome outcome;

		random_caller(world, &caller);
		outcome = model_decide(world, network, &caller, &line);
		got = ask(world, policy, network, &caller);
		if (got.outcome == outcome && got.line == line && got.max == (line ? world->rules[line - 1].max : 0))
			continue;
		tell(world, network, &caller, "");
		fail_msg("expected outcome %d by line %u with max=%u, got %d by line %u with max=%u", (int)outcome,
			line, line ? world->rules[line - 1].max : 0, (int)got.outcome, got.line, got.max);
	}
}

/* What a process may with fewer groups, of those that the files list, it may with all, by the same rule. */
static void check_dropping(struct world *world, const struct policy *policy)
{
	for (unsigned int i = 0; i < 8; i++) {
		struct model_caller all, fewer;
		unsigned int network = pick(2);
		struct answer with_all, with_fewer;

		random_caller(world, &all);
		for (unsigned int g = 0; g < GROUPS; g++)
			all.holds[g] |= world->member[all.user][g];
		fewer = all;
		for (unsigned int g = 0; g < GROUPS; g++)
			fewer.holds[g] &= !world->member[all.user][g] || pick(2);
		with_all = ask(world, policy, network, &all);
		with_fewer = ask(world, policy, network, &fewer);
		if (with_fewer.outcome != POLICY_ALLOWED ||
			(with_all.outcome == POLICY_ALLOWED && with_all.line == with_fewer.line))
			continue;
		tell(world, network, &fewer, "with fewer groups than all that are shown");
		fail_msg("with fewer allowed by line %u, with all outcome %d by line %u", with_fewer.line,
			(int)with_all.outcome, with_all.line);
	}
}

static void run(void (*check)(struct world *world, const struct policy *policy))
{
	const char *rounds = getenv("TEST_ROUNDS");

	random_state = seed;
	for (unsigned long i = rounds ? strtoul(rounds, NULL, 10) : 5000; i > 0; i--) {
		struct world world;
		char error[512];
		struct policy *policy;

		random_world(&world);
		policy = memory_load_text(world.text, strlen(world.text), error);
		if (!policy)
			fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, error, world.text);
		check(&world, policy);
		policy_free(policy);
	}
}

static void test_against_the_model(void **state)
{
	(void)state;
	run(check_model);
}

static void test_dropping_groups_never_gives_more(void **state)
{
	(void)state;
	run(check_dropping);
}

/* --- blanks ------------------------------------------------------------------------------------------------------- */

/* All that a policy comes to, or all that is wrong with it, as text. */
struct shown {
	char text[8192];
};

static void show_error(void *context, const struct policy_error *error, struct word line)
{
	struct shown *shown = context;
	char message[704];

	policy_error_print(error, message, sizeof(message));
	text_append(shown->text, sizeof(shown->text), "%s in %.*s\n", message, (int)line.size, line.at ? line.at : "");
}

static void show_account(void *context, const struct policy_account_word *account)
{
	struct shown *shown = context;

	text_append(shown->text, sizeof(shown->text), " %u (%.*s) (%.*s)", account->number, (int)account->name.size,
		account->name.at ? account->name.at : "", (int)account->at.size, account->at.at);
}

static void show(const char *text, size_t size, struct shown *shown)
{
	struct memory_file files[] = {{"/p", text, size, POLICY_READ}, END_OF_FILES};
	const struct policy_reader reader = {memory_read, files, &policy_services};
	size_t count;
	struct policy *policy;

	shown->text[0] = '\0';
	policy = policy_check(&reader, "/p", show_error, shown, &count);
	for (size_t i = 0; policy && i < policy_rule_count(policy); i++) {
		const struct policy_rule rule = policy_rule(policy, i);

		text_append(shown->text, sizeof(shown->text), "%s:%u %d %d '%s' (%.*s) (%.*s) %x", rule.file, rule.line,
			rule.allow, rule.who, rule.network, (int)rule.words.size, rule.words.at, (int)rule.whole.size,
			rule.whole.at, rule.options->given);
		policy_each_account(policy, i, show_account, shown);
		text_append(shown->text, sizeof(shown->text), "\n");
	}
	policy_free(policy);
}

static size_t random_lines(char *text, size_t size)
{
	static const char long_name[] = "n234567890123456789012345678901234567890123456789012345678901234";
	static const char *const verbs[] = {"allow ", "allow ", "allow ", "deny ", "deny ", "Allow ", "allow", " deny ",
		"allow  ", "deny1 ", "#allow ", ""};
	static const char *const names[] = {"br0", "br0", "all", "default", ".", "..", "-br", "a23456789012345",
		"a234567890123456", "b+r", "b@r", "br*", "br0,br1", "", "B.r_0-x", "br0:", "#br0", "b\001r", "b\200r"};
	static const char *const options[] = {"", "", " user=alice", " group=staff", " user=#1000", " group=#0",
		" user=#01", " user=#", " user=#4294967294", " user=#4294967295", " user=", " user", " user=a,b",
		" user=a,", " user=@a", " user=-a", " user=a.b-c_d", " group=a:b", " user=%a", " user=a*", " group=A$",
		" max=2", " user=alice max=2", " user=alice ", " usr=alice", " # no", "#", "user=alice", " user=all",
		" user=a user=b", " group=a user=b", " user=1000", " user=a\177"};
	size_t used;

	text[0] = '\0';
	for (unsigned int lines = 1 + pick(3); lines > 0; lines--) {
		text_append(text, size, "%s%s%s", verbs[pick(pick(2) ? 5 : COUNT(verbs))],
			names[pick(pick(2) ? 2 : COUNT(names))], options[pick(pick(2) ? 6 : COUNT(options))]);
		for (unsigned int more = pick(40) ? 0 : pick(5); more > 0; more--)
			text_append(text, size, "%s", long_name);
		text_append(text, size, "%s", lines > 1 || pick(8) ? "\n" : "");
	}
	used = strlen(text);
	if (!pick(10)) /* any byte anywhere */
		text[pick((unsigned int)used + 1)] = (char)pick(256);
	return used;
}

/* A tab is a blank: the same lines with tabs come to the same, good or wrong. */
static void test_tabs_are_blanks(void **state)
{
	const char *rounds = getenv("TEST_ROUNDS");
	unsigned int taken = 0, refused = 0;

	(void)state;
	random_state = seed;
	for (unsigned long i = rounds ? strtoul(rounds, NULL, 10) : 20000; i > 0; i--) {
		static struct shown blank, tab;
		char text[2048], tabs[sizeof(text)];
		size_t size = random_lines(text, sizeof(text));

		for (size_t j = 0; j < size; j++)
			tabs[j] = text[j];
		for (char *at = tabs; (at = memchr(at, ' ', size - (size_t)(at - tabs)));)
			*at = '\t';
		show(text, size, &blank);
		show(tabs, size, &tab);
		for (char *at = tab.text; (at = strchr(at, '\t'));)
			*at = ' ';
		for (char *at = blank.text; (at = strchr(at, '\t'));)
			*at = ' ';
		*(strncmp(blank.text, "/p:1 ", 5) == 0 ? &taken : &refused) += 1;
		if (strcmp(blank.text, tab.text) != 0)
			fail_msg("seed %llu:\n%s\nwith blanks:\n%s\nwith tabs:\n%s", (unsigned long long)seed, text,
				blank.text, tab.text);
	}
	assert_true(rounds || (taken > 1000 && refused > 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_the_model),
		cmocka_unit_test(test_dropping_groups_never_gives_more),
		cmocka_unit_test(test_tabs_are_blanks),
	};
	const char *given = getenv("TEST_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	seed = seed ? seed : 1;
	printf("TEST_SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests_name("policy: properties", tests, NULL, NULL);
}
