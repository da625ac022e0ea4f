/*
 * Descriptors: what a caller hands down as --fd, as standard streams, and besides. The helper sends one descriptor by a
 * connected unix stream socket of the caller's own, or nothing; and it never waits long for anybody.
 */
#include "tests/netns/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { SOON = 3000 /* milliseconds within which the helper ends whatever is done to it */ };

static void prepare_br0(void)
{
	make_bridge("br0");
	write_policy("allow br0\n");
}

/* --- things that are no sockets of the right kind ---------------------------------------------------------------- */

static int open_file(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/file", getenv("TMPDIR"));
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
}

static int open_pipe(void)
{
	int ends[2];

	return pipe2(ends, O_CLOEXEC) == 0 ? ends[1] : -1;
}

static int open_device(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int open_tun(void)
{
	return open("/dev/net/tun", O_RDWR | O_CLOEXEC);
}

static int open_directory(void)
{
	return open("/", O_PATH | O_CLOEXEC);
}

static int open_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static int open_udp(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* One end of a TCP connection over loopback. */
static int open_tcp(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1) < 0 ||
		getsockname(listener, (struct sockaddr *)&address, &size) < 0 ||
		connect(client, (struct sockaddr *)&address, size) < 0)
		return -1;
	return client;
}

static int open_unix_datagram(void)
{
	int pair[2];

	make_pair(&alice, SOCK_DGRAM, pair);
	return pair[1];
}

static int open_unix_packets(void)
{
	int pair[2];

	make_pair(&alice, SOCK_SEQPACKET, pair);
	return pair[1];
}

static int open_unconnected(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int open_listening(void)
{
	const struct sockaddr_un nameless = {.sun_family = AF_UNIX};
	int fd = open_unconnected();

	return bind(fd, (const struct sockaddr *)&nameless, sizeof(sa_family_t)) == 0 && listen(fd, 1) == 0 ? fd : -1;
}

static int open_bobs(void)
{
	int pair[2];

	make_pair(&bob, SOCK_STREAM, pair);
	return pair[1];
}

static int open_roots(void)
{
	int pair[2];

	make_pair(&root, SOCK_STREAM, pair);
	return pair[1];
}

static int open_nothing(void)
{
	return NO_SOCKET;
}

/*
 *	alice --- (something) --- helper --- br0, allowed
 */
static void test_no_such_socket(void **state)
{
	static const struct {
		const char *about;
		int (*open)(void);
		const char *why;
	} rows[] = {
		{"closed", open_nothing, "--fd=7 is not open"},
		{"a file", open_file, "is not a unix stream socket"},
		{"a pipe", open_pipe, "is not a unix stream socket"},
		{"a device", open_device, "is not a unix stream socket"},
		{"/dev/net/tun", open_tun, "is not a unix stream socket"},
		{"a directory, by O_PATH", open_directory, "is not a unix stream socket"},
		{"netlink", open_netlink, "is not a unix stream socket"},
		{"UDP", open_udp, "is not a unix stream socket"},
		{"TCP, connected", open_tcp, "is not a unix stream socket"},
		{"unix datagrams", open_unix_datagram, "is not a unix stream socket"},
		{"unix packets", open_unix_packets, "is not a unix stream socket"},
		{"unconnected", open_unconnected, "is not connected"},
		{"listening", open_listening, "is not connected"},
		{"bob's", open_bobs, "leads to uid 1001, expected a socket of the caller's, uid 1000"},
		{"root's", open_roots, "leads to uid 0, expected a socket of the caller's, uid 1000"},
	};

	(void)state;
	prepare_br0();
	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = rows[i].open();

		assert_true(fd >= 0 || fd == NO_SOCKET);
		expect_refusal(&(struct call){.about = rows[i].about, .socket = fd}, 2, rows[i].why);
	}
}

/*
 *	alice (listener) --- bob (client, who hands the socket to his helper) --- br0, allowed
 *
 * A socket that was accepted leads to whoever connected; one that connected, to whoever listened.
 */
static void test_sockets_with_names(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), server;
	struct result result;

	(void)state;
	prepare_br0();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", getenv("TMPDIR"));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(seteuid(ALICE), 0);
	assert_int_equal(listen(listener, 1), 0); /* the kernel notes who listens */
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(seteuid(BOB), 0);
	(void)!connect(client, (struct sockaddr *)&address, sizeof(address)); /* refused: the file is root's */
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(address.sun_path, 0777), 0);
	assert_int_equal(seteuid(BOB), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(seteuid(0), 0);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	expect_refusal(&(struct call){.about = "accepted from bob", .socket = server}, 2, "leads to uid 1001");
	expect_refusal(
		&(struct call){.about = "connected to alice", .user = &bob, .socket = client}, 2, "leads to uid 1000");
	result = run(&(struct call){.about = "alice by the end that bob made", .socket = client, .peer = server});
	EXPECT(&result, result.code == 0 && result.bytes == 1 && result.fds == 1);
	give_back(&result);
}

/* --- sockets that take nothing ----------------------------------------------------------------------------------- */

