/*
 * Standalone networks: taps that carry the host's address, and the network's name, which is what hands them out; names
 * that are taken, and what holders do. Many who ask at once: test_standalone_crowds.c.
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAP1 ARGS("--br=tap1", FD)
#define CELL ARGS("--br=cell", FD)
#define ITS_ONE                                                                                                        \
	"network 'tap1' has its one virtual machine already: interface 'tap1'; end that one first, or an "             \
	"administrator can run: ip link delete tap1"
#define FOREIGN                                                                                                        \
	"network 'tap1' cannot have its tap: another interface has the name 'tap1'; an administrator can "             \
	"rename one of the two"

static void prepare(const char *network, const char *rule, const char *line)
{
	char policy[256];

	make_network(network, "standalone");
	snprintf(policy, sizeof(policy), "allow %s %s\nnetwork %s standalone %s\n", network, rule, network, line);
	write_policy(policy);
}

/*
 *	alice --- tap1 (the host's addresses, as the policy has them)
 */
static void test_addresses(void **state)
{
	static const struct {
		const char *line, *addresses, *mtu;
	} rows[] = {
		{"172.16.2.1/24", "172.16.2.1/24", "1500"},
		{"fd00:2::1/64", "fd00:2::1/64", "1500"},
		{"172.16.2.1/24 fd00:2::1/64", "172.16.2.1/24 fd00:2::1/64", "1500"},
		{"fd00:2::1/64 10.1.2.3/8 mtu=9000", "10.1.2.3/8 fd00:2::1/64", "9000"},
		{"172.16.2.0/31 fd00:2::/127", "172.16.2.0/31 fd00:2::/127", "1500"},
		{"172.16.2.7/32 mtu=65521", "172.16.2.7/32", "65521"},
		{"172.16.2.1/24 mtu=68", "172.16.2.1/24", "68"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct result result;
		char *before;

		/* Without a bridge there is nothing to isolate it from. */
		prepare("tap1", i % 2 ? "isolated" : "", rows[i].line);
		before = snapshot();
		result = hold(&(struct call){.about = rows[i].line, .argv = TAP1}, NULL);
		assert_string_equal(tap_of(&result), "tap1");
		assert_string_equal(addresses_on("tap1"), rows[i].addresses);
		assert_string_equal(first_line("/sys/class/net/tap1/mtu"), rows[i].mtu);
		give_back(&result);
		assert_unchanged(before);
		clean_world(NULL);
	}
}

/* IPv6 that is switched off on the host: what needs it is refused, the rest is not concerned. */
static void test_without_ipv6(void **state)
{
	(void)state;
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", 0, 0, 0);
	prepare("tap1", "", "172.16.2.1/24 fd00:2::1/64");
	expect_refusal(
		&(struct call){.about = "with IPv6", .argv = TAP1}, 1, "cannot give the tap 'tap1' its IPv6 address");
	clean_world(NULL);
	prepare("tap1", "", "172.16.2.1/24");
	expect_grant(&(struct call){.about = "without IPv6", .argv = TAP1}, NULL);
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0", 0, 0, 0);
}

/*
 *	alice --- cell-1, cell-2, ... (each a subnet of its own)
 */
static void test_pools(void **state)
{
	static const struct {
		const char *line, *addresses[5];
	} rows[] = {
		{"172.16.128.0/28 per-vm=/30",
			{"172.16.128.1/30", "172.16.128.5/30", "172.16.128.9/30", "172.16.128.13/30", NULL}},
		{"172.16.128.0/30 per-vm=/31", {"172.16.128.0/31", "172.16.128.2/31", NULL}},
		{"fd00:4::/62 per-vm=/64",
			{"fd00:4::1/64", "fd00:4:0:1::1/64", "fd00:4:0:2::1/64", "fd00:4:0:3::1/64", NULL}},
		{"10.0.0.0/8 fd00:4::/126 per-vm=/24,/127",
			{"10.0.0.1/24 fd00:4::/127", "10.0.1.1/24 fd00:4::2/127", NULL}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct result held[5];
		size_t count = 0;
		char *before;

		prepare("cell", "", rows[i].line);
		before = snapshot();
		for (const struct call call = {.about = rows[i].line, .argv = CELL}; rows[i].addresses[count];
			count++) {
			char name[16];

			snprintf(name, sizeof(name), "cell-%zu", count + 1);
			held[count] = hold(&call, NULL);
			assert_string_equal(tap_of(&held[count]), name);
			assert_string_equal(addresses_on(name), rows[i].addresses[count]);
		}
		expect_refusal(&(struct call){.about = "full", .argv = CELL}, 5,
			count == 2 ? "network 'cell' has none of its 2 subnets free; end a virtual machine there first"
				   : "network 'cell' has none of its 4 subnets free");
		give_back(&held[1]);
		held[1] = hold(&(struct call){.about = "the one that is free", .argv = CELL}, NULL);
		assert_string_equal(tap_of(&held[1]), "cell-2");
		assert_string_equal(addresses_on("cell-2"), rows[i].addresses[1]);
		while (count-- > 0)
			give_back(&held[count]);
		assert_unchanged(before);
		clean_world(NULL);
	}
}

/*
 *	root --- tap1, of whatever kind
 *	alice --- ?
 */
static void test_names_that_are_taken(void **state)
{
	static const struct {
		const char *about, *prepare;
		int code;
		const char *words;
	} rows[] = {
		{"no tap", "ip link add tap1 type ifb", 1, FOREIGN},
		{"no tap, with a tap's alias",
			"ip link add tap1 type ifb && ip link set tap1 alias 'tapgate uid=1000 net=tap1 vmm=1'", 1,
			FOREIGN},
		{"a bridge", "ip link add tap1 type bridge", 1, FOREIGN},
		{"a tap of root's", "ip tuntap add tap1 mode tap", 1, FOREIGN},
		{"a tap of alice's", "ip tuntap add tap1 mode tap user alice", 1, FOREIGN},
		{"a tun of alice's", "ip tuntap add tap1 mode tun user alice", 1, FOREIGN},
		{"a tap for something", "ip tuntap add tap1 mode tap && ip link set tap1 alias something", 1, FOREIGN},
		{"another network's tap",
			"ip tuntap add tap1 mode tap && ip link set tap1 alias 'tapgate uid=1000 net=tap vmm=1'", 1,
			FOREIGN},
		{"an alternative name", "ip link add other type ifb && ip link property add dev other altname tap1", 1,
			FOREIGN},
		{"a tap's alternative name",
			"ip tuntap add other mode tap && ip link property add dev other altname tap1", 1, FOREIGN},
		{"a leftover of hers",
			"ip tuntap add tap1 mode tap user alice && "
			"ip link set tap1 alias 'tapgate uid=1000 net=tap1 vmm=1'",
			5, ITS_ONE},
		{"a leftover of bob's",
			"ip tuntap add tap1 mode tap user bob && "
			"ip link set tap1 alias 'tapgate uid=1001 net=tap1 vmm=1'",
			5, ITS_ONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		prepare("tap1", "", "172.16.2.1/24");
		command("%s", rows[i].prepare);
		expect_refusal(&(struct call){.about = rows[i].about, .argv = TAP1}, rows[i].code, rows[i].words);
		clean_world(NULL);
		/* In a pool there are others. */
		prepare("tap", "", "172.16.128.0/29 per-vm=/30");
		command("%s && for name in $(ls /sys/class/net); do case $name in lo) ;; *) "
			"ip link property del dev $name altname tap1 2>/dev/null; "
			"ip link set $name name tap-1;; esac; done",
			rows[i].prepare);
		struct result result = hold(&(struct call){.about = rows[i].about, .argv = ARGS("--br=tap", FD)}, NULL);
		assert_string_equal(tap_of(&result), "tap-2");
		give_back(&result);
		clean_world(NULL);
	}
}

/* --- what the holder can do --------------------------------------------------------------------------------------- */

/* What a holder tries: it must fail with EPERM. Returns which one did not, from 1. */
static int try_to_change(void *context)
{
	static const int changes[] = {
		SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFFLAGS, SIOCSIFMTU, SIOCSIFNAME, SIOCSIFHWADDR};
	int control = socket(AF_INET, SOCK_DGRAM, 0);

	(void)context;
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct ifreq request = {.ifr_name = "tap1"};

		request.ifr_addr.sa_family = AF_INET;
		if (changes[i] == SIOCSIFNAME)
			strcpy(request.ifr_newname, "tap2");
		if (ioctl(control, (unsigned long)changes[i], &request) == 0 || errno != EPERM)
			return (int)i + 1;
	}
	return 0;
}

/*
 *	alice --- tap1, which she holds, and then makes persistent and leaves
 *
 * Its name and addresses are out of her reach. What she leaves keeps the name, and says whose it was.
 */
static void test_what_holders_do(void **state)
{
	const unsigned char mac[] = {2, 0, 0, 0, 0, 7};
	struct ifreq request = {0}, other = {.ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = "tap2"}, hardware = {0};
	struct result held;

	(void)state;
	prepare("tap1", "", "172.16.2.1/24 fd00:2::1/64");
	held = hold(&(struct call){.about = "held", .argv = TAP1}, NULL);
	EXPECT(&held, as_user(&alice, try_to_change, NULL) == 0);
	EXPECT(&held, ioctl(held.tap, TUNSETIFF, &other) < 0);
	assert_tap(&held, NULL);
	/* What the kernel lets her do, and what is so all the same. */
	hardware.ifr_hwaddr.sa_family = 1; /* ARPHRD_ETHER */
	memcpy(hardware.ifr_hwaddr.sa_data, mac, sizeof(mac));
	EXPECT(&held, ioctl(held.tap, SIOCSIFHWADDR, &hardware) == 0);
	EXPECT(&held, ioctl(held.tap, TUNSETCARRIER, &(int){0}) == 0 && ioctl(held.tap, TUNSETCARRIER, &(int){1}) == 0);
	EXPECT(&held, ioctl(held.tap, TUNSETOWNER, (unsigned long)BOB) == 0);
	EXPECT(&held, ioctl(held.tap, TUNGETIFF, &request) == 0 && strcmp(request.ifr_name, "tap1") == 0);
	assert_string_equal(addresses_on("tap1"), "172.16.2.1/24 fd00:2::1/64");
	expect_refusal(&(struct call){.about = "while it is held", .argv = TAP1}, 5, ITS_ONE);
	expect_refusal(&(struct call){.about = "bob", .argv = TAP1, .user = &bob}, 5, ITS_ONE);
	EXPECT(&held, ioctl(held.tap, TUNSETPERSIST, 1UL) == 0);
	close(held.tap);
	expect_refusal(&(struct call){.about = "left behind", .argv = TAP1}, 5, ITS_ONE);
	expect_refusal(&(struct call){.about = "left behind, bob", .argv = TAP1, .user = &bob}, 5, ITS_ONE);
	command("ip link delete tap1");
	expect_grant(&(struct call){.about = "deleted", .argv = TAP1}, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_without_ipv6),
		TEST(test_pools),
		TEST(test_names_that_are_taken),
		TEST(test_what_holders_do),
	};

	return have_program("nft") ? RUN_TESTS(tests) : 0;
}
