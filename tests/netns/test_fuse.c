// SPDX-License-Identifier: MIT
/*
 * File systems that a user serves (FUSE): the kernel shows their files with the owner and mode that the user likes.
 * Nothing on them is believed.
 */
#include "tests/netns/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/netns/internal.h"

#define DIRECTORY  "/run/served"
#define FILE_NAME  "/run/served-file"
#define ON_THE_WAY "a directory on the way to it is a mount of a user"
#define DEVICE	   "/run/fuse"

/* Whether the server never answers when one of its files is closed; when one is read. */
static bool keeps_waiting, keeps_reading;

static const char policy[] = "allow br0\n";

enum {
	ROOT_NODE = FUSE_ROOT_ID,
	POLICY_NODE,
	NO_ANSWER = 1 << 30,
	DEVICE_NUMBER = 229, /* of major 10 (include/linux/miscdevice.h) */
};

/* --- a server: one directory, and whatever is looked up there is the policy; all of it root's --------------------- */

struct reply {
	struct fuse_out_header header;
	union {
		struct fuse_init_out init;
		struct fuse_attr_out attributes;
		struct fuse_entry_out entry;
		struct fuse_open_out open;
		struct fuse_statfs_out system;
		char text[sizeof(policy)];
	} body;
};

static struct fuse_attr attributes_of(uint64_t node, bool all_files)
{
	bool is_file = all_files || node != ROOT_NODE;

	return (struct fuse_attr){.ino = node,
		.mode = is_file ? S_IFREG | 0644 : S_IFDIR | 0755,
		.nlink = 1,
		.size = is_file ? sizeof(policy) - 1 : 0};
}

/* Fill an answer in: the size of its body, or an error. */
static int answer_to(const struct fuse_in_header *request, struct reply *answer, bool all_files)
{
	switch (request->opcode) {
	case FUSE_INIT:
		answer->body.init =
			(struct fuse_init_out){.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096};
		return sizeof(answer->body.init);
	case FUSE_GETATTR:
		answer->body.attributes.attr = attributes_of(request->nodeid, all_files);
		return sizeof(answer->body.attributes);
	case FUSE_LOOKUP:
		answer->body.entry.nodeid = POLICY_NODE;
		answer->body.entry.attr = attributes_of(POLICY_NODE, all_files);
		return sizeof(answer->body.entry);
	case FUSE_OPEN:
		return sizeof(answer->body.open);
	case FUSE_STATFS:
		return sizeof(answer->body.system);
	case FUSE_READ: {
		const struct fuse_read_in *from = (const void *)(request + 1);

		if (keeps_reading)
			return NO_ANSWER;
		if (from->offset > 0)
			return 0;
		memcpy(answer->body.text, policy, sizeof(policy) - 1);
		return sizeof(policy) - 1;
	}
	case FUSE_FLUSH:
		return keeps_waiting ? NO_ANSWER : 0;
	case FUSE_RELEASE:
		return 0;
	default:
		return -ENOSYS;
	}
}

__attribute__((noreturn)) static void serve_files(int fd, bool all_files)
{
	union {
		struct fuse_in_header header;
		char space[FUSE_MIN_READ_BUFFER * 2];
	} request;

	for (;;) {
		struct reply answer = {.header.len = sizeof(answer.header)};
		ssize_t size = read(fd, &request, sizeof(request));
		int result;

		if (size < 0 && (errno == EINTR || errno == ENOENT))
			continue;
		if (size < (ssize_t)sizeof(request.header))
			_exit(0); /* unmounted */
		if (request.header.opcode == FUSE_FORGET || request.header.opcode == FUSE_BATCH_FORGET ||
			request.header.opcode == FUSE_INTERRUPT)
			continue;
		result = answer_to(&request.header, &answer, all_files);
		if (result == NO_ANSWER)
			continue;
		answer.header.unique = request.header.unique;
		answer.header.error = result < 0 ? result : 0;
		answer.header.len += result < 0 ? 0U : (unsigned int)result;
		(void)!write(fd, &answer, answer.header.len);
	}
}

/* --- as fusermount3(1) mounts it ---------------------------------------------------------------------------------- */

