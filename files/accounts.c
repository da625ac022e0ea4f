#include "files/accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of either file. */
struct entry {
	char *name;
	size_t size, order; /* of the name; of the line */
	uint32_t number;
	uint32_t primary; /* of a user: its primary group */
	bool lists_user;  /* of a group: whether its list has one of the caller's names */
};

struct table {
	struct entry *entries;
	size_t count, room;
};

struct accounts {
	uint32_t uid;
	bool loaded, failed;
	struct table tables[2]; /* by enum policy_account, sorted */
};

static bool add(struct table *table, struct entry entry)
{
	struct entry *slot;

	if (table->count == table->room) {
		size_t room = table->room ? table->room * 2 : 64;
		struct entry *grown = reallocarray(table->entries, room, sizeof(*grown));

		if (!grown)
			return false;
		table->entries = grown;
		table->room = room;
	}
	entry.order = table->count;
	entry.size = strlen(entry.name);
	slot = &table->entries[table->count];
	*slot = entry;
	slot->name = strdup(entry.name);
	if (!slot->name)
		return false;
	table->count++;
	return true;
}

/* By name, and where a name stands twice by line: a policy may hold thousands of names to look up. */
static int compare_names(const struct entry *a, const char *name, size_t size)
{
	if (a->size != size)
		return a->size < size ? -1 : 1;
	return memcmp(a->name, name, size);
}

static int compare_entries(const void *first, const void *second)
{
	const struct entry *a = first, *b = second;
	int order = compare_names(a, b->name, b->size);

	return order ? order : a->order < b->order ? -1 : 1;
}

static void sort(struct table *table)
{
	if (table->count)
		qsort(table->entries, table->count, sizeof(*table->entries), compare_entries);
}

/*
 * A file that is not there has no names. One that is there and cannot be read to its end refuses the request: a group
 * that seems to be without members is a lost deny.
 */
static bool open_names(const char *path, FILE **file)
{
	*file = fopen(path, "re");
	return *file || errno == ENOENT;
}

static bool close_names(FILE *file)
{
	bool whole = feof(file) && !ferror(file) && errno != ENOMEM;

	fclose(file);
	return whole;
}

static bool load_users(struct accounts *accounts)
{
	FILE *file;
	bool good = open_names("/etc/passwd", &file);
	struct passwd *user;

	if (!file)
		return good;
	errno = 0;
	while (good && (user = fgetpwent(file))) {
		good = add(&accounts->tables[ACCOUNT_USER],
			(struct entry){.name = user->pw_name, .number = user->pw_uid, .primary = user->pw_gid});
	}
	return close_names(file) && good;
}

static bool is_callers_name(const struct accounts *accounts, const char *name)
{
	const struct table *users = &accounts->tables[ACCOUNT_USER];

	for (size_t i = 0; i < users->count; i++) {
		if (users->entries[i].number == accounts->uid && strcmp(users->entries[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool load_groups(struct accounts *accounts)
{
	FILE *file;
	bool good = open_names("/etc/group", &file);
	struct group *group;

	if (!file)
		return good;
	errno = 0;
	while (good && (group = fgetgrent(file))) {
		struct entry entry = {.name = group->gr_name, .number = group->gr_gid};

		for (char **member = group->gr_mem; *member && !entry.lists_user; member++)
			entry.lists_user = is_callers_name(accounts, *member);
		good = add(&accounts->tables[ACCOUNT_GROUP], entry);
	}
	return close_names(file) && good;
}

static const struct table *table_of(struct accounts *accounts, enum policy_account kind)
{
	if (!accounts->loaded) {
		accounts->loaded = true;
		accounts->failed = !load_users(accounts) || !load_groups(accounts);
		sort(&accounts->tables[ACCOUNT_USER]);
		sort(&accounts->tables[ACCOUNT_GROUP]);
	}
	return &accounts->tables[kind];
}

/* The first entry of a name: where a name stands twice, the C library's own look-ups take the first line as well. */
static bool number_of(void *context, enum policy_account kind, struct word name, uint32_t *number)
{
	const struct table *table = table_of(context, kind);
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_names(&table->entries[middle], name.at, name.size) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == table->count || compare_names(&table->entries[low], name.at, name.size) != 0)
		return false;
	*number = table->entries[low].number;
	return true;
}

static bool is_listed(void *context, enum policy_account kind, uint32_t number)
{
	const struct table *table = table_of(context, kind);

	for (size_t i = 0; i < table->count; i++) {
		if (table->entries[i].number == number)
			return true;
	}
	return false;
}

static bool is_member(void *context, uint32_t uid, uint32_t gid)
{
	const struct table *users = table_of(context, ACCOUNT_USER), *groups = table_of(context, ACCOUNT_GROUP);

	for (size_t i = 0; i < users->count; i++) {
		if (users->entries[i].number == uid && users->entries[i].primary == gid)
			return true;
	}
	for (size_t i = 0; i < groups->count; i++) {
		if (groups->entries[i].number == gid && groups->entries[i].lists_user)
			return true;
	}
	return false;
}

struct accounts *accounts_new(uint32_t uid)
{
	struct accounts *accounts = calloc(1, sizeof(*accounts));

	if (accounts)
		accounts->uid = uid;
	return accounts;
}

struct policy_accounts accounts_questions(struct accounts *accounts)
{
	return (struct policy_accounts){number_of, is_listed, is_member, accounts};
}

bool accounts_failed(const struct accounts *accounts)
{
	return accounts->failed;
}

void accounts_free(struct accounts *accounts)
{
	if (!accounts)
		return;
	for (size_t kind = 0; kind < 2; kind++) {
		for (size_t i = 0; i < accounts->tables[kind].count; i++)
			free(accounts->tables[kind].entries[i].name);
		free(accounts->tables[kind].entries);
	}
	free(accounts);
}
