// SPDX-License-Identifier: MIT
/*
 * lock-mac: a guest sends from the one address that its port is locked to, which is its own and nobody else's, whatever
 * the holder of the descriptor does. (Which address: test_lock_mac.c.)
 */
#include "tests/netns/harness.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "policy/text.h"
#include "tests/netns/frames.h"
#include "tests/netns/locked.h"

#define EVERYBODY "ff:ff:ff:ff:ff:ff"

/* That a frame from an address does not pass, and one from the guest's own does, behind it. */
static void check_held(const struct result *result, int host, const char *to, const char *spoofed, const char *right)
{
	static unsigned int number;

	number += 2;
	send_frame(result, to, spoofed, number);
	send_frame(result, to, right, number + 1);
	EXPECT(result, frame_comes(host, number + 1));
}

/*
 *	alice --- tap, locked --- br0 --- a packet socket
 *
 * Frames from other addresses: not forwarded, not learned, to whomever they go.
 */
static void test_spoofed_sources(void **state)
{
	const char *const sources[] = {BR0_MAC, "52:54:00:00:00:01", own_address(&alice, 2), own_address(&bob, 1),
		"00:00:00:00:00:00", "01:00:5e:00:00:01"};
	struct result result;
	char learned[64];
	int host;

	(void)state;
	make_br0();
	write_policy("allow br0 lock-mac\n");
	result = hold(&(struct call){.about = "spoofing"}, "br0");
	await_forwarding(&result);
	host = packet_socket("br0");
	for (size_t i = 0; i < COUNT(sources); i++) {
		check_held(&result, host, EVERYBODY, sources[i], own_address(&alice, 1));
		send_frame(&result, "01:80:c2:00:00:0e", sources[i], 9); /* for the bridge itself, as LLDP */
		send_frame(&result, "01:80:c2:00:00:00", sources[i], 9);
		check_held(&result, host, EVERYBODY, sources[i], own_address(&alice, 1));
		snprintf(learned, sizeof(learned), "%s dev %s master", sources[i], tap_of(&result));
		EXPECT(&result, !has_entry(learned));
	}
	assert_locked(&result, own_address(&alice, 1));
	close(host);
	give_back(&result);
}

/*
 *	alice --- tap, locked --- br0: ten thousand addresses, and not one more entry; without the lock there are
 */
static void test_flooding(void **state)
{
	(void)state;
	make_br0();
	for (int locked = 1; locked >= 0; locked--) {
		struct result result;
		unsigned int before;
		int host;

		write_policy(locked ? "allow br0 lock-mac\n" : "allow br0\n");
		result = hold(&(struct call){.about = "flooding"}, "br0");
		await_forwarding(&result);
		host = packet_socket("br0");
		send_frame(&result, EVERYBODY, own_address(&alice, 1), 1);
		EXPECT(&result, frame_comes(host, 1));
		close(host); /* its queue is too small for what follows */
		before = count_entries();
		for (unsigned int i = 0; i < 10000; i++) {
			char from[MAC_TEXT];

			snprintf(from, sizeof(from), "52:00:00:00:%02x:%02x", i >> 8 & 0xff, i & 0xff);
			send_frame(&result, EVERYBODY, from, 2);
		}
		host = packet_socket("br0");
		send_frame(&result, EVERYBODY, own_address(&alice, 1), 3);
		EXPECT(&result, frame_comes(host, 3) || locked == 0);
		close(host);
		EXPECT(&result, locked ? count_entries() == before : count_entries() > before + 1000);
		give_back(&result);
	}
}

static void set_mac(const struct result *result, const char *mac)
{
	struct ifreq request = {0};

	request.ifr_hwaddr.sa_family = 1; /* ARPHRD_ETHER */
	memcpy(request.ifr_hwaddr.sa_data, mac_of(mac), 6);
	EXPECT(result, ioctl(result->tap, SIOCSIFHWADDR, &request) == 0);
}

/*
 *	alice --- tap, locked; its hardware address, owner, group, carrier changed; made persistent --- br0
 */
