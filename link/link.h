// SPDX-License-Identifier: MIT
/*
 * The kernel's network side: taps, and the interfaces they are joined to.
 *
 * The only code of tapgate that speaks rtnetlink (RFC 3549, rtnetlink(7)) and opens /dev/net/tun. It decides nothing:
 * who may have what is settled before it is called. Every function that can fail returns 0 or a negative errno value;
 * -EPROTO means that the kernel's answer was not what the protocol demands.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

/* The C library's before the kernel's, which give way to it (linux/libc-compat.h). */
#include <netinet/in.h>

#include <linux/filter.h>
#include <linux/if.h>
#include <linux/netfilter.h> /* NFPROTO_..., NF_INET_..., NF_DROP */
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A connection to the kernel's routing subsystem. */
struct link;

/* Settings of a bridge's port that are on or off: a bit LINK_PORT(IFLA_BRPORT_...) (linux/if_link.h) for each. */
struct link_port {
	uint64_t known; /* that the kernel has; that are to be set */
	uint64_t on;	/* of these */
};
#define LINK_PORT(attribute) (UINT64_C(1) << (attribute))
enum { LINK_PORT_LAST = 63 }; /* the most that there is room for */

/* What went through an interface one way since it was made. */
struct link_traffic {
	uint64_t bytes, packets;
};

/* What the kernel says of a tap, beside what it says of every interface. */
struct tun {
	bool tap;	  /* it carries Ethernet frames; else IP packets */
	bool persistent;  /* it stays when its last descriptor is closed */
	bool packet_info; /* a header before each packet: IFF_NO_PI is not set */
	bool vnet_header;
	bool multi_queue; /* several descriptors may be joined to it */
	bool has_owner;	  /* else any user may join it */
	uint32_t owner;	  /* as this user namespace numbers it */
	bool has_group;	  /* only who is in that group may join it */
	bool ethernet;	  /* its link type is the one it was made with */
	uint32_t queues;  /* how many are, in use or not; known only of a multi-queue one */
};

/* What the kernel says of one interface. */
struct link_interface {
	int index;	     /* above 0 */
	char name[IFNAMSIZ]; /* its name; never one of its alternative names */
	unsigned int flags;  /* IFF_UP and such (netdevice(7)) */
	uint32_t mtu;	     /* bytes */
	uint32_t group;	     /* 0, or one that somebody put it into (ip-link(8)): see guard_lock_group */
	int master;	     /* index of the bridge that it is a port of; 0: none */
	char kind[16];	     /* "bridge", "tun", ...; empty for hardware */
	unsigned char mac[6];
	char alias[IFALIASZ];	/* text that only CAP_NET_ADMIN can write */
	struct link_port port;	/* as a port of a bridge */
	bool stp;		/* as a bridge: it speaks the spanning tree protocol */
	bool knows_vlans;	/* as a bridge: it could look at VLAN tags (CONFIG_BRIDGE_VLAN_FILTERING) */
	bool vlan_filtering;	/* as a bridge: it does */
	uint32_t forward_delay; /* as a bridge: 1/100 s until a new port forwards */
	uint16_t group_forward; /* as a bridge: a bit for each of 01:80:c2:00:00:00 to :0f that it forwards */
	bool snooping;		/* as a bridge: it forwards multicast to those alone who asked for it */
	bool knows_learned_max; /* as a bridge: it can have a limit of addresses that it learns (Linux 6.7) */
	uint32_t learned_max;	/* as a bridge: that limit; 0: none */
	uint32_t ageing;	/* as a bridge: 1/100 s until it forgets an address; 0: at once */
	int lower;		/* index of the interface that it stands on, as a macvlan or VLAN does; 0: none here */
	struct tun tun;		/* as a tun or tap */
	bool carrier;		/* of a tap: somebody holds it, and has not switched its carrier off */
	struct link_traffic received, sent; /* by the host: what a tap received came out of the guest */
	bool makes_ipv6_address;	    /* the kernel by itself, where it has IPv6: link_each alone says so */
};

