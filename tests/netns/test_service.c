/* SPDX-License-Identifier: MIT */
/*
 * The helper as a service (helper/service.c): who asks is who connected, a peer costs nobody but itself, and a
 * descriptor goes to nobody else. (That it answers as the setuid program does: BY_SOCKET=1 in tests/run/check.)
 *
 *	peer (a user) --- connection --- tapgate-helper --serve (root's, without setuid bit)
 *	peer --- pair of sockets, sent along --- tap --- br0
 */
#include "tests/netns/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/netns/internal.h"

/* --- who asks ----------------------------------------------------------------------------------------------------- */

static void test_who_connected(void **state)
{
	struct answer answer;

	(void)state;
	prepare_br0();
	listen_there();
	write_policy("allow br0 user=alice\nallow br0 group=guests\n");
	answer = ask((struct peer){.about = "alice"});
	assert_has_tap("alice", &answer, ALICE);
	answer = ask((struct peer){.user = &carol});
	assert_has_tap("carol, by her group", &answer, CAROL);
	answer = ask((struct peer){.user = &bob});
	assert_told(&(struct peer){.about = "bob"}, &answer, 3, "uid 1001 may not use 'br0': no rule allows it");
	answer = ask((struct peer){.dies = false, .leaves = true});
	assert_true(answer.tap >= 0); /* a peer that is a zombie by then: the socket's other end is alice's still */
	close(answer.tap);
}

/* As root of a user namespace of its own; seen from the service it is who it was. */
static void become_root_of_nothing(void)
{
	uid_t uid = getuid();
	pid_t child;
	int status;
	FILE *map;

	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* else /proc/self is root's */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) < 0)
		_exit(5);
	map = fopen("/proc/self/uid_map", "w");
	if (!map || fprintf(map, "0 %u 1\n", uid) < 0 || fclose(map) != 0 || getuid() != 0)
		_exit(6);
	child = fork(); /* process 1 of the new namespace */
	if (child)
		_exit(child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : 7);
}

static void test_namespaces(void **state)
{
	struct answer answer;

	(void)state;
	prepare_br0();
	listen_there();
	write_policy("allow br0 user=alice\ndeny br0 user=root\n");
	answer = ask((struct peer){.before = become_root_of_nothing});
	assert_has_tap("root of a namespace of alice's", &answer, ALICE); /* in the service's network namespace */
	answer = ask((struct peer){.user = &bob, .before = become_root_of_nothing});
	assert_told(&(struct peer){.about = "bob as root of his"}, &answer, 3, "uid 1001 may not use 'br0'");
}

static bool have_many_groups(void)
{
	static gid_t groups[65536];

	for (size_t i = 0; i < COUNT(groups); i++)
		groups[i] = 100000 + (gid_t)i;
	return setgroups(COUNT(groups), groups) == 0 && setresgid(ALICE, ALICE, ALICE) == 0 &&
	       setresuid(ALICE, ALICE, ALICE) == 0;
}

static void test_as_many_groups_as_there_can_be(void **state)
{
	struct answer answer;

	(void)state;
	prepare_br0();
	listen_there();
	write_policy("allow br0 group=#165535\n");
	answer = ask((struct peer){.as_root = have_many_groups});
	assert_has_tap("65536 groups", &answer, ALICE);
	answer = ask((struct peer){.about = "without them"});
	assert_told(&(struct peer){.about = "without them"}, &answer, 3, "no rule allows it");
}

/* --- what it sends ------------------------------------------------------------------------------------------------ */

static void test_bad_requests(void **state)
{
	static char filled[4096], word[513];
	static const char none[513];
	static const struct {
		struct peer peer;
		const char *says;
		int code;
	} rows[] = {
		{{.about = "too long, without a NUL", .words = filled, .size = sizeof(filled)},
			"that came by the socket is none", 2},
		{{.about = "no NUL", .words = "--br=br0", .size = 8}, "that came by the socket is none", 2},
		{{.about = "too long", .words = none, .size = sizeof(none)}, "that came by the socket is none", 2},
		{{.about = "too long, of one word", .words = word, .size = sizeof(word)},
			"that came by the socket is none", 2},
		{{.about = "too many words", .words = none, .size = 17}, "that came by the socket is none", 2},
		{{.about = "empty words", .words = none, .size = 16}, "unknown argument ''", 2},
		{{.about = "no socket", .nothing_passed = true}, "--fd=7 is not open", 2},
		{{.about = "words of no sense", WORDS("--br=br0\0--fd=7\0--serve")}, "unknown argument '--serve'", 2},
		{{.about = "binary", .words = "\xff\x01\x7f", .size = 4}, "unknown argument", 2},
		{{.about = "silent", .silent = true}, "no request came by the socket", 1},
	};

	(void)state;
	memset(filled, 'x', sizeof(filled));
	memset(word, 'x', sizeof(word) - 1);
	prepare_br0();
	listen_there();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct answer answer = ask(rows[i].peer);

		assert_told(&rows[i].peer, &answer, rows[i].code, rows[i].says);
		if (answer.elapsed > SOON)
			fail_msg("%s: %d ms", rows[i].peer.about, (int)answer.elapsed);
	}
}

