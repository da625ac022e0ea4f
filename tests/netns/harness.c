#include "tests/netns/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLICY "/etc/tapgate.conf"

enum {
	LOG_LINES_MAX = 512,
	CHILDREN_MAX = 256,
	PATIENCE = 20000,
	FDS_MAX = 64,
};

static const gid_t students[] = {STUDENTS}, guests[] = {GUESTS};
const struct user root = {0, 0, NULL, 0};
const struct user alice = {ALICE, ALICE, students, 1};
const struct user bob = {BOB, BOB, students, 1};
const struct user carol = {CAROL, CAROL, guests, 1};

static int log_socket = -1;
static char *log_lines[LOG_LINES_MAX];
static size_t log_count;
static pid_t children[CHILDREN_MAX]; /* 0: free */

static void must(bool good, const char *what)
{
	if (!good)
		fail_msg("%s: %s", what, strerror(errno));
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- the log ----------------------------------------------------------------------------------------------------- */

static void open_log(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	const mode_t mask = umask(0);

	unlink("/dev/log");
	log_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(log_socket >= 0 && bind(log_socket, (const struct sockaddr *)&address, sizeof(address)) == 0, "/dev/log");
	umask(mask);
}

static void read_log(void)
{
	char line[2048];
	ssize_t size;

	while ((size = recv(log_socket, line, sizeof(line) - 1, 0)) >= 0) {
		assert_true(log_count < LOG_LINES_MAX);
		line[size] = '\0';
		if (strlen(line) != (size_t)size)
			fail_msg("a NUL in the log line '%s'", line);
		log_lines[log_count++] = strdup(line);
	}
}

static void forget_log(void)
{
	read_log();
	while (log_count > 0)
		free(log_lines[--log_count]);
}

/* The lines of a process; of any if pid is 0. */
static void take_log(pid_t pid, char *text, size_t size)
{
	char ident[64];
	size_t used = 0, kept = 0;

	read_log();
	text[0] = '\0';
	snprintf(ident, sizeof(ident), ">tapgate-helper[%d]: ", (int)pid);
	for (size_t i = 0; i < log_count; i++) {
		if (pid && !strstr(log_lines[i], ident)) {
			log_lines[kept++] = log_lines[i];
			continue;
		}
		used += (size_t)snprintf(text + used, size - used, "%s\n", log_lines[i]);
		assert_true(used < size);
		free(log_lines[i]);
	}
	log_count = kept;
}

/* --- the world --------------------------------------------------------------------------------------------------- */

static int __attribute__((format(printf, 1, 0))) run_shell(const char *format, va_list args)
{
	char line[4096];
	int status;

	assert_true(vsnprintf(line, sizeof(line), format, args) < (int)sizeof(line));
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int command_status(const char *format, ...)
{
	va_list args;
	int status;

	va_start(args, format);
	status = run_shell(format, args);
	va_end(args);
	return status;
}

void command(const char *format, ...)
{
	va_list args;
	int status;

	va_start(args, format);
	status = run_shell(format, args);
	va_end(args);
	if (status)
		fail_msg("command failed with status %d: %s", status, format);
}

const char *command_line(const char *format, ...)
{
	static char line[1024];
	char text[4096];
	va_list args;
	FILE *file;

	va_start(args, format);
	assert_true(vsnprintf(text, sizeof(text), format, args) < (int)sizeof(text));
	va_end(args);
	file = popen(text, "re");
	assert_non_null(file);
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	for (int c = 0; c != EOF;)
		c = getc(file);
	if (pclose(file) != 0)
		fail_msg("command failed: %s", text);
	return line;
}

static bool in_ci(void)
{
	const char *value = getenv("CI");

	return value && strcmp(value, "true") == 0;
}

void cannot_test(const char *format, ...)
{
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (in_ci())
		fail_msg("cannot be tested here, but in CI everything must be: %s", why);
	print_message("           not tested here: %s\n", why);
}

bool have_program(const char *name)
{
	if (command_status("command -v %s >/dev/null", name) == 0)
		return true;
	cannot_test("there is no %s", name);
	return false;
}

int open_world(void **state)
{
	struct rlimit files;

	(void)state;
	if (getuid() != 0 || !getenv("HELPER") || command_status("grep -q '^tapgate-world /etc ' /proc/mounts")) {
		print_error("run it as: tests/common/world %s\n", program_invocation_name);
		return -1;
	}
	umask(022);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN); /* undone in children */
	write_file("/proc/sys/net/unix/max_dgram_qlen", "512", 0, 0, 0);
	open_log();
	return clean_world(state);
}

int close_world(void **state)
{
	(void)state;
	forget_log();
	close(log_socket);
	return 0;
}

int clean_world(void **state)
{
	(void)state;
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (!children[i])
			continue;
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
		children[i] = 0;
	}
	close_range((unsigned int)log_socket + 1, ~0U, 0);
	forget_log();
	return command_status(
		"for link in /sys/class/net/*; do "
		"  case ${link##*/} in lo|sit0|ip6tnl0|tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0) ;; "
		"  *) ip link del \"${link##*/}\" 2>/dev/null || :;; esac; done; "
		"rm -rf /etc/tapgate* \"$TMPDIR\"/*");
}