/*
 * What to change of an interface; a member that is 0 or NULL stays as it is.
 */
struct link_change {
	const unsigned char *mac; /* six octets */
	uint32_t mtu;		  /* bytes */
	uint32_t group;
	const char *alias;
	const char *name;     /* -EEXIST: another interface has it */
	int master;	      /* index of the bridge to join */
	bool no_master;	      /* leave the bridge */
	bool no_ipv6_address; /* the kernel makes no link-local address of the host's own on it */
	bool up, down;
};

int link_open(struct link **link);
void link_close(struct link *link);

/*
 * Look an interface up. By name: -ENODEV as well if the kernel knows the name only as an alternative name of an
 * interface that is called otherwise (RTM_GETLINK takes both, net/core/rtnetlink.c); *interface receives that one then,
 * and with any other error none (index 0).
 */
int link_by_name(struct link *link, const char *name, struct link_interface *interface);
int link_by_index(struct link *link, int index, struct link_interface *interface);

/* Whether there is an interface of that index (SIOCGIFNAME, netdevice(7)): far cheaper than a look at it. */
bool link_has_index(struct link *link, int index);

/*
 * Lists, here and below. `each` is called when a list has been read whole. One that changed while the kernel was
 * listing it (NLM_F_DUMP_INTR), so that something that stood all the while may be missing, is read anew; -EAGAIN: it
 * changed each time, and `each` got what was listed last.
 *
 * Every interface; every port of a bridge; every one of a kind ("tun": tuns and taps).
 */
int link_each(struct link *link, void (*each)(void *context, const struct link_interface *), void *context);
int link_each_port(
	struct link *link, int bridge, void (*each)(void *context, const struct link_interface *), void *context);
int link_each_of_kind(
	struct link *link, const char *kind, void (*each)(void *context, const struct link_interface *), void *context);

/*
 * Change an interface, or what it is as a port, all in one request. The kernel passes over settings of a port that it
 * does not know: read them back.
 */
int link_change(struct link *link, int index, const struct link_change *change);
int link_set_port(struct link *link, int index, const struct link_port *port);

/*
 * Make a port one of a single VLAN, of untagged frames, whatever it was before; and whether it is one: -ENOENT if not.
 * Only on a bridge that looks at VLANs; Linux 5.6 for the second.
 */
int link_set_vlan(struct link *link, int port, uint32_t vlan);
int link_has_vlan(struct link *link, int port, uint32_t vlan);

/*
 * Make a bridge, down, with a hardware address of its own that it keeps whatever joins it; -EEXIST if the name is
 * taken. No spanning tree, no delay before a port forwards; link_set_bridge sets both on one that exists.
 */
int link_make_bridge(struct link *link, const char *name, const unsigned char mac[static 6]);
int link_set_bridge(struct link *link, int index, bool stp, uint32_t forward_delay);

/*
 * Give a bridge group_forward, snooping, ageing and learned_max as another has them; a kernel that has no limit passes
 * over that.
 */
int link_set_switch(struct link *link, int index, const struct link_interface *as);

int link_remove(struct link *link, int index);

/*
 * Remove interfaces, all of them or none, in hardly more time than one takes; of one that is gone by now nothing is
 * said.
 */
int link_remove_all(struct link *link, const int *indexes, size_t count);

/*
 * Have the kernel tell a connection, on which nothing is asked then, of every change that is told to some groups, with
 * a 0 behind the last: RTNLGRP_... (linux/rtnetlink.h), or, of nftables_open, NFNLGRP_...
 * (linux/netfilter/nfnetlink.h). Its descriptor is readable when there was one; what changed is not told: look again.
 */
int link_watch(struct link *link, const int *groups);
int link_descriptor(const struct link *link);

/* Whether there was any. In a flood some are left for the next time. */
bool link_forget_changes(struct link *link);

/* --- addresses and routes ----------------------------------------------------------------------------------------- */

