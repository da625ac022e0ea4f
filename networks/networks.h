// SPDX-License-Identifier: MIT
/* The networks that tapgate makes: make them, unmake them, and compare what stands with what the policy wants. */
#ifndef NETWORKS_NETWORKS_H
#define NETWORKS_NETWORKS_H

#include <stdbool.h>

#include "dhcp/dhcp.h"
#include "link/link.h"
#include "policy/policy.h"
#include "tool/tool.h"

/* --- addresses ---------------------------------------------------------------------------------------------------- */

/* Whether an address is one that the network's line gives the host, or one that its bridge has by itself. */
bool addresses_want(const struct policy_network *network, const struct link_address *address);

/* Whether an interface has other addresses than the network's. */
bool addresses_differ(const struct host *host, const struct policy_network *network, int index);

/* Add one to an interface of the network's. */
bool addresses_add(struct session *session, const struct policy_network *network, const struct link_address *address);

/* Remove one that is there, and add it again: the kernel makes its routes anew by that. */
bool addresses_renew(struct session *session, const struct policy_network *network, const struct link_address *address);

/* --- bridge ------------------------------------------------------------------------------------------------------- */

/* Whether a network has a bridge that tapgate makes. */
bool bridge_is_needed(const struct policy_network *network);

/*
 * Whether an interface is a bridge of tapgate's making: by its alias; or, where `up` was killed before it could write
 * that, a bridge that is down, has no alias, and a hardware address as only ours have.
 */
bool bridge_is_ours(const struct link_interface *interface);

/* Each of these does what is to be done, if anything is, and says so. */
bool bridge_make(struct session *session, const struct policy_network *network);
bool bridge_set(struct session *session, const struct policy_network *network);
bool bridge_clear_addresses(struct session *session, const struct policy_network *network);
bool bridge_set_addresses(struct session *session, const struct policy_network *network);
bool bridge_isolate_ports(struct session *session, const struct policy_network *network);
bool bridge_bring_up(struct session *session, const struct policy_network *network);

/* Whether somebody chose an interface's, which a bridge keeps whatever its ports are; also where that is not known. */
bool bridge_mac_is_set(const char *interface);

/* Remove a bridge of ours, if there is one of that name. */
bool bridge_remove(struct session *session, const char *name);

/* What differs from what the policy wants of a bridge that is there, as a phrase; NULL if nothing does. */
const char *bridge_difference(struct session *session, const struct policy_network *network);

/* --- forwarding --------------------------------------------------------------------------------------------------- */

/*
 * Switch forwarding on where a nat network needs it, and say so. IPv4: on its bridge, and on every interface of the
 * host's own that has a route, which answers come in by; the rest of the host stays as it is. IPv6, if it has such a
 * subnet: for the whole host, as Linux has no other switch that all versions know (net.ipv6.conf.all.forwarding). First
 * accept_ra=2 where it is 1, and by default, so that the host takes what routers advertise to it (ip-sysctl.rst); also
 * where somebody else had forwarding on before.
 */
bool forwarding_settle(struct session *session, const struct policy_network *network);

/* What of it is missing, as a phrase; NULL if nothing is, or the network needs none. */
const char *forwarding_difference(struct session *session, const struct policy_network *network);

/*
 * How many addresses of guests of a network the host hears of within a minute; on a standalone one by ARP, and as many
 * by packets. Each is one that it may have to know as a neighbour.
 */
unsigned int neighbours_room(const struct policy_network *network);

/* Have the kernel hold them, those of all networks of the policy, and say so; and what of that is missing, or NULL. */
bool neighbours_settle(struct session *session, const struct policy_network *network);
const char *neighbours_difference(const struct policy_network *network);

/* Whether the host reaches anything by an interface of its own in a family (AF_...), and so forwards there. */
bool forwarding_leads_out(const struct host *host, const struct link_interface *interface, int family);

/* Whether a network's guests are promised a way out, and the host itself has no route to anywhere. */
bool forwarding_leads_nowhere(struct session *session, const struct policy_network *network);

/* --- firewall ----------------------------------------------------------------------------------------------------- */

/* What comments of ours begin with; the network's name and a comma follow. */
#define FIREWALL_MARK "tapgate: "

enum { FIREWALL_COMMENT_MAX = 128 };

struct json_t;

