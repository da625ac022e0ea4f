/*
 * --queues=: one tap of several queues, all of them in one message; no more than the policy grants, for nobody else.
 */
#include "tests/netns/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
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
	EXPECT(result, strtoul(first_line("/sys/class/net/%s/owner", first.ifr_name), NULL, 10) == ALICE);
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
	EXPECT(&result, as_user(&alice, join_queue, name) == 0); /* her own tap: the kernel asks nobody else */
	EXPECT(&result, ioctl(queues.fds[0], TUNSETPERSIST, 1UL) == 0);
	close(queues.fds[0]);
	close(queues.fds[1]);
	EXPECT(&result, as_user(&bob, join_queue, name) == EPERM);
}

/* Somebody who tries to join the tap at the moment at which it has no owner, for ever; keeps what he gets. */
static void lie_in_wait(const char *name)
{
	static const struct ifreq wanted = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE};
	int fd = open("/dev/net/tun", O_RDWR);

	become(&bob);
	for (;;) {
		struct ifreq request = wanted;

		memcpy(request.ifr_name, name, IFNAMSIZ);
		if (ioctl(fd, TUNSETIFF, &request) == 0) {
			sleep(1); /* hold it: what is left is to be removed in spite of that */
			close(fd);
			fd = open("/dev/net/tun", O_RDWR);
		}
	}
}

/* The same, who makes the tap persistent and his own, and is gone at once, so that he is not counted. */
static void pass_by(const char *name)
{
	static const struct ifreq wanted = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE};
	int fd = open("/dev/net/tun", O_RDWR);

	become(&bob);
	for (;;) {
		struct ifreq request = wanted;

		memcpy(request.ifr_name, name, IFNAMSIZ);
		if (ioctl(fd, TUNSETIFF, &request) == 0) {
			ioctl(fd, TUNSETPERSIST, 1UL);
			ioctl(fd, TUNSETOWNER, (unsigned long)BOB);
			close(fd);
			fd = open("/dev/net/tun", O_RDWR);
		}
	}
}

/* Begin it, for the first tap of a helper that this process asks; to be killed. */
static pid_t set_upon(void (*stranger)(const char *name))
{
	char name[IFNAMSIZ] = "";
	pid_t child;

	snprintf(name, sizeof(name), "tg%d-0", (int)getpid());
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		stranger(name);
	note_child(child);
	return child;
}

/*
 *	alice --- tap, 2 queues, 100 times --- br0
 *	bob --- (passes by?)
 */
static void test_a_race_for_persistence(void **state)
{
	char *before;
	pid_t child;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=2\n");
	before = snapshot();
	child = set_upon(pass_by);
	for (int i = 0; i < 100; i++) {
		struct queues queues;
		struct result result = call_for(ARGS("--br=br0", FD, "--queues=2"), &queues);

		if (result.code == 0)
			give_all_back(&result, &queues);
		EXPECT(&result, count_taps() == 0);
	}
	kill(child, SIGKILL);
	assert_unchanged(before);
}

/*
 *	alice --- tap, 4 queues, 40 times --- br0
 *	bob --- (a fifth?)
 */
static void test_a_race_for_a_queue(void **state)
{
	char *before;
	pid_t child;
	unsigned int refused = 0;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=4\n");
	before = snapshot();
	child = set_upon(lie_in_wait);
	for (int i = 0; i < 40; i++) {
		struct queues queues;
		struct result result = call_for(ARGS("--br=br0", FD, "--queues=4"), &queues);

		if (result.code == 0) {
			check(&result, &queues, 4, IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
			give_all_back(&result, &queues);
		} else {
			assert_refused(&result, 1, "another process joined the tap while it was made; try again");
			EXPECT(&result, queues.count == 0 && count_taps() == 0);
			refused++;
		}
	}
	print_message("a stranger was found on the tap %u times of 40\n", refused);
	kill(child, SIGKILL);
	assert_unchanged(before);
}

/*
 *	alice --- tap, two queues, whose helper waits for a candidate behind it --- br0, max=1
 *	alice --- (a third queue, to keep the tap when the helper is killed?)
 *
 * Until it is within the limit and says whose it is, a tap is nobody's to join, not even its user's.
 */
static void test_nobody_joins_before_the_end(void **state)
{
	char name[IFNAMSIZ];
	struct running running;
	struct result result;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 max=1 queues=2\n");
	make_stopped_candidate("br0");
	running = start_behind_candidate(
		&(struct call){.about = "joined early", .argv = ARGS("--br=br0", FD, "--queues=2")});
	snprintf(name, sizeof(name), "tg%d-0", (int)getpid());
	assert_int_equal(as_user(&bob, join_queue, name), EPERM);
	assert_int_equal(as_user(&alice, join_queue, name), EPERM);
	kill(running.pid, SIGKILL);
	result = finish(&running);
	assert_nothing_sent(&result, 128 + SIGKILL);
	EXPECT(&result, count_taps() == 1);
}

/* No number for the second queue. */
static void limit_descriptors(const struct call *call)
{
	const struct rlimit limit = {17, 17}; /* the tap's first is 16 */

	(void)call;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 *	alice --- tap, 1 queue of 4, 40 times --- (br0)
 *	bob --- (one of them, to keep the tap when the helper fails?)
 */
static void test_a_race_for_a_tap_that_fails(void **state)
{
	char *before;
	pid_t child;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=4\n");
	before = snapshot();
	child = set_upon(lie_in_wait);
	for (int i = 0; i < 40; i++) {
		struct result result = run(&(struct call){.about = "fails halfway",
			.argv = ARGS("--br=br0", FD, "--queues=4"),
			.as_caller = limit_descriptors});

		assert_refused(&result, 1, "cannot ");
		EXPECT(&result, count_taps() == 0);
	}
	kill(child, SIGKILL);
	assert_unchanged(before);
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
		.sll_ifindex = (int)if_nametoindex(interface)};
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
		TEST(test_a_race_for_a_queue),
		TEST(test_a_race_for_persistence),
		TEST(test_nobody_joins_before_the_end),
		TEST(test_a_race_for_a_tap_that_fails),
		TEST(test_frames),
		TEST(test_full_socket),
	};

	return RUN_TESTS(tests);
}
