/*
 * Grants: the tap that comes is the one that is documented, whatever bridge it is for and however the call is written,
 * and it ends with its descriptor.
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 *	alice --- tap --- br0
 *
 * The command lines of QEMU and libvirt, and other orders of the words.
 */
static void test_command_lines(void **state)
{
	const struct {
		const char *about;
		const char *const *argv;
	} rows[] = {
		{"qemu, no offloads", ARGS(FD, "--br=br0")},
		{"qemu", ARGS("--use-vnet", FD, "--br=br0")},
		{"libvirt", ARGS("--use-vnet", "--br=br0", FD)},
		{"libvirt, no offloads", ARGS("--br=br0", FD)},
		{"use-vnet last", ARGS("--br=br0", FD, "--use-vnet")},
		{"--net alone", ARGS("--net=br0", FD)},
		{"--net and --br", ARGS("--net=br0", "--br=other", FD)},
		{"--br and --net", ARGS("--use-vnet", "--br=other", FD, "--net=br0")},
	};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_grant(&(struct call){.about = rows[i].about, .argv = rows[i].argv}, "br0");
}

/*
 *	alice --- tap --- br0, br1: --net wins over --br, for the policy as for the tap
 */
static void test_net_wins(void **state)
{
	(void)state;
	make_bridge("br0");
	make_bridge("br1");
	write_policy("allow br1\n");
	expect_grant(&(struct call){.argv = ARGS("--net=br1", "--br=br0", FD)}, "br1");
	expect_refusal(&(struct call){.argv = ARGS("--net=br0", "--br=br1", FD)}, 3, "may not use 'br0'");
}

/*
 *	alice --- tap --- NAME, the shortest, the longest and the oddest that are allowed
 */
static void test_names(void **state)
{
	static const char *const names[] = {
		"a", "br-0123456789ab", "b.r", "br0.100", "br+0", "br_0", "br@0", "...", "0"};

	(void)state;
	write_policy("allow all\n");
	for (size_t i = 0; i < COUNT(names); i++) {
		char word[64];

		snprintf(word, sizeof(word), "--br=%s", names[i]);
		make_bridge(names[i]);
		expect_grant(&(struct call){.about = names[i], .argv = ARGS(word, FD)}, names[i]);
	}
}

/*
 *	alice --- tap (mtu of the bridge, or the highest that a tap may have) --- br0 (mtu)
 *
 * Below 1280 there is no IPv6 on an interface, and nothing to switch off.
 */
static void test_mtu(void **state)
{
	static const unsigned int sizes[] = {68, 1200, 1280, 1400, 1500, 9000, 65521, 65522, 65535};

	(void)state;
	write_policy("allow br0\n");
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char about[32], size[16];

		snprintf(about, sizeof(about), "mtu %u", sizes[i]);
		snprintf(size, sizeof(size), "%u", sizes[i]);
		make_bridge("br0");
		command("ip link set br0 mtu %u", sizes[i]);
		expect_grant(&(struct call){.about = about}, "br0");
		assert_string_equal(first_line("/sys/class/net/br0/mtu"), size);
		command("ip link del br0");
	}
}

/*
 *	alice --- tap --- br0, which has 70 other names of 120 bytes
 *
 * All that the kernel says of a bridge is more than most answers.
 */
static void test_bridge_of_many_names(void **state)
{
	(void)state;
	prepare_br0();
	command("for i in $(seq 70); do ip link property add dev br0 altname $(printf %%0120d $i) || exit 1; done");
	expect_grant(&(struct call){.about = "70 altnames"}, "br0");
}

/*
 *	alice --- tap --- br0 --- uplink (veth, mtu 1400) --- cable
 *
 * A bridge as most are: its MTU and its hardware address follow its ports. The tap must change neither.
 */
static void test_bridge_that_follows_its_ports(void **state)
{
	char before[32];
	struct result result;

	(void)state;
	command("ip link add uplink address fc:ff:ff:ff:ff:ff mtu 1400 type veth peer name cable && ip link add br0 "
		"type bridge && "
		"ip link set uplink master br0 && ip link set uplink up && ip link set cable up && ip link set br0 up");
	snprintf(before, sizeof(before), "%s", first_line("/sys/class/net/br0/address"));
	assert_string_equal(before, "fc:ff:ff:ff:ff:ff");
	write_policy("allow br0\n");
	result = hold(&(struct call){.about = "a bridge that follows"}, "br0");
	assert_string_equal(first_line("/sys/class/net/br0/address"), before);
	assert_string_equal(first_line("/sys/class/net/br0/mtu"), "1400");
	give_back(&result);
	assert_string_equal(first_line("/sys/class/net/br0/address"), before);
}

/*
 *	alice --- tap0 ... tap39 --- br0
 *
 * More at once than names that the helper tries: each a tap of its own, all of them gone in the end.
 */
