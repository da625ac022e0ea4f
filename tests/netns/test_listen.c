// SPDX-License-Identifier: MIT
/*
 * The service's door (listen/main.c): what one user can do to others by it.
 *
 *	alice --- hundreds of connections --- tapgate-listen --- a helper for each that speaks
 *	bob   --- one -----------------------
 */
#include "tests/netns/peers.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/netns/internal.h"

#define REQUEST "--br=br0\0--fd=7"

enum {
	CROWD = 200,
	QUEUE = 100, /* less than the backlog */
	MORE_THAN_WAIT = 600,
	FEW_DESCRIPTORS = 40,
	IDLE_DESCRIPTORS = 9, /* seven, and the two of a directory that is read: ".", ".." */
};

static pid_t door;
static bool flooded; /* the log */

static void open_door(unsigned int descriptors)
{
	prepare_br0();
	write_policy("allow br0 user=bob\n");
	listen_there();
	door = serve(listener, descriptors);
}

/* Bob asks by a connection of his, and has a tap soon. */
static void bob_gets(const char *about, int sock)
{
	static char log[1 << 19];
	char any[64];
	const char *granted;
	struct answer answer = {.tap = -1};
	int pair[2];

	snprintf(any, sizeof(any), ": granted uid=1001 way=socket net=br0 vmm=%d tap=", (int)getpid());
	make_pair(&bob, SOCK_STREAM, pair);
	assert_true(send_part(sock, REQUEST, sizeof(REQUEST), &pair[1], 1));
	close(pair[1]);
	read_answer(sock, &answer);
	answer.tap = take_tap(pair[0]);
	close(pair[0]);
	close(sock);
	take_log(0, log, sizeof(log));
	granted = strstr(log, ": granted uid=1001 ");
	/* A log that is flooded loses lines, by anybody's helper. */
	snprintf(answer.log, sizeof(answer.log), "%s", granted ? granted : flooded ? any : "");
	assert_has_tap(about, &answer, BOB);
}

/* Processes that the door has now. */
static unsigned int count_helpers(void)
{
	const char *line = first_line("/proc/%d/task/%d/children", (int)door, (int)door);
	unsigned int count = 0;

	for (; *line; line++)
		count += *line == ' ';
	return count;
}

static unsigned int count_descriptors(void)
{
	char path[64];
	DIR *directory;
	unsigned int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)door);
	directory = opendir(path);
	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* The door has no descriptor but its own any more; it has them for a while. */
static void assert_idle(void)
{
	for (int tries = 0; tries < SOON && count_descriptors() != IDLE_DESCRIPTORS; tries++)
		usleep(1000);
	assert_int_equal(count_descriptors(), IDLE_DESCRIPTORS);
}

static void connect_all(int *socks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		socks[i] = connect_as(&alice);
}

/* Each was told this, with that code; the connections end. */
static void assert_all_told(const int *socks, size_t count, int code, const char *words)
{
	struct answer answer;

	for (size_t i = 0; i < count; i++) {
		read_answer(socks[i], &answer);
		if (answer.code != code || !strstr(answer.text, words))
			fail_msg("%zu: code %d, '%s'", i, answer.code, answer.text);
		close(socks[i]);
	}
}

/* Whoever says nothing costs a descriptor, for a second. The control: a process for each, where each is given one. */
static void test_silence(void **state)
{
	int socks[CROWD];
	char log[4096];
	pid_t one;

	(void)state;
	open_door(0);
	connect_all(socks, CROWD);
	assert_int_equal(count_helpers(), 0);
	bob_gets("beside silence", connect_as(&bob));
	assert_all_told(socks, CROWD, 1, "no request came by the socket");
	take_log(0, log, sizeof(log));
	assert_non_null(strstr(log, "refused uid=1000 way=socket code=1 why=\"no request came by the socket\""));
	kill(door, SIGSTOP);
	socks[0] = connect_as(&alice);
	one = serve(accept(listener, NULL, NULL), 0);
	assert_int_equal(waitpid(one, NULL, WNOHANG), 0);
	assert_true(waitpid(one, NULL, 0) == one);
	forget_child(one);
	close(socks[0]);
}

