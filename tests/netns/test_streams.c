// SPDX-License-Identifier: MIT
/*
 * Where the helper speaks: standard streams that are closed, and a standard error or a log that takes nothing. It never
 * waits long for anybody.
 */
#include "tests/netns/harness.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

/* --- standard streams --------------------------------------------------------------------------------------------- */

static void close_some(const struct call *call)
{
	unsigned int which = *(const unsigned int *)call->context;

	for (int fd = 0; fd <= 2; fd++) {
		if (which & 1U << fd)
			close(fd);
	}
}

/*
 *	alice --- tap or not --- br0, with each of the eight sets of closed standard streams
 *
 * No descriptor that the helper makes is taken for one of them: no text in the tap or the socket.
 */
static void test_closed_standard_streams(void **state)
{
	const struct {
		const char *const *argv;
		int number;
	} good[] = {{ARGS("--br=br0", "--fd=3"), 3}, {ARGS("--br=br0", "--fd=4"), 4}, {ARGS("--br=br0", FD), NUMBER}};

	(void)state;
	prepare_br0();
	/* The C library opens them for setuid programs; for root's own calls nobody does but the helper. */
	for (unsigned int row = 0; row < 16; row++) {
		const unsigned int which = row % 8;
		const struct user *user = row < 8 ? &alice : &root;
		struct call call = {
			.about = "closed streams", .user = user, .as_caller = close_some, .context = &which};
		char *before = snapshot();
		char words[64];

		for (size_t i = 0; i < COUNT(good); i++) {
			call.argv = good[i].argv;
			call.number = good[i].number;
			expect_grant(&call, "br0");
		}
		call.argv = ARGS("--br=br1", FD);
		call.number = 0;
		struct result result = run(&call);
		assert_nothing_sent(&result, 3);
		snprintf(words, sizeof(words), "refused uid=%u %snet=br1 ", user->uid,
			by_socket() && user->uid != 0 ? "way=socket " : "");
		EXPECT(&result, strstr(result.log, words) && strstr(result.log, " code=3 "));
		EXPECT(&result, (which & 4U) == (result.errors_size == 0 ? 4U : 0U));
		assert_unchanged(before);
	}
	for (int fd = 0; fd <= 2; fd++) {
		char word[16];

		snprintf(word, sizeof(word), "--fd=%d", fd);
		expect_refusal(&(struct call){.about = "socket instead of a stream", .argv = ARGS("--br=br0", word)}, 2,
			"above 2");
	}
}

static int broken_pipe(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	return ends[1];
}

/* A pipe that takes a line, which stays in it: its other end is open. */
static int lazy_pipe(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	return ends[1];
}

/* A unix stream that takes no more. */
static int full_socket(void)
{
	int pair[2];

	make_pair(&alice, SOCK_STREAM, pair);
	fill(pair[1]);
	return pair[1];
}

/* A terminal as programs like it: nothing is changed on the way. */
static int open_terminal(int *master)
{
	struct termios mode;
	int slave;

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0);
	slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0 && tcgetattr(slave, &mode) == 0);
	cfmakeraw(&mode);
	assert_int_equal(tcsetattr(slave, TCSANOW, &mode), 0);
	return slave;
}

/* A terminal that was stopped with Ctrl-S. */
static int stopped_terminal(void)
{
	int master, slave = open_terminal(&master);

	assert_int_equal(tcflow(slave, TCOOFF), 0);
	return slave;
}

/* A terminal that nobody reads, with room for this many bytes. */
static int filled_terminal(size_t room)
{
	int master, slave = open_terminal(&master);
	char bytes[1024];

	fill(slave);
	while (room > 0) {
		ssize_t size = read(master, bytes, room < sizeof(bytes) ? room : sizeof(bytes));

		assert_true(size > 0);
		room -= (size_t)size;
	}
	return slave;
}

static int full_terminal(void)
{
	return filled_terminal(0);
}

static int nearly_full_terminal(void)
{
	return filled_terminal(300); /* the kernel counts room in such steps */
}

static int full_device(void)
{
	return open("/dev/full", O_WRONLY | O_CLOEXEC);
}

