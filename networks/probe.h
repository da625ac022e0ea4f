// SPDX-License-Identifier: MIT
/* What the files of a probe share: what it makes on the host, the packets, and what came of one. */
#ifndef NETWORKS_PROBE_H
#define NETWORKS_PROBE_H

#include <net/ethernet.h>

#include "networks/networks.h"

/* --- packet ------------------------------------------------------------------------------------------------------- */

enum { PACKET_HIDDEN = 40000, PACKET_PORT = 40404 /* of who asks for what has no port of its own */ };

/* From where to where; addresses in network byte order. */
struct packet_way {
	int family; /* AF_INET or AF_INET6 */
	unsigned char from[16], to[16];
	unsigned char host[16];	  /* the host's address on the network */
	const unsigned char *mac; /* the guest's hardware address */
	unsigned char to_mac[6];  /* where the frame goes */
	bool hidden;		  /* requests go to a port that is PACKET_HIDDEN above their own */
	uint16_t tag;		  /* by which it is known again: IPv4's identification, IPv6's flow label */
	int at;			  /* the interface that receives it; 0: by the probe's own tap */
	bool leaves;		  /* but that one is to send it */
};

/* --- hindrance ---------------------------------------------------------------------------------------------------- */

/* What became of a packet. */
struct fate {
	bool arrived; /* at the end of what others have their rules for */
	bool known;   /* it did not, and this is why: */
	bool ours;    /* a guard of ours, which others can tell of */
	bool legacy;  /* no rule of nftables', but iptables-legacy has some */
	bool lost;    /* by no rule: it was not routed */
	bool stray;   /* the host does not track its connection: this is the first rule that it met */
	int family;
	char table[NFTABLES_NAME_MAX], chain[NFTABLES_NAME_MAX];
	uint64_t rule;			   /* its handle; 0: the chain's policy */
	const struct firewall_chain *base; /* by which it came there; NULL: one of another hook */
	char by[IFNAMSIZ];		   /* of a way out or in, the interface of the host's own; empty: any */
};

/* All that is in the way of a network, said in as many lines as there are places. */
struct hindrances;
struct hindrances *hindrances_new(const struct policy_network *network);
void hindrances_add(struct hindrances *hindrances, const struct need *need, int family, const struct fate *fate);
void hindrances_tell(struct hindrances *hindrances,
	void (*tell)(void *context, const struct policy_network *network, const char *text), void *context);

/* --- the probe ---------------------------------------------------------------------------------------------------- */

enum { PROBE_IDS = 16 };

struct probe_tap {
	int fd, index;
	unsigned char mac[ETH_ALEN], neighbour[ETH_ALEN]; /* of the guests behind it; not the tap's own */
};

struct probe {
	struct session *session;
	char why[256];	   /* it cannot be done; empty: it can, so far */
	int bpf, raw_ipv4; /* errors by which a part of it cannot: bpf(2), raw sockets */
	bool begun;
	bool arp, leaving; /* what ends such packets could be made */
	int trace, raw[2]; /* raw: IPv4, IPv6 */
	struct probe_tap tap;
	char table[32];
	uint16_t tag;

	/* of the packet that is on its way */
	const struct need *need;
	struct firewall *firewall;
	uint32_t ids[PROBE_IDS];
	size_t id_count;
	const struct firewall_chain *base;
	bool passed[4];	       /* the beginning of NF_INET_PRE_ROUTING, _LOCAL_IN, _FORWARD, _LOCAL_OUT */
	bool injected;	       /* it is the kernel's, which may be late with it */
	struct fate fate, met; /* met: the first rule of others, before it was routed */
};

/* All DHCPv6 servers, ff02::1:2 (RFC 8415). */
extern const unsigned char probe_servers[16];

/* --- place -------------------------------------------------------------------------------------------------------- */

/* Make all that is needed, once. False: it cannot be done, and probe->why says why. */
bool probe_begin(struct probe *probe);

/* Have the tap be a port of a bridge; and no longer. What the bridge has from its ports stays as it is. */
bool probe_join(struct probe *probe, const struct link_interface *bridge);
void probe_leave(struct probe *probe);

void probe_wait_for_multicast(const struct probe *probe, int bridge);
void probe_listen_as_server(const struct probe *probe, int bridge, bool begin);

/* --- send --------------------------------------------------------------------------------------------------------- */

/* Whether iptables-legacy has rules: the kernel names its tables from then on. */
bool probe_has_legacy(int family);

/* Send what a need is about, as the guest or as the host on an interface, and follow it. */
struct fate probe_send(struct probe *probe, const struct need *need, const struct packet_way *way,
	const struct link_interface *interface);

/* The same for the answer that a connection waits for, of which the kernel knows for that long. */
struct fate probe_send_answer(struct probe *probe, const struct connection *connection, struct packet_way *way,
	const struct link_interface *from);

#endif
