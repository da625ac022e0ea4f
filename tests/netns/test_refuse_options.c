/*
 * Options of the policy that cannot be: out of range, twice, on a line or a mode that has no such thing. The helper
 * refuses every request with code 4, and `tapgate check` exits with it; both say the same, with file, line and column.
 * (What a kernel or a bridge cannot give: test_protect.c.)
 */
#include "tests/netns/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"

/* One line of the policy, or several, and where the mistake is: "LINE:COLUMN: what". */
struct row {
	const char *policy, *words;
};

static void check_rows(const struct row *rows, size_t count)
{
	make_bridge("br0");
	for (size_t i = 0; i < count; i++) {
		char text[512], words[512];

		/* With a rule that would allow it: nothing else is wrong. */
		snprintf(text, sizeof(text), "%s\nallow br0\n", rows[i].policy);
		write_policy(text);
		snprintf(words, sizeof(words), "/etc/tapgate.conf:%s", rows[i].words);
		expect_refusal(&(struct call){.about = rows[i].policy}, 4, words);
		write_file("/run/words", words, 0644, 0, 0);
		if (shell_status("\"$TAPGATE\" check >/run/said 2>&1; [ $? = 4 ] && grep -qFf /run/words /run/said"))
			fail_msg(
				"check of '%s' says: %s; expected: %s", rows[i].policy, first_line("/run/said"), words);
	}
}

#define TO_16	 ", expected a number from 1 to 16"
#define TO_65535 ", expected a number from 1 to 65535"
#define TO_4094	 ", expected a number from 1 to 4094"
#define AS_MTU	 ", expected a number from 68 to 65521"
#define AS_MAC	 ", expected a unicast hardware address as in 52:54:00:12:34:56"