/* Who goes without a word costs no process; nor is one waited for who says an urgent byte (MSG_OOB) and no more. */
static void test_gone_or_urgent(void **state)
{
	static char log[1 << 16];
	int sock;

	(void)state;
	open_door(0);
	for (size_t i = 0; i < CROWD; i++)
		close(connect_as(&alice));
	assert_idle();
	take_log(0, log, sizeof(log));
	assert_null(strstr(log, "the request that came by the socket is none"));
	assert_non_null(strstr(log, "refused uid=1000 way=socket code=1 why=\"no request came by the socket\""));
	bob_gets("behind those that went", connect_as(&bob));
	sock = connect_as(&alice);
	if (send(sock, "x", 1, MSG_OOB) < 0 && errno == EOPNOTSUPP)
		close(sock); /* a kernel without CONFIG_AF_UNIX_OOB */
	else
		assert_all_told(&sock, 1, 2, "the request that came by the socket is none");
}

/* The number of the process that was started last here, which is over. */
static pid_t last_process(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_true(waitpid(pid, NULL, 0) == pid);
	return pid;
}

/* On one processor with the door, and before it: we run as soon as we are told anything. */
static void be_first(bool first)
{
	const struct sched_param priority = {.sched_priority = first};
	const int here = sched_getcpu();
	cpu_set_t processors;

	CPU_ZERO(&processors);
	for (unsigned int i = 0; i < CPU_SETSIZE; i++) {
		if (!first || (int)i == here)
			CPU_SET(i, &processors);
	}
	sched_setaffinity(0, sizeof(processors), &processors);
	sched_setaffinity(door, sizeof(processors), &processors);
	sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &priority);
}

/*
 * Who goes at once, and leaves unread what it was told, leaves an error in the connection (ECONNRESET) and no
 * descriptor: the door closes that itself, by no child.
 */
static void test_gone_with_the_answer(void **state)
{
	int socks[CROWD];
	pid_t last;

	(void)state;
	open_door(0);
	connect_all(socks, CROWD);
	last = last_process();
	be_first(true);
	for (size_t i = 0; i < CROWD; i++) {
		assert_int_equal(poll(&(struct pollfd){.fd = socks[i], .events = POLLIN}, 1, SOON), 1);
		close(socks[i]);
	}
	be_first(false);
	assert_idle();
	assert_int_equal(last_process(), last + 1);
}

/* What is no request is told so, each time; bob is served in between. */
static void test_garbage(void **state)
{
	int socks[CROWD];

	(void)state;
	open_door(0);
	flooded = true;
	connect_all(socks, CROWD);
	for (size_t i = 0; i < CROWD; i++)
		assert_true(send_part(socks[i], "\xff\xff\xff\xff", 4, NULL, 0));
	bob_gets("beside garbage", connect_as(&bob));
	assert_all_told(socks, CROWD, 2, "the request that came by the socket is none");
	flooded = false;
	forget_log();
}

/*
 * Who has none at work is served before who has, however many of theirs have connected before. (One that ends at once
 * leaves her with none again, who came first; so some may be before him.)
 */
static void test_behind_a_queue(void **state)
{
	static char log[1 << 16];
	int socks[QUEUE], sock, helper;
	const char *refused;
	struct answer answer;
	pid_t last;

	(void)state;
	open_door(0);
	bob_gets("before", connect_as(&bob));
	kill(door, SIGSTOP);
	for (size_t i = 0; i < QUEUE; i++) {
		socks[i] = connect_as(&alice);
		assert_true(send_part(socks[i], "\xff", 1, NULL, 0));
	}
	sock = connect_as(&bob);
	assert_true(send_part(sock, REQUEST, sizeof(REQUEST), &listener, 1));
	last = last_process();
	kill(door, SIGCONT);
	read_answer(sock, &answer);
	assert_all_told(socks, QUEUE, 2, "the request that came by the socket is none");
	close(sock);
	take_log(0, log, sizeof(log));
	refused = strstr(log, ": refused uid=1001 ");
	assert_non_null(refused);
	while (refused > log && refused[-1] != '[')
		refused--;
	helper = atoi(refused);
	if (helper > last + QUEUE / 10)
		fail_msg("%d processes before bob's", (int)(helper - last - 1));
}