/* False where the kernel has no FUSE. */
static bool mount_for_alice(const char *place, mode_t type, unsigned long flags)
{
	char options[128];
	pid_t child;
	int fd;

	if (access(DEVICE, F_OK) != 0 && mknod(DEVICE, S_IFCHR | 0600, makedev(10, DEVICE_NUMBER)) < 0)
		return false;
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(options, sizeof(options), "fd=%d,rootmode=%o,user_id=%u,group_id=%u", fd, type, ALICE, ALICE);
	if (mount("alices", place, "fuse", flags, options) < 0) {
		close(fd);
		return false;
	}
	child = fork();
	if (child == 0) {
		become(&alice);
		serve_files(fd, S_ISREG(type));
	}
	note_child(child);
	close(fd);
	return true;
}

/* The mounts end before the servers. */
static int clean_mounts(void **state)
{
	keeps_waiting = keeps_reading = false;
	umount2(DIRECTORY, MNT_DETACH);
	umount2(FILE_NAME, MNT_DETACH);
	return clean_world(state);
}

static void make_places(void)
{
	prepare_br0();
	command("mkdir -p " DIRECTORY " && chown alice: " DIRECTORY " && : >" FILE_NAME " && chown alice: " FILE_NAME);
}

/* What is there, as alice sees it: the lie that is told. */
static int sees_roots_file(void *context)
{
	struct stat status;

	return stat(context, &status) == 0 && status.st_uid == 0 && S_ISREG(status.st_mode) &&
	       (status.st_mode & 0777) == 0644;
}

/*
 *	alice --- not --- br0, by "allow br0" in files that alice serves
 */
static void test_served_by_a_user(void **state)
{
	static const struct {
		const char *about, *main, *link, *words;
	} rows[] = {
		{"a file in her directory", "include " DIRECTORY "/policy\n", NULL, ON_THE_WAY},
		{"with an allow before it", "allow br0\ninclude " DIRECTORY "/policy\n", NULL, ON_THE_WAY},
		{"by a link of root's", "include /etc/tapgate.link\n", DIRECTORY "/policy", ON_THE_WAY},
		{"root's file, past her directory", "include " DIRECTORY "/../../etc/tapgate.allow\n", NULL,
			ON_THE_WAY},
		{"a file of hers", "include " FILE_NAME "\n", NULL, ": it is a mount of a user"},
		{"a file of hers, by a link", "include /etc/tapgate.link\n", FILE_NAME, ": it is a mount of a user"},
	};

	(void)state;
	make_places();
	if (!mount_for_alice(DIRECTORY, S_IFDIR, MS_NOSUID | MS_NODEV) ||
		!mount_for_alice(FILE_NAME, S_IFREG, MS_NOSUID | MS_NODEV)) {
		cannot_test("this kernel has no FUSE");
		return;
	}
	assert_int_equal(as_user(&alice, sees_roots_file, (void *)(uintptr_t)DIRECTORY "/policy"), 1);
	assert_int_equal(as_user(&alice, sees_roots_file, (void *)(uintptr_t)FILE_NAME), 1);
	write_file("/etc/tapgate.allow", policy, 0644, 0, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		write_policy(rows[i].main);
		if (rows[i].link)
			command("ln -s %s /etc/tapgate.link", rows[i].link);
		expect_refusal(&(struct call){.about = rows[i].about}, 4, rows[i].words);
		command("rm -f /etc/tapgate.link");
	}
}

/*
 *	alice --- tap --- br0, by a file on FUSE that is not nosuid, as no user can mount it: a container's root
 */
static void test_served_by_root(void **state)
{
	(void)state;
	make_places();
	if (!mount_for_alice(DIRECTORY, S_IFDIR, 0)) {
		cannot_test("this kernel has no FUSE");
		return;
	}
	command("ln -s " DIRECTORY "/policy /etc/tapgate.link");
	write_policy("include /etc/tapgate.link\n");
	expect_grant(&(struct call){.about = "mounted by root"}, "br0");
}

/* One of the standard streams is a file of hers there. */
static void take_stream(const struct call *call)
{
	const int stream = *(const int *)call->context;

	close(stream);
	if (open(DIRECTORY "/stream", O_RDONLY) != stream)
		_exit(99);
}

/*
 *	alice --- (a standard stream on her file system, which waits for ever when it is closed) --- helper --- no tap
 *
 * Nothing ends a process that waits so, the kernel's own timer neither; so it waits where it has no tap yet. The
 * control: where the server answers she has one.
 */