/* An address of the host's on an interface. */
struct link_address {
	int index;		   /* of the interface */
	int family;		   /* AF_INET or AF_INET6 */
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	unsigned int prefix;	   /* bits */
	uint32_t made;		   /* read: when it was added, 1/100 s after the host's start; 0: not said */
};

/* A way to a destination; of a route with several, each is one of these. */
struct link_route {
	int index;  /* of the interface that it leads out by; 0: by none */
	int family; /* AF_INET or AF_INET6 */
	unsigned char destination[16];
	unsigned int prefix; /* bits; 0: a default route */
	unsigned int type;   /* RTN_UNICAST, RTN_LOCAL, ... (linux/rtnetlink.h) */
	uint32_t table;	     /* RT_TABLE_MAIN, ... or another number */
};

/* A rule by which the kernel chooses a table of routes, or refuses (ip-rule(8)). */
struct link_rule {
	int family;
	uint32_t priority;   /* of all that fit a packet, the lowest comes first */
	unsigned int action; /* FR_ACT_TO_TBL, FR_ACT_PROHIBIT, ... (linux/fib_rules.h) */
	uint32_t table;
	unsigned char to[16], from[16];
	unsigned int to_bits, from_bits; /* 0: any */
	char in[IFNAMSIZ]; /* the interface that the packet comes in by, "lo" for the host's own; empty: any */
	uint32_t mark;	   /* that it has, not 0; 0: any */
	bool inverted;	   /* for what does not fit, instead */
};

/* Add an address (usable at once: no duplicate detection), or remove one. -EEXIST: it is there. */
int link_add_address(struct link *link, const struct link_address *address);
int link_remove_address(struct link *link, const struct link_address *address);

/* Set *guest to the first address of a subnet that is not the host's. False: there is no other. */
bool link_other_address(const struct link_address *host, struct link_address *guest);

/* Every address of every interface; every route of every table. */
int link_each_address(struct link *link, void (*each)(void *context, const struct link_address *), void *context);
int link_each_route(struct link *link, void (*each)(void *context, const struct link_route *), void *context);

/* Every rule, those of IPv4 first, each family by priority; of families that the kernel does not have none. */
int link_each_rule(struct link *link, void (*each)(void *context, const struct link_rule *), void *context);

/*
 * Ask the kernel which way a packet to an address would take: from the host itself, or (in: the index of an interface)
 * from a source that it comes in by there. *way has index, family, type and table; a negative errno value as well where
 * the way ends: -EINVAL or -ENETUNREACH, -EHOSTUNREACH, -EACCES (blackhole, unreachable, prohibit).
 */
struct link_packet {
	int family;
	unsigned char to[16], from[16]; /* network byte order; from: with in */
	int in;
	int vrf; /* of the host's own in a VRF: that (ip-vrf(8)); 0: in none */
};
int link_way(struct link *link, const struct link_packet *packet, struct link_route *way);

/* How a tap is made; each of its queues alike. */
struct tap_kind {
	bool vnet_header;
	bool multi_queue; /* more descriptors can be joined to it, by its owner */
};

/* Open /dev/net/tun, which is subject to the credentials of the process. */
int tap_open(int *fd);

/*
 * Make an open descriptor a tap of that name and interface index, one that vanishes with the descriptor
 * (drivers/net/tun.c). The kernel never takes an existing one (IFF_TUN_EXCL): -EBUSY if name or index is taken. Index
 * 0: whichever is free.
 */
int tap_make(int fd, const struct tap_kind *kind, const char *name, int index);

/*
 * Make a tap somebody's. Before that it has no owner: one of several queues can be joined by any user. Make such a one
 * root's, and look who did (struct tun). -EINVAL: this user namespace does not know the owner.
 */
int tap_own(int fd, uid_t owner);

/*
 * At most 256 bytes by chance: by the system call itself, as in the helper's sandbox nothing else is to be called.
 * glibc's getrandom(3), of 2.41 and newer, first blocks signals and maps memory for the vDSO's.
 */
int tap_chance(void *bytes, size_t size);

