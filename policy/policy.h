// SPDX-License-Identifier: MIT
/*
 * The policy: text -> rules -> verdict.
 *
 * A pure library: load, decide, and arithmetic on the networks that were loaded. It has no globals, touches no file,
 * asks the kernel nothing and knows no privilege: what it needs from outside comes through the callbacks below, so that
 * the helper, the tools, the tests and the fuzzers share one parser and one decision. The language is described in
 * tapgate.conf(5).
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "policy/text.h"

enum {
	POLICY_LINE_MAX = 4095,	    /* bytes in a line, newline excluded */
	POLICY_FILES_MAX = 64,	    /* files in a policy, includes counted each time */
	POLICY_DEPTH_MAX = 8,	    /* files open inside one another */
	POLICY_BYTES_MAX = 4 << 20, /* bytes in all files together */
	POLICY_NETWORKS_MAX =
		256, /* a host's: each is a bridge, 16 chains of its guard and, with dhcp=, three processes */
	POLICY_GUESTS_MAX = 128,  /* `guest` lines of one network: its dnsmasq is told of each by a word */
	POLICY_GUESTS_ALL = 1024, /* and of all networks */
	POLICY_FORWARDS_MAX = 256,
	POLICY_BOOT_MAX = 127,	 /* bytes of a boot file's name, the field of DHCP's less a NUL (RFC 2131) */
	POLICY_LABEL_MAX = 63,	 /* bytes of a guest's name (RFC 1123) */
	POLICY_DOMAIN_MAX = 189, /* and of its domain: of 253 together, less a dot (RFC 1035, 2.3.4) */
	POLICY_ERRORS_MAX = 100, /* errors that policy_check tells */
	POLICY_POOL_MAX = 65535, /* subnets that a pool hands out at most, however many it has */
	POLICY_QUEUES_MAX = 16,
	POLICY_LEASES_MAX = 64,
	POLICY_MTU_MAX = 65521, /* bytes: what a tap can have, 65535 less an Ethernet header (drivers/net/tun.c) */
};
/* A rate in kbit/s: no burst of the largest packet lasts minutes, and the kernel has 32 bits for it in bytes. */
enum { POLICY_RATE_MIN = 64, POLICY_RATE_MAX = 32000000 };
enum { POLICY_CHOICES = 32 }; /* subnets that `auto` may stand for */

/* --- reading files ------------------------------------------------------------------------------------------------ */

/* One file's content. */
struct policy_file {
	char *text; /* from malloc, not NULL even when empty; the policy frees it */
	size_t size;
	uint64_t device, inode; /* to know the file again: an include of itself is an error */
};

enum policy_read {
	POLICY_READ,	/* the content is in *file */
	POLICY_HIDDEN,	/* the caller may not read it (EACCES): it contributes nothing */
	POLICY_REFUSED, /* anything else: `why` says what, and the policy as a whole is refused */
};

/* Why a file was refused. */
struct policy_why {
	char text[320];
};

/*
 * Reads the file at an absolute path. `limit` is how many bytes are still allowed. With a path that ends in '/' it is a
 * directory that is read, believed as one is on the way to a file: the names in it, each with a NUL behind it.
 */
struct policy_reader {
	enum policy_read (*read)(
		void *context, const char *path, size_t limit, struct policy_file *file, struct policy_why *why);
	void *context;
	/* &policy_services for who acts on what guests are told, called and reached by. NULL: see policy_load. */
	const struct policy_services *services;
};

/* Why a policy was refused, and where. line 0: the file as a whole; column counts bytes from 1, 0: the whole line. */
struct policy_error {
	char file[256];
	size_t part; /* with a line: the file's number among those that were read, from 0 */
	unsigned int line, column;
	char what[448];
};

/* The error as one line without a newline: "file:line:column: what, expected what", without a line or column of 0. */
void policy_error_print(const struct policy_error *error, char *buffer, size_t size);