/* A base chain of somebody else's at one of the hooks forward, input and output. */
struct firewall_chain {
	int family;
	uint32_t hook; /* NF_INET_..., of whatever family */
	char table[NFTABLES_NAME_MAX], name[NFTABLES_NAME_MAX];
	bool owned;	       /* by a process that lets nobody else change the table, as newer firewalld does */
	bool known;	       /* one that we may add to (networks/pass.c) */
	bool drops;	       /* what none of its rules decides */
	uint32_t count;	       /* of its rules, as the kernel has it */
	uint64_t before;       /* the handle of the rule that decides all that gets there; 0: none does */
	char tunnel[IFNAMSIZ]; /* the only way out that it leaves; empty: it leaves others, or none */
	struct json_t *rules;  /* of the whole table, as rules_ask lists it */
};

/* A rule of ours in such a chain. */
struct firewall_rule {
	const struct firewall_chain *chain;
	uint64_t handle;
	bool behind; /* the rule that decides all: nothing gets to it */
	bool wanted;
	char comment[FIREWALL_COMMENT_MAX];
};

/* What stands. */
struct firewall {
	struct firewall_chain *chains;
	struct firewall_rule *rules;
	size_t chain_count, rule_count;
	bool others;	    /* somebody has a chain at any hook, */
	bool on_interfaces; /* and at one of single interfaces */
	bool failed;	    /* memory ran out */
};

/* Look; 0 or a negative errno value. It is the session's, until rules change or a new picture is taken. */
int firewall_look(struct session *session, struct firewall **firewall);

/* nft's word for a family. */
const char *firewall_family(int family);

/* Whether a rule in a chain's table that is not ours accepts what comes or goes by an interface, named in it. */
bool firewall_accepts(const struct firewall_chain *chain, const char *interface);

/* Whether its table has a chain of that name, as those by which ufw or Docker is known. */
bool firewall_has_chain(const struct firewall_chain *chain, const char *name);

/*
 * All rules but those of guards, in JSON as of rules_ask, for json_decref: none where they cannot be read. To list
 * guards, too, takes longer than all else there is to know of networks.
 */
struct json_t *firewall_rules(struct session *session);

/* --- for firewall.c and firewall_rules.c alone -------------------------------------------------------------------- */

/* The next rule of a chain in what was read of a table, from *at on; NULL: no more. */
struct json_t *firewall_next_rule(const struct json_t *table, const char *chain, size_t *at);

/*
 * The first rule that every packet which gets there is decided by, and how: "drop", "accept" or "return". NULL: none,
 * and it goes on behind the chain. Jumps are followed; a chain that some packets return from, as ufw-not-local, does
 * not decide all of them.
 */
const char *firewall_find_end(const struct json_t *table, const char *chain, int depth, struct json_t **found);

/*
 * The tunnel that is the only way out which a chain leaves, as a VPN's kill switch does: whoever opened that would have
 * guests go out past it. Answers that come in by the tunnel, and ways to some addresses only, are no other way.
 */
void firewall_find_tunnel(const struct host *host, struct firewall_chain *chain);

/* --- groups ------------------------------------------------------------------------------------------------------- */

/*
 * Networks of which one wants a subnet that another's bridge still has, and is to give up, are of one group: two that
 * exchange their subnets, or a row of them that each take the next one's. group[i] receives the index of the first
 * network of the group that networks[i] is in; of one that is alone, its own.
 */
void groups_find(const struct host *host, const struct policy_network *const *networks, size_t count, size_t group[]);

/* --- guard_text --------------------------------------------------------------------------------------------------- */

/* In nft's language, from malloc; empty where the mode needs no guard. NULL when memory ran out. */
char *guard_text(const struct policy_network *network);

/* With lock-ip: that an address is a hardware address's, for as long as the policy says so (fixed) or as its lease. */
struct guard_given {
	const unsigned char *mac, *address;
	bool ipv6, fixed;
};
void guard_write_given(FILE *out, const struct policy_network *network, const struct guard_given *given);

/* --- guard -------------------------------------------------------------------------------------------------------- */

/* A network's guard as it stands, in the family that its mode needs; 0 or a negative errno value. */
int guard_look(struct session *session, const struct policy_network *network, struct guard *guard);

/*
 * Whether it is whole, and made from what the template and the policy say today; of a network that is a copy without
 * its policy only the former is known.
 */
bool guard_is_wanted(const struct guard *guard, const struct policy_network *network);

