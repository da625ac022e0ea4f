// SPDX-License-Identifier: MIT
/*
 * Who is asked about: the caller, or a user whom the host's name services know (getpwnam(3), getgrouplist(3)). The
 * helper never asks name services, because their plug-ins would run with its privileges; this program has none.
 */
#include "cli/explain/explain.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "tool/tool.h"

enum { NOBODYS_GROUP = 65534 };

static int fail(const char *what)
{
	say_error("%s: %s", what, strerror(errno));
	return STATUS_FAILED;
}

/* The groups that this process holds, as the helper would find them. */
static int take_own_groups(struct explain_who *who)
{
	int count = getgroups(0, NULL);

	who->gid = getgid();
	who->groups = count < 0 ? NULL : calloc((size_t)count + 1, sizeof(*who->groups));
	if (!who->groups || getgroups(count, who->groups) != count)
		return fail("cannot read the process's groups");
	who->group_count = (size_t)count;
	for (int i = 0; i < count; i++) {
		if (who->groups[i] == who->gid)
			return STATUS_DONE;
	}
	who->groups[who->group_count++] = who->gid;
	return STATUS_DONE;
}

/* The groups that the user has after logging in. */
static int take_groups_of(const struct passwd *user, struct explain_who *who)
{
	int room = 64, count = room;

	who->gid = user->pw_gid;
	who->groups = calloc((size_t)room, sizeof(*who->groups));
	while (who->groups && getgrouplist(user->pw_name, user->pw_gid, who->groups, &count) < 0) {
		room = count > room ? count : room * 2;
		free(who->groups);
		who->groups = calloc((size_t)room, sizeof(*who->groups));
		count = room;
	}
	if (!who->groups)
		return fail("cannot read the user's groups");
	who->group_count = (size_t)count;
	return STATUS_DONE;
}

/* A user without a name has no groups. As a process always has one, it gets the group of nobody. */
static int take_no_groups(struct explain_who *who)
{
	who->gid = NOBODYS_GROUP;
	who->groups = calloc(1, sizeof(*who->groups));
	if (!who->groups)
		return fail("cannot keep the user's groups");
	who->groups[0] = who->gid;
	who->group_count = 1;
	return STATUS_DONE;
}

static int refuse_unknown(const char *user, int error)
{
	struct word word = {user, strlen(user)};

	if (error) {
		say_error("--user %s: cannot look the user up: %s", QUOTED(word), strerror(error));
		return STATUS_FAILED;
	}
	say_error("--user %s: there is no such user, expected a name, or '#' and a number; see: tapgate help explain",
		QUOTED(word));
	return STATUS_USAGE;
}

int explain_find_who(const char *user, struct explain_who *who)
{
	struct word digits = {user ? user + 1 : "", user && *user ? strlen(user) - 1 : 0};
	const struct passwd *found;
	uint32_t number = 0;
	bool by_number = user && *user == '#' && word_number(digits, UINT32_MAX - 1, &number);

	*who = (struct explain_who){.uid = by_number ? number : getuid()};
	errno = 0;
	found = user && !by_number ? getpwnam(user) : getpwuid(who->uid);
	if (!found && user && !by_number)
		return refuse_unknown(user, errno == ENOENT || errno == ESRCH ? 0 : errno);
	if (found) {
		who->uid = found->pw_uid;
		snprintf(who->name, sizeof(who->name), "%s", found->pw_name);
	}
	who->self = !user || (geteuid() != 0 && who->uid == getuid());
	if (who->self)
		return take_own_groups(who);
	if (geteuid() != 0) {
		say_error("--user: only root can ask about another user; without it the answer is about you");
		return STATUS_FAILED;
	}
	return found ? take_groups_of(found, who) : take_no_groups(who);
}

/* The helper asks no name service for the number of a group; this program does. */
void explain_show_skipped(const struct explain_who *who, const struct explain_answer *answer, FILE *out)
{
	const bool of_user = answer->skipped_kind == ACCOUNT_USER;
	const struct word name = {answer->skipped, strlen(answer->skipped)};
	const struct passwd *user = of_user && name.size ? getpwnam(answer->skipped) : NULL;
	const struct group *group = !of_user && name.size ? getgrnam(answer->skipped) : NULL;
	const uint32_t number = user ? user->pw_uid : group ? group->gr_gid : 0;
	bool same = user && number == who->uid;

	for (size_t i = 0; group && i < who->group_count; i++)
		same |= who->groups[i] == number;
	if (same)
		fprintf(out, "  number   the %s %s is this user's: write %s=#%u\n", of_user ? "name" : "group",
			QUOTED(name), of_user ? "user" : "group", number);
	else if (name.size)
		fprintf(out, "  number   the %s %s is not this user's\n", of_user ? "name" : "group", QUOTED(name));
}
