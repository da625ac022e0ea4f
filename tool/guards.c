// SPDX-License-Identifier: MIT
/*
 * All guards as they stand, read at once: the kernel lists chains of all tables or of none, so reading one guard costs
 * as much as there are guards. A picture, as that of the host (tool/host.c): it goes when a new one is taken, and a
 * guard that was put up since is read by itself.
 */
#include "tool/tool.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 16 }; /* how often rules that are changed by others meanwhile are read again */

/* A table of a guard: its chains and rules as they came, one behind the other, without its seal. */
struct part {
	int family;
	char table[GUARD_TABLE_MAX];
	struct guard seal; /* mode, text, sealed; empty where this table has none */
	char *bytes;
	size_t size;
};

struct guards {
	struct part *parts;
	size_t count;
	size_t last; /* where the one before was put; most go there, too */
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

static bool is_of(const struct part *part, int family, const char *table)
{
	return part->family == family && strcmp(part->table, table) == 0;
}

/* Where a table's objects go; NULL: memory ran out. */
static struct part *part_of(struct guards *guards, int family, const char *table)
{
	struct part *parts;

	if (guards->last < guards->count && is_of(&guards->parts[guards->last], family, table))
		return &guards->parts[guards->last];
	for (guards->last = 0; guards->last < guards->count; guards->last++) {
		if (is_of(&guards->parts[guards->last], family, table))
			return &guards->parts[guards->last];
	}
	parts = reallocarray(guards->parts, guards->count + 1, sizeof(*parts));
	if (!parts)
		return NULL;
	guards->parts = parts;
	parts[guards->count] = (struct part){.family = family};
	memcpy(parts[guards->count].table, table, strlen(table) + 1);
	return &parts[guards->count++];
}

static void see(void *context, const struct nftables_object *object)
{
	struct guards *guards = context;
	struct part *part;
	char *bytes;

	if (strncmp(object->table, "tapgate-", strlen("tapgate-")) != 0 || strlen(object->table) >= GUARD_TABLE_MAX)
		return;
	part = part_of(guards, object->family, object->table);
	if (part && object->type == NFT_MSG_NEWCHAIN && !object->attributes[NFTA_CHAIN_HOOK] &&
		guard_read_seal(nftables_text(object->attributes[NFTA_CHAIN_NAME]), &part->seal))
		return;
	bytes = part ? realloc(part->bytes, part->size + object->size) : NULL;
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
	int error = 0;

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
static int add_part(struct session *session, int family, const char *table, struct guard *guard)
{
	uint32_t flags = 0;
	int error = nftables_table(session->nftables, family, table, &flags);

	if (error)
		return error;
	guard->exists = true;
	guard->standing = guard_digest(guard->standing, &flags, sizeof(flags));
	for (size_t i = 0; i < session->guards->count; i++) {
		const struct part *part = &session->guards->parts[i];

		if (!is_of(part, family, table))
			continue;
		if (part->seal.mode[0]) {
			memcpy(guard->mode, part->seal.mode, sizeof(guard->mode));
			guard->text = part->seal.text;
			guard->sealed = part->seal.sealed;
		}
		guard->standing = guard_digest(guard->standing, part->bytes, part->size);
	}
	return 0;
}

int guards_find(struct session *session, int family, const char *network, struct guard *guard)
{
	char table[GUARD_TABLE_MAX];
	int error;

	if (!session->guards)
		session->guards = read_all(session->nftables);
	if (!session->guards)
		return guard_read(session->nftables, family, network, guard);
	*guard = (struct guard){.standing = GUARD_DIGEST_START};
	guard_table(network, table);
	error = add_part(session, family, table, guard);
	for (size_t i = 0; i < GUARD_FAMILIES && !error; i++) {
		if (guard_families[i].number != family)
			error = add_part(session, guard_families[i].number, table, guard);
		if (error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT)
			error = 0;
	}
	return error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT ? 0 : error;
}