static int read_only_file(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int open_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static int open_tun(void)
{
	return open("/dev/net/tun", O_RDWR | O_CLOEXEC);
}

/*
 *	alice --- tap or not --- br0, with a standard error that does not take a line
 *
 * The helper ends all the same, soon, with the same code; the log has the reason. And whoever gets what it writes, as a
 * netlink socket would (CVE-2014-0181), gets it from a process without a privilege.
 */
static void test_standard_error_that_takes_nothing(void **state)
{
	static const struct {
		const char *about;
		int (*open)(void);
	} rows[] = {
		{"a full pipe", full_pipe},
		{"a pipe that nobody reads", broken_pipe},
		{"a full socket", full_socket},
		{"a full device", full_device},
		{"a read-only file", read_only_file},
		{"a pipe that nobody empties", lazy_pipe},
		{"a netlink socket", open_netlink},
		{"a stopped terminal", stopped_terminal},
		{"a full terminal", full_terminal},
		{"a nearly full terminal", nearly_full_terminal},
		{"a tap's device", open_tun},
	};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct call call = {.about = rows[i].about, .error = rows[i].open(), .patience = SOON};
		char *before = snapshot();
		struct result result;

		assert_true(call.error >= 0);
		call.argv = ARGS("--br=br1", FD);
		result = run(&call);
		assert_nothing_sent(&result, 3);
		EXPECT(&result, strstr(result.log, by_socket() ? "refused uid=1000 way=socket net=br1 "
							       : "refused uid=1000 net=br1 ") &&
					strstr(result.log, " code=3 "));
		call.argv = NULL;
		result = hold(&call, "br0");
		give_back(&result);
		assert_unchanged(before);
	}
}

/*
 *	alice (on a terminal) --- not --- br1
 */
static void test_terminal(void **state)
{
	int master, slave = open_terminal(&master);
	struct result result;
	ssize_t size;

	(void)state;
	prepare_br0();
	result = run(&(struct call){.about = "a terminal", .argv = ARGS("--br=br1", FD), .error = slave});
	size = read(master, result.errors, sizeof(result.errors) - 1);
	EXPECT(&result, size > 0);
	result.errors_size = (size_t)size;
	assert_refused(&result, 3, "uid 1000 may not use 'br1'");
}

/* --- the log ------------------------------------------------------------------------------------------------------ */

/* With as many senders as it takes: each may have so much on its way and no more. */
static void fill_log(const struct sockaddr_un *address)
{
	int count;

	do {
		int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		assert_int_equal(connect(sender, (const struct sockaddr *)address, sizeof(*address)), 0);
		for (count = 0; send(sender, "full", 4, 0) == 4;)
			count++;
	} while (count > 0);
}

/*
 *	alice --- tap or not --- br0, with no log, with one that nobody reads, and with something else in its place
 */
static void test_log_that_takes_nothing(void **state)
{
	static const struct {
		const char *about, *prepare;
	} rows[] = {
		{"no log", ":"},
		{"a file", ": >/dev/log"},
		{"a directory", "mkdir /dev/log"},
		{"a link to nothing", "ln -s /nowhere /dev/log"},
		{"a FIFO", "mkfifo /dev/log"},
	};
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int deaf = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct result result;

	(void)state;
	prepare_br0();
	command("mv /dev/log /dev/log.kept");
	for (size_t i = 0; i <= COUNT(rows) + 1; i++) {
		struct call call = {.about = i < COUNT(rows) ? rows[i].about : "deaf", .patience = SOON};

		if (i < COUNT(rows)) {
			command("%s", rows[i].prepare);
		} else if (i == COUNT(rows)) {
			assert_int_equal(bind(stream, (const struct sockaddr *)&address, sizeof(address)), 0);
			assert_int_equal(listen(stream, 1), 0);
		} else {
			assert_int_equal(bind(deaf, (const struct sockaddr *)&address, sizeof(address)), 0);
			chmod("/dev/log", 0666);
			fill_log(&address);
		}
		result = run(&call);
		EXPECT(&result, result.code == 0 && result.bytes == 1 && result.fds == 1 && result.errors_size == 0);
		assert_tap(&result, "br0");
		give_back(&result);
		call.argv = ARGS("--br=br1", FD);
		result = run(&call);
		assert_nothing_sent(&result, 3);
		EXPECT(&result, strncmp(result.errors, "tapgate-helper: uid 1000 may not use 'br1'", 42) == 0);
		command("rm -rf /dev/log");
	}
	command("mv /dev/log.kept /dev/log");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_closed_standard_streams),
		TEST(test_standard_error_that_takes_nothing),
		TEST(test_terminal),
		TEST(test_log_that_takes_nothing),
	};

	return RUN_TESTS(tests);
}
