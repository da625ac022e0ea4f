// SPDX-License-Identifier: MIT
/*
 * Filters on a tap that keep the host's own stack and the guest behind it apart: a port of a bridge is no interface of
 * the host's, and no guard on the bridge sees what the two send each other on the tap itself. From guest to host on
 * every bridge; from host to guest on those that tapgate makes, as on others the host may reach its guests in any case.
 * On a standalone network the tap is the host's interface: there it is what the host answers before the guard sees it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "link/link.h"

enum {
	TO = 0, /* offsets in a frame; of one with tags, the kernel has put the first aside by then */
	FROM = 6,
	TYPE = 12, /* or below 0x600 the length of an LLC frame (IEEE 802.3, 3.2.6) */
	SAPS = 14, /* of an LLC frame: whose it is; 0x42 to 0x42 is a BPDU (IEEE 802.1D, 7.12.3) */
	NEXT = 20, /* of IPv6: what follows its header */
	SOURCE = 22,
};

/*
 * What a bridge does not forward it gives to the host, with the port as the interface it came in by: frames to the 16
 * addresses from 01:80:c2:00:00:00 on (br_handle_frame, net/bridge/br_input.c), whatever they carry, IP included. Of
 * these only two kinds pass: BPDUs, which are the bridge's own business and nobody else's on the host; and what others'
 * bridges forward because an administrator said so (group_fwd_mask). Ours are to forward none.
 */
static struct tc_program coming_in(uint32_t forwarded)
{
	const struct tc_program program = {
		.size = 14,
		.code =
			{
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TO),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0180c200, 0, 10),
				BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TO + 4),
				BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0x0f, 8, 0),
				BPF_STMT(BPF_MISC | BPF_TAX, 0),
				BPF_STMT(BPF_LD | BPF_IMM, forwarded),
				BPF_STMT(BPF_ALU | BPF_RSH | BPF_X, 0),
				BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 4, 0),
				BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
				BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ETH_P_802_3_MIN, 3, 0),
				BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SAPS),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x4242, 0, 1),
				BPF_STMT(BPF_RET | BPF_K, (uint32_t)TC_ACT_UNSPEC),
				BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT),
			},
	};

	return program;
}

/*
 * What the host sends on the tap itself, and not on its bridge, has the tap's own address as its source: its reports of
 * multicast groups, and the broadcasts of any local user who binds a socket to the tap (SO_BINDTODEVICE, socket(7)).
 * Only where the bridge has an address of its own, which `tapgate up` gives it: others may have taken the tap's.
 */
static struct tc_program going_out(const unsigned char mac[static 6])
{
	uint32_t first;
	uint16_t last;
	struct tc_program program;

	memcpy(&first, mac, sizeof(first));
	memcpy(&last, mac + sizeof(first), sizeof(last));
	program = (struct tc_program){
		.size = 6,
		.code =
			{
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FROM),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(first), 0, 3),
				BPF_STMT(BPF_LD | BPF_H | BPF_ABS, FROM + 4),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohs(last), 0, 1),
				BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT),
				BPF_STMT(BPF_RET | BPF_K, (uint32_t)TC_ACT_UNSPEC),
			},
	};
	return program;
}

/*
 * IPv6 with hop-by-hop options, from any other source than a link's own or none, as have reports of multicast groups,
 * which is all that a guest needs them for (RFC 3810). Of an option that it does not know a host tells the source,
 * whoever that is, with what the packet held, and ahead of all rules (ipv6_parse_hopopts in ip6_rcv_core). And tags
 * behind the one that the kernel has put aside: one of VLAN 0 it takes off behind this program, which would have to
 * read on (__netif_receive_skb_core, net/core/dev.c).
 */
static struct tc_program alone_coming_in(void)
{
	const struct tc_program program = {
		.size = 19,
		.code =
			{
				BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 16, 0),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021AD, 15, 0),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 13),
				BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NEXT),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_HOPOPTS, 0, 11),
				BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SOURCE),
				BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffc0),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xfe80, 8, 0),
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 7),
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE + 4),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5),
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE + 8),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOURCE + 12),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
				BPF_STMT(BPF_RET | BPF_K, (uint32_t)TC_ACT_UNSPEC),
				BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT),
			},
	};

	return program;
}

/* The programs of a tap, for what comes in by it and, if there is one, for what goes out. */
struct programs {
	struct tc_program in, out;
	bool both;
};

static struct programs programs_of(const struct wall *wall)
{
	return (struct programs){
		.in = !wall->bridge ? alone_coming_in() : coming_in(wall->ours ? 0 : wall->bridge->group_forward),
		.out = going_out(wall->mac),
		.both = wall->bridge && wall->ours};
}

int wall_put(struct link *link, int tap, const struct wall *wall)
{
	const struct programs programs = programs_of(wall);
	int error = tc_prepare(link, tap, programs.both);

	if (!error)
		error = tc_add(link, tap, TC_IN, &programs.in);
	return error || !programs.both ? error : tc_add(link, tap, TC_OUT, &programs.out);
}

int wall_stands(struct link *link, int tap, const struct wall *wall)
{
	const struct programs programs = programs_of(wall);
	int error = tc_has(link, tap, TC_IN, &programs.in);

	return error || !programs.both ? error : tc_has(link, tap, TC_OUT, &programs.out);
}

/* What else is there, as a rate, stays; but where there is room for one side alone, all is made anew. */
int wall_renew(struct link *link, int tap, const struct wall *wall)
{
	const struct programs programs = programs_of(wall);
	int error = tc_prepare(link, tap, programs.both);

	error = error == -EEXIST ? 0 : error;
	if (!error)
		error = tc_replace(link, tap, TC_IN, &programs.in);
	if (!error && programs.both)
		error = tc_replace(link, tap, TC_OUT, &programs.out);
	if (error != -EINVAL && error != -EEXIST)
		return error;
	error = tc_clear(link, tap);
	return error && error != -ENOENT ? error : wall_put(link, tap, wall);
}
