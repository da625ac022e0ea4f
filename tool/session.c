// SPDX-License-Identifier: MIT
/* A command at work: its connections to the kernel, and what it says of its changes. */
#include "tool/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/capability.h>
#include <nftables/libnftables.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "link/link.h"

#define DIRECTORY "/run/tapgate"
#define LOCK	  SESSION_LOCK

enum { LOCK_PATIENCE = 3000 }; /* milliseconds; a network takes less than one second */

struct phrase {
	struct phrase *before;
	char text[];
};

/* Of a line of /proc/locks (proc(5)), "1: FLOCK ADVISORY WRITE 123 00:19:456 0 EOF": who locks that inode; or 0. */
static long read_lock(char *line, unsigned long inode)
{
	enum { KIND = 1, PID = 4, PLACE = 5, FIELDS };
	char *fields[FIELDS], *rest = line;

	for (size_t i = 0; i < FIELDS; i++) {
		fields[i] = strtok_r(rest, " ", &rest);
		if (!fields[i])
			return 0;
	}
	if (strcmp(fields[KIND], "FLOCK") != 0 || !strrchr(fields[PLACE], ':') ||
		strtoul(strrchr(fields[PLACE], ':') + 1, NULL, 10) != inode)
		return 0;
	return strtol(fields[PID], NULL, 10);
}

/* Who has locked a file, as the kernel lists it; 0: not known, as where it is in another container. */
static long lock_holder(int fd)
{
	FILE *file = fopen("/proc/locks", "re");
	struct stat status;
	char line[256];
	long holder = 0;

	while (file && holder <= 0 && fstat(fd, &status) == 0 && fgets(line, sizeof(line), file))
		holder = read_lock(line, status.st_ino);
	if (file)
		fclose(file);
	return holder > 0 ? holder : 0;
}

/* Whoever has it may have been stopped, and would be waited for without end: so that is said after a while. */
static bool wait_for_lock(int fd)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	const int64_t deadline = clock_milliseconds() + LOCK_PATIENCE;
	long holder;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		if (clock_milliseconds() < deadline) {
			nanosleep(&pause, NULL);
			continue;
		}
		holder = lock_holder(fd);
		if (holder)
			say_warning("waiting for process %ld, which is changing networks; if it does not go on: ps %ld",
				holder, holder);
		else
			say_warning("waiting for another process, which is changing networks");
		return flock(fd, LOCK_EX) == 0;
	}
	return true;
}

/* One run that changes things at a time. Only root can open the file, so nobody else can hold us up. */
static bool take_lock(struct session *session)
{
	if (mkdir(DIRECTORY, 0755) < 0 && errno != EEXIST)
		return say_error("cannot make " DIRECTORY ": %s", strerror(errno));
	session->lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (session->lock < 0 || !wait_for_lock(session->lock))
		return say_error("cannot lock " LOCK ": %s", strerror(errno));
	return true;
}

void session_applied(const struct session *session)
{
	if (session->lock >= 0)
		(void)!futimens(session->lock, NULL); /* to the present time; the file is root's own */
}

struct timespec session_when_applied(void)
{
	struct stat status = {0};

	return stat(LOCK, &status) == 0 ? status.st_mtim : (struct timespec){0};
}

/* By which an administrator, or a service manager, ends a program. */
static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static void hold_signals(struct session *session)
{
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sigaddset(&held, ends[i]);
	sigprocmask(SIG_BLOCK, &held, &session->signals);
}

bool session_interrupted(struct session *session)
{
	sigset_t waiting;
	bool found = false;

	sigpending(&waiting);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		found |= !sigismember(&session->signals, ends[i]) && sigismember(&waiting, ends[i]) > 0;
	if (found && !session->interrupted)
		say_error("stopped by a signal: it had not come to all networks; 'tapgate %s' goes on from here",
			session->command);
	session->interrupted |= found;
	return found;
}

/* What would be done can only be told by who sees guards, DHCP servers and the settings of the host. */
static bool be_root(const struct session *session)
{
	if (geteuid() == 0)
		return true;
	if (session->dry)
		return say_error(
			"only root can see all that 'tapgate %s' would change; try: sudo tapgate %s --dry-run, or, without root: tapgate status",
			session->command, session->command);
	return say_error("only root can change networks; try: sudo tapgate %s", session->command);
}

/* Root has all of it but in a container or a unit that takes the capability away; libnftables prints that by itself. */
static bool sees_rules(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return geteuid() == 0 && syscall(SYS_capget, &header, data) == 0 && (data[0].effective & (1U << CAP_NET_ADMIN));
}

/* Only who changes guards cannot do without nftables; who looks sees that there is none. */
static bool open_nftables(struct session *session, bool to_change)
{
	uint32_t flags;
	int error = nftables_open(&session->nftables);

	if (!error &&
		nftables_table(session->nftables, guard_families[0].number, "tapgate-", &flags) == -EPROTONOSUPPORT) {
		link_close(session->nftables);
		session->nftables = NULL;
		error = -EPROTONOSUPPORT;
	}
	if (!to_change && (error || !sees_rules()))
		return true;
	if (error)
		return say_error(
			"cannot talk to the kernel's nftables: %s (try: modprobe nf_tables)", strerror(-error));
	return rules_open(session);
}

