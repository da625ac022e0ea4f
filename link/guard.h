/*
 * Guards: the rules that keep a network's guests to what the network's mode allows, as they stand in the kernel.
 *
 * A guard is an nftables table, named for the network, that `tapgate up` puts there, in one family or in several under
 * one name. The last thing in the first of them is the guard's seal, an empty chain whose name says what all the rest
 * was when it was made. A guard stands while the two agree: whoever flushes, adds, removes or switches off anything in
 * one of the tables, or such a table, breaks the seal. (What is in their sets, packets have put there; it is not
 * sealed.) Only CAP_NET_ADMIN can do
 * either; the seal is against accidents, as a firewall's reload is one. This part reads; what a guard's rules are is
 * the business of etc/guard/ and cli/networks/guard_text.c.
 */
#ifndef LINK_GUARD_H
#define LINK_GUARD_H

#include "link/link.h"

enum {
	GUARD_TABLE_MAX = 64, /* room for a table's name, NUL included */
	GUARD_SEAL_MAX = 64,
};

/* Families that a guard can have tables in, in the order in which its text has them behind the one with the seal. */
enum { GUARD_FAMILIES = 3 };
struct guard_family {
	int number; /* NFPROTO_... */
	const char *word;
};
extern const struct guard_family guard_families[GUARD_FAMILIES];

/* What stands of a guard. */
struct guard {
	bool exists;		   /* the table is there */
	char mode[16];		   /* of the network that it was made for; empty: there is no seal */
	uint64_t text;		   /* digest of the text that it was made from */
	uint64_t sealed, standing; /* digests of the rules: when it was made, and now */
};

/* The table of a network's guard: "tapgate-lab". What interfaces' names may have and tables' not is written in hex. */
void guard_table(const char *network, char table[static GUARD_TABLE_MAX]);

/* The name of a guard's seal, written and read: false if a chain's name is no seal. */
#define GUARD_SEAL_BEGIN "seal/"
void guard_seal(const char *mode, uint64_t text, uint64_t standing, char seal[static GUARD_SEAL_MAX]);
bool guard_read_seal(const char *chain, struct guard *guard);

/* FNV-1a over some bytes, on from a digest of what came before, or from GUARD_DIGEST_START. */
#define GUARD_DIGEST_START UINT64_C(0xcbf29ce484222325)
uint64_t guard_digest(uint64_t digest, const void *bytes, size_t size);

/*
 * Read a network's guard, in all families, from a connection of nftables_open. family: the one with the seal, which is
 * NFPROTO_INET, or NFPROTO_NETDEV for networks that are cut off from the host. A missing guard is no error.
 */
int guard_read(struct link *nftables, int family, const char *network, struct guard *guard);

/* Whether it is whole, and for a network of this mode. */
bool guard_stands(const struct guard *guard, const char *mode);

#endif
