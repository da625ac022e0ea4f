/*
 * lock-mac: a guest sends from the one address that its port is locked to, which is its own and nobody else's, whatever
 * the holder of the descriptor does.
 */
#include "tests/netns/harness.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "policy/mac.h"
#include "tests/netns/frames.h"

#define EVERYBODY "ff:ff:ff:ff:ff:ff"

/* An address of a user's block on br0, by its last octet. */
static const char *own(const struct user *user, unsigned int octet)
{
	static char texts[64][MAC_TEXT];
	static unsigned int next;
	char *text = texts[next++ % COUNT(texts)];
	unsigned char mac[MAC_BYTES] = {0};

	assert_true(mac_block(user->uid, "br0", mac));
	mac[MAC_BYTES - 1] = (unsigned char)octet;
	mac_text(mac, text);
	return text;
}

static const char *option(const char *mac)
{
	static char words[8][32];
	static unsigned int next;
	char *word = words[next++ % COUNT(words)];

	snprintf(word, sizeof(words[0]), "--mac=%s", mac);
	return word;
}

/* That the port is locked, to this address and no other. */
static void check(const struct result *result, const char *mac)
{
	const char *tap = tap_of(result);

	EXPECT(result, strcmp(first_line("/sys/class/net/%s/brport/learning", tap), "0") == 0);
	EXPECT(result, shell_status("bridge -d link show dev %s | grep -q ' locked on'", tap) == 0);
	EXPECT(result,
		shell_status("bridge -d fdb show br br0 brport %s | grep -q '^%s.* sticky static *$'", tap, mac) == 0 ||
			shell_status("bridge -d fdb show br br0 brport %s | grep '^%s' | grep static | grep -q sticky",
				tap, mac) == 0);
	EXPECT(result, atoi(command_line("bridge fdb show br br0 brport %s | grep -c static", tap)) == 1);
}

/*
 *	alice --- tap --- br0: which address it is
 */
static void test_which_address(void **state)
{
	const struct {
		const char *policy, *word, *expected;
	} rows[] = {
		{"allow br0 lock-mac\n", FD, own(&alice, 1)},
		{"allow br0\nnetwork br0 bridged lock-mac\n", FD, own(&alice, 1)},
		{"allow br0 lock-mac isolated\n", option(own(&alice, 0x77)), own(&alice, 0x77)},
		{"allow br0 lock-mac\n", option(own(&alice, 0)), own(&alice, 0)},
		{"allow br0 lock-mac user=alice mac=52:54:00:12:34:56\n", FD, "52:54:00:12:34:56"},
		{"allow br0 user=alice mac=52:54:00:12:34:56\n", FD, "52:54:00:12:34:56"},
		{"allow br0 user=alice mac=52:54:00:12:34:56\nnetwork br0 bridged lock-mac\n",
			option("52:54:00:12:34:56"), "52:54:00:12:34:56"},
	};

	(void)state;
	make_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const *argv =
			strcmp(rows[i].word, FD) == 0 ? ARGS("--br=br0", FD) : ARGS("--br=br0", FD, rows[i].word);
		char *before;
		struct result result;

		write_policy(rows[i].policy);
		before = snapshot();
		result = hold(&(struct call){.about = rows[i].policy, .argv = argv}, "br0");
		check(&result, rows[i].expected);
		give_back(&result);
		EXPECT(&result, !has_entry(rows[i].expected));
		assert_unchanged(before);
	}
}

/* One after the other gets the next address; and --mac without lock-mac is looked at all the same. */
static void test_derived_addresses(void **state)
{
	struct result first, second, third;

	(void)state;
	make_br0();
	write_policy("allow br0 lock-mac\n");
	first = hold(&(struct call){.about = "first"}, "br0");
	second = hold(&(struct call){.about = "second"}, "br0");
	check(&first, own(&alice, 1));
	check(&second, own(&alice, 2));
	give_back(&first);
	third = hold(&(struct call){.about = "third", .user = &bob}, "br0");
	check(&third, own(&bob, 1));
	write_policy("allow br0\n");
	first = hold(&(struct call){.about = "unlocked", .argv = ARGS("--br=br0", FD, option(own(&alice, 9)))}, "br0");
	EXPECT(&first, !has_entry(own(&alice, 9)));
	give_back(&first);
	give_back(&second);
	give_back(&third);
}