/* --- what a policy says ------------------------------------------------------------------------------------------- */

/* The options, a number and a bit for each row of policy/options.def, where all that is known of them stands. */
enum policy_option_number {
#define OPTION(NAME, ...) NUMBER_OF_##NAME,
#include "policy/options.def"
#undef OPTION
	POLICY_OPTION_COUNT
};
enum policy_option {
#define OPTION(NAME, ...) OPTION_##NAME = 1 << NUMBER_OF_##NAME,
#include "policy/options.def"
#undef OPTION
};

/* What was written of them. Where numbers stand in it is said in options.def. */
struct policy_options {
	uint32_t given;		/* enum policy_option: a bit for each that was written */
	uint32_t max;		/* taps of one user on the network, 1 to 65535 */
	uint32_t queues;	/* 1 to POLICY_QUEUES_MAX */
	uint32_t vlan;		/* 1 to 4094 */
	uint32_t mtu;		/* bytes, 68 to POLICY_MTU_MAX */
	uint32_t leases;	/* hardware addresses behind a port that DHCP serves, 1 to POLICY_LEASES_MAX */
	uint32_t rate, rate_in; /* kbit/s that a guest sends, and is sent: POLICY_RATE_MIN to POLICY_RATE_MAX */
	unsigned char mac[6];
	unsigned char padding[2]; /* named, so that two can be compared as bytes */
};

struct policy;

enum policy_mode {
	MODE_BRIDGED,
	MODE_NAT,
	MODE_SHARED,
	MODE_ROUTED,
	MODE_HOST_ONLY,
	MODE_INTERNAL,
	MODE_STANDALONE,
};

/* An address and its subnet. */
struct policy_subnet {
	bool given;
	unsigned char address[16]; /* network byte order; IPv4 in the first four */
	unsigned int prefix;	   /* bits, 1 to 32 or 128 */
	unsigned int per_vm;	   /* bits of the subnet that each guest gets, 0 if the subnet is not a pool */
};

/* What guests are told by DHCP. The words lie in the policy's files, and are as policy/served.c wants them. */
struct policy_served {
	struct word dns, domain, search, router, ntp, boot; /* NULL: not given */
	uint32_t lease;					    /* seconds, with OPTION_LEASE */
};

/* A server of a list; family 0: it is none. */
struct policy_server {
	int family;
	unsigned char address[16];
};

/* A `network` line. */
struct policy_network {
	char name[NAME_MAX_BYTES + 1];
	enum policy_mode mode;
	struct policy_subnet ipv4, ipv6;
	uint32_t dhcp_first, dhcp_last; /* IPv4 addresses in host byte order, with OPTION_DHCP; 0: no range */
	unsigned char dhcp6_first[16], dhcp6_last[16]; /* IPv6, as written; 0: see policy_range6 */
	struct policy_options options;
	struct policy_served served; /* of a copy: not to be looked at */
	const char *file;
	unsigned int line;
	struct {
		struct word dhcp, ra, lock_ip;
	} stands; /* where, for what is wrong with them; behind `file`, as two networks are compared up to there */
	const struct policy *policy; /* whose it is, for its guests and forwards; NULL: none are known */
	bool automatic;		     /* its line says `auto`: the subnets are one choice of several (policy_choose) */
	bool copied;		     /* it has lost its policy, which may have guests and forwards of it */
	bool has_ways_in;	     /* without a policy, too, it is known to have forwards */
};

/* A `guest` line: a machine that has its addresses for good. */
struct policy_guest {
	char name[POLICY_LABEL_MAX + 1];
	const struct policy_network *network;
	struct policy_options options; /* OPTION_MAC, and OPTION_IP and OPTION_IP6 for the two below */
	unsigned char ipv4[4], ipv6[16];
	const char *file;
	unsigned int line;
};