static void test_streams_of_hers(void **state)
{
	(void)state;
	for (int stream = 0; stream < 6; stream++) {
		const int number = stream / 2;
		struct running running;
		struct result result;

		make_places();
		keeps_waiting = stream % 2;
		if (!mount_for_alice(DIRECTORY, S_IFDIR, MS_NOSUID | MS_NODEV)) {
			cannot_test("this kernel has no FUSE");
			return;
		}
		running = start(
			&(struct call){.about = "a stream of hers", .as_caller = take_stream, .context = &number});
		if (keeps_waiting) {
			for (int tries = 0; tries < 1000; tries++) {
				assert_int_equal(count_taps(), 0);
				usleep(1000);
			}
			kill(running.pid, SIGKILL);
			umount2(DIRECTORY, MNT_DETACH | MNT_FORCE);
		}
		result = finish(&running);
		EXPECT(&result, keeps_waiting ? result.fds == 0 : result.code == 0 && result.fds == 1);
		if (result.fds)
			give_back(&result);
		clean_mounts(NULL);
	}
}

/* The next byte that the child tells; 0: it waits in vain, as where the door is held. */
static char hear(int told)
{
	enum { PATIENCE = 60000 }; /* milliseconds */
	char byte = 0;

	return poll(&(struct pollfd){.fd = told, .events = POLLIN}, 1, PATIENCE) == 1 && read(told, &byte, 1) == 1
		       ? byte
		       : 0;
}

static void assert_bob_is_served(void)
{
	struct answer answer = {.tap = -1};
	const int sock = connect_as(&bob);
	int pair[2];

	make_pair(&bob, SOCK_STREAM, pair);
	assert_true(send_part(sock, "--br=br0\0--fd=7", sizeof("--br=br0\0--fd=7"), &pair[1], 1));
	read_answer(sock, &answer);
	answer.tap = take_tap(pair[0]);
	assert_true(answer.code == 0 && answer.tap >= 0);
	close(answer.tap);
}

enum { REQUESTS_OF_HERS = 40, HELD_OF_ONE = 32, DESCRIPTORS_OF_DOOR = 700, MORE_THAN_THE_DOOR_HAS = 1500 };

/* In a child, alice: so many requests, each with a file on her file system in the place of her socket. */
__attribute__((noreturn)) static void ask_with_her_file(int told, size_t answered)
{
	int socks[REQUESTS_OF_HERS], file;
	struct answer answer;

	become(&alice);
	file = open(DIRECTORY "/socket", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; file >= 0 && i < COUNT(socks); i++) {
		socks[i] = connect_there();
		send_part(socks[i], "--br=br0\0--fd=7", sizeof("--br=br0\0--fd=7"), &file, 1);
	}
	if (file < 0 || write(told, "1", 1) != 1)
		_exit(1);
	read_answer(socks[answered], &answer);
	dprintf(told, "%d", answer.code);
	pause();
	_exit(0);
}

/*
 *	alice --- (a file on her file system, which waits for ever when it is closed) --- service --- bob
 *
 * Closing it waits for her, whatever ends the process; so nobody's is taken whom the policy allows nothing, and of one
 * who is allowed it holds as many processes as one user can have at once. The control for the first is the second.
 */
static void test_a_file_for_a_socket(void **state)
{
	static char log[1 << 16];

	for (int allowed = 0; allowed < 2; allowed++) {
		const int expected = allowed ? HELD_OF_ONE : 0;
		int told[2];
		pid_t door, asking;

		make_places();
		keeps_waiting = true;
		if (!mount_for_alice(DIRECTORY, S_IFDIR, MS_NOSUID | MS_NODEV)) {
			cannot_test("this kernel has no FUSE");
			return;
		}
		write_policy(allowed ? "allow br0\n" : "allow br0 user=bob\n");
		listen_there();
		door = serve(listener, 0);
		assert_int_equal(pipe2(told, O_CLOEXEC), 0);
		asking = fork();
		if (asking == 0)
			ask_with_her_file(told[1], allowed ? REQUESTS_OF_HERS - 1 : 0);
		note_child(asking);
		assert_int_equal(hear(told[0]), '1');
		assert_bob_is_served();
		assert_int_equal(
			expected, atoi(command_line("for i in $(seq 200); do "
						    "n=$(tr ' ' '\\n' </proc/%d/task/%d/children | grep -c .); "
						    "[ $n != %d ] || break; sleep 0.05; done; echo $n",
					  (int)door, (int)door, expected)));
		assert_int_equal(count_taps(), 0);
		/* One more than can be held waits for ten seconds, and is told. */
		assert_int_equal(hear(told[0]), allowed ? '1' : '3');
		take_log(0, log, sizeof(log));
		assert_non_null(strstr(log, allowed ? "too many requests are at work, 32 of them of uid 1000"
						    : "refused uid=1000 way=socket net=br0"));
		umount2(DIRECTORY, MNT_DETACH | MNT_FORCE);
		clean_mounts(state);
	}
}