static void test_bad_descriptors(void **state)
{
	int of_bob[2], of_alice[2], file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	struct peer peer = {.about = "a file", .pass = {file}};
	struct answer answer;

	(void)state;
	prepare_br0();
	listen_there();
	answer = ask(peer);
	assert_told(&peer, &answer, 2, "--fd=7 is not a unix stream socket");
	make_pair(&bob, SOCK_STREAM, of_bob);
	peer = (struct peer){.about = "a socket of bob's", .pass = {of_bob[1]}};
	answer = ask(peer);
	assert_told(&peer, &answer, 2, "--fd=7 leads to uid 1001, expected a socket of the caller's, uid 1000");
	make_pair(&alice, SOCK_STREAM, of_alice);
	peer = (struct peer){.about = "two", .pass = {of_alice[1], of_bob[1]}};
	answer = ask(peer);
	assert_told(&peer, &answer, 2, "--fd=7 is not open");
	assert_true(take_tap(of_bob[0]) < 0 && take_tap(of_alice[0]) < 0);
}

/* Gone before it has said anything, or before the answer: the service ends, and no tap stays without its holder. */
static void test_peers_that_go(void **state)
{
	struct answer answer;

	(void)state;
	prepare_br0();
	listen_there();
	answer = ask((struct peer){.dies = true});
	assert_true(WIFEXITED(answer.status) && answer.elapsed < SOON);
	assert_true(answer.tap < 0 && count_taps() == 0);
	answer = ask((struct peer){.leaves = true, WORDS("--br=br1\0--fd=7")});
	assert_true(WIFEXITED(answer.status) && WEXITSTATUS(answer.status) == 3);
	assert_non_null(strstr(answer.log, "refused uid=1000 way=socket net=br1"));
}

/* --- both ways ---------------------------------------------------------------------------------------------------- */

/* A tap by the setuid bit and one by the service take a place each of the same two. */
static void test_both_ways_count(void **state)
{
	struct peer peer = {.about = "a third, by the service"};
	struct call call = {.about = "a third, by the setuid bit"};
	struct answer by_service, third;
	struct result by_bit;

	(void)state;
	prepare_br0();
	listen_there();
	write_policy("allow br0 user=alice max=2\n");
	by_bit = hold(&call, "br0");
	by_service = ask((struct peer){.about = "by the service"});
	assert_true(by_service.tap >= 0);
	assert_int_equal(count_taps(), 2);
	expect_refusal(&call, 5, "has reached max=2 on 'br0'");
	third = ask(peer);
	assert_true(third.code == 5 && third.tap < 0 && strstr(third.text, "has reached max=2 on 'br0'"));
	assert_int_equal(count_taps(), 2);
	close(by_bit.tap);
	third = ask(peer);
	assert_true(third.tap >= 0);
	close(third.tap);
	close(by_service.tap);
	assert_int_equal(count_taps(), 0);
}

/* Alice connects, bob sends the request by her connection, with a socket of his own: who asked is alice. */
static void test_a_connection_that_is_shared(void **state)
{
	struct answer answer;
	int sock, of_bob[2], connection, status;
	pid_t asking, serving;

	(void)state;
	prepare_br0();
	listen_there();
	write_policy("allow br0\n");
	make_pair(&bob, SOCK_STREAM, of_bob);
	sock = connect_as(&alice);
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	asking = fork();
	if (asking == 0) {
		become(&bob);
		_exit(!send_part(sock, "--br=br0\0--fd=7", sizeof("--br=br0\0--fd=7"), &of_bob[1], 1));
	}
	assert_true(waitpid(asking, &status, 0) == asking && status == 0);
	serving = serve(connection, 0);
	close(connection);
	assert_true(waitpid(serving, &answer.status, 0) == serving);
	forget_child(serving);
	read_answer(sock, &answer);
	answer.tap = take_tap(of_bob[0]);
	take_log(serving, answer.log, sizeof(answer.log));
	assert_told(&(struct peer){.about = "shared"}, &answer, 2,
		"--fd=7 leads to uid 1001, expected a socket of the caller's, uid 1000");
	close(sock);
}

