// SPDX-License-Identifier: MIT
/*
 * A network's dnsmasq: its words, who keeps it running, and what it and tapgate-dhcp write down of guests. In its place
 * a standalone network has tapgate-dhcp itself (dhcp/serve.c), which is planned, kept and ended by the same functions.
 */
#ifndef DHCP_DHCP_H
#define DHCP_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/policy.h"
#include "policy/text.h"

/* --- dnsmasq_words ------------------------------------------------------------------------------------------------ */

/*
 * What the dnsmasq of a network is told: its command line. A pure function of what is passed in; nothing here looks at
 * the system.
 */

#define DNSMASQ_DIRECTORY "/run/tapgate"

enum {
	DNSMASQ_WORDS_MAX = 64 + 3 * POLICY_GUESTS_MAX,
	DNSMASQ_TEXT_MAX = 4096 + 384 * POLICY_GUESTS_MAX,
};

/* What dnsmasq is started as. Not root: dnsmasq would stay root then. */
struct dnsmasq_account {
	char user[64], group[64];
	uid_t uid;
	gid_t gid;
};

struct dnsmasq_words {
	char text[DNSMASQ_TEXT_MAX]; /* each with its NUL, one behind the other, as in /proc/PID/cmdline (proc(5)) */
	size_t size;
	char *argv[DNSMASQ_WORDS_MAX + 1]; /* into text; NULL behind the last */
};

/*
 * The words for a network, `program` as the first. `index` is the bridge's: the words are others when the bridge was
 * made anew, as sockets bound to the old one stay bound to it (SO_BINDTODEVICE, socket(7)). False if they do not fit.
 */
bool dnsmasq_words(struct dnsmasq_words *words, const char *program, const struct dnsmasq_account *account,
	const struct policy_network *network, unsigned int index);

/* Whether guests fetch the file that they boot from by TFTP from the host. */
bool dnsmasq_has_tftp(const struct policy_network *network);

/* The domain that a network's dnsmasq was started with; the usual one, if none runs. Everybody may ask. */
void dnsmasq_domain(const char *name, char domain[static POLICY_DOMAIN_MAX + 1]);

/* --- names -------------------------------------------------------------------------------------------------------- */

enum {
	NAMES_MAX = 16384,    /* records; twice as many as there are leases */
	NAMES_LABEL_MAX = 63, /* bytes of a name (RFC 1123) */
};

enum name_kind {
	NAME_HELD,    /* its first guest's */
	NAME_PINNED,  /* likewise, and somebody else asked for it since */
	NAME_REFUSED, /* asked for, and not given */
};

struct name_record {
	enum name_kind kind;
	unsigned char mac[MAC_BYTES];
	unsigned int port; /* index of the tap that the guest was behind; 0: not known */
	char address[16];  /* of its lease, IPv4 as text */
	char name[NAMES_LABEL_MAX + 1];
};

struct names {
	struct name_record *records;
	size_t count;
};

/*
 * Read those of a network; none if there is no such file, or it is none that can be believed. False: memory ran out.
 * Writing replaces the file; false and errno.
 */
bool names_read(const char *network, struct names *names);
bool names_write(const char *network, const struct names *names);
void names_forget(struct names *names);

/* A new record at the end; NULL: there are too many, or memory ran out. And one less; the others keep their order. */
struct name_record *names_add(struct names *names);
void names_remove(struct names *names, size_t index);

/* Whether a word can be a host's name (RFC 1123, 2.1), without a dot. */
bool names_is_label(struct word word);

/* --- leases ------------------------------------------------------------------------------------------------------- */

enum { LEASE_NAME_MAX = 63 }; /* bytes of a label (RFC 1123) */

struct lease {
	int family;		   /* AF_INET or AF_INET6 */
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	bool has_mac;		   /* IPv6: only if the client's identifier is made of one (RFC 8415, 11.2 and 11.4) */
	unsigned char mac[MAC_BYTES];
	char name[LEASE_NAME_MAX + 1]; /* as the guest gave it; empty: none, or none that may be one */
};

/*
 * Read a line of the file (dnsmasq(8), --dhcp-leasefile), without its newline. False: it is none of a lease that is in
 * force at `now`, in seconds since 1970.
 */
bool lease_read(struct word line, int64_t now, struct lease *lease);

/*
 * Call `each` for the leases in force of a network. Returns 0, also if there is no such file; else a negative errno
 * value. -EINVAL: it is no file, or too large. -EFBIG, after as many as dnsmasq keeps at most: there are more.
 */
int leases_each(const char *network, void (*each)(void *context, const struct lease *), void *context);

/*
 * How many leases of the range that a network hands out by DHCP are in force, and how many there can be: of IPv4, or of
 * IPv6 where it hands out none. -1: not known; and 0: it hands out none at all.
 */
int leases_used(const struct policy_network *network);
unsigned int leases_room(const struct policy_network *network);

/* --- keeper ------------------------------------------------------------------------------------------------------- */

