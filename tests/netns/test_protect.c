// SPDX-License-Identifier: MIT
/*
 * guard, vlan= and mtu=: set and read back where the bridge can have them, refused where it cannot; and what holders do
 * against them. (isolated: test_networks.c, lock-mac: test_lock_mac.c.)
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/netns/frames.h"

static const char *of_port(const struct result *result, const char *setting)
{
	return first_line("/sys/class/net/%s/brport/%s", tap_of(result), setting);
}

/* --- guard -------------------------------------------------------------------------------------------------------- */

#define STP_OFF "bridge 'br0' passes BPDUs on, as its spanning tree protocol is off, so 'guard' of /etc/tapgate.conf:1"
#define STP_ON	"; an administrator can run: ip link set br0 type bridge stp_state 1"

/*
 *	alice --- tap, guarded --- br0, without the spanning tree protocol and with it
 */
static void test_guard(void **state)
{
	static const char *const policies[] = {"allow br0 guard\n", "network br0 bridged guard\nallow br0\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		struct result result;

		make_br0();
		write_policy(policies[i]);
		expect_refusal(&(struct call){.about = "without"}, 1, STP_OFF);
		expect_refusal(&(struct call){.about = "without"}, 1, STP_ON);
		command("ip link set br0 type bridge stp_state 1");
		result = hold(&(struct call){.about = "with"}, "br0");
		EXPECT(&result, strcmp(of_port(&result, "bpdu_guard"), "1") == 0);
		EXPECT(&result, strcmp(of_port(&result, "root_block"), "1") == 0);
		give_back(&result);
		clean_world(NULL);
	}
}

/*
 *	alice --- tap, guarded, whose helper is stopped --- br0
 *
 * Meanwhile the spanning tree protocol is switched off: what was possible when she asked is not any more.
 */
static void test_guard_of_a_bridge_that_changes(void **state)
{
	struct running running;
	struct result result;

	(void)state;
	make_br0();
	command("ip link set br0 type bridge stp_state 1");
	write_policy("allow br0 guard\n");
	running = start_stopped(&(struct call){.about = "switched off"}, tap_is_signed);
	command("ip link set br0 type bridge stp_state 0");
	let_go_on(&running);
	result = finish(&running);
	assert_refused(&result, 1, STP_OFF);
	assert_int_equal(count_taps(), 0);
}

/*
 *	br0, whose own address nobody has set: it follows its ports
 *
 * What cannot be is refused before there is a port.
 */
/* Not a lack of this machine's alone: tests/guest/vlan.sh has a kernel with it. */
static bool kernel_knows_vlans(void)
{
	return shell_status("ip -d link show dev br0 | grep -q vlan_protocol") == 0;
}

static void test_refused_before_there_is_a_port(void **state)
{
	char before[64];

	(void)state;
	command("ip link add br0 type bridge && ip link set br0 up");
	snprintf(before, sizeof(before), "%s", first_line("/sys/class/net/br0/address"));
	write_policy("allow br0 guard\n");
	expect_refusal(&(struct call){.about = "guard"}, 1, STP_OFF);
	write_policy("allow br0 vlan=7\n");
	if (kernel_knows_vlans())
		expect_refusal(&(struct call){.about = "vlan"}, 1, "bridge 'br0' does not look at VLANs");
	else
		expect_refusal(&(struct call){.about = "vlan"}, 4, "the bridges of this kernel know no VLANs");
	assert_string_equal(first_line("/sys/class/net/br0/address"), before);
}

/* A configuration BPDU (IEEE 802.1D, 9.3.1) of a bridge with the best priority there is. */
static void send_bpdu(const struct result *result)
{
	unsigned char frame[FRAME_MIN] = {1, 0x80, 0xc2, 0, 0, 0, 0x52, 0x54, 0, 0, 0, 1, 0, 38, 0x42, 0x42, 3};

	memcpy(frame + 17 + 5 + 2, mac_of("00:00:00:00:00:01"), 6); /* the root, and behind it the sender */
	memcpy(frame + 17 + 5 + 8 + 4 + 2, mac_of("00:00:00:00:00:01"), 6);
	frame[17 + 5 + 8 + 4 + 8] = 0x80;
	frame[17 + 5 + 8 + 4 + 8 + 4] = 20; /* seconds: for so long it counts, and the root is as it says */
	frame[17 + 5 + 8 + 4 + 8 + 6] = 2;
	frame[17 + 5 + 8 + 4 + 8 + 8] = 15;
	EXPECT(result, write(result->tap, frame, FRAME_MIN) == FRAME_MIN);
}