/* Put the guard up, in place of whatever has its name, in one transaction. Says what it did. */
bool guard_put_up(struct session *session, const struct policy_network *network);

/*
 * Put up the guards of many, and seal them: all in two transactions, as libnftables reads all guards for each. False:
 * none may be up, and nothing was said of why; then put them up one by one.
 */
bool guard_put_up_all(struct session *session, const struct policy_network *const *networks, size_t count);

/*
 * Seal the guards that were put up, at the end of all: until then they do what they are for, and the helper joins
 * nobody to their networks.
 */
bool guard_seal_all(struct session *session);

/* Take the guards of networks down, of those that have one: all or none. */
bool guard_take_down(struct session *session, char (*networks)[IFNAMSIZ], size_t count);

/*
 * In a session that has copies made: keep one of a guard that stands, but for one with lock-ip, until it is taken out
 * of the session's copies. Only a copy of the network's mode counts; it is what is put up from then on. Its text, NULL:
 * there is none, and what its seal said of the text that it was made from.
 */
void guard_copy(struct session *session, const struct policy_network *network, const struct guard *guard);
const char *guard_copied(const struct session *session, const struct policy_network *network, uint64_t *digest);

/* Call `each` with the name of every network that there is a guard for; for one of several tables more than once. */
bool guard_each(struct session *session, void (*each)(void *context, const char *network), void *context);

/* --- locks -------------------------------------------------------------------------------------------------------- */

struct lost_lock {
	const struct link_interface *tap, *bridge;
	struct alias_tap alias; /* of the tap */
	unsigned char mac[6];
	const struct link_interface *holder; /* behind which the bridge says it is; NULL: nowhere */
	bool fixed, own; /* somebody put it there, as with `bridge fdb`; it is that port's own, not a tap's of ours */
};

/* Call `each` for those of a bridge, by its index; 0: of every bridge. */
void locks_each_lost(
	struct session *session, int bridge, void (*each)(void *context, const struct lost_lock *), void *context);

/* Whether a bridge has any that `locks_settle` can put back. */
bool locks_differ(struct session *session, int bridge);

/* Put back what can be, of the networks that were asked for, and say so. */
bool locks_settle(struct session *session, const struct words *words);

/* --- walls -------------------------------------------------------------------------------------------------------- */

/* Call `each` for the taps of a network, bridged or tapgate's, that are not kept apart from the host (link/wall.c). */
void walls_each_missing(struct session *session, const struct policy_network *network,
	void (*each)(void *context, const struct link_interface *tap), void *context);
bool walls_differ(struct session *session, const struct policy_network *network);

/* Whether what keeps a tap and the host apart stands, be the tap up or not yet. */
bool walls_stand(const struct session *session, const struct policy_network *network, const struct link_interface *tap);

/* Set them apart again, and say so. */
bool walls_settle(struct session *session, const struct policy_network *network);

/* --- members ------------------------------------------------------------------------------------------------------ */

enum trouble_kind {
	TROUBLE_FOREIGN,  /* a port that is none of the network's taps: whoever is behind it is on the network */
	TROUBLE_UNLOCKED, /* a tap of a network with lock-ip that was made before it had that */
	TROUBLE_GROUP,	  /* a tap of a network with lock-ip whose guard does not know it (guard_lock_group) */
	TROUBLE_UPPER,	  /* an interface on its bridge or on a tap, as a macvlan: past the guard */
	TROUBLE_AWAY,	  /* a tap that is not on the network's bridge; a standalone one that is on any */
	TROUBLE_DOWN,	  /* a tap */
	TROUBLE_ADDRESS,  /* an address of the host's on a port */
	TROUBLE_ENTRY,	  /* an address that the bridge was told to be behind a port, and that is no lock's */
};

struct trouble {
	enum trouble_kind kind;
	const struct link_interface *interface;
	const struct link_address *address; /* TROUBLE_ADDRESS */
	unsigned char mac[6];		    /* TROUBLE_ENTRY */
};

void members_each_trouble(struct session *session, const struct policy_network *network,
	void (*each)(void *context, const struct trouble *), void *context);

/* The first, as a phrase; NULL if there is none. */
const char *members_difference(struct session *session, const struct policy_network *network);

/* Put right what is tapgate's, saying so; and say of the rest what to do, which fails then: the first three above. */
bool members_settle(struct session *session, const struct policy_network *network);
bool members_complain(struct session *session, const struct policy_network *network);