/* A request is what comes at once. */
static void test_slow_bytes(void **state)
{
	int sock;

	(void)state;
	open_door(0);
	sock = connect_as(&alice);
	for (size_t i = 0; i < sizeof(REQUEST) && send_part(sock, &REQUEST[i], 1, NULL, 0); i++)
		usleep(20000);
	assert_all_told(&sock, 1, 2, "the request that came by the socket is none");
	bob_gets("after slow bytes", connect_as(&bob));
}

/* Whether a connection has ended for want of a request. */
static bool was_too_slow(int sock)
{
	char text[256] = "";

	return recv(sock, text, sizeof(text) - 1, MSG_PEEK | MSG_DONTWAIT) > 0 && strstr(text, "no request came");
}

/*
 * Where more wait than can, whoever has the most of them loses the oldest; bob's one stays, though he says nothing
 * until then. (Once more where that took longer than anybody may say nothing.)
 */
static void test_more_than_can_wait(void **state)
{
	static int socks[MORE_THAN_WAIT];
	struct answer answer = {.text = ""};
	bool slow = true;
	int sock = -1;

	(void)state;
	open_door(0);
	for (int tries = 0; tries < 20 && slow; tries++) {
		connect_all(socks, MORE_THAN_WAIT / 2);
		sock = connect_as(&bob);
		connect_all(socks + MORE_THAN_WAIT / 2, MORE_THAN_WAIT / 2);
		read_answer(socks[0], &answer);
		slow = strstr(answer.text, "no request came") || was_too_slow(sock);
		if (!slow)
			bob_gets("among many", sock);
		for (size_t i = 0; i < MORE_THAN_WAIT; i++)
			close(socks[i]);
	}
	assert_int_equal(answer.code, 1);
	assert_string_equal(answer.text,
		"tapgate-helper: too many connections wait for the service, most of them of uid 1000; try again\n");
}

/* Who has a range of subordinate ids is one user by all of them: it is not bob, who has but two, that loses one. */
static void test_subordinate_ids(void **state)
{
	static int socks[MORE_THAN_WAIT];
	struct answer answer;
	int sock;

	(void)state;
	open_door(0);
	write_file("/etc/subuid", "alice:100000:65536\n", 0644, 0, 0);
	sock = connect_as(&bob);
	socks[0] = connect_as(&bob);
	for (uid_t i = 1; i < MORE_THAN_WAIT; i++)
		socks[i] = connect_as(&(struct user){.uid = 100000 + i, .gid = 100000 + i});
	read_answer(socks[1], &answer);
	assert_string_equal(answer.text,
		"tapgate-helper: too many connections wait for the service, most of them of subordinate ids; try again\n");
	bob_gets("among many", sock);
	for (size_t i = 0; i < MORE_THAN_WAIT; i++)
		close(socks[i]);
	command("rm /etc/subuid");
}

/* With few descriptors of its own: who waits longest goes. With fewer than a helper needs: told, or the door ends. */
static void test_few_descriptors(void **state)
{
	int socks[CROWD], pair[2], sock;
	struct answer answer;

	(void)state;
	open_door(FEW_DESCRIPTORS);
	connect_all(socks, CROWD);
	bob_gets("where descriptors are few", connect_as(&bob));
	for (size_t i = 0; i < CROWD; i++)
		close(socks[i]);
	for (unsigned int limit = 4; limit < 24; limit += 3) {
		kill(door, SIGKILL);
		waitpid(door, NULL, 0);
		forget_child(door);
		door = serve(listener, limit);
		sock = connect_as(&bob);
		make_pair(&bob, SOCK_STREAM, pair);
		send_part(sock, REQUEST, sizeof(REQUEST), &pair[1], 1);
		shutdown(sock, SHUT_WR);
		answer = (struct answer){.code = -1};
		if (poll(&(struct pollfd){.fd = sock, .events = POLLIN}, 1, SOON) == 1)
			read_answer(sock, &answer);
		answer.tap = take_tap(pair[0]);
		assert_true((answer.tap >= 0) == (answer.code == 0));
		close(answer.tap);
		assert_int_equal(count_taps(), 0);
		close(pair[0]);
		close(pair[1]);
		close(sock);
	}
}