bool session_open(struct session *session, bool to_change)
{
	int error;

	session->lock = -1;
	sigprocmask(SIG_SETMASK, NULL, &session->signals);
	if (to_change && !be_root(session))
		return false;
	umask(022);
	if (to_change && !session->dry) {
		if (!take_lock(session))
			return false;
		hold_signals(session);
	}
	error = link_open(&session->link);
	if (error)
		return say_no_netlink(error);
	return open_nftables(session, to_change) && session_look(session);
}

static void forget_phrases(struct session *session)
{
	while (session->phrases) {
		struct phrase *last = session->phrases;

		session->phrases = last->before;
		free(last);
	}
}

void session_close(struct session *session)
{
	session_see_anew(session);
	free(session->resolved);
	forget_phrases(session);
	free(session->left);
	json_decref(session->said);
	json_decref(session->later);
	json_decref(session->copies);
	host_forget(&session->host);
	guards_forget(session->guards);
	link_close(session->link);
	link_close(session->nftables);
	if (session->nft)
		nft_ctx_free(session->nft);
	if (session->lock >= 0) {
		close(session->lock);
		sigprocmask(SIG_SETMASK, &session->signals, NULL);
	}
}

void session_see_anew(struct session *session)
{
	if (session->seen)
		session->forget(session->seen);
	session->seen = NULL;
}

void session_see(struct session *session, void *seen, void (*forget)(void *seen))
{
	session_see_anew(session);
	session->seen = seen;
	session->forget = forget;
}

bool session_look(struct session *session)
{
	int error;

	guards_forget(session->guards);
	session->guards = NULL;
	session_see_anew(session);
	free(session->resolved);
	session->resolved = NULL;
	host_forget(&session->host);
	error = host_look(session->link, &session->host);
	return !error || say_error("cannot read the host's interfaces, addresses and routes: %s", strerror(-error));
}

bool session_leave(struct session *session, const char *network, const char *why)
{
	struct session_left *left = reallocarray(session->left, session->left_count + 1, sizeof(*left));

	if (!left)
		return session_fail(network, ENOMEM, "leave it as it is");
	session->left = left;
	left += session->left_count++;
	snprintf(left->network, sizeof(left->network), "%s", network);
	left->why = why;
	return true;
}

bool session_leaves(const struct session *session, const char *network)
{
	for (size_t i = 0; i < session->left_count; i++) {
		if (strcmp(session->left[i].network, network) == 0)
			return true;
	}
	return false;
}

static void print_change(const struct session *session, const char *network, const char *verb, const char *rest)
{
	const bool colour = columns_colour(stdout);

	printf("%s%s:%s %s%s %s\n", columns_on(COLUMNS_GOOD, colour), network, columns_off(COLUMNS_GOOD, colour),
		session->dry ? "would " : "", verb, rest);
}

void session_say(
	struct session *session, const char *network, const char *did, const char *would, const char *format, ...)
{
	char rest[512];
	va_list arguments;

	session->changes++;
	va_start(arguments, format);
	vsnprintf(rest, sizeof(rest), format, arguments);
	va_end(arguments);
	if (session->said)
		json_array_append_new(
			session->said, json_pack("{s:s, s:s++}", "network", network, "change", would, " ", rest));
	else if (session->keeping && (session->later || (session->later = json_array())))
		json_array_append_new(session->later, json_pack("[s, s, s]", network, did, rest));
	else
		print_change(session, network, session->dry ? would : did, rest);
}

void session_tell(struct session *session, const char *network)
{
	size_t i = 0;

	while (i < json_array_size(session->later)) {
		const json_t *line = json_array_get(session->later, i);
		const char *about = json_string_value(json_array_get(line, 0));

		if (network && strcmp(about, network) != 0) {
			i++;
			continue;
		}
		print_change(session, about, json_string_value(json_array_get(line, 1)),
			json_string_value(json_array_get(line, 2)));
		json_array_remove(session->later, i);
	}
}

int session_status(const struct session *session)
{
	return session->dry && session->changes > 0 ? STATUS_CHANGES : STATUS_DONE;
}

bool session_fail(const char *network, int error, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return say_error("%s: cannot %s: %s", network, text, strerror(abs(error)));
}

const char *session_phrase(struct session *session, const char *format, ...)
{
	char text[512];
	struct phrase *phrase;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	phrase = malloc(sizeof(*phrase) + strlen(text) + 1);
	if (!phrase)
		return "out of memory";
	memcpy(phrase->text, text, strlen(text) + 1);
	phrase->before = session->phrases;
	session->phrases = phrase;
	return phrase->text;
}
