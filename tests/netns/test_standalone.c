// SPDX-License-Identifier: MIT
/*
 * Standalone networks: what holders do. (Addresses, pools and names that are taken: standalone.md. Many who ask at
 * once: test_standalone_crowds.c.)
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
#define ITS_ONE                                                                                                        \
	"network 'tap1' has its one virtual machine already: interface 'tap1'; end that one first, or an "             \
	"administrator can run: ip link delete tap1"

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
	make_network("tap1", "standalone");
	write_policy("allow tap1\nnetwork tap1 standalone 172.16.2.1/24 fd00:2::1/64\n");
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
		TEST(test_what_holders_do),
	};

	return have_program("nft") ? RUN_TESTS(tests) : 0;
}
