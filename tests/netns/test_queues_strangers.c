// SPDX-License-Identifier: MIT
/*
 * A stranger in the moment at which a tap of several queues has no owner, so that anybody may join it: nothing of what
 * he does to it is left.
 */
#include "link/link.h"
#include "tests/netns/frames.h"
#include "tests/netns/queues.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* There is a tap that anybody may join. */
static bool tap_is_ownerless(const struct running *running)
{
	const char *tap = first_tap();

	(void)running;
	return tap[0] && strcmp(first_line("/sys/class/net/%s/owner", tap), "-1") == 0;
}

static int join(const char *name, int more)
{
	struct ifreq request = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE | more)};
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(fd, TUNSETIFF, &request) < 0 ? -1 : fd;
}

static int nothing(int fd)
{
	(void)fd;
	return 0;
}

static int make_persistent(int fd)
{
	return ioctl(fd, TUNSETPERSIST, 1UL);
}

static int make_own(int fd)
{
	return ioctl(fd, TUNSETOWNER, (unsigned long)BOB);
}

static int set_group(int fd)
{
	return ioctl(fd, TUNSETGROUP, (unsigned long)BOB);
}

static int set_link_type(int fd)
{
	return ioctl(fd, TUNSETLINK, 512); /* ARPHRD_PPP */
}

static int attach_filter(int fd)
{
	struct sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
	struct sock_fprog filter = {1, &drop};

	return ioctl(fd, TUNATTACHFILTER, &filter);
}

/* struct tun_filter: no flags, one address. */
static int set_address_filter(int fd)
{
	const struct {
		uint16_t flags, count;
		unsigned char address[6];
	} filter = {0, 1, {2, 9, 9, 9, 9, 9}};

	return ioctl(fd, TUNSETTXFILTER, &filter) < 0 ? -1 : 0;
}

static int set_sizes(int fd)
{
	int small = 1, header = 64, little = 1;

	return ioctl(fd, TUNSETSNDBUF, &small) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 ||
			       ioctl(fd, TUNSETVNETLE, &little) < 0
		       ? -1
		       : 0;
}

static int switch_carrier_off(int fd)
{
	int off = 0;

	return ioctl(fd, TUNSETCARRIER, &off);
}

static int set_debug(int fd)
{
	return ioctl(fd, TUNSETDEBUG, 0xffffUL);
}

static int set_offloads(int fd)
{
	return ioctl(fd, TUNSETOFFLOAD, (unsigned long)(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6));
}

/* What is done to a tap by whoever joins it, with which flags, and whether he stays. */
static const struct mischief {
	const char *about;
	int (*act)(int fd);
	int flags;
	bool stays;
} mischiefs[] = {
	{"joins and stays", nothing, 0, true},
	{"joins and goes", nothing, 0, false},
	{"with a header", nothing, IFF_VNET_HDR, false},
	{"without IFF_NO_PI's opposite", nothing, IFF_NAPI, false},
	{"persistent", make_persistent, 0, false},
	{"his own", make_own, 0, false},
	{"his own, and stays", make_own, 0, true},
	{"of a group", set_group, 0, false},
	{"of another link type", set_link_type, 0, false},
	{"a filter", attach_filter, 0, false},
	{"a filter of addresses", set_address_filter, 0, false},
	{"sizes and byte order", set_sizes, 0, false},
	{"no carrier", switch_carrier_off, 0, false},
	{"offloads", set_offloads, 0, false},
	{"lines in the kernel's log", set_debug, 0, false},
};

/* Bob's process that does so to a tap; to be killed. It is done when this returns. */
static pid_t disturb(const struct mischief *mischief, const char *name)
{
	int done[2];
	char byte = 0;
	pid_t child;

	assert_int_equal(pipe(done), 0);
	child = fork();
	if (child == 0) {
		int fd;

		become(&bob);
		fd = join(name, mischief->flags);
		byte = fd < 0 ? 'j' : mischief->act(fd) < 0 ? 'a' : 'y';
		if (!mischief->stays)
			close(fd);
		(void)!write(done[1], &byte, 1);
		pause();
		_exit(0);
	}
	note_child(child);
	assert_int_equal(read(done[0], &byte, 1), 1);
	close(done[0]);
	close(done[1]);
	if (byte != 'y')
		fail_msg("%s: %s", mischief->about, byte == 'j' ? "cannot join" : "has no effect");
	return child;
}

/* Whether frames that the host sends to everybody come out of one of the queues. */
static bool passes(const struct queues *queues)
{
	unsigned char frame[FRAME_MIN], got[2048];
	int host = packet_socket("br0");
	bool came = false;

	for (int tries = 0; tries < 300 && !came; tries++) {
		make_frame(frame, "ff:ff:ff:ff:ff:ff", BR0_MAC, 7000);
		assert_int_equal(write(host, frame, FRAME_MIN), FRAME_MIN);
		for (unsigned int i = 0; i < queues->count && !came; i++) {
			fcntl(queues->fds[i], F_SETFL, O_NONBLOCK);
			for (ssize_t size = 1; size > 0 && !came;) {
				size = read(queues->fds[i], got, sizeof(got));
				came = size >= FRAME_MIN && memcmp(got, frame, FRAME_MIN) == 0;
			}
		}
		usleep(1000);
	}
	close(host);
	return came;
}

