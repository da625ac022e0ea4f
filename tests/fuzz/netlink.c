// SPDX-License-Identifier: MIT
/*
 * Fuzz target: what is received over netlink. The first byte of an input says which answer is waited for, whether every
 * message is given the sequence and port that are expected, and who reads it; the rest is the datagram. Sequence and
 * port are right in all that the kernel sends, so that most mistakes would be behind them. Names of guards' seals are
 * text out of such answers, and read here, too.
 *
 * Links: link pkg:libnl-3.0
 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link/exchange.h"
#include "link/link.h"
#include "tests/fuzz/fuzz.h"

/* The first byte: two bits, one bit, the rest. */
enum { ANSWER = 3, ONE = 0, LIST = 1, ACKNOWLEDGEMENT = 2, ADDRESSED = 4, READER = 3 };

enum { SEQUENCE = 7, PORT = 4711 };

/* The datagram, and how many things were read from it. */
struct input {
	unsigned char *datagram;
	size_t size;
	unsigned int count;
};

static bool is_text(const char *text, size_t room)
{
	return memchr(text, '\0', room) != NULL;
}

static bool is_inside(const struct input *input, const void *at, size_t size)
{
	const unsigned char *bytes = at;

	return bytes >= input->datagram && bytes <= input->datagram + input->size &&
	       size <= (size_t)(input->datagram + input->size - bytes);
}

/* --- what the rest of the program relies on without looking again ------------------------------------------------- */

static void check_interface(void *context, const struct link_interface *interface)
{
	struct input *input = context;

	input->count++;
	MUST(interface->index > 0 && interface->master >= 0);
	MUST(is_text(interface->name, sizeof(interface->name)) && interface->name[0]);
	MUST(is_text(interface->kind, sizeof(interface->kind)));
	MUST(is_text(interface->alias, sizeof(interface->alias)));
}

static void check_address(void *context, const struct link_address *address)
{
	struct input *input = context;

	input->count++;
	MUST(address->family == AF_INET || address->family == AF_INET6);
	MUST(address->prefix <= (address->family == AF_INET ? 32 : 128));
}

static void check_route(void *context, const struct link_route *route)
{
	struct input *input = context;

	input->count++;
	MUST(route->family == AF_INET || route->family == AF_INET6);
	MUST(route->prefix <= (route->family == AF_INET ? 32 : 128));
}

static void check_fdb_entry(void *context, const struct fdb_entry *entry)
{
	struct input *input = context;

	input->count++; /* every index and every address is one */
	MUST(entry->aged || entry->age == 0);
}

static void check_locked(void *context, const struct locked *locked)
{
	struct input *input = context;

	input->count++; /* of one interface there can be many; every index and every address is one */
	(void)locked;
}

static void check_neighbour(void *context, const struct neighbour *neighbour)
{
	struct input *input = context;

	input->count++;
	MUST(neighbour->family == AF_INET || neighbour->family == AF_INET6);
}

/* At least two attributes for each that is counted once, and one more for each that is counted twice. */
static void check_vlans(const struct vlan_reader *reader, const struct input *input)
{
	MUST(reader->count <= 2 * input->size / (2 * sizeof(struct nlattr) + sizeof(uint32_t)));
	MUST(reader->count || (!reader->vlan && !reader->untagged));
	MUST(reader->vlan <= UINT16_MAX);
}

/* A seal is written one way only. */
static void check_seal(const char *name)
{
	struct guard guard = {.exists = true};
	char seal[GUARD_SEAL_MAX];

	if (!guard_read_seal(name, &guard)) {
		MUST(guard.mode[0] == '\0');
		return;
	}
	MUST(is_text(guard.mode, sizeof(guard.mode)) && guard.mode[0]);
	guard_seal(guard.mode, guard.text, guard.sealed, seal);
	MUST(strcmp(seal, name) == 0);
	guard.standing = guard.sealed;
	MUST(guard_stands(&guard, guard.mode));
	guard.standing++;
	MUST(!guard_stands(&guard, guard.mode));
}

static void check_object(void *context, const struct nftables_object *object)
{
	const char *chain;
	struct input *input = context;
	uint32_t hook;

	input->count++;
	MUST(is_inside(input, object->bytes, object->size));
	for (int i = 0; i < NFTABLES_ATTRIBUTES; i++) {
		const struct nlattr *attribute = object->attributes[i];

		MUST(!attribute || is_inside(input, attribute, (size_t)attribute->nla_len));
	}
	guard_digest(GUARD_DIGEST_START, object->bytes, object->size);
	MUST(is_text(object->table, NFTABLES_NAME_MAX));
	if (object->type == NFT_MSG_NEWTABLE)
		return;
	chain = nftables_text(object->attributes[object->type == NFT_MSG_NEWCHAIN ? NFTA_CHAIN_NAME : NFTA_RULE_CHAIN]);
	MUST(is_text(chain, NFTABLES_NAME_MAX));
	check_seal(chain);
	nftables_handle(object->attributes[object->type == NFT_MSG_NEWCHAIN ? NFTA_CHAIN_HANDLE : NFTA_RULE_HANDLE]);
	MUST(object->type == NFT_MSG_NEWRULE || object->attributes[NFTA_CHAIN_HOOK] || !nftables_hook(object, &hook));
}

