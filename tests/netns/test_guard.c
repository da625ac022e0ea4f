// SPDX-License-Identifier: MIT
/*
 * Guards: a tap comes only where the network's guard stands whole. Whatever is missing, flushed, changed, added or
 * switched off is seen, before the tap is made and again when it is up.
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAB	 ARGS("--br=lab", FD)
#define RUN_UP	 "; an administrator can run 'tapgate up'"
#define MISSING	 "network 'lab' is not up: its guard is missing" RUN_UP
#define CHANGED	 "network 'lab' is not up: its guard was changed" RUN_UP
#define MADE_FOR "network 'lab' is not up: its guard is for 'nat', and /etc/tapgate.conf:2 says '%s'" RUN_UP

/* What a network is in this file: its mode, and a policy that allows it. */
static const struct {
	const char *mode, *policy;
} modes[] = {
	{"host-only", "allow lab\nnetwork lab host-only 172.16.2.1/24\n"},
	{"nat", "allow lab\nnetwork lab nat 172.16.2.1/24\n"},
	{"internal", "allow lab\nnetwork lab internal\n"},
	{"standalone", "allow lab\nnetwork lab standalone 172.16.2.1/24\n"},
};

/* A shell's words in front of a change: the table of the guard; its first chain; the first rule in it; its seal. */
static void tell_shell(const char *mode)
{
	setenv("T", table_of("lab", mode), 1);
	setenv("FAMILY", strcmp(mode, "internal") == 0 ? "netdev" : "inet", 1);
	setenv("HOOK", strcmp(mode, "internal") == 0 ? "ingress device lo" : "forward", 1);
	setenv("CHAIN", strcmp(mode, "internal") == 0 ? "in" : "forward", 1);
	setenv("SEAL", seal_of("lab", mode, mode), 1);
	setenv("RULE", command_line("nft -a list table $T | sed -n 's/.*drop .*# handle //p'"), 1);
}

struct change {
	const char *about, *command, *words;
};

static const struct change changes_of_all[] = {
	{"all rules flushed", "nft flush ruleset", MISSING},
	{"its table deleted", "nft delete table $T", MISSING},
	{"another network's", "nft delete table $T && nft \"add table ${T}2\"", MISSING},
	{"one of another family", "nft delete table $T && nft 'table ip tapgate-lab { }'", MISSING},
	{"an empty table", "nft delete table $T && nft \"add table $T\"", CHANGED},
	{"an empty table with its seal", "nft delete table $T && nft \"add table $T\" && nft \"add chain $T $SEAL\"",
		CHANGED},
	{"switched off", "nft \"table $T { flags dormant; }\"", CHANGED},
	{"a rule added", "nft \"add rule $T $CHAIN accept\"", CHANGED},
	{"a rule inserted", "nft \"insert rule $T $CHAIN accept\"", CHANGED},
	{"a counter inserted", "nft \"insert rule $T $CHAIN counter\"", CHANGED},
	{"a chain added", "nft \"add chain $T more\"", CHANGED},
	{"a base chain in the place of its seal",
		"nft \"delete chain $T $SEAL\" && "
		"nft \"add chain $T $SEAL { type filter hook $HOOK priority 0; policy accept; }\"",
		CHANGED},
	{"a rule in its seal", "nft \"add rule $T $SEAL accept\"", CHANGED},
	{"a chain with a hook that calls itself a seal",
		"nft \"add chain $T ${SEAL%/*/*}/0123456789abcdef/${SEAL##*/} "
		"{ type filter hook $HOOK priority -600; }\"",
		CHANGED},
	{"no seal", "nft \"delete chain $T $SEAL\"", CHANGED},
	{"a seal with another digest",
		"nft \"delete chain $T $SEAL\" && nft \"add chain $T ${SEAL%/*}/0123456789abcdef\"", CHANGED},
	{"a seal with digits more", "nft \"delete chain $T $SEAL\" && nft \"add chain $T ${SEAL}0\"", CHANGED},
	{"a seal with digits less", "nft \"delete chain $T $SEAL\" && nft \"add chain $T ${SEAL%?}\"", CHANGED},
	{"a seal in capitals",
		"nft \"delete chain $T $SEAL\" && nft \"add chain $T $(echo $SEAL | tr a-z A-Z | sed s/SEAL/seal/)\"",
		CHANGED},
	{"a seal without a mode", "nft \"delete chain $T $SEAL\" && nft \"add chain $T seal//${SEAL#seal/*/}\"",
		CHANGED},
	{"a seal of a mode that there is not",
		"nft \"delete chain $T $SEAL\" && nft \"add chain $T seal/open/${SEAL#seal/*/}\"",
		"its guard is for 'open', and /etc/tapgate.conf:2 says '"},
	{"a seal of another mode", "nft \"delete chain $T $SEAL\" && nft \"add chain $T seal/bridged/${SEAL#seal/*/}\"",
		"its guard is for 'bridged', and /etc/tapgate.conf:2 says '"},
	{"something in the name of a seal",
		"nft \"delete chain $T $SEAL\" && nft \"add chain $T seal/${SEAL#seal/*/}\"", CHANGED},
};

