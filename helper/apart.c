#include "helper/apart.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "link/tc.h"

enum {
	TO = 0, /* offsets in a frame; of one with tags, the kernel has put the first aside by then */
	FROM = 6,
	TYPE = 12, /* or below 0x600 the length of an LLC frame (IEEE 802.3, 3.2.6) */
	SAPS = 14, /* of an LLC frame: whose it is; 0x42 to 0x42 is a BPDU (IEEE 802.1D, 7.12.3) */
};

/*
 * What a bridge does not forward it gives to the host, with the port as the interface it came in by: frames to the 16
 * addresses from 01:80:c2:00:00:00 on (br_handle_frame, net/bridge/br_input.c), whatever they carry, IP included. Of
 * these only two kinds pass: BPDUs, which are the bridge's own business and nobody else's on the host; and what this
 * bridge forwards because an administrator said so (group_fwd_mask), as its guard sees that.
 */
static struct tc_program coming_in(const struct link_interface *bridge)
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
				BPF_STMT(BPF_LD | BPF_IMM, bridge->group_forward),
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
static struct tc_program going_out(const struct link_interface *tap)
{
	uint32_t first;
	uint16_t last;
	struct tc_program program;

	memcpy(&first, tap->mac, sizeof(first));
	memcpy(&last, tap->mac + sizeof(first), sizeof(last));
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

static bool refuse_kernel(const struct port *port, struct outcome *outcome)
{
	return refuse(outcome, EXIT_SYSTEM,
		"this kernel cannot keep the tap '%s' and the host apart; an administrator can take one that has "
		"CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF, or run: modprobe -a sch_ingress cls_bpf",
		port->name);
}

bool apart_keep(
	const struct permit *permit, const struct network *network, const struct port *port, struct outcome *outcome)
{
	struct link_interface tap;
	struct tc_program in, out;
	int error = link_by_index(network->link, port->tap, &tap);

	if (error)
		return refuse_errno(outcome, error, "cannot look up the tap '%s' again", port->name);
	in = coming_in(&network->bridge);
	out = going_out(&tap);
	error = tc_prepare(network->link, port->tap);
	if (!error)
		error = tc_add(network->link, port->tap, TC_IN, &in);
	if (!error && permit_is_managed(permit))
		error = tc_add(network->link, port->tap, TC_OUT, &out);
	if (error == -ENOENT || error == -EOPNOTSUPP)
		return refuse_kernel(port, outcome);
	return !error || refuse_errno(outcome, error, "cannot keep the tap '%s' and the host apart", port->name);
}

bool apart_holds(const struct permit *permit, const struct network *network, const struct port *port,
	const struct link_interface *tap, struct outcome *outcome)
{
	const struct tc_program in = coming_in(&network->bridge), out = going_out(tap);
	int error = tc_has(network->link, port->tap, TC_IN, &in);

	if (!error && permit_is_managed(permit))
		error = tc_has(network->link, port->tap, TC_OUT, &out);
	if (error == -ENOENT)
		return refuse(outcome, EXIT_SYSTEM,
			"what keeps the tap '%s' and the host apart was changed meanwhile; try again", port->name);
	return !error ||
	       refuse_errno(outcome, error, "cannot read back what keeps the tap '%s' and the host apart", port->name);
}
