#include "files/accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add(struct policy_names *names, const char *name, uint32_t number)
{
	if (names->count == names->room) {
		size_t room = names->room ? names->room * 2 : 64;
		struct policy_name *grown = reallocarray(names->list, room, sizeof(*grown));

		if (!grown)
			return false;
		names->list = grown;
		names->room = room;
	}
	names->list[names->count++] = (struct policy_name){name, (uint32_t)strlen(name), number};
	return true;
}

/* A line's name outlives the line. */
static const char *add_line(struct policy_names *names, const char *name, uint32_t number)
{
	char *kept = strdup(name);

	if (kept && add(names, kept, number))
		return kept;
	free(kept);
	return NULL;
}

/* Whether all was read that there is; NULL: there is no file, and so no names. */
static bool close_names(FILE *file)
{
	bool whole = !file || (feof(file) && !ferror(file) && errno != ENOMEM);

	if (file)
		fclose(file);
	return whole;
}

/* Of the caller's own lines the primary group counts, too. */
static bool read_users(uint32_t uid, struct policy_accounts *accounts)
{
	FILE *file = fopen("/etc/passwd", "re");
	bool good = file || errno == ENOENT;
	struct passwd *user;

	errno = 0;
	while (file && good && (user = fgetpwent(file))) {
		const char *name = add_line(&accounts->all[ACCOUNT_USER], user->pw_name, user->pw_uid);

		good = name && (user->pw_uid != uid || (add(&accounts->own[ACCOUNT_USER], name, uid) &&
							       add(&accounts->own[ACCOUNT_GROUP], "", user->pw_gid)));
	}
	return close_names(file) && good;
}

static bool lists_caller(char *const *members, const struct policy_names *own)
{
	for (; *members; members++) {
		for (size_t i = 0; i < own->count; i++) {
			if (strcmp(own->list[i].name, *members) == 0)
				return true;
		}
	}
	return false;
}

static bool read_groups(struct policy_accounts *accounts)
{
	FILE *file = fopen("/etc/group", "re");
	bool good = file || errno == ENOENT;
	struct group *group;

	errno = 0;
	while (file && good && (group = fgetgrent(file)))
		good = add_line(&accounts->all[ACCOUNT_GROUP], group->gr_name, group->gr_gid) &&
		       (!lists_caller(group->gr_mem, &accounts->own[ACCOUNT_USER]) ||
			       add(&accounts->own[ACCOUNT_GROUP], "", group->gr_gid));
	return close_names(file) && good;
}

static bool has_number(const struct policy_name *list, size_t count, uint32_t number)
{
	while (count > 0 && list[count - 1].number != number)
		count--;
	return count > 0;
}

/* The groups that are the caller's by number have names, too: all lines are known only now. */
static bool name_groups(const struct policy_caller *caller, struct policy_accounts *accounts)
{
	const struct policy_names *all = &accounts->all[ACCOUNT_GROUP];
	struct policy_names *own = &accounts->own[ACCOUNT_GROUP];
	bool good = true;

	for (size_t i = 0; i < caller->group_count && good; i++) {
		accounts->unlisted[ACCOUNT_GROUP] |= !has_number(all->list, all->count, caller->groups[i]);
		good = add(own, "", caller->groups[i]);
	}
	for (size_t i = 0, numbers = own->count; i < all->count && good; i++)
		good = !has_number(own->list, numbers, all->list[i].number) ||
		       add(own, all->list[i].name, all->list[i].number);
	return good;
}

bool accounts_read(const struct policy_caller *caller, struct policy_accounts *accounts)
{
	bool whole;

	*accounts = (struct policy_accounts){.unlisted = {false}};
	whole = read_users(caller->uid, accounts) && read_groups(accounts) && name_groups(caller, accounts);
	accounts->unlisted[ACCOUNT_USER] = accounts->own[ACCOUNT_USER].count == 0;
	return whole;
}

void accounts_free(struct policy_accounts *accounts)
{
	for (size_t kind = 0; kind < 2; kind++) {
		struct policy_names *all = &accounts->all[kind];

		while (all->count > 0) {
			const union {
				const char *name;
				void *memory; /* of strdup */
			} line = {all->list[--all->count].name};

			free(line.memory);
		}
		free(all->list);
		free(accounts->own[kind].list);
	}
}