/* That frames come from the host and go to it, and that all else is as on a new tap. */
static void assert_as_new(const struct result *result, const struct queues *queues)
{
	const char *name = tap_of(result);
	int value = 0;

	EXPECT(result, ioctl(queues->fds[0], TUNGETSNDBUF, &value) == 0 && value == INT_MAX);
	EXPECT(result, ioctl(queues->fds[0], TUNGETVNETHDRSZ, &value) == 0 && value == 10);
	EXPECT(result, ioctl(queues->fds[0], TUNGETVNETLE, &value) == 0 && value == 0);
	EXPECT(result, strcmp(first_line("/sys/class/net/%s/carrier", name), "1") == 0);
	EXPECT(result, strcmp(first_line("/sys/class/net/%s/type", name), "1") == 0);
	EXPECT(result, strcmp(first_line("/sys/class/net/%s/group", name), "-1") == 0);
	EXPECT(result, shell_status("ethtool -k %s | grep -q '^tcp-segmentation-offload: off'", name) == 0);
	EXPECT(result, shell_status("ethtool %s | grep -q 'message level: 0x00000000'", name) == 0);
	EXPECT(result, passes(queues));
}

/*
 *	alice --- tap, two queues --- br0
 *	bob --- (what he does to it while it is nobody's)
 *
 * He gets nothing by it, alice has a tap that is as new, and nothing of his is left.
 */
static void test_strangers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mischiefs); i++) {
		struct queues queues;
		struct running running;
		struct result result;
		int pair[2];
		pid_t child;

		make_bridge("br0");
		write_policy("allow br0 max=1 queues=2\n");
		make_pair(&alice, SOCK_STREAM, pair);
		running = start_stopped(&(struct call){.about = mischiefs[i].about,
						.argv = ARGS("--br=br0", FD, "--queues=2"),
						.socket = pair[1]},
			tap_is_ownerless);
		child = disturb(&mischiefs[i], first_tap());
		let_go_on(&running);
		result = queues_finish(&running, pair, &queues);
		queues_check(&result, &queues, 2, QUEUES_FLAGS);
		assert_as_new(&result, &queues);
		EXPECT(&result, count_taps() == 1);
		queues_give_back(&result, &queues);
		kill(child, SIGKILL);
		clean_world(NULL);
	}
}

/*
 *	a tap of the test's own, one of several queues, which nobody looks at afterwards
 *	bob --- (the same)
 *
 * The control: each of these has its effect, and the look above would see it.
 */
static void test_strangers_elsewhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mischiefs); i++) {
		struct queues queues = {.count = 1};
		struct link_interface own;
		const struct tun *tun = &own.tun;
		struct link *link;
		pid_t child;
		bool seen;
		int value = 0;

		make_bridge("br0");
		queues.fds[0] = join("own", IFF_TUN_EXCL);
		child = disturb(&mischiefs[i], "own");
		bool joins = shell_status("ip link set own master br0 up 2>/dev/null") == 0;

		assert_int_equal(link_open(&link), 0);
		assert_int_equal(link_by_name(link, "own", &own), 0);
		link_close(link);
		seen = !joins || tun->queues != 1 || tun->persistent || tun->has_owner || tun->has_group ||
		       !tun->ethernet || strcmp(first_line("/sys/class/net/own/carrier"), "1") != 0 ||
		       ioctl(queues.fds[0], TUNGETVNETHDRSZ, &value) < 0 || value != 10 ||
		       shell_status("ethtool -k own | grep -q '^tcp-segmentation-offload: off'") != 0 ||
		       shell_status("ethtool own | grep -q 'message level: 0x00000000'") != 0 || !passes(&queues);
		/* Whoever goes and has done nothing leaves nothing; flags are those of who joined last. */
		if (seen != (mischiefs[i].act != nothing || mischiefs[i].stays))
			fail_msg("%s: %s", mischiefs[i].about, seen ? "seen" : "not seen");
		close(queues.fds[0]);
		kill(child, SIGKILL);
		clean_world(NULL);
	}
}

/* Bob, who joins each new tap of a name that begins so as soon as the kernel tells of it; to be killed. */
static pid_t lie_in_wait(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	char datagram[16384];
	int events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	pid_t child;

	assert_int_equal(bind(events, (struct sockaddr *)&address, sizeof(address)), 0);
	child = fork();
	if (child == 0) {
		become(&bob);
		for (;;) {
			ssize_t size = recv(events, datagram, sizeof(datagram), 0);
			char *name = size > 0 ? memmem(datagram, (size_t)size, "tg", 2) : NULL;
			int fd = name ? join(name, 0) : -1;

			if (fd >= 0) {
				usleep(20000);
				close(fd);
			}
		}
	}
	close(events);
	note_child(child);
	return child;
}

/*
 *	alice --- tap, 4 queues, 60 times --- br0
 *	bob --- (a fifth, in a race?)
 */
static void test_a_race(void **state)
{
	char *before;
	pid_t child;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 max=1 queues=4\n");
	before = snapshot();
	child = lie_in_wait();
	for (int i = 0; i < 60; i++) {
		struct queues queues;
		struct result result = queues_run(ARGS("--br=br0", FD, "--queues=4"), &queues);

		queues_check(&result, &queues, 4, QUEUES_FLAGS);
		queues_give_back(&result, &queues);
	}
	kill(child, SIGKILL);
	assert_unchanged(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_strangers),
		TEST(test_strangers_elsewhere),
		TEST(test_a_race),
	};

	return RUN_TESTS(tests);
}