/* A name by chance, "tg" and twelve digits: forty bits, for a name that is of use for microseconds. */
int tap_choose_name(char name[static IFNAMSIZ]);

/* Whether an interface has that name, asked by a descriptor that is no tap yet. Nothing is made. */
bool tap_name_is_taken(int fd, const char *name);

/*
 * Make an open descriptor one more queue of a tap. By name, as the kernel has no other way: ask tap_is of each
 * descriptor afterwards.
 */
int tap_add_queue(int fd, const struct tap_kind *kind, const char *name);

/*
 * Undo what somebody who was joined to a tap for a moment can have left on it, so that it is as new: filters, sizes of
 * buffer and header, byte order, offloads, carrier, what it writes to the kernel's log. What can be read is read back:
 * -EPROTO if it does not hold.
 */
int tap_reset(int fd);

/* Whether the tap behind a descriptor has that name and is of that kind: -ENOENT if not. */
int tap_is(int fd, const struct tap_kind *kind, const char *name);

/* The present name of the tap behind a descriptor. */
int tap_name(int fd, char name[static IFNAMSIZ]);

/* --- alias -------------------------------------------------------------------------------------------------------- */

#define ALIAS_BRIDGE "tapgate network="
#define ALIAS_TAP    "tapgate uid="
#define ALIAS_PROBE  "tapgate probe"

void alias_of_bridge(const char *network, const char *mode, char alias[static IFALIASZ]);

/* What stands on a tap. */
struct alias_tap {
	uint32_t uid;
	char network[IFNAMSIZ];
	int vmm; /* the process that it was made for; 0: unknown */
};

void alias_of_tap(const struct alias_tap *tap, char alias[static IFALIASZ]);

/* Whether an interface is a bridge, or a tap, of tapgate's making; *tap receives what stands on it. */
bool alias_is_bridge(const struct link_interface *interface);
bool alias_read_tap(const struct link_interface *interface, struct alias_tap *tap);

/* Whether an interface is the tap of a probe, which is nobody's and goes as it came. */
bool alias_is_probe(const struct link_interface *interface);

/*
 * Indexes from here on are those under which the helper makes its taps (helper/tap.c); the kernel's own choice for
 * other interfaces does not get there. And whether an interface is such a tap that is not signed yet.
 */
enum { ALIAS_INDEXES = 1 << 30 };
bool alias_is_missing(const struct link_interface *interface);

/* --- fdb ---------------------------------------------------------------------------------------------------------- */

struct fdb_entry {
	int index; /* of the port; of the bridge itself for some of its own addresses */
	unsigned char mac[6];
	bool fixed;   /* static: nobody has to learn it, and it does not age. Not one of the host's own */
	bool stays;   /* no other port can take it over by sending from it (NTF_STICKY) */
	bool own;     /* the host's own, as the port's hardware address, from the moment that it joined the bridge */
	uint32_t age; /* 1/100 s since it was made or last learned again; of an own one since it was made */
	bool aged;    /* the kernel said so */
};

/* Every entry of a bridge, in every VLAN; the host's own addresses and those that its ports listen to among them. */
int fdb_each(struct link *link, int bridge, void (*each)(void *context, const struct fdb_entry *), void *context);

/*
 * Say that an address is behind a port, for as long as the port is one, in each VLAN that the port is in. Whatever the
 * bridge knew of it there gives way: look first.
 */
int fdb_put(struct link *link, int port, const unsigned char mac[static 6]);

/* Take that back, whoever said it; -ENOENT if it is not behind this port. */
int fdb_remove(struct link *link, int port, const unsigned char mac[static 6]);

/* The entry for an address on the bridge of a port; -ENOENT if there is none. */
int fdb_look(struct link *link, int port, const unsigned char mac[static 6], struct fdb_entry *entry);

/* --- locked ------------------------------------------------------------------------------------------------------- */

struct locked {
	int tap, bridge; /* indices; the bridge that it was locked on, which it may have left by now */
	unsigned char mac[6];
};

