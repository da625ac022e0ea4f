#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
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
#include <unistd.h>

#include "cli/networks/rules.h"
#include "cli/say.h"
#include "link/nftables.h"

#define DIRECTORY "/run/tapgate"
#define LOCK	  DIRECTORY "/lock"

struct undo {
	struct undo *before;
	bool (*function)(struct session *session, const struct undo_values *);
	struct undo_values values;
};

/* One run that changes things at a time. Only root can open the file, so nobody else can hold us up. */
static bool take_lock(struct session *session)
{
	if (mkdir(DIRECTORY, 0755) < 0 && errno != EEXIST)
		return say_error("cannot make " DIRECTORY ": %s", strerror(errno));
	session->lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (session->lock < 0 || flock(session->lock, LOCK_EX) < 0)
		return say_error("cannot lock " LOCK ": %s", strerror(errno));
	return true;
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
		say_error("stopped by a signal: networks that it had not come to are as they were");
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
			"only root can see all that 'tapgate %s' would change; try: sudo tapgate %s --dry-run, or, "
			"without root: tapgate status",
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
	int error = nftables_open(&session->nftables);

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
		return say_error("cannot open a netlink socket%s: %s",
			error == -EAFNOSUPPORT ? " (a unit's RestrictAddressFamilies= has to have AF_NETLINK)" : "",
			strerror(-error));
	return open_nftables(session, to_change) && session_look(session);
}

void session_close(struct session *session)
{
	session_keep(session);
	host_forget(&session->host);
	link_close(session->link);
	link_close(session->nftables);
	if (session->nft)
		nft_ctx_free(session->nft);
	if (session->lock >= 0) {
		close(session->lock);
		sigprocmask(SIG_SETMASK, &session->signals, NULL);
	}
}

bool session_look(struct session *session)
{
	int error;

	host_forget(&session->host);
	error = host_look(session->link, &session->host);
	return !error || say_error("cannot read the host's interfaces, addresses and routes: %s", strerror(-error));
}

void session_say(
	struct session *session, const char *network, const char *did, const char *would, const char *format, ...)
{
	va_list arguments;

	session->changes++;
	printf("%s: %s%s ", network, session->dry ? "would " : "", session->dry ? would : did);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
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

void session_undo_with(struct session *session, bool (*function)(struct session *session, const struct undo_values *),
	struct undo_values values)
{
	struct undo *undo = malloc(sizeof(*undo));

	if (!undo) {
		session->undo_lost = true;
		free(values.text);
		return;
	}
	*undo = (struct undo){session->undo, function, values};
	session->undo = undo;
}

static void forget_last(struct session *session)
{
	struct undo *last = session->undo;

	session->undo = last->before;
	free(last->values.text);
	free(last);
}

void session_keep(struct session *session)
{
	session->undo_lost = false;
	while (session->undo)
		forget_last(session);
}

void session_undo(struct session *session, const struct policy_network *const *networks, size_t count)
{
	bool undone = !session->undo_lost;

	if (!session->undo && undone)
		return;
	session->undo_lost = false;
	while (session->undo) {
		undone &= session->undo->function(session, &session->undo->values);
		forget_last(session);
	}
	for (size_t i = 0; i < count; i++) {
		if (undone)
			say_error("%s: is as it was before", networks[i]->name);
		else
			say_error("%s: could not be put back as it was; run 'tapgate up' again", networks[i]->name);
	}
}
