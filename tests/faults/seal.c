// SPDX-License-Identifier: MIT
/*
 * seal: seal the guard of a network, as `tapgate up` does.
 *
 *	seal FAMILY NETWORK MODE	FAMILY: inet or netdev
 *
 * Reads the table tapgate-NETWORK from the kernel and prints the name of the chain that seals it, to be added to it by
 * nft. Shares no code with what the tests are about: this is the seal as link/nftables.c describes it, made once more.
 */
#include <endian.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

struct digest {
	char table[64];
	uint64_t value; /* FNV-1a */
};

static void add(struct digest *digest, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		digest->value = (digest->value ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* The attribute of a type in a message's, or NULL; *size is its content's. */
static const void *find(const unsigned char *attributes, size_t length, int type, size_t *size)
{
	struct nlattr attribute;

	for (size_t at = 0; at + sizeof(attribute) <= length; at += (attribute.nla_len + 3U) & ~(size_t)3) {
		memcpy(&attribute, attributes + at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > length - at)
			break;
		*size = attribute.nla_len - sizeof(attribute);
		if ((attribute.nla_type & NLA_TYPE_MASK) == type)
			return attributes + at + sizeof(attribute);
	}
	return NULL;
}

/* One table, chain or rule. All of them have the name of their table as the first attribute (NFTA_TABLE_NAME, ...). */
static void take(struct digest *digest, int message, const unsigned char *attributes, size_t length)
{
	size_t size;
	const char *table = find(attributes, length, NFTA_TABLE_NAME, &size);
	const void *flags = find(attributes, length, NFTA_TABLE_FLAGS, &size);
	uint32_t number;

	if (!table || strcmp(table, digest->table) != 0)
		return;
	if (message != NFT_MSG_NEWTABLE) {
		add(digest, attributes, length);
		return;
	}
	memcpy(&number, flags, sizeof(number));
	number = be32toh(number);
	add(digest, &number, sizeof(number));
}

/* Ask for the table, all chains or the rules; take what comes. */
static void ask(int sock, int family, int message, int flags, struct digest *digest)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
		struct nlattr attribute;
		char table[64];
	} request = {
		.header = {.nlmsg_len = sizeof(request), .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
		.family = {.nfgen_family = (uint8_t)family, .version = NFNETLINK_V0},
		.attribute = {.nla_len = (uint16_t)(sizeof(struct nlattr) + strlen(digest->table) + 1),
			.nla_type = NFTA_RULE_TABLE},
	};
	static _Alignas(8) unsigned char answer[65536];

	request.header.nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
	memcpy(request.table, digest->table, sizeof(request.table));
	if (message == NFT_MSG_GETCHAIN)
		request.header.nlmsg_len = NLMSG_LENGTH(sizeof(request.family));
	if (send(sock, &request, request.header.nlmsg_len, 0) < 0)
		fail("send");
	for (;;) {
		ssize_t size = recv(sock, answer, sizeof(answer), 0);

		if (size < 0)
			fail("recv");
		for (size_t at = 0; at + sizeof(struct nlmsghdr) <= (size_t)size;) {
			const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)(answer + at);

			if (header->nlmsg_len < sizeof(*header) || header->nlmsg_len > (size_t)size - at)
				fail("an answer that is cut");
			at += NLMSG_ALIGN(header->nlmsg_len);
			if (header->nlmsg_type == NLMSG_DONE)
				return;
			if (header->nlmsg_type == NLMSG_ERROR) {
				fprintf(stderr, "seal: the kernel has no such table\n");
				exit(1);
			}
			take(digest, header->nlmsg_type & 0xff,
				(const unsigned char *)header + NLMSG_LENGTH(sizeof(struct nfgenmsg)),
				header->nlmsg_len - NLMSG_LENGTH(sizeof(struct nfgenmsg)));
		}
		if (!(flags & NLM_F_DUMP))
			return;
	}
}

int main(int argc, char **argv)
{
	struct digest digest = {.value = UINT64_C(0xcbf29ce484222325)};
	int sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	int family;

	if (argc != 4)
		return fprintf(stderr, "usage: seal FAMILY NETWORK MODE\n"), 2;
	if (sock < 0)
		fail("socket");
	snprintf(digest.table, sizeof(digest.table), "tapgate-%s", argv[2]);
	family = strcmp(argv[1], "netdev") == 0 ? NFPROTO_NETDEV : NFPROTO_INET;
	ask(sock, family, NFT_MSG_GETTABLE, 0, &digest);
	ask(sock, family, NFT_MSG_GETCHAIN, NLM_F_DUMP, &digest);
	ask(sock, family, NFT_MSG_GETRULE, NLM_F_DUMP, &digest);
	printf("seal/%s/%016x/%016" PRIx64 "\n", argv[3], 0U, digest.value);
	return 0;
}