static void test_out_of_range(void **state)
{
	static const struct row rows[] = {
		{"allow br0 max=0", "1:15: max='0'" TO_65535},
		{"allow br0 max=65536", "1:15: max='65536'" TO_65535},
		{"allow br0 queues=0", "1:18: queues='0'" TO_16},
		{"allow br0 queues=17", "1:18: queues='17'" TO_16},
		{"network br0 bridged queues=17", "1:28: queues='17'" TO_16},
		{"allow br0 vlan=0", "1:16: vlan='0'" TO_4094},
		{"allow br0 vlan=4095", "1:16: vlan='4095'" TO_4094},
		{"network br0 bridged vlan=0", "1:26: vlan='0'" TO_4094},
		{"network br0 bridged vlan=4095", "1:26: vlan='4095'" TO_4094},
		{"allow br0 mtu=67", "1:15: mtu='67'" AS_MTU},
		{"allow br0 mtu=65522", "1:15: mtu='65522'" AS_MTU},
		{"network br0 bridged mtu=67", "1:25: mtu='67'" AS_MTU},
		{"network lab internal mtu=65522", "1:26: mtu='65522'" AS_MTU},
		{"network a standalone 10.0.0.1/24 mtu=65522", "1:38: mtu='65522'" AS_MTU},
		{"network a nat fd00::1/64 mtu=1279", "1:15: an IPv6 address with mtu=1279, expected an MTU of"},
		{"allow br0 mac=52:54:00:12:34", "1:15: mac='52:54:00:12:34'" AS_MAC},
		{"allow br0 mac=01:00:5e:00:00:01", "1:15: mac='01:00:5e:00:00:01'" AS_MAC},
		{"allow br0 mac=00:00:00:00:00:00", "1:15: mac='00:00:00:00:00:00'" AS_MAC},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_repeated(void **state)
{
	static const char *const of_rules[] = {"user=alice", "group=students", "max=2", "queues=2",
		"mac=52:54:00:12:34:56", "vlan=7", "mtu=1500", "isolated", "lock-mac", "guard"};
	static const struct {
		const char *mode, *option;
	} of_networks[] = {{"bridged", "queues=2"}, {"bridged", "vlan=7"}, {"bridged", "mtu=1500"},
		{"bridged", "isolated"}, {"bridged", "lock-mac"}, {"bridged", "guard"},
		{"nat 10.0.0.1/24", "dhcp=10.0.0.2-10.0.0.9"}, {"standalone 10.0.0.0/24", "per-vm=/30"}};

	(void)state;
	for (size_t i = 0; i < COUNT(of_rules) + COUNT(of_networks); i++) {
		const bool rule = i < COUNT(of_rules);
		const char *option = rule ? of_rules[i] : of_networks[i - COUNT(of_rules)].option;
		char policy[256], words[256];
		int column;

		snprintf(policy, sizeof(policy), rule ? "allow br0%s %s" : "network a %s %s",
			rule ? "" : of_networks[i - COUNT(of_rules)].mode, option);
		column = (int)strlen(policy) + 2;
		text_append(policy, sizeof(policy), " %s", option);
		snprintf(words, sizeof(words), "1:%d: '%.*s' for the second time, expected it once", column,
			(int)strcspn(option, "="), option);
		check_rows(&(const struct row){policy, words}, 1);
		command("ip link del br0");
	}
}

#define FOR_STANDALONE "' on a rule for 'a', expected none that needs a bridge: it is a standalone network"
#define FOR_OWN_BRIDGE "' on a rule for 'a', expected neither 'guard' nor 'vlan=': the bridge of its mode, '"

static void test_contradictions(void **state)
{
	static const struct row rows[] = {
		{"network a standalone 10.0.0.1/24 vlan=7", "1:34: option 'vlan' on a standalone network, expected "},
		{"network a standalone 10.0.0.1/24 guard", "1:34: option 'guard' on a standalone network, expected "},
		{"network a standalone 10.0.0.1/24 lock-mac",
			"1:34: option 'lock-mac' on a standalone network, expected "},
		{"network a standalone 10.0.0.1/24 isolated",
			"1:34: option 'isolated' on a standalone network, expected "},
		{"network a standalone 10.0.0.1/24 mac=52:54:00:12:34:56",
			"1:34: option 'mac' on a standalone network, expected "},
		{"network a standalone 10.0.0.1/24 dhcp=10.0.0.2-10.0.0.9",
			"1:34: option 'dhcp' on a standalone network, expected "},
		{"network a bridged dhcp=10.0.0.2-10.0.0.9", "1:19: option 'dhcp' on a bridged network, expected "},
		{"network a internal dhcp=10.0.0.2-10.0.0.9", "1:20: option 'dhcp' on an internal network, expected "},
		{"network a bridged per-vm=/30", "1:19: option 'per-vm' on a bridged network, expected "},
		{"network a internal per-vm=/30", "1:20: option 'per-vm' on an internal network, expected "},
		{"network a nat 10.0.0.1/24 per-vm=/30", "1:27: option 'per-vm' on a nat network, expected "},
		{"network a host-only 10.0.0.1/24 per-vm=/30",
			"1:33: option 'per-vm' on a host-only network, expected "},
		{"network a bridged 10.0.0.1/24", "1:19: address on a bridged network, expected none"},
		{"network a internal fd00::1/64", "1:20: address on an internal network, expected none"},
		{"network a nat 10.0.0.1/24 guard", "1:27: option 'guard' on a nat network, expected "},
		{"network a nat 10.0.0.1/24 vlan=7", "1:27: option 'vlan' on a nat network, expected "},
		{"network a host-only 10.0.0.1/24 guard", "1:33: option 'guard' on a host-only network, expected "},
		{"network a host-only 10.0.0.1/24 vlan=7", "1:33: option 'vlan' on a host-only network, expected "},
		{"network a internal guard", "1:20: option 'guard' on an internal network, expected "},
		{"network a internal vlan=7", "1:20: option 'vlan' on an internal network, expected "},
		{"network br0 bridged mac=52:54:00:12:34:56", "1:21: option 'mac' on a bridged network, expected "},
		{"network br0 bridged max=2", "1:21: option 'max' on a bridged network, expected "},
		{"allow br0 dhcp=10.0.0.2-10.0.0.9", "1:11: option 'dhcp' on an allow rule, expected "},
		{"allow br0 per-vm=/30", "1:11: option 'per-vm' on an allow rule, expected "},
		{"deny br1 max=2", "1:10: option 'max' on a deny rule, expected "},
		{"deny br1 lock-mac", "1:10: option 'lock-mac' on a deny rule, expected "},
		{"allow br0 user=alice group=students", "1:22: user= and group= on one rule, expected two rules"},
		{"network a standalone 10.0.0.1/24\nallow a mac=52:54:00:12:34:56", "2:9: option 'mac" FOR_STANDALONE},
		{"network a standalone 10.0.0.1/24\nallow a lock-mac", "2:9: option 'lock-mac" FOR_STANDALONE},
		{"network a standalone 10.0.0.1/24\nallow a guard", "2:9: option 'guard" FOR_STANDALONE},
		{"allow a vlan=7\nnetwork a standalone 10.0.0.1/24", "1:9: option 'vlan" FOR_STANDALONE},
		{"network a nat 10.0.0.1/24\nallow a guard", "2:9: option 'guard" FOR_OWN_BRIDGE "nat'"},
		{"allow a vlan=7\nnetwork a host-only 10.0.0.1/24", "1:9: option 'vlan" FOR_OWN_BRIDGE "host-only'"},
		{"network a internal\nallow a max=2 vlan=7", "2:15: option 'vlan" FOR_OWN_BRIDGE "internal'"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

/*
 * Rules for all are for networks that can have it, too: `check` has nothing against them, and the helper refuses who
 * asks for one that cannot. Before it looks whether the network is up.
 */
static void test_rules_for_all(void **state)
{
	static const struct {
		const char *network, *option, *words;
	} rows[] = {
		{"standalone 10.0.0.1/24", "lock-mac",
			"'lock-mac' on 'a', which is a standalone network and has no bri"},
		{"standalone 10.0.0.1/24", "mac=52:54:00:12:34:56", "'mac' on 'a', which is a standalone network and "},
		{"standalone 10.0.0.1/24", "guard",
			"'guard' on 'a', which is a standalone network and has no bridge; "},
		{"standalone 10.0.0.1/24", "vlan=7", "'vlan' on 'a', which is a standalone network and has no bridge"},
		{"nat 10.0.0.1/24", "guard",
			"'guard' on 'a', whose bridge has no spanning tree and no VLANs; an admin"},
		{"host-only 10.0.0.1/24", "vlan=7", "'vlan' on 'a', whose bridge has no spanning tree and no VLANs; "},
		{"internal", "guard vlan=7",
			"'guard' on 'a', whose bridge has no spanning tree and no VLANs; an admin"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char policy[256], words[256];

		snprintf(policy, sizeof(policy), "network a %s\nallow all %s\n", rows[i].network, rows[i].option);
		write_policy(policy);
		snprintf(words, sizeof(words), "/etc/tapgate.conf:2 asks for %s", rows[i].words);
		expect_refusal(&(struct call){.about = policy, .argv = ARGS("--net=a", FD)}, 4, words);
		/* For other networks the rule may be of use, unless this kernel has no VLANs at all. */
		command("\"$TAPGATE\" check >/run/said 2>&1 || ! grep -v -e 'warning: ' -e '^ ' /run/said | "
			"grep -vF \"this kernel does not give 'vlan=7'\"");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_out_of_range),
		TEST(test_repeated),
		TEST(test_contradictions),
		TEST(test_rules_for_all),
	};

	return RUN_TESTS(tests);
}
