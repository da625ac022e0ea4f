// SPDX-License-Identifier: MIT
/*
 * What the steps of the helper share: one call as it is filled step by step, and each step's promise. The order of the
 * steps is in main.c.
 */
#ifndef HELPER_HELPER_H
#define HELPER_HELPER_H

#include <stdint.h>
#include <sys/types.h>

#include "judge/judge.h"
#include "link/link.h"
#include "policy/policy.h"
#include "policy/text.h"

/* --- descriptors -------------------------------------------------------------------------------------------------- */

/* Numbers that the helper and its seccomp filters share. */

/* What its descriptors are once it has sorted them. */
enum {
	FD_ERROR = 2, /* standard error */
	FD_PEER = 3,  /* the socket that the descriptor goes out by */
	FD_LOG = 4,   /* the socket to syslog; not connected if that does not listen */
	/* The lowest that are free behind these, in the order in which they are opened. */
	FD_NETLINK = 5,
	FD_NFTABLES = 6,
	/* The tap, and its further queues behind it: a multiple of their number, so that a filter needs one mask. */
	FD_TAP = 16,
	FD_OTHERS = 32, /* the first of no fixed use */
};

/* What a filter answers when it is asked for a sign (prctl, PR_GET_SECCOMP): errno values that no kernel has. */
enum {
	SIGN_OF_WORK = 4001,
	SIGN_OF_READING = 4003,
	SIGN_OF_SENDING = 4002,
};

/* --- request ------------------------------------------------------------------------------------------------------ */

struct request {
	char network[NAME_MAX_BYTES + 1]; /* --net=, else --br= */
	int fd;				  /* --fd=; above 2 */
	bool vnet_header;		  /* --use-vnet */
	uint32_t queues;		  /* --queues=, or 1 */
	bool mac_given;
	unsigned char mac[MAC_BYTES]; /* --mac= */
};

/* Each option at most once, in any order, whole words only, numbers strictly decimal. */
bool request_parse(int argc, char **argv, struct request *request, struct outcome *outcome);

/* --- order -------------------------------------------------------------------------------------------------------- */

/* One call: who asks, for what, and what the policy says to it. Filled step by step, and read by the steps behind. */

struct order {
	struct policy_caller caller;
	struct request request;
	struct permit permit;
	pid_t vmm;    /* the process that made the socket; 0: not visible from here */
	pid_t helper; /* this one */
	int log;      /* the descriptor that leads to syslog; -1: it does not listen */

	bool incapable; /* there is no CAP_NET_ADMIN: a service may have it (service.c) */
	bool served;	/* this is the service: the request came by a connection, its standard error */
};

/* --- network ------------------------------------------------------------------------------------------------------ */

struct network {
	struct link *link;	      /* FD_NETLINK */
	struct link *nftables;	      /* FD_NFTABLES; NULL where there is no guard to look after */
	struct link_interface bridge; /* index 0: the network has none */
};

/*
 * Find the network that was permitted: a bridge of its name; for a managed one, the bridge that `tapgate up` made for
 * that mode, up, with its guard in place. What is opened is closed by network_close, whatever comes of it.
 */
bool network_find(const struct permit *permit, struct network *network, struct outcome *outcome);

/*
 * Whether all of that is so still, asked of the kernel anew, the bridge by its index: what was renamed, deleted, made
 * anew, taken down or flushed in between does not pass.
 */
bool network_stands(const struct permit *permit, const struct network *network, struct outcome *outcome);

void network_close(struct network *network);

/* --- port --------------------------------------------------------------------------------------------------------- */

struct port {
	char name[IFNAMSIZ]; /* of the tap; empty: none was made */
	char alias[IFALIASZ];
	int tap;			  /* its index; 0: none was made */
	uint32_t queues;		  /* descriptors that are open for it, from FD_TAP on */
	int error;			  /* why there are not as many as were asked for: a negative errno value */
	unsigned char address[MAC_BYTES]; /* the tap's own hardware address */
	unsigned char mac[MAC_BYTES];	  /* the guest's, with lock-mac */
	uint32_t number;		  /* of the subnet that it has from a pool; 0: the network is no pool */
};

