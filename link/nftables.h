/*
 * The kernel's nftables, read (nfnetlink; linux/netfilter/nf_tables.h). Changes are libnftables' business, in cli/.
 * Needs CAP_NET_ADMIN.
 */
#ifndef LINK_NFTABLES_H
#define LINK_NFTABLES_H

#include "link/link.h"

#include <linux/netfilter.h> /* NFPROTO_..., NF_INET_..., NF_DROP */
#include <netlink/attr.h>

enum { NFTABLES_NAME_MAX = 256 }; /* NFT_NAME_MAXLEN */

/* A chain or a rule, while it is being read. */
struct nftables_object {
	int family; /* NFPROTO_INET, ... */
	bool base;  /* a chain that the kernel calls at a hook */
	uint32_t hook;
	uint32_t policy; /* of a base chain: NF_ACCEPT or NF_DROP */
	uint64_t handle;
	char table[NFTABLES_NAME_MAX], chain[NFTABLES_NAME_MAX];
	struct nlattr *expressions, *userdata; /* of a rule; NULL if it has none */
	const void *attributes;		       /* all of them, as they came */
	size_t size;
};

/* Connect; -EPROTONOSUPPORT where the kernel has no nftables. */
int nftables_open(struct link **nftables);

/* The flags of a table (NFT_TABLE_F_DORMANT and such); -ENOENT if there is none. */
int nftables_table(struct link *nftables, int family, const char *table, uint32_t *flags);

/*
 * Every chain of a family (NFPROTO_UNSPEC: of all of them); every rule of a table. In the kernel's order. -EAGAIN: the
 * rules changed meanwhile, ask again.
 */
int nftables_each_chain(
	struct link *nftables, int family, void (*each)(void *context, const struct nftables_object *), void *context);
int nftables_each_rule(struct link *nftables, int family, const char *table,
	void (*each)(void *context, const struct nftables_object *), void *context);

#endif