/* --- network ------------------------------------------------------------------------------------------------------ */

/*
 * Make, of the networks that are to be settled and that nobody has begun, the bridges and then the guards, all at once:
 * many of them one by one take much longer. What is done is said when each is settled (session_tell). Of which that
 * failed is noted, and said. False: there is no picture of the host any more.
 */
bool network_begin_all(
	struct session *session, const struct policy_network *const *networks, size_t count, bool *failed);

/* Say of networks that could not be settled how far they came. */
void network_say_left(struct session *session, const struct policy_network *const *networks, size_t count);

/*
 * Make managed networks as wanted: create what is missing, repair what drifted, nothing else. If something fails, it
 * stops there and says what is left to do; the next run goes on. A guard is there before its network is up, and at
 * every moment that it is. It is one network, or a group (groups_find).
 */
bool network_settle(struct session *session, const struct policy_network *const *networks, size_t count);

/*
 * Only see to it that a network which stands, its bridge up, or a tap that stands alone, is not without a guard that
 * counts, nor without its passes: as it was applied, whatever its line says by now (NULL: it has none).
 */
bool network_keep_guarded(struct session *session, const char *name, const struct policy_network *line);

/* Take away what tapgate made of a name: DHCP, bridge or standalone taps, and then the guard. */
bool network_remove(struct session *session, const char *name);

/* Only bridge and taps: dnsmasqs go before that, and guards behind it, of many networks at once. */
bool network_clear(struct session *session, const char *name);

/*
 * End the dnsmasqs of the networks that were asked for and remove these networks' taps and bridges, all at once, which
 * is much faster than one by one: each bridge has the kernel wait, and dnsmasqs end meanwhile. False: said which does
 * not end. Nothing is said of interfaces: network_clear, for each network, says what has gone, and removes the rest.
 */
bool network_cut_off(struct session *session, const struct words *words);

/* Call `each` for every network of which tapgate made anything that stands, whatever the policy says. */
bool network_each(struct session *session, void (*each)(void *context, const char *name), void *context);

/*
 * End every dnsmasq of the networks that were asked for that was left behind: its keeper was killed, or its files were
 * removed. False: said which does not end. Once a command, as it looks at all processes.
 */
bool network_end_strays(const struct session *session, const struct words *words);

/* Whether an interface is a tap that the helper made for a network. */
bool network_has_tap(const struct link_interface *interface, const char *name);

/* Whether it is one of a network that was standalone when the tap was made: on no bridge, and named for it. */
bool network_stands_alone(const struct link_interface *interface, const char *name);

/*
 * Whether a tap of a network is none that its guard knows: the network stood alone when it was made and has a bridge
 * now, or is a pool now, or is none any more.
 */
bool network_is_stray(const struct policy_network *network, const struct link_interface *tap);

/* --- resolver ----------------------------------------------------------------------------------------------------- */

enum resolver {
	RESOLVER_RESOLVED,   /* systemd-resolved */
	RESOLVER_NM_DNSMASQ, /* a dnsmasq of NetworkManager's */
	RESOLVER_OWN,	     /* another one on this host */
	RESOLVER_PLAIN,	     /* /etc/resolv.conf with servers elsewhere, or none */
};

enum resolver resolver_of_host(void);

/*
 * Have systemd-resolved, where it runs, ask the network's dnsmasq for the names of its guests, and say so. A warning if
 * that fails: nothing else depends on it. And what differs, as a phrase; NULL if nothing does.
 */
void resolver_settle(struct session *session, const struct policy_network *network);
const char *resolver_difference(struct session *session, const struct policy_network *network);

/* What an administrator can add elsewhere, as a sentence. False: nothing. */
bool resolver_advice(const struct policy_network *network, char *buffer, size_t size);

/* --- cutoff ------------------------------------------------------------------------------------------------------- */

/* Who is on a network: ports of its bridge, whoever made them; taps that stand alone. How many. */
void cutoff_each_member(const struct session *session, const char *name,
	void (*each)(void *context, const struct link_interface *), void *context);
size_t cutoff_members(const struct session *session, const char *name);

/*
 * What of bringing a network in line with the policy (network NULL: of removing it) would cut off who is on it, as a
 * phrase that goes before "would cut off"; NULL if nothing would, as where nobody is.
 */
const char *cutoff_find(struct session *session, const struct policy_network *network, const char *name);

