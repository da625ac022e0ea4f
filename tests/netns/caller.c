// SPDX-License-Identifier: MIT
/* Callers: users, their processes, sockets and pipes; and how they run the helper. */
#include "tests/netns/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <linux/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/common/receive.h"

enum {
	CHILDREN_MAX = 256,
	PATIENCE = 20000,
};

static const gid_t students[] = {STUDENTS}, guests[] = {GUESTS};
const struct user root = {0, 0, NULL, 0};
const struct user alice = {ALICE, ALICE, students, 1};
const struct user bob = {BOB, BOB, students, 1};
const struct user carol = {CAROL, CAROL, guests, 1};

static pid_t children[CHILDREN_MAX]; /* 0: free */

/* --- users, processes, descriptors -------------------------------------------------------------------------------- */

void become(const struct user *user)
{
	if (setgroups(user->group_count, user->groups) != 0 || setresgid(user->gid, user->gid, user->gid) != 0 ||
		setresuid(user->uid, user->uid, user->uid) != 0)
		_exit(125);
}

void note_child(pid_t child)
{
	size_t i = 0;

	while (i < CHILDREN_MAX && children[i])
		i++;
	assert_true(i < CHILDREN_MAX);
	children[i] = child;
}

void forget_child(pid_t child)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		children[i] = children[i] == child ? 0 : children[i];
}

void end_children(void)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (!children[i])
			continue;
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
		children[i] = 0;
	}
}

int as_user(const struct user *user, int (*function)(void *context), void *context)
{
	int status = -1;
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0) {
		become(user);
		_exit(function(context));
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void make_pair(const struct user *user, int type, int pair[2])
{
	bool made;

	/* The kernel notes the effective ids of whoever makes a pair (cred_to_ucred, net/core/sock.c). */
	must(setegid(user->gid) == 0 && seteuid(user->uid) == 0, "seteuid");
	made = socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) == 0;
	must(seteuid(0) == 0 && setegid(0) == 0 && made, "socketpair");
}

unsigned int fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	unsigned int count = 0;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (write(fd, "F", 1) == 1)
		count++;
	fcntl(fd, F_SETFL, flags);
	return count;
}

int full_pipe(void)
{
	int ends[2];

	must(pipe2(ends, O_CLOEXEC) == 0, "pipe");
	fill(ends[1]);
	return ends[1];
}

/* --- calling the helper ------------------------------------------------------------------------------------------- */

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Where a call leaves something open, what is usual. */
static struct call completed(const struct call *call)
{
	static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	static const char *const words[] = {"tapgate-helper", "--br=br0", FD, NULL};
	struct call full = *call;

	full.program = full.program ? full.program : getenv("HELPER");
	full.argv = full.argv ? full.argv : words;
	full.envp = full.envp ? full.envp : environment;
	full.user = full.user ? full.user : &alice;
	full.number = full.number ? full.number : NUMBER;
	full.patience = full.patience ? full.patience : PATIENCE;
	return full;
}

/* In the child: the descriptors, the hooks, the ids, the helper. */
__attribute__((noreturn)) static void become_helper(const struct call *call, int socket, int error)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	signal(SIGPIPE, SIG_DFL);
	/* Out of the way of the numbers that they get. */
	error = fcntl(error, F_DUPFD_CLOEXEC, 1500);
	socket = socket < 0 ? -1 : fcntl(socket, F_DUPFD_CLOEXEC, 1500);
	if (error < 0 || dup2(null, 0) < 0 || dup2(error, 1) < 0 || dup2(error, 2) < 0)
		_exit(125);
	if (socket >= 0 && dup2(socket, call->number) < 0)
		_exit(125);
	if (call->traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(124);
	if (call->as_root)
		call->as_root(call);
	if (getuid() == 0) /* as_root may have seen to it */
		become(call->user);
	if (call->as_caller)
		call->as_caller(call);
	execve(call->program, (char *const *)(uintptr_t)call->argv, (char *const *)(uintptr_t)call->envp);
	dprintf(2, "cannot execute %s: %s\n", call->program, strerror(errno));
	_exit(126);
}

struct running start(const struct call *call)
{
	struct running running = {.call = completed(call), .peer = -1, .errors = -1, .started = now()};
	int pair[2] = {-1, -1}, errors[2] = {-1, -1};

	call = &running.call;
	if (!call->socket)
		make_pair(call->user, SOCK_STREAM, pair);
	else
		pair[0] = call->peer ? call->peer : -1;
	if (!call->error)
		must(pipe2(errors, O_CLOEXEC) == 0, "pipe");
	running.peer = pair[0];
	running.errors = errors[0];
	running.pid = fork();
	must(running.pid >= 0, "fork");
	if (running.pid == 0)
		become_helper(call, call->socket ? call->socket : pair[1], call->error ? call->error : errors[1]);
	note_child(running.pid);
	running.pidfd = pidfd_open(running.pid, 0);
	must(running.pidfd >= 0, "pidfd_open");
	if (pair[1] >= 0)
		close(pair[1]);
	if (errors[1] >= 0)
		close(errors[1]);
	return running;
}