/* A process that writes to a pipe what the file system never gives: the kernel keeps the pipe locked meanwhile. */
static void lock_pipe(int end)
{
	int file = open(DIRECTORY "/memory", O_RDONLY | O_CLOEXEC);
	const char *memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	pid_t writer = file < 0 || memory == MAP_FAILED ? -1 : fork();

	if (writer == 0) { /* with no other end of it */
		close_range(3, (unsigned int)end - 1, 0);
		close_range((unsigned int)end + 1, ~0U, 0);
		_exit(write(end, memory, 1) != 1);
	}
	if (writer < 0)
		_exit(1);
	while (!strstr(first_line("/proc/%d/wchan", (int)writer), "wait"))
		usleep(1000);
}

/* A request with an end of such a pipe, which nobody has but the request then; or without, a byte. */
static int send_pipe(int end)
{
	const int sock = connect_there();

	if (end < 0 ? !send_part(sock, "x", 1, NULL, 0)
		    : !send_part(sock, "--br=br0\0--fd=7", sizeof("--br=br0\0--fd=7"), &end, 1))
		_exit(1);
	close(end);
	return sock;
}

/* In a child, alice: more requests of that kind than can be served at once, and then far more than can wait. */
__attribute__((noreturn)) static void ask_with_her_pipe(int told)
{
	static int ends[REQUESTS_OF_HERS + MORE_THAN_THE_DOOR_HAS];
	const struct rlimit many = {COUNT(ends) + 100, COUNT(ends) + 100};
	int socks[REQUESTS_OF_HERS], both[2];
	struct answer answer;
	char path[64];

	setrlimit(RLIMIT_NOFILE, &many);
	become(&alice);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* else /proc/self is root's */
	if (pipe2(both, O_CLOEXEC) < 0)
		_exit(1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", both[0]);
	for (size_t i = 0; i < COUNT(ends); i++) {
		ends[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (ends[i] < 0)
			_exit(1);
	}
	lock_pipe(both[1]);
	for (size_t i = 0; i < COUNT(socks); i++)
		socks[i] = send_pipe(ends[i]);
	read_answer(socks[COUNT(socks) - 1], &answer);
	for (size_t i = 0; i < MORE_THAN_THE_DOOR_HAS; i++)
		close(send_pipe(-1));
	for (size_t i = COUNT(socks); i < COUNT(ends); i++)
		close(send_pipe(ends[i]));
	dprintf(told, "%d", answer.code);
	pause();
	_exit(0);
}

/*
 *	alice --- (a descriptor that cannot be closed, as long as she likes) --- service --- bob
 *
 * The policy allows her nothing, so nobody takes it; it is closed with the connection, by a process of its own, and she
 * can have as many as are served at once. The door is held by none of them, nor when it turns the rest away; however
 * many she sends, with such a descriptor or without, it has descriptors for bob.
 */
static void test_a_pipe_for_a_socket(void **state)
{
	static char log[1 << 16];
	int told[2];
	pid_t asking;

	make_places();
	keeps_reading = true;
	if (!mount_for_alice(DIRECTORY, S_IFDIR, MS_NOSUID | MS_NODEV)) {
		cannot_test("this kernel has no FUSE");
		return;
	}
	write_policy("allow br0 user=bob\n");
	listen_there();
	serve(listener, DESCRIPTORS_OF_DOOR);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	asking = fork();
	if (asking == 0)
		ask_with_her_pipe(told[1]);
	note_child(asking);
	close(told[1]);
	assert_int_equal(hear(told[0]), '1');
	assert_bob_is_served();
	take_log(0, log, sizeof(log));
	assert_non_null(strstr(log, "too many requests are at work, 32 of them of uid 1000"));
	umount2(DIRECTORY, MNT_DETACH | MNT_FORCE);
	clean_mounts(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_served_by_a_user, clean_mounts),
		cmocka_unit_test_teardown(test_served_by_root, clean_mounts),
		cmocka_unit_test_teardown(test_streams_of_hers, clean_mounts),
		cmocka_unit_test_teardown(test_a_file_for_a_socket, clean_mounts),
		cmocka_unit_test_teardown(test_a_pipe_for_a_socket, clean_mounts),
	};

	return RUN_TESTS(tests);
}