static void test_many(void **state)
{
	struct result results[40];
	char *before;

	(void)state;
	prepare_br0();
	before = snapshot();
	for (size_t i = 0; i < COUNT(results); i++)
		results[i] = hold(&(struct call){.about = "one of many"}, "br0");
	assert_int_equal(count_taps(), COUNT(results));
	for (size_t i = 0; i < COUNT(results); i++)
		give_back(&results[i]);
	assert_unchanged(before);
}

/*
 *	bob --- tg<pid>-0 ... tg<pid>-15 (persistent, not on the bridge)
 *	alice --- tap --- br0
 *
 * The names that the helper would take are taken, by another user's taps, by her own, and by taps that are no taps:
 * she gets one of her own.
 */
static void test_names_that_are_taken(void **state)
{
	(void)state;
	write_policy("allow br0\n");
	for (unsigned int row = 0; row < 3; row++) {
		char *before;

		make_bridge("br0");
		for (int n = 0; n < 16; n++) {
			char name[16];

			snprintf(name, sizeof(name), "tg%d-%d", (int)getpid(), n);
			if (row < 2)
				make_tap(name, row == 0 ? BOB : ALICE, 0);
			else
				command("ip link add %s type ifb", name);
		}
		before = snapshot();
		expect_grant(&(struct call){.about = row == 0 ? "bob's" : row == 1 ? "her own" : "no taps"}, "br0");
		assert_unchanged(before);
		clean_world(NULL);
		write_policy("allow br0\n");
	}
}

/* Take an existing tap by its name: the errno value, or 0. */
static int join_tap(void *context)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", (const char *)context);
	return fd < 0 ? 200 : ioctl(fd, TUNSETIFF, &request) < 0 ? errno : 0;
}

/*
 *	alice --- tap --- br0
 *	bob --- (the same tap?)
 *
 * No other user can join it: not while alice holds it, nor when she made it persistent and left it.
 */
static void test_nobody_else_joins(void **state)
{
	struct ifreq request = {0};
	struct result result;

	(void)state;
	prepare_br0();
	result = hold(&(struct call){.about = "joined"}, "br0");
	EXPECT(&result, ioctl(result.tap, TUNGETIFF, &request) == 0);
	EXPECT(&result, as_user(&bob, join_tap, request.ifr_name) == EPERM);
	EXPECT(&result, as_user(&alice, join_tap, request.ifr_name) == EBUSY); /* she has one queue, and it is in use */
	EXPECT(&result, ioctl(result.tap, TUNSETPERSIST, 1UL) == 0);
	close(result.tap);
	EXPECT(&result, as_user(&bob, join_tap, request.ifr_name) == EPERM);
	EXPECT(&result, as_user(&alice, join_tap, request.ifr_name) == 0);
}

/*
 *	alice --- (descriptor in flight) --- socket that nobody reads, then closed
 *
 * A descriptor that was sent and never received ends with the socket.
 */
static void test_never_received(void **state)
{
	int pair[2];
	struct result result;

	(void)state;
	prepare_br0();
	make_pair(&alice, SOCK_STREAM, pair);
	result = run(&(struct call){.socket = pair[1]}); /* without a peer: nothing is received */
	EXPECT(&result, result.code == 0);
	EXPECT(&result, count_taps() == 1);
	close(pair[0]);
	close(pair[1]);
	for (int tries = 0; count_taps() > 0 && tries < 500; tries++)
		usleep(10000); /* the kernel collects descriptors in flight on its own time */
	EXPECT(&result, count_taps() == 0);
}

/*
 *	alice --- tap --- br0, /dev/net/tun 0660 root:students, then 0600
 *
 * The device is opened as the caller: an administrator's mode holds.
 */
static void test_mode_of_the_device(void **state)
{
	(void)state;
	prepare_br0();
	command("chown root:%d /dev/net/tun && chmod 660 /dev/net/tun", STUDENTS);
	expect_grant(&(struct call){.about = "group students"}, "br0");
	expect_refusal(&(struct call){.about = "another group", .user = &carol}, 1, "may not open /dev/net/tun");
	command("chmod 600 /dev/net/tun");
	expect_refusal(&(struct call){.about = "root's alone"}, 1, "may not open /dev/net/tun");
	command("mv /dev/net/tun /dev/net/gone");
	expect_refusal(&(struct call){.about = "no device"}, 1, "modprobe tun");
	command("mv /dev/net/gone /dev/net/tun && chown root:root /dev/net/tun && chmod 666 /dev/net/tun");
	expect_grant(&(struct call){.about = "everybody's"}, "br0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_command_lines),
		TEST(test_net_wins),
		TEST(test_names),
		TEST(test_mtu),
		TEST(test_bridge_of_many_names),
		TEST(test_bridge_that_follows_its_ports),
		TEST(test_many),
		TEST(test_names_that_are_taken),
		TEST(test_nobody_else_joins),
		TEST(test_never_received),
		TEST(test_mode_of_the_device),
	};

	return RUN_TESTS(tests);
}
