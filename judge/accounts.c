// SPDX-License-Identifier: MIT
/*
 * /etc/passwd and /etc/group, and no other source of names: the name service switch would load plug-ins and talk to
 * directory servers inside a privileged process.
 */
#include "judge/judge.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"

/* A name outlives the line that it was read from. */
static bool add(struct policy_names *names, const char *name, uint32_t number)
{
	struct policy_name *list = array_room(names->list, names->count, &names->room, sizeof(*list));
	char *kept = list ? strdup(name) : NULL;

	if (list)
		names->list = list;
	if (kept)
		list[names->count++] = (struct policy_name){kept, (uint32_t)strlen(kept), number};
	return kept;
}

/* One user; false at the end, and when memory ran out. Of the caller's own lines the primary group counts, too. */
static bool read_user(FILE *file, uint32_t uid, struct policy_accounts *accounts)
{
	const struct passwd *user = fgetpwent(file);

	return user && add(&accounts->all[ACCOUNT_USER], user->pw_name, user->pw_uid) &&
	       (user->pw_uid != uid || (add(&accounts->own[ACCOUNT_USER], user->pw_name, uid) &&
					       add(&accounts->own[ACCOUNT_GROUP], "", user->pw_gid)));
}

/* The same for a group, when all users are known. */
static bool read_group(FILE *file, uint32_t uid, struct policy_accounts *accounts)
{
	const struct group *group = fgetgrent(file);
	bool member = false;

	(void)uid;
	for (char **name = group ? group->gr_mem : NULL; name && *name; name++)
		member |= policy_find_name(&accounts->own[ACCOUNT_USER], (struct word){*name, strlen(*name)}) != NULL;
	return group && add(&accounts->all[ACCOUNT_GROUP], group->gr_name, group->gr_gid) &&
	       (!member || add(&accounts->own[ACCOUNT_GROUP], "", group->gr_gid));
}

/* Whether all was read that there is; where there is no file, there are no names. */
static bool read_file(const char *path, bool (*read_line)(FILE *file, uint32_t uid, struct policy_accounts *accounts),
	uint32_t uid, struct policy_accounts *accounts)
{
	FILE *file = fopen(path, "re");
	bool whole;

	if (!file)
		return errno == ENOENT;
	errno = 0;
	while (read_line(file, uid, accounts))
		continue;
	whole = feof(file) && !ferror(file) && errno != ENOMEM;
	fclose(file);
	return whole;
}

/* The groups that are the caller's by number have names, too: all lines are known only now. */
static bool name_groups(const struct policy_caller *caller, struct policy_accounts *accounts)
{
	const struct policy_names *all = &accounts->all[ACCOUNT_GROUP];
	struct policy_names *own = &accounts->own[ACCOUNT_GROUP];
	bool good = true;

	for (size_t i = 0; i < caller->group_count && good; i++) {
		accounts->unlisted[ACCOUNT_GROUP] |= !policy_has_number(all, caller->groups[i]);
		good = add(own, "", caller->groups[i]);
	}
	for (size_t i = 0; i < all->count && good; i++)
		good = !policy_has_number(own, all->list[i].number) || add(own, all->list[i].name, all->list[i].number);
	return good;
}

bool accounts_read(const struct policy_caller *caller, struct policy_accounts *accounts)
{
	bool whole;

	*accounts = (struct policy_accounts){.unlisted = {false}};
	whole = read_file("/etc/passwd", read_user, caller->uid, accounts) &&
		read_file("/etc/group", read_group, caller->uid, accounts) && name_groups(caller, accounts);
	accounts->unlisted[ACCOUNT_USER] = accounts->own[ACCOUNT_USER].count == 0;
	return whole;
}

void accounts_free(struct policy_accounts *accounts)
{
	struct policy_names *const lists[] = {
		&accounts->all[0], &accounts->all[1], &accounts->own[0], &accounts->own[1]};

	for (size_t i = 0; i < 4; i++) {
		while (lists[i]->count > 0)
			free((void *)(uintptr_t)lists[i]->list[--lists[i]->count].name); /* of strdup */
		free(lists[i]->list);
	}
}

/* --- subids ------------------------------------------------------------------------------------------------------- */

/*
 * Subordinate user ids (subuid(5)): a user can become any of them, by a setuid file made in a user namespace, and would
 * be somebody else to rules and limits each time.
 */

/* "owner:first:count". A line that is not just like that, a comment too, gives nobody any ids (subuid(5)). */
static bool covers(struct word line, uint32_t uid)
{
	struct word owner, first_text, count_text;
	uint32_t first, count;

	if (!word_cut(&line, ':', &owner) || !word_cut(&line, ':', &first_text) || !word_cut(&line, ':', &count_text))
		return false;
	return owner.size > 0 && *owner.at != '#' && !line.at && word_number(first_text, UINT32_MAX, &first) &&
	       word_number(count_text, UINT32_MAX, &count) && first <= uid && uid - first < count;
}

bool subids_exclude(uint32_t uid, struct outcome *outcome)
{
	FILE *file = fopen("/etc/subuid", "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (!file)
		return errno == ENOENT || refuse_errno(outcome, errno, "cannot read /etc/subuid");
	while (!found && getline(&line, &room, file) >= 0)
		found = covers((struct word){line, strcspn(line, "\n")}, uid);
	if (found)
		refuse(outcome, EXIT_DENIED,
			"uid %u is a subordinate id of %s by /etc/subuid; start it as that user itself", uid,
			QUOTED(((struct word){line, strcspn(line, ":")})));
	else if (!feof(file) || ferror(file))
		refuse(outcome, EXIT_SYSTEM, "cannot read /etc/subuid whole");
	fclose(file);
	free(line);
	return !outcome->code;
}