/* Write it on the tap; -EEXIST if another one has it. */
int locked_mark(struct link *link, const struct locked *locked);

/* Every tap that has such a mark. */
int locked_each(struct link *link, void (*each)(void *context, const struct locked *), void *context);

/* --- neighbour ---------------------------------------------------------------------------------------------------- */

struct neighbour {
	int index;		   /* of the interface that it is reached by */
	int family;		   /* AF_INET or AF_INET6 */
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	unsigned char mac[6];
};

/*
 * Every neighbour whose hardware address is known, on all interfaces. Multicast addresses, whose hardware addresses
 * follow from them, are none.
 */
int neighbour_each(struct link *link, void (*each)(void *context, const struct neighbour *), void *context);

/* --- tun ---------------------------------------------------------------------------------------------------------- */

/* Taps that exist already: joining one to make it go. */

/*
 * Join a tap that stands, as `tun` says it is: the new descriptor *fd. -EBUSY if it has one queue and somebody holds
 * it, whatever carrier it pretends to have; from then on nobody else can. -EPERM: it is somebody else's.
 */
int tun_join(const char *name, const struct tun *tun, int *fd);

/* Have it go with the last descriptor that is joined to it. */
int tun_let_go(int fd);

/* --- tc ----------------------------------------------------------------------------------------------------------- */

enum { TC_PROGRAM_MAX = 32 }; /* instructions */

/* Which frames a program sees: those that come in by an interface, or those that go out by it. */
enum tc_side { TC_IN, TC_OUT };

/* A program, in classic BPF; offsets count from the frame's first byte. It returns TC_ACT_UNSPEC or TC_ACT_SHOT. */
struct tc_program {
	struct sock_filter code[TC_PROGRAM_MAX];
	uint16_t size; /* instructions */
};

/*
 * Make an interface one that can have programs, for what comes in or for both sides. -ENOENT, -EOPNOTSUPP: this kernel
 * has none (CONFIG_NET_SCH_INGRESS).
 */
int tc_prepare(struct link *link, int index, bool both);

/* Give it one for a side, before all others. -ENOENT as well: this kernel has no such (CONFIG_NET_CLS_BPF). */
int tc_add(struct link *link, int index, enum tc_side side, const struct tc_program *program);

/* For reply_read (reply.h): what a filter is compared with, and whether it is the same. */
struct program_reader {
	struct tcmsg header;
	const struct tc_program *program;
	bool same;
};
bool reply_take_program(void *reader, struct nlmsghdr *message);

/* Whether it has that one: -ENOENT if not. */
int tc_has(struct link *link, int index, enum tc_side side, const struct tc_program *program);

/* Likewise, in the place of the one that tc_add added, if that is there. */
int tc_replace(struct link *link, int index, enum tc_side side, const struct tc_program *program);

/* Take all programs of both sides away. -ENOENT: it has none, nor room for any. */
int tc_clear(struct link *link, int index);

/* --- wall --------------------------------------------------------------------------------------------------------- */

/* Where a tap is: on a bridge, of tapgate's making or not, or (bridge NULL) alone; and its own hardware address. */
struct wall {
	const struct link_interface *bridge;
	bool ours;
	const unsigned char *mac;
};

/*
 * Keep a tap and the host apart; whether they are so, -ENOENT if not; and anew, whatever the tap had. Errors are those
 * of tc_prepare, tc_add and tc_has.
 */
int wall_put(struct link *link, int tap, const struct wall *wall);
int wall_stands(struct link *link, int tap, const struct wall *wall);
int wall_renew(struct link *link, int tap, const struct wall *wall);

/* --- rate --------------------------------------------------------------------------------------------------------- */

/*
 * Bound what goes out by an interface, or comes in by it, in kbit/s. For what comes in, tc_prepare goes before.
 * -ENOENT, -EOPNOTSUPP: this kernel cannot (CONFIG_NET_SCH_TBF; CONFIG_NET_CLS_BPF, CONFIG_NET_ACT_POLICE).
 */