/*
 * A network as it was applied: its line in the policy (NULL: it has none), where that is so; else what the kernel has
 * of it, the mode and addresses of its bridge and whether a dnsmasq serves it. False: nothing is known of it.
 */
bool cutoff_applied(
	const struct session *session, const char *name, const struct policy_network *line, struct policy_network *as);

/* --- need --------------------------------------------------------------------------------------------------------- */

enum need_when { NEED_ALWAYS, NEED_DHCP, NEED_IPV4, NEED_IPV6, NEED_FORWARD, NEED_TFTP };

/* What a network needs of other people's firewalls, beside what its guard lets through. */
struct need {
	unsigned int modes; /* 1 << MODE_... */
	enum need_when when;
	uint32_t hook;
	int family;	   /* NFPROTO_...; NFPROTO_UNSPEC: IPv4 and IPv6; NFPROTO_ARP: as IPv4 has it */
	bool in, out;	   /* comes in by the network, goes out by it */
	uint8_t protocol;  /* IPPROTO_...; 0: any */
	uint16_t port;	   /* the host's; 0: any */
	const char *about; /* in the comment of a pass */
	const char *what;  /* in a sentence */
};

/* The next one that a network has, from *at on, which is 0 at first; NULL: no more. */
const struct need *need_next(const struct policy_network *network, size_t *at);

/* Whether it is what guests send to whatever is behind the host. */
bool need_is_way_out(const struct need *need);

/* Whether an interface's name means itself in a rule of any language, and in a shell. */
bool need_can_name(const char *interface);

/*
 * A rule that accepts it, less table and chain: in nft's language, for a table of a family, and as words of iptables.
 * by: for a way out, the only interface that it is to lead to; NULL: any.
 */
void need_write_nft(
	FILE *out, const struct need *need, const struct policy_network *network, int family, const char *by);
void need_write_iptables(FILE *out, const struct need *need, const struct policy_network *network, const char *by);

/* --- pass --------------------------------------------------------------------------------------------------------- */

/*
 * Bring the passes of some networks in line with what the policy says of them (`count` of them, which stand), and take
 * away those of networks that are gone: all in one transaction. The passes of whatever is neither stay as they are.
 */
bool pass_settle(struct session *session, const struct policy_network *const *networks, size_t count,
	bool (*gone)(const void *context, const char *network), const void *context);

/* Warn of chains that drop something of a network's, as far as their rules tell, and that pass_settle does not open. */
void pass_foretell(struct session *session, const struct policy_network *network);

/* How many passes are missing for a network; -1 if it cannot be told. */
int pass_missing(struct session *session, const struct policy_network *network);

/* --- probe -------------------------------------------------------------------------------------------------------- */

/*
 * Sends packets of our own through the host's firewalls, to find out what is in the way of networks that stand. Nothing
 * is made before there is a firewall to be asked; all of it goes with probe_close, or with the process.
 */
struct probe;
struct probe *probe_open(struct session *session);
void probe_close(struct probe *probe);

/* Tell what stops packets that a network needs, with the line that cures it; nothing for one that is not up. */
void probe_network(struct probe *probe, const struct policy_network *network,
	void (*tell)(void *context, const struct policy_network *network, const char *text), void *context);

/* The same for a bridge that is not ours to make: whether what crosses it does. */
void probe_foreign(struct probe *probe, const struct link_interface *bridge,
	void (*tell)(void *context, const struct policy_network *network, const char *text), void *context);

/* Why none could be sent; NULL: they could, or none was needed. */
const char *probe_why(const struct probe *probe);

/* What was left out, and why, as where a unit or a container does not allow what it takes; NULL: nothing. */
const char *probe_left_out(const struct probe *probe, const char **why);

/* --- standalone --------------------------------------------------------------------------------------------------- */

/*
 * The helper gives a tap its addresses, and they stay until its machine ends, whatever the network's line says by then.
 * But a tap of which somebody took all addresses of a family leads nowhere: what is not as wanted, or NULL.
 */
const char *standalone_difference(const struct session *session, const struct policy_network *network);

/* --- conflicts ---------------------------------------------------------------------------------------------------- */

/*
 * Look for networks that get in each other's way, in the way of a route or an address of the host's, or have the name
 * of an interface that is not tapgate's. Says each, with file and line, of the networks that `words` name, and notes in
 * `refused`, by the policy's order, which of them cannot be settled for it. Only warned of is a route that is equal or
 * narrower and came when the network stood already, and an address in its subnet that another network has and keeps:
 * one that is refused or not among `words`, or one that a machine on a standalone network was given by an earlier
 * policy. A wider route is a note.
 */
