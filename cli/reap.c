// SPDX-License-Identifier: MIT
/*
 * `tapgate reap`: removes taps that somebody made persistent and nobody holds any more.
 *
 * Who holds a tap may make it persistent; it then stays when the last descriptor is closed, and counts against its
 * user's limit. Whether anybody holds it only the kernel knows. Its carrier does not tell: a holder may switch it off.
 * So reap joins the tap itself, which fails while somebody holds it; then it has it to itself, takes its persistence
 * away, and lets go. Of a tap with several queues the kernel says how many are joined. Somebody who joins at that very
 * moment loses nothing but the persistence: the tap then goes with that holder.
 */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link/link.h"
#include "policy/text.h"
#include "tool/tool.h"

/* Whether an interface is a tap of the helper's on a named network. For an ordinary user only the user's own count. */
static bool is_meant(const struct link_interface *interface, const struct words *words, struct alias_tap *tap)
{
	if (alias_is_missing(interface)) { /* half made, by a helper that is gone */
		*tap = (struct alias_tap){.network = "-"};
		return geteuid() == 0 && !words->name_count;
	}
	return alias_read_tap(interface, tap) && words_name(words, tap->network) &&
	       (geteuid() == 0 || tap->uid == getuid());
}

/* Whether a descriptor is joined to the tap that was looked at, and not to another that has got its name since. */
static bool is_same(struct session *session, int fd, const struct link_interface *tap)
{
	struct link_interface now;
	char name[IFNAMSIZ];

	return tap_name(fd, name) == 0 && link_by_name(session->link, name, &now) == 0 && now.index == tap->index &&
	       strcmp(now.alias, tap->alias) == 0;
}

static bool is_gone(struct session *session, const struct link_interface *tap)
{
	struct link_interface now;

	return link_by_index(session->link, tap->index, &now) == -ENODEV;
}

static bool fail(const struct link_interface *interface, const struct alias_tap *tap, int error)
{
	if (error == -EPERM && geteuid() != 0)
		return say_error("%s: cannot remove the tap '%s': it has got another owner; try: sudo tapgate reap",
			tap->network, interface->name);
	return session_fail(tap->network, error, "remove the tap '%s'", interface->name);
}

/* Remove a tap if nobody holds it. False: said what failed. */
static bool reap(struct session *session, const struct link_interface *interface, const struct alias_tap *tap)
{
	struct link_interface now;
	bool free_to_go, same;
	int fd, error = link_by_index(session->link, interface->index, &now);

	if (error == -ENODEV || (!error && (!now.tun.persistent || (now.tun.multi_queue && now.tun.queues > 0))))
		return true;
	if (!error)
		error = tun_join(interface->name, &now.tun, &fd);
	if (error == -EBUSY)
		return true;
	if (error)
		return fail(interface, tap, error);
	same = is_same(session, fd, interface);
	if (same && !session->dry)
		error = tun_let_go(fd);
	close(fd);
	free_to_go = same && !error && (session->dry || is_gone(session, interface));
	if (free_to_go)
		session_say(session, tap->network, "removed", "remove", "the tap '%s' of uid %u, which nobody holds",
			interface->name, tap->uid);
	return !error || fail(interface, tap, error);
}

/* A network on the command line has to have a tap, or to stand in the policy; else its name is a mistake. */
static int check_names(const struct session *session, const struct words *words)
{
	struct policy *policy = NULL;
	int status = STATUS_DONE;

	for (int i = 0; i < words->name_count && status == STATUS_DONE; i++) {
		const struct words one = {.names = &words->names[i], .name_count = 1};
		struct alias_tap tap;
		bool found = false;

		for (size_t j = 0; j < session->host.interface_count; j++)
			found |= is_meant(&session->host.interfaces[j], &one, &tap);
		if (found)
			continue;
		status = load_known(&policy, words->names[i]);
	}
	policy_free(policy);
	return status;
}

static int reap_all(struct session *session, const struct words *words)
{
	int status = session_open(session, false) ? check_names(session, words) : STATUS_FAILED;
	bool done = true;

	if (status != STATUS_DONE)
		return status;
	for (size_t i = 0; i < session->host.interface_count; i++) {
		struct alias_tap tap;

		if (is_meant(&session->host.interfaces[i], words, &tap))
			done &= reap(session, &session->host.interfaces[i], &tap);
	}
	if (done && session->changes == 0)
		puts("nothing changed");
	return done ? session_status(session) : STATUS_FAILED;
}

int command_reap(const struct words *words)
{
	struct session session = {.lock = -1};
	int status;

	session.dry = words->given & WORD_DRY_RUN;
	status = reap_all(&session, words);
	session_close(&session);
	return status;
}
