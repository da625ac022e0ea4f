/* SPDX-License-Identifier: MIT */
/*
 * Tests of `guest` and `forward` lines: what they take, what is refused and with which words, and what comes of good
 * ones.
 */
#include <arpa/inet.h>

#include "tests/unit/test_policy.h"

#define WEB	      "network web nat 10.77.0.1/24 fd00:77::1/64 dhcp=10.77.0.100-10.77.0.200\n"
#define HOME	      "network home shared 10.78.0.1/24 fd00:78::1/64\n"
#define BOX	      "guest box on home ip=10.78.0.20 ip6=fd00:78::20\n"
#define MAC	      "mac=52:54:00:12:34:56"

#define ON_HOME(rest) TEXT(HOME rest)

static void test_guests(void **state)
{
	static const struct policy_row rows[] = {
		{ON_HOME(BOX), ""},
		{TEXT("guest box on web " MAC " ip=10.77.0.20\n" WEB), ""},
		{TEXT(WEB "guest box on web " MAC "\n"), ""},
		{TEXT(WEB HOME BOX "guest box on web " MAC "\n"), ""}, /* one guest with two cards */
		{TEXT("network tap1 standalone 172.16.2.1/24\nguest a on tap1 ip=172.16.2.2\n"), ""},
		{ON_HOME("guest\n"), "/p:2:6: no name, expected one as in 'guest box on lab ip=172.16.2.20'"},
		{ON_HOME("guest a.b on home ip=10.78.0.2\n"),
			"/p:2:7: guest 'a.b', expected letters, digits and '-', at most 63"},
		{ON_HOME("guest -a on home ip=10.78.0.2\n"),
			"/p:2:7: guest '-a', expected letters, digits and '-', at most 63"},
		{ON_HOME("guest WPAD on home ip=10.78.0.2\n"),
			"/p:2:7: guest 'WPAD', expected letters, digits and '-', at most 63"},
		{ON_HOME("guest box home ip=10.78.0.2\n"),
			"/p:2:11: no 'on', expected one as in 'guest box on lab ip=172.16.2.20'"},
		{ON_HOME("guest box on\n"),
			"/p:2:13: no network, expected one as in 'guest box on lab ip=172.16.2.20'"},
		{ON_HOME("guest box on lab ip=10.78.0.2\n"),
			"/p:2:14: unknown network 'lab', expected one that a 'network' line describes"},
		{TEXT("network br0 bridged\nguest box on br0 " MAC "\n"),
			"/p:2:14: a guest on a bridged network, expected a network on which guests have addresses of their own"},
		{TEXT("network quiet internal\nguest box on quiet " MAC "\n"),
			"/p:2:14: a guest on an internal network, expected a network on which guests have addresses of their "
			"own"},
		{TEXT("network cell standalone 172.16.128.0/17 per-vm=/30\nguest box on cell ip=172.16.128.2\n"),
			"/p:2:22: an address on a pool, where a machine has the first subnet that is free, expected 'mac=' alone, or a network without 'per-vm='"},
		{TEXT("network cell standalone fd00:c::/64 per-vm=/126\nguest box on cell " MAC " ip6=fd00:c::2\n"),
			"/p:2:45: an address on a pool, where a machine has the first subnet that is free, expected 'mac=' alone, or a network without 'per-vm='"},
		{TEXT("network cell standalone 172.16.128.0/17 per-vm=/30\nguest box on cell " MAC "\n"), ""},
		{TEXT("network cell standalone 172.16.128.0/17 per-vm=/30\nguest a on cell " MAC
		      "\nguest b on cell " MAC "\n"),
			"/p:3:17: guest 'b' has the address of guest 'a' (/p:2), expected its own"},
		{ON_HOME("guest box on home\n"),
			"/p:2:18: a guest without anything of its own, expected 'mac=', 'ip=' or 'ip6='"},
		{ON_HOME("guest box on home max=1\n"),
			"/p:2:19: option 'max' on a guest, expected 'mac=', 'ip=' or 'ip6='"},
		{ON_HOME("guest box on home ip=10.78.0.2 ip=10.78.0.3\n"),
			"/p:2:32: 'ip' for the second time, expected it once"},
		{ON_HOME("guest box on home # mine\n"),
			"/p:2:19: '#' after a guest, expected comments on lines of their own"},
		{ON_HOME("guest box on home ip=10.78.0.300\n"),
			"/p:2:22: '10.78.0.300' is no IPv4 address, expected one as in 172.16.2.20"},
		{ON_HOME("guest box on home ip6=10.78.0.3\n"),
			"/p:2:23: '10.78.0.3' is no IPv6 address, expected one as in fd00:2::20"},
		{ON_HOME("guest box on home ip=10.79.0.2\n"),
			"/p:2:22: address '10.79.0.2' is not in the network's subnet, expected one that is"},
		{ON_HOME("guest box on home ip=10.78.0.1\n"),
			"/p:2:22: address '10.78.0.1' is the host's own, expected another one"},
		{ON_HOME("guest box on home ip=10.78.0.0\n"),
			"/p:2:22: address '10.78.0.0' is the subnet's own or its broadcast, expected a guest's"},
		{ON_HOME("guest box on home ip=10.78.0.255\n"),
			"/p:2:22: address '10.78.0.255' is the subnet's own or its broadcast, expected a guest's"},
		{ON_HOME("guest box on home ip6=fd00:78::\n"),
			"/p:2:23: address 'fd00:78::' is the subnet's own, expected a guest's"},
		{TEXT("network h shared 10.78.0.1/24\nguest box on h ip6=fd00:78::2\n"),
			"/p:2:20: address 'fd00:78::2' is not in the network's subnet, expected one that is"},
		{TEXT(WEB "guest box on web ip=10.77.0.20\n"),
			"/p:2:18: an address without 'mac=' on a network with 'dhcp=', expected both: it is by the hardware "
			"address that DHCP knows a guest"},
		{TEXT("network w nat 10.0.0.1/8 fd00::1/48 dhcp=10.0.0.2-10.0.0.9\nguest box on w " MAC
		      " ip6=fd00:0:0:1::2\n"),
			"/p:2:42: address 'fd00:0:0:1::2' is not in the network's subnet, expected one that is"},
		{ON_HOME(BOX "guest Box on home ip=10.78.0.21\n"),
			"/p:3:7: guest 'Box' has the name of guest 'box' (/p:2), expected its own"},
		{ON_HOME(BOX "guest a on home ip=10.78.0.20\n"),
			"/p:3:17: guest 'a' has the address of guest 'box' (/p:2), expected its own"},
		{ON_HOME(BOX "guest a on home ip6=fd00:78:0::20\n"),
			"/p:3:17: guest 'a' has the address of guest 'box' (/p:2), expected its own"},
		{ON_HOME("guest a on home " MAC "\nguest b on home ip=10.78.0.4 " MAC "\n"),
			"/p:3:30: guest 'b' has the address of guest 'a' (/p:2), expected its own"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

static void test_forwards(void **state)
{
	static const struct policy_row rows[] = {
		{TEXT("forward 8022/tcp to box:22\n" BOX HOME), ""},
		{ON_HOME(BOX "forward 8000-8010/udp to BOX on 192.0.2.1 for home\n"), ""},
		{ON_HOME(BOX "forward 80/tcp to box on 192.0.2.1\nforward 80/tcp to box on 192.0.2.2\n"), ""},
		{ON_HOME(BOX "forward 80/tcp to box\nforward 80/udp to box\n"), ""},
		{ON_HOME("guest a on home ip=10.78.0.2\nguest b on home ip6=fd00:78::2\n"
			 "forward 80/tcp to a\nforward 80/tcp to b\n"),
			""},
		{ON_HOME(BOX "forward\n"), "/p:3:8: no port, expected one as in 'forward 8022/tcp to box:22'"},
		{ON_HOME(BOX "forward 80 to box\n"),
			"/p:3:9: '80', expected a port and its protocol as in 8022/tcp or 6000-6010/udp"},
		{ON_HOME(BOX "forward 80/sctp to box\n"),
			"/p:3:9: '80/sctp', expected a port and its protocol as in 8022/tcp or 6000-6010/udp"},
		{ON_HOME(BOX "forward 0/tcp to box\n"), "/p:3:9: port '0', expected numbers from 1 to 65535"},
		{ON_HOME(BOX "forward 80-65536/tcp to box\n"),
			"/p:3:9: port '80-65536', expected numbers from 1 to 65535"},
		{ON_HOME(BOX "forward 80-/tcp to box\n"), "/p:3:9: port '80-', expected numbers from 1 to 65535"},
		{ON_HOME(BOX "forward 80-79/tcp to box\n"),
			"/p:3:9: the range of ports ends before it begins, expected the lower port first"},
		{ON_HOME(BOX "forward 80/tcp box\n"),
			"/p:3:16: no 'to', expected one as in 'forward 8022/tcp to box:22'"},
		{ON_HOME(BOX "forward 80/tcp to\n"),
			"/p:3:18: no guest, expected one as in 'forward 8022/tcp to box:22'"},
		{ON_HOME(BOX "forward 80/tcp to 10.78.0.20:80\n"),
			"/p:3:19: an address, expected the name of a guest, whose 'guest' line has 'ip='"},
		{ON_HOME(BOX "forward 80/tcp to fd00:78::20\n"),
			"/p:3:19: an address, expected the name of a guest, whose 'guest' line has 'ip6='"},
		{ON_HOME(BOX "forward 80/tcp to b_x\n"), "/p:3:19: guest 'b_x', expected the name of a guest"},
		{ON_HOME(BOX "forward 80/tcp to box:0\n"), "/p:3:23: port '0', expected a number from 1 to 65535"},
		{ON_HOME(BOX "forward 80-90/tcp to box:80\n"),
			"/p:3:26: a port behind the guest's name, expected none with a range: a guest has the same ports"},
		{ON_HOME(BOX "forward 80/tcp to nobody\n"),
			"/p:3:19: unknown guest 'nobody', expected one that a 'guest' line describes"},
		{TEXT(WEB HOME BOX "forward 80/tcp to box for web\n"),
			"/p:4:19: unknown guest 'box' on web, expected one that a 'guest' line describes"},
		{TEXT(WEB HOME BOX "guest box on web " MAC " ip=10.77.0.20\nforward 80/tcp to box\n"),
			"/p:5:19: guest 'box' is on 'home' and on 'web', expected 'for NETWORK' behind it"},
		{ON_HOME(BOX "forward 80/tcp to box for lab\n"),
			"/p:3:27: unknown network 'lab', expected one that a 'network' line describes"},
		{ON_HOME(BOX "forward 80/tcp to box for\n"), "/p:3:26: no network behind 'for', expected one"},
		{ON_HOME(BOX "forward 80/tcp to box for home for home\n"),
			"/p:3:32: 'for' for the second time, expected it once"},
		{ON_HOME(BOX "forward 80/tcp to box on\n"), "/p:3:25: no address behind 'on', expected one"},
		{ON_HOME(BOX "forward 80/tcp to box on eth0\n"),
			"/p:3:26: address 'eth0', expected an address of the host's"},
		{ON_HOME(BOX "forward 80/tcp to box on 127.0.0.1\n"),
			"/p:3:26: a forward on a loopback address, expected another one of the host's: the kernel takes no "
			"such connection beyond the host"},
		{ON_HOME(BOX "forward 80/tcp to box on ::1\n"),
			"/p:3:26: a forward on a loopback address, expected another one of the host's: the kernel takes no "
			"such connection beyond the host"},
		{ON_HOME(BOX "forward 80/tcp to box at home\n"),
			"/p:3:23: unknown word 'at' on a forward, expected 'on ADDRESS' or 'for NETWORK'"},
		{ON_HOME("guest a on home " MAC "\nforward 80/tcp to a\n"),
			"/p:3:19: guest 'a' has no address, expected 'ip=' or 'ip6=' on its line (/p:2)"},
		{ON_HOME("guest a on home ip=10.78.0.2\nforward 80/tcp to a on 2001:db8::1\n"),
			"/p:3:19: guest 'a' has no IPv6 address, expected 'ip6=' on its line (/p:2)"},
		{TEXT("network tap1 standalone 172.16.2.1/24\nguest a on tap1 ip=172.16.2.2\nforward 80/tcp to a\n"),
			""},
		{TEXT("network cell standalone 172.16.128.0/17 per-vm=/30\nguest a on cell " MAC
		      "\nforward 80/tcp to a\n"),
			"/p:3:19: a forward to a guest on a pool, where a machine has the first subnet that is free, expected one on a network without 'per-vm='"},
		{ON_HOME(BOX "forward 80-90/tcp to box\nforward 85/tcp to box on 192.0.2.1\n"),
			"/p:4:9: port '85/tcp' is forwarded already (/p:3), expected another one"},
	};

	(void)state;
	check_policy_rows(rows, COUNT(rows));
}

/* A line that speaks of what stands in a file that the caller may not read says nothing to that caller. */
static void test_hidden(void **state)
{
	static const struct memory_file files[] = {
		FILE_OF("/p", "include /alice\nallow home\nguest box on home ip=10.78.0.20\nforward 80/tcp to box\n"),
		FILE_HIDDEN("/alice"), END_OF_FILES};
	char error[512];
	struct policy *policy;

	(void)state;
	policy = memory_load(files, error);
	assert_string_equal(error, "");
	policy_free(policy);
}

static void test_what_they_say(void **state)
{
	static const char text[] =
		WEB HOME BOX "guest a on web " MAC " ip=10.77.0.20\nforward 80-81/tcp to box\n"
			     "forward 8022/tcp to a:22 on 192.0.2.1\nforward 90/udp to box on 2001:db8::1\n";
	char error[512], address[INET6_ADDRSTRLEN];
	struct policy *policy = memory_load_text(text, sizeof(text) - 1, error);
	const struct policy_network *networks;
	const struct policy_guest *guest;
	const struct policy_forward *forward;
	size_t count;

	(void)state;
	assert_non_null(policy);
	networks = policy_networks(policy, &count);
	guest = policy_next_guest(&networks[0], NULL);
	assert_string_equal(guest->name, "a");
	assert_int_equal(guest->options.mac[5], 0x56);
	assert_string_equal(inet_ntop(AF_INET, guest->ipv4, address, sizeof(address)), "10.77.0.20");
	assert_null(policy_next_guest(&networks[0], guest));
	forward = policy_next_forward(&networks[0], NULL);
	assert_int_equal(forward->first, 8022);
	assert_int_equal(forward->to, 22);
	assert_true(forward->ipv4 && !forward->ipv6 && !forward->udp && forward->guest == guest);
	assert_null(policy_next_forward(&networks[0], forward));
	forward = policy_next_forward(&networks[1], NULL);
	assert_true(forward->first == 80 && forward->last == 81 && forward->to == 0 && forward->ipv4 && forward->ipv6);
	forward = policy_next_forward(&networks[1], forward);
	assert_true(forward->udp && forward->ipv6 && !forward->ipv4 && forward->line == 7);
	assert_null(policy_next_forward(&networks[1], forward));
	policy_free(policy);
}

/* As many as there may be on one network, and one more. */
static void test_many(void **state)
{
	char error[512], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs("network w shared 10.0.0.1/8\n", out);
	for (unsigned int i = 0; i < POLICY_GUESTS_MAX; i++)
		fprintf(out, "guest g%u on w ip=10.1.%u.%u\n", i, i / 200, i % 200 + 1);
	fflush(out);
	policy_free(memory_load_text(text, size, error));
	assert_string_equal(error, "");
	fputs("guest more on w ip=10.2.0.1\n", out);
	fclose(out);
	policy_free(memory_load_text(text, size, error));
	assert_string_equal(error, "/p:130:1: more than 128 guests on one network");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guests),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_what_they_say),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