void make_bridge(const char *name)
{
	static unsigned int count;

	count++;
	command("ip link add name '%s' address 02:00:5e:00:%02x:%02x type bridge forward_delay 0 && "
		"ip link set dev '%s' addrgenmode none up",
		name, count >> 8 & 0xff, count & 0xff, name);
}

void make_tap(const char *name, uid_t owner, int index)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	must(fd >= 0 && (!index || ioctl(fd, TUNSETIFINDEX, &index) == 0) && ioctl(fd, TUNSETIFF, &request) == 0 &&
			ioctl(fd, TUNSETOWNER, owner) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0,
		name);
	close(fd);
}

void write_bytes(const char *path, const void *bytes, size_t size, mode_t mode, uid_t owner, gid_t group)
{
	/* Files of the kernel's have no owner to set, and no other mode. */
	bool kernel = strncmp(path, "/proc/", 6) == 0;
	int fd = open(path, kernel ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST && unlink(path) == 0)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, bytes, size) == (ssize_t)size, path);
	must(kernel || (fchown(fd, owner, group) == 0 && fchmod(fd, mode) == 0), path);
	close(fd);
}

void write_file(const char *path, const char *text, mode_t mode, uid_t owner, gid_t group)
{
	write_bytes(path, text, strlen(text), mode, owner, group);
}

void write_policy(const char *text)
{
	write_file(POLICY, text, 0644, 0, 0);
}