/* Fill what a socket can take; returns how many bytes that was. */
static unsigned int fill(int fd)
{
	unsigned int count = 0;

	while (send(fd, "F", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		count++;
	return count;
}

/*
 *	alice --- (queue full, closed, shut down) --- helper --- tap --- br0, allowed
 *
 * The descriptor does not go out: the tap ends with the helper, at once.
 */
static void test_sockets_that_take_nothing(void **state)
{
	enum { FULL, CLOSED, SHUT_BY_PEER, SHUT_BY_CALLER, ROWS };
	static const char *const abouts[] = {"queue full", "peer closed", "peer reads no more", "writes no more"};

	(void)state;
	prepare_br0();
	for (int row = 0; row < ROWS; row++) {
		int pair[2], least = 1;
		unsigned int filled = 0;
		char *before = snapshot();
		struct result result;

		make_pair(&alice, SOCK_STREAM, pair);
		setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
		if (row == FULL)
			filled = fill(pair[1]);
		else if (row == CLOSED)
			close(pair[0]);
		else
			shutdown(pair[row == SHUT_BY_CALLER], row == SHUT_BY_CALLER ? SHUT_WR : SHUT_RD);
		result = run(
			&(struct call){.about = abouts[row], .socket = pair[1], .peer = row == CLOSED ? 0 : pair[0]});
		EXPECT(&result, result.bytes == filled);
		result.bytes -= filled;
		assert_refused(&result, 1, "cannot send the tap's descriptor: ");
		EXPECT(&result, result.elapsed < SOON);
		assert_unchanged(before);
	}
}

/* Keep descriptors in flight as alice until the test ends; says so by a byte. */
static void keep_in_flight(int ready, unsigned int count)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec data = {.iov_base = control.space, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	int pair[2];

	become(&alice);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		_exit(1);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &pair[0], sizeof(int));
	for (unsigned int i = 0; i < count; i++) {
		if (sendmsg(pair[1], &message, 0) != 1)
			_exit(2);
	}
	(void)!write(ready, "", 1);
	pause();
	_exit(0);
}

static void limit_files_to_20(const struct call *call)
{
	const struct rlimit limit = {20, 20};

	(void)call;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 *	alice --- (40 descriptors in flight, 20 allowed) --- helper --- tap --- br0, allowed
 *
 * The kernel counts descriptors in flight by user (too_many_unix_fds, net/unix/scm.c): ETOOMANYREFS.
 */
static void test_too_many_in_flight(void **state)
{
	int ready[2];
	char byte;
	pid_t child;

	(void)state;
	prepare_br0();
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		keep_in_flight(ready[1], 40);
	note_child(child);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	expect_refusal(&(struct call){.about = "40 in flight", .as_caller = limit_files_to_20}, 1,
		"cannot send the tap's descriptor: Too many references");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	forget_child(child);
	expect_grant(&(struct call){.about = "none in flight", .as_caller = limit_files_to_20}, "br0");
}

/* --- standard streams -------------------------------------------------------------------------------------------- */

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
		snprintf(words, sizeof(words), "refused uid=%u net=br1 ", user->uid);
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

static void open_200(const struct call *call)
{
	(void)call;
	for (int i = 0; i < 100; i++)
		(void)!open("/dev/net/tun", O_RDWR);
	for (int i = 0; i < 100; i++)
		(void)!socket(AF_UNIX, SOCK_STREAM, 0);
}

/*
 *	alice (200 more open descriptors) --- tap or not --- br0
 */
static void test_200_inherited(void **state)
{
	(void)state;
	prepare_br0();
	expect_grant(&(struct call){.about = "200 descriptors", .as_caller = open_200}, "br0");
	expect_refusal(&(struct call){.about = "200 descriptors", .as_caller = open_200, .argv = ARGS("--br=x", FD)}, 3,
		"no rule allows it");
}

/* A pipe that takes no more; blocking, as a shell's. */
static int full_pipe(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], "F", 1) == 1)
		;
	fcntl(ends[1], F_SETFL, 0);
	return ends[1];
}

static int broken_pipe(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
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

	fcntl(slave, F_SETFL, O_NONBLOCK);
	while (write(slave, "F", 1) == 1)
		;
	while (room > 0) {
		ssize_t size = read(master, bytes, room < sizeof(bytes) ? room : sizeof(bytes));

		assert_true(size > 0);
		room -= (size_t)size;
	}
	fcntl(slave, F_SETFL, 0);
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
		EXPECT(&result, strstr(result.log, "refused uid=1000 net=br1 ") && strstr(result.log, " code=3 "));
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

/* --- the log ----------------------------------------------------------------------------------------------------- */

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
			int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
			assert_int_equal(connect(sender, (const struct sockaddr *)&address, sizeof(address)), 0);
			while (send(sender, "full", 4, 0) == 4)
				;
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
		TEST(test_no_such_socket),
		TEST(test_sockets_with_names),
		TEST(test_sockets_that_take_nothing),
		TEST(test_too_many_in_flight),
		TEST(test_closed_standard_streams),
		TEST(test_200_inherited),
		TEST(test_standard_error_that_takes_nothing),
		TEST(test_terminal),
		TEST(test_log_that_takes_nothing),
	};

	return RUN_TESTS(tests);
}
