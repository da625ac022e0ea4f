// SPDX-License-Identifier: MIT
/* The private world: commands, links, files; and what is set up before a group of tests and cleaned up after each. */
#include "tests/netns/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLICY "/etc/tapgate.conf"

void must(bool good, const char *what)
{
	if (!good)
		fail_msg("%s: %s", what, strerror(errno));
}

static int __attribute__((format(printf, 1, 0))) run_shell(const char *format, va_list args)
{
	char line[4096];
	int status;

	assert_true(vsnprintf(line, sizeof(line), format, args) < (int)sizeof(line));
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int shell_status(const char *format, ...)
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
	if (shell_status("command -v %s >/dev/null", name) == 0)
		return true;
	cannot_test("there is no %s", name);
	return false;
}

int open_world(void **state)
{
	struct rlimit files;

	(void)state;
	if (getuid() != 0 || !getenv("HELPER") || shell_status("grep -q '^tapgate-world /etc ' /proc/mounts")) {
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
	close_log();
	return 0;
}

int clean_world(void **state)
{
	(void)state;
	end_children();
	close_behind_log();
	forget_log();
	forget_guards();
	return shell_status("for link in $(ls -A /sys/class/net); do "
			    "  case $link in lo|sit0|ip6tnl0|tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0) ;; "
			    "  *) ip link del dev \"$link\" 2>/dev/null || :;; esac; done; "
			    "rm -rf /etc/tapgate* /etc/subuid \"$TMPDIR\"/*");
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

void prepare_br0(void)
{
	make_bridge("br0");
	write_policy("allow br0\n");
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