static void test_what_the_holder_can_do(void **state)
{
	const char *const macs[] = {"52:54:00:00:00:05", own_address(&bob, 1), "02:00:5e:00:00:07"};
	struct result result;
	int host, carrier = 0;

	(void)state;
	make_br0();
	write_policy("allow br0 lock-mac\n");
	result = hold(&(struct call){.about = "the holder"}, "br0");
	await_forwarding(&result);
	host = packet_socket("br0");
	for (size_t i = 0; i < COUNT(macs); i++) {
		set_mac(&result, macs[i]);
		check_held(&result, host, EVERYBODY, macs[i], own_address(&alice, 1));
		EXPECT(&result, shell_status("bridge fdb show br br0 brport %s | grep -q '^%s.* static'",
					tap_of(&result), own_address(&alice, 1)) == 0);
	}
	EXPECT(&result, ioctl(result.tap, TUNSETOWNER, (unsigned long)BOB) == 0);
	EXPECT(&result, ioctl(result.tap, TUNSETGROUP, (unsigned long)BOB) == 0);
	EXPECT(&result, ioctl(result.tap, TUNSETCARRIER, &carrier) == 0);
	carrier = 1;
	EXPECT(&result, ioctl(result.tap, TUNSETCARRIER, &carrier) == 0);
	await_forwarding(&result);
	check_held(&result, host, EVERYBODY, "52:54:00:00:00:06", own_address(&alice, 1));
	assert_locked(&result, own_address(&alice, 1));
	/* Its own address as the tap's: the bridge then takes it for the host's, and nothing passes at all. */
	set_mac(&result, own_address(&alice, 1));
	send_frame(&result, EVERYBODY, own_address(&alice, 1), 60001);
	send_frame(&result, EVERYBODY, "52:54:00:00:00:06", 60002);
	EXPECT(&result, !frame_comes(host, 60001));
	close(host);
	give_back(&result);
}

/*
 *	alice --- tap, locked --- br0 --- tap, not locked --- bob, who sends from her address
 *
 * What goes to her still goes to her.
 */
static void test_a_neighbour_without_a_lock(void **state)
{
	struct result hers, his;
	unsigned char frame[FRAME_MIN];
	int host;

	(void)state;
	make_br0();
	write_policy("allow br0 user=alice lock-mac\nallow br0 user=bob\n");
	hers = hold(&(struct call){.about = "hers"}, "br0");
	his = hold(&(struct call){.about = "his", .user = &bob}, "br0");
	await_forwarding(&hers);
	await_forwarding(&his);
	host = packet_socket("br0");
	send_frame(&his, BR0_MAC, own_address(&alice, 1), 1);
	send_frame(&his, EVERYBODY, "52:54:00:00:00:05", 2);
	EXPECT(&his, frame_comes(host, 1) || frame_comes(host, 2));
	assert_locked(&hers, own_address(&alice, 1));
	make_frame(frame, own_address(&alice, 1), BR0_MAC, 3);
	EXPECT(&hers, write(host, frame, FRAME_MIN) == FRAME_MIN);
	EXPECT(&hers, frame_comes(hers.tap, 2)); /* his broadcast */
	EXPECT(&hers, frame_comes(hers.tap, 3));
	close(host);
	give_back(&hers);
	give_back(&his);
}

/*
 *	alice --- tap, locked --- br0 --- tap, its hardware address set to hers --- bob
 *
 * The kernel asks nobody (SECURITY.md): the bridge takes her address for that of his port. What the host sends to her
 * goes to him, and she is cut off, until his tap is gone; but he cannot send from it.
 */
static void test_a_neighbour_with_her_address(void **state)
{
	struct result hers, his;
	unsigned char frame[FRAME_MIN];
	int host;

	(void)state;
	make_br0();
	write_policy("allow br0 lock-mac\n");
	hers = hold(&(struct call){.about = "hers"}, "br0");
	his = hold(&(struct call){.about = "his", .user = &bob}, "br0");
	await_forwarding(&hers);
	await_forwarding(&his);
	set_mac(&his, own_address(&alice, 1));
	host = packet_socket("br0");
	make_frame(frame, own_address(&alice, 1), BR0_MAC, 50000);
	EXPECT(&his, write(host, frame, FRAME_MIN) == FRAME_MIN);
	send_frame(&his, EVERYBODY, own_address(&bob, 1), 50001);
	EXPECT(&hers, frame_comes(hers.tap, 50001));
	EXPECT(&his, frame_comes(his.tap, 50000));
	EXPECT(&his, frame_comes(host, 50001));
	check_held(&his, host, EVERYBODY, own_address(&alice, 1), own_address(&bob, 1));
	close(host);
	give_back(&his);
	give_back(&hers);
}