void conflicts_find(struct session *session, const struct policy *policy, const struct words *words,
	bool refused[static POLICY_NETWORKS_MAX]);

/* The same for all networks, for somebody who is told each instead: FINDING_ERROR, _WARNING or _NOTE. */
void conflicts_each(struct session *session, const struct policy *policy,
	void (*tell)(void *context, enum finding_kind kind, const struct policy_error *error), void *context);

/*
 * Rules of others by which a connection to the host is led to a guest of a network (DNAT), which its guard lets
 * through: "ip nat PREROUTING" and the rule's handle. rules: as of firewall_rules; NULL: none are known.
 */
void report_each_foreign_forward(const struct json_t *rules, const struct policy_network *network,
	void (*each)(void *context, const char *chain, long long handle), void *context);

/* --- ways --------------------------------------------------------------------------------------------------------- */

/*
 * The kernel is asked, with all of its rules and tables, for the way to a guest's address, and, for a nat network, for
 * that from a guest to the outside. What is not as wanted, as a phrase, with the rule (its priority, as `ip rule` shows
 * it) and the table that decide, and in *cure the command that puts it right; NULL if nothing is. A network whose
 * bridge is down has none.
 */
const char *ways_difference(struct session *session, const struct policy_network *network, const char **cure);

/*
 * Whether guests of a nat network leave by another interface than the host itself, as where a VPN takes only what the
 * host sends; and what would have them leave by the host's.
 */
struct ways_parting {
	const struct link_interface *hosts, *guests;
	const char *cure;
};
bool ways_part(struct session *session, const struct policy_network *network, int family, struct ways_parting *parting);

/* Put back routes that the host had with its addresses, by removing and adding these; and what could not be, said. */
bool ways_settle(struct session *session, const struct policy_network *network);
bool ways_complain(struct session *session, const struct policy_network *network);

/* The VRF that a network's bridge is in, in which the host has its way to it; 0: none. */
int ways_vrf(const struct host *host, const char *bridge);

/* An address that nobody has (RFC 5737, RFC 3849), and so stands for all outside: where a packet goes. */
void ways_outside(struct link_packet *packet);

/* --- report ------------------------------------------------------------------------------------------------------- */

/* What a network comes to. */
enum report_state { REPORT_UP, REPORT_DOWN, REPORT_MISSING, REPORT_DIFFERENT, REPORT_LEFT_OVER };
enum report_guard { GUARD_NONE, GUARD_UNKNOWN, GUARD_MISSING, GUARD_CHANGED, GUARD_STANDS };

struct report {
	const struct policy_network *network; /* NULL: left over, the policy has no line for it any more */
	char name[IFNAMSIZ];
	const struct link_interface *bridge; /* NULL: none, or none of that name that may be it */
	enum report_state state;
	const char *difference; /* what is not as wanted, or not there; NULL if nothing */
	const char *cure;	/* the command that puts it right */
	enum report_guard guard;
	enum dnsmasq_state dnsmasq;
	pid_t dnsmasq_pid;
};

const char *report_state_word(enum report_state state);
const char *report_guard_word(enum report_guard guard);
const char *report_dnsmasq_word(const struct report *report);

/* How many leases are in use; negative: it is not known, or not told to whoever calls (list=own). */
int report_leases_used(const struct report *report);

/* Find out about a network of the policy, or (network NULL) about one that is left over. */
struct report report_make(struct session *session, const struct policy_network *network, const char *name);

/*
 * Seconds until a bridge of this kind carries frames for a port that has just joined it: with the spanning tree
 * protocol twice its forward delay, for listening and for learning (net/bridge/br_stp_timer.c), else none.
 */
unsigned int report_port_delay(const struct link_interface *bridge);

/* A member of a network: a port of its bridge, or a standalone tap. */
struct report_member {
	const struct link_interface *interface;
	bool ours;	      /* a tap of the helper's */
	struct alias_tap tap; /* then, whose */
};

/* Call `each` for every member, and for every address of the host's on an interface. */
void report_each_member(const struct session *session, const struct report *report,
	void (*each)(void *context, const struct report_member *), void *context);
void report_each_address(
	const struct session *session, int index, void (*each)(void *context, const char *address), void *context);

#endif
