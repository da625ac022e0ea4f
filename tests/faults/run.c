// SPDX-License-Identifier: MIT
/*
 * run: run the helper many times, each time with one of its system calls tampered with, and judge what came of it.
 *
 *	run HELPER <LIST
 *	run HELPER record USER NETWORK FILE
 *
 * The second form runs it once, undisturbed, and leaves strace's record of it in FILE. In the first, each line of the
 * list, fields apart by tabs, is one run:
 *
 *	USER NETWORK OUTCOME INJECTION WHAT
 *
 * The helper is run as USER for NETWORK under strace, which honours the setuid bit when root traces (strace -u), with
 * -e inject=INJECTION. strace puts a harmless call in place of the one that it fails, and the last sandbox has no
 * harmless calls; what can fail there is brought about, by an INJECTION that is one of
 *
 *	peer-gone	the other end of the socket is closed
 *	peer-full	nobody reads from it, and it takes no more
 *	error-gone	standard error is a pipe that nobody reads from any more
 *	error-full	standard error is a pipe that takes no more
 *	error-unread	standard error is a pipe that nobody empties
 *	error-device	standard error is a device that is full
 *
 * WHAT is for the report. OUTCOME is what must come of it, in a word of judge.h.
 *
 * Whatever the outcome: no byte without a descriptor, the tampering took place, and when all is closed the links are
 * what they were before the first run. Failures are printed; the last line is "PASSED FAILED", two numbers.
 *
 * Run as root, with a network of its own, in a directory of its own.
 */
#include "tests/faults/judge.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/common/receive.h"

enum {
	PATIENCE = 20000, /* milliseconds for one run: more than the helper's own longest wait */
	FIELDS = 6,
};

/* All that the helper must leave alone, but for what follows by itself, and late, from a port that came and went. */
static const char list_links[] = "ip -o link | sed 's/NO-CARRIER,//; s/,LOWER_UP//; s/ state [A-Z]*//'; "
				 "ip -o addr | grep -v 'inet6 fe80'; ip route; ip -6 route | grep -v '^fe80'";

static const char *trace_path = "trace", *error_path = "error"; /* what strace writes; the helper's standard error */

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static bool is(const struct job *job, const char *situation)
{
	return job->injection && strcmp(job->injection, situation) == 0;
}

/* Write until no more is taken; returns how much was. */
static size_t fill(int fd)
{
	static const char bytes[4096];
	size_t total = 0;
	ssize_t size;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((size = write(fd, bytes, sizeof(bytes))) > 0 || (size = write(fd, bytes, 1)) > 0)
		total += (size_t)size;
	fcntl(fd, F_SETFL, 0);
	return total;
}