/* A `forward` line: ports of the host that lead to a guest. */
struct policy_forward {
	uint32_t first, last, to; /* to: the guest's port, 0: the same */
	bool udp, ipv4, ipv6;	  /* or TCP; the families in which it leads to the guest */
	int on_family;		  /* of the address that it is on; 0: all addresses of the host */
	unsigned char on[16];
	const struct policy_guest *guest;
	const char *file;
	unsigned int line;
};

/*
 * The first guest or forward of a network behind another one (NULL: of all), in the order of their lines; NULL: none.
 */
const struct policy_guest *policy_next_guest(const struct policy_network *network, const struct policy_guest *before);
const struct policy_forward *policy_next_forward(
	const struct policy_network *network, const struct policy_forward *before);

const char *policy_mode_name(enum policy_mode mode);

/* Whether the host forwards what guests send beyond it; and whether they never reach each other. */
bool policy_mode_leads_out(enum policy_mode mode);
bool policy_mode_is_apart(enum policy_mode mode);

/* Whether `tapgate up` makes the network, with a guard; a bridged one exists without tapgate. */
bool policy_is_managed(const struct policy_network *network);

/* --- what is known of options ------------------------------------------------------------------------------------ */

/* The lines that an option may stand on: the two kinds of rules, and network lines by their modes. */
enum policy_place {
	ON_BRIDGED = 1 << MODE_BRIDGED,
	ON_NAT = 1 << MODE_NAT,
	ON_SHARED = 1 << MODE_SHARED,
	ON_ROUTED = 1 << MODE_ROUTED,
	ON_HOST_ONLY = 1 << MODE_HOST_ONLY,
	ON_INTERNAL = 1 << MODE_INTERNAL,
	ON_STANDALONE = 1 << MODE_STANDALONE,
	ON_ALLOW = 1 << 8,
	ON_DENY = 1 << 9,
	ON_GUEST = 1 << 10,
	WITH_DHCP = ON_NAT | ON_SHARED | ON_ROUTED | ON_HOST_ONLY, /* all of it, by dnsmasq */
	WITH_ADDRESSES = WITH_DHCP | ON_STANDALONE,
	WITH_BRIDGE = ON_BRIDGED | WITH_DHCP | ON_INTERNAL,
	ON_ALL_NETWORKS = WITH_BRIDGE | ON_STANDALONE,
};

enum policy_value {
	VALUE_NONE, /* the word stands alone */
	VALUE_NUMBER,
	VALUE_RATE,   /* a number with kbit, mbit or gbit behind it; of kbit/s then */
	VALUE_MAC,    /* the guest's hardware address */
	VALUE_OWN,    /* one that only its line understands (policy/rules.c, policy/networks.c) */
	VALUE_SERVED, /* one that concerns no tap, which the helper passes over (policy/served.c, policy/guests.c) */
};

/* A row of policy/options.def. What a row does not say is 0. */
struct policy_option_row {
	const char *word;
	const char *linux_version; /* since which Linux there are its settings of a port; NULL: it has none */
	const char *kernel;	   /* what it takes of the kernel where no version says it */
	size_t at;		   /* of a number: where in struct policy_options */
	uint32_t min, max;	   /* of a number */
	enum policy_value value;
	uint32_t stands;  /* enum policy_place: the lines that it may stand on */
	uint32_t takes;	  /* a rule may give it on networks of these modes alone; 0: on all */
	uint32_t needs;	  /* other options, without one of which it may not stand */
	uint32_t implies; /* another option, which it brings with it */
	struct policy_port_setting {
		int attribute; /* IFLA_BRPORT_... (linux/if_link.h); 0: no more */
		bool on;
	} port[4];    /* what the port of a tap is set to, and has to be when it is read back */
	bool granted; /* it is a caller's, and `tapgate explain` tells of it; else it is the network's */
};

/* All rows, by enum policy_option_number. */
extern const struct policy_option_row policy_option_rows[POLICY_OPTION_COUNT];

/* The row of a set's first option. */
const struct policy_option_row *policy_option_row(uint32_t options);