/* Whether frames pass from her guest to the host, and from the host to her guest. */
static bool passes(const struct result *hers, int host, unsigned int number)
{
	unsigned char frame[FRAME_MIN];

	send_frame(hers, EVERYBODY, own_address(&alice, 1), number);
	make_frame(frame, own_address(&alice, 1), BR0_MAC, number + 1);
	EXPECT(hers, write(host, frame, FRAME_MIN) == FRAME_MIN);
	/* What the socket itself sent it sees, too. */
	return frame_comes(host, number) && frame_comes(hers->tap, number + 1);
}

/*
 *	alice --- tap, locked --- br0 --- tap, its hardware address set to hers, and gone --- bob
 *
 * That took her address from her, and nothing passes any more. `tapgate status` finds it, and `tapgate up` puts it
 * back, also while his tap is there. Meanwhile nobody is given her address, and no locked port hears what goes to her.
 */
static void test_an_address_taken_and_left(void **state)
{
	struct result hers, his, third, open;
	unsigned char frame[FRAME_MIN];
	int host;

	(void)state;
	make_br0();
	write_policy("network br0 bridged\nallow br0 group=students lock-mac\nallow br0 group=guests\n");
	hers = hold(&(struct call){.about = "hers"}, "br0");
	third = hold(&(struct call){.about = "a third", .user = &bob}, "br0");
	open = hold(&(struct call){.about = "one without a lock", .user = &carol}, "br0");
	await_forwarding(&hers);
	await_forwarding(&third);
	await_forwarding(&open);
	host = packet_socket("br0");
	EXPECT(&hers, passes(&hers, host, 1));
	EXPECT(&hers, frame_comes(third.tap, 1) && frame_comes(open.tap, 1));
	for (int stays = 0; stays <= 1; stays++) {
		his = hold(&(struct call){.about = "his", .user = &bob}, "br0");
		set_mac(&his, own_address(&alice, 1));
		if (!stays)
			give_back(&his);
		EXPECT(&hers, !passes(&hers, host, 1000));
		EXPECT(&hers, shell_status("bridge fdb show br br0 brport %s | grep -q static", tap_of(&hers)) != 0);
		EXPECT(&hers, shell_status("$TAPGATE status | grep 'locked addresses' >/dev/null") == 0);
		EXPECT(&hers,
			shell_status("$TAPGATE check --live 2>&1 | grep \"the tap '%s' of uid 1000 lost the "
				     "address %s that it is locked to%s, and\"",
				tap_of(&hers), own_address(&alice, 1), stays ? " to .*, a tap of uid 1001" : "") == 0);
		expect_refusal(&(struct call){.about = "another of hers",
				       .argv = ARGS("--br=br0", FD, "--mac=2a:27:1c:5f:77:01")},
			1, "address 2a:27:1c:5f:77:01 is taken on bridge 'br0'");
		if (!stays) { /* what nobody has is for all ports that are not locked */
			make_frame(frame, own_address(&alice, 1), BR0_MAC, 2000);
			EXPECT(&hers, write(host, frame, FRAME_MIN) == FRAME_MIN);
			make_frame(frame, EVERYBODY, BR0_MAC, 2001);
			EXPECT(&hers, write(host, frame, FRAME_MIN) == FRAME_MIN);
			EXPECT(&third, frame_comes(third.tap, 2001));
			EXPECT(&open, frame_comes(open.tap, 1001) && frame_comes(open.tap, 2000));
		}
		EXPECT(&hers,
			shell_status("$TAPGATE up --dry-run | grep -qx \"br0: would give the tap '%s' its address "
				     "%s back\"",
				tap_of(&hers), own_address(&alice, 1)) == 0);
		EXPECT(&hers, shell_status("$TAPGATE up >/dev/null && $TAPGATE up | grep -qx 'nothing changed'") == 0);
		assert_locked(&hers, own_address(&alice, 1));
		close(host);
		host = packet_socket("br0");
		EXPECT(&hers, shell_status("$TAPGATE status >/dev/null") == 0);
		if (stays)
			give_back(&his);
		assert_locked(&hers, own_address(&alice, 1));
	}
	close(host);
	give_back(&open);
	give_back(&third);
	give_back(&hers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spoofed_sources),
		TEST(test_flooding),
		TEST(test_what_the_holder_can_do),
		TEST(test_a_neighbour_without_a_lock),
		TEST(test_a_neighbour_with_her_address),
		TEST(test_an_address_taken_and_left),
	};

	return RUN_TESTS(tests);
}
