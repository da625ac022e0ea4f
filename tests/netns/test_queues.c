// SPDX-License-Identifier: MIT
/*
 * --queues=: one tap of several queues, all of them in one message; for nobody else, and frames go by all. (How many
 * may be asked for: command_line.md, limit.md. What a stranger does meanwhile: test_queues_strangers.c.)
 */
#include "tests/netns/queues.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/netns/frames.h"

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
		result = queues_run(ARGS(word, network, FD), &queues);
		queues_check(&result, &queues, numbers[i / 2], QUEUES_FLAGS);
		queues_give_back(&result, &queues);
		result = queues_run(ARGS(FD, network, "--use-vnet", word), &queues);
		queues_check(&result, &queues, numbers[i / 2], QUEUES_FLAGS | IFF_VNET_HDR);
		queues_give_back(&result, &queues);
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
		struct result result = said ? queues_run(ARGS("--br=br0", FD, "--queues=1"), &queues)
					    : queues_run(ARGS("--br=br0", FD), &queues);
		char name[IFNAMSIZ];

		queues_check(&result, &queues, 1, IFF_TAP | IFF_NO_PI);
		snprintf(name, sizeof(name), "%s", tap_of(&result));
		EXPECT(&result, as_user(&bob, join_queue, name) == EINVAL);
		EXPECT(&result, as_user(&alice, join_queue, name) == EINVAL);
		queues_give_back(&result, &queues);
	}
}

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
	result = queues_run(ARGS("--br=br0", FD, "--queues=2"), &queues);
	queues_check(&result, &queues, 2, QUEUES_FLAGS);
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
	by_setuid_alone();
	make_bridge("br0");
	write_policy("allow br0 queues=4\n");
	expect_refusal(
		&(struct call){
			.about = "too few", .argv = ARGS("--br=br0", FD, "--queues=4"), .as_caller = limit_descriptors},
		1, "cannot open /dev/net/tun: ");
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

/* A UDP packet in a frame, from a port of its own. */
static void make_datagram(unsigned char frame[FRAME_MIN], unsigned int port)
{
	static const unsigned char head[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46,
		0, 0, 0, 0, 64, 17, 0x55, 0xa8, 10, 9, 8, 7, 10, 9, 8, 255};

	memset(frame, 0, FRAME_MIN);
	memcpy(frame, head, sizeof(head));
	frame[34] = (unsigned char)(port >> 8);
	frame[35] = (unsigned char)port;
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
	unsigned char frame[FRAME_MIN], got[2048];
	int host;

	(void)state;
	make_bridge("br0");
	write_policy("allow br0 queues=4\n");
	result = queues_run(ARGS("--br=br0", FD, "--queues=4"), &queues);
	queues_check(&result, &queues, 4, QUEUES_FLAGS);
	host = packet_socket("br0");
	await_forwarding(&result);
	for (unsigned int i = 0; i < queues.count; i++) {
		make_datagram(frame, 7000 + i);
		EXPECT(&result, write(queues.fds[i], frame, FRAME_MIN) == FRAME_MIN);
		EXPECT(&result, comes(host, 7000 + i));
	}
	for (unsigned int port = 1; port <= 400; port++) {
		make_datagram(frame, port);
		EXPECT(&result, write(host, frame, FRAME_MIN) == FRAME_MIN);
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
	queues_give_back(&result, &queues);
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
		TEST(test_nobody_else_joins),
		TEST(test_nobody_joins_before_the_end),
		TEST(test_too_few_descriptors),
		TEST(test_frames),
		TEST(test_full_socket),
	};

	return RUN_TESTS(tests);
}