/* Whether a row has a number in a set of options; and that, 0 if it is not given. */
bool policy_option_is_number(const struct policy_option_row *row);
uint32_t *policy_option_at(const struct policy_option_row *row, struct policy_options *options);

/* A rate as it is written: "512kbit", "100mbit". */
enum { POLICY_RATE_TEXT = 16 };
void policy_rate_text(uint32_t kbit, char text[static POLICY_RATE_TEXT]);

/* The options that a rule may have and a network cannot: by its mode, and by what its line has. */
uint32_t policy_network_lacks(const struct policy_network *network);

/* Whether its guard holds guests to their addresses: all of them, or those of rules that say so (lock-ip). */
bool policy_locks_ip(const struct policy_network *network);

/* How many hardware addresses behind one port DHCP serves: what leases= says, else 4. */
unsigned int policy_leases(const struct policy_network *network);

/* How long a lease lasts, in seconds: what lease= says, else an hour. */
uint32_t policy_lease(const struct policy_network *network);

/*
 * Whether DHCP gives guests addresses of a family; whether they have a server of the network's own at all; and whether
 * that knows them by name. A standalone network's gives each tap's guest its one IPv4 address, and knows no names.
 */
bool policy_serves(const struct policy_network *network, bool ipv6);
bool policy_has_server(const struct policy_network *network);
bool policy_has_names(const struct policy_network *network);

/*
 * The IPv6 addresses that DHCP hands out, and the prefix of their subnet, which dnsmasq knows up to /64: those of
 * dhcp=, or without any ::1000 to ::1fff, or in a small subnet the half that the host is not in. False: there are none.
 */
bool policy_range6(const struct policy_network *network, unsigned char first[static 16], unsigned char last[static 16],
	unsigned int *prefix);

/* The ranges of dhcp= in words, "172.16.2.2-172.16.2.100,fd00:2::20-fd00:2::9f". */
enum { POLICY_RANGES_TEXT = 128 };
void policy_ranges_text(const struct policy_network *network, char *buffer, size_t size);

/*
 * The domain of a network's guests, in lower case: what domain= says, else NAME.internal (the top-level domain for
 * private use), with '-' for what cannot stand in a host name (RFC 1123, section 2.1) and none at either end. And that
 * of a network without domain=.
 */
void policy_domain(const struct policy_network *network, char domain[static POLICY_DOMAIN_MAX + 1]);
void policy_usual_domain(const char *name, char domain[static POLICY_DOMAIN_MAX + 1]);

/* Cut the first server off a list of addresses that the loader has checked; false at its end. */
bool policy_next_server(struct word *list, struct policy_server *server);

/* --- subnets ------------------------------------------------------------------------------------------------------ */

/* Whether two prefixes of one family, in network byte order, have an address in common. Bits behind a prefix: any. */
bool policy_prefixes_overlap(const unsigned char *a, unsigned int a_bits, const unsigned char *b, unsigned int b_bits);

/*
 * How many subnets a network's pool has: of IPv4 and IPv6 the lesser, at most POLICY_POOL_MAX; 0 if the network is not
 * a pool. They have the numbers from 1 on.
 */
uint32_t policy_pool_size(const struct policy_network *network);

/*
 * The subnets of a pool that have a number, in each family that the pool has: `address` is the host's, the first
 * behind the subnet's own, or the first of all where there are only two (/31, RFC 3021; /127, RFC 6164); the guest's
 * is the next one. With a number that the pool does not have neither is given.
 */
void policy_pool_subnet(
	const struct policy_network *network, uint32_t number, struct policy_subnet *ipv4, struct policy_subnet *ipv6);

/* What a standalone network's tap is called: "NAME", and "NAME-NUMBER" for a pool's (number 0: not a pool). */
void policy_tap_name(const struct policy_network *network, uint32_t number, char name[static NAME_MAX_BYTES + 1]);

