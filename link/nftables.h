/*
 * The kernel's nftables, read (nfnetlink; linux/netfilter/nf_tables.h). Changes are libnftables' business, in cli/.
 * Needs CAP_NET_ADMIN.
 */
#ifndef LINK_NFTABLES_H
#define LINK_NFTABLES_H

#include "link/link.h"

#include <linux/netfilter.h> /* NFPROTO_..., NF_INET_..., NF_DROP */
#include <netlink/attr.h>

enum {
	NFTABLES_NAME_MAX = 256,  /* NFT_NAME_MAXLEN */
	NFTABLES_ATTRIBUTES = 16, /* those above are not looked at */
};

/* A table, a chain or a rule, while it is being read. */
struct nftables_object {
	int type;   /* NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN or NFT_MSG_NEWRULE */
	int family; /* NFPROTO_INET, ... */
	const char *table;
	struct nlattr *attributes[NFTABLES_ATTRIBUTES]; /* by NFTA_TABLE_..., NFTA_CHAIN_..., NFTA_RULE_... */
	const void *bytes;				/* all attributes, as they came */
	size_t size;
};

/* An attribute's value; where it is absent "", or 0. Names, numbers and handles are of their sizes (nftables.c). */
const char *nftables_text(const struct nlattr *attribute);
uint32_t nftables_number(const struct nlattr *attribute);
uint64_t nftables_handle(const struct nlattr *attribute);

/* The hook at which the kernel calls a chain (NF_INET_...); false if it does not, or does not say at which. */
bool nftables_hook(const struct nftables_object *chain, uint32_t *hook);

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