/* All that has come over the socket. */
static void receive(struct result *result, int peer)
{
	struct received received;

	while ((received = receive_message(peer, MSG_DONTWAIT)).bytes > 0) {
		result->bytes += (unsigned int)received.bytes;
		result->fds += (unsigned int)received.count;
		received_close(&received, result->tap < 0); /* a further queue, or none that anybody asked for */
		if (result->tap < 0 && received.count)
			result->tap = received.fds[0];
	}
}

/* What has come over the pipe so far; false at its end. */
static bool read_errors(struct result *result, int fd)
{
	size_t room;
	ssize_t size;

	do {
		room = sizeof(result->errors) - 1 - result->errors_size;
		size = read(fd, result->errors + result->errors_size, room);
		if (size > 0)
			result->errors_size += (size_t)size;
	} while (size > 0);
	return size < 0 && errno == EAGAIN;
}

/* Read what the helper writes until it ends, as callers do, who else would have it wait; false if it hangs. */
static bool await_end(const struct running *running, struct result *result)
{
	struct pollfd fds[] = {{.fd = running->pidfd, .events = POLLIN}, {.fd = running->errors, .events = POLLIN}};

	if (running->errors >= 0)
		fcntl(running->errors, F_SETFL, O_NONBLOCK);
	for (;;) {
		int64_t left = running->started + running->call.patience - now();

		if (poll(fds, 2, left > 0 ? (int)left : 0) <= 0)
			return false;
		if (fds[1].revents && !read_errors(result, running->errors))
			fds[1].fd = -1;
		if (fds[0].revents)
			return true;
	}
}

struct result finish(struct running *running)
{
	struct result result = {.call = running->call, .pid = running->pid, .tap = -1};
	bool ended = await_end(running, &result);

	if (!ended)
		kill(running->pid, SIGKILL);
	must(waitpid(running->pid, &result.status, 0) == running->pid, "waitpid");
	result.elapsed = (unsigned int)(now() - running->started);
	forget_child(running->pid);
	close(running->pidfd);
	result.code = WIFEXITED(result.status) ? WEXITSTATUS(result.status) : 128 + WTERMSIG(result.status);
	if (running->errors >= 0) {
		read_errors(&result, running->errors);
		close(running->errors);
	}
	take_log(running->call.in_grandchild ? 0 : running->pid, result.log, sizeof(result.log));
	if (running->peer >= 0)
		receive(&result, running->peer);
	if (running->peer >= 0 && !running->call.peer)
		close(running->peer);
	if (!ended)
		complain(&result, __FILE__, __LINE__, "the helper hangs");
	return result;
}

struct result run(const struct call *call)
{
	struct running running = start(call);

	return finish(&running);
}

/* --- stopped somewhere -------------------------------------------------------------------------------------------- */

const char *first_tap(void)
{
	static char name[IFNAMSIZ];
	glob_t taps;

	name[0] = '\0';
	if (glob("/sys/class/net/*/tun_flags", 0, NULL, &taps) == 0)
		sscanf(taps.gl_pathv[0], "/sys/class/net/%15[^/]", name);
	globfree(&taps);
	return name;
}

bool tap_is_signed(const struct running *running)
{
	const char *tap = first_tap();

	(void)running;
	return tap[0] && strncmp(first_line("/sys/class/net/%s/ifalias", tap), "tapgate uid=", 12) == 0 &&
	       (strtoul(first_line("/sys/class/net/%s/flags", tap), NULL, 16) & IFF_UP) == 0;
}

/* Its system calls, one stop before each and one behind, until `there` says so or it ends. */
static bool trace(const struct running *running, bool (*there)(const struct running *running))
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)running->pid, &info, WSTOPPED | WEXITED | WNOWAIT) == 0 &&
		info.si_code == CLD_TRAPPED) {
		bool enough = there(running);

		assert_int_equal(waitpid(running->pid, NULL, __WALL), running->pid);
		assert_int_equal(
			ptrace(enough ? PTRACE_DETACH : PTRACE_SYSCALL, running->pid, NULL, enough ? SIGSTOP : 0), 0);
		if (enough) /* and it has stopped, too: let_go_on must not come first */
			return waitid(P_PID, (id_t)running->pid, &info, WSTOPPED | WEXITED | WNOWAIT) == 0 &&
			       info.si_code == CLD_STOPPED;
	}
	return false;
}

bool tap_is_up(const struct running *running)
{
	const char *tap = first_tap();

	(void)running;
	return tap[0] && (strtoul(first_line("/sys/class/net/%s/flags", tap), NULL, 16) & IFF_UP);
}

bool try_start_stopped(const struct call *call, bool (*there)(const struct running *running), struct running *running)
{
	struct call traced = *call;

	by_setuid_alone();
	traced.traced = true;
	*running = start(&traced);
	return trace(running, there);
}

struct running start_stopped(const struct call *call, bool (*there)(const struct running *running))
{
	struct running running;

	if (!try_start_stopped(call, there, &running))
		fail_msg("%s: the helper ended before it got there", call->about);
	return running;
}

static void (*looks)(const struct running *running);

static bool look_and_go_on(const struct running *running)
{
	looks(running);
	return false;
}

struct result run_watched(const struct call *call, void (*look)(const struct running *running))
{
	struct running running;

	looks = look;
	try_start_stopped(call, look_and_go_on, &running);
	return finish(&running);
}

void let_go_on(const struct running *running)
{
	kill(running->pid, SIGCONT);
}