/* --- deciding ----------------------------------------------------------------------------------------------------- */

enum policy_account { ACCOUNT_USER, ACCOUNT_GROUP };

/* A line of /etc/passwd or /etc/group. */
struct policy_name {
	const char *name;
	uint32_t size; /* of the name, in bytes; 0: a group that is known by its number alone */
	uint32_t number;
};
struct policy_names {
	struct policy_name *list; /* in the order of the lines: of two with one name the first counts */
	size_t count, room;
};

/* What the account files say, and to a caller, by enum policy_account. */
struct policy_accounts {
	struct policy_names all[2];
	struct policy_names own[2]; /* the caller's names; the groups that it holds, or is a member of by the files */
	bool unlisted[2];	    /* whether it has an id that no line has */
};

/* Who asks: ids of the process itself. groups holds its real gid and its supplementary groups. */
struct policy_caller {
	uint32_t uid;
	const uint32_t *groups;
	size_t group_count;
	const struct policy_accounts *accounts; /* NULL: not read */
};

enum policy_outcome {
	POLICY_ALLOWED,
	POLICY_DENIED,	       /* by the rule */
	POLICY_DENIED_UNKNOWN, /* by the rule: its name `unknown` is in no account file and might mean the caller */
	POLICY_DENIED_DROPPED, /* the rule is the one for the caller, but its process does not hold the group */
	POLICY_DENIED_NO_RULE, /* no rule allows it; rule is empty */
	POLICY_ASKS_ACCOUNTS,  /* undecided: it depends on caller->accounts, which are to be read; rule is empty */
};

/* A decision and its reason. Everything points into the policy. */
struct policy_verdict {
	enum policy_outcome outcome;
	const char *file; /* where the deciding rule is, and its words as they stand there */
	unsigned int line;
	struct word rule;
	struct word unknown;
	/*
	 * Without a rule: the first name, of a rule that would allow it, that no account file has, and that may be the
	 * caller all the same; {NULL, 0}: none. Where that rule is.
	 */
	struct word skipped;
	enum policy_account skipped_kind;
	const char *skipped_file;
	unsigned int skipped_line;
	bool named; /* without a rule: whether the policy has a line, or a rule, with the network's name */
	struct policy_options grants;	      /* of the deciding rule */
	const struct policy_network *network; /* the line that describes the network; NULL if there is none */
	const char *hidden;		      /* the first file that the caller may not read; NULL if there is none */
};

/*
 * Load the policy at an absolute path, with all that it includes; a name as "<stdin>" is of what has none. Returns NULL
 * and fills *error if any file, line or word is not as the language demands, or if memory ran out. Never skips a line.
 *
 * Without reader->services it knows all lines and words, and which may stand where and how often, and passes over what
 * concerns no tap: the values of VALUE_SERVED, what follows from them, and of `guest` and `forward` lines all but the
 * form. Such a policy has no guests, forwards, ranges or chosen subnets. What it refuses is refused in full as well,
 * with the same words, and of what is accepted in full it has the same rules, networks and verdicts.
 */
struct policy *policy_load(const struct policy_reader *reader, const char *path, struct policy_error *error);

/* What reads all of it. */
extern const struct policy_services policy_services;

/* Is told an error and the line that it is in, without its newline ({NULL, 0}: none); both last as long as the call. */
typedef void policy_tell(void *context, const struct policy_error *error, struct word line);

/*
 * The same for somebody who wants to know of every error: tells each, and goes on in the next line, as if the refused
 * one were not there; of a line only its first error. The first that is told is at the place of policy_load's, and says
 * the same, or what was probably meant, where it is a word of another program's language. *count receives how many
 * there were, which is 0 exactly if a policy is returned; POLICY_ERRORS_MAX + 1 if there are more than that: it then
 * stops, and has told POLICY_ERRORS_MAX of them. Every file is read once.
 */