/* Root, who alone may, says by SCM_CREDENTIALS (unix(7)) that alice sent the request: who asked is root. */
static void test_credentials_of_another(void **state)
{
	union {
		char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	const struct ucred hers = {.pid = getpid(), .uid = ALICE, .gid = ALICE};
	char words[] = "--br=br0\0--fd=7";
	struct iovec data = {.iov_base = words, .iov_len = sizeof(words)};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	struct cmsghdr *rights;
	struct answer answer;
	int sock, of_alice[2], connection;
	pid_t serving;

	(void)state;
	prepare_br0();
	listen_there();
	write_policy("allow br0 user=alice\n");
	make_pair(&alice, SOCK_STREAM, of_alice);
	sock = connect_there();
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_CREDENTIALS;
	control.align.cmsg_len = CMSG_LEN(sizeof(hers));
	memcpy(CMSG_DATA(&control.align), &hers, sizeof(hers));
	rights = (struct cmsghdr *)(void *)(control.space + CMSG_SPACE(sizeof(hers)));
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &of_alice[1], sizeof(int));
	assert_int_equal(sendmsg(sock, &message, 0), sizeof(words));
	serving = serve(connection, 0);
	close(connection);
	assert_true(waitpid(serving, &answer.status, 0) == serving);
	forget_child(serving);
	read_answer(sock, &answer);
	answer.tap = take_tap(of_alice[0]);
	take_log(serving, answer.log, sizeof(answer.log));
	assert_told(&(struct peer){.about = "credentials"}, &answer, 3, "uid 0 may not use 'br0': no rule allows it");
	close(sock);
}

/* Nobody listens where a service was: told so, by one that has no capability. */
static void test_a_stale_socket(void **state)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/tapgate/helper.sock"};
	struct call call = {.about = "stale", .program = "/run/stale-helper"};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	prepare_br0();
	command("install -m 755 $HELPER /run/stale-helper && mkdir -p /run/tapgate && rm -f /run/tapgate/helper.sock");
	expect_refusal(&call, 1, "or for the service: systemctl enable --now tapgate-helper.socket");
	assert_int_equal(bind(sock, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(chmod(address.sun_path, 0666), 0);
	close(sock);
	expect_refusal(&call, 1, "; /run/tapgate/helper.sock: nothing listens there");
	assert_int_equal(chmod(address.sun_path, 0600), 0);
	expect_refusal(&call, 1, "; /run/tapgate/helper.sock: this user may not use it");
	command("rm /run/tapgate/helper.sock /run/stale-helper");
}

/* Bob listens where the service is to be, and hears nothing of alice's. */
static void test_a_socket_of_another_user(void **state)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/tapgate/helper.sock"};
	struct call call = {.about = "bob's socket", .program = "/run/stale-helper"};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), connection;

	(void)state;
	prepare_br0();
	command("install -m 755 $HELPER /run/stale-helper && mkdir -p /run/tapgate && rm -f /run/tapgate/helper.sock");
	assert_int_equal(bind(sock, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_true(chmod(address.sun_path, 0666) == 0 && seteuid(BOB) == 0 && listen(sock, 8) == 0 && seteuid(0) == 0);
	expect_refusal(&call, 1, "; /run/tapgate/helper.sock is served by uid 1001, not by root");
	connection = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
	assert_true(connection >= 0 && recv(connection, &(char){0}, 1, 0) == 0);
	close(connection);
	close(sock);
	command("rm /run/tapgate/helper.sock /run/stale-helper");
}

/* --- who may serve ------------------------------------------------------------------------------------------------ */

static void listen_at_input(const struct call *call)
{
	(void)call;
	dup2(listener, STDIN_FILENO);
}

/*
 * The word means nothing to a setuid program that somebody else started; nor is a service one without a connection, or
 * with what only tapgate-listen accepts by.
 */
static void test_serving_is_roots(void **state)
{
	(void)state;
	prepare_br0();
	listen_there();
	expect_refusal(&(struct call){.argv = ARGS("--serve"), .user = &root, .as_root = listen_at_input}, 2,
		"--serve without a connection on standard input");
	expect_refusal(&(struct call){.argv = ARGS("--serve")}, 2, "unknown argument '--serve'");
	expect_refusal(&(struct call){.argv = ARGS("--serve"), .user = &root}, 2, "it is for service managers");
	expect_refusal(&(struct call){.argv = ARGS("--serve", "--br=br0", FD), .user = &root}, 2, "unknown argument");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_connected),
		TEST(test_namespaces),
		TEST(test_as_many_groups_as_there_can_be),
		TEST(test_bad_requests),
		TEST(test_bad_descriptors),
		TEST(test_peers_that_go),
		TEST(test_both_ways_count),
		TEST(test_a_connection_that_is_shared),
		TEST(test_credentials_of_another),
		TEST(test_a_stale_socket),
		TEST(test_a_socket_of_another_user),
		TEST(test_serving_is_roots),
	};

	return RUN_TESTS(tests);
}