/* What only some have. */
static const struct change changes_of_rules[] = {
	{"its rules flushed", "nft \"flush table $T\"", CHANGED},
	{"its chain flushed", "nft \"flush chain $T $CHAIN\"", CHANGED},
	{"one rule deleted", "nft \"delete rule $T $CHAIN handle $RULE\"", CHANGED},
	{"one rule replaced by a like one", "nft \"replace rule $T $CHAIN handle $RULE accept\"", CHANGED},
	{"a chain deleted", "nft \"flush chain $T $CHAIN\" && nft \"delete chain $T $CHAIN\"", CHANGED},
	{"a policy changed", "nft \"chain $T $CHAIN { policy drop; }\"", CHANGED},
};
static const struct change changes_of_internal[] = {
	{"its policy changed", "nft \"chain $T $CHAIN { policy accept; }\"", CHANGED},
	{"a chain deleted", "nft \"delete chain $T $CHAIN\"", CHANGED},
	{"a chain for another device",
		"nft \"delete chain $T $CHAIN\" && "
		"nft \"add chain $T $CHAIN { type filter hook ingress device lo priority -500; policy drop; }\"",
		CHANGED},
};

static void check_changes(size_t mode, const struct change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char about[128];

		snprintf(about, sizeof(about), "%s: %s", modes[mode].mode, changes[i].about);
		make_network("lab", modes[mode].mode);
		write_policy(modes[mode].policy);
		tell_shell(modes[mode].mode);
		command("%s", changes[i].command);
		expect_refusal(&(struct call){.about = about, .argv = LAB}, 1, changes[i].words);
		clean_world(NULL);
	}
}

/*
 *	alice --- ? --- lab, of each mode, whose guard was changed; once for each change
 */
static void test_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		bool internal = strcmp(modes[i].mode, "internal") == 0;

		check_changes(i, changes_of_all, COUNT(changes_of_all));
		check_changes(i, internal ? changes_of_internal : changes_of_rules,
			internal ? COUNT(changes_of_internal) : COUNT(changes_of_rules));
	}
}

/*
 *	alice --- tap --- lab, whose guard stands; what else there is in the firewall does not matter
 */
