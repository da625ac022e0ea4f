// SPDX-License-Identifier: MIT
/*
 * All guards as they stand, read at once: the kernel lists chains of all tables or of none, so reading one guard costs
 * as much as there are guards. A picture, as that of the host (tool/host.c): it goes when a new one is taken, and a
 * guard that was put up since is read by itself.
 */
#include "tool/tool.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 16 }; /* how often rules that are changed by others meanwhile are read again */

/* A table of a guard: its chains and rules as they came, one behind the other, without its seal. */
struct part {
	int family;
	char table[GUARD_TABLE_MAX];
	uint32_t flags;
	struct guard seal; /* mode, text, sealed; empty where this table has none */
	char *bytes;
	size_t size;
};

struct guards {
	struct part *parts;
	size_t count;
	bool failed; /* memory ran out */
};

void guards_forget(struct guards *guards)
{
	for (size_t i = 0; guards && i < guards->count; i++)
		free(guards->parts[i].bytes);
	if (guards)
		free(guards->parts);
	free(guards);
}

/* Whether something is of a table that is named as a guard's. */
static bool is_guards(const struct nftables_object *object)
{
	return strncmp(object->table, "tapgate-", strlen("tapgate-")) == 0 && strlen(object->table) < GUARD_TABLE_MAX;
}

static int compare(const void *a, const void *b)
{
	const struct part *one = a, *other = b;

	return one->family != other->family ? one->family - other->family : strcmp(one->table, other->table);
}

static struct part key_of(int family, const char *table)
{
	struct part key = {.family = family};

	snprintf(key.table, sizeof(key.table), "%s", table);
	return key;
}

/* NULL: there is none. The parts are in order (compare). */
static struct part *find_part(const struct guards *guards, const struct part *key)
{
	return guards->count ? bsearch(key, guards->parts, guards->count, sizeof(*key), compare) : NULL;
}

static void see_table(void *context, const struct nftables_object *object)
{
	struct guards *guards = context;
	struct part *parts;

	if (!is_guards(object))
		return;
	parts = reallocarray(guards->parts, guards->count + 1, sizeof(*parts));
	guards->failed |= !parts;
	if (!parts)
		return;
	guards->parts = parts;
	parts[guards->count] = key_of(object->family, object->table);
	parts[guards->count++].flags = nftables_number(object->attributes[NFTA_TABLE_FLAGS]);
}

static void see(void *context, const struct nftables_object *object)
{
	struct guards *guards = context;
	struct part key, *part;
	char *bytes;

	if (!is_guards(object))
		return;
	key = key_of(object->family, object->table);
	part = find_part(guards, &key);
	/* One of a table that was not there a moment ago belongs to the next picture. */
	if (!part || (object->type == NFT_MSG_NEWCHAIN && !object->attributes[NFTA_CHAIN_HOOK] &&
			     guard_read_seal(nftables_text(object->attributes[NFTA_CHAIN_NAME]), &part->seal)))
		return;
	bytes = realloc(part->bytes, part->size + object->size);
	if (!bytes) {
		guards->failed = true;
		return;
	}
	memcpy(bytes + part->size, object->bytes, object->size);
	part->bytes = bytes;
	part->size += object->size;
}

static int read_once(struct link *nftables, struct guards *guards)
{
	int error = nftables_each_table(nftables, see_table, guards);

	if (guards->count)
		qsort(guards->parts, guards->count, sizeof(*guards->parts), compare);
	for (size_t i = 0; i < GUARD_FAMILIES && !error; i++) {
		int family = guard_families[i].number;

		error = nftables_each_chain(nftables, family, see, guards);
		if (!error)
			error = nftables_each_rule(nftables, family, NULL, see, guards);
		if (error == -EOPNOTSUPP || error == -EAFNOSUPPORT || error == -ENOENT)
			error = 0; /* this kernel has no such family */
	}
	return guards->failed ? -ENOMEM : error;
}

static struct guards *read_all(struct link *nftables)
{
	struct guards *guards = NULL;
	int error = -EAGAIN;

	for (int i = 0; i < PATIENCE && error == -EAGAIN; i++) {
		guards_forget(guards);
		guards = calloc(1, sizeof(*guards));
		error = guards ? read_once(nftables, guards) : -ENOMEM;
	}
	if (!error)
		return guards;
	guards_forget(guards);
	return NULL;
}

/* Add what a family has of a guard to its digest, as guard_read does. */
static bool add_part(const struct guards *guards, int family, const char *table, struct guard *guard)
{
	const struct part key = key_of(family, table), *part = find_part(guards, &key);

	if (!part)
		return false;
	if (part->seal.mode[0]) {
		memcpy(guard->mode, part->seal.mode, sizeof(guard->mode));
		guard->text = part->seal.text;
		guard->sealed = part->seal.sealed;
	}
	guard->standing = guard_digest(guard->standing, &part->flags, sizeof(part->flags));
	guard->standing = guard_digest(guard->standing, part->bytes, part->size);
	return true;
}

int guards_find(struct session *session, int family, const char *network, struct guard *guard)
{
	char table[GUARD_TABLE_MAX];

	if (!session->guards)
		session->guards = read_all(session->nftables);
	if (!session->guards)
		return guard_read(session->nftables, family, network, guard);
	*guard = (struct guard){.standing = GUARD_DIGEST_START};
	guard_table(network, table);
	guard->exists = add_part(session->guards, family, table, guard);
	for (size_t i = 0; i < GUARD_FAMILIES; i++) {
		if (guard_families[i].number != family)
			(void)add_part(session->guards, guard_families[i].number, table, guard);
	}
	return 0;
}