/* What the helper gets for standard error. Both ends of a pipe are left open, for exit to close. */
static int open_error(const struct job *job)
{
	int ends[2];

	if (is(job, "error-device"))
		return open("/dev/full", O_WRONLY);
	if (!is(job, "error-gone") && !is(job, "error-full") && !is(job, "error-unread"))
		return open(error_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (pipe(ends) < 0)
		fail("pipe");
	if (is(job, "error-full"))
		fill(ends[1]);
	else if (is(job, "error-gone"))
		close(ends[0]);
	return ends[1];
}

/* A connected pair that the kernel holds for the user's own (SO_PEERCRED). */
static void make_pair(const char *user, int pair[static 2])
{
	struct passwd *entry = getpwnam(user);

	if (!entry || setegid(entry->pw_gid) < 0 || seteuid(entry->pw_uid) < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 || seteuid(0) < 0 || setegid(0) < 0)
		fail("make_pair");
}

static void trace(const char *helper, const struct job *job, int fd, int connection)
{
	const bool serves = connection >= 0;
	int error = open_error(job), null = open("/dev/null", O_RDWR);
	char call[256] = "trace=all", inject[512] = "signal=none", network[64], descriptor[64];

	if (job->injection && strchr(job->injection, ':')) {
		snprintf(call, sizeof(call), "trace=%.*s", (int)strcspn(job->injection, ":"), job->injection);
		snprintf(inject, sizeof(inject), "inject=%s", job->injection);
	}
	snprintf(network, sizeof(network), "--br=%s", job->network);
	snprintf(descriptor, sizeof(descriptor), "--fd=%d", fd);
	fcntl(fd, F_SETFD, 0);
	dup2(serves ? connection : null, 0);
	dup2(null, 1);
	dup2(error, 2);
	setpgid(0, 0);
	if (serves)
		execlp("strace", "strace", "-q", "-o", trace_path, "-e", call, "-e", inject, helper, "--serve",
			(char *)NULL);
	if (strcmp(job->way, "ask") == 0)
		helper = "/run/tapgate/asking";
	execlp("strace", "strace", "-q", "-u", job->user, "-o", trace_path, "-e", call, "-e", inject, helper, network,
		descriptor, queues_of(job) > 1 ? "--queues=2" : (char *)NULL, (char *)NULL);
	_exit(127);
}

/* Receive to the end of the connection. */
static void receive(int sock, struct result *result)
{
	struct pollfd ready = {.fd = sock, .events = POLLIN};

	for (;;) {
		struct received received = {.bytes = 0};

		result->late = poll(&ready, 1, PATIENCE) != 1;
		if (!result->late)
			received = receive_message(sock, 0);
		if (received.bytes <= 0)
			return;
		result->bytes += (size_t)received.bytes;
		result->descriptors += received.count;
		received_close(&received, result->tap < 0);
		if (result->tap < 0 && received.count)
			result->tap = received.fds[0];
	}
}

/* As the helper's own client: the words, and the socket. */
static void send_request(int connection, const struct job *job, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	char words[128];
	struct iovec data = {words, 0};
	struct msghdr message = {.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};

	data.iov_len = (size_t)snprintf(words, sizeof(words), "--br=%s%c--fd=7", job->network, 0) + 1;
	control.align =
		(struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	if (sendmsg(connection, &message, 0) < 0)
		fail("send_request");
}

/* What the service answered, as if it were the helper's standard error; the last byte is its code. */
static void keep_answer(int connection, struct result *result)
{
	char text[4096];
	size_t used = 0;
	ssize_t size;
	int file = open(error_path, O_WRONLY | O_APPEND);

	while (used < sizeof(text) && (size = read(connection, text + used, sizeof(text) - used)) > 0)
		used += (size_t)size;
	close(connection);
	if (used && (file < 0 || write(file, text, used - 1) < 0))
		fail(error_path);
	if (used && WIFEXITED(result->status) && WEXITSTATUS(result->status) != text[used - 1])
		result->late = true; /* the two ends were told different things */
	close(file);
}

static struct result run(const char *helper, const struct job *job)
{
	const bool serves = strcmp(job->way, "serve") == 0;
	struct result result = {.tap = -1};
	size_t filled = 0;
	int pair[2], connection[2] = {-1, -1};
	pid_t child;

	if (truncate(error_path, 0) < 0 && errno != ENOENT)
		fail(error_path);
	make_pair(job->user, pair);
	if (is(job, "peer-full"))
		filled = fill(pair[1]);
	if (is(job, "peer-gone"))
		close(pair[0]);
	if (serves) {
		make_pair(job->user, connection);
		send_request(connection[0], job, pair[1]);
	}
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0)
		trace(helper, job, pair[1], connection[1]);
	close(pair[1]);
	close(connection[1]);
	if (filled && waitpid(child, &result.status, 0) != child)
		fail("waitpid");
	if (!is(job, "peer-gone"))
		receive(pair[0], &result);
	if (result.late)
		kill(-child, SIGKILL);
	if (!filled && waitpid(child, &result.status, 0) != child)
		fail("waitpid");
	if (!is(job, "peer-gone"))
		close(pair[0]);
	if (serves)
		keep_answer(connection[0], &result);
	result.bytes -= filled;
	return result;
}

static void print_failure(const struct job *job, const struct result *result, const char *problem)
{
	char error[TEXT_MAX];

	read_file(error_path, error);
	printf("FAILED %s on %s by %s, %s: %.120s\n", job->user, job->network, job->way, job->injection, job->what);
	printf("       %s: expected %s; came %s %d, %zu bytes, %zu descriptors; said: %s", problem, job->outcome,
		WIFEXITED(result->status) ? "exit" : "signal",
		WIFEXITED(result->status) ? WEXITSTATUS(result->status) : WTERMSIG(result->status), result->bytes,
		result->descriptors, error[0] ? error : "nothing\n");
}

static bool do_job(const char *helper, const struct job *job, const char *links_before)
{
	struct result result = run(helper, job);
	const char *problem = is_expected(job, &result, error_path) ? NULL : result.late ? "hung" : "outcome";
	char text[TEXT_MAX];

	read_file(trace_path, text);
	if (!problem && strchr(job->injection, ':') && !strstr(text, "(INJECTED)") &&
		!strstr(text, "killed by SIGKILL"))
		problem = "the call was not reached";
	if (result.tap >= 0)
		close(result.tap);
	read_command(list_links, text);
	if (!problem && strcmp(text, links_before) != 0)
		problem = "the links changed";
	if (problem)
		print_failure(job, &result, problem);
	return !problem;
}

static int do_list(const char *helper)
{
	char line[4096], links[TEXT_MAX];
	unsigned int passed = 0, failed = 0;

	read_command(list_links, links);
	while (fgets(line, sizeof(line), stdin)) {
		char *field[FIELDS] = {NULL}, *rest = line;

		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < FIELDS; i++)
			field[i] = strsep(&rest, "\t");
		if (!field[FIELDS - 1])
			return fprintf(stderr, "run: too few fields: %s\n", line), 2;
		const struct job job = {field[0], field[1], field[2], field[3], field[4], field[5]};
		if (do_job(helper, &job, links))
			passed++;
		else
			failed++;
	}
	printf("%u %u\n", passed, failed);
	return failed > 0;
}

static void record(const char *helper, const struct job *job, const char *path)
{
	struct result result;

	trace_path = path;
	result = run(helper, job);
	if (result.tap >= 0)
		close(result.tap);
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return do_list(argv[1]);
	if (argc != 7 || strcmp(argv[2], "record") != 0)
		return fprintf(stderr, "usage: run HELPER [record USER NETWORK WAY FILE]\n"), 2;
	record(argv[1], &(const struct job){.user = argv[3], .network = argv[4], .way = argv[5]}, argv[6]);
	return 0;
}