/*
 * Open the descriptors that become the tap and its queues: nothing else is opened for writing. Always true: what fails
 * is told by port_make, so that who is denied is told that.
 */
bool port_open(const struct order *order, struct port *port);

/*
 * Make the tap: FD_TAP, and the queues behind it. Join it to the network's bridge, or give it the network's addresses,
 * and bring it up. On failure nothing is left but descriptors, which sandbox_for_sending closes.
 */
bool port_make(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome);

/* Close all its queues: the kernel removes the tap with them. */
void port_undo(const struct port *port);

/* --- state -------------------------------------------------------------------------------------------------------- */

/*
 * Known from here on: descriptors 0 to 2 are open; the environment is empty; umask, working directory, signal mask and
 * dispositions; no interval timer runs; soft limits are as high as the
 * hard ones.
 */
bool state_make_known(struct outcome *outcome);

/*
 * No program that is executed gains privileges (no_new_privs), no other process of the user's can read or trace this
 * one, and a crash leaves no core. *had_no_new_privs: whether the first held already, so that no setuid bit had any
 * effect.
 */
bool state_close_to_others(bool *had_no_new_privs, struct outcome *outcome);

/* The process is killed after 15 seconds (timer_create(2)), wherever it stands, stopped or not, and its tap is gone. */
bool state_end_soon(struct outcome *outcome);

/* --- report ------------------------------------------------------------------------------------------------------- */

/*
 * Connect to syslog: order->log. Done while only root can change what this process may have; a socket that cannot be
 * had refuses the request. Where nobody listens there is no log.
 */
bool report_open_log(struct order *order, struct outcome *outcome);

/*
 * Log that the tap is about to be handed over: before it is, so that a caller cannot prevent it by killing the helper.
 * False if the line could not be sent for another reason than that the log does not take it.
 */
bool report_grant(const struct order *order, const struct port *port, struct outcome *outcome);

/* Log a refusal, with the rule that decided if one did, and write its line to standard error. */
void report_refusal(const struct order *order, const struct outcome *outcome);

/* Write text to standard error that another helper wrote there, with the same patience. */
void report_pass_on(const char *text, size_t size);

/* --- privileges --------------------------------------------------------------------------------------------------- */

/* Whether the process has the one capability that all is done with. */
bool privileges_has_net_admin(void);

/*
 * From here on real, effective and saved ids are the caller's, CAP_NET_ADMIN is the only capability, and neither root
 * nor another capability can be regained (capabilities(7), credentials(7)). Works alike installed setuid root, with the
 * file capability cap_net_admin, run by root, and as root of a user namespace. Fills order->caller; its groups are from
 * malloc and live to the end of the process. had_no_new_privs helps to say why there is no capability to keep.
 */
bool privileges_keep_net_admin(struct order *order, bool had_no_new_privs, struct outcome *outcome);

/*
 * From here on there is no capability and no identity but the caller's, wherever the steps before this one ended. If
 * that cannot be proved, the process ends at once, without a word.
 */
void privileges_drop_all(void);

/* --- sandbox ------------------------------------------------------------------------------------------------------ */

/* Before anything that the caller wrote is looked at: enough to read files, talk to rtnetlink and make a tap. */
bool sandbox_for_work(struct outcome *outcome);

/* When the taps' descriptors are open: nothing is opened any more but to be read, whatever the capability would let. */
bool sandbox_for_reading(struct outcome *outcome);

/*
 * When the work is done and no capability is left: enough to send one message, log, write an error and end. `log`
 * becomes FD_LOG. Closes all descriptors but the ones that takes: of FD_TAP and those behind it, the first `taps`.
 * Where it cannot be entered nothing may be sent; a refusal can be told all the same, as nothing is left to be had.
 */
bool sandbox_for_sending(int log, uint32_t taps, struct outcome *outcome);

/* --- peer --------------------------------------------------------------------------------------------------------- */