static bool comes_true(const char *expected, const char *path)
{
	for (int tries = 0; tries < 3000 && strcmp(first_line("%s", path), expected) != 0; tries++)
		usleep(1000);
	return strcmp(first_line("%s", path), expected) == 0;
}

/*
 *	alice --- tap --- br0 (spanning tree protocol): she claims to be the root
 *
 * Without guard she becomes it. With guard her port is shut, and the root stays.
 */
static void test_bpdu(void **state)
{
	char own[64];
	struct result result;

	(void)state;
	make_br0();
	command("ip link set br0 type bridge stp_state 1");
	snprintf(own, sizeof(own), "%s", first_line("/sys/class/net/br0/bridge/bridge_id"));
	write_policy("allow br0 guard\n");
	result = hold(&(struct call){.about = "guarded"}, "br0");
	EXPECT(&result, strcmp(of_port(&result, "state"), "0") != 0);
	send_bpdu(&result);
	for (int tries = 0; tries < 3000 && strcmp(of_port(&result, "state"), "0") != 0; tries++)
		usleep(1000);
	EXPECT(&result, strcmp(of_port(&result, "state"), "0") == 0);
	EXPECT(&result, strcmp(first_line("/sys/class/net/br0/bridge/root_id"), own) == 0);
	give_back(&result);
	write_policy("allow br0\n");
	result = hold(&(struct call){.about = "not guarded"}, "br0");
	send_bpdu(&result);
	EXPECT(&result, comes_true("0000.000000000001", "/sys/class/net/br0/bridge/root_id"));
	give_back(&result);
}

/* --- vlan --------------------------------------------------------------------------------------------------------- */

/*
 *	alice --- tap, VLAN 7 --- br0, which knows no VLANs, or does not look at them, or does
 */
static void test_vlan(void **state)
{
	struct result result;

	(void)state;
	make_br0();
	write_policy("allow br0 vlan=7\n");
	if (!kernel_knows_vlans()) {
		expect_refusal(&(struct call){.about = "a kernel without VLANs"}, 4,
			"the bridges of this kernel know no VLANs, so vlan=7 of /etc/tapgate.conf:1 (allow br0 vlan=7) "
			"cannot be kept; an administrator can remove it, or run a kernel with "
			"CONFIG_BRIDGE_VLAN_FILTERING");
		return;
	}
	expect_refusal(&(struct call){.about = "no VLANs"}, 1,
		"bridge 'br0' does not look at VLANs, so vlan=7 of /etc/tapgate.conf:1 (allow br0 vlan=7) "
		"cannot be kept; an administrator can run: ip link set br0 type bridge vlan_filtering 1");
	assert_int_equal(shell_status("ip link set br0 type bridge vlan_filtering 1"), 0);
	result = hold(&(struct call){.about = "VLAN 7"}, "br0");
	EXPECT(&result, strcmp(command_line("bridge vlan show dev %s | tail -n +2 | tr -s '\\t ' ' ' | cut -d' ' -f2-",
				       tap_of(&result)),
				"7 PVID Egress Untagged") == 0);
	give_back(&result);
}

/* --- mtu ---------------------------------------------------------------------------------------------------------- */

static void test_mtu(void **state)
{
	static const struct {
		const char *policy, *mtu;
	} rows[] = {
		{"allow br0 mtu=1400\n", "1400"},
		{"allow br0\nnetwork br0 bridged mtu=1300\n", "1300"},
		{"allow br0 mtu=1200\nnetwork br0 bridged mtu=1300\n", "1200"},
		{"allow br0 mtu=2000\n", "2000"},
		{"allow br0 mtu=68\n", "68"},
	};

	(void)state;
	make_br0();
	command("ip link set br0 mtu 2000");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *before;
		struct result result;

		write_policy(rows[i].policy);
		before = snapshot();
		result = run(&(struct call){.about = rows[i].policy});
		EXPECT(&result, result.code == 0 && result.fds == 1 && result.bytes == 1);
		EXPECT(&result, strcmp(first_line("/sys/class/net/%s/mtu", tap_of(&result)), rows[i].mtu) == 0);
		EXPECT(&result, strcmp(first_line("/sys/class/net/br0/mtu"), "2000") == 0);
		give_back(&result);
		assert_unchanged(before);
	}
	write_policy("allow br0 mtu=2001\n");
	expect_refusal(&(struct call){.about = "above"}, 1,
		"mtu=2001 of /etc/tapgate.conf:1 (allow br0 mtu=2001) is above the 2000 of bridge 'br0'; "
		"an administrator can lower the one or raise the other");
	write_policy("allow br0\nnetwork br0 bridged mtu=9000\n");
	expect_refusal(&(struct call){.about = "above"}, 1, "mtu=9000 of /etc/tapgate.conf:2 is above the 2000");
	write_policy("allow br0 mtu=65535\n");
	expect_refusal(&(struct call){.about = "above all"}, 4,
		"/etc/tapgate.conf:1:15: mtu='65535', expected a number from 68 to 65521");
}