/* --- readers ------------------------------------------------------------------------------------------------------ */

static struct interface_reader interfaces = {.each = check_interface};
static struct address_reader addresses = {.each = check_address};
static struct route_reader routes = {.each = check_route};
static struct nftables_reader tables = {.type = NFT_MSG_NEWTABLE, .each = check_object};
static struct nftables_reader chains = {.type = NFT_MSG_NEWCHAIN, .each = check_object};
static struct nftables_reader rules = {.type = NFT_MSG_NEWRULE, .each = check_object};
static struct fdb_reader fdb_entries = {.each = check_fdb_entry};
static struct locked_reader locks = {.each = check_locked};
static struct neighbour_reader neighbours = {.each = check_neighbour};
static struct vlan_reader vlans;
static const struct tc_program program = {.size = 1, .code = {{BPF_RET | BPF_K, 0, 0, 2}}};
static struct program_reader programs = {.header = {.tcm_ifindex = 2}, .program = &program};
static struct rate_reader shaping = {.index = 2, .kbit = 8}, policing = {.index = 2, .kbit = 8};

/* By number, so that old inputs keep their meaning. */
static const struct {
	bool (*take)(void *, struct nlmsghdr *); /* NULL: the input is the name of a seal */
	void *reader;
} readers[] = {
	[0] = {reply_take_whole_interface, &interfaces},
	[1] = {reply_take_address, &addresses},
	[2] = {reply_take_route, &routes},
	[3] = {reply_take_nftables, &tables},
	[4] = {reply_take_nftables, &chains},
	[5] = {reply_take_nftables, &rules},
	[6] = {NULL, NULL},
	[7] = {reply_take_fdb_entry, &fdb_entries},
	[8] = {reply_take_vlans, &vlans},
	[9] = {reply_take_whole_interface, &interfaces},
	[10] = {reply_take_neighbour, &neighbours},
	[11] = {reply_take_program, &programs},
	[12] = {reply_take_locked, &locks},
	[13] = {reply_take_shaping, &shaping},
	[14] = {reply_take_policing, &policing},
};
enum { READERS = sizeof(readers) / sizeof(*readers) };

/* Address every message to us, as far as their lengths lead from one to the next. */
static void address(unsigned char *datagram, size_t size)
{
	struct nlmsghdr header;
	size_t step;

	for (size_t at = 0; at <= size && size - at >= sizeof(header); at += step) {
		memcpy(&header, datagram + at, sizeof(header));
		header.nlmsg_seq = SEQUENCE;
		header.nlmsg_pid = PORT;
		memcpy(datagram + at, &header, sizeof(header));
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		if (step < sizeof(header))
			return;
	}
}

static void read_datagram(struct input *input, unsigned char kind, unsigned int reader)
{
	struct reply reply = {.sequence = SEQUENCE,
		.port = PORT,
		.dump = (kind & ANSWER) == LIST,
		.acknowledge = (kind & ANSWER) == ACKNOWLEDGEMENT,
		.take = readers[reader].take,
		.context = readers[reader].reader};
	int result;

	interfaces.context = addresses.context = routes.context = fdb_entries.context = neighbours.context = input;
	tables.context = chains.context = rules.context = locks.context = input;
	vlans = (struct vlan_reader){.count = 0};
	programs.same = false;
	result = reply_read(&reply, input->datagram, input->size);
	MUST(result <= 1);
	MUST(result != 1 || reply.dump);
	MUST(!reply.acknowledge || input->count == 0);
	check_vlans(&vlans, input);
	MUST(!programs.same || input->size >= sizeof(struct tcmsg) + sizeof(*program.code));
	MUST(reply.dump || readers[reader].reader != &fdb_entries || input->count <= 1);
	/* One interface, one object; one answer may be about something else than addresses, or about several routes. */
	if (readers[reader].reader == &interfaces || readers[reader].take == reply_take_nftables) {
		MUST(reply.dump || input->count <= 1);
		MUST(result != 0 || reply.dump || reply.acknowledge || input->count == 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.size = size - 1};
	unsigned int reader;

	if (size == 0)
		return 0;
	reader = (unsigned int)(data[0] >> READER) % READERS;
	/* A copy of its own: aligned as libnl's buffers are, and to its end, so that reading past it shows. */
	input.datagram = malloc(size);
	MUST(input.datagram);
	memcpy(input.datagram, data + 1, size - 1);
	if (!readers[reader].take) {
		input.datagram[size - 1] = '\0';
		check_seal((const char *)input.datagram);
	} else {
		if (data[0] & ADDRESSED)
			address(input.datagram, input.size);
		/* One byte less than there is: a size of its own for the empty datagram. */
		input.datagram = realloc(input.datagram, size > 1 ? size - 1 : 1);
		MUST(input.datagram);
		read_datagram(&input, data[0], reader);
	}
	free(input.datagram);
	return 0;
}