static void test_addresses_of_others(void **state)
{
	const char *const macs[] = {"02:00:00:00:00:01", own(&bob, 1), "52:54:00:12:34:57", "00:00:00:00:00:01"};
	const char *const policies[] = {"allow br0 lock-mac\n", "allow br0\n"};

	(void)state;
	make_br0();
	for (size_t i = 0; i < COUNT(policies); i++) {
		write_policy(policies[i]);
		for (size_t j = 0; j < COUNT(macs); j++)
			expect_refusal(&(struct call){.about = macs[j], .argv = ARGS("--br=br0", FD, option(macs[j]))},
				3, "expected one of its own there, ");
	}
	write_policy("allow br0 mac=52:54:00:12:34:56\n");
	expect_refusal(&(struct call){.argv = ARGS("--br=br0", FD, option(own(&alice, 1)))}, 3,
		"it is given 52:54:00:12:34:56 by /etc/tapgate.conf:1 (allow br0 mac=52:54:00:12:34:56)");
}

static void test_bad_addresses(void **state)
{
	static const char *const words[] = {"--mac=", "--mac=02:00:00:00:00", "--mac=03:00:00:00:00:01",
		"--mac=00:00:00:00:00:00", "--mac=ff:ff:ff:ff:ff:ff", "--mac=02-00-00-00-00-01", "--mac=2:0:0:0:0:1",
		"--mac=02:00:00:00:00:01 ", "--mac=02:00:00:00:00:0g", "--mac=02:00:00:00:00:01:02"};

	(void)state;
	make_br0();
	write_policy("allow br0 lock-mac\n");
	for (size_t i = 0; i < COUNT(words); i++)
		expect_refusal(&(struct call){.about = words[i], .argv = ARGS("--br=br0", FD, words[i])}, 2,
			"expected a unicast hardware address as in 52:54:00:12:34:56");
}

/* Whatever way a bridge knows an address, nobody gets it. */
static void test_taken(void **state)
{
	static const struct {
		const char *about, *make, *unmake;
	} rows[] = {
		{"the bridge's own", "ip link set br0 address $mac", "ip link set br0 address " BR0_MAC},
		{"a port's", "ip link add port address $mac type veth && ip link set port master br0",
			"ip link del port"},
		{"static",
			"ip link add port type veth && ip link set port master br0 && "
			"bridge fdb add $mac dev port master static",
			"ip link del port"},
		{"learned",
			"ip link add port up type veth peer name cable && ip link set cable up && "
			"ip link set port master br0 && n=0 && until bridge fdb add $mac dev port master dynamic "
			"2>/dev/null; do n=$((n + 1)); [ $n -lt 500 ] && sleep 0.01 || exit; done",
			"ip link del port"},
		{"the bridge's to listen to", "bridge fdb add $mac dev br0 self local",
			"bridge fdb del $mac dev br0 self local"},
	};

	(void)state;
	make_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		char words[64];
		struct result result;

		snprintf(words, sizeof(words), "address %s is taken on bridge 'br0'; ", own(&alice, 1));
		write_policy("allow br0 lock-mac\n");
		command("mac=%s; %s", own(&alice, 1), rows[i].make);
		expect_refusal(
			&(struct call){.about = rows[i].about, .argv = ARGS("--br=br0", FD, option(own(&alice, 1)))}, 1,
			words);
		result = hold(&(struct call){.about = rows[i].about}, "br0");
		check(&result, own(&alice, 2));
		give_back(&result);
		command("mac=%s; %s", own(&alice, 1), rows[i].unmake);
	}
}

/* Two at once for one address, again and again: one of them. */
static void test_a_race_for_an_address(void **state)
{
	(void)state;
	make_br0();
	write_policy("allow br0 lock-mac\n");
	for (int round = 0; round < 20; round++) {
		const struct call call = {.about = "a race", .argv = ARGS("--br=br0", FD, option(own(&alice, 7)))};
		struct running running[4];
		struct result results[4];
		unsigned int granted = 0;

		for (size_t i = 0; i < COUNT(running); i++)
			running[i] = start(&call);
		for (size_t i = 0; i < COUNT(running); i++) {
			results[i] = finish(&running[i]);
			if (results[i].code != 0)
				assert_refused(&results[i], 1, "is taken on bridge 'br0'");
			else
				granted++;
		}
		assert_int_equal(granted, 1);
		for (size_t i = 0; i < COUNT(running); i++) {
			if (results[i].code == 0) {
				check(&results[i], own(&alice, 7));
				give_back(&results[i]);
			}
		}
	}
}