/*
 * Of all descriptors that were inherited keep the socket, which becomes FD_PEER, the one to syslog, which becomes
 * FD_LOG, and standard error; and close every other one. 0 and 1 lead to /dev/null, as does 2 where a user serves it.
 * FD_PEER is free in a service, whose socket comes later.
 */
bool peer_keep(struct order *order, struct outcome *outcome);

/*
 * Take FD_PEER for the caller's socket. It must be a connected unix stream socket whose other end the caller made
 * (SO_PEERCRED, unix(7)). order->vmm receives the process that made it, 0 if that is not visible from here.
 */
bool peer_take(struct order *order, struct outcome *outcome);

/* Whether a descriptor is a socket with another end: one that listens has none. */
bool peer_is_connected(int fd);

/* Close the descriptors from the first to the last, whether or not they are open. */
bool close_descriptors(unsigned int first, unsigned int last);

/* Send one byte with FD_TAP and its further queues, `count` in all (SCM_RIGHTS, unix(7)), at once or not at all. */
bool peer_send_taps(uint32_t count, struct outcome *outcome);

/* --- service ------------------------------------------------------------------------------------------------------ */

#define SERVICE_SOCKET "/run/tapgate/helper.sock"
#define SERVICE_WORD   "--serve"

/* Whether this process is to serve a connection on descriptor 0: `--serve`, and root's own doing. */
bool service_is_asked(int argc, char **argv);

/*
 * Take real ids and groups from who connected, as in a setuid program that it started: order->caller.uid, until the
 * next step reads them all. The connection takes the place of standard error.
 */
bool service_take_peer(struct order *order, struct outcome *outcome);

/* Receive the command line; wait a second for it at most. Its words are static. */
bool service_receive(int *argc, char ***argv, struct outcome *outcome);

/* And the socket that came with it, as peer_take does: only if the policy allows what is asked for. */
bool service_take_socket(struct order *order, struct outcome *outcome);

/* The exit code, for the other end. */
void service_answer(int code);

/*
 * Have the service do it, with no privilege left here: *code is what to exit with, and its message went to standard
 * error. False: there is no service for this user, or it did not answer; *outcome says what to tell.
 */
bool service_ask(int argc, char **argv, struct order *order, struct outcome *outcome, int *code);

/* --- tap ---------------------------------------------------------------------------------------------------------- */

/*
 * Make FD_TAP, and the queues behind it, a tap in one of the places that the user has by `max=`, with the name of a
 * standalone network if it is for one of one queue. port->tap and port->name receive it.
 */
bool port_make_tap(
	const struct order *order, const struct network *network, struct port *port, struct outcome *outcome);

/* Give a standalone network's tap of several queues, which was made under a name of no meaning, the network's name. */
bool port_take_name(const struct order *order, struct link *link, struct port *port, struct outcome *outcome);

/* Whether a tap of several queues is nobody's but ours still, as the kernel says of it. */
bool queues_hold(const struct order *order, const struct port *port, const struct tun *tun);

/* --- protect ------------------------------------------------------------------------------------------------------ */

/*
 * Whether a bridge, as it was read, is one whose ports can be protected so. Asked before there is a tap, as a port
 * changes its bridge, if only for a moment; and when all is made, as the bridge may have been changed meanwhile.
 */
bool protect_possible(const struct permit *permit, const struct link_interface *bridge, struct outcome *outcome);

/* Set the port up as it was permitted; port->mac receives the address that it is locked to, if it is. */
bool protect_port(const struct order *order, const struct network *network, struct port *port, struct outcome *outcome);

/* Whether all of it is so; tap: as it was read back. */
bool protect_holds(const struct permit *permit, const struct network *network, const struct port *port,
	const struct link_interface *tap, struct outcome *outcome);

/* Whether the bridge has still the address that the port is locked to. */
bool lock_holds(const struct network *network, const struct port *port, struct outcome *outcome);

/* Whether a caller may have the address that it asks for, if it does: the rule's, or one of its own block. */
bool lock_allows(const struct order *order, struct outcome *outcome);

#endif
