// SPDX-License-Identifier: MIT
/*
 * Descriptors that a caller hands down: what --fd must be, a connected unix stream socket of the caller's own, and what
 * is open besides.
 */
#include "tests/netns/harness.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- things that are no sockets of the right kind ----------------------------------------------------------------- */

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

/* --- besides ------------------------------------------------------------------------------------------------------ */

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

enum { HIGH = 3000 };

static void open_high(const struct call *call)
{
	(void)call;
	if (dup2(open("/dev/null", O_RDWR), HIGH) != HIGH)
		_exit(122);
}

static void raise_limit(const struct call *call)
{
	const struct rlimit many = {2 * HIGH, 2 * HIGH};

	(void)call;
	if (setrlimit(RLIMIT_NOFILE, &many) < 0)
		_exit(121);
}

/* None stays open while there is a tap, whatever its number. */
static void test_a_high_one(void **state)
{
	const struct call call = {.about = "a high one", .as_root = raise_limit, .as_caller = open_high};
	struct running running;
	struct result result;

	(void)state;
	by_setuid_alone();
	prepare_br0();
	running = start_stopped(&call, tap_is_signed);
	command("[ ! -e /proc/%d/fd/%d ]", running.pid, HIGH);
	let_go_on(&running);
	result = finish(&running);
	assert_granted(&result, "br0");
	give_back(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_such_socket),
		TEST(test_sockets_with_names),
		TEST(test_200_inherited),
		TEST(test_a_high_one),
	};

	return RUN_TESTS(tests);
}