int rate_set(struct link *link, int index, enum tc_side side, uint32_t kbit);

/* Whether it is bounded so: -ENOENT if not. */
int rate_is(struct link *link, int index, enum tc_side side, uint32_t kbit);

/* For reply_read (reply.h): what is compared, and whether it is the same. */
struct rate_reader {
	int index;
	uint32_t kbit;
	bool same;
};
bool reply_take_shaping(void *reader, struct nlmsghdr *message);
bool reply_take_policing(void *reader, struct nlmsghdr *message);

/* --- nftables ----------------------------------------------------------------------------------------------------- */

enum {
	NFTABLES_NAME_MAX = 256,  /* NFT_NAME_MAXLEN */
	NFTABLES_ATTRIBUTES = 16, /* those above are not looked at */
};

/* A table, a chain or a rule, while it is being read. */
struct nftables_object {
	int type;	     /* NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN or NFT_MSG_NEWRULE */
	int family;	     /* NFPROTO_INET, ... */
	uint16_t generation; /* of all rules, the lower half: changes whenever any of them do */
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
 * Every table; every chain of a family (NFPROTO_UNSPEC: of all of them); every rule of a table (NULL: of all). In the
 * kernel's order.
 */
int nftables_each_table(
	struct link *nftables, void (*each)(void *context, const struct nftables_object *), void *context);
int nftables_each_chain(
	struct link *nftables, int family, void (*each)(void *context, const struct nftables_object *), void *context);
int nftables_each_rule(struct link *nftables, int family, const char *table,
	void (*each)(void *context, const struct nftables_object *), void *context);

/* --- trace -------------------------------------------------------------------------------------------------------- */

/* What a rule, or a chain's policy (rule 0), decided of a packet that is traced. */
struct trace {
	int family;  /* of the table */
	uint32_t id; /* the same for what is of one packet, as long as it is on one interface */
	const char *table, *chain;
	uint64_t rule; /* its handle */
	bool drops;
	const unsigned char *header; /* of the packet, IPv4's or IPv6's; with the first of a hook only, else NULL */
	size_t header_size;
};

/* Listen from now on; and call `each` for all that came since. -ENOBUFS: some was lost. */
int trace_open(int *fd);
int trace_each(int fd, void (*each)(void *context, const struct trace *), void *context);

/* --- inject ------------------------------------------------------------------------------------------------------- */

/*
 * Have an interface take an Ethernet frame for one that it received (the kernel may be done with it some time later),
 * or for one that it is to send; whatever kind it is: one without such headers gets what is behind them.
 */
int inject(int index, bool out, const void *frame, size_t size);

/* --- connection --------------------------------------------------------------------------------------------------- */

/* One by UDP, as the kernel knows it; addresses in network byte order. */
struct connection {
	int family; /* AF_INET or AF_INET6 */
	const unsigned char *from, *to;
	uint16_t from_port, to_port;
	const unsigned char *as; /* the address by which `from` is known at the other end (NAT); NULL: its own */
	uint32_t seconds;	 /* until the kernel forgets it */
};

/* Have the kernel know one that has been answered, -EEXIST: it does; and forget it. nftables: of nftables_open. */
int connection_add(struct link *nftables, const struct connection *connection);
int connection_remove(struct link *nftables, const struct connection *connection);

/* --- guard -------------------------------------------------------------------------------------------------------- */

enum {
	GUARD_TABLE_MAX = 64, /* room for a table's name, NUL included */
	GUARD_SEAL_MAX = 64,
};

/* Families that a guard can have tables in, in the order in which its text has them behind the one with the seal. */
enum { GUARD_FAMILIES = 4 };
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
	bool locks_ip;		   /* it has the rules of lock-ip (etc/guard/lock-ip.nft) */
};

/*
 * The group of interfaces that a network's taps with lock-ip are in, by which its guard knows them. Who sets groups by
 * hand counts from 0 (/etc/iproute2/group).
 */
uint32_t guard_lock_group(const char *network);

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