static void test_whole(void **state)
{
	static const char *const others[] = {
		"true",
		"nft 'table inet other { chain forward { type filter hook forward priority 0; policy drop; }; }'",
		"nft 'table inet tapgate-lab2 { chain forward { }; }'",
		"nft 'table ip tapgate-lab { chain forward { }; }'",
		("for i in $(seq 300); do echo \"table inet t$i { chain a { tcp dport $i drop; }; chain b { }; }\"; "
		 "done | nft -f -"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		make_network("lab", modes[i].mode);
		write_policy(modes[i].policy);
		for (size_t j = 0; j < COUNT(others); j++) {
			command("%s", others[j]);
			expect_grant(&(struct call){.about = others[j], .argv = LAB},
				strcmp(modes[i].mode, "standalone") == 0 ? NULL : "lab");
		}
		clean_world(NULL);
	}
}

/*
 *	alice --- tap, whose helper waits for a candidate behind it --- lab, max=1; meanwhile something is changed
 *
 * The helper found the network whole, and its tap is on it. What it finds when it looks again is what counts.
 */
static void test_changes_before_the_hand_over(void **state)
{
	static const struct {
		size_t mode;
		const char *about, *change, *words;
	} rows[] = {
		{0, "all rules flushed", "nft flush ruleset", MISSING},
		{1, "all rules flushed", "nft flush ruleset", MISSING},
		{2, "all rules flushed", "nft flush ruleset", MISSING},
		{3, "all rules flushed", "nft flush ruleset", MISSING},
		{0, "one rule deleted", "nft \"delete rule $T $CHAIN handle $RULE\"", CHANGED},
		{3, "one rule deleted", "nft \"delete rule $T $CHAIN handle $RULE\"", CHANGED},
		{2, "switched off", "nft \"table $T { flags dormant; }\"", CHANGED},
		{0, "the bridge renamed", "ip link set lab down && ip link set lab name other && ip link set other up",
			"bridge 'lab' or the tap on it was changed meanwhile"},
		{0, "the bridge made anew",
			"ip link del lab && ip link add lab up type bridge && "
			"ip link set lab alias 'tapgate network=lab mode=host-only'",
			"bridge 'lab' or the tap on it was changed meanwhile"},
		{0, "another in its place",
			"ip link set lab down && ip link set lab name other && ip link add lab up type bridge && "
			"ip link set lab alias 'tapgate network=lab mode=host-only'",
			"bridge 'lab' or the tap on it was changed meanwhile"},
		{0, "the alias gone", "ip link set lab alias ''", "is not of tapgate's making"},
		{0, "another mode", "ip link set lab alias 'tapgate network=lab mode=nat'", "it stands as 'nat'"},
		{0, "the bridge down", "ip link set lab down", "bridge 'lab' is down"},
		{1, "isolated no more", "bridge link set dev $(ls /sys/class/net/lab/brif) isolated off",
			"was switched off meanwhile; try again"},
		{3, "the tap renamed", "ip link set lab name other",
			"the tap of network 'lab' was changed meanwhile; try again"},
		{3, "the tap renamed, and another in its place",
			"ip link set lab name other && ip link add lab type ifb",
			"the tap of network 'lab' was changed meanwhile; try again"},
		{3, "the tap on a bridge", "ip link add br0 up type bridge && ip link set lab master br0",
			"the tap of network 'lab' was changed meanwhile; try again"},
		{3, "the tap deleted", "ip link del lab", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *mode = modes[rows[i].mode].mode;
		char policy[128], about[128];
		struct running running;
		struct result result;

		snprintf(policy, sizeof(policy), "allow lab\n%s", strchr(modes[rows[i].mode].policy, '\n') + 1);
		snprintf(about, sizeof(about), "%s: %s", mode, rows[i].about);
		make_network("lab", mode);
		write_policy(policy);
		tell_shell(mode);
		running = start_stopped(&(struct call){.about = about, .argv = LAB}, tap_is_up);
		command("%s", rows[i].change);
		let_go_on(&running);
		result = finish(&running);
		assert_refused(&result, 1, rows[i].words);
		assert_int_equal(count_taps(), 0);
		clean_world(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_changed),
		TEST(test_whole),
		TEST(test_changes_before_the_hand_over),
	};

	return have_program("nft") ? RUN_TESTS(tests) : 0;
}
