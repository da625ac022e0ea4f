#include "link/guard.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/nftables.h"

const struct guard_family guard_families[GUARD_FAMILIES] = {
	{NFPROTO_INET, "inet"}, {NFPROTO_BRIDGE, "bridge"}, {NFPROTO_NETDEV, "netdev"}};

enum { PATIENCE = 16 }; /* how often rules that are changed by others meanwhile are read again */

void guard_table(const char *network, char table[static GUARD_TABLE_MAX])
{
	size_t used = (size_t)snprintf(table, GUARD_TABLE_MAX, "tapgate-");

	/* '/' is in no network's name, and is a word's letter to nft. */
	for (; *network && used + 4 <= GUARD_TABLE_MAX; network++) {
		bool plain = isalnum((unsigned char)*network) || strchr("._-", *network);

		used += (size_t)snprintf(
			table + used, GUARD_TABLE_MAX - used, plain ? "%c" : "/%02x", (unsigned char)*network);
	}
}

void guard_seal(const char *mode, uint64_t text, uint64_t standing, char seal[static GUARD_SEAL_MAX])
{
	snprintf(seal, GUARD_SEAL_MAX, GUARD_SEAL_BEGIN "%.15s/%016" PRIx64 "/%016" PRIx64, mode, text, standing);
}

uint64_t guard_digest(uint64_t digest, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (; size > 0; size--)
		digest = (digest ^ *at++) * UINT64_C(0x100000001b3);
	return digest;
}

/* "seal/host-only/0123456789abcdef/0123456789abcdef"; what is not exactly that is no seal. */
bool guard_read_seal(const char *chain, struct guard *guard)
{
	const char *mode = chain + strlen(GUARD_SEAL_BEGIN);
	struct guard read = *guard;
	char seal[GUARD_SEAL_MAX], *rest;

	if (strncmp(chain, GUARD_SEAL_BEGIN, strlen(GUARD_SEAL_BEGIN)) != 0 || !strchr(mode, '/'))
		return false;
	snprintf(read.mode, sizeof(read.mode), "%.*s", (int)strcspn(mode, "/"), mode);
	read.text = strtoull(strchr(mode, '/') + 1, &rest, 16);
	read.sealed = *rest ? strtoull(rest + 1, NULL, 16) : 0;
	guard_seal(read.mode, read.text, read.sealed, seal);
	if (!read.mode[0] || strcmp(seal, chain) != 0)
		return false;
	*guard = read;
	return true;
}

/* A guard being read. */
struct reading {
	struct guard *guard;
	const char *table;
};

/* What is not of the table is passed over, as are chains that are a seal; but not rules in such a chain. */
static void see(void *context, const struct nftables_object *object)
{
	const struct reading *reading = context;
	struct guard *guard = reading->guard;

	if (strcmp(object->table, reading->table) != 0)
		return;
	if (object->type == NFT_MSG_NEWCHAIN && !object->attributes[NFTA_CHAIN_HOOK] &&
		guard_read_seal(nftables_text(object->attributes[NFTA_CHAIN_NAME]), guard))
		return;
	guard->standing = guard_digest(guard->standing, object->bytes, object->size);
}

/* What a family has of a guard, into its digest; nothing where there is no such table. */
static int read_table(struct link *nftables, int family, struct reading *reading, bool *exists)
{
	uint32_t flags = 0;
	int error = nftables_table(nftables, family, reading->table, &flags);

	*exists = error == 0;
	if (error)
		return error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT ? 0 : error;
	reading->guard->standing = guard_digest(reading->guard->standing, &flags, sizeof(flags));
	error = nftables_each_chain(nftables, family, see, reading);
	return error ? error : nftables_each_rule(nftables, family, reading->table, see, reading);
}

static int read_once(struct link *nftables, int family, const char *table, struct guard *guard)
{
	struct reading reading = {.guard = guard, .table = table};
	bool besides;
	int error;

	*guard = (struct guard){.standing = GUARD_DIGEST_START};
	error = read_table(nftables, family, &reading, &guard->exists);
	for (size_t i = 0; i < GUARD_FAMILIES && !error && guard->exists; i++) {
		if (guard_families[i].number != family)
			error = read_table(nftables, guard_families[i].number, &reading, &besides);
	}
	return error;
}

int guard_read(struct link *nftables, int family, const char *network, struct guard *guard)
{
	char table[GUARD_TABLE_MAX];
	int error = -EAGAIN;

	guard_table(network, table);
	for (int i = 0; i < PATIENCE && error == -EAGAIN; i++)
		error = read_once(nftables, family, table, guard);
	return error;
}

bool guard_stands(const struct guard *guard, const char *mode)
{
	return guard->exists && guard->sealed == guard->standing && strcmp(guard->mode, mode) == 0;
}