struct policy *policy_check(
	const struct policy_reader *reader, const char *path, policy_tell *tell, void *context, size_t *count);

/*
 * Decide whether a caller may use a network. Any matching deny wins. Among matching allows a rule for users beats a
 * rule for groups beats a rule for everybody; among equals the first. `network` must pass word_name_problem.
 *
 * A process that dropped groups never gains by it: membership by the account files counts against the caller as well
 * (a deny of the group matches; an allow of the group that would decide asks that the group be held).
 */
struct policy_verdict policy_decide(
	const struct policy *policy, const char *network, const struct policy_caller *caller);

/* The first line with a name; NULL if there is none. Whether there is one with a number. */
const struct policy_name *policy_find_name(const struct policy_names *names, struct word name);
bool policy_has_number(const struct policy_names *names, uint32_t number);

/* The first of its files that could not be read for want of permission, and so says nothing; NULL if there is none. */
const char *policy_hidden(const struct policy *policy);

/*
 * Call `each` with every network that the policy names, again whenever it does: those of network lines, then those of
 * rules. Returns whether a rule allows 'all' networks to anybody, so that others may matter, too.
 */
bool policy_each_name(const struct policy *policy, void (*each)(void *context, const char *name), void *context);

/*
 * Give a network whose line says `auto` one of its choices, by its number below POLICY_CHOICES: a subnet of /24 in the
 * private ranges of IPv4, and one of /64 in those of IPv6, which follow from the network's name and the machine's. The
 * loader gives it the first, of a machine without a name.
 */
void policy_choose(struct policy *policy, size_t network, const char *machine, uint32_t choice);

/* The networks, in the order of their lines; *count receives their number. */
const struct policy_network *policy_networks(const struct policy *policy, size_t *count);

/* --- looking at rules --------------------------------------------------------------------------------------------- */

/* The more exactly a rule names the caller, the more it counts: in this order. */
enum policy_who { WHO_EVERYBODY, WHO_GROUPS, WHO_USERS };

/* A rule, to look at. Everything points into the policy. */
struct policy_rule {
	bool allow;
	enum policy_who who;
	const char *network; /* empty: all */
	const struct policy_options *options;
	size_t account_count; /* users or groups that it names */
	const char *file;
	unsigned int line;
	struct word words; /* as they stand there */
	struct word whole; /* the line that they are in, without its newline */
};

/* A user or group that a rule names: by number if name.at is NULL. */
struct policy_account_word {
	struct word name;
	uint32_t number;
	struct word at; /* as it stands in the rule */
};

/* How many rules there are, and the one at an index, in the order in which policy_decide sees them. */
size_t policy_rule_count(const struct policy *policy);
struct policy_rule policy_rule(const struct policy *policy, size_t index);

/* Call `each` for every user or group that a rule names, in order. */
void policy_each_account(const struct policy *policy, size_t rule,
	void (*each)(void *context, const struct policy_account_word *account), void *context);

/* A file of the policy, and the include that names it (file, line, column); NULL, 0, 0 for the policy itself. */
struct policy_part {
	const char *path;
	const char *by;
	unsigned int line, column;
};
size_t policy_part_count(const struct policy *policy);
struct policy_part policy_part(const struct policy *policy, size_t index);

/* A line of a file, by its number from 1, without its newline; {NULL, 0} if the policy has no such line. */
struct word policy_line(const struct policy *policy, const char *path, unsigned int number);

/*
 * Report what keeps networks from standing beside one another: each pair whose subnets overlap (once for IPv4 and once
 * for IPv6), and each network whose name begins as those of the taps of a pool do ("cell-5", and "cell-x" too, beside
 * the pool "cell"). An error names the later line as its place, and the earlier one in its text; it has no column.
 * Returns how many there were. Decisions do not depend on it.
 */
size_t policy_conflicts(
	const struct policy *policy, void (*report)(void *context, const struct policy_error *error), void *context);

void policy_free(struct policy *policy);

#endif