const char *first_line(const char *format, ...)
{
	static char lines[16][512];
	static unsigned int next;
	char path[512], *line = lines[next++ % COUNT(lines)];
	va_list args;
	FILE *file;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(lines[0]), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* --- what must not change ---------------------------------------------------------------------------------------- */

typedef void visit(FILE *out, const char *directory, const char *name);

static void each_entry(FILE *out, const char *directory, visit *function)
{
	struct dirent **entries = NULL;
	int count = scandir(directory, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.')
			function(out, directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void show_link(FILE *out, const char *directory, const char *name)
{
	char path[512], master[512] = "";

	snprintf(path, sizeof(path), "%s/%s/master", directory, name);
	(void)!readlink(path, master, sizeof(master) - 1);
	fprintf(out, "link %s index=%s mac=%s type=%s mtu=%s flags=%s alias='%s' master=%s tun=%s owner=%s\n", name,
		first_line("%s/%s/ifindex", directory, name), first_line("%s/%s/address", directory, name),
		first_line("%s/%s/addr_assign_type", directory, name), first_line("%s/%s/mtu", directory, name),
		first_line("%s/%s/flags", directory, name), first_line("%s/%s/ifalias", directory, name), master,
		first_line("%s/%s/tun_flags", directory, name), first_line("%s/%s/owner", directory, name));
}

static void show_setting(FILE *out, const char *directory, const char *name)
{
	if (strcmp(name, "stable_secret") != 0)
		fprintf(out, "%s/%s = %s\n", directory, name, first_line("%s/%s", directory, name));
}

static void show_settings(FILE *out, const char *directory, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	each_entry(out, path, show_setting);
}

static void show_file(FILE *out, const char *directory, const char *name)
{
	char path[512];
	struct stat file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (lstat(path, &file) < 0)
		return;
	fprintf(out, "file %s inode=%lu mode=%o owner=%u:%u size=%ld changed=%ld.%09ld\n", path,
		(unsigned long)file.st_ino, file.st_mode, file.st_uid, file.st_gid, (long)file.st_size,
		(long)file.st_ctim.tv_sec, (long)file.st_ctim.tv_nsec);
	if (S_ISDIR(file.st_mode))
		each_entry(out, path, show_file);
}

static void show_addresses(FILE *out)
{
	struct ifaddrs *list = NULL;
	char host[NI_MAXHOST];

	must(getifaddrs(&list) == 0, "getifaddrs");
	for (struct ifaddrs *a = list; a; a = a->ifa_next) {
		int family = a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC;
		socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

		if ((family == AF_INET || family == AF_INET6) &&
			getnameinfo(a->ifa_addr, size, host, sizeof(host), NULL, 0, NI_NUMERICHOST) == 0)
			fprintf(out, "address %s %s\n", a->ifa_name, host);
	}
	freeifaddrs(list);
}

static void show_routes(FILE *out)
{
	char line[512];
	FILE *file = fopen("/proc/net/route", "re");

	while (file && fgets(line, sizeof(line), file))
		fprintf(out, "route %s", line);
	if (file)
		fclose(file);
}

char *snapshot(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	each_entry(out, "/sys/class/net", show_link);
	show_addresses(out);
	show_routes(out);
	each_entry(out, "/etc", show_file);
	show_setting(out, "/proc/sys/net/ipv4", "ip_forward");
	each_entry(out, "/proc/sys/net/ipv4/conf", show_settings);
	each_entry(out, "/proc/sys/net/ipv6/conf", show_settings);
	fclose(out);
	return text;
}

/* The lines of one text that the other lacks. */
static void show_missing(const char *mark, const char *text, const char *other)
{
	for (const char *at = text; *at; at += strcspn(at, "\n") + (strchr(at, '\n') != NULL)) {
		char *line = strndup(at, strcspn(at, "\n") + 1);

		if (!strstr(other, line))
			print_error("%s %s", mark, line);
		free(line);
	}
}

void assert_unchanged(char *before)
{
	char *after = snapshot();
	bool same = strcmp(before, after) == 0;

	if (!same) {
		show_missing("-", before, after);
		show_missing("+", after, before);
	}
	free(before);
	free(after);
	if (!same)
		fail_msg("something was left or changed");
}

static void count_tap(FILE *out, const char *directory, const char *name)
{
	if (*first_line("%s/%s/tun_flags", directory, name))
		fputc('1', out);
}

unsigned int count_taps(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	each_entry(out, "/sys/class/net", count_tap);
	fclose(out);
	free(text);
	return (unsigned int)size;
}

/* --- callers ----------------------------------------------------------------------------------------------------- */

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

/* --- calling the helper ------------------------------------------------------------------------------------------ */

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
	union {
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	char bytes[512];
	struct iovec data = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	int fds[FDS_MAX];

	for (;;) {
		struct msghdr message = {.msg_iov = &data,
			.msg_iovlen = 1,
			.msg_control = control.space,
			.msg_controllen = sizeof(control.space)};
		ssize_t size = recvmsg(peer, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (size <= 0)
			return;
		result->bytes += (unsigned int)size;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
			size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

			if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || count == 0)
				continue;
			memcpy(fds, CMSG_DATA(c), count * sizeof(int));
			if (result->tap < 0)
				result->tap = fds[0];
			result->fds += (unsigned int)count;
		}
	}
}

static void read_errors(struct result *result, int fd)
{
	ssize_t size;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((size = read(fd, result->errors + result->errors_size,
			sizeof(result->errors) - 1 - result->errors_size)) > 0)
		result->errors_size += (size_t)size;
	close(fd);
}

struct result finish(struct running *running)
{
	struct result result = {.call = running->call, .pid = running->pid, .tap = -1};
	struct pollfd end = {.fd = running->pidfd, .events = POLLIN};
	int64_t left = running->started + running->call.patience - now();
	bool ended = poll(&end, 1, left > 0 ? (int)left : 0) == 1;

	if (!ended)
		kill(running->pid, SIGKILL);
	must(waitpid(running->pid, &result.status, 0) == running->pid, "waitpid");
	result.elapsed = (unsigned int)(now() - running->started);
	forget_child(running->pid);
	close(running->pidfd);
	result.code = WIFEXITED(result.status) ? WEXITSTATUS(result.status) : 128 + WTERMSIG(result.status);
	if (running->errors >= 0)
		read_errors(&result, running->errors);
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

/* --- what must have come of it ----------------------------------------------------------------------------------- */

void complain(const struct result *result, const char *file, int line, const char *format, ...)
{
	char why[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	print_error("%s\n%s\ncall:  ", why, result->call.about ? result->call.about : "");
	for (const char *const *word = result->call.argv; *word; word++)
		print_error(" %.200s", *word);
	print_error("\nuid:    %u\nexit:   %d after %u ms\nstderr: %s\nlog:    %s\nsent:   %u bytes, %u descriptors\n",
		result->call.user->uid, result->code, result->elapsed, result->errors, result->log, result->bytes,
		result->fds);
	_fail(file, line);
	abort(); /* not reached */
}

/* The name, or "" if the descriptor is not a tap any more. */
static void name_of_tap(int tap, struct ifreq *request)
{
	*request = (struct ifreq){0};
	if (ioctl(tap, TUNGETIFF, request) < 0)
		request->ifr_name[0] = '\0';
}

static bool asks_for(const struct call *call, const char *option)
{
	for (const char *const *word = call->argv; *word; word++) {
		if (strcmp(*word, option) == 0)
			return true;
	}
	return false;
}

/* The network that a call asks for: --net= wins. */
static const char *asked_network(const struct call *call)
{
	const char *br = "", *net = NULL;

	for (const char *const *word = call->argv; *word; word++) {
		if (strncmp(*word, "--br=", 5) == 0)
			br = *word + 5;
		if (strncmp(*word, "--net=", 6) == 0)
			net = *word + 6;
	}
	return net ? net : br;
}

static bool has_address(const char *link)
{
	struct ifaddrs *list = NULL;
	bool found = false;

	must(getifaddrs(&list) == 0, "getifaddrs");
	for (struct ifaddrs *a = list; a; a = a->ifa_next) {
		found = found || (strcmp(a->ifa_name, link) == 0 && a->ifa_addr &&
					 (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6));
	}
	freeifaddrs(list);
	return found;
}

void assert_tap(const struct result *result, const char *bridge)
{
	const struct call *call = &result->call;
	char master[512] = "", path[64], alias[IFALIASZ], owner[16];
	const char *sys = "/sys/class/net", *slash, *mode;
	struct ifreq request;
	short flags = IFF_TAP | IFF_NO_PI;

	if (asks_for(call, "--use-vnet"))
		flags = (short)(flags | IFF_VNET_HDR);
	name_of_tap(result->tap, &request);
	EXPECT(result, request.ifr_name[0]);
	EXPECT(result, request.ifr_flags == flags);
	snprintf(owner, sizeof(owner), "%u", call->user->uid);
	snprintf(alias, sizeof(alias), "tapgate uid=%u net=%s vmm=%d", call->user->uid, asked_network(call),
		(int)getpid());
	snprintf(path, sizeof(path), "%s/%s/master", sys, request.ifr_name);
	(void)!readlink(path, master, sizeof(master) - 1);
	slash = strrchr(master, '/');
	EXPECT(result, slash && strcmp(slash + 1, bridge) == 0);
	EXPECT(result, strcmp(first_line("%s/%s/ifalias", sys, request.ifr_name), alias) == 0);
	EXPECT(result, strcmp(first_line("%s/%s/owner", sys, request.ifr_name), owner) == 0);
	EXPECT(result, strcmp(first_line("%s/%s/group", sys, request.ifr_name), "-1") == 0);
	EXPECT(result, strncmp(first_line("%s/%s/address", sys, request.ifr_name), "fe:", 3) == 0);
	EXPECT(result,
		strcmp(first_line("%s/%s/mtu", sys, request.ifr_name), first_line("%s/%s/mtu", sys, bridge)) == 0);
	EXPECT(result, strtoul(first_line("%s/%s/flags", sys, request.ifr_name), NULL, 16) & IFF_UP);
	EXPECT(result, !has_address(request.ifr_name));
	mode = first_line("/proc/sys/net/ipv6/conf/%s/addr_gen_mode", request.ifr_name);
	EXPECT(result, !*mode || strcmp(mode, "1") == 0); /* IN6_ADDR_GEN_MODE_NONE, or no IPv6 there */
}

/* One line of the log: "<86>tapgate-helper[4711]: granted uid=1000 net=br0 vmm=4700 ...". */
static void assert_log_begins(const struct result *result, const char *line, int priority, const char *what)
{
	char expected[256];
	int size = snprintf(expected, sizeof(expected), "<%d>tapgate-helper[", priority);
	const char *end = strstr(line, "]: ");

	EXPECT(result, strncmp(line, expected, (size_t)size) == 0 && end);
	snprintf(expected, sizeof(expected), "%s uid=%u ", what, result->call.user->uid);
	EXPECT(result, strncmp(end + 3, expected, strlen(expected)) == 0);
	for (const char *at = line; *at != '\n'; at++)
		EXPECT(result, *at >= ' ' && *at <= '~');
}

void assert_granted(const struct result *result, const char *bridge)
{
	char words[128];
	struct ifreq request;

	EXPECT(result, result->code == 0);
	EXPECT(result, result->bytes == 1);
	EXPECT(result, result->fds == 1);
	EXPECT(result, result->errors_size == 0);
	assert_tap(result, bridge);
	name_of_tap(result->tap, &request);
	assert_log_begins(result, result->log, 86, "granted"); /* authpriv, info */
	snprintf(words, sizeof(words), " net=%s vmm=%d tap=%s rule=\"/etc/", asked_network(&result->call),
		(int)getpid(), request.ifr_name);
	EXPECT(result, strstr(result->log, words));
	EXPECT(result, strchr(result->log, '\n')[1] == '\0'); /* one line */
}

void assert_nothing_sent(const struct result *result, int code)
{
	EXPECT(result, result->code == code);
	EXPECT(result, result->bytes == 0);
	EXPECT(result, result->fds == 0);
}

void assert_refused(const struct result *result, int code, const char *words)
{
	static const char ident[] = "tapgate-helper: ";
	const char *text = result->errors, *line = result->log;
	char number[32];

	assert_nothing_sent(result, code);
	EXPECT(result, strncmp(text, ident, strlen(ident)) == 0);
	EXPECT(result, result->errors_size > strlen(ident) + 10 && text[result->errors_size - 1] == '\n');
	for (size_t i = 0; i < result->errors_size - 1; i++)
		EXPECT(result, text[i] >= ' ' && text[i] <= '~');
	if (!strstr(text, words))
		complain(result, __FILE__, __LINE__, "the message lacks these words: %s", words);
	/* A grant is logged before the descriptor is sent; when that fails, a refusal follows. */
	if (strstr(line, ": granted ") && strchr(line, '\n'))
		line = strchr(line, '\n') + 1;
	assert_log_begins(result, line, 85, "refused"); /* authpriv, notice */
	snprintf(number, sizeof(number), " code=%d why=\"", code);
	EXPECT(result, strstr(line, number));
	EXPECT(result, strchr(line, '\n') && strchr(line, '\n')[1] == '\0');
}

static bool link_exists(const char *name)
{
	return *first_line("/sys/class/net/%s/ifindex", name) != '\0';
}

void give_back(struct result *result)
{
	struct ifreq request;

	name_of_tap(result->tap, &request);
	EXPECT(result, request.ifr_name[0] && link_exists(request.ifr_name));
	close(result->tap);
	result->tap = -1;
	EXPECT(result, !link_exists(request.ifr_name));
}

struct result hold(const struct call *call, const char *bridge)
{
	struct result result = run(call);

	assert_granted(&result, bridge);
	return result;
}

void expect_grant(const struct call *call, const char *bridge)
{
	char *before = snapshot();
	struct result result = hold(call, bridge);

	give_back(&result);
	assert_unchanged(before);
}

void expect_refusal(const struct call *call, int code, const char *words)
{
	char *before = snapshot();
	struct result result = run(call);

	assert_refused(&result, code, words);
	assert_unchanged(before);
}

bool expect_all_or_nothing(const struct call *call, const char *bridge)
{
	char *before = snapshot();
	struct result result = run(call);
	bool granted = result.code == 0;

	if (granted) {
		assert_granted(&result, bridge);
		give_back(&result);
	} else {
		assert_nothing_sent(&result, result.code);
		EXPECT(&result, !WCOREDUMP(result.status));
	}
	assert_unchanged(before);
	return granted;
}
