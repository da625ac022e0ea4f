/*
 * --queues=: one tap of several queues, all of them in one message; no more than the policy grants, for nobody else.
 */
#include "link/tun.h"
#include "tests/netns/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUEUES_MAX = 16, FRAME = 60 };

/* What came: one message, and the descriptors in it. */
struct queues {
	int fds[QUEUES_MAX];
	unsigned int count, messages, bytes;
};

static void receive(int peer, struct queues *queues)
{
	union {
		char space[CMSG_SPACE((QUEUES_MAX + 1) * sizeof(int))];
		struct cmsghdr align;
	} control;
	char bytes[16];

	for (*queues = (struct queues){.count = 0};; queues->messages++) {
		struct iovec data = {.iov_base = bytes, .iov_len = sizeof(bytes)};
		struct msghdr message = {.msg_iov = &data,
			.msg_iovlen = 1,
			.msg_control = control.space,
			.msg_controllen = sizeof(control.space)};
		ssize_t size = recvmsg(peer, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

		if (size <= 0)
			return;
		queues->bytes += (unsigned int)size;
		if (!rights)
			continue;
		assert_null(CMSG_NXTHDR(&message, rights));
		assert_true(rights->cmsg_len <= CMSG_LEN(sizeof(queues->fds)) && !queues->count);
		queues->count = (unsigned int)((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(queues->fds, CMSG_DATA(rights), queues->count * sizeof(int));
	}
}

static struct result call_for(const char *const *argv, struct queues *queues)
{
	int pair[2];
	struct result result;

	make_pair(&alice, SOCK_STREAM, pair);
	result = run(&(struct call){.about = argv[1], .argv = argv, .socket = pair[1]});
	close(pair[1]);
	receive(pair[0], queues);
	close(pair[0]);
	result.tap = queues->count ? queues->fds[0] : -1;
	return result;
}

static void give_all_back(const struct result *result, struct queues *queues)
{
	for (unsigned int i = 0; i < queues->count; i++) {
		EXPECT(result, count_taps() == 1);
		close(queues->fds[i]);
	}
	EXPECT(result, count_taps() == 0);
}

/* That all are queues of one tap, of the flags, on br0, in one message with one byte. */
static void check(const struct result *result, const struct queues *queues, unsigned int count, int flags)
{
	struct ifreq first = {0}, request = {0};

	EXPECT(result, result->code == 0 && result->errors_size == 0);
	EXPECT(result, queues->messages == 1 && queues->bytes == 1 && queues->count == count);
	EXPECT(result, count_taps() == 1);
	ioctl(queues->fds[0], TUNGETIFF, &first);
	EXPECT(result, first.ifr_flags == (short)flags);
	for (unsigned int i = 0; i < count; i++) {
		EXPECT(result, ioctl(queues->fds[i], TUNGETIFF, &request) == 0);
		EXPECT(result, strcmp(request.ifr_name, first.ifr_name) == 0 && request.ifr_flags == first.ifr_flags);
	}
	EXPECT(result, count == 1 || /* the kernel counts queues where there can be several */
			       atoi(command_line(
				       "ip -d link show dev %s | grep -o 'numqueues [0-9]*' | tail -1 | cut -d' ' -f2",
				       first.ifr_name)) >= (int)count);
	EXPECT(result, atoi(command_line("ls -d /sys/class/net/%s/queues/rx-* | wc -l", first.ifr_name)) == (int)count);
	/* Of several queues it is root's, as its user could join more otherwise. */
	EXPECT(result,
		strtoul(first_line("/sys/class/net/%s/owner", first.ifr_name), NULL, 10) == (count == 1 ? ALICE : 0));
	EXPECT(result, strstr(first_line("/sys/class/net/%s/ifalias", first.ifr_name), "tapgate uid=1000 net="));
}

/* Join a tap by its name as one more queue; the errno value, or 0. */
static int join_queue(void *context)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE};
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", (const char *)context);
	return fd < 0 ? 200 : ioctl(fd, TUNSETIFF, &request) < 0 ? errno : 0;
}

/*
 *	alice --- tap, N queues --- br0; and standalone
 */
static void test_numbers(void **state)
{
	static const unsigned int numbers[] = {2, 3, 16};
	const int flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
	struct queues queues;

	(void)state;
	make_bridge("br0");
	make_guard("tap1", "standalone");
	write_policy("allow br0 queues=16\nallow tap1\nnetwork tap1 standalone 172.16.2.1/24 queues=16\n");
	for (size_t i = 0; i < COUNT(numbers) * 2; i++) {
		const char *network = i % 2 ? "--net=tap1" : "--net=br0";
		char word[32], *before = snapshot();
		struct result result;

		snprintf(word, sizeof(word), "--queues=%u", numbers[i / 2]);
		result = call_for(ARGS(word, network, FD), &queues);
		check(&result, &queues, numbers[i / 2], flags);
		give_all_back(&result, &queues);
		result = call_for(ARGS(FD, network, "--use-vnet", word), &queues);
		check(&result, &queues, numbers[i / 2], flags | IFF_VNET_HDR);
		give_all_back(&result, &queues);
		assert_unchanged(before);
	}
}

/* Whatever the policy grants: one queue, said or not, is a tap that nobody can join, its user neither. */
static void test_one_queue(void **state)
{
	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=16\n");
	for (int said = 0; said < 2; said++) {
		struct queues queues;
		struct result result = said ? call_for(ARGS("--br=br0", FD, "--queues=1"), &queues)
					    : call_for(ARGS("--br=br0", FD), &queues);
		char name[IFNAMSIZ];

		check(&result, &queues, 1, IFF_TAP | IFF_NO_PI);
		snprintf(name, sizeof(name), "%s", tap_of(&result));
		EXPECT(&result, as_user(&bob, join_queue, name) == EINVAL);
		EXPECT(&result, as_user(&alice, join_queue, name) == EINVAL);
		give_all_back(&result, &queues);
	}
}

static void test_bad_numbers(void **state)
{
	static const char *const words[] = {"--queues=0", "--queues=17", "--queues=3x", "--queues= 3", "--queues=-1",
		"--queues=+2", "--queues=02", "--queues=", "--queues=4294967298", "--queues=2,3"};

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=16\n");
	for (size_t i = 0; i < COUNT(words); i++)
		expect_refusal(&(struct call){.about = words[i], .argv = ARGS("--br=br0", FD, words[i])}, 2,
			"expected a number from 1 to 16");
	expect_refusal(&(struct call){.argv = ARGS("--br=br0", FD, "--queues")}, 2, "unknown argument '--queues'");
	expect_refusal(&(struct call){.argv = ARGS("--br=br0", "--queues=2", FD, "--queues=2")}, 2,
		"--queues for the second time, expected it once");
}

/* Of the rule, else of the network's line, else one. */
static void test_limits(void **state)
{
	static const struct {
		const char *policy, *too_many, *words;
	} rows[] = {
		{"allow br0\n", "--queues=2",
			"uid 1000 may have 1 queue on 'br0', not 2, by /etc/tapgate.conf:1 (allow br0); ask for fewer, "
			"or have queues= raised"},
		{"allow br0 queues=2\n", "--queues=3", "may have 2 queues on 'br0', not 3, by /etc/tapgate.conf:1 "},
		{"allow br0\nnetwork br0 bridged queues=4\n", "--queues=5", "may have 4 queues on 'br0', not 5"},
		{"network br0 bridged queues=16\nallow br0 queues=2\n", "--queues=16",
			"may have 2 queues on 'br0', not 16, by /etc/tapgate.conf:2 (allow br0 queues=2)"},
		{"allow br0\nallow br0 user=alice queues=8\n", "--queues=9", "/etc/tapgate.conf:2 "},
	};

	(void)state;
	make_bridge("br0");
	for (size_t i = 0; i < COUNT(rows); i++) {
		write_policy(rows[i].policy);
		expect_refusal(&(struct call){.about = rows[i].policy, .argv = ARGS("--br=br0", FD, rows[i].too_many)},
			5, rows[i].words);
	}
}

/* --- others ------------------------------------------------------------------------------------------------------ */

/*
 *	alice --- tap, two queues --- br0
 *	bob --- (a queue of it?)
 */
static void test_nobody_else_joins(void **state)
{
	struct queues queues;
	struct result result;
	char name[IFNAMSIZ];

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=2\n");
	result = call_for(ARGS("--br=br0", FD, "--queues=2"), &queues);
	check(&result, &queues, 2, IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
	snprintf(name, sizeof(name), "%s", tap_of(&result));
	EXPECT(&result, as_user(&bob, join_queue, name) == EPERM);
	EXPECT(&result, as_user(&alice, join_queue, name) == EPERM);
	/* She holds it, and so can make it her own: queues= says what she is given, not what she can make of it. */
	EXPECT(&result, ioctl(queues.fds[0], TUNSETOWNER, (unsigned long)ALICE) == 0);
	EXPECT(&result, as_user(&alice, join_queue, name) == 0);
	EXPECT(&result, ioctl(queues.fds[0], TUNSETPERSIST, 1UL) == 0);
	close(queues.fds[0]);
	close(queues.fds[1]);
	EXPECT(&result, as_user(&bob, join_queue, name) == EPERM);
}

/* --- frames ------------------------------------------------------------------------------------------------------ */

/* A UDP packet in a frame, from a port of its own. */
static void make_frame(unsigned char frame[FRAME], unsigned int port)
{
	static const unsigned char head[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46,
		0, 0, 0, 0, 64, 17, 0x55, 0xa8, 10, 9, 8, 7, 10, 9, 8, 255};

	memset(frame, 0, FRAME);
	memcpy(frame, head, sizeof(head));
	frame[34] = (unsigned char)(port >> 8);
	frame[35] = (unsigned char)port;
}

static int packet_socket(const char *interface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = atoi(first_line("/sys/class/net/%s/ifindex", interface))};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Whether a frame from that port comes within a second. */
static bool comes(int fd, unsigned int port)
{
	unsigned char frame[2048];

	for (int tries = 0; tries < 1000; tries++) {
		while (read(fd, frame, sizeof(frame)) >= 36)
			if (frame[34] == port >> 8 && frame[35] == (port & 0xff) && frame[26] == 10)
				return true;
		usleep(1000);
	}
	return false;
}

/* Whether frames that the host sends to everybody come out of one of the queues. */
static bool passes(const struct queues *queues)
{
	unsigned char frame[FRAME], got[2048];
	int host = packet_socket("br0");
	bool came = false;

	for (int tries = 0; tries < 300 && !came; tries++) {
		make_frame(frame, 7000);
		assert_int_equal(write(host, frame, FRAME), FRAME);
		for (unsigned int i = 0; i < queues->count && !came; i++) {
			fcntl(queues->fds[i], F_SETFL, O_NONBLOCK);
			for (ssize_t size = 1; size > 0 && !came;) {
				size = read(queues->fds[i], got, sizeof(got));
				came = size >= FRAME && got[26] == 10 && got[34] == 7000 >> 8;
			}
		}
		usleep(1000);
	}
	close(host);
	return came;
}

/* --- a stranger in the moment at which a tap of several queues has no owner -------------------------------------- */

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
		result = finish(&running);
		close(pair[1]);
		receive(pair[0], &queues);
		close(pair[0]);
		result.tap = queues.count ? queues.fds[0] : -1;
		check(&result, &queues, 2, IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
		assert_as_new(&result, &queues);
		EXPECT(&result, count_taps() == 1);
		give_all_back(&result, &queues);
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
		struct tun tun;
		struct link *link;
		pid_t child;
		bool seen;
		int value = 0;

		make_bridge("br0");
		queues.fds[0] = join("own", IFF_TUN_EXCL);
		child = disturb(&mischiefs[i], "own");
		bool joins = shell_status("ip link set own master br0 up 2>/dev/null") == 0;

		assert_int_equal(link_open(&link), 0);
		assert_int_equal(tun_look(link, atoi(first_line("/sys/class/net/own/ifindex")), &tun), 0);
		link_close(link);
		seen = !joins || tun.queues != 1 || tun.persistent || tun.has_owner || tun.has_group || !tun.ethernet ||
		       strcmp(first_line("/sys/class/net/own/carrier"), "1") != 0 ||
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
		struct result result = call_for(ARGS("--br=br0", FD, "--queues=4"), &queues);

		check(&result, &queues, 4, IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
		give_all_back(&result, &queues);
	}
	kill(child, SIGKILL);
	assert_unchanged(before);
}

/*
 *	alice --- tap, two queues, whose helper is stopped somewhere --- br0
 *	alice --- (a third queue, to keep the tap when the helper is killed?)
 *
 * Until it is sent a tap is nobody's to join, not even its user's.
 */
static void test_nobody_joins_before_the_end(void **state)
{
	static bool (*const places[])(const struct running *running) = {tap_is_signed, tap_is_up};

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		char name[IFNAMSIZ];
		struct running running;
		struct result result;

		make_bridge("br0");
		write_policy("allow br0 max=1 queues=2\n");
		running = start_stopped(
			&(struct call){.about = "joined early", .argv = ARGS("--br=br0", FD, "--queues=2")}, places[i]);
		snprintf(name, sizeof(name), "%s", first_tap());
		assert_int_equal(as_user(&bob, join_queue, name), EPERM);
		assert_int_equal(as_user(&alice, join_queue, name), EPERM);
		kill(running.pid, SIGKILL);
		result = finish(&running);
		assert_nothing_sent(&result, 128 + SIGKILL);
		EXPECT(&result, count_taps() == 0);
		clean_world(NULL);
	}
}

/* No number for the second queue. */
static void limit_descriptors(const struct call *call)
{
	const struct rlimit limit = {17, 17}; /* the tap's first is 16 */

	(void)call;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* It fails before there is a tap. */
static void test_too_few_descriptors(void **state)
{
	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=4\n");
	expect_refusal(
		&(struct call){
			.about = "too few", .argv = ARGS("--br=br0", FD, "--queues=4"), .as_caller = limit_descriptors},
		1, "cannot open /dev/net/tun: ");
}

/*
 *	alice --- tap, 4 queues --- br0 --- a packet socket
 */
static void test_frames(void **state)
{
	struct queues queues;
	struct result result;
	unsigned char frame[FRAME], got[2048];
	int host;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=4\n");
	result = call_for(ARGS("--br=br0", FD, "--queues=4"), &queues);
	check(&result, &queues, 4, IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
	host = packet_socket("br0");
	for (int tries = 0; tries < 3000 && atoi(first_line("/sys/class/net/%s/brport/state", tap_of(&result))) != 3;
		tries++)
		usleep(1000);
	for (unsigned int i = 0; i < queues.count; i++) {
		make_frame(frame, 7000 + i);
		EXPECT(&result, write(queues.fds[i], frame, FRAME) == FRAME);
		EXPECT(&result, comes(host, 7000 + i));
	}
	for (unsigned int port = 1; port <= 400; port++) {
		make_frame(frame, port);
		EXPECT(&result, write(host, frame, FRAME) == FRAME);
	}
	for (unsigned int i = 0; i < queues.count; i++) {
		ssize_t size = -1;

		fcntl(queues.fds[i], F_SETFL, O_NONBLOCK);
		for (int tries = 0; tries < 1000 && size < 0; tries++) {
			size = read(queues.fds[i], got, sizeof(got));
			if (size < 0)
				usleep(1000);
		}
		EXPECT(&result, size > 0);
	}
	close(host);
	give_all_back(&result, &queues);
}

/* A peer that reads nothing gets none of them. */
static void test_full_socket(void **state)
{
	int pair[2];
	char *before;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=16\n");
	before = snapshot();
	make_pair(&alice, SOCK_STREAM, pair);
	fill(pair[1]);
	{
		struct result result = run(&(struct call){
			.about = "full", .argv = ARGS("--br=br0", FD, "--queues=16"), .socket = pair[1]});

		assert_refused(&result, 1, "the caller does not read its socket");
	}
	assert_unchanged(before);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_numbers),
		TEST(test_one_queue),
		TEST(test_bad_numbers),
		TEST(test_limits),
		TEST(test_nobody_else_joins),
		TEST(test_strangers),
		TEST(test_strangers_elsewhere),
		TEST(test_a_race),
		TEST(test_nobody_joins_before_the_end),
		TEST(test_too_few_descriptors),
		TEST(test_frames),
		TEST(test_full_socket),
	};

	return RUN_TESTS(tests);
}