#define DNSMASQ_KEEPER                                                                                                 \
	"tapgate-dhcp" /* the program that keeps a network's dnsmasq, and that dnsmasq calls for leases */
#define DNSMASQ_NO_KEEPER "there is no " DNSMASQ_KEEPER " beside the helper; install tapgate anew"
#define DNSMASQ_SERVES	  "serves" /* what it says when dnsmasq has started */

/* tapgate-dhcp as dnsmasq calls it: dhcp/lease.c. */
int lease_main(int argc, char **argv);

/* tapgate-dhcp as a standalone network's own server: dhcp/serve.c. */
int serve_main(int argc, char **argv);

/* --- keep --------------------------------------------------------------------------------------------------------- */

enum dnsmasq_state {
	DNSMASQ_ABSENT, /* none, or one that ended and is to be started again */
	DNSMASQ_RUNNING,
	DNSMASQ_DIFFERENT, /* runs, but with other words than wanted, for a bridge made anew since, or without files */
	DNSMASQ_DEAF,	   /* runs as it should, but is stopped or hangs, and reads nothing that it is sent */
};

/* Whether there is a dnsmasq on this host, where networks' are started from. */
bool dnsmasq_is_installed(void);

/* Whether a network should have one: dhcp= or ra is given. And what that is called, and the one that runs, if any. */
bool dnsmasq_wanted(const struct policy_network *network);
const char *dnsmasq_wanted_program(const struct policy_network *network);
const char *dnsmasq_program(const char *name);

/* How it stands with the one that the network should have. */
enum dnsmasq_state dnsmasq_state(const struct policy_network *network);

/* The dnsmasq that runs for a network, and what starts it again when it dies; 0 if there is none. */
pid_t dnsmasq_pid(const char *name);
pid_t dnsmasq_keeper(const char *name);

/*
 * See to it that the network has the one that it should: nothing is done where it runs. For whoever looks again and
 * again: dnsmasq_start, and whatever the one before left in the way. False with a phrase in `why`.
 */
bool dnsmasq_keep(const struct policy_network *network, char *why, size_t why_size);

/*
 * Start the one that the network should have, and end the one that runs by now, if any. The bridge must be there with
 * its addresses, as dnsmasq ties its DHCP sockets to the interfaces that it finds. Returns when it serves; else false,
 * with a phrase in `why` to go behind "cannot start dnsmasq: ".
 */
bool dnsmasq_start(const struct policy_network *network, char *why, size_t why_size);

/*
 * End the one that runs for a network, and wait for its end; true if none runs. Leases stay, so that guests keep their
 * addresses when it is started again. False if it outlives SIGKILL, or if others than root can write to /run/tapgate;
 * with a phrase in `why` to go behind "cannot stop dnsmasq: ".
 */
bool dnsmasq_stop(const char *name, char *why, size_t why_size);

/*
 * Only tell the one that runs for a network, if any does, to end: where there are many, all end at once, while
 * dnsmasq_stop waits for the first of them.
 */
void dnsmasq_tell(const char *name);

/*
 * End what runs of a network (NULL: of any) and has no keeper that can be found: that one was killed, or its files were
 * removed. Looks at all processes once. False if one does not end.
 */
bool dnsmasq_end_strays(const char *name);

/*
 * Call `each` for every network that one runs for, or of which one has left files, whatever the policy says. It may
 * stop the one that it is told of.
 */
void dnsmasq_each(void (*each)(void *context, const char *name), void *context);

/* --- answer ------------------------------------------------------------------------------------------------------- */

/* What tapgate-dhcp answers to the guests of a standalone network (dhcp/serve.c), and what it is told to answer. */

enum {
	ANSWER_OPTIONS_MAX = 512, /* bytes of what answer_words writes: each list has its bound (policy/served.c) */
	ANSWER_MAX = 240 + 128 + ANSWER_OPTIONS_MAX,
};

/* What the guest of a tap is to have. */
struct answer_terms {
	unsigned char host[4], guest[4]; /* network byte order */
	unsigned int prefix;		 /* 1 to 31 */
	uint32_t lease;			 /* seconds */
	const char *name;		 /* of its `guest` line, at most POLICY_LABEL_MAX bytes; NULL: it has none */
	const unsigned char *options;	 /* each a code, a length and its bytes; of length 0: the host's address */
	size_t size;			 /* of them, at most ANSWER_OPTIONS_MAX; they end where one ends */
};

/*
 * The answer to a message of a guest's, whatever stands in it: a function of both. Returns the answer's size; 0: there
 * is none.
 */
size_t answer_make(const unsigned char *message, size_t size, const struct answer_terms *terms,
	unsigned char answer[static ANSWER_MAX]);

/* The hardware address of the client, 6 bytes; NULL: it is no client's message. */
const unsigned char *answer_card(const unsigned char *message, size_t size);

/*
 * Whether an answer goes to the guest's address, which the client says it has; else to everybody behind the tap. To no
 * other address that a client names.
 */
bool answer_is_for_address(const unsigned char answer[static ANSWER_MAX], const struct answer_terms *terms);

#endif