/* The last descriptor but one is taken: what is refused is logged all the same, and nothing for that stays open. */
static void test_log_without_descriptors(void **state)
{
	int socks[FEW_DESCRIPTORS - 8];
	char log[4096];

	(void)state;
	open_door(FEW_DESCRIPTORS);
	connect_all(socks, COUNT(socks));
	assert_all_told(socks, COUNT(socks), 1, "no request came by the socket");
	take_log(0, log, sizeof(log));
	assert_non_null(strstr(log, "refused uid=1000 way=socket code=1 why=\"no request came by the socket\""));
	assert_idle();
}

/* Nor is bob taken for alice, or for anybody's subordinate id, where no file can be opened to see who is one. */
static void test_users_without_descriptors(void **state)
{
	int socks[CROWD], sock = -1;
	bool slow = true;

	(void)state;
	open_door(FEW_DESCRIPTORS);
	for (int tries = 0; tries < 20 && slow; tries++) {
		connect_all(socks, FEW_DESCRIPTORS);
		sock = connect_as(&bob);
		connect_all(socks + FEW_DESCRIPTORS, CROWD - FEW_DESCRIPTORS);
		slow = was_too_slow(sock);
		if (!slow)
			bob_gets("where descriptors are few", sock);
		for (size_t i = 0; i < CROWD; i++)
			close(socks[i]);
	}
	assert_false(slow);
}

/* How often the door has waited; -1: it is no more. */
static int count_waits(void)
{
	return atoi(
		command_line("sed -n 's/^voluntary_ctxt_switches://p' /proc/%d/status | grep . || echo -1", (int)door));
}

/* Where not one can be accepted, for want of a descriptor, the door tries again and again: it does not end. */
static void test_no_descriptors(void **state)
{
	int sock, before;

	(void)state;
	open_door(7);
	while ((before = count_waits()) == 0)
		usleep(1000);
	sock = connect_as(&bob);
	for (int tries = 0; tries < SOON && count_waits() >= before && count_waits() < before + 4; tries++)
		usleep(1000);
	assert_true(count_waits() >= before + 4);
	assert_int_equal(waitpid(door, NULL, WNOHANG), 0);
	close(sock);
}

/* Descriptors come with a request to the process that is for it alone, and stay nowhere. */
static void test_many_descriptors(void **state)
{
	int many[253], socks[20];
	unsigned int before;

	(void)state;
	open_door(0);
	bob_gets("before", connect_as(&bob));
	before = count_descriptors();
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = listener;
	write_policy("allow br0\n");
	connect_all(socks, COUNT(socks));
	for (size_t i = 0; i < COUNT(socks); i++)
		assert_true(send_part(socks[i], REQUEST, sizeof(REQUEST), many, COUNT(many)));
	assert_all_told(socks, COUNT(socks), 2, "--fd=7 is not open");
	for (int tries = 0; tries < SOON && count_descriptors() != before; tries++)
		usleep(1000);
	assert_int_equal(count_descriptors(), before);
	bob_gets("after", connect_as(&bob));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_silence),
		TEST(test_gone_or_urgent),
		TEST(test_gone_with_the_answer),
		TEST(test_garbage),
		TEST(test_behind_a_queue),
		TEST(test_slow_bytes),
		TEST(test_more_than_can_wait),
		TEST(test_subordinate_ids),
		TEST(test_few_descriptors),
		TEST(test_log_without_descriptors),
		TEST(test_users_without_descriptors),
		TEST(test_no_descriptors),
		TEST(test_many_descriptors),
	};

	return RUN_TESTS(tests);
}