/*
 *	alice --- tap --- br0 (its MTU follows its ports)
 *
 * mtu= would lower everybody's.
 */
static void test_mtu_of_a_bridge_that_follows(void **state)
{
	(void)state;
	make_br0();
	write_policy("allow br0 mtu=1400\n");
	expect_refusal(&(struct call){.about = "follows"}, 1,
		"the MTU of bridge 'br0' may follow its ports' and fall to mtu=1400 of /etc/tapgate.conf:1 "
		"(allow br0 mtu=1400); an administrator can set it to another than its lowest port's 1500: "
		"ip link set br0 mtu 1499");
	assert_string_equal(first_line("/sys/class/net/br0/mtu"), "1500");
}

/*
 *	alice --- tap (mtu=1400) --- lab, as `tapgate up` makes it: its MTU follows no port
 */
static void test_mtu_of_a_network(void **state)
{
	struct result result;

	(void)state;
	write_policy("network lab host-only 172.16.5.1/24\nallow lab mtu=1400\n");
	command("\"$TAPGATE\" up >/dev/null");
	result = run(&(struct call){.about = "mtu=", .argv = ARGS("--br=lab", FD)});
	EXPECT(&result, result.code == 0);
	EXPECT(&result, strcmp(first_line("/sys/class/net/%s/mtu", tap_of(&result)), "1400") == 0);
	EXPECT(&result, strcmp(first_line("/sys/class/net/lab/mtu"), "1500") == 0);
	give_back(&result);
}

/* --- where none of it can be -------------------------------------------------------------------------------------- */

static void test_standalone(void **state)
{
	static const char *const words[] = {"lock-mac", "guard", "vlan=7", "mac=52:54:00:12:34:56"};

	(void)state;
	make_guard("tap1", "standalone");
	for (size_t i = 0; i < COUNT(words); i++) {
		char policy[128], expected[128];

		snprintf(policy, sizeof(policy), "allow all %s\nnetwork tap1 standalone 172.16.2.1/24\n", words[i]);
		snprintf(expected, sizeof(expected),
			"/etc/tapgate.conf:1 asks for '%.*s' on 'tap1', which is a standalone",
			(int)(strchr(words[i], '=') ? strchr(words[i], '=') - words[i] : (long)strlen(words[i])),
			words[i]);
		write_policy(policy);
		expect_refusal(&(struct call){.about = policy, .argv = ARGS("--net=tap1", FD)}, 4, expected);
	}
	write_policy("allow all isolated mtu=1400\nnetwork tap1 standalone 172.16.2.1/24\n");
	expect_grant(&(struct call){.about = "isolated", .argv = ARGS("--net=tap1", FD)}, NULL);
}

/* --- beside `tapgate up` ------------------------------------------------------------------------------------------ */

/*
 *	alice --- tap, not up yet, whose helper is stopped --- lab (host-only) or tap1; meanwhile `tapgate up`
 *
 * It leaves alone what is on its way: whoever repairs that is in the helper's way, and alice gets nothing.
 */
static void test_up_meanwhile(void **state)
{
	static const char *const networks[] = {"lab", "tap1"};

	(void)state;
	for (size_t i = 0; i < COUNT(networks); i++) {
		char argument[32];
		const char *const argv[] = {"tapgate-helper", argument, FD, NULL};
		struct running running;
		struct result result;

		snprintf(argument, sizeof(argument), "--net=%s", networks[i]);
		write_policy("network lab host-only 172.16.5.1/24\nnetwork tap1 standalone 172.16.2.1/24\nallow all\n");
		command("\"$TAPGATE\" up >/dev/null");
		running = start_stopped(&(struct call){.about = networks[i], .argv = argv}, tap_is_signed);
		assert_string_equal(command_line("\"$TAPGATE\" up"), "nothing changed");
		let_go_on(&running);
		result = finish(&running);
		assert_granted(&result, i == 0 ? "lab" : NULL);
		give_back(&result);
		clean_world(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_guard),
		TEST(test_guard_of_a_bridge_that_changes),
		TEST(test_refused_before_there_is_a_port),
		TEST(test_bpdu),
		TEST(test_vlan),
		TEST(test_mtu),
		TEST(test_mtu_of_a_bridge_that_follows),
		TEST(test_mtu_of_a_network),
		TEST(test_standalone),
		TEST(test_up_meanwhile),
	};

	return RUN_TESTS(tests);
}