/* --- attacks ----------------------------------------------------------------------------------------------------- */

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
	const char *const sources[] = {
		BR0_MAC, "52:54:00:00:00:01", own(&alice, 2), own(&bob, 1), "00:00:00:00:00:00", "01:00:5e:00:00:01"};
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
		check_held(&result, host, EVERYBODY, sources[i], own(&alice, 1));
		send_frame(&result, "01:80:c2:00:00:0e", sources[i], 9); /* for the bridge itself, as LLDP */
		send_frame(&result, "01:80:c2:00:00:00", sources[i], 9);
		check_held(&result, host, EVERYBODY, sources[i], own(&alice, 1));
		snprintf(learned, sizeof(learned), "%s dev %s master", sources[i], tap_of(&result));
		EXPECT(&result, !has_entry(learned));
	}
	check(&result, own(&alice, 1));
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
		send_frame(&result, EVERYBODY, own(&alice, 1), 1);
		EXPECT(&result, frame_comes(host, 1));
		close(host); /* its queue is too small for what follows */
		before = count_entries();
		for (unsigned int i = 0; i < 10000; i++) {
			char from[MAC_TEXT];

			snprintf(from, sizeof(from), "52:00:00:00:%02x:%02x", i >> 8 & 0xff, i & 0xff);
			send_frame(&result, EVERYBODY, from, 2);
		}
		host = packet_socket("br0");
		send_frame(&result, EVERYBODY, own(&alice, 1), 3);
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
	const char *const macs[] = {"52:54:00:00:00:05", own(&bob, 1), "02:00:5e:00:00:07"};
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
		check_held(&result, host, EVERYBODY, macs[i], own(&alice, 1));
		EXPECT(&result, shell_status("bridge fdb show br br0 brport %s | grep -q '^%s.* static'",
					tap_of(&result), own(&alice, 1)) == 0);
	}
	EXPECT(&result, ioctl(result.tap, TUNSETOWNER, (unsigned long)BOB) == 0);
	EXPECT(&result, ioctl(result.tap, TUNSETGROUP, (unsigned long)BOB) == 0);
	EXPECT(&result, ioctl(result.tap, TUNSETCARRIER, &carrier) == 0);
	carrier = 1;
	EXPECT(&result, ioctl(result.tap, TUNSETCARRIER, &carrier) == 0);
	await_forwarding(&result);
	check_held(&result, host, EVERYBODY, "52:54:00:00:00:06", own(&alice, 1));
	check(&result, own(&alice, 1));
	/* Its own address as the tap's: the bridge then takes it for the host's, and nothing passes at all. */
	set_mac(&result, own(&alice, 1));
	send_frame(&result, EVERYBODY, own(&alice, 1), 60001);
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
	send_frame(&his, BR0_MAC, own(&alice, 1), 1);
	send_frame(&his, EVERYBODY, "52:54:00:00:00:05", 2);
	EXPECT(&his, frame_comes(host, 1) || frame_comes(host, 2));
	check(&hers, own(&alice, 1));
	make_frame(frame, own(&alice, 1), BR0_MAC, 3);
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
	set_mac(&his, own(&alice, 1));
	host = packet_socket("br0");
	make_frame(frame, own(&alice, 1), BR0_MAC, 50000);
	EXPECT(&his, write(host, frame, FRAME_MIN) == FRAME_MIN);
	send_frame(&his, EVERYBODY, own(&bob, 1), 50001);
	EXPECT(&hers, frame_comes(hers.tap, 50001));
	EXPECT(&his, frame_comes(his.tap, 50000));
	EXPECT(&his, frame_comes(host, 50001));
	check_held(&his, host, EVERYBODY, own(&alice, 1), own(&bob, 1));
	close(host);
	give_back(&his);
	give_back(&hers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_which_address),
		TEST(test_derived_addresses),
		TEST(test_addresses_of_others),
		TEST(test_bad_addresses),
		TEST(test_taken),
		TEST(test_a_race_for_an_address),
		TEST(test_spoofed_sources),
		TEST(test_flooding),
		TEST(test_what_the_holder_can_do),
		TEST(test_a_neighbour_without_a_lock),
		TEST(test_a_neighbour_with_her_address),
	};

	return RUN_TESTS(tests);
}
